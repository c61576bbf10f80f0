"""Limits of people without an account: how many transfers they begin, files they add and receipts are mailed.

A class that hands in its homework comes from one address within minutes, so a network may do much; what one request takes in an
hour, and what lies about unfinished, is bounded all the same.
"""

from __future__ import annotations

from datetime import timedelta

import peewee as pw

from webmail.models import FileRequest, StoredContent, Transfer, TransferFile, TransferState, User, now
from webmail.rate_limits import DAY, HOUR, RateLimit

BEGUN_OF_REQUEST = RateLimit("guests' transfers of a request", 300, HOUR)
BEGUN_OF_NETWORK = RateLimit("guests' transfers of a network", 300, HOUR)
FILES = RateLimit("guests' files of a request", 5000, HOUR)
RECEIPTS = RateLimit("guests' receipts to an address", 5, DAY)
UNFINISHED = 100  # transfers of one request
IDLE = timedelta(hours=1)  # without another byte: what is unfinished gives way where there is no room
IDLE_EMPTY = timedelta(minutes=15)  # the same where not one byte came


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
