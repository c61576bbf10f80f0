"""Single keys, and new mail without reloading: comforts, so with scripts only."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.settings_pages import choose_in_browser

OpenBrowser = Callable[..., Page]
BOB = "bob@lycee.example"
only_with_scripts = pytest.mark.parametrize("scripts", [True])


def focused(page: Page) -> str:
    return str(page.evaluate("(document.activeElement.closest('[data-row]') || {dataset: {}}).dataset.uid || ''"))


def uids(page: Page) -> list[str]:
    return [str(uid) for uid in page.evaluate("[...document.querySelectorAll('[data-row]')].map(row => row.dataset.uid)")]


def arrive(demo: Services, person: str, subject: str) -> None:
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(person, demo.password)
    client.append("INBOX", "", None, bytes(message(subject)))
    client.logout()


@pytest.fixture
def claire(newcomer: Callable[..., str]) -> str:
    """The address of somebody new, who has five messages."""
    return newcomer("claire", *(message(f"Message {number}") for number in range(5)))


@only_with_scripts
def test_keys_move_open_tick_and_put_away(open_browser: OpenBrowser, claire: str) -> None:
    page = open_browser(claire)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    rows = uids(page)
    assert page.locator("script[src*='keys.js']").count() == 0
    page.keyboard.press("j")
    expect(page.locator("[data-row] a:focus")).to_have_count(1)
    assert focused(page) == rows[0] and any("keys.js" in url for url in requests)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == rows[1]
    page.keyboard.press("x")
    expect(page.locator("[name=uids]:checked")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator("[name=uids]:checked")).to_have_count(0)
    flagged = page.locator(f"[data-uid='{rows[1]}'] .f .on").count()
    page.keyboard.press("s")
    expect(page.locator(f"[data-uid='{rows[1]}'] .f .on")).to_have_count(1 - flagged)
    expect(page.locator(f"[data-uid='{rows[1]}'] a")).to_be_focused()
    page.keyboard.press("s")
    page.keyboard.press("e")  # at once: it waits for the answer
    expect(page.locator(f"[data-uid='{rows[1]}']")).to_have_count(0)
    expect(page.locator("[role=status] form")).to_be_visible()
    expect(page.locator(f"[data-uid='{rows[2]}'] a")).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("article h1")).to_be_visible()
    here = page.url
    page.keyboard.press("n")
    expect(page).not_to_have_url(here)
    expect(page.locator("article h1")).to_be_visible()
    page.keyboard.press("p")
    expect(page).to_have_url(here)
    page.keyboard.press("u")
    expect(page.locator("[data-row]").first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.locator("#folders [aria-current] use[href$='#archive']")).to_have_count(1)
    page.keyboard.press("c")
    expect(page.locator("[name=subject]")).to_be_visible()


@only_with_scripts
def test_a_message_is_answered_and_forwarded_by_a_key(open_browser: OpenBrowser) -> None:
    page = open_browser(BOB)
    for key, expected in (("r", r"^Re: "), ("f", r"^(Fwd|Tr) ?: ")):
        page.goto("/mailbox/INBOX")
        page.locator("[data-row] .s a").first.click()
        expect(page.locator("article h1")).to_be_visible()
        page.keyboard.press(key)
        expect(page.locator("[name=subject]")).to_have_value(re.compile(expected))


@only_with_scripts
def test_what_is_typed_in_a_field_or_with_other_keys_is_no_command(open_browser: OpenBrowser) -> None:
    page = open_browser(BOB)
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type("jexc?")
    expect(page.locator("#query")).to_have_value("jexc?")
    assert page.locator("dialog").count() == 0
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+x")
    assert focused(page) == "" and page.locator("[name=uids]:checked").count() == 0


@only_with_scripts
def test_the_list_of_keys_is_a_dialog_that_escape_closes(
    open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(BOB)
    page.keyboard.press("j")
    expect(page.locator("[data-row] a:focus")).to_have_count(1)
    before = focused(page)
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    expect(page.locator("dialog kbd").first).to_be_visible()
    page.keyboard.press("j")  # nothing behind it moves
    check_accessibility(page)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(f"[data-uid='{before}'] a:focus")).to_have_count(1)


@only_with_scripts
def test_without_the_preference_keys_do_nothing(open_browser: OpenBrowser, claire: str) -> None:
    page = open_browser(claire)
    for wanted in (False, True):
        choose_in_browser(page, "shortcuts", wanted)
        page.goto("/mailbox/INBOX")
        page.keyboard.press("?")
        if wanted:
            expect(page.locator("dialog[open]")).to_be_visible()
        else:
            assert page.locator("dialog").count() == 0 and page.locator("script[src*='keys.js']").count() == 0


@only_with_scripts
def test_new_mail_appears_by_itself_and_never_takes_a_selection_away(
    open_browser: OpenBrowser, demo: Services, claire: str
) -> None:
    page = open_browser(claire)
    page.clock.install()
    page.goto("/mailbox/INBOX")
    first, second = f"Premier {time.time_ns()}", f"Second {time.time_ns()}"
    arrive(demo, claire, first)
    page.clock.fast_forward(61_000)
    expect(page.locator("[data-row]", has_text=first)).to_be_visible()
    expect(page.locator("#notices #news")).to_contain_text(re.compile("1 (new message|nouveau message)"))
    expect(page.locator("#news a")).to_have_count(0)
    page.locator("[name=uids]").nth(1).check()
    arrive(demo, claire, second)
    page.clock.fast_forward(61_000)
    expect(page.locator("#news a")).to_be_visible()
    assert page.locator("[data-row]", has_text=second).count() == 0
    expect(page.locator("[name=uids]:checked")).to_have_count(1)
    expect(page).to_have_title(re.compile(r"\(\d+\)"))
    ticked = page.locator("[data-row]:has(:checked)").get_attribute("data-uid")
    page.locator("#news a").click()
    expect(page.locator("[data-row]", has_text=second)).to_be_visible()
    expect(page.locator("[name=uids]:checked")).to_have_count(1)
    assert page.locator("[data-row]:has(:checked)").get_attribute("data-uid") == ticked
    expect(page.locator(".selected")).to_have_text(re.compile(" 1$"))


@only_with_scripts
def test_showing_new_mail_lets_go_of_ticked_rows_that_went(open_browser: OpenBrowser, demo: Services, claire: str) -> None:
    page = open_browser(claire)
    page.clock.install()
    page.goto("/mailbox/INBOX")
    gone, kept = uids(page)[:2]
    page.locator(f"[data-uid='{gone}'] [name=uids]").check()
    page.locator(f"[data-uid='{kept}'] [name=uids]").check()
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(claire, demo.password)
    client.select("INBOX")
    client.uid("STORE", gone, "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    arrive(demo, claire, "Nouveau")
    page.clock.fast_forward(61_000)
    page.locator("#news a").click()
    expect(page.locator("[data-row]", has_text="Nouveau")).to_be_visible()
    expect(page.locator(".selected")).to_have_text(re.compile(" 1$"))
    assert page.locator("[data-row]:has(:checked)").get_attribute("data-uid") == kept


@only_with_scripts
def test_a_session_that_ended_is_told_and_asked_for_no_more(open_browser: OpenBrowser, claire: str) -> None:
    page = open_browser(claire)
    page.clock.install()
    page.goto("/mailbox/INBOX")
    page.context.clear_cookies()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/news/" in request.url else None)
    page.clock.fast_forward(61_000)
    expect(page.locator("#notices #news a")).to_be_visible()
    expect(page.locator("[data-row]").first).to_be_visible()
    page.clock.fast_forward(300_000)
    page.evaluate("() => fetch('/healthz')")  # what was asked for before is known by then
    assert len(asked) == 1
