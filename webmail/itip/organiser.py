"""What a guest's message makes of the event that I organise: REPLY, COUNTER, REFRESH. RFC 5546, 3.2.3, 3.2.6, 3.2.7.

A guest changes their own answer and nothing else. Who was not invited changes nothing: the organiser decides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from webmail.itip import delegation, people, versions
from webmail.itip.incoming import IncomingItip
from webmail.itip.instances import Instances
from webmail.itip.outcome import Effect, Outcome
from webmail.itip.people import Invitee
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, TextLine
from webmail.mime.formats.calendars.event_edit import Stamp
from webmail.mime.formats.recurrence.series import Clock, Series, series_of

_POSSIBLE = (*people.ANSWERS, people.DELEGATED)
_FIRST_STAMP = "0"
_MOST_ANSWERED = 200  # single ones of a series, by one message


def replied(there: str, incoming: IncomingItip) -> Outcome:
    """A guest's answer. Raises CannotChangeError, BrokenTextError, ValueError."""
    sent = incoming.series()
    guest = sender_of(incoming)
    if guest is None or guest.answer not in _POSSIBLE:
        return Outcome(Effect.UNUSABLE, guest=guest, comment=incoming.comment)
    if not there:
        return Outcome(Effect.UNKNOWN, guest=guest, comment=incoming.comment)
    old = series_of(there)
    if not _is_invited(old, incoming, guest):
        return Outcome(Effect.UNINVITED, guest=guest, comment=incoming.comment)
    found, at = [], []
    if sent.master is not None:
        found.append(_answer_all(old, sent.master, guest))
    instances = Instances(old)
    for event in sent.overrides[:_MOST_ANSWERED]:
        clock, line = versions.clock_of(event, sent, old), people.line_of(event, frozenset({guest.key}))
        if clock is None or line is None:
            continue
        found.append(_answer_one(instances, clock, event, people.guest_of(line)))
        at.append(event.value("RECURRENCE-ID"))
    effect = next((one for one in (Effect.ANSWERED, Effect.SAME, Effect.OLD) if one in found), Effect.UNKNOWN)
    text = str(old.root) if effect is Effect.ANSWERED else ""
    return Outcome(effect, text, guest, incoming.comment, at=() if sent.master else tuple(at))


def sender_of(incoming: IncomingItip) -> Invitee | None:
    """Who answers: the one guest that an answer names; if it names several, the one who answered."""
    found = [guest for event in incoming.events for guest in people.guests(event)]
    answered = [guest for guest in found if guest.answer != people.NEEDS_ACTION]
    return next(iter(answered or found), None)


def _is_invited(old: Series, incoming: IncomingItip, guest: Invitee) -> bool:
    invited = {one.key for event in old.root.parts("VEVENT") for one in people.guests(event)}
    return guest.key in invited or bool(delegator_of(old, guest))


def delegator_of(old: Series, guest: Invitee) -> str:
    """Who said that this person comes instead of them (DELEGATED-TO), as addresses are compared."""
    for event in old.root.parts("VEVENT"):
        for line in event.lines("ATTENDEE"):
            if guest.key in people.keys(people.named_in(line, "DELEGATED-TO")):
                return people.key_of(line)
    return ""


def _answer_all(old: Series, sent: Component, guest: Invitee) -> Effect:
    """An answer to all: also to single ones that were changed, unless they were answered otherwise before (some programs send one
    component for a series with exceptions)."""
    line = people.line_of(sent, frozenset({guest.key}))
    if line is None:
        return Effect.UNUSABLE
    given = people.guest_of(line)
    main = old.master or old.overrides[0]
    before = people.line_of(main, frozenset({guest.key}))
    former = people.guest_of(before).answer if before is not None else people.NEEDS_ACTION
    effects = [_answer(main, sent, given, old, invited=before is not None or bool(delegator_of(old, guest)))]
    for event in old.overrides:
        own = people.line_of(event, frozenset({guest.key}))
        if event is not main and own is not None and people.guest_of(own).answer in (former, people.NEEDS_ACTION):
            effects.append(_answer(event, sent, given, old))
    return next((one for one in (Effect.ANSWERED, Effect.SAME, Effect.OLD) if one in effects), Effect.UNKNOWN)


def _answer_one(instances: Instances, clock: Clock, sent: Component, given: Invitee) -> Effect:
    old = instances.series
    if not old.recurs:
        if not old.same(old.start.at, clock):
            return Effect.UNKNOWN
        return _answer(old.master or old.overrides[0], sent, given, old)
    existing = instances.override(clock)
    if existing is None and (old.master is None or not instances.takes_place(clock)):
        return Effect.UNKNOWN
    model = existing or old.master
    if model is not None and _verdict(model, sent, given) is not Effect.ANSWERED:
        return _verdict(model, sent, given)
    return _answer(instances.own_component(clock), sent, given, old)


