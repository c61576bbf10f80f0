"""Making room in a browser: the page fits narrow screens, is accessible, and does all it does without scripts too."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.attachments import file, letter
from tests.support.browsing import overflow
from tests.support.messages import message
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]
LONG = "Compte-rendu-de-la-reunion-interdisciplinaire-extraordinaire-" * 3 + ".pdf"


@pytest.fixture
def zoe(demo: Services) -> str:
    """The address of somebody new whose mailbox is almost full: newsletters of long ago, messages with files, trash."""
    address = f"zoe-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Zoé", 1_000_000)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    old = imaplib.Time2Internaldate(time.time() - 400 * 86_400)
    for number in range(4):
        more = {"List_Unsubscribe": "<https://soldes.example/leave>", "sender": "Soldes d’hiver <news@soldes.example>"}
        client.append("INBOX", "", old, bytes(message(f"Promo {number}", "x" * 70 + "\n", **more)))
    for number in range(2):
        raw = letter(f"Rapport {number} <b>", file(LONG, b"x" * 320_000, "pdf"), text="Le texte reste.").as_bytes()
        client.append("INBOX", "(\\Seen)", old, raw.replace(b"\n", b"\r\n"))
    client.append("Trash", "", old, bytes(message("Vieux", "y" * 900)))
    client.logout()
    return address


def test_making_room_from_the_side_bar(open_browser: OpenBrowser, zoe: str, scripts: bool) -> None:
    page = open_browser(zoe)
    expect(page.locator("#room-low")).to_contain_text("pleine à")
    page.click("#folders .quota a[href='/room']")
    expect(page.locator("h1")).to_have_text("Libérer de l’espace")
    page.click("#room-report form[action='/room/report'] button")
    row = page.locator("#room-report li", has_text="Soldes d’hiver")
    if not scripts:
        eventually(lambda: page.goto("/room") and row.count(), step=0.3, what="the report")
    expect(row).to_contain_text("4 messages")
    row.get_by_role("button").click()
    expect(page.locator("#notices")).to_contain_text("4 messages")
    expect(page.locator("#room-report li", has_text="Soldes d’hiver")).to_have_count(0)
    with page.expect_response(lambda answer: answer.request.method == "POST"):  # going on would break it off
        page.locator("#notices form button").first.click()
    page.goto("/mailbox/INBOX")
    expect(page.locator("[data-row]")).to_have_count(6)


def test_removing_attachments(open_browser: OpenBrowser, zoe: str, scripts: bool) -> None:
    page = open_browser(zoe, at="/room")
    page.locator("main [name=uids]").first.check()
    page.locator("main button", has_text="Supprimer les pièces jointes").click()
    expect(page.locator("h1")).to_have_text("Supprimer les pièces jointes")
    page.locator("main button.btn-danger").click()
    expect(page.locator("h1")).to_have_text("Libérer de l’espace")
    if scripts:
        expect(page.locator("#notices")).to_contain_text("Pièces jointes supprimées de 1 message")
    done = page.locator("main", has_text="supprimées de 1 message")
    eventually(lambda: page.goto("/tasks") and done.count(), step=0.3, what="a message without its attachments")
    page.locator("main a", has_text="Ouvrir le message").click()
    expect(page.locator("main")).to_contain_text("Pièce jointe supprimée le")
    expect(page.locator("main")).to_contain_text("Le texte reste.")
    page.goto("/tasks")
    page.locator("main form[action$='/undo'] button").click()
    expect(page.locator("#notices")).to_contain_text("a retrouvé ses pièces jointes")


@pytest.mark.parametrize("scripts", [True])
@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_is_accessible(
    open_browser: OpenBrowser,
    zoe: str,
    check_accessibility: Callable[[Page], None],
    width: int,
    dark: bool,
    screenshots: Path | None,
) -> None:
    page = open_browser(zoe, width=width, dark=dark)

    def look(name: str) -> None:
        if screenshots:
            page.screenshot(path=screenshots / f"room-{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
        assert overflow(page) <= 0, name
        check_accessibility(page)

    look("inbox")
    page.goto("/room")
    page.click("#room-report form[action='/room/report'] button")
    expect(page.locator("#room-report li", has_text="Soldes d’hiver")).to_be_visible()
    look("page")
    page.locator("main [name=uids]").first.check()
    page.locator("main button", has_text="Supprimer les pièces jointes").click()
    expect(page.locator("h1")).to_have_text("Supprimer les pièces jointes")
    look("detach")
