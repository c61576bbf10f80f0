"""Rooms in the text of an event: which addresses it invites, for which of its times, and the answer that is written there.

Of its copies at the guests', only the organiser's books: theirs say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from webmail.mime.formats.calendars.component_tree import Component, TextLine, lines_named, made, parsed
from webmail.mime.headers.address_input import address_key

MOST = 500  # invited addresses that are looked at
KINDS = {"room": "ROOM", "thing": "RESOURCE"}  # CUTYPE (RFC 5545, 3.2.3)
_ANSWER = re.compile(r';(?:CUTYPE|PARTSTAT|RSVP)=(?:"[^"]*"|[^;:"]*)', re.I)


def invites(text: str) -> bool:
    """Whether anybody or anything may be invited: a quick look."""
    return "ATTENDEE" in text.upper()


def address_of(line: TextLine) -> str:
    """Whom an ATTENDEE or ORGANIZER names, in lower case; "" for no address."""
    value = line.value.strip()
    return address_key(value[7:].strip())[:320] if value[:7].lower() == "mailto:" else ""


def invited(text: str) -> set[str]:
    """The addresses that an event invites, at any of its times."""
    return {address for line in lines_named(text, "ATTENDEE")[:MOST] if (address := address_of(line))}


def organizers(text: str) -> set[str]:
    """Who invites, as the event says."""
    return {address_of(line) for line in lines_named(text, "ORGANIZER")[:MOST]}


class TextInvitations:
    """An event's text, of which it is asked who is invited when: at which RECURRENCE-ID, "" where it has none."""

    def __init__(self, text: str) -> None:
        self._root = parsed(text)
        self._changed = {one.value("RECURRENCE-ID").upper(): one for one in self._events() if one.first("RECURRENCE-ID")}
        self._usual = next((one for one in self._events() if not one.first("RECURRENCE-ID")), None)

    @property
    def is_varied(self) -> bool:
        """Whether not all times invite the same, or not all have the same answer."""
        return bool(self._changed)

    def _events(self) -> list[Component]:
        return self._root.parts("VEVENT")

    def at(self, recurrence_id: str) -> set[str]:
        """The addresses that are invited then."""
        event = self._changed.get(recurrence_id.upper(), self._usual)
        return {address_of(line) for line in event.lines("ATTENDEE")} if event is not None else set()

    def answered(self, address: str, kind: str, usual: str, changed: Mapping[str, str]) -> None:
        """Write how a room answers (PARTSTAT): `usual`, or for single times `changed`; "" leaves it as it is."""
        for event in self._events():
            own = changed.get(event.value("RECURRENCE-ID").upper(), usual) if event.first("RECURRENCE-ID") else usual
            if not own:
                continue
            for position, line in enumerate(event.items):
                if isinstance(line, TextLine) and _is_of(line, address):
                    event.items[position] = _with_answer(line, kind, own)

    def settled(self, address: str, kind: str, answer: str) -> None:
        """Write the answer of a room in place of the one that said that it waits."""
        for event in self._events():
            for position, line in enumerate(event.items):
                if isinstance(line, TextLine) and _is_of(line, address) and line.param("PARTSTAT").upper() == "TENTATIVE":
                    event.items[position] = _with_answer(line, kind, answer)

    def __str__(self) -> str:
        return str(self._root)


def _is_of(line: TextLine, address: str) -> bool:
    return line.name == "ATTENDEE" and address_of(line) == address


def _with_answer(line: TextLine, kind: str, answer: str) -> TextLine:
    if line.param("PARTSTAT").upper() == answer and line.param("CUTYPE").upper() == KINDS[kind]:
        return line
    return made("ATTENDEE", line.value.strip(), f"{_ANSWER.sub('', line.params)};CUTYPE={KINDS[kind]};PARTSTAT={answer}")


def without(text: str, addresses: Iterable[str]) -> str:
    """The event without these rooms, at all of its times: for a copy, which begins without what the first one has."""
    gone = set(addresses)
    if not gone or not invites(text):
        return text
    root = parsed(text)
    for event in root.parts("VEVENT"):
        event.drop(lambda one: isinstance(one, TextLine) and one.name == "ATTENDEE" and address_of(one) in gone)
    return str(root)
