"""Delegation: a guest sends somebody in their place, who is then invited too. RFC 5546, 3.2.2.3; RFC 5545, 3.2.4 and 3.2.5.

One person comes in the place of one: of several that another program names, the first.
"""

from __future__ import annotations

import re
from dataclasses import replace

from webmail.itip import people
from webmail.itip.people import Invitee
from webmail.mime.formats.calendars.component_tree import Component, TextLine
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.encoded_words import tidy

_MOST = 300  # guests of an event: whoever delegates again and again adds no more
_ADDRESS = re.compile(r"[^\s<>\"',;:@\\]+@[^\s<>\"',;:@\\]+")
_LONGEST = 254


def delegate_of(line: TextLine, event: Component) -> Invitee | None:
    """Who comes instead of whom a line invites, as it says and as the line of the delegate does, if there is one."""
    address = next(iter(people.named_in(line, "DELEGATED-TO")), "")
    delegate = made(address)
    if delegate is None or delegate.key == people.key_of(line):
        return None
    own = people.line_of(event, frozenset({delegate.key}))
    return replace(delegate, name=people.guest_of(own).name) if own is not None else delegate


def made(address: str) -> Invitee | None:
    """Somebody to send, by their address; None for what is none."""
    address = tidy(address).strip()
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        return None
    return Invitee(address, address_key(address))


def enter(event: Component, guest: Invitee, delegate: Invitee) -> None:
    """Invite who comes instead of a guest, in place of whom they sent before. Who is invited already, or organises it, stays
    as they are."""
    withdraw(event, guest.key, besides=delegate.key)
    there = event.lines("ATTENDEE")
    if delegate.key in (people.organizer(event), guest.key) or len(there) >= _MOST:
        return
    if people.line_of(event, frozenset({delegate.key})) is None:
        invited = replace(delegate, answer=people.NEEDS_ACTION, role=guest.role)
        people.invite(event, invited, {"DELEGATED-FROM": f"mailto:{guest.address}", "RSVP": "TRUE"})


def withdraw(event: Component, guest: str, *, besides: str = "") -> None:
    """Take out whom a guest (by their address as it is compared) sent, unless they have answered."""

    def is_theirs(line: object) -> bool:
        if not isinstance(line, TextLine) or line.name != "ATTENDEE" or people.key_of(line) == besides:
            return False
        return people.keys(people.named_in(line, "DELEGATED-FROM")) == {guest} and people.guest_of(line).answer in (
            "",
            people.NEEDS_ACTION,
        )

    if any(people.named_in(line, "DELEGATED-FROM") for line in event.lines("ATTENDEE")):
        event.drop(is_theirs)
