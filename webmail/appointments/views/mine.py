"""Appointments that one offers: the list, a new one, and the page of one, with who booked."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import rate_limits
from webmail.appointments import bookings, free_slots, limits, offers
from webmail.appointments.blueprint import blueprint
from webmail.appointments.notifications import booking_mail
from webmail.appointments.offer_forms import OfferForm
from webmail.appointments.offers import TooManySlotsError
from webmail.appointments.texts import answer_lines, field_labels, location_of, person_name, slot_words
from webmail.calendar.free_busy import host_times
from webmail.calendar.rooms import resources
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import AppointmentBooking, AppointmentHost, AppointmentOffer, BookingState, SystemMessage, now
from webmail.web.current import current_user, settings, wake_system_mail
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page

LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class BookedRow:
    """A line of the list. `absent`: the host is away then."""

    booking: AppointmentBooking
    when: str
    host: str
    answers: list[str]
    absent: bool
    mine: bool


def is_set_up(given: Settings) -> bool:
    """Whether people outside can be mailed the link that confirms."""
    return given.system_sender is not None and bool(given.public_url)


@blueprint.get("/appointments")
def show_offers() -> Response:
    """5 queries."""
    rows = offers.listed(current_user())
    return page("appointments/index.html", rows=rows, now=int(time.time()), set_up=is_set_up(settings()), name_of=person_name)


@blueprint.get("/appointments/new")
def new_offer() -> Response:
    return _form_page(OfferForm())


@blueprint.post("/appointments/new")
def make_offer() -> Response:
    """Fields `title date from until length`, and the choices below them."""
    form = OfferForm.typed(request.form)
    found = form.read(current_user(), settings()) if is_set_up(settings()) else None
    if found is None:
        return _form_page(form, 422)
    try:
        made = offers.make(current_user(), *found, settings())
    except TooManySlotsError as error:
        form.errors["until"] = _too_many(error.count)
        return _form_page(form, 422)
    except LimitReachedError:
        notify(_("You offer as many appointments as you can. Close some first."), "caution")
        return _form_page(form, 409)
    _ask([one for one in offers.hosts_of(made) if one.agreed is None])
    return redirect(url_for("appointments.show_one", number=made.id), 303)


def _ask(hosts: list[AppointmentHost]) -> None:
    """Mail colleagues that they are asked; beyond a limit, those find it in their own list alone, and that is said."""
    may = [one for one in hosts if rate_limits.may(settings(), limits.ASKED_COLLEAGUES.by(current_user().id))]
    if len(may) < len(hosts):
        words = _("You asked many colleagues today. Not all of them get a message: the others see it in their own appointments.")
        notify(words, "caution")
    _wake([booking_mail.ask_host(one, settings()) for one in may])


def _form_page(form: OfferForm, status: int = 200, *, offer: AppointmentOffer | None = None) -> Response:
    return page(
        "appointments/form.html", status, form=form, rooms=[one for one in resources.listed() if not one.closed],
        fields=field_labels(), longest=offers, set_up=is_set_up(settings()), offer=offer,
    )  # fmt: skip


@blueprint.get("/appointments/<int:number>/change")
def show_change(number: int) -> Response:
    offer = _changeable(number)
    return _form_page(OfferForm.showing(offer), offer=offer)


@blueprint.post("/appointments/<int:number>/change")
def change_offer(number: int) -> Response:
    """The fields of a new one, but people and room; those of its times add some."""
    offer, form = _changeable(number), OfferForm.typed(request.form)
    plan = form.read_change(offer, current_user(), settings())
    if plan is None:
        return _form_page(form, 422, offer=offer)
    try:
        added = offers.change(offer, plan, settings())
    except TooManySlotsError as error:
        form.errors["until"] = _too_many(error.count)
        return _form_page(form, 422, offer=offer)
    words = _("Saved. The link is still the same.")
    if plan.days:
        words += " " + ngettext("%(num)d time was added.", "%(num)d times were added.", added)
    notify(words, "done" if added or not plan.days else "caution")
    return redirect(url_for("appointments.show_one", number=number), 303)


def _changeable(number: int) -> AppointmentOffer:
    """One's own offer that is still to take place."""
    offer = mine(number)
    if offer.owner_id != current_user().id:
        abort(403)
    if offer.cancelled is not None or offer.ends < time.time():
        abort(404)
    return offer


def _too_many(count: int) -> str:
    return ngettext(
        "This makes %(num)d appointment. At most %(most)d are possible.",
        "This makes %(num)d appointments. At most %(most)d are possible.", count, most=offers.MOST_SLOTS,
    )  # fmt: skip


# --- one -------------------------------------------------------------------------------------------------------------


