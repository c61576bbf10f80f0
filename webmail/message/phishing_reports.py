"""Phishing reports: marks a message, moves it to junk and records the report for administrators.

The message itself is sent to the configured address as an attachment, through the outbox (`views/phishing.py`).
"""

from __future__ import annotations

from webmail import imap
from webmail.database.connection import db
from webmail.errors import NoSuchMessageError
from webmail.imap.bulk.actions import MovedMessages
from webmail.imap.connections.connection import Connection
from webmail.mail import Message, Role
from webmail.models import PhishingReport, User, now

FLAG = "$Phishing"
HAM = "$NotJunk"
_ON_A_PAGE = 50


def put_away(connection: Connection, mailbox: str, uid: int, uidvalidity: int) -> MovedMessages | None:
    """Mark a message as phishing and move it to junk; None if it is there already. At most 5 round trips.

    Raises NotAllowedError for a read-only mailbox, MailboxChangedError, and NoSuchMessageError if it is gone or was reported
    already.
    """
    if imap.actions.with_flag(connection, mailbox, [uid], b"UNKEYWORD " + FLAG.encode(), uidvalidity) != [uid]:
        raise NoSuchMessageError(f"{mailbox}: message {uid} is gone or was reported")
    imap.actions.set_flags(connection, mailbox, [uid], [FLAG, "$Junk"], True, uidvalidity)
    junk = imap.mailboxes.for_role(connection, Role.JUNK)
    if junk == mailbox:
        return None
    moved = imap.actions.move(connection, mailbox, [uid], junk, uidvalidity)
    if not moved.uids and connection.has("UIDPLUS"):
        raise NoSuchMessageError(f"{mailbox}: message {uid} is gone")
    return moved


def bring_back(connection: Connection, mailbox: str, uid: int, uidvalidity: int, to: str, *, was_ham: bool = False) -> None:
    """Undo `put_away`: from `mailbox` to `to`, without the marks. Raises MailboxChangedError, NoSuchMailboxError,
    NoSuchMessageError.

    `was_ham`: the message had $NotJunk before.
    """
    if imap.actions.with_flag(connection, mailbox, [uid], b"ALL", uidvalidity) != [uid]:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    imap.actions.set_flags(connection, mailbox, [uid], [FLAG, "$Junk"], False, uidvalidity)
    if to != mailbox:
        imap.actions.move_back(connection, mailbox, [uid], to, uidvalidity, [] if was_ham else [HAM])


def note(user: User, message: Message, outbox: int) -> PhishingReport:
    """Record a report; one row per user and message, even if reported again. `outbox` is the outbox row's id, or 0."""
    envelope = message.envelope
    sender = envelope.sender[0].email if envelope.sender else ""
    with db.atomic():
        known = (PhishingReport.user == user) & (PhishingReport.message_id == envelope.message_id)
        before = PhishingReport.get_or_none(known) if envelope.message_id else None
        if before is not None:
            again = {"outbox": outbox or before.outbox, "created": now(), "handled": None, "handler": ""}
            PhishingReport.update(again).where(PhishingReport.id == before.id).execute()
            return before
        return PhishingReport.create(
            user=user, sender=sender[:254], subject=envelope.subject[:1000], message_id=envelope.message_id, outbox=outbox
        )


def find(user: User, report_id: int) -> PhishingReport | None:
    """The user's report, or None."""
    known = 0 < report_id < 2**63
    return PhishingReport.get_or_none((PhishingReport.id == report_id) & (PhishingReport.user == user)) if known else None


def withdraw(report: PhishingReport) -> None:
    PhishingReport.delete().where(PhishingReport.id == report.id).execute()


def listing(page: int) -> tuple[list[PhishingReport], bool]:
    """A page (from 1) of all users' reports with their users, newest first, and whether there are more. 1 query."""
    rows = (
        PhishingReport.select(PhishingReport, User)
        .join(User)
        .order_by(PhishingReport.created.desc(), PhishingReport.id.desc())
        .limit(_ON_A_PAGE + 1)
        .offset((page - 1) * _ON_A_PAGE)
    )
    found = list(rows)
    return found[:_ON_A_PAGE], len(found) > _ON_A_PAGE


def count_open() -> int:
    """How many reports no administrator has dealt with. 1 query."""
    return PhishingReport.select().where(PhishingReport.handled.is_null()).count()


def set_handled(report_id: int, by: str) -> bool:
    """Note that the administrator `by` (an address; "": nobody) dealt with a report; returns whether there is such a report."""
    if not 0 < report_id < 2**63:
        return False
    values = {"handled": now() if by else None, "handler": by}
    return bool(PhishingReport.update(values).where(PhishingReport.id == report_id).execute())
