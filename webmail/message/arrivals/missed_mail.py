"""Missed mail: where something arrived that Dovecot did not tell of. It marks those mailboxes; the next round reads them."""

from __future__ import annotations

import logging
from datetime import timedelta

from webmail import imap, preferences
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.imap.mailbox_list import next_uids
from webmail.mail import Role
from webmail.message.arrivals import searched_mailboxes
from webmail.message.arrivals.arrival_rounds import INBOX
from webmail.models import User, now
from webmail.tasks import heartbeat

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
EVERY_INBOX = timedelta(minutes=5)  # where Dovecot does not tell
TOLD = "mail arrivals told"  # when Dovecot last told of something, at most an hour late: a row beside those of periodic work
_STILL_TELLS = timedelta(days=1)
_NOT_FOR_ARRIVALS = (Role.SENT, Role.DRAFTS, Role.TRASH, Role.JUNK)


def note_told() -> None:
    """Dovecot told of something. 1 query; 2 once an hour."""
    told = heartbeat.last_done(TOLD)
    if told is None or told < now() - EVERY:
        heartbeat.note(TOLD)


def is_told() -> bool:
    """Whether Dovecot tells of what arrives. 1 query."""
    told = heartbeat.last_done(TOLD)
    return told is not None and told > now() - _STILL_TELLS


def sweep_inboxes(settings: Settings) -> int:
    """Look into the inboxes of those concerned, unless Dovecot tells; returns in how many there is something."""
    return 0 if is_told() else _sweep(settings, whole=False)


def sweep(settings: Settings) -> int:
    """Look into all mailboxes of those concerned that mail may have come into, one connection at a time."""
    return _sweep(settings, whole=True)


def _sweep(settings: Settings, *, whole: bool) -> int:
    count, users = 0, searched_mailboxes.concerned()
    if whole:
        searched_mailboxes.forget(users)
    for user in users:
        try:
            count += look(user, settings, whole=whole)
        except MailError as error:
            log.warning("what arrived for %s was not looked for: %s", user.address, error)
    return count


def look(user: User, settings: Settings, *, whole: bool) -> int:
    """The same for one person. Raises what `imap.connect` does."""
    positions = _positions(preferences.with_roles(settings.account(user.address), user), whole=whole)
    return searched_mailboxes.note_missed(user, positions, whole=whole)


def _positions(account: Account, *, whole: bool) -> dict[str, tuple[int, int]]:
    """UIDVALIDITY and UIDNEXT by mailbox. 1 round trip for the inbox, 2 for all, and 1 if one is selected."""
    with imap.connect(account) as connection:
        if not whole:
            state = imap.new_mail.state_of(connection, INBOX)
            return {INBOX: (state.uidvalidity, state.uidnext)}
        return next_uids.find(connection, _NOT_FOR_ARRIVALS, searched_mailboxes.MOST_MAILBOXES)
