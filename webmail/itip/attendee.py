"""What an organiser's message makes of the event in a guest's calendar: REQUEST, PUBLISH, ADD, CANCEL. RFC 5546, 3.2.

A newer version takes the place of what is there, component by component; what is mine stays (`own_parts`). Nothing is answered.
"""

from __future__ import annotations

from collections.abc import Iterable

from webmail.itip import own_parts, people, versions
from webmail.itip.incoming import IncomingItip
from webmail.itip.instances import Instances
from webmail.itip.outcome import Effect, Outcome
from webmail.itip.people import Addresses
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, made
from webmail.mime.formats.recurrence import series as calendar_series
from webmail.mime.formats.recurrence.series import CannotChangeError, Clock, Series, series_of

_CANCELLED = "CANCELLED"


# --- REQUEST, PUBLISH, files -------------------------------------------------------------------------------------------


def requested(there: str, incoming: IncomingItip, me: Addresses) -> Outcome:
    """A new event, or a newer version. Raises CannotChangeError, BrokenTextError, ValueError."""
    new = incoming.series()
    if not there:
        return Outcome(Effect.NEW, _first_copy(new, me))
    old = series_of(there)
    if new.master is None and old.master is not None and old.recurs:
        return _instances(old, new, me)
    if new.master is None and old.master is None:
        return _instances(old, new, me)
    return _whole(old, new, me)


def _first_copy(new: Series, me: Addresses) -> str:
    for event in new.root.parts("VEVENT"):
        own_parts.note(event)
        line = people.line_of(event, me)
        if line is not None and people.organizer(event) not in me:
            own_parts.set_answer(event, line, people.NEEDS_ACTION)
    return str(new.root)


def _whole(old: Series, new: Series, me: Addresses) -> Outcome:
    """The event itself, or a whole series, with those of it that were changed."""
    there = [old.master] if old.master else old.overrides
    sent = [new.master] if new.master else new.overrides
    if versions.version(*sent) <= versions.version(*there):
        if old.master is None or new.master is None:
            return _not_newer(there, sent)
        return _instances(old, new, me)
    if old.master and new.master:
        own_parts.keep(old.master, new.master)
        times = versions.times(old.master, old.root), versions.times(new.master, new.root)
        own_parts.keep_answer(old.master, new.master, me, times)
    known = Instances(old)
    for event in new.overrides:
        _keep_in(event, versions.clock_of(event, new, old), known, new, me)
    _add_later(old, new)
    return Outcome(Effect.CHANGED, str(new.root))


def _keep_in(event: Component, clock: Clock | None, old: Instances, new: Series, me: Addresses) -> None:
    """What is mine in one of a series, or in the series if there was no such one."""
    mine = (old.override(clock) if clock is not None else None) or old.series.master
    if mine is None or clock is None:
        own_parts.note(event)
        return
    own_parts.keep(mine, event)
    try:
        before = old.times_at(clock)
    except CannotChangeError:
        before = ()
    own_parts.keep_answer(mine, event, me, (before, versions.times(event, new.root)))


def _add_later(old: Series, new: Series) -> None:
    """What was said of single ones after this version of the whole stays."""
    if new.master is None or not new.recurs:
        return
    later = [event for event in old.overrides if versions.version(event) > versions.version(new.master)]
    if not later:
        return
    instances = Instances(new)
    for event in later:
        clock = versions.clock_of(event, old, new)
        if clock is not None and instances.override(clock) is None and instances.takes_place(clock):
            instances.put(clock, event, old.root)


def _instances(old: Series, new: Series, me: Addresses) -> Outcome:
    """Single ones of a series, of which the rest stays as it is."""
    known = Instances(old)
    taken, at = [], []
    for event in new.overrides:
        clock = versions.clock_of(event, new, old)
        if clock is None:
            continue
        existing = known.override(clock)
        if existing is not None and versions.version(event) <= versions.version(existing):
            continue
        if existing is None and old.master is not None and not known.takes_place(clock):
            continue
        taken.append((event, clock))
        at.append(event.value("RECURRENCE-ID"))
    if not taken:
        there = [one for one in (old.master, *old.overrides) if one]
        return _not_newer(there, new.root.parts("VEVENT"))
    for event, clock in taken:
        _keep_in(event, clock, known, new, me)
        known.put(clock, event, new.root)
    return Outcome(Effect.CHANGED, str(old.root), at=tuple(at))


def _not_newer(there: Iterable[Component], sent: Iterable[Component]) -> Outcome:
    return Outcome(Effect.OLD if versions.version(*sent) < versions.version(*there) else Effect.SAME)


# --- ADD ---------------------------------------------------------------------------------------------------------------


def added(there: str, incoming: IncomingItip, me: Addresses) -> Outcome:
    """One more time of a series (3.2.4). Raises CannotChangeError, BrokenTextError, ValueError."""
    if not there:
        return Outcome(Effect.INCOMPLETE)
    old, new = series_of(there), incoming.series()
    if old.master is None or new.master is None or new.master.first("RRULE"):
        return Outcome(Effect.INCOMPLETE)
    number = versions.sequence(new.master)
    if number <= versions.sequence(old.master):
        return _not_newer([old.master], [new.master])
    found = event_edit.stamp_of(new.master.first("DTSTART"), new.root)
    if found is None or found.is_day != old.start.is_day:
        return Outcome(Effect.UNUSABLE)
    clock, instances = old.clock(found), Instances(old)
    if instances.takes_place(clock):
        return Outcome(Effect.SAME)
    old.master.add(event_edit.written("RDATE", [old.stamp(clock)]))
    versions.set_sequence(old.master, number)
    event = new.master
    event.remove("RDATE", "EXDATE")
    own_parts.keep(old.master, event)
    line = people.line_of(event, me)
    if line is not None:
        own_parts.set_answer(event, line, people.NEEDS_ACTION)
    event.put(event_edit.written("RECURRENCE-ID", [old.stamp(clock)]))
    instances.put(clock, event, new.root)
    return Outcome(Effect.CHANGED, str(old.root), at=(event.value("RECURRENCE-ID"),))


