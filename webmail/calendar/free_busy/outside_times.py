"""Outside times: when people outside are busy who publish it at an address (FBURL) that is in somebody's contacts.

Pages show what was fetched last and note what is wanted; the worker fetches it, within bounds of time and bytes, and only from
the internet: no page waits for another server, and no address of a card leads inside.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail import http_fetch
from webmail.calendar.free_busy.busy_people import PERHAPS, BusySpan
from webmail.calendar.subscriptions import fetch
from webmail.calendar.subscriptions.fetch import Ask
from webmail.collections.following.faults import FollowTroubleError
from webmail.contacts import store as contacts
from webmail.http_fetch import FetchedResponse
from webmail.mime.formats.calendars import published_times
from webmail.mime.formats.calendars.published_times import NoTimesError
from webmail.models import PublishedTimes, User

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)
FRESH = 15 * 60  # seconds after which what was fetched, or was not, is asked for anew
KEPT = 30 * 86_400
MOST_WANTED = 50  # of one person at once, and that wait
_SECONDS = 8.0  # of one fetch
_LEASE = 60
_IN_A_ROUND = 20
_LOOKED_AT = 500  # of those that wait, the oldest: whose turn it is
_UNSAID = 90 * 86_400


class OutsideState(StrEnum):
    WAITING = "waiting"  # asked for, not known yet
    FETCHED = "fetched"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutsideTimes:
    """What is known of somebody outside. `at`: when it was fetched, or tried; `spans`: only where it is about the time asked for
    (`covers`); `told_by`: the connected service that says so, "" for what they publish themselves."""

    state: OutsideState
    at: int = 0
    spans: tuple[BusySpan, ...] = ()
    covers: bool = False
    told_by: str = ""


def times_of(user: User, keys: Sequence[str], start: int, end: int) -> dict[str, OutsideTimes]:
    """What is known of the people with these addresses (normalised) who publish their times, as the person's contacts say. What
    is not fresh is fetched soon. 1 query where nobody does; else 2, and where something is asked for 1 more, and 1 for each."""
    urls = contacts.busy_urls(user, keys)
    return from_addresses(user, urls, start, end) if urls else {}


def from_addresses(user: User, urls: Mapping[str, str], start: int, end: int) -> dict[str, OutsideTimes]:
    """The same of what these addresses say. 1 query, and where something is asked for 1 more, and 1 for each."""
    digests = {key: _digest(url) for key, url in urls.items()}
    mine = PublishedTimes.select().where(PublishedTimes.user == user, PublishedTimes.digest.in_(list(digests.values())))
    rows = {row.digest: row for row in mine}
    moment = int(time.time())
    stale = [key for key, digest in digests.items() if _is_stale(rows.get(digest), moment)]
    for key in stale[: _quota_left(user) if stale else 0]:
        _want(user, urls[key], digests[key], moment)
    return {key: _cached(rows.get(digest), start, end) for key, digest in digests.items()}


def _is_stale(row: PublishedTimes | None, moment: int) -> bool:
    return row is None or (not row.wanted and row.tried < moment - FRESH)


def _quota_left(user: User) -> int:
    """How many more of this person may wait. 1 query."""
    return max(MOST_WANTED - PublishedTimes.select().where(PublishedTimes.user == user, PublishedTimes.wanted > 0).count(), 0)


def _cached(row: PublishedTimes | None, start: int, end: int) -> OutsideTimes:
    if row is None or not row.tried:
        return OutsideTimes(OutsideState.WAITING)
    if row.error and not row.fetched:
        return OutsideTimes(OutsideState.FAILED, row.tried)
    covers = (not row.first or row.first <= max(start, int(row.fetched))) and (not row.last or row.last >= end)
    spans = tuple(BusySpan(*one) for one in json.loads(row.spans) if one[1] > start)
    if row.last:  # what comes after is not said: for common times they are perhaps busy
        spans += (BusySpan(row.last, row.last + _UNSAID, PERHAPS),)
    return OutsideTimes(OutsideState.FAILED if row.error else OutsideState.FETCHED, row.fetched, spans if covers else (), covers)


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _want(user: User, url: str, digest: str, moment: int) -> None:
    key = [PublishedTimes.user, PublishedTimes.digest]
    insert = PublishedTimes.insert(user=user, digest=digest, url=url, wanted=moment)
    insert.on_conflict(conflict_target=key, update={PublishedTimes.wanted: moment}).execute()


# --- what the worker does --------------------------------------------------------------------------------------------


def waiting() -> pw.Query:
    """What is at addresses of the web; the rest is `service_times`."""
    due = (PublishedTimes.wanted > 0) & (PublishedTimes.wanted <= int(time.time()))
    return PublishedTimes.select().where(due, PublishedTimes.url.startswith("http"))


def ask_outside(url: str, headers: dict[str, str], *, seconds: float, from_host: str) -> FetchedResponse:
    return http_fetch.ask_guarded("GET", url, b"", headers, limit=published_times.LARGEST, seconds=seconds)


def sweep(ask: Ask = ask_outside) -> int:
    """Fetch what is wanted, each by one worker, in turn of those who want it; returns how many came."""
    count = 0
    for row in _in_turn(list(waiting().order_by(PublishedTimes.wanted, PublishedTimes.id).limit(_LOOKED_AT)))[:_IN_A_ROUND]:
        leased = int(time.time()) + _LEASE
        same = (PublishedTimes.id == row.id) & (PublishedTimes.wanted == row.wanted)
        if PublishedTimes.update(wanted=leased).where(same).execute():
            values = _fetched(row.url, ask)
            PublishedTimes.update(wanted=0, tried=int(time.time()), **values).where(PublishedTimes.id == row.id).execute()
            count += not values["error"]
    return count


def _in_turn(rows: Sequence[Any]) -> list[PublishedTimes]:
    """The first of each person, then the second: whoever wants many, or of slow servers, delays themselves."""
    seen: Counter[int] = Counter()
    places = []
    for row in rows:
        places.append(seen[row.user_id])
        seen[row.user_id] += 1
    return [rows[at] for at in sorted(range(len(rows)), key=lambda at: places[at])]


def _fetched(url: str, ask: Ask) -> dict[str, object]:
    try:
        answer = fetch.fetch(url, ask, seconds=_SECONDS)
        found = published_times.read(answer.content or b"")
    except (FollowTroubleError, NoTimesError) as error:
        kind = str(error.kind) if isinstance(error, FollowTroubleError) else "no-times"
        log.info("busy times at %s were not fetched: %s", fetch.host_of(url), kind)
        return {"error": kind[:20]}
    except Exception:  # whatever is at one address, others are asked
        log.exception("busy times at %s were not fetched", fetch.host_of(url))
        return {"error": "broken"}
    return {
        "error": "", "fetched": int(time.time()), "first": found.first, "last": found.last, "spans": json.dumps(found.spans),
    }  # fmt: skip


def forget_old() -> int:
    """Returns how many."""
    return int(
        PublishedTimes.delete().where(PublishedTimes.wanted == 0, PublishedTimes.tried < int(time.time()) - KEPT).execute()
    )
