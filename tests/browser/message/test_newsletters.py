"""Real-looking newsletters at the width of a phone: none widens the page, and what they hide from phones is hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from deploy.demo.services import Services
from tests.bench.newsletters import HIDDEN, MAILBOX, MEASURE, READER, WIDE_ONLY, fill
from tests.support.waiting import eventually

_THERE = """() => { const frame = document.querySelector("[data-message-body] iframe"), letter = frame && frame.contentDocument;
    return letter && letter.readyState === "complete" && !!letter.querySelector(".mail"); }"""


def fitting(page: Page, scripts: bool) -> dict[str, Any]:
    """What is measured, once the frame has its height: its letter's; without scripts one of its own, in which the letter scrolls."""
    if not page.evaluate(_THERE):
        return {}
    seen: dict[str, Any] = page.evaluate(MEASURE, [HIDDEN, WIDE_ONLY])
    fits = 0 <= seen["height"] - seen["needed"] < 40 if scripts else seen["height"] > 300
    return seen if fits else {}


def test_no_letter_is_wider_than_a_phone(demo: Services, open_browser: Callable[..., Page], scripts: bool) -> None:
    uids, validity = fill(demo)
    page = open_browser(READER, width=360, dark=True)
    for name, uid in uids.items():
        page.goto(f"/message/{uid}/{MAILBOX}?v={validity}")
        seen = eventually(lambda: fitting(page, scripts), what=f"a frame as high as its letter: {name}")
        assert (name, seen["over"], seen["inner"]) == (name, 0, 0)
        assert (name, seen["hidden"], seen["wideOnly"]) == (name, False, False)
        assert seen["words"] > 20, name
    widest = uids["emploi-du-temps"]
    page.goto(f"/body/{widest}/{MAILBOX}?v={validity}")
    assert page.evaluate("document.querySelector('.mail').scrollWidth") > 1000
    assert page.evaluate("document.documentElement.scrollWidth") == 360
