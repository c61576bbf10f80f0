"""Answers of mine to an invitation: accept, maybe, decline, or another time. RFC 5546, 3.2.3 and 3.2.7.

They leave from the address that was invited, to the organiser (and to whom they named to speak for them, SENT-BY is theirs to
read). Nothing leaves where the organiser's line says that another program answers (SCHEDULE-AGENT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from webmail.itip import messages, own_parts, people, versions
from webmail.itip.instances import Instances
from webmail.itip.messages import ItipMessage
from webmail.itip.people import Addresses
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, placed, series_of

_LONGEST = 2_000  # characters of a comment


@dataclass(frozen=True, slots=True)
class Answered:
    """The text to store, and what leaves."""

    text: str
    messages: tuple[ItipMessage, ...] = ()


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


def may_propose(there: str) -> bool:
    """Whether the organiser takes other times (Outlook lets them forbid it)."""
    try:
        events = series_of(there).root.parts("VEVENT")
    except (CannotChangeError, BrokenTextError, ValueError):
        return False
    return not any(event.value("X-MICROSOFT-DISALLOW-COUNTER").upper() == "TRUE" for event in events)


def answered(there: str, at: str, me: Addresses, answer: str, moment: datetime, comment: str = "") -> Answered:
    """My answer ("accepted", "tentative", "declined") to all of it, or to one of a series (`at`: its RECURRENCE-ID). Raises
    NotInvitedError, CannotChangeError, BrokenTextError, ValueError."""
    series = series_of(there)
    events = [Instances(series).own_component(series.named(at))] if at and series.recurs else _all_of(series, me)
    told = []
    for event in events:
        line = people.line_of(event, me)
        if line is None or not people.organizer(event):
            continue
        own_parts.set_answer(event, line, answer, {"RSVP": ""})
        event_edit.touch(event)
        mine = people.line_of(event, me)
        told.append((event, mine))
    if not told:
        raise NotInvitedError("not among those invited")
    return Answered(str(series.root), _to_organiser("REPLY", told, series.root, moment, comment))


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
    copies = [messages.short_copy(event, [line] if line is not None else [], moment) for event, line in told]
    sender = people.address_of(mine)
    readers = [people.address_of(to), *people.named_in(mine, "DELEGATED-FROM")]
    found = messages.message(method, sender, dict.fromkeys(readers), copies, root, comment[:_LONGEST])
    delegates = people.named_in(mine, "DELEGATED-TO") if people.guest_of(mine).answer == people.DELEGATED else []
    if not delegates:
        return (found,)
    whole = [messages.sent_copy(event) for event, _line in told]
    return found, messages.message("REQUEST", sender, delegates, whole, root, comment[:_LONGEST])


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
    changed = []
    for event in [one for one in (new.master, *new.overrides) if one is not None]:
        clock = versions.clock_of(event, new, old if before else new)
        former = old.master if clock is None else old.override(clock) or old.master
        mine, was = people.line_of(event, me), people.line_of(former, me) if former is not None else None
        if mine is None or not people.organizer(event) or people.organizer(event) in me:
            continue
        if people.guest_of(mine).answer != (people.guest_of(was).answer if was is not None else people.NEEDS_ACTION):
            changed.append((event, mine))
    return _to_organiser("REPLY", changed, new.root, moment, "") if changed else ()


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
