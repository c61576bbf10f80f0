"""What the page of a message read of its HTML, found by the frame in it and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from webmail.account import Account, Password, Server
from webmail.mail import Envelope, Message, Structure
from webmail.message import recent_html

SERVER = Server("127.0.0.1", 143, "none")
ALICE = Account("alice@lycee.example", SERVER, SERVER, Password("alice@lycee.example", "demo"))
HTML = {"2": "<p>Rentrée \ud800</p>"}


def message(uid: int = 7, html: dict[str, str] = HTML) -> Message:
    shape = Structure(text=(), html=(), inline=(), attachments=())
    return Message("INBOX", 3, uid, frozenset(), 0, datetime(2026, 3, 1, tzinfo=UTC), Envelope(), shape, html=html)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    told = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(recent_html, "time", SimpleNamespace(monotonic=lambda: told.now))
    recent_html.forget_all()
    yield told
    recent_html.forget_all()


def test_the_frame_finds_it_once() -> None:
    recent_html.keep("session", ALICE, message())
    assert recent_html.take("session", ALICE, "INBOX", 7, 3) == HTML
    assert recent_html.take("session", ALICE, "INBOX", 7, 3) == {}


def test_nobody_else_finds_it() -> None:
    recent_html.keep("session", ALICE, message())
    bob = replace(ALICE, address="bob@lycee.example")
    elsewhere = replace(ALICE, imap=replace(SERVER, port=144))
    for session, account in (("other", ALICE), ("", ALICE), ("session", bob), ("session", elsewhere)):
        assert recent_html.take(session, account, "INBOX", 7, 3) == {}
    for mailbox, uid, uidvalidity in (("Sent", 7, 3), ("INBOX", 8, 3), ("INBOX", 7, 4), ("INBOX", 7, None)):
        assert recent_html.take("session", ALICE, mailbox, uid, uidvalidity) == {}
    assert recent_html.take("session", ALICE, "INBOX", 7, 3) == HTML


def test_without_a_session_nothing_is_kept() -> None:
    recent_html.keep("", ALICE, message())
    assert not recent_html._recent


def test_after_half_a_minute_it_is_gone(clock: SimpleNamespace) -> None:
    recent_html.keep("session", ALICE, message())
    clock.now += recent_html.SECONDS + 1
    assert recent_html.take("session", ALICE, "INBOX", 7, 3) == {}
    recent_html.keep("session", ALICE, message(8))
    clock.now += recent_html.SECONDS + 1
    recent_html.keep("other", ALICE, message(9))
    assert [at.uid for at in recent_html._recent] == [9], "nor does its memory wait for a frame that never comes"


def test_one_session_has_so_many_bytes_and_all_together_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_html, "MOST_OF_ONE", 1000)
    monkeypatch.setattr(recent_html, "MOST_BYTES", 2500)
    for uid in range(1, 5):
        recent_html.keep("session", ALICE, message(uid, {"1": "x" * 400}))
    assert [at.uid for at in recent_html._recent] == [3, 4]
    recent_html.keep("session", ALICE, message(5, {"1": "x" * 1001}))
    assert [at.uid for at in recent_html._recent] == [3, 4]
    for number in range(4):
        recent_html.keep(f"other {number}", ALICE, message(9, {"1": "x" * 600}))
    assert [at.session for at in recent_html._recent] == [f"other {number}" for number in range(4)]
