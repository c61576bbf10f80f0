"""Later messages about an event: new versions, of all or of single ones, and cancellations."""

from __future__ import annotations

from tests.support.calendar_texts import calendar, times
from webmail.mime.formats.calendars.calendar_updates import cancelled, updated

ZONE = ";TZID=Europe/Paris"
ONCE = f"DTSTART{ZONE}:20261208T090000|SUMMARY:Cours|SEQUENCE:1"
SERIES = f"DTSTART{ZONE}:20261208T090000|RRULE:FREQ=WEEKLY;COUNT=3|SUMMARY:Cours|SEQUENCE:1"
SECOND = f"RECURRENCE-ID{ZONE}:20261215T090000"


def test_a_higher_sequence_takes_the_place_and_a_lower_one_does_not():
    later = calendar(f"DTSTART{ZONE}:20261209T090000|SUMMARY:Cours|SEQUENCE:2")
    assert updated(calendar(ONCE), later) == later
    assert updated(later, calendar(ONCE)) == ""
    assert updated(calendar(ONCE), calendar(ONCE)) == ""


def test_a_new_version_of_one_leaves_the_series():
    one = calendar(f"{SECOND}|DTSTART{ZONE}:20261215T140000|SUMMARY:Cours déplacé|SEQUENCE:2")
    after = updated(calendar(SERIES), one)
    assert times(after) == ["2026-12-08 09:00 Cours", "2026-12-15 14:00 Cours déplacé", "2026-12-22 09:00 Cours"]
    assert updated(after, one) == ""
    again = calendar(f"{SECOND}|DTSTART{ZONE}:20261216T140000|SUMMARY:Cours|SEQUENCE:3")
    assert times(updated(after, again))[1] == "2026-12-16 14:00 Cours"
    assert updated(after, again).count("RECURRENCE-ID") == 1


def test_a_cancelled_event_stays_and_is_marked():
    after = cancelled(calendar(ONCE), calendar("SEQUENCE:2|STATUS:CANCELLED"))
    assert "STATUS:CANCELLED" in after
    assert times(after) == ["2026-12-08 09:00 Cours"]
    assert cancelled(after, calendar("SEQUENCE:2|STATUS:CANCELLED")) == ""
    assert cancelled(calendar(ONCE), calendar("SEQUENCE:0")) == ""


def test_one_of_a_series_is_cancelled_alone():
    after = cancelled(calendar(SERIES), calendar(f"{SECOND}|SEQUENCE:2|STATUS:CANCELLED"))
    assert after.count("STATUS:CANCELLED") == 1
    assert times(after) == ["2026-12-08 09:00 Cours", "2026-12-15 09:00 Cours", "2026-12-22 09:00 Cours"]
    assert cancelled(after, calendar(f"{SECOND}|SEQUENCE:2|STATUS:CANCELLED")) == ""


def test_nonsense_changes_nothing():
    for sent in (calendar(f"RECURRENCE-ID:x|DTSTART{ZONE}:20261215T140000"), "x", ""):
        assert updated(calendar(SERIES), sent) == cancelled(calendar(SERIES), sent) == ""
