"""Folders as the server lists them: whose they are, which serve as what, and what need not be asked again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.fake_connection import ACCOUNT, FakeConnection
from webmail.account import Account, Password, Server
from webmail.imap.connections.connection import Command
from webmail.imap.mailbox_list import folders, mailboxes, overviews
from webmail.imap.mailbox_list.mailboxes import Overview, SideBar
from webmail.mail import Mailbox, Role

SERVER = Server("127.0.0.1", 1, "none")
LISTED = {"LIST": [b'(\\HasNoChildren) "/" INBOX', b'(\\Sent) "/" Gone']}


class CountingConnection:
    """A connection that counts what it is asked."""

    account = Account("ann@x.example", SERVER, SERVER, Password("ann", "secret"))
    mailbox = ""
    counts_all = asks_quota = True
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
def connection() -> CountingConnection:
    return CountingConnection()


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
    odd: Any = CountingConnection({"LIST": [line, *LISTED["LIST"]], "STATUS": [b"x 5", b"y (MESSAGES 3 UNSEEN 1)"]})
    assert [m.name for m in mailboxes.overview(odd).mailboxes] == ["INBOX", "Gone"]


def test_the_quota_is_read_every_five_minutes_and_after_a_change_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[dict[str, list[Any]]] = []
    connection: Any = FakeConnection({"LIST-STATUS", "QUOTA"}, answers)

    def count(used: int) -> tuple[bool, int]:
        """Whether the quota was asked for, and what is known of it in KiB. The server says `used` if asked."""
        answers[:] = [{"LIST": [b'() "/" INBOX'], "QUOTA": [b'"" (STORAGE %d 1000)' % used]}]
        if known := overviews.cached(ACCOUNT):
            due = known.is_quota_due
            if not due:
                del answers[0]["QUOTA"]
        found = mailboxes.count_all(connection)
        assert found.quota
        return b"GETQUOTAROOT" in connection.sent[-1], found.quota.used // 1024

    mailboxes.forget_all(ACCOUNT)
    assert count(1) == (True, 1)
    assert count(2) == (False, 1)
    mailboxes.forget(ACCOUNT, sizes=False)  # a flag
    assert count(3) == (False, 1)
    mailboxes.forget(ACCOUNT)
    assert count(4) == (True, 4)
    assert count(5) == (False, 4)
    monkeypatch.setattr(overviews, "QUOTA_SECONDS", 0)
    assert count(6) == (True, 6)


DOVECOT = [b'(("" "/")) (("shared/" "/")) NIL']


def listed(*lines: bytes, **more: list[Any]) -> dict[str, list[Any]]:
    return {"LIST": list(lines), **more}


def roles(found: Overview) -> dict[str, str]:
    return {m.role.value: m.name for m in found.mailboxes if m.role}


def test_the_inbox_of_somebody_else_is_called_so_and_holds_nothing() -> None:
    inbox = Mailbox("shared/bob@x", owner="bob@x", prefix="shared/bob@x/")
    assert (inbox.label, inbox.depth) == ("INBOX", 0)
    assert not inbox.holds("shared/bob@x/Team")
    team = Mailbox("shared/bob@x/Team/2026", owner="bob@x", prefix="shared/bob@x/")
    assert (team.label, team.depth, team.parent) == ("2026", 1, "shared/bob@x/Team")


def test_folders_of_others_have_no_role_and_their_rights() -> None:
    first = listed(
        b'() "/" INBOX',
        b'(\\NonExistent) "/" shared',
        b'(\\NonExistent) "/" shared/bob@x',
        b'(\\Sent) "/" shared/bob@x/Sent',
        b'() "/" shared/gone@x/INBOX',
        STATUS=[b"INBOX (MESSAGES 1 UNSEEN 1)", b"shared/bob@x/Sent (MESSAGES 2 UNSEEN 0)"],
        NAMESPACE=DOVECOT,
    )
    connection: Any = FakeConnection({"LIST-STATUS", "NAMESPACE", "ACL"}, [first, {"MYRIGHTS": [b"shared/bob@x/Sent lrs"]}])
    found = mailboxes.overview(connection)
    assert connection.sent[0].startswith(b"NAMESPACE | LIST")
    assert connection.sent[1:] == [b'MYRIGHTS "shared/bob@x/Sent"']
    assert roles(found) == {"inbox": "INBOX"}
    assert [(m.name, m.owner, m.rights.letters) for m in found.shared if m.selectable] == [("shared/bob@x/Sent", "bob@x", "lrs")]
    assert [m.name for m in found.targets("INBOX")] == [], "it may not be filed where one may not insert"
    mailboxes.forget(ACCOUNT)
    connection.answers = [listed(b'() "/" INBOX')]
    mailboxes.overview(connection)
    assert connection.sent[2].startswith(b"LIST"), "NAMESPACE once in the life of a connection"
    assert len(connection.sent) == 3, "nobody who is shared nothing pays a round trip"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ((), {"inbox": "INBOX", "trash": "Trash", "sent": "Sent"}),
        ((("trash", "Old"),), {"inbox": "INBOX", "trash": "Old", "sent": "Sent"}),
        ((("trash", "Vanished"),), {"inbox": "INBOX", "trash": "Trash", "sent": "Sent"}),
        ((("trash", "INBOX"),), {"inbox": "INBOX", "trash": "Trash", "sent": "Sent"}),
        ((("trash", "Place"),), {"inbox": "INBOX", "trash": "Trash", "sent": "Sent"}),
        ((("trash", "shared/bob@x/Old"),), {"inbox": "INBOX", "trash": "Trash", "sent": "Sent"}),
        ((("sent", "Trash"), ("trash", "Sent")), {"inbox": "INBOX", "trash": "Sent", "sent": "Trash"}),
    ],
)
def test_a_person_chooses_which_folder_serves_as_what(chosen: Any, expected: dict[str, str]) -> None:
    lines = listed(
        b'() "/" INBOX', b'(\\Trash) "/" Trash', b'() "/" Sent', b'() "/" Old', b'(\\Noselect) "/" Place',
        b'() "/" shared/bob@x/Old', NAMESPACE=DOVECOT,
    )  # fmt: skip
    account = replace(ACCOUNT, roles=chosen)
    connection: Any = FakeConnection({"LIST-STATUS", "NAMESPACE"}, [lines, dict(lines)], account)
    assert roles(mailboxes.overview(connection)) == expected
    mailboxes.forget(account)
    assert mailboxes.for_role(connection, Role.TRASH) == expected["trash"]


def names(side: SideBar) -> dict[str, list[str]]:
    parts = ("favourites", "special", "own", "shared")
    return {part: [m.name for m in getattr(side, part)] for part in parts if getattr(side, part)}


def test_subscribed_folders_stand_beside_the_list_with_those_they_lie_in() -> None:
    found = Overview(
        (
            Mailbox("INBOX", role=Role.INBOX, subscribed=False),
            Mailbox("Trash", role=Role.TRASH, subscribed=False),
            Mailbox("Trash/Old", subscribed=False),
            Mailbox("A", subscribed=False),
            Mailbox("A/B", selectable=False, subscribed=False),
            Mailbox("A/B/C"),
            Mailbox("D", subscribed=False),
            Mailbox("shared/bob@x/Team", owner="bob@x", subscribed=False),
        )
    )
    shown = names(found.side_bar(("D", "Vanished")))
    assert shown == {
        "favourites": ["D"], "special": ["INBOX", "Trash"], "own": ["A", "A/B", "A/B/C"], "shared": ["shared/bob@x/Team"],
    }  # fmt: skip


def test_without_any_subscription_all_are_shown() -> None:
    found = Overview((Mailbox("INBOX", role=Role.INBOX, subscribed=False), Mailbox("A", subscribed=False)))
    assert names(found.side_bar()) == {"special": ["INBOX"], "own": ["A"]}


def test_a_server_without_extensions_is_asked_with_lsub() -> None:
    answers = [
        listed(b'() "." INBOX', b'() "." Work', b'() "." Old', LSUB=[b'() "." Work']),
        {"STATUS": [b"Work (MESSAGES 3 UNSEEN 1)"]},
    ]
    connection: Any = FakeConnection(set(), answers)
    found = mailboxes.overview(connection)
    assert connection.sent[0] == b'LIST "" "*" | LSUB "" "*"'
    assert {m.name: m.subscribed for m in found.mailboxes} == {"INBOX": False, "Work": True, "Old": False}
    work = found.get("Work")
    assert work
    assert (work.messages, work.unseen, work.subscribed) == (3, 1, True)
    assert folders.sizes(connection, found.mailboxes) == {}


def test_a_folder_stands_right_behind_the_one_it_lies_in() -> None:
    connection: Any = FakeConnection({"LIST-STATUS"}, [listed(b'() "/" Team-x', b'() "/" Team/Sub', b'() "/" Team')])
    assert [m.name for m in mailboxes.overview(connection).mailboxes] == ["Team", "Team/Sub", "Team-x"]