def _verdict(event: Component, sent: Component, given: Invitee) -> Effect:
    """Whether an answer counts: it is to this version, and the latest of this guest."""
    if sent.first("SEQUENCE") is not None and versions.sequence(sent) < versions.sequence(event):
        return Effect.OLD
    line = people.line_of(event, frozenset({given.key}))
    if line is None:
        return Effect.ANSWERED
    before, at = people.guest_of(line), _stamp_of(sent)
    if before.answered and at and at < before.answered:
        return Effect.OLD
    if (
        before.answer == given.answer
        and before.answered >= at
        and _sends(line) == _sends(people.line_of(sent, frozenset({given.key})))
    ):
        return Effect.SAME
    return Effect.ANSWERED


def _stamp_of(sent: Component) -> str:
    """When an answer was made; "" where that is no time: else one beyond all of them would be the latest for ever."""
    value = sent.value("DTSTAMP")
    try:
        datetime.strptime(value, "%Y%m%dT%H%M%SZ")
    except ValueError:
        return ""
    return value


def _sends(line: TextLine | None) -> people.Addresses:
    return people.keys(people.named_in(line, "DELEGATED-TO")[:1]) if line is not None else frozenset()


def _answer(event: Component, sent: Component, given: Invitee, old: Series, *, invited: bool = True) -> Effect:
    effect = _verdict(event, sent, given)
    if effect is not Effect.ANSWERED:
        return effect
    line = people.line_of(event, frozenset({given.key}))
    of_sent = people.line_of(sent, frozenset({given.key}))
    delegate = delegation.delegate_of(of_sent, sent) if of_sent is not None and given.answer == people.DELEGATED else None
    more = {"RSVP": "", people.ANSWERED: _stamp_of(sent) or _FIRST_STAMP}
    more["DELEGATED-TO"] = f"mailto:{delegate.address}" if delegate is not None else ""
    if line is not None:
        told = {"SCHEDULE-STATUS": "2.0"} if "SCHEDULE-STATUS" in people.params(line) else {}  # RFC 6638, 3.2.9
        people.change(event, line, {"PARTSTAT": given.answer.upper(), **more, **told})
        if delegate is not None:
            delegation.enter(event, people.guest_of(line), delegate)
        else:
            delegation.withdraw(event, given.key)
    elif invited and (delegator := delegator_of(old, given)):
        people.invite(event, replace(given, role="req-participant"), {**more, "DELEGATED-FROM": f"mailto:{delegator}"})
    else:
        return Effect.UNKNOWN
    event_edit.touch(event)
    return Effect.ANSWERED


def countered(there: str, incoming: IncomingItip) -> Outcome:
    """A guest proposes another time: nothing changes before the organiser says so. Raises as `replied`."""
    guest = _proposer(there, incoming)
    if guest is None:
        return Outcome(Effect.UNUSABLE, comment=incoming.comment)
    sent = incoming.series()
    event = sent.master or sent.overrides[0]
    read = event_edit.read(event, sent.root)
    start = event_edit.stamp_of(event.first("DTSTART"), sent.root)
    assert start is not None  # or `read` raised
    at = tuple(value for one in (event,) if (value := one.value("RECURRENCE-ID")))
    begins, ends = start.instant(), replace_end(start, read.end)
    if not there:
        return Outcome(Effect.UNKNOWN, "", guest, incoming.comment, begins, ends, at)
    old = series_of(there)
    if not _is_invited(old, incoming, guest):
        return Outcome(Effect.UNINVITED, "", guest, incoming.comment, begins, ends, at)
    if event.first("SEQUENCE") is not None and versions.sequence(event) < versions.sequence(old.master or old.overrides[0]):
        return Outcome(Effect.OLD, "", guest, incoming.comment, begins, ends, at)
    return Outcome(Effect.PROPOSED, "", guest, incoming.comment, begins, ends, at)


def replace_end(start: Stamp, end: Clock) -> Clock:
    """The end by the clock of the start, as a moment in UTC (or a day)."""
    return Stamp(end, start.zone, start.tzid, start.tz).instant()


def _proposer(there: str, incoming: IncomingItip) -> Invitee | None:
    """Who proposes: a COUNTER may name all guests; the one whose answer differs, or the only one."""
    found = [guest for event in incoming.events for guest in people.guests(event)]
    if len({guest.key for guest in found}) <= 1:
        return next(iter(found), None)
    known = {
        guest.key: guest.answer
        for event in (series_of(there).root.parts("VEVENT") if there else [])
        for guest in people.guests(event)
    }
    differing = [guest for guest in found if guest.answer != people.NEEDS_ACTION and known.get(guest.key) != guest.answer]
    return next(iter(differing), None)


def wanted(there: str, incoming: IncomingItip) -> Outcome:
    """A guest asks for the latest version. Raises as `replied`."""
    guest = next((guest for event in incoming.events for guest in people.guests(event)), None)
    if guest is None:
        return Outcome(Effect.UNUSABLE)
    if not there:
        return Outcome(Effect.UNKNOWN, guest=guest)
    invited = _is_invited(series_of(there), incoming, guest)
    return Outcome(Effect.WANTED if invited else Effect.UNINVITED, guest=guest)
