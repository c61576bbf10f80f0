"""Pages of appointments in the demo: what is offered, and the page of who booked."""

from __future__ import annotations

from datetime import date, timedelta

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.transfer_pages import settings_of
from webmail.appointments import bookings, offers
from webmail.appointments.bookings import Applicant, SlotTakenError
from webmail.appointments.offers import OfferPlan
from webmail.config.settings import Settings
from webmail.models import AppointmentBooking, AppointmentOffer, AppointmentSlot, BookingState, User, now

_MESSAGE = "Bonjour,\n\nUn quart d'heure par famille. Le parking de la cour est ouvert."


def _reserved(offer: AppointmentOffer, slot: int, guest: Applicant, settings: Settings) -> AppointmentBooking | None:
    """None where its time is taken in the calendar, by a booking of an earlier offer."""
    try:
        return bookings.reserve(offer, slot, guest, settings, now())
    except SlotTakenError:
        return None


def appointment_pages(demo: Services, owner: str) -> dict[str, str]:
    settings = settings_of(demo)
    day = date.today() + timedelta(days=30)
    with accounts.tables(demo.database):
        alice = User.get(User.address == owner)
        plan = OfferPlan(
            "Rencontre parents-professeurs, 5e B", (day, day + timedelta(days=1)), 17 * 60, 20 * 60, 15, 5, _MESSAGE, "Salle 12",
            fields=("child", "class", "note"), waiting=True,
        )  # fmt: skip
        made = offers.make(alice, plan, [alice], settings)
        slots = AppointmentSlot.select().where(AppointmentSlot.offer == made).order_by(AppointmentSlot.start.desc())
        guest = Applicant("Ève Martin-Villefranche", "eve@elsewhere.example", {"child": "Léa", "class": "5e B"}, "fr")
        held = next(filter(None, (_reserved(made, row.id, guest, settings) for row in slots)))
        AppointmentBooking.update(state=BookingState.BOOKED, until=None, confirmed=now()).where(
            AppointmentBooking.id == held.id
        ).execute()
        return {
            "appointments": "/appointments",
            "appointments-new": "/appointments/new",
            "appointments-one": f"/appointments/{made.id}",
            "appointments-change": f"/appointments/{made.id}/change",
            "appointments-list": f"/appointments/{made.id}/list",
            "appointments-public": f"/a/{offers.token(made, settings)}",
            "appointments-booking": f"/a/booking/{bookings.token(held, settings)}",
        }
