"""Calendar files that are made to cost time or memory: what reading them takes grows with their size, no faster."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.calendars import calendar_files, calendar_object
from webmail.mime.formats.calendars.calendar_files import FileRemarkKind, read


def _file(inside: str) -> bytes:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inside}END:VCALENDAR\r\n".encode()


def _event(uid: str, *lines: str) -> str:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"))


HOSTILE = {
    "lines without a name": _file(_event("a", "DTSTART:20261208", *["x"] * 150_000)),
    "components in components": _file(_event("a", *["BEGIN:A"] * 15_000, *["END:B"] * 15_000)),
    "changed ones of one event": _file("".join(_event("a", f"RECURRENCE-ID:{number}") for number in range(12_000))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_with_the_size(kind: str) -> None:
    with cpu_seconds(1.5, kind):
        read(HOSTILE[kind])


def test_time_zones_that_each_event_repeats_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_files, "MOST_CHARACTERS", 100_000)
    zone = "BEGIN:VTIMEZONE\r\nTZID:Z\r\n" + "X-A:aaaaaaaa\r\n" * 1_000 + "END:VTIMEZONE\r\n"
    found = read(_file(zone + "".join(_event(str(number), "DTSTART;TZID=Z:20261208T090000") for number in range(20))))
    assert 0 < len(found.objects) < 10 and [one.kind for one in found.remarks] == [FileRemarkKind.TOO_MANY]
    assert sum(len(one.text) for one in found.objects) <= 100_000


def test_an_event_is_stored_under_the_identifier_by_which_its_file_is_compared() -> None:
    """Two different events with one identifier, which is broken over two lines."""
    texts = [
        f"BEGIN:VEVENT\r\nUID:a\r\nb\r\nDTSTART:{day}\r\nSUMMARY:{day}\r\nEND:VEVENT\r\n" for day in ("20261208", "20261209")
    ]
    found = read(_file("".join(texts)))
    assert [one.title for one in found.objects] == ["20261208", "20261209"]
    assert [one.uid for one in found.objects] == [calendar_object.read(one.text).uid for one in found.objects]
