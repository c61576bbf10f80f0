"""Appointments in tests: an offer of somebody's, people who book, and the links that they are mailed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import current_app

from tests.support.visits import Page, Visitor
from webmail import system_mail
from webmail.appointments import offers
from webmail.appointments.offers import OfferPlan
from webmail.models import AppointmentOffer, AppointmentSlot, SystemMessage, User

URL = "https://mail.lycee.example"
MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": URL}


def monday() -> date:
    """One that is weeks away."""
    day = date.today() + timedelta(days=21)
    return day - timedelta(days=day.weekday())


def plan(**values: Any) -> OfferPlan:
    """Four slots of 15 minutes from 17:00 on."""
    usual = {"title": "Rencontre parents", "days": (monday(),), "begins": 17 * 60, "ends": 18 * 60, "length": 15}
    return OfferPlan(**(usual | values))


def user(local: str = "alice") -> User:
    found: User = User.get(User.address == f"{local}@lycee.example")
    return found


def settings() -> Any:
    return current_app.extensions["settings"]


def offer(app: Any, hosts: Sequence[str] = ("alice",), **values: Any) -> AppointmentOffer:
    with app.app_context():
        return offers.make(user(), plan(**values), [user(one) for one in hosts], settings())


def link(app: Any, made: AppointmentOffer) -> str:
    with app.app_context():
        return f"/a/{offers.token(made, settings())}"


def slots(made: AppointmentOffer) -> list[AppointmentSlot]:
    return list(AppointmentSlot.select().where(AppointmentSlot.offer == made).order_by(AppointmentSlot.start))


def book(visitor: Visitor, address: str, number: object, who: str = "eve@elsewhere.example", **fields: str) -> Page:
    """Fill the public form as it is now."""
    page = visitor.get(address)
    return visitor.submit(page, "#booking", slot=str(number), name=fields.pop("name", "Ève Martin"), address=who, **fields)


def texts(app: Any, recipient: str) -> list[str]:
    """What an address was written, the oldest first."""
    rows = SystemMessage.select().where(SystemMessage.recipient == recipient).order_by(SystemMessage.id)
    with app.app_context():
        return [f"{one.subject}\n{system_mail.text_of(one, settings().secret_key)}" for one in rows]


def private_link(app: Any, recipient: str) -> str:
    """The page of the booking that an address was written of last."""
    found = re.search(rf"{re.escape(URL)}(/a/booking/\S+)", texts(app, recipient)[-1])
    assert found is not None
    return found[1]


def confirm(app: Any, visitor: Visitor, recipient: str = "eve@elsewhere.example") -> Page:
    return visitor.submit(visitor.get(private_link(app, recipient)), "main form:has([value=confirm])", action="confirm")
