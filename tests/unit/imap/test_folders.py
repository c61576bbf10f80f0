"""Folders renamed and deleted: their subscriptions, and those inside."""

from __future__ import annotations

from typing import Any

from tests.support.fake_connection import FakeConnection
from webmail.errors import NoSuchMailboxError, RefusedError
from webmail.imap.mailbox_list import folders
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox


def tree() -> Overview:
    return Overview((Mailbox("A"), Mailbox("A/B"), Mailbox("A/B/C", subscribed=False), Mailbox("Ab")))


def test_subscriptions_follow_a_renamed_folder() -> None:
    connection: Any = FakeConnection({"UNSELECT"}, [])
    connection.mailbox = "A"
    folders.rename(connection, tree(), Mailbox("A"), 'Z"')
    assert connection.sent == [
        b"UNSELECT",
        b'RENAME "A" "Z\\""',
        b'SUBSCRIBE "Z\\"" | SUBSCRIBE "Z\\"/B" | UNSUBSCRIBE "A" | UNSUBSCRIBE "A/B"',
    ]
    assert connection.mailbox == ""


def test_the_innermost_folder_goes_first_and_a_mere_place_may_be_gone() -> None:
    connection: Any = FakeConnection(set(), [{}, {}, NoSuchMailboxError("gone with the last one")])
    found = Overview((Mailbox("A", selectable=False, subscribed=False), Mailbox("A/B"), Mailbox("A/B/C", subscribed=False)))
    folders.delete(connection, found, found.mailboxes[0])
    assert connection.sent == [b'DELETE "A/B/C"', b'DELETE "A/B"', b'DELETE "A"', b'UNSUBSCRIBE "A/B"']


def test_a_refused_subscription_undoes_nothing() -> None:
    connection: Any = FakeConnection(set(), [{}, RefusedError("no room")])
    folders.rename(connection, tree(), Mailbox("Ab"), "New")
    assert len(connection.sent) == 2
