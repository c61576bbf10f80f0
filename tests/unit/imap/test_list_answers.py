"""What a server tells of mailboxes, however it writes it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fake_connection import FakeConnection
from tests.support.page_costs import python_calls
from webmail.imap.mailbox_list import list_answers, mailboxes
from webmail.imap.mailbox_list.list_answers import ListedMailbox, list_lines


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (b'(\\HasNoChildren \\Sent) "/" Sent', ListedMailbox("Sent", "/", frozenset({"\\hasnochildren", "\\sent"}))),
        (b'() "." "INBOX.&AMk-t&AOk-"', ListedMailbox("INBOX.Été", ".", frozenset())),
        (b"(\\Noselect) NIL 2024", ListedMailbox("2024", "", frozenset({"\\noselect"}))),
        (b'() "/" "A &- (B)"', ListedMailbox("A & (B)", "/", frozenset())),
        (b'() "\\\\" "a\\\\b \\"c\\""', ListedMailbox('a\\b "c"', "\\", frozenset())),
        (b'() "/" [Gmail]/Spam ("CHILDINFO" ("SUBSCRIBED"))', ListedMailbox("[Gmail]/Spam", "/", frozenset())),
    ],
)
def test_a_line_of_list(line: bytes, read: ListedMailbox) -> None:
    assert list_lines([line]) == [read]


def test_a_name_in_a_literal() -> None:
    assert [one.name for one in list_lines([(b'() "/" {3}', b'a"b'), b"", b'() "/" c'])] == ['a"b', "c"]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (b'"&AMk-t&AOk-" (MESSAGES 5 UNSEEN 1)', {"Été": (5, 1)}),
        (b"Sent (MESSAGES 5 UNSEEN 1)", {"Sent": (5, 1)}),
        (b'"a \\"b\\"" (UNSEEN 1 MESSAGES 5)', {'a "b"': (5, 1)}),
        (b"2024 (MESSAGES 5)", {"2024": (5, 0)}),
        (b"Sent 5", {}),
        (b"Sent", {}),
    ],
)
def test_the_counts_of_a_mailbox(line: bytes, read: dict[str, tuple[int, int]]) -> None:
    assert list_answers.counts([line]) == read


def answers(number: int) -> dict[str, list[Any]]:
    names = [b"INBOX", b"Brouillons", *(b"Classe &AOk-l&AOg-ves/%d" % n for n in range(number))]
    return {
        "LIST": [b'(\\HasNoChildren \\Subscribed) "/" "%s"' % name for name in names],
        "STATUS": [b'"%s" (MESSAGES 3 UNSEEN 1)' % name for name in names],
    }


def test_ten_times_the_folders_cost_ten_times_as_much() -> None:
    def calls(number: int) -> int:
        connection: Any = FakeConnection({"LIST-STATUS"}, [answers(number), answers(number)])
        mailboxes.overview(connection)
        mailboxes.forget(connection.account)
        return python_calls(lambda: mailboxes.overview(connection))

    few, many = calls(200), calls(2000)
    assert many < 10.5 * few
    assert many < 170 * 2000, "each name is read once from LIST, once from STATUS"
