"""Rounds of the worker: those who wait are told of what became free, people are reminded, and strangers are forgotten."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import peewee as pw

from webmail import rate_limits
from webmail.appointments import bookings, free_slots, host_calendar, leaving, limits
from webmail.appointments.bookings import SlotTakenError
from webmail.appointments.notifications import booking_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AppointmentBooking, AppointmentOffer, AppointmentSlot, BookingState, SystemMessage, now

EVERY = timedelta(minutes=1)
REMINDED = timedelta(days=1)  # before it begins
FORGOTTEN = timedelta(days=30)  # after the last slot
DELETED = timedelta(days=400)  # after the last slot: the offer itself, without names by then
UNCONFIRMED = timedelta(days=1)  # then a name that nobody confirmed goes
_PIECE = 200


def _seconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


def pending(at: datetime | None = None) -> list[pw.Query]:
    """What finds whether there is anything to do."""
    return [
        bookings.cancelled_ones(),
        _freed(),
        _lapsed(at or now()),
        _to_remind(at or now()),
        AppointmentSlot.select().where(AppointmentSlot.stale == 1),
        leaving.with_disabled(at or now()),
        bookings.outdated_ones(),
    ]


def sweep(settings: Settings, at: datetime | None = None) -> list[int]:
    """Do what is due `at` (now); returns the messages by `id`."""
    moment = at or now()
    _release(moment)
    messages = [
        *_cancel(settings, moment),
        *_tell_waiting(settings, moment),
        *_remind(settings, moment),
        *_tell_changed(settings),
    ]
    host_calendar.keep_stale(settings)
    return [one.id for one in messages if one is not None]


def _lapsed(at: datetime) -> pw.Query:
    over = (AppointmentBooking.state == BookingState.HELD) & (AppointmentBooking.until <= at)
    return AppointmentBooking.select().where(over)


def _release(at: datetime) -> None:
    """What was held too long gives its place to who waits."""
    rows = list(_lapsed(at).limit(_PIECE))
    for row in rows:
        bookings.lapse(row, at)


def _cancel(settings: Settings, at: datetime) -> list[SystemMessage | None]:
    """What does not take place: each place is freed, and each who had one is told, once."""
    cancelled = bookings.cancelled_ones().order_by(AppointmentBooking.id).limit(_PIECE)
    messages = [leaving.cancel(row, settings, at, row.offer.cancel_note) for row in list(cancelled)]
    return messages + [leaving.cancel(row, settings, at) for row in list(leaving.with_disabled(at).limit(_PIECE))]


def _freed() -> pw.Query:
    return AppointmentSlot.select().where(AppointmentSlot.freed == 1)


def _tell_waiting(settings: Settings, at: datetime) -> list[SystemMessage | None]:
    """The first of the waiting list has the slot held; where nobody waits, those who want an earlier one are told."""
    messages: list[SystemMessage | None] = []
    for row in list(_freed().order_by(AppointmentSlot.start).limit(_PIECE)):
        with suppress(SlotTakenError), db.atomic():  # taken at this moment: it is looked at again in the next round
            messages += _told_of(row, settings, at)
    return messages


def _told_of(row: AppointmentSlot, settings: Settings, at: datetime) -> list[SystemMessage | None]:
    offer: AppointmentOffer = row.offer
    bookings.locked(offer, row.id)  # before the row, as whoever books does
    taken = AppointmentSlot.update(freed=0).where(AppointmentSlot.id == row.id, AppointmentSlot.freed == 1)
    if not taken.execute() or not free_slots.listed(offer, at, settings, number=row.id):
        return []
    held = bookings.hold_for_waiting(offer, row, settings, at)
    if held is not None:
        return [booking_mail.tell_held(held, settings)]
    wanting = [one for one in bookings.wanting_earlier(offer, row) if rate_limits.may(settings, limits.EARLIER.by(one.id))]
    return [booking_mail.tell_earlier(one, row, settings) for one in wanting]


def _tell_changed(settings: Settings) -> list[SystemMessage | None]:
    """Once each, with the event as it is now."""
    messages = []
    for row in list(bookings.outdated_ones().limit(_PIECE)):
        with db.atomic():
            if (changed := bookings.take_outdated(row)) is not None:
                messages.append(booking_mail.tell_changed(changed, settings))
    return messages


def _to_remind(at: datetime) -> pw.Query:
    begins = AppointmentSlot.start.between(_seconds(at), _seconds(at + REMINDED))
    due = (AppointmentBooking.state == BookingState.BOOKED) & (AppointmentBooking.reminded == 0) & begins
    rows = AppointmentBooking.select(AppointmentBooking).join(AppointmentSlot).join(AppointmentOffer)
    return rows.where(due, AppointmentOffer.remind == 1)


def _remind(settings: Settings, at: datetime) -> list[SystemMessage | None]:
    """Once each; who booked within the last day knows it."""
    messages = []
    for row in list(_to_remind(at).limit(_PIECE)):
        with db.atomic():
            claimed = AppointmentBooking.update(reminded=1).where(
                AppointmentBooking.id == row.id, AppointmentBooking.reminded == 0
            )
            if claimed.execute() and row.confirmed is not None and row.confirmed < at - timedelta(hours=12):
                messages.append(booking_mail.remind(row, settings))
    return messages


def forget(_settings: Settings, at: datetime | None = None) -> int:
    """Forget who booked what is long over, in the hosts' calendars too; and names that nobody confirmed. Returns how many."""
    moment = at or now()
    count = 0
    over = (AppointmentOffer.ends < _seconds(moment - FORGOTTEN)) & AppointmentOffer.forgotten.is_null()
    for offer in list(AppointmentOffer.select().where(over).limit(_PIECE)):
        count += _forget_one(offer, moment)
    AppointmentOffer.delete().where(AppointmentOffer.ends < _seconds(moment - DELETED)).execute()
    past = AppointmentSlot.select(AppointmentSlot.id).where(AppointmentSlot.end < _seconds(moment - FORGOTTEN))
    named = (AppointmentBooking.slot.in_(past)) & (AppointmentBooking.address != "")
    for row in list(AppointmentBooking.select().where(named).limit(_PIECE)):
        count += _forget_booking(row)
    unconfirmed = AppointmentBooking.state.in_([BookingState.LAPSED, BookingState.ASKED]) & AppointmentBooking.confirmed.is_null()
    old = AppointmentBooking.created < moment - UNCONFIRMED
    return count + int(AppointmentBooking.delete().where(unconfirmed, old).execute())


def _forget_one(offer: AppointmentOffer, at: datetime) -> int:
    rows = list(AppointmentBooking.select().where(AppointmentBooking.offer == offer, AppointmentBooking.address != ""))
    for row in rows:
        _forget_booking(row)
    AppointmentOffer.update(forgotten=at).where(AppointmentOffer.id == offer.id).execute()
    return len(rows)


def _forget_booking(row: AppointmentBooking) -> int:
    AppointmentBooking.update(name="", address="", answers="{}").where(AppointmentBooking.id == row.id).execute()
    if row.slot_id is not None and row.state == BookingState.BOOKED:
        AppointmentSlot.update(stale=1).where(AppointmentSlot.id == row.slot_id).execute()
    return 1
