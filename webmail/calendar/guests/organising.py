"""Organising: what is written to calendars with what guests are told of it, in one transaction; and undo of both.

Pages write so, and devices by `device_scheduling.py`. What comes by import, from other servers or out of the trash tells nobody
anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from webmail.auth import account_management
from webmail.calendar import editing, meeting_mail
from webmail.calendar.editing import Done, Write
from webmail.calendar.guests import automatic_answers, guest_links, guest_reminders, local_answers, sent_invitations
from webmail.calendar.guests.automatic_answers import InvitedColleague
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.itip import distribution, people, versions
from webmail.itip.messages import ItipMessage
from webmail.itip.people import Addresses
from webmail.mail import Address, Draft
from webmail.mime.formats.calendars.component_tree import BrokenTextError, parsed
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.models import CalendarObject, Outbox, User

_UNREADABLE = (BrokenTextError, CannotChangeError, ValueError)


@dataclass(frozen=True, slots=True)
class Posting:
    """How guests are told. `credential`: of who writes, sealed; `draft`: makes the mail of a message; `note`: to all of them;
    `silent`: nobody is told this time; `remind`: whether those who do not reply are reminded once, None: as chosen before."""

    settings: Settings
    credential: Callable[[], bytes | None]
    draft: Callable[[ItipMessage], Draft]
    note: str = ""
    silent: bool = False
    remind: bool | None = None


@dataclass(frozen=True, slots=True)
class Organiser:
    """Who organises what is in a calendar: its owner. `acting`: the address of who acts for them, "" for themselves."""

    user: User
    me: Addresses
    acting: str = ""

    @property
    def address(self) -> Address:
        return Address(self.user.name, self.user.address)


@dataclass(slots=True)
class Posted:
    """What was done, and the messages that wait in the outbox."""

    done: list[Done]
    rows: list[Outbox] = field(default_factory=list)

    @property
    def people(self) -> int:
        return sum(row.people or 0 for row in self.rows)


def organiser_of(user: User, access: Access, settings: Settings) -> Organiser:
    """Whose calendar it is; in a group's own, which has no mailbox, who writes there. 3 queries at most."""
    own = access.collection.user_id == user.id or access.collection.user.role == account_management.GROUP
    owner = user if own else access.collection.user
    return Organiser(owner, meeting_mail.addresses_of(owner, settings), "" if own else user.address)


@begun_again
def write(user: User, writes: Sequence[Write], posting: Posting, **more: Any) -> Posted:
    """As `editing.write`; guests of what the person, or whose calendar it is, organises are told. 1 transaction.

    Raises as that, TooManyRequestsError, and what building mail raises.
    """
    organisers = _organisers(user, writes, posting.settings)
    before = _texts(writes)
    planned = [_planned(one, before.get((one.calendar, one.href), ""), organisers.get(one.calendar), posting) for one in writes]
    automatic = [
        automatic_answers.colleagues(messages, organisers[one.calendar].user, posting.settings)
        if messages and not posting.silent and not before.get((one.calendar, one.href))
        else []
        for one, messages in planned
    ]
    planned = [
        (replace(one, text=automatic_answers.as_answered(one.text, colleagues)), messages)
        for (one, messages), colleagues in zip(planned, automatic, strict=True)
    ]
    with db.atomic():
        if any(messages for _one, messages in planned):
            in_turn(user)
        if any(automatic):
            theirs = [number for each in automatic for number in automatic_answers.calendars_of(each)]
            collections.lock(sorted({*theirs, *(one.calendar for one in writes)}))
        posted = Posted(editing.write(user, [one for one, _messages in planned], posting.settings, **more))
        for done, (_one, messages), colleagues in zip(posted.done, planned, automatic, strict=True):
            if posting.remind is not None:
                guest_reminders.choose(user, done.calendar, done.href, wanted=posting.remind)
            if messages and not posting.silent:
                posted.rows += post(user, organisers[done.calendar], messages, batch_of(done), posting)
                at_colleagues(messages, colleagues, organisers[done.calendar], posting.settings)
    return posted


def at_colleagues(
    messages: Sequence[ItipMessage], invited: Sequence[InvitedColleague], organiser: Organiser, settings: Settings
) -> None:
    """What is done in the calendars of people of this server as they chose, before any mail arrives."""
    automatic_answers.carry_out(invited, organiser.user, settings)
    for one in messages:
        if one.method == automatic_answers.CANCEL and not one.at:
            automatic_answers.withdraw(one.uid, sorted(people.keys(one.recipients)), organiser.me, settings)


