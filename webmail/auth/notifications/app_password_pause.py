"""Notifications to people whose app passwords pause since they have not signed in by their provider; sent by the worker."""

from __future__ import annotations

import logging
from contextlib import suppress

from flask_babel import gettext as _

from webmail import system_mail
from webmail.auth.providers.app_password_pause import Unvouched
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import SystemMessage
from webmail.web.formatting import day_in_full, local, written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)


def warn(found: Unvouched, settings: Settings) -> list[SystemMessage]:
    """A week before."""
    with written_in(system_mail.in_language_of(found.user, settings)):
        day = day_in_full(local(found.ends).date())
        subject = _("Sign in to keep your phone connected")
        body = _(
            "You last signed in to %(place)s on %(last)s. If you don’t sign in again by %(day)s, the app passwords of "
            "%(address)s stop working on phones and in mail programs until you do.",
            place=settings.name, last=day_in_full(local(found.last).date()), day=day, address=found.user.address,
        )  # fmt: skip
        return _send(found, settings, subject, body)


def tell(found: Unvouched, settings: Settings) -> list[SystemMessage]:
    """They have stopped."""
    with written_in(system_mail.in_language_of(found.user, settings)):
        subject = _("Your phones and mail programs are signed out")
        body = _(
            "You last signed in to %(place)s on %(last)s, so the app passwords of %(address)s no longer work. "
"Sign in, and they work again straight away.",
            place=settings.name, last=day_in_full(local(found.last).date()), address=found.user.address,
        )  # fmt: skip
        return _send(found, settings, subject, body)


def _send(found: Unvouched, settings: Settings, subject: str, body: str) -> list[SystemMessage]:
    """To their own address, and to the recovery address: who reads mail by telephone alone may not look at the other in time."""
    if settings.system_sender is None:
        log.warning("%s is not told that their app passwords pause: system_address is not set", found.user.address)
        return []
    text = "\n\n".join(filter(None, [body, public_link("auth.login")])) + "\n"
    language, queued = system_mail.in_language_of(found.user, settings), []
    for address in filter(None, dict.fromkeys([found.user.address, found.user.recovery_address])):
        with suppress(BadAddressError, UnsafeValueError):
            queued.append(system_mail.send(address, "security", subject, text, language))
    return [row for row in queued if row is not None]
