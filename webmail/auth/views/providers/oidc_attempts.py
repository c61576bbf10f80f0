"""Attempts to sign in by OpenID Connect: kept in the browser's session while the person is at the provider, used once.

A visitor's session is a cookie, which browsers bound at 4 KB: so there are few, and the oldest give way.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import session

from webmail.auth.providers.oidc import Attempt
from webmail.web.forms.request_values import local_path

_BEGUN = "oidc"  # in the session
_MOST = 4  # tabs
_LARGEST = 2400  # characters, of all together
LONGEST_KEPT = 1500  # characters of the text that goes along, packed
_LARGEST_TEXT = 64 * 1024  # bytes of it, unpacked


class AttemptPurpose(StrEnum):
    """What somebody proves who they are for."""

    SIGN_IN = "in"
    CONNECT = "connect"  # the account that is signed in, to who comes back
    CONFIRM = "confirm"  # that it is them, before a change


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt, and what is to be done when the browser comes back. `user`: who is signed in; 0 for nobody.

    `carried`: the text that was being written when a session ended, as `packed` gives it.
    """

    attempt: Attempt
    purpose: AttemptPurpose = AttemptPurpose.SIGN_IN
    user: int = 0
    target: str = ""
    shared: bool = False
    lasting: bool = False
    carried: str = ""


def keep(begun: Begun) -> None:
    """Keep it in this browser's session, beside a few others."""
    one = begun.attempt
    chosen = [begun.purpose, begun.user, begun.target, begun.shared, begun.lasting, begun.carried]
    row: list[Any] = [one.provider, one.secret, one.at, one.fresh, *chosen]
    rows = [*_open()[1 - _MOST :], row]
    while len(rows) > 1 and len(json.dumps(rows)) > _LARGEST:
        rows.pop(0)
    if len(json.dumps(rows)) > _LARGEST:  # an address that is too long to come back to
        rows[0][6] = ""
    session[_BEGUN] = rows


def take(provider: str, state: str) -> Begun | None:
    """The attempt at this provider that was begun in this browser under this state, once; None if there is none."""
    rows = _open()
    for place, row in enumerate(rows):
        begun = _read(row)
        if begun.attempt.provider == provider and hmac.compare_digest(begun.attempt.state.encode(), state.encode()):
            session[_BEGUN] = rows[:place] + rows[place + 1 :]
            return begun
    return None


def packed(fields: Sequence[Sequence[str]]) -> str:
    """Names and values of a form, small enough for a cookie where it is no longer than LONGEST_KEPT; "" for none."""
    return base64.b64encode(zlib.compress(json.dumps(fields).encode(), 9)).decode() if fields else ""


def unpacked(stored: str) -> list[list[str]]:
    """What `packed` has packed."""
    if not stored:
        return []
    try:
        text = zlib.decompressobj().decompress(base64.b64decode(stored), _LARGEST_TEXT)
        return [[str(name), str(value)] for name, value in json.loads(text)]
    except (zlib.error, binascii.Error, ValueError, TypeError):
        return []


def _open() -> list[list[Any]]:
    found = session.get(_BEGUN, [])
    return [row for row in found if not _read(row).attempt.is_over]


def _read(row: Sequence[Any]) -> Begun:
    provider, secret, at, fresh, purpose, user, target, shared, lasting, kept = row
    attempt = Attempt(str(provider), str(secret), int(at), bool(fresh))
    return Begun(attempt, AttemptPurpose(purpose), int(user), local_path(str(target)), bool(shared), bool(lasting), str(kept))
