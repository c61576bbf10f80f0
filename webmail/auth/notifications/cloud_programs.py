"""Notifications to people whose password a program keeps on servers of its maker; sent by the worker, once for each program."""

from __future__ import annotations

import logging
from contextlib import suppress

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import CloudProgramUse, SystemMessage
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)


def tell(use: CloudProgramUse, settings: Settings) -> SystemMessage | None:
    user = use.user
    if settings.system_sender is None:
        log.warning("%s is not told of %s: system_address is not set", user.address, use.program)
        return None
    language = system_mail.in_language_of(user, settings)
    with written_in(language):
        subject = _("%(program)s keeps your password", program=use.program)
        body = _(
            "%(program)s signed in to %(address)s from the servers of its maker, not from your own device: the company keeps "
            "your password there, and your mail passes through it.",
            program=use.program, address=user.address,
        )  # fmt: skip
        advice = _(
            "If you don’t want that, revoke its app password under “Devices”, or change your password. Another mail program "
            "reads your mail from your device alone."
        )
        text = "\n\n".join(filter(None, [body, advice, public_link("auth.show_devices")])) + "\n"
    with suppress(BadAddressError, UnsafeValueError):
        return system_mail.send(user.address, "security", subject, text, language)
    return None
