"""Suggestions: the people and groups that match what was typed into an address field, and all of them for the picker.

Groups come first: of contacts, then of the establishment. Then people: those whose name or address begins so, those with a word
that begins so elsewhere, those with it inside their address; in each of these by how often and how lately the user wrote to them,
or they wrote, then contacts, then the establishment's own addresses and accounts. Everybody is there once.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from webmail import preferences
from webmail.collections.store import Access
from webmail.compose.recipients import address_book
from webmail.config.settings import Settings
from webmail.contacts import book_access, completion_rows
from webmail.mail import Address
from webmail.mime.headers.address_text import address_text
from webmail.mime.headers.encoded_words import words_in
from webmail.models import User
from webmail.people import blocked
from webmail.people.blocked import BlockedPeople
from webmail.people.suggestions import account_rows, met_rows
from webmail.people.suggestions.search_rows import INSIDE, PersonRow, fitting, row_of, typed_words
from webmail.people.visibility import Sight, sight_of

MOST_SUGGESTED = 8
MOST_WORDS = 100  # characters of a search that are used
_CONTACT, _LISTED = 0.8, 0.2  # what being a contact, or an address of the establishment, counts in messages written today


@dataclass(frozen=True, slots=True)
class Person:
    """A suggested recipient or group. `times`: how often the user has written to them. `inside`: the words stand only in the
    midst of the address, as "durand" does in "jdurand@...". `learned`: the address as `people.remembered` has it, of those who
    are known from messages alone.
    """

    name: str
    email: str  # lower case, with a Unicode domain; "" for a group
    times: int = 0
    group: address_book.Group | None = None
    inside: bool = False
    learned: str = ""

    @property
    def entry(self) -> str:
        """The text for an address field; for a group, all its members."""
        return address_text(self.group.people if self.group else (Address(self.name, self.email),))

    @property
    def token(self) -> str:
        """Identifies this entry in the recipient picker's form; short even for a large group."""
        return self.group.token if self.group else self.entry


def find(user: User, text: str, settings: Settings, most: int = 0, without: BlockedPeople = blocked.NOBODY) -> list[Person]:
    """All people that match the words (everybody for no words), deduplicated by address; `most` limits the result unless 0.

    `without`: who is left out, though not of groups. 2 queries for books, 3 for groups (more for those inside groups), 4 for
    people, some for what changed since it was read.
    """
    text, sight = text[:MOST_WORDS], sight_of(user, settings)
    shelf = book_access.shelf(user)
    found = [*address_book.groups(user, text, most, shelf), *address_book.groups_of_domain(user, text, sight, most)]
    groups = [Person(group.name, "", group=group) for group in found]
    people = _people(user, text, sight, shelf, most, without)
    if not most:
        return [*groups, *people]
    first = groups[: max(most // 2, most - len(people))]  # those that fit best may be people
    return [*first, *people][:most]


def suggest(user: User, text: str, settings: Settings) -> list[Person]:
    """The best matches for what was typed so far, without blocked people; none for empty input. 1 query more than `find`."""
    return find(user, text, settings, MOST_SUGGESTED, blocked.for_user(user)) if typed_words(text) else []


def warm_up(user: User, settings: Settings) -> None:
    """Have in memory what is searched when a name is typed. The queries of `find` for people."""
    sight = sight_of(user, settings)
    for _rows in completion_rows.rows(book_access.shelf(user)):
        pass  # reading keeps them
    account_rows.warm_up(sight)
    met_rows.rows(user)


# --- people ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """Somebody who fits; `source`: how much their name counts, the least the most."""

    fit: int
    weight: float
    row: PersonRow
    source: int


_BOOK, _ADDRESS, _ACCOUNT, _MET = range(4)


def _people(user: User, text: str, sight: Sight, shelf: Sequence[Access], most: int, without: BlockedPeople) -> list[Person]:
    wanted, folded, enough = typed_words(text), words_in(text), 2 * most
    never = without.has if without.entries else None
    met = {row.address: row for row in met_rows.rows(user)}
    found: dict[str, _Found] = {}
    if folded or not wanted:
        for rows in completion_rows.rows(shelf):
            _note(found, _BOOK, _CONTACT, fitting(rows, folded, enough, met, never))
    _note(found, _ADDRESS, _LISTED, fitting(_addresses(sight), wanted))
    _note(found, _ACCOUNT, 0.0, fitting(account_rows.candidates(sight, wanted), wanted, enough, met, never))
    if preferences.for_user(user).suggest_met:
        _note(found, _MET, 0.0, fitting(met.values(), wanted))  # all: their weights decide
    if never:
        found = {address: one for address, one in found.items() if not never(address)}
    today = met_rows.weight_now(1.0)
    for address in met.keys() & found.keys():
        found[address].weight += met[address].weight * today
    return list(_as_seen(_ranked(found.values(), enough), met, sight, most))


def _ranked(found: Collection[_Found], most: int) -> list[_Found]:
    def place(found: _Found) -> tuple[int, float, str]:
        return found.fit, -found.weight, found.row.named

    return heapq.nsmallest(most, found, place) if most else sorted(found, key=place)


def _note(found: dict[str, _Found], source: int, weight: float, fits: Iterable[tuple[int, PersonRow]]) -> None:
    """Those who fit, once each: as well as they do anywhere, under the name of the first source that has one."""
    for fit, row in fits:
        known = found.get(row.address)
        if known is None:
            found[row.address] = _Found(fit, weight, row, source)
            continue
        known.fit = min(known.fit, fit)
        if row.name and not known.row.name:
            known.row, known.source = row, source


def _addresses(sight: Sight) -> list[PersonRow]:
    return [row_of(one.name, one.address.lower()) for one in sight.addresses]


def _as_seen(ranked: list[_Found], met: dict[str, PersonRow], sight: Sight, most: int) -> Iterator[Person]:
    """The first of them, without accounts that are gone or not seen, and colleagues under their names of now."""
    asked = [one.row.address for one in ranked if one.source == _ACCOUNT or _is_nameless(one, sight)]
    names = account_rows.checked(sight, asked) if asked and not sight.nobody else {}
    given = 0
    for one in ranked:
        row, known = one.row, met.get(one.row.address)
        if one.source == _ACCOUNT and row.address not in names and known is None:
            continue
        name = row.name if one.source < _ACCOUNT else names.get(row.address) or (known or row).name
        learned = row.address if one.source == _MET else ""
        yield Person(name, row.shown, known.times if known else 0, inside=one.fit == INSIDE, learned=learned)
        given += 1
        if given == most:
            return


def _is_nameless(found: _Found, sight: Sight) -> bool:
    """Whether a colleague is known from messages that did not name them."""
    return found.source == _MET and not found.row.name and found.row.address.rpartition("@")[2] in sight.domains
