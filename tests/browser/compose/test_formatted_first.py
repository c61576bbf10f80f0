"""Formatted text without asking for it: the editor comes once somebody begins to write, and nothing typed before it is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsing import styled, until_held

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"
only_with_scripts = pytest.mark.parametrize("scripts", [True])


@only_with_scripts
def test_words_typed_before_the_editor_comes_stay_and_so_does_the_caret(open_browser: OpenBrowser) -> None:
    page, held = open_browser(ALICE), []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/prosemirror*", hold)
    page.goto("/compose?body=%0A%0A-- %0AAlice", wait_until="domcontentloaded")  # what is held keeps the page from having loaded
    expect(page.locator("#format")).to_have_value("markdown")
    page.locator("#body").focus()
    page.evaluate("document.getElementById('body').setSelectionRange(0, 0)")
    page.keyboard.type("Bonjour ")
    expect(page.locator("#editor")).to_have_count(0)
    until_held(page, held)
    held[0].continue_()
    expect(page.locator("#editor")).to_be_focused()
    page.keyboard.type("Bob")
    expect(page.locator("#body")).to_have_value(re.compile(r"^Bonjour Bob\n\n-- \nAlice"))
    expect(page.locator("#editor p").first).to_have_text("Bonjour Bob")


@only_with_scripts
@pytest.mark.parametrize("line", ["4g", "3g"])
def test_the_editor_waits_until_somebody_begins_to_write(open_browser: OpenBrowser, line: str) -> None:
    page = open_browser(ALICE)
    page.add_init_script(f"Object.defineProperty(navigator, 'connection', {{ value: {{ effectiveType: '{line}' }} }})")
    page.goto("/compose")
    page.wait_for_load_state("networkidle")
    waiting = page.locator("script[src*='editor'], script[src*='prosemirror'], script[src*='countdown']")
    expect(waiting).to_have_count(0)
    expect(page.locator("#to-typing")).to_be_focused()
    page.keyboard.type("bob")
    if line == "3g":  # where bytes count a text may never come to be written
        page.wait_for_load_state("networkidle")
        expect(waiting).to_have_count(0)
        page.locator("#body").focus()
        expect(page.locator("#editor")).to_be_focused()
    expect(page.locator("#editor")).to_be_visible()
    expect(waiting).to_have_count(4)


@only_with_scripts
def test_an_editor_that_does_not_come_is_asked_for_again(open_browser: OpenBrowser) -> None:
    page, asked = open_browser(ALICE), []

    def answer(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(status=404)
        else:
            route.continue_()

    page.route("**/prosemirror*", answer)
    page.goto("/compose")
    page.locator("#body").press_sequentially("Bonjour ")
    until_held(page, asked)
    expect(page.locator("script[src*=editor]")).to_have_count(0)
    expect(page.locator("#body")).to_have_value("Bonjour ")
    page.click("#options summary")
    page.select_option("#priority", "high")  # whatever is chosen looks for it again
    expect(page.locator("#editor")).to_have_text(re.compile("Bonjour"))


@only_with_scripts
def test_a_sign_of_a_list_typed_in_a_list_makes_no_list_in_it(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, at="/compose")
    page.locator("#body").focus()
    page.locator("#editor").click()
    page.keyboard.type("- une\n- deux\n1. trois")
    expect(page.locator("#body")).to_have_value("- une\n- deux\n- trois\n")
    expect(page.locator("#editor ul ul, #editor ul ol")).to_have_count(0)


def test_the_tools_and_the_files_stand_above_the_text(open_browser: OpenBrowser, scripts: bool) -> None:
    page = open_browser(ALICE, at="/compose")
    page.set_input_files("#attachments-field", {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF" * 99})
    if not scripts:
        page.click("button[value=attach]")
    for there in ("#attachments .chip", "#editor" if scripts else "#body"):
        expect(page.locator(there)).to_be_visible()
    styled(page)
    text = page.locator("#editor" if scripts else "#body").bounding_box()
    assert text and text["y"] < 500
    for above in ("#attachments .chip", ".compose-format"):
        box = page.locator(above).bounding_box()
        assert box and box["y"] + box["height"] <= text["y"] + 1


def test_plain_text_where_that_is_preferred_and_without_scripts(open_browser: OpenBrowser, scripts: bool) -> None:
    page = open_browser(ALICE, at="/compose" if not scripts else "/compose?format=")
    expect(page.locator("#format")).to_have_value("")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#editor")).to_have_count(0)
    if not scripts:
        page.fill("#body", "*Bonjour*")
        page.locator("#body").press("Tab")
        expect(page.locator(".compose-end button")).to_be_focused()  # Send again, below the text


def test_what_was_typed_goes_along_to_every_other_page(open_browser: OpenBrowser, scripts: bool) -> None:
    page = open_browser(ALICE)
    for button in ("choose", "from-mail", "contacts"):
        page.goto("/compose?cc=x@y.example")
        page.fill("#to", "bob@lycee.example")
        page.fill("#subject", f"Vers {button}")
        if not scripts:
            page.click("#options summary")
            page.fill("#reply_to", "vs@lycee.example")
            page.select_option("#priority", "high")
            page.click("#options summary")
        page.fill("#body", "Mes mots")
        page.click(f"button[value={button}]")
        page.wait_for_url(re.compile(r"/compose/[0-9a-f]{32}/"))
        if button == "choose":
            page.get_by_role("button", name="Ajouter au message").click()  # somebody is ticked
        else:
            page.get_by_role("link", name="Retour au message").click()
        expect(page.locator("#subject")).to_have_value(f"Vers {button}")
        expect(page.locator("#body")).to_have_value(re.compile("Mes mots"))
        expect(page.locator("#to")).to_have_value(re.compile("bob@lycee.example"))
        expect(page.locator("#cc")).to_have_value(re.compile("x@y.example"))
        if not scripts:
            expect(page.locator("#priority")).to_have_value("high")
            expect(page.locator("#reply_to")).to_have_value("vs@lycee.example")
