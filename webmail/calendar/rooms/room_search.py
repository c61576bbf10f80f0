"""Search for a free room in a few words: "free room for 30 with a projector on Thursday at 14"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail.calendar.quick_entry import quick_entry
from webmail.mime.headers.encoded_words import words_in
from webmail.models import Resource

LONGEST = 300  # characters
_PEOPLE = re.compile(
    r"\b(?:for|pour)\s+(\d{1,4})\b(?!\s*(?:h\b|hours?\b|heures?\b|min|:))(?:\s+(?:personnes|people|persons?|pupils|students|seats"
    r"|élèves|eleves|places|participants)\b)?|\b(\d{1,4})\s+(?:people|persons|pupils|students|seats|personnes|élèves|eleves|places|"
    r"participants)\b",
    re.IGNORECASE,
)
_SAYING_NOTHING = frozenset(
    {"a", "an", "and", "any", "at", "available", "book", "for", "free", "in", "is", "need", "of", "on", "room", "rooms", "some",
     "the", "there", "thing", "things", "want", "we", "with", "i", "au", "aux", "avec", "besoin", "cherche", "d", "dans", "de",
     "des",      "disponible", "disponibles", "du", "en", "et", "il", "je", "l", "la", "le", "les", "libre", "libres", "nous",
     "pour", "reserver", "salle",
     "salles", "sur", "t", "un", "une", "veux", "voudrais", "y"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoomSearch:
    """What is looked for. `words`: what the room has, is or is called; `unknown`: words that no room has."""

    start: datetime | None = None
    end: datetime | None = None
    people: int = 0
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read(text: str, now: datetime, language: str, rooms: Sequence[Resource]) -> RoomSearch:
    """What these words ask for, at the time `now` of the person's clock (without a zone). Never raises."""
    text = text[:LONGEST]
    people = 0
    if found := _PEOPLE.search(text):
        people = int(found[1] or found[2])
        text = f"{text[: found.start()]} {text[found.end() :]}"
    understood = quick_entry.read(text, now, language)
    start = end = None
    if isinstance(understood.start, datetime) and isinstance(understood.end, datetime):
        start, end = understood.start, understood.end
    elif understood.has_day and not isinstance(understood.start, datetime):  # all of the day
        start = datetime.combine(understood.start, datetime.min.time()) + timedelta(hours=8)
        end = start + timedelta(hours=10)
    left = [word for word in words_in(f"{understood.title} {understood.place}") if word not in _SAYING_NOTHING]
    known = [word for word in left if any(matches(room, word) for room in rooms)]
    return RoomSearch(start, end, people, tuple(known), tuple(word for word in left if word not in known))


def matches(resource: Resource, word: str) -> bool:
    """Whether a room has, is or is called what a word says, in singular or plural."""
    stem = word[:-1] if len(word) > 3 and word.endswith(("s", "x")) else word
    return any(one.startswith(stem) for one in words_in(f"{resource.name} {resource.equipment} {resource.site}"))


def matching(rooms: Sequence[Resource], sought: RoomSearch) -> list[Resource]:
    """The rooms that are large enough and have what is asked for."""
    return [
        room
        for room in rooms
        if (not sought.people or room.capacity >= sought.people) and all(matches(room, word) for word in sought.words)
    ]
