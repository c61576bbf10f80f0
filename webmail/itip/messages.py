"""Messages that leave: a method, from whom, to whom, and the calendar part. RFC 5546, 3.2; RFC 6638, 3.2.1 and 7.1."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from webmail.itip import guest_list, people, versions
from webmail.itip.people import Invitee
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, TextLine, component, made, made_text, parsed

_MINE = ("CATEGORIES", "COLOR", "LAST-MODIFIED", "REQUEST-STATUS")
_PREFIXES = ("X-TRABOULE-", "X-MOZ-", "X-APPLE-TRAVEL", "X-EVOLUTION-")
_OF_SCHEDULING = ("SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND", people.ANSWERED)
_SHORT = ("UID", "RECURRENCE-ID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "LOCATION", "ORGANIZER", "SEQUENCE", "DTSTAMP")


@dataclass(frozen=True, slots=True)
class ItipMessage:
    """`method` in capitals; `sender`, `recipients`: addresses; `text`: the calendar part; `at`: the times of a series it is about
    (RECURRENCE-ID), none for all of it."""

    method: str
    sender: str
    recipients: tuple[str, ...]
    text: str
    uid: str
    title: str = ""
    at: tuple[str, ...] = ()
    link: str = ""  # the token of the page where its one recipient can answer without a program for it

    def digest(self, recipient: str) -> str:
        """Names what somebody is told: the same digest is never sent twice. Of the event, its method, SEQUENCE, times, answers
        and note; not of when it was written."""
        named = [self.uid, self.method, people.key(recipient)]
        for event in parsed(self.text).parts("VEVENT"):
            told = [line for line in event.lines() if line.name != "DTSTAMP"]
            named += sorted(f"{line.name}{line.params}:{line.value}" for line in told)
        return hashlib.sha256("\n".join(named).encode()).hexdigest()


def message(
    method: str, sender: str, recipients: Iterable[str], events: Sequence[Component], root: Component, comment: str = ""
) -> ItipMessage:
    """A message with these components, which are copies already; `root`: the calendar with their time zones."""
    if comment:
        for event in events:
            event.remove("COMMENT")
            event.add(made_text("COMMENT", comment))
    for event in events:
        for line in event.lines("DTSTART", "DTEND"):
            if (stamp := event_edit.stamp_of(line, root)) is not None:
                event_edit.define(root, stamp, date(stamp.at.year, stamp.at.month, stamp.at.day))
    zones = {line.param("TZID") for event in events for line in event.lines()}
    used = [zone for zone in root.parts("VTIMEZONE") if zone.text("TZID") in zones]
    frame = [made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN"), made("CALSCALE", "GREGORIAN"), made("METHOD", method)]
    at = tuple(value for event in events if (value := event.value("RECURRENCE-ID")))
    return ItipMessage(
        method, sender, tuple(recipients), str(component("VCALENDAR", *frame, *used, *events)), events[0].value("UID"),
        " ".join(events[0].text("SUMMARY").split()), at if len(at) == len(events) else (),
    )  # fmt: skip


def sent_copy(event: Component, acting: str = "") -> Component:
    """A component as others get it, without what is mine. `acting`: who acts for the organiser."""
    copy = event.copy()
    copy.drop(lambda item: isinstance(item, Component) and item.name == "VALARM")
    copy.drop(lambda item: isinstance(item, TextLine) and (item.name in _MINE or item.name.startswith(_PREFIXES)))
    clean = dict.fromkeys(_OF_SCHEDULING, "")
    for line in copy.lines("ATTENDEE", "ORGANIZER"):
        if people.params(line).keys() & clean.keys():
            people.change(copy, line, clean)
    if acting and (organizer := copy.first("ORGANIZER")) is not None:
        people.change(copy, organizer, {"SENT-BY": f"mailto:{acting}"})
    return copy


def short_copy(event: Component, lines: Sequence[TextLine], moment: datetime) -> Component:
    """A component with what names it, and these guests: of an answer or a cancellation."""
    copy = sent_copy(event)
    versions.stamp(copy, moment)
    copy.items = [line for line in copy.lines() if line.name in _SHORT]
    clean = dict.fromkeys(_OF_SCHEDULING, "")
    for invited in lines:
        copy.add(people.with_params(invited, clean))
    return copy


def only(event: Component, guest: Invitee) -> Component:
    """The component with one guest alone, where the others are not told."""
    if not guest_list.is_hidden(event):
        return event
    copy = event.copy()
    copy.drop(lambda item: isinstance(item, TextLine) and item.name == "ATTENDEE" and people.key_of(item) != guest.key)
    return copy
