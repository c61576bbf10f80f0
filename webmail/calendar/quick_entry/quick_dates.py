"""The days of quick entry: one, several in a row, or several of which each is meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from webmail.calendar.quick_entry.quick_day_forms import day_pattern, meant
from webmail.calendar.quick_entry.quick_days import Days, day_number, numbered, valid
from webmail.calendar.quick_entry.quick_phrase import Phrase, compiled
from webmail.calendar.quick_entry.quick_times import time_pattern
from webmail.calendar.quick_entry.vocabulary import Vocabulary

MOST_DAYS = 20  # of which each is an event
_TO = {"fr": re.compile(r"[-/]|(?<!\w)(?:du|des|de|d'|entre)(?!\w).*(?<!\w)(?:au?|et)(?!\w)|(?<!\w)(?:au|jusqu'\w+)(?!\w)"),
       "en": re.compile(r"[-/]|(?<!\w)(?:to|until|till|through|and)(?!\w)")}  # fmt: skip
_TWO_NUMBERS = re.compile(r"(?:et|and|&|,) *(?:les? |the )?(?:[a-z]+\.?,? )?(?:the )?\d")
_LONGEST_SPAN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class DaysAt:
    """Days, and where in the words they stand."""

    begins: int
    ends: int
    days: tuple[Days, ...]
    said: str = ""


@lru_cache(maxsize=4)
def _patterns(v: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Those of spans, of lists of numbers, and of one day."""
    return _french(v) if v.name == "fr" else _english(v)


