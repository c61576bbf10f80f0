"""Rounds: synchronises the accounts on other servers whose turn it is; each is done by one worker at a time, on one machine."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from webmail.config import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.database.locks import LockBusy, lock
from webmail.dav.remote import accounts, sync
from webmail.dav.remote.client import Ask, RemoteServer, asking
from webmail.dav.remote.side import LinkEnded, Side
from webmail.dav.remote.trouble import RemoteFault, RemoteTrouble, RoundOver
from webmail.models import RemoteAccount, RemoteLink, now

log = logging.getLogger(__name__)

SECONDS = 120.0  # for one account; then others have their turn
AT_ONCE = 4  # accounts, of one worker
_RENEWED = 20.0  # seconds
_OF_ALL = (RemoteFault.PASSWORD, RemoteFault.AWAY, RemoteFault.BUSY, RemoteFault.ELSEWHERE, RemoteFault.FORBIDDEN_PLACE)


def sweep(settings: Settings) -> int:
    """Synchronise what is due; returns how many accounts. Raises nothing for what other servers do."""
    if not settings.other_dav_servers:
        return 0
    with db.connection_context():
        due = accounts.due(AT_ONCE * 4)
    if not due:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(due)), "other-servers") as pool:
        return sum(pool.map(lambda account: _one(account, settings), due))


def _one(account: RemoteAccount, settings: Settings) -> bool:
    try:
        with db.connection_context():
            return synchronise(account, settings, asking(settings))
    except DATABASE_AWAY as error:
        log.warning("account %d on another server waits: %s", account.id, error)
    except Exception as error:
        log.exception("account %d on another server", account.id)
        with db.connection_context():
            accounts.went_wrong(account, RemoteTrouble(RemoteFault.OURS, str(error)))
    return False


def synchronise(account: RemoteAccount, settings: Settings, ask: Ask) -> bool:
    """One round of an account, unless somebody else is at it."""
    try:
        with lock(f"other-server-{account.id}"):
            if not accounts.claim(account):
                return False
            _round(account, settings, ask)
            return True
    except LockBusy:
        return False


def _round(account: RemoteAccount, settings: Settings, ask: Ask) -> None:
    try:
        server = accounts.server_of(account, settings, ask, SECONDS)
        for link in accounts.links_of([account]):
            _link(account, link, server, settings)
    except RemoteTrouble as trouble:
        log.info("account %d on another server: %s", account.id, trouble)
        accounts.went_wrong(account, trouble)
    except RoundOver:
        accounts.go_on(account)
    else:
        accounts.went_well(account)


def _link(account: RemoteAccount, link: RemoteLink, server: RemoteServer, settings: Settings) -> None:
    """Raises RemoteTrouble for what concerns the whole account, and RoundOver."""
    if link.missing and not link.answer:
        return
    renewed = time.monotonic()

    def step() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > _RENEWED:
            renewed = time.monotonic()
            if not accounts.renew(account):
                raise LinkEnded

    RemoteLink.update(tried=now(), done=0, total=0).where(RemoteLink.id == link.id).execute()
    side = Side(link, account.user, settings, accounts.host_of(account), step)
    try:
        sync.run(side, server)
    except LinkEnded:
        log.info("link %d to another server has ended", link.id)
    except sync.DecisionNeeded:
        RemoteLink.update(done=0, total=0).where(RemoteLink.id == link.id).execute()
    except RemoteTrouble as trouble:
        RemoteLink.update(error=str(trouble.kind), done=0, total=0).where(RemoteLink.id == link.id).execute()
        if trouble.kind in _OF_ALL:
            raise
        log.info("link %d to another server: %s", link.id, trouble)
    finally:
        if side.changed:
            sync.tell(side)
