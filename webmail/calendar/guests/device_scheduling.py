"""Device scheduling: what leaves because a telephone or program wrote or deleted an event, as if a page had (RFC 6638, 3.2).

Guests are told by whose calendar it is, in the transaction that writes; what its person answers goes to the organiser, at once
into the event of one who has an account here. `plan` reads and decides, outside; `carry_out` writes, within.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from webmail.auth.address_owners import numbers_of
from webmail.calendar.guests import (
    automatic_answers,
    automatic_rows,
    guest_links,
    local_answers,
    organising,
    scheduling_inbox,
)
from webmail.calendar.guests.automatic_answers import InvitedColleague
from webmail.calendar.guests.guest_list import MOST_GUESTS
from webmail.calendar.guests.local_answers import LocalAnswer
from webmail.calendar.guests.organising import Organiser, Posting
from webmail.collections.store import Access
from webmail.compose import identities
from webmail.compose.outbox import written
from webmail.config.settings import Settings
from webmail.errors import BadAddressError
from webmail.itip import answers, device_changes, distribution, people
from webmail.itip.device_changes import AskedSending, ForbiddenChangeError, MeetingRole
from webmail.itip.messages import ItipMessage
from webmail.mime.formats.calendars.component_tree import BrokenTextError, parsed
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.mime.headers.address_input import parse_addresses
from webmail.models import CalendarObject, Collection, Outbox, User

_UNREADABLE = (BrokenTextError, CannotChangeError, ValueError, TypeError, OverflowError, LookupError)
_SENT, _DELIVERED, _NOBODY = "1.1", "1.2", "3.7"  # SCHEDULE-STATUS (RFC 6638, 3.2.9)


class TooManyInvitedError(ValueError):
    """More people than one event may invite."""


class OtherCopyError(ValueError):
    """The meeting is in another calendar of the same person: of this number and name (RFC 6638, 3.2.4.1)."""

    def __init__(self, calendar: int, href: str) -> None:
        super().__init__(href)
        self.calendar, self.href = calendar, href


@dataclass(slots=True)
class DevicePlan:
    """`text`: what is to be stored, "" for nothing. `told`: to guests, `forced`: whatever they know; `replies`: to the organiser,
    who may be a colleague."""

    text: str
    role: MeetingRole = MeetingRole.NONE
    organiser: Organiser | None = None
    told: list[ItipMessage] = field(default_factory=list)
    forced: list[ItipMessage] = field(default_factory=list)
    replies: list[ItipMessage] = field(default_factory=list)
    colleagues: list[LocalAnswer] = field(default_factory=list)
    invited: list[InvitedColleague] = field(default_factory=list)  # who chose that something is done at once

    @property
    def sends(self) -> bool:
        return bool(self.told or self.forced or self.replies)

    @property
    def calendars(self) -> set[int]:
        """The calendars of others (by `id`) that are written too."""
        return {number for one in self.colleagues for number in one.calendars} | {*automatic_answers.calendars_of(self.invited)}


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """What a program wants to stand in the place of what is there; "" for nothing, either way. `replies`: whether an organiser is
    to hear of a deletion (Schedule-Reply); `by_tag`: whether it knows an older version, but for answers."""

    before: str
    after: str
    replies: bool = True
    by_tag: bool = False


def concerns(*texts: str) -> bool:
    """Whether anybody is invited: a quick look."""
    return any("ATTENDEE" in text.upper() for text in texts)


def plan(user: User, access: Access, change: DeviceChange, settings: Settings) -> DevicePlan:
    """What is to be stored and what leaves. No query where nobody is invited.

    Raises ForbiddenChangeError, TooManyInvitedError, OtherCopyError.
    """
    if not concerns(change.before, change.after):
        return DevicePlan(change.after)
    organiser = organising.organiser_of(user, access, settings)
    if not change.after:
        return _deleted(change, access, organiser, settings)
    text = change.after
    if organiser.acting and not change.before:  # its own person's address is all that a program knows
        address = organiser.address
        text = device_changes.organised_by(text, address.email, address.name, people.keys([user.address]))
    device_changes.check(change.before, text, organiser.me)
    request = device_changes.asked_sending(text)
    role = device_changes.role(request.text, organiser.me)
    if role is MeetingRole.NONE and device_changes.role(change.before, organiser.me) is not MeetingRole.ORGANISER:
        return DevicePlan(request.text)
    if not change.before:
        _look_for_another(request.text, access.collection)
    else:
        text = device_changes.with_server_parts(change.before, request.text, organiser.me, answers=change.by_tag)
        request = replace(request, text=text)
    if role is MeetingRole.GUEST:
        return _answered(change.before, request.text, organiser, request.organiser, user, settings)
    return _organised(change.before, request, organiser, settings)


def _deleted(change: DeviceChange, access: Access, organiser: Organiser, settings: Settings) -> DevicePlan:
    role = device_changes.role(change.before, organiser.me)
    found = DevicePlan("", role, organiser)
    try:
        if role is MeetingRole.NONE or distribution.is_over(change.before, datetime.now(UTC)):
            return found
        _look_for_another(change.before, access.collection)  # a program puts it there, then takes it from here
        if role is MeetingRole.ORGANISER:
            made = distribution.distributed(change.before, "", organiser.me, datetime.now(UTC), acting=organiser.acting)
            found.told = _to_guests(made.messages, change.before)
        elif role is MeetingRole.GUEST and change.replies and not organiser.acting:
            _reply(found, answers.left(change.before, "", organiser.me, datetime.now(UTC)), settings)
    except (*_UNREADABLE, OtherCopyError):
        return DevicePlan("", role, organiser)
    return found


def _organised(before: str, request: AskedSending, organiser: Organiser, settings: Settings) -> DevicePlan:
    invited = {guest.key for event in parsed(request.text).parts("VEVENT") for guest in people.guests(event)}
    if len(invited - organiser.me) > MOST_GUESTS:
        raise TooManyInvitedError(str(len(invited)))
    found = DevicePlan(request.text, MeetingRole.ORGANISER, organiser)
    moment = datetime.now(UTC)
    try:
        made = distribution.distributed(before, request.text, organiser.me, moment, acting=organiser.acting)
        told, forced = list(made.messages), list[ItipMessage]()
        if request.guests and not distribution.is_over(request.text, moment):
            reached = {key for one in told if one.method == "REQUEST" for key in people.keys(one.recipients)}
            forced += distribution.again(made.text, organiser.me, moment, request.guests - reached)
    except _UNREADABLE:
        return found
    found.told, found.forced = _to_guests(told, before, request.text), _to_guests(forced, before, request.text)
    if not before:
        found.told = _without_those_who_answered(found.told, request.text)
    if found.sends:
        found.text = made.text
    if not before:
        found.invited = automatic_answers.colleagues(found.told, organiser.user, settings)
        found.text = automatic_answers.as_answered(found.text, found.invited)
    found.text = _with_statuses(found.text, [*found.told, *found.forced], organiser.me)
    return found


def _answered(before: str, text: str, organiser: Organiser, forced: bool, user: User, settings: Settings) -> DevicePlan:
    found = DevicePlan(text, MeetingRole.GUEST, organiser)
    known = before if device_changes.role(before, organiser.me) is MeetingRole.GUEST else ""
    moment = datetime.now(UTC)
    try:
        if distribution.is_over(text, moment):
            return found
        messages = list(answers.left(known, text, organiser.me, moment))
        if forced and not messages:
            messages = list(answers.again(text, organiser.me, moment))
        messages = [one for one in messages if one.method != local_answers.REPLY or _says_something(one)]
    except _UNREADABLE:
        return found
    if messages and not all(identities.may_use(user, one.sender, settings) for one in messages):
        raise ForbiddenChangeError(device_changes.OF_GUEST)  # who writes in somebody's calendar does not answer as them
    _reply(found, messages, settings)
    reached = {one.organiser.address for one in found.colleagues}
    keys = {key for one in found.replies for key in people.keys(one.recipients)}
    statuses = {key: _DELIVERED if key in reached else _SENT for key in keys}
    found.text = device_changes.with_statuses(found.text, statuses)
    return found


def _says_something(reply: ItipMessage) -> bool:
    """An answer that was taken back tells the organiser nothing."""
    guests = (guest for event in parsed(reply.text).parts("VEVENT") for guest in people.guests(event))
    return any(guest.answer in (*people.ANSWERS, people.DELEGATED) for guest in guests)


def _reply(found: DevicePlan, messages: Sequence[ItipMessage], settings: Settings) -> None:
    found.replies = [one for one in _to_guests(messages) if one.recipients]
    found.colleagues = local_answers.local(found.replies, settings)


def _to_guests(messages: Sequence[ItipMessage], *texts: str) -> list[ItipMessage]:
    """The messages to those who have an address that can be written to; rooms and things answer by themselves."""
    things = {key for text in texts for key in organising.things_in(text)}
    left = []
    for one in messages:
        usable = filter(_is_usable, one.recipients)
        to = tuple(address for address in usable if guest_links.key_of(address) not in things)
        if to:
            left.append(replace(one, recipients=to))
    return left


def _is_usable(address: str) -> bool:
    try:
        return len(parse_addresses(address)) == 1
    except BadAddressError:
        return False


def _without_those_who_answered(messages: Sequence[ItipMessage], text: str) -> list[ItipMessage]:
    """A new event whose guests have answered already was brought from elsewhere, as by an import: they are not asked again."""
    answered = {
        guest.key
        for event in parsed(text).parts("VEVENT")
        for guest in people.guests(event)
        if guest.answer not in (people.NEEDS_ACTION, "")
    }
    return [left for one in messages if (left := organising.without(one, answered)).recipients]


def _with_statuses(text: str, told: Sequence[ItipMessage], me: people.Addresses) -> str:
    """With what becomes of each guest's message; of whom no message can reach, that they are nobody."""
    keys = {key for one in told for key in people.keys(one.recipients)}
    here = numbers_of(keys)
    statuses = {key: _DELIVERED if key in here else _SENT for key in keys}
    for event in parsed(text).parts("VEVENT"):
        for line in event.lines("ATTENDEE"):
            if (key := people.key_of(line)) not in me and not _is_usable(people.address_of(line)):
                statuses[key] = _NOBODY
    return device_changes.with_statuses(text, statuses)


