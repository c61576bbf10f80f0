"""Events read and written back: what is not edited stays byte for byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar.timezone import tzp

from tests.support.calendar_texts import calendar, times
from webmail.mime.formats.calendars import calendar_object, component_tree, event_edit
from webmail.mime.formats.calendars.component_tree import parsed
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.zones import calendar_zones

SAMPLES = Path(__file__).resolve().parents[3] / "samples"

RICH = (
    "BEGIN:VCALENDAR\r\nPRODID:-//Apple Inc.//iOS 18.0//EN\r\nVERSION:2.0\r\nX-WR-CALNAME:Maison\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\nX-LIC-LOCATION:Europe/Paris\r\nBEGIN:STANDARD\r\nDTSTART:19961027T030000\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nTRANSP:OPAQUE\r\nUID:one\r\nDTSTART;TZID=Europe/Paris:20261127T090000\r\n"
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\r\nDTEND;TZID=Europe/Paris:20261127T100000\r\n"
    "SUMMARY;LANGUAGE=fr:Conseil de classe\\, 3e B qui a une description très longue et est donc\r\n  pliée\r\n"
    'ORGANIZER;CN="Durand, Alice":mailto:alice@lycee.example\r\nATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@lycee.example\r\n'
    "LOCATION:Salle 12\r\nX-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS=Lyon:geo:45.7,4.8\r\nDTSTAMP:20261101T000000Z\r\n"
    "DESCRIPTION:Une ligne\\nune autre\r\nCATEGORIES:Classe,Réunion\r\nSEQUENCE:3\r\nCLASS:PRIVATE\r\n"
    "BEGIN:VALARM\r\nX-WR-ALARMUID:A\r\nUID:A\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Rappel\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"
    "BEGIN:VALARM\r\nTRIGGER;VALUE=DATE-TIME:20261126T080000Z\r\nACTION:AUDIO\r\nEND:VALARM\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def edited(text: str, **changes: object) -> str:
    root = parsed(text)
    event = root.parts("VEVENT")[0]
    before = event_edit.read(event, root)
    event_edit.change(event, root, before, replace(before, **changes))
    calendar_object.read(str(root))  # it may still be stored
    return str(root)


def differing(before: str, after: str) -> tuple[set[str], set[str]]:
    """The lines that are gone, and the new ones, without those that say that something was changed."""
    old, new = before.split("\r\n"), after.split("\r\n")
    gone, come = set(old) - set(new), set(new) - set(old)
    counted = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")
    return {one for one in gone if not one.startswith(counted)}, {one for one in come if not one.startswith(counted)}


def test_it_reads_what_people_see():
    root = parsed(RICH)
    found = event_edit.read(root.parts("VEVENT")[0], root)
    assert found == EventFields(
        title="Conseil de classe, 3e B qui a une description très longue et est donc pliée",
        start=datetime(2026, 11, 27, 9), end=datetime(2026, 11, 27, 10), zone="Europe/Paris", place="Salle 12",
        notes="Une ligne\nune autre", categories=("Classe", "Réunion"), reminders=(15,), privacy="private",
    )  # fmt: skip


def test_nothing_changes_where_nothing_is_edited():
    assert edited(RICH) == RICH


@pytest.mark.parametrize(
    ("changes", "gone", "come"),
    [
        ({"title": "Autre"}, {"SUMMARY;LANGUAGE=fr:Conseil de classe\\, 3e B qui a une description très longue et est donc", "  pliée"},
         {"SUMMARY;LANGUAGE=fr:Autre"}),
        ({"place": ""}, {"LOCATION:Salle 12", "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS=Lyon:geo:45.7,4.8"}, set()),
        ({"notes": "a;b,c\\d\nzwei"}, {"DESCRIPTION:Une ligne\\nune autre"}, {"DESCRIPTION:a\\;b\\,c\\\\d\\nzwei"}),
        ({"categories": ("Examen, blanc",)}, {"CATEGORIES:Classe,Réunion"}, {"CATEGORIES:Examen\\, blanc"}),
        ({"privacy": ""}, {"CLASS:PRIVATE"}, set()),
        ({"busy": False}, {"TRANSP:OPAQUE"}, {"TRANSP:TRANSPARENT"}),
        ({"status": "tentative"}, set(), {"STATUS:TENTATIVE"}),
        ({"video": "https://visio.example/a;b"}, set(), {"CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://visio.example/a;b"}),
        ({"end": datetime(2026, 11, 27, 11)}, {"DTEND;TZID=Europe/Paris:20261127T100000"},
         {"DTEND;TZID=Europe/Paris:20261127T110000"}),
        ({"start": date(2026, 11, 27), "end": date(2026, 11, 28)},
         {"DTSTART;TZID=Europe/Paris:20261127T090000", "DTEND;TZID=Europe/Paris:20261127T100000"},
         {"DTSTART;VALUE=DATE:20261127", "DTEND;VALUE=DATE:20261129"}),
        ({"zone": "UTC"}, {"DTSTART;TZID=Europe/Paris:20261127T090000", "DTEND;TZID=Europe/Paris:20261127T100000"},
         {"DTSTART:20261127T090000Z", "DTEND:20261127T100000Z"}),
        ({"rule": "FREQ=WEEKLY"}, set(), {"RRULE:FREQ=WEEKLY"}),
    ],
)  # fmt: skip
def test_it_writes_only_what_was_edited(changes, gone, come):
    after = edited(RICH, **changes)
    assert differing(RICH, after) == (gone, come)
    assert "SEQUENCE:3\r\n" in after and "DTSTAMP:20261101T000000Z\r\n" in after  # its organiser's to count


def test_versions_of_ones_own_are_counted():
    text = calendar("DTSTART:20261127T090000Z|DTEND:20261127T100000Z|SUMMARY:x|SEQUENCE:3")
    assert "SEQUENCE:3" in edited(text, title="y") and "SEQUENCE:4" in edited(text, start=datetime(2026, 11, 27, 8))


def test_a_reminder_comes_and_goes_and_others_stay():
    both = edited(RICH, reminders=(15, 1440), title="Conseil")
    added = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Conseil\r\nTRIGGER:-P1D\r\nEND:VALARM\r\n"
    assert added in both and differing(edited(RICH, title="Conseil"), both.replace(added, "")) == (set(), set())
    none = edited(RICH, reminders=())
    assert "X-WR-ALARMUID" not in none and "TRIGGER;VALUE=DATE-TIME:20261126T080000Z" in none


def test_a_new_zone_is_defined_once():
    tokyo = edited(RICH, zone="Asia/Tokyo")
    assert "DTSTART;TZID=Asia/Tokyo:20261127T090000" in tokyo and tokyo.count("TZID:Asia/Tokyo") == 1
    assert times(tokyo) == ["2026-11-27 01:00 Conseil de classe, 3e B qui a une description très longue et est donc pliée"]


@pytest.mark.parametrize(
    ("lines", "start", "end", "zone"),
    [
        ("DTSTART:20261127T090000Z|DURATION:PT1H30M", "2026-11-27T09:00", "2026-11-27T10:30", "UTC"),
        ("DTSTART:20261127T090000", "2026-11-27T09:00", "2026-11-27T09:00", ""),
        ("DTSTART;VALUE=DATE:20261127", "2026-11-27", "2026-11-27", ""),
        ("DTSTART;VALUE=DATE:20261127|DTEND;VALUE=DATE:20261130", "2026-11-27", "2026-11-29", ""),
        ("DTSTART;VALUE=DATE:20261127|DURATION:P2D", "2026-11-27", "2026-11-28", ""),
        ("DTSTART;TZID=Romance Standard Time:20261127T090000|DTEND:20261127T090000Z", "2026-11-27T09:00", "2026-11-27T10:00",
         "Europe/Paris"),
        ("DTSTART;TZID=Europe/Paris:20260328T120000|DURATION:P1D", "2026-03-28T12:00", "2026-03-29T12:00", "Europe/Paris"),
        ("DTSTART;TZID=Europe/Paris:20260328T120000|DURATION:PT25H", "2026-03-28T12:00", "2026-03-29T14:00", "Europe/Paris"),
        ("DTSTART;TZID=Nowhere:20260328T120000|DTEND;TZID=Nowhere:20260328T130000", "2026-03-28T12:00", "2026-03-28T13:00", ""),
        ("DTSTART;TZID=Europe/Paris:20261127T090000|DTEND;TZID=Europe/Paris:20261127T080000", "2026-11-27T09:00",
         "2026-11-27T09:00", "Europe/Paris"),
    ],
)  # fmt: skip
def test_it_reads_times_of_all_kinds(lines, start, end, zone):
    root = parsed(calendar(lines))
    found = event_edit.read(root.parts("VEVENT")[0], root)
    of = datetime.fromisoformat if "T" in start else date.fromisoformat
    assert (found.start, found.end, found.zone) == (of(start), of(end), zone)


def test_a_time_in_a_zone_named_as_windows_does_keeps_its_name():
    text = calendar(
        "DTSTART;TZID=Romance Standard Time:20261127T090000|DTEND;TZID=Romance Standard Time:20261127T100000|SUMMARY:x"
    )
    later = edited(text, start=datetime(2026, 11, 27, 10), end=datetime(2026, 11, 27, 11))
    assert "DTSTART;TZID=Romance Standard Time:20261127T100000" in later and "VTIMEZONE" not in later
    assert times(later) == ["2026-11-27 10:00 x"]


def test_a_zone_that_only_the_calendar_knows_stays():
    zone = "|".join(["BEGIN:VTIMEZONE", "TZID:School", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0300",
                     "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE"]).replace("|", "\r\n")  # fmt: skip
    text = calendar("DTSTART;TZID=School:20261127T090000|DTEND;TZID=School:20261127T100000|SUMMARY:x")
    text = text.replace("BEGIN:VEVENT", f"{zone}\r\nBEGIN:VEVENT", 1)
    later = edited(text, start=datetime(2026, 11, 27, 10), end=datetime(2026, 11, 27, 11))
    assert "DTSTART;TZID=School:20261127T100000" in later and times(later) == ["2026-11-27 08:00 x"]


def test_a_new_event_may_be_read_back():
    fields = EventFields(
        title="Été; virgule, point", start=datetime(2026, 7, 1, 9), end=datetime(2026, 7, 1, 10), zone="Europe/Paris", place="Lyon",
        video="https://visio.example/x", notes="un\ndeux", categories=("a", "b"), reminders=(10, 0, -540), privacy="private",
        busy=False, status="confirmed", rule="FREQ=DAILY;COUNT=2",
    )  # fmt: skip
    text = str(event_edit.made_event("new", fields))
    root = parsed(text)
    assert event_edit.read(root.parts("VEVENT")[0], root) == fields
    assert times(text) == ["2026-07-01 09:00 Été; virgule, point", "2026-07-02 09:00 Été; virgule, point"]
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Sydney", "Indian/Reunion", "America/Santiago"])
def test_the_definition_of_a_zone_is_true(zone):
    from icalendar import Timezone

    own = Timezone.from_ical(str(calendar_zones.written(zone, date(2026, 11, 27)))).to_tz(lookup_tzid=False)
    days = [datetime(year, month, day, 12) for year in range(2026, 2031) for month in range(1, 13) for day in (1, 15, 28)]
    known = event_edit.zone_of(zone)
    assert [day.replace(tzinfo=own).utcoffset() for day in days] == [day.replace(tzinfo=known).utcoffset() for day in days]


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_text_comes_back_as_it_was(ends):
    text = RICH.replace("\r\n", ends) + ends
    assert str(parsed(text)) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "PT0S"), (15, "-PT15M"), (90, "-PT1H30M"), (1440, "-P1D"), (2880 + 61, "-P2DT1H1M"), (-540, "PT9H")],
)
def test_triggers(minutes, text):
    assert event_edit.trigger_text(minutes) == text
    alarm = component_tree.component("VALARM", component_tree.made("TRIGGER", text), component_tree.made("ACTION", "DISPLAY"))
    assert event_edit.minutes_before(alarm) == minutes


def test_a_zone_of_one_calendar_is_kept_for_no_other():
    offset = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0500\r\nTZOFFSETTO:+0500\r\nEND:STANDARD\r\n"
    own = f"BEGIN:VTIMEZONE\r\nTZID:Ours\r\n{offset}END:VTIMEZONE\r\n"
    root = component_tree.parsed(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{own}END:VCALENDAR\r\n")
    zone = calendar_zones.meant("Ours", root)
    assert zone is not None and datetime(2026, 12, 8, tzinfo=zone).utcoffset() == timedelta(hours=5)
    assert tzp.timezone("Ours") is None
