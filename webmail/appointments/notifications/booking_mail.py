"""Booking mail: what people are told of what they booked, in the language in which they did. Each with the private link."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.appointments import bookings, calendar_file
from webmail.appointments.offers import token as offer_token
from webmail.appointments.texts import location_of, person_name, slot_words
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import AppointmentBooking, AppointmentHost, AppointmentOffer, AppointmentSlot, SystemMessage, User
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

KIND = "appointment"


def booking_url(booking: AppointmentBooking, settings: Settings) -> str:
    return public_link("appointments.show_booking", link=bookings.token(booking, settings), lang=booking.language or None)


def offer_url(offer: AppointmentOffer, settings: Settings) -> str:
    return public_link("appointments.show_offer", link=offer_token(offer, settings))


def ask_to_confirm(booking: AppointmentBooking, settings: Settings) -> SystemMessage | None:
    with written_in(booking.language):
        minutes = int(bookings.HOLD.total_seconds() // 60)
        subject = _("Confirm your appointment: %(title)s", title=booking.offer.title)
        parts = [
            _("This time is held for you for %(count)d minutes:", count=minutes),
            _facts(booking, settings),
            _("Open this page and press “Confirm”:"),
            booking_url(booking, settings),
            _("If you did not ask for an appointment, do nothing: the time becomes free again by itself."),
        ]
        return _send(booking, settings, subject, parts)


def ask_to_wait(booking: AppointmentBooking, settings: Settings) -> SystemMessage | None:
    with written_in(booking.language):
        subject = _("Confirm the waiting list: %(title)s", title=booking.offer.title)
        parts = [
            _("You asked to be on the waiting list. Open this page and press “Confirm”:"),
            booking_url(booking, settings),
            _("If you did not ask for it, do nothing."),
        ]
        return _send(booking, settings, subject, parts)


def tell_enough(offer: AppointmentOffer, guest: bookings.Applicant, settings: Settings) -> SystemMessage | None:
    """To who has booked all they may, and chose another: nobody else learns so."""
    rows = list(bookings.of_address(offer, guest.address))
    with written_in(guest.language):
        subject = _("You already have an appointment: %(title)s", title=offer.title)
        parts = [_("You can have no more appointments here. You can move or cancel what you have:")]
        parts += [f"{_facts(one, settings)}\n{booking_url(one, settings)}" for one in rows]
        return _send(rows[0], settings, subject, parts) if rows else None


def tell_booked(booking: AppointmentBooking, settings: Settings, *, moved: bool = False) -> SystemMessage | None:
    with written_in(booking.language):
        title = booking.offer.title
        subject = _("New time of your appointment: %(title)s", title=title) if moved else _("Appointment: %(title)s", title=title)
        parts = [
            _("Your appointment has a new time:") if moved else _("Your appointment is confirmed:"),
            _facts(booking, settings),
            _("To move or cancel it:"),
            booking_url(booking, settings),
        ]
        event = calendar_file.text_of(booking, settings, booking_url(booking, settings))
        dedup = f"{booking.id} booked {booking.sequence}"
        return _send(booking, settings, subject, parts, event=event, dedup=dedup)


def tell_changed(booking: AppointmentBooking, settings: Settings) -> SystemMessage | None:
    """Of another title or place; the time is the same."""
    with written_in(booking.language):
        url = booking_url(booking, settings)
        parts = [_("Your appointment has changed. It is now:"), _facts(booking, settings), _("To move or cancel it:"), url]
        event = calendar_file.text_of(booking, settings, url)
        subject = _("Changed: %(title)s", title=booking.offer.title)
        return _send(booking, settings, subject, parts, event=event, dedup=f"{booking.id} changed {booking.sequence}")


def tell_cancelled(
    booking: AppointmentBooking, settings: Settings, note: str = "", *, by_host: bool = False
) -> SystemMessage | None:
    """Once each: to who gave it back, or whose appointment the host cancelled."""
    with written_in(booking.language):
        subject = _("Cancelled: %(title)s", title=booking.offer.title)
        if booking.slot_id is None:
            parts = [_("These appointments do not take place. You are no longer on the waiting list.")]
        elif by_host:
            parts = [_("Your appointment does not take place:"), _facts(booking, settings)]
        else:
            parts = [_("You cancelled your appointment:"), _facts(booking, settings)]
        parts += [_("Note from %(person)s:", person=person_name(booking.offer.owner)) + f"\n{note}"] if note else []
        if not by_host and (url := offer_url(booking.offer, settings)):
            parts += [_("To choose another time:"), url]
        event = calendar_file.text_of(booking, settings, "", cancelled=True) if booking.slot_id else ""
        return _send(booking, settings, subject, parts, event=event, dedup=f"{booking.id} cancelled")


def tell_held(booking: AppointmentBooking, settings: Settings) -> SystemMessage | None:
    """To the first of the waiting list, for whom a time that became free is held."""
    with written_in(booking.language):
        hours = int(bookings.HOLD_OF_WAITING.total_seconds() // 3600)
        subject = _("A time has become free: %(title)s", title=booking.offer.title)
        parts = [
            _("You are on the waiting list. This time is held for you for %(count)d hours:", count=hours),
            _facts(booking, settings),
            _("Open this page and press “Confirm”. Otherwise it goes to the next person."),
            booking_url(booking, settings),
        ]
        return _send(booking, settings, subject, parts, dedup=f"{booking.id} held {booking.slot_id} {booking.until}")


def tell_earlier(booking: AppointmentBooking, row: AppointmentSlot, settings: Settings) -> SystemMessage | None:
    """To who booked a later time and wants to know; whoever is first gets it."""
    with written_in(booking.language):
        subject = _("An earlier time is free: %(title)s", title=booking.offer.title)
        parts = [
            _("Your appointment: %(when)s", when=slot_words(booking.slot, settings)),
            _("Free now: %(when)s", when=slot_words(row, settings)),
            _("The first person who takes it gets it. To move your appointment:"),
            booking_url(booking, settings),
        ]
        return _send(booking, settings, subject, parts, dedup=f"{booking.id} earlier {row.id}")


def remind(booking: AppointmentBooking, settings: Settings) -> SystemMessage | None:
    with written_in(booking.language):
        subject = _("Reminder: %(title)s", title=booking.offer.title)
        parts = [
            _("You have an appointment:"),
            _facts(booking, settings),
            _("To move or cancel it:"),
            booking_url(booking, settings),
        ]
        return _send(booking, settings, subject, parts, dedup=f"{booking.id} reminder {booking.slot_id}")


def ask_host(host: AppointmentHost, settings: Settings) -> SystemMessage | None:
    """To a colleague in whose calendar the owner does not write."""
    user: User = host.user
    offer: AppointmentOffer = host.offer
    with written_in(system_mail.in_language_of(user, settings)):
        person = person_name(offer.owner)
        subject = _("%(person)s would like you to offer appointments: %(title)s", person=person, title=offer.title)
        parts = [
            subject + ".",
            _(
                "Nobody can book with you until you have agreed. Your events are not shown to anybody; "
                "their times are not offered."
            ),
            public_link("appointments.show_one", number=offer.id),
        ]
        try:
            return system_mail.send(
                user.address, KIND, subject[: system_mail.LONGEST_SUBJECT], "\n\n".join(parts) + "\n",
                system_mail.in_language_of(user, settings), f"{host.id} asked",
            )  # fmt: skip
        except (BadAddressError, UnsafeValueError, ValueError) as error:
            log.warning("mail about appointments to %s is not written: %s", user.address, error)
            return None


def _facts(booking: AppointmentBooking, settings: Settings) -> str:
    row: AppointmentSlot | None = booking.slot
    lines = [booking.offer.title]
    if row is not None:
        lines += [f"{slot_words(row, settings)} ({settings.timezone})", person_name(row.host.user)]
    return "\n".join([*lines, *([location_of(booking.offer)] if location_of(booking.offer) else [])])


def _send(
    booking: AppointmentBooking, settings: Settings, subject: str, parts: list[str], *, event: str = "", dedup: str = ""
) -> SystemMessage | None:
    """Queue it in the caller's transaction; None where it can't be sent. Answers go to whoever offers it."""
    end = _("You received this because this address was given for an appointment at %(name)s.", name=settings.name)
    try:
        return system_mail.send(
            booking.address, KIND, subject[: system_mail.LONGEST_SUBJECT], "\n\n".join([*parts, f"-- \n{end}"]) + "\n",
            booking.language or settings.language, dedup, secret_key=settings.secret_key, calendar=event,
            reply_to=booking.offer.owner.address if booking.offer.owner.active else "",
        )  # fmt: skip
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("mail about an appointment is not written: %s", error)
        return None