def _look_for_another(text: str, calendar: Collection) -> None:
    """A person has a meeting once, in whichever of their calendars. 1 query. Raises OtherCopyError."""
    uid = next((event.value("UID") for event in parsed(text).parts("VEVENT")), "")
    rows: Any = CalendarObject.select(CalendarObject.collection, CalendarObject.href, CalendarObject.text).join(Collection)
    others = (Collection.user == calendar.user_id) & (CalendarObject.collection != calendar.id)
    for number, href, there in rows.where(others, CalendarObject.uid == uid[:255]).limit(5).tuples():
        if concerns(there) and "ORGANIZER" in there.upper():
            raise OtherCopyError(number, href)


# --- within the transaction ---------------------------------------------------------------------------------------------


def carry_out(found: DevicePlan, user: User, before: str, name: str, posting: Posting) -> list[Outbox]:
    """Queue what leaves, and note answers with colleagues: in the transaction that writes the event and has locked
    `found.calendars`. `name`: of the event, with its calendar. Raises as `written.enqueue`."""
    if found.organiser is None or not found.sends:
        return []
    batch = hashlib.sha256(f"{name}/{found.text}/{before}".encode()).hexdigest()[:32]
    rows = organising.post(user, found.organiser, found.told, batch, posting)
    rows += organising.post(user, found.organiser, found.forced, batch, posting, again=int(batch[:8], 16)) if found.forced else []
    organising.at_colleagues(found.told, found.invited, found.organiser, posting.settings)
    for one in found.colleagues:
        local_answers.note(one, posting.settings)
    state = hashlib.sha256(before.encode()).hexdigest()
    for reply in found.replies:
        name = written.named(user, f"{reply.digest(','.join(reply.recipients))} {state}")
        automatic_rows.answered(found.organiser.user, reply.uid, refused=not found.text)
        row = written.enqueue(user, posting.draft(reply), name, posting.settings, posting.credential())
        scheduling_inbox.deliver(reply, reply.recipients, row.id)
        rows.append(row)
    return rows
