"""Unsynced drafts: those whose latest text is in the database only: puts them into Drafts, says why that failed, lists them.

A page tries at once (`put`), within seconds; whatever is left is due for the worker (`put_due`), which tries until it succeeds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.account import Account
from webmail.compose import identities
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_copies, drafts, sealed_drafts
from webmail.compose.drafts.drafts import CopyTrouble
from webmail.compose.encryption.protection_errors import ProtectionError
from webmail.config.settings import Settings
from webmail.errors import MailError, OverQuotaError, ServerAwayError, SignInRefusedError
from webmail.models import DraftRow, Outbox, OutboxState, User, now
from webmail.storage import StorageAwayError, StorageFullError

log = logging.getLogger(__name__)

PATIENCE = 4.0  # seconds that a page waits for each answer of the mail server; from half its own patience on, all pages learn
EVERY = timedelta(seconds=15)  # how often the worker tries while the mail server is away
_RARELY = timedelta(minutes=5)  # and where only the user or the administrator can help
_AT_ONCE = 500  # drafts that one turn of the worker looks at
_LISTED = 50
_DONE = (OutboxState.SENT, OutboxState.CANCELLED)


def put(row: DraftRow, account: Account, settings: Settings, credential: bytes | None, patience: float | None = PATIENCE) -> bool:
    """Put the latest text of a draft into the Drafts folder; whether it is there. Never raises a MailError.

    If it is not, `row.copy_error` says why, and the worker tries again, with `credential` (sealed) where it has no tokens.
    """
    if not drafts.unsaved(row):
        return True
    if sealed_drafts.lacks_text(row):
        return False
    try:
        if draft_copies.save(row, account, identities.of_draft(row, settings), settings, patience=patience):
            return True
    except ProtectionError as error:  # its files can't be opened now; a page that opens them puts it there
        log.info("draft %s is not in Drafts yet: %s", row.id, error)
        return False
    except MailError as error:
        log.info("draft %s is not in Drafts yet: %s", row.id, error)
        over = isinstance(error, SignInRefusedError) and credential is not None  # again and again it would lock the account
        if not _note(row, _trouble(error), None if over else credential, again=not over):
            return draft_copies.reread(row)
    return False


def _trouble(error: MailError) -> CopyTrouble:
    if isinstance(error, ServerAwayError):
        return CopyTrouble.AWAY
    if isinstance(error, OverQuotaError):
        return CopyTrouble.FULL
    if isinstance(error, StorageAwayError | StorageFullError | FilesGoneError):
        return CopyTrouble.FILES
    return CopyTrouble.REFUSED


def _note(row: DraftRow, trouble: CopyTrouble, credential: bytes | None, *, again: bool) -> bool:
    """False, and nothing is noted, if another attempt put it there meanwhile, or the draft is gone."""
    wait = EVERY if trouble is CopyTrouble.AWAY else _RARELY
    values = {"copy_error": trouble, "copy_due": now() + wait if again else None, "credential": credential}
    if not DraftRow.update(values).where((DraftRow.id == row.id) & _unsaved()).execute():
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


def _unsaved() -> pw.Expression:
    """SQL condition for what `drafts.unsaved` says of a row."""
    return DraftRow.saved_at.is_null() | (DraftRow.saved_mailbox == "") | (DraftRow.updated > DraftRow.saved_at)


def of_user(user: User) -> list[DraftRow]:
    """The user's drafts whose latest text is not in the Drafts folder, the latest first; at most 50. 1 query, 2 with any.

    Without those being written now, whose copy in the folder is a minute old at most.
    """
    typed = DraftRow.updated > DraftRow.created
    soon = DraftRow.copy_due.is_null(False) & (DraftRow.copy_due > now())  # NULL would exclude what nobody will put there
    writing = (DraftRow.saved_mailbox != "") & DraftRow.copy_error.is_null() & soon
    here = (DraftRow.user == user) & _unsaved() & typed & ~writing & DraftRow.id.not_in(_leaving())
    rows = DraftRow.select().where(here).order_by(DraftRow.updated.desc()).limit(_LISTED)
    return [row for row in rows if not drafts.is_empty(row)]


def _leaving() -> Any:
    return Outbox.select(Outbox.draft).where(Outbox.state.not_in([OutboxState.CANCELLED, OutboxState.FAILED]))


def pending(_settings: Settings) -> list[pw.Query]:
    """What `put_due` looks at."""
    return [_due()]


def _due() -> Any:
    return DraftRow.select().where(DraftRow.copy_due <= now())


def put_due(settings: Settings, account_for: Callable[[DraftRow], Account]) -> int:
    """Put the drafts that are due into Drafts; returns how many. For the worker, every few seconds.

    After one server did not answer, the others of that server wait for the next turn; once it answers, all of them go.
    """
    done, away = 0, False
    for row in list(_due().order_by(DraftRow.copy_due).limit(_AT_ONCE)):
        if not _is_wanted(row):
            continue
        if away:
            _later(row, EVERY)
            continue
        try:
            account = account_for(row)
        except MailError as error:  # signed out, and no password is kept: the next page that shows it puts it there
            log.info("draft %s can't be put into Drafts: %s", row.id, error)
            _later(row, None)
            continue
        done += put(row, account, settings, row.credential, patience=None)
        away = row.copy_error == CopyTrouble.AWAY
    return done


def _is_wanted(row: DraftRow) -> bool:
    """Whether this draft belongs in Drafts; if not, it is not due any more, or only once it did not leave after all."""
    sent = Outbox.select(Outbox.state).where(Outbox.draft == row.id).first()
    if sent is not None and sent.state not in (*_DONE, OutboxState.FAILED):
        _later(row, _RARELY)
        return False
    if row.seal_public is not None:  # the worker can't read it: the page that stored it put it there, or the next one does
        _later(row, None)
        return False
    needless = row.updated <= row.created or drafts.is_empty(row)
    if not drafts.unsaved(row) or needless or (sent is not None and sent.state == OutboxState.SENT):
        _later(row, None)
        return False
    return True


def _later(row: DraftRow, wait: timedelta | None) -> None:
    """Unless it was changed meanwhile."""
    due = now() + wait if wait else None
    DraftRow.update(copy_due=due).where((DraftRow.id == row.id) & (DraftRow.copy_due == row.copy_due)).execute()
