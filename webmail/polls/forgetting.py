"""Forgetting: names, addresses and comments of people without an account go 30 days after the last date; their answers stay, as
numbers. What was deleted is gone a day later."""

from __future__ import annotations

from datetime import timedelta

import peewee as pw

from webmail.database.connection import db
from webmail.models import Poll, PollOption, PollVoter, now
from webmail.polls import store
from webmail.transfers import links

AFTER = timedelta(days=30)
_MOST = 200  # polls in one sweep


def due() -> pw.Query:
    """Polls whose people are to be forgotten."""
    return Poll.select(Poll.id).where(Poll.forgotten == 0, Poll.ends < now() - AFTER)


def sweep() -> int:
    """Returns of how many polls. 1 transaction for each."""
    numbers = [row.id for row in due().limit(_MOST)]
    for number in numbers:
        with db.atomic():
            for voter in PollVoter.select(PollVoter.id).where(PollVoter.poll == number, PollVoter.user.is_null()):
                # a link that nothing can be drawn from leads nowhere
                hashed = links.link_hash(links.new_nonce())
                gone = {"name": "", "address": "", "comment": "", "nonce": "", "link_hash": hashed}
                PollVoter.update(**gone).where(PollVoter.id == voter.id).execute()
            Poll.update(forgotten=1).where(Poll.id == number).execute()
    return len(numbers)


def forget_removed() -> int:
    """Polls that were deleted, answers and dates that were removed, once none of it can be undone any more."""
    past = now() - store.REMOVED_FOR
    PollVoter.delete().where(PollVoter.removed < past).execute()
    PollOption.delete().where(PollOption.removed < past).execute()
    return int(Poll.delete().where(Poll.removed < past).execute())
