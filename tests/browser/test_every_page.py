"""Every page on narrow and wide screens, light and dark: none is wider than the screen, axe finds nothing, none is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.every_page import ADMIN, ADMIN_PAGES, ALICE, NO_PAGES
from webmail import create_app
from webmail.database.connection import db

NO_SCRIPTS = {"print"}  # where the page's own policy forbids all scripts, axe's too

_WIDTH = "document.documentElement.scrollWidth"
_TOO_WIDE = """[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth)
    .map(e => e.outerHTML.slice(0, 80)).slice(-3)"""

OpenBrowser = Callable[..., Page]
Open = Callable[..., Iterator[tuple[str, Page]]]


@pytest.fixture
def scripts() -> bool:
    """axe and the measuring are scripts."""
    return True


@pytest.fixture
def walk(open_browser: OpenBrowser, every_page: dict[str, str]) -> Open:
    """Opens one page after the other, of a visitor, of Alice and of an administrator: (name, page)."""

    def each(**screen: int | bool) -> Iterator[tuple[str, Page]]:
        visitor = open_browser(**screen)
        yield "sign-in", visitor
        for address, pages in ((ALICE, every_page), (ADMIN, ADMIN_PAGES)):
            person = open_browser(address, **screen)
            for name, where in pages.items():
                answer = person.goto(where)
                assert answer and answer.status == (404 if name == "no-such-folder" else 200), (
                    f"{name}: {answer and answer.status}"
                )
                yield name, person

    return each


def test_no_page_is_forgotten(every_page: dict[str, str], tmp_path: Path) -> None:
    before = db.obj
    app = create_app(tmp_path)
    if before is not None:
        db.initialize(before)
    here = app.url_map.bind("localhost")
    shown = {here.match(address.partition("?")[0])[0] for address in (*every_page.values(), *ADMIN_PAGES.values(), "/login")}
    there = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert there - NO_PAGES == shown, "a page that is new belongs in tests/support/every_page.py"
    assert there >= NO_PAGES


@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_page_is_wider_than_the_screen(walk: Open, width: int) -> None:
    wide = {name: page.evaluate(_TOO_WIDE) for name, page in walk(width=width) if page.evaluate(_WIDTH) > width}
    assert wide == {}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)], ids=["narrow and dark", "wide and light"])
def test_every_page_is_accessible(
    walk: Open, check_accessibility: Callable[[Page], None], dark: bool, width: int, screenshots: Path | None
) -> None:
    problems = {}
    for name, page in walk(width=width, dark=dark):
        if screenshots:
            page.screenshot(path=screenshots / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
        if name in NO_SCRIPTS:
            continue
        try:
            check_accessibility(page)
        except AssertionError as error:
            problems[name] = str(error)
    assert problems == {}, "\n".join(f"{name}: {words}" for name, words in problems.items())
