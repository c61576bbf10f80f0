"""What tests in a real browser wait for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Route

from tests.support.waiting import eventually

# without its windows it is the same engine, at a third of the processor's time; CHROMIUM=/usr/bin/chromium for the whole one
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or "/usr/bin/chromium"


def wait_for_row(page: Page, words: str) -> None:
    """Look at the inbox again until a row has these words, as a person without scripts does."""

    def look() -> int:
        page.goto("/mailbox/INBOX")
        return page.locator("[data-row]", has_text=words).count()

    eventually(look, seconds=30, step=0.3, what=f"a row that says {words!r}")


def drawn(page: Page) -> None:
    """Once the page was drawn anew, twice: by then scripts have heard what the last key did to the selection."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


_STYLED = """() => Array.from(document.querySelectorAll("link[rel=stylesheet]"))
    .every(link => link.sheet || link.disabled || !link.href)"""


def styled(page: Page) -> None:
    """Once all of the page and its style sheets are there: its words can be found before them."""
    page.wait_for_load_state("domcontentloaded")
    until_true(page, _STYLED)


_SETTLED = """() => {
    const seen = box => box.height && box.bottom > 0 && box.top < innerHeight;
    return document.readyState === "complete" && document.fonts.status === "loaded"
        && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")
        && Array.from(document.images).every(image => image.complete || !seen(image.getBoundingClientRect()));
}"""


def settled(page: Page) -> None:
    """Once the page looks as it will: all of it is there, its fonts and the pictures that one sees too, and htmx has nothing to do.

    Not once the network is quiet: a page that hears of new mail never is.
    """
    page.wait_for_load_state()
    styled(page)
    until_true(page, _SETTLED)


def wait_for_path(page: Page, path: str) -> None:
    """Once the page with this path has loaded. `wait_for_url("**/path")` takes `/login?next=/path` for it too."""
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window, once it looks as it should."""
    styled(page)
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def until_true(page: Page, script: str, argument: object = None) -> Any:
    """What the script returns in the page, once that is true. Not `wait_for_function`: from the second look on it asks inside the
    page, whose policy forbids to evaluate a text."""
    return eventually(
        lambda: page.evaluate(script, argument), seconds=30, what=script, sleep=lambda _s: page.wait_for_timeout(20)
    )


UPLOADS = "**/uploads/*"


def hold_after_the_first_piece(page: Page) -> list[Route]:
    """Let no piece of a large file but its first leave the browser; those that would have. `page.unroute(UPLOADS)` ends it."""
    held: list[Route] = []

    def look(route: Route) -> None:
        if route.request.method == "PATCH" and route.request.headers["upload-offset"] != "0":
            held.append(route)
        else:
            route.continue_()

    page.route(UPLOADS, look)
    return held


def until_held(page: Page, held: list[Route]) -> None:
    """Once something is held."""
    eventually(lambda: held, seconds=30, what="a request that is held", sleep=lambda _s: page.wait_for_timeout(20))


class Hand:
    """A person's hand at a page, which counts what it presses: clicks of the pointer and the Enter key. Typing and the Tab key
    are not counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def enter(self) -> None:
        self.clicks += 1
        self.page.keyboard.press("Enter")

    def choose(self, among: Locator, name: str) -> None:
        """Press a list, then type what it has by this name."""
        self.clicks += 1
        among.select_option(label=name)

    def choose_file(self, field: Locator, file: Path) -> None:
        """Press the field, then "Open" in the window of the system that it opens."""
        with self.page.expect_file_chooser() as window:
            self.click(field)
        self.clicks += 1
        window.value.set_files(file)
