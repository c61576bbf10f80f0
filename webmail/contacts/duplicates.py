"""Duplicates: contacts that may be the same person, by address, phone number or name, and their merging, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

import peewee as pw

from webmail.contacts import book_access, store
from webmail.contacts.undo import CardVersion
from webmail.database.connection import db
from webmail.database.plain_rows import plain_rows
from webmail.mime.formats.address_books.entry import BookEntry, entry_of
from webmail.mime.formats.cards import vcard_edit, vcard_versions
from webmail.mime.headers.encoded_words import fold
from webmail.mime.threats import display_names
from webmail.models import Contact, ContactAddress, ContactMember, DifferentContacts, User

MOST_TOGETHER = 4  # shown side by side
MOST_SHOWN = 50
_MOST_SHARING = 6  # a switchboard's number, or a whole family's address, tells nothing
_PHONES = re.compile(r"(?<!\S)\d{6,}(?!\S)")  # among the folded words
_MOST_KEPT = 5_000  # pairs that are told apart
BOTH = "both"


class Likeness(IntEnum):
    """Why contacts may be the same; the least is the surest."""

    ADDRESS = 1
    PHONE = 2
    NAME = 3


class AlikeContact(NamedTuple):
    """What is needed of a contact to say that it may be another's double."""

    id: int
    uid: str
    name: str
    email: str
    words: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Contacts that may be one person; `value` is what they share."""

    likeness: Likeness
    value: str
    people: tuple[AlikeContact, ...]


# --- finding ---------------------------------------------------------------------------------------------------------


def candidates(user: User) -> list[Candidate]:
    """All among the person's own contacts, in all of their books, the surest first, each contact in one only. 3 queries.

    Nearly all of ten thousand share nothing: they are plain rows, and only those that do become more.
    """
    found = Contact.select(Contact.id, Contact.uid, Contact.name, Contact.email, Contact.words)
    rows = plain_rows(found.where(Contact.user == user, Contact.kind == store.INDIVIDUAL))
    people = {row[0]: row for row in rows}
    apart = _told_apart(user)
    taken: set[int] = set()
    candidates: list[Candidate] = []
    by_address = _sharing(_shared_addresses(user))
    by_phone = _sharing((phone, row[0]) for row in rows for phone in _PHONES.findall(row[4]))
    by_name = _sharing((_name_key(row[2]), row[0]) for row in rows)
    for likeness, shared in ((Likeness.ADDRESS, by_address), (Likeness.PHONE, by_phone), (Likeness.NAME, by_name)):
        for value, numbers in shared.items():
            sharing = [number for number in sorted(numbers) if number in people]  # oldest first
            if len(sharing) > _MOST_SHARING:
                continue
            together = _not_apart([AlikeContact(*people[number]) for number in sharing if number not in taken], apart)
            if len(together) > 1:
                taken.update(row.id for row in together)
                candidates.append(Candidate(likeness, value, tuple(together)))
    return candidates


def _sharing(pairs: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    """Which contacts share a value, of those that more than one has."""
    first: dict[str, int] = {}
    shared: dict[str, set[int]] = {}
    for value, number in pairs:
        if value not in first:
            first[value] = number
        elif value and first[value] != number:
            shared.setdefault(value, {first[value]}).add(number)
    return shared


def _shared_addresses(user: User) -> list[tuple[str, int]]:
    column, mine = ContactAddress.address, (ContactAddress.user == user) & (ContactAddress.address != "")
    twice = ContactAddress.select(column).where(mine).group_by(column).having(pw.fn.COUNT(pw.SQL("*")) > 1)
    return plain_rows(ContactAddress.select(column, ContactAddress.contact).where(mine, column.in_(twice)))


@lru_cache(maxsize=32768)
def _name_key(name: str) -> str:
    return display_names.name_key(fold(name))


def _not_apart(alike: Sequence[AlikeContact], apart: set[tuple[str, str]]) -> list[AlikeContact]:
    """The most of them, up to MOST_TOGETHER, of whom no two were told apart."""
    for at, first in enumerate(alike):
        together = [first]
        for row in alike[at + 1 :]:
            if all(_pair(row.uid, one.uid) not in apart for one in together):
                together.append(row)
        if len(together) > 1:
            return together[:MOST_TOGETHER]
    return []


# --- told apart ------------------------------------------------------------------------------------------------------


def _pair(value: str, other: str) -> tuple[str, str]:
    return (value, other) if value < other else (other, value)


def _told_apart(user: User) -> set[tuple[str, str]]:
    rows: Any = DifferentContacts.select(DifferentContacts.one, DifferentContacts.other).where(DifferentContacts.user == user)
    return set(rows.tuples())


def tell_apart(user: User, uids: Sequence[str]) -> None:
    """Remember that no two of these are the same person. Those of contacts that are gone are forgotten then."""
    pairs = {_pair(one, other) for at, one in enumerate(uids) for other in uids[at + 1 :]} - _told_apart(user)
    here = Contact.select(Contact.uid).where(Contact.user == user)
    with db.atomic():
        mine = DifferentContacts.user == user
        gone = DifferentContacts.one.not_in(here) | DifferentContacts.other.not_in(here)
        DifferentContacts.delete().where(mine & gone).execute()
        if pairs and DifferentContacts.select().where(mine).count() + len(pairs) <= _MOST_KEPT:
            rows = [{"user": user.id, "one": one, "other": other} for one, other in sorted(pairs)]
            DifferentContacts.insert_many(rows).on_conflict_ignore().execute()


def tell_together(user: User, uids: Sequence[str]) -> None:
    """Take that back."""
    mine = DifferentContacts.user == user
    DifferentContacts.delete().where(mine & DifferentContacts.one.in_(uids) & DifferentContacts.other.in_(uids)).execute()


# --- side by side ----------------------------------------------------------------------------------------------------

# what one chooses between: the name of the choice, and the properties that belong to it
CHOICES: dict[str, tuple[str, ...]] = {
    "name": ("FN", "N", "SORT-STRING", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME"),
    "nickname": ("NICKNAME",),
    "organisation": ("ORG", "X-DEPARTMENT"),
    "title": ("TITLE",),
    "role": ("ROLE",),
    "birthday": ("BDAY",),
    "anniversary": ("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY"),
    "gender": ("GENDER", "X-GENDER"),
    "photo": ("PHOTO",),
    "note": ("NOTE",),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Contacts side by side. `differing`: for each choice that there is, what each has of it ("" for nothing)."""

    rows: tuple[Contact, ...]
    entries: tuple[BookEntry, ...]
    differing: dict[str, list[str]] = field(default_factory=dict)