@begun_again
def undo(user: User, name: str, posting: Posting) -> tuple[bool, list[Outbox]]:
    """As `editing.undo`; what guests were told is taken back as far as it has not left, and they are told of the rest. Returns
    whether anything was undone, and the messages that wait. 1 transaction. Raises as that, and as `write`."""
    rows: list[Outbox] = []
    later: list[tuple[Organiser, Done, list[ItipMessage]]] = []
    answered: list[tuple[str, str, Addresses]] = []

    def rewritten(steps: Sequence[Done]) -> list[Write]:
        writes = [Write(one.calendar, one.href, one.before, one.etag) for one in steps]
        organisers = _organisers(user, writes, posting.settings)
        texts = _texts(writes)
        back = []
        for step, item in zip(steps, writes, strict=True):
            organiser, now_there = organisers.get(item.calendar), texts.get((item.calendar, item.href), "")
            gone, told = sent_invitations.take_back(organiser.user.id, batch_of(step)) if organiser else (set(), False)
            if organiser and gone and not step.before:
                automatic_answers.withdraw(_uid(now_there), sorted(gone), organiser.me, posting.settings)
            if organiser and gone:
                guest_links.put_back(organiser.user.id, _uid(now_there or item.text), gone, item.text, organiser.me)
            if not told:
                if organiser and "ATTENDEE" in now_there.upper():
                    answered.append((item.text, now_there, organiser.me))
                back.append(item)
                continue
            newer = item if now_there else replace(item, text=_newer(item.text))
            planned, messages = _planned(newer, now_there, organiser, posting)
            back.append(planned)
            if organiser:
                later.append((organiser, step, [left for each in messages if (left := without(each, gone)).recipients]))
        return back

    with db.atomic():
        in_turn(user)
        undone = editing.undo(user, name, posting.settings, rewritten=rewritten)
        for answer in answered if undone else ():
            local_answers.take_back(*answer, posting.settings)
        for organiser, step, messages in later if undone else ():
            rows += post(user, organiser, messages, f"{batch_of(step)[:30]}-u", posting)
    return undone, rows


def batch_of(done: Done) -> str:
    """Names a change, by what it did."""
    return hashlib.sha256(f"{done.calendar}/{done.href}/{done.etag}/{done.before}".encode()).hexdigest()[:32]


def _organisers(user: User, writes: Sequence[Write], settings: Settings) -> dict[int, Organiser]:
    """By the calendar's `id`; none of those that they may not write."""
    wanted = {one.calendar for one in writes}
    return {
        one.collection.id: organiser_of(user, one, settings)
        for one in editing.calendars(user)
        if one.collection.id in wanted and one.writes
    }


def _texts(writes: Sequence[Write]) -> dict[tuple[int, str], str]:
    """What stands under these names; what was changed since, `editing.write` refuses. 1 query."""
    found: Any = CalendarObject.select(CalendarObject.collection, CalendarObject.href, CalendarObject.text)
    hrefs, calendars = [one.href for one in writes], list({one.calendar for one in writes})
    rows = found.where(CalendarObject.collection.in_(calendars), CalendarObject.href.in_(hrefs)).tuples()
    return {(calendar, href): text for calendar, href, text in rows}


def _planned(item: Write, before: str, organiser: Organiser | None, posting: Posting) -> tuple[Write, list[ItipMessage]]:
    """What is to be written with its version, and what guests are to be told."""
    if organiser is None or "ATTENDEE" not in before.upper() + item.text.upper():
        return item, []
    try:
        found = distribution.distributed(
            before, item.text, organiser.me, datetime.now(UTC), comment=posting.note, acting=organiser.acting
        )
    except _UNREADABLE:
        return item, []
    things = things_in(before) | things_in(item.text)
    messages = [left for one in found.messages if (left := without(one, things)).recipients]
    return replace(item, text=found.text), messages


def things_in(text: str) -> set[str]:
    """The addresses of rooms and things, which get no mail."""
    events = parsed(text).parts("VEVENT") if text else []
    return {one.key for event in events for one in people.guests(event) if one.kind in ("room", "resource")}


def _uid(text: str) -> str:
    return next((event.value("UID") for event in parsed(text).parts("VEVENT")), "") if text else ""


def without(message: ItipMessage, keys: set[str]) -> ItipMessage:
    """The message to those of its recipients that are not these (keys of addresses)."""
    return replace(message, recipients=tuple(one for one in message.recipients if guest_links.key_of(one) not in keys))


def _newer(text: str) -> str:
    """An event that guests were told is cancelled takes place after all: a version later than that one."""
    root = parsed(text) if text else None
    for event in root.parts("VEVENT") if root is not None else ():
        versions.set_sequence(event, versions.sequence(event) + 2)
    return str(root) if root is not None else ""


def post(
    user: User, organiser: Organiser, messages: Sequence[ItipMessage], batch: str, posting: Posting, *, again: int = 0
) -> list[Outbox]:
    """Queue what guests are told, from who acts; in the transaction that writes the event. `again`: as for
    `sent_invitations.post`. Raises as `write`."""
    sender = organiser.acting
    from_them = [replace(one, sender=sender) if sender else one for one in messages]
    return sent_invitations.post(
        organiser.user.id, user, from_them, batch, posting.settings, posting.credential(), posting.draft, again=again
    )
