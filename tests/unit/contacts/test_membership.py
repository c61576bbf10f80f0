"""The people in groups, and in groups inside groups, each once."""

from __future__ import annotations

import pytest

from tests.support.contacts import group, new
from webmail.collections import store as collections
from webmail.contacts import membership, moving, store
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.models import Contact, User


def addresses(user: User, row: Contact) -> list[str] | None:
    found = membership.people_of(user, [row.id])
    return list(found[row.id]) if row.id in found else None


def test_people_of_groups_inside_come_once(alice: User) -> None:
    ann, silent = new(alice, "Ann", "ann@x.example"), new(alice, "Silent")
    inner = group(alice, "Inner", ann.card_uid, "mailto:bob@x.example", silent.card_uid)
    outer = group(alice, "Outer", inner.card_uid, ann.card_uid, "mailto:zoe@x.example", "gone")
    assert addresses(alice, outer) == ["ann@x.example", "zoe@x.example", "bob@x.example"]
    assert membership.sizes(alice, [inner.id, outer.id]) == {inner.id: 3, outer.id: 4}


def test_groups_that_contain_each_other_end(alice: User) -> None:
    one = store.add(alice, ContactDetails(name="A", group=True, uid="a", members=("a", "b", "mailto:a@x.example")))
    other = store.add(alice, ContactDetails(name="B", group=True, uid="b", members=("a", "mailto:b@x.example")))
    assert addresses(alice, one) == ["a@x.example", "b@x.example"] and addresses(alice, other) == ["b@x.example", "a@x.example"]
    assert membership.sizes(alice, [one.id]) == {one.id: 2}


def test_what_is_too_large_or_too_deep_is_not_told_in_part(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    small = group(alice, "Small", "mailto:a@x.example")
    large = group(alice, "Large", *(f"mailto:{n}@x.example" for n in range(9)))
    monkeypatch.setattr(membership, "MOST_PEOPLE", 5)
    assert addresses(alice, small) == ["a@x.example"] and addresses(alice, large) is None
    monkeypatch.setattr(membership, "MOST_PEOPLE", 500)
    chain = small
    for n in range(25):
        chain = group(alice, f"G{n}", chain.card_uid)
    assert addresses(alice, chain) is None


def test_members_who_stand_in_two_books_make_no_group_smaller(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of their cards counts against the limit; a group that it cuts is not told in part."""
    collections.default_collection(alice, collections.BOOK)
    club = collections.create(alice, "club", collections.BOOK, "", "{}")
    people = [new(alice, name, f"{name}@x.example") for name in "abcd"]
    moving.copy(alice, [row.uid for row in people], club)
    four = group(alice, "Four", *(row.card_uid for row in people))
    behind = group(alice, "Behind", "mailto:z@x.example")
    monkeypatch.setattr(membership, "MOST_PEOPLE", 5)
    assert membership.people_of(alice, [four.id, behind.id]) == {}
    monkeypatch.setattr(membership, "MOST_PEOPLE", 9)
    found = membership.people_of(alice, [four.id, behind.id])
    assert {number: len(inside) for number, inside in found.items()} == {four.id: 4, behind.id: 1}


def test_of_groups_that_are_not_looked_into_nothing_is_told(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [group(alice, name, f"mailto:{name}@x.example") for name in "abcd"]
    monkeypatch.setattr(membership, "MOST_PEOPLE", 1)
    monkeypatch.setattr(membership, "_CHUNK", 2)
    assert list(membership.people_of(alice, [row.id for row in groups])) == [groups[0].id]


def test_somebody_elses_contacts_are_nobody(alice: User, bob: User) -> None:
    theirs = new(bob, "Secret", "secret@x.example")
    assert addresses(alice, group(alice, "A", theirs.card_uid)) == []
