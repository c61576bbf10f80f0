"""Waiting lines: whose try is next where the ordinary ones are used up. Who has waited longest is. No Flask here.

A browser that is told to wait gets a place: a random number in its signed cookie. From its second visit on it stands in the lines
that it waits for, a row each, for as long as it comes back when it was told to. So programs that try on and on, or throw their
cookies away, write nothing and stand nowhere; and a line is as long as those are many who really wait. A line lets one through
after the other, never faster than it may, whoever they are: what it protects is how many passwords are looked at.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import Expression

from webmail.models import TakenTurn, WaitingPlace, now

FIRST = 5  # seconds that a browser is told to wait at first
_QUIET = 4  # that it must have waited: who is told "five seconds" may look at another clock
_TRIES = 5  # of a browser meanwhile: a person who presses the button again keeps their place, a program does not
_LONGEST = 15 * 60  # seconds until a place is worth nothing
_LATE = timedelta(seconds=30)  # how late somebody may come back who was told when
_MOST = 1000  # in one line: who comes then is told to wait, and stands nowhere yet
_LATELY = timedelta(minutes=5)  # a source that had a turn comes after those that had none

Place = tuple[int, int, str]  # since when a browser waits (seconds since 1970), its tries meanwhile, its number


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """What people wait for; a turn every `seconds`, and after a pause as many as `at_once`.

    `by_source`: who comes from where nobody has had a turn lately goes before the others, so that one place alone can't have all.
    """

    name: str
    seconds: float
    at_once: int = 1
    by_source: bool = False

    @property
    def key(self) -> str:
        """Under what it is kept: names that people type may be long."""
        return hashlib.sha256(self.name.encode()).hexdigest()


def place_of(stored: Sequence[int | str] | None) -> Place | None:
    """A place as a signed cookie brings it back; None for none, and for one of another version."""
    if not stored or len(stored) != 3:
        return None
    since, tries, number = stored
    return int(since), int(tries), str(number)[:32]


def has_waited(admitted: Place | None) -> bool:
    """Whether a browser with this place may stand in line."""
    if admitted is None:
        return False
    since, tries, _number = admitted
    return since + _QUIET <= time.time() <= since + _LONGEST and (tries <= _TRIES or _stands(admitted))


def next_place(admitted: Place | None) -> Place:
    """The place of a browser that is told to wait (again). One that doesn't stop trying begins anew, before it stands in line."""
    if admitted is None or time.time() > admitted[0] + _LONGEST or (admitted[1] >= _TRIES and not _stands(admitted)):
        return int(time.time()), 1, secrets.token_hex(16)
    return admitted[0], admitted[1] + 1, admitted[2]


def take(lines: Sequence[WaitingLine], admitted: Place, source: str) -> int:
    """Take a turn in all of these lines at once: 0, or the seconds after which to come back, and until then it stands in them.

    Within a transaction that others wait for (`locks.serialize`). `source`: where the browser is, as it is counted.
    """
    at, number = now(), admitted[2]
    _forget(at)
    if wait := max(_turn_in(line, number, source, at) for line in lines):
        WaitingPlace.update(until=at + timedelta(seconds=wait) + _LATE).where(WaitingPlace.place == number).execute()
        return wait
    WaitingPlace.delete().where(WaitingPlace.place == number).execute()
    for line in lines:
        TakenTurn.create(line=line.key, source=source, at=at)
    return 0


def _turn_in(line: WaitingLine, position: str, source: str, at: datetime) -> int:
    """Seconds until this place may have a turn, 0 for now; it stands in the line from here on. Four queries."""
    mine = WaitingPlace.get_or_none(WaitingPlace.line == line.key, WaitingPlace.place == position)
    if mine is None:
        if WaitingPlace.select().where(WaitingPlace.line == line.key).count() >= _MOST:
            return FIRST
        mine = WaitingPlace.create(line=line.key, place=position, source=source, since=at, until=at + _LATE)
    ahead = WaitingPlace.select().where(WaitingPlace.line == line.key, _before(mine, line, at)).count()
    taken = [
        row.at
        for row in TakenTurn.select(TakenTurn.at)
        .where(TakenTurn.line == line.key, TakenTurn.at > at - timedelta(seconds=line.seconds * line.at_once))
        .order_by(TakenTurn.at)
    ]
    if ahead < (free := line.at_once - len(taken)):
        return 0
    next_one = (taken[0] - at).total_seconds() + line.seconds * line.at_once if free <= 0 else 0.0
    return max(FIRST, math.ceil(next_one + line.seconds * (ahead - max(free, 0) + (free > 0))))


def _before(mine: WaitingPlace, line: WaitingLine, at: datetime) -> Expression:
    """Who has their turn before this place."""
    longer = (WaitingPlace.since < mine.since) | ((WaitingPlace.since == mine.since) & (WaitingPlace.id < mine.id))
    if not line.by_source:
        return longer
    rows = TakenTurn.select(TakenTurn.source).where(TakenTurn.line == line.key, TakenTurn.at > at - _LATELY).distinct()
    had = [row.source for row in rows]
    if mine.source in had:
        return WaitingPlace.source.not_in(had) | longer
    return longer & WaitingPlace.source.not_in(had) if had else longer


def _stands(admitted: Place) -> bool:
    """Whether it stands in a line. One SELECT."""
    return bool(WaitingPlace.select().where(WaitingPlace.place == admitted[2], WaitingPlace.until > now()).exists())


def _forget(at: datetime) -> None:
    """Who did not come back stands in the way of nobody."""
    WaitingPlace.delete().where(WaitingPlace.until < at).execute()
    TakenTurn.delete().where(TakenTurn.at < at - _LATELY).execute()
