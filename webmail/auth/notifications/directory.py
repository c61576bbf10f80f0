"""Directory notifications to the administrator, in the language of the establishment; sent by the worker."""

from __future__ import annotations

import logging

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import system_mail
from webmail.auth.providers.directory_sweep import Leavers
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import SystemMessage, now
from webmail.web.formatting import written_in

log = logging.getLogger(__name__)

_MOST_NAMED = 50


def ask_about(found: Leavers, settings: Settings) -> SystemMessage | None:
    """Ask whether so many accounts are to be disabled; once a day at most. None where nobody is set to be asked."""
    log.warning("%d of %d accounts are no longer in the directory: none is disabled", len(found.gone), found.known)
    if not settings.admin_address:
        return None
    count = len(found.gone)
    with written_in(settings.language):
        subject = ngettext(
            "%(num)d account is no longer in the directory", "%(num)d accounts are no longer in the directory", count
        )
        lines = [
            ngettext(
                "The directory has no entry any more for %(num)d account, of %(known)d.",
                "The directory has no entry any more for %(num)d accounts, of %(known)d.",
                count,
                known=found.known,
            ),  # fmt: skip
            _("As this is unusual, none was disabled. If these people have really left, run this command on the server:"),
            "",
            "    flask --app wsgi accounts directory sweep --yes",
            "",
            _("If not, look at the directory and at its settings first:"),
            "",
            "    flask --app wsgi accounts directory check",
            "",
            *sorted(user.address for user in found.gone)[:_MOST_NAMED],
            *(["…"] if count > _MOST_NAMED else []),
        ]
        body = "\n".join(lines) + "\n"
    try:
        return system_mail.send(settings.admin_address, "directory", subject, body, settings.language, f"{now():%Y-%m-%d}")
    except (BadAddressError, UnsafeValueError) as error:
        log.warning("nobody is asked about the directory: %s", error)
        return None
