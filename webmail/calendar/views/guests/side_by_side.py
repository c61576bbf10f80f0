"""A day of several people, a column each: when they are busy by the hour, as far as the reader may know it."""

from __future__ import annotations

import time
from datetime import datetime
from functools import lru_cache

from flask import request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import page_texts, periods
from webmail.calendar.forms import typed_day
from webmail.calendar.free_busy import time_search
from webmail.calendar.free_busy.day_grid import PARTS, GridPiece
from webmail.calendar.free_busy.time_search import GridRow
from webmail.calendar.guests import guest_list
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.calendar.views.guests.find_time import clock_text, row_facts
from webmail.errors import BadAddressError
from webmail.web.current import current_user, settings, time_zone
from webmail.web.formatting import whole_hour
from webmail.web.rendering import page

MOST_COLUMNS = 20
_LONGEST = 4_000
_HOUR = 3600


@blueprint.get("/calendar/side-by-side")
def side_by_side() -> Response:
    """Of the people in `who`, on the `day`; of the person alone where nobody is named."""
    typed = request.args.get("who", "")[:_LONGEST]
    day = typed_day(request.args.get("day", "")[:10]) or datetime.now(time_zone()).date()
    who, guests, error = _read(typed)
    period = periods.around("day", day)
    found = time_search.search(
        current_user(), guests, period, _HOUR, None, time_zone(), int(time.time()), settings(), wide=True
    )  # fmt: skip
    return page(
        "calendar/side_by_side.html", 422 if error else 200, who=who, error=error, search=found, title=page_texts.title(period),
        lines=lines(found.rows, found.hours), clock=lru_cache(clock_text), facts=row_facts, whole_hour=whole_hour,
    )  # fmt: skip


def _read(typed: str) -> tuple[str, list[TypedGuest], str]:
    """What stands in the field, whom it names, and what is wrong with it; "" for nothing."""
    try:
        who = guest_list.completed(current_user(), {"invite": typed, "optional": ""}, settings())["invite"]
        guests = guest_list.guests_in(who)
    except BadAddressError as error:
        return typed, [], _("“%(value)s” is not an email address.", value=error.value[:80])
    except guest_list.TooManyGuestsError:
        guests, who = [], typed
    if len(guests) >= MOST_COLUMNS or (typed.strip() and not guests):
        return who, [], _("At most %(count)d people can be side by side.", count=MOST_COLUMNS - 1)
    return who, guests, ""


def lines(rows: list[GridRow], hours: range) -> list[list[GridPiece | None]]:
    """The columns, line by line: in each those pieces that begin there. None, in the first: somebody of whom nothing is known."""
    found: list[list[GridPiece | None]] = [[] for _part in range(len(hours) * PARTS)]
    for row in rows:
        at = 0
        if not row.is_known:
            found[0].append(None)
        for piece in row.pieces if row.is_known else ():
            found[at].append(piece)
            at += piece.width
    return found
