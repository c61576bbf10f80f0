"""When people have time: what of their calendars counts, who may know it, the first common times, the grid and its way back."""

from __future__ import annotations

import zlib
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.calendar.free_busy import busy_people, common_times, day_grid, working_hours
from webmail.calendar.free_busy.busy_people import BusySpan
from webmail.calendar.free_busy.working_hours import WorkSpan, WorkWeek
from webmail.mail import Address
from webmail.models import AllowedAddress, CalendarObject, User

PARIS = ZoneInfo("Europe/Paris")
ZONE = ";TZID=Europe/Paris:"
FORM = "form[data-event-form]"
DAY = "20271207"  # a Tuesday


def at(hour: int, minute: int = 0, day: int = 7) -> int:
    return int(datetime(2027, 12, day, hour, minute, tzinfo=PARIS).timestamp())


def busy(local: str, summary: str, begins: str, ends: str, *lines: str, calendar=None) -> None:
    put(calendar or calendar_of(local), summary, f"{ZONE}{DAY}T{begins}00", f"{ZONE}{DAY}T{ends}00", *lines)


def times(app: Flask, *who: str, by: str = "alice") -> list[busy_people.PersonTimes]:
    user = User.get(User.address == f"{by}@lycee.example")
    people = [Address("", one if "@" in one else f"{one}@lycee.example") for one in who]
    return busy_people.times_of(user, people, at(0), at(0, day=8), PARIS, app.extensions["settings"])


def spans(app: Flask, who: str, by: str = "alice") -> list[tuple[str, str, int, str]]:
    def clock(moment: int) -> str:
        return f"{datetime.fromtimestamp(moment, PARIS):%H:%M}"

    return [(clock(one.start), clock(one.end), one.level, one.title) for one in times(app, who, by=by)[0].spans]


# --- what counts -----------------------------------------------------------------------------------------------------


def test_only_the_times_of_colleagues_are_told(app, alice, bob):
    busy("bob", "Secret", "0900", "1000")
    assert spans(app, "bob") == [("09:00", "10:00", 2, "")]
    assert spans(app, "bob", by="bob") == [("09:00", "10:00", 2, "Secret")]


def test_what_takes_no_time_does_not_count_and_what_is_unsure_is_perhaps(app, alice, bob):
    me = "ATTENDEE;CN=Bob;PARTSTAT={}:mailto:bob@lycee.example"
    busy("bob", "Free", "0800", "0900", "TRANSP:TRANSPARENT")
    busy("bob", "Cancelled", "0900", "1000", "STATUS:CANCELLED")
    busy("bob", "Declined", "1000", "1100", me.format("DECLINED"))
    busy("bob", "Maybe", "1100", "1200", me.format("TENTATIVE"))
    busy("bob", "Asked", "1200", "1300", me.format("NEEDS-ACTION"))
    busy("bob", "Pencilled", "1300", "1400", "STATUS:TENTATIVE")
    busy("bob", "Coming", "1400", "1500", me.format("ACCEPTED"), "ATTENDEE;PARTSTAT=DECLINED:mailto:eve@lycee.example")
    assert [(start, level) for start, _end, level, _title in spans(app, "bob")] == [
        ("11:00", 1), ("12:00", 1), ("13:00", 1), ("14:00", 2),
    ]  # fmt: skip


def test_one_declined_of_a_series_is_free_and_the_others_are_not(app, alice, bob):
    line = "ATTENDEE;PARTSTAT={};CN=A name so long that the line is folded in the mid\r\n dle of it:mailto:bob@lycee.example"
    inside = [f"DTSTART{ZONE}20271206T090000", f"DTEND{ZONE}20271206T100000"]
    master = ["BEGIN:VEVENT", "UID:s", "SUMMARY:s", *inside, "RRULE:FREQ=DAILY;COUNT=3", line.format("ACCEPTED"), "END:VEVENT"]
    moved = [f"DTSTART{ZONE}20271207T090000", f"DTEND{ZONE}20271207T100000"]
    one = ["BEGIN:VEVENT", "UID:s", "SUMMARY:s", f"RECURRENCE-ID{ZONE}20271207T090000", *moved, line.format("DECLINED"), "END:VEVENT"]  # fmt: skip
    ground.put_text(calendar_of("bob"), "s", "\r\n".join([*master, *one]))
    assert spans(app, "bob") == []
    found = busy_people.times_of(
        User.get(User.address == "alice@lycee.example"), [Address("", "bob@lycee.example")], at(0, day=6), at(0, day=9), PARIS,
        app.extensions["settings"],
    )  # fmt: skip
    assert [one.start for one in found[0].spans] == [at(9, day=6), at(9, day=8)]


