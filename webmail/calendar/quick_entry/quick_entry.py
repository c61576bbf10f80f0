"""Quick entry: an event from a few words in French or English ("conseil de classe jeudi 17h-19h salle 12"). Never raises.

What is understood is taken out of the words one thing after the other, and what is left is the title. The form shows all of it
before anything is saved, so that a wrong guess is seen, and says which words about days and hours it did not understand.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from webmail.calendar.quick_entry import (
    quick_dates,
    quick_leftovers,
    quick_lengths,
    quick_places,
    quick_repeat,
    quick_times,
    quick_when,
)
from webmail.calendar.quick_entry.quick_phrase import Phrase, compiled, plain
from webmail.calendar.quick_entry.vocabulary import ENGLISH, FRENCH, Vocabulary
from webmail.calendar.repeat import Repeat

LONGEST = 300  # characters that are read

Moments = tuple[date | datetime, date | datetime]


@dataclass(frozen=True, slots=True)
class Understood:
    """An event in words. Of whole days, `end` is the last. `more`: the same on other days or at other hours. `skipped`: days of a
    series on which it does not take place; `in_term`: nor in school holidays.

    `remarks`: what the form should point out: "no-date" (none was found: today), "next-year", "next-week" or "tomorrow" (it is
    over already this year, this week, today), "past" (it is over), "roughly" (a day was said roughly), "weekday" (the day is
    another weekday), "night" (it begins before six), "no-hour" (only how long it takes), "weekly" (how often was not said).
    `unclear`: words about days and hours of which nothing was made; they stay in the title.
    """

    title: str
    start: date | datetime
    end: date | datetime
    place: str = ""
    repeat: Repeat = field(default_factory=Repeat)
    remarks: tuple[str, ...] = ()
    more: tuple[Moments, ...] = ()
    skipped: tuple[date, ...] = ()
    in_term: bool = False
    unclear: tuple[str, ...] = ()
    has_day: bool = True  # a day was said
    has_hour: bool = False  # an hour was said
    is_deadline: bool = False  # until then something is to be done (`dates_in_text`)

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, datetime)


def read(text: str, now: datetime, language: str) -> Understood:
    """What these words say, at the time `now` of the person's clock (without a zone), who speaks this language ("fr", "en")."""
    text = unicodedata.normalize("NFC", " ".join(text.replace("\x00", " ").replace("\x01", " ").replace("\x02", " ").split()))[
        :LONGEST
    ]
    order = (FRENCH, ENGLISH) if language.startswith("fr") else (ENGLISH, FRENCH)
    simple = plain(text)
    readings = [
        _within_all_dates(text, now, vocabulary)
        for number, vocabulary in enumerate(order)
        if not number or compiled(rf"(?<![a-z])(?:{vocabulary.hint})(?![a-z])").search(simple)
    ]
    return max(readings, key=lambda one: (one[0], bool(one[1].place)))[1]  # the first of those that understood as much


def _within_all_dates(text: str, now: datetime, v: Vocabulary) -> tuple[int, Understood]:
    """As `_read`; what would be beyond all dates is a title."""
    try:
        return _read(Phrase(text), now, v)
    except OverflowError:
        return 0, replace(_read(Phrase(""), now, v)[1], title=text)


def _read(phrase: Phrase, now: datetime, v: Vocabulary) -> tuple[int, Understood]:
    today = now.date()
    place = quick_places.take_room(phrase, v)
    said = quick_when.Said()
    said.delay = quick_lengths.take_delay(phrase, v)
    said.skip = quick_repeat.take_except(phrase, v, today)
    rule = quick_repeat.take_repeat(phrase, v)
    said.repeat, said.month_day = rule or (None, 0)
    said.across = quick_when.take_across(phrase, v, today)
    said.ends = quick_repeat.take_ends(phrase, v, today)
    said.evening = phrase.has(v.evening)
    if said.across is None:
        if said.repeat:
            said.months = quick_repeat.take_months(phrase, v, today)
        said.days = quick_dates.take_days(phrase, v, today)
        phrase.take(r"(?<=\x01 )\(?(?:inclus|inclusive)\)?")
        said.whole = phrase.take(v.all_day) is not None
        said.length = quick_lengths.take_length(phrase, v) or quick_lengths.take_length_as_hour(phrase, v)
        said.until_hour = quick_times.take_end(phrase, v)
        said.hours = quick_times.take_hours(phrase, v)
        said.parts = quick_times.take_parts(phrase, v, beside_hours=bool(said.hours))
        if (said.hours or said.parts) and said.length is None:
            said.length = quick_lengths.take_bare_length(phrase, v)
        if not said.ends.times and (times := quick_repeat.take_late_times(phrase, v)):
            said.ends = replace(said.ends, times=times)
        if not said.days and (said.repeat is None or said.repeat.kind in ("monthly", "yearly")) and not said.delay:
            bare = quick_dates.take_bare_day(phrase, v, today)
            said.days = [bare] if bare else []
    elif said.delay:
        said.length = quick_lengths.take_length(phrase, v)
    place = place or quick_places.take_place(phrase, v)
    found = quick_when.reckoned(said, now, is_birthday=phrase.has(v.birthday), phrase=phrase, v=v)
    unclear = (*found.unclear, *quick_leftovers.unclear(phrase, v))
    title = phrase.left(v.edges, v.kept)
    understood = Understood(
        title, found.start, found.end, place, found.repeat, found.remarks, found.more, found.skipped, found.in_term, unclear,
        bool(said.days or said.across or said.delay or said.repeat), bool(said.hours or said.across or said.delay),
    )  # fmt: skip
    return phrase.understood, understood
