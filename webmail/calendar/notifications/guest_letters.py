"""Guest letters: how the worker writes to guests of somebody's meetings, in that person's language and by their clock."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask

from webmail import preferences, system_mail
from webmail.calendar import meeting_mail
from webmail.calendar.guests.organising import Posting
from webmail.calendar.reminders import daily_agenda
from webmail.config.settings import Settings
from webmail.itip.messages import ItipMessage
from webmail.mail import Draft
from webmail.models import User
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def guest_page_url(link: str) -> str:
    """The address of a guest's page as they reach it; "" without a link."""
    return public_link("calendar.guest_page", link=link) if link else ""


def posting(user: User, settings: Settings) -> Posting:
    """They leave with our token: no password is kept for it."""
    zone = daily_agenda.zone_of(preferences.for_user(user), settings)

    def draft(message: ItipMessage) -> Draft:
        with written_in(system_mail.in_language_of(user, settings)):
            return meeting_mail.draft_of(user, message, settings, zone, guest_page_url(message.link))

    return Posting(settings, lambda: None, draft)


def posting_outside(app: Flask, settings: Settings, user: User) -> Posting:
    """The same for what comes from devices, outside the application's context."""
    found = posting(user, settings)

    def draft(message: ItipMessage) -> Draft:
        with app.app_context():
            return found.draft(message)

    return replace(found, draft=draft)