def test_a_share_tells_titles_but_not_of_what_is_private(app, alice, bob):
    share(calendar_of("bob"), "alice", "read")
    busy("bob", "Council", "0900", "1000")
    busy("bob", "Doctor", "1000", "1100", "CLASS:PRIVATE")
    assert [one[3] for one in spans(app, "bob")] == ["Council", ""]


def test_calendars_that_take_no_time_don_t_count_and_whole_days_are_days_here(app, alice, bob):
    put(calendar_of("bob"), "Trip", f";VALUE=DATE:{DAY}", ";VALUE=DATE:20271208")
    other = calendar_of("bob", "sport", **{"C:schedule-calendar-transp": "transparent"})
    busy("bob", "Match", "0900", "1000", calendar=other)
    assert spans(app, "bob") == [("00:00", "00:00", 2, "")]


def test_nobody_is_told_of_outsiders_of_who_hides_and_of_whom_the_directory_hides(app, alice, bob):
    busy("bob", "x", "0900", "1000")
    assert [one.is_known for one in times(app, "bob", "eve@elsewhere.example", "nobody")] == [True, False, False]
    preferences.change(User.get(User.address == "bob@lycee.example"), busy_shown=False)
    assert times(app, "bob")[0] == busy_people.PersonTimes(Address("", "bob@lycee.example"))
    preferences.change(User.get(User.address == "bob@lycee.example"), busy_shown=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.extensions["settings"].__class__, "directory", False, raising=False)
        assert not times(app, "bob")[0].is_known


def test_an_allowed_address_is_its_person_unless_several_have_it(app, alice, bob):
    busy("bob", "x", "0900", "1000", "ATTENDEE;PARTSTAT=DECLINED:mailto:head@lycee.example")
    AllowedAddress.create(user=User.get(User.address == "bob@lycee.example"), address="head@lycee.example")
    assert times(app, "head")[0].is_known and spans(app, "head") == []
    AllowedAddress.create(user=User.get(User.address == "alice@lycee.example"), address="head@lycee.example")
    assert not times(app, "head")[0].is_known and times(app, "bob")[0].is_known


# --- common times ----------------------------------------------------------------------------------------------------


def usual(first: date) -> list[WorkSpan]:
    return WorkWeek(working_hours.USUAL, PARIS).between(first, first + timedelta(days=13))


def starts(required, optional=(), length=3600, now=0, first=date(2027, 12, 7)) -> list[tuple[int, bool]]:
    found = common_times.first_times(required, optional, length, now, usual(first), PARIS)
    return [(one.start, one.suits_all) for one in found]


def test_the_first_times_suit_everybody_in_working_hours(app):
    mine, theirs = [BusySpan(at(8), at(10), 2)], [BusySpan(at(10, 30), at(17), 2)]
    found = starts([mine, theirs])
    assert found[0] == (at(17), True) and found[1] == (at(8, day=8), True) and len(found) == 6
    assert all(start >= at(17, 30) for start, _all in starts([mine, theirs], now=at(17, 30)))
    weekend = starts([[]], first=date(2027, 12, 11))
    assert weekend[0][0] == at(8, day=13)
    assert starts([[]], length=11 * 3600) == []


