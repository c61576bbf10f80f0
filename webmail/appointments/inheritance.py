"""Inheritance: the appointments that somebody who leaves offers, for themselves or for others."""

from __future__ import annotations

import time
from typing import Any

import peewee as pw

from webmail.appointments.offers import LIVE
from webmail.models import AppointmentBooking, AppointmentOffer, User


def used_by_others(owner: User) -> list[tuple[AppointmentOffer, int]]:
    """The offers with slots to come, with how many bookings. 1 query."""
    live = AppointmentBooking.state.in_(LIVE)
    count = pw.fn.COUNT(AppointmentBooking.id)
    rows: Any = AppointmentOffer.select(AppointmentOffer, count.alias("booked"))
    rows = rows.join(AppointmentBooking, pw.JOIN.LEFT_OUTER, on=(AppointmentBooking.offer == AppointmentOffer.id) & live)
    rows = rows.where(_to_come(owner)).group_by(AppointmentOffer.id).order_by(AppointmentOffer.id)
    return [(row, int(row.booked)) for row in rows]


def _to_come(owner: User) -> Any:
    return (AppointmentOffer.owner == owner) & (AppointmentOffer.ends > int(time.time())) & AppointmentOffer.cancelled.is_null()


def hand_over(owner: User, heir: User) -> int:
    """Make the heir the one who offers them; returns how many. Times with who leaves stay theirs, and end with the account."""
    return int(AppointmentOffer.update(owner=heir).where(_to_come(owner)).execute())
