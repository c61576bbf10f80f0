"""Leaving: what becomes of appointments with somebody whose account is disabled or deleted: those who booked are told in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import peewee as pw

from webmail.appointments import bookings
from webmail.appointments.notifications import booking_mail
from webmail.appointments.offers import LIVE
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.models import (
    AppointmentBooking,
    AppointmentHost,
    AppointmentOffer,
    AppointmentSlot,
    BookingState,
    SystemMessage,
    User,
    now,
)

TOLD = timedelta(days=2)  # before an appointment with somebody who is disabled: they may come back until then


def _seconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


def _booked() -> Any:
    rows = AppointmentBooking.select(AppointmentBooking).join(AppointmentSlot, pw.JOIN.LEFT_OUTER)
    return rows.join(AppointmentHost, pw.JOIN.LEFT_OUTER).switch(AppointmentBooking).join(AppointmentOffer)


def with_disabled(at: datetime) -> Any:
    """What is booked with people who are disabled, and about to take place."""
    soon = AppointmentSlot.start.between(_seconds(at), _seconds(at + TOLD))
    rows = _booked().switch(AppointmentHost).join(User)
    return rows.where(AppointmentBooking.state.in_(LIVE), soon, User.active == 0)


def with_person(user: User, at: datetime) -> Any:
    """What is still to take place with somebody, or is waited for in what they offer to others."""
    ahead = AppointmentSlot.start.is_null() | (AppointmentSlot.start > _seconds(at))
    theirs = (AppointmentOffer.owner == user) | (AppointmentHost.user == user)
    return _booked().where(AppointmentBooking.state.in_([*LIVE, BookingState.WAITING]), ahead, theirs)


def told_by_leaving(user: User) -> int:
    """How many people are told when somebody's account is deleted. 1 query."""
    return int(with_person(user, now()).where(AppointmentBooking.confirmed.is_null(False)).count())


def cancel_all(user: User, settings: Settings) -> int:
    """Before somebody's account is deleted, which takes bookings with it: each who has one is told, once. Returns how many."""
    rows = list(with_person(user, now()).order_by(AppointmentBooking.id))
    return sum(cancel(row, settings, now()) is not None for row in rows)


@begun_again
def cancel(row: AppointmentBooking, settings: Settings, at: datetime, note: str = "") -> SystemMessage | None:
    """Free the place of what does not take place, and tell who had it. 1 transaction."""
    with db.atomic():
        gone = bookings.give_back(row, settings, at, by_host=True) or row
        if row.confirmed is None:
            return None
        return booking_mail.tell_cancelled(gone, settings, note, by_host=True)
