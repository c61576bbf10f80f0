"""Check queue: the worker takes whole files in turn, each by one worker, which holds a lease on it as long as it reads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import MailError
from webmail.models import ContentState, StoredContent, TransferFile, now
from webmail.storage import FileGoneError, StorageAwayError
from webmail.transfers import trail
from webmail.transfers.content import ContentDamagedError, WrongKeyError
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import checking

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)
LEASE = timedelta(minutes=3)  # a worker that does not renew it for so long is dead
_RENEW_SECONDS = 45.0
_PAUSE = timedelta(minutes=1)  # before a file is tried again, where the storage or the scanner is away
_LONGEST_PAUSE = timedelta(days=1)  # where waiting does not help: as long as it has waited already, and so ever longer
_FRESH = timedelta(seconds=5)  # the request that brought the last bytes may be at it
DAMAGED = "damaged"  # detail of a refusal


def check_next(settings: Settings) -> bool:
    """Check one file that nobody else checks; whether there was one. It may take minutes: 10 GB are read whole."""
    stored = _take()
    if stored is None:
        return False
    pause = _PAUSE
    try:
        with _leased(stored):
            checking.check(stored, settings)
    except (ContentDamagedError, FileGoneError) as error:
        log.error("content %s is damaged: %s", stored.name, error)
        _refuse(stored)
    except StorageAwayError as error:
        log.warning("content %s is checked later: %s", stored.name, error)
    except WrongKeyError:
        pause = _pause_of(stored)
        tell = log.error if stored.check_lease is None else log.info  # once: the doctor says it as long as it lasts
        tell("content %s can't be checked: secret_key is another than when it was sent", stored.name)
    except MailError as error:
        pause = _pause_of(stored)
        log.error("content %s can't be checked, next in %s: %s", stored.name, pause, error)
    still = (StoredContent.id == stored.id) & (StoredContent.state == ContentState.CHECKING)
    StoredContent.update(check_lease=now() + pause).where(still).execute()
    return True


def _pause_of(stored: StoredContent) -> timedelta:
    return min(max(now() - stored.touched, _PAUSE), _LONGEST_PAUSE)


def pending(_settings: Settings) -> list[pw.Query]:
    """What `check_next` would take."""
    waits, settled = _waiting()
    return [StoredContent.select(StoredContent.id).where(waits & settled)]


def _waiting() -> tuple[Any, Any]:
    """Conditions: that nobody checks it and somebody should, and that it is whole."""
    free = StoredContent.check_lease.is_null() | (StoredContent.check_lease < now())
    waits = (StoredContent.state == ContentState.CHECKING) & (StoredContent.key_in_link == 0) & free
    return waits, StoredContent.touched < now() - _FRESH


def _take() -> StoredContent | None:
    """Lease the next one: an UPDATE decides among workers."""
    waits, settled = _waiting()
    for row in list(StoredContent.select().where(waits & settled).order_by(StoredContent.id).limit(20)):
        if StoredContent.update(check_lease=now() + LEASE).where((StoredContent.id == row.id) & waits).execute():
            return row
    return None


@contextmanager
def _leased(stored: StoredContent) -> Iterator[None]:
    """Renew the lease as long as the file is read."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(_RENEW_SECONDS):
            try:
                with db.connection_context():
                    StoredContent.update(check_lease=now() + LEASE).where(StoredContent.id == stored.id).execute()
            except DATABASE_AWAY as error:
                log.warning("the lease of content %s was not renewed: %s", stored.name, error)

    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()


def _refuse(stored: StoredContent) -> None:
    mine = (StoredContent.id == stored.id) & (StoredContent.state == ContentState.CHECKING)
    with db.atomic():
        if StoredContent.update(state=ContentState.REFUSED, finding=DAMAGED).where(mine).execute():
            for file in TransferFile.select().where(TransferFile.content == stored):
                trail.note(trail.home(file.transfer), EventKind.FILE_REFUSED, file=file, detail=DAMAGED)
