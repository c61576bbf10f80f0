"""When it is, reckoned from what quick entry found in the words: one event, several, or a series."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from webmail.calendar.quick_entry.quick_dates import DaysAt
from webmail.calendar.quick_entry.quick_day_forms import day_pattern, meant
from webmail.calendar.quick_entry.quick_days import Days, nth, valid, weekday_on
from webmail.calendar.quick_entry.quick_phrase import Phrase, compiled
from webmail.calendar.quick_entry.quick_repeat import Ends, Except
from webmail.calendar.quick_entry.quick_skipped import skipping
from webmail.calendar.quick_entry.quick_times import Hours, HoursAt, PartAt, time_of, time_pattern
from webmail.calendar.quick_entry.vocabulary import Vocabulary
from webmail.calendar.repeat import Repeat, first_day

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
MOST = 20  # events of one phrase
_NIGHT, _EVENING = range(6), range(5, 10)
_CLOCK = re.compile(r"\d ?h|:\d\d|\d ?[ap]\.?m|midi|minuit|noon|midnight|heures|o'clock")
_FROM = re.compile(r"^(?:[àa] partir|d[eè]s |depuis|from|start|beginn|du )", re.I)
_LATE_PARTS = (
    "soir",
    "soiree",
    "nuit",
    "apres",
    "aprem",
    "ap-",
    "fin d'",
    "debut d'",
    "afternoon",
    "evening",
    "night",
    "tonight",
)


@dataclass(slots=True)
class Said:
    """What was found in the words."""

    days: list[DaysAt] = field(default_factory=list)
    hours: list[HoursAt] = field(default_factory=list)
    repeat: Repeat | None = None
    month_day: int = 0
    ends: Ends = field(default_factory=Ends)
    skip: Except | None = None
    months: tuple[date, date | None] | None = None
    across: tuple[datetime, datetime, tuple[str, ...]] | None = None  # from an hour of one day to an hour of another
    delay: timedelta | None = None
    length: timedelta | None = None
    until_hour: tuple[time, str] | None = None
    parts: list[PartAt] = field(default_factory=list)
    whole: bool = False
    evening: bool = False  # it is what takes place in the evening


@dataclass(frozen=True, slots=True)
class When:
    start: date | datetime
    end: date | datetime
    repeat: Repeat = field(default_factory=Repeat)
    remarks: tuple[str, ...] = ()
    more: tuple[tuple[date | datetime, date | datetime], ...] = ()
    skipped: tuple[date, ...] = ()
    in_term: bool = False
    unclear: tuple[str, ...] = ()


def take_across(phrase: Phrase, v: Vocabulary, today: date) -> tuple[datetime, datetime, tuple[str, ...]] | None:
    """One event from an hour of a day to an hour of another: "du vendredi 18h au dimanche 16h"."""
    days = compiled(rf"{v.day_names}|{v.month_names}|\d/\d|{v.choice(v.relative)}").findall(phrase.plain)
    if len(days) < 2 or len(_CLOCK.findall(phrase.plain)) < 2:
        return None
    day, hour = rf"({day_pattern(v)})", rf"({time_pattern(v)})"
    if v.name == "fr":
        pattern = rf"(?:du |de |le )?{day},? (?:a )?{hour} ?(?:au|a|jusqu'au|jusqu'a|-) ?(?:le )?{day},? (?:a )?{hour}"
    else:
        pattern = rf"(?:from )?{day},? (?:at )?{hour} ?(?:to|until|till|-) ?{day},? (?:at )?{hour}"
        backwards = rf"(?:from )?{hour} (?:on )?{day} ?(?:to|until|till|-) ?{hour} (?:on )?{day}"
        if found := phrase.take_as(backwards, lambda one: _across(one[2], one[1], one[4], one[3], v, today)):
            return found
    return phrase.take_as(pattern, lambda one: _across(one[1], one[2], one[3], one[4], v, today))


def _across(
    first: str, begins: str, last: str, ends: str, v: Vocabulary, today: date
) -> tuple[datetime, datetime, tuple[str, ...]] | None:
    one, other = meant(first, v, today), meant(last, v, today)
    begin, end = time_of(begins, v, bare=True), time_of(ends, v, bare=True)
    if one is None or other is None or begin is None or end is None:
        return None
    finish = other.first
    if finish < one.first and other.weekday is not None:
        finish = weekday_on(one.first, other.weekday)
    start, stop = datetime.combine(one.first, begin), datetime.combine(finish, end)
    return (start, stop, one.remarks) if timedelta(0) < stop - start <= timedelta(days=366) else None


def reckoned(said: Said, now: datetime, *, is_birthday: bool, phrase: Phrase, v: Vocabulary) -> When:
    """What was found, as times by the clock of `now`."""
    if said.across is not None:
        start, end, remarks = said.across
        repeat = said.repeat or Repeat()
        return When(start, end, repeat, _past(start, now, remarks))
    if said.delay is not None:
        return _delayed(said, now)
    hours = _hours(said)
    if said.repeat is None and (said.ends.times or said.ends.until or said.ends.lasts):
        _series_of_days(said, now.date())
    if (
        said.repeat is None
        and said.skip is not None
        and said.days
        and all(day.weekday is not None for one in said.days for day in one.days)
    ):
        said.repeat = Repeat("weekly", 1, tuple(sorted({day.first.weekday() for one in said.days for day in one.days})))
    if said.repeat is not None:
        return _series(said, said.repeat, hours, now)
    if is_birthday and not hours and said.days and len(said.days) == 1:
        return _series(said, Repeat("yearly"), hours, now)
    return _single_ones(said, hours, now)


def _past(start: date | datetime, now: datetime, remarks: tuple[str, ...]) -> tuple[str, ...]:
    day = start.date() if isinstance(start, datetime) else start
    found = [*remarks, "past"] if day < now.date() else list(remarks)
    if isinstance(start, datetime) and start.hour in _NIGHT and "sure" not in found:
        found.append("night")
    return tuple(one for one in dict.fromkeys(found) if one != "sure")


def _delayed(said: Said, now: datetime) -> When:
    start = (now + (said.delay or timedelta(0))).replace(second=0, microsecond=0)
    return When(start, start + (said.length or _HOUR), remarks=())


def _hours(said: Said) -> list[HoursAt]:
    """The hours as they are meant beside a part of the day: "ce soir 8h" is at 20:00; without any, when that part begins."""
    if not said.parts:
        evening = said.evening and all(one.hours.begins.hour in _EVENING for one in said.hours)
        return [replace(one, hours=_beside(one.hours, late=True, morning=False)) for one in said.hours] if evening else said.hours
    if not said.hours:
        return [] if said.whole else [HoursAt(one.start, one.start, one.hours) for one in said.parts]
    name = said.parts[0].name
    late = name.startswith(_LATE_PARTS)
    return [
        replace(one, hours=_beside(one.hours, late=late, morning=name.endswith(("morning", "matin", "matinee"))))
        for one in said.hours
    ]


def _beside(hours: Hours, *, late: bool, morning: bool) -> Hours:
    def turned(item: time | None) -> time | None:
        if item is None or hours.sure:
            return item
        if late and item.hour < 12 and item.hour:
            return item.replace(hour=item.hour + 12)
        return item.replace(hour=item.hour - 12) if morning and 13 <= item.hour < 20 else item

    begins = turned(hours.begins)
    return Hours(begins if begins is not None else hours.begins, turned(hours.ends), sure=True)


# --- one event, or several -------------------------------------------------------------------------------------------


def _single_ones(said: Said, hours: list[HoursAt], now: datetime) -> When:
    remarks: list[str] = []
    today = now.date()
    pairs = _paired(said.days, hours)
    found: list[tuple[date | datetime, date | datetime]] = []
    repeat = Repeat()
    for days, one in pairs:
        first, last = (days.first, days.last or days.first) if days else (today, today)
        remarks += days.remarks if days else ()
        if days is None:
            if one is None:
                remarks.append("no-date")
            elif datetime.combine(first, one.begins) <= now:
                first += _DAY
                remarks.append("tomorrow")
        elif days.may_be_over and days.last is None and one and datetime.combine(first, one.begins) <= now:
            first += timedelta(days=7)
            remarks.append("next-week")
        if one is None:
            found.append(_whole(first, max(last, first), said))
            continue
        start, end = _timed(first, one, said)
        if days and days.last and days.last > days.first:  # each of these days, at these hours
            if len(pairs) == 1:
                repeat = Repeat("daily", times=(days.last - days.first).days + 1)
            else:
                count = (days.last - days.first).days
                found += [(start + more * _DAY, end + more * _DAY) for more in range(1, min(count, MOST) + 1)]
        found.insert(0 if not found else len(found), (start, end))
        remarks += ["sure"] if one.sure else []
    if said.length and said.length < _DAY and not hours:
        remarks.append("no-hour")
    found = sorted(dict.fromkeys(found), key=lambda one: _moment(one[0]))[:MOST]
    begins, finish = found[0]
    unclear = [said.until_hour[1]] if said.until_hour and not hours else []
    unclear += [said.skip.said] if said.skip else []
    said_so = _past(begins, now, tuple(dict.fromkeys(remarks)))
    return When(begins, finish, repeat, said_so, tuple(found[1:]), unclear=tuple(unclear))


def _moment(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(0))


def _paired(days: list[DaysAt], hours: list[HoursAt]) -> list[tuple[Days | None, Hours | None]]:
    """Which hours belong to which days: "lundi 8h et mardi 10h" are two, "lundi et mardi 8h" too, "lundi 8h-10h et 14h-16h"."""
    every: list[Days | None] = [day for one in days for day in one.days] or [None]
    each: list[Hours | None] = [one.hours for one in hours] or [None]
    if len(days) < 2 or len(hours) < 2:
        return [(day, hour) for day in every for hour in each]
    items: list[tuple[int, DaysAt | HoursAt]] = [*((one.begins, one) for one in days), *((one.start, one) for one in hours)]
    items.sort(key=lambda item: item[0])
    if isinstance(items[0][1], HoursAt):  # "8h lundi et 10h mardi": read from the end, days come first
        items.reverse()
    groups: list[tuple[list[Days], list[Hours]]] = []
    for _at, item in items:
        if isinstance(item, DaysAt):
            if not groups or groups[-1][1]:
                groups.append(([], []))
            groups[-1][0].extend(item.days)
        elif groups:
            groups[-1][1].append(item.hours)
    if not groups[-1][1]:
        return [(day, hour) for day in every for hour in each]
    return [(day, hour) for some, at in groups for day in some for hour in at]


def _whole(first: date, last: date, said: Said) -> tuple[date, date]:
    if said.length and said.length >= _DAY and last == first:
        last = first + timedelta(days=said.length.days - 1)
    return first, last


def _timed(day: date, hours: Hours, said: Said) -> tuple[datetime, datetime]:
    start = datetime.combine(day, hours.begins)
    ends = hours.ends or (said.until_hour[0] if said.until_hour else None)
    if ends is None:
        return start, start + (said.length or _HOUR)
    end = datetime.combine(day, ends)
    if (
        end <= start
        and hours.ends is None
        and ends.hour < 12
        and datetime.combine(day, ends.replace(hour=ends.hour + 12)) > start
    ):
        end = datetime.combine(day, ends.replace(hour=ends.hour + 12))
    return start, end if end > start else end + _DAY


# --- series ----------------------------------------------------------------------------------------------------------


def _series_of_days(said: Said, today: date) -> None:
    """An end without a rule: weekdays come every week ("lundi 8h x10"), a day lasts until another ("demain jusqu'au 4")."""
    days = [day for one in said.days for day in one.days]
    weekdays = {(day.first + more * _DAY).weekday() for day in days if day.weekday is not None for more in range(_count(day))}
    if days and weekdays and all(day.weekday is not None for day in days):
        near = said.ends.until is not None and len(days) == 1 and said.ends.until < days[0].first + timedelta(days=7)
        if not near:
            said.repeat = Repeat("weekly", 1, tuple(sorted(weekdays)))
            return
    if said.ends.times and (days or said.hours):
        said.repeat = Repeat("weekly", 1, tuple(sorted({day.first.weekday() for day in days})))
        said.ends = replace(said.ends, times=said.ends.times)
        said.days = [
            DaysAt(one.begins, one.ends, tuple(replace(day, remarks=(*day.remarks, "weekly")) for day in one.days))
            for one in said.days
        ]
    elif said.ends.until and len(days) <= 1:
        first = days[0] if days else Days(today)
        said.days = [DaysAt(0, 0, (replace(first, last=said.ends.until, weekday=None),))]


def _count(day: Days) -> int:
    return ((day.last or day.first) - day.first).days + 1


def _series(said: Said, repeat: Repeat, hours: list[HoursAt], now: datetime) -> When:
    days = [day for one in said.days for day in one.days]
    remarks = [one for day in days for one in day.remarks]
    unclear: list[str] = []
    first, span_end = _first(said, days, now)
    if repeat.kind == "weekly" and not repeat.days and len(days) > 1 and all(one.weekday is not None for one in days):
        repeat = replace(repeat, days=tuple(sorted({one.first.weekday() for one in days})))
        first = min(one.first for one in days)
    elif repeat.kind == "monthly" and len(days) == 1 and days[0].weekday is not None:  # "once a month on Saturday"
        first = days[0].first
        place = (first.day - 1) // 7 + 1
        repeat = replace(
            repeat, kind="monthly-last" if place > 4 else "monthly-day", days=(first.weekday(), -1 if place > 4 else place)
        )
    elif len(days) > 1 and not (repeat.kind == "weekly" and repeat.days):
        unclear += [one.said for one in said.days[1:]] or [said.days[0].said]
    if said.length and said.length >= _DAY and hours:  # "tous les jours à 8h pendant 5 jours"
        every_day = repeat.kind == "daily" and repeat.every == 1
        said.ends = Ends(times=said.length.days) if every_day else Ends(until=first + timedelta(days=said.length.days - 1))
        said.length = None
    repeat = replace(repeat, times=said.ends.times, until=said.ends.until or span_end)
    one = hours[0].hours if hours else None
    repeat, first = _begun(repeat, first, now, one, fixed=bool(days or said.months or said.month_day))
    if said.ends.lasts:
        repeat = replace(repeat, until=(first if days or said.months else now.date()) + timedelta(days=said.ends.lasts - 1))
    repeat, skipped, known = skipping(said.skip, repeat, first)
    if known and said.skip is not None and said.skip.weekdays:
        first = first_day(repeat, first)
    if repeat.until and repeat.until < first:
        remarks.append("past")
    all_ = [_timed(first, each.hours, said) for each in hours] if one else [_whole(first, first, said)]
    start, end = all_[0]
    remarks += ["sure"] if one and one.sure else []
    if not known and said.skip is not None:
        unclear.append(said.skip.said.strip(" ()"))
    if said.length and said.length < _DAY and not hours:
        remarks.append("no-hour")
    if said.until_hour and not hours:
        unclear.append(said.until_hour[1])
    beside = [one for one in said.days if not _FROM.match(one.said) and _is_beside(one, repeat)]
    unclear += [one.said for one in beside] if len(days) == 1 else []
    if said.month_day and days:
        unclear += [one.said for one in said.days]
    return When(
        start, end, repeat, _past(start, now, tuple(dict.fromkeys(remarks))), tuple(all_[1:]), skipped,
        bool(said.skip and said.skip.holidays), tuple(unclear),
    )  # fmt: skip


def _is_beside(at: DaysAt, repeat: Repeat) -> bool:
    """Whether a day is named beside a weekly rule that never takes place then: "tous les lundis et le premier mardi du mois"."""
    day = at.days[0]
    return bool(repeat.kind == "weekly" and repeat.days and day.last is None and day.first.weekday() not in repeat.days)


def _first(said: Said, days: list[Days], now: datetime) -> tuple[date, date | None]:
    """From when the series is looked for, and until when, if the words say it by a stretch of days or months."""
    today = now.date()
    if said.months:
        return max(said.months[0], today), said.months[1]
    if said.month_day:
        later = ((today.year + (today.month - 1 + more) // 12, (today.month - 1 + more) % 12 + 1) for more in range(13))
        found = (valid(year, month, said.month_day) for year, month in later)
        return next(one for one in found if one and one >= (days[0].first if days else today)), None
    if days:
        return days[0].first, days[0].last
    return today, None


def _begun(repeat: Repeat, first: date, now: datetime, hours: Hours | None, *, fixed: bool) -> tuple[Repeat, date]:
    """The series with its first day."""
    if repeat.kind in ("monthly-day", "monthly-last", "monthly-days"):
        return _placed(repeat, first)
    first = first_day(repeat, first)
    over = hours is not None and datetime.combine(first, hours.begins) <= now
    if over and not fixed and repeat.kind not in ("monthly", "yearly"):
        first = first_day(repeat, first + _DAY)
    return repeat, first


def _placed(repeat: Repeat, day: date) -> tuple[Repeat, date]:
    """Of what repeats on a weekday of the month ("the first Monday"), the first day from `day` on."""
    weekday = repeat.days[0]
    places = repeat.places or repeat.days[1:]
    months = ((day.year + (day.month - 1 + more) // 12, (day.month - 1 + more) % 12 + 1) for more in range(14))
    found = (
        nth(year, month, weekday, place)
        for year, month in months
        for place in sorted(places, key=lambda one: one if one > 0 else 9)
    )
    return replace(repeat, days=()), next(one for one in found if one and one >= day)
