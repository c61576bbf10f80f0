"""Working hours: chosen on a page or by a device, shown to those who look for a time, and respected by common times, in each zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.calendar.free_busy import common_times, working_hours
from webmail.calendar.free_busy.working_hours import WorkSpan
from webmail.mime.formats.calendars import availability
from webmail.mime.formats.calendars.availability import Availability, UnusableAvailabilityError, WorkDay
from webmail.models import User

PAGE = "/settings/working-hours"
FORM = "form.work-hours"
PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
PART_TIME = "09:00-12:00,13:30-17:00;09:00-17:00@telework;;09:00-12:00;09:00-12:00;;"


def user(name: str) -> User:
    return User.get(User.address == f"{name}@lycee.example")


def chooses(name: str, **values: str) -> None:
    preferences.change(user(name), **values)


def hours_of(name: str, app, first: date, last: date) -> list[WorkSpan]:
    return working_hours.week_of(user(name).preferences or "", app.extensions["settings"]).between(first, last)


# --- the page --------------------------------------------------------------------------------------------------------


def test_hours_are_chosen_for_each_day_and_undone(app, alice):
    page = alice.get(PAGE)
    assert page.one("[name=from-0-0]")["value"] == "08:00" and page.one("[name=from-5-0]")["value"] == ""
    typed = {"to-0-0": "12:00", "from-0-1": "13:30", "to-0-1": "17:00", "from-2-0": "", "to-2-0": "", "place-1": "telework"}
    page = alice.submit(page, FORM, **typed, follow=True)
    assert "Working hours saved." in page.text and page.one("[name=to-0-1]")["value"] == "17:00"
    assert page.one("[name=place-1] [selected]").text == "Teleworking" and page.one("[name=from-2-0]")["value"] == ""
    kept = preferences.for_user(user("alice")).work_hours
    assert kept == "08:00-12:00,13:30-17:00;08:00-18:00@telework;;08:00-18:00;08:00-18:00;;"
    alice.submit(page, "form[action='/settings/put-back'], form[action='/settings/undo']", follow=True)
    assert preferences.for_user(user("alice")).work_hours == ""


def test_the_usual_hours_come_back_by_a_button(app, alice):
    chooses("alice", work_hours=PART_TIME)
    alice.submit(alice.get(PAGE), FORM, action="usual", follow=True)
    assert preferences.for_user(user("alice")).work_hours == ""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"to-0-0": ""}, "Enter two times"),
        ({"to-0-0": "07:00"}, "The end must be later"),
        ({"from-0-1": "17:00", "to-0-1": "19:00"}, "These hours overlap"),
        ({"from-0-0": "8 o'clock"}, "Enter two times"),
    ],
)
def test_what_are_no_hours_is_said_at_the_day_and_nothing_is_lost(app, alice, typed, said):
    page = alice.submit(alice.get(PAGE), FORM, **typed, **{"from-4-0": "10:00"})
    assert page.status == 422 and said in page.one("#day-0-error").text and page.one("[name=from-4-0]")["value"] == "10:00"
    assert preferences.for_user(user("alice")).work_hours == ""


def test_a_night_ends_at_midnight_and_other_people_s_values_are_not_believed(app, alice):
    page = alice.submit(alice.get(PAGE), FORM, **{"from-0-0": "22:00", "to-0-0": "00:00", "place-0": "moon"}, follow=True)
    assert preferences.for_user(user("alice")).work_hours.startswith("22:00-24:00;")
    assert page.one("[name=to-0-0]")["value"] == "00:00"
    chooses("alice", work_hours="99:00-12:00;;;;;;")
    assert hours_of("alice", app, date(2027, 12, 6), date(2027, 12, 6))[0].end - at(PARIS, 8) == 10 * 3600


# --- as devices say it -----------------------------------------------------------------------------------------------


def test_a_week_comes_back_from_its_availability(app, alice):
    chooses("alice", work_hours=PART_TIME)
    text = working_hours.for_devices(user("alice"), app.extensions["settings"])
    assert "BEGIN:VAVAILABILITY" in text and "TZID=Europe/Paris:20240101T090000" in text and "CATEGORIES:TELEWORK" in text
    assert "RRULE:FREQ=WEEKLY;BYDAY=MO,TH,FR" in text
    chooses("alice", work_hours="")
    working_hours.take_from_device(user("alice"), text, app.extensions["settings"])
    assert preferences.for_user(user("alice")).work_hours == PART_TIME


APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//caldav.example//CALENDARSERVER
VERSION:2.0
BEGIN:VAVAILABILITY
UID:1
DTSTAMP:20261201T080000Z
BEGIN:AVAILABLE
DTSTAMP:20261201T080000Z
UID:2
SUMMARY:Monday to Thursday
DTSTART;TZID=America/Martinique:20261130T090000
DTEND;TZID=America/Martinique:20261130T170000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH
END:AVAILABLE
BEGIN:AVAILABLE
DTSTAMP:20261201T080000Z
UID:3
DTSTART;TZID=America/Martinique:20261204T090000
DURATION:PT3H
RRULE:FREQ=WEEKLY
END:AVAILABLE
BEGIN:AVAILABLE
DTSTAMP:20261201T080000Z
UID:4
DTSTART;TZID=America/Martinique:20261205T090000
DTEND;TZID=America/Martinique:20261205T100000
END:AVAILABLE
END:VAVAILABILITY
END:VCALENDAR
"""


