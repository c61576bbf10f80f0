"""Chips under a message: the times that it names, to be added to the calendar ("Add to calendar: Thu 16:00")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from flask_babel import gettext as _

from webmail.calendar.quick_entry import dates_in_text
from webmail.calendar.quick_entry.quick_entry import Understood
from webmail.mime.html import scan
from webmail.web.formatting import clock_time, weekday_and_day

MOST = 3
_READ = 8_000  # characters of a text
_OPENING = 20_000  # characters of an HTML text
_OVER = timedelta(days=31)  # what has been over for longer is no longer offered
_BLOCK = re.compile(r"<(?:br|/p|/div|/td|/tr|/li|/h[1-6])\b", re.I)


@dataclass(frozen=True, slots=True)
class DateChip:
    """When it is: in words, and as the address of the form names it. `is_deadline`: until then something is to be done."""

    words: str
    at: str
    is_deadline: bool = False


def chips(text: str, sent: datetime, now: datetime, language: str) -> list[DateChip]:
    """The times that a text names, as at the moment when it was `sent`; both by one's own clock. No queries."""
    found = [one for one in _named(text[:_READ], sent, language) if _moment(one.end) > now - _OVER]
    return [DateChip(chip_words(one), name_of(one), one.is_deadline) for one in found]


@lru_cache(maxsize=256)
def _named(text: str, sent: datetime, language: str) -> tuple[Understood, ...]:
    if not dates_in_text.is_likely(text):
        return ()
    return tuple(dates_in_text.dates_in(text, sent, language, MOST))


def text_of(html: str) -> str:
    """The words of the beginning of an HTML text, a line for each block."""
    return scan.bare_words(_BLOCK.sub(r"\n\g<0>", " ".join(html[:_OPENING].split("\n"))))


def name_of(understood: Understood) -> str:
    """The name of a time in the address of the form."""
    return understood.start.strftime("%Y-%m-%dT%H:%M") if isinstance(understood.start, datetime) else understood.start.isoformat()


def chip_words(understood: Understood) -> str:
    """When it is, in short: the weekday within a week, the date beyond."""
    if not isinstance(understood.start, datetime):
        return weekday_and_day(understood.start)
    return _("%(day)s %(time)s", day=weekday_and_day(understood.start.date()), time=clock_time(understood.start))


def _moment(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(23, 59))
