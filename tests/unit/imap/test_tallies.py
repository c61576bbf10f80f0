"""How many messages have which keyword, in a few commands."""

from __future__ import annotations

import pytest

from tests.support.fake_connection import FakeConnection
from webmail.errors import RefusedError, UnsafeValueError
from webmail.imap.bulk.actions import tallies


class Selected(FakeConnection):
    def select(self, mailbox: str) -> None:
        self.mailbox = mailbox


def test_each_keyword_is_counted_in_one_round_trip() -> None:
    connection = Selected(set(), [{"SEARCH": [b"3 4", b"", b"3"]}])
    assert tallies(connection, "INBOX", [3, 4, 5], ["Bleu", "Vert", "Rouge"]) == [2, 0, 1]
    assert connection.sent == [
        b"UID SEARCH UID 3:5 KEYWORD Bleu | UID SEARCH UID 3:5 KEYWORD Vert | UID SEARCH UID 3:5 KEYWORD Rouge"
    ]


def test_no_keyword_costs_nothing() -> None:
    connection = Selected(set(), [])
    assert tallies(connection, "INBOX", [3], []) == [] and connection.sent == []


def test_long_sets_are_sent_a_few_at_a_time() -> None:
    connection = Selected(set(), [{"SEARCH": [b"1"] * count} for count in (2, 2, 1)])
    assert tallies(connection, "INBOX", range(1, 3800, 2), list("abcde")) == [1] * 5
    assert max(len(sent) for sent in connection.sent) < 24_000


def test_a_server_that_does_not_answer_each_is_not_believed() -> None:
    with pytest.raises(RefusedError):
        tallies(Selected(set(), [{"SEARCH": [b"1"]}]), "INBOX", [1], ["a", "b"])


@pytest.mark.parametrize("keyword", ["\\Seen", "a b", "é", "x\r\ny"])
def test_only_keywords_are_asked_for(keyword: str) -> None:
    with pytest.raises(UnsafeValueError):
        tallies(Selected(set(), []), "INBOX", [1], [keyword])
