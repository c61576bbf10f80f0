"""Colleagues: whose account a name is read as, from an index in memory, so that a list of 50 rows costs no more than one."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.mime.threats import display_names
from webmail.mime.threats.skeletons import skeleton
from webmail.models import AllowedAddress, AllowedName, User

MOST = 20_000
_SECONDS = 300  # after which the index is read anew in any case
_MOST_INITIALS = 6  # words of a name with initials
_Person = tuple[str, str, bool]  # name, address, whether it is lent: another account's own


def shape() -> pw.Query:
    """A text that is another one where accounts, their names or their addresses have changed."""
    numbers = [
        pw.fn.COUNT(User.id), pw.fn.MAX(User.id), pw.fn.SUM(pw.fn.LENGTH(User.name)),
        pw.fn.SUM(pw.fn.LENGTH(User.name_given)), pw.fn.SUM(User.active),
        *(table.select(found(table.id)) for table in (AllowedAddress, AllowedName) for found in (pw.fn.COUNT, pw.fn.MAX)),
    ]  # fmt: skip
    text: Any = pw.Value("")
    for number in numbers:
        text = text.concat(pw.fn.COALESCE(number, 0).cast("TEXT")).concat(" ")
    return User.select(text)


_shape = Prepared(lambda _slot: shape().tuples())


class Colleagues:
    """The index at one moment: the names of active accounts (shown, given, allowed), with each of their addresses.

    `writer` is the address of the account that writes, where it is known: with an address that is its owner's and lent to
    others, such as that of a teacher to the secretary, the names of the others are then theirs alone.
    """

    def __init__(self, people: list[_Person], own: dict[str, str] | None = None) -> None:
        """`own`: the shown name of each account, by its own address."""
        self._own = own or {}
        self._by_name: dict[str, list[_Person]] = {}
        self._by_word: dict[str, list[_Person]] = {}
        for name, address, lent in people:
            person = (name, address.lower(), lent)
            if key := display_names.name_index(name):
                self._by_name.setdefault(key, []).append(person)
            for word in set(display_names.key_words(name)) if display_names.is_full(name) else ():
                self._by_word.setdefault(word, []).append(person)

    def shown_name(self, name: str, email: str, writer: str = "") -> str:
        """The name that is shown for an address: that of its account, or of the account that is proven to have written.

        The written one if it is theirs or allowed, and for all other addresses.
        """
        account = self._own.get(writer or email) or self._own.get(email, "")
        if (
            not name
            or not account
            or self.is_own(name, email, writer)
            or display_names.is_in_local_part(name, email.partition("@")[0])
        ):
            return name
        return account

    def is_own(self, name: str, email: str, writer: str = "") -> bool:
        """Whether this name is that of the account of the address: shown, given by the administrator, or allowed."""
        return any(_goes_with(person, email, writer) for person in self._called(name))

    def imitated(self, name: str, email: str, writer: str = "") -> tuple[str, str] | None:
        """The (name, address) of somebody whose name is shown with another address; None for a namesake's own address."""
        for claimed in display_names.claims(name):
            people = self._called(claimed)
            if any(_goes_with(person, email, writer) for person in people):
                return None
            if people:
                return people[0][:2]
        return None

    def abbreviated(self, name: str, email: str, writer: str = "") -> tuple[str, str] | None:
        """The (name, address) of somebody whose name this is with initials: "B. Girard", "JP Moreau", "Alice L."."""
        for claimed in display_names.claims(name):
            found = [one for words in display_names.initialled(claimed) for one in self._with_initials(words)]
            if any(_goes_with(person, email, writer) for person in found):
                return None
            if found:
                return found[0][:2]
        return None

    def _with_initials(self, texts: list[str]) -> list[_Person]:
        if not 2 <= len(texts) <= _MOST_INITIALS or min(map(len, texts)) > display_names.INITIALS:
            return []
        known = next((self._by_word[key] for word in texts if len(word) > 2 and (key := skeleton(word)) in self._by_word), [])
        return [one for one in known if display_names.is_abbreviation(texts, one[0])]

    def surname(self, name: str, own: str = "") -> bool:
        """Whether a name is nothing but the surname of colleagues, in whichever dress; `own`: names whose words are one's own."""
        mine = set(display_names.key_words(own))
        for claimed in display_names.claims(name):
            words = {skeleton(word) for word in display_names.bare_words(display_names.undressed(claimed)) if len(word) > 1}
            if len(words) == 1 and not words & mine:
                word = next(iter(words))
                if any(display_names.surname(one[0]) == word for one in self._by_word.get(word, [])):
                    return True
        return False

    def _called(self, name: str) -> list[_Person]:
        return [
            person for person in self._by_name.get(display_names.name_index(name), []) if display_names.same_name(person[0], name)
        ]


def _goes_with(person: _Person, email: str, writer: str) -> bool:
    _name, address, lent = person
    return (address == email and not (lent and writer)) or (address == writer and not lent)


def today(known_shape: str | None = None) -> Colleagues:
    """The index. 1 query, none where the `shape` is known; the accounts are read again when they changed, and every 5 minutes."""
    found = _shape()[0][0] if known_shape is None else known_shape
    return _index(str(db.obj.database), found, int(time.time() / _SECONDS))


@lru_cache(maxsize=2)
def _index(database: str, shape: str, moment: int) -> Colleagues:
    rows: list[Any] = list(
        User.select(User.id, User.name, User.name_given, User.address).where(User.active == 1).limit(MOST).tuples()
    )
    people = {number: ([name, given] if given else [name], [address]) for number, name, given, address in rows}
    more: Any = AllowedName.select(AllowedName.user, AllowedName.name).limit(MOST).tuples()
    for number, name in more:
        if number in people:
            people[number][0].append(name)
    more = AllowedAddress.select(AllowedAddress.user, AllowedAddress.address).limit(MOST).tuples()
    for number, address in more:
        if number in people:
            people[number][1].append(address)
    own = {addresses[0].lower(): given[0] for given, addresses in people.values()}
    return Colleagues(
        [
            (name, address, at > 0 and address.lower() in own)
            for given, addresses in people.values()
            for name in given
            for at, address in enumerate(addresses)
        ],
        own,
    )


_owning = Prepared(
    lambda slot: (
        AllowedAddress.select(AllowedAddress.id)
        .join(User)
        .where(User.active == 1, User.address == slot("login"), AllowedAddress.address == slot("address"))
        .tuples()
    )
)


def may_write_as(login: str, address: str) -> bool:
    """Whether the account of this sign-in name owns an address: its own, or one the administrator allows it. At most 1 query."""
    login, address = login.lower(), address.lower()
    return bool(login) and (login == address or bool(_owning(login=login, address=address)))
