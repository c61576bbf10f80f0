"""Texts of calendar pages: titles, names of days, times of events, and what a template says of an event in its markup."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.happenings import Happening
from webmail.calendar.display.hours import is_twice
from webmail.calendar.display.periods import Period
from webmail.web.formatting import clock_time, day_in_full, here
from webmail.web.templates.addresses import url_for

_DASH = "\u2013"


def title(period: Period) -> str:
    """What a page shows: "December 2026", "7–13 December 2026"."""
    if period.view == "day":
        return day_in_full(period.day)
    if period.view == "month":
        return _date(period.first, "LLLL y", here().locale)
    if period.view == "year":
        return str(period.first.year)
    return interval(period.first, period.last)


@blueprint.app_template_filter()
def short_title(period: Period) -> str:
    """The same where room is short: "Tue 8 Dec 2026", "7–13 Dec 2026"."""
    if period.view == "day":
        locale = here().locale
        return f"{_date(period.day, 'EEE', locale)} {_number(period.day, locale)} {_date(period.day, 'MMM y', locale)}"
    return interval(period.first, period.last, "MMM")


def interval(first: date, last: date, month: str = "MMMM") -> str:
    """Two days, with no more than is needed of the first."""
    locale = here().locale
    whole = f"{_number(last, locale)} {_date(last, f'{month} y', locale)}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{_number(first, locale)}{_DASH}{whole}"
    pattern = month if first.year == last.year else f"{month} y"
    return f"{_number(first, locale)} {_date(first, pattern, locale)} {_DASH} {whole}"


@blueprint.app_template_filter()
def calendar_date(day: date, pattern: str) -> str:
    """A day by a pattern of CLDR, such as "EEE" or "LLLL"; "d" alone is "1er" for the first in French."""
    return _date(day, pattern, here().locale)


@lru_cache(maxsize=8192)
def _date(day: date, pattern: str, locale: str) -> str:
    if pattern == "d":
        return _number(day, locale)
    if pattern.startswith("d ") and day.day == 1 and locale.startswith("fr"):
        pattern = "d'er'" + pattern[1:]
    elif pattern.startswith("EEEE d") and day.day == 1 and locale.startswith("fr"):
        pattern = "EEEE d'er'" + pattern[6:]
    return format_date(day, pattern, locale=locale)


def _number(day: date, locale: str) -> str:
    return "1er" if day.day == 1 and locale.startswith("fr") else str(day.day)


@blueprint.app_template_filter()
def clock(moment: datetime) -> str:
    """The time of day; where the clock shows it twice on that day, with the name of its time."""
    return f"{clock_time(moment)} {moment:%Z}" if is_twice(moment) else clock_time(moment)


@blueprint.app_template_filter()
def event_title(happening: Happening) -> str:
    """What an event is called; where the reader may know no more, whether it takes time."""
    return (happening.summary or _("No title")) if happening.words else _("Busy") if happening.busy else _("Private")


@blueprint.app_template_filter()
def event_link(happening: Happening, drag: bool = False) -> Markup:
    """The attributes of the link to an event; there is no address where the reader may know no more than its time.

    `drag`: with what dragging it sends, to be told what was changed meanwhile.
    """
    path = (
        url_for("calendar.event", calendar=happening.calendar, href=happening.href, at=happening.at or None)
        if happening.words
        else ""
    )
    known = f'data-event data-uid="{escape(happening.uid)}"'
    known += f' data-rev="{escape(happening.revision)}"' if drag and path else ""
    return Markup(f'href="{escape(path)}" {known}' if path else known)  # noqa: S704 - escaped


@blueprint.app_template_filter()
def event_hours(happening: Happening, day: date | None = None) -> str:
    """From when until when, on one day of it ("" for a whole day)."""
    if happening.is_bar and not (happening.begins.date() == day or happening.last == day):
        return ""
    if happening.whole_day:
        return ""
    begins, ends = clock(happening.begins), clock(happening.ends)
    if day is not None and happening.first < day:
        return _("until %(time)s", time=ends) if happening.last == day else ""
    if happening.start == happening.end:
        return begins
    if day is not None and happening.last > day:
        return _("from %(time)s", time=begins)
    return f"{begins}{_DASH}{ends}"


@blueprint.app_template_filter()
def event_days(happening: Happening) -> str:
    """The days of what takes several; "" for others."""
    if happening.first == happening.last or not happening.is_bar:
        return ""
    return f"{calendar_date(happening.first, 'd MMM')} {_DASH} {calendar_date(happening.last, 'd MMM')}"


@blueprint.app_template_filter()
def events_counted(count: int) -> str:
    """How many events: "3 events"."""
    return _counted(count, here().locale)


@lru_cache(maxsize=1024)
def _counted(count: int, _locale: str) -> str:
    return ngettext("%(num)d event", "%(num)d events", count)


@blueprint.app_template_filter()
def events_left(count: int) -> str:
    """How many more events there are than are shown."""
    return _left(count, here().locale)


@lru_cache(maxsize=1024)
def _left(count: int, _locale: str) -> str:
    return ngettext("+%(num)d more", "+%(num)d more", count)


def clock_words(minutes: int) -> str:
    """That clocks change on a day: `minutes` forward, or back where it is less than 0."""
    if not minutes:
        return ""
    return _("Clocks go forward") if minutes > 0 else _("Clocks go back")


def away(first: date, today: date) -> str:
    """The name of a day near today, "" for others."""
    return {0: _("Today"), 1: _("Tomorrow")}.get((first - today) // timedelta(days=1), "")
