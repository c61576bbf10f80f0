"""The page of one booking, by its private link: confirm, move, give back. GET shows; programs that open links change nothing."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import rate_limits
from webmail.appointments import bookings, calendar_file, free_slots, limits, offers
from webmail.appointments.blueprint import blueprint
from webmail.appointments.bookings import EnoughBookedError, SlotTakenError, TooLateError
from webmail.appointments.notifications import booking_mail
from webmail.appointments.texts import asked_fields, location_of, person_name, slot_words
from webmail.appointments.views.public import days_by_host
from webmail.auth.guard import public
from webmail.auth.sessions.sessions import network_of
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.models import AppointmentBooking, BookingState, SystemMessage, now
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import settings, wake_system_mail
from webmail.web.responses import downloads
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language, for_visitors, leads_nowhere, too_often, visitors_page


@blueprint.get("/a/booking/<link>")
@public
@for_visitors
def show_booking(link: str) -> AnyResponse:
    booking = bookings.find(link)
    return _page(booking) if booking is not None else _unknown()


@blueprint.post("/a/booking/<link>")
@public
@for_visitors
def change_booking(link: str) -> AnyResponse:
    """`action`: confirm, move (to `slot`), cancel, earlier or later.

    No token protects this form: who sends it has to know the link.
    """
    booking = bookings.find(link)
    if booking is None:
        return _unknown()
    act = _ACTIONS.get(request.form.get("action", ""))
    if booking.offer.cancelled is not None:
        return _page(booking, 410)
    if act is None:
        return _page(booking, 422, _("Choose what to do."))
    try:
        rate_limits.take(settings(), limits.CHANGES.by(booking.id))
        message = act(booking)
    except TooManyRequestsError as error:
        return too_often(error)
    except SlotTakenError:
        return _page(_again(booking), 409, _("This time is no longer free. Choose another one."))
    except EnoughBookedError:
        return _page(booking, 409, _("You already have all the appointments you can have here. Cancel one first."))
    except TooLateError:
        return _page(booking, 409, _("It is too late to change this appointment here. Reply to the message instead."))
    if message is not None:
        wake_system_mail(message)
    return redirect(_here(link, done=request.form.get("action", "")), 303)


@begun_again
def _confirm(booking: AppointmentBooking) -> SystemMessage | None:
    with db.atomic():
        row = bookings.confirm(booking, settings(), now())
        return booking_mail.tell_booked(row, settings()) if row.state == BookingState.BOOKED else None


@begun_again
def _move(booking: AppointmentBooking) -> SystemMessage | None:
    chosen = request.form.get("slot", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 16):
        raise SlotTakenError
    if booking.state in (BookingState.HELD, BookingState.LAPSED):
        return _held_anew(booking, int(chosen))
    with db.atomic():
        row = bookings.move(booking, int(chosen), settings(), now())
        return booking_mail.tell_booked(row, settings(), moved=True)


@begun_again
def _held_anew(booking: AppointmentBooking, chosen: int) -> SystemMessage | None:
    """Another time for what is not confirmed: whoever has the link has the address, so that it is confirmed at once."""
    with db.atomic():
        bookings.choose(booking, chosen, settings(), now())
        row = bookings.confirm(booking, settings(), now())
        return booking_mail.tell_booked(row, settings())


@begun_again
def _cancel(booking: AppointmentBooking) -> SystemMessage | None:
    with db.atomic():
        gone = bookings.give_back(booking, settings(), now())
        return booking_mail.tell_cancelled(gone, settings()) if gone is not None else None


def _earlier(booking: AppointmentBooking) -> None:
    bookings.want_earlier(booking, wanted=True)


def _later(booking: AppointmentBooking) -> None:
    bookings.want_earlier(booking, wanted=False)


_ACTIONS: dict[str, Callable[[AppointmentBooking], SystemMessage | None]] = {
    "confirm": _confirm, "move": _move, "cancel": _cancel, "earlier": _earlier, "later": _later,
}  # fmt: skip


@blueprint.get("/a/booking/<link>/invite.ics")
@public
@for_visitors
def booking_file(link: str) -> AnyResponse:
    """The event of a booking, for a calendar of theirs."""
    booking = bookings.find(link)
    if booking is None:
        return _unknown()
    if bookings.state(booking, now()) is not BookingState.BOOKED:
        return _page(booking, 410)
    text = calendar_file.text_of(booking, settings(), booking_mail.booking_url(booking, settings()))
    answer = downloads.named(text.encode(), "text/calendar; charset=utf-8", "invite.ics")
    answer.headers["Content-Security-Policy"] = downloads.POLICY
    return answer


def _unknown() -> Response:
    return leads_nowhere(limits.UNKNOWN.by(network_of(request.remote_addr)))


def _again(booking: AppointmentBooking) -> AppointmentBooking:
    found: AppointmentBooking = AppointmentBooking.get_by_id(booking.id)
    return found


def _here(link: str, endpoint: str = "appointments.show_booking", **values: object) -> str:
    return url_for(endpoint, link=link, lang=chosen_language() or None, **values)


def _page(booking: AppointmentBooking, status: int = 200, problem: str = "") -> Response:
    link, offer, at = str((request.view_args or {}).get("link", "")), booking.offer, now()
    state, row = bookings.state(booking, at), booking.slot
    is_over = row is not None and row.end < free_slots.soon(at, 0)
    changes = row is not None and state is BookingState.BOOKED and bookings.may_change(offer, row, at)
    chooses = changes or (state in (BookingState.HELD, BookingState.LAPSED) and not is_over)
    found = [one for one in free_slots.listed(offer, at, settings()) if row is None or one.row.id != row.id] if chooses else []
    if row is not None and len(found) > 150:
        found = [one for one in found if one.host.id == row.host_id]
    answers = bookings.answers(booking)
    return visitors_page(
        "appointments/booking.html", status, endpoint="appointments.show_booking", offer=offer, booking=booking, state=str(state),
        here=_here(link), file_url=_here(link, "appointments.booking_file"), is_over=is_over, changes=changes,
        when=slot_words(row, settings()) if row is not None else "", host=person_name(row.host.user) if row is not None else "",
        location=location_of(offer), zone=settings().timezone, groups=days_by_host(found), problem=problem,
        answers=[(label, answers[name]) for name, label in asked_fields(offer).items() if answers.get(name)],
        done=request.args.get("done", "") if status == 200 else "",
        offer_url=url_for("appointments.show_offer", link=offers.token(offer, settings()), lang=chosen_language() or None),
    )  # fmt: skip
