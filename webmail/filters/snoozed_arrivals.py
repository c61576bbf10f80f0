"""Snoozed arrivals: a filter can put a message into the folder of snoozed ones, with a keyword that says for how many days. Here
it becomes a snoozed message like others, which `webmail/mailbox/snooze/snooze.py` brings back.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, timedelta

from webmail import imap, preferences
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.filters.rules.rules import ActionKind
from webmail.filters.store import Filters
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.responses import fetched
from webmail.mail import Role
from webmail.mailbox.snooze import snooze
from webmail.models import User

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
_KEYWORD = re.compile(r"\$snooze_\d{1,3}d")  # compile.snooze_keyword
_MOST_AT_ONCE = 500  # messages of one person in a round


def note(user: User, filters: Filters) -> None:
    """Note with a person's preferences that filters may snooze: from then on the worker looks. No query where it is known."""
    snoozes = any(action.kind is ActionKind.SNOOZE for rule in filters.rules for action in rule.actions)
    if snoozes and not preferences.for_user(user).snoozed_by_filters:
        preferences.change(user, snoozed_by_filters=True)


def sweep(settings: Settings) -> int:
    """Take in what filters snoozed, of everybody; returns how many messages. Only with tokens: no password is kept for it."""
    if not settings.token_key_file:
        return 0
    count = 0
    for user in list(User.select().where(User.active == 1, User.preferences.contains('"snoozed_by_filters": true'))):
        try:
            count += take_in(user, preferences.with_roles(settings.account(user.address), user))
        except MailError as error:
            log.warning("what filters of %s snoozed waits: %s", user.address, error)
    return count


def take_in(user: User, account: Account) -> int:
    """Row first, then the keyword goes: whoever is killed in between finds the row the next time. 2 round trips for nothing."""
    with imap.connect(account) as connection:
        folder = imap.mailboxes.for_role(connection, Role.SNOOZED)
        connection.select(folder)
        flags = fetched(connection.run((b"UID FETCH", b"1:*", b"(UID FLAGS)")))
        marked = {uid: found for uid, values in flags.items() if (found := _keyword(values.get(b"FLAGS", ())))}
        uids = sorted(marked)[:_MOST_AT_ONCE]
        validity = int(connection.uidvalidity or 0)
        told = bulk_fetch.identities(connection, folder, uids, validity) if uids else {}
        for uid, one in told.items():
            days = int(marked[uid].removeprefix("$snooze_").removesuffix("d"))
            due = one.received.astimezone(UTC).replace(tzinfo=None) + timedelta(days=days)
            snooze.note_arrived(user, folder, validity, uid, one, due)
        for word in {marked[uid] for uid in told}:
            imap.actions.set_flags(connection, folder, [uid for uid in told if marked[uid] == word], [word], add=False)
    return len(told)


def _keyword(flags: tuple[bytes, ...]) -> str:
    return next((word for flag in flags if _KEYWORD.fullmatch(word := flag.decode("ascii", "replace"))), "")
