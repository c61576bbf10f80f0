"""People found while an address is typed: by keyboard, by pointer, for screen readers; and the page that needs no scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import drawn, overflow, until_true

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"
only_with_scripts = pytest.mark.parametrize("scripts", [True])


def write(page: Page) -> None:
    page.goto("/compose")
    expect(page.locator("#to-typing")).to_be_focused()
    until_true(page, "window.recipients")


@only_with_scripts
def test_people_are_completed_by_keyboard(open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]) -> None:
    page = open_browser(ALICE)
    assert page.locator("script[src*='recipients.js']").count() == 0  # nothing of it in the first view
    write(page)
    field, typing, options = page.locator("#to"), page.locator("#to-typing"), page.locator("#recipients-found [role=option]")
    page.keyboard.type("gir")
    expect(options).to_have_count(1)
    expect(page.locator("#recipients-said")).to_contain_text("1")
    expect(typing).to_have_attribute("aria-activedescendant", "recipient-1")
    check_accessibility(page)
    page.keyboard.press("Enter")
    expect(field).to_have_value("Bob Girard <bob@lycee.example>, ")
    expect(options).to_have_count(0)
    assert typing.get_attribute("aria-activedescendant") is None
    page.keyboard.type("a")
    expect(options).not_to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#recipients-found [aria-selected=true]")).to_have_id("recipient-2")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_have_value("Bob Girard <bob@lycee.example>, a")
    expect(typing).to_be_focused()
    page.keyboard.type("dmi")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(field).to_have_value("Bob Girard <bob@lycee.example>, Administration <admin@lycee.example>, ")


@only_with_scripts
def test_the_address_under_the_caret_is_completed_and_the_others_stay(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    mail = page.locator("[data-row] .s a").first.get_attribute("href") or ""
    page.goto(mail.replace("/message/", "/send-on/"))
    until_true(page, "window.recipients")
    field, options = page.locator("#to"), page.locator("#recipients-found [role=option]")
    field.click()
    page.keyboard.type('"Roux, C" <charlie@autre.example>; adm; x@y.example')
    page.evaluate("(field => field.setSelectionRange(38, 38))(document.getElementById('to'))")
    page.keyboard.press("Backspace")
    page.keyboard.type("m")
    expect(options).to_have_count(1)
    options.first.click()
    expect(field).to_have_value('"Roux, C" <charlie@autre.example>; Administration <admin@lycee.example>, x@y.example')
    expect(field).to_be_focused()


@only_with_scripts
def test_a_whole_address_is_never_replaced_by_enter(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    page.keyboard.type("bob@lycee")
    expect(page.locator("#recipients-found [role=option]")).to_have_count(1)
    assert page.locator("#recipients-found [aria-selected=true]").count() == 0
    page.keyboard.press("Enter")
    assert page.locator("#to").input_value().strip(" ,") == "bob@lycee"


@only_with_scripts
def test_a_lost_session_leaves_the_text_alone(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    page.context.clear_cookies()
    with page.expect_response(lambda answer: "/recipients" in answer.url):
        page.keyboard.type("gir")
    drawn(page)
    expect(page.locator("#to")).to_have_value("gir")
    assert "/compose/" in page.url


def test_people_are_chosen_on_a_page(
    open_browser: OpenBrowser, scripts: bool, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(ALICE, width=360, at="/compose")
    page.fill("[name=body]", "Bonjour")
    page.click("button[value=choose]")
    expect(page.locator("form.people")).to_be_visible()
    assert overflow(page) <= 0
    if scripts:
        check_accessibility(page)
    page.fill("[name=words]", "girard")
    page.keyboard.press("Enter")
    expect(page.locator(".people-table tbody tr")).to_have_count(1)
    page.locator("[name=cc]").check()
    page.click("button[value=done]")
    expect(page.locator("#cc")).to_have_value("Bob Girard <bob@lycee.example>")
    expect(page.locator("[name=body]")).to_have_value(re.compile("Bonjour"))


@only_with_scripts
def test_people_are_offered_for_a_group_and_for_sending_on(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    mail = page.locator("[data-row] .s a").first.get_attribute("href") or ""
    options = page.locator("#recipients-found [role=option]")
    for address, name, entry in (
        ("/contacts/groups/new", "people", "Bob Girard <bob@lycee.example>\n"),
        (mail.replace("/message/", "/send-on/"), "to", "Bob Girard <bob@lycee.example>, "),
    ):
        page.goto(address)
        until_true(page, "window.recipients")
        page.click(f"[name={name}]")
        page.keyboard.type("gir")
        expect(options).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator(f"[name={name}]")).to_have_value(entry)
