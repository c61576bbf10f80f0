"""Forgeries: what row and page say of each way to write From, with and without proof. No tick without proof."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import forgeries
from tests.support.forgeries import Forgery, Seen
from webmail.models import User

TABLE = list(forgeries.table())
PROOFS = ("passed", "owner", "marked")  # ways in which any sender may be proven
MALLORY_S = ("mallory", "mallory as", "spf")  # and in which mallory may


@pytest.fixture
def reader(alice: User) -> Iterator[User]:
    local, _, domain = forgeries.MALLORY.address.partition("@")
    User.create(address=forgeries.MALLORY.address, local=local, domain=domain, name=forgeries.MALLORY.name)
    yield alice


def test_the_table(reader: User) -> None:
    wrong = []
    for one in TABLE:
        found = forgeries.seen(one, reader)
        if found != Seen(one.row, one.verdict, one.kinds):
            wrong.append(f"{one.way}: {one.tries}: {found}")
    assert wrong == []


def test_it_is_large_enough() -> None:
    assert len({(one.tries, one.sender) for one in TABLE}) >= 100
    assert {one.way for one in TABLE} == set(forgeries.WAYS)
    assert {one.verdict for one in TABLE} == {"proven", "unverified", "caution", "danger"}


def test_each_way_with_each_sender_gives_no_tick_without_proof(reader: User) -> None:
    """All senders by all ways, also those that are not in the table."""
    senders = {one.sender: one for one in TABLE}
    for one in senders.values():
        for way in forgeries.WAYS:
            found = forgeries.seen(Forgery(one.tries, one.sender, way, "", "", ""), reader)
            her_own = way in MALLORY_S and one.sender.endswith(f"<{forgeries.MALLORY.address}>")
            assert found.verdict != "proven" or way in PROOFS or her_own, (way, one.tries)


def test_a_name_that_pretends_never_stands_alone_in_a_list(reader: User) -> None:
    named = ("colleague", "address-in-name", "establishment", "role", "lookalike")
    for one in TABLE:
        if any(kind in one.kinds for kind in named) and one.tries != "no address":
            assert one.row == "address", one.tries
