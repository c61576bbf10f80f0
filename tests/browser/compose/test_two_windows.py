"""A draft with scripts: one window alone is never said to be two, and two never overwrite each other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsing import drawn
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]
ALICE, BOB = "alice@lycee.example", "bob@lycee.example"
SAVED = re.compile(r"\d\sh(\s\d\d)?")


@pytest.fixture(autouse=True)
def _with_scripts(scripts: bool) -> None:
    if not scripts:
        pytest.skip("nothing is saved by itself without scripts")


def add(page: Page, words: str) -> None:
    """Type at the end of the text."""
    page.locator("[name=body]").press("Control+End")
    page.locator("[name=body]").press_sequentially(words)


def begin(page: Page) -> str:
    """A draft that saved itself once; its subject."""
    words = f"Fenêtres {time.time_ns()}"
    page.goto("/compose?format=")  # typed into the field itself
    page.fill("[name=to]", BOB)
    page.fill("[name=subject]", words)
    add(page, "Bonjour")
    expect(page.locator("#saved")).to_contain_text(SAVED)
    return words


def add_until_saved(page: Page, words: str) -> None:
    """The same, until it was saved by itself: the answer brings another revision."""
    before = page.locator("[name=revision]").input_value()
    add(page, words)
    expect(page.locator("[name=revision]")).not_to_have_value(before)


def save(page: Page) -> None:
    """By the button: the page is replaced, and what is typed before that would go with it."""
    page.evaluate("document.querySelector('form.compose-form').dataset.old = 'y'")
    page.click("button[value=save]")
    expect(page.locator("form.compose-form:not([data-old])")).to_be_visible()
    drawn(page)


def expect_calm(page: Page) -> None:
    expect(page.locator("#saved a, #notices a")).to_have_count(0)


def test_one_window_is_never_bothered(open_browser: OpenBrowser) -> None:
    alice = open_browser(ALICE)
    words = begin(alice)
    address = alice.url
    assert "/compose/" in address
    body = alice.locator("[name=body]")
    add_until_saved(alice, " Bob")
    add(alice, ",")
    save(alice)
    expect_calm(alice)

    # left by a link while the last words are not saved yet, then "back"
    add(alice, " un")
    alice.locator("nav a[href='/mailbox/INBOX']").first.click()
    alice.wait_for_selector("[data-row]")
    alice.go_back()
    expect(body).to_have_value(re.compile("Bonjour Bob, un$"))
    add_until_saved(alice, " mot")
    expect_calm(alice)

    # the same page anew, right after typing
    add(alice, " encore")
    alice.reload()
    expect(body).to_have_value(re.compile("un mot encore$"))
    add(alice, ".")
    save(alice)
    expect_calm(alice)
    alice.click("button[value=send]")
    alice.wait_for_selector("[data-row]")
    alice.goto("/outbox")
    expect(alice.locator(".outbox-row", has_text=words)).to_have_count(1)


def test_what_was_saved_by_itself_and_comes_late_takes_no_words_away(open_browser: OpenBrowser) -> None:
    """As on a busy server: a reload follows while a save of earlier words is still on its way."""
    alice = open_browser(ALICE)
    begin(alice)
    posted: list[tuple[str, dict[str, str]]] = []
    alice.on("request", lambda one: posted.append((one.post_data or "", one.headers)) if one.method == "POST" else None)
    add_until_saved(alice, " Bob")
    late, headers = posted[-1]
    add(alice, ", encore")
    alice.reload()
    body = alice.locator("[name=body]")
    expect(body).to_have_value("Bonjour Bob, encore")
    kept = {name: value for name, value in headers.items() if name.startswith(("hx-", "content-type"))}
    assert alice.request.post(alice.url, data=late, headers={**kept, "Referer": alice.url}).status == 200
    alice.reload()
    expect(body).to_have_value("Bonjour Bob, encore")


def test_a_page_that_came_without_the_last_words_is_asked_for_again(open_browser: OpenBrowser) -> None:
    """As on a busy server: the draft is read before the words that went as the page was left are in it."""
    alice = open_browser(ALICE)
    begin(alice)
    add_until_saved(alice, " Bob")
    early = [alice.request.get(alice.url).text()] * 2

    def answer(route: Route) -> None:
        if route.request.method == "GET" and early:
            route.fulfill(body=early.pop(), content_type="text/html; charset=utf-8")
        else:
            route.continue_()

    add(alice, ", encore")
    alice.route(alice.url, answer)
    alice.goto(alice.url)
    expect(alice.locator("[name=body]")).to_have_value("Bonjour Bob, encore")
    assert early == []


@pytest.mark.parametrize("button", ["save", "send"])
def test_an_autosave_that_was_overtaken_by_a_click_is_no_other_window(open_browser: OpenBrowser, button: str) -> None:
    alice = open_browser(ALICE)
    begin(alice)
    answers: list[str] = []

    def slow(route: Route) -> None:
        if b"autosave" in (route.request.post_data_buffer or b""):
            answers.append(route.fetch().text())  # the server has it, the browser never hears of it
        else:
            route.continue_()

    alice.route("**/compose/*", slow)
    add(alice, " Bob")
    eventually(lambda: answers, sleep=lambda seconds: alice.wait_for_timeout(seconds * 1000))
    add(alice, ", et la suite")
    alice.click(f"button[value={button}]")
    if button == "send":
        alice.wait_for_selector("[data-row]")
    else:
        expect(alice.locator("[name=body]")).to_have_value("Bonjour Bob, et la suite")
        expect_calm(alice)
    assert answers


def test_two_windows_keep_two_texts(open_browser: OpenBrowser) -> None:
    first = open_browser(ALICE)
    begin(first)
    address = first.url
    second = first.context.new_page()
    second.goto(address)
    second.locator("[name=body]").fill("De la seconde")
    expect(second.locator("#saved")).to_contain_text(SAVED)
    save(second)

    first.locator("[name=body]").fill("De la première")
    expect(first.locator("#saved a")).to_be_visible()
    assert first.url != address
    with first.expect_response(lambda answer: b"autosave" in (answer.request.post_data_buffer or b"")):
        add(first, ", suite")
    own = first.url
    first.locator("#saved a").click()
    expect(first.locator("[name=body]")).to_have_value("De la première, suite")
    assert first.url.split("?")[0] == own
    add(first, " et fin")
    save(first)
    expect_calm(first)
    expect(first.locator("[name=body]")).to_have_value("De la première, suite et fin")
    second.reload()
    expect(second.locator("[name=body]")).to_have_value("De la seconde")
