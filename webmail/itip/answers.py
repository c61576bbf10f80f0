"""Answers of mine to an invitation: accept, maybe, decline, or another time. RFC 5546, 3.2.3 and 3.2.7.

They leave from the address that was invited, to the organiser (and to whom they named to speak for them, SENT-BY is theirs to
read). Nothing leaves where the organiser's line says that another program answers (SCHEDULE-AGENT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from webmail.itip import delegation, messages, own_parts, people, versions
from webmail.itip.instances import Instances
from webmail.itip.messages import ItipMessage
from webmail.itip.people import Addresses, Invitee
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, placed, series_of

_LONGEST = 2_000  # characters of a comment
_MOST_LEFT_OUT = 200  # times of a series, in one answer


@dataclass(frozen=True, slots=True)
class Answered:
    """The text to store, and what leaves."""

    text: str
    messages: tuple[ItipMessage, ...] = ()


class AlreadyInvitedError(ValueError):
    """Who is to come instead is invited themselves."""


class NotInvitedError(ValueError):
    """Nobody of these addresses is invited, or nobody to answer to is known."""


def invited_as(there: str, me: Addresses, at: str = "") -> str:
    """The address of mine that is invited; "" for none."""
    try:
        series = series_of(there)
        events = _events_at(series, at) if at else series.root.parts("VEVENT")
    except (CannotChangeError, BrokenTextError, ValueError):
        return ""
    return next((people.address_of(line) for event in events if (line := people.line_of(event, me)) is not None), "")


def own_answer(there: str, me: Addresses, at: str = "") -> str:
    """My answer as it stands there; "" where I am not invited."""
    try:
        series = series_of(there)
        events = _events_at(series, at) if at else [one for one in (series.master, *series.overrides) if one is not None]
    except (CannotChangeError, BrokenTextError, ValueError):
        return ""
    found = (people.line_of(event, me) for event in events)
    return next((people.guest_of(line).answer for line in found if line is not None), "")


def sent_by(there: str, me: Addresses) -> str:
    """The address of who sends me in their place; "" for nobody."""
    try:
        lines = [people.line_of(event, me) for event in series_of(there).root.parts("VEVENT")]
    except (CannotChangeError, BrokenTextError, ValueError):
        return ""
    named = (people.named_in(line, "DELEGATED-FROM") for line in lines if line is not None)
    return next((names[0] for names in named if names), "")


def may_propose(there: str) -> bool:
    """Whether the organiser takes other times (Outlook lets them forbid it)."""
    try:
        events = series_of(there).root.parts("VEVENT")
    except (CannotChangeError, BrokenTextError, ValueError):
        return False
    return not any(event.value("X-MICROSOFT-DISALLOW-COUNTER").upper() == "TRUE" for event in events)


def answered(
    there: str, at: str, me: Addresses, answer: str, moment: datetime, comment: str = "", delegate: Invitee | None = None
) -> Answered:
    """My answer ("accepted", "tentative", "declined") to all of it, or to one of a series (`at`: its RECURRENCE-ID). `delegate`:
    who comes instead ("delegated"). Raises NotInvitedError, CannotChangeError, BrokenTextError, ValueError."""
    series = series_of(there)
    events = [Instances(series).own_component(series.named(at))] if at and series.recurs else _all_of(series, me)
    told = []
    for event in events:
        line = people.line_of(event, me)
        if line is None or not people.organizer(event):
            continue
        own_parts.set_answer(event, line, answer, {"RSVP": "", "DELEGATED-TO": f"mailto:{delegate.address}" if delegate else ""})
        if delegate is not None:
            delegation.enter(event, people.guest_of(line), delegate)
        else:
            delegation.withdraw(event, people.key_of(line))
        event_edit.touch(event)
        told.append((event, people.line_of(event, me)))
    if not told:
        raise NotInvitedError("not among those invited")
    return Answered(str(series.root), _to_organiser("REPLY", told, series.root, moment, comment))


def delegated(there: str, at: str, me: Addresses, address: str, moment: datetime, comment: str = "") -> Answered:
    """Somebody else, by their address, comes in my place: the organiser is told, and they are invited. Raises as `answered`,
    NotInvitedError also where they can't be sent."""
    delegate = delegation.made(address)
    organizers = {people.organizer(event) for event in series_of(there).root.parts("VEVENT")}
    if delegate is None or delegate.key in me | organizers:
        raise NotInvitedError("nobody who can be sent")
    lines = [people.line_of(event, frozenset({delegate.key})) for event in series_of(there).root.parts("VEVENT")]
    if any(line is not None and not people.keys(people.named_in(line, "DELEGATED-FROM")) & me for line in lines):
        raise AlreadyInvitedError(address)
    return answered(there, at, me, people.DELEGATED, moment, comment, delegate)


