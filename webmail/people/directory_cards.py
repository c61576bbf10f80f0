"""Directory cards: the establishment's directory as one person sees it, as vCards for a read-only book on their devices.

The cards are made from accounts, groups and the listed addresses; nothing is stored. What this process made is kept for minutes,
with the latest changes of it, so that a device that synchronises is told those alone.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.mime.headers.address_input import address_key
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people.visibility import Sight, sight_of

MOST_PEOPLE, MOST_GROUPS = 20_000, 1_000
_MOST_MEMBERS = 200_000  # of all groups together
_SECONDS = 300  # that a book is kept: with 10,000 people, making it takes a third of a second
_MOST_CARDS = 40_000  # of all books that are kept; each takes about 1 KB
_MOST_STEPS, _MOST_CHANGES = 50, 2_000  # that are remembered of a book; cards of one of them
_SPACE = uuid.UUID("b4f5a6de-5d1c-4c39-9a3b-0f5d4d1b7c1e")
_SPECIAL = frozenset("\\,;")
_ESCAPED = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": " ", "\r": " "})


@dataclass(frozen=True, slots=True)
class DirectoryCard:
    href: str
    uid: str
    text: str
    etag: str
    size: int  # bytes


@dataclass(slots=True)
class DirectoryBook:
    """`state` is another one as soon as any card is. `steps`: earlier states, each with the names of the cards changed since."""

    cards: dict[str, DirectoryCard]
    state: str
    made: float = 0.0
    steps: deque[tuple[str, frozenset[str]]] = field(default_factory=lambda: deque(maxlen=_MOST_STEPS))

    def changed_since(self, state: str) -> set[str] | None:
        """The names of the cards that were changed, added or removed since a state; None if that is not known here."""
        if state == self.state:
            return set()
        known = [earlier for earlier, _names in self.steps]
        if state not in known:
            return None
        at = len(known) - 1 - known[::-1].index(state)
        return {name for _earlier, names in list(self.steps)[at:] for name in names}


_lock = threading.Lock()
_kept: OrderedDict[Hashable, DirectoryBook] = OrderedDict()


def book(user: User, settings: Settings) -> DirectoryBook | None:
    """What the person sees; None where they see nobody. 3 queries where it was not made within the last minutes, else those of
    `sight_of`.
    """
    sight = sight_of(user, settings)
    if sight.nobody and not sight.addresses:
        return None
    key = (str(db.obj.database), sight, settings.name)
    with _lock:
        before = _kept.get(key)
        if before is not None and before.made > time.monotonic() - _SECONDS:
            _kept.move_to_end(key)
            return before
    made = _made(sight, settings)
    with _lock:
        before = _kept.pop(key, None)
        if before is not None:
            made.steps = before.steps.copy()
            if made.state != before.state:
                changed = frozenset(_differing(before.cards, made.cards))
                if len(changed) > _MOST_CHANGES:
                    made.steps.clear()
                else:
                    made.steps.append((before.state, changed))
        _kept[key] = made
        while sum(len(one.cards) for one in _kept.values()) > _MOST_CARDS and len(_kept) > 1:
            _kept.popitem(last=False)
    return made


def forget() -> None:
    """Make all books anew when they are asked for; what changes is still told."""
    with _lock:
        for one in _kept.values():
            one.made = float("-inf")


def _differing(before: dict[str, DirectoryCard], now: dict[str, DirectoryCard]) -> Iterable[str]:
    for href in before.keys() | now.keys():
        one, other = before.get(href), now.get(href)
        if one is None or other is None or one.etag != other.etag:
            yield href


def _made(sight: Sight, settings: Settings) -> DirectoryBook:
    people: dict[int, tuple[str, str]] = {}
    groups: dict[int, tuple[str, str]] = {}
    if not sight.nobody:
        found: Any = User.select(User.id, User.name, User.address).where(*sight.accounts()).order_by(User.id).limit(MOST_PEOPLE)
        people = {number: (name or address, address) for number, name, address in found.tuples()}
        listed: Any = PeopleGroup.select(PeopleGroup.id, PeopleGroup.identifier, PeopleGroup.name).where(*sight.listed_groups())
        listed = listed.order_by(PeopleGroup.sort).limit(MOST_GROUPS).tuples()
        groups = {number: (identifier, name) for number, identifier, name in listed}
    members: Any = GroupMember.select(GroupMember.group, GroupMember.user).join(PeopleGroup).where(*sight.listed_groups())
    inside: dict[int, list[int]] = {}
    of_person: dict[int, list[str]] = {}
    for group, person in members.order_by(GroupMember.id).limit(_MOST_MEMBERS).tuples() if groups else ():
        if group in groups and person in people:
            inside.setdefault(group, []).append(person)
            of_person.setdefault(person, []).append(groups[group][1])
    cards = [
        _person(name, address, settings.name, sorted(of_person.get(number, ()))) for number, (name, address) in people.items()
    ]
    cards += [_person(one.name, one.address.lower(), settings.name, (), one.about) for one in sight.addresses]
    cards += [_group(*groups[number], [people[one][1] for one in persons]) for number, persons in inside.items()]
    by_name = {card.href: card for card in cards}
    state = hashlib.sha256("".join(f"{href}{by_name[href].etag}" for href in sorted(by_name)).encode()).hexdigest()[:24]
    return DirectoryBook(by_name, state, time.monotonic())


def _uid(what: str) -> str:
    return str(uuid.uuid5(_SPACE, what))


def _person(name: str, address: str, establishment: str, groups: Iterable[str], about: str = "") -> DirectoryCard:
    """As vCard 3, which all programs read."""
    *given, family = name.split(" ") if "@" not in name else ["", name]
    lines = [
        f"UID:{_uid(address_key(address))}", f"FN:{_escaped(name)}", f"N:{_escaped(family)};{_escaped(' '.join(given))};;;",
        f"EMAIL;TYPE=INTERNET:{_escaped(address)}", f"ORG:{_escaped(establishment)}",
    ]  # fmt: skip
    if categories := ",".join(map(_escaped, groups)):
        lines.append(f"CATEGORIES:{categories}")
    if about:
        lines.append(f"NOTE:{_escaped(about)}")
    return _card(_uid(address_key(address)), "3.0", lines)


def card_of(name: str, address: str, establishment: str, groups: Iterable[str], about: str) -> str:
    """The card of somebody of the directory."""
    return _person(name, address, establishment, groups, about).text


def _group(identifier: str, name: str, addresses: Iterable[str]) -> DirectoryCard:
    """By both ways in which programs know groups: RFC 6350, 6.1.4, and Apple's."""
    uid = _uid(f"group {identifier}")
    members = [_uid(address_key(address)) for address in addresses]
    lines = [f"UID:{uid}", "KIND:group", "X-ADDRESSBOOKSERVER-KIND:group", f"FN:{_escaped(name)}", f"N:{_escaped(name)};;;;"]
    lines += [f"MEMBER:urn:uuid:{one}" for one in members]
    lines += [f"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:{one}" for one in members]
    return _card(uid, "4.0", lines)


def _card(uid: str, version: str, lines: Iterable[str]) -> DirectoryCard:
    text = "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *map(_folded, lines), "END:VCARD", ""])
    data = text.encode()
    return DirectoryCard(f"{uid}.vcf", uid, text, hashlib.sha256(data).hexdigest()[:32], len(data))


def _escaped(text: str) -> str:
    if text.isprintable() and not _SPECIAL & set(text):
        return text
    return "".join(one for one in text.translate(_ESCAPED) if one.isprintable())


def _folded(line: str) -> str:
    """Lines of 75 bytes at most (RFC 6350, 3.2)."""
    if len(line) <= 75 and line.isascii():
        return line
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > 74:
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + character, size + width
    return "\r\n ".join([*pieces, piece])
