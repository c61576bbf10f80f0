"""Rounds: synchronises the accounts on other servers whose turn it is; each is done by one worker at a time, on one machine."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.dav.remote import accounts, service_accounts, sync
from webmail.dav.remote.client import Ask, RoundOverError, asking
from webmail.dav.remote.side import LinkEndedError, Side
from webmail.dav.remote.source import RemoteSource
from webmail.models import RemoteAccount, RemoteLink, now

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)  # whether one is due is looked for
SECONDS = 120.0  # for one account; then others have their turn
_RENEWED = 20.0  # seconds
_OF_ALL = (FollowFault.PASSWORD, FollowFault.AWAY, FollowFault.BUSY, FollowFault.ELSEWHERE, FollowFault.FORBIDDEN_PLACE)


def sweep(settings: Settings) -> int:
    """Synchronise what is due; returns how many accounts. Raises nothing for what other servers do."""
    if not accounts.are_offered(settings):
        return 0
    with db.connection_context():
        due = accounts.due(accounts.turns.at_once * 4, settings)
    return accounts.turns.sweep(due, lambda account: synchronise(account, settings, asking(settings)))


def synchronise(account: RemoteAccount, settings: Settings, ask: Ask) -> bool:
    """One round of an account, unless somebody else is at it."""
    return accounts.turns.alone(account, lambda: _round(account, settings, ask))


def _round(account: RemoteAccount, settings: Settings, ask: Ask) -> None:
    """Raises FollowTroubleError."""
    try:
        server = _source(account, settings, ask)
        for link in accounts.links_of([account]):
            _link(account, link, server, settings)
    except RoundOverError:
        accounts.turns.go_on(account)
    else:
        accounts.turns.went_well(account)


def _source(account: RemoteAccount, settings: Settings, ask: Ask) -> RemoteSource:
    if account.service_id:
        return service_accounts.source_of(account, settings, SECONDS)
    return accounts.server_of(account, settings, ask, SECONDS)


def _link(account: RemoteAccount, link: RemoteLink, server: RemoteSource, settings: Settings) -> None:
    """Raises FollowTroubleError for what concerns the whole account, and RoundOverError."""
    if link.missing and not link.answer:
        return
    renewed = time.monotonic()

    def step() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > _RENEWED:
            renewed = time.monotonic()
            if not accounts.renew(account):
                raise LinkEndedError

    RemoteLink.update(tried=now(), done=0, total=0).where(RemoteLink.id == link.id).execute()
    side = Side(link, account.user, settings, accounts.host_of(account), step)
    try:
        sync.run(side, server)
    except LinkEndedError:
        log.info("link %d to another server has ended", link.id)
    except sync.DecisionNeededError:
        RemoteLink.update(done=0, total=0).where(RemoteLink.id == link.id).execute()
    except FollowTroubleError as trouble:
        RemoteLink.update(error=str(trouble.kind), done=0, total=0).where(RemoteLink.id == link.id).execute()
        if trouble.kind in _OF_ALL:
            raise
        log.info("link %d to another server: %s", link.id, trouble)
    finally:
        if side.changed:
            sync.tell(side)
