"""How what quick entry reads repeats: how often, until when or how many times, and when not."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date

from webmail.calendar.quick_entry.quick_dates import list_patterns, listed, span
from webmail.calendar.quick_entry.quick_day_forms import day_pattern, meant
from webmail.calendar.quick_entry.quick_days import Days, day_number, feast_named, numbered
from webmail.calendar.quick_entry.quick_phrase import Phrase, compiled
from webmail.calendar.quick_entry.vocabulary import Vocabulary
from webmail.calendar.repeat import MOST_EVERY, MOST_TIMES, Repeat

_EVERY_DAY = tuple(range(7))
_ORDINAL_FR = r"(?:premiere?|1ere?|deuxieme|second|2e|2eme|troisieme|3e|3eme|quatrieme|4e|4eme|derniere?)"
_ORDINAL_EN = r"(?:first|1st|second|2nd|third|3rd|fourth|4th|last)"
_MONTHLY_FR = r"(?: (?:du mois|de chaque mois|de tous les mois))"
_MONTHLY_EN = r"(?: (?:of )?(?:the|every|each|a) month)"

_FRENCH = (
    (r"(?:un|une) (<day>) sur deux", "every-2-days-of"),
    (rf"(?:tous les|toutes les|chaque) ({_ORDINAL_FR})s? <day>{_MONTHLY_FR}?", "place"),
    (rf"(?:le |les |chaque )?({_ORDINAL_FR}) (?:et|&) (?:le )?({_ORDINAL_FR}) <day>{_MONTHLY_FR}", "places"),
    (rf"(?:le )?({_ORDINAL_FR}) <day> (?:de chaque mois|de tous les mois|chaque mois|tous les mois)", "place"),
    (
        (
            r"(?<!et )(?<!et le )(?:le )?(\d{1,2}|1er) (?:de )?(?:chaque mois|tous les mois)|(?:tous les"
            r"|chaque) (1er|\d{1,2})(?:s)? du mois"
        ),
        "monthly-on",
    ),
    (
        r"tous les (?:jours ouvres|jours ouvrables|jours de la semaine|jours de semaine)|tous les jours du lundi au vendredi"
        r"|chaque jour du lundi au vendredi|en semaine",
        "weekdays",
    ),
    (r"(?:tous les jours(?! (?:feries|de))|chaque jour|quotidien(?:nement)?)", "daily"),
    (r"(?:tous les|chaque) week-? ?ends?", "weekends"),
    (
        (
            r"tous les quinze jours|tous les 15 jours|toutes les quinzaines|une semaine sur deux"
            r"|bimensuel(?:lement)?|chaque quinzaine"
        ),
        "every-2-weekly",
    ),
    (r"tous les huit jours|tous les 8 jours", "weekly"),
    (r"tous les (<number>) jours", "daily"),
    (r"un jour sur deux", "every-2-daily"),
    (r"un mois sur deux", "every-2-monthly"),
    (r"(?:tous les|toutes les|chaque) (<days>)(?: de (?:chaque|la) semaine)?", "days"),
    (r"(?:les )?(<days>)(?= |,|\x01|$)(?! \d{1,2}(?!\d| ?h|:))", "days-plural"),
    (r"toutes les (<number>) semaines", "weekly"),
    (r"(?:une|1) (?:fois|x) par semaine|toutes les semaines|chaque semaine|hebdomadaires?(?:ment)?|hebdo", "weekly"),
    (r"tous les trimestres|chaque trimestre|trimestriellement", "every-3-monthly"),
    (r"tous les (<number>) mois", "monthly"),
    (r"(?:une|1) (?:fois|x) par mois|tous les mois|chaque mois|mensuel(?:le)?(?:ment)?", "monthly"),
    (r"tous les (<number>) ans", "yearly"),
    (r"(?:tous les|chaque)(?= \d{1,2}(?:er)? <month>)", "yearly"),
    (r"(?:tous les ans|chaque annee|chaque an|annuel(?:le)?(?:ment)?)", "yearly"),
    (r"(?:tous les|chaque|toutes les)(?= (?:matin|soir|midi|apres-midi|nuit)s?)", "daily"),
)
_ENGLISH = (
    (r"(?:every (?:other|second|2nd)|alternate) (<days>)(?! (?:of|in) (?:the|every|each|a))", "every-2-days-of"),
    (rf"(?:on )?(?:the |every )?({_ORDINAL_EN}) (?:and|&) (?:the )?({_ORDINAL_EN}) <day>s?{_MONTHLY_EN}", "places"),
    (rf"every ({_ORDINAL_EN}) <day>{_MONTHLY_EN}?", "place"),
    (rf"(?:on )?(?:the )?({_ORDINAL_EN}) <day> (?:of )?(?:every|each|a) month|monthly on the ({_ORDINAL_EN}) <day>", "place"),
    (r"(?<!and )(?<!and the )(?:on )?(?:the )?(\d{1,2})(?:st|nd|rd|th) (?:of )?(?:every|each) month"
        r"|every (\d{1,2})(?:st|nd|rd|th)(?: of the month)?"
     r"|monthly on the (\d{1,2})(?:st|nd|rd|th)", "monthly-on"),
    ((
        r"(?:every weekday|every working day|(?:on )?weekdays|(?:every day"
        r"|daily),? (?:from )?mon(?:day)? ?(?:to|-) ?fri(?:day)?)"
    ), "weekdays"),
    (r"every weekend|(?:at |on )?weekends", "weekends"),
    (r"(?:every day|each day|everyday|daily)", "daily"),
    (r"every (?:other|second) day", "every-2-daily"),
    (r"every (?:other|second) week|fortnightly|every fortnight|bi-?weekly|once a fortnight", "every-2-weekly"),
    (r"every (?:other|second) month", "every-2-monthly"),
    (r"every (<number>) days", "daily"),
    (r"(?:every|each) (<days>)", "days"),
    (r"(?:on )?(<days>)(?= (?:mornings|afternoons|evenings|nights))", "days"),
    (r"weekly on (<days>)", "days"),
    (r"(?:on )?(<days>)(?= |,|\x01|$)", "days-plural"),
    (r"every (<number>) weeks", "weekly"),
    (r"(?:every week|each week|weekly|once a week)", "weekly"),
    (r"quarterly|every quarter", "every-3-monthly"),
    (r"every (<number>) months", "monthly"),
    (r"(?:every month|each month|monthly|once a month)", "monthly"),
    (r"every (<number>) years", "yearly"),
    (r"every(?= (?:<month> \d|\d{1,2}(?:st|nd|rd|th)? (?:of )?<month>))", "yearly"),
    (r"(?:every year|each year|yearly|annually|once a year)", "yearly"),
    (r"(?:every|each)(?= (?:morning|afternoon|evening|night|lunchtime))", "daily"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ends:
    """Until when something goes on, how many times, or for how many days from its first. `said` once more: what was not read."""

    until: date | None = None
    times: int = 0
    lasts: int = 0


@dataclass(frozen=True, slots=True)
class Except:
    """When it does not take place: days, days of the week, the school holidays."""

    days: tuple[Days, ...] = ()
    weekdays: tuple[int, ...] = ()
    holidays: bool = False
    said: str = ""


def take_repeat(phrase: Phrase, v: Vocabulary) -> tuple[Repeat, int] | None:
    """How it repeats, and on which day of the month if it says so ("le 5 de chaque mois"; else 0); taken out."""
    joined = r"(?:, ?| et | and | & | ?/ ?|, et |, and )"
    values = {"days": rf"{v.day}(?:{joined}(?:les )?{v.day}){{0,6}}", "day": v.day, "number": v.number, "month": v.month}
    for template, kind in _FRENCH if v.name == "fr" else _ENGLISH:
        pattern = re.sub("<([a-z]+)>", lambda name: values[name[1]], template)
        found = phrase.take_as(rf"(?:{pattern})", lambda match, kind=kind: _repeat(kind, match, v))  # type: ignore[misc]
        if found is not None:
            return found
    return None


def _repeat(kind: str, found: re.Match[str], v: Vocabulary) -> tuple[Repeat, int] | None:
    group = next((one for one in found.groups() if one), None)
    days = days_in(found[0], v)
    if kind == "monthly-on":
        number = day_number(group or "", v)
        return (Repeat("monthly"), number) if 1 <= number <= 31 else None
    if kind == "days-plural":  # "mondays", not "monday"
        names = [name.rstrip(".") for name in re.findall(v.day, found[0])]
        if not names or not all(name.endswith("s") and name not in ("tues", "thurs") for name in names):
            return None
        return Repeat("weekly", 1, days), 0
    if kind == "place":
        place = _ordinal(group or "", v)
        return Repeat("monthly-last" if place < 0 else "monthly-day", 1, (days[0], place)), 0
    if kind == "places":
        return Repeat("monthly-days", 1, days, places=(_ordinal(found[1], v), _ordinal(found[2], v))), 0
    if kind == "weekends":
        return Repeat("weekly", 1, (5, 6)), 0
    if kind == "days":
        return Repeat("weekly", 1, days), 0
    if kind == "every-2-days-of":
        return Repeat("weekly", 2, days), 0
    if several := re.fullmatch(r"every-(\d)-(\w+)", kind):
        return Repeat(several[2], int(several[1])), 0
    every = v.value(group) if group else 1
    return (Repeat(kind, every), 0) if 1 <= every <= MOST_EVERY else None


def _ordinal(name: str, v: Vocabulary) -> int:
    return v.ordinals.get(name) or v.ordinals.get({"1ere": "1er"}.get(name, name.removesuffix("e")), 1)


def days_in(text: str, v: Vocabulary) -> tuple[int, ...]:
    return tuple(sorted({v.weekday(name) for name in compiled(rf"(?<![a-z]){v.day}").findall(text)}))


# --- when it ends ----------------------------------------------------------------------------------------------------


def take_ends(phrase: Phrase, v: Vocabulary, today: date) -> Ends:
    """Until when, or how many times; taken out of the words."""
    french = v.name == "fr"
    counted = r"fois|seances|sessions|lecons|ateliers" if french else r"times|sessions|lessons|classes|occurrences"
    times = (
        rf"(?:pendant |pour |sur |x ?)?({v.number}) ?(?:{counted})(?! par)"
        if french
        else rf"(?:for )?({v.number}) ?(?:{counted})(?! a )",
        r"\(?x ?(\d{1,3})\)?(?=[ ,;.)\x01]*(?:\x01|$|,|;))|(?<!\d)(\d{1,3}) ?x(?=[ ,;.)\x01]*(?:\x01|$))",
    )
    for pattern in times:
        if found := phrase.take_as(pattern, lambda match: _times(match, v)):
            return Ends(times=found)
    lasting = rf"(?:pendant|durant) ({v.number}) (semaine|mois)s?" if french else rf"for ({v.number}) (week|month)s?"
    if length := phrase.take_as(lasting, lambda match: (v.value(match[1]), match[2])):
        return Ends(lasts=length[0] * (7 if length[1] in ("semaine", "week") else 30))
    until = _take_until(phrase, v, today)
    return Ends(until=until) if until else Ends()


def take_late_times(phrase: Phrase, v: Vocabulary) -> int:
    """How many times, said right after the days and hours: "lundi 18h x6 poterie"; 0 if it is not."""
    return phrase.take_as(r"(?:(?<=\x01 )\(?x ?(\d{1,3})\)?|x ?(\d{1,3})(?= \x01))", lambda match: _times(match, v)) or 0


def _times(found: re.Match[str], v: Vocabulary) -> int | None:
    text = next(one for one in found.groups() if one)
    number = v.value(text)
    return number if 2 <= number <= MOST_TIMES else None


def _take_until(phrase: Phrase, v: Vocabulary, today: date) -> date | None:
    day = day_pattern(v)
    before = (
        r"jusqu'(?:au|a la|aux|a|en)(?: la)? ?(?:le )?"
        if v.name == "fr"
        else r"(?:until|till|til|up to|through|thru|ending)(?: on)? (?:the )?"
    )
    if not compiled(before.partition("(?:")[0] or before).search(phrase.plain):
        return None
    bare = (
        r"jusqu'au (\d{1,2})(?! ?(?:h\b|h\d|:|/))" if v.name == "fr" else r"(?:until|till|through) the (\d{1,2})(?:st|nd|rd|th)"
    )
    feast = r"jusqu'(a (?:paques|noel|la toussaint))|(?:until|till) ((?:easter|christmas|halloween))(?= |\x01|$)"
    if found_day := phrase.take_as(rf"(?:{feast})", lambda match: feast_named(match[1] or match[2], today)):
        return found_day.first
    month = (
        rf"{before}(?:(fin|end of|mi-|mid-|debut|early)(?: de)? ?)?({v.month})(?: (\d{{4}}))?(?! \d{{1,2}}(?!\d| ?(?:h|:|[ap]m)))"
    )
    if found := phrase.take_as(month, lambda match: _end_of(v.months[match[2].rstrip(".")], match[3], today, match[1] or "")):
        return found
    before = before.replace("|through|thru", "")  # "Monday through Friday" are days in a row
    if found_day := phrase.take_as(rf"{before}({day})", lambda match: meant(match[1], v, today)):
        return found_day.last or found_day.first
    if found_day := phrase.take_as(bare, lambda match: numbered(int(match[1]), today)):
        return found_day.first
    return None


def _end_of(month: int, year: str | None, today: date, part: str) -> date | None:
    chosen = int(year) if year else today.year + (month < today.month)
    if not 1900 <= chosen <= 9000:
        return None
    return date(chosen, month, 15 if part.startswith("mi") else 1 if part in ("debut", "early") else monthrange(chosen, month)[1])


def take_months(phrase: Phrase, v: Vocabulary, today: date) -> tuple[date, date | None] | None:
    """The months in which a series takes place: "en janvier", "de janvier à juin"; taken out of the words."""
    month, free = rf"({v.month})(?: (\d{{4}}))?", r"(?! \d{1,2}(?!\d| ?(?:h|:|[ap]m)))"
    pair = (
        rf"(?:de |d')({v.month}) (?:a|jusqu'a|jusqu'en) {month}"
        if v.name == "fr"
        else rf"(?:from )?({v.month}) (?:to|until|through|-) {month}"
    )
    one = (
        rf"(?:en |de |d'|du mois de |au mois de ){month}{free}"
        if v.name == "fr"
        else rf"(?:in|of|throughout|during) {month}{free}"
    )

    def both(match: re.Match[str]) -> tuple[date, date] | None:
        first, last = v.months[match[1].rstrip(".")], v.months[match[2].rstrip(".")]
        year = int(match[3]) - (last < first) if match[3] else today.year + (last < today.month and last >= first)
        return (date(year, first, 1), _month_end(year + (last < first), last)) if 1900 <= year <= 9000 else None

    def single(match: re.Match[str]) -> tuple[date, date] | None:
        number = v.months[match[1].rstrip(".")]
        year = int(match[2]) if match[2] else today.year + (number < today.month)
        return (date(year, number, 1), _month_end(year, number)) if 1900 <= year <= 9000 else None

    from_on = r"(?:a partir (?:de |d')|des |depuis )" if v.name == "fr" else r"(?:starting |beginning )(?:in )?"
    if begins := phrase.take_as(rf"{from_on}({v.month}){free}", lambda match: _next_month(v.months[match[1].rstrip(".")], today)):
        return begins, None
    return phrase.take_as(pair, both) or phrase.take_as(one, single)


def _next_month(month: int, today: date) -> date:
    return date(today.year + (month < today.month), month, 1)


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


# --- when it does not take place -------------------------------------------------------------------------------------

_EXCEPT = {
    "fr": (
        r"\(?(?:sauf|excepte|a l'exception|hors|mais pas|pas|en dehors)(?: (?:le|les|du|des|de|la"
        r"|pendant les|pendant|durant les|en))*(?: d')? ?"
    ),
    "en": r"\(?(?:except|excluding|apart from|but not|other than|not|skipping|skip)(?: (?:for|on|in|during|the))* ",
}
_HOLIDAYS = {
    "fr": r"vacances(?: scolaires)?|conges scolaires",
    "en": r"(?:school )?holidays|half[- ]terms?",
}
_TERM = {
    "fr": r"(?:en )?periode scolaire(?: uniquement)?|semaines scolaires|hors vacances(?: scolaires)?",
    "en": r"(?:in |during )?term[- ]time(?: only)?|term time",
}


def take_except(phrase: Phrase, v: Vocabulary, today: date) -> Except | None:
    """When it does not take place; None where that is not said."""
    if phrase.take(_TERM[v.name]):
        return Except(holidays=True)
    begins = _EXCEPT[v.name]
    if not compiled(begins).search(phrase.plain):
        return None
    if phrase.take(rf"{begins}(?:{_HOLIDAYS[v.name]})\)?"):
        return Except(holidays=True)
    joined = r"(?:, ?| et | and | & | ni )(?:le |les |the |on )?"
    names = rf"{v.day}(?:{joined}{v.day}){{0,5}}(?! \d{{1,2}}(?!\d| ?(?:h|:|[ap]m)))"
    numbers = rf"(?:le |the )?(\d{{1,2}})(?:er|st|nd|rd|th)?(?! ?(?:h\b|h\d|:|/|{v.month}))"
    day = day_pattern(v)
    to = r" ?(?:au|a|-) ?" if v.name == "fr" else r" ?(?:to|-|until) ?(?:the )?"
    first = rf"(?:{day}|\d{{1,2}}(?:er|st|nd|rd|th)?)"
    several = [(rf"{begins}{pattern}\)?", lambda found: _except_listed(found, v, today)) for pattern in list_patterns(v)]
    readings = (
        *several,
        (rf"{begins}(?:from )?({first}){to}({day})\)?", lambda found: _except_span(found, v, today)),
        (rf"{begins}({names})\)?", lambda found: Except(weekdays=days_in(found[1], v))),
        (rf"{begins}({day}(?:{joined}{day}){{0,8}})\)?", lambda found: _except_days(found, v, today)),
        (
            rf"{begins}{numbers}\)?",
            lambda found: Except(days=(Days(date(1, 1, int(found[1]))),)) if 1 <= int(found[1]) <= 31 else None,
        ),
    )
    for pattern, read in readings:
        found = phrase.find(pattern, read)
        if found is not None:
            said = phrase.text[found[0] : found[1]]
            phrase.cut(found[0], found[1])
            return replace(found[2], said=said)
    return None


def _except_listed(found: re.Match[str], v: Vocabulary, today: date) -> Except | None:
    days = listed(found, v, today)
    return Except(days=days) if days else None


def _except_span(found: re.Match[str], v: Vocabulary, today: date) -> Except | None:
    days = span(found[1], found[2], v, today)
    return Except(days=(days,)) if days else None


def _except_days(found: re.Match[str], v: Vocabulary, today: date) -> Except | None:
    days = [meant(one[0], v, today) for one in compiled(day_pattern(v)).finditer(found[1])]
    return Except(days=tuple(one for one in days if one)) if days and None not in days else None


def without_weekdays(repeat: Repeat, weekdays: tuple[int, ...]) -> Repeat | None:
    """What repeats, but not on these days of the week; None if that can't be said by a rule."""
    days = (
        _EVERY_DAY
        if repeat.kind == "daily" and repeat.every == 1
        else _EVERY_DAY[:5]
        if repeat.kind == "weekdays"
        else repeat.days
    )
    left = tuple(one for one in days if one not in weekdays)
    if repeat.kind not in ("daily", "weekdays", "weekly") or not left or len(left) == len(days):
        return None
    return replace(repeat, kind="weekly", days=left)
