"""Connecting a phone in a browser, with scripts and without: the question, the pictures, and who signs in by real IMAP."""

from __future__ import annotations

import itertools
import plistlib
import re
from collections.abc import Callable

import pytest
from imapclient import IMAPClient
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.messages import message

_numbers = itertools.count(1)
Open = Callable[..., Page]


@pytest.fixture
def address(newcomer: Callable[..., str]) -> str:
    return newcomer("connect", message("Bonjour"))


def _connect(page: Page, demo: Services, kind: str) -> None:
    """From the page of devices to the steps, through the question for the account's password."""
    page.goto("/devices")
    page.click(f"main a[href$='/{kind}']")
    page.click("#connect button")
    page.fill("main [name=password]", demo.password)
    page.click("main form.form button >> nth=0")
    page.click("main form button.btn-primary")  # go on with what was begun
    expect(page.locator("[data-device-password]")).to_be_visible()


def test_the_page_tells_by_itself_that_the_device_signed_in(
    open_browser: Open, demo: Services, address: str, scripts: bool
) -> None:
    page = open_browser(address)
    _connect(page, demo, "other")
    letters = page.locator("[data-device-password]").inner_text()
    assert re.fullmatch("[a-z]{6}( [a-z]{6}){3}", letters)
    expect(page.locator("#watch")).to_contain_text("En attente de la connexion")
    expect(page.locator(".made")).to_contain_text("mail.lycee.example")
    with IMAPClient("127.0.0.1", demo.ports.imap, ssl=False, timeout=10) as client:
        client.login(address, letters)
    if not scripts:
        page.click("#watch a.btn")
    expect(page.locator("#watch h2")).to_have_text("« Mon appareil » est connecté")
    expect(page.locator("#watch")).to_contain_text(re.compile(r"Connexion il y a \d+ secondes?"))
    if not scripts:
        expect(page.locator("[data-device-password]")).to_have_text(letters)  # the other server is still to be typed
    page.click("button[value=done]")
    expect(page.locator("[data-device-password]")).to_have_count(0)


def test_a_profile_is_downloaded_on_the_device_itself_once(open_browser: Open, demo: Services, address: str) -> None:
    page = open_browser(address, width=360)
    _connect(page, demo, "iphone")
    expect(page.locator(".qr svg")).to_be_visible()
    where = page.locator("form[action^='/devices/profile/']").get_attribute("action")
    with page.expect_download() as download:
        page.click("form[action^='/devices/profile/'] button")
    content = plistlib.loads(download.value.path().read_bytes())
    mail = content["PayloadContent"][0]
    assert (mail["EmailAddress"], mail["IncomingMailServerHostName"]) == (address, "mail.lycee.example")
    with IMAPClient("127.0.0.1", demo.ports.imap, ssl=False, timeout=10) as client:
        client.login(mail["IncomingMailServerUsername"], mail["IncomingPassword"])
    page.reload()
    expect(page.locator(".qr, form[action^='/devices/profile/']")).to_have_count(0)
    stranger = open_browser()
    stranger.goto(where or "")
    expect(stranger.locator("h1")).to_have_text("Ce profil n’est plus disponible")


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])  # axe is one
@pytest.mark.parametrize("kind", ["android", "iphone"])
def test_pictures_and_password_fit_a_narrow_screen_and_are_for_everybody(
    open_browser: Open, demo: Services, address: str, check_accessibility: Callable[[Page], None], kind: str
) -> None:
    page = open_browser(address, width=320)
    _connect(page, demo, kind)
    page.click("#watch summary")
    assert overflow(page) <= 0
    check_accessibility(page)
