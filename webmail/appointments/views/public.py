"""The public page of an offer: which times are free, and the form to take one. Nobody is signed in, and no cookie is set."""

from __future__ import annotations

from flask import Response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import rate_limits
from webmail.appointments import bookings, free_slots, guest_forms, limits, offers
from webmail.appointments.blueprint import blueprint
from webmail.appointments.bookings import Applicant, SlotTakenError
from webmail.appointments.free_slots import FreeSlot
from webmail.appointments.notifications import booking_mail
from webmail.appointments.texts import asked_fields, location_of, person_name, slot_day, slot_hours
from webmail.auth.guard import public
from webmail.auth.sessions.sessions import network_of
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.models import AppointmentOffer, SystemMessage, now
from webmail.rate_limits import TooManyRequestsError, Use
from webmail.web.current import settings, wake_system_mail
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language, for_visitors, leads_nowhere, told, too_often, visitors_page

WAIT = "wait"  # in the place of a slot: the waiting list
MOST_AT_ONCE = 150  # radios on one page: of more, one chooses with whom first

Day = tuple[str, list[tuple[FreeSlot, str]]]


@blueprint.get("/a/<link>")
@public
@for_visitors
def show_offer(link: str) -> AnyResponse:
    """The free times; `with` (a host) shows those of one. 19 queries at most."""
    offer = offers.by_token(link)
    return _page(offer) if offer is not None else leads_nowhere(limits.UNKNOWN.by(_network()))


@blueprint.post("/a/<link>")
@public
@for_visitors
def book(link: str) -> AnyResponse:
    """`slot name address` and what else is asked for. The slot is held until the link in a mail confirms it.

    No token protects this form, since that would take a cookie: it does nothing in the name of whose browser sends it.
    """
    offer = offers.by_token(link)
    if offer is None:
        return leads_nowhere(limits.UNKNOWN.by(_network()))
    if not free_slots.is_open(offer):
        return _page(offer, 410)
    typed = guest_forms.typed(request.form, offer)
    if problems := guest_forms.problems_of(typed, offer):
        return _page(offer, 422, typed=typed, problems=problems)
    try:
        message = _taken(offer, typed)
    except SlotTakenError:
        words = _("Somebody else has just taken this time. Nothing is lost: choose another one.")
        return _page(offer, 409, typed=typed | {"slot": ""}, problems={"slot": words})
    except TooManyRequestsError as error:
        return too_often(error)
    if message is None:
        return told(_("No message can be sent to this address"), _("It had too many messages today. Try again tomorrow."), 429)
    wake_system_mail(message)
    return redirect(_here(link, done="waiting" if typed["slot"] == WAIT else "held"), 303)


def _taken(offer: AppointmentOffer, typed: dict[str, str]) -> SystemMessage | None:
    """Hold what was chosen, and mail the link that confirms it. Raises SlotTakenError, TooManyRequestsError."""
    guest, chosen = guest_forms.guest_of(typed, offer), typed["slot"]
    if chosen == WAIT and not offer.waiting:
        raise SlotTakenError
    held = rate_limits.take(settings(), limits.HELD.by(_network()), limits.UNCONFIRMED_OF_OWNER.by(offer.owner_id))
    used = [held]
    try:
        mail = limits.MAIL_TO_ADDRESS.by(offer.id, guest.address), limits.MAIL_OF_OFFER.by(offer.id)
        used.append(rate_limits.take(settings(), *mail))
        return _written(offer, guest, chosen, held)
    except (SlotTakenError, TooManyRequestsError):
        rate_limits.give_back(*used)
        raise


@begun_again
def _written(offer: AppointmentOffer, guest: Applicant, chosen: str, use: Use) -> SystemMessage | None:
    with db.atomic():
        if chosen == WAIT:
            asked = bookings.wait(offer, guest, settings())
            bookings.note_use(asked, use)
            return booking_mail.ask_to_wait(asked, settings())
        booking = bookings.reserve(offer, int(chosen), guest, settings(), now())
        if booking is None:
            return booking_mail.tell_enough(offer, guest, settings())
        bookings.note_use(booking, use)
        message = booking_mail.ask_to_confirm(booking, settings())
        if message is None:
            bookings.drop(booking)
        return message


def _network() -> str:
    return network_of(request.remote_addr)


def _here(link: str, **values: object) -> str:
    return url_for("appointments.show_offer", link=link, lang=chosen_language() or None, **values)


# --- the page --------------------------------------------------------------------------------------------------------


def _page(
    offer: AppointmentOffer, status: int = 200, *, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None
) -> Response:
    link = str((request.view_args or {}).get("link", ""))
    found = free_slots.listed(offer, now(), settings())
    host = request.values.get("with", 0, type=int) or 0
    people = list(dict.fromkeys(one.host for one in found))
    if len(people) > 1 and len(found) > MOST_AT_ONCE:
        found = [one for one in found if one.host.id == host] or (found if typed else [])
    else:
        host = 0
    return visitors_page(
        "appointments/public.html", status, endpoint="appointments.show_offer", keep=("with",), offer=offer, here=_here(link),
        owner=person_name(offer.owner), location=location_of(offer), is_open=free_slots.is_open(offer),
        groups=days_by_host(found), people=[(one, person_name(one.user)) for one in people], chosen=host,
        person_url=lambda one: _here(link, **{"with": one.id}), fields=asked_fields(offer), typed=typed or {},
        problems=problems or {}, done=request.args.get("done", "") if status == 200 else "", zone=settings().timezone,
        minutes=int(bookings.HOLD.total_seconds() // 60), waits=bool(offer.waiting), longest=bookings,
    )  # fmt: skip


def days_by_host(found: list[FreeSlot]) -> list[tuple[str, list[Day]]]:
    """The slots of each host, day by day; where there is one host, without a name."""
    groups: dict[str, dict[str, list[tuple[FreeSlot, str]]]] = {}
    for one in found:
        days = groups.setdefault(person_name(one.host.user), {})
        days.setdefault(slot_day(one.row, settings()), []).append((one, slot_hours(one.row, settings())))
    return [(name, list(days.items())) for name, days in sorted(groups.items(), key=lambda each: each[0].casefold())]