def _all_of(series: Series, me: Addresses) -> list[Component]:
    """The whole, and single ones that were changed, unless I answered them otherwise."""
    main = series.master or series.overrides[0]
    line = people.line_of(main, me)
    former = people.guest_of(line).answer if line is not None else people.NEEDS_ACTION
    others = [
        event
        for event in series.overrides
        if event is not main
        and (mine := people.line_of(event, me)) is not None
        and (series.master is None or people.guest_of(mine).answer in (former, people.NEEDS_ACTION))
    ]
    return [main, *others]


def _to_organiser(
    method: str, told: Sequence[tuple[Component, TextLine | None]], root: Component, moment: datetime, comment: str
) -> tuple[ItipMessage, ...]:
    first, mine = told[0]
    to = first.first("ORGANIZER")
    agent = people.params(to).get("SCHEDULE-AGENT", "SERVER").upper() if to is not None else "NONE"
    if mine is None or agent != "SERVER":
        return ()
    copies = [messages.short_copy(event, _told_of(event, line), moment) for event, line in told]
    sender = people.address_of(mine)
    readers = [people.address_of(to), *people.named_in(mine, "DELEGATED-FROM")]
    found = messages.message(method, sender, dict.fromkeys(readers), copies, root, comment[:_LONGEST])
    delegates = people.named_in(mine, "DELEGATED-TO")[:1] if people.guest_of(mine).answer == people.DELEGATED else []
    if not delegates:
        return (found,)
    whole = [messages.sent_copy(event) for event, _line in told]
    for event, (_own, line) in zip(whole, told, strict=True):
        if line is not None and (delegate := delegation.delegate_of(line, event)) is not None:
            delegation.enter(event, people.guest_of(line), delegate)  # a telephone names them without inviting them
    return found, messages.message("REQUEST", sender, delegates, whole, root, comment[:_LONGEST])


def _told_of(event: Component, line: TextLine | None) -> list[TextLine]:
    """My line, and that of whom I send."""
    if line is None:
        return []
    delegate = delegation.delegate_of(line, event) if people.guest_of(line).answer == people.DELEGATED else None
    if delegate is None:
        return [line]
    copy = event.copy()
    delegation.enter(copy, people.guest_of(line), delegate)
    theirs = people.line_of(copy, frozenset({delegate.key}))
    return [line, theirs] if theirs is not None else [line]


def proposed(
    there: str, at: str, me: Addresses, start: date | datetime, end: date | datetime, moment: datetime, comment: str = ""
) -> Answered:
    """Another time for it, by its own clock (of whole days, `end` is the last): nothing changes before the organiser says so.
    My answer stands as it was.

    Raises NotInvitedError, CannotChangeError, BrokenTextError, ValueError.
    """
    series = series_of(there)
    event = Instances(series).own_component(series.named(at)) if at and series.recurs else series.master or series.overrides[0]
    line = people.line_of(event, me)
    if line is None or not people.organizer(event) or not may_propose(there):
        raise NotInvitedError("not among those invited, or no other time is taken")
    if not at and series.recurs and event.lines("RRULE", "RDATE"):
        raise CannotChangeError("rule")
    copy = event.copy()
    before = event_edit.read(copy, series.root)
    event_edit.change(copy, series.root, before, _at(before, start, end))
    found = _to_organiser("COUNTER", [(copy, line)], series.root, moment, comment)
    return Answered(there, found)


