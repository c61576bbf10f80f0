"""Calendar files taken apart and put together: the public samples, line by line, and what programs write that they should not."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.calendar import objects
from webmail.mime.formats.calendars import calendar_files
from webmail.mime.formats.calendars.calendar_files import FileRemarkKind, NotCalendarFileError, decoded, read
from webmail.mime.formats.calendars.calendar_joining import together
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import parsed

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[5] / "shared" / "corpora"))
SETS = ("ics-icalendar-calendars", "ics-icalendar-events", "ics-ical4j", "ics-recurring")
SAMPLES = {
    name: sorted(one for one in (CORPORA / name).rglob("*") if one.is_file()) for name in SETS if (CORPORA / name).is_dir()
}
_ENDLESS = "issue_201_test_matrix.ics"  # ends are missing in it, and are added
PARIS = ZoneInfo("Europe/Paris")


def of(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR")).encode()


EVENT = ("BEGIN:VEVENT", "UID:a", "DTSTART:20261201T080000Z", "SUMMARY:Cours", "END:VEVENT")


@pytest.mark.skipif(not SAMPLES, reason="no corpora beside the checkout or in TRABOULE_CORPORA")
@pytest.mark.parametrize("name", SAMPLES)
def test_public_samples_come_in_and_go_out_as_they_were(name: str) -> None:
    """What has an identifier stands in the file letter by letter, but for the ends of lines; a second way round changes nothing."""
    refused = 0
    for sample in SAMPLES[name]:
        content = sample.read_bytes()
        try:
            found = read(content)
        except NotCalendarFileError:
            refused += 1
            continue
        there = _plain(decoded(content))
        mended = {one.kind for one in found.remarks} & {FileRemarkKind.MENDED, FileRemarkKind.TWICE}
        for one in found.objects[:60]:  # of thousands alike
            parts = [str(part) for part in parsed(one.text).parts()]
            if not one.uid.endswith("@imported") and not mended and "\n\n" not in there and sample.name != _ENDLESS:
                assert all(_plain(part).strip() in there for part in parts), (sample.name, one.line)
            [again] = read("".join(together([one.text])).encode()).objects
            assert [str(part) for part in parsed(again.text).parts()] == parts, (sample.name, one.line)
    assert refused <= len(SAMPLES[name]) // 10


def _plain(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.skipif(not SAMPLES, reason="no corpora beside the checkout or in TRABOULE_CORPORA")
@pytest.mark.parametrize(("name", "most"), [("ics-icalendar-calendars", 45), ("ics-icalendar-events", 14), ("ics-recurring", 1)])
def test_public_samples_are_expanded_or_kept(name: str, most: int) -> None:
    """`most`: that have no beginning, or one that no calendar knows."""
    unusable = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in SAMPLES[name]:
            try:
                found = read(sample.read_bytes())
            except NotCalendarFileError:
                continue
            unusable += sum(not _usable(one.text) for one in found.objects[:20])
    assert unusable <= most


def _usable(text: str) -> bool:
    for once in (False, True):
        try:
            objects.prepared(text, PARIS, once=once)
            return True
        except UnusableCalendarError:
            continue
    return False


def test_overrides_stand_with_their_series_and_zones_with_those_that_name_them() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:X/Y", "END:VTIMEZONE")
    moved = ("BEGIN:VEVENT", "UID:a", "RECURRENCE-ID:20261208T080000Z", "DTSTART;TZID=X/Y:20261208T100000", "END:VEVENT")
    other = ("BEGIN:VEVENT", "UID:b", "DTSTART:20261201T080000Z", "END:VEVENT")
    first, second = read(of(*moved, *other, *zone, *EVENT)).objects
    assert first.text.index("SUMMARY:Cours") < first.text.index("RECURRENCE-ID")
    assert "VTIMEZONE" in first.text
    assert "VTIMEZONE" not in second.text


def test_the_newer_of_two_versions_is_taken() -> None:
    newer = [line.replace("Cours", "Neuf") for line in EVENT]
    newer.insert(2, "SEQUENCE:2")
    found = read(of(*newer, *EVENT))
    assert (len(found.objects), found.doubled, found.objects[0].title) == (1, 1, "Neuf")


@pytest.mark.parametrize(
    ("content", "titles"),
    [
        (b"\xef\xbb\xbf" + of(*EVENT), ["Cours"]),
        (of(*EVENT).decode().encode("utf-16"), ["Cours"]),
        (of(*EVENT).replace(b"\r\n", b"\r"), ["Cours"]),
        (of(*EVENT).replace(b"Cours", "Été".encode("latin-1")), ["Été"]),
        (of(*EVENT[:-1]), ["Cours"]),  # without its end
        (of(*EVENT[:-1], *[line.replace("UID:a", "UID:b") for line in EVENT]), ["Cours", "Cours"]),
        (of(*EVENT[:-1], "DESCRIPTION:one", "two, three", EVENT[-1]), ["Cours"]),
    ],
)
def test_what_other_programs_write(content: bytes, titles: list[str]) -> None:
    found = read(content)
    assert [one.title for one in found.objects] == titles
    for one in found.objects:
        objects.prepared(one.text, PARIS)


def test_hostile_files_cost_no_time() -> None:
    many = b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 10_000
    folds = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:x\r\n" + b" y\r\n" * 20_000 + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    strays = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n" + b"stray\r\n" * 10_000 + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    for content in (many, folds, strays, b"BEGIN:V" * 20_000, b";" * 500_000 + b":", b'A;B="' * 10_000):
        with cpu_seconds(0.8, content[:60]), contextlib.suppress(NotCalendarFileError):
            read(content)


def test_too_many_events_are_cut_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_files, "MOST_OBJECTS", 2)
    found = read(of(*(line.replace("UID:a", f"UID:{number}") for number in range(4) for line in EVENT)))
    assert len(found.objects) == 2
    assert [one.kind for one in found.remarks] == [FileRemarkKind.TOO_MANY]


def test_what_is_cut_is_told_behind_many_remarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_files, "MOST_OBJECTS", 2)
    monkeypatch.setattr(calendar_files, "MOST_REMARKS", 3)
    lines = [line.replace("UID:a", f"UID:{number}") for number in range(4) for line in EVENT]
    lines[4:4] = ["stray"] * 5
    found = read(of(*lines))
    assert [one.kind for one in found.remarks] == [FileRemarkKind.MENDED] * 3 + [FileRemarkKind.TOO_MANY]
    assert found.unseen == 2