def test_what_a_telephone_says_is_taken_with_its_zone(app, alice):
    working_hours.take_from_device(user("alice"), APPLE, app.extensions["settings"])
    assert preferences.for_user(user("alice")).work_hours == (
        "09:00-17:00;09:00-17:00;09:00-17:00;09:00-17:00;09:00-12:00;;|America/Martinique"
    )
    [friday] = hours_of("alice", app, date(2027, 12, 10), date(2027, 12, 12))
    assert friday.start == at(PARIS, 14, day=10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
        "x" * 200_000,
        APPLE.replace("20261130T090000", "soon"),
        APPLE.replace("PT3H", "P9W"),
    ]
    + [APPLE.replace("BYDAY=MO", "BYDAY=1MO"), APPLE.replace("TZID=America/Martinique:20261204", "TZID=Mars:20261204")],
)
def test_what_is_no_week_of_hours_is_refused(text):
    with pytest.raises(UnusableAvailabilityError):
        availability.read(text)


def test_hours_over_midnight_go_on_the_next_day():
    days = tuple(WorkDay(((22 * 60, 24 * 60),)) if at == 6 else WorkDay() for at in range(7))
    text = availability.written(Availability(days, "Europe/Paris"), "u", datetime(2026, 12, 1))
    night = text.replace("20240108T000000", "20240108T060000")
    assert night != text
    assert availability.read(night).days[6].spans == ((22 * 60, 24 * 60),) and availability.read(night).days[0].spans == (
        (0, 6 * 60),
    )


# --- zones, and nights when clocks change ----------------------------------------------------------------------------


def at(zone: ZoneInfo, hour: int, month: int = 12, day: int = 6, year: int = 2027) -> int:
    return int(datetime(year, month, day, hour, tzinfo=zone).timestamp())


def test_hours_are_by_the_clock_also_when_it_changes(app, alice):
    chooses("alice", work_hours="00:00-06:00;08:00-12:00;;;;;00:00-06:00")
    sunday = hours_of("alice", app, date(2027, 3, 28), date(2027, 3, 28))
    assert [one.end - one.start for one in sunday] == [5 * 3600]
    back = hours_of("alice", app, date(2027, 10, 31), date(2027, 10, 31))
    assert [one.end - one.start for one in back] == [7 * 3600]


