"""The side bars of areas other than mail in a real browser: their one main button, what is lit, what a telephone shows instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import overflow, settled
from tests.support.every_page import ALICE
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
only_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])
BUTTONS = {"/contacts": 1, "/contacts/people": 1, "/contacts/new": 1, "/files": 1, "/transfers": 1, "/settings": 0, "/account": 1}


@only_scripts
def test_a_page_has_one_main_button(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        for address, most in BUTTONS.items():
            page.goto(address)
            settled(page)
            assert page.locator(".btn-primary >> visible=true").count() <= most, (address, width)
            assert overflow(page) <= 0, (address, width)
            expect(page.locator(".begin")).to_be_hidden()
            expect(page.locator("#folders")).to_be_visible(visible=width > 760)


def test_the_way_back_to_mail_brings_its_folders_and_its_button(
    open_browser: OpenBrowser, newcomer: Callable[..., str], scripts: bool
) -> None:
    page = open_browser(newcomer("sides", message("Bonjour")))
    for area, name in (("/contacts", "Contacts"), ("/files", "Fichiers")):
        page.click(f".areas a[href='{area}']")
        expect(page.locator("#folders")).to_have_attribute("aria-label", name)
        expect(page.locator("#folders [aria-current=page]")).to_have_count(1)
        expect(page.locator(".begin")).to_be_hidden()
        page.click(".areas a[href='/mailbox/INBOX']")
        expect(page.locator("#folders [aria-current=page]")).to_have_attribute("href", "/mailbox/INBOX")
        expect(page.locator(".begin a")).to_be_visible()


@only_scripts
def test_a_key_leads_to_the_inbox_from_elsewhere(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, at="/contacts")
    settled(page)
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()  # the keys are there
    page.locator("main h1").click()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.locator("[data-row]").first).to_be_visible()


@only_scripts
@pytest.mark.parametrize("area", ["contacts", "calendar"])  # whose own key "t" is another
def test_keys_lead_to_folders_from_elsewhere(open_browser: OpenBrowser, newcomer: Callable[..., str], area: str) -> None:
    page = open_browser(newcomer("keys", message("Bonjour")), at=f"/{area}")
    settled(page)
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    page.locator("main h1").click()
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/mailbox/Trash")


@only_scripts
@pytest.mark.parametrize("width", [360, 1280])
def test_buttons_for_ticked_contacts_wait_for_a_tick(open_browser: OpenBrowser, every_page: dict[str, str], width: int) -> None:
    page = open_browser(ALICE, width=width, at=every_page["contacts"])
    write = page.locator("#chosen button[value=write]")
    if width == 360:
        expect(write).to_be_hidden()
    else:
        expect(write).to_be_disabled()
    row = page.locator("#chosen li").nth(1)
    before = row.bounding_box()
    page.locator("#chosen [name=uid]").first.check()
    expect(write).to_be_enabled()
    expect(write).to_be_in_viewport()
    assert row.bounding_box() == before  # nothing moves beneath the thumb
    page.locator("#chosen [data-select-all]").check()
    expect(page.locator("#chosen [name=uid]:not(:checked)")).to_have_count(0)
    page.locator("#chosen [data-select-all]").uncheck()
    expect(write).to_be_disabled()


@only_scripts
@pytest.mark.parametrize("width", [768, 1280])
def test_the_name_of_the_inbox_fits_while_it_is_current(open_browser: OpenBrowser, width: int) -> None:
    page = open_browser(ALICE, width=width)
    name = page.locator("#folders [aria-current=page] span")
    expect(name).to_have_text("Boîte de réception")
    assert name.evaluate("one => one.scrollWidth <= one.clientWidth")
