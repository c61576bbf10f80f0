"""Notification of a certificate that waits: its owner takes it on the page *Encryption*."""

from __future__ import annotations

from contextlib import suppress

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.keys import staged_certificates
from webmail.models import StagedCertificate, SystemMessage
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def tell_all(settings: Settings) -> list[int]:
    """Tell each person once of each that waits; returns the messages."""
    if settings.system_sender is None:
        return []
    queued: list[SystemMessage] = []
    for row in list(staged_certificates.untold()):
        with db.atomic():
            if staged_certificates.note_told(row):
                queued += _told(row, settings)
    return [row.id for row in queued]


def _told(row: StagedCertificate, settings: Settings) -> list[SystemMessage]:
    language = system_mail.in_language_of(row.user, settings)
    with written_in(language):
        subject = _("Your new certificate is ready")
        body = _(
            "There is a certificate for %(address)s, to sign and encrypt your messages. Take it on the page “Encryption”: you "
            "need the passphrase of the file, which the office that made it gives you. If you have an older certificate, keep "
            "it: it still opens your old messages.",
            address=row.user.address,
        )  # fmt: skip
        text = "\n\n".join(filter(None, [body, public_link("keys.show")])) + "\n"
    with suppress(BadAddressError, UnsafeValueError):
        queued = system_mail.send(row.user.address, "certificate ready", subject, text, language)
        return [queued] if queued is not None else []
    return []
