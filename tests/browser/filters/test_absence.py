"""Out of office with scripts and without: the editor of formatted text, school holidays, a preview, the banner that ends it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import overflow
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
SAVE = "form.absence button.btn-primary"


@pytest.fixture
def person(newcomer: Callable[..., str]) -> str:
    return newcomer("away", message("Conseil de classe", "Bonjour"))


def test_somebody_goes_away_and_comes_back(open_browser: OpenBrowser, person: str, scripts: bool) -> None:
    page = open_browser(person, language="en", at="/settings")
    page.get_by_role("link", name="Out of office").first.click()
    expect(page.locator("h1")).to_have_text("Out of office")
    page.check("[name=on]")
    page.fill("#text", "Je suis absente.")
    page.click(SAVE)
    expect(page.locator("#notices")).to_contain_text("on until you turn them off")
    page.goto("/contacts")
    expect(page.locator("#away")).to_contain_text("Automatic replies are on.")
    page.click("#away button")
    expect(page.locator("#notices")).to_contain_text("Automatic replies are off.")
    expect(page.locator("#away form")).to_have_count(0)


def test_holidays_of_a_zone_fill_in_the_dates(open_browser: OpenBrowser, person: str, scripts: bool) -> None:
    page = open_browser(person, language="en", at="/absence")
    page.fill("#text", "Fermé.")
    if scripts:
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.select_option("#zone", "B")
    else:
        page.select_option("#zone", "B")
        page.click("button[value=zone]")
    page.locator("button[value^='times:school']").first.click()  # whichever come next
    expect(page.locator("#from")).not_to_have_value("")
    expect(page.locator("#until")).not_to_have_value("")
    expect(page.locator("#text")).to_have_value("Fermé.")
    expect(page.locator("#zone")).to_have_value("B")


def test_formatted_text_is_seen_as_it_will_look(open_browser: OpenBrowser, person: str, scripts: bool) -> None:
    page = open_browser(person, language="en", at="/absence")
    page.select_option("#format", "markdown")
    if scripts:
        expect(page.locator("#editor")).to_be_visible()
        page.locator("#editor").click()
        page.keyboard.type("Je reviens ")
        page.keyboard.press("Control+b")
        page.keyboard.type("lundi")
        page.locator(".absence details summary").click()
        page.locator("#text_inside").click()  # the editor follows
        expect(page.locator("label[for=text_inside] + .editor #editor")).to_be_focused()
        page.keyboard.type("Voir Bob")
        expect(page.locator("#text")).to_have_value(re.compile(r"Je reviens \*\*lundi\*\*\s*"))
        expect(page.locator("#text")).to_be_visible()
    else:
        expect(page.locator("[data-marks-hint]")).to_be_visible()
        page.fill("#text", "Je reviens **lundi**")
        page.locator(".absence details summary").click()
        page.fill("#text_inside", "Voir Bob")
    page.click("button[value=preview]")
    expect(page.locator("#preview strong")).to_have_text("lundi")
    expect(page.locator("#preview")).to_contain_text("Voir Bob")
    if scripts:
        expect(page.locator("label[for=text] + .editor #editor strong")).to_have_text("lundi")
        expect(page.locator("#text")).to_have_class("held")
    page.check("[name=on]")
    page.click(SAVE)
    expect(page.locator("#notices")).to_contain_text("Saved")
    page.reload()
    expect(page.locator("#text")).to_have_value("Je reviens **lundi**")


def test_the_enter_key_saves_and_presses_no_other_button(open_browser: OpenBrowser, person: str, scripts: bool) -> None:
    page = open_browser(person, language="en", at="/absence")
    page.fill("#text", "Absente")
    page.fill("#subject", "Absente")
    page.locator("#subject").press("Enter")
    expect(page.locator("#notices")).to_contain_text("Saved. Automatic replies stay off")


@pytest.mark.parametrize("width", [320, 360, 760, 1280])
def test_nothing_is_wider_than_the_screen(open_browser: OpenBrowser, person: str, scripts: bool, width: int) -> None:
    page = open_browser(person, width=width, dark=width == 360, at="/absence")
    page.check("[name=on]")
    page.fill("#text", "Absente")
    page.click("button[value=preview]")
    expect(page.locator("#preview")).to_be_visible()
    assert overflow(page) <= 0
