"""Receiving: what a message of any method makes of what is in my calendar."""

from __future__ import annotations

from collections.abc import Callable

from webmail.itip import attendee, organiser
from webmail.itip.incoming import IncomingItip
from webmail.itip.outcome import Effect, Outcome
from webmail.itip.people import Addresses
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.mime.formats.recurrence.series import CannotChangeError


def receive(there: str, incoming: IncomingItip, me: Addresses) -> Outcome:
    """What comes of it: `there` is my event of this UID, "" for none. Never raises.

    It says nothing of whether the sender may do that: `permission.permission` does.
    """
    act = _METHODS.get(incoming.method)
    if act is None:
        return Outcome(Effect.UNUSABLE)
    try:
        return act(there, incoming, me)
    except (CannotChangeError, BrokenTextError, ValueError, TypeError, OverflowError, LookupError):
        return Outcome(Effect.UNUSABLE)


def _refused(there: str, incoming: IncomingItip, _me: Addresses) -> Outcome:
    return Outcome(Effect.REFUSED if there else Effect.UNKNOWN, comment=incoming.comment)


_METHODS: dict[str, Callable[[str, IncomingItip, Addresses], Outcome]] = {
    "": attendee.requested,
    "publish": attendee.requested,
    "request": attendee.requested,
    "add": attendee.added,
    "cancel": lambda there, incoming, _me: attendee.cancelled(there, incoming),
    "reply": lambda there, incoming, _me: organiser.replied(there, incoming),
    "counter": lambda there, incoming, _me: organiser.countered(there, incoming),
    "refresh": lambda there, incoming, _me: organiser.wanted(there, incoming),
    "declinecounter": _refused,
}
