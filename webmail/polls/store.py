"""Store of polls: what their organisers make, change, close and delete.

A poll and its answers change by its lock: an answer sees the dates as they are, and no more answer than may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import peewee as pw

from webmail.calendar import event_changes
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.locks import serialize
from webmail.errors import LimitReachedError
from webmail.models import Poll, PollOption, PollVoter, User, now
from webmail.transfers import links
from webmail.transfers.links import LinkKind

MOST_OPTIONS, MOST_VOTERS = 50, 1_000
MOST_POLLS = 200  # of one person
LONGEST_TITLE, LONGEST_PLACE, LONGEST_NOTE = 200, 300, 2_000
REMOVED_FOR = timedelta(days=1)  # how long a deleted one, or a date that was removed, can come back


class PollState(StrEnum):
    """Whether answers are taken."""

    OPEN = "open"
    OVER = "over"  # its day, or the last date, is past
    CLOSED = "closed"  # by its organiser
    CHOSEN = "chosen"  # a date was chosen


@dataclass(frozen=True, slots=True, order=True)
class OptionTime:
    """A date to choose: naive UTC, and how long; 0 minutes: the whole day."""

    start: datetime
    minutes: int

    def ends(self) -> datetime:
        return self.start + (timedelta(minutes=self.minutes) if self.minutes else timedelta(days=1))


@dataclass(frozen=True, slots=True)
class PollWishes:
    """What its organiser may choose, and change later."""

    title: str
    times: Sequence[OptionTime]
    location: str = ""
    note: str = ""
    closes: datetime | None = None
    hidden: bool = False
    comments: bool = True


def make(owner: User, wishes: PollWishes, zone: str, settings: Settings) -> Poll:
    """Raises LimitReachedError."""
    with db.atomic():
        in_turn(owner)
        if Poll.select().where(Poll.owner == owner, Poll.removed.is_null()).count() >= MOST_POLLS:
            raise LimitReachedError(f"{MOST_POLLS} polls")
        nonce = links.new_nonce()
        hashed = links.link_hash(links.token(LinkKind.POLL, nonce, settings.secret_key))
        made = Poll.create(owner=owner, nonce=nonce, link_hash=hashed, zone=zone, **_columns(wishes))
        PollOption.insert_many([{"poll": made, **_times(one)} for one in wishes.times]).execute()
    return made


def change(poll: Poll, wishes: PollWishes) -> None:
    """Its link stays; so do the answers to dates that stay. A date that is gone counts no more. 1 transaction."""
    with db.atomic():
        lock(poll)
        before = {(one.start, one.minutes): one for one in PollOption.select().where(PollOption.poll == poll)}
        after = {(one.start, one.minutes): one for one in wishes.times}
        stays = [one.id for key, one in before.items() if key in after]
        PollOption.update(removed=None).where(PollOption.id.in_(stays)).execute()
        PollOption.update(removed=now()).where(
            PollOption.poll == poll, PollOption.id.not_in(stays), PollOption.removed.is_null()
        ).execute()
        if fresh := [{"poll": poll, **_times(one)} for key, one in after.items() if key not in before]:
            PollOption.insert_many(fresh).execute()
        chosen = poll.chosen_id if poll.chosen_id in stays else None
        Poll.update(**_columns(wishes), chosen_id=chosen, forgotten=0).where(Poll.id == poll.id).execute()


def _columns(wishes: PollWishes) -> dict[str, object]:
    return {
        "title": wishes.title[:LONGEST_TITLE],
        "location": wishes.location[:LONGEST_PLACE],
        "note": wishes.note[:LONGEST_NOTE],
        "closes": wishes.closes,
        "hidden": int(wishes.hidden),
        "comments": int(wishes.comments),
        "ends": max(one.ends() for one in wishes.times),
    }


def _times(option: OptionTime) -> dict[str, object]:
    return {"start": option.start, "minutes": option.minutes}


def lock(poll: Poll) -> None:
    """Others that change this poll or answer it wait until this transaction ends."""
    serialize(f"poll {poll.id}")


def wishes_of(poll: Poll) -> PollWishes:
    """1 query."""
    times = [OptionTime(one.start, one.minutes) for one in options(poll)]
    return PollWishes(
        poll.title, times, poll.location, poll.note, poll.closes, hidden=bool(poll.hidden), comments=bool(poll.comments)
    )


# --- what there is ---------------------------------------------------------------------------------------------------


def find(owner: User, number: int) -> Poll | None:
    """One's own poll; None for another's. 1 query."""
    found: Poll | None = Poll.get_or_none((Poll.id == number) & (Poll.owner == owner))
    return found


def find_by_link(token: str) -> Poll | None:
    """1 query; none for what is no token."""
    if links.parts(token) != (token, None):
        return None
    found: Any = Poll.select(Poll, User).join(User).where(Poll.link_hash == links.link_hash(token))
    return found.first()


def token(poll: Poll, settings: Settings) -> str:
    """That of its public address."""
    return links.token(LinkKind.POLL, poll.nonce, settings.secret_key)


def options(poll: Poll) -> list[PollOption]:
    """The dates to choose from, the earliest first. 1 query."""
    stays = (PollOption.poll == poll) & PollOption.removed.is_null()
    return list(PollOption.select().where(stays).order_by(PollOption.start, PollOption.minutes))


def state(poll: Poll) -> PollState:
    if poll.chosen_id is not None:
        return PollState.CHOSEN
    if poll.closed is not None:
        return PollState.CLOSED
    return PollState.OVER if closing(poll) <= now() else PollState.OPEN


def closing(poll: Poll) -> datetime:
    """When it closes by itself: after its day, with the last date at the latest. Naive UTC."""
    return min(poll.closes or poll.ends, poll.ends)


def listed(owner: User) -> list[tuple[Poll, int]]:
    """One's polls with how many answered: those that are open first, then the newest. 2 queries."""
    rows = list(Poll.select().where(Poll.owner == owner, Poll.removed.is_null()).order_by(Poll.id.desc()).limit(MOST_POLLS))
    came: Any = PollVoter.select(PollVoter.poll, pw.fn.COUNT(PollVoter.id)).where(PollVoter.removed.is_null())
    counts = dict(came.where(PollVoter.poll.in_([row.id for row in rows])).group_by(PollVoter.poll).tuples())
    return sorted(((row, counts.get(row.id, 0)) for row in rows), key=lambda pair: state(pair[0]) is not PollState.OPEN)


