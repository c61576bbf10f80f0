"""What old engines need, looked at in a new one: scripts that they can read, and icons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import checkers
from tests.support.browsing import until_true

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"
STATIC = Path(__file__).resolve().parents[2] / "static"
OURS, VENDORED = 5, 2018  # ECMAScript
# what came with Chrome 80 and later, or Safari 13.1 and later; as strings, since a method has no syntax of its own
TOO_NEW = (
    ".replaceChildren(", ".replaceAll(", ".matchAll(", ".allSettled(", "structuredClone(", "Object.hasOwn(", ".requestSubmit(",
    ".findLast(", "queueMicrotask(", "Promise.any(", ".randomUUID(",
)  # fmt: skip


@pytest.fixture
def scripts() -> bool:
    return True


def test_old_engines_can_read_all_scripts(open_browser: OpenBrowser) -> None:
    checkers.need("acorn")
    page = open_browser()
    unread = {}
    for script in STATIC.rglob("*.js"):
        version = VENDORED if "vendor" in script.parts else OURS
        if why := checkers.parses(page, script.read_text(encoding="utf-8"), version):
            unread[script.name] = why
    assert unread == {}
    assert checkers.parses(page, "a ?? b", VENDORED), "the parser would take anything"


def test_no_script_calls_what_old_engines_do_not_have() -> None:
    found = {
        (script.name, call) for script in STATIC.rglob("*.js") for call in TOO_NEW if call in script.read_text(encoding="utf-8")
    }
    assert found == set()


def test_icons_where_only_xlink_is_known(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    assert page.locator("use[*|href]").count() and not page.evaluate(_LINKED)
    page.add_init_script("Object.defineProperty(SVGUseElement.prototype, 'href', {get: () => ({baseVal: ''})})")
    page.reload()
    until_true(page, _LINKED)
    page.click("nav.areas a[href='/contacts']")
    expect(page.locator("nav.areas a[aria-current]")).to_have_attribute("href", "/contacts")
    until_true(page, _LINKED)


_LINKED = """() => [...document.querySelectorAll("use")].every(
    one => one.getAttributeNS("http://www.w3.org/1999/xlink", "href") === one.getAttribute("href"))"""
