"""Operation lock: one operation of encryption of a person at a time, in all processes together.

Each process has its own places (`webmail/crypto/external_programs.py`); without this, somebody who opens large messages in
several tabs would have one in each. A lock is no write: an advisory one on PostgreSQL, of a file beside SQLite's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import peewee as pw

from webmail.crypto.errors import CryptoBusyError
from webmail.database.connection import db
from webmail.database.locks import LockBusyError, lock


@contextmanager
def keep_apart(owner: object, patience: float) -> Iterator[None]:
    """Of a person, by the `id` of their account; others have none. Raises CryptoBusyError after `patience` seconds.

    Outside a request, where PostgreSQL has no connection that would keep it, nothing is locked.
    """
    if not isinstance(owner, int) or db.obj is None or (isinstance(db.obj, pw.PostgresqlDatabase) and db.is_closed()):
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(lock(f"encryption-{owner}", patience))
        except LockBusyError as error:
            raise CryptoBusyError("another operation of this person takes too long, in another process", own=True) from error
        yield
