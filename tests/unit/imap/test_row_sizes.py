"""Sizes of messages: asked for only where rows show them or are in their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from webmail.account import Account, Password, Server
from webmail.imap.connections.multi_fetch import MailboxHits
from webmail.imap.lists import listing, summary_cache
from webmail.imap.searching import sort_keys
from webmail.imap.searching.sort_keys import ORDERS
from webmail.mail import Summary

SERVER = Server("127.0.0.1", 1, "none")
ROW = Summary(uid=1, flags=frozenset(), size=0, received=datetime(2026, 1, 1, tzinfo=UTC), subject="A", sender=())


class Fake:
    account = Account("ann@x.example", SERVER, SERVER, Password("ann", "secret"))

    def has(self, _capability: str) -> bool:
        return True


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    summary_cache.forget_all()


def test_a_row_is_asked_for_without_its_size() -> None:
    assert b"SIZE" not in listing.row_items(Fake(), frozenset())  # type: ignore[arg-type]


def test_a_known_row_whose_size_is_not_known_does_not_give_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = Fake()
    memory = summary_cache.known_of(connection.account, "INBOX", 7)
    summary_cache.remember(memory, {1: ROW, 2: replace(ROW, uid=2, size=500)})
    asked: list[Any] = []

    def answers(_connection: Any, asking: list[Any]) -> list[Any]:
        asked.extend(asking)
        return [("INBOX", {"UIDVALIDITY": [b"7"]}, {"FETCH": [b"1 (UID 1 RFC822.SIZE 900)"]})]

    monkeypatch.setattr(sort_keys, "in_each", answers)
    place = MailboxHits("INBOX", 7, frozenset(), (1, 2))
    assert sort_keys.keys_of(connection, ORDERS["size"], [(place, (1, 2))]) == {("INBOX", 1): -900, ("INBOX", 2): -500}
    assert [command for _name, command in asked] == [(b"UID FETCH", b"1", b"(UID RFC822.SIZE)")]
    asked.clear()
    assert len(sort_keys.keys_of(connection, ORDERS["date"], [(place, (1, 2))])) == 2 and not asked
