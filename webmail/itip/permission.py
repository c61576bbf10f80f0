"""Permission: whether who really wrote may change what is in my calendar. A new event may always be added; nothing is answered.

SENT-BY counts as my calendar has it: that of a message is what its sender says of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from webmail.itip import organiser, people
from webmail.itip.incoming import FROM_GUESTS, IncomingItip
from webmail.itip.people import Addresses
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, series_of


class Permission(StrEnum):
    GRANTED = "granted"
    UNPROVEN = "unproven"  # the person may do it anyway, when they have seen what changes
    ORGANISER = "organiser"  # another organiser's event: never
    OWN = "own"  # an event of my own: never


@dataclass(frozen=True, slots=True)
class MailSender:
    """Who wrote a message, and whether that is proven."""

    address: str
    proven: bool


def permission(
    there: str, incoming: IncomingItip, sender: MailSender, me: Addresses, deputies: Addresses = frozenset()
) -> Permission:
    """Whether the sender may do that to my event `there` ("": there is none). `deputies`: who may write in the organiser's
    calendar."""
    if not there:
        return Permission.GRANTED
    try:
        series = series_of(there)
    except (CannotChangeError, BrokenTextError, ValueError):
        return Permission.OWN
    key = people.key(sender.address) if sender.proven else ""
    if incoming.method in FROM_GUESTS:
        return Permission.GRANTED if key and key in _who_answers(series, incoming) else Permission.UNPROVEN
    organizers = {people.organizer(event) for event in series.root.parts("VEVENT")} - {""}
    if not organizers or organizers & me:
        return Permission.GRANTED if key and key in me and not _names_other(incoming, me) else Permission.OWN
    if incoming.organizer and incoming.organizer not in organizers:
        return Permission.ORGANISER
    agents = {people.speaks_for(event.first("ORGANIZER")) for event in series.root.parts("VEVENT")} - {""}
    return Permission.GRANTED if key and key in organizers | agents | deputies else Permission.UNPROVEN


def _names_other(incoming: IncomingItip, me: Addresses) -> bool:
    return bool(incoming.organizer) and incoming.organizer not in me


def _who_answers(series: Series, incoming: IncomingItip) -> Addresses:
    """Whose mail may carry this answer: the guest's own, and of whom my event says that they act for them."""
    guest = organiser.sender_of(incoming)
    if guest is None:
        return frozenset()
    lines = (people.line_of(event, frozenset({guest.key})) for event in series.root.parts("VEVENT"))
    return frozenset({guest.key} | {agent for line in lines if (agent := people.speaks_for(line))})
