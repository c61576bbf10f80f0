"""Asked times: the time that a question is about, for days and for times without a zone too, which are in the zone that it means
(RFC 4791, 7.8 and 9.9).

The table of occurrences has days as midnight UTC, and times without a zone as in the installation's: `kept`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Literal

DAY = 86_400  # more than any two zones are apart
_OPEN = 2**40  # and beyond: a time without an end
_FIRST, _LAST = -(2**31), 2**32  # seconds since 1970 between which zones are asked for their offset
_ZONES = re.compile(r"^BEGIN:VTIMEZONE\s*$.*?^END:VTIMEZONE\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_BEGINS = re.compile(r"^DTSTART((?:;[^:\r\n]*)?):([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_MEANT = re.compile(r"^X-WR-TIMEZONE[;:]", re.MULTILINE | re.IGNORECASE)

Kind = Literal["day", "floating", "fixed"]
Span = tuple[int, int]


def clock_at(moment: int, zone: tzinfo) -> int:
    """What clocks of a zone show at a moment, as the seconds since 1970 at which those in Greenwich do."""
    at = datetime.fromtimestamp(min(max(moment, _FIRST), _LAST), UTC).astimezone(zone)
    return moment + _offset(at)


def moment_of(clock: int, zone: tzinfo) -> int:
    """When clocks of a zone show this."""
    at = datetime.fromtimestamp(min(max(clock, _FIRST), _LAST), UTC).replace(tzinfo=zone)
    return clock - _offset(at)


def _offset(at: datetime) -> int:
    offset = at.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def without_zones(text: str) -> str:
    """A calendar text without the zones that it defines."""
    return _ZONES.sub("", text)


def kind_of(text: str) -> Kind:
    """What the times of an object are, by the first that begins: days, in no zone, or in one."""
    if "\n " in text or "\n\t" in text:
        text = re.sub("\r?\n[ \t]", "", text)
    begins = _BEGINS.search(without_zones(text))
    if begins is None or begins[2].strip().upper().endswith("Z") or "TZID=" in begins[1].upper():
        return "fixed"
    if len(begins[2].strip()) == 8:
        return "day"
    return "fixed" if _MEANT.search(text) else "floating"


@dataclass(frozen=True)
class AskedTime:
    """`start` and `end`: seconds since 1970."""

    start: int
    end: int
    zone: tzinfo  # that is meant
    kept: tzinfo

    def span(self, kind: Kind) -> Span:
        """The time as the table has those of this kind."""
        return {"day": self.days, "floating": self.floating, "fixed": (self.start, self.end)}[kind]

    @cached_property
    def days(self) -> Span:
        return _each(self, lambda at: clock_at(at, self.zone))

    @cached_property
    def floating(self) -> Span:
        return _each(self, lambda at: moment_of(clock_at(at, self.zone), self.kept))

    @cached_property
    def wide(self) -> Span:
        """What has all of it, whatever the zone."""
        return self.start - DAY, self.end + DAY

    def touched_by(self, kind: Kind, start: int, end: int) -> bool:
        """By something of this kind, as the table has it."""
        first, last = self.span(kind)
        return start < last and (end > first or start >= first)

    def moment(self, kind: Kind, at: int) -> int:
        """When something of this kind begins, that the table has at this time."""
        if kind == "fixed" or (kind == "floating" and self.zone == self.kept):
            return at
        return moment_of(at if kind == "day" else clock_at(at, self.kept), self.zone)


def _each(time: AskedTime, change: Callable[[int], int]) -> Span:
    start, end = (at if abs(at) >= _OPEN else change(at) for at in (time.start, time.end))
    return start, end
