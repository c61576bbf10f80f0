"""Applicant forms: what somebody typed who books, made harmless, and what is wrong with it."""

from __future__ import annotations

from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.appointments.bookings import LONGEST_ADDRESS, LONGEST_ANSWER, LONGEST_NAME, Applicant
from webmail.appointments.texts import asked_fields
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import address_key, parse_addresses
from webmail.mime.threats.skeletons import visible
from webmail.models import AppointmentOffer


def typed(values: MultiDict[str, str], offer: AppointmentOffer) -> dict[str, str]:
    """One line of visible characters each, a little longer than allowed, to say so."""
    names = {"name": LONGEST_NAME, "address": LONGEST_ADDRESS} | dict.fromkeys(asked_fields(offer), LONGEST_ANSWER)
    found = {
        one: " ".join(visible(values.get(one, "")[:2000].replace("\0", "")).split())[: 2 * most] for one, most in names.items()
    }
    number = values.get("slot", "")
    return found | {"slot": number if number == "wait" or (number.isascii() and number.isdigit() and len(number) < 16) else ""}


def problems_of(fields: dict[str, str], offer: AppointmentOffer) -> dict[str, str]:
    found: dict[str, str] = {}
    if not fields["slot"]:
        found["slot"] = _("Choose a time.")
    if not fields["name"]:
        found["name"] = _("Type your name.")
    for name in asked_fields(offer):
        if not fields[name] and name != "note":
            found[name] = _("Fill in this field.")
    for name, most in [("name", LONGEST_NAME), *((one, LONGEST_ANSWER) for one in asked_fields(offer))]:
        if len(fields[name]) > most:
            found[name] = _("This is too long. Use at most %(count)d characters.", count=most)
    try:
        addresses = parse_addresses(fields["address"]) if fields["address"] else ()
    except BadAddressError:
        addresses = ()
    if len(addresses) != 1 or addresses[0].email != fields["address"] or len(fields["address"]) > LONGEST_ADDRESS:
        found["address"] = _("This is not a complete address. It looks like marie@example.org.")
    return found


def guest_of(fields: dict[str, str], offer: AppointmentOffer) -> Applicant:
    answers = {name: fields[name] for name in asked_fields(offer) if fields[name]}
    return Applicant(fields["name"], address_key(fields["address"]), answers, str(get_locale())[:5])
