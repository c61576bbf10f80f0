"""Where the keyboard is, and what a screen reader begins with, after a piece of a page came; how few keys lead to what one does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.messages import message

OpenBrowser = Callable[..., Page]
Newcomer = Callable[..., str]
FEW = 8  # keys
ROW_LINK = "[data-row] .s a[id]"


@pytest.fixture
def scripts() -> bool:
    return True


@pytest.fixture
def inbox(open_browser: OpenBrowser, newcomer: Newcomer) -> Page:
    return open_browser(newcomer("keys", *(message(f"Lettre {number}") for number in range(6))), language="en")


def tabs_until(page: Page, selector: str) -> int:
    """How often the Tab key is pressed until the focus is there, skip links being followed once each."""
    followed: set[str] = set()
    for pressed in range(1, 60):
        page.keyboard.press("Tab")
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return pressed
        link = page.evaluate("document.activeElement.matches('.skip') ? document.activeElement.textContent : ''")
        if link and link not in followed and link != "Skip to folders":
            followed.add(link)
            page.keyboard.press("Enter")
            if page.evaluate("one => document.activeElement.matches(one)", selector):
                return pressed
    pytest.fail(f"{selector}: not within 60 keys")


def test_the_heading_gets_the_focus_and_names_the_page(inbox: Page) -> None:
    inbox.click("nav.areas a[href='/contacts']")
    expect(inbox.locator("main h1")).to_be_focused()
    expect(inbox.get_by_role("main", name="Contacts")).to_have_count(1)
    inbox.click("nav.areas a[href='/files']")
    expect(inbox.locator("main h1")).to_be_focused()
    expect(inbox.get_by_role("main", name="Files")).to_have_count(1)


def test_the_first_wrong_field_gets_the_focus(inbox: Page) -> None:
    inbox.goto("/contacts/new")
    inbox.fill("[name=given]", "Nora")
    inbox.fill("#email-1", "nora@ailleurs.example")
    inbox.fill("#email-2", "nowhere")
    inbox.click("main button.btn-primary")
    expect(inbox.locator("#email-2")).to_be_focused()
    expect(inbox.locator("[aria-invalid=true]")).to_have_count(1)
    expect(inbox.locator("#email-2")).to_have_accessible_description("“nowhere” is not an email address.")
    expect(inbox.locator("#email-1")).to_have_accessible_description("")
    inbox.click("main [role=alert] a")
    expect(inbox.locator("#email-2")).to_be_focused()


def test_the_next_row_gets_the_focus(inbox: Page) -> None:
    inbox.locator("[name=uids]").nth(1).check()
    inbox.click(".list-bar button[value=delete]")
    expect(inbox.locator("[data-row]")).to_have_count(5)
    expect(inbox.locator(ROW_LINK).nth(1)).to_be_focused()


def test_few_keys_lead_to_a_row_and_to_its_actions(inbox: Page) -> None:
    assert tabs_until(inbox, ROW_LINK) <= FEW
    inbox.locator("[name=uids]").nth(2).focus()
    inbox.keyboard.press(" ")
    assert tabs_until(inbox, ".list-bar button[value=delete]") <= FEW


def test_few_keys_lead_to_the_first_event(inbox: Page) -> None:
    page = inbox
    page.goto("/calendar/events/new")
    page.fill("[name=title]", "Council")
    page.click("main button.btn-primary")
    page.wait_for_selector("#notices .notice")
    page.goto("/calendar")
    expect(page.locator("script[src*='calendar/keys.js']")).to_have_count(1)
    assert tabs_until(page, "[data-event]") <= FEW


def test_the_list_says_what_its_columns_are_and_each_subject_once(inbox: Page) -> None:
    for at, name in enumerate(("Select", "Flag", "From", "Subject", "Details", "Date")):
        expect(inbox.get_by_role("columnheader").nth(at)).to_have_accessible_name(name)
    row = inbox.locator("[data-row]").first
    expect(row.get_by_role("link", name="Lettre 5")).to_have_count(1)
    expect(row.get_by_role("checkbox", name="Select", exact=True)).to_have_count(1)
    expect(row.get_by_role("button", name="Flag", exact=True)).to_have_count(1)


def test_the_headings_leave_the_columns_as_wide_as_they_were(inbox: Page) -> None:
    widths = "[...document.querySelector('[data-row]').cells].map(one => Math.round(one.getBoundingClientRect().width))"
    box, star, _people, subject, *_rest = inbox.evaluate(widths)
    assert (box, star) == (44, 34) and subject > 400
