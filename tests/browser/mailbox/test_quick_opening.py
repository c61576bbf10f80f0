"""What makes pages open quickly on a slow computer and a slow line."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import until_true
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
only_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])
LINK = "[data-row] .s a[id]"
COUNT = """() => {
  window.left = 0;
  document.addEventListener("htmx:beforeCleanupElement", () => { window.left += 1; });
}"""

SELECT = """() => {
  const walk = document.createTreeWalker(document.querySelector("[data-message-body]"), NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    const at = node.data.indexOf("Second mot");
    if (at >= 0) getSelection().setBaseAndExtent(node, at, node, at + 10);
  }
}"""


@only_scripts
def test_htmx_takes_leave_of_few_elements(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> None:
    page = open_browser(newcomer("quick", *(message(f"Lettre {number}") for number in range(30))))
    page.evaluate(COUNT)
    page.locator(f"{LINK} >> nth=20").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article.reading h1")).to_have_text("Lettre 9")
    assert 0 < page.evaluate("left") < 200  # of more than 400
    page.click("#folders a[aria-current]")
    expect(page.locator("[data-row]")).to_have_count(30)
    expect(page.locator("main h1.list-title")).to_be_focused()
    page.locator(f"{LINK} >> nth=20").evaluate("link => link.click()")  # without the focus, its row stays all the same
    expect(page.locator("main h1")).to_have_text("Lettre 9")


@only_scripts
def test_what_is_pressed_is_asked_for_before_it_is_let_go(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> None:
    page = open_browser(newcomer("pressed", message("Un"), message("Deux")))
    page.wait_for_selector("script[src*=ahead]", state="attached")
    page.wait_for_load_state("networkidle")
    with page.expect_request(lambda asked: "/message/" in asked.url) as found:
        page.locator(LINK, has_text="Un").dispatch_event("mousedown", {"button": 0})
    assert found.value.headers["x-traboule-prefetch"] == "1"


@only_scripts
def test_an_answer_is_a_plain_link_until_its_script_comes_and_then_quotes_what_is_selected(
    open_browser: OpenBrowser, newcomer: Callable[..., str]
) -> None:
    page = open_browser(newcomer("answers", message("Sortie", "Premier mot\n\nSecond mot")))
    page.route("**/answers.js*", lambda route: None)  # not yet
    page.goto("/message/1/INBOX", wait_until="domcontentloaded")
    page.evaluate(SELECT)
    page.click("#answers a >> nth=0")
    expect(page.locator("#body")).to_have_value(re.compile("Premier mot.*Second mot", re.DOTALL))
    page.unroute("**/answers.js*")
    page.goto("/message/1/INBOX")
    until_true(page, "window.answering")
    page.evaluate(SELECT)
    page.click("#answers a >> nth=0")
    expect(page.locator("#body")).to_have_value(re.compile("> Second mot"))
    expect(page.locator("#body")).not_to_have_value(re.compile("Premier"))
