"""Search of events."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Response, request

from webmail.calendar import search as searching
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.happenings import Happening
from webmail.calendar.forms import typed_day
from webmail.calendar.views.calendars import my_calendars
from webmail.web.current import time_zone
from webmail.web.formatting import today
from webmail.web.rendering import fragment, page

_FIRST = 3  # events beside messages


@blueprint.get("/calendar/search")
def search() -> Response:
    """Events by `words`, `from` and `to`; without a first day: those to come, and below them the latest that are over."""
    words = request.args.get("words", "").strip()[: searching.LONGEST_WORDS]
    begin, finish = request.args.get("from", "").strip()[:40], request.args.get("to", "").strip()[:40]
    first, last = typed_day(begin), typed_day(finish)
    wrong = [name for name, text, day in (("from", begin, first), ("to", finish, last)) if text and day is None]
    calendars = {one.id: one for one in my_calendars()}
    rights = {one.id: one.sight for one in calendars.values()}
    coming: list[Happening] = []
    earlier: list[Happening] = []
    asked = bool(words or first or last) and not wrong
    if asked:
        what = searching.sought(rights, words)
        coming = searching.found(what, first or _from(last), last, time_zone())
        if first is None:
            earlier = searching.found(what, None, min(last or today(), _yesterday()), time_zone(), backwards=True)
    return page(
        "calendar/search.html", 422 if wrong else 200, words=words, begin=begin, finish=finish, wrong=wrong, asked=asked,
        kind_words=words, coming=coming[: searching.MOST], more=len(coming) > searching.MOST,
        earlier=earlier[: searching.MOST_EARLIER],
        more_earlier=len(earlier) > searching.MOST_EARLIER, calendars=calendars,
    )  # fmt: skip


@blueprint.get("/calendar/search/first")
def find_first() -> Response:
    """The first few events with these words, beside the messages that have them."""
    words = request.args.get("words", "").strip()[: searching.LONGEST_WORDS]
    calendars = {one.id: one for one in my_calendars()}
    what = searching.sought({one.id: one.sight for one in calendars.values()}, words)
    coming = searching.found(what, today(), None, time_zone())
    earlier = searching.found(what, None, _yesterday(), time_zone(), backwards=True)
    return fragment(
        "calendar/_found_first.html", events=[*coming, *earlier][:_FIRST], total=len(coming) + len(earlier),
        more=len(coming) > searching.MOST or len(earlier) > searching.MOST_EARLIER, kind_words=words, calendars=calendars,
    )  # fmt: skip


def _yesterday() -> date:
    return today() - timedelta(days=1)


def _from(last: date | None) -> date | None:
    """Where those to come begin."""
    return today() if last is None or last >= today() else last + timedelta(days=1)
