"""Several books, those of others, people who stand in more than one, and what one may do there."""

from __future__ import annotations

import pytest

from tests.support.collection_locks import LockWatch
from tests.support.contacts import card, group, names, new
from webmail.collections import store as collections
from webmail.collections.store import BOOK
from webmail.contacts import book_access, card_changes, contact_list, duplicates, membership, moving, store, undo
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.imports import merge
from webmail.contacts.store import NoSuchContactError
from webmail.contacts.undo import CardVersion
from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Collection, CollectionShare, Contact, ContactAddress, GoneItem, TrashedItem, User


def book(user: User, name: str) -> Collection:
    collections.default_collection(user, BOOK)
    return Collection.create(user=user, name=name.lower(), kind=BOOK, props=f'{{"D:displayname": "{name}"}}')


def share(shared: Collection, user: User, rights: str = "read") -> CollectionShare:
    return CollectionShare.create(collection=shared, user=user, rights=rights)


def add(user: User, into: Collection, name: str, *emails: str) -> Contact:
    return store.add(user, ContactDetails(name=name, emails=tuple(map(ContactPoint, emails))), book=into)


def fresh(one: Collection) -> Collection:
    return Collection.get_by_id(one.id)


def test_books_that_are_changed_together_are_locked_before_the_first_change(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two who change them in another order would wait for each other, with birthdays between them."""
    club, team = book(alice, "Club"), book(alice, "Team")
    one, two = add(alice, club, "Ann", "ann@x.example"), new(alice, "Ann", "ann@y.example")
    choir = store.add(alice, ContactDetails(name="Choir", group=True, members=(one.card_uid, two.card_uid)), book=team)
    planned = merge.plan(alice, card("Ann", "EMAIL:ann@x.example", "TITLE:a") + card("Ann", "EMAIL:ann@y.example", "TITLE:b"))
    watch = LockWatch(monkeypatch)
    assert merge.apply(alice, planned).merged == 2 and not watch.unlocked
    watch.locked.clear()
    duplicates.merge(alice, [store.load(alice, one.uid), store.load(alice, two.uid)], {})
    assert not watch.unlocked and team.id in watch.locked and fresh(team).seq > choir.seq


def test_those_who_follow_cards_are_told_of_all_books_at_once(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """They lock what belongs to the owners in one order."""
    staff = book(bob, "Staff")
    share(staff, alice, "write")
    rows, told = [new(alice, "Ann"), add(alice, staff, "Ben")], []
    monkeypatch.setattr(card_changes, "note", told.append)
    store.remove(alice, [row.uid for row in rows])
    assert [{change.owner for change in changes} for changes in told] == [{alice.id, bob.id}]


# --- what one sees ---------------------------------------------------------------------------------------------------


def test_the_list_has_all_books_and_each_by_itself(alice: User, bob: User) -> None:
    club, staff = book(alice, "Club"), book(bob, "Staff")
    new(alice, "Ann"), add(alice, club, "Cleo"), add(bob, staff, "Ben"), new(bob, "Hidden")
    assert names(alice) == ["Ann", "Cleo"]
    share(staff, alice)
    assert names(alice) == ["Ann", "Ben", "Cleo"] and names(alice, "be") == ["Ben"]
    assert names(alice, book=club.id) == ["Cleo"] and names(alice, book=staff.id) == ["Ben"]
    assert contact_list.initials(alice, book_access.shelf(alice)) == ["a", "b", "c"]
    assert contact_list.initials(alice, book_access.shelf(alice), staff.id) == ["b"]


def test_someone_elses_card_is_not_there(alice: User, bob: User) -> None:
    row = new(bob, "Ben", "ben@x.example")
    shared = share(collections.default_collection(bob, BOOK), alice)
    assert store.load(alice, row.uid) == row and store.cards(alice, [row.uid]) and store.rows(alice, [row.id])
    shared.delete_instance()
    with pytest.raises(NoSuchContactError):
        store.load(alice, row.uid)
    assert not store.cards(alice, [row.uid]) and not store.rows(alice, [row.id]) and not store.chosen(alice, [row.uid])


def test_one_person_in_several_books_is_one_row_that_names_them(alice: User, bob: User) -> None:
    club, staff = book(alice, "Club"), book(bob, "Staff")
    ann = new(alice, "Ann Durand", "ann@x.example")
    there = [add(alice, club, "A. Durand", "ann@x.example"), add(bob, staff, "Durand Ann", "Ann@X.example")]
    share(staff, alice)
    found = contact_list.listed(alice)
    assert [row.id for row in found.rows] == [ann.id] and found.total == 1
    assert list(found.twins[ann.id]) == there
    assert names(alice, book=club.id) == ["A. Durand"]
    store.remove(alice, [ann.uid])
    assert [row.id for row in contact_list.listed(alice).rows] == [there[0].id]


def test_two_who_share_an_address_stay_two(alice: User, bob: User) -> None:
    staff = book(bob, "Staff")
    share(staff, alice)
    new(alice, "Ann Durand", "home@x.example")
    add(bob, staff, "Paul Durand", "home@x.example")
    assert names(alice) == ["Ann Durand", "Paul Durand"]


def test_two_in_one_book_are_duplicates_that_are_both_shown(alice: User) -> None:
    book(alice, "Club")
    new(alice, "Ann", "ann@x.example"), new(alice, "Ann", "ann@x.example")
    assert names(alice) == ["Ann", "Ann"]


def test_a_name_and_a_number_tell_a_person_too_but_not_a_name_alone(alice: User) -> None:
    club = book(alice, "Club")
    number = (ContactPoint("+33 1 23 45 67 89"),)
    store.add(alice, ContactDetails(name="Ann Durand", phones=number))
    store.add(alice, ContactDetails(name="Ann Durand", phones=number), book=club)
    store.add(alice, ContactDetails(name="Ann Durand"), book=club)
    assert names(alice) == ["Ann Durand", "Ann Durand"]


def test_words_find_a_person_by_what_only_one_of_their_cards_has(alice: User) -> None:
    club = book(alice, "Club")
    new(alice, "Ann", "ann@x.example")
    add(alice, club, "Ann Durand", "ann@x.example")
    assert names(alice) == ["Ann"] and names(alice, "durand") == ["Ann Durand"]


def test_pages_of_all_books_have_each_person_once(alice: User) -> None:
    club = book(alice, "Club")
    for number in range(12):
        new(alice, f"Person {number:02}", f"p{number}@x.example")
        add(alice, club, f"Person {number:02}", f"p{number}@x.example")
    pages = [contact_list.listed(alice, number=number, size=5) for number in (1, 2, 3)]
    assert [row.name for found in pages for row in found.rows] == [f"Person {number:02}" for number in range(12)]
    assert {(found.total, found.last) for found in pages} == {(12, 3)}


# --- what one may do -------------------------------------------------------------------------------------------------


def test_rights_are_checked_as_it_is_written(alice: User, bob: User) -> None:
    staff = book(bob, "Staff")
    row, shared = add(bob, staff, "Ben", "ben@x.example"), share(staff, alice)
    with pytest.raises(BookReadOnlyError):
        store.put(alice, vcard_edit.changed(row.vcard, ContactDetails(name="Benny")), row)
    with pytest.raises(BookReadOnlyError):
        add(alice, staff, "New")
    assert store.remove(alice, [row.uid]) == 0
    before = fresh(staff).seq
    CollectionShare.update(rights="write").where(CollectionShare.id == shared.id).execute()
    changed = store.put(alice, vcard_edit.changed(row.vcard, ContactDetails(name="Benny")), row)
    assert changed.user == bob and names(bob, book=staff.id) == ["Benny"] and fresh(staff).seq == before + 1
    added = add(alice, staff, "New", "new@x.example")
    assert added.user == bob and store.with_address(bob, "new@x.example") == added
    assert store.with_address(alice, "new@x.example") is None
    assert store.remove(alice, [row.uid]) == 1


def test_a_member_of_somebody_elses_group_is_there_by_address(alice: User, bob: User) -> None:
    staff = book(bob, "Staff")
    share(staff, alice, "write")
    team = store.add(bob, ContactDetails(name="Team", group=True), book=staff)
    mine = new(alice, "Ann", "ann@x.example")
    store.join(alice, mine, [team.uid])
    assert store.details(store.load(bob, team.uid)).members == ("mailto:ann@x.example",)
    assert store.groups_of(alice, mine) == {team.uid}
    store.join(alice, mine, [])
    assert store.details(store.load(bob, team.uid)).members == ()


def test_nobody_gets_into_a_group_by_the_uid_of_a_member(alice: User, bob: User) -> None:
    row = new(alice, "Ann", "ann@x.example")
    friends = group(alice, "Friends", row.card_uid)
    staff = book(bob, "Staff")
    share(staff, alice)
    store.put_all(bob, [card("Ann", "EMAIL:evil@x.example", uid=row.card_uid)], book=staff)
    assert list(membership.people_of(alice, [friends.id])[friends.id]) == ["ann@x.example"]
    assert [one.uid for one in store.members(alice, store.details(friends))[0]] == [row.uid]


def test_members_of_a_shared_group_that_one_may_not_read_are_not_told(alice: User, bob: User) -> None:
    secret = new(bob, "Secret", "secret@x.example")
    staff = book(bob, "Staff")
    ben = add(bob, staff, "Ben", "ben@x.example")
    team = store.add(bob, ContactDetails(name="Team", group=True, members=(secret.card_uid, ben.card_uid)), book=staff)
    share(staff, alice)
    assert list(membership.people_of(alice, [team.id])[team.id]) == ["ben@x.example"]
    assert list(membership.people_of(bob, [team.id])[team.id]) == ["secret@x.example", "ben@x.example"]
    assert [one.name for one in store.members(alice, store.details(team), bob)[0]] == ["Ben"]


# --- undo and trash --------------------------------------------------------------------------------------------------


def test_what_is_removed_comes_back_under_its_name_and_leaves_the_trash(alice: User) -> None:
    club = book(alice, "Club")
    row = add(alice, club, "Cleo", "cleo@x.example")
    Contact.update(href="from-a-phone.vcf").where(Contact.id == row.id).execute()
    row = store.load(alice, row.uid)
    name = undo.offer(alice, [CardVersion.removed(row)])
    store.remove(alice, [row.uid])
    trashed = TrashedItem.get(TrashedItem.user == alice)
    assert (trashed.href, trashed.title, trashed.by, trashed.collection) == ("from-a-phone.vcf", "Cleo", alice.address, club)
    assert GoneItem.get(GoneItem.collection == club).href == "from-a-phone.vcf"
    assert undo.undo(alice, name) == 1
    back = store.load(alice, row.uid)
    assert (back.collection, back.href, back.vcard) == (club, "from-a-phone.vcf", row.vcard)
    assert not TrashedItem.select().where(TrashedItem.user == alice) and not GoneItem.select().where(GoneItem.collection == club)


def test_undo_puts_it_into_the_first_book_if_its_own_is_gone(alice: User) -> None:
    club = book(alice, "Club")
    row = add(alice, club, "Cleo")
    name = undo.offer(alice, [CardVersion.removed(row)])
    store.remove(alice, [row.uid])
    club.delete_instance()
    assert undo.undo(alice, name) == 1
    assert store.load(alice, row.uid).collection == collections.default_collection(alice, BOOK)


def test_undo_in_a_book_that_is_no_longer_shared_does_nothing(alice: User, bob: User) -> None:
    staff = book(bob, "Staff")
    row, shared = add(bob, staff, "Ben"), share(staff, alice, "write")
    name = undo.offer(alice, [CardVersion.removed(row)])
    store.remove(alice, [row.uid])
    assert TrashedItem.get(TrashedItem.user == bob).by == alice.address
    shared.delete_instance()
    assert undo.undo(alice, name) == 0 and not Contact.select().where(Contact.collection == staff)


# --- moving and copying ----------------------------------------------------------------------------------------------


def test_a_contact_is_moved_with_its_uid_and_groups_and_back(alice: User) -> None:
    club, first = book(alice, "Club"), collections.default_collection(alice, BOOK)
    row = new(alice, "Ann", "ann@x.example")
    friends = group(alice, "Friends", row.card_uid)
    seqs = [fresh(one).seq for one in (first, club)]
    done = moving.move(alice, [(row.uid, "")], club)
    moved = store.load(alice, row.uid)
    assert (moved.collection, moved.href, moved.vcard) == (club, row.href, row.vcard) and done.there == []
    assert [fresh(one).seq for one in (first, club)] == [seqs[0] + 1, seqs[1] + 1]
    assert GoneItem.get(GoneItem.collection == first).href == row.href
    assert [one.name for one in store.members(alice, store.details(friends))[0]] == ["Ann"]
    assert undo.undo(alice, undo.offer(alice, done.before)) == 1
    assert store.load(alice, row.uid).collection == first and not TrashedItem.select().where(TrashedItem.user == alice)


def test_a_copy_keeps_the_card_and_is_made_once(alice: User) -> None:
    club = book(alice, "Club")
    row = new(alice, "Ann", "ann@x.example")
    done = moving.copy(alice, [row.uid], club)
    [copied] = contact_list.listed(alice, book=club.id).rows
    assert copied.card_uid == row.card_uid and copied.uid != row.uid and fresh(club).count == 1
    assert moving.copy(alice, [row.uid], club).there == ["Ann"] and fresh(club).count == 1
    assert names(alice) == ["Ann"]
    assert undo.undo(alice, undo.offer(alice, done.before)) == 1 and fresh(club).count == 0


def test_what_is_moved_out_of_another_persons_book_stays_in_their_trash(alice: User, bob: User) -> None:
    staff, first = book(bob, "Staff"), collections.default_collection(alice, BOOK)
    row, shared = add(bob, staff, "Ben", "ben@x.example"), share(staff, alice)
    with pytest.raises(BookReadOnlyError):
        moving.move(alice, [(row.uid, "")], first)
    assert moving.copy(alice, [row.uid], first).before and store.with_address(alice, "ben@x.example")
    store.remove(alice, [Contact.get(Contact.collection == first).uid], is_stored=False)
    CollectionShare.update(rights="write").where(CollectionShare.id == shared.id).execute()
    moving.move(alice, [(row.uid, "")], first)
    moved = store.load(alice, row.uid)
    assert moved.user == alice and store.with_address(alice, "ben@x.example") == moved
    assert ContactAddress.get(ContactAddress.contact == row.id).user == alice
    assert TrashedItem.get(TrashedItem.user == bob).text == row.vcard


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_into_the_book_that_was_chosen(alice: User) -> None:
    club = book(alice, "Club")
    new(alice, "Ann", "ann@x.example")
    text = card("Ann", "EMAIL:ann@x.example", "TEL:0123456789", uid="a") + card("Cleo", uid="c")
    planned = merge.plan(alice, text, club)
    merge.apply(alice, planned, club)
    assert names(alice, book=club.id) == ["Ann", "Cleo"]
    again = merge.plan(alice, text, club)
    assert not again.fresh and not again.updates
