"""Items of a backup, put into a calendar or book of its own beside those that are there."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail.calendar import editing
from webmail.calendar.editing import Write
from webmail.collections import look, manage, store
from webmail.collections.store import BOOK, CALENDAR
from webmail.config.settings import Settings
from webmail.contacts import store as contacts
from webmail.errors import LimitReachedError
from webmail.models import Collection, User

_PIECE = 20
_NAME = re.compile(r"[^/\x00-\x1f]{1,200}")


class NothingThereError(LookupError):
    """The backup has nothing of what was asked for."""


@dataclass(slots=True)
class PutBack:
    """`names`: of the collections that were made."""

    number: int = 0
    left_out: int = 0
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KeptCollection:
    """A calendar or book as a backup has it. `items`: names in it, and texts."""

    kind: str
    components: str
    title: str
    colour: str
    items: list[tuple[str, str]]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KeptCollection:
        """Raises ValueError, KeyError, TypeError for what is none."""
        props = json.loads(data["props"] or "{}")
        kind = str(data["kind"])
        if kind not in (CALENDAR, BOOK) or not isinstance(props, dict):
            raise ValueError(f"no collection: {kind[:20]}")
        items = [(str(name), str(text)) for name, text in data["items"]]
        return cls(kind, str(data["components"] or ""), look.title_of(props), look.read(props.get(look.COLOUR[kind])), items)


def put_back(user: User, found: Iterable[KeptCollection], name_of: Callable[[str], str], settings: Settings) -> PutBack:
    """Make a collection for each of these, called `name_of(title)`, and put its items there.

    Raises LimitReachedError before anything is written where there is no room, NothingThereError.
    """
    kept = [one for one in found if one.items]
    if not kept:
        raise NothingThereError(user.address)
    _check_room(user, kept, settings)
    done = PutBack()
    for one in kept:
        name = name_of(one.title)[: look.LONGEST_NAME]
        made = manage.make(
            user, one.kind, name, one.colour, "", form=secrets.token_hex(16),
            most=settings.collections_per_person, components=one.components or "VEVENT,VTODO",
        )  # fmt: skip
        done.names.append(name)
        (_put_cards if one.kind == BOOK else _put_events)(user, made, one.items, done, settings)
    return done


def _check_room(user: User, found: Sequence[KeptCollection], settings: Settings) -> None:
    """As `collections/quota.py`, before there is a collection. Raises LimitReachedError."""
    sizes = [sum(len(text.encode()) for _name, text in one.items) for one in found]
    cards = sum(len(one.items) for one in found if one.kind == BOOK)
    if (
        store.count_of(user) + len(found) > settings.collections_per_person
        or max(len(one.items) for one in found) > settings.collection_items
        or max(sizes) > settings.collection_limit_mb * 1_000_000
        or store.size_of(user)[0] + sum(sizes) > settings.collections_limit_mb * 1_000_000
        or (cards and contacts.count(user) + cards > contacts.MOST)
    ):
        raise LimitReachedError(user.address)


def _put_cards(user: User, book: Collection, items: Sequence[tuple[str, str]], done: PutBack, _settings: Settings) -> None:
    for at in range(0, len(items), _PIECE):
        piece = [(name, card) for name, card in items[at : at + _PIECE] if _NAME.fullmatch(name)]
        done.left_out += len(items[at : at + _PIECE]) - len(piece)
        hrefs, cards = [name for name, _card in piece], [card for _name, card in piece]
        done.number += len(contacts.insert(user, contacts.prepared(cards, hrefs=hrefs), book))


def _put_events(user: User, calendar: Collection, items: Sequence[tuple[str, str]], done: PutBack, settings: Settings) -> None:
    for component in ("VEVENT", "VTODO"):
        writes = [
            Write(calendar.id, name, text) for name, text in items if _component(text) == component and _NAME.fullmatch(name)
        ]
        for at in range(0, len(writes), _PIECE):
            _write(user, writes[at : at + _PIECE], component, done, settings)
    done.left_out += sum(_component(text) == "" or not _NAME.fullmatch(name) for name, text in items)


def _write(user: User, writes: Sequence[Write], component: str, done: PutBack, settings: Settings) -> None:
    """All of these, or where one can't be written each of them alone."""
    try:
        editing.write(user, writes, settings, as_kept=True, rooms_optional=True, component=component)
        done.number += len(writes)
    except ValueError:  # EventChangedElsewhereError, and what of an event can’t be kept
        if len(writes) == 1:
            done.left_out += 1
            return
        for one in writes:
            _write(user, [one], component, done, settings)


def _component(text: str) -> str:
    return next((one for one in ("VEVENT", "VTODO") if f"BEGIN:{one}" in text.upper()), "")
