"""Whose folders are whose, which serve as what, what stands beside the list, and how rights are told and given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from webmail.account import Account, Password, Server
from webmail.errors import NoSuchMailbox, NotAllowed, Refused, UnsafeValue
from webmail.imap import acl, folders, mailboxes
from webmail.imap.connection import Command
from webmail.imap.mailboxes import Overview, SideBar
from webmail.imap.namespaces import Namespaces, namespaces_in
from webmail.mail import Mailbox, Rights, Role

SERVER = Server("127.0.0.1", 1, "none")
ACCOUNT = Account("ann@x.example", SERVER, SERVER, Password("ann", "secret"))
DOVECOT = [b'(("" "/")) (("shared/" "/")) NIL']
CYRUS = [b'(("INBOX." ".")) (("user." ".")) (("" "."))']
PUBLIC = [b'(("" "/")) NIL (("Public/" "/"))']


class Fake:
    """A connection that answers what a test wants and notes what it is asked."""

    mailbox = ""

    def __init__(
        self, capabilities: set[str], answers: list[dict[str, list[Any]] | Exception], account: Account = ACCOUNT
    ) -> None:
        self.account, self.capabilities, self.answers = account, capabilities, answers
        self.namespaces: Any = None
        self.sent: list[bytes] = []
        mailboxes.forget(account)

    def has(self, capability: str) -> bool:
        return capability in self.capabilities

    def run(self, *commands: Command) -> dict[str, list[Any]]:
        self.sent.append(b" | ".join(b" ".join(command) for command in commands))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer


def listed(*lines: bytes, **more: list[Any]) -> dict[str, list[Any]]:
    return {"LIST": list(lines), **more}


def roles(found: Overview) -> dict[str, str]:
    return {m.role.value: m.name for m in found.mailboxes if m.role}


# --- namespaces ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "name", "owner", "prefix"),
    [
        (DOVECOT, "INBOX", "", ""),
        (DOVECOT, "Work/2026", "", ""),
        (DOVECOT, "shared/bob@x/Team", "bob@x", "shared/bob@x/"),
        (DOVECOT, "shared/bob@x", "bob@x", "shared/bob@x/"),
        (DOVECOT, "shared", "", ""),
        (DOVECOT, "sharedness", "", ""),
        (CYRUS, "INBOX.Work", "", ""),
        (CYRUS, "user.bob.Team", "bob", "user.bob."),
        (CYRUS, "news.local", "news", ""),
        (PUBLIC, "Public/Board", "Public", "Public/"),
        ([b"NIL NIL NIL"], "Work", "", ""),
        ([b"nonsense"], "Work", "", ""),
    ],
)
def test_the_beginning_of_a_name_tells_whose_a_mailbox_is(told: list[Any], name: str, owner: str, prefix: str) -> None:
    assert namespaces_in(told).owner_of(name) == (owner, prefix)


def test_reserved_names_are_where_the_folders_of_others_begin() -> None:
    found = namespaces_in(DOVECOT)
    assert found.reserved == {"shared"}
    assert found.is_prefix("shared")
    assert namespaces_in(CYRUS).root == ("INBOX.", ".")
    assert Namespaces().root == ("", "/")


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
    connection: Any = Fake({"LIST-STATUS", "NAMESPACE", "ACL"}, [first, {"MYRIGHTS": [b"shared/bob@x/Sent lrs"]}])
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


# --- roles -----------------------------------------------------------------------------------------------------------


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
    connection: Any = Fake({"LIST-STATUS", "NAMESPACE"}, [lines, dict(lines)], account)
    assert roles(mailboxes.overview(connection)) == expected
    mailboxes.forget(account)
    assert mailboxes.for_role(connection, Role.TRASH) == expected["trash"]


# --- beside the list -------------------------------------------------------------------------------------------------


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
    connection: Any = Fake(set(), answers)
    found = mailboxes.overview(connection)
    assert connection.sent[0] == b'LIST "" "*" | LSUB "" "*"'
    assert {m.name: m.subscribed for m in found.mailboxes} == {"INBOX": False, "Work": True, "Old": False}
    work = found.get("Work")
    assert work
    assert (work.messages, work.unseen, work.subscribed) == (3, 1, True)
    assert folders.sizes(connection, found.mailboxes) == {}


def test_a_folder_stands_right_behind_the_one_it_lies_in() -> None:
    connection: Any = Fake({"LIST-STATUS"}, [listed(b'() "/" Team-x', b'() "/" Team/Sub', b'() "/" Team')])
    assert [m.name for m in mailboxes.overview(connection).mailboxes] == ["Team", "Team/Sub", "Team-x"]


# --- changing --------------------------------------------------------------------------------------------------------


def tree() -> Overview:
    return Overview((Mailbox("A"), Mailbox("A/B"), Mailbox("A/B/C", subscribed=False), Mailbox("Ab")))


def test_subscriptions_follow_a_renamed_folder() -> None:
    connection: Any = Fake({"UNSELECT"}, [])
    connection.mailbox = "A"
    folders.rename(connection, tree(), Mailbox("A"), 'Z"')
    assert connection.sent == [
        b"UNSELECT",
        b'RENAME "A" "Z\\""',
        b'SUBSCRIBE "Z\\"" | SUBSCRIBE "Z\\"/B" | UNSUBSCRIBE "A" | UNSUBSCRIBE "A/B"',
    ]
    assert connection.mailbox == ""


def test_the_innermost_folder_goes_first_and_a_mere_place_may_be_gone() -> None:
    connection: Any = Fake(set(), [{}, {}, NoSuchMailbox("gone with the last one")])
    found = Overview((Mailbox("A", selectable=False, subscribed=False), Mailbox("A/B"), Mailbox("A/B/C", subscribed=False)))
    folders.delete(connection, found, found.mailboxes[0])
    assert connection.sent == [b'DELETE "A/B/C"', b'DELETE "A/B"', b'DELETE "A"', b'UNSUBSCRIBE "A/B"']


def test_a_refused_subscription_undoes_nothing() -> None:
    connection: Any = Fake(set(), [{}, Refused("no room")])
    folders.rename(connection, tree(), Mailbox("Ab"), "New")
    assert len(connection.sent) == 2


# --- rights ----------------------------------------------------------------------------------------------------------


def test_rights_say_what_one_may() -> None:
    reader, writer = Rights("lrs"), Rights(acl.LEVELS["write"])
    assert reader.may_read
    assert reader.may_see
    assert not (reader.may_flag or reader.may_insert or reader.may_delete or reader.may_manage or reader.may_remove)
    assert writer.may_flag
    assert writer.may_insert
    assert writer.may_delete
    assert not (writer.may_manage or writer.may_create)


def test_one_folder_that_is_refused_does_not_hide_the_rights_in_others() -> None:
    connection: Any = Fake(set(), [NotAllowed("b"), {"MYRIGHTS": [b"a lrs"]}, NotAllowed("b")])
    found = acl.rights(connection, ["a", "b"])
    assert {name: rights.letters for name, rights in found.items()} == {"a": "lrs", "b": ""}


def test_everybody_with_access_is_told_whatever_the_server_writes() -> None:
    told = {"ACL": [b'"Projet &AOk-" "bob x" lrs -eve r 2024 lrswipcda ann lrwstipekxacd']}
    connection: Any = Fake(set(), [told])
    found = {entry.identifier: (entry.rights.letters, entry.level) for entry in acl.entries(connection, "Projet é")}
    assert found["bob x"] == ("lrs", "read")
    assert found["-eve"] == ("r", "")
    assert found["2024"] == ("lrswipkxtea", "manage"), "RFC 2086 has two letters for five"
    assert found["ann"][1] == "manage"


def test_an_old_server_is_given_the_letters_it_knows() -> None:
    new: Any = Fake({"ACL", "RIGHTS=texk"}, [])
    acl.grant(new, ["A"], "bob", acl.LEVELS["manage"])
    assert new.sent == [b'SETACL "A" "bob" "lrswipkxtea"']
    old: Any = Fake({"ACL"}, [])
    acl.grant(old, ["A"], "bob", acl.LEVELS["manage"])
    assert old.sent == [b'SETACL "A" "bob" "lrswipcda"']


@pytest.mark.parametrize("who", ["", "-bob", 'x"\r\nA1 DELETE INBOX', "nul\0", "x" * 300])
def test_nobody_breaks_out_of_the_command(who: str) -> None:
    connection: Any = Fake({"ACL", "RIGHTS=texk"}, [])
    for verb in (lambda: acl.grant(connection, ["A"], who, "lr"), lambda: acl.revoke(connection, ["A"], who)):
        with pytest.raises(UnsafeValue):
            verb()
    for letters in ("", "l r", 'lr"', "lré", "l\r\n"):
        with pytest.raises(UnsafeValue):
            acl.grant(connection, ["A"], "bob", letters)
    assert connection.sent == []


def test_a_quoted_name_stays_one_word() -> None:
    connection: Any = Fake({"ACL", "RIGHTS=texk"}, [])
    acl.grant(connection, ['a" b'], 'x" y', "lr")
    assert connection.sent == [b'SETACL "a\\" b" "x\\" y" "lr"']
