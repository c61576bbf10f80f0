"""A person's contacts: found, changed, grouped, taken from files, and all of it taken back."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from webmail.contacts import merge, store, undo
from webmail.contacts.undo import CardVersion
from webmail.errors import LimitReached
from webmail.mail import Address
from webmail.message import known_senders
from webmail.mime.formats import vcard_edit, vcard_import
from webmail.mime.formats.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Contact, ContactAddress, ContactMember, User


def new(user: User, name: str, *emails: str, **more: object) -> Contact:
    return store.add(user, replace(ContactDetails(name=name, emails=tuple(map(ContactPoint, emails))), **more))


def group(user: User, name: str, *members: str) -> Contact:
    return store.add(user, ContactDetails(name=name, group=True, members=members))


def names(user: User, words: str = "", **more: object) -> list[str]:
    return [row.name for row in store.listed(user, words=words, **more).rows]


def card(name: str, *lines: str, uid: str = "") -> str:
    return "\n".join(["BEGIN:VCARD", "VERSION:3.0", *([f"UID:{uid}"] if uid else []), f"FN:{name}", *lines, "END:VCARD", ""])


def take(user: User, text: str, **more: bool) -> tuple[merge.ImportPlan, merge.ImportResult]:
    planned = merge.plan(user, text)
    return planned, merge.apply(user, planned, **more)


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
    assert store.letters(alice) == ["a", "e", "z", "#"]
    assert names(alice, letter="e") == ["Émile", "éric"] and names(alice, letter="#") == ["3B"]


def test_contacts_are_their_owners_alone(alice: User, bob: User) -> None:
    row = new(bob, "Secret", "secret@x.example")
    assert names(alice) == [] and store.with_address(alice, "secret@x.example") is None
    with pytest.raises(store.NoSuchContact):
        store.load(alice, row.uid)
    assert store.remove(alice, [row.uid]) == 0 and names(bob) == ["Secret"]


def test_a_sender_is_known_by_any_way_to_write_the_address(alice: User) -> None:
    row = new(alice, "Livres", "Info@Bücher.example")
    assert store.with_address(alice, "info@xn--bcher-kva.example") == row
    assert known_senders.look_up(alice, Address("", "INFO@bücher.example")).contact == row.uid


# --- changing --------------------------------------------------------------------------------------------------------


def test_a_change_is_found_at_once_and_the_old_words_no_longer(alice: User) -> None:
    row = new(alice, "Ann", "ann@x.example")
    changed = store.change(
        row, replace(store.details(row), name="Zoé", given="Zoé", emails=(ContactPoint("zoe@x.example"),)), row.revision
    )
    assert (changed.uid, changed.card_uid) == (row.uid, row.card_uid)
    assert names(alice, "ann") == [] and names(alice, "zoe") == ["Zoé"]
    assert store.with_address(alice, "ann@x.example") is None and ContactAddress.select().count() == 1


def test_two_windows_do_not_overwrite_each_other(alice: User) -> None:
    row = new(alice, "Ann")
    again = store.load(alice, row.uid)
    store.change(row, ContactDetails(name="First"), row.revision)
    with pytest.raises(store.ContactChangedElsewhere):
        store.change(store.load(alice, row.uid), ContactDetails(name="Second"), row.revision)
    with pytest.raises(store.ContactChangedElsewhere):
        store.put(alice, vcard_edit.changed(again.vcard, ContactDetails(name="Third")), again)
    assert names(alice) == ["First"]


def test_there_are_limits(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(store.CardTooLarge):
        new(alice, "Ann", note="x" * 30_000)
    monkeypatch.setattr(store, "MOST", 1)
    new(alice, "Ann")
    with pytest.raises(LimitReached):
        new(alice, "Bob")
    assert names(alice) == ["Ann"]


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
    store.change(row, ContactDetails(name="Anne"), row.revision)
    assert undo.undo(alice, name) == 0 and names(alice) == ["Anne"]


def test_what_can_not_be_undone_now_can_be_undone_later(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = new(alice, "Ann")
    name = undo.offer(alice, [CardVersion(row.uid, row.vcard)])
    store.remove(alice, [row.uid])
    monkeypatch.setattr(store, "MOST", 1)
    other = new(alice, "Bob")
    with pytest.raises(LimitReached):
        undo.undo(alice, name)
    store.remove(alice, [other.uid])
    assert undo.undo(alice, name) == 1 and names(alice) == ["Ann"]


def test_a_new_contact_sent_again_with_other_words_is_not_taken_for_the_first(alice: User) -> None:
    first = ContactDetails(name="Ann", emails=(ContactPoint("ann@x.example"),), uid=store.new_uid())
    assert store.add(alice, first).uid == store.add(alice, first).uid
    with pytest.raises(store.AlreadyThere) as caught:
        store.add(alice, replace(first, emails=(ContactPoint("ann@other.example"),)))
    assert (caught.value.row.email, len(names(alice))) == ("ann@x.example", 1)


# --- groups ----------------------------------------------------------------------------------------------------------


def test_a_contact_joins_and_leaves_groups(alice: User) -> None:
    row = new(alice, "Ann", "ann@x.example")
    one, two = group(alice, "One"), group(alice, "Two", "mailto:ann@x.example")
    assert store.groups_of(row) == {two.uid}
    store.join(alice, row, [one.uid])
    assert store.groups_of(row) == {one.uid}
    assert store.details(store.load(alice, two.uid)).members == ()
    store.remove(alice, [one.uid])
    assert ContactMember.select().count() == 0


# --- files -----------------------------------------------------------------------------------------------------------


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
    assert store.groups_of(known) == {Contact.get(Contact.name == "3B").uid}


def test_what_is_exported_is_what_was_imported(alice: User, bob: User) -> None:
    text = card("Ann", "item1.EMAIL:ann@x.example", "item1.X-ABLabel:Perso", "X-KEPT;A=b:1\\,2", uid="1").replace("\n", "\r\n")
    take(alice, text)
    assert merge.as_file(alice) == text and merge.as_file(bob) == ""


def test_an_import_is_taken_back_whole(alice: User) -> None:
    _planned, taken = take(alice, "".join(card(f"Person {n}", f"EMAIL:p{n}@x.example") for n in range(30)))
    assert undo.undo(alice, undo.offer(alice, taken.before)) == 30
    assert names(alice) == [] and ContactAddress.select().count() == 0


def test_many_contacts_are_quick(alice: User) -> None:
    text = "".join(
        card(f"Élève {n} Nom{n % 700}", f"EMAIL:e{n}@famille{n % 900}.example", f"TEL:06 00 {n:06}") for n in range(1000)
    )
    started = time.process_time()
    _planned, taken = take(alice, text)
    assert len(taken.added) == 1000 and time.process_time() - started < 4
    assert len(merge.plan(alice, text).present) == 1000
    started = time.process_time()
    for _ in range(20):
        assert known_senders.look_up(alice, Address("Élève 7 Nom7", "e7@famille7.example")).contact
        assert known_senders.look_up(alice, Address("Eleve 7 Nom7", "x@else.example")).named
        assert len(known_senders.domains(alice)) == 500
        assert store.listed(alice, words="eleve 999").total == 1
        assert len(store.listed(alice, number=15).rows) == 50
    assert time.process_time() - started < 2


def test_no_more_of_a_file_is_read_than_takes_a_bearable_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "_MOST_MERGED", 500)
    same = card("Ann", *(f"TEL:{number}" for number in range(90)), uid="one")
    planned = merge.plan(alice, same + same + "".join(card("Ann", f"X-A:{number}", uid="one") for number in range(50)))
    assert (len(planned.fresh), planned.refused) == (1, 46)
    monkeypatch.setattr(vcard_import, "_MOST_READ", 500)
    planned = merge.plan(alice, "".join(card("Ann", *(f"X-{number}:1" for number in range(97)), uid=f"u{n}") for n in range(9)))
    assert (len(planned.fresh), planned.refused) == (5, 4)
