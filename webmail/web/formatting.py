"""Formatting: dates, sizes, numbers and initials in the user's language and time zone; gettext for templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import lru_cache
from gettext import NullTranslations
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import g, has_app_context
from flask_babel import LazyString, force_locale, get_locale, get_translations
from flask_babel import gettext as _
from markupsafe import Markup

from webmail.web.current import time_zone


class Here(NamedTuple):
    """Time zone, locale, date and translations of a request: cached, since a list formats 100 dates."""

    zone: ZoneInfo
    locale: str
    today: date
    translations: NullTranslations


def here() -> Here:
    """The current request's `Here`, cached in `g`."""
    held = g._get_current_object()  # resolve the proxy once: that is the expensive part
    found: Here | None = getattr(held, "here", None)
    if found is None:
        zone = time_zone()
        found = held.here = Here(zone, str(get_locale()), datetime.now(zone).date(), get_translations())
    return found


@contextmanager
def written_in(language: str) -> Iterator[None]:
    """Texts, dates and numbers are in this language meanwhile: for mail to somebody else than who is asking."""
    kept = g.pop("here", None)
    try:
        with force_locale(language):
            yield
    finally:
        g.pop("here", None)
        if kept is not None:
            g.here = kept


def translated(text: str) -> str:
    """gettext for templates: flask-babel's own would look up its context for each of a page's 150 strings."""
    return here().translations.gettext(text)


def lazy_text(text: str) -> LazyString:
    """A text that is translated when it is shown. Flask-Babel's `lazy_gettext` would look up its context for each of a page's
    hundred."""
    return LazyString(_looked_up, text)


def _looked_up(text: str) -> str:
    return translated(text) if has_app_context() else _(text)


def template_text(text: str, /, **values: object) -> Markup:
    """`_` of templates: the text in the user's language, with the values in it escaped. Jinja's own takes three calls
    more for each of a page's dozens."""
    translations = here().translations
    return _markup(translations, text) % values if values else _whole(translations, text)


@lru_cache(maxsize=4096)
def _markup(translations: NullTranslations, text: str) -> Markup:
    return Markup(translations.gettext(text))  # noqa: S704 - the catalogue's, not a person's


@lru_cache(maxsize=4096)
def _whole(translations: NullTranslations, text: str) -> Markup:
    return _markup(translations, text) % {}  # "%%" is one per cent sign here too


def translated_number(value: str, many: str, count: int) -> str:
    return here().translations.ngettext(value, many, count)


def translated_as(context: str, text: str) -> str:
    return here().translations.pgettext(context, text)


def local(moment: datetime) -> datetime:
    """The time in the user's time zone; naive times are UTC, as in the database."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(here().zone)


def today() -> date:
    """The current date in the user's time zone."""
    return here().today


def short_date(moment: datetime) -> str:
    """A short date for lists: the time today, the weekday within a week, day and month this year, else the full date."""
    at, day = here(), local(moment)
    days = (at.today - day.date()).days
    if days == 0:
        return clock_time(day)
    if days == 1:
        return _("yesterday")
    pattern = "EEE" if 1 < days < 7 else "d MMM" if day.year == at.today.year else "dd/MM/yyyy"
    return _formatted(day.date(), pattern, at.locale)


@lru_cache(maxsize=4096)
def _formatted(day: date, pattern: str, locale: str) -> str:
    return format_date(day, _first(pattern, day, locale), locale=locale)


def _first(pattern: str, day: date, locale: str) -> str:
    """The pattern with the French "1er" for the first of a month."""
    return re.sub(r"\bd ", "d'er' ", pattern) if day.day == 1 and locale.startswith("fr") else pattern


def long_date(moment: datetime) -> str:
    """Date and time in full, "mardi 24 novembre 2026 à 14 h 02"."""
    at = local(moment).replace(second=0, microsecond=0, tzinfo=None)  # a cache takes one moment in two zones for the same
    return _long(at, here().locale)


def day_in_full(day: date) -> str:
    """A day in full, "mardi 24 novembre 2026"."""
    return _formatted(day, "EEEE d MMMM y", here().locale)


def day_and_month(day: date) -> str:
    """A day that everybody knows the year of, "24 nov."."""
    return _formatted(day, "d MMM", here().locale)


def weekday_and_day(day: date) -> str:
    """A day in short: its weekday alone within a week from today, "jeu.", else with the date, "jeu. 3 déc."."""
    at = here()
    return _formatted(day, "EEE", at.locale) if 0 <= (day - at.today).days < 7 else dated_weekday(day)


def dated_weekday(day: date) -> str:
    """A day in short, with its date however near it is: "jeu. 3 déc."."""
    at = here()
    return _formatted(day, "EEE d MMM" if -180 < (day - at.today).days < 300 else "EEE d MMM y", at.locale)


def clock_time(moment: datetime | time) -> str:
    """A time of the day as one writes it: "16:30", "16 h 30"; on the hour "16:00", "16 h"."""
    return clock_in(moment, here().locale)


def whole_hour(hour: int) -> str:
    """An hour as the end of a span may be it, from 0 to 24: "16:00", "16 h", "midnight"."""
    return clock_time(time(hour)) if hour < 24 else _("midnight")


def clock_in(moment: datetime | time, locale: str) -> str:
    if not locale.startswith("fr"):
        return f"{moment.hour:02}:{moment.minute:02}"
    return f"{moment.hour}\N{NO-BREAK SPACE}h" + (f"\N{NO-BREAK SPACE}{moment.minute:02}" if moment.minute else "")


def html_datetime(moment: datetime) -> str:
    """A UTC time for the `datetime` attribute of HTML."""
    return moment.strftime("%Y-%m-%dT%H:%MZ")


@lru_cache(maxsize=4096)
def _long(moment: datetime, locale: str) -> str:
    day, clock = _formatted(moment.date(), "EEEE d MMMM y", locale), clock_in(moment, locale)
    return f"{day} à {clock}" if locale.startswith("fr") else f"{day}, {clock}"


def file_size(count: int) -> str:
    """A size in bytes for display: "88 Ko" or "88 KB"."""
    if count == 1 and not here().locale.startswith("fr"):
        return "1\u00a0byte"
    units = ("o", "Ko", "Mo", "Go") if here().locale.startswith("fr") else ("bytes", "KB", "MB", "GB")
    value, unit = float(count), units[0]
    for unit in units:
        if value < 1000 or unit == units[-1]:
            break
        value /= 1024
    number = f"{value:.0f}" if unit == units[0] or value >= 10 else f"{value:.1f}".rstrip("0").rstrip(".")
    return f"{number.replace('.', ',') if units[0] == 'o' else number}\u00a0{unit}"


def decimal(value: float) -> str:
    """Such as 2,5, as forms take it back: nothing between thousands."""
    return format_decimal(value, format="0.###", locale=here().locale)


def number(value: int) -> str:
    return _number(value, here().locale)


@lru_cache(maxsize=1024)
def _number(value: int, locale: str) -> str:
    return format_decimal(value, locale=locale)


def initials(label: str) -> str:
    """The initials of a name or address, one or two letters: "Alice Leroy" -> "AL"."""
    words = [word for word in label.partition("@")[0].replace(".", " ").replace("-", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper() or "?"


LANGUAGES = ("fr", "en")
