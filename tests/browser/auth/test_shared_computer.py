"""A shared computer in Chromium: the bar on every page, and nothing to be seen once somebody has signed out or gone away."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.demo.services import Services
from tests.browser.conftest import ARGUMENTS, PATIENCE
from tests.support.browsing import CHROMIUM, wait_for_path
from tests.support.every_page import ALICE
from tests.support.second_web import second_web

BAR = "#shared-computer"
SHARED = re.compile("Vous êtes sur un ordinateur partagé|You are on a shared computer")  # whichever she reads by now


@pytest.fixture
def visit(open_browser: Callable[..., Page], demo: Services) -> Page:
    page = open_browser()
    _sign_in(page, demo.password)
    return page


def _sign_in(page: Page, password: str) -> None:
    page.fill("[name=username]", ALICE)
    page.fill("[name=password]", password)
    page.check("[name=shared]")
    page.click("main form button[type=submit] >> nth=0")
    page.wait_for_selector("[data-row]")


def test_the_bar_is_on_every_page(visit: Page, scripts: bool, check_accessibility: Callable[[Page], None]) -> None:
    if scripts:
        check_accessibility(visit)
    expect(visit.locator(BAR)).to_contain_text(SHARED)
    visit.locator("[data-row] a[id]").first.click()
    visit.wait_for_selector("article")
    expect(visit.locator(BAR)).to_have_count(1)
    for place in ("/settings", "/contacts", "/compose", "/account"):
        visit.goto(place)
        expect(visit.locator(BAR)).to_be_visible()


def test_signing_out_by_the_bar_leaves_nothing(visit: Page) -> None:
    visit.locator("[data-row] a[id]").first.click()
    visit.wait_for_selector("article")
    visit.click(f"{BAR} button")
    wait_for_path(visit, "/login")
    for _step in range(3):
        visit.go_back()
        visit.wait_for_load_state()
        expect(visit.locator("[data-row], article, [data-message-body]")).to_have_count(0)
    expect(visit.locator("[name=password]")).to_be_visible()
    expect(visit.locator("[name=shared]")).to_be_checked()


def test_ones_own_browser_has_no_bar(open_browser: Callable[..., Page]) -> None:
    expect(open_browser(ALICE).locator(BAR)).to_have_count(0)


def test_the_choice_of_staying_signed_in_goes_with_it(open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    expect(page.locator("[name=lasting]")).to_be_visible()
    page.check("[name=shared]")
    expect(page.locator("[name=lasting]")).to_be_hidden()


@pytest.fixture
def remembering(chromium: Browser) -> Iterator[Browser]:
    """A Chromium that keeps pages in memory for "Back", which Playwright's switches off."""
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    keeping = ["--disable-back-forward-cache"]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=ARGUMENTS + root, ignore_default_args=keeping)
    yield browser
    browser.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_back_shows_nothing_in_a_browser_that_keeps_pages(remembering: Browser, demo: Services, scripts: bool) -> None:
    page = remembering.new_context(base_url=demo.address, locale="fr", java_script_enabled=scripts).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/login")
    _sign_in(page, demo.password)
    page.goto("/contacts")
    page.click(f"{BAR} button")
    wait_for_path(page, "/login")
    for _step in range(2):
        page.go_back()
        page.wait_for_load_state()
        expect(page.locator("[name=password]")).to_be_visible()
        expect(page.locator(f"[data-row], {BAR}")).to_have_count(0)


def test_where_nobody_has_been_for_a_while_the_page_goes_by_itself(chromium: Browser, demo: Services) -> None:
    with second_web(demo, shared_idle_minutes=0.1) as address:
        page = chromium.new_context(base_url=address, locale="fr").new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/login?next=/settings")
        page.fill("[name=username]", ALICE)
        page.fill("[name=password]", demo.password)
        page.check("[name=shared]")
        page.click("main form button[type=submit] >> nth=0")
        wait_for_path(page, "/settings")
        page.wait_for_url("**/login?next=/settings")
        expect(page.locator(BAR)).to_have_count(0)
        page.context.close()
