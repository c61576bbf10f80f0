"""The recovery address in a browser: instead of the second step, and changed only after a factor was asked for again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from imapclient import IMAPClient
from playwright.sync_api import Browser, Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import wait_for_path
from tests.support.outside import mailed_code
from tests.support.second_step import give_codes
from tests.support.second_web import second_web
from tests.support.waiting import eventually
from webmail.models import User

_numbers = itertools.count(1)


@pytest.fixture
def person(demo: Services) -> str:
    """Somebody with a recovery address."""
    address = f"secours-{next(_numbers)}@lycee.example"
    accounts.add(demo.database, accounts.Person(address, "Paule Petit"), demo.password)
    with accounts.tables(demo.database):
        User.update(recovery_address=private(address)).where(User.address == address).execute()
    return address


def private(address: str) -> str:
    return f"{address.partition('@')[0]}@ailleurs.example"


def sign_in(page: Page, address: str, password: str) -> None:
    page.fill("[name=username]", address)
    page.fill("[name=password]", password)
    page.click("main form button[type=submit] >> nth=0")


def test_a_code_by_mail_instead_of_the_second_step(
    open_browser: Callable[..., Page], demo: Services, person: str, tmp_path: Path
) -> None:
    give_codes(demo, person, tmp_path)
    page = open_browser(width=360, at="/login?next=/settings")
    sign_in(page, person, demo.password)
    page.click("text=M’envoyer un code par e-mail")
    expect(page.locator("#notices")).to_contain_text("s…@a….example")
    page.fill("[name=code]", mailed_code(demo, private(person)))
    page.click("main form:has([name=code]) button >> nth=0")
    wait_for_path(page, "/settings")


def test_a_change_asks_for_the_password_again(open_browser: Callable[..., Page], demo: Services, person: str) -> None:
    page, new = open_browser(), f"autre-{next(_numbers)}@ailleurs.example"
    sign_in(page, person, demo.password)
    wait_for_path(page, "/mailbox/INBOX")
    page.goto("/account")
    page.click("#recovery a")
    page.click("a[href*='change=1']")
    page.fill("[name=address]", new)
    page.click("main form.form button")
    page.fill("main [name=password]", demo.password)
    page.click("main form.form button")
    page.click("main form.toolbar button")  # go on with what was interrupted
    page.fill("[name=code]", mailed_code(demo, new))
    page.click("main form.form button")
    expect(page.locator("main")).to_contain_text(new)
    eventually(lambda: _told(demo, private(person), new), what="a mail to the address before")


def test_a_sign_in_from_a_new_browser_is_told(chromium: Browser, demo: Services, person: str) -> None:
    with second_web(demo, new_browser_mail=True) as address:
        for agent in ("Mozilla/5.0 (Windows NT 10.0) Firefox/150.0", "Mozilla/5.0 (X11; Linux) Chrome/150.0"):
            page = chromium.new_context(base_url=address, locale="fr", user_agent=agent).new_page()
            page.goto("/login")
            sign_in(page, person, demo.password)
            wait_for_path(page, "/mailbox/INBOX")
            page.context.close()
    with IMAPClient("127.0.0.1", demo.ports.imap, ssl=False, timeout=20) as client:
        client.login(person, demo.password)
        client.select_folder("INBOX", readonly=True)

        def found() -> bytes:
            client.noop()
            uids = client.search()
            return bytes(client.fetch(uids, ["BODY[TEXT]"])[uids[0]][b"BODY[TEXT]"]) if len(uids) == 1 else b""

        assert b"Chrome, Linux" in eventually(found, what="one mail about the second browser")


def _told(demo: Services, recipient: str, words: str) -> bool:
    texts = [file.read_text(errors="replace") for file in (demo.base / "outside").glob("*.eml")]
    return any(re.search(rf"^To: {re.escape(recipient)}", text, re.M) and words in text for text in texts)
