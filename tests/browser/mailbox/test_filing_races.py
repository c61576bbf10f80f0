"""Filing with quick fingers and odd names: one chooser at a time, and the folder that was meant."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import drawn
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
pytestmark = pytest.mark.parametrize("scripts", [True])


@pytest.fixture
def emil(demo: Services) -> str:
    """The address of somebody new, with a message and a folder in a folder that is called as the list's address is."""
    address = f"emil-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Emil", 10**8)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    for name in ("Amis", "Amis/mailbox", "Amis/mailbox/50% & plus"):
        assert client.create(f'"{name}"'.replace("&", "&-"))[0] == "OK"
        client.subscribe(f'"{name}"'.replace("&", "&-"))
    client.append("INBOX", "", None, bytes(message("Message 0")))
    client.logout()
    return address


def test_a_folder_below_one_called_mailbox_is_the_one_that_is_meant(open_browser: OpenBrowser, emil: str) -> None:
    page = open_browser(emil, language="en")
    page.mouse.move(1, 1)
    with page.expect_event("requestfinished", lambda request: "drag.js" in request.url):
        page.locator("[data-row]").hover()
    drawn(page)
    page.locator("[data-row] a[id]").drag_to(page.locator("#folders a", has_text="50% & plus"))
    expect(page.locator("#notices")).to_contain_text("1 message moved to 50% & plus.")


def test_two_buttons_pressed_at_once_open_one_chooser(open_browser: OpenBrowser, emil: str) -> None:
    page = open_browser(emil, language="en")
    page.locator("[name=uids]").check()
    page.locator(".list-bar button[value=moveto]").click()  # the script comes with the first
    expect(page.locator(".chooser-pop")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("""() => ["moveto", "moveto", "tags"].forEach(
        value => document.querySelector(`.list-bar button[value=${value}]`).click())""")
    expect(page.locator("#chooser-title").last).to_have_text("Tags on 1 message")
    page.wait_for_load_state("networkidle")
    assert page.locator(".chooser-pop").count() == 1 and page.locator("[aria-expanded=true]").count() == 0  # the menu has its own
    page.keyboard.press("Escape")
    expect(page.locator(".chooser-pop")).to_have_count(0)
