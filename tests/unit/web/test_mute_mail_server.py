"""A mail server that accepts connections and says nothing: pages that need no mail do not wait for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.support import auth_app
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import create_app
from webmail.account import Account
from webmail.imap.mailbox_list import overviews, recount
from webmail.imap.mailbox_list.overviews import Overview
from webmail.mail import Mailbox, Quota, Role
from webmail.web import current

PAGES = ("/calendar", "/contacts", "/settings", "/transfers", "/devices", "/compose")
MOMENT = 0.2
asked: list[Account] = []  # beside the pages


@pytest.fixture
def alice(tmp_path, monkeypatch) -> Iterator[Visitor]:
    """Signed in; nothing of her mailbox is known yet."""
    monkeypatch.setattr(current, "_MOMENT", MOMENT)
    real = recount.ask_apart

    def ask_apart(account, _seconds, ask):
        asked.append(account)
        return real(account, 0.1, ask)

    asked.clear()
    monkeypatch.setattr(recount, "ask_apart", ask_apart)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # what the system accepts for it, nobody reads
        app = create_app(
            tmp_path / "instance", sign_in="accounts", domain="lycee.example", imap_port=mute.getsockname()[1],
            imap_security="none", server_timeout=20, secure_cookies=False,
        )  # fmt: skip
        auth_app.add("alice@lycee.example")
        who = Visitor(app, language="en")
        fields = {"username": "alice", "password": auth_app.PASSWORD}
        assert who.submit(who.get("/login"), "form[action='/login']", follow=False, **fields).status == 303
        yield who


@pytest.fixture
def seconds(monkeypatch) -> list[float]:
    """The patience of each attempt to ask for folders."""
    asked: list[float] = []
    real = current.imap.connect

    def connect(account, mailbox="", *, patience=None):
        asked.append(patience)
        return real(account, mailbox, patience=patience)

    monkeypatch.setattr(current.imap, "connect", connect)
    return asked


@pytest.mark.parametrize("address", PAGES)
def test_a_page_without_mail_waits_a_moment_at_most(alice, address):
    """It took 4.4 s; on a busy machine too."""
    began = time.monotonic()
    assert alice.get(address).status == 200
    assert time.monotonic() - began < MOMENT + 2


@pytest.mark.parametrize(
    "address", [one for one in PAGES if one != "/compose"] + ["/account", "/tasks", "/contacts/people", "/help"]
)
def test_a_page_with_a_side_bar_of_its_own_asks_for_no_folders(alice, seconds, address):
    page = alice.get(address)
    assert page.status == 200 and page.one("#folders")["aria-label"] != "Folders"
    assert seconds == []


def test_once_it_is_known_to_be_mute_nothing_waits(alice, seconds):
    found_mute(alice)
    seconds.clear()
    for address in PAGES:
        assert alice.get(address).status == 200
    assert seconds == []
    assert "mail server is not responding" in alice.get("/compose").one("#folders").get_text()


def test_what_was_known_stays_beside_the_page(alice, seconds):
    """Though it was to be read again."""
    account = found_mute(alice)
    folders = (Mailbox("INBOX", role=Role.INBOX), Mailbox("Cours"))
    overviews.keep(account, Overview(folders, Quota(99, 100)), time.monotonic() - 120, everything=True, with_quota=True)
    seconds.clear()
    assert "Cours" in alice.get("/compose").one("#folders").get_text()
    assert seconds == []
    assert "99" in alice.get("/calendar").one("#room-low").get_text()


def found_mute(alice: Visitor) -> Account:
    """After a page; returns whose mail was asked for."""
    alice.get("/compose").response.close()  # the answer has gone
    eventually(lambda: recount._away, what="a server that is known to be mute")
    return asked[0]
