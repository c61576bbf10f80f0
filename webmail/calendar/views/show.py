"""The calendar's pages: a day, a week, a month, a list and a year, of all calendars that are shown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import objects
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import bars, crowded_days, day_counts, happenings, hours, page_texts, periods, special_days
from webmail.calendar.display.crowded_days import Crowd
from webmail.calendar.display.day_counts import DaySpan
from webmail.calendar.display.happenings import Found, Happening
from webmail.calendar.display.periods import NoSuchPeriodError, Period
from webmail.calendar.todos import todo_lists
from webmail.calendar.todos.todo_lists import TodoRow
from webmail.calendar.views.calendars import ShownCalendar, my_calendars
from webmail.web.current import preferences, settings, time_zone
from webmail.web.formatting import clock_time, here, today
from webmail.web.frame.areas import shows
from webmail.web.rendering import page
from webmail.web.texts.day_names import day_name

_LINES = 4  # of a day in the month
_ON_PAPER = 14  # of a day, those without a line only where the month is printed
_BARS = 6  # above the hours
_SIDE_BY_SIDE = {"day": 12, "workweek": 5, "week": 4}
_LISTED = 200  # events of a page of the list
_LONGEST_DATE = 10
_FAR = timedelta(days=600)  # from today: so far at least the table of occurrences reaches


@blueprint.get("/calendar")
def show() -> Response:
    """Today, in the view of one's choice."""
    view = preferences().calendar_view or ("agenda" if _is_telephone() else "month")
    return _period_page(periods.around(view, today(), preferences().first_day))


@blueprint.get("/calendar/<view>/<day>")
def show_period(view: str, day: str) -> Response:
    """`view`: one of `periods.VIEWS`; `day`: 2026-12-08, for a month also 2026-12, for a year 2026."""
    try:
        return _period_page(periods.parse(view, day, preferences().first_day))
    except NoSuchPeriodError:
        return abort(404)


@blueprint.get("/calendar/go")
def go() -> Answer:
    """Leads to the page of the day in `day`, as a field has it: 2026-12-08, or 8/12/2026."""
    view = request.args.get("view", "")
    view = view if view in periods.VIEWS else "day"
    return redirect(
        url_for("calendar.show_period", view=view, day=(_typed(request.args.get("day", "")) or today()).isoformat()), 303
    )


def _typed(text: str) -> date | None:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            found = datetime.strptime(text.strip()[:_LONGEST_DATE], pattern).date()
            return periods.parse("day", found.isoformat()).day
        except ValueError:
            continue
    return None


def _is_telephone() -> bool:
    """What the browser says; a wrong guess only chooses another view."""
    told = request.headers.get("Sec-CH-UA-Mobile", "")
    return told == "?1" if told else "Mobi" in request.headers.get("User-Agent", "")[:500]


# --- what a page shows -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayMarks:
    """What is special about days: holidays, and their names where they are said."""

    public: Mapping[date, str]
    school: Mapping[date, str]

    @property
    def key(self) -> tuple[Hashable, ...]:
        return tuple(self.public.items()), tuple(self.school.items())

    def notes(self, day: date, begins: bool) -> list[str]:
        """What the day says of itself. `begins`: school holidays are named here, as where they begin."""
        found = [day_name(self.public[day])] if day in self.public else []
        first = begins or self.school.get(day - timedelta(days=1)) != self.school.get(day)
        if day in self.school and first:
            found.append(day_name(self.school[day]))
        if change := page_texts.clock_words(hours.clock_change(day, here().zone)):
            found.append(change)
        return found

    def off(self, day: date) -> bool:
        return day in self.public or day in self.school


