"""Request keys: a script that asks again with the same Idempotency-Key gets what its first request made; nothing is made twice.

A key belongs to one person and one operation. Digests alone are kept. One that was being carried out by a process that is gone is
taken over after a while, by one of those who ask again: what it does must find what the first one did (`messages.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import peewee as pw

from webmail import vault
from webmail.api.problems import ProblemError
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import ScriptRequest, User, now

KEPT = timedelta(days=7)
GIVEN_UP = timedelta(minutes=2)  # the process that worked on it is gone
SHORTEST, LONGEST = 8, 200


@dataclass(slots=True)
class KeyedWork:
    """What is done by a key. `number`: of what was made, 0 until it is; `secret`: a digest of whose it is and of the key."""

    row: ScriptRequest
    secret: str

    @property
    def number(self) -> int:
        return int(self.row.number)

    def finish(self, number: int) -> None:
        """It is made; in the same transaction, if there is one."""
        mine = (ScriptRequest.id == self.row.id) & (ScriptRequest.attempts == self.row.attempts)
        ScriptRequest.update(number=number).where(mine).execute()
        self.row.number = number


@contextmanager
def keyed(user: User, operation: str, key: str, fingerprint: str, settings: Settings) -> Iterator[KeyedWork]:
    """Do something once: the block does and finishes it, unless `number` is there already. What fails may be tried again.

    Raises ProblemError: for a key that was used for something else, or is being used at this moment.
    """
    secret = vault.keyed_hash(f"{operation}\n{key}", settings.secret_key, "script request", user.id)
    row = _begin(user, secret, fingerprint)
    try:
        yield KeyedWork(row, secret)
    except Exception:
        mine = (ScriptRequest.id == row.id) & (ScriptRequest.attempts == row.attempts)
        ScriptRequest.delete().where(mine & (ScriptRequest.number == 0)).execute()
        raise


def _begin(user: User, secret: str, fingerprint: str) -> ScriptRequest:
    at = now()
    try:
        with db.atomic():
            return ScriptRequest.create(user=user, key_hash=secret, fingerprint=fingerprint, begun=at, created=at)
    except pw.IntegrityError:
        row = ScriptRequest.get_or_none(ScriptRequest.user == user, ScriptRequest.key_hash == secret)
    if row is None:  # the other one failed meanwhile
        raise ProblemError("key-busy", headers={"Retry-After": "1"})
    if row.fingerprint != fingerprint:
        raise ProblemError("key-used")
    if row.number:
        return row
    mine = (ScriptRequest.id == row.id) & (ScriptRequest.attempts == row.attempts) & (ScriptRequest.number == 0)
    over = mine & (ScriptRequest.begun < at - GIVEN_UP)
    if not ScriptRequest.update(begun=at, attempts=row.attempts + 1).where(over).execute():
        raise ProblemError("key-busy", headers={"Retry-After": "5"})
    row.attempts += 1
    return row


def expire() -> None:
    """Once an hour. One query."""
    ScriptRequest.delete().where(ScriptRequest.created < now() - KEPT).execute()