def compare(rows: Sequence[Contact]) -> Comparison:
    entries = tuple(entry_of(row.vcard) for row in rows)
    found = {}
    for choice in CHOICES:
        values = [_value(one, choice) for one in entries]
        if len(set(filter(None, values))) > 1:
            found[choice] = values
    return Comparison(tuple(rows), entries, found)


def _value(entry: BookEntry, choice: str) -> str:
    if choice == "photo":
        return store.revision(repr(entry.photo)) if entry.photo else ""
    if choice == "organisation":
        return ", ".join(filter(None, (entry.organisation, entry.department)))
    return str(getattr(entry, choice))


# --- merging ---------------------------------------------------------------------------------------------------------


def merged_card(cards: Sequence[str], chosen: Mapping[str, str]) -> str:
    """One card of several: the first, with what only the others have; of each choice, what was chosen (its number, from "0")."""
    base = cards[0]
    version = "4.0" if "VERSION:4" in base[:200].upper() else "3.0"
    others = [vcard_versions.in_version(card, version) for card in cards[1:]]
    single = tuple(name for properties in CHOICES.values() for name in properties if name != "NOTE")
    notes = [entry_of(card).note for card in cards]
    result = base
    for other in others:
        result = vcard_edit.merge_cards(result, vcard_edit.with_lines_of(other, None, ("NOTE",)), single)
    for choice, number in chosen.items():
        if choice in CHOICES and number in map(str, range(len(cards))):
            result = vcard_edit.with_lines_of(result, [base, *others][int(number)], CHOICES[choice])
    if chosen.get("note") == BOTH or ("note" not in chosen and not notes[0]):
        text = "\n".join(dict.fromkeys(filter(None, notes)))
        result = vcard_edit.with_note(result, text)
    return result


def merge(user: User, rows: Sequence[Contact], chosen: Mapping[str, str]) -> list[CardVersion]:
    """Merge into the first of these contacts, which takes the place of the others in groups; returns what undoes it.

    1 transaction. Hold the user's lock. Raises CardTooLargeError, ContactChangedElsewhereError, and changes nothing then.
    """
    first, *others = rows
    card = merged_card([row.vcard for row in rows], chosen)
    with db.atomic():
        groups = _groups_with(user, others)
        book_access.lock_together([*rows, *groups])
        before = [CardVersion.removed(row) for row in others]
        kept = store.put(user, card, first) if card != first.vcard else first
        before.append(CardVersion(first.uid, first.vcard, kept.revision))
        for group in groups:
            members = [first.card_uid if one in {row.card_uid for row in others} else one for one in store.details(group).members]
            changed = store.put(user, vcard_edit.with_members(group.vcard, dict.fromkeys(members)), group)
            before.append(CardVersion(group.uid, group.vcard, changed.revision))
        store.remove(user, [row.uid for row in others])
    return before


def _groups_with(user: User, rows: Sequence[Contact]) -> list[Contact]:
    inside = ContactMember.select(ContactMember.group).where(ContactMember.member.in_([row.card_uid for row in rows]))
    return list(Contact.select().where(Contact.user == user, Contact.kind == store.GROUP, Contact.id.in_(inside)))
