"""Phishing reports: marks a message, moves it to junk and records the report for administrators.

The message itself is sent to the configured address as an attachment, through the outbox (`views/phishing.py`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import peewee as pw

from webmail import imap
from webmail.database.connection import db
from webmail.desk import cases
from webmail.errors import NoSuchMessageError
from webmail.imap.bulk.actions import MovedMessages
from webmail.imap.connections.connection import Connection
from webmail.mail import Message, Role
from webmail.models import DeskKind, PhishingReport, User, now

FLAG = "$Phishing"
HAM = "$NotJunk"
EVERYBODY = pw.SQL("1 = 1")
MOST_CASES = 20  # that one person's reports open in a day
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
            _to_desk(before, user)
            return before
        row = PhishingReport.create(
            user=user, sender=sender[:254], subject=envelope.subject[:1000], message_id=envelope.message_id, outbox=outbox
        )
        _to_desk(row, user)
        return row


def _to_desk(report: PhishingReport, user: User) -> None:
    """Open a case for a report, one for each message and domain, and for each person not more than MOST_CASES a day: further
    ones are on the page of reports alone. 3 queries."""
    lately = (PhishingReport.user == user) & (PhishingReport.created > now() - timedelta(days=1))
    if PhishingReport.select().where(lately).count() > MOST_CASES:
        return
    if not cases.is_open(DeskKind.PHISHING, [one.id for one in _alike(report, user)]):
        cases.open_case(DeskKind.PHISHING, report.id, user=user, text=report.subject)


def _alike(report: PhishingReport, user: User) -> list[PhishingReport]:
    """Other reports of the same message by colleagues, that nobody has dealt with. 1 query."""
    if not report.message_id:
        return []
    same = (PhishingReport.message_id == report.message_id) & (PhishingReport.sender == report.sender)
    mine = (PhishingReport.id != report.id) & (User.domain == user.domain) & PhishingReport.handled.is_null()
    rows = PhishingReport.select(PhishingReport, User).join(User).where(same, mine)
    return list(rows.order_by(PhishingReport.created).limit(1000))


def find(user: User, report_id: int) -> PhishingReport | None:
    """The user's report, or None."""
    known = 0 < report_id < 2**63
    return PhishingReport.get_or_none((PhishingReport.id == report_id) & (PhishingReport.user == user)) if known else None


def of_scope(report_id: int, accounts: Any) -> PhishingReport | None:
    """A report of one of these accounts (a condition on `User`), with who made it. 1 query."""
    if not 0 < report_id < 2**63:
        return None
    rows = PhishingReport.select(PhishingReport, User).join(User)
    return rows.where(PhishingReport.id == report_id, accounts).first()


def together(report: PhishingReport, accounts: Any) -> list[PhishingReport]:
    """All reports of the same message by these accounts, with who made them: of its Message-ID, else the one alone. 1 query."""
    same = PhishingReport.id == report.id
    if report.message_id:
        same |= (PhishingReport.message_id == report.message_id) & (PhishingReport.sender == report.sender)
    rows = PhishingReport.select(PhishingReport, User).join(User).where(same, accounts)
    return list(rows.order_by(PhishingReport.created).limit(1000))


def take_thanks(report: PhishingReport, by: str) -> bool:
    """Note that its reporter is thanked, and that it was dealt with; whether they had not been. 1 UPDATE."""
    values = {"thanked": now(), "handled": report.handled or now(), "handler": report.handler or by}
    still = (PhishingReport.id == report.id) & PhishingReport.thanked.is_null()
    return bool(PhishingReport.update(values).where(still).execute())


def withdraw(report: PhishingReport) -> None:
    with db.atomic():
        others = _alike(report, report.user)
        cases.withdraw(DeskKind.PHISHING, report.id)
        PhishingReport.delete().where(PhishingReport.id == report.id).execute()
        if others:  # the case may have been for theirs too
            _to_desk(others[0], others[0].user)


def listing(page: int, accounts: Any = EVERYBODY) -> tuple[list[PhishingReport], bool]:
    """A page (from 1) of the reports of these accounts with their users, newest first, and whether there are more. 1 query."""
    rows = (
        PhishingReport.select(PhishingReport, User)
        .join(User)
        .where(accounts)
        .order_by(PhishingReport.created.desc(), PhishingReport.id.desc())
        .limit(_ON_A_PAGE + 1)
        .offset((page - 1) * _ON_A_PAGE)
    )
    found = list(rows)
    return found[:_ON_A_PAGE], len(found) > _ON_A_PAGE


def count_open(accounts: Any = EVERYBODY) -> int:
    """How many reports of these accounts no administrator has dealt with. 1 query."""
    return int(PhishingReport.select().join(User).where(PhishingReport.handled.is_null(), accounts).count())


def set_handled(report_id: int, by: str) -> bool:
    """Note that the administrator `by` (an address; "": nobody) dealt with a report; returns whether there is such a report."""
    if not 0 < report_id < 2**63:
        return False
    values = {"handled": now() if by else None, "handler": by}
    with db.atomic():
        if by:
            cases.settle(DeskKind.PHISHING, [report_id], by)
        else:
            cases.reopen(DeskKind.PHISHING, report_id)
        return bool(PhishingReport.update(values).where(PhishingReport.id == report_id).execute())
