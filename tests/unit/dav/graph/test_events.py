"""Events of Microsoft 365 as calendar texts and back, by tables: times, zones, rules, changed times, and what only one can say."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from webmail.dav.remote import item_comparison
from webmail.dav.remote.graph import extra_lines
from webmail.dav.remote.graph.event_reading import text_from
from webmail.dav.remote.graph.event_writing import UnsendableEventError, as_event, differing, extra_of, wanted_from
from webmail.dav.remote.graph.graph_rules import NoPatternError, recurrence_from, rule_from
from webmail.dav.remote.graph.graph_zones import windows_name, zone_named
from webmail.mime.formats.calendars import calendar_object

PARIS = ZoneInfo("Europe/Paris")


def text_of(*lines: str, uid: str = "u1", more: tuple[str, ...] = ()) -> str:
    """A calendar text. `more`: what stands behind the first event."""
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T080000Z")
    return "\r\n".join((*head, *lines, "END:VEVENT", *more, "END:VCALENDAR", ""))


def there_and_back(text: str) -> str:
    """What is read after it was written there."""
    wanted = wanted_from(text, PARIS, "Europe/Paris")
    event = {**as_event(wanted), "singleValueExtendedProperties": extra_lines.as_property(extra_of(wanted))}
    return text_from(event)


def meeting(**values: Any) -> dict[str, Any]:
    """An event as Graph tells of it."""
    return {
        "id": "AAMk=", "iCalUId": "040000008200E0", "subject": "Conseil", "isAllDay": False, "originalStartTimeZone": "Romance Standard Time",
        "start": {"dateTime": "2026-12-01T08:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-01T09:30:00.0000000", "timeZone": "UTC"}, "showAs": "busy", "sensitivity": "normal",
        "lastModifiedDateTime": "2026-11-30T10:00:00.1234567Z", **values,
    }  # fmt: skip


# --- zones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("windows", "iana"),
    [
        ("Romance Standard Time", "Europe/Paris"), ("W. Europe Standard Time", "Europe/Berlin"), ("Eastern Standard Time", "America/New_York"),
        ("India Standard Time", "Asia/Kolkata"), ("UTC", "UTC"), ("tzone://Microsoft/Utc", "UTC"), ("Europe/Madrid", "Europe/Madrid"),
    ],
)  # fmt: skip
def test_windows_zones_are_known(windows: str, iana: str) -> None:
    zone = zone_named(windows)
    assert (zone.key if isinstance(zone, ZoneInfo) else str(zone)) in (iana, "Asia/Calcutta" if iana == "Asia/Kolkata" else iana)


@pytest.mark.parametrize(
    ("iana", "windows"),
    [
        ("Europe/Paris", "Romance Standard Time"), ("UTC", "UTC"), ("Europe/Zurich", "GTB Standard Time"),
        ("America/New_York", "Eastern Standard Time"), ("Antarctica/Troll", "Antarctica/Troll"), ("", "UTC"),
    ],
)  # fmt: skip
def test_zones_are_called_as_windows_does_where_clocks_go_the_same(iana: str, windows: str) -> None:
    found = windows_name(iana)
    if iana == "Europe/Zurich":  # any that goes the same
        zone = zone_named(found)
        assert found.endswith("Standard Time") and zone is not None
        assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == datetime(2026, 7, 1, tzinfo=ZoneInfo(iana)).utcoffset()
    else:
        assert found == windows


def test_a_zone_that_only_a_mailbox_knows_is_none() -> None:
    assert zone_named("Customized Time Zone") is None and zone_named("tzone://Microsoft/Custom") is None


# --- rules -----------------------------------------------------------------------------------------------------------

_RULES = [  # start, rule, pattern
    ("2026-12-01", "FREQ=DAILY", {"type": "daily", "interval": 1}),
    ("2026-12-01", "FREQ=DAILY;INTERVAL=3", {"type": "daily", "interval": 3}),
    ("2026-12-01", "FREQ=WEEKLY;BYDAY=TU,TH", {"type": "weekly", "daysOfWeek": ["tuesday", "thursday"], "firstDayOfWeek": "monday", "interval": 1}),
    ("2026-12-01", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;WKST=SU", {"type": "weekly", "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday", "interval": 2}),
    ("2026-12-15", "FREQ=MONTHLY;BYMONTHDAY=15", {"type": "absoluteMonthly", "dayOfMonth": 15, "interval": 1}),
    ("2026-12-31", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", {"type": "absoluteMonthly", "dayOfMonth": 31, "interval": 1}),
    ("2026-12-08", "FREQ=MONTHLY;BYDAY=2TU", {"type": "relativeMonthly", "daysOfWeek": ["tuesday"], "index": "second", "interval": 1}),
    ("2026-12-29", "FREQ=MONTHLY;BYDAY=-1TU", {"type": "relativeMonthly", "daysOfWeek": ["tuesday"], "index": "last", "interval": 1}),
    ("2026-12-01", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", {"type": "relativeMonthly", "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"], "index": "first", "interval": 1}),
    ("2026-12-25", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", {"type": "absoluteYearly", "month": 12, "dayOfMonth": 25, "interval": 1}),
    ("2028-02-29", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1", {"type": "absoluteYearly", "month": 2, "dayOfMonth": 29, "interval": 1}),
    ("2026-11-26", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", {"type": "relativeYearly", "month": 11, "daysOfWeek": ["thursday"], "index": "fourth", "interval": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("start", "rule", "pattern"), _RULES)
def test_rules_and_patterns_say_the_same(start: str, rule: str, pattern: dict[str, Any]) -> None:
    found = recurrence_from(rule, date.fromisoformat(start), UTC, "UTC")
    assert found["pattern"] == pattern
    assert found["range"] == {"type": "noEnd", "startDate": start, "recurrenceTimeZone": "UTC"}
    assert rule_from(found, date.fromisoformat(start)) == rule


@pytest.mark.parametrize(
    ("rule", "pattern"),
    [
        ("FREQ=WEEKLY", {"type": "weekly", "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday", "interval": 1}),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", {"type": "weekly", "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"], "firstDayOfWeek": "monday", "interval": 1}),
        ("FREQ=MONTHLY", {"type": "absoluteMonthly", "dayOfMonth": 1, "interval": 1}),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1", {"type": "relativeMonthly", "daysOfWeek": ["tuesday"], "index": "first", "interval": 1}),
        ("FREQ=YEARLY", {"type": "absoluteYearly", "month": 12, "dayOfMonth": 1, "interval": 1}),
    ],
)  # fmt: skip
def test_what_a_rule_leaves_out_is_told(rule: str, pattern: dict[str, Any]) -> None:
    assert recurrence_from(rule, datetime(2026, 12, 1, 9), PARIS, "Romance Standard Time")["pattern"] == pattern


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("2026-12-01", "FREQ=HOURLY"), ("2026-12-31", "FREQ=MONTHLY;BYMONTHDAY=31"), ("2026-12-31", "FREQ=MONTHLY"),
        ("2028-02-29", "FREQ=YEARLY"), ("2026-12-01", "FREQ=MONTHLY;BYMONTHDAY=1,15"), ("2026-12-29", "FREQ=MONTHLY;BYDAY=5TU"),
        ("2026-12-01", "FREQ=YEARLY;BYDAY=49TU"), ("2026-12-01", "FREQ=DAILY;BYHOUR=8,9"), ("2026-12-01", "FREQ=DAILY;BYMONTH=12"),
        ("2026-12-02", "FREQ=WEEKLY;BYDAY=TU"), ("2026-12-01", "FREQ=DAILY;INTERVAL=0"), ("2026-12-01", "nonsense"),
        ("2026-12-01", "FREQ=WEEKLY;UNTIL=soon"), ("2026-12-01", "FREQ=YEARLY;BYWEEKNO=49"),
    ],
)  # fmt: skip
def test_rules_without_a_pattern_are_refused(start: str, rule: str) -> None:
    with pytest.raises(NoPatternError):
        recurrence_from(rule, date.fromisoformat(start), UTC, "UTC")


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("UNTIL=20261231T080000Z", "2026-12-31"),  # 9 o'clock in Paris
        ("UNTIL=20261231T075959Z", "2026-12-30"), ("UNTIL=20261231T230000Z", "2026-12-31"), ("UNTIL=20261231", "2026-12-31"),
    ],
)  # fmt: skip
def test_series_end_on_the_day_of_their_zone(until: str, last: str) -> None:
    found = recurrence_from(f"FREQ=DAILY;{until}", datetime(2026, 12, 1, 9), PARIS, "Romance Standard Time")
    assert found["range"]["endDate"] == last
    assert rule_from(found, datetime(2026, 12, 1, 9, tzinfo=PARIS)) == f"FREQ=DAILY;UNTIL={last.replace('-', '')}T080000Z"


def test_a_number_of_times_is_one() -> None:
    found = recurrence_from("FREQ=DAILY;COUNT=5", date(2026, 12, 1), UTC, "UTC")
    assert found["range"]["numberOfOccurrences"] == 5 and rule_from(found, date(2026, 12, 1)) == "FREQ=DAILY;COUNT=5"


# --- events there, texts here ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, ["UID:040000008200E0", "DTSTART;TZID=Europe/Paris:20261201T090000", "DTEND;TZID=Europe/Paris:20261201T103000", "SUMMARY:Conseil", "TRANSP:OPAQUE"]),
        ({"isAllDay": True, "start": {"dateTime": "2026-12-01T00:00:00.0000000", "timeZone": "UTC"}, "end": {"dateTime": "2026-12-03T00:00:00.0000000", "timeZone": "UTC"}}, ["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203"]),
        ({"originalStartTimeZone": "tzone://Microsoft/Custom"}, ["DTSTART:20261201T080000Z"]),
        ({"body": {"contentType": "text", "content": "Ordre du jour ;\r\n1, 2\r\n\r\n"}}, ["DESCRIPTION:Ordre du jour \\;\\n1\\, 2"]),
        ({"sensitivity": "personal"}, ["CLASS:PRIVATE"]), ({"sensitivity": "confidential"}, ["CLASS:CONFIDENTIAL"]),
        ({"showAs": "oof"}, ["TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"]), ({"showAs": "free"}, ["TRANSP:TRANSPARENT"]),
        ({"importance": "high"}, ["PRIORITY:1"]), ({"isCancelled": True}, ["STATUS:CANCELLED"]),
        ({"categories": ["Red, dark", "Cours"]}, ["CATEGORIES:Red\\, dark,Cours", "COLOR:crimson"]),
        ({"isReminderOn": True, "reminderMinutesBeforeStart": 20}, ["TRIGGER:-PT20M", "ACTION:DISPLAY"]),
        ({"onlineMeeting": {"joinUrl": "https://teams.microsoft.com/l/meetup-join/x"}}, ["CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://teams.microsoft.com/l/meetup-join/x"]),
        ({"attendees": [{"type": "optional", "status": {"response": "tentativelyAccepted"}, "emailAddress": {"name": "Léa \"B\"", "address": "lea@x.example"}}], "organizer": {"emailAddress": {"name": "Marie", "address": "marie@x.example"}}}, ["ORGANIZER;CN=\"Marie\":mailto:marie@x.example", "ATTENDEE;CN=\"Léa 'B'\";ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:lea@x.example"]),
    ],
)  # fmt: skip
def test_events_are_read(values: dict[str, Any], lines: list[str]) -> None:
    text = text_from(meeting(**values), {"Red, dark": "crimson"})
    calendar_object.read(text)  # as one that can be stored
    unfolded = re.sub("\r\n ", "", text).split("\r\n")
    assert [line for line in lines if line not in unfolded] == []


def test_a_series_is_read_with_its_changed_and_cancelled_times() -> None:
    changed = meeting(
        id="AAMk.2", subject="Conseil en salle B", originalStart="2026-12-08T08:00:00Z",
        start={"dateTime": "2026-12-08T13:00:00.0000000", "timeZone": "UTC"}, end={"dateTime": "2026-12-08T14:00:00.0000000", "timeZone": "UTC"},
    )  # fmt: skip
    pattern = {"type": "weekly", "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday", "interval": 1}
    event = meeting(
        recurrence={"pattern": pattern, "range": {"type": "endDate", "startDate": "2026-12-01", "endDate": "2027-06-29"}},
        exceptionOccurrences=[changed], cancelledOccurrences=["OID.AAMk=.2026-12-22"],
    )  # fmt: skip
    text = text_from(event)
    found = calendar_object.read(text)
    assert found.recurring and found.uid == "040000008200E0"
    assert "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20270629T070000Z" in text and "EXDATE;TZID=Europe/Paris:20261222T090000" in text
    assert "RECURRENCE-ID;TZID=Europe/Paris:20261208T090000" in text and "DTSTART;TZID=Europe/Paris:20261208T140000" in text
    assert text.count("BEGIN:VTIMEZONE") == 1


# --- there and back --------------------------------------------------------------------------------------------------

_CHANGED = (
    "BEGIN:VEVENT", "UID:u1", "RECURRENCE-ID;TZID=Europe/Paris:20261208T090000", "DTSTART;TZID=Europe/Paris:20261208T140000",
    "DTEND;TZID=Europe/Paris:20261208T150000", "SUMMARY:En salle B", "X-ROOM:B", "END:VEVENT",
)  # fmt: skip
_TEXTS = {
    "plain": text_of("DTSTART:20261127T140000Z", "DTEND:20261127T150000Z", "SUMMARY:Plain"),
    "zone": text_of("DTSTART;TZID=Europe/Madrid:20261127T140000", "DURATION:PT45M", "SUMMARY:Madrid"),
    "day": text_of("DTSTART;VALUE=DATE:20261127", "SUMMARY:Jour"),
    "days": text_of("DTSTART;VALUE=DATE:20261127", "DTEND;VALUE=DATE:20261130", "SUMMARY:Jours", "TRANSP:TRANSPARENT"),
    "floating": text_of("DTSTART:20261127T140000", "DTEND:20261127T150000", "SUMMARY:Wherever"),
    "extras": text_of(
        "DTSTART:20261127T140000Z", "DTEND:20261127T150000Z", "SUMMARY:Sortie\\, au musée", "GEO:45.7;4.8", "URL:https://x.example/",
        "ATTACH:https://x.example/plan.pdf", "X-OWN;X-P=\"a;b\":ça", "PRIORITY:3", "STATUS:TENTATIVE", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x.example",
        "DESCRIPTION:deux\\n lignes \\n", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT1H", "END:VALARM",
        "BEGIN:VALARM", "ACTION:EMAIL", "DESCRIPTION:y", "SUMMARY:y", "ATTENDEE:mailto:a@x.example", "TRIGGER:-P1D", "END:VALARM",
    ),
    "series": text_of(
        "DTSTART;TZID=Europe/Paris:20261201T090000", "DTEND;TZID=Europe/Paris:20261201T103000", "SUMMARY:Conseil",
        "RRULE:FREQ=WEEKLY;UNTIL=20270629T235959Z", "EXDATE;TZID=Europe/Paris:20261222T090000,20261229T090000", more=_CHANGED,
    ),
    "daily": text_of("DTSTART;VALUE=DATE:20261201", "SUMMARY:Veille", "RRULE:FREQ=DAILY;COUNT=10", "EXDATE;VALUE=DATE:20261205"),
}  # fmt: skip


@pytest.mark.parametrize("name", _TEXTS)
def test_what_is_sent_comes_back_with_all_that_it_said(name: str) -> None:
    text = _TEXTS[name]
    found = there_and_back(text)
    calendar_object.read(found)
    assert item_comparison.meaning(found) == item_comparison.meaning(text), found
    assert item_comparison.meaning(there_and_back(found)) == item_comparison.meaning(found)


def test_what_is_changed_there_counts_and_the_rest_stays() -> None:
    wanted = wanted_from(_TEXTS["extras"], PARIS, "Europe/Paris")
    event = {**as_event(wanted), "singleValueExtendedProperties": extra_lines.as_property(extra_of(wanted))}
    event |= {"subject": "Musée fermé", "reminderMinutesBeforeStart": 5}
    found = text_from(event)
    assert "SUMMARY:Musée fermé" in found and "GEO:45.7;4.8" in found and 'X-OWN;X-P="a;b":ça' in found
    assert found.count("BEGIN:VALARM") == 1 and "TRIGGER:-PT5M" in found  # reminders were changed there


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        (("SUMMARY:Other",), {"subject"}), (("SUMMARY:Plain", "CLASS:PRIVATE"), {"sensitivity"}),
        (("SUMMARY:Plain", "TRANSP:TRANSPARENT"), {"showAs"}), (("SUMMARY:Plain", "COMMENT:x"), set()),
    ],
)  # fmt: skip
def test_only_what_differs_is_written(lines: tuple[str, ...], keys: set[str]) -> None:
    before = wanted_from(_TEXTS["plain"], UTC, "UTC")
    after = wanted_from(text_of("DTSTART:20261127T140000Z", "DTEND:20261127T150000Z", *lines), UTC, "UTC")
    assert set(differing(after.body, before.body)) == keys
    moved = wanted_from(text_of("DTSTART:20261127T143000Z", "DTEND:20261127T150000Z", "SUMMARY:Plain"), UTC, "UTC")
    assert set(differing(moved.body, before.body)) == {"start", "end", "isAllDay"}


@pytest.mark.parametrize(
    "text",
    [
        text_of("DTSTART:20261127T140000Z", "SUMMARY:x", "RRULE:FREQ=MONTHLY;BYMONTHDAY=27,28"),
        text_of("DTSTART:20261127T140000Z", "SUMMARY:x", "RDATE:20261128T140000Z"),
        text_of("SUMMARY:no beginning"), "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:x\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
    ],
)  # fmt: skip
def test_what_can_not_be_there_is_refused(text: str) -> None:
    with pytest.raises(UnsendableEventError):
        wanted_from(text, UTC, "UTC")


@pytest.mark.parametrize(
    "stored", ["", "no json", "[]", '{"uid":1}', '{"uid":"x","parts":{"":{"URL":["",["URL:a","BEGIN:VALARM"]]}}}']
)
def test_what_somebody_else_stores_in_our_property_breaks_nothing(stored: str) -> None:
    event = meeting(singleValueExtendedProperties=[{"id": extra_lines.PROPERTY, "value": stored}])
    calendar_object.read(text_from(event))


def test_the_largest_lines_are_left_out_where_they_are_too_much() -> None:
    text = text_of("DTSTART:20261127T140000Z", "SUMMARY:x", f"X-ALT-DESC:{'a' * 40_000}", "URL:https://x.example/")
    extra = extra_of(wanted_from(text, UTC, "UTC"))
    assert len(extra.written()) < extra_lines.LARGEST
    assert list(extra_lines.read(extra.written()).parts[""]) != [] and "URL" in extra_lines.read(extra.written()).parts[""]
