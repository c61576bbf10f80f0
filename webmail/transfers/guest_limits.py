"""Limits of people without an account: how many transfers they begin, files they add and receipts are mailed, counted in SQL.

A class that hands in its homework comes from one address within minutes, so a network may do much; what one request takes in an
hour, and what lies about unfinished, is bounded all the same.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum

import peewee as pw

from webmail.errors import MailError
from webmail.models import (
    FileRequest,
    GuestVisit,
    StoredContent,
    Transfer,
    TransferFile,
    TransferState,
    User,
    now,
)

HOUR, KEPT = timedelta(hours=1), timedelta(days=1)
BEGUN_PER_HOUR = 300  # transfers, of one request and from one network each
FILES_PER_HOUR = 5000  # of one request
UNFINISHED = 100  # transfers of one request
RECEIPTS_PER_DAY = 5  # to one address
RECEIPTS_PER_HOUR = 60  # from one network
IDLE = timedelta(hours=1)  # without another byte: what is unfinished gives way where there is no room
IDLE_EMPTY = timedelta(minutes=15)  # the same where not one byte came


class VisitKind(StrEnum):
    """What is counted."""

    BEGUN = "begun"
    RECEIPT = "receipt"


class TooManyVisits(MailError):
    """So much was begun within an hour that nothing more is for now."""

    status = 429


def count_begun(request: FileRequest, network: str) -> None:
    """Count a transfer that is about to begin, in the transaction of its caller. Raises TooManyVisits. Four queries."""
    GuestVisit.delete().where(GuestVisit.at < now() - KEPT).execute()
    lately = (GuestVisit.kind == VisitKind.BEGUN) & (GuestVisit.at > now() - HOUR)
    of_request = GuestVisit.select().where(lately & (GuestVisit.request == request)).count()
    of_network = GuestVisit.select().where(lately & (GuestVisit.network == network)).count() if network else 0
    if max(of_request, of_network) >= BEGUN_PER_HOUR:
        raise TooManyVisits(f"{of_request} transfers of request {request.id}, {of_network} from {network}")
    GuestVisit.create(request=request, kind=VisitKind.BEGUN, network=network)


def check_files(request: FileRequest) -> None:
    """Whether a request may take another file. Raises TooManyVisits. One query."""
    lately = (Transfer.request == request) & (TransferFile.created > now() - HOUR)
    if TransferFile.select(TransferFile.id).join(Transfer).where(lately).count() >= FILES_PER_HOUR:
        raise TooManyVisits(f"{FILES_PER_HOUR} files of request {request.id}")


def may_mail_receipt(request: FileRequest, address: str, network: str) -> bool:
    """Whether a receipt may go to an address that a stranger typed; it then counts. In the transaction of its caller."""
    hashed = hashlib.sha256(address.lower().encode()).hexdigest()
    receipts = GuestVisit.kind == VisitKind.RECEIPT
    to_them = GuestVisit.select().where(receipts & (GuestVisit.address_hash == hashed) & (GuestVisit.at > now() - KEPT)).count()
    from_there = GuestVisit.select().where(receipts & (GuestVisit.network == network) & (GuestVisit.at > now() - HOUR)).count()
    if to_them >= RECEIPTS_PER_DAY or (network and from_there >= RECEIPTS_PER_HOUR):
        return False
    GuestVisit.create(request=request, kind=VisitKind.RECEIPT, network=network, address_hash=hashed)
    return True


def idle_ones(owner: User, most: int = 50) -> list[Transfer]:
    """Unfinished transfers of guests to which nothing came for a while, the oldest first. One SELECT."""
    lately = (StoredContent.touched > now() - IDLE_EMPTY) | (
        (StoredContent.touched > now() - IDLE) & (StoredContent.received > 0)
    )
    touched = TransferFile.select(TransferFile.transfer).join(StoredContent).where((StoredContent.owner == owner) & lately)
    unfinished = (Transfer.owner == owner) & Transfer.request.is_null(False) & (Transfer.state == TransferState.OPEN)
    idle = unfinished & (Transfer.created < now() - IDLE_EMPTY) & Transfer.id.not_in(touched)
    return list(Transfer.select().where(idle).order_by(Transfer.id).limit(most))


def is_crowded(request: FileRequest) -> bool:
    """Whether as many transfers of a request are unfinished as may be. One SELECT."""
    unfinished = (Transfer.request == request) & (Transfer.state == TransferState.OPEN)
    return bool(Transfer.select(pw.fn.COUNT(Transfer.id)).where(unfinished).scalar() >= UNFINISHED)
