"""Public titles: what events that have rooms are called, for others than their owner."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from webmail.models import CalendarObject, Occurrence


def public_titles(numbers: Collection[int]) -> dict[tuple[int, str], str]:
    """By event (its `id`) and which one of a series; of private ones none. 1 query."""
    if not numbers:
        return {}
    columns = (Occurrence.object, Occurrence.recurrence_id, Occurrence.summary, Occurrence.private)
    rows: Any = Occurrence.select(*columns, CalendarObject.etag, CalendarObject.public_etag).join(CalendarObject)
    found: dict[tuple[int, str], str] = {}
    for number, at, summary, private, etag, public_etag in rows.where(Occurrence.object.in_(sorted(numbers))).tuples():
        hidden = private if private is not None else public_etag != etag  # an older version of Traboule wrote it
        found[number, at] = "" if hidden else summary
    return found
