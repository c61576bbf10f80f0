"""The calendar in Chromium, with scripts and without: from view to view, which calendars are shown, by keys, on a telephone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow, styled
from tests.support.calendar_ground import put
from tests.support.messages import message
from webmail.collections import store as collections
from webmail.models import Collection, User

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True])
ZONE = ";TZID=Europe/Paris:"


@pytest.fixture
def teacher(demo: Services, newcomer: Callable[..., str]) -> str:
    """The address of somebody new, with a calendar of lessons beside their own."""
    address = newcomer("teacher", message("Bonjour"))
    with accounts.tables(demo.database):
        user = User.get(User.address == address)
        own = collections.default_collection(user, collections.CALENDAR)
        lessons = Collection.create(
            user=user, name="lessons", kind="calendar", components="VEVENT", props='{"D:displayname": "2de B"}'
        )
        put(own, "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "LOCATION:Salle 12")
        put(own, "Voyage", ";VALUE=DATE:20261211", ";VALUE=DATE:20261217")
        put(lessons, "Cours", f"{ZONE}20261207T085500", f"{ZONE}20261207T095000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;COUNT=8")
    return address


def test_through_the_views_and_back_to_mail(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher)
    page.click(".areas a >> text=Agenda")
    expect(page.locator(".cal-month")).to_be_visible()
    expect(page.locator("#folders.cal-side")).to_be_visible()
    expect(page.locator(".begin")).to_be_hidden()
    page.goto("/calendar/month/2026-12-08")
    expect(page.locator("h1")).to_have_text("décembre 2026")
    page.click("a[rel=next]")
    expect(page.locator("h1")).to_have_text("janvier 2027")
    page.click("a[rel=prev]")
    expect(page.locator("h1")).to_have_text("décembre 2026")
    page.click(".cal-month a.n[href$='2026-12-08']")
    expect(page.locator("h1")).to_contain_text("mardi 8 décembre 2026")
    expect(page.locator("[data-event]")).to_have_count(2)
    page.click(".cal-views >> text=Liste")
    expect(page.locator(".cal-agenda")).to_contain_text("Salle 12")
    page.fill("#go-day", "2027-05-01")
    page.click(".cal-go button")
    expect(page).to_have_url(re.compile("/calendar/agenda/2027-05-01$"))
    page.click(".areas a >> text=Courrier")
    expect(page.locator(".begin")).to_be_visible()
    expect(page.locator("#folders a[href*='/mailbox/INBOX']").first).to_be_visible()


def test_no_button_beside_other_pages_with_scripts(open_browser: OpenBrowser, teacher: str, scripts: bool) -> None:
    """However one comes there: straight, or from a page of the contacts."""
    page = open_browser(teacher, at="/collections")
    page.click("[data-collection] a")
    button = page.locator("form.cal-list [data-needless]")
    expect(page.locator("#folders.cal-side")).to_be_visible()
    expect(button).to_be_visible(visible=not scripts)
    page.goto("/calendar/search")
    expect(button).to_be_visible(visible=not scripts)


def test_calendars_are_ticked(open_browser: OpenBrowser, teacher: str, scripts: bool) -> None:
    page = open_browser(teacher, at="/calendar/week/2026-12-08")
    expect(page.locator(".grid [data-event]")).to_have_count(3)
    page.locator(".cal-list label >> text=2de B").click()
    if scripts:
        expect(page.locator(".cal-list button")).to_be_hidden()
    else:
        page.click(".cal-list button")
    expect(page.locator(".grid [data-event]")).to_have_count(1)
    expect(page).to_have_url(re.compile("/calendar/week/2026-12-08$"))
    page.reload()
    expect(page.locator(".grid [data-event]")).to_have_count(1)


@only_with_scripts
def test_lessons_stand_at_their_hours(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, at="/calendar/week/2026-12-08")
    place = "e => { const r = e.getBoundingClientRect(), t = e.closest('td').getBoundingClientRect(); return [r.top - t.top, r.height, r.width / t.width]; }"
    top, height, width = page.locator(".grid li", has_text="Cours").first.evaluate(place)
    assert (round(top), round(height)) == (23 * 4, 11 * 4)  # 8:55 is 23 steps of five minutes after 7:00
    assert width > 0.9
    bar = (
        page.locator(".whole .bar >> nth=0")
        .locator("a")
        .evaluate("e => e.getBoundingClientRect().width / e.closest('td').getBoundingClientRect().width")
    )
    assert 2.8 < bar < 3  # from Friday to Sunday


def test_a_click_on_an_empty_hour_begins_an_event_there(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, at="/calendar/week/2026-12-08")
    day = page.locator(".cal-hours td", has=page.locator("a[href*='2026-12-08T07:00']"))
    day.click(position={"x": 30, "y": 3 * 48 + 20})  # the grid begins at seven
    expect(page.locator("[name=start]")).to_have_value("2026-12-08")
    expect(page.locator("[name=start_hour]")).to_have_value("10:00")
    page.goto("/calendar/week/2026-12-08")
    day.click(position={"x": 30, "y": 10 * 48 + 20})  # where the council is
    expect(page.locator("h1")).to_have_text("Conseil")


@only_with_scripts
def test_keys(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, at="/calendar/month/2026-12-08")
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("janvier 2027")
    page.keyboard.press("p")
    expect(page.locator("h1")).to_have_text("décembre 2026")
    page.keyboard.press("j")
    expect(page.locator("[data-event]:focus")).to_contain_text("Cours")
    for _ in range(2):
        page.keyboard.press("j")
    expect(page.locator("[data-event]:focus")).to_contain_text("Conseil")
    page.keyboard.press("k")
    expect(page.locator("[data-event]:focus")).to_contain_text("Cours")
    for key, shown in (("w", ".cal-hours"), ("l", ".cal-agenda"), ("y", ".cal-year"), ("m", ".cal-month")):
        page.keyboard.press(key)
        expect(page.locator(shown)).to_be_visible()
    page.goto("/calendar/month/2001-12-08")  # far from today, which another month's page may show too
    page.keyboard.press("t")
    expect(page.locator(".cal-month [aria-current=date]")).to_be_visible()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/calendar/events/new"))


@only_with_scripts
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_bars_the_way(
    open_browser: OpenBrowser, teacher: str, dark: bool, check_accessibility: Callable[[Page], None]
) -> None:
    for width in (360, 1280):
        page = open_browser(teacher, width=width, dark=dark)
        for view in ("month", "week", "day", "agenda", "year"):
            page.goto(f"/calendar/{view}/2026-12-08")
            if view == "month":  # today may be a day of the month beside it
                page.locator(".cal-month .out").first.evaluate("day => day.setAttribute('aria-current', 'date')")
            check_accessibility(page)
            assert overflow(page) <= 0, (view, width)


def test_on_a_telephone_a_month_is_dots_and_a_week_a_list(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, width=360, at="/calendar/month/2026-12-08")
    box = page.locator(".cal-month td", has_text="Conseil").locator("li").first.bounding_box()
    assert box and box["width"] == box["height"] == 8
    page.locator(".cal-month a.n[href$='2026-12-08']").click()
    expect(page.locator(".grid [data-event]").first).to_contain_text(re.compile("8\\sh\\s55"))
    page.click(".cal-menu > summary")
    page.click(".cal-menu a >> text=/^Semaine$/")
    expect(page.locator("h1")).to_contain_text("7–13 décembre")
    styled(page)
    days = page.locator(".cal-hours thead th:not(.hh), .cal-hours td:has(ul)")
    tops = [(days.nth(at).bounding_box() or {"y": 0})["y"] for at in range(days.count())]
    assert days.count() > 9
    monday, tuesday = page.locator(".cal-hours thead th >> nth=1"), page.locator(".cal-hours thead th >> nth=2")
    lesson = page.locator(".grid li", has_text="Cours").first
    heights = [(one.bounding_box() or {"y": 0})["y"] for one in (monday, lesson, tuesday)]
    assert heights == sorted(heights) and len(tops) == len(set(tops))


@only_with_scripts
def test_events_are_dragged_to_another_day_and_time(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, height=1100, at="/calendar/month/2026-12-08")
    page.locator(".cal-month a", has_text="Conseil").drag_to(
        page.locator(".cal-month td", has=page.locator(".n[href$='2026-12-10']"))
    )
    expect(page.locator("[role=status]", has_text="Conseil")).to_be_visible()
    expect(page.locator(".cal-month td", has_text="Conseil").locator(".n")).to_have_text("10")
    event = page.locator(".cal-month a", has_text="Conseil")
    shown = event.evaluate(
        "one => { const rev = one.dataset.rev; one.dataset.rev = 'stale'; return rev; }"
    )  # changed by a device since
    event.drag_to(page.locator(".cal-month td", has=page.locator(".n[href$='2026-12-17']")))
    expect(page.locator("#notices", has_text="modifié ailleurs")).to_be_visible()
    expect(page.locator(".cal-month td", has_text="Conseil").locator(".n")).to_have_text("10")
    assert page.locator(".cal-month a", has_text="Conseil").get_attribute("data-rev") == shown
    page.goto("/calendar/week/2026-12-08")
    styled(page)
    event = page.locator(".grid a", has_text="Conseil")
    box = event.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.move(box["x"] + 20, box["y"] + 10 + 48)
    page.mouse.up()
    expect(page.locator(".grid a", has_text="Conseil")).to_contain_text(re.compile("18\\sh–20\\sh"))
    styled(page)
    box = page.locator(".grid a", has_text="Conseil").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 20)
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 2 - 24)
    page.mouse.up()
    expect(page.locator(".grid a", has_text="Conseil")).to_contain_text(re.compile("18\\sh–19\\sh\\s30"))
    expect(page).to_have_url(re.compile("/calendar/week/2026-12-08$"))
    page.locator("[role=status] button").first.click()
    expect(page.locator(".grid a", has_text="Conseil")).to_contain_text(re.compile("18\\sh–20\\sh"))


@only_with_scripts
def test_a_month_of_six_weeks_is_one_page_of_paper_with_all_titles(
    open_browser: OpenBrowser, demo: Services, teacher: str
) -> None:
    with accounts.tables(demo.database):
        own = collections.default_collection(User.get(User.address == teacher), collections.CALENDAR)
        for hour in range(10, 17):
            put(own, f"Entretien {hour}", f"{ZONE}20260826T{hour}0000", f"{ZONE}20260826T{hour}4500")
    page = open_browser(teacher, language="en", at="/calendar/month/2026-08")
    styled(page)
    crowded = page.locator("td", has_text="Entretien 10")
    page.locator("main").evaluate("""main => main.insertAdjacentHTML("afterbegin",
        "<div class='notice notice-plain shared-news'>Bob shares a calendar with you</div>")""")
    expect(crowded.get_by_text("+4 more")).to_be_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1
    page.emulate_media(media="print")
    expect(page.locator(".shared-news")).to_be_hidden()
    assert [one for one in range(10, 17) if not crowded.get_by_text(f"Entretien {one}").is_visible()] == []
    expect(crowded.get_by_text("+4 more")).to_be_hidden()


_CUT = """events => events.filter(event => {
    const box = event.getBoundingClientRect(), range = document.createRange();
    range.selectNodeContents(event);
    return Array.from(range.getClientRects()).some(line => line.width && line.left < box.right && line.top < box.bottom && line.bottom > box.bottom + 2);
}).map(event => event.textContent.trim())"""


@only_with_scripts
@pytest.mark.parametrize("width", [768, 1280])
def test_no_line_of_a_short_event_is_cut_in_half(open_browser: OpenBrowser, demo: Services, teacher: str, width: int) -> None:
    with accounts.tables(demo.database):
        own = collections.default_collection(User.get(User.address == teacher), collections.CALENDAR)
        for number, begins in enumerate(("0900", "0930", "1400", "1600")):
            ends = f"{int(begins[:2]) + 1}".zfill(2) + begins[2:]
            title = f"Mathématiques avancées {number}, classe de seconde"
            put(own, title, f"{ZONE}20270304T{begins}00", f"{ZONE}20270304T{ends}00", "LOCATION:Salle polyvalente du bâtiment B")
    page = open_browser(teacher, width=width, at="/calendar/week/2027-03-04")
    styled(page)
    events = page.locator(".grid [data-event]")
    expect(events).to_have_count(4)
    assert events.evaluate_all(_CUT) == []
    bar = page.locator(".cal-bar").bounding_box()
    assert bar and bar["height"] <= 56  # the views are in the same row


@only_with_scripts
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_an_event_is_saved_without_scrolling(open_browser: OpenBrowser, teacher: str, width: int, height: int) -> None:
    page = open_browser(teacher, width=width, height=height)
    for words in ("", "?words=lundi+18h+Conseil"):
        page.goto(f"/calendar/events/new{words}")
        styled(page)
        expect(page.locator("button[value=save]").first).to_be_in_viewport()