def _period_page(period: Period) -> Response:
    """The page. What it shows is laid out, and asked of the database, only where its piece has not been kept."""
    g.calendar_period = period
    mine = {one.id: one for one in my_calendars()}
    rights = {one.id: one.sight for one in mine.values() if one.shown}
    marks = _marks(period.shown_first, period.shown_last)
    due = _due_days(period, mine)
    lay_out = {"month": _month, "agenda": _agenda, "year": _year}.get(period.view, _hours)
    return page(
        "calendar/show.html", period=period, heading=page_texts.title(period), calendars=mine, now_day=today(),
        numbers=preferences().week_numbers, letter=_week_letter, week_of=periods.week_number, marks=marks, due=due,
        same=(period, tuple(mine.values()), *_cache_key(period), *marks.key, *_due_key(due)),
        versions=tuple(_versions().values()),
        parts=partial(lay_out, period, rights),
    )  # fmt: skip


def _due_days(period: Period, mine: Mapping[int, ShownCalendar]) -> dict[date, list[TodoRow]]:
    """What is due on each of these days, where the person wishes to see it: 1 query. Of what is private, that it is."""
    if not preferences().todos_shown or not shows("todo") or period.view in ("agenda", "year"):
        return {}
    lists = [one.id for one in mine.values() if one.shown and one.todos]
    found = todo_lists.due_days(lists, period.shown_first, period.shown_last, time_zone())
    return {day: [_as_seen(row, mine[row.calendar]) for row in rows] for day, rows in found.items()}


def _as_seen(row: TodoRow, calendar: ShownCalendar) -> TodoRow:
    title = _("Private") if row.private and calendar.sight != "own" else row.title or _("No title")
    return replace(row, title=title)


def _due_key(due: Mapping[date, list[TodoRow]]) -> tuple[Hashable, ...]:
    return tuple((day, *rows) for day, rows in due.items())


def _cache_key(period: Period) -> tuple[Hashable, ...]:
    """All that decides how a page looks, besides the period, its marks, and the calendars with their numbers of changes.

    The line of now moves every five minutes; what recurs far away is asked again as often: there may not have been time for all.
    """
    chosen, now = preferences(), datetime.now(time_zone())
    far = abs(period.day - now.date()) > _FAR
    moves = now.minute // hours.STEP + now.hour * 60 if far or period.view in _SIDE_BY_SIDE else 0
    return (
        now.date(), moves, str(time_zone()), chosen.week_numbers, chosen.week_a, settings().week_a, chosen.first_day,
        chosen.hours_from, chosen.hours_to, chosen.second_zone,
    )  # fmt: skip


def _crowded(rights: Mapping[int, str], first: date, last: date, per_day: int = 0) -> tuple[Found, dict[date, int]]:
    return crowded_days.first_of_each_day(rights, DaySpan(first, last, time_zone(), per_day), _floating(), _versions())


def _crowd(rights: Mapping[int, str], first: date, last: date) -> Crowd:
    """The times of all, as many as are read at all."""
    return crowded_days.crowd(rights, DaySpan(first, last, time_zone(), day_counts.MOST), _floating(), _versions())


def _versions() -> dict[int, Hashable]:
    """Of each calendar another one after each change in it."""
    return {one.id: one.version for one in my_calendars()}


def _floating() -> Any:
    return objects.zone_of(settings().timezone)


def _marks(first: date, last: date) -> DayMarks:
    instance, zone = settings().instance, preferences().school_zone
    school = special_days.school_holidays(zone, settings().holidays, instance)
    days = happenings.days(first, last)
    public = special_days.public_holidays(settings().public_holidays, days, instance)
    return DayMarks(public, special_days.days_off(school, first, last))


def _week_letter(day: date) -> str:
    """ "A" or "B", "" where weeks don't take turns."""
    reference = preferences().week_a or settings().week_a
    if not reference:
        return ""
    return "A" if periods.is_week_a(day, date.fromisoformat(reference)) else "B"


def _month(period: Period, rights: Mapping[int, str]) -> dict[str, Any]:
    found, counts = _crowded(rights, period.shown_first, period.shown_last, _ON_PAPER)
    weeks = [bars.laid_out(week, _touching(found.rows, week), _LINES, counts) for week in period.weeks]
    return {"found": found, "weeks": [(week, tuple(day.key for day in week)) for week in weeks]}


