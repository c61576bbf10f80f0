"""Contacts taken from files: once each, completed, never mistaken for another."""

from __future__ import annotations

import time

import pytest

from tests.support.contacts import card, names, new, take
from tests.support.cpu_time import cpu_seconds
from webmail.contacts import contact_list, store, undo
from webmail.contacts.imports import merge
from webmail.mail import Address
from webmail.mime.formats.cards import vcard_import
from webmail.models import Contact, User
from webmail.people import known_senders


def test_a_file_is_taken_once(alice: User) -> None:
    text = card("Ann", "EMAIL:ann@x.example", "X-KEPT:1", uid="1") + card("Bob", "TEL:06 12 34 56 78") + card("Nobody else")
    planned, taken = take(alice, text + "BEGIN:VCARD\nEND:VCARD\n")
    assert (len(taken.added), taken.merged, planned.refused) == (3, 0, 1)
    again, taken = take(alice, text)
    assert (len(again.fresh), len(again.updates), len(again.present)) == (0, 0, 3) and taken.added == ()
    assert names(alice) == ["Ann", "Bob", "Nobody else"] and "X-KEPT:1" in Contact.get(Contact.name == "Ann").vcard


def test_the_same_person_is_completed(alice: User) -> None:
    new(alice, "Alice LEROY", "alice@x.example", note="mine")
    planned, taken = take(alice, card("Leroy Alice", "EMAIL:alice@x.example", "EMAIL:al@y.example", "NOTE:theirs"))
    assert (len(planned.fresh), taken.merged) == (0, 1)
    [row] = Contact.select()
    assert [point.value for point in store.details(row).emails] == ["alice@x.example", "al@y.example"]
    assert (row.name, store.details(row).note) == ("Alice LEROY", "mine")
    assert undo.undo(alice, undo.offer(alice, taken.before)) == 1
    assert len(store.details(Contact.get()).emails) == 1


def test_two_people_of_one_name_or_of_one_address_are_two(alice: User) -> None:
    new(alice, "Alice Leroy", "alice@x.example")
    _planned, taken = take(alice, card("Alice Leroy", "EMAIL:evil@x.example") + card("Paul Leroy", "EMAIL:alice@x.example"))
    assert (len(taken.added), taken.merged) == (2, 0)


def test_a_groups_members_are_found_under_the_uids_they_have_here(alice: User) -> None:
    known = new(alice, "Ann", "ann@x.example")
    text = card("3B", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:other", uid="g")
    take(alice, text + card("Ann", "EMAIL:ann@x.example", uid="other"))
    assert store.groups_of(alice, known) == {Contact.get(Contact.name == "3B").uid}


def test_what_is_exported_is_what_was_imported(alice: User, bob: User) -> None:
    text = card("Ann", "item1.EMAIL:ann@x.example", "item1.X-ABLabel:Perso", "X-KEPT;A=b:1\\,2", uid="1").replace("\n", "\r\n")
    take(alice, text)
    assert merge.as_file(alice) == text and merge.as_file(bob) == ""


def test_many_contacts_are_quick(alice: User) -> None:
    text = "".join(
        card(f"Élève {n} Nom{n % 700}", f"EMAIL:e{n}@famille{n % 900}.example", f"TEL:06 00 {n:06}") for n in range(1000)
    )
    started = time.process_time()
    _planned, taken = take(alice, text)
    assert len(taken.added) == 1000 and time.process_time() - started < 4
    assert len(merge.plan(alice, text).present) == 1000
    with cpu_seconds(2):
        for _ in range(20):
            assert known_senders.look_up(alice, Address("Élève 7 Nom7", "e7@famille7.example")).contact
            assert known_senders.look_up(alice, Address("Eleve 7 Nom7", "x@else.example")).named
            assert len(known_senders.look_up(alice, Address("", "x@else.example")).others.domains) == 500
            assert contact_list.listed(alice, text="eleve 999").total == 1
            assert len(contact_list.listed(alice, number=15).rows) == 50


def test_no_more_of_a_file_is_read_than_takes_a_bearable_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "_MOST_MERGED", 500)
    same = card("Ann", *(f"TEL:{number}" for number in range(90)), uid="one")
    planned = merge.plan(alice, same + same + "".join(card("Ann", f"X-A:{number}", uid="one") for number in range(50)))
    assert (len(planned.fresh), planned.refused) == (1, 46)
    monkeypatch.setattr(vcard_import, "_MOST_READ", 500)
    planned = merge.plan(alice, "".join(card("Ann", *(f"X-{number}:1" for number in range(97)), uid=f"u{n}") for n in range(9)))
    assert (len(planned.fresh), planned.refused) == (5, 4)
