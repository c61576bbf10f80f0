"""Rate limits: how often something may be done within a time, counted in SQL for all processes and machines together.

An area says what it bounds as a `RateLimit`, and takes one before it does the thing: `take(settings, ASKED.by(network))`. What is
taken counts from then on, so that of many at once no more pass than may; `give_back` what shall not count after all, such as a
right password. What is refused does not count: waiting always helps, and a flood writes nothing. No person, address or network
can be read in the table: what is counted is a hash that is keyed with the instance's secret.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import peewee as pw

from webmail import vault
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.database.prepared import Prepared, Slot
from webmail.errors import MailError
from webmail.models import LimitUse, now

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
_BATCH = 1000  # rows that are deleted at once


class TooManyRequestsError(MailError):
    """As many as may be already. `seconds` to wait, 0 where nobody can say how long; `again`: until when (naive UTC). `left`: how
    many may be, where one asked for more.

    The only error that is answered 429: what it says to people stands in web/responses/too_many.py.
    """

    status = 429

    def __init__(
        self, wait: timedelta = timedelta(), limit: RateLimit | None = None, *, left: int = 0, again: datetime | None = None
    ) -> None:
        wait = max(again - now(), timedelta(seconds=1)) if again else wait
        self.seconds = math.ceil(wait.total_seconds())
        self.limit, self.left, self.again = limit, left, again
        super().__init__(f"too many requests ({limit.name if limit else 'unnamed'}); again in {self.seconds} s")

    @property
    def minutes(self) -> int:
        return math.ceil(self.seconds / 60)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`most` of something within a span. Those of one name share a count: so many in an hour, and so many in a day."""

    name: str
    most: int
    span: timedelta

    def by(self, *who: object) -> Bounded:
        """The same of one person, address or network; of nobody: of all together."""
        return Bounded(self, "\n".join(map(str, who)))


@dataclass(frozen=True, slots=True)
class Bounded:
    """A limit, and whose uses count for it."""

    limit: RateLimit
    who: str

    def key(self, settings: Settings) -> str:
        return _hashed(f"{self.limit.name}\n{self.who}", settings)


@dataclass(frozen=True, slots=True)
class Use:
    """What was taken, to be given back."""

    keys: tuple[str, ...]
    mark: str
    at: datetime


Turn = Callable[[Sequence[Bounded]], int]


def take(settings: Settings, *bounded: Bounded | None, mark: str = "", revision: Turn | None = None) -> Use:
    """Count one more for each of these (None: for nothing). Raises TooManyRequestsError, and counts nothing, where one is used
    up.

    `mark`: what those have in common that `forget` forgets together. `revision` is asked where some are used up (they are given):
    it answers 0 where this one counts and passes all the same, else the seconds to wait. Rows first, then a look at who was
    before: of two at once, one sees the other. At most one SELECT, one INSERT and another SELECT; on PostgreSQL a lock for each.
    """
    wanted = [one for one in bounded if one is not None]
    if revision is None and not db.in_transaction() and (full := _full(settings, wanted)):
        raise _refusal(full)  # without the lock for writing, which others need
    with nullcontext() if db.in_transaction() else db.atomic():
        use = note(settings, *wanted, mark=mark)
        full = _full(settings, wanted, besides=1)
        wait = timedelta(seconds=revision([one for one, _again in full])) if full and revision else None
        if full and (wait is None or wait):
            give_back(use)
    if full and (wait is None or wait):
        raise _refusal(full) if wait is None else TooManyRequestsError(wait, full[0][0].limit)
    return use


def may(settings: Settings, *bounded: Bounded | None) -> bool:
    """Whether one more may be of each of these; it then counts."""
    try:
        take(settings, *bounded)
    except TooManyRequestsError:
        return False
    return True


@contextmanager
def attempt(settings: Settings, *bounded: Bounded, counts: Callable[[Exception], bool]) -> Iterator[None]:
    """Count what is done in this block, unless it ends well or with an error that is nobody's guess: `counts` says which is.

    Raises TooManyRequestsError.
    """
    use = take(settings, *bounded)
    try:
        yield
    except Exception as error:
        if not counts(error):
            give_back(use)
        raise
    give_back(use)


def check(settings: Settings, *bounded: Bounded | None) -> None:
    """Raises TooManyRequestsError where one of them is used up; counts nothing. One SELECT."""
    if full := _full(settings, [one for one in bounded if one is not None]):
        raise _refusal(full)


def is_full(settings: Settings, *bounded: Bounded, besides: int = 0) -> bool:
    """Whether one of these is used up, apart from `besides` uses of one's own. One SELECT."""
    return bool(_full(settings, bounded, besides))


