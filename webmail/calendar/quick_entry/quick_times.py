"""The hours of quick entry: from when until when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from functools import lru_cache

from webmail.calendar.quick_entry.quick_phrase import TAKEN, Phrase
from webmail.calendar.quick_entry.vocabulary import Vocabulary

_AFTERNOON = range(1, 8)  # "at 3" alone is in the afternoon, in English
MOST_HOURS = 6  # of a day of which each is an event


@dataclass(frozen=True, slots=True)
class Hours:
    """When it begins, and ends if that was said. `sure`: whether the words tell day from night."""

    begins: time
    ends: time | None = None
    sure: bool = False


@dataclass(frozen=True, slots=True)
class HoursAt:
    """Hours, and where in the words they stand."""

    start: int
    end: int
    hours: Hours


# --- patterns --------------------------------------------------------------------------------------------------------

_AFTER = {"fr": r"(?: (?:du matin|du soir|de l'apres-midi|de l'aprem|de l'apres midi))?(?: (?:pile|precises?|tapantes?))?",
          "en": r"(?: (?:in the (?:morning|afternoon|evening)|at night))?(?: sharp| prompt)?"}  # fmt: skip


@lru_cache(maxsize=4)
def time_pattern(v: Vocabulary) -> str:
    """A time of the day however it is said, without groups."""
    words = v.word_number
    if v.name == "fr":
        minutes = (
            r"(?: et (?:demie?|quart)| moins (?:le quart|un quart|cinq|dix|vingt(?:-cinq)?|\d{1,2})| (?:cinq"
            r"|dix|quinze|vingt(?:-cinq)?|trente|quarante(?:-cinq)?|cinquante))?"
        )
        digits = rf"\d{{1,2}} ?h(?:eures?|rs?)?(?: ?\d{{2}}(?!\d| ?(?:min|mn))|{minutes})(?![a-z])"
        spelled = rf"{words} heures?{minutes}"
        noon = (
            r"midis?(?: et (?:demie?|quart)| moins (?:le quart|cinq|dix|vingt)| (?:cinq|dix|quinze|vingt"
            r"|trente)| ?(?:15|30|45))?|minuit"
        )
        return rf"(?:(?:{digits}|\d{{1,2}}:\d{{2}}(?:[ap]m)?|\d{{1,2}} ?[ap]m(?![a-z])|{spelled}|{noon}){_AFTER['fr']})"
    hour = rf"(?:\d{{1,2}}|{words})"
    spoken = (
        rf"(?:half(?: past)?|(?:a )?quarter (?:past|to)|(?:five|ten|twenty"
        rf"|twenty-five)(?: minutes)? (?:past|to)|\d{{1,2}} (?:minutes (?:past|to)|past)) {hour}"
    )
    digits = r"\d{1,2}(?:[:.]\d{2})? ?[ap]\.?m(?![a-z])\.?|\d{1,2}:\d{2}|\d{1,2}h\d{0,2}(?![a-z])|\d{1,2} o'clock"
    spelled = rf"{words}(?: (?:thirty|fifteen|forty-five))? ?(?:o'clock|[ap]\.?m(?![a-z])\.?)"
    return rf"(?:(?:{spoken}|{digits}|{spelled}|noon|midday|midnight){_AFTER['en']}(?: ?[ap]m(?![a-z]))?)"


@lru_cache(maxsize=4)
def _ranges(v: Vocabulary) -> tuple[str, ...]:
    one = time_pattern(v)
    if v.name == "fr":
        end = r"(?=[ ,;.)]*(?:\x01|$|,|;| (?:en|au|a la|salle|avec|chez) ))"
        return (
            rf"(?:de |d'|des |a partir de |a |vers )?({one}) ?(?:-|a|/|jusqu'a|jusque|au|>) ?({one})",
            rf"entre ({one}|\d{{1,2}}) et ({one})",
            r"(?:de |d')(\d{1,2}) ?(?:-|a|/) ?(\d{1,2} ?h(?:\d{2})?(?![a-z]))",
            r"(\d{1,2}) ?[-/] ?(\d{1,2} ?h(?:\d{2})?(?![a-z]))",
            rf"(?:de )(\d{{1,2}}) a (\d{{1,2}}){end}",
        )
    word = rf"(?:{v.word_number}|\d{{1,2}})"
    return (
        rf"(?:from |between |at )?({one}) ?(?:-|to|until|till|til|through) ?({one}|{word}(?!\w| (?:days?|weeks?|hours?|people)))",
        rf"(?:from |between )?(\d{{1,2}}(?:[:.]\d{{2}})?|{v.word_number}) ?(?:-|to|until|till|til) ?({one})",
        rf"between ({one}|{word}) and ({one}|{word})",
        (
            rf"(?:from) ({word}|\d{{1,2}}[.]\d\d) ?(?:-|to|until|till) ?({word}(?:[.]\d\d)?)(?! (?:january"
            rf"|february|march|april|may|june|july|august|september|october|november|december|people|years?"
            rf"|days?))"
        ),
        r"(?:(?<=\x01 )|(?<=\x01, )|(?<=mornings )|(?<=evenings )|(?<=afternoons ))(\d{1,2}) ?(?:-|to) ?(\d{1,2})(?![\w/:.-])",
        r"(\d|1[0-2]) ?(?:-|to) ?(\d|1[0-2])(?= \x01)",
        r"([01]\d[0-5]\d|2[0-3][0-5]\d) ?- ?([01]\d[0-5]\d|2[0-3][0-5]\d)(?= \x01)",
        r"(?:from )([01]\d[0-5]\d|2[0-3][0-5]\d) ?(?:-|to|until) ?([01]\d[0-5]\d|2[0-3][0-5]\d)(?: ?(?:hrs|hours))?",
    )


@lru_cache(maxsize=4)
def _singles(v: Vocabulary) -> tuple[str, ...]:
    one = time_pattern(v)
    if v.name == "fr":
        return (
            r"(?:a|vers|des) (\d{1,2}\.(?:00|15|30|45))",
            rf"(?:a partir de |des |a |vers (?:les )?|de |pour |avant |debut ?:? ?|depart )?({one})",
        )
    street = (
        r"(?! (?:january|february|march|april|may|june|july|august|september|october|november|december"
        r"|the|percent|people|[a-z']+ (?:street|st|road|rd|avenue|ave|lane|drive)\b))"
    )
    return (
        rf"(?:at |from |by |before |starting (?:at )?|starts (?:at )?|around |about |@ ?)?({one})",
        (
            rf"(?:at|@|around|from|starting|tonight|morning|afternoon|evening|night) (\d{{1,2}}(?:\.\d\d)?"
            rf"|{v.word_number}(?: thirty| fifteen| forty-five)?)(?![\w/:]| ?-\d){street}"
        ),
        r"(\d{1,2})-?ish|(\d{1,2}\.(?:00|15|30|45))(?= \x01)|(?<=\x01 )(\d{1,2})(?=[ ,;.)]*(?:$|, |\x01))",
        r"(?:at |from )([01]\d[0-5]\d|2[0-3][0-5]\d)(?: ?(?:hrs|hours))?(?!\w)|([01]\d[0-5]\d|2[0-3][0-5]\d) ?(?:hrs|hours)",
    )


# --- taking out ------------------------------------------------------------------------------------------------------


def take_hours(phrase: Phrase, v: Vocabulary) -> list[HoursAt]:
    """The hours that the words say, each where it stands; they are taken out. Several only where the words join them."""
    reads: list[tuple[str, Callable[[re.Match[str]], Hours | None]]] = [
        *((pattern, lambda found: _pair(found[1], found[2], v)) for pattern in _ranges(v)),
        *((pattern, lambda found: _single(found, v)) for pattern in _singles(v)),
        (r"(?<=\x01 )(\d{1,2}) a (\d{1,2} ?h(?:\d\d)?)(?![a-z])", lambda found: _working(_pair(found[1], found[2], v))),
    ]
    taken: list[HoursAt] = []
    while len(taken) < MOST_HOURS:
        found = [one for pattern, read in reads if (one := phrase.find(pattern, read))]
        if not found:
            break
        first = min(one[0] for one in found)
        start, end, hours = max((one for one in found if one[0] <= first + 1), key=lambda one: (one[1], one[2].ends is not None))
        if (
            taken
            and phrase.between(taken[-1].end, start) not in v.joins | {"puis a", "et de", "and from"}
            and not _days_between(phrase, taken[-1].end, start, v)
        ):
            break
        phrase.cut(start, end)
        taken.append(HoursAt(start, end, hours))
    return taken


def _days_between(phrase: Phrase, start: int, end: int, v: Vocabulary) -> bool:
    """Whether only days, which were taken out, and a word that joins stand between two hours: "lundi 8h et mardi 10h"."""
    return "\x01" in phrase.plain[start:end] and phrase.between(start, end) in (v.joins | {""}) - {""}


def take_end(phrase: Phrase, v: Vocabulary) -> tuple[time, str] | None:
    """When it ends, where that is said apart from when it begins, and the words for it."""
    before = (
        r"(?:jusqu'a|jusque|fin (?:a |vers )?|(?:finit|finira|(?:se )?termine) (?:a |vers )?|retour (?:a |vers )?)"
        if v.name == "fr"
        else r"(?:until|till|til|ending (?:at )?|ends (?:at )?|finishing (?:at )?|back (?:at|by))"
    )
    return phrase.take_as(rf"{before} ?({time_pattern(v)})", lambda match: _ending(match, v))


def _ending(found: re.Match[str], v: Vocabulary) -> tuple[time, str] | None:
    at = time_of(found[1], v, bare=True)
    return (at, found[0]) if at is not None else None


@dataclass(frozen=True, slots=True)
class PartAt:
    """A part of the day, its hours, and where in the words it stands."""

    start: int
    name: str
    hours: Hours


@lru_cache(maxsize=4)
def _part_pattern(v: Vocabulary) -> str:
    names = v.choice_of_parts
    if v.name == "fr":
        return rf"(toute la |tout l'|ce |cet |cette |le |l'|en |dans la |au |a la )?({names})s?"
    return rf"(all (?:the )?|this |in the |in |at |over |by )?(?:the )?({names})s?"


def take_parts(phrase: Phrase, v: Vocabulary, *, beside_hours: bool) -> list[PartAt]:
    """The parts of the day. One stands after a day or an hour, or behind a word for it: the evening of "parents' evening on
    Tuesday" is no time. Several only where no hours are said."""

    def read(found: re.Match[str]) -> tuple[str, Hours] | None:
        after = found.string[: found.start()].rstrip(" ,").endswith(TAKEN)
        alone = beside_hours and found[2].startswith(("soiree", "matinee"))
        if not (found[1] or found[2] in ("tonight", "lunchtime") or (after and not alone)):
            return None
        begins = time(*v.parts[found[2]])
        whole = (found[1] or "").startswith(("tout", "all"))
        return found[2], Hours(
            begins, time(begins.hour + 3 + (begins.hour > 12)) if whole and begins.hour < 20 else None, sure=True
        )

    parts: list[PartAt] = []
    while (not parts or not beside_hours) and len(parts) < MOST_HOURS and (found := phrase.find(_part_pattern(v), read)):
        phrase.cut(found[0], found[1])
        parts.append(PartAt(found[0], *found[2]))
    return parts