def _french(v: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    day, name, month = day_pattern(v), v.day, v.month
    first = rf"(?:{name} )?\d{{1,2}}(?:er)?|{day}|{name}"
    one = rf"(?:les? )?(?:{name},? )?\d{{1,2}}(?:er)?"
    spans = (
        rf"(?:la semaine )?(?:du |de |entre le |d')({first}) ?(?:jusqu'au|jusqu'a|au|a|et le|-) ?(?:le )?({day}|{name})",
        (
            rf"(?:du|des) ({name} \d{{1,2}}|\d{{1,2}}(?:er)?) au ({name} \d{{1,2}}"
            rf"|\d{{1,2}}(?:er)?)(?! ?(?:h\b|h\d|:|/|%|ans|eleves))"
        ),
        rf"(?:du |les )?(\d{{1,2}}) ?[-/] ?(\d{{1,2}} {month}(?: \d{{4}})?)",
        rf"({day}|{name}) ?(?:jusqu'au|jusqu'a|au|-) ?({day}|{name})",
        rf"(\d{{1,2}}(?:er)?) au ({day})",
    )
    lists = (
        (
            rf"({one}(?:(?:, | et | & ){one}){{0,8}}(?:,? et |,? & "
            rf"|, )(?:les? )?(?:{name},? )?)(\d{{1,2}}(?:er)?) ({month})(?: (\d{{4}}))?"
        ),
        r"(les? \d{1,2}(?:er)?(?:(?:, | et | & )(?:le )?\d{1,2}){0,8}(?: et | & ))(?:le )?(\d{1,2})(?! ?(?:h\b|h\d|:|/))()()",
    )
    single = rf"(?:le |ce |cette |des |des le |a partir (?:du |de )?|pour le |pour |avant (?:le )?|d'ici (?:le |au )?)?({day})"
    return spans, lists, single


def _english(v: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    day, name, month = day_pattern(v), v.day, v.month
    first = rf"{day}|(?:{name},? )?(?:the )?\d{{1,2}}(?:st|nd|rd|th)?"
    one = rf"(?:the )?(?:{name},? )?(?:the )?\d{{1,2}}(?:st|nd|rd|th)?"
    spans = (
        rf"(?:from |between )(?:the )?({first}) ?(?:-|to|until|till|through|and) ?(?:the )?({day})",
        rf"(?:from )?(?:the )?(\d{{1,2}}(?:st|nd|rd|th)) (?:to|until|till|through|-) (?:the )?(\d{{1,2}}(?:st|nd|rd"
        rf"|th))(?! (?:of )?{month})",
        rf"(\d{{1,2}}(?:st|nd|rd|th)?) ?(?:-|to|/) ?(\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {month}(?:,? \d{{4}})?)",
        rf"({month} \d{{1,2}}(?:st|nd|rd|th)?) ?(?:-|to|through) ?(\d{{1,2}}(?:st|nd|rd|th)?(?![:\d]| ?[ap]m)(?:,? \d{{4}})?)",
        rf"({day}) ?(?:-|to|until|till|through) ?({day})",
    )
    lists = (
        rf"({one}(?:(?:, | and | & ){one}){{0,8}}(?:,? and |,? & |, )(?:the )?(?:{name},? )?(?:the )?)(\d{{1,2}}(?:st|nd|rd|th)?)"
        rf"(?: of)? ({month})(?:,? (\d{{4}}))?",
        rf"({month} \d{{1,2}}(?:st|nd|rd|th)?(?:(?:, | and | & )(?:the )?\d{{1,2}}(?:st|nd|rd"
        rf"|th)?(?! ?[ap]m|:)){{0,8}}(?:,? and |,? & ))"
        r"(?:the )?(\d{1,2}(?:st|nd|rd|th)?)(?![:\d]| ?[ap]m)()(?:,? (\d{4}))?",
        r"((?:on )?the \d{1,2}(?:st|nd|rd|th)(?:(?:, | and | & )(?:the )?\d{1,2}(?:st|nd|rd|th)){0,8}(?:,? and |,? & ))(?:the )?"
        r"(\d{1,2}(?:st|nd|rd|th))()()",
    )
    return spans, lists, rf"(?:on |from |starting |beginning |this |by |before )?(?:the )?({day})"


def list_patterns(v: Vocabulary) -> tuple[str, ...]:
    """Several days of a month by their numbers; `listed` reads them."""
    return _patterns(v)[1]


def take_days(phrase: Phrase, v: Vocabulary, today: date) -> list[DaysAt]:
    """The days that the words say, each where it stands; they are taken out. Several only where the words join them."""
    spans, lists, single = _patterns(v)
    reads: list[tuple[str, Callable[[re.Match[str]], tuple[Days, ...] | None]]] = [
        *(
            (pattern, lambda found: _as_one(span(found[1], found[2], v, today)))
            for pattern in spans
            if _TO[v.name].search(phrase.plain)
        ),
        *((pattern, lambda found: listed(found, v, today)) for pattern in lists if _TWO_NUMBERS.search(phrase.plain)),
        (single, lambda found: _single_day(found, v, today)),
    ]
    if v.name == "fr":  # "lundi 9 à 11h"
        reads.append((rf"({v.day})(?= \d{{1,2}} a \d{{1,2}} ?h)", lambda found: _as_one(meant(found[1], v, today))))
    taken: list[DaysAt] = []
    while sum(len(one.days) for one in taken) < MOST_DAYS:
        found = [one for pattern, read in reads if (one := phrase.find(pattern, read))]
        if not found:
            break
        begins, ends, days = min(found, key=lambda one: one[0])
        if taken and not _belongs(phrase.between(taken[-1].ends, begins), days, taken[-1].days, v):
            break
        said = phrase.text[begins:ends]
        phrase.cut(begins, ends)
        if not taken or days[0].first not in {one.first for one in taken[-1].days}:
            taken.append(DaysAt(begins, ends, _following(days, taken), said))
    return _of_one_week(taken, today)


def _single_day(found: re.Match[str], v: Vocabulary, today: date) -> tuple[Days, ...] | None:
    """A day; "jeudi 9 à 11h" is from nine to eleven where that is no ninth, but "jeudi 10 à 18h" the tenth."""
    day = meant(found[1], v, today)
    if day and v.name == "fr" and "weekday" in day.remarks and re.match(r" a \d{1,2} ?h", found.string[found.end() :]):
        return None
    return _as_one(day)


def _following(days: tuple[Days, ...], taken: list[DaysAt]) -> tuple[Days, ...]:
    """Days of the week come in their order: in "lundi, mardi et vendredi" the last is after the first two."""
    if not taken or len(days) > 1 or days[0].weekday is None or taken[-1].days[-1].weekday is None:
        return days
    one, before = days[0], taken[-1].days[-1].first
    more = (
        0
        if one.first > before or one.may_be_over and one.first < taken[0].days[0].first > before
        else 7 * ((before - one.first).days // 7 + 1)
    )
    return (replace(one, first=one.first + timedelta(days=more), may_be_over=one.may_be_over and not more),)


def _of_one_week(taken: list[DaysAt], today: date) -> list[DaysAt]:
    """In "mercredi et jeudi de la semaine prochaine" the first day is of that week too."""
    if len(taken) < 2 or not re.search("semaine prochaine|next week", taken[-1].said):
        return taken
    monday = today + timedelta(days=7 - today.weekday())
    return [
        replace(
            one,
            days=tuple(
                replace(day, first=monday + timedelta(days=day.weekday), may_be_over=False) if day.weekday is not None else day
                for day in one.days
            ),
        )
        for one in taken
    ]


def _belongs(between: str, days: tuple[Days, ...], before: tuple[Days, ...], v: Vocabulary) -> bool:
    """Whether these days are meant besides those before: they are joined, or the same said once more ("demain samedi")."""
    between = compiled(rf"(?:in the |le |l')?{v.choice_of_parts}s?").sub(" ", between)
    between = " ".join(
        compiled(rf"(?:(?:a|at|de|from) )?(?:{time_pattern(v)}|\d{{1,2}})(?: ?(?:-|a|to) ?(?:{time_pattern(v)}|\d{{1,2}}))?")
        .sub(" ", between)
        .split()
    )
    if not between and days[0].weekday is not None and before[-1].weekday is not None:  # "lundi mardi jeudi"
        return True
    return between in v.joins or (between in ("", ",", "(", "soit") and days[0].first == before[-1].first)


def _as_one(found: Days | None) -> tuple[Days, ...] | None:
    return (found,) if found else None


def listed(found: re.Match[str], v: Vocabulary, today: date) -> tuple[Days, ...] | None:
    """Several days of a month: "8, 9 et 10 décembre", "le 8 et le 9"."""
    numbers = [int(one) for one in re.findall(r"(?<!\d)\d{1,2}(?!\d)|\d{1,2}(?=st|nd|rd|th|er)", found[1] + " " + found[2])]
    month = found[3] or (name[0] if (name := re.search(v.month, found[1])) else "")
    if month:
        last = meant(f"{numbers[-1]} {month}" + (f" {found[4]}" if found[4] else ""), v, today)
        days = [valid(last.first.year, last.first.month, one) for one in numbers] if last else []
        days = [replace_year(one, 1) if one and one < today and not found[4] else one for one in days]
        remarks = last.remarks if last else ()
    else:
        days = [one.first if (one := numbered(number, today)) else None for number in numbers]
        remarks = ()
    if not days or None in days or len(set(days)) < len(days):
        return None
    return tuple(Days(one, remarks=remarks) for one in days if one)


def replace_year(day: date, more: int) -> date | None:
    return valid(day.year + more, day.month, day.day)


def span(first: str, last: str, v: Vocabulary, today: date) -> Days | None:
    """From one day to another; the first may have only a number ("du 3 au 7 mars"), or only the last has a year."""
    first, last = first.strip().removeprefix("the "), last.strip()
    bare = re.fullmatch(rf"(?:{v.day},? )?(?:the )?(\d{{1,2}})(?:er|st|nd|rd|th)?", first)
    if month := re.fullmatch(rf"({v.month}) \d{{1,2}}(?:st|nd|rd|th)?", first):
        last = (
            re.sub(r"^(\d{1,2})(?:st|nd|rd|th)?", rf"\1 {month[1]}", last)
            if re.match(r"\d{1,2}(?!\d|/|-)(?:\w\w)?(?:,? \d{4})?$", last)
            else last
        )
    number = re.fullmatch(rf"(?:{v.day} )?(\d{{1,2}})(?:er|st|nd|rd|th)?", last)
    if number and not month:
        begin = numbered(int(bare[1]), today) if bare else meant(first, v, today)
        end = numbered(int(number[1]), begin.first) if begin else None
    else:
        end = meant(last, v, today)
        begin = _begin(first, bare, end, v, today) if end else None
    if end is None or begin is None:
        return None
    start, finish = begin.first, end.first
    if re.search(r"\d{4}", last) and not re.search(r"\d{4}", first) and not bare:
        start = valid(finish.year, start.month, start.day) or start
    if finish < start and end.weekday is not None:
        finish = start + timedelta(days=(finish.weekday() - start.weekday()) % 7)
    if finish < start and start.year > today.year and not re.search(r"\d{4}", last):
        finish = valid(start.year, finish.month, finish.day) or finish
    if not timedelta(0) <= finish - start <= _LONGEST_SPAN:
        return None
    remarks = tuple(one for one in (*begin.remarks, *end.remarks) if one == "weekday")
    if start.year > today.year and "next-year" in end.remarks:
        remarks += ("next-year",)
    weekday = begin.weekday if end.weekday is not None else None
    return Days(start, finish, remarks, weekday=weekday)


def _begin(first: str, bare: re.Match[str] | None, end: Days, v: Vocabulary, today: date) -> Days | None:
    if bare is None:
        return meant(first, v, today)
    begin = valid(end.first.year, end.first.month, int(bare[1]))
    if begin is None or begin > end.first:  # "du 28 au 3 mars"
        before = end.first.replace(day=1) - timedelta(days=1)
        begin = valid(before.year, before.month, int(bare[1]))
    return Days(begin) if begin else None


def take_bare_day(phrase: Phrase, v: Vocabulary, today: date) -> DaysAt | None:
    """A day of the month without its name ("le 14"), where nothing else says when it is."""
    number = r"(?:avant |pour |d'ici )?le (\d{1,2}|1er)" if v.name == "fr" else r"(?:on |by )?the (\d{1,2})(?:st|nd|rd|th)"
    pattern = rf"{number}(?! (?:of )?{v.month}|/| ?h\b)"
    found = phrase.find(pattern, lambda found: numbered(day_number(found[1], v), today))
    if found is None:
        return None
    said = phrase.text[found[0] : found[1]]
    phrase.cut(found[0], found[1])
    return DaysAt(found[0], found[1], (found[2],), said)
