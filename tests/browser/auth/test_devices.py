"""The devices page in a browser: an app password is made, shown once and revoked; a session is ended."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from imapclient import IMAPClient
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.waiting import eventually

_numbers = itertools.count(1)
Open = Callable[..., Page]


@pytest.fixture
def address(demo: Services) -> str:
    made = f"devices-{next(_numbers)}@lycee.example"
    demo.add_account(made, "Denise")
    with _imap(demo, made, demo.password) as client:
        client.append("INBOX", bytes(message("Bonjour")))
    return made


def _imap(demo: Services, address: str, password: str) -> IMAPClient:
    client = IMAPClient("127.0.0.1", demo.ports.imap, ssl=False, timeout=10)
    client.login(address, password)
    return client


def _make(page: Page, demo: Services, name: str) -> str:
    """Through the question for the account's password, if it comes; returns the app password as it is copied."""
    page.goto("/devices")
    page.fill("#new-app-password [name=name]", name)
    page.uncheck("[name=use][value=smtp]")
    page.click("#new-app-password button")
    shown, question = page.locator("[data-device-password]"), page.locator("main [name=password]")
    expect(shown.or_(question).first).to_be_visible()
    if question.count():
        question.fill(demo.password)
        page.click("main form.form button >> nth=0")
        page.click("main form button.btn-primary")  # go on with what was begun
    expect(shown).to_be_visible()
    return shown.inner_text()


def test_an_app_password_is_shown_once_used_and_revoked(open_browser: Open, demo: Services, address: str) -> None:
    page = open_browser(address)
    letters = _make(page, demo, "Téléphone")
    assert re.fullmatch("[a-z]{6}( [a-z]{6}){3}", letters)
    expect(page.locator(".made")).to_contain_text(address)
    page.reload()
    expect(page.locator("[data-device-password]")).to_have_count(0)
    row = page.locator("[data-app-password]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Pas encore utilisé")
    client = _imap(demo, address, letters)

    def told() -> None:
        page.reload()
        expect(row).to_contain_text(re.compile("Dernière utilisation.*IMAP.*127.0.0.1", re.DOTALL), timeout=1000)

    _until(told)
    row.locator("button").click()
    expect(row).to_have_count(0)
    expect(page.locator("#notices")).to_contain_text("« Téléphone »")
    eventually(lambda: _is_ended(client), step=0.05, what="the end of a connection with a password that was revoked")
    with pytest.raises(IMAPClient.Error):
        _imap(demo, address, letters)


def _is_ended(client: IMAPClient) -> bool:
    """Whether Dovecot has ended it."""
    try:
        client.noop()
    except (IMAPClient.AbortError, OSError):
        return True
    return False


def _until(look: Callable[[], None], times: int = 20) -> None:
    for left in reversed(range(times)):
        try:
            look()
            return
        except AssertionError:
            if not left:
                raise


def test_back_does_not_show_it_again(open_browser: Open, demo: Services, address: str) -> None:
    page = open_browser(address)
    letters = _make(page, demo, "Téléphone")
    page.goto("/contacts")
    page.go_back()
    expect(page).to_have_url(re.compile("/devices"))
    expect(page.locator("#app-passwords")).to_be_visible()
    assert letters not in page.content()


def test_what_is_missing_is_said_beside_its_field(open_browser: Open, demo: Services, address: str) -> None:
    page = open_browser(address)
    _make(page, demo, "Téléphone")
    page.fill("#new-app-password [name=name]", "   ")
    page.uncheck("[name=use][value=imap]")
    page.uncheck("[name=use][value=smtp]")
    page.click("#new-app-password button")
    expect(page.locator("#new-app-password .field-error")).to_have_count(2)
    expect(page.locator("[name=name][aria-invalid=true]")).to_have_count(1)


def test_another_browser_is_signed_out(open_browser: Open, address: str) -> None:
    here, there = open_browser(address), open_browser(address)
    here.goto("/devices")
    rows = here.locator("[data-session]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Ce navigateur")
    rows.nth(1).locator("button").click()
    expect(here.locator("[data-session]")).to_have_count(1)
    there.goto("/devices")
    expect(there).to_have_url(re.compile("/login"))
    open_browser(address)
    here.goto("/devices")
    here.click("button[value=others]")
    expect(here.locator("[data-session]")).to_have_count(1)