# --- reading ---------------------------------------------------------------------------------------------------------


def _single(found: re.Match[str], v: Vocabulary) -> Hours | None:
    text = next(one for one in found.groups() if one)
    said = time_of(text, v, bare=True)
    return Hours(said, None, _is_sure(text)) if said is not None else None


def _is_sure(text: str) -> bool:
    return bool(re.search(r"[ap]\.?m(?![a-z])|matin|soir|apres|morning|afternoon|evening|night|noon|mid", text))


def _pair(first: str, second: str, v: Vocabulary) -> Hours | None:
    half = next((mark for mark in ("am", "pm") if re.search(rf"\d ?{mark}|[a-z] {mark}", second.replace(".", ""))), "")
    sure = _is_sure(first) or _is_sure(second)
    plain_first = re.fullmatch(rf"\d{{1,2}}(?:[:.]\d{{2}})?|{v.word_number}", first)
    if plain_first and half:
        begins, ends = time_of(f"{first}{half}" if first[-1].isdigit() else f"{first} {half}", v), time_of(second, v)
        if begins and ends and begins >= ends:  # "11-1pm"
            other = "am" if half == "pm" else "pm"
            begins = time_of(f"{first}{other}" if first[-1].isdigit() else f"{first} {other}", v)
    else:
        begins, ends = time_of(first, v, bare=True), time_of(second, v, bare=True)
        noon_to = v.name == "fr" and re.match(r"(?:une|deux|trois|1|2|3) ?h", second) and begins and begins.hour in (11, 12, 13)
        if (
            begins and ends and ends < begins and ends.hour < 12 and (re.fullmatch(r"[\d:. ]+|[a-z-]+", second) or noon_to)
        ):  # "9am to 5"
            ends = ends.replace(hour=ends.hour + 12)
    if (
        v.name == "fr" and begins and ends and first.isdigit() and second.isdigit() and begins.hour < 8 and ends.hour < 12
    ):  # "de 5 à 7"
        begins, ends = begins.replace(hour=begins.hour + 12), ends.replace(hour=ends.hour + 12)
    return Hours(begins, ends, sure) if begins is not None and ends is not None else None


