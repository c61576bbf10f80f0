"""Delivery: the worker's side of the outbox.

It takes a message, sends it, tries again or gives up, and recovers what a dead worker held. The states are told in `queue.py`.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail import smtp
from webmail.account import Account
from webmail.compose import draft_copies, drafts, identities
from webmail.compose.draft_cleanup import KEPT_DAYS
from webmail.compose.outbox import filing, send_errors, spool
from webmail.compose.outbox.queue import LIGHT, log
from webmail.config import Settings
from webmail.database.connection import db
from webmail.errors import MailError, SendRefused, SendUncertain, ServerAway
from webmail.models import DraftRow, Outbox, OutboxState, now

AccountFor = Callable[[Outbox], Account]


LEASE = timedelta(seconds=45)  # a worker dead for so long has lost its row


HEARTBEAT_SECONDS = 10.0


_HOME_AGAIN = timedelta(minutes=10)


GIVE_UP = timedelta(days=1)


_WAITS = [1, 2, 5, 15, 30, 60]  # minutes before the next try; the last one repeats


class LeaseLost(MailError):
    """Another worker has taken the message over: this one must not finish."""


def deliver(outbox_id: int, settings: Settings, account_for: AccountFor) -> datetime | None:
    """Send a message that is due, then file it; returns when to come back for it, or None when there is nothing more to do.

    A message that another worker has, or that was undone, is left alone. Raises nothing that a server can cause.
    """
    if row := _take(outbox_id):
        account = _account(row, account_for)
        if account is not None:
            with _lease_kept(row):
                _send(row, account, settings)
    filing.file(outbox_id, settings, account_for)
    _bring_home(outbox_id, settings, account_for)
    left = Outbox.select(*LIGHT).where(Outbox.id == outbox_id).first()
    if left is None or not (left.state == OutboxState.WAITING or filing.is_unfinished(left)):
        return None
    return left.due


def _take(outbox_id: int) -> Outbox | None:
    """Become the one who sends this row, or None."""
    due = (Outbox.id == outbox_id) & (Outbox.state == OutboxState.WAITING) & (Outbox.due <= now())
    free = Outbox.lease.is_null() | (Outbox.lease < now())
    taken = Outbox.update(state=OutboxState.SENDING, handed_over=False, attempts=Outbox.attempts + 1, lease=now() + LEASE).where(
        due & free
    )
    if not taken.execute():
        return None
    row = Outbox.get_or_none(Outbox.id == outbox_id)
    return row if row is not None and row.state == OutboxState.SENDING else None


def _account(row: Outbox, account_for: AccountFor) -> Account | None:
    try:
        return account_for(row)
    except MailError as error:
        _failed(row, send_errors.note(error), {})
        return None


def _send(row: Outbox, account: Account, settings: Settings) -> None:
    recipients = json.loads(row.recipients)

    def before_final_dot() -> None:
        lease = now() + LEASE
        if not _mine(row, [OutboxState.SENDING], handed_over=True, lease=lease):
            raise LeaseLost(f"outbox {row.id} was taken over")

    try:
        envelope_id = row.message_id.strip("<>") if row.dsn else ""
        with spool.opened(bytes(row.content), settings) as content:
            refused = smtp.send(account, row.sender, recipients, content, dsn=envelope_id, before_final_dot=before_final_dot)
    except SendUncertain as error:
        log.warning("outbox %d: uncertain: %s", row.id, error)
        _mine(row, [OutboxState.SENDING], state=OutboxState.UNCERTAIN, lease=None, error=send_errors.note(error), credential=None)
    except SendRefused as error:
        _not_sent(row, recipients, error.refused, send_errors.note(error), permanent=error.permanent)
    except ServerAway as error:
        _not_sent(row, recipients, {}, send_errors.note(error), permanent=False)
    except LeaseLost:
        log.warning("outbox %d: another worker took over before the final dot", row.id)
    except MailError as error:  # sign-in refused, an address that can't go into a command
        _not_sent(row, recipients, {}, send_errors.note(error), permanent=True)
    else:
        _accepted(row, refused)
    if Outbox.select(Outbox.id).where((Outbox.id == row.id) & (Outbox.state == OutboxState.FAILED)).exists():
        _back_to_drafts(row, account, settings)


def _accepted(row: Outbox, refused: dict[str, str]) -> None:
    """At least one recipient's copy is on its way. Those refused for now are tried again, alone."""
    later = [address for address, words in refused.items() if words.startswith("4")]
    known = json.loads(row.refused) | {a: w for a, w in refused.items() if a not in later}
    values: dict[str, Any] = {"sent_at": row.sent_at or now(), "lease": None, "refused": json.dumps(known)}
    if later and now() - _began(row) < GIVE_UP:
        values |= {"state": OutboxState.WAITING, "recipients": json.dumps(later), "handed_over": False, "due": _next(row)}
    else:
        known |= {a: refused[a] for a in later}
        values |= {"state": OutboxState.SENT, "due": now(), "error": "", "attempts": 0, "refused": json.dumps(known)}
    # UNCERTAIN: another worker thought this one dead, but here is the server's answer.
    _mine(row, [OutboxState.SENDING, OutboxState.UNCERTAIN], **values)


