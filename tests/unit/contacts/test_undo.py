"""What was removed or changed, taken back."""

from __future__ import annotations

import pytest

from tests.support.contacts import card, group, names, new, take
from webmail.contacts import store, undo
from webmail.contacts.undo import CardVersion
from webmail.errors import LimitReachedError
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.models import ContactAddress, User


def test_what_was_removed_comes_back_with_its_address_and_its_groups(alice: User, bob: User) -> None:
    row = new(alice, "Ann", "ann@x.example")
    parents = group(alice, "Parents", row.card_uid)
    name = undo.offer(alice, [CardVersion(row.uid, row.vcard)])
    store.remove(alice, [row.uid])
    assert store.members(alice, store.details(parents)) == ([], [])
    assert undo.undo(bob, name) == 0
    assert undo.undo(alice, name) == 1 and undo.undo(alice, name) == 0
    assert store.load(alice, row.uid).vcard == row.vcard
    assert [one.name for one in store.members(alice, store.details(parents))[0]] == ["Ann"]


def test_undo_leaves_alone_what_was_changed_since(alice: User) -> None:
    row = new(alice, "Ann")
    name = undo.offer(alice, [CardVersion(row.uid, "", row.revision)])
    store.change(alice, row, ContactDetails(name="Anne"), row.revision)
    assert undo.undo(alice, name) == 0 and names(alice) == ["Anne"]


def test_what_can_not_be_undone_now_can_be_undone_later(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = new(alice, "Ann")
    name = undo.offer(alice, [CardVersion(row.uid, row.vcard)])
    store.remove(alice, [row.uid])
    monkeypatch.setattr(store, "MOST", 1)
    other = new(alice, "Bob")
    with pytest.raises(LimitReachedError):
        undo.undo(alice, name)
    store.remove(alice, [other.uid])
    assert undo.undo(alice, name) == 1 and names(alice) == ["Ann"]


def test_an_import_is_taken_back_whole(alice: User) -> None:
    _planned, taken = take(alice, "".join(card(f"Person {n}", f"EMAIL:p{n}@x.example") for n in range(30)))
    assert undo.undo(alice, undo.offer(alice, taken.before)) == 30
    assert names(alice) == [] and ContactAddress.select().count() == 0
