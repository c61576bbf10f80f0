"""Items as Radicale's protocol code and our own answers want to see them, with their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from radicale.item import Item
from radicale.storage import BaseCollection

from webmail.calendar import objects
from webmail.calendar.objects import TooMuchAskedError
from webmail.dav.queries import partial_data
from webmail.dav.queries.query_filter import CompFilter
from webmail.dav.queries.query_match import Subject
from webmail.dav.rows import ItemRow
from webmail.dav.visit import Visit, current
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import event_expansion

MOST_EXPANDED = 2_000  # occurrences in one answer
_MOST_STEPS = 25_000  # from the beginning of a series to the time asked for: 0.3 s


class DavItem(Item):
    """An item with its row. `text` is what it has, "" where nobody asks for it."""

    def __init__(self, collection: BaseCollection, row: ItemRow, text: str) -> None:
        component = row.component or ("VCARD" if collection.tag == "VADDRESSBOOK" else "VEVENT")
        card = collection.tag == "VADDRESSBOOK"
        super().__init__(
            collection=collection, href=row.href, text=text, etag=f'"{row.etag}"', uid=row.uid,
            last_modified=http_date(row.modified), name="VCARD" if card else "VCALENDAR", component_name=component,
            time_range=(row.first, row.last),
        )  # fmt: skip
        self.row, self._expanded = row, ""

    def matches(self, comp_filter: CompFilter) -> bool:
        visit = current.get()
        return Subject(self._text or "", visit.meant or visit.zone).matches(comp_filter)

    def serialize(self) -> str:
        """The text; each time by itself, or a part of it, if the question wishes so. Raises TooMuchAskedError,
        OverBudgetError."""
        visit, text = current.get(), super().serialize()
        if visit.expansion is not None and self.name == "VCALENDAR" and not self.row.once:
            text = self._expanded = self._expanded or self._each_time(visit, visit.expansion, text)
        if visit.limit is not None and self.name == "VCALENDAR":
            text = partial_data.limited(text, visit.limit, visit.meant or visit.zone)
        if visit.wanted is not None:
            text = partial_data.selected(text, visit.wanted)
            visit.budget.check()
        return text

    def _each_time(self, visit: Visit, span: tuple[int, int], text: str) -> str:
        if objects.steps_until(text, self.row.first, span[1]) > _MOST_STEPS:  # each is taken, from the beginning of the series
            raise TooMuchAskedError("occurrences so far ahead")
        try:
            text, count = event_expansion.expanded(text, *span, visit.meant or visit.zone)
        except UnusableCalendarError:  # by a rule that was made stricter
            count = 1
        visit.expanded += count
        if visit.expanded > MOST_EXPANDED:
            raise TooMuchAskedError(f"more than {MOST_EXPANDED} occurrences")
        return text


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What has changed in a collection. `item`: None where it is no longer there; `token`: until here, "" where there is none."""

    href: str
    item: DavItem | None
    token: str


def http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(tzinfo=UTC), usegmt=True)