def _not_sent(row: Outbox, recipients: list[str], refused: dict[str, str], words: str, *, permanent: bool) -> None:
    """Nobody got anything in this turn. For now: later again, without the recipients refused for good. For good: that is it."""
    lost = {a: w for a, w in refused.items() if w.startswith("5")}
    left = [a for a in recipients if a not in lost]
    known = json.loads(row.refused) | lost
    if permanent or not left or now() - _began(row) >= GIVE_UP:
        # where nobody got it the message failed as a whole; where some did, each of the others is to be named
        known |= {a: refused.get(a, words) for a in recipients} if row.sent_at else refused
        _failed(row, words, known)
        return
    log.info("outbox %d: not sent for now: %s", row.id, words)
    _mine(
        row, [OutboxState.SENDING], state=OutboxState.WAITING, handed_over=False, lease=None, due=_next(row), error=words,
        recipients=json.dumps(left), refused=json.dumps(known),
    )  # fmt: skip


def _failed(row: Outbox, words: str, refused: dict[str, str]) -> None:
    """Given up. A message that some recipients got in an earlier turn is sent, with the others named, never failed."""
    log.warning("outbox %d: given up: %s", row.id, words)
    values: dict[str, Any] = {"lease": None, "due": now(), "refused": json.dumps(refused)}
    if row.sent_at:
        values |= {"state": OutboxState.SENT, "error": "", "attempts": 0}
    else:
        values |= {"state": OutboxState.FAILED, "error": words, "credential": None}
    _mine(row, [OutboxState.SENDING], **values)


def _back_to_drafts(row: Outbox, account: Account, settings: Settings) -> None:
    """A message that could not be sent should be among the drafts, wherever the person looks for it."""
    draft = DraftRow.get_or_none(DraftRow.id == row.draft)
    if draft is None or not drafts.unsaved(draft):
        return
    try:
        draft_copies.save(draft, account, identities.of_draft(draft, settings), settings)
    except MailError as error:
        log.warning("outbox %d: failed, and no copy in Drafts yet: %s", row.id, error)
        Outbox.update(due=now() + _HOME_AGAIN).where((Outbox.id == row.id) & (Outbox.state == OutboxState.FAILED)).execute()


def _homeless() -> pw.Expression:
    """Rows that failed while Drafts could not be reached, as a condition."""
    unsaved = DraftRow.saved_at.is_null() | (DraftRow.saved_mailbox == "") | (DraftRow.updated > DraftRow.saved_at)
    return (Outbox.state == OutboxState.FAILED) & Outbox.draft.in_(DraftRow.select(DraftRow.id).where(unsaved))


def _bring_home(outbox_id: int, settings: Settings, account_for: AccountFor) -> None:
    """A failed message that is not in Drafts yet. Without our tokens nobody can get there but the person."""
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
    """From when on it should have left: the day for trying again begins there."""
    return row.scheduled or row.created


def _older_than(limit: datetime) -> pw.Expression:
    """The same, as a condition."""
    return (Outbox.created < limit) & (Outbox.scheduled.is_null() | (Outbox.scheduled < limit))


def _next(row: Outbox) -> datetime:
    return now() + timedelta(minutes=_WAITS[min(row.attempts, len(_WAITS)) - 1])


def _mine(row: Outbox, states: list[OutboxState], **values: Any) -> bool:
    """Change the row if it is still in one of these states and this is still its turn."""
    held = (Outbox.id == row.id) & Outbox.state.in_(states) & (Outbox.attempts == row.attempts)
    return bool(Outbox.update(**values).where(held).execute())


@contextlib.contextmanager
def _lease_kept(row: Outbox) -> Iterator[None]:
    """Renew the lease while the block runs, from a thread: a slow server is not a dead worker."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            try:
                with db.connection_context():
                    _mine(row, [OutboxState.SENDING], lease=now() + LEASE)
            except pw.OperationalError as error:  # the database is busy: the next beat may do
                log.warning("outbox %d: lease not renewed: %s", row.id, error)

    thread = threading.Thread(target=beat, name=f"lease-{row.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def recover() -> int:
    """Take rows back from workers that died: before the final dot they wait again, after it nobody can know.

    One that workers die of for a whole day is given up.
    """
    stale = (Outbox.state == OutboxState.SENDING) & (Outbox.lease.is_null() | (Outbox.lease < now()))
    unsent = stale & (Outbox.handed_over == False)  # noqa: E712
    lost = Outbox.update(state=OutboxState.UNCERTAIN, lease=None, error=send_errors.STOPPED, credential=None)
    over = Outbox.update(state=OutboxState.FAILED, lease=None, error=send_errors.STOPPED, credential=None)
    back = Outbox.update(state=OutboxState.WAITING, lease=None)
    return (
        lost.where(stale & (Outbox.handed_over == True)).execute()  # noqa: E712
        + over.where(unsent & Outbox.sent_at.is_null() & _older_than(now() - GIVE_UP)).execute()
        + back.where(unsent).execute()
    )


def sweep(settings: Settings) -> list[int]:
    """Recover, purge what is older than 30 days, and return the ids of the rows that `deliver` should look at now."""
    if count := recover():
        log.warning("%d messages taken back from a worker that died", count)
    limit = now() - timedelta(days=KEPT_DAYS)
    over = [OutboxState.SENT, OutboxState.CANCELLED, OutboxState.FAILED, OutboxState.UNCERTAIN]
    Outbox.delete().where(Outbox.state.in_(over) & _older_than(limit)).execute()
    spool.sweep(settings)
    waiting = Outbox.state == OutboxState.WAITING
    ready = (Outbox.due <= now()) & (waiting | filing.unfinished() | _homeless())
    if not settings.token_key_file:
        ready = (Outbox.due <= now()) & (waiting | filing.unfinished())
    return [row.id for row in Outbox.select(Outbox.id).where(ready).order_by(Outbox.due)]
