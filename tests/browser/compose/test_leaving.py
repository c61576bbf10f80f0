"""The words typed last are there again after a reload or "Back", also where the address knew nothing of the draft."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsing import until_true
from tests.support.waiting import eventually

ALICE = "alice@lycee.example"


@pytest.fixture(autouse=True)
def _with_scripts(scripts: bool) -> None:
    if not scripts:
        pytest.skip("without scripts only a button saves")


def begin(page: Page, address: str = "/compose") -> str:
    words = f"Mots {time.time_ns()}"
    page.goto(f"{address}?format=")  # typed into the field itself
    until_true(page, "window.composing")
    page.locator("[name=body]").press("Control+Home")
    page.locator("[name=body]").press_sequentially(words)
    return words


def expect_words(page: Page, words: str) -> None:
    page.wait_for_url("**/compose/*")
    expect(page.locator("[name=body]")).to_have_value(re.compile(re.escape(words)))


def test_a_new_message_is_there_again_after_a_reload(open_browser: Callable[..., Page]) -> None:
    page = open_browser(ALICE)
    words = begin(page)
    page.reload()
    expect_words(page, words)


def test_a_message_that_was_left_is_there_again_after_back(open_browser: Callable[..., Page]) -> None:
    page = open_browser(ALICE)
    words = begin(page)
    page.click("a.brand")
    page.wait_for_url("**/mailbox/INBOX")
    page.go_back()
    expect_words(page, words)
    words = begin(page)
    page.goto("/settings")
    page.go_back()
    expect_words(page, words)


def test_what_was_written_before_the_scripts_is_saved_by_itself(open_browser: Callable[..., Page]) -> None:
    page = open_browser(ALICE)
    held: list[Route] = []
    page.route("**/compose/form.js*", lambda route: held.append(route))
    page.goto("/compose?format=", wait_until="domcontentloaded")
    page.fill("[name=to]", "nadia@world.test")
    page.fill("[name=subject]", words := f"Avant les scripts {time.time_ns()}")
    eventually(lambda: held, what="the script that is held", sleep=lambda _s: page.wait_for_timeout(20))
    held[0].continue_()
    page.unroute("**/compose/form.js*")
    expect(page.locator("#saved")).to_contain_text("rouillon")
    page.reload()
    expect(page.locator("[name=subject]")).to_have_value(words)
    expect(page.locator("[name=to]")).to_have_value(re.compile("^nadia@world.test"))


def test_an_answer_is_there_again_after_a_reload(open_browser: Callable[..., Page]) -> None:
    page = open_browser(ALICE)
    link = page.locator("[data-row] .s a").first.get_attribute("href") or ""
    words = begin(page, link.replace("/message/", "/reply/").partition("?")[0])
    page.reload()
    expect(page.locator("[name=body]")).to_have_value(re.compile(re.escape(words)))
    expect(page.locator("#back")).to_have_value(re.compile("^/mailbox/"))


def test_an_error_page_of_a_proxy_takes_no_text_away(open_browser: Callable[..., Page]) -> None:
    page = open_browser(ALICE, language="en")
    words = begin(page)
    status = [429]  # the browser reports those from 500 on as errors of the script

    def broken(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status[0], body="<html><h1>nginx</h1></html>", content_type="text/html")
        else:
            route.continue_()

    page.route("**/compose/*", broken)
    page.click("button[value=save]")
    expect(page.locator("#notices")).to_contain_text("nothing on this page is lost")
    status[0] = 413
    page.set_input_files("#attachments-field", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})
    expect(page.locator("#notices")).to_contain_text("too large")
    expect(page.locator("body")).not_to_contain_text("nginx")
    page.unroute("**/compose/*")
    page.click("button[value=save]")
    expect(page.locator("#saved")).to_contain_text("Saved in Drafts at")
    expect(page.locator("[name=body]")).to_have_value(re.compile(re.escape(words)))


def test_what_a_lost_session_refused_to_save_is_saved_on_leaving(open_browser: Callable[..., Page]) -> None:
    page = open_browser(ALICE, language="en")
    words = begin(page)
    expect(page.locator("#saved")).to_contain_text("Saved in Drafts at")
    address, cookies = page.url, page.context.cookies()
    page.context.clear_cookies()
    page.locator("[name=body]").press_sequentially(" deux")
    expect(page.locator("#notices")).to_contain_text("You were signed out")
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto("/settings")
    page.goto(address)
    expect(page.locator("[name=body]")).to_have_value(re.compile(re.escape(f"{words} deux")))
