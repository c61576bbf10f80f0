"""Device changes: what a program changed of a meeting in its person's calendar, and whether it may. RFC 6638, 3.2.

Who organises may change all but the organiser; a guest what is theirs (`own_parts`), their own answer, and which times of a
series they see. What a program asks of the server by parameters is read here and taken out: SCHEDULE-FORCE-SEND; what the server
says of each person is written here: SCHEDULE-STATUS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webmail.itip import guest_list, people, versions
from webmail.itip.instances import Instances
from webmail.itip.people import Addresses
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, made, parsed
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, series_of

_FORCED, _STATUS = "SCHEDULE-FORCE-SEND", "SCHEDULE-STATUS"
_OF_SERVER = (_STATUS, people.ANSWERED)  # what the server knows of a guest, and programs may leave out
_UNREADABLE = (BrokenTextError, CannotChangeError, ValueError, TypeError, OverflowError, LookupError)
OF_GUEST = "allowed-attendee-scheduling-object-change"
OF_ORGANISER = "allowed-organizer-scheduling-object-change"
SAME_ORGANISER = "same-organizer-in-all-components"


class MeetingRole(StrEnum):
    """What somebody is in an event of their calendar. NONE: nobody is invited, or neither by them nor they themselves."""

    NONE = "none"
    ORGANISER = "organiser"
    GUEST = "guest"


class ForbiddenChangeError(ValueError):
    """A change that a program may not make. `condition`: the name of the precondition (RFC 6638, 3.2.4)."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class AskedSending:
    """A text without what asks for messages, and the addresses that are to be told whatever changed; "" for the organiser."""

    text: str
    guests: frozenset[str] = frozenset()
    organiser: bool = False


def role(text: str, me: Addresses) -> MeetingRole:
    """What somebody of these addresses is in an event, which may be empty or unreadable."""
    if "ATTENDEE" not in text.upper() or "ORGANIZER" not in text.upper():
        return MeetingRole.NONE
    try:
        events = parsed(text).parts("VEVENT")
    except BrokenTextError:
        return MeetingRole.NONE
    organizers = {key for event in events if (key := people.organizer(event))}
    if not any(event.lines("ATTENDEE") for event in events):
        return MeetingRole.NONE
    if organizers & me:
        return MeetingRole.ORGANISER
    invited = organizers and any(people.line_of(event, me) is not None for event in events)
    return MeetingRole.GUEST if invited else MeetingRole.NONE


def check(before: str, after: str, me: Addresses) -> None:
    """Raises ForbiddenChangeError. `before` "": it is new."""
    try:
        new = series_of(after)
    except _UNREADABLE:
        return
    organizers = {key for event in new.root.parts("VEVENT") if (key := people.organizer(event))}
    if len(organizers) > 1:
        raise ForbiddenChangeError(SAME_ORGANISER)
    was = role(before, me)
    if was is MeetingRole.NONE:
        return
    condition = OF_ORGANISER if was is MeetingRole.ORGANISER else OF_GUEST
    old = series_of(before)  # `role` has read it, and found events
    former = {key for event in old.root.parts("VEVENT") if (key := people.organizer(event))}
    invites = any(event.lines("ATTENDEE") for event in new.root.parts("VEVENT"))
    if organizers != former and (organizers or invites or was is MeetingRole.GUEST):
        raise ForbiddenChangeError(condition)
    if was is MeetingRole.GUEST:
        try:
            allowed = _guest_may(old, new, me)
        except _UNREADABLE:
            allowed = False
        if not allowed:
            raise ForbiddenChangeError(OF_GUEST)


def _guest_may(old: Series, new: Series, me: Addresses) -> bool:
    if versions.sequence(*new.root.parts("VEVENT")) > versions.sequence(*old.root.parts("VEVENT")):
        return True  # the program took a newer version from the organiser's mail
    if (old.master is None) != (new.master is None):
        return False
    existing, left = Instances(old), Instances(new)
    if old.master is not None and new.master is not None and not _is_alike(old.master, new.master, me, True, old, new):
        return False
    if existing.series.master is not None and left.newly_left_out(old):  # brings back what the organiser took out
        return False
    for event in new.overrides:
        clock = versions.clock_of(event, new, old)
        if clock is None or not existing.takes_place(clock):
            return False
        known = existing.override(clock) or old.master
        if known is None or existing.times_at(clock) != versions.times(event, new.root):
            return False
        if not _is_alike(known, event, me, False, old, new):
            return False
    plain = Instances(Series(old.root, old.master, []))  # without what was changed of single times
    for event in old.overrides:
        clock = old.clock_of(event)
        if clock is None or left.override(clock) is not None or left.is_left_out(clock):
            continue
        if old.master is None or not _is_alike(old.master, event, me, False, old, old):
            return False
        if not plain.takes_place(clock) or plain.times_at(clock) != existing.times_at(clock):
            return False
    return True


