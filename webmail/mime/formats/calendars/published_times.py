"""Published times: when somebody is busy, as a file of VFREEBUSY says (RFC 5545, 3.6.4), which programs put at an address.

Whoever has the address writes what they like there: what is no free/busy is refused, and so much is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, parsed

LARGEST = 1_000_000  # bytes
MOST = 5_000  # times
_LENGTH = re.compile(r"P(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?")
_LEVELS = {"FREE": 0, "BUSY-TENTATIVE": 1}


class NoTimesError(ValueError):
    """Not a file of free and busy times."""


@dataclass(frozen=True, slots=True)
class FreeBusyFile:
    """`spans`: start, end (seconds since 1970) and 1 for perhaps, 2 for busy. `first`, `last`: what it is about, 0: all time."""

    spans: tuple[tuple[int, int, int], ...]
    first: int = 0
    last: int = 0


def read(content: bytes) -> FreeBusyFile:
    """Raises NoTimesError."""
    if len(content) > LARGEST:
        raise NoTimesError("too large")
    try:
        root = parsed(content.decode("utf-8", "replace").lstrip("\ufeff"))
        parts = root.parts("VFREEBUSY") if root.name == "VCALENDAR" else []
        if not parts:
            raise NoTimesError("no free/busy")
        spans = sorted({span for part in parts for span in _spans(part)})
        firsts, lasts = ([_moment(part.value(name)) for part in parts if part.value(name)] for name in ("DTSTART", "DTEND"))
    except (BrokenTextError, ValueError, OverflowError, RecursionError) as error:
        raise NoTimesError(str(error)) from error
    return FreeBusyFile(tuple(spans[:MOST]), min(firsts, default=0), max(lasts, default=0))


def _spans(part: Component) -> list[tuple[int, int, int]]:
    found = []
    for line in part.lines("FREEBUSY"):
        level = _LEVELS.get(line.param("FBTYPE").upper(), 2)
        for period in line.value.split(",") if level else ():
            start, slash, end = period.strip().partition("/")
            begins = _moment(start)
            ends = begins + _seconds(end) if end[:1] == "P" else _moment(end)
            if not slash or ends <= begins:
                raise NoTimesError("no period")
            found.append((begins, ends, level))
            if len(found) > MOST:
                raise NoTimesError("too many times")
    return found


def _moment(text: str) -> int:
    return int(datetime.strptime(text.strip(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


def _seconds(text: str) -> int:
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise NoTimesError("no length")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return int(timedelta(days, seconds, 0, 0, minutes, hours, weeks).total_seconds())