def zone_of(poll: Poll) -> ZoneInfo:
    return ZoneInfo(poll.zone)


def span_of(option: PollOption, poll: Poll) -> tuple[date | datetime, date | datetime]:
    """When it begins and ends, in the poll's zone; days for a whole day."""
    start = option.start.replace(tzinfo=UTC)
    begins = start.astimezone(zone_of(poll))
    if not option.minutes:
        return begins.date(), begins.date()
    return begins, (start + timedelta(minutes=option.minutes)).astimezone(zone_of(poll))


# --- what its organiser does with it -----------------------------------------------------------------------------------


def close(poll: Poll) -> bool:
    """No more answers. Whether it was not closed before."""
    return bool(Poll.update(closed=now()).where(Poll.id == poll.id, Poll.closed.is_null()).execute())


def reopen(poll: Poll) -> bool:
    """Take answers again; a day that is past, and what was chosen, no longer count. False where the last date is past."""
    closes = poll.closes if poll.closes is not None and poll.closes > now() else None
    Poll.update(closed=None, chosen_id=None, closes=closes).where(Poll.id == poll.id).execute()
    return bool(poll.ends > now())


def choose(poll: Poll, option: PollOption) -> str:
    """Close it with this date; the UID of the event for it: the same each time, so that no second one is made of it."""
    uid = poll.event_uid if poll.chosen_id == option.id and poll.event_uid else event_changes.new_uid()
    Poll.update(chosen_id=option.id, closed=poll.closed or now(), event_uid=uid).where(Poll.id == poll.id).execute()
    return uid


def remove(poll: Poll) -> bool:
    """Its page is gone at once, its rows later. Whether it was there."""
    return bool(Poll.update(removed=now()).where(Poll.id == poll.id, Poll.removed.is_null()).execute())


def put_back(poll: Poll) -> None:
    Poll.update(removed=None).where(Poll.id == poll.id).execute()
