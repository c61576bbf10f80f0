"""Draft state: where the text is, and how long one may still undo: with scripts and without."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.messages import message
from tests.support.settings_pages import choose_in_browser

ALICE = "alice@lycee.example"


def begin(page: Page) -> str:
    subject = f"Mots {time.time_ns()}"
    page.goto("/compose")
    page.fill("[name=to]", "bruno@lycee.example")
    page.fill("[name=subject]", subject)
    page.fill("[name=body]", "Bonjour")
    return subject


def test_an_undone_message_is_in_drafts_and_the_form_says_so(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], scripts: bool
) -> None:
    page = open_browser(newcomer("undoes", message("Bonjour")), language="en")
    choose_in_browser(page, "undo_seconds", "30")
    subject = begin(page)
    page.click("button[value=send]")
    notice = page.locator(".notice", has_text="Sending in")
    expect(notice).to_contain_text("Sending in 30 s." if not scripts else re.compile(r"in \d+ s\."))
    if scripts:  # it counts down by itself, and goes on counting on the next page
        expect(notice).to_contain_text(re.compile(r"in (2[0-8]|1\d) s\."))
        page.reload()
        expect(notice).to_contain_text(re.compile(r"in (2[0-7]|1\d) s\."))
    notice.locator("button").click()
    expect(page.locator("#saved")).to_contain_text("Saved in Drafts at")
    page.goto("/mailbox/Drafts")
    expect(page.locator("[data-row]", has_text=subject)).to_have_count(1)
    expect(page.locator(".kept-drafts")).to_have_count(0)


def test_saving_says_saved_and_typing_says_kept(open_browser: Callable[..., Page], scripts: bool) -> None:
    page = open_browser(ALICE, language="en")
    begin(page)
    page.click("button[value=save]")
    expect(page.locator("#saved")).to_contain_text("Saved in Drafts at")
    if scripts:
        page.locator("[name=body]").press_sequentially(" à tous")
        expect(page.locator("#saved")).to_contain_text("Saved at")
