"""What pages say of FileSender: why it did not take something, and what to do."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from webmail.errors import MailError
from webmail.filesender import handover
from webmail.filesender.client import FileSenderError, RemoteRefusal
from webmail.filesender.handover import Stop
from webmail.models import Transfer
from webmail.web.formatting import lazy_text as _l

_WORDS: dict[str, Any] = {
    RemoteRefusal.SIGNATURE: _l("It did not accept the secret. Tell your administrator, or connect your account again."),
    RemoteRefusal.CLOCK: _l("The clocks of the two servers differ. Tell your administrator."),
    RemoteRefusal.UNKNOWN: _l("It does not know you, or this webmail. Tell your administrator, or connect your account again."),
    RemoteRefusal.FORBIDDEN: _l("It does not allow this. Tell your administrator."),
    RemoteRefusal.TOO_LARGE: _l("The files are too large for it. Send fewer, or smaller ones."),
    RemoteRefusal.QUOTA: _l("You have no room left there. Close transfers that you no longer need."),
    RemoteRefusal.FULL: _l("It is out of space. Try again later, or tell your administrator."),
    RemoteRefusal.FILES: _l("There are too many files. Send fewer at a time, or put them in a ZIP file."),
    RemoteRefusal.RECIPIENTS: _l("There are too many recipients. Get a link instead."),
    RemoteRefusal.TYPE: _l("It does not take files of one of these types. Put them in a ZIP file."),
    RemoteRefusal.NAME: _l("It does not take the name of one of the files. Rename it."),
    RemoteRefusal.ADDRESS: _l("It does not take one of the addresses."),
    RemoteRefusal.LINKS: _l("The message must not contain web addresses."),
    RemoteRefusal.DATE: _l("The last day is too far away for it. Choose an earlier one."),
    RemoteRefusal.EXTENDED: _l("The date can’t be extended any more."),
    RemoteRefusal.COMPLETE: _l("It was already complete."),
    RemoteRefusal.GONE: _l("It is no longer there, or belongs to another account."),
    RemoteRefusal.GUESTS: _l("You have invited as many guests as you can. Remove one first."),
    RemoteRefusal.RATE: _l("You have done this too often today. Try again tomorrow."),
    RemoteRefusal.ENCRYPTED: _l("It only takes files that its own page has encrypted. Use that page."),
    RemoteRefusal.BROKE: _l("It stopped without saying why. If your message contains a web address, remove it."),
    Stop.CANCELLED: _l("You stopped it."),
    Stop.AWAY: _l("It did not answer for hours."),
    Stop.NO_ACCESS: _l("Your account there is no longer connected."),
    Stop.HARMFUL: _l("A file may be harmful. Remove it."),
}


def problem_words(word: str) -> str:
    """Of a `RemoteRefusal` or a `Stop`."""
    return str(_WORDS[word]) if word in _WORDS else _("It gave no reason that we know. Try again, or tell your administrator.")


def error_words(error: MailError) -> str:
    """Why a page could not be shown, or a change was not made."""
    if isinstance(error, FileSenderError):
        return problem_words(error.refusal)
    return _("FileSender does not answer. Try again in a few minutes.")


def why_not(transfer: Transfer) -> str:
    """Why it did not take a transfer the last time; "" for no reason. 1 query."""
    word = handover.why_not(transfer)
    return problem_words(word) if word and word != Stop.CANCELLED else ""
