"""Letters about messages that nobody has answered: to those who want their reminders by mail too."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.message.arrivals.awaited_rounds import Write
from webmail.models import AwaitedReply, SystemMessage, User
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

_MOST = 20  # messages that a letter names


def write(user: User, rows: Sequence[AwaitedReply], settings: Settings) -> SystemMessage | None:
    """Queue one letter with all of them; None if the establishment writes to nobody, or they had too many today."""
    if not settings.system_address:
        return None
    language = system_mail.in_language_of(user, settings)
    with written_in(language):
        count = len(rows)
        title = _one_line(rows[0].subject)[:100] or _("(no subject)")
        subject = _("Nobody has replied to “%(subject)s”.", subject=title)
        if count > 1:
            subject = ngettext(
                "Nobody has replied to %(num)d of your messages.", "Nobody has replied to %(num)d of your messages.", count
            )
        text = _text(subject, rows)
    try:
        return system_mail.send(user.address, "reminder", subject.rstrip(".")[: system_mail.LONGEST_SUBJECT], text, language)
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("the letter about awaited replies for %s is not written: %s", user.address, error)
        return None


def _text(heading: str, rows: Sequence[AwaitedReply]) -> str:
    parts = [heading]
    for row in rows[:_MOST]:
        to = _("Sent to %(people)s", people=_one_line(row.recipients)) if row.recipients else ""
        parts.append("\n".join(line for line in (_one_line(row.subject) or _("(no subject)"), to) if line))
    if len(rows) > _MOST:
        parts.append(ngettext("and %(num)d other", "and %(num)d others", len(rows) - _MOST))
    parts.append(_("Write again, wait longer or let it be:") + "\n" + public_link("compose.list_awaited"))
    parts.append("-- \n" + _("You received this because you asked to be reminded of it when you sent the message."))
    return "\n\n".join(parts) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def writer(settings: Settings) -> Write:
    return partial(write, settings=settings)
