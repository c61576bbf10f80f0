"""Calendar file: the event of one booking, for the calendar of who booked, as it is mailed to them and saved from its page."""

from __future__ import annotations

from datetime import UTC, datetime

from webmail.appointments.texts import location_of
from webmail.config.settings import Settings
from webmail.mime.formats.calendars.component_tree import TextLine, component, made, made_text
from webmail.models import AppointmentBooking, AppointmentSlot


def text_of(booking: AppointmentBooking, settings: Settings, link: str, *, cancelled: bool = False) -> str:
    """An iCalendar text with its METHOD (RFC 5546, 3.2.1 and 3.2.5)."""
    row: AppointmentSlot = booking.slot
    host, offer = row.host.user, booking.offer
    # one UID for one booking, however often it is moved
    lines: list[TextLine] = [
        made("UID", f"booking-{booking.link_hash[:32]}"),
        made("DTSTAMP", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"),
        made("SEQUENCE", str(booking.sequence)),
        made("DTSTART", _utc(row.start)),
        made("DTEND", _utc(row.end)),
        made_text("SUMMARY", offer.title),
        made("STATUS", "CANCELLED" if cancelled else "CONFIRMED"),
        made("ORGANIZER", f"mailto:{host.address}", f';CN="{_parameter(host.name or host.address)}"'),
    ]
    if location := location_of(offer):
        lines.append(made_text("LOCATION", location))
    if link:
        lines.append(made_text("DESCRIPTION", link))
    if cancelled:
        lines.append(made("ATTENDEE", f"mailto:{booking.address}"))
    head = [made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN"), made("METHOD", "CANCEL" if cancelled else "PUBLISH")]
    return str(component("VCALENDAR", *head, component("VEVENT", *lines)))


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


def _parameter(text: str) -> str:
    """What may stand between the quotes of a parameter."""
    return "".join(" " if mark == '"' or not mark.isprintable() else mark for mark in text)
