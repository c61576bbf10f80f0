"""Texts of appointments: when they are, what is asked for, in the language that is set around them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _

from webmail.appointments.offers import FIELDS
from webmail.calendar import objects
from webmail.calendar.display.event_texts import when_words
from webmail.config.settings import Settings
from webmail.models import AppointmentOffer, AppointmentSlot, User
from webmail.web.formatting import clock_time, day_in_full


def field_labels() -> dict[str, str]:
    """What may be asked for, by name."""
    return {"child": _("Child’s name"), "class": _("Class"), "phone": _("Telephone"), "note": _("What it is about")}


def asked_fields(offer: AppointmentOffer) -> dict[str, str]:
    """What an offer asks for, by name: the question in its owner's words last."""
    labels, wanted = field_labels(), offer.fields.split()
    found = {name: labels[name] for name in FIELDS if name in wanted}
    return found | ({"question": offer.question} if offer.question else {})


def answer_lines(offer: AppointmentOffer, answers: Mapping[str, str]) -> list[str]:
    return [
        _("%(label)s: %(answer)s", label=label, answer=answers[name])
        for name, label in asked_fields(offer).items()
        if answers.get(name)
    ]


def slot_words(row: AppointmentSlot, settings: Settings) -> str:
    """When a slot is, by the clock of the establishment."""
    zone = objects.zone_of(settings.timezone)
    return when_words(datetime.fromtimestamp(row.start, zone), datetime.fromtimestamp(row.end, zone), zone)


def slot_day(row: AppointmentSlot, settings: Settings) -> str:
    return day_in_full(datetime.fromtimestamp(row.start, objects.zone_of(settings.timezone)).date())


def slot_hours(row: AppointmentSlot, settings: Settings) -> str:
    zone = objects.zone_of(settings.timezone)
    return f"{clock_time(datetime.fromtimestamp(row.start, zone))}–{clock_time(datetime.fromtimestamp(row.end, zone))}"


def person_name(user: User) -> str:
    return str(user.name or user.address)


def location_of(offer: AppointmentOffer) -> str:
    return str(offer.location or (offer.resource.name if offer.resource_id else ""))
