"""Rounds of the worker, and what pages have done at once: handovers begin, reach folders made meanwhile, and end by their day."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from webmail import audit
from webmail.auth import account_management
from webmail.compose import identities
from webmail.config.settings import ConfigError, Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import LimitReachedError, MailError, NotAllowedError
from webmail.handover import access, copy_task, copying
from webmail.models import AuditAct, HandoverState, MailboxHandover, User, WritingIdentity, now
from webmail.people import handovers

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
_MOST_FOLLOWED = 200  # messages that came meanwhile, of one mailbox in one round


def sweep(settings: Settings) -> list[MailboxHandover]:
    """Begin what is due, follow what is in force, end what is over; returns those that began or ended, of which people are told.

    Each by itself: one mailbox that can't be reached keeps no other one waiting.
    """
    changed = []
    for (number,) in list(handovers.due().tuples()):
        handover = handovers.find(number)
        if handover is None:
            continue
        try:
            if advance(handover, settings):
                changed.append(handover)
        except (MailError, ConfigError) as error:
            log.warning("handover %d waits: %s", number, error)
            handovers.note_problem(handover, "away")
        except DATABASE_AWAY:
            raise
        except Exception:  # whatever is wrong with one mailbox, the others go on; this one is tried again
            log.exception("handover %d waits", number)
            handovers.note_problem(handover, "away")
    return changed


def advance(handover: MailboxHandover, settings: Settings) -> bool:
    """Do what is due with one; True if it began or ended with that. Raises MailError, ConfigError."""
    over = handover.until is not None and handover.until <= now()
    gone = not handover.person.active
    if handover.state in handovers.IN_FORCE and (over or gone):
        finish(handover, None)
    if handover.state == HandoverState.ENDING:
        return _take_back(handover, settings)
    if handover.state == HandoverState.AGREED and handover.start <= now():
        return _begin(handover, settings)
    if handover.state == HandoverState.ACTIVE:
        _follow(handover, settings)
    return False


def finish(handover: MailboxHandover, by: User | None, cause: str = "date") -> bool:
    """End it: from this moment nobody writes from the owner's address by it. False if it was over already. Audited by the caller
    where there is one, else with the `cause`."""
    with db.atomic():
        allowed = bool(handover.allowed)
        if not handovers.end(handover, by):
            return False
        if allowed:
            account_management.disallow(handover.person, address=handover.owner.address)
            identities.remove_address(handover.person, handover.owner.address)
        if by is None:
            audit.record(AuditAct.HANDOVER_ENDED, target=handover.owner.address, address=handover.person.address, by=cause)
    return True


def _take_back(handover: MailboxHandover, settings: Settings) -> bool:
    before = {name: row.rights for name, row in handovers.folders(handover).items()}
    if handover.since is None and handover.begun is not None:
        access.take_back(handover, before, settings)
    handovers.ended(handover)
    return True


def _begin(handover: MailboxHandover, settings: Settings) -> bool:
    if handover.since is None:
        handovers.note_folders(handover, access.give(handover, (), settings))
    with db.atomic():
        allowed = bool(handover.answers) and account_management.allow(handover.person, address=handover.owner.address)
        if not handovers.begin(handover, allowed=allowed):  # ended at this moment: the next round takes back what was given
            if allowed:
                account_management.disallow(handover.person, address=handover.owner.address)
            return False
        if allowed:
            _write_as(handover, settings)
        audit.record(AuditAct.HANDOVER_BEGUN, target=handover.owner.address, address=handover.person.address, level=handover.kind)
    if handover.since is not None:
        with suppress(LimitReachedError):  # else the next round copies
            copy_task.start(handover)
    return True


def _write_as(handover: MailboxHandover, settings: Settings) -> None:
    """Replies to what was sent to the owner come from their address by themselves."""
    owner, person = handover.owner, handover.person
    with suppress(NotAllowedError, LimitReachedError):  # they choose a name themselves
        identities.save(WritingIdentity(user=person, name=owner.name, address=owner.address), settings)


def _follow(handover: MailboxHandover, settings: Settings) -> None:
    if handover.since is None:
        known = handovers.folders(handover)
        handovers.note_folders(handover, access.give(handover, known, settings))
        handovers.note_problem(handover, "")
    elif not copy_task.is_under_way(handover):
        try:
            copying.copy(handover, settings, transaction, _MOST_FOLLOWED)
        except copying.FullError:
            handovers.note_problem(handover, "full")
        else:
            handovers.note_problem(handover, "")


@contextmanager
def transaction(_count: int) -> Iterator[None]:
    with db.atomic():
        yield


def end_all(user: User, settings: Settings) -> list[MailboxHandover]:
    """Of somebody whose account goes: of their mailbox, and those that they have of others. Never raises MailError: what the mail
    server does not take back now it does at the next round, as long as both accounts are there."""
    found = handovers.open_of(user)
    for handover in found:
        if finish(handover, None) or handover.state == HandoverState.ENDING:
            try:
                _take_back(handover, settings)
            except (MailError, ConfigError) as error:
                log.warning("handover %d is not taken back yet: %s", handover.id, error)
    return found
