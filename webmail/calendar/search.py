"""Search of events by words and dates, in all calendars that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta, tzinfo

from webmail.calendar import happenings
from webmail.calendar.happenings import Happening
from webmail.mime.encoded_words import words_in
from webmail.models import CalendarObject, Occurrence

MOST = 200  # events of a page
MOST_EARLIER = 50
LONGEST_WORDS = 100
_MOST_WORDS = 10
_FAR = 14 * 3600  # seconds between a day in UTC and the same one anywhere


def found(
    rights: Mapping[int, str], words: str, first: date | None, last: date | None, zone: tzinfo, *, backwards: bool = False
) -> list[Happening]:
    """The events with all these words (as they begin) between two days, the earliest first, or `backwards`. 1 query.

    `rights`: of the calendars by their `id`; those of which only the times are known have no words.
    """
    calendars = [number for number, right in rights.items() if right != "busy"]
    folded = words_in(words[:LONGEST_WORDS])[:_MOST_WORDS]
    if not calendars or (words.strip() and not folded):  # signs alone
        return []
    wanted = [CalendarObject.words.contains(f" {word}") for word in folded]
    query = happenings.whole_rows().where(CalendarObject.collection.in_(calendars), *wanted)
    if first is not None:
        query = query.where(Occurrence.end >= happenings.midnight(first, zone) - _FAR)
    if last is not None:
        query = query.where(Occurrence.start < happenings.midnight(last + timedelta(days=1), zone) + _FAR)
    most = MOST_EARLIER if backwards else MOST
    order = Occurrence.start.desc() if backwards else Occurrence.start.asc()
    rows = (
        happenings.happening(row, rights, zone) for row in happenings.plain(query.order_by(order, Occurrence.id).limit(most + 1))
    )
    return [one for one in rows if one and (first is None or one.last >= first) and (last is None or one.first <= last)]
