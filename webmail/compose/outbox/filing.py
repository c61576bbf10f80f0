"""Filing: after SMTP accepted a message, copies it to Sent, removes the draft and marks the original.

Each step is recorded in the row when done and retried independently when it fails; a failure never makes a sent message look
unsent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, timedelta

import peewee as pw

from webmail import imap
from webmail.account import Account
from webmail.compose.attachments import uploads
from webmail.compose.awaited import awaited_marks, awaited_replies
from webmail.compose.drafts import draft_copies, draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.outbox import send_errors, spool
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import MailboxChangedError, MailError, NoSuchMailboxError, NoSuchMessageError, NotAllowedError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.reading import messages
from webmail.mail import Address, Role
from webmail.mime.headers import headers
from webmail.models import DraftRow, Outbox, OutboxState, User, now
from webmail.people import correspondents
from webmail.system_mail.send_attempts import LEASE, LeaseLostError, SendQueue

log = logging.getLogger(__name__)

SAVED = ("saved_mailbox", "saved_uidvalidity", "saved_uid")
TRACKED = ("source_mailbox", "source_uidvalidity", "source_uid", "source_flag", *SAVED)
_queue = SendQueue(Outbox, "outbox")
_HELD = (OutboxState.SENT, OutboxState.WAITING)
_WAITS = [1, 2, 5, 15, 30, 60, 180, 360]  # retry delays in minutes; the last one repeats


def unfinished() -> pw.Expression:
    """SQL condition for rows that were sent but not completely filed."""
    unsettled = Outbox.draft.in_(DraftRow.select(DraftRow.id).where(DraftRow.copy_mark.is_null(False)))
    left = (Outbox.filed == False) | (Outbox.saved_uid != 0) | (Outbox.source_flag != "") | unsettled  # noqa: E712
    return (Outbox.state == OutboxState.SENT) & left


def is_unfinished(row: Outbox) -> bool:
    """The same for a row at hand."""
    if row.state != OutboxState.SENT:
        return False
    if not row.filed or row.saved_uid or row.source_flag:
        return True
    return DraftRow.select().where((DraftRow.id == row.draft) & DraftRow.copy_mark.is_null(False)).exists()


def file(outbox_id: int, settings: Settings, account_for: Callable[[Outbox], Account]) -> bool:
    """Carry out the remaining steps for a sent message; returns whether all are done. False too if there is nothing to do, it is
    not due yet, or another worker holds the lease.

    Round trips: SEARCH and APPEND in Sent; STORE and EXPUNGE in Drafts; STORE on the original.
    """
    row = _take(outbox_id)
    if row is None:
        return False
    errors = []
    try:
        account = account_for(row)
    except MailError as error:
        errors.append(send_errors.note(error))
    else:
        with _queue.lease_kept(row, _HELD):
            errors += _steps(row, account, settings)
    _release(row, errors)
    return not errors


def _steps(row: Outbox, account: Account, settings: Settings) -> list[str]:
    """Carry out the steps that remain; what went wrong."""
    errors = []
    for step in (_copy_to_sent, _remove_draft, _mark_source):
        try:
            step(row, account, settings)
        except MailError as error:
            log.warning("outbox %d is sent, but %s: %s", row.id, step.__name__.strip("_"), error)
            errors.append(send_errors.note(error))
            if isinstance(error, LeaseLostError):
                break
    return errors


def _still_held(row: Outbox) -> None:
    """Renew the lease before a step that must not be done twice. Raises LeaseLostError if another worker took the row over."""
    if not _queue.change(row, _HELD, lease=now() + LEASE):
        raise LeaseLostError(f"outbox {row.id} was taken over")


def _take(outbox_id: int) -> Outbox | None:
    """Lease the row, or None. A row accepted for some recipients and waiting to retry the others is filed meanwhile too."""
    accepted = (Outbox.state == OutboxState.WAITING) & Outbox.sent_at.is_null(False) & (Outbox.filed == False)  # noqa: E712
    free = Outbox.lease.is_null() | (Outbox.lease < now())
    due = (Outbox.due <= now()) | accepted
    taken = Outbox.update(lease=now() + LEASE, attempts=Outbox.attempts + 1)
    if not taken.where((Outbox.id == outbox_id) & (unfinished() | accepted) & free & due).execute():
        return None
    return Outbox.get_or_none(Outbox.id == outbox_id)


def _release(row: Outbox, errors: list[str]) -> None:
    values: dict[str, object] = {"lease": None}
    if row.state == OutboxState.SENT:
        values["error"] = errors[0] if errors else ""
        if errors:
            values["due"] = now() + timedelta(minutes=_WAITS[min(row.attempts, len(_WAITS)) - 1])
        else:
            values["credential"] = None
    _queue.change(row, _HELD, **values)


def _note(row: Outbox, **values: object) -> None:
    Outbox.update(**values).where(Outbox.id == row.id).execute()
    for name, value in values.items():
        setattr(row, name, value)


def _copy_to_sent(row: Outbox, account: Account, settings: Settings) -> None:
    """Idempotent: searches Sent first, since a worker may have died after APPEND, and some servers save sent mail themselves."""
    if not row.filed:
        draft = DraftRow.get_or_none(DraftRow.id == row.draft)
        hidden = draft_message.readable_addresses(draft.bcc) if draft else ()
        awaited = awaited_replies.of_message(row.user, row.message_id)
        with spool.opened(bytes(row.content), settings) as content:
            with imap.connect(account) as conn:
                sent, found = _copies(conn, row)
                at = (conn.uidvalidity, max(found)) if found else (0, 0)
                marked = awaited is not None and awaited_marks.is_kept(conn)
                if not found:
                    _still_held(row)
                    when = (row.sent_at or now()).replace(tzinfo=UTC)
                    flags = ("\\Seen", awaited_marks.KEYWORD) if marked else ("\\Seen",)
                    at = messages.append(conn, sent, content, flags=flags, when=when, top=_bcc(hidden))
                elif marked:
                    imap.actions.set_flags(conn, sent, found, [awaited_marks.KEYWORD])
            if awaited is not None:
                awaited_replies.note_sent(awaited, sent, *at, marked=marked)
            _note(row, filed=True)
            content.seek(0)
            correspondents.note(row, hidden, content.read(headers.HEADER_LIMIT))
    if row.state == OutboxState.SENT:
        content_before = bytes(row.content)
        _note(row, content=b"")
        spool.remove(content_before, settings)


def _copies(conn: Connection, row: Outbox) -> tuple[str, list[int]]:
    """The folder for the copy (the identity's own if it still exists, else Sent) and the UIDs of copies already there."""
    if row.sent_mailbox:
        try:
            return row.sent_mailbox, messages.find_message_id(conn, row.sent_mailbox, row.message_id)
        except (NoSuchMailboxError, NotAllowedError) as error:
            log.info("outbox %d: the copy goes to Sent: %s", row.id, error)
    sent = mailboxes.for_role(conn, Role.SENT)
    return sent, messages.find_message_id(conn, sent, row.message_id)


def _bcc(hidden: Iterable[Address]) -> bytes:
    """The Bcc header for the copy in Sent; the message that was sent has none."""
    shown = [a.email for a in hidden if a.email.isascii()]
    return b"Bcc: " + ",\r\n ".join(shown).encode() + b"\r\n" if shown else b""


def _remove_draft(row: Outbox, account: Account, settings: Settings) -> None:
    if row.state != OutboxState.SENT:
        return
    draft = DraftRow.get_or_none(DraftRow.id == row.draft)
    if draft is not None:
        draft_copies.settle(draft, account)
    with db.atomic():  # a concurrent autosave may have made a newer copy than the one recorded here
        draft = DraftRow.get_or_none(DraftRow.id == row.draft)
        if draft is not None:
            if draft.saved_uid:
                _note(row, **{name: getattr(draft, name) for name in SAVED})
            draft.delete_instance()
    uploads.remove_all(settings, row.draft)
    draft_copies.remove(account, row.saved_mailbox, row.saved_uidvalidity, row.saved_uid)
    _note(row, saved_mailbox="", saved_uidvalidity=0, saved_uid=0)


def _mark_source(row: Outbox, account: Account, settings: Settings) -> None:
    if row.source_flag and row.source_uid:
        flag = row.source_flag
        try:
            with imap.connect(account) as conn:
                imap.actions.set_flags(conn, row.source_mailbox, [row.source_uid], [flag], True, row.source_uidvalidity or None)
        except (NoSuchMessageError, NoSuchMailboxError, MailboxChangedError, NotAllowedError) as error:
            log.info("outbox %d: the original is not marked: %s", row.id, error)  # permanent, so no retry
    _note(row, source_flag="")


def draft_for_refused(row: Outbox, user: User, account: Account, settings: Settings) -> tuple[DraftRow, int] | None:
    """A new draft, made from the copy in Sent, for the refused recipients only, and the number of files left out.

    None if there is no such copy. Raises as `draft_copies.resume` does.
    """
    with imap.connect(account) as conn:
        sent, found = _copies(conn, row)
    if not found:
        return None
    draft, left_out = draft_copies.resume(user, account, sent, max(found), None, settings)
    fields = Fields(
        to=", ".join(json.loads(row.refused)), subject=draft.subject, body=draft.body, in_reply_to=draft.in_reply_to,
        references=draft.references,
    )  # fmt: skip
    drafts.update(draft, fields)
    return draft, left_out