def _is_alike(before: Component, after: Component, me: Addresses, timed: bool, old: Series, new: Series) -> bool:
    """Whether a component says the same in all that is the organiser's."""
    if timed and versions.times(before, old.root) != versions.times(after, new.root):
        return False
    for name in ("SUMMARY", "LOCATION"):
        if " ".join(before.text(name).split()) != " ".join(after.text(name).split()):
            return False
    if _status(before) != _status(after):
        return False
    was, now = ({one.key for one in people.guests(event)} for event in (before, after))
    if was & me and not now & me:
        return False
    instead = [line for line in after.lines("ATTENDEE") if people.keys(people.named_in(line, "DELEGATED-FROM")) & me]
    return not (was - me - now) and now - me - was <= {people.key_of(line) for line in instead}


def _status(event: Component) -> str:
    return event.value("STATUS").upper().replace("CONFIRMED", "")


# --- what is written ---------------------------------------------------------------------------------------------------


def asked_sending(text: str) -> AskedSending:
    """What a program asks to be sent, whatever changed; byte for byte the same text where it asks for nothing."""
    if _FORCED not in text.upper().replace("\r\n ", "").replace("\n ", ""):
        return AskedSending(text)
    root, guests, organiser = parsed(text), set(), False
    for event in root.parts("VEVENT"):
        for line in event.lines("ATTENDEE", "ORGANIZER"):
            wanted = people.params(line).get(_FORCED, "").upper()
            if not wanted:
                continue
            if line.name == "ATTENDEE" and wanted == "REQUEST":
                guests.add(people.key_of(line))
            organiser = organiser or (line.name == "ORGANIZER" and wanted == "REPLY")
            people.change(event, line, {_FORCED: ""})
    return AskedSending(str(root), frozenset(guests), organiser)


def with_server_parts(before: str, after: str, me: Addresses, *, answers: bool = False) -> str:
    """The new text with what the server knows of each guest, which programs leave out; `answers`: and what guests have answered
    meanwhile, where the program knows only an older version (If-Schedule-Tag-Match). A list that guests don't see stays so."""
    try:
        old, new = series_of(before), series_of(after)
        existing = Instances(old)
        changed = False
        for event in new.root.parts("VEVENT"):
            clock = versions.clock_of(event, new, old)
            known = (existing.override(clock) if clock is not None else None) or old.master
            if known is not None:
                changed |= _complete(known, event, me, answers)
        hidden = any(guest_list.is_hidden(event) for event in old.root.parts("VEVENT"))
    except _UNREADABLE:
        return after
    text = str(new.root) if changed else after
    return guest_list.hide(text) if hidden and not guest_list.is_hidden(new.root.parts("VEVENT")[0]) else text


def _complete(former: Component, event: Component, me: Addresses, answers: bool) -> bool:
    lines = {(line.name, people.key_of(line)): line for line in former.lines("ATTENDEE", "ORGANIZER")}
    changed = False
    for line in event.lines("ATTENDEE", "ORGANIZER"):
        key = people.key_of(line)
        if (was_line := lines.get((line.name, key))) is None:
            continue
        was, now = people.params(was_line), people.params(line)
        more = {name: was[name] for name in _OF_SERVER if name in was and name not in now}
        if was.get("PARTSTAT", "").upper() != now.get("PARTSTAT", "").upper():
            if answers and line.name == "ATTENDEE" and key not in me and "PARTSTAT" in was:
                more |= {"PARTSTAT": was["PARTSTAT"], "RSVP": was.get("RSVP", "")}
            else:
                more.pop(people.ANSWERED, None)
        if more:
            people.change(event, line, more)
            changed = True
    return changed


def with_statuses(text: str, statuses: Mapping[str, str]) -> str:
    """The event with what became of the message to each of these people (keys of addresses; "" those whose address is none)."""
    if not statuses:
        return text
    root = parsed(text)
    for event in root.parts("VEVENT"):
        for line in event.lines("ATTENDEE", "ORGANIZER"):
            if (status := statuses.get(people.key_of(line))) and people.params(line).get(_STATUS) != status:
                people.change(event, line, {_STATUS: status})
    return str(root)


def organised_by(text: str, address: str, name: str, writer: Addresses) -> str:
    """A new event whose program names its own person (`writer`) as organiser, in the calendar of somebody else: theirs is this
    address."""
    root = parsed(text)
    changed = False
    for event in root.parts("VEVENT"):
        line = event.first("ORGANIZER")
        if line is not None and people.key_of(line) in writer and event.lines("ATTENDEE"):
            event.put(people.with_params(made("ORGANIZER", f"mailto:{address}"), {"CN": name}))
            changed = True
    return str(root) if changed else text
