"""A person's contacts: found, changed and grouped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.contacts import group, names, new
from webmail.contacts import book_access, contact_list, store
from webmail.errors import LimitReachedError
from webmail.mail import Address
from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import ContactAddress, ContactMember, User
from webmail.people import known_senders

# --- finding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["elo", "ÉLODIE", "coeur", "cœur élodie", "mairie.ex", "0612", "elodie.c@mai", "services"])
def test_somebody_is_found_by_beginnings_of_words(alice: User, words: str) -> None:
    new(
        alice,
        "Élodie Cœur",
        "elodie.coeur@mairie.example",
        phones=(ContactPoint("+33 6 12 34 56 78"),),
        organisation="Les Services",
    )
    new(alice, "Somebody Else", "x@x.example")
    assert names(alice, words) == ["Élodie Cœur"]


@pytest.mark.parametrize("words", ["lodie", "%", "zzz", "elodie zzz", "airie"])
def test_nobody_is_found_by_other_words(alice: User, words: str) -> None:
    new(alice, "Élodie Cœur", "elodie.coeur@mairie.example")
    assert names(alice, words) == ([] if words != "%" else ["Élodie Cœur"])


def test_names_are_in_order_whatever_their_accents(alice: User) -> None:
    for name in ("zoé", "Émile", "Alice", "éric", "3B"):
        new(alice, name)
    assert names(alice) == ["3B", "Alice", "Émile", "éric", "zoé"]
    assert contact_list.initials(alice, book_access.shelf(alice)) == ["a", "e", "z", "#"]
    assert names(alice, letter="e") == ["Émile", "éric"] and names(alice, letter="#") == ["3B"]


def test_contacts_are_their_owners_alone(alice: User, bob: User) -> None:
    row = new(bob, "Secret", "secret@x.example")
    assert names(alice) == [] and store.with_address(alice, "secret@x.example") is None
    with pytest.raises(store.NoSuchContactError):
        store.load(alice, row.uid)
    assert store.remove(alice, [row.uid]) == 0 and names(bob) == ["Secret"]


def test_a_sender_is_known_by_any_way_to_write_the_address(alice: User) -> None:
    row = new(alice, "Livres", "Info@Bücher.example")
    assert store.with_address(alice, "info@xn--bcher-kva.example") == row
    assert known_senders.look_up(alice, Address("", "INFO@bücher.example")).contact == row.uid


def test_only_a_stranger_from_outside_is_compared_with_ones_own_people(alice: User, bob: User) -> None:
    new(alice, "Livres", "info@livres.example")
    new(bob, "Secret", "secret@secret.example")
    domains = {
        address: known_senders.look_up(alice, Address("", address), outside=outside).others.domains
        for address, outside in (("x@else.example", True), ("info@livres.example", True), ("x@lycee.example", False))
    }
    assert domains == {"x@else.example": ("livres.example",), "info@livres.example": (), "x@lycee.example": ()}
    assert known_senders.look_up(alice, Address("", f"{'x' * 300}@else.example")).others.domains == ("livres.example",)


# --- changing --------------------------------------------------------------------------------------------------------


def test_a_change_is_found_at_once_and_the_old_words_no_longer(alice: User) -> None:
    row = new(alice, "Ann", "ann@x.example")
    changed = store.change(
        alice, row, replace(store.details(row), name="Zoé", given="Zoé", emails=(ContactPoint("zoe@x.example"),)), row.revision
    )
    assert (changed.uid, changed.card_uid) == (row.uid, row.card_uid)
    assert names(alice, "ann") == [] and names(alice, "zoe") == ["Zoé"]
    assert store.with_address(alice, "ann@x.example") is None and ContactAddress.select().count() == 1


def test_two_windows_do_not_overwrite_each_other(alice: User) -> None:
    row = new(alice, "Ann")
    again = store.load(alice, row.uid)
    store.change(alice, row, ContactDetails(name="First"), row.revision)
    with pytest.raises(store.ContactChangedElsewhereError):
        store.change(alice, store.load(alice, row.uid), ContactDetails(name="Second"), row.revision)
    with pytest.raises(store.ContactChangedElsewhereError):
        store.put(alice, vcard_edit.changed(again.vcard, ContactDetails(name="Third")), again)
    assert names(alice) == ["First"]


def test_there_are_limits(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(store.CardTooLargeError):
        new(alice, "Ann", note="x" * 30_000)
    monkeypatch.setattr(store, "MOST", 1)
    new(alice, "Ann")
    with pytest.raises(LimitReachedError):
        new(alice, "Bob")
    assert names(alice) == ["Ann"]


def test_a_new_contact_sent_again_with_other_words_is_not_taken_for_the_first(alice: User) -> None:
    first = ContactDetails(name="Ann", emails=(ContactPoint("ann@x.example"),), uid=store.new_uid())
    assert store.add(alice, first).uid == store.add(alice, first).uid
    with pytest.raises(store.AlreadyThereError) as caught:
        store.add(alice, replace(first, emails=(ContactPoint("ann@other.example"),)))
    assert (caught.value.row.email, len(names(alice))) == ("ann@x.example", 1)


# --- groups ----------------------------------------------------------------------------------------------------------


def test_groups_that_are_not_listed_are_not_left(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_GROUPS", 1)
    listed, beyond, row = group(alice, "A"), group(alice, "B"), new(alice, "Ann")
    for one in (listed, beyond):
        store.join(alice, row, [one.uid])
    store.join(alice, row, [])
    assert store.groups_of(alice, row) == {beyond.uid}


def test_a_contact_joins_and_leaves_groups(alice: User) -> None:
    row = new(alice, "Ann", "ann@x.example")
    one, two = group(alice, "One"), group(alice, "Two", "mailto:ann@x.example")
    assert store.groups_of(alice, row) == {two.uid}
    store.join(alice, row, [one.uid])
    assert store.groups_of(alice, row) == {one.uid}
    assert store.details(store.load(alice, two.uid)).members == ()
    store.remove(alice, [one.uid])
    assert ContactMember.select().count() == 0
