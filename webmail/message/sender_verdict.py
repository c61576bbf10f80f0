"""Sender verdict: what the page of a message says of its sender, for pages that offer something because of it."""

from __future__ import annotations

from functools import partial

from webmail import imap
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.mail import Role
from webmail.message import sender_check
from webmail.message.trust import Trust
from webmail.models import User


def trust_in(user: User, account: Account, settings: Settings, position: tuple[str, int, int | None], role: Role | None) -> Trust:
    """Of the message at `position` (mailbox, UID, UIDVALIDITY), in a mailbox of this role; it is not marked as read.

    The round trips and queries of the message's page. Raises what `imap.messages.read` does.
    """
    mailbox, uid, validity = position
    look_up = sender_check.SenderLookUp(user, settings)
    with imap.connect(account, mailbox) as connection:
        message, _overview = imap.messages.read(
            connection, mailbox, uid, validity, prefer_html=True, mark=False, stranger=look_up.stranger,
            whole=partial(sender_check.needs_whole, user=user, settings=settings),
        )  # fmt: skip
    message = imap.earlier_messages.looked_for(account, message)
    return sender_check.judge(message, user, settings, role, look_up=look_up)
