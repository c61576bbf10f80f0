"""The days of quick entry: one, several, or how it repeats and until when."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta

from webmail.calendar.quick_words import Phrase, Vocabulary, compiled
from webmail.calendar.repeat import MOST_EVERY, MOST_TIMES, Repeat

_PLACES = {"premier": 1, "1er": 1, "deuxieme": 2, "troisieme": 3, "quatrieme": 4, "dernier": -1,
           "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Days:
    """A day, or several in a row. `may_be_over`: it is today by its weekday alone, so an hour that is over means next week."""

    first: date
    last: date | None = None
    remarks: tuple[str, ...] = ()
    may_be_over: bool = False


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day_pattern(v: Vocabulary) -> str:
    """One day however it is said."""
    number = r"\d{1,2}(?:er)?" if v.name == "fr" else r"\d{1,2}(?:st|nd|rd|th)?"
    numeric = r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d{1,2}\.\d{1,2}\.\d{2,4}"
    relative = v.choice(v.relative)
    if v.name == "fr":
        named = rf"(?:{v.day} )?(?:le )?(?:{number}|premier) {v.month}(?: \d{{4}})?"
        week = rf"{v.day}(?: prochaine?| qui vient| en huit)?(?: {number}(?! ?(?:h|:|/|-|a |min|fois)))?"
        later = rf"dans {v.number} (?:jours?|semaines?|mois)|(?:la )?semaine prochaine|(?:le )?mois prochain"
        return rf"(?:{numeric}|{named}|{later}|{week}|{relative})"
    named = rf"(?:{v.day},? )?(?:the )?{number}(?: of)? {v.month}(?:,? \d{{4}})?"
    named += rf"|(?:{v.day},? )?{v.month} {number}(?![:\d]| ?[ap]m)(?:,? \d{{4}})?"
    week = rf"(?:next |this |coming )?{v.day}(?: the {number}| \d{{1,2}}(?:st|nd|rd|th))?"
    later = rf"in {v.number} (?:days?|weeks?|months?)|next week|next month"
    return rf"(?:{numeric}|{named}|{later}|{week}|{relative})"


def meant(text: str, v: Vocabulary, today: date) -> Days | None:
    """What a day that `_day_pattern` found means, the next one to come; None if there is none such."""
    text = text.strip()
    if text in v.relative:
        return Days(today + timedelta(days=v.relative[text]))
    if found := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text):
        return _fixed(_valid(int(found[1]), int(found[2]), int(found[3])))
    if found := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})(?:[/.](\d{2,4}))?", text):
        return _dated(int(found[1]), int(found[2]), found[3], today)
    month = re.search(v.month, text)
    number = re.search(r"(?<!\d)\d{1,2}(?!\d)|premier", text)
    if month is not None and number is not None:
        year = re.search(r"\d{4}", text)
        day = 1 if number[0] == "premier" else int(number[0])
        return _dated(day, v.months[month[0].rstrip(".")], year[0] if year else None, today)
    return _later(text, v, today) or _weekday(text, v, today)


def _fixed(day: date | None) -> Days | None:
    return Days(day) if day else None


def _dated(day: int, month: int, year: str | None, today: date) -> Days | None:
    if year is not None:
        full = int(year) + (2000 if len(year) == 2 else 0)
        return _fixed(_valid(full, month, day)) if len(year) in (2, 4) and full >= 1900 else None
    found = next((one for more in range(9) if (one := _valid(today.year + more, month, day)) and one >= today), None)
    return Days(found, remarks=("next-year",) if found.year > today.year else ()) if found else None


def _later(text: str, v: Vocabulary, today: date) -> Days | None:
    if re.search(r"semaine prochaine|next week", text):
        return Days(today + timedelta(days=7 - today.weekday()))
    if re.search(r"mois prochain|next month", text):
        return Days((today.replace(day=1) + timedelta(days=32)).replace(day=1))
    found = re.fullmatch(rf"(?:dans|in) ({v.number}) (jour|semaine|mois|day|week|month)s?", text)
    if found is None:
        return None
    amount, unit = v.value(found[1]), found[2]
    if unit in ("mois", "month"):
        month = today.month - 1 + amount
        year, month = today.year + month // 12, month % 12 + 1
        return Days(date(year, month, min(today.day, monthrange(year, month)[1])))
    return Days(today + timedelta(days=amount * (7 if unit in ("semaine", "week") else 1)))


def _weekday(text: str, v: Vocabulary, today: date) -> Days | None:
    name = re.search(v.day, text)
    if name is None:
        return None
    weekday = v.days[name[0].rstrip(".")]
    if number := re.search(r"\d{1,2}", text):
        return _numbered(int(number[0]), today, weekday)
    ahead = (weekday - today.weekday()) % 7
    if "next" in text:  # of next week
        return Days(today + timedelta(days=7 - today.weekday() + weekday))
    if re.search("prochain|qui vient|coming", text):
        return Days(today + timedelta(days=ahead or 7))
    if "en huit" in text:
        return Days(today + timedelta(days=(ahead or 7) + 7))
    return Days(today + timedelta(days=ahead), may_be_over=not ahead)


def _numbered(number: int, today: date, weekday: int | None = None) -> Days | None:
    """The next day of a month with this number, and on this weekday, within a year."""
    months = [(today.year + (today.month - 1 + more) // 12, (today.month - 1 + more) % 12 + 1) for more in range(13)]
    days = [day for year, month in months if (day := _valid(year, month, number)) and day >= today]
    if weekday is not None:
        days = [day for day in days if day.weekday() == weekday]
    return Days(days[0]) if days else None


def take_days(words: Phrase, v: Vocabulary, today: date) -> Days | None:
    """The day or days that the words say; they are taken out."""
    day = _day_pattern(v)
    first = rf"(?:{day}|\d{{1,2}}(?:er|st|nd|rd|th)?)"
    if v.name == "fr":
        spans = [rf"(?:du |de )({first}) (?:au|a) ({day})", rf"(?:du )?(\d{{1,2}}) ?(?:-|et) ?(\d{{1,2}} {v.month}(?: \d{{4}})?)"]
        single = rf"(?:le |ce |des |a partir du |pour le |pour )?({day})"
    else:
        spans = [
            rf"(?:from |between )(?:the )?({first}) ?(?:-|to|until|till|and) ?(?:the )?({day})",
            rf"(\d{{1,2}}(?:st|nd|rd|th)?) ?- ?(\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {v.month}(?:,? \d{{4}})?)",
            rf"({v.month} \d{{1,2}}) ?(?:-|to) ?(\d{{1,2}}(?![:\d]))",
            rf"({day}) ?(?:-|to|until|till) ?({day})",
        ]
        single = rf"(?:on |from |starting |this |by )?(?:the )?({day})"
    for pattern in spans:
        found = words.take_as(pattern, lambda match: _span(match[1], match[2], v, today))
        if found is not None:
            return found
    return words.take_as(single, lambda match: meant(match[1], v, today))


def _span(first: str, last: str, v: Vocabulary, today: date) -> Days | None:
    """From one day to another; the first may have only a number ("du 3 au 7 mars"), or only the last has a year."""
    number = re.fullmatch(r"(\d{1,2})(?:er|st|nd|rd|th)?", first.strip())
    if month := re.fullmatch(rf"({v.month}) \d{{1,2}}", first.strip()):
        last = f"{last} {month[1]}" if last.strip().isdigit() else last
    end = meant(last, v, today)
    if end is None:
        return None
    if number:
        begin = _valid(end.first.year, end.first.month, int(number[1]))
        if begin is not None and begin > end.first:  # "du 28 au 3 mars"
            before = end.first.replace(day=1) - timedelta(days=1)
            begin = _valid(before.year, before.month, int(number[1]))
    else:
        found = meant(first, v, today)
        begin = found.first if found else None
        if begin is not None and re.search(r"\d{4}", last) and not re.search(r"\d{4}", first):
            begin = _valid(end.first.year, begin.month, begin.day)
    if begin is None:
        return None
    finish = end.first
    if finish < begin and re.search(v.day, last) and not re.search(r"\d", last):
        finish = begin + timedelta(days=(finish.weekday() - begin.weekday()) % 7)
    if finish < begin and begin.year > today.year and not re.search(r"\d{4}", last):
        finish = _valid(begin.year, finish.month, finish.day) or finish
    if not timedelta(0) <= finish - begin <= timedelta(days=366):
        return None
    return Days(begin, finish, end.remarks if begin.year > today.year else ())


def take_bare_day(words: Phrase, v: Vocabulary, today: date) -> Days | None:
    """A day of the month without its name ("le 14"), where nothing else says when it is."""
    number = r"le (\d{1,2}|1er)" if v.name == "fr" else r"(?:on )?the (\d{1,2})(?:st|nd|rd|th)"
    pattern = rf"{number}(?! (?:of )?{v.month})"
    return words.take_as(pattern, lambda found: _numbered(int(re.sub(r"\D", "", found[1])), today))


# --- what repeats ----------------------------------------------------------------------------------------------------


def take_repeat(words: Phrase, v: Vocabulary, today: date) -> Repeat | None:
    """How it repeats, with its end; taken out of the words."""
    patterns = _FRENCH if v.name == "fr" else _ENGLISH
    values = {"days": rf"{v.day}(?:(?:, | et | and | & ){v.day}){{0,6}}", "day": v.day, "number": v.number}
    for template, kind in patterns:
        pattern = re.sub("<([a-z]+)>", lambda name: values[name[1]], template)
        found = words.take_as(pattern, lambda match, kind=kind: _repeat(kind, match, v))  # type: ignore[misc]
        if found is not None:
            return _take_end(words, v, today, found)
    return None


_FRENCH = (
    (r"(?:un|une) (<day>) sur deux", "every-2-days-of"),
    (r"(?:tous les|toutes les|chaque) (premier|1er|deuxieme|troisieme|quatrieme|dernier)s? <day>s?(?: du mois)?", "place"),
    (r"le (premier|1er|deuxieme|troisieme|quatrieme|dernier) <day> (?:du mois|de chaque mois|de tous les mois)", "place"),
    (r"tous les (?:jours ouvres|jours ouvrables|jours de la semaine)|du lundi au vendredi(?! \d)", "weekdays"),
    (r"(?:tous les jours|chaque jour|quotidien(?:nement)?)", "daily"),
    (r"tous les (<number>) jours", "daily"),
    (r"(?:tous les|toutes les|chaque) (<days>)(?: de chaque semaine)?", "days"),
    (r"(?:les) (<days>)(?= |\x01|$)", "days-plural"),
    (r"toutes les (<number>) semaines", "weekly"),
    (r"(?:une fois par semaine|toutes les semaines|chaque semaine|hebdomadaire)", "weekly"),
    (r"tous les (<number>) mois", "monthly"),
    (r"(?:tous les mois|chaque mois|mensuel(?:lement)?)", "monthly"),
    (r"tous les (<number>) ans", "yearly"),
    (r"(?:tous les ans|chaque annee|chaque an|annuel(?:lement)?)", "yearly"),
)
_ENGLISH = (
    (r"every (?:other|second) (<days>)", "every-2-days-of"),
    (r"every (first|1st|second|2nd|third|3rd|fourth|4th|last) <day>(?: of (?:the|every|each) month)?", "place"),
    (r"(?:on )?the (first|1st|second|2nd|third|3rd|fourth|4th|last) <day> (?:of )?(?:the|every|each) month", "place"),
    (r"(?:every weekday|every working day|on weekdays|monday to friday)", "weekdays"),
    (r"(?:every day|each day|daily)", "daily"),
    (r"every (?:other|second) day", "every-2-daily"),
    (r"every (?:other|second) week|fortnightly|every fortnight", "every-2-weekly"),
    (r"every (?:other|second) month", "every-2-monthly"),
    (r"every (<number>) days", "daily"),
    (r"(?:every|each) (<days>)", "days"),
    (r"(?:on )?(<days>)(?= |\x01|$)", "days-plural"),
    (r"every (<number>) weeks", "weekly"),
    (r"(?:every week|each week|weekly)", "weekly"),
    (r"every (<number>) months", "monthly"),
    (r"(?:every month|each month|monthly)", "monthly"),
    (r"every (<number>) years", "yearly"),
    (r"(?:every year|each year|yearly|annually)", "yearly"),
)  # fmt: skip


def _repeat(kind: str, found: re.Match[str], v: Vocabulary) -> Repeat | None:
    group = found[1] if found.re.groups else None
    days = _days_in(found[0], v)
    if kind == "days-plural":  # "mondays", not "monday"
        plural = all(name.rstrip(".").endswith("s") and name not in ("tues", "thurs") for name in re.findall(v.day, found[0]))
        return Repeat("weekly", 1, days) if plural else None
    if kind == "place":
        place = _PLACES[found[1]]
        return Repeat("monthly-last" if place < 0 else "monthly-day", 1, (days[0], place))
    if kind == "days":
        return Repeat("weekly", 1, days)
    if kind == "every-2-days-of":
        return Repeat("weekly", 2, days)
    if kind.startswith("every-2-"):
        return Repeat(kind.removeprefix("every-2-"), 2)
    every = v.value(group) if group else 1
    return Repeat(kind, every) if 1 <= every <= MOST_EVERY else None


def _days_in(text: str, v: Vocabulary) -> tuple[int, ...]:
    return tuple(sorted({v.days[name.rstrip(".")] for name in compiled(rf"(?<![a-z]){v.day}").findall(text)}))


def _take_end(words: Phrase, v: Vocabulary, today: date, repeat: Repeat) -> Repeat:
    """The repetition with its end, if the words say one."""
    day = _day_pattern(v)
    times = r"(?:pendant )?(\d{1,3}) fois" if v.name == "fr" else r"(?:for )?(\d{1,3}) times"
    if found := words.take_as(times, lambda match: int(match[1]) if 1 <= int(match[1]) <= MOST_TIMES else None):
        return replace(repeat, times=found)
    lasting = rf"(?:pendant|durant) ({v.number}) (semaine|mois)s?" if v.name == "fr" else rf"for ({v.number}) (week|month)s?"
    if length := words.take_as(lasting, lambda match: (v.value(match[1]), match[2])):
        until = today + timedelta(days=length[0] * (7 if length[1] in ("semaine", "week") else 30) - 1)
        return replace(repeat, until=until)
    before = r"jusqu'(?:au|a|en|a la)(?: la)? ?" if v.name == "fr" else r"(?:until|till|up to|through) (?:the )?"
    if found_day := words.take_as(rf"{before}({day})", lambda match: meant(match[1], v, today)):
        return replace(repeat, until=found_day.first)
    month = rf"{before}(?:(fin|end of|mi-|debut) ?)?({v.month})(?: (\d{{4}}))?"
    ends = words.take_as(month, lambda match: _end_of(v.months[match[2].rstrip(".")], match[3], today, match[1] or ""))
    return replace(repeat, until=ends) if ends else repeat


def _end_of(month: int, year: str | None, today: date, part: str) -> date | None:
    chosen = int(year) if year else today.year + (month < today.month)
    if not 1900 <= chosen <= 9000:
        return None
    return date(chosen, month, 15 if part == "mi-" else 1 if part == "debut" else monthrange(chosen, month)[1])
