"""My account in a browser, on a telephone's screen, with scripts and without: name, data, deletion."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable

import pytest
from imapclient import IMAPClient
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.messages import message
from tests.support.waiting import eventually

_numbers = itertools.count(1)


@pytest.fixture
def person(demo: Services) -> str:
    """Somebody with a little mail."""
    number = next(_numbers)
    address = f"compte-{number}@lycee.example"
    accounts.add(demo.database, accounts.Person(address, f"Camille Vasseur {'ABCDEFGHIJ'[number]}"), demo.password)
    client = IMAPClient(HOST, demo.ports.imap, ssl=False)
    client.login(address, demo.password)
    for count in range(3):
        client.append("INBOX", bytes(message(f"Lettre {count}")))
    client.logout()
    return address


def test_a_name_is_changed_and_undone(open_browser: Callable[..., Page], person: str) -> None:
    page = open_browser(person, width=360, at="/account")
    given = page.inner_text("#name p >> nth=0")
    page.click("text=Changer de nom")
    page.fill("main [name=name]", f"Cam {given.rpartition(' ')[2]} Vasseur-Lindqvist")
    page.click("main .btn-primary")
    expect(page.locator(".notices")).to_contain_text("Les autres voient désormais")
    expect(page.locator("#name")).to_contain_text("Vasseur-Lindqvist")
    page.click(".notices form[action='/account/name'] button")
    expect(page.locator("#name")).to_contain_text(given)


def test_ones_data_is_made_and_fetched(open_browser: Callable[..., Page], demo: Services, person: str, scripts: bool) -> None:
    page = open_browser(person, width=360, at="/account")
    page.click("text=Exporter mes données")
    page.click("main form[action='/account/data'] button")
    page.fill("main [name=password]", demo.password)  # asked for again
    page.click("main form button >> nth=0")
    page.click("text=Continuer")
    download = page.locator("main a:has-text('Télécharger')")
    if scripts:  # the page looks by itself
        expect(download).to_be_visible()
    else:
        eventually(lambda: page.goto("/account/data") and download.count(), step=0.3, what="the file of one's data")
    with page.expect_download() as fetched:
        download.click()
    with zipfile.ZipFile(io.BytesIO(fetched.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert archive.read("mail/INBOX.mbox").count(b"\nSubject: Lettre") == 3
        assert "Vos messages" in archive.read("README.txt").decode()


def test_deletion_is_asked_for_and_withdrawn(open_browser: Callable[..., Page], demo: Services, person: str) -> None:
    page = open_browser(person, width=360, at="/account/delete")
    page.fill("[name=reason]", "Je pars à Lyon")
    page.click("main .btn-danger")
    page.fill("main [name=password]", demo.password)  # asked for again
    page.click("main form button >> nth=0")
    page.click("text=Continuer")
    expect(page.locator("main")).to_contain_text("Vous avez demandé la suppression de ce compte")
    page.click("text=Garder mon compte")
    expect(page.locator(".notices")).to_contain_text("Votre compte est conservé.")
    expect(page.locator("main")).not_to_contain_text("Vous avez demandé")


def test_the_pages_fit_and_are_accessible(
    open_browser: Callable[..., Page], person: str, scripts: bool, check_accessibility: Callable[[Page], None]
) -> None:
    for width in (320, 1280):
        page = open_browser(person, width=width, dark=width == 320)
        for address in ("/account", "/account/name", "/account/data", "/account/delete"):
            page.goto(address)
            if scripts:
                assert overflow(page) <= 0, address
                check_accessibility(page)