# --- CANCEL ------------------------------------------------------------------------------------------------------------


def cancelled(there: str, incoming: IncomingItip) -> Outcome:
    """A cancellation, of the event or of some of it: it stays, and is marked. Raises CannotChangeError, BrokenTextError,
    ValueError."""
    if not there:
        return Outcome(Effect.UNKNOWN, comment=incoming.comment)
    old, new = series_of(there), incoming.series()
    if new.master is None or _means_some(old, new):
        return _some_cancelled(old, new, incoming.comment)
    events = old.root.parts("VEVENT")
    if versions.version(new.master)[0] < versions.sequence(*([old.master] if old.master else events)):
        return Outcome(Effect.OLD)
    if all(map(_is_cancelled, events)):
        return Outcome(Effect.SAME, comment=incoming.comment)
    for event in events:
        _mark(event, new.master)
    return Outcome(Effect.CANCELLED, str(old.root), comment=incoming.comment)


def _means_some(old: Series, new: Series) -> bool:
    """Whether a cancellation that names the series is about some of it: the series itself goes on, and others say which (some
    programs send all of it with the ones that were taken out)."""
    if new.master is None or not old.recurs or _is_cancelled(new.master):
        return False
    return bool(new.overrides) or bool(_left_out(old, new))


def _left_out(old: Series, new: Series) -> list[Clock]:
    if new.master is None or not new.recurs:
        return []
    stamps = (stamp for line in new.master.lines("EXDATE") for stamp in event_edit.stamps_of(line, new.root))
    instances, start = Instances(old), old.start
    clocks = dict.fromkeys(old.clock(stamp, start) for stamp in stamps)
    return [clock for clock in clocks if not instances.is_left_out(clock)]


def _some_cancelled(old: Series, new: Series, comment: str) -> Outcome:
    at, results = [], []
    named = [
        (clock, event)
        for event in new.overrides
        if (new.master is None or _is_cancelled(event)) and (clock := versions.clock_of(event, new, old)) is not None
    ]
    if ranged := [(clock, event) for clock, event in named if calendar_series.is_ranged(event)]:
        clock, event = min(ranged, key=lambda one: calendar_series.as_time(one[0]))  # the others follow it
        results.append(_cancel_from(old, clock))
        at += [event.value("RECURRENCE-ID").strip()] if results[-1] is Effect.CANCELLED else []
    instances = Instances(old)
    for clock, event in named:
        if calendar_series.is_ranged(event):
            continue
        results.append(_cancel_one(instances, clock, event))
        at += [event.value("RECURRENCE-ID").strip()] if results[-1] is Effect.CANCELLED else []
    for clock in _left_out(old, new):
        results.append(_cancel_one(instances, clock, None))
        at += [event_edit.clock_text(old.stamp(clock))] if results[-1] is Effect.CANCELLED else []
    if at:
        return Outcome(Effect.CANCELLED, str(old.root), comment=comment, at=tuple(at))
    return Outcome(next(iter(results), Effect.UNKNOWN), comment=comment)


def _cancel_one(instances: Instances, clock: Clock, sent: Component | None) -> Effect:
    old = instances.series
    if not old.recurs:
        if not old.same(old.start.at, clock):
            return Effect.UNKNOWN
        event = old.master or old.overrides[0]
    else:
        existing = instances.override(clock)
        if existing is None and (old.master is None or not instances.takes_place(clock)):
            return Effect.UNKNOWN
        known = existing or old.master
        if sent is not None and known is not None and versions.sequence(sent) < versions.sequence(known):
            return Effect.OLD
        if existing is not None and _is_cancelled(existing):
            return Effect.SAME
        event = instances.own_component(clock)
    if _is_cancelled(event):
        return Effect.SAME
    _mark(event, sent)
    return Effect.CANCELLED


def _cancel_from(old: Series, clock: Clock) -> Effect:
    """This one and the following: the series ends before."""
    if old.master is None:
        return Effect.UNKNOWN
    name = event_edit.clock_text(old.stamp(clock))
    text = calendar_series.end_before(str(old.root), name)
    if not text:
        for event in old.root.parts("VEVENT"):
            _mark(event, None)
        return Effect.CANCELLED
    ended = series_of(text)
    old.root.items[:] = ended.root.items
    old.master, old.overrides[:] = ended.master, ended.overrides
    return Effect.CANCELLED


def _is_cancelled(event: Component) -> bool:
    return event.value("STATUS").upper() == _CANCELLED


def _mark(event: Component, sent: Component | None) -> None:
    event.put(made("STATUS", _CANCELLED))
    event_edit.touch(event)
    if sent is not None:
        if number := versions.sequence(sent):
            versions.set_sequence(event, max(number, versions.sequence(event)))
        if stamp := sent.first("DTSTAMP"):
            event.put(stamp.copy())
