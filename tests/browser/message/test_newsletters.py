"""Real-looking newsletters at the width of a phone: none widens the page, and what they hide from phones is hidden."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from deploy.demo.services import Services
from tests.bench.newsletters import HIDDEN, MAILBOX, MEASURE, READER, WIDE_ONLY, fill


def test_no_letter_is_wider_than_a_phone(demo: Services, open_browser: Callable[..., Page], scripts: bool) -> None:
    uids, validity = fill(demo)
    page = open_browser(READER, width=360, dark=True)
    for name, uid in uids.items():
        page.goto(f"/message/{uid}/{MAILBOX}?v={validity}")
        page.wait_for_load_state("networkidle")
        seen = page.evaluate(MEASURE, [HIDDEN, WIDE_ONLY])
        assert (name, seen["over"], seen["inner"]) == (name, 0, 0)
        assert (name, seen["hidden"], seen["wideOnly"]) == (name, False, False)
        assert seen["words"] > 20, name
        if scripts:
            assert 0 <= seen["height"] - seen["needed"] < 40, name
        else:
            assert seen["height"] > 300, name  # it scrolls in its own box
    widest = uids["emploi-du-temps"]
    page.goto(f"/body/{widest}/{MAILBOX}?v={validity}")
    assert page.evaluate("document.querySelector('.mail').scrollWidth") > 1000
    assert page.evaluate("document.documentElement.scrollWidth") == 360
