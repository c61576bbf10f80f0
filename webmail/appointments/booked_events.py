"""Booked events: whether an event in a calendar is an appointment that somebody has booked, for those who change calendars."""

from __future__ import annotations

import time

from webmail.models import AppointmentBooking, AppointmentHost, AppointmentOffer, AppointmentSlot, BookingState


def offer_of(uid: str, owner: int) -> int:
    """The offer (by `id`) of an event by its UID, in a calendar of this account; 0 where nobody has booked it, or where it is
    over. 1 query."""
    mine = (AppointmentSlot.uid == uid) & (AppointmentHost.user == owner) & (AppointmentSlot.end > int(time.time()))
    rows = AppointmentSlot.select(AppointmentSlot.offer).join(AppointmentHost).switch(AppointmentSlot).join(AppointmentBooking)
    rows = rows.switch(AppointmentSlot).join(AppointmentOffer).where(mine, AppointmentOffer.cancelled.is_null())
    found = rows.where(AppointmentBooking.state == BookingState.BOOKED).first()
    return int(found.offer_id) if found is not None else 0
