"""A sender that is blocked by one click, and a filter that is suggested for moves by hand, in Chromium, with scripts and without."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]


@pytest.fixture
def reader(demo: Services) -> str:
    """The address of somebody new, with five messages of one sender and a folder."""
    address = f"senders-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Nora Petit", 10**8)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    client.create("Devis")
    for number in range(5):
        client.append("INBOX", "", "", bytes(message(f"Devis {number}", sender="Jeanne Dupont <jeanne@outside.example>")))
    client.logout()
    return address


def test_a_sender_is_blocked_and_let_back_in(open_browser: OpenBrowser, reader: str) -> None:
    page = open_browser(reader, language="en", at="/message/1/INBOX")
    page.locator(".list-bar details.menu > summary").first.click()
    page.locator(".sub summary", has_text="Sender and people").click()
    page.click("text=Block sender")
    expect(page.locator("#notices")).to_contain_text("“jeanne@outside.example” is blocked")
    expect(page.locator("[data-row]")).to_have_count(4)
    page.click("#notices button")
    expect(page.locator("[data-row]")).to_have_count(5)
    page.goto("/filters/senders")
    expect(page.locator("#sender")).to_be_visible()
    expect(page.locator("[data-senders]")).to_have_count(0)


def test_the_third_move_is_followed_by_a_suggestion(open_browser: OpenBrowser, reader: str) -> None:
    page = open_browser(reader, language="en")
    for left in (4, 3, 2):
        page.locator("[data-row] input[type=checkbox]").first.check()
        page.click(".list-bar button[value=moveto]")
        page.locator("button[value='move:Devis']").first.click()
        expect(page.locator("[data-row]")).to_have_count(left)
        page.goto("/mailbox/INBOX")
    suggestion = page.locator("#notices", has_text="Always move messages from jeanne@outside.example to “Devis”?")
    # counted once the answer has gone
    eventually(lambda: suggestion.count() or (page.goto("/mailbox/INBOX") and suggestion.count()), step=0.1, what="a suggestion")
    page.click("text=Create a filter")
    expect(page.locator("[name='conditions-0-values']")).to_have_value("jeanne@outside.example")
    expect(page.locator("[name='actions-0-value']")).to_have_value("Devis")
    page.click("main .toolbar button[value=save]")
    expect(page.locator("[data-rule]")).to_contain_text("If the sender is “jeanne@outside.example”")
