"""What programs store as tasks stays byte for byte, and a change on the page touches only the lines of what was changed.

The samples were written by hand in the manner of each program, from memory of what they store: no program has made them. What
Evolution itself stores is in `tests/integration/dav/test_evolution.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.support import calendar_ground as ground
from webmail.calendar import objects
from webmail.mime.formats.calendars import todo_edit
from webmail.models import CalendarObject, Todo

THUNDERBIRD = """BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
BEGIN:VTODO
CREATED:20261120T080000Z
LAST-MODIFIED:20261121T080000Z
DTSTAMP:20261121T080000Z
UID:6b7f3e52-0d6c-4a8e-9c0a-1e4c2d8a9f01
SUMMARY:Rendre les bulletins
PRIORITY:1
STATUS:IN-PROCESS
PERCENT-COMPLETE:40
DTSTART;VALUE=DATE:20261201
DUE;VALUE=DATE:20261211
CATEGORIES:École
X-MOZ-GENERATION:3
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT1H
DESCRIPTION:Description par défaut Mozilla
END:VALARM
END:VTODO
END:VCALENDAR
"""
TASKS_ORG = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:+//IDN tasks.org//android-140602//EN
BEGIN:VTODO
DTSTAMP:20261121T080000Z
UID:4358412960218352640
CREATED:20261120T080000Z
LAST-MODIFIED:20261121T080000Z
SUMMARY:Arroser les plantes
PRIORITY:9
X-APPLE-SORT-ORDER:685612800
DUE;VALUE=DATE:20261201
RRULE:FREQ=WEEKLY;INTERVAL=2
RELATED-TO;RELTYPE=PARENT:4358412960218352641
BEGIN:VALARM
TRIGGER;RELATED=END:PT9H
ACTION:DISPLAY
DESCRIPTION:Default Tasks.org description
END:VALARM
END:VTODO
END:VCALENDAR
"""
APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Apple Inc.//iOS 18.1//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VTODO
CREATED:20261120T080000Z
DTSTAMP:20261120T080000Z
DTSTART;TZID=Europe/Paris:20261201T173000
DUE;TZID=Europe/Paris:20261201T173000
LAST-MODIFIED:20261120T080000Z
PRIORITY:5
RRULE:FREQ=DAILY;COUNT=3
SEQUENCE:1
STATUS:NEEDS-ACTION
SUMMARY:Appeler
UID:C9A6B0F2-2C0B-4B53-8E2B-3C1C9F2E7D10
X-APPLE-SORT-ORDER:685612801
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER;VALUE=DATE-TIME:20261201T163000Z
UID:8B7F3E52-0D6C-4A8E-9C0A-1E4C2D8A9F02
X-WR-ALARMUID:8B7F3E52-0D6C-4A8E-9C0A-1E4C2D8A9F02
END:VALARM
END:VTODO
END:VCALENDAR
"""
EVOLUTION = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Ximian//NONSGML Evolution Calendar//EN
VERSION:2.0
BEGIN:VTODO
UID:a3b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8
DTSTAMP:20261120T080000Z
DUE;TZID=/freeassociation.sourceforge.net/Europe/Paris:20261211T120000
SUMMARY:Commander des manuels
DESCRIPTION:Voir la liste\\, page 2
PERCENT-COMPLETE:0
STATUS:NEEDS-ACTION
PRIORITY:0
CLASS:PUBLIC
SEQUENCE:2
CREATED:20261120T080000Z
LAST-MODIFIED:20261120T080100Z
X-EVOLUTION-CALDAV-HREF:/dav/x.ics
END:VTODO
END:VCALENDAR
"""
ALL = {"thunderbird": THUNDERBIRD, "tasks.org": TASKS_ORG, "apple": APPLE, "evolution": EVOLUTION}
NOW, TODAY = datetime(2026, 12, 1, 18, tzinfo=UTC), date(2026, 12, 1)


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def differing(one: str, other: str) -> set[str]:
    lines, others = one.split("\r\n"), other.split("\r\n")
    return {line.partition(":")[0].partition(";")[0] for line in (*lines, *others) if lines.count(line) != others.count(line)}


@pytest.mark.parametrize("name", ALL)
def test_only_the_lines_of_what_was_changed_are_others(name):
    text = crlf(ALL[name])
    found = todo_edit.read(text)
    assert todo_edit.changed(found, found.fields) == text
    after = todo_edit.changed(found, replace(found.fields, title="Autre"))
    assert differing(text, after) == {"SUMMARY", "DTSTAMP", "LAST-MODIFIED"}


@pytest.mark.parametrize("name", ["thunderbird", "evolution"])
def test_done_and_to_be_done_again_touch_only_that(name):
    text = crlf(ALL[name])
    done, other = todo_edit.completed(text, NOW, "new", TODAY)
    assert differing(text, done) <= {"STATUS", "COMPLETED", "PERCENT-COMPLETE", "DTSTAMP", "LAST-MODIFIED"} and not other
    assert "COMPLETED:20261201T180000Z" in done
    assert differing(text, todo_edit.reopened(done)) <= {"STATUS", "PERCENT-COMPLETE", "DTSTAMP", "LAST-MODIFIED"}


def test_a_series_of_tasks_org_goes_on_two_weeks_later():
    series, done = todo_edit.completed(crlf(TASKS_ORG), NOW, "new", TODAY)
    assert "DUE;VALUE=DATE:20261215" in series and "RRULE:FREQ=WEEKLY;INTERVAL=2" in series
    assert "RELATED-TO;RELTYPE=PARENT:4358412960218352641" in done and "DUE;VALUE=DATE:20261201" in done
    assert "UID:new" in done and "RRULE" not in done and "VALARM" not in done


def test_a_series_of_apple_counts_down_and_ends():
    text, uids = crlf(APPLE), ["a", "b", "c"]
    times = []
    for uid in uids:
        text, other = todo_edit.completed(text, NOW, uid, TODAY)
        times.append(todo_edit.read(other or text).fields.due)
    assert times == [datetime(2026, 12, day, 17, 30) for day in (1, 2, 3)]
    assert not other and todo_edit.read(text).fields.is_done and "RRULE:FREQ=DAILY;COUNT=1" in text


@pytest.mark.parametrize("name", ALL)
def test_what_was_stored_is_there_byte_for_byte_with_a_row(tmp_path, name):
    with ground.application(tmp_path / "instance") as app:
        ground.person(app)
        calendar, text = ground.calendar_of(), crlf(ALL[name])
        with ground.db.atomic():
            objects.write(calendar.id, "x.ics", text, objects.prepared(text, ground.PARIS), None)
        assert CalendarObject.get().text == text
        row = Todo.get()
        assert (row.title, row.done) == (todo_edit.read(text).fields.title, 0) and row.due < 2_000_000_000


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("mid:a%40b@x.example", "<a@b@x.example>"), ("https://x.example/", ""), ("mid:a%0d%0aX@b", ""), ("mid:a b@c", ""),
        ("MID:1@x", "<1@x>"),
    ],
)  # fmt: skip
def test_a_message_is_named_by_its_id(url, name):
    assert todo_edit.message_of(url) == name
    if name:
        assert todo_edit.message_of(todo_edit.message_url(name)) == name
