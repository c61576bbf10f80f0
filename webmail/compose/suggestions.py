"""Suggestions: the people and groups that match what was typed into an address field, and all of them for the picker.

They come from `sources`, in this order: contact groups, groups of the domain, the people a user knows (contacts, those they wrote
to, those who wrote to them) by how often and how lately, then accounts of the establishment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

import peewee as pw

from webmail.compose import address_book
from webmail.config import Settings
from webmail.mail import Address
from webmail.mime.address_text import address_text
from webmail.mime.encoded_words import fold
from webmail.mime.shown_address import readable_address
from webmail.models import Acquaintance, Correspondent, User, now

MOST_SUGGESTED = 8
MOST_WORDS = 100  # characters of a search that are used
_HALF_LIFE = 180  # days after which a message counts half
_CONTACT = 1.0  # what being a contact counts, in messages written today
_RECEIVED = 0.1  # what a message received counts, beside one written
_FEWEST_INSIDE = 3  # letters that are also looked for in the midst of an address
_STRICT = re.compile(r"[^bfmpqvx0-9@.-]+")  # everything but characters that practically no language writes with an accent


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


def sources(user: User, words: str, settings: Settings) -> Iterator[Iterable[Person]]:
    """Matching people by source, the most relevant source first. 2 queries for groups, 1 for those of the domain, 3, 1."""
    yield (Person(group.name, "", group=group) for group in address_book.groups(user, words))
    if settings.directory:
        yield (Person(group.name, "", group=group) for group in address_book.groups_of_domain(user, words))
    yield _known(user, words)
    if settings.directory:
        yield _directory(user, words, settings)


def find(user: User, words: str, settings: Settings, most: int = 0) -> list[Person]:
    """All people that match the words (everybody for no words), deduplicated by address; `most` limits the result unless 0.

    Those with a name or a part of the address that begins so come before those with the words inside. The queries of `sources`,
    and 1 for missing names of colleagues.
    """
    found: dict[str, Person] = {}
    inside: dict[str, Person] = {}
    for person in chain.from_iterable(sources(user, words[:MOST_WORDS], settings)):
        (inside if person.inside else found).setdefault(person.token if person.group else person.email, person)
        if len(found) == most:  # never true for 0: at least one was found by now
            break
    found = {**found, **{key: person for key, person in inside.items() if key not in found}}
    kept = dict(list(found.items())[:most]) if most else found
    return list(_with_names(user, kept, settings).values())


def suggest(user: User, words: str, settings: Settings) -> list[Person]:
    """The best matches for what was typed so far; none for empty input. Same queries as `find`."""
    return find(user, words, settings, MOST_SUGGESTED) if _words(words) else []


def _with_names(user: User, found: dict[str, Person], settings: Settings) -> dict[str, Person]:
    ours = settings.own_domains(user.domain)
    nameless = [one.email for one in found.values() if one.email and not one.name and one.email.rpartition("@")[2] in ours]
    if not nameless or not settings.directory:
        return found
    rows: Any = User.select(User.address, User.name).where(User.address << nameless[:500], User.active == 1).tuples()
    return {**found, **{email: replace(found[email], name=name) for email, name in rows}}


# --- the people a user knows -----------------------------------------------------------------------------------------

_Row = tuple[float, str, str, int]  # weight, name, address, times written to


def _known(user: User, words: str) -> Iterator[Person]:
    """Sorted before they are compared with the words, so that the first few of ten thousand cost little."""
    contacts: dict[str, _Row] = {}
    for name, email, times, last in address_book.people(user, words):
        contacts.setdefault(email, (_CONTACT + weight(times, last), name, email, times))
    rows: list[_Row] = [*_met(Correspondent, user, words), *_met(Acquaintance, user, words)]
    rest = sorted((row for row in rows if row[2] not in contacts), key=_by_weight)
    first, fitting = sorted(contacts.values(), key=_by_weight), _fitting(words, (((*row[1:], row[2]), row[0]) for row in rest))
    yield from _merged(first, fitting)


def _merged(contacts: list[_Row], others: Iterator[tuple[Person, float]]) -> Iterator[Person]:
    """Both by weight. Contacts match already: the index of their words was asked."""
    waiting = list(reversed(contacts))
    for person, heavy in others:
        while waiting and waiting[-1][0] >= heavy:
            yield _contact(waiting.pop())
        yield person
    yield from map(_contact, reversed(waiting))


def _contact(row: _Row) -> Person:
    return Person(row[1], readable_address(row[2]), row[3])


def _by_weight(row: _Row) -> tuple[float, str]:
    return -row[0], row[2]


def weight(times: int, last: datetime | None) -> float:
    """How much somebody counts who was written to so often, the last time then (UTC, naive)."""
    if not times or last is None:
        return 0.0
    return float(times * 0.5 ** (max((now() - last).days, 0) / _HALF_LIFE))


def _met(table: Any, user: User, words: str) -> Iterator[_Row]:
    """Those of a table that may match the words, unless they were forgotten."""
    written = table is Correspondent
    fits = [(table.address**like) | (table.name**like) | (table.address.contains("@xn--")) for like in _patterns(words)]
    found = table.select(table.name, table.address, table.count, table.last).where(table.user == user, *fits)
    for name, email, times, last in found.where(table.hidden.is_null()).tuples():
        yield weight(times, last) * (1 if written else _RECEIVED), name, email, times if written else 0


def _directory(user: User, words: str, settings: Settings) -> Iterator[Person]:
    """The colleagues, without the address that only the establishment itself writes from."""
    sender = settings.system_sender
    fits = [(User.address**like) | (User.name**like) for like in _patterns(words)]
    fits += [User.domain.in_(settings.own_domains(user.domain)), User.address != (sender.email.lower() if sender else "")]
    found = User.select(User.name, User.address, pw.Value(0)).where(User.active == 1, *fits)
    for person, _weight in _fitting(words, ((row, 0.0) for row in found.order_by(User.name, User.address).tuples())):
        yield person


# --- words -----------------------------------------------------------------------------------------------------------


def _patterns(words: str) -> list[str]:
    """LIKE patterns that every match satisfies; a superset is fine, because databases don't match "é" with "e"."""
    return [f"%{pattern}%" for word in _words(words) if (pattern := _STRICT.sub("%", word).strip("%"))]


def _fitting(words: str, rows: Iterable[tuple[Any, float]]) -> Iterator[tuple[Person, float]]:
    """The rows (name, address, times, perhaps `learned`), with their weights, in which each word begins a name or a part of the
    address; or stands anywhere in the address.
    """
    wanted = _words(words)
    starts = [re.compile(r"(?:^|[\s\"'’.,_+@(-])" + re.escape(word)) for word in wanted]
    long = all(len(word) >= _FEWEST_INSIDE for word in wanted)
    for (name, email, times, *learned), heavy in rows:
        shown = readable_address(email)
        text = fold(f"{name} {shown}") if starts else ""
        if all(start.search(text) for start in starts):
            yield Person(name, shown, times, learned="".join(learned)), heavy
        elif long and all(word in fold(shown) for word in wanted):
            yield Person(name, shown, times, inside=True, learned="".join(learned)), heavy


def _words(words: str) -> list[str]:
    return [word for word in re.split(r"[\s\"<>,;()]+", fold(words)) if word][:10]
