"""Thanks by mail to those who reported a phishing message."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import PhishingReport, SystemMessage
from webmail.web.current import settings
from webmail.web.formatting import written_in

log = logging.getLogger(__name__)


def thank(report: PhishingReport) -> SystemMessage | None:
    """Queue the thanks to who reported a message; None where no mail is sent."""
    if settings().system_sender is None:
        return None
    language = system_mail.in_language_of(report.user, settings())
    with written_in(language):
        subject = _("Thank you for reporting a phishing message")
        parts = [
            _("You reported this message as phishing:"),
            " ".join(report.subject.split())[:200] or _("(no subject)"),
            _("You were right, and it protects everybody here: thank you."),
        ]
    dedup = f"{report.id} {report.created.isoformat()}"
    try:
        return system_mail.send(report.user.address, "phishing-thanks", subject, "\n\n".join(parts) + "\n", language, dedup)
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("the thanks to %s are not written: %s", report.user.address, error)
        return None
