"""The calendar's pages as one visits them: every view, what others may see, what is shown, dates that are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import put
from tests.support.visits import Page, Visitor
from webmail.models import User
from webmail.preferences import change, for_user
from webmail.web.templates import fragment_cache

ZONE = ";TZID=Europe/Paris:"
VIEWS = ("day", "workweek", "week", "month", "agenda", "year")


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def prefer(local: str = "alice", **values: object) -> None:
    change(User.get(User.address == f"{local}@lycee.example"), **values)


def titles(page: Page) -> list[str]:
    return [" ".join(one.get_text(" ", strip=True).split()) for one in page.all("[data-event]")]


def cell(page: Page, day: str) -> str:
    """What the month says of a day."""
    link = next(one for one in page.all(".cal-month .n") if day in str(one["href"]))
    found = link.find_parent("td")
    assert found is not None
    return " ".join(found.get_text(" ", strip=True).split())


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_has_the_event_and_its_headers(alice, view):
    uid = put(ground.calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "LOCATION:Salle 12")
    page = alice.get(f"/calendar/{view}/2026-12-08")
    assert page.status == 200
    tables = page.all("main table")
    assert tables and all(table.find("caption") and table.find("th") for table in tables)
    assert page.one(".cal-views [aria-current=page]")["href"] == f"/calendar/{view}/2026-12-08"
    if view == "year":
        assert page.one("td a[href='/calendar/day/2026-12-08']").get_text() == "8: 1 event"
    else:
        [event] = page.all("[data-event]")
        assert event["data-uid"] == uid and "Conseil" in event.get_text()
        assert str(event["href"]).startswith("/calendar/events/")


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_calendar_opens(alice, view):
    assert alice.get(f"/calendar/{view}/2026-12-08").status == 200


@pytest.mark.parametrize("view", VIEWS)
def test_steps_lead_on_and_back(alice, view):
    page = alice.get(f"/calendar/{view}/2026-12-08")
    on = alice.get(str(page.one("a[rel=next]")["href"]))
    back = alice.get(str(on.one("a[rel=prev]")["href"]))
    assert on.one("h1").get_text() != page.one("h1").get_text() == back.one("h1").get_text()


def test_a_page_has_one_main_button_beside_or_on_it(alice):
    """Where days are shown it makes an event; an event and its form have their own."""
    put(ground.calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    beside = ".cal-new .btn-primary"
    assert len(alice.get("/calendar").all(beside)) == len(alice.get("/calendar/week/2026-12-08").all(beside)) == 1
    link = alice.get("/calendar/day/2026-12-08").one("a[data-event], [data-event] a")
    for place in ("/calendar/events/new", str(link["href"]), "/calendar/search?words=conseil"):
        page = alice.get(place)
        assert page.all(".cal-new .btn") and not page.all(beside), place


@pytest.mark.parametrize(
    "place",
    [
        "/calendar/month/2026-13",
        "/calendar/month/x",
        "/calendar/day/2026-02-30",
        "/calendar/decade/2026-01-01",
        "/calendar/day/0001-01-01",
        "/calendar/year/9999",
    ],
)
def test_an_address_without_a_day_is_not_there(alice, place):
    assert alice.get(place).status == 404


def test_strangers_sign_in_first(app):
    for place in ("/calendar", "/calendar/month/2026-12-08", "/calendar/go?day=2026-12-08"):
        assert "/login" in Visitor(app).get(place, follow=False).location


def test_scripts_get_the_page_with_what_stands_beside_it(alice):
    page = alice.get("/calendar/month/2026-12-08", htmx="main")
    assert not page.all("html") and page.one("main#main") and page.one("#folders[hx-swap-oob]") and page.one("#top")
    assert page.one("#top .areas [aria-current]").get_text(strip=True) == "Calendar"
    assert "December 2026" in str(page.one("title"))


# --- whose ---------------------------------------------------------------------------------------------------------------


def test_nobody_sees_what_is_not_shared(app, alice):
    ground.add("bob@lycee.example")
    put(ground.calendar_of("bob"), "Private", ":20261208T100000Z", ":20261208T110000Z")
    for view in VIEWS:
        assert "Private" not in alice.get(f"/calendar/{view}/2026-12-08").html


def test_what_is_shared_is_there_with_its_owner(app, alice):
    ground.add("bob@lycee.example")
    calendar = ground.calendar_of("bob", "councils", "Councils")
    put(calendar, "Council", ":20261208T100000Z", ":20261208T110000Z")
    ground.share(calendar, "alice", "read")
    page = alice.get("/calendar/month/2026-12-08")
    assert titles(page) == ["Council 11:00"]
    assert "Councils" in page.one(".cal-list").get_text() and "bob@lycee.example" in page.one(".cal-list").get_text()
    assert "Councils" in alice.get("/calendar/agenda/2026-12-08").text


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "year"])
def test_who_may_see_times_alone_gets_no_words_and_no_link(app, alice, view):
    ground.add("bob@lycee.example")
    calendar = ground.calendar_of("bob", "private", "Bob")
    uid = put(calendar, "Hospital", ":20261208T100000Z", ":20261208T110000Z", "LOCATION:Lyon")
    ground.share(calendar, "alice", "busy")
    page = alice.get(f"/calendar/{view}/2026-12-08")
    [event] = page.all("[data-event]")
    assert "Busy" in event.get_text() and not event.has_attr("href") and event["data-uid"] != uid
    assert not any(word in page.html for word in ("Hospital", "Lyon", uid))


# --- which are shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_all_calendars_may_be_hidden(alice, view):
    put(ground.calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    alice.submit(alice.get("/calendar"), "form.cal-list", shown=None)
    page = alice.get(f"/calendar/{view}/2026-12-08")
    assert page.status == 200 and "Conseil" not in page.text


def test_calendars_are_hidden_and_shown_again(alice):
    mine, other = ground.calendar_of(), ground.calendar_of("alice", "other", "Other")
    for calendar in (mine, other):
        put(calendar, f"in {calendar.id}", ":20261208T100000Z", ":20261208T110000Z")
    page = alice.get("/calendar/month/2026-12-08")
    assert len(page.all("[data-event]")) == 2
    page = alice.submit(page, "form.cal-list", shown=str(mine.id))
    assert page.address == "/calendar/month/2026-12-08"
    assert titles(page) == [f"in {mine.id} 11:00"]
    assert [one.has_attr("checked") for one in page.all("[name=shown]")] == [True, False]
    page = alice.submit(page, "form.cal-list", shown=[str(mine.id), str(other.id)])
    assert len(page.all("[data-event]")) == 2


def test_a_form_from_before_hides_nothing_that_it_did_not_have(alice):
    first = ground.calendar_of()
    old = alice.get("/calendar/month/2026-12-08")
    ground.calendar_of("alice", "new", "New")
    alice.submit(old, "form.cal-list", shown=None)
    assert for_user(User.get()).hidden_calendars == (str(first.id),)


def test_nonsense_hides_nothing_and_leads_nowhere_else(alice):
    ground.calendar_of()
    page = alice.get("/calendar")
    answer = alice.submit(
        page, "form.cal-list", known=["x", "999999", "9" * 40, ""], shown=[], back="https://evil.example/", follow=False
    )
    assert answer.location == "/calendar" and for_user(User.get()).hidden_calendars == ()


# --- what is shown how ---------------------------------------------------------------------------------------------------


def test_more_than_a_day_has_room_for_is_one_link(alice):
    for hour in range(10, 17):
        put(ground.calendar_of(), f"e{hour}", f"{ZONE}20261208T{hour}0000", f"{ZONE}20261208T{hour}3000")
    page = alice.get("/calendar/month/2026-12-08")
    on_paper = "e13 13:00 e14 14:00 e15 15:00 e16 16:00"  # hidden on screens
    assert cell(page, "2026-12-08") == f"8 e10 10:00 e11 11:00 e12 12:00 +4 more {on_paper}"
    assert [one.get_text() for one in page.all(".paper")] == ["e13 13:00", "e14 14:00", "e15 15:00", "e16 16:00"]
    assert len(alice.get(page.link("+4 more")).all("[data-event]")) == 7


def test_one_over_several_days_can_be_read_on_each(alice):
    put(ground.calendar_of(), "Trip", ";VALUE=DATE:20261211", ";VALUE=DATE:20261216")
    page = alice.get("/calendar/month/2026-12-08")
    assert [cell(page, f"2026-12-{day}") for day in (10, 11, 13, 14, 15, 16)] == [
        "10",
        "11 Trip",
        "13 Trip",
        "14 Trip",
        "15 Trip",
        "16",
    ]
    assert [one.get("tabindex") for one in page.all("[data-event]")] == [None, "-1", "-1", None, "-1"]  # one stop in each week
    assert titles(alice.get("/calendar/agenda/2026-12-08")) == ["Trip"]
    assert "11 Dec – 15 Dec" in alice.get("/calendar/agenda/2026-12-13").text


def test_a_title_is_text(alice):
    put(ground.calendar_of(), "<b>x</b>", ":20261208T100000Z", "", "LOCATION:<script>")
    for view in ("month", "week", "agenda", "day"):
        page = alice.get(f"/calendar/{view}/2026-12-08")
        assert "&lt;b&gt;x" in page.html and not page.all("[data-event] b b") and "<script>" not in page.html


def test_an_identifier_stays_within_its_attribute(alice):
    uid = put(ground.calendar_of(), "\" onclick='x' <b>&amp;", ":20261208T100000Z")
    for view in ("month", "week", "agenda", "day"):
        [event] = alice.get(f"/calendar/{view}/2026-12-08").all("[data-event]")
        assert event["data-uid"] == uid and not event.has_attr("onclick") and event.get_text(strip=True)
        assert alice.get(str(event["href"])).status == 200


def test_tentative_cancelled_and_without_a_title(alice):
    calendar = ground.calendar_of()
    put(calendar, "Maybe", ":20261208T100000Z", "", "STATUS:TENTATIVE")
    put(calendar, "Off", ":20261208T110000Z", "", "STATUS:CANCELLED")
    put(calendar, "", ":20261208T120000Z")
    words = alice.get("/calendar/agenda/2026-12-08").text
    assert all(one in words for one in ("tentative", "cancelled", "No title"))
    assert "(cancelled)" in alice.get("/calendar/month/2026-12-08").text


def test_the_night_on_which_clocks_are_put_back(alice):
    calendar = ground.calendar_of()
    put(calendar, "First", ":20261025T003000Z", ":20261025T004500Z")
    put(calendar, "Second", ":20261025T013000Z", ":20261025T014500Z")
    page = alice.get("/calendar/day/2026-10-25")
    assert "Clocks go back" in page.text
    assert titles(page) == ["First 02:30 CEST–02:45 CEST", "Second 02:30 CET–02:45 CET"]
    assert "Clocks go forward" in alice.get("/calendar/month/2027-03-01").text


def test_ones_own_zone_counts(alice):
    put(ground.calendar_of(), "Call", ":20261208T230000Z", ":20261208T233000Z")
    prefer(time_zone="America/New_York")
    assert cell(alice.get("/calendar/month/2026-12-08"), "2026-12-08") == "8 Call 18:00"
    prefer(time_zone="Europe/Paris", second_zone="America/New_York", hours_from=8, hours_to=10)
    page = alice.get("/calendar/week/2026-12-10")
    assert [(one["data-hour"], one["data-other"]) for one in page.all(".scale i")][8] == ("08:00", "02:00")


def test_holidays_week_numbers_and_letters(alice):
    prefer(school_zone="B", week_a="2026-09-01")
    page = alice.get("/calendar/month/2027-02-01")
    assert cell(page, "2027-02-20") == "20 Winter holidays" and cell(page, "2027-02-22") == "22 Winter holidays"
    assert [one.get_text(" ", strip=True) for one in page.all("tbody .wk")] == ["5 A", "6 B", "7 A", "8 B"]
    assert "New Year’s Day" in cell(alice.get("/calendar/month/2027-01"), "2027-01-01")
    prefer(week_numbers=False, week_a="")
    assert not alice.get("/calendar/month/2027-02-01").all(".wk")


def test_the_week_begins_as_one_likes(alice):
    prefer(first_day="sunday")
    assert [one.get_text(strip=True) for one in alice.get("/calendar/month/2026-12-08").all(".cal-month thead th")][1:3] == [
        "Sun",
        "Mon",
    ]


def test_a_long_list_goes_on_where_it_ended(alice, monkeypatch):
    from webmail.calendar.views import show

    monkeypatch.setattr(show, "_LISTED", 5)
    for day in range(8, 16):
        put(ground.calendar_of(), f"e{day}", f"{ZONE}202612{day:02}T100000")
        put(ground.calendar_of(), f"f{day}", f"{ZONE}202612{day:02}T110000")
    listed: list[str] = []
    place = "/calendar/agenda/2026-12-08"
    for _page in range(4):
        page = alice.get(place)
        listed += titles(page)
        place = page.link("Later events")
    assert listed == [f"{letter}{day}" for day in range(8, 16) for letter in "ef"]


def test_in_french(app):
    ground.person(app, "bob", "fr")
    bob = ground.signed_in(app, "bob", "fr")
    page = bob.get("/calendar/month/2026-12-08")
    assert page.one("h1").get_text(strip=True) == "décembre 2026"
    assert bob.get("/calendar/week/2026-11-30").one("h1").get_text(strip=True) == "30 novembre – 6 décembre 2026"
    assert bob.get("/calendar/day/2026-12-01").one("h1").get_text(strip=True).startswith("mardi 1er décembre")


def test_a_month_asks_the_database_little(alice):
    """The session and what every page has; calendars (2), times (1), what recurs beyond (1), the events shown (1)."""
    from webmail.database.connection import db

    put(ground.calendar_of(), "x", ":20261208T100000Z")
    alice.get("/calendar/month/2026-12-08")
    asked: list[str] = []
    real = db.obj.execute_sql
    db.obj.execute_sql = lambda sql, params=None: asked.append(sql) or real(sql, params)
    try:
        alice.get("/calendar/month/2026-12-08")
    finally:
        db.obj.execute_sql = real
    ours = [sql for sql in asked if "occurrences" in sql or "collections" in sql or "calendar_objects" in sql]
    assert len(ours) <= 5, ours


def test_what_is_kept_of_a_page_lasts_until_something_changes(alice):
    calendar, place = ground.calendar_of(), "/calendar/month/2026-12-08"
    put(calendar, "one", ":20261208T100000Z")
    assert titles(alice.get(place)) == titles(alice.get(place)) == ["one 11:00"]
    put(calendar, "two", ":20261208T110000Z")
    assert titles(alice.get(place)) == ["one 11:00", "two 12:00"]
    prefer(time_zone="America/New_York")
    assert titles(alice.get(place)) == ["one 05:00", "two 06:00"]
    prefer(school_zone="A", first_day="sunday")
    assert alice.get(place).one(".cal-month thead").get_text(" ", strip=True).startswith("Week Sun")


def test_after_a_change_the_other_weeks_stay_as_they_were(alice):
    calendar, place = ground.calendar_of(), "/calendar/month/2026-12-08"
    put(calendar, "one", ":20261208T100000Z")
    put(calendar, "two", ":20261215T100000Z")

    def weeks() -> set[Any]:
        return {key for key in fragment_cache._fragments._kept if key[1] == "week"}

    alice.get(place)
    before = weeks()
    put(calendar, "three", ":20261216T100000Z")
    assert titles(alice.get(place)) == ["one 11:00", "two 11:00", "three 11:00"]
    assert len(weeks() - before) == 1


@pytest.mark.parametrize("view", ["week", "agenda"])
def test_after_a_change_the_other_days_stay_as_they_were(alice, view):
    calendar, place = ground.calendar_of(), f"/calendar/{view}/2026-12-07"
    put(calendar, "one", ":20261208T100000Z", ":20261208T110000Z")
    put(calendar, "two", ":20261209T100000Z", ":20261209T110000Z")

    def days() -> set[Any]:
        return {key for key in fragment_cache._fragments._kept if key[1] == "day"}

    alice.get(place)
    before = days()
    put(calendar, "three", ":20261209T120000Z", ":20261209T130000Z")
    assert [title[:3] for title in titles(alice.get(place))] == ["one", "two", "thr"]
    assert len(days() - before) == 1


def test_each_hour_is_a_link_for_the_mouse_alone(alice):
    page = alice.get("/calendar/day/2026-12-08")
    links = page.all(".slots a")
    assert [str(one["title"]) for one in links][:2] == ["New event at 07:00", "New event at 08:00"]
    assert all(one["tabindex"] == "-1" and not one.get_text() for one in links)
    form = alice.get(str(links[1]["href"]))
    assert (form.one("[name=start]")["value"], form.one("[name=start_hour]")["value"]) == ("2026-12-08", "08:00")


def test_a_week_says_how_many_more_there_are(alice):
    for number in range(9):
        put(ground.calendar_of(), f"lesson {number}", f"{ZONE}20261208T1000{number:02}", f"{ZONE}20261208T110000")
        put(ground.calendar_of(), f"day {number}", ";VALUE=DATE:20261208")
    page = alice.get("/calendar/week/2026-12-08")
    assert len(titles(page)) == 4 + 5
    assert [one.get_text(strip=True) for one in page.all(".more")] == ["+4 more", "+5 more"]


def test_what_is_kept_for_one_is_not_shown_to_another(app, alice):
    ground.add("bob@lycee.example")
    calendar = ground.calendar_of("bob", "doctor", "Doctor")
    put(calendar, "Hospital", ":20261208T100000Z")
    ground.share(calendar, "alice", "busy")
    bob, place = ground.signed_in(app, "bob"), "/calendar/month/2026-12-08"
    assert titles(bob.get(place)) == ["Hospital 11:00"]
    assert titles(alice.get(place)) == ["Busy 11:00"]
