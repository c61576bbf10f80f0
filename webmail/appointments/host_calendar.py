"""Host calendar: each booked slot is one event in its host's calendar, which says who comes, and goes with the last of them."""

from __future__ import annotations

import json
from datetime import datetime

import peewee as pw
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import system_mail
from webmail.appointments.texts import answer_lines
from webmail.calendar import editing, objects
from webmail.calendar.free_busy import host_events
from webmail.calendar.objects import UidTakenError
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.event_edit import EventFields, EventRoom
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.models import AppointmentBooking, AppointmentOffer, AppointmentSlot, BookingState, User
from webmail.web.formatting import written_in

REFUSED = (
    editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError, LimitReachedError, UnusableCalendarError,
    CannotChangeError,
)  # fmt: skip


def keep(row: AppointmentSlot, settings: Settings) -> None:
    """Have the calendar of the slot's host say who has it. 1 transaction. Raises REFUSED and RoomRefusedError."""
    host: User = row.host.user
    wanted = _wanted(row, host, settings)
    host_events.keep(host, row.uid, wanted, settings)
    if row.stale:
        AppointmentSlot.update(stale=0).where(AppointmentSlot.id == row.id).execute()


def keep_stale(settings: Settings) -> int:
    """Try again where a calendar could not be written; returns how many there were."""
    rows = list(AppointmentSlot.select().where(AppointmentSlot.stale == 1).order_by(pw.fn.Random()).limit(200))
    for row in rows:
        try:
            keep(row, settings)
        except (*REFUSED, ValueError):
            continue  # it stays as it is, for the next round
    return len(rows)


def _wanted(row: AppointmentSlot, host: User, settings: Settings) -> EventFields | None:
    mine = (AppointmentBooking.slot == row.id) & (AppointmentBooking.state == BookingState.BOOKED)
    booked = list(AppointmentBooking.select().where(mine).order_by(AppointmentBooking.position))
    if not booked:
        return None
    offer: AppointmentOffer = row.offer
    zone = objects.zone_of(settings.timezone)
    begins, ends = (datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (row.start, row.end))
    with written_in(system_mail.in_language_of(host, settings)):
        title, notes = _texts(offer, booked)
    rooms = (EventRoom(offer.resource.address, offer.resource.name, offer.resource.kind),) if offer.resource_id else ()
    place = offer.location or (offer.resource.name if offer.resource_id else "")
    return EventFields(title, begins, ends, settings.timezone, place, notes=notes, rooms=rooms)


def _texts(offer: AppointmentOffer, booked: list[AppointmentBooking]) -> tuple[str, str]:
    """The title and notes: who comes; once that is forgotten, that somebody came."""
    names = [one.name for one in booked if one.name]
    if not names:
        return offer.title, ""
    if len(names) == 1:
        title = _("%(name)s: %(title)s", name=names[0], title=offer.title)
    else:
        title = ngettext("%(title)s (%(num)d person)", "%(title)s (%(num)d people)", len(names), title=offer.title)
    pieces = ["\n".join([one.name, one.address, *answer_lines(offer, json.loads(one.answers or "{}"))]) for one in booked]
    return title, "\n\n".join(pieces)
