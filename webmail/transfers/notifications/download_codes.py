"""Download codes by mail: sends a recipient the code that opens the files of a link."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import system_mail
from webmail.auth.factors.mailed_codes import LIFE
from webmail.database.connection import db
from webmail.models import TransferRecipient
from webmail.transfers.public import download_codes
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.texts.code_texts import code_letter


def mail_download_code(recipient: TransferRecipient, language: str) -> None:
    """Send it. Raises what `download_codes.new_code` and `system_mail.send` do."""
    with db.atomic():
        code = download_codes.new_code(recipient, settings())
        with written_in(language):
            begin = _("This code opens files that were sent to you:")
            end = _("If you did not ask for it, ignore this message.")
            subject, body = code_letter(begin, code, end, int(LIFE.total_seconds() // 60))
        row = system_mail.send(recipient.address, "code", subject, body, language, secret_key=settings().secret_key)
    if row is not None:
        wake_system_mail(row)
