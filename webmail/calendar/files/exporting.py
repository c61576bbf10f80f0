"""Exporting: calendars as files, all that is in them as it is stored; of what is private, as much as somebody sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webmail.calendar import privacy
from webmail.collections import look
from webmail.collections.store import Access
from webmail.mime.formats.calendars import calendar_joining, component_tree
from webmail.models import CalendarObject, User

_PIECE = 100  # objects in memory at once
_ZONE = "X-WR-TIMEZONE:"


def file_of(access: Access, user: User) -> Iterator[str]:
    """A calendar in pieces, as a person has it. 1 query for each hundred objects."""
    number = access.collection.id
    colour = look.read(access.props.get(look.COLOUR["calendar"]))
    return calendar_joining.together(_texts(access, user), look.title_of(access.props), colour, _zone(number))


def _texts(access: Access, user: User) -> Iterator[str]:
    last = 0
    while True:
        rows = CalendarObject.select().where(CalendarObject.collection == access.collection.id, CalendarObject.id > last)
        some = list(rows.order_by(CalendarObject.id).limit(_PIECE))
        if not some:
            return
        last = some[-1].id
        yield from filter(None, (privacy.as_seen(access, row, user)[1].text for row in some))


def _zone(number: int) -> str:
    """Where times without a zone are meant, if its objects agree on that. 1 query."""
    rows: Any = CalendarObject.select(CalendarObject.text).where(
        CalendarObject.collection == number, CalendarObject.text.contains(_ZONE)
    )
    texts = (text for (text,) in rows.tuples().iterator())
    told = {line.value.strip() for text in texts for line in component_tree.lines_named(text, "X-WR-TIMEZONE")}
    return told.pop() if len(told) == 1 else ""