def _at(before: event_edit.EventFields, start: date | datetime, end: date | datetime) -> event_edit.EventFields:
    moved = placed(before, start)
    return type(before)(**{**{name: getattr(moved, name) for name in moved.__slots__}, "end": end})


def left(before: str, after: str, me: Addresses, moment: datetime) -> tuple[ItipMessage, ...]:
    """What leaves when I changed my copy elsewhere (a telephone): answers that differ, or a refusal of what I deleted (`after`
    "") unless I had refused it, or it is cancelled; whom I send instead of me (DELEGATED-TO) is invited. `before` "": it is new.

    Raises CannotChangeError, BrokenTextError, ValueError.
    """
    if not after:
        return _refusal(series_of(before), me, moment)
    new = series_of(after)
    old = series_of(before) if before else Series(new.root, None, [])
    changed: list[tuple[Component, TextLine | None]] = []
    for event in [one for one in (new.master, *new.overrides) if one is not None]:
        clock = versions.clock_of(event, new, old if before else new)
        former = old.master if clock is None else old.override(clock) or old.master
        mine, was = people.line_of(event, me), people.line_of(former, me) if former is not None else None
        if mine is None or not people.organizer(event) or people.organizer(event) in me:
            continue
        if people.guest_of(mine).answer != (people.guest_of(was).answer if was is not None else people.NEEDS_ACTION):
            changed.append((event, mine))
    changed += _left_out(old, new, me) if before else []
    return _to_organiser("REPLY", changed, new.root, moment, "") if changed else ()


def again(there: str, me: Addresses, moment: datetime) -> tuple[ItipMessage, ...]:
    """My answer once more, as it stands. Raises as `left`."""
    series = series_of(there)
    told = [(event, line) for event in series.root.parts("VEVENT") if (line := people.line_of(event, me)) is not None]
    if not told or any(people.organizer(event) in (me | {""}) for event, _line in told):
        return ()
    return _to_organiser("REPLY", told, series.root, moment, "")


def _left_out(old: Series, new: Series, me: Addresses) -> list[tuple[Component, TextLine | None]]:
    """Times of a series that I took out of my calendar: each is declined, unless it was."""
    existing = Instances(old)
    told: list[tuple[Component, TextLine | None]] = []
    for clock in existing.newly_left_out(new)[:_MOST_LEFT_OUT]:
        try:
            event = existing.own_component(clock)
        except (CannotChangeError, ValueError):
            continue
        line = people.line_of(event, me)
        if line is None or people.guest_of(line).answer == people.DECLINED or people.organizer(event) in me:
            continue
        own_parts.set_answer(event, line, people.DECLINED, {"RSVP": ""})
        told.append((event, people.line_of(event, me)))
    return told


def _refusal(old: Series, me: Addresses, moment: datetime) -> tuple[ItipMessage, ...]:
    told: list[tuple[Component, TextLine | None]] = []
    for event in [one for one in (old.master, *old.overrides) if one is not None]:
        line = people.line_of(event, me)
        if line is None or not people.organizer(event) or people.organizer(event) in me:
            continue
        if people.guest_of(line).answer == people.DECLINED or event.value("STATUS").upper() == "CANCELLED":
            continue
        own_parts.set_answer(event, line, people.DECLINED, {"RSVP": ""})
        told.append((event, people.line_of(event, me)))
    return _to_organiser("REPLY", told, old.root, moment, "") if told else ()


def _events_at(series: Series, at: str) -> list[Component]:
    if not series.recurs:
        return [series.master or series.overrides[0]]
    clock = series.named(at)
    return [series.override(clock) or series.model(clock)[0]]
