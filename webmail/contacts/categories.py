"""Categories of contacts: an index of them, in step with the cards, by which a name stands for the people who have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.collections import store as collections
from webmail.contacts import card_changes
from webmail.contacts.card_changes import CardChange
from webmail.contacts.card_index import INDIVIDUAL
from webmail.database.connection import db
from webmail.mail import Address
from webmail.mime.formats.cards.vcard_details import read_more
from webmail.mime.headers.encoded_words import sort_key, words_in
from webmail.models import Contact, ContactCategory, IndexFill, User

MOST_PEOPLE = 10_000  # of one category: more contacts nobody has
_MOST = 50  # categories of one contact
_LONGEST = 100
_FILL = "categories"
_PIECE = 200
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Category:
    """`key` is its name without case and accents; `count`: the people with an address in it."""

    key: str
    name: str
    count: int


def named(text: str) -> str:
    """The key of a category of this name."""
    return sort_key(" ".join(text.split())[:_LONGEST])[:_LONGEST]


def of_card(card: str) -> dict[str, str]:
    """The categories of a card: their names by their keys. Never raises."""
    if "CATEGORIES" not in card.upper():
        return {}
    names = [name[:_LONGEST] for name in read_more(card).categories[:_MOST]]
    return {key: name for name in reversed(names) if (key := named(name))}


# --- in step with the cards ------------------------------------------------------------------------------------------


def follow(changes: Sequence[CardChange]) -> None:
    """Bring the index in step, in the transaction that changes the cards. Rows of contacts that are gone go with them."""
    wanted = {one.uid: (one.owner, of_card(one.after)) for one in changes if one.after}
    moved = {one.uid for one in changes if not one.after}
    due = [one.uid for one in changes if one.after and (wanted[one.uid][1] or one.uid in moved or of_card(one.before))]
    for at in range(0, len(due), _CHUNK):
        found: Any = Contact.select(Contact.id, Contact.uid).where(Contact.uid.in_(due[at : at + _CHUNK])).tuples()
        _write([(number, *wanted[uid]) for number, uid in list(found)])


def _write(contacts: Sequence[tuple[int, int, dict[str, str]]]) -> None:
    """Give contacts (by `id`), with their owners, these categories instead of those that they have."""
    ids = [number for number, _owner, _names in contacts]
    ContactCategory.delete().where(ContactCategory.contact.in_(ids)).execute()
    rows = [
        {"user": owner, "contact": number, "key": key, "name": name}
        for number, owner, names in contacts
        for key, name in names.items()
    ]
    for at in range(0, len(rows), 100):
        ContactCategory.insert_many(rows[at : at + 100]).execute()


def fill() -> int:
    """Index the contacts that were there before the index, piece by piece, each with its book locked; returns how many."""
    count = 0
    while (state := IndexFill.get_or_none(IndexFill.name == _FILL)) is not None:
        has = (Contact.id > state.upto) & (Contact.id <= state.until) & Contact.vcard.contains("CATEGORIES")
        due: Any = Contact.select(Contact.id, Contact.collection).where(has).order_by(Contact.id).limit(_PIECE).tuples()
        found = list(due)
        with db.atomic():
            collections.lock({book for _number, book in found if book})
            rows = Contact.select(Contact.id, Contact.user, Contact.vcard).where(
                Contact.id.in_([number for number, _book in found])
            )
            _write([(row.id, row.user_id, of_card(row.vcard)) for row in rows])
            if len(found) < _PIECE:
                state.delete_instance()
            else:
                IndexFill.update(upto=found[-1][0]).where(IndexFill.id == state.id).execute()
        count += len(found)
    return count


# --- who is in them --------------------------------------------------------------------------------------------------


def of_user(user: User, text: str = "", most: int = 200) -> list[Category]:
    """The categories of a person's contacts with an address, of which each word begins one in their names, by name. 1 query."""
    fits = [(ContactCategory.key.startswith(word)) | ContactCategory.key.contains(f" {word}") for word in words_in(text)[:10]]
    found: Any = (
        ContactCategory.select(ContactCategory.key, pw.fn.MIN(ContactCategory.name), pw.fn.COUNT(ContactCategory.id))
        .join(Contact)
        .where(ContactCategory.user == user, Contact.kind == INDIVIDUAL, Contact.email != "", *fits)
        .group_by(ContactCategory.key)
        .order_by(ContactCategory.key)
        .limit(most)
        .tuples()
    )
    return [Category(*row) for row in found]


def people(user: User, keys: Iterable[str]) -> dict[str, list[Address]]:
    """The people with an address in each of these categories, by name. 1 query."""
    found: Any = (
        ContactCategory.select(ContactCategory.key, Contact.name, Contact.email)
        .join(Contact)
        .where(
            ContactCategory.user == user,
            ContactCategory.key.in_(list(keys)[:_CHUNK]),
            Contact.kind == INDIVIDUAL,
            Contact.email != "",
        )  # fmt: skip
        .order_by(ContactCategory.key, Contact.sort, Contact.id)
        .limit(MOST_PEOPLE)
        .tuples()
    )
    groups: dict[str, list[Address]] = {}
    for key, name, email in found:
        groups.setdefault(key, []).append(Address(name, email))
    return groups


def kept_alone(user: User, keys: Iterable[str], shared: Sequence[int]) -> set[str]:
    """Which of these categories are of a contact outside these books (by `id`). 1 query."""
    alone = Contact.collection.is_null() | Contact.collection.not_in(shared)
    found: Any = ContactCategory.select(ContactCategory.key).join(Contact).where(ContactCategory.user == user, alone)
    return {key for (key,) in found.where(ContactCategory.key.in_(list(keys)[:_CHUNK])).distinct().tuples()}


def spelt(user: User, key: str) -> str:
    """How a category is written; its key, if nobody has it. 1 query."""
    mine = (ContactCategory.user == user) & (ContactCategory.key == key)
    return str(ContactCategory.select(pw.fn.MIN(ContactCategory.name)).where(mine).scalar() or key)


def contacts(user: User, key: str) -> list[Contact]:
    """All contacts of a category, without their cards, by name. 1 query."""
    fields = (Contact.id, Contact.uid, Contact.name, Contact.email, Contact.kind)
    mine = (ContactCategory.user == user) & (ContactCategory.key == key)
    found = Contact.select(*fields).join(ContactCategory, on=ContactCategory.contact == Contact.id).where(mine)
    return list(found.order_by(Contact.sort, Contact.id).limit(MOST_PEOPLE))


card_changes.kept_by(follow)
