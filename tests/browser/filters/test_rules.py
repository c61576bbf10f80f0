"""Filters as one makes them in Chromium, with scripts and without: rows that come, go and adapt; the list's buttons."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import overflow
from tests.support.messages import message

OpenBrowser = Callable[..., Page]


@pytest.fixture
def reader(newcomer: Callable[..., str]) -> str:
    return newcomer("filters", message("Conseil de classe", "Bonjour"))


def make(page: Page, name: str, value: str) -> None:
    page.goto("/filters/new")
    page.fill("[name=name]", name)
    page.fill("[name='conditions-0-values']", value)
    page.select_option("[name='actions-0-value']", "Archive")
    page.click("main .toolbar button[value=save]")
    expect(page.locator("#notices")).to_contain_text("saved")


def names(page: Page) -> list[str]:
    return page.locator("[data-rule] h2").all_inner_texts()


def test_rows_adapt_and_keep_what_was_typed(open_browser: OpenBrowser, reader: str, scripts: bool) -> None:
    page = open_browser(reader, language="en", at="/filters/new")
    page.fill("[name=name]", "Week-end")
    page.fill("[name='conditions-0-values']", "typed")
    page.click("#add-condition")
    expect(page.locator("[name='conditions-1-field']")).to_be_visible()
    expect(page.locator("[name='conditions-0-values']")).to_have_value("typed")
    expect(page.locator("[name=name]")).to_have_value("Week-end")
    page.select_option("[name='conditions-1-field']", "weekday")
    if not scripts:  # any button of the form brings the controls that fit
        page.click("#add-action")
        page.click("button[value='remove-action 1']")
    page.check("[name='conditions-1-values'][value='6']")
    page.select_option("[name='actions-0-value']", "Archive")
    page.click("main .toolbar button[value=save]")
    expect(page.locator("[data-rule] p")).to_have_text(
        "If the sender contains “typed”, and it arrives on a Saturday, move it to “Archive”."
    )


def test_the_list_s_buttons_and_undo(open_browser: OpenBrowser, reader: str) -> None:
    page = open_browser(reader, language="en")
    make(page, "One", "1")
    make(page, "Two", "2")
    page.click("[aria-label='Move Two up']")
    expect(page.locator("[data-rule] h2").first).to_have_text("Two")
    page.click(".rule-switch[aria-label=One]")
    expect(page.locator(".rule-switch[aria-label=One]")).to_have_attribute("aria-pressed", "false")
    page.locator("[data-rule]").first.locator("summary").click()
    page.locator("[data-rule]").first.get_by_role("button", name="Delete").click()
    expect(page.locator("[data-rule]")).to_have_count(1)
    page.click("#notices form button")
    expect(page.locator("[data-rule]")).to_have_count(2)
    assert names(page) == ["Two", "One"]


def test_what_is_wrong_is_said_at_the_field(open_browser: OpenBrowser, reader: str) -> None:
    page = open_browser(reader, width=360, language="en", at="/filters/new")
    page.click("main .toolbar button[value=save]")
    wrong = page.locator("[name='conditions-0-values']")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#conditions-0-values-error")).to_have_text("Fill in this field.")
    expect(page.locator("h1")).to_have_text("New filter")
    assert overflow(page) <= 0
