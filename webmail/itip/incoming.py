"""Incoming messages: calendar parts taken apart into what each says of one event."""

from __future__ import annotations

from dataclasses import dataclass

from webmail.itip import people
from webmail.mime.formats.calendars import calendar_split
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, series_of

METHODS = ("publish", "request", "reply", "add", "cancel", "refresh", "counter", "declinecounter")
FROM_GUESTS = ("reply", "counter", "refresh")  # to the organiser
_LONGEST = 2_000  # characters of a comment


@dataclass(frozen=True, slots=True)
class IncomingItip:
    """What a message says of one event. `method` in lower case, "" for a file; `text`: an object without its METHOD."""

    method: str
    uid: str
    text: str

    def series(self) -> Series:
        """Its components, new ones each time. Raises CannotChangeError, BrokenTextError (not of what `read` returned)."""
        return series_of(self.text)

    @property
    def events(self) -> list[Component]:
        found = self.series()
        return ([found.master] if found.master else []) + found.overrides

    @property
    def organizer(self) -> str:
        """As it is compared; "" without one (Exchange leaves it out of a REPLY)."""
        return next((key for event in self.events if (key := people.organizer(event))), "")

    @property
    def comment(self) -> str:
        texts = [line.text.strip() for event in self.events for line in event.lines("COMMENT")]
        return "\n".join(dict.fromkeys(text for text in texts if text))[:_LONGEST]


def read(text: str, method: str = "") -> list[IncomingItip]:
    """What a calendar part says, event by event; nothing where it cannot be read. `method`: the parameter of its Content-Type,
    which counts where the text has none."""
    try:
        said, events = calendar_split.events_in(text)
    except BrokenTextError:
        return []
    return [one for uid, part in events if _is_whole(one := IncomingItip(said or method.strip().lower(), uid, part))]


def _is_whole(incoming: IncomingItip) -> bool:
    try:
        incoming.series()
    except (CannotChangeError, BrokenTextError, ValueError):
        return False
    return True