def mine(number: int) -> AppointmentOffer:
    found = offers.find(current_user(), number)
    if found is None:
        abort(404)
    return found


def own_hosts(offer: AppointmentOffer) -> list[AppointmentHost]:
    """Those whose list one sees: all, of what one offers; else oneself."""
    hosts = offers.hosts_of(offer)
    return hosts if offer.owner_id == current_user().id else [one for one in hosts if one.user_id == current_user().id]


def booked_rows(offer: AppointmentOffer, hosts: list[AppointmentHost]) -> list[BookedRow]:
    by_number = {one.id: one for one in hosts}
    away = {one.id: free_slots.Busy(host_times.absent_times(one.user)) for one in hosts}
    found = []
    for one in bookings.live(offer, list(by_number)):
        if one.state == BookingState.BOOKED:
            row, host = one.slot, by_number[one.slot.host_id]
            absent = row.end > time.time() and free_slots.touches(away[host.id], row.start, row.end)
            answers = answer_lines(offer, bookings.answers(one))
            found.append(BookedRow(one, slot_words(row, settings()), person_name(host.user), answers, absent, True))
    return found


@blueprint.get("/appointments/<int:number>")
def show_one(number: int) -> Response:
    return _page(mine(number))


def _page(offer: AppointmentOffer, status: int = 200) -> Response:
    hosts, is_owner, at = own_hosts(offer), offer.owner_id == current_user().id, now()
    rows = booked_rows(offer, hosts)
    free = free_slots.listed(offer, at, settings(), anytime=True)
    address = public_link("appointments.show_offer", link=offers.token(offer, settings()))
    own = next((one for one in hosts if one.user_id == current_user().id), None)
    return page(
        "appointments/one.html", status, offer=offer, hosts=[(one, person_name(one.user)) for one in hosts], rows=rows,
        absent=[one for one in rows if one.absent], is_owner=is_owner, own=own, free=sum(one.left for one in free),
        address=address, location=location_of(offer), body=_("Please choose a time that suits you: %(link)s", link=address),
        waiting=bookings.waiting(offer) if is_owner else [], longest=LONGEST_NOTE, several=len(hosts) > 1,
        is_over=offer.ends < time.time(), owner=person_name(offer.owner),
    )  # fmt: skip


@blueprint.post("/appointments/<int:number>")
def act_on_offer(number: int) -> Response:
    """`action`: agree, refuse, close, open, cancel (all of it), or cancel: and a booking; `note` for those who booked."""
    offer = mine(number)
    action, _colon, argument = request.form.get("action", "").partition(":")
    note = request.form.get("note", "").replace("\0", "").strip()[:LONGEST_NOTE]
    if action == "cancel" and argument.isascii() and argument.isdigit() and len(argument) < 16:
        _cancel_one(offer, int(argument), note)
    elif action in ("agree", "refuse"):
        _answer(offer, agrees=action == "agree")
    elif offer.owner_id != current_user().id:
        abort(403)
    elif action in ("close", "open") and offer.cancelled is None:
        offers.close(offer, closed=action == "close")
    elif action == "cancel-all":
        _cancel_all(offer, note)
    if offers.find(current_user(), number) is None:
        return redirect(url_for("appointments.show_offers"), 303)
    return redirect(url_for("appointments.show_one", number=number), 303)


def _answer(offer: AppointmentOffer, *, agrees: bool) -> None:
    own = next((one for one in offers.hosts_of(offer) if one.user_id == current_user().id), None)
    if own is not None and own.agreed is None:
        (offers.agree if agrees else offers.refuse)(own)


def _cancel_one(offer: AppointmentOffer, number: int, note: str) -> None:
    hosts = [one.id for one in own_hosts(offer)]
    booking = next((one for one in bookings.live(offer, hosts) if one.id == number), None)
    if booking is None:
        return
    with db.atomic():
        gone = bookings.give_back(booking, settings(), now(), by_host=True)
        message = booking_mail.tell_cancelled(gone, settings(), note, by_host=True) if gone is not None else None
    _wake([message])
    if gone is not None:
        notify(_("The appointment with %(name)s is cancelled. They get a message.", name=booking.name), "done")


def _cancel_all(offer: AppointmentOffer, note: str) -> None:
    count = sum(one.state == BookingState.BOOKED for one in bookings.live(offer)) + len(bookings.waiting(offer))
    offers.cancel(offer, note)
    words = ngettext(
        "All appointments are cancelled. %(num)d person gets a message.",
        "All appointments are cancelled. %(num)d people get a message.", count,
    )  # fmt: skip
    notify(words, "done")


def _wake(messages: list[SystemMessage | None]) -> None:
    for one in messages:
        if one is not None:
            wake_system_mail(one)