def test_optional_people_and_what_is_unsure_come_after(app):
    days = [BusySpan(at(0, day=day), at(0, day=day + 1), 2) for day in range(7, 22)]
    found = common_times.first_times([[]], [days], 3600, 0, usual(date(2027, 12, 7)), PARIS)
    assert found[0].without == (0,) and not found[0].suits_all and found[0].start == at(8)
    perhaps = [one._replace(level=1) for one in days]
    [first, *_rest] = common_times.first_times([perhaps], [], 3600, 0, usual(date(2027, 12, 7)), PARIS)
    assert first.unsure and not first.without
    assert starts([days]) == []


def test_pieces_of_a_day_are_as_wide_as_they_last():
    edges = day_grid.columns(date(2027, 12, 7), PARIS, (8, 10))
    found = day_grid.pieces([BusySpan(at(8, 10), at(9), 2), BusySpan(at(9), at(9, 30), 1)], edges)
    assert [(one.width, one.level) for one in found] == [(2, 2), (1, 1), (1, 0)] and found[0].start == at(8, 10)
    assert day_grid.of_day([BusySpan(at(9), at(10), 2), BusySpan(at(10), at(11), 2)], at(0), at(0, day=8)) == [
        BusySpan(at(9), at(11), 2)
    ]


# --- pages -----------------------------------------------------------------------------------------------------------


def look(alice: Visitor, **fields: object) -> Page:
    values = {"title": "Conseil", "start": "2027-12-07", "start_hour": "09:00", "end": "2027-12-07", "end_hour": "10:30"}
    return alice.submit(alice.get("/calendar/events/new"), FORM, **values | fields, action="find")


def test_a_time_is_found_and_what_was_typed_stays(app, alice, bob):
    busy("bob", "Secret", "0800", "1200")
    page = look(alice, invite="bob, eve@elsewhere.example", notes="Ordre du jour")
    assert page.status == 200 and "Secret" not in page.text
    table = page.one("main table")
    assert [one.text.strip() for one in table.select("th[scope=row]")] == ["alice@lycee.example", "bob@lycee.example", "eve@elsewhere.example", "Everyone required"]  # fmt: skip
    assert table.caption.text == "Tuesday 7 December 2027" and len(table.select("th[scope=col]")) == 10
    assert "Busy, 08:00–12:00" in table.text and "Times not known" in table.text
    first = page.soup.select("button[name=start]")[0]
    assert first.text == "Tuesday 7 December 2027, 12:00–13:30" and first["value"] == "2027-12-07T12:00"
    page = alice.submit(page, "main form", start=first["value"], follow=True)
    fields = {one["name"]: one.get("value") for one in page.one(FORM).select("input[name]")}
    assert fields["start_hour"] == "12:00" and fields["end_hour"] == "13:30" and fields["title"] == "Conseil"
    assert fields["invite"] == "bob, eve@elsewhere.example" and "Ordre du jour" in page.one("#event-notes").text


def test_the_week_has_a_column_a_day(app, alice, bob):
    busy("bob", "Secret", "0800", "1200")
    page = look(alice, invite="bob")
    week = alice.get(page.link("Week"))
    assert len(week.one("main table").select("th[scope=col]")) == 7 and "08:00–12:00" in week.one("main table").text
    assert alice.get(week.link("Following week")).status == 200


def test_the_meeting_that_is_moved_takes_nobody_s_time(app, alice):
    busy("alice", "Conseil", "0800", "1800")
    [row] = CalendarObject.select()
    form = alice.get(f"/calendar/events/{row.collection_id}/{row.href}/edit")
    page = alice.submit(form, FORM, invite="eve@elsewhere.example", action="find")
    assert "Busy" not in page.one("main table").text
    back = alice.submit(page, "main form", start="2027-12-07T08:00", follow=True)
    assert back.one("#event-title")["value"] == "Conseil" and back.response.request.path.endswith("/edit")


def test_what_is_no_address_is_said_on_the_form(alice):
    page = look(alice, invite="bob smith@")
    assert page.status == 422 and "is not an email address" in page.text


