"""Instances: the single times of a series, found by when they are, in a time that grows with their number and no faster: a
message may name a thousand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from operator import itemgetter

from webmail.itip import versions
from webmail.itip.versions import Times
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component
from webmail.mime.formats.calendars.event_edit import Stamp
from webmail.mime.formats.recurrence import recurrence_edit, recurrence_rules, series
from webmail.mime.formats.recurrence.series import CannotChangeError, Clock, Series

_LONGEST_SERIES = timedelta(days=366 * 40)  # from its beginning to the time that is looked for
_AHEAD = timedelta(days=366)
Moment = date | datetime


class _Moments:
    """Some moments, and the days that they are on."""

    def __init__(self, moments: Iterable[Moment] = ()) -> None:
        self.all = set(moments)
        self.days = {_day(one) for one in self.all}


class Instances:
    """Those of a series. What is changed goes through here, so that it is found again."""

    def __init__(self, owner: Series) -> None:
        self.series = owner
        self._at: dict[Moment, Component] = {}
        self._on: dict[date, Component] = {}
        for event in owner.overrides:
            clock = owner.clock_of(event)
            if clock is not None:
                self._add(clock, event)
        ranged = ((owner.clock_of(event), event) for event in owner.overrides if series.is_ranged(event))
        self._ranged = sorted(((series.as_time(at), event) for at, event in ranged if at is not None), key=itemgetter(0))
        self._left_out = self._moments("EXDATE")
        self._more = self._moments("RDATE")
        self._known = _Moments()
        self._until: datetime | None = None

    @cached_property
    def _start(self) -> Stamp:
        return self.series.start  # looked for once: an event may have thousands of lines

    def _moments(self, name: str) -> _Moments:
        return _Moments(self._moment(one) for one in self.series.dates(name))

    def _moment(self, clock: Clock) -> Moment:
        if not isinstance(clock, datetime):
            return clock
        try:
            return clock.replace(tzinfo=self._start.tz or UTC).astimezone(UTC)
        except OverflowError:
            return clock.replace(tzinfo=UTC)

    def _add(self, clock: Clock, event: Component) -> None:
        self._at.setdefault(self._moment(clock), event)
        self._on.setdefault(_day(clock), event)

    def override(self, clock: Clock) -> Component | None:
        """What was changed of the one at this time."""
        if not isinstance(clock, datetime):
            return self._on.get(clock)
        return self._at.get(self._moment(clock)) or self._at.get(clock.date())

    def is_left_out(self, clock: Clock) -> bool:
        """Whether the series leaves this time out (EXDATE)."""
        return self._is_in(clock, self._left_out)

    def takes_place(self, clock: Clock) -> bool:
        """Whether the series has this time. Rules of what another program sent are never expanded: this one was checked."""
        if self.override(clock) is not None:
            return True
        if self.series.master is None or self.is_left_out(clock):
            return False
        if self.series.same(self._start.at, clock) or self._is_in(clock, self._more):
            return True
        return self._is_in(clock, self._by_rule(clock))

    def newly_left_out(self, newer: Series) -> list[Clock]:
        """The times that a newer version leaves out, and this one does not."""
        return [clock for clock in newer.dates("EXDATE") if not self.is_left_out(clock)]

    def _is_in(self, clock: Clock, moments: _Moments) -> bool:
        if self._moment(clock) in moments.all or _day(clock) in moments.all:
            return True
        return not isinstance(clock, datetime) and clock in moments.days

    def _by_rule(self, clock: Clock) -> _Moments:
        """When the rule applies, until after this time at least."""
        owner, at = self.series, series.as_time(clock)
        begins = series.as_time(self._start.at)
        if owner.master is None or not timedelta(0) <= at - begins <= _LONGEST_SERIES:
            return _Moments()
        if self._until is None or at >= self._until:
            rule = owner.master.value("RRULE")
            self._until = at + _AHEAD
            try:
                if rule:
                    recurrence_rules.check(rule.upper(), owner.master.value("DTSTART"))
                    found = recurrence_edit.dates(rule, self._start.at, self._until, self._start.tz)
                    self._known = _Moments(self._moment(one) if not self._start.is_day else one.date() for one in found)
            except (recurrence_rules.UnboundedRuleError, ValueError, TypeError, OverflowError):
                self._known = _Moments()
        return self._known

    def own_component(self, clock: Clock) -> Component:
        """The component of one time, made from the series where it has none. Raises CannotChangeError, ValueError."""
        if (found := self.override(clock)) is not None:
            return found
        if not self.takes_place(clock):
            raise CannotChangeError("nothing")
        made = series.new_override(self.series, clock, self._model(clock))
        self._add(clock, made)
        return made

    def _model(self, clock: Clock) -> tuple[Component, Clock]:
        """As `Series.model`, without a look at all that was changed."""
        before = bisect_right(self._ranged, series.as_time(clock), key=itemgetter(0))
        last = [self._ranged[before - 1][1]] if before else []
        return replace(self.series, overrides=last).model(clock)

    def put(self, clock: Clock, event: Component, root: Component) -> None:
        """Set a component of another text (`root`) in place of what was known of this time."""
        existing = self.override(clock)
        if existing is not None:
            self.series.root.items = [one for one in self.series.root.items if one is not existing]
            self.series.overrides = [one for one in self.series.overrides if one is not existing]
        versions.add_zones(self.series.root, root)
        self.series.root.add(event)
        self.series.overrides.append(event)
        self._at[self._moment(clock)] = event
        self._on[_day(clock)] = event

    def times_at(self, clock: Clock) -> Times:
        """When it takes place, for comparison. Raises CannotChangeError, ValueError."""
        if (found := self.override(clock)) is not None:
            return versions.times(found, self.series.root)
        if self.series.master is None:
            raise CannotChangeError("nothing")
        model, at = self._model(clock)
        return self.series.stamp(at).instant(), event_edit.read(model, self.series.root).length, "", (), ()


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
