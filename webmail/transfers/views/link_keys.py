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
from webmail.auth.sessions.cookies import visit
from webmail.models import Transfer
from webmail.transfers import other_server, protection
from webmail.transfers.protection import NotProtectedError, Protection
from webmail.web.current import current_user, settings

SHOWN = 3600  # seconds
_KEPT = 86400  # after that: its last file may still be coming
_PREFIX = "transfer-key-"  # one entry each: two tabs do not write over each other's
_MOST = 20


def begin(requested: str = "", *, by_page: bool = False) -> Transfer:
    """An open transfer of who is asking, protected as `requested` or as the settings say. Raises NotProtectedError,
    OverLimitError.

    `by_page`: our own page encrypts in the browser where that is asked for; nobody else does.
    """
    if other_server.for_user(current_user(), settings()) is not None:  # where the key has to be at hand
        return protection.begin(current_user(), Protection.SERVER, settings())[0]
    kind = protection.chosen(requested, settings())
    if kind is Protection.BROWSER and not by_page:
        raise NotProtectedError("files are to be encrypted before they are sent")
    transfer, key = protection.begin(current_user(), kind, settings())
    if key is not None:
        keep(transfer, key)
    return transfer


def keep(transfer: Transfer, key: bytes) -> None:
    """Know it for this session, as long as files come."""
    _forget_old()
    sealed = vault.seal_for_session(key.hex(), visit().token, settings().secret_key, current_user().id)
    session[f"{_PREFIX}{transfer.id}"] = [base64.b64encode(sealed).decode(), 0]


def load(transfer: Transfer) -> bytes | None:
    """The key; None for a transfer that has none, or in another session."""
    kept = session.get(f"{_PREFIX}{transfer.id}") if transfer.key_check else None
    if not kept:
        return None
    try:
        opened = vault.open_for_session(base64.b64decode(kept[0]), visit().token, settings().secret_key, current_user().id)
        key = bytes.fromhex(opened)
    except (vault.CannotOpenError, binascii.Error, ValueError):
        return None
    return key if protection.is_key_of(transfer, key) else None


def load_for_page(transfer: Transfer) -> bytes | None:
    """The key, for the page that shows the link; None an hour after it was sent."""
    until = session.get(f"{_PREFIX}{transfer.id}", ["", 0])[1]
    return None if 0 < until < time.time() else load(transfer)


def sent(transfer: Transfer) -> None:
    """Its link is shown for an hour from now on."""
    name = f"{_PREFIX}{transfer.id}"
    if name in session:
        session[name] = [session[name][0], int(time.time()) + SHOWN]


def forget(transfer: Transfer) -> None:
    session.pop(f"{_PREFIX}{transfer.id}", None)


def _forget_old() -> None:
    names = [name for name in session if name.startswith(_PREFIX)]
    over = [name for name in names if 0 < session[name][1] < time.time() - _KEPT]
    for name in over or names[: max(0, len(names) - _MOST + 1)]:
        del session[name]
