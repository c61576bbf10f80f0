"""Day mark: the heading in a list at the day that somebody went to, or the nearest days where no message is from that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from flask_babel import gettext as _

from webmail.imap.lists.listing import Listing
from webmail.web.formatting import day_in_full, local


class DayMark(NamedTuple):
    """The rows of the page above the heading and below it; `found`: those below begin with messages of the day."""

    above: Listing
    below: Listing
    found: bool
    words: str


def mark(listing: Listing, day: date) -> DayMark | None:
    """The heading for `day` in a page, newest first; None where the day is on a later page, or nothing is listed."""
    days = [local(row.received).date() for row in listing.rows]
    place = next((number for number, one in enumerate(days) if one <= day), len(days))
    if not days or (place == len(days) and listing.page < listing.pages):
        return None
    before = days[place] if place < len(days) else None
    after = days[place - 1] if place else None
    parts = replace(listing, rows=listing.rows[:place]), replace(listing, rows=listing.rows[place:])
    return DayMark(*parts, before == day, day_in_full(day) if before == day else _nearest(day, before, after))


def _nearest(day: date, before: date | None, after: date | None) -> str:
    asked = day_in_full(day)
    if before and after:
        return _(
            "No messages from %(day)s. The nearest are from %(before)s and %(after)s.",
            day=asked, before=day_in_full(before), after=day_in_full(after),
        )  # fmt: skip
    if before:
        return _("No messages from %(day)s. The nearest before that day is from %(other)s.", day=asked, other=day_in_full(before))
    return _(
        "No messages from %(day)s. The nearest after that day is from %(other)s.", day=asked, other=day_in_full(after or day)
    )
