"""The outbox: when people and rooms are free, asked for by a POST (RFC 6638, 5). Who may know of whom is as on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import client
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.calendar.free_busy import busy_people
from webmail.calendar.meeting_mail import addresses_of
from webmail.calendar.rooms import free_rooms
from webmail.dav.answers import XML, Answer, failed
from webmail.dav.queries import free_busy
from webmail.dav.visit import current
from webmail.itip import people
from webmail.mail import Address
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine, component, made, parsed

_LONGEST = timedelta(days=366)
_TYPES = {1: "BUSY-TENTATIVE", 2: "BUSY", 3: "BUSY-UNAVAILABLE"}
_KNOWN, _NOBODY, _OUTSIDE = "2.0;Success", "3.7;Invalid calendar user", "5.2;Their times are not known here"
_tag = xmlutils.make_clark
Times = Sequence[tuple[int, int, int]]


class NoFreeBusyRequestError(ValueError):
    """What was sent asks for nobody's times. `condition`: the precondition that fails."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


def post(body: bytes) -> Answer:
    """The times of those who are asked about, each with a status."""
    visit = current.get()
    try:
        request = _request_in(body)
        organizer = request.first("ORGANIZER")
        if people.key_of(organizer) not in addresses_of(visit.user, visit.settings):
            raise NoFreeBusyRequestError("C:valid-organizer")
        start, end = _span(request)
    except NoFreeBusyRequestError as error:
        return failed(client.FORBIDDEN, error.condition)
    lines = {people.address_of(line) or line.value.strip()[:300]: line for line in request.lines("ATTENDEE")}
    if len(lines) > busy_people.MOST_PEOPLE:
        return failed(client.FORBIDDEN, "C:max-attendees-per-instance")
    times = _times(list(lines), start, end, request.value("X-CALENDARSERVER-MASK-UID"))
    told = ET.Element(_tag("C:schedule-response"))
    for address, line in lines.items():
        response = ET.SubElement(told, _tag("C:response"))
        recipient = ET.SubElement(response, _tag("C:recipient"))
        ET.SubElement(recipient, _tag("D:href")).text = line.value.strip()
        known = times.get(address)
        status = ET.SubElement(response, _tag("C:request-status"))
        status.text = _KNOWN if known is not None else _unknown(address)
        if known is not None and organizer is not None:
            text = _reply(request, organizer, line, known, start, end)
            ET.SubElement(response, _tag("C:calendar-data")).text = text
    return client.OK, {"Content-Type": XML}, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]


def _request_in(body: bytes) -> Component:
    try:
        root = parsed(body.decode("utf-8"))
    except (UnicodeDecodeError, BrokenTextError) as error:
        raise NoFreeBusyRequestError("C:valid-calendar-data") from error
    found = root.parts("VFREEBUSY")
    if root.value("METHOD").upper() != "REQUEST" or len(found) != 1 or not found[0].lines("ATTENDEE"):
        raise NoFreeBusyRequestError("C:valid-scheduling-message")
    return found[0]


def _span(request: Component) -> tuple[int, int]:
    """From when until when, in seconds since 1970."""
    found = []
    for name in ("DTSTART", "DTEND"):
        stamp = event_edit.stamp_of(request.first(name), request)
        moment = stamp.instant() if stamp is not None else None
        if not isinstance(moment, datetime):
            raise NoFreeBusyRequestError("C:valid-calendar-data")
        found.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if not timedelta(0) < found[1] - found[0] <= _LONGEST:
        raise NoFreeBusyRequestError("C:valid-calendar-data")
    return int(found[0].timestamp()), int(found[1].timestamp())


def _times(addresses: Sequence[str], start: int, end: int, without: str) -> dict[str, Times]:
    """What is known of these, by address: (start, end, how busy)."""
    visit = current.get()
    rooms = free_rooms.busy_times(addresses, start, end)
    others = [Address("", one) for one in addresses if one not in rooms and "@" in one]
    found = busy_people.times_of(visit.user, others, start, end, visit.zone, visit.settings, without)
    times: dict[str, Times] = {address: [(*span, 2) for span in spans] for address, spans in rooms.items()}
    for person, one in zip(others, found, strict=True):
        if one.is_known:
            times[person.email] = [(span.start, span.end, span.level) for span in one.spans]
    return times


def _unknown(address: str) -> str:
    """Of an address of this house nothing tells whether somebody has it and keeps their times, or nobody."""
    visit, domain = current.get(), address.rpartition("@")[2].lower()
    return _NOBODY if not domain or domain in visit.settings.own_domains(visit.user.domain) else _OUTSIDE


def _reply(request: Component, organizer: TextLine, guest: TextLine, times: Times, start: int, end: int) -> str:
    moments = (("DTSTAMP", int(datetime.now(UTC).timestamp())), ("DTSTART", start), ("DTEND", end))
    lines = [made(name, free_busy.text_of(at)) for name, at in moments]
    lines += [line.copy() for line in request.lines("UID")[:1]]
    lines += [made("ORGANIZER", organizer.value.strip()), made("ATTENDEE", guest.value.strip())]
    for kind, name in sorted(_TYPES.items(), reverse=True):
        for begins, ends in free_busy.joined((max(a, start), min(b, end)) for a, b, level in times if level == kind):
            lines.append(made("FREEBUSY", f"{free_busy.text_of(begins)}/{free_busy.text_of(ends)}", f";FBTYPE={name}"))
    frame = [made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN"), made("METHOD", "REPLY")]
    return str(component("VCALENDAR", *frame, component("VFREEBUSY", *lines)))
