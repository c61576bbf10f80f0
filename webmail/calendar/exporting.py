"""Exporting: calendars as files, all that is in them as it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webmail.collections import look
from webmail.collections.store import Access
from webmail.mime.formats import calendar_joining, calendar_text
from webmail.models import CalendarObject

_PIECE = 100  # objects in memory at once
_ZONE = "X-WR-TIMEZONE:"


def file_of(access: Access) -> Iterator[str]:
    """A calendar in pieces. 1 query for each hundred objects."""
    number = access.collection.id
    colour = look.read(access.props.get(look.COLOUR["calendar"]))
    return calendar_joining.together(_texts(number), look.title_of(access.props), colour, _zone(number))


def _texts(number: int) -> Iterator[str]:
    last = 0
    while True:
        rows: Any = CalendarObject.select(CalendarObject.id, CalendarObject.text).where(
            CalendarObject.collection == number, CalendarObject.id > last
        )
        some = list(rows.order_by(CalendarObject.id).limit(_PIECE).tuples())
        if not some:
            return
        last = some[-1][0]
        yield from (text for _id, text in some)


def _zone(number: int) -> str:
    """Where times without a zone are meant, if its objects agree on that. 1 query."""
    rows: Any = CalendarObject.select(CalendarObject.text).where(
        CalendarObject.collection == number, CalendarObject.text.contains(_ZONE)
    )
    texts = (text for (text,) in rows.tuples().iterator())
    told = {line.value.strip() for text in texts for line in calendar_text.lines_named(text, "X-WR-TIMEZONE")}
    return told.pop() if len(told) == 1 else ""