def test_a_form_of_somebody_else_is_not_there(app, alice, bob):
    page = look(alice, invite="bob")
    address = page.one("main form")["action"]
    assert "no longer available" in bob.get(address).text


def test_twenty_people_are_few_bytes_few_queries_and_little_time(app, alice):
    for number in range(19):
        ground.add(f"p{number}@lycee.example")
        calendar = calendar_of(f"p{number}")
        for hour in range(8, 17, 2):
            busy("", f"e{number}-{hour}", f"{hour:02}00", f"{hour + 1:02}30", calendar=calendar)
    page = look(alice, invite=", ".join(f"p{number}" for number in range(19)))
    html = page.html.encode()
    assert len(page.one("main table").select("tbody tr")) == 20
    assert len(zlib.compress(html)) < 12_288, len(zlib.compress(html))


# --- side by side ----------------------------------------------------------------------------------------------------


def columns(page: Page) -> dict[str, list[str]]:
    """What each person's column says, from top to bottom, by how many half hours it lasts."""
    names = [one.find("bdi").text for one in page.soup.select("main thead th")]
    held, found = [0] * len(names), {name: [] for name in names}
    for line in page.soup.select("main tbody tr"):
        cells = iter(line.select("td:not(.half)"))
        for at, name in enumerate(names):
            if not held[at]:
                cell = next(cells)
                held[at] = int(cell.get("rowspan", 1))
                found[name].append(f"{held[at]} {cell.get_text(' ', strip=True)}")
            held[at] -= 1
        assert next(cells, None) is None
    return found


def test_several_people_stand_side_by_side_by_the_hour(app, alice, bob):
    busy("bob", "Secret", "0900", "1030")
    busy("alice", "Conseil", "0630", "0700")
    page = alice.get("/calendar/side-by-side?day=2027-12-07&who=bob,%20eve@elsewhere.example")
    found = columns(page)
    assert found["bob@lycee.example"] == ["6 Free", "3 09:00–10:30 Busy", "15 Free"]
    assert found["alice@lycee.example"] == ["1 Free", "1 06:30–07:00 Conseil", "22 Free"]
    assert found["eve@elsewhere.example"] == ["24 Times not known"]
    assert page.one("main table caption").text == "Tuesday 7 December 2027" and "Secret" not in page.text
    assert "bob" in alice.get(page.link("Next day")).one("#who").text
    share(calendar_of("bob"), "alice", "read")
    assert "09:00–10:30 Secret" in alice.get("/calendar/side-by-side?day=2027-12-07&who=bob").text


def test_the_day_of_one_is_shown_and_what_is_no_address_is_said(alice):
    assert list(columns(alice.get("/calendar/side-by-side"))) == ["alice@lycee.example"]
    assert "“bob smith@” is not an email address" in alice.get("/calendar/side-by-side?who=bob%20smith@").text
    assert "At most" in alice.get(f"/calendar/side-by-side?who={','.join(f'p{one}@x.example' for one in range(30))}").text


def test_twenty_side_by_side_with_hours_and_zones_are_few_bytes(app, alice):
    for number in range(19):
        ground.add(f"p{number}@lycee.example")
        zone = ("America/New_York", "Europe/Helsinki")[number % 2]
        hours = "09:00-12:00,13:30-17:00;09:00-12:00,13:30-17:00@telework;;09:00-12:00;09:00-12:00;;"
        preferences.change(User.get(User.local == f"p{number}"), work_hours=hours, time_zone=zone)
        for hour in range(8, 17, 2):
            busy("", f"e{number}-{hour}", f"{hour:02}00", f"{hour + 1:02}30", calendar=calendar_of(f"p{number}"))
    who = ", ".join(f"p{number}" for number in range(19))
    for page in (alice.get(f"/calendar/side-by-side?day=2027-12-07&who={who}"), look(alice, invite=who)):
        sheets = "".join(Path(f"static/css/{name}.css").read_text() for name in ("calendar", "pages", "find-time"))
        assert len(zlib.compress(page.html.encode())) + len(zlib.compress(sheets.encode())) < 12_288
