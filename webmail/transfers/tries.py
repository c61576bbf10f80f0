"""Tries that are counted in SQL, for all processes together: passwords of transfers, codes by mail, unknown links, reports."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from webmail import vault
from webmail.config import Settings
from webmail.errors import MailError
from webmail.models import TransferTry, now

KEPT = timedelta(days=1)  # the longest span that is counted
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


class TooManyTries(MailError):
    """As many as may be already; again in `minutes`."""

    status = 429

    def __init__(self, minutes: int) -> None:
        super().__init__(f"too many tries; again in {minutes} min")
        self.minutes = minutes


def count(what: str, most: int, span: timedelta, settings: Settings) -> TransferTry:
    """One more of these; `take_back` what is returned if it shall not count. Raises TooManyTries after `most` in `span`.

    What is refused leaves no row: waiting always helps, and a flood writes nothing. Of many at once, each sees the rows of those
    before it, so that no more than `most` pass.
    """
    key = vault.keyed_hash(what, settings.secret_key, "transfer try", 0)
    if wait := _wait(key, most, span):
        raise TooManyTries(wait)
    row = TransferTry.create(what=key)
    if wait := _wait(key, most + 1, span):
        take_back(row)
        raise TooManyTries(wait)
    return row


def take_back(row: TransferTry) -> None:
    TransferTry.delete().where((TransferTry.id == row.id) & (TransferTry.what == row.what)).execute()


def expire() -> int:
    """Forget what counts no more. One DELETE."""
    return int(TransferTry.delete().where(TransferTry.at < now() - KEPT).execute())


def _wait(key: str, most: int, span: timedelta) -> int:
    """Minutes until there are fewer than `most` in the span, 0 for now. One SELECT."""
    since: datetime = now() - span
    recent = TransferTry.select(TransferTry.at).where((TransferTry.what == key) & (TransferTry.at > since))
    row = recent.order_by(TransferTry.at.desc()).limit(1).offset(most - 1).first()
    return max(1, math.ceil((row.at - since).total_seconds() / 60)) if row else 0
