"""Keys that only links hold, while their transfers are put together: sealed in the session of who does that, and nowhere else.

It takes the cookie, the database and the instance's secret to open one. Once the transfer is sent, its link is shown for an hour
in the same session, and never again.
"""

from __future__ import annotations

import base64
import binascii
import time

from flask import session

from webmail import vault
from webmail.auth.cookies import visit
from webmail.models import Transfer
from webmail.transfers import protection
from webmail.web.current import current_user, settings

SHOWN = 3600  # seconds
_PREFIX = "transfer-key-"  # one entry each: two tabs do not write over each other's
_MOST = 20


def keep(transfer: Transfer, key: bytes) -> None:
    """Remember the key of a transfer that was just made, in this session."""
    _forget_old()
    sealed = vault.seal_for_session(key.hex(), visit().token, settings().secret_key, current_user().id)
    session[f"{_PREFIX}{transfer.id}"] = [base64.b64encode(sealed).decode(), 0]


def of(transfer: Transfer) -> bytes | None:
    """The key; None for a transfer that has none, in another session, or an hour after it was sent."""
    kept = session.get(f"{_PREFIX}{transfer.id}") if transfer.key_check else None
    if not kept or 0 < kept[1] < time.time():
        return None
    try:
        opened = vault.open_for_session(base64.b64decode(kept[0]), visit().token, settings().secret_key, current_user().id)
        key = bytes.fromhex(opened)
    except (vault.CannotOpen, binascii.Error, ValueError):
        return None
    return key if protection.is_key_of(transfer, key) else None


def sent(transfer: Transfer) -> None:
    """Its link is shown for an hour from now on."""
    name = f"{_PREFIX}{transfer.id}"
    if name in session:
        session[name] = [session[name][0], int(time.time()) + SHOWN]


def forget(transfer: Transfer) -> None:
    session.pop(f"{_PREFIX}{transfer.id}", None)


def _forget_old() -> None:
    names = [name for name in session if name.startswith(_PREFIX)]
    over = [name for name in names if 0 < session[name][1] < time.time()]
    for name in over or names[: max(0, len(names) - _MOST + 1)]:
        del session[name]
