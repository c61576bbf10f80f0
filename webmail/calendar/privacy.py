"""Privacy: what somebody sees of an event that says it is private (CLASS), or of any where they may know of busy times alone.

All that reads events for somebody goes by this: `Access.sight` says how much they see of a calendar, "own" all, "read" of what is
private only when it is, "busy" of nothing more; `as_seen` is an object as such a person sees it, and `etag_seen` its entity tag.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

from webmail.collections import store
from webmail.collections.store import Access
from webmail.mime.formats.calendars import component_tree
from webmail.mime.formats.calendars.calendar_object import COMPONENTS, UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine, component, made, parsed
from webmail.models import CalendarObject, User

_TIMES = (
    "DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP", "SEQUENCE",
)  # fmt: skip
_OF_ZONE = ("TZID", "TZOFFSETFROM", "TZOFFSETTO", "DTSTART", "RRULE", "RDATE")
_OF_CALENDAR = ("VERSION", "PRODID", "CALSCALE", "X-WR-TIMEZONE")
_PARAMS = re.compile(r';(?:VALUE|TZID|RANGE)=(?:"[^"]*"|[^;:"]*)', re.I)
_WORDS = {"": ("Busy", "Private"), "fr": ("Occupé", "Privé")}  # by language: no page says it here


def is_private(text: str) -> bool:
    """Whether an object, or a changed one of a series, says that it is not for everybody (RFC 5545, 3.8.1.3: a word that nobody
    knows means private)."""
    return any(_is_not_public(line) for line in component_tree.lines_named(text, "CLASS"))


def _is_not_public(line: TextLine) -> bool:
    return line.value.strip().upper() != "PUBLIC"


def etag_unless_private(text: str, etag: str) -> str:
    """What `CalendarObject.public_etag` is to be for this text."""
    return "" if is_private(text) else etag


def unsure() -> Any:
    """The condition that an object is private, or may be: an older version of Traboule wrote it."""
    return CalendarObject.public_etag.is_null() | (CalendarObject.public_etag != CalendarObject.etag)


def is_hidden(access: Access, row: CalendarObject) -> bool:
    """Whether somebody sees of an object, or of a part of it, only when it is."""
    return access.sight != "own" and row.public_etag != row.etag and is_private(row.text)


def will_be_hidden(access: Access, text: str) -> bool:
    """The same of what somebody is about to write there."""
    return access.sight != "own" and is_private(text)


def as_seen(access: Access, row: CalendarObject, user: User) -> tuple[Access, CalendarObject]:
    """An object as somebody sees it, and what they may do with it: who sees only when it is doesn't change it."""
    if not is_hidden(access, row):
        return access, row
    row.text = seen(row.text, language_of(user))
    return replace(access, rights=min(access.rights, "read", key=store.RIGHTS.index), private=True), row


def etag_seen(access: Access, row: CalendarObject) -> str:
    return row.etag if access.sight == "own" or row.public_etag == row.etag else masked_etag(row.id, row.seq)


def masked_etag(number: int, seq: int) -> str:
    """The entity tag of what somebody sees in part. It tells nothing of the rest: by a hash of that, it could be guessed."""
    return f"{number}-{seq}-seen"


def language_of(user: User) -> str:
    """In which language somebody is told of what they don't see, on devices too."""
    return user.language or user.spoken or store.language()


def seen(text: str, language: str) -> str:
    """An object with only the times of what is private in it; byte for byte, where nothing is. "" for what can't be read."""
    if not is_private(text):
        return text
    try:
        root = parsed(text)
    except BrokenTextError:
        return ""
    usual = any(_says_private(one) for one in root.parts(*COMPONENTS) if one.first("RECURRENCE-ID") is None)
    items: list[TextLine | Component] = []
    for one in root.items:
        if isinstance(one, TextLine):
            items += [one] if one.name in _OF_CALENDAR else []
        elif one.name == "VTIMEZONE":
            items.append(_zone(one))
        elif one.name in COMPONENTS:
            items.append(_times_of(one, language) if _says_private(one, usual) else one)
    return str(component(root.name, *items))


def _says_private(item: Component, usual: bool = False) -> bool:
    """`usual`: of a changed one of a series that says nothing, what the series says."""
    told = item.lines("CLASS")
    return any(map(_is_not_public, told)) if told else usual and item.first("RECURRENCE-ID") is not None


def busy_alone(text: str, uid: str, language: str) -> str:
    """An event without words, people, places and alarms. Its UID is another one, since some tell where they come from.

    Raises UnusableCalendarError.
    """
    try:
        root = parsed(text)
    except BrokenTextError as error:
        raise UnusableCalendarError(str(error)) from error
    frame = [made("VERSION", "2.0"), made("PRODID", "-//Traboule//busy//EN")]
    zones = map(_zone, root.parts("VTIMEZONE"))
    events = (_times_of(one, language, hidden_name(uid)) for one in root.parts("VEVENT"))
    return str(component(root.name, *frame, *zones, *events))


def hidden_name(text: str) -> str:
    """What a UID is for who may know of busy times alone."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _zone(zone: Component) -> Component:
    """A time zone with what it needs."""
    kept = [one if isinstance(one, TextLine) else _zone(one) for one in zone.items]
    return component(zone.name, *(one for one in kept if isinstance(one, Component) or one.name in _OF_ZONE))


def _times_of(item: Component, language: str, uid: str = "") -> Component:
    """What an event, task or journal entry is for who may know only when it is; `uid`: whose UID they don't know either."""
    busy, private = _WORDS.get(language, _WORDS[""])
    free = item.value("TRANSP").upper() == "TRANSPARENT" or item.value("STATUS").upper() == "CANCELLED"
    word = busy if uid or (item.name == "VEVENT" and not free) else private
    lines = [made("UID", uid or item.value("UID")), made("SUMMARY", word)]
    lines += [] if uid else [made("CLASS", "CONFIDENTIAL" if item.value("CLASS").upper() == "CONFIDENTIAL" else "PRIVATE")]
    lines += [made(line.name, line.value, "".join(_PARAMS.findall(line.params))) for line in item.lines(*_TIMES)]
    return component(item.name, *lines)
