"""Quick entry: an event from a few words in French or English ("conseil de classe jeudi 17h-19h salle 12"). Never raises.

What is understood is taken out of the words one thing after the other, and what is left is the title. The form shows all of it
before anything is saved, so that a wrong guess is seen.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from webmail.calendar import quick_dates, quick_times
from webmail.calendar.quick_words import ENGLISH, FRENCH, Phrase, Vocabulary
from webmail.calendar.repeat import Repeat, first_day

LONGEST = 300  # characters that are read


@dataclass(frozen=True, slots=True)
class Understood:
    """An event in words. Of whole days, `end` is the last. `remarks`: what the form should point out: "no-date" (none was found:
    today), "next-year", "next-week" or "tomorrow" (it is over already this year, this week, today), "past" (it is over)."""

    title: str
    start: date | datetime
    end: date | datetime
    place: str = ""
    repeat: Repeat = field(default_factory=Repeat)
    remarks: tuple[str, ...] = ()

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, datetime)


def read(text: str, now: datetime, language: str) -> Understood:
    """What these words say, at the time `now` of the person's clock (without a zone), who speaks this language ("fr", "en")."""
    text = unicodedata.normalize("NFC", " ".join(text.replace("\x00", " ").split()))[:LONGEST]
    order = (FRENCH, ENGLISH) if language.startswith("fr") else (ENGLISH, FRENCH)
    readings = [_read(Phrase(text), now, vocabulary) for vocabulary in order]
    return max(readings, key=lambda one: one[0])[1]  # the first of those that understood as much


def _read(words: Phrase, now: datetime, vocabulary: Vocabulary) -> tuple[int, Understood]:
    today = now.date()
    rule = quick_dates.take_repeat(words, vocabulary, today)
    days = quick_dates.take_days(words, vocabulary, today)
    hours = quick_times.take_hours(words, vocabulary)
    if days is None and (rule is None or rule.kind in ("monthly", "yearly")):
        days = quick_dates.take_bare_day(words, vocabulary, today)
    place = words.take_place(vocabulary)
    title = words.left(vocabulary)
    repeat, placed = _placed(rule or Repeat(), days.first if days else now.date())
    if placed:
        days = quick_dates.Days(placed)
    if days and not hours.begins and not repeat.kind and words.has(vocabulary.birthday):
        repeat = Repeat("yearly")
    start, end, remarks = _times(days, hours, repeat, now)
    return words.understood, Understood(title, start, end, place, repeat, remarks)


def _placed(repeat: Repeat, day: date) -> tuple[Repeat, date | None]:
    """Of what repeats on a weekday of the month ("the first Monday"), the first day from `day` on."""
    if not repeat.kind.startswith("monthly-"):
        return repeat, None
    weekday, place = repeat.days
    for more in range(62):
        one = day + timedelta(days=more)
        last = (one + timedelta(days=7)).month != one.month
        if one.weekday() == weekday and (last if place < 0 else (one.day - 1) // 7 + 1 == place):
            return replace(repeat, days=()), one
    return replace(repeat, days=()), None


def _times(
    days: quick_dates.Days | None, hours: quick_times.Hours, repeat: Repeat, now: datetime
) -> tuple[date | datetime, date | datetime, tuple[str, ...]]:
    remarks = list(days.remarks) if days else []
    first = days.first if days else now.date()
    begins = hours.begins
    if days is None:
        if begins and not repeat.kind:
            if datetime.combine(first, begins) <= now:
                first += timedelta(days=1)
                remarks.append("tomorrow")
        elif not repeat.kind:
            remarks.append("no-date")
    elif days.may_be_over and begins and datetime.combine(first, begins) <= now:
        first += timedelta(days=7)
        remarks.append("next-week")
    if repeat.kind:
        first = first_day(repeat, first)
        if days is None and begins and datetime.combine(first, begins) <= now and repeat.kind not in ("monthly", "yearly"):
            first = first_day(repeat, first + timedelta(days=1))
    last = days.last if days and days.last and days.last > first else first
    if first < now.date() and "past" not in remarks:
        remarks.append("past")
    if begins is None:
        if hours.length and hours.length >= timedelta(days=1):
            last = first + timedelta(days=hours.length.days - 1)
        return first, last, tuple(dict.fromkeys(remarks))
    start = datetime.combine(first, begins)
    if hours.ends is not None:
        end = datetime.combine(last, hours.ends)
        end += timedelta(days=1) if end <= start else timedelta(0)
    else:
        end = datetime.combine(last, begins) + (hours.length or timedelta(hours=1))
    return start, end, tuple(dict.fromkeys(remarks))