def note(settings: Settings, *bounded: Bounded, mark: str = "") -> Use:
    """Count one more for each, however many there are. One INSERT; on PostgreSQL a lock for each, in a transaction."""
    wanted = {one.key(settings): one.limit.span for one in sorted(bounded, key=lambda one: one.limit.span)}  # the longest is kept
    at, marked = now(), _hashed(mark, settings) if mark else secrets.token_hex(16)
    if not wanted:
        return Use((), marked, at)
    if db.in_transaction():
        for key in sorted(wanted):  # in the same order for everybody, so that no two wait for each other
            serialize(f"limit {key}")
    until = {f"until{number}": at + span for number, span in enumerate(wanted.values())}
    _noted(len(wanted)).change(mark=marked, at=at, **until, **_numbered(wanted))
    return Use(tuple(wanted), marked, at)


def give_back(*uses: Use) -> None:
    """They count no more. One DELETE each."""
    for use in uses:
        _given_back(len(use.keys)).change(mark=use.mark, at=use.at, **_numbered(use.keys))


def forget(settings: Settings, *bounded: Bounded, mark: str, until: datetime | None = None) -> None:
    """All with this mark (up to a moment) count no more for these. One DELETE."""
    keys = _numbered([one.key(settings) for one in bounded])
    _forgotten(len(bounded)).change(mark=_hashed(mark, settings), until=until or datetime.max, **keys)


def is_noted(settings: Settings, bounded: Bounded, mark: str) -> bool:
    """Whether one with this mark counts. One SELECT."""
    same = (LimitUse.key == bounded.key(settings)) & (LimitUse.mark == _hashed(mark, settings))
    return bool(LimitUse.select().where(same, LimitUse.at > now() - bounded.limit.span).exists())


def used(settings: Settings, bounded: Bounded) -> int:
    """How many count. One SELECT."""
    lately = (LimitUse.key == bounded.key(settings)) & (LimitUse.at > now() - bounded.limit.span)
    return int(LimitUse.select().where(lately).count())


def expire(most: int = 100 * _BATCH) -> int:
    """Delete what counts no more, a batch at a time, each in a transaction of its own; returns how many rows."""
    gone = 0
    while gone < most:
        over = LimitUse.select(LimitUse.id).where(LimitUse.until < now()).limit(_BATCH)
        batch = [row.id for row in over]
        gone += LimitUse.delete().where(LimitUse.id.in_(batch)).execute() if batch else 0
        if len(batch) < _BATCH:
            break
    return gone


def _full(settings: Settings, wanted: Sequence[Bounded], besides: int = 0) -> list[tuple[Bounded, datetime]]:
    """Those that are used up, apart from `besides` uses of one's own, and when there is one again. One SELECT for all."""
    if not wanted:
        return []
    at = now()
    since = {f"since{number}": at - one.limit.span for number, one in enumerate(wanted)}
    before = {f"before{number}": max(one.limit.most - 1, 0) + besides for number, one in enumerate(wanted)}
    (found,) = _decisive(len(wanted)).plain(**since, **before, **_numbered([one.key(settings) for one in wanted]))
    times = [datetime.fromisoformat(one) if isinstance(one, str) else one for one in found]
    times = [when if one.limit.most > 0 else at for one, when in zip(wanted, times, strict=True)]  # else nothing may
    return [(one, when + one.limit.span) for one, when in zip(wanted, times, strict=True) if when is not None]


@cache
def _decisive(count: int) -> Prepared:
    """When the use was that fills each of so many limits: null where there are fewer."""

    def look(number: int, placeholder: Slot) -> Any:
        lately = (LimitUse.key == placeholder(f"key{number}")) & (LimitUse.at > placeholder(f"since{number}"))
        return (
            LimitUse.select(LimitUse.at)
            .where(lately)
            .order_by(LimitUse.at.desc())
            .limit(1)
            .offset(placeholder(f"before{number}"))
        )

    return Prepared(lambda slot: pw.Select(columns=[look(number, slot) for number in range(count)]).bind(db))


@cache
def _noted(count: int) -> Prepared:
    names = ("key", "mark", "at", "until")
    several = ("key", "until")
    return Prepared(
        lambda slot: LimitUse.insert_many(
            [{name: slot(f"{name}{number}" if name in several else name) for name in names} for number in range(count)]
        )
    )


@cache
def _given_back(count: int) -> Prepared:
    return Prepared(lambda slot: _marked(slot, count).where(LimitUse.at == slot("at")))


@cache
def _forgotten(count: int) -> Prepared:
    return Prepared(lambda slot: _marked(slot, count).where(LimitUse.at <= slot("until")))


def _marked(placeholder: Slot, count: int) -> Any:
    keys = [placeholder(f"key{number}") for number in range(count)]
    return LimitUse.delete().where(LimitUse.key.in_(keys), LimitUse.mark == placeholder("mark"))


def _numbered(keys: Iterable[str]) -> dict[str, str]:
    return {f"key{number}": key for number, key in enumerate(keys)}


def _refusal(full: Sequence[tuple[Bounded, datetime]]) -> TooManyRequestsError:
    bounded, again = max(full, key=lambda one: one[1])
    return TooManyRequestsError(limit=bounded.limit, again=again)


def _hashed(text: str, settings: Settings) -> str:
    return vault.keyed_hash(text.encode("utf-8", "replace").decode(), settings.secret_key, "rate limit", 0)
