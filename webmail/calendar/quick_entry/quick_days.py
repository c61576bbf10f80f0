"""What a day of quick entry means, however it is said."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.easter import easter

from webmail.calendar.quick_entry.vocabulary import Vocabulary

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Days:
    """A day, or several in a row. `weekday`: it was said by its weekday alone (0 is Monday); `may_be_over`: so it is today, and
    an hour that is over means next week."""

    first: date
    last: date | None = None
    remarks: tuple[str, ...] = ()
    may_be_over: bool = False
    weekday: int | None = None


def valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _fixed(day: date | None) -> Days | None:
    return Days(day) if day else None


def _year(text: str) -> int | None:
    full = int(text) + (2000 if len(text) == 2 else 0)
    return full if len(text) in (2, 4) and full >= 1900 else None


def dated(day: int, month: int, year: str | None, today: date) -> Days | None:
    """A day by its date, the next one to come where no year is said."""
    if year:
        full = _year(year)
        return _fixed(valid(full, month, day)) if full else None
    found = next((one for more in range(9) if (one := valid(today.year + more, month, day)) and one >= today), None)
    return Days(found, remarks=("next-year",) if found.year > today.year else ()) if found else None


def numbered(number: int, today: date, weekday: int | None = None) -> Days | None:
    """The next day of a month with this number, and on this weekday, within a year."""
    months = [(today.year + (today.month - 1 + more) // 12, (today.month - 1 + more) % 12 + 1) for more in range(13)]
    days = [day for year, month in months if (day := valid(year, month, number)) and day >= today]
    if weekday is not None:
        days = [day for day in days if day.weekday() == weekday]
    return Days(days[0]) if days else None


def _on(found: Days | None, name: str | None, v: Vocabulary) -> Days | None:
    """With a remark where the day is another weekday than the words say."""
    if found is None or not name or found.first.weekday() == v.weekday(name):
        return found
    return replace(found, remarks=(*found.remarks, "weekday"))


# --- what the forms mean ---------------------------------------------------------------------------------------------


def iso(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    return _on(_fixed(valid(int(found[2]), int(found[3]), int(found[4]))), found[1], v)


def numeric(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """The day first; the month first only where it can't be otherwise."""
    day, month = int(found[2]), int(found[3])
    if month > 12 >= day:
        day, month = month, day
    return _on(dated(day, month, found[4], today), found[1], v)


def pointed(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    return _on(dated(int(found[2]), int(found[3]), found[4], today), found[1], v)


def day_number(text: str, v: Vocabulary) -> int:
    text = text.strip()
    if text in ("premier", "first"):
        return 1
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else v.numbers.get(text, ORDINALS.get(text, 0))


ORDINALS = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}