def _working(hours: Hours | None) -> Hours | None:
    """Hours of one day's work: in "jeudi 5 à 18h" the five is none."""
    if hours is None or hours.ends is None or not 7 <= hours.begins.hour < hours.ends.hour <= hours.begins.hour + 8:
        return None
    return hours


def _spoken(text: str, v: Vocabulary) -> time | None:
    """Half past six, quarter to nine, ten past four."""
    found = re.match(
        rf"(?:(half)(?: past)?|(?:a )?(quarter) (past|to)|({v.number})(?: minutes)? (past|to)) (\d{{1,2}}|{v.word_number})(.*)",
        text,
    )
    if found is None:
        return None
    minutes = 30 if found[1] else 15 if found[2] else v.value(found[4])
    hour, mark = v.value(found[6]), re.search(r"([ap])\.?m|morning|afternoon|evening|night", found[7])
    if not 1 <= hour <= 12 or minutes > 59:
        return None
    if mark:
        late = mark[1] == "p" or mark[0] in ("afternoon", "evening", "night")
        hour = hour % 12 + (12 if late else 0)
    elif hour in _AFTERNOON:
        hour += 12
    whole = hour * 60 + (-minutes if (found[3] or found[5]) == "to" else minutes)
    return time(whole // 60 % 24, whole % 60)


_MINUTES_WORDS = {"cinq": 5, "dix": 10, "quinze": 15, "vingt": 20, "vingt-cinq": 25, "trente": 30, "quarante": 40,
                  "quarante-cinq": 45, "cinquante": 50, "fifteen": 15, "thirty": 30, "forty-five": 45}  # fmt: skip


def time_of(text: str, v: Vocabulary, *, bare: bool = False) -> time | None:
    """A time of the day as the language writes it; None if there is none such."""
    text = text.replace(".m", "m").strip()
    if v.name == "en" and (spoken := _spoken(text, v)) is not None:
        return spoken
    if text.startswith(("minuit", "midnight")):
        return time(0)
    if text.startswith(("midi", "noon", "midday")):
        return _with_minutes(12, 0, text)
    if military := re.fullmatch(r"(\d\d)(\d\d)", text):
        return time(int(military[1]), int(military[2])) if int(military[1]) < 24 and int(military[2]) < 60 else None
    if spelled := re.match(rf"({v.word_number})", text):
        hour, minute, rest = v.value(spelled[1]), 0, text[spelled.end() :]
    else:
        found = re.match(r"(\d{1,2})(?: ?(?:h(?:eures?|rs?)?|[:.]) ?(\d{2})?)?", text)
        if found is None:
            return None
        hour, minute, rest = int(found[1]), int(found[2] or 0), text[found.end() :]
    if half := re.search(r"([ap])m(?![a-z])", rest):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[1] == "p" else 0)
    elif re.search("soir|apres|afternoon|evening|at night", rest):
        hour += 12 if 1 <= hour < 12 else 0
    elif (
        bare
        and v.name == "en"
        and "morning" not in rest
        and re.fullmatch(r"(?:\d{1,2}(?:\.\d\d)?|[1-6]:\d\d|[a-z-]+(?: [a-z-]+)?)(?: o'clock)?", text)
        and hour in _AFTERNOON
    ):
        hour += 12
    return _with_minutes(hour, minute, rest)


def _with_minutes(hour: int, minute: int, rest: str) -> time | None:
    """With what is said after the hour: "et demie", "moins le quart", "trente"."""
    less = re.search(r"moins (?:(le|un) quart|([a-z-]+|\d{1,2}))", rest)
    if less:
        minutes = 15 if less[1] else int(less[2]) if less[2].isdigit() else _MINUTES_WORDS.get(less[2], 0)
        whole = hour * 60 - minutes
        return time(whole // 60 % 24, whole % 60) if minutes < 60 and hour <= 24 else None
    if "et demi" in rest:
        minute = 30
    elif "et quart" in rest:
        minute = 15
    elif word := re.search(r"(?<![a-z])(" + "|".join(sorted(_MINUTES_WORDS, key=len, reverse=True)) + r")(?![a-z])", rest):
        minute = _MINUTES_WORDS[word[1]]
    elif digits := re.search(r"midi ?(\d\d)", rest):
        minute = int(digits[1])
    if hour == 24 and not minute:
        hour = 0
    return time(hour, minute) if hour < 24 and minute < 60 else None
