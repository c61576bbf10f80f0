"""Distribution: what leaves when an organiser makes, changes or deletes an event, and to whom. RFC 5546, 2.1.4, 3.2.2 and 3.2.5.

Another time, rule or status raises SEQUENCE, and asks all again whose time it changes. New guests get all of it, the others
nothing where nothing else changed; one of a series that was changed or left out is told
alone. Those who are left out are told so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from webmail.itip import guest_list, messages, own_parts, people, versions
from webmail.itip.instances import Instances
from webmail.itip.messages import ItipMessage
from webmail.itip.people import Addresses, Invitee
from webmail.mime.formats.calendars import calendar_object, event_edit
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import Component, made
from webmail.mime.formats.recurrence import occurrences
from webmail.mime.formats.recurrence.series import CannotChangeError, Clock, Series, series_of

_NOT_TOLD = {  # what others need no new version for
    "ATTENDEE", "CATEGORIES", "COLOR", "CREATED", "DTSTAMP", "EXDATE", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "COMMENT",
    "REQUEST-STATUS",
}  # fmt: skip
_NEAR = timedelta(hours=1)  # by which clocks differ
Invited = dict[str, Invitee]


@dataclass(frozen=True, slots=True)
class Distributed:
    """The text to store, and what leaves."""

    text: str
    messages: tuple[ItipMessage, ...] = ()


def distributed(before: str, after: str, me: Addresses, moment: datetime, *, comment: str = "", acting: str = "") -> Distributed:
    """`before` "": it is new; `after` "": it is deleted. `me`: the organiser's addresses; `acting`: who does it for them, by an
    address; `comment`: a note to all who are told.

    Nothing leaves where I am not the organiser, nobody is invited, or all of it is over. Raises CannotChangeError,
    BrokenTextError, ValueError.
    """
    work = _Distribution(before, after, me, moment, comment, acting)
    if work.is_mine:
        work.find()
    text = str(work.new.root) if work.new is not None and work.is_mine else after
    return Distributed(text, tuple(work.messages) if not is_over(after or before, moment) else ())


def again(there: str, me: Addresses, moment: datetime, addresses: Iterable[str], *, comment: str = "") -> tuple[ItipMessage, ...]:
    """The whole once more to these guests: who asked for it (REFRESH), or has not answered. Raises as `distributed`."""
    work = _Distribution("", there, me, moment, comment, "")
    wanted = people.keys(addresses)
    if work.is_mine:
        work.request_all({key: guest for key, guest in work.all_guests(work.new).items() if key in wanted})
    return tuple(work.messages)


def is_over(text: str, moment: datetime) -> bool:
    """Whether nothing of an event comes any more."""
    try:
        found = occurrences.expand(calendar_object.read(text), 0, 0, UTC)
    except UnusableCalendarError:
        return False
    return found.last + 14 * 3600 < moment.timestamp()  # a day is over when it is nowhere any more


@dataclass(slots=True)
class _Distribution:
    before: str
    after: str
    me: Addresses
    moment: datetime
    comment: str
    acting: str
    old: Series | None = None
    new: Series | None = None
    messages: list[ItipMessage] = field(default_factory=list)
    sender: str = ""
    instances: Instances | None = None  # of what was

    @property
    def existing(self) -> Instances:
        assert self.instances is not None  # where there was nothing, nobody asks for its times
        return self.instances

    def __post_init__(self) -> None:
        self.old = series_of(self.before) if self.before else None
        self.new = series_of(self.after) if self.after else None
        self.instances = Instances(self.old) if self.old is not None else None

    @property
    def is_mine(self) -> bool:
        """Whether I organise it: then `sender` is the address that I do so with."""
        for series in (self.new, self.old):
            for event in series.root.parts("VEVENT") if series is not None else ():
                if people.organizer(event) in self.me:
                    self.sender = people.address_of(event.first("ORGANIZER"))
                    return True
        return False

    def invited(self, event: Component | None) -> Invited:
        """Whom we tell of a component."""
        found = people.guests(event) if event is not None else []
        own = self.me | people.keys([self.sender])
        return {guest.key: guest for guest in found if guest.key not in own and guest.is_told}

    def all_guests(self, series: Series | None) -> Invited:
        events = series.root.parts("VEVENT") if series is not None else []
        return {key: guest for event in reversed(events) for key, guest in self.invited(event).items()}

    # --- what changed ---

    def find(self) -> None:
        old, new = self.old, self.new
        if new is None or (new.master is not None and _is_cancelled(new.master)):
            self._all_cancelled()
            return
        self._ask_new_guests()
        if old is None or (old.master is None) != (new.master is None) or _is_dead(old):
            self._versions_of_new(1 if old is not None else 0, new.root.parts("VEVENT"))
            self.request_all(self.all_guests(new))
            return
        number = versions.sequence(*old.root.parts("VEVENT"), *new.root.parts("VEVENT"))
        whole = self._whole_changed(old, new)
        dropped = Instances(old).newly_left_out(new)
        changed = [(event, clock) for event in new.overrides if (clock := versions.clock_of(event, new, new)) is not None]
        changed = [(event, clock) for event, clock in changed if self._is_changed(event, clock, old, new)]
        self._number(old, new, number, changed, dropped)
        self._left_out(old, new, dropped)
        gone = self.all_guests(old).keys() - self.all_guests(new).keys()
        self._cancel([self._model(old)], [self.all_guests(old)[key] for key in gone], old.root)
        self._uninvited_from_one(old, new)
        self._cancelled_ones(old, new, changed)
        lively = [event for event, _clock in changed if not _is_cancelled(event)]
        now, was = self.invited(new.master), self.invited(old.master)
        told = now if whole else {key: guest for key, guest in now.items() if key not in was}
        self.request_all(told)
        self._request(lively, {key: one for key, one in self.all_guests(new).items() if key not in told}, new.root)
        others = [event for event in new.overrides if not any(event is one for one in lively) and not _is_cancelled(event)]
        self._invite_to_one(others, told, old, new)

    def _invite_to_one(self, events: list[Component], told: Invited, old: Series, new: Series) -> None:
        """New guests of single ones that are else as they were."""
        for event in events:
            clock = versions.clock_of(event, new, old)
            before = self.invited((self.existing.override(clock) if clock is not None else None) or old.master)
            more = {key: guest for key, guest in self.invited(event).items() if key not in before and key not in told}
            self._request([event], more, new.root)

    def _model(self, series: Series) -> Component:
        return series.master or series.overrides[0]

    def _whole_changed(self, old: Series, new: Series) -> bool:
        if old.master is None or new.master is None:
            return False
        now = Instances(new)
        reverted = [event for event in old.overrides if (clock := versions.clock_of(event, old, new)) is not None
                    and now.override(clock) is None and now.takes_place(clock)]  # fmt: skip
        return bool(reverted) or _told(old.master) != _told(new.master)

    def _is_changed(self, event: Component, clock: Clock, old: Series, new: Series) -> bool:
        """Whether one of a series is another than it was, in what is told."""
        known = self.existing.override(clock)
        if known is not None:
            return _told(known) != _told(event)
        if old.master is None:
            return True
        if not _same_times(self.existing, new, clock, event) or _is_cancelled(event):
            return True
        plain = {line for line in _told(event) if not line.startswith(_OF_TIME)}
        series = {line for line in _told(old.master) if not line.startswith(_OF_TIME)}
        return plain != series

    def _number(
        self, old: Series, new: Series, number: int, changed: list[tuple[Component, Clock]], dropped: list[Clock]
    ) -> None:
        """Raise SEQUENCE of what takes place otherwise, and ask its guests again."""
        moved = bool(old.master and new.master and versions.times(old.master, old.root) != versions.times(new.master, new.root))
        status = bool(old.master and new.master and _status(old.master) != _status(new.master))
        if new.master is not None and (moved or status or dropped):
            versions.set_sequence(new.master, number + 1)
        if new.master is not None and moved:
            self._reset(new.master)
        touched = [event for event, _clock in changed]
        for event, clock in changed:
            if not _same_times(self.existing, new, clock, event):
                self._reset(event)
                versions.set_sequence(event, number + 1)
            elif _is_cancelled(event) or moved:
                versions.set_sequence(event, number + 1)
        if moved:
            for event in new.overrides:
                if event not in touched:
                    versions.set_sequence(event, number + 1)
        for event in new.root.parts("VEVENT"):
            if event.first("SEQUENCE") is None:
                event.put(made("SEQUENCE", "0"))
            self._stamp(event, old)

    def _stamp(self, event: Component, old: Series) -> None:
        """The second of two changes in a second is later, too."""
        stamps = (event_edit.stamp_of(one.first("DTSTAMP"), old.root) for one in old.root.parts("VEVENT"))
        known = [at + timedelta(seconds=1) for one in stamps if one and isinstance(at := one.instant(), datetime)]
        versions.stamp(event, max([self.moment, *(at for at in known if at - self.moment < _NEAR)]))

    def _versions_of_new(self, more: int, events: list[Component]) -> None:
        number = versions.sequence(*(self.old.root.parts("VEVENT") if self.old else []), *events)
        for event in events:
            versions.set_sequence(event, number + more)
            versions.stamp(event, self.moment)
            if more:
                self._reset(event)

    def _reset(self, event: Component) -> None:
        for key in self.invited(event):
            line = people.line_of(event, frozenset({key}))
            if line is not None:
                own_parts.set_answer(event, line, people.NEEDS_ACTION)

    def _ask_new_guests(self) -> None:
        """Guests are asked, and their mail programs told that an answer is wanted."""
        for event in self.new.root.parts("VEVENT") if self.new is not None else ():
            for key, guest in self.invited(event).items():
                line = people.line_of(event, frozenset({key}))
                if line is not None and guest.answer == people.NEEDS_ACTION and "RSVP" not in people.params(line):
                    own_parts.set_answer(event, line, people.NEEDS_ACTION)

    # --- messages ---

    def request_all(self, recipients: Invited) -> None:
        """The whole to these guests; of a series, to each the ones that they are invited to."""
        series = self.new
        if series is None:
            return
        self._request(series.root.parts("VEVENT"), recipients, series.root)

    def _request(self, events: list[Component], recipients: Invited, root: Component) -> None:
        groups: dict[tuple[int, ...], list[Invitee]] = {}
        for key, guest in recipients.items():
            mine = tuple(at for at, event in enumerate(events) if key in self.invited(event) and not self._is_past(event, root))
            if mine:
                groups.setdefault(mine, []).append(guest)
        for mine, several in groups.items():
            self._send("REQUEST", [events[at] for at in mine], several, root)

    def _send(self, method: str, events: list[Component], several: list[Invitee], root: Component) -> None:
        hidden = any(guest_list.is_hidden(event) for event in events)
        for group in [[guest] for guest in several] if hidden else [several]:
            own = [messages.only(event, group[0]) for event in events] if hidden else events
            copies = [messages.sent_copy(event, self.acting) for event in own]
            to = [guest.address for guest in group]
            self.messages.append(messages.message(method, self.sender, to, copies, root, self.comment))

    def _cancel(self, events: list[Component], several: Iterable[Invitee], root: Component) -> None:
        """`events` do not take place for these guests (any more)."""
        guests = sorted(several, key=attrgetter("key"))
        events = [event for event in events if not self._is_past(event, root)]
        if not events or not guests:
            return
        hidden = any(guest_list.is_hidden(event) for event in events)
        for group in [[guest] for guest in guests] if hidden else [guests]:
            copies = []
            for event in events:
                lines = [people.line_of(event, frozenset({guest.key})) for guest in group]
                copy = messages.short_copy(event, [line for line in lines if line is not None], self.moment)
                copy.put(made("STATUS", "CANCELLED"))
                if self.acting and (line := copy.first("ORGANIZER")) is not None:
                    people.change(copy, line, {"SENT-BY": f"mailto:{self.acting}"})
                versions.set_sequence(copy, self._cancel_number(event))
                copies.append(copy)
            to = [guest.address for guest in group]
            self.messages.append(messages.message("CANCEL", self.sender, to, copies, root, self.comment))

    def _cancel_number(self, event: Component) -> int:
        """A cancellation is a version of its own."""
        there = self.new.root.parts("VEVENT") if self.new is not None else []
        before = self.old.root.parts("VEVENT") if self.old is not None else []
        return max(versions.sequence(*before, event) + 1, versions.sequence(*there))

    def _is_past(self, event: Component, root: Component) -> bool:
        if event.lines("RRULE", "RDATE"):
            return False
        return versions.ends(event, root) < self.moment

    def _all_cancelled(self) -> None:
        """The whole does not take place, or is deleted."""
        source = self.old or self.new
        if source is None or (self.old is not None and _is_dead(self.old)):
            return
        if self.new is not None:
            number = versions.sequence(*source.root.parts("VEVENT"), *self.new.root.parts("VEVENT"))
            for event in self.new.root.parts("VEVENT"):
                versions.set_sequence(event, number + 1)
                versions.stamp(event, self.moment)
            if self.old is None:
                return  # nobody knows of it
        main = self.invited(source.master)
        if source.master is not None:
            self._cancel([source.master], main.values(), source.root)
        for event in source.overrides:
            if not _is_cancelled(event):
                only = [guest for key, guest in self.invited(event).items() if key not in main]
                self._cancel([event], only, source.root)

    def _left_out(self, old: Series, new: Series, dropped: list[Clock]) -> None:
        """Single ones that were taken out of a series."""
        groups: dict[tuple[str, ...], list[Component]] = {}
        still = self.all_guests(new)
        spare = Instances(series_of(self.before))
        known: dict[str, Invitee] = {}
        for clock in dropped:
            try:
                event = spare.own_component(clock)
            except (CannotChangeError, ValueError):
                continue
            mine = {key: guest for key, guest in self.invited(event).items() if key in still}
            if mine and not _is_cancelled(event):
                known |= mine
                groups.setdefault(tuple(sorted(mine)), []).append(event)
        for keys, events in groups.items():
            self._cancel(events, [known[key] for key in keys], old.root)

    def _uninvited_from_one(self, old: Series, new: Series) -> None:
        """Guests of a series who are no longer invited to one of it, or to all but one."""
        still = self.all_guests(new)
        for event in new.overrides:
            clock = versions.clock_of(event, new, old)
            known = (self.existing.override(clock) if clock is not None else None) or old.master
            gone = self.invited(known).keys() & still.keys() - self.invited(event).keys()
            if gone and not _is_cancelled(event):
                model = event.copy()
                for key in sorted(gone):
                    line = people.line_of(known, frozenset({key})) if known is not None else None
                    if line is not None:
                        model.add(line.copy())
                self._cancel([model], [still[key] for key in gone], new.root)
        if old.master is not None and new.master is not None:
            gone = self.invited(old.master).keys() & still.keys() - self.invited(new.master).keys()
            self._cancel([old.master], [still[key] for key in gone], old.root)

    def _cancelled_ones(self, old: Series, new: Series, changed: list[tuple[Component, Clock]]) -> None:
        for event, clock in changed:
            known = self.existing.override(clock)
            if _is_cancelled(event) and not (known is not None and _is_cancelled(known)):
                still = self.all_guests(new)
                told = self.invited(event) or self.invited(known or old.master)
                self._cancel([event], [guest for key, guest in told.items() if key in still], new.root)


_OF_TIME = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE")


def _told(event: Component) -> set[str]:
    """What others are told of a component, for comparison."""
    lines = (line for line in event.lines() if line.name not in _NOT_TOLD and not line.name.startswith("X-TRABOULE-"))
    return {f"{line.name}{line.params}:{line.value}" for line in lines if line.name != "ORGANIZER"}


def _same_times(old: Instances, new: Series, clock: Clock, event: Component) -> bool:
    try:
        return old.times_at(clock) == versions.times(event, new.root)
    except CannotChangeError:
        return False


def _status(event: Component) -> str:
    found = event.value("STATUS").upper()
    return "" if found == "CONFIRMED" else found


def _is_cancelled(event: Component) -> bool:
    return event.value("STATUS").upper() == "CANCELLED"


def _is_dead(series: Series) -> bool:
    return series.master is not None and _is_cancelled(series.master)
