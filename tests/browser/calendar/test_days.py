"""Today in Chromium, whatever day it is: `make days` runs this on those on which programs err."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.support.messages import message
from webmail.calendar.display.periods import month_away

OpenBrowser = Callable[..., Page]
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def scripts() -> bool:
    return True


def test_today_is_found_and_can_be_read_in_each_view(
    open_browser: OpenBrowser, newcomer: Callable[..., str], check_accessibility: Callable[[Page], None]
) -> None:
    address = newcomer("days", message("Bonjour"))
    for width, dark in ((360, False), (1280, True)):
        page = open_browser(address, width=width, dark=dark)
        begun = datetime.now(PARIS).date()
        page.goto(f"/calendar/month/{month_away(begun, -5)}")
        if width == 360:  # behind the title
            page.click(".cal-menu > summary")
        page.locator("a[data-key=t], .cal-menu a >> text=Aujourd’hui").locator("visible=true").first.click()
        today = page.locator(".cal-month [aria-current=date]")
        expect(today).to_have_count(1)
        assert today.locator(".n").get_attribute("href") in {
            f"/calendar/day/{day}" for day in (begun, datetime.now(PARIS).date())
        }
        for month in (begun, month_away(begun, 1), month_away(begun, -1)):  # in those beside it, it may be there too
            page.goto(f"/calendar/month/{month}")
            if month == begun or today.count():
                check_accessibility(page)
        for view, shown in (("week", ".cal-hours [aria-current]"), ("year", ".cal-year [aria-current]")):
            page.goto(f"/calendar/{view}/{datetime.now(PARIS).date()}")
            expect(page.locator(shown).first).to_be_visible()
            check_accessibility(page)


def test_what_is_offered_for_later_is_later(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> None:
    page = open_browser(newcomer("days", message("Bonjour")))
    came = {f"{datetime.now(PARIS) - timedelta(minutes=ago):%-H}\\sh" for ago in (0, 10)} | {"hier"}  # or just before midnight
    expect(page.locator("[data-row]").first).to_contain_text(re.compile("|".join(came)))
    page.goto("/calendar/events/new")
    start = datetime.fromisoformat(f"{page.input_value('[name=start]')}T{page.input_value('[name=start_hour]')}").replace(
        tzinfo=PARIS
    )
    end = datetime.fromisoformat(f"{page.input_value('[name=end]')}T{page.input_value('[name=end_hour]')}").replace(tzinfo=PARIS)
    now = datetime.now(PARIS)
    assert now - timedelta(minutes=5) < start < now + timedelta(hours=25) and start < end
    page.fill("[name=title]", "Demain")
    page.click("form[data-event-form] .btn-primary[value=save]")
    expect(page.locator("h1")).to_have_text("Demain")
    page.goto("/calendar/search?words=demain")
    expect(page.locator(".found-events [data-event]")).to_have_count(1)
