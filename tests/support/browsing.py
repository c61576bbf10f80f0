"""What tests in a real browser wait for."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.waiting import eventually


def wait_for_row(page: Page, words: str) -> None:
    """Look at the inbox again until a row has these words, as a person without scripts does."""

    def look() -> int:
        page.goto("/mailbox/INBOX")
        return page.locator("[data-row]", has_text=words).count()

    eventually(look, seconds=30, step=0.3, what=f"a row that says {words!r}")


def drawn(page: Page) -> None:
    """Once the page was drawn anew, twice: by then scripts have heard what the last key did to the selection."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
