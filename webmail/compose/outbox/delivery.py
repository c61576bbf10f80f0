"""Delivery: the worker's side of the outbox, which leases messages, sends them by SMTP, retries, and recovers stale leases.

The states and transitions are described in `queue.py`; leases and retry times are those of `system_mail/send_attempts.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial, reduce
from operator import or_
from typing import Any

import peewee as pw

from webmail import smtp
from webmail.account import Account
from webmail.compose import identities
from webmail.compose.drafts import draft_copies, drafts
from webmail.compose.drafts.draft_cleanup import KEPT_DAYS
from webmail.compose.large_files.large_files import FilesStoppedError, FileState
from webmail.compose.outbox import filing, hidden_copies, link_gate, send_errors, spool
from webmail.compose.outbox.queue import LIGHT, log
from webmail.compose.outbox.send_errors import SendErrorKind
from webmail.config.settings import Settings
from webmail.database.pieces import in_pieces
from webmail.errors import MailError, SendRefusedError, SendUncertainError, ServerAwayError
from webmail.models import DraftRow, Outbox, OutboxState, now
from webmail.storage import StorageAwayError
from webmail.system_mail.send_attempts import GIVE_UP, LeaseLostError, SendQueue, next_try

AccountFor = Callable[[Outbox], Account]

_HOME_AGAIN = timedelta(minutes=10)
_JUST_NOW = timedelta(minutes=1)
_RELEASED = 500  # messages made due at once; the sweep comes each minute
_MOST_FORGOTTEN = 500  # rows in one sweep
_queue = SendQueue(Outbox, "outbox")
_mine = _queue.change


def deliver(outbox_id: int, settings: Settings, account_for: AccountFor) -> datetime | None:
    """Send a message that is due, then file it; returns when to call again, or None if it is finished.

    A message that another worker holds, that was undone or whose large files are still coming, is skipped. Server errors are
    stored in the row, never raised.
    """
    if hidden_copies.may_leave(outbox_id) and link_gate.may_leave(outbox_id, settings) and (row := _queue.take(outbox_id)):
        account = _account(row, account_for)
        if account is not None:
            with _queue.lease_kept(row):
                _send(row, account, settings)
    filing.file(outbox_id, settings, account_for)
    _bring_home(outbox_id, settings, account_for)
    left = Outbox.select(*LIGHT).where(Outbox.id == outbox_id).first()
    if left is None or not (left.state == OutboxState.WAITING or filing.is_unfinished(left)):
        return None
    return left.due


def _account(row: Outbox, account_for: AccountFor) -> Account | None:
    try:
        return account_for(row)
    except MailError as error:
        _failed(row, send_errors.note(error), {})
        return None


def _send(row: Outbox, account: Account, settings: Settings) -> None:
    recipients = json.loads(row.recipients)
    try:
        leaving = link_gate.prepared(row, settings)
        handing_over = partial(link_gate.before_final_dot, leaving, partial(_queue.hand_over, row), settings)
        envelope_id = row.message_id.strip("<>") if row.dsn else ""
        with spool.opened(bytes(row.content), settings) as content:
            refused = smtp.send(account, row.sender, recipients, content, dsn=envelope_id, before_final_dot=handing_over)
    except SendUncertainError as error:
        log.warning("outbox %d: uncertain: %s", row.id, error)
        _mine(row, [OutboxState.SENDING], state=OutboxState.UNCERTAIN, lease=None, error=send_errors.note(error), credential=None)
    except SendRefusedError as error:
        _not_sent(row, recipients, error.refused, send_errors.note(error), permanent=error.permanent)
    except (ServerAwayError, StorageAwayError) as error:
        _not_sent(row, recipients, {}, send_errors.note(error), permanent=False)
    except LeaseLostError:
        log.warning("outbox %d: another worker took over before the final dot", row.id)
    except FilesStoppedError as error:
        coming = error.state is FileState.COMING  # a file was added at this moment
        noted = send_errors.FILES_COMING if coming else send_errors.note(error)
        _not_sent(row, recipients, {}, noted, permanent=not coming)
    except MailError as error:  # e.g. authentication failed, or an address that is unsafe in a command
        _not_sent(row, recipients, {}, send_errors.note(error), permanent=True)
    else:
        _accepted(row, refused)
    if Outbox.select(Outbox.id).where((Outbox.id == row.id) & (Outbox.state == OutboxState.FAILED)).exists():
        _back_to_drafts(row, account, settings)


def _accepted(row: Outbox, refused: dict[str, str]) -> None:
    """At least one recipient was accepted. Only those refused temporarily (4xx) are retried."""
    later = [address for address, words in refused.items() if words.startswith("4")]
    known = json.loads(row.refused) | {a: w for a, w in refused.items() if a not in later}
    values: dict[str, Any] = {"sent_at": row.sent_at or now(), "lease": None, "refused": json.dumps(known)}
    if later and now() - _began(row) < GIVE_UP:
        values |= {"state": OutboxState.WAITING, "recipients": json.dumps(later), "handed_over": False}
        values["due"] = next_try(row.attempts)
    else:
        known |= {a: refused[a] for a in later}
        values |= {"state": OutboxState.SENT, "due": now(), "error": "", "attempts": 0, "refused": json.dumps(known)}
        if row.part_of is not None:  # it is filed nowhere, which would empty it
            values["content"] = b""
    # UNCERTAIN: another worker considered this one dead, but the server's reply has arrived after all.
    _mine(row, [OutboxState.SENDING, OutboxState.UNCERTAIN], **values)


def _not_sent(row: Outbox, recipients: list[str], refused: dict[str, str], text: str, *, permanent: bool) -> None:
    """No recipient was accepted in this attempt. Retries later without those refused permanently (5xx), or gives up."""
    lost = {a: w for a, w in refused.items() if w.startswith("5")}
    left = [a for a in recipients if a not in lost]
    known = json.loads(row.refused) | lost
    if permanent or not left or now() - _began(row) >= GIVE_UP:
        # if nobody received it, the message failed as a whole; if some did, list each of the others
        known |= {a: refused.get(a, text) for a in recipients} if row.sent_at else refused
        _failed(row, text, known)
        return
    log.info("outbox %d: not sent for now: %s", row.id, text)
    _mine(
        row, [OutboxState.SENDING], state=OutboxState.WAITING, handed_over=False, lease=None, due=next_try(row.attempts),
        error=text, recipients=json.dumps(left), refused=json.dumps(known),
    )  # fmt: skip


_SERVER_AWAY = (SendErrorKind.NOT_REACHED, SendErrorKind.NO_ANSWER, SendErrorKind.BROKE_OFF)


def due_again(outbox_id: int) -> list[int]:
    """After this message was sent: what waits because the server was away is due now, for it answers again. At most 500 ids.

    The same for copies in Sent once this one is filed. 1 SELECT, and 2 more queries where something waits.
    """
    just_sent = (Outbox.id == outbox_id) & (Outbox.sent_at > now() - _JUST_NOW)
    done = Outbox.select(Outbox.filed, Outbox.sent_at, Outbox.protection).where(just_sent).first()
    if done is None:
        return []
    hidden = hidden_copies.release(outbox_id) if done.protection else []
    away = reduce(or_, (Outbox.error.startswith(f"{kind}: ") for kind in _SERVER_AWAY))
    waiting = (Outbox.state == OutboxState.WAITING) | (filing.unfinished() if done.filed else pw.SQL("1 = 0"))
    found = [row.id for row in Outbox.select(Outbox.id).where((Outbox.due > now()) & waiting & away).limit(_RELEASED)]
    if found:
        Outbox.update(due=now()).where(Outbox.id.in_(found) & (Outbox.due > now()) & waiting).execute()
    return [*hidden, *found]


def _failed(row: Outbox, text: str, refused: dict[str, str]) -> None:
    """Give up. A message that some recipients received in an earlier attempt is SENT, listing the others, never FAILED."""
    log.warning("outbox %d: given up: %s", row.id, text)
    values: dict[str, Any] = {"lease": None, "due": now(), "refused": json.dumps(refused)}
    if row.sent_at:
        values |= {"state": OutboxState.SENT, "error": "", "attempts": 0}
    else:
        values |= {"state": OutboxState.FAILED, "error": text, "credential": None}
    _mine(row, [OutboxState.SENDING], **values)


def _back_to_drafts(row: Outbox, account: Account, settings: Settings) -> None:
    """Save a failed message to Drafts, so that users find it in any mail client. Retried later if that fails."""
    draft = DraftRow.get_or_none(DraftRow.id == row.draft)
    if draft is None or not drafts.unsaved(draft) or draft.seal_public is not None:  # its writer alone can read that
        return
    try:
        draft_copies.save(draft, account, identities.of_draft(draft, settings), settings)
    except MailError as error:
        log.warning("outbox %d: failed, and no copy in Drafts yet: %s", row.id, error)
        Outbox.update(due=now() + _HOME_AGAIN).where((Outbox.id == row.id) & (Outbox.state == OutboxState.FAILED)).execute()


def _homeless() -> pw.Expression:
    """SQL condition for failed rows whose draft is not saved in Drafts yet."""
    unsaved = DraftRow.saved_at.is_null() | (DraftRow.saved_mailbox == "") | (DraftRow.updated > DraftRow.saved_at)
    return (Outbox.state == OutboxState.FAILED) & Outbox.draft.in_(
        DraftRow.select(DraftRow.id).where(unsaved & DraftRow.seal_public.is_null())
    )


def _bring_home(outbox_id: int, settings: Settings, account_for: AccountFor) -> None:
    """Save a failed message to Drafts if it is not there yet. Needs token authentication: failed rows keep no password."""
    if not settings.token_key_file:
        return
    row = Outbox.select(*LIGHT).where((Outbox.id == outbox_id) & (Outbox.due <= now()) & _homeless()).first()
    if row is None:
        return
    try:
        account = account_for(row)
    except MailError as error:
        log.warning("outbox %d: failed, and Drafts is closed: %s", outbox_id, error)
        return
    _back_to_drafts(row, account, settings)


def _began(row: Outbox) -> datetime:
    """When the message was first due; retrying ends GIVE_UP after that."""
    return row.scheduled or row.created


def _older_than(limit: datetime) -> pw.Expression:
    """SQL condition for rows first due before `limit`."""
    return (Outbox.created < limit) & (Outbox.scheduled.is_null() | (Outbox.scheduled < limit))


def recover() -> int:
    """Recover rows with expired leases; returns how many. Before the final dot they become WAITING, after it UNCERTAIN.

    A message that has kept killing workers for GIVE_UP becomes FAILED.
    """
    return _queue.recover(Outbox.sent_at.is_null() & _older_than(now() - GIVE_UP), credential=None)


def _forget(these: pw.Expression) -> None:
    """Delete rows, which may hold large messages, a few at a time; those left over go with the next sweeps."""
    found = [row.id for row in Outbox.select(Outbox.id).where(these).limit(_MOST_FORGOTTEN)]
    for piece in in_pieces(found, 10):
        Outbox.delete().where(Outbox.id.in_(piece) & these).execute()


def sweep(settings: Settings) -> list[int]:
    """Recover expired leases, purge finished rows older than KEPT_DAYS, and return the ids of the rows due for `deliver`."""
    if count := recover():
        log.warning("%d messages taken back from a worker that died", count)
    limit = now() - timedelta(days=KEPT_DAYS)
    over = [OutboxState.SENT, OutboxState.CANCELLED, OutboxState.FAILED, OutboxState.UNCERTAIN]
    _forget(Outbox.state.in_(over) & _older_than(limit))
    spool.sweep(settings)
    waiting = Outbox.state == OutboxState.WAITING
    ready = (Outbox.due <= now()) & (waiting | filing.unfinished() | _homeless())
    if not settings.token_key_file:
        ready = (Outbox.due <= now()) & (waiting | filing.unfinished())
    return [row.id for row in Outbox.select(Outbox.id).where(ready).order_by(Outbox.due)]
