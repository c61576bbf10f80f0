"""Folders: what was asked a moment ago is not asked again."""

from __future__ import annotations

from typing import Any

import pytest

from webmail.account import Account, Password, Server
from webmail.imap import mailboxes
from webmail.imap.connection import Command
from webmail.mail import Role

SERVER = Server("127.0.0.1", 1, "none")
LISTED = {"LIST": [b'(\\HasNoChildren) "/" INBOX', b'(\\Sent) "/" Gone']}


class Fake:
    """A connection that counts what it is asked."""

    account = Account("ann@x.example", SERVER, SERVER, Password("ann", "secret"))
    mailbox = ""
    namespaces = None

    def __init__(self, listed: dict[str, list[Any]] = LISTED) -> None:
        self.asked: list[bytes] = []
        self.listed = listed

    def has(self, capability: str) -> bool:
        return capability == "LIST-STATUS"

    def run(self, *commands: Command) -> dict[str, list[Any]]:
        self.asked += [command[0] for command in commands]
        return self.listed


@pytest.fixture
def connection() -> Fake:
    return Fake()


def test_the_folder_for_a_role_is_known_from_the_list_beside_the_page(connection: Any) -> None:
    mailboxes.overview(connection)
    assert mailboxes.for_role(connection, Role.SENT) == "Gone"
    assert connection.asked == [b"LIST"]


def test_it_is_asked_where_nothing_is_known_and_after_a_change(connection: Any) -> None:
    assert mailboxes.for_role(connection, Role.SENT) == "Gone"
    mailboxes.overview(connection)
    mailboxes.forget(connection.account)
    assert mailboxes.for_role(connection, Role.SENT) == "Gone"
    assert connection.asked == [b"LIST"] * 3


def test_a_role_that_the_list_lacks_is_looked_for_before_a_folder_is_made(connection: Any) -> None:
    mailboxes.overview(connection)
    assert mailboxes.for_role(connection, Role.TRASH) == "Trash"
    assert connection.asked == [b"LIST", b"LIST", b"CREATE", b"SUBSCRIBE"]


@pytest.mark.parametrize(
    "line",
    [b'() "/" "a&AAo-b"', b'() "/" "a&AAA-b"', b'() "/" ""', b"5 NIL x", b'(5 ()) "/" x', b"() 5 x", b'() "\xff" x', b"()"],
)
def test_one_odd_mailbox_does_not_cost_the_others(line: bytes) -> None:
    odd: Any = Fake({"LIST": [line, *LISTED["LIST"]], "STATUS": [b"x 5", b"y (MESSAGES 3 UNSEEN 1)"]})
    assert [m.name for m in mailboxes.overview(odd).mailboxes] == ["INBOX", "Gone"]
