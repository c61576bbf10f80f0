"""The hours of quick entry: from when until when, or for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta

from webmail.calendar.quick_words import Phrase, Vocabulary

_AFTERNOON = range(1, 8)  # "at 3" alone is in the afternoon, in English
_FR_TIME = r"(?:\d{1,2} ?h(?:eures?)?(?: ?\d{2}(?!\d))?(?: et (?:demie|quart))?|\d{1,2}:\d{2}|midi(?: et demi)?|minuit)"
_EN_TIME = r"(?:\d{1,2}(?:[:.]\d{2})? ?[ap]\.?m\.?|\d{1,2}:\d{2}|\d{1,2}h\d{0,2}|\d{1,2} o'clock|noon|midday|midnight)"
_FR_RANGES = (
    rf"(?:de |entre |d' ?)?({_FR_TIME}) ?(?:-|a|/|jusqu'a|et) ?({_FR_TIME})",
    r"(?:de )?(\d{1,2}) ?- ?(\d{1,2} ?h(?:\d{2})?)",
)
_EN_RANGES = (
    rf"(?:from |between )?({_EN_TIME}) ?(?:-|to|until|till|and) ?({_EN_TIME}|\d{{1,2}})",
    rf"(?:from |between )?(\d{{1,2}}(?:[:.]\d{{2}})?) ?(?:-|to|until|till|and) ?({_EN_TIME})",
    r"(?:from|between) (\d{1,2}) ?(?:-|to|until|till|and) ?(\d{1,2})",
)
_SINGLE = {
    "fr": (rf"(?:a partir de |des |a |vers |de )?({_FR_TIME})",),
    "en": (rf"(?:at |from |@ ?)?({_EN_TIME})", r"at (\d{1,2})(?! (?:march|july|the))"),
}
_HALF = {"fr": r"une demi-heure|une demi heure", "en": r"half an hour"}
_LENGTHS = {
    "fr": (r"(?:pendant|durant|sur|pour) ", r"heures?|h", r"minutes?|min|mn", r"jours?|journees?", r"semaines?"),
    "en": (r"(?:for|lasting) ", r"hours?|hrs?|h", r"minutes?|mins?|min", r"days?", r"weeks?"),
}


@dataclass(frozen=True, slots=True)
class Hours:
    """`begins` is None for whole days; `ends` or `length`, if they were said."""

    begins: time | None = None
    ends: time | None = None
    length: timedelta | None = None


def take_hours(words: Phrase, vocabulary: Vocabulary) -> Hours:
    """The hours that the words say; they are taken out."""
    whole = words.take(vocabulary.all_day)
    length = _take_length(words, vocabulary)
    for pattern in _FR_RANGES if vocabulary.name == "fr" else _EN_RANGES:
        pair = words.take_as(pattern, lambda found: _pair(found[1], found[2], vocabulary))
        if pair is not None:
            return Hours(pair[0], pair[1], length)
    for pattern in _SINGLE[vocabulary.name]:
        begins = words.take_as(pattern, lambda found: _time(found[1], vocabulary, bare=True))
        if begins is not None:
            words.take(_part_pattern(vocabulary))
            return Hours(begins, None, length)
    part = None if whole else words.take(_part_pattern(vocabulary))
    if part is not None:
        return Hours(time(*vocabulary.parts[part[1]]), None, length)
    return Hours(None, None, length)


def _part_pattern(vocabulary: Vocabulary) -> str:
    names = "|".join(sorted(vocabulary.parts, key=len, reverse=True))
    return rf"(?:ce |cet |cette |le |l'|en )?({names})" if vocabulary.name == "fr" else rf"(?:this |in the |to|at )?({names})"


def _take_length(words: Phrase, vocabulary: Vocabulary) -> timedelta | None:
    before, hours, minutes, days, weeks = _LENGTHS[vocabulary.name]
    if words.take(rf"{before}(?:{_HALF[vocabulary.name]})"):
        return timedelta(minutes=30)
    if found := words.take(rf"{before}(\d{{1,2}}) ?h ?(\d{{2}})"):
        return timedelta(hours=int(found[1]), minutes=int(found[2]))
    number = vocabulary.number
    if found := words.take(rf"{before}({number}) ?({hours}|{minutes}|{days}|{weeks})"):
        amount, unit = vocabulary.value(found[1]), found[2]
        for pattern, one in ((hours, "hours"), (minutes, "minutes"), (days, "days"), (weeks, "weeks")):
            if re.fullmatch(pattern, unit):
                return timedelta(**{one: amount}) or None
    return None


def _pair(first: str, second: str, vocabulary: Vocabulary) -> tuple[time, time] | None:
    half = next((mark for mark in ("am", "pm") if mark in second.replace(".", "")), "")
    if re.fullmatch(r"\d{1,2}(?:[:.]\d{2})?", first) and half:
        begins, ends = _time(first + half, vocabulary), _time(second, vocabulary)
        if begins and ends and begins >= ends:  # "11-1pm"
            begins = _time(first + ("am" if half == "pm" else "pm"), vocabulary)
    else:
        begins, ends = _time(first, vocabulary, bare=True), _time(second, vocabulary, bare=True)
        if begins and ends and second.isdigit() and ends < begins and ends.hour < 12:  # "9am to 5"
            ends = ends.replace(hour=ends.hour + 12)
    return (begins, ends) if begins is not None and ends is not None else None


def _time(text: str, vocabulary: Vocabulary, *, bare: bool = False) -> time | None:
    """A time of the day as the language writes it; None if there is none such."""
    text = text.replace(".m", "m").strip()
    if text.startswith(("midi", "noon", "midday")):
        return time(12, 30 if text.endswith("demi") else 0)
    if text.startswith(("minuit", "midnight")):
        return time(0)
    found = re.match(r"(\d{1,2})(?: ?(?:h(?:eures?)?|[:.]) ?(\d{2})?)?", text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    minute = 30 if text.endswith("demie") else 15 if text.endswith("quart") else minute
    if half := re.search(r"([ap])\.?m", text):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[1] == "p" else 0)
    elif bare and vocabulary.name == "en" and text.removesuffix(" o'clock").isdigit() and hour in _AFTERNOON:
        hour += 12
    if hour == 24 and not minute:
        hour = 0
    return time(hour, minute) if hour < 24 and minute < 60 else None