def named(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """By day and month; the groups are the weekday, the day, the month, the year and "next year"."""
    year = found[4] or (str(today.year + 1) if found[5] else None)
    return _on(dated(day_number(found[2], v), v.months[found[3].rstrip(".")], year, today), found[1], v)


def named_first(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    return _on(dated(day_number(found[3], v), v.months[found[2].rstrip(".")], found[4], today), found[1], v)


def _month_of(text: str, v: Vocabulary, today: date) -> tuple[int, int, bool]:
    """The year and month that "of the month", "next month" or "in January 2027" say, and whether the year was said."""
    if name := re.search(v.month, text):
        month, year = v.months[name[0].rstrip(".")], re.search(r"\d{4}", text)
        return (int(year[0]), month, True) if year else (today.year + (month < today.month), month, False)
    if "proch" in text or "next" in text:
        return (*_months_on(today, 1), True)
    return today.year, today.month, "ce mois" in text or "this" in text


def _months_on(day: date, more: int) -> tuple[int, int]:
    month = day.month - 1 + more
    return day.year + month // 12, month % 12 + 1


def nth(year: int, month: int, weekday: int, position: int) -> date | None:
    """The first, second ... or last (-1) of a weekday in a month."""
    if not 1900 <= year <= 9000:
        return None
    if position < 0:
        last = date(year, month, monthrange(year, month)[1])
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return valid(year, month, 1 + (weekday - first.weekday()) % 7 + 7 * (position - 1))


def nth_of_month(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    place, weekday = v.ordinals[found[1]], v.weekday(found[2])
    year, month, said = _month_of(found[3], v, today)
    day = nth(year, month, weekday, place)
    if not said and (day is None or day < today):
        named = re.search(v.month, found[3])
        year, month = (year + 1, month) if named else _months_on(date(year, month, 1), 1)
        day = nth(year, month, weekday, place)
    return Days(day, remarks=("next-year",) if not said and day.year > today.year else ()) if day else None


_EDGES = {"fin": "end", "end": "end", "late": "end", "mi": "middle", "mid": "middle", "milieu": "middle", "middle": "middle",
          "courant": "middle", "debut": "start", "early": "start", "start": "start", "beginning": "start", "dernier": "last",
          "last": "last", "first": "first", "premier": "first"}  # fmt: skip


def edge_of_month(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """The beginning, middle or end of a month; said roughly, unless it is its first or last day."""
    where = next(part for name, part in _EDGES.items() if found[1].startswith(name))
    year, month, said = _month_of(found[2], v, today)
    if not 1900 <= year <= 9000:
        return None
    for more in range(13):
        y, m = _months_on(date(year, month, 1), more if not re.search(v.month, found[2]) else 12 * more)
        number = {"end": monthrange(y, m)[1], "last": monthrange(y, m)[1], "middle": 15}.get(where, 1)
        if said or date(y, m, number) >= today:
            remarks = ("next-year",) if not said and y > today.year else ()
            return Days(date(y, m, number), remarks=remarks + (() if where in ("last", "first") else ("roughly",)))
    return None


def _monday(today: date, weeks: int = 0) -> date:
    return today + timedelta(days=7 * weeks - today.weekday())


def edge_of_week(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """The beginning, middle or end of a week."""
    where = next(part for name, part in _EDGES.items() if found[1].startswith(name))
    more = {"end": 4, "middle": 2}.get(where, 0)
    day = _monday(today, 1 if re.search("proch|next", found[0]) else 0) + timedelta(days=more)
    return Days(day if day >= today else day + WEEK, remarks=("roughly",))


def weekend(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    following = "next" in found[0] or ("prochain" in found[0] and today.weekday() >= 4)
    saturday = _monday(today, int(following)) + timedelta(days=5)
    return Days(max(saturday, today) if saturday + DAY >= today else saturday, saturday + DAY)


def week_of(day: Days | None) -> Days | None:
    """The working days of the week of a day."""
    return Days(_monday(day.first), _monday(day.first) + timedelta(days=4), day.remarks) if day else None


def whole_week(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    monday = _monday(today, 1 if re.search("proch|next", found[0]) else 0)
    return Days(max(monday, min(today, monday + timedelta(days=4))), monday + timedelta(days=4))


def week_number(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    for year in (today.isocalendar()[0], today.isocalendar()[0] + 1):
        try:
            monday = date.fromisocalendar(year, int(found[1]), 1)
        except ValueError:
            continue
        if monday + timedelta(days=6) >= today:
            return Days(monday, monday + timedelta(days=4), ("next-year",) if monday.year > today.year else ())
    return None


def weekday_on(today: date, weekday: int) -> date:
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def of_next_week(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    return Days(_monday(today, 1) + timedelta(days=v.weekday(found[1])))


def after_weeks(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """A weekday some weeks after its next one: "Friday week", "vendredi en huit", "lundi dans quinze jours"."""
    words = found[0]
    if re.search("quin(?:ze|zaine)|15|fortnight|two weeks|deux semaines|2 weeks|2 semaines", words):
        weeks = 2
    elif other := re.search(rf"({v.number}) (?:semaines?|weeks?)", words):
        weeks = v.value(other[1])
    else:
        weeks = 1
    name = re.search(v.day, words)
    if name is None:
        base = today + DAY if re.search("tomorrow|demain", words) else today
        return Days(base + weeks * WEEK)
    ahead = (v.weekday(name[0]) - today.weekday()) % 7
    return Days(today + timedelta(days=(ahead or 7 * bool(re.search("en |after", words))) + 7 * weeks))


def weekday_later(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """A weekday of the week that is some weeks ahead: "dans deux semaines lundi"."""
    weeks = 2 if re.search("quinz|fortnight", found[1]) else v.value(found[1].split(" ")[0])
    return Days(_monday(today, weeks) + timedelta(days=v.weekday(found[2])))


def weekday_before(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """A weekday that has passed: "lundi dernier", "last Friday"."""
    back = (today.weekday() - v.weekday(found[1])) % 7 or 7
    return Days(today - timedelta(days=back), remarks=("past",))


_UNITS = {"j": 1, "d": 1, "s": 7, "w": 7, "f": 14, "q": 14, "h": 7}


def later(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    """After so many days, weeks, months or years, or that long ago."""
    amount, unit = v.value(found[1]), found[2]
    back = "ago" in found[0] or found[0].startswith("il y a")
    if unit.startswith(("mois", "month", "an", "year")):
        months = amount * (1 if unit.startswith("mo") else 12) * (-1 if back else 1)
        year, month = _months_on(today, months)
        if not 1900 <= year <= 9000:
            return None
        return Days(date(year, month, min(today.day, monthrange(year, month)[1])))
    return Days(today + timedelta(days=amount * _UNITS[unit[0]] * (-1 if back else 1)))


def fortnight(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    days = 7 if "huit" in found[0] else 10 if "dizaine" in found[0] else 14 if "fortnight" in found[0] else 15
    return Days(today + timedelta(days=days), remarks=("roughly",) if "dizaine" in found[0] else ())


def day_of_next_month(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    year, month = _months_on(today, 1)
    return _fixed(valid(year, month, day_number(found[1], v)))


def next_period(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    if re.search("semaine|week", found[0]):
        return Days(_monday(today, 1))
    return Days(date(*_months_on(today, 1), 1))


def weekday(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    text, weekday = found[0], v.weekday(found[1])
    if found[2]:
        number = int(re.sub(r"\D", "", found[2]))
        fitting = numbered(number, today, weekday)
        near = fitting is not None and fitting.first - today < timedelta(days=100)
        return fitting if near else _on(numbered(number, today), found[1], v)
    ahead = (weekday - today.weekday()) % 7
    if "next" in text:
        return Days(_monday(today, 1) + timedelta(days=weekday))
    if re.search("prochain|qui vient|coming", text):
        return Days(today + timedelta(days=ahead or 7))
    return Days(today + timedelta(days=ahead), may_be_over=not ahead, weekday=weekday)


def relative(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    return Days(today + timedelta(days=v.relative[found[0]]))


_FEASTS = {"christmas eve": (12, 24), "veille de noel": (12, 24), "noel": (12, 25), "christmas": (12, 25), "boxing": (12, 26),
           "new year's eve": (12, 31), "saint-sylvestre": (12, 31), "jour de l'an": (1, 1), "new year": (1, 1),
           "valentin": (2, 14), "toussaint": (11, 1), "halloween": (10, 31)}  # fmt: skip
_EASTER = {"vendredi saint": -2, "good friday": -2, "easter monday": 1, "lundi de paques": 1, "lundi de pentecote": 50,
           "ascension": 39, "whit monday": 50, "pentecote": 49, "paques": 0, "easter": 0}  # fmt: skip


def feast(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    return feast_named(found[0], today)


def feast_named(name: str, today: date) -> Days | None:
    """The next feast whose name stands in this one."""
    for feast, more in _EASTER.items():
        if feast in name:
            days = (easter(today.year + later) + timedelta(days=more) for later in range(2))
            day = next((one for one in days if one >= today), None)
            return Days(day, remarks=("next-year",) if day.year > today.year else ()) if day else None
    month, number = next(day for feast, day in _FEASTS.items() if feast in name)
    return dated(number, month, None, today)
