"""Search of events by words and dates, in all calendars that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import reduce
from operator import and_
from typing import Any

import peewee as pw

from webmail.calendar import objects, privacy
from webmail.calendar.display import happenings
from webmail.calendar.display.happenings import Happening
from webmail.calendar.search_words import words_of
from webmail.database.connection import db
from webmail.database.plain_rows import plain_rows
from webmail.mime.headers.encoded_words import words_in
from webmail.models import FOR_EVER, CalendarObject, Occurrence

MOST = 200  # events of a page
MOST_EARLIER = 50
LONGEST_WORDS = 100
_MOST_WORDS = 10
_MANY = 1_000  # objects: more are not named in a query
_MOST_PARTLY = 200  # private objects with the words that are looked through
_SPANS = (14 * 86_400, 365 * 86_400, 2 * FOR_EVER)  # seconds; where many events are sought, the near ones mostly fill a page
_FAR = 14 * 3600  # seconds between a day in UTC and the same one anywhere


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for, in which calendars (their rights by `id`). `condition`: of a row; None: nothing can be found."""

    rights: Mapping[int, str]
    condition: Any
    many: bool = False


def sought(rights: Mapping[int, str], text: str) -> Sought:
    """The events with all these words (as they begin). 1 query, answered from an index: see docs/decisions/calendar.md; 2 where
    they don't see private events.

    `rights`: of the calendars by their `id`, as `Access.sight` has them; what is only known to take time has no words.
    """
    mine = {number: right for number, right in rights.items() if right != "busy"}
    whole = [number for number, right in mine.items() if right == "own"]
    folded = words_in(text[:LONGEST_WORDS])[:_MOST_WORDS]
    if not mine or (text.strip() and not folded):  # signs alone
        return Sought(mine, None)
    inside = objects.among(Occurrence.collection, mine)
    if not folded:
        return Sought(mine, inside, many=True)
    wanted = [_has(word) for word in folded]
    if len(whole) < len(mine):  # the words of what is private are not theirs to know
        theirs = objects.among(CalendarObject.collection, whole or [0])
        wanted.append(theirs | ~privacy.unsure())
    asked = CalendarObject.select(CalendarObject.id).where(objects.among(CalendarObject.collection, mine), *wanted)
    numbers = [number for (number,) in plain_rows(asked.limit(_MANY + 1))]
    if len(numbers) > _MANY:
        return Sought(mine, reduce(and_, wanted, inside), many=True)
    numbers += _partly_private([number for number in mine if number not in whole], folded)
    return Sought(mine, objects.among(Occurrence.object, numbers) if numbers else None)


def _partly_private(calendars: list[int], texts: list[str]) -> list[int]:
    """The series (by `id`) of which one is private, or all but one, and that have these words in what anybody sees who reads."""
    if not calendars:
        return []
    mine = objects.among(CalendarObject.collection, calendars) & privacy.unsure()
    found: Any = CalendarObject.select(CalendarObject.id, CalendarObject.text).where(mine, *map(_has, texts))
    seen = ((number, words_of(privacy.seen(text, ""))) for number, text in found.limit(_MOST_PARTLY).tuples())
    return [number for number, known in seen if all(f" {word}" in known for word in texts)]


def _has(word: str) -> Any:
    """Whether one of the words of an object, which are folded, begins so. `word`: letters and digits alone."""
    if isinstance(db.obj, pw.SqliteDatabase):
        return pw.fn.instr(CalendarObject.words, f" {word}") > 0  # half the time of LIKE
    return pw.Expression(CalendarObject.words, pw.OP.LIKE, f"% {word}%")  # as the index of trigrams takes it


def found(what: Sought, first: date | None, last: date | None, zone: tzinfo, *, backwards: bool = False) -> list[Happening]:
    """When they take place between two days, the earliest first, or `backwards`; one more than a page has, if there are more.

    1 query, or up to 3 where many events are sought: those near are asked for first.
    """
    if what.condition is None:
        return []
    start = -FOR_EVER if first is None else happenings.midnight(first, zone) - _FAR
    end = FOR_EVER if last is None else happenings.midnight(last + timedelta(days=1), zone) + _FAR
    most = MOST_EARLIER if backwards else MOST
    order = Occurrence.start.desc() if backwards else Occurrence.start.asc()
    within = happenings.select_occurrences().where(what.condition, Occurrence.end >= start, Occurrence.start < end)
    asked = within.order_by(order, Occurrence.id).limit(most + 1)
    rows: list[tuple[Any, ...]] = []
    for span in _SPANS if what.many else _SPANS[-1:]:
        near = Occurrence.start >= end - span if backwards else Occurrence.start < start + span
        rows = plain_rows(asked.where(near))
        if len(rows) > most:
            break
    seen = (happenings.happening(row, what.rights, zone) for row in rows if row[1] in what.rights)
    return [one for one in seen if one and (first is None or one.last >= first) and (last is None or one.first <= last)]