def _touching(rows: list[Happening], week: list[date]) -> list[Happening]:
    return [one for one in rows if one.first <= week[-1] and one.last >= week[0]]


def _hours(period: Period, rights: Mapping[int, str]) -> dict[str, Any]:
    side_by_side = _SIDE_BY_SIDE[period.view]
    room = crowded_days.by_hours(_crowd(rights, period.first, period.last), side_by_side, _BARS)
    found = room.found
    columns = [hours.column_of(day, found.rows, side_by_side, room.more.get(day, 0)) for day in period.days]
    whole = bars.laid_out(period.days, [one for one in found.rows if one.is_bar], _BARS, room.bars)
    first, last = hours.hours_shown(columns, preferences().hours_from, preferences().hours_to)
    scale = _scale(period.first, first, last)
    return {
        "found": found, "columns": columns, "whole": whole, "first_hour": first, "last_hour": last,
        "now": datetime.now(time_zone()), "scale": scale,
        "slots": [
            (f"{hour:02}:00", _("New event at %(time)s", time=words))
            for hour, (words, _other) in zip(range(first, last), scale, strict=True)
        ],
    }  # fmt: skip


def _scale(day: date, first: int, last: int) -> list[tuple[str, str]]:
    """The hours at the edge, with those of the second zone as they are at noon of the first day."""
    own, second = time_zone(), preferences().second_zone
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=own)
    shift = (noon.astimezone(ZoneInfo(second)).utcoffset() or timedelta()) - (noon.utcoffset() or timedelta()) if second else None
    begin = datetime(2000, 1, 2)
    found = []
    for hour in range(first, last):
        at = begin + timedelta(hours=hour)
        found.append((clock_time(at), clock_time(at + shift) if shift is not None else ""))
    return found


def _agenda(period: Period, rights: Mapping[int, str]) -> dict[str, Any]:
    found, until = crowded_days.until_full(_crowd(rights, period.first, period.last), _LISTED)
    rows = sorted(found.rows, key=lambda one: (max(one.first, period.first), one.order))
    by_day: dict[date, list[Happening]] = {}
    for one in rows:
        by_day.setdefault(max(one.first, period.first), []).append(one)
    later = None if rows else happenings.next_after(rights, period.last, time_zone())
    return {
        "found": found, "onward": until + timedelta(days=1) if until < period.last else period.after,
        "by_day": [(day, events, tuple(one.key for one in events)) for day, events in by_day.items()],
        "later": later, "near": page_texts.away,
    }  # fmt: skip


def _year(period: Period, rights: Mapping[int, str]) -> dict[str, Any]:
    found, counts = _crowded(rights, period.first, period.last)
    months = [periods.around("month", date(period.first.year, number, 1), preferences().first_day) for number in range(1, 13)]
    return {"found": found, "counts": counts, "months": months}


blueprint.add_app_template_global(today, "calendar_today")


# --- beside it ---------------------------------------------------------------------------------------------------------


@blueprint.app_template_global()
def calendar_is_shown() -> bool:
    """Whether this page shows days; others, of an event or a question, have a main button of their own.

    To be asked before the period, which is then that of today.
    """
    return "calendar_period" in g


@blueprint.app_template_global()
def calendar_period() -> Period:
    """The period of this page; on pages of one event, today."""
    if "calendar_period" not in g:
        g.calendar_period = periods.around("month", today(), preferences().first_day)
    found: Period = g.calendar_period
    return found


@blueprint.app_template_global()
def small_month(period: Period) -> Period:
    """The month of the small calendar beside the page."""
    return periods.around("month", period.day, preferences().first_day)


@blueprint.app_template_global()
def view_names() -> list[tuple[str, str]]:
    """The views, with their names, in their order."""
    return [
        ("day", _("Day")), ("workweek", _("Work week")), ("week", _("Week")), ("month", _("Month")), ("agenda", _("List")),
        ("year", _("Year")),
    ]  # fmt: skip