def test_the_difference_of_clocks_is_that_of_the_day():
    days = [date(2027, 3, 12), date(2027, 3, 15), date(2027, 3, 29)]
    assert working_hours.hours_away(PARIS, NEW_YORK, days[:1]) == [-6.0]
    assert working_hours.hours_away(PARIS, NEW_YORK, days) == [-6.0, -5.0]
    assert working_hours.hours_away(PARIS, ZoneInfo("Asia/Kathmandu"), days[:1]) == [4.75]


def test_common_hours_are_those_of_all_by_their_own_clocks(app, alice, bob):
    """On 15 March New York has changed its clocks, and Paris not yet: nine there is two in the afternoon here."""
    chooses("bob", time_zone="America/New_York", work_hours="09:00-17:00;09:00-17:00;09:00-17:00;09:00-17:00;09:00-17:00;;")
    days = date(2027, 3, 12), date(2027, 3, 15)
    found = common_times.common_hours([hours_of(name, app, *days) for name in ("alice", "bob")])
    assert [(one.start, one.end) for one in found] == [
        (at(PARIS, 15, 3, 12), at(PARIS, 18, 3, 12)), (at(PARIS, 14, 3, 15), at(PARIS, 18, 3, 15)),
    ]  # fmt: skip


# --- whoever looks for a time ----------------------------------------------------------------------------------------


def look(alice: Visitor, day: str = "2027-12-07", **fields: object) -> Page:
    values = {"title": "Conseil", "start": day, "start_hour": "09:00", "end": day, "end_hour": "10:00"}
    return alice.submit(alice.get("/calendar/events/new"), "form[data-event-form]", **values | fields, action="find")


def row(page: Page, name: str) -> str:
    return next(one.get_text(" ", strip=True) for one in page.soup.select("main table tr") if name in one.get_text())


def first_time(page: Page) -> str:
    return page.soup.select("button[name=start]")[0].text


def test_the_grid_says_when_and_where_somebody_works(app, alice, bob):
    chooses("bob", work_hours=PART_TIME)
    page = look(alice, invite="bob")
    assert "09:00–17:00 Teleworking" in row(page, "bob@") and "Outside working hours" in row(page, "bob@")
    assert "Outside working hours" not in row(page, "alice@")
    assert first_time(page) == "Tuesday 7 December 2027, 09:00–10:00"
    wednesday = alice.get(page.link("Next day"))
    assert "Not working" in row(wednesday, "bob@")
    week = alice.get(page.link("Week"))
    assert "09:00–12:00, 13:30–17:00" in row(week, "bob@") and row(week, "bob@").count("Not working") == 3


def test_first_common_times_wait_for_who_has_to_come_and_rank_who_may(app, alice, bob):
    chooses("bob", work_hours=";;;13:00-15:00;;;")
    assert first_time(look(alice, invite="bob")) == "Thursday 9 December 2027, 13:00–14:00"
    optional = look(alice, optional="bob")
    first = [one.get_text(" ", strip=True) for one in optional.soup.select(".common li")]
    assert first[0] == "Thursday 9 December 2027, 13:00–14:00" and "without bob@lycee.example" in first[-1]


def test_where_hours_never_meet_the_page_says_so(app, alice, bob):
    chooses("bob", work_hours="20:00-22:00;;;;;;")
    assert "No time suits everyone required" in look(alice, invite="bob").text


def test_another_clock_is_said_and_its_hours_are_shown_by_the_reader_s(app, alice, bob):
    chooses("bob", time_zone="America/New_York", work_hours="09:00-17:00;09:00-17:00;09:00-17:00;09:00-17:00;09:00-17:00;;")
    page = look(alice, invite="bob")
    assert "local time −6 h" in row(page, "bob@") and "15:00–23:00" in row(page, "bob@")
    assert first_time(page) == "Tuesday 7 December 2027, 15:00–16:00"
    assert page.soup.select("main table th[scope=col]")[-1].text.startswith("22")
    assert "local time −5 h" in row(look(alice, day="2027-03-16", invite="bob"), "bob@")
    across = alice.get(look(alice, day="2027-03-10", invite="bob").link("Week"))
    assert "local time −6 / −5 h" in row(across, "bob@")
