"""Invitations."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.calendars import icalendar


def calendar(*lines: str, method: str = "") -> str:
    head = f"BEGIN:VCALENDAR\nVERSION:2.0\n{f'METHOD:{method}' + chr(10) if method else ''}"
    return f"{head}BEGIN:VEVENT\n" + "\n".join(lines) + "\nEND:VEVENT\nEND:VCALENDAR\n"


def event(*lines: str) -> icalendar.Event:
    found = icalendar.read(calendar(*lines))
    assert found is not None
    return found.events[0]


class TestCalendar:
    def test_a_request(self) -> None:
        found = icalendar.read(
            calendar(
                "SUMMARY:Réunion\\, salle 3", "DTSTART;TZID=Europe/Paris:20261201T180000", "DURATION:PT90M", "LOCATION:Salle 3",
                "ORGANIZER;CN=Claire Rey:mailto:claire@x.example", "ATTENDEE;PARTSTAT=DECLINED:MAILTO:bob@x.example",
                "ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED:mailto:salle-3@x.example", "STATUS:TENTATIVE", method="REQUEST",
            )
        )  # fmt: skip
        assert found and found.method == "request"
        one = found.events[0]
        assert one.summary == "Réunion, salle 3" and one.place == "Salle 3" and one.status == "tentative"
        assert isinstance(one.start, datetime) and one.start.astimezone(UTC) == datetime(2026, 12, 1, 17, tzinfo=UTC)
        assert one.end == one.start + timedelta(minutes=90)
        assert str(one.organizer) == "Claire Rey <claire@x.example>"
        assert len(one.attendees) == 1  # a room is told by the place
        assert one.attendees[0].answer == "declined" and one.attendees[0].person.email == "bob@x.example"

    def test_whole_days_end_on_their_last_day(self) -> None:
        one = event("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203")
        assert one.all_day and (one.start, one.end) == (date(2026, 12, 1), date(2026, 12, 2))
        assert event("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261202").end is None

    def test_a_time_without_a_zone_stays_without(self) -> None:
        one = event("DTSTART:20261201T180000")
        assert isinstance(one.start, datetime) and one.start.tzinfo is None

    def test_a_zone_that_the_file_itself_defines(self) -> None:
        zone = "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\nEND:VTIMEZONE\n"
        text = calendar("DTSTART;TZID=Mine:20261201T180000").replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT")
        found = icalendar.read(text)
        assert found and isinstance(found.events[0].start, datetime)
        assert found.events[0].start.astimezone(UTC).hour == 15

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ("FREQ=DAILY", icalendar.Recurrence("daily")),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=6", icalendar.Recurrence("weekly", 2, (1, 3), 6)),
            ("FREQ=YEARLY;UNTIL=20301231", icalendar.Recurrence("yearly", until=date(2030, 12, 31))),
            ("FREQ=MONTHLY;BYDAY=3MO", None),
            ("FREQ=SECONDLY", None),
        ],
    )
    def test_how_it_comes_again(self, rule: str, expected: icalendar.Recurrence | None) -> None:
        one = event("DTSTART:20261201T180000Z", f"RRULE:{rule}")
        assert one.repeat == expected and one.repeats

    @pytest.mark.parametrize(
        "lines",
        [
            ("DTSTART:yesterday",), ("DTSTART:20261201T180000Z", "DTEND:20261101T180000Z"), ("DURATION: PT",), ("RRULE:FREQ=WEEKLY;BYDAY=1X",),
            ("DTSTART:20261201T180000Z", "DTEND;VALUE=DATE:20261202"), ("ORGANIZER:",), ("SUMMARY:a", "SUMMARY:b"), ("X",),
        ],
    )  # fmt: skip
    def test_broken_events_never_raise(self, lines: tuple[str, ...]) -> None:
        found = icalendar.read(calendar(*lines))
        assert found is None or found.events[0].end is None

    @pytest.mark.parametrize(
        "text", ["", "BEGIN:VCALENDAR", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "x" * 10, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"]
    )
    def test_no_events_no_card(self, text: str) -> None:
        assert icalendar.read(text) is None

    def test_many_events_are_bounded_and_counted_in_no_time(self) -> None:
        many = (
            "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nSUMMARY:ß\nDTSTART:20261201T180000Z\nEND:VEVENT\n" * 15_000 + "END:VCALENDAR\n"
        )
        with cpu_seconds(2):
            found = icalendar.read(many)
            assert found and (len(found.events), found.more) == (icalendar.EVENTS_LIMIT, 15_000 - icalendar.EVENTS_LIMIT)
            for hostile in ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 70_000, "BEGIN:VCALENDAR\n" + "A" * 900_000, many * 2):
                icalendar.read(hostile)


def test_attendees_beyond_those_shown_are_not_read() -> None:
    found = event(*(f"ATTENDEE:mailto:a{n}@x.example\n ample" for n in range(1_000)))
    assert len(found.attendees) == icalendar.ATTENDEES_LIMIT
    few = icalendar._few_attendees("BEGIN:VEVENT\n" + "ATTENDEE:mailto:a\n b\n" * 300 + "SUMMARY:x\nEND:VEVENT")
    assert (few.count("ATTENDEE"), few.count("\n b"), "SUMMARY:x" in few) == (200, 200, True)
