"""Settings with scripts and without: saved at once with undo, themes and sizes of text that hold everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import overflow
from tests.support.messages import message
from tests.support.settings_pages import PAGES, choose_in_browser

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])


@pytest.fixture
def reader(newcomer: Callable[..., str]) -> str:
    """Somebody whose choices no other test sees."""
    return newcomer("settings", message("Conseil de classe", "Bonjour"))


def wait_saved(page: Page, name: str, scripts: bool) -> None:
    if scripts:
        expect(page.locator(f"#saved-{name}")).to_contain_text("Saved")
    else:
        page.click("[data-save] button")
        expect(page.locator("#notices")).to_contain_text("Settings saved.")


def test_a_change_is_saved_and_undone(open_browser: OpenBrowser, reader: str, scripts: bool) -> None:
    page = open_browser(reader, language="en", at="/settings/reading")
    expect(page.locator("[data-save] button")).to_be_visible(visible=not scripts)
    page.select_option("[name=page_size]", "100")
    wait_saved(page, "page_size", scripts)
    page.click("#saved-page_size button" if scripts else "#notices button")
    expect(page.locator("#saved-page_size" if scripts else "#notices")).to_contain_text("Undone" if scripts else "restored")
    expect(page.locator("[name=page_size]")).to_have_value("50")
    if scripts:
        expect(page.locator("[name=page_size]")).to_be_focused()
    page.reload()
    expect(page.locator("[name=page_size]")).to_have_value("50")


def test_a_theme_is_there_at_once_and_on_every_page(open_browser: OpenBrowser, reader: str, scripts: bool) -> None:
    page = open_browser(reader, language="en", at="/settings/appearance")
    page.check("[name=theme][value=dark]")
    wait_saved(page, "theme", scripts)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(24, 22, 20)")
    page.goto("/mailbox/INBOX")
    expect(page.locator("body")).to_have_css("background-color", "rgb(24, 22, 20)")
    page.context.clear_cookies(name="traboule")
    page.goto("/login")
    expect(page.locator("body")).to_have_css("background-color", "rgb(24, 22, 20)")


def test_a_language_is_spoken_at_once(open_browser: OpenBrowser, reader: str, scripts: bool) -> None:
    page = open_browser(reader, language="en", at="/settings/language-time")
    page.select_option("#settings-form [name=language]", "fr")
    if not scripts:
        page.click("[data-save] button")
    expect(page.locator("main h1")).to_have_text("Langue et heure")
    page.click("#notices button")
    expect(page.locator("main h1")).to_have_text("Language and time")


@only_with_scripts
def test_what_is_no_time_zone_is_told_beside_it(open_browser: OpenBrowser, reader: str) -> None:
    page = open_browser(reader, language="en", at="/settings/language-time")
    page.fill("[name=time_zone]", "Lyon")
    page.keyboard.press("Enter")
    expect(page.locator("#saved-time_zone")).to_contain_text("“Lyon” is not a known time zone")
    expect(page.locator("[name=time_zone]")).to_have_attribute("aria-invalid", "true")
    page.fill("[name=time_zone]", "Europe/London")
    page.keyboard.press("Tab")
    expect(page.locator("#saved-time_zone")).to_contain_text("Saved")


@only_with_scripts
def test_a_setting_is_few_keys_away(open_browser: OpenBrowser, reader: str) -> None:
    """From the heading of its page: a Tab for each control, and none for a button that saves."""
    page = open_browser(reader, language="en", at="/settings/appearance")
    page.locator("[name=theme]:checked").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#saved-theme")).to_contain_text("Saved")
    page.keyboard.press("Tab")
    expect(page.locator("#saved-theme button")).to_be_focused()


@pytest.mark.parametrize(
    ("theme", "dark"), [("", False), ("", True), ("light", True), ("dark", False), ("contrast", False), ("contrast", True)]
)
@only_with_scripts
def test_every_theme_is_accessible(
    open_browser: OpenBrowser, reader: str, check_accessibility: Callable[[Page], None], theme: str, dark: bool
) -> None:
    page = open_browser(reader, language="en", dark=dark)
    if theme:
        choose_in_browser(page, "theme", theme)
        check_accessibility(page)
    for url in ("/settings", "/settings?q=image", "/settings/reading", "/settings/language-time", "/mailbox/INBOX", "/compose"):
        page.goto(url)
        check_accessibility(page)


@pytest.mark.parametrize("size", ["", "larger", "200%"])
@only_with_scripts
def test_no_page_is_wider_than_the_screen(open_browser: OpenBrowser, reader: str, size: str) -> None:
    """Each page is opened once, narrow, and then made wider."""
    page = open_browser(reader, width=320, height=740)
    if size == "larger":
        choose_in_browser(page, "text_size", size)
    for url in (
        "/settings",
        "/settings?q=image",
        *(f"/settings/{slug}" for slug in PAGES),
        "/settings/identities",
        "/mailbox/INBOX",
    ):
        page.set_viewport_size({"width": 320, "height": 740})
        page.goto(url)
        if size == "200%":
            page.evaluate("document.documentElement.style.fontSize = '200%'")
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            assert overflow(page) <= 0, (url, width)


def test_the_way_back_on_a_telephone_looks_as_on_other_pages(open_browser: OpenBrowser, reader: str) -> None:
    for width, is_shown in ((1280, False), (360, True)):
        page = open_browser(reader, width=width, at="/settings/reading")
        expect(page.locator(".settings-back a")).to_be_visible(visible=is_shown)
        expect(page.locator(".settings-back a, .settings-nav a").locator("visible=true").first).to_have_text(
            "Tous les paramètres"
        )
