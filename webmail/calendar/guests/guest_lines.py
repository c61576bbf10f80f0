"""Guest lines: the organiser and the guests as an event has them, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from webmail.calendar.guests.guest_list import TypedGuest
from webmail.itip import guest_list as hidden_lists
from webmail.itip import people
from webmail.itip.instances import Instances
from webmail.itip.people import Invitee
from webmail.mail import Address
from webmail.mime.formats.calendars.component_tree import Component, TextLine, made, parsed
from webmail.mime.formats.recurrence import series

_THINGS = ("room", "resource")
_ROLES = {True: "opt-participant", False: "req-participant"}


@dataclass(frozen=True, slots=True)
class GuestChange:
    """What is to be another in a guest list. `removed`: addresses as they are compared; `roles`: who is now optional, or not any
    more; `hidden`: whether guests don't see each other."""

    added: tuple[TypedGuest, ...] = ()
    removed: frozenset[str] = frozenset()
    roles: dict[str, bool] = field(default_factory=dict)
    hidden: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.roles)


def guests_of(event: Component, besides: people.Addresses = frozenset()) -> list[Invitee]:
    """The people who are invited; no rooms and things, and nobody of these addresses."""
    return [one for one in people.guests(event) if one.kind not in _THINGS and one.key not in besides]


def silent_guests(text: str, besides: people.Addresses) -> list[str]:
    """The addresses of those who have answered to nothing of an event."""
    found: dict[str, list[Invitee]] = {}
    for event in parsed(text).parts("VEVENT"):
        for one in guests_of(event, besides):
            found.setdefault(one.key, []).append(one)
    silent = (people.NEEDS_ACTION, "")
    return [several[0].address for several in found.values() if all(one.answer in silent for one in several)]


def typed_guests(guests: Sequence[Invitee]) -> list[TypedGuest]:
    """Guests as a form has them."""
    return [TypedGuest(Address(one.name if one.name != one.address else "", one.address), not one.is_required) for one in guests]


def change_between(before: Sequence[Invitee], after: Sequence[TypedGuest], *, hidden: bool) -> GuestChange:
    known = {one.key: one for one in before}
    wanted = {one.key: one for one in after}
    added = tuple(one for key, one in wanted.items() if key not in known)
    roles = {key: one.optional for key, one in wanted.items() if key in known and known[key].is_required is one.optional}
    return GuestChange(added, frozenset(known.keys() - wanted.keys()), roles, hidden)


def changed(text: str, change: GuestChange, organizer: Address, at: str = "") -> str:
    """The event with its guest list changed: of the one of a series that `at` names, or of all. Raises CannotChangeError."""
    if change.is_empty and is_hidden(text) is change.hidden:
        return text
    whole = series.series_of(text)
    if at and whole.recurs:
        _apply(Instances(whole).own_component(whole.named(at)), change, organizer)
    else:
        for event in whole.root.parts("VEVENT"):
            _apply(event, change, organizer)
    return hidden_lists.hide(str(whole.root), hidden=change.hidden)


def _apply(event: Component, change: GuestChange, organizer: Address) -> None:
    event.drop(lambda item: isinstance(item, TextLine) and item.name == "ATTENDEE" and people.key_of(item) in change.removed)
    for line in event.lines("ATTENDEE"):
        if (key := people.key_of(line)) in change.roles:
            people.change(event, line, {"ROLE": _ROLES[change.roles[key]].upper()})
    there = {people.key_of(line) for line in event.lines("ATTENDEE")}
    for one in change.added:
        if one.key not in there:
            people.invite(event, Invitee(one.person.email, one.key, one.person.name, role=_ROLES[one.optional]))
    if not event.lines("ATTENDEE"):
        event.remove("ORGANIZER")
    elif event.first("ORGANIZER") is None:
        line = made("ORGANIZER", f"mailto:{organizer.email}")
        event.add(people.with_params(line, {"CN": organizer.name}))


def is_hidden(text: str) -> bool:
    """Whether the guests don't see each other."""
    return any(hidden_lists.is_hidden(event) for event in parsed(text).parts("VEVENT"))
