"""Stopped partway: what is said of the messages that an action or its undo did not get to."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.errors import MailError, OutOfTimeError, OverQuotaError, UnconfirmedError


def why_not_all(error: MailError, selected: int = 0) -> str:
    """The sentence after the one that says what was done; `selected` is the number of messages it was asked for, if it helps."""
    if isinstance(error, OverQuotaError):
        return _("Your mailbox is full: the rest stayed where they were.")
    if isinstance(error, OutOfTimeError):
        return _("This takes the mail server a long time, so the rest were left as they were. Repeat the action for them.")
    if isinstance(error, UnconfirmedError):
        return _("The mail server did not answer in time for the rest: some of them may still follow. Check again in a moment.")
    if not selected:
        return _("The mail server stopped partway. Try again.")
    return ngettext(
        "The mail server stopped partway: %(num)d message was selected.",
        "The mail server stopped partway: %(num)d messages were selected.",
        selected,
    )
