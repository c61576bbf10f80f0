"""Notification of a certificate's end: a month before, by the worker, so that there is time to get and import the next one."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.keys import own_keys
from webmail.keys.own_keys import EndingKey
from webmail.models import SystemMessage
from webmail.web.formatting import day_in_full, local, written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

EVERY = timedelta(hours=6)


def tell_all(settings: Settings) -> list[int]:
    """Tell each person of each certificate that ends soon, once; returns the messages. One SELECT where nothing is due."""
    if settings.system_sender is None or not settings.encryption:
        return []
    queued = []
    for ending in own_keys.ending():
        with db.atomic():
            if own_keys.note_told(ending):
                queued += _told(ending, settings)
    return [row.id for row in queued]


def _told(ending: EndingKey, settings: Settings) -> list[SystemMessage]:
    language = system_mail.in_language_of(ending.user, settings)
    with written_in(language):
        day = day_in_full(local(ending.expires).date())
        subject = _("Your certificate ends on %(day)s", day=day)
        body = _(
            "The certificate that %(address)s signs and encrypts messages with ends on %(day)s. Ask the office that gave it to "
            "you for the next one, and import it on the page “Encryption”. Keep the old one there: it still opens old messages.",
            address=ending.user.address, day=day,
        )  # fmt: skip
        text = "\n\n".join(filter(None, [body, public_link("keys.show")])) + "\n"
    with suppress(BadAddressError, UnsafeValueError):
        row = system_mail.send(ending.user.address, "certificate end", subject, text, language)
        return [row] if row is not None else []
    return []
