"""People learned at the first sign-in are suggested; a bare name is asked about, and answered by a button, scripts or not."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from imapclient import IMAPClient
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import drawn, overflow, until_true
from tests.support.messages import message
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]
_numbers = itertools.count(1)


@pytest.fixture
def kim(demo: Services) -> str:
    """Somebody who never signed in here, with 151 messages to Kari in Sent."""
    address = f"kim-{next(_numbers)}@lycee.example"
    demo.add_account(address, "Kim", 1024**3)
    client = IMAPClient("127.0.0.1", demo.ports.imap, ssl=False, timeout=10)
    client.login(address, demo.password)
    client.append("INBOX", bytes(message("Bonjour")))
    sent = f"From: {address}\r\nTo: Kari Nordmann <kari@fjord.example>\r\nSubject: s\r\n\r\n".encode()
    client.multiappend("Sent", [sent] * 151)
    client.logout()
    return address


def learned(page: Page) -> Page:
    """The worker has read the mail."""
    eventually(
        lambda: "fjord.example" in page.request.get("/recipients?words=kari").text(), seconds=60, what="people are learned"
    )
    return page


@pytest.mark.parametrize("scripts", [True])
def test_who_was_written_to_before_is_suggested_from_the_first_day(
    open_browser: OpenBrowser, kim: str, check_accessibility: Callable[[Page], None]
) -> None:
    page = learned(open_browser(kim))
    page.goto("/compose")
    until_true(page, "window.recipients")
    for typed in ("kari", "NÓRD", "fjord"):
        page.fill("#to", "")
        page.locator("#to").press_sequentially(typed)
        options = page.locator("#recipients-found [role=option]")
        expect(options.first).to_have_attribute("data-entry", "Kari Nordmann <kari@fjord.example>")
    page.keyboard.press("Enter")
    expect(page.locator("#to")).to_have_value("Kari Nordmann <kari@fjord.example>, ")
    page.goto("/contacts/people")
    check_accessibility(page)


def test_a_bare_name_is_asked_about_and_the_letter_stays(
    open_browser: OpenBrowser, kim: str, scripts: bool, check_accessibility: Callable[[Page], None]
) -> None:
    page = learned(open_browser(kim, width=360))
    page.goto("/compose")
    page.fill("#to", "kari")
    page.fill("[name=subject]", "Sortie")
    page.fill("[name=body]", "Départ à 8 h")
    page.click("button[value=send]")
    expect(page.locator("#whom")).to_contain_text("Qui est «\u00a0kari\u00a0»\u00a0?")
    assert overflow(page) <= 0
    if scripts:
        check_accessibility(page)
    page.click("#whom button >> nth=0")
    expect(page.locator("#to")).to_have_value("Kari Nordmann <kari@fjord.example>")
    expect(page.locator("[name=body]")).to_have_value("Départ à 8 h")
    expect(page.locator("#whom")).to_have_count(0)


def test_somebody_is_forgotten_and_taken_back(open_browser: OpenBrowser, kim: str) -> None:
    page = learned(open_browser(kim))
    page.goto("/contacts/people")
    page.click("main table [value=forget] >> nth=0")
    expect(page.locator("main table")).not_to_contain_text("kari@fjord.example")
    page.click("text=Annuler")
    expect(page.locator("main table")).to_contain_text("kari@fjord.example")


@pytest.mark.parametrize("scripts", [True])
def test_an_address_is_forgotten_where_it_is_suggested(
    open_browser: OpenBrowser, kim: str, check_accessibility: Callable[[Page], None]
) -> None:
    page = learned(open_browser(kim))
    page.goto("/compose")
    until_true(page, "window.recipients")
    kari = page.locator("#recipients-found [data-learned='kari@fjord.example']")
    gone = page.locator("#recipients-forgotten")
    page.locator("#to").press_sequentially("kari")
    kari.locator(".forget").click()
    expect(gone).to_contain_text("kari@fjord.example ne sera plus")
    expect(kari).to_have_count(0)
    check_accessibility(page)
    page.fill("#to", "")
    with page.expect_response("**/recipients?words=kari"):
        page.locator("#to").press_sequentially("kari")
    drawn(page)
    expect(kari).to_have_count(0)
    gone.get_by_role("button").click()
    expect(gone).to_be_hidden()
    expect(page.locator("#to")).to_be_focused()
    expect(kari).to_be_visible()
    page.keyboard.press("Delete")  # nothing was highlighted with the arrows: it is the text's
    expect(kari).to_be_visible()
    page.keyboard.press("Shift+Delete")
    expect(gone).to_contain_text("kari@fjord.example")
    expect(page.locator("#to")).to_be_focused()
    assert "kari" not in page.request.get("/recipients?words=kari").text()
