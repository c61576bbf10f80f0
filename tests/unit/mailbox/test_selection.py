"""What the boxes of a list hold, and how a set is cut into commands."""

from __future__ import annotations

import pytest

from webmail.imap.bulk.actions import pieces
from webmail.imap.connections.commands import uid_set
from webmail.mailbox.selection import Selection, count, fingerprint, of_rows


def test_plain_numbers_are_of_the_lists_own_mailbox() -> None:
    assert of_rows("INBOX", 7, ["3", "1", "3"]) == [Selection("INBOX", 7, (3, 1))]


def test_a_conversation_names_all_its_messages() -> None:
    assert of_rows("INBOX", 7, ["12,15,18", "20"]) == [Selection("INBOX", 7, (12, 15, 18, 20))]


def test_rows_of_several_mailboxes_are_told_apart_whatever_is_in_their_names() -> None:
    found = of_rows("INBOX", 0, ["1.5.INBOX", "2.6.Work.2026/v1.2", "3.5.INBOX", "4.6.Été"])
    assert found == [Selection("INBOX", 5, (1, 3)), Selection("Work.2026/v1.2", 6, (2,)), Selection("Été", 6, (4,))]
    assert count(found) == 4


@pytest.mark.parametrize("value", ["", ".", "x", "-1", "1,", "1,x", "1:3", "1.2", "1.x.INBOX", "1..INBOX", "99999999999", "１"])
def test_what_is_no_value_of_a_box_is_passed_over(value: str) -> None:
    assert of_rows("INBOX", 7, [value]) == []


def test_the_fingerprint_is_of_exactly_these_messages() -> None:
    one = [Selection("A", 1, (1, 2)), Selection("B", 1, (3,))]
    assert fingerprint(one) == fingerprint([Selection("B", 1, (3,)), Selection("A", 1, (2, 1))])
    for other in ([Selection("A", 1, (1, 2))], [Selection("A", 2, (1, 2)), one[1]], [Selection("A", 1, (1, 3)), one[1]]):
        assert fingerprint(one) != fingerprint(other)


def test_a_set_in_one_piece_stays_whole_and_loses_nothing() -> None:
    assert list(pieces([3, 1, 2, 2])) == [[1, 2, 3]]
    assert list(pieces([])) == []


@pytest.mark.parametrize(
    "uids", [range(1, 100_001), range(1, 200_001, 2), [*range(1, 6_000), *range(4_294_900_000, 4_294_967_295, 3)]]
)
def test_a_large_set_is_cut_into_commands_that_a_server_reads(uids: range | list[int]) -> None:
    cut = list(pieces(uids))
    assert [uid for piece in cut for uid in piece] == sorted(uids)
    assert all(len(piece) <= 5000 and len(uid_set(piece)) <= 8000 for piece in cut)
    assert len(cut) <= len(uids) // 300
