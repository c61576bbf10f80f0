"""Contact list: pages of contacts by name, letter or words, of one book or of all, where one person in several is one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee as pw

from webmail.collections.store import Access
from webmail.contacts import book_access, same_people
from webmail.contacts.store import GROUP, LISTED
from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.mime.headers.encoded_words import words_in
from webmail.models import Contact, ContactAddress, User

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page of a contact list; `number` of `last` pages, `total` rows, of which some are `groups`. `twins`: the same people in
    other books, by `id`."""

    rows: Sequence[Contact]
    total: int
    number: int
    last: int
    groups: int
    twins: Mapping[int, Sequence[Contact]] = field(default_factory=dict)


def listed(
    user: User, *, text: str = "", letter: str = "", kind: str = "", number: int = 1, size: int = 50,
    found_in: Sequence[Access] | None = None, book: int | None = None,
) -> ContactPage:  # fmt: skip
    """One page of the matching contacts, sorted by name: of all books of the person, or of the one with this `id`.

    `found_in`: their shelf (see book_access.py), if it is known. 2 queries, 1 for all of a book that fits on a page, 2 for the
    shelf, some more for several books.
    """
    shelf = book_access.shelf(user) if found_in is None else found_in
    conditions = fitting(text)
    if kind:
        conditions.append(Contact.kind == kind)
    if letter:
        conditions.append(_letter() == letter)
    if book is None and len(shelf) > 1:
        return _folded(user, shelf, conditions, number, size)
    if book is None and not conditions and number <= 1:
        rows = _first_of_all(user=user.id, most=size)
        if len(rows) < size:  # that is all of them
            return ContactPage(rows, len(rows), 1, 1, sum(row.kind == GROUP for row in rows))
    found = Contact.select(*LISTED).where(Contact.user == user if book is None else Contact.collection == book, *conditions)
    counts: Any = found.select(pw.fn.COUNT(Contact.id), pw.fn.SUM(pw.Case(None, [(Contact.kind == GROUP, 1)], 0)))
    total, groups = counts.tuples().get()
    number, last = _page_bounds(total, number, size)
    rows = list(found.order_by(Contact.sort, Contact.id).paginate(number, size))
    return ContactPage(rows, total, number, last, int(groups or 0))


_first_of_all = Prepared(
    lambda slot: (
        Contact.select(*LISTED).where(Contact.user == slot("user")).order_by(Contact.sort, Contact.id).limit(slot("most"))
    )
)


def _page_bounds(total: int, number: int, size: int) -> tuple[int, int]:
    last = max((total - 1) // size, 0) + 1
    return min(max(number, 1), last), last


def _folded(user: User, shelf: Sequence[Access], conditions: Sequence[Any], number: int, size: int) -> ContactPage:
    """The page of all books. Of a person who is in several, the row of the first book that matches is shown."""
    alike = same_people.find(shelf)
    matching, groups = _matching(user, shelf, conditions)
    if alike:
        there = set(matching)
        hidden = {each for one in alike.keys() & there for each in _behind(alike[one], there)}
        matching = [one for one in matching if one not in hidden]
    total = len(matching)
    number, last = _page_bounds(total, number, size)
    shown = matching[(number - 1) * size : number * size]
    others = [each for one in shown for each in alike.get(one, ()) if each != one]
    rows: dict[int, Contact] = {}
    wanted = [*shown, *others]
    for at in range(0, len(wanted), _CHUNK):
        rows |= {row.id: row for row in Contact.select(*LISTED).where(Contact.id.in_(wanted[at : at + _CHUNK]))}
    same = {
        one: [rows[each] for each in alike[one] if each != one and each in rows] for one in shown if one in alike and one in rows
    }
    return ContactPage([rows[one] for one in shown if one in rows], total, number, last, len(groups.intersection(matching)), same)


def _behind(together: Sequence[int], there: set[int]) -> Sequence[int]:
    """Those of one person behind the first that matches."""
    return together[next(at for at, each in enumerate(together) if each in there) + 1 :]


def _matching(user: User, shelf: Sequence[Access], conditions: Sequence[Any]) -> tuple[list[int], set[int]]:
    """The `id`s of those that match, by name, and which of them are groups. 1 query a book, which an index of names answers
    where no words are asked for; and 1 for those in no book yet (see device_cards.py)."""
    found: list[tuple[str, int, str]] = []
    strays = (Contact.user == user) & Contact.collection.is_null()
    for here in (*(Contact.collection == one.collection.id for one in shelf), strays):
        rows = Contact.select(Contact.sort, Contact.id, Contact.kind).where(here, *conditions).order_by(Contact.sort, Contact.id)
        found += db.execute(rows).fetchall()
    return [number for _sort, number, _kind in sorted(found)], {number for _sort, number, kind in found if kind == GROUP}


def _in_books(user: User, shelf: Sequence[Access]) -> Any:
    """Contacts of all books of the shelf."""
    others = [one.collection for one in shelf if one.rights != "own"]
    mine = Contact.user == user
    return mine | Contact.collection.in_([one.id for one in others]) if others else mine


def fitting(text: str) -> list[Any]:
    """Conditions for a prefix search: each word starts a word of the name, organisation, addresses or phone numbers."""
    return [Contact.words.contains(f" {word}") for word in words_in(text[:100])[:10]]


def groups_by_book(shelf: Sequence[Access]) -> dict[int, int]:
    """How many of the contacts in each book (by `id`) are groups. 1 query."""
    books = [one.collection.id for one in shelf]
    groups = Contact.collection.in_(books), Contact.kind == GROUP
    counts: Any = Contact.select(Contact.collection, pw.fn.COUNT(Contact.id)).where(*groups)
    return dict(counts.group_by(Contact.collection).tuples())


def with_addresses(user: User, shelf: Sequence[Access], text: str, addresses: Sequence[str]) -> dict[str, int]:
    """Which of these addresses (normalised by `address_key`) belong to contacts that match the words: their `id`s. 1 query."""
    found: Any = (
        ContactAddress.select(ContactAddress.address, Contact.id)
        .join(Contact)
        .where(ContactAddress.address.in_(list(addresses)[:_CHUNK]), _in_books(user, shelf), *fitting(text))
        .order_by(Contact.id.desc())
        .tuples()
    )
    return dict(found)


def initials(user: User, shelf: Sequence[Access], book: int | None = None) -> list[str]:
    """The initial letters of all contacts, sorted; "#" stands for anything that is not a letter. 1 query."""
    numbers = [one.collection.id for one in shelf] if book is None else [book]
    here = Contact.user == user if book is None and len(shelf) == 1 else Contact.collection.in_(numbers)
    rows: Any = Contact.select(_letter()).where(here).distinct().tuples()
    return sorted((letter for (letter,) in rows), key=lambda letter: (letter == "#", letter))


def _letter() -> Any:
    first = pw.fn.SUBSTR(Contact.sort, 1, 1)
    return pw.Case(None, [((first >= "a") & (first <= "z"), first)], "#")
