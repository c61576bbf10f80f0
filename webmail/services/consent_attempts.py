"""Consent attempts: kept in the session of who is at the provider, as plain values, and taken out once."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from typing import Any

from webmail.services.oauth import ConsentAttempt

KEY = "consents"  # in the session
_MOST = 4  # tabs
_LONGEST_NEXT = 2000  # characters, as `local_path` has it: what was ticked comes back with them


def added(rows: Sequence[Any], attempt: ConsentAttempt) -> list[list[Any]]:
    """The rows of a session with one more; the oldest give way."""
    one = attempt
    row = [
        one.provider,
        one.secret,
        one.at,
        list(one.purposes),
        one.connection,
        one.next if len(one.next) <= _LONGEST_NEXT else "",
    ]
    return [*_waiting(rows)[1 - _MOST :], row]


def taken(rows: Sequence[Any], provider: str, state: str) -> tuple[ConsentAttempt | None, list[list[Any]]]:
    """The attempt at this provider that was begun in this session under this state, and the rows without it."""
    waiting = _waiting(rows)
    for position, row in enumerate(waiting):
        attempt = _read(row)
        if attempt.provider == provider and hmac.compare_digest(attempt.state.encode(), state.encode()):
            return attempt, waiting[:position] + waiting[position + 1 :]
    return None, waiting


def _waiting(rows: Sequence[Any]) -> list[list[Any]]:
    return [json.loads(json.dumps(row)) for row in rows if not _read(row).is_over]


def _read(row: Sequence[Any]) -> ConsentAttempt:
    provider, secret, at, purposes, connection, target = row
    return ConsentAttempt(str(provider), str(secret), int(at), tuple(map(str, purposes)), int(connection), str(target))
