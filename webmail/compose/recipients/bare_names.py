"""Bare names in address fields ("kari", "Kari Nordmann"): an account of the user's own domain, or a question whom they mean.

A name becomes an address by itself only if the account exists and the user sees it in the directory; otherwise the
question offers the same address whether there is such an account or not, so that nobody learns from it who has one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from webmail.compose.recipients import suggestions
from webmail.compose.recipients.suggestions import Person
from webmail.config.settings import Settings
from webmail.errors import BadAddressError
from webmail.mime.headers import addresses
from webmail.mime.headers.address_input import parse_addresses
from webmail.mime.headers.encoded_words import fold
from webmail.models import Correspondent, User
from webmail.people.suggestions import account_rows
from webmail.people.visibility import Sight, sight_of

MOST_ASKED = 5  # names at once
MOST_CHOICES = 5  # people for each
_MOST_COMPLETED = 100
_COMPARED = 2_000  # people whose names are compared with one that nobody has
_NEAR = 0.75  # ratio of equal letters
_USER_NAME = re.compile(r"[^\W_][\w.+-]{0,63}")
_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"[^\W\d_][\w .'’-]{0,63}")


@dataclass(frozen=True, slots=True)
class UnclearName:
    """A name as typed, the people it may mean, and the address that it would be in the user's own domain ("" if none)."""

    name: str
    choices: tuple[Person, ...]
    own: str = ""


def completed(user: User, lists: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The fields with each user name of an account in the user's domain as its address. At most 2 queries, none without names.

    Not where the user writes more often to somebody else of that name: then they are asked, as `unclear` says.
    """
    names = list(dict.fromkeys(one.lower() for one in _bare(lists) if _USER_NAME.fullmatch(one)))[:_MOST_COMPLETED]
    if not names or (sight := sight_of(user, settings)).nobody:
        return dict(lists)
    meant = _accounts(user, names, sight)
    meant -= _rather_elsewhere(user, meant)
    return _each(lists, lambda item: f"{item.lower()}@{user.domain}" if item.lower() in meant else item)


def unclear(user: User, lists: Mapping[str, str], settings: Settings) -> list[UnclearName]:
    """The names that are left, with whom they may mean. Queries: those of `suggestions.find`, twice at most for each name."""
    if not all(_is_address_list(text) for text in _each(lists, lambda _item: "").values()):
        return []  # another item is wrong: that is told first
    names = {fold(one): one for one in reversed(list(_bare(lists)))}
    asked = (_question(user, name, settings) for name in list(reversed(names.values()))[:MOST_ASKED])
    return [one for one in asked if one.choices or one.own]


def replaced(lists: Mapping[str, str], name: str, entry: str) -> dict[str, str]:
    """The fields with the name as this entry. Raises BadAddressError if it is none."""
    if not parse_addresses(entry):
        raise BadAddressError(entry[:200])
    return _each(lists, lambda item: entry if fold(item) == fold(name) else item)


# --- items -----------------------------------------------------------------------------------------------------------


def _bare(lists: Mapping[str, str]) -> Iterator[str]:
    found: list[str] = []
    _each(lists, lambda item: found.append(item) or item)  # type: ignore[func-returns-value]
    return iter(found)


def _each(lists: Mapping[str, str], change: Callable[[str], str]) -> dict[str, str]:
    """The fields with each bare name changed; a field without any stays as typed.

    An item before one with a display name is none: "Girard, Bob <bob@...>" is a single address with an unquoted comma.
    """
    filled = {}
    for field, text in lists.items():
        items = [item.strip() for item in addresses.split_list(text, ",;\n")]
        whole = [
            change(item) if _is_bare(item) and not ("<" in following and not following.startswith("<")) else item
            for item, following in zip(items, [*items[1:], ""], strict=True)
        ]
        filled[field] = ", ".join(item for item in whole if item) if whole != items else text
    return filled


def _is_bare(item: str) -> bool:
    return bool(_USER_NAME.fullmatch(item) or _NAME.fullmatch(item))


# --- whom they mean --------------------------------------------------------------------------------------------------


def _accounts(user: User, names: list[str], sight: Sight) -> set[str]:
    """Which of these names are accounts in the user's domain that they see. 1 query."""
    return {address.rpartition("@")[0] for address in account_rows.checked(sight, [f"{name}@{user.domain}" for name in names])}


def _rather_elsewhere(user: User, names: set[str]) -> set[str]:
    """Those to whose namesakes, by name or by the part before the @, the user has written more often. 1 query."""
    if not names:
        return set()
    rows: Any = Correspondent.select(Correspondent.address, Correspondent.name, Correspondent.count)
    known = list(rows.where(Correspondent.user == user, Correspondent.hidden.is_null()).tuples())
    counts = {address: count for address, _name, count in known}
    own = {fold(name): (name, counts.get(f"{name}@{user.domain}", 0)) for name in names}
    return {
        own[word][0]
        for address, name, count in known
        for word in (address.rpartition("@")[0], *_WORD.findall(fold(name)))
        if word in own and count > own[word][1] and address != f"{own[word][0]}@{user.domain}"
    }


def _question(user: User, name: str, settings: Settings) -> UnclearName:
    own = f"{name.lower()}@{user.domain}" if _USER_NAME.fullmatch(name) else ""
    found = [one for one in suggestions.find(user, name, settings, MOST_CHOICES) if one.email]
    if not found:
        found = _alike(user, name, settings)
    choices = tuple(found[:MOST_CHOICES])
    return UnclearName(name, choices, own if _is_address_list(own) and own not in {one.email for one in choices} else "")


def _alike(user: User, name: str, settings: Settings) -> list[Person]:
    """People with a name, or a part of their address before the @, that is nearly this one."""
    by_word: dict[str, Person] = {}
    for person in suggestions.find(user, "", settings, _COMPARED):
        if person.email:
            local = person.email.partition("@")[0]
            for word in {fold(person.name), *fold(person.name).split(), local, *re.split(r"[._+-]", local)}:
                by_word.setdefault(word, person)
    near = get_close_matches(fold(name), by_word, n=MOST_CHOICES, cutoff=_NEAR)
    return list(dict.fromkeys(by_word[word] for word in near))


def _is_address_list(text: str) -> bool:
    try:
        parse_addresses(text)
    except BadAddressError:
        return False
    return True
