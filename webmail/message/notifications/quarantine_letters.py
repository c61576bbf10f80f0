"""Letters about quarantine: to those whose copy of a phishing message was taken out of their mailbox, or put back."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.message.quarantine import finds
from webmail.message.quarantine.finds import FindState
from webmail.models import PhishingFind, SystemMessage, User
from webmail.web.formatting import written_in

log = logging.getLogger(__name__)

_MOST_ROWS = 500  # of a round


def tell(settings: Settings) -> list[int]:
    """Write to those who are still to be told, one letter each; returns the messages to deliver (by `id`)."""
    messages = []
    for user, rows in finds.take_untold(_MOST_ROWS):
        with db.atomic():
            if finds.note_told(rows) and (message := _write(user, rows, settings)) is not None:
                messages.append(message.id)
    return messages


def _write(user: User, rows: Sequence[PhishingFind], settings: Settings) -> SystemMessage | None:
    pulled = [row for row in rows if row.state in (FindState.PULLED, FindState.RETURNING)]
    back = [row for row in rows if row.state == FindState.BACK]
    if not settings.system_address or not (pulled or back):
        return None
    language = system_mail.in_language_of(user, settings)
    with written_in(language):
        if pulled:
            subject = _("A phishing message was moved to your junk folder")
            parts = [
                _("Your administrator moved this message to your junk folder, because it is phishing:"),
                _told(pulled[0]),
                _("Don’t follow its links. If you typed a password there, change it immediately and tell your administrator."),
            ]
        else:
            subject = _("A message is back in your mailbox")
            parts = [_("Your administrator put this message back where it was:"), _told(back[0])]
    try:
        return system_mail.send(user.address, "quarantine", subject, "\n\n".join(parts) + "\n", language)
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("the letter about quarantine for %s is not written: %s", user.address, error)
        return None


def _told(row: PhishingFind) -> str:
    title = _one_line(row.subject) or _("(no subject)")
    return _("“%(subject)s” from %(sender)s", subject=title, sender=_one_line(row.sender) or _("(no sender)"))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
