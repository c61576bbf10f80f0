"""How long what quick entry reads takes, or after how long it begins."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from webmail.calendar.quick_entry.quick_phrase import Phrase, compiled
from webmail.calendar.quick_entry.vocabulary import Vocabulary

_LONGEST_LENGTH = 6  # hours: "14h 2h" begins at two and takes two
_UNIT_FR, _UNIT_EN = r"(?:heures?|h)", r"(?:hours?|hrs?|h)"
_MINUTES_FR, _MINUTES_EN = r"(?:minutes?|min|mn)", r"(?:minutes?|mins?|min)"


@lru_cache(maxsize=4)
def _length_pattern(v: Vocabulary) -> str:
    number = v.number
    if v.name == "fr":
        return (
            rf"(?:une demi-heure|une demi heure|1/2 h(?:eure)?|[13]/4 d'h(?:eure)?|(?:un"
            rf"|trois) quarts? d'heure|\d{{1,2}} ?h ?\d{{2}}(?: ?min)?|\d[.,]\d ?{_UNIT_FR}(?![a-z])"
            rf"|{number} ?{_UNIT_FR}(?: et (?:demie?|quart)| {_number_minutes(v)})?(?![a-z])|{number} ?{_MINUTES_FR}(?![a-z]))"
        )
    return (
        rf"(?:half an hour|a half hour|(?:a|three) quarters? of an hour|\d{{1,2}} ?h ?\d{{2}}"
        rf"|{number} hours? and a half|\d[.,]\d ?{_UNIT_EN}(?![a-z])"
        rf"|{number} and a half hours|{number} ?-?{_UNIT_EN}(?:,? (?:and )?{number} ?{_MINUTES_EN}"
        rf"| and a half| ?\d\d ?(?:min|m)?(?![a-z\d]))?(?![a-z])|{number} ?-?{_MINUTES_EN}(?![a-z]))"
    )


def _number_minutes(v: Vocabulary) -> str:
    return rf"{v.number} ?{_MINUTES_FR}"


def length_of(text: str, v: Vocabulary) -> timedelta | None:
    """What a length in words comes to."""
    if re.match(r"une demi|1/2|half an|a half hour", text):
        return timedelta(minutes=30)
    if quarter := re.match(r"(un|trois|a|three) quart|([13])/4", text):
        return timedelta(minutes=15 if quarter[1] in ("un", "a") or quarter[2] == "1" else 45)
    if found := re.fullmatch(r"(\d{1,2}) ?h ?(\d{2})(?: ?min)?", text):
        return timedelta(hours=int(found[1]), minutes=int(found[2]))
    if found := re.match(r"(\d)[.,](\d)", text):
        return timedelta(minutes=int(found[1]) * 60 + int(found[2]) * 6)
    amounts = re.match(rf"({v.number})", text)
    if amounts is None:
        return None
    amount, rest = v.value(amounts[1]), text[amounts.end() :].strip(" -")
    if rest.startswith("and a half"):
        return timedelta(minutes=60 * amount + 30)
    if rest.startswith("m"):
        return timedelta(minutes=amount) or None
    more = 30 if re.search("demi|half", rest) else 15 if "quart" in rest else 0
    minutes = re.search(rf"({v.number}) ?(?:{_MINUTES_EN}|{_MINUTES_FR})$", rest.partition("h")[2]) or re.search(
        r"(\d\d) ?m?$", rest
    )
    return timedelta(hours=amount, minutes=more or (v.value(minutes[1]) if minutes else 0)) or None


def take_length(phrase: Phrase, v: Vocabulary) -> timedelta | None:
    """How long it takes, as said by a word for it ("pendant 2 h", "for 45 min", "(1h30)"); whole days too."""
    french = v.name == "fr"
    before = (
        r"(?:(?:pendant|durant|sur|pour|duree ?:?|dure|durera|d'une duree de) (?:environ )?)"
        if french
        else r"(?:(?:for|lasting|lasts|duration ?:?|takes?) (?:about )?)"
    )
    for pattern in (rf"{before}({_length_pattern(v)})", rf"\(({_length_pattern(v)})\)"):
        if found := phrase.take_as(pattern, lambda match: length_of(match[1], v)):
            return found
    whole = r"(jours?|journees?|semaines?)" if french else r"(days?|weeks?)"
    unit = {"s": 7, "w": 7}
    bare = rf"|(?:de )?({v.number}) {whole}(?= \x01)" if french else ""  # "3 jours à partir du 8"

    def days(match: re.Match[str]) -> timedelta | None:
        amount, name = [one for one in match.groups() if one][:2]
        return timedelta(days=v.value(amount) * unit.get(name[0], 1)) or None

    return phrase.take_as(rf"(?:{before}({v.number}) {whole}{bare})", days)


def take_bare_length(phrase: Phrase, v: Vocabulary) -> timedelta | None:
    """The same without such a word, where it is known when it begins: "lundi 14h 2h", "2 hours", "30 min"."""
    before = r"(?:de |d'|, ?)?" if v.name == "fr" else r"(?:a )?"
    found = rf"(?<!\ba )(?<!\bou )(?<!\bor ){before}({_length_pattern(v)})"
    return phrase.take_as(found, lambda match: _at_most(length_of(match[1], v)))


def _at_most(length: timedelta | None) -> timedelta | None:
    return length if length is not None and length <= timedelta(hours=_LONGEST_LENGTH) else None


def take_length_as_hour(phrase: Phrase, v: Vocabulary) -> timedelta | None:
    """A length that looks like an hour: "réunion de 2h lundi à 14h", "atelier 2h à 14h"; only where another hour is said."""
    hour = r"(?:de |d'|, ?)?(\d ?h(?: ?[0-5]\d)?)(?! ?(?:-|a|/|et|jusqu'a) ?\d)(?![a-z])"
    if compiled(r"(?<!\w)\d{1,2} ?h(?:\d\d)? ?(?:-|/|a|et|jusqu'a) ?\d{1,2} ?h").search(phrase.plain):
        return None
    others = compiled(r"(?<![\w:])(?:\d{1,2} ?h(?![a-z])|\d{1,2}:\d\d|midi|\d{1,2} ?[ap]m|noon)").findall(phrase.plain)
    if len(others) < 2 and not compiled(r"(?<!\w)(?:de|d') ?\d ?h(?:\d\d)?(?!\w| ?(?:-|a|/) ?\d)").search(phrase.plain):
        return None
    return phrase.take_as(hour, lambda match: _short(length_of(match[1].replace(" ", ""), v), found=match, alone=len(others) < 2))


def _short(length: timedelta | None, *, found: re.Match[str], alone: bool) -> timedelta | None:
    if length is None or length > timedelta(hours=_LONGEST_LENGTH):
        return None
    if found.string[: found.start(1)].endswith(("a ", "vers ", "des ")) or (alone and not found[0].startswith("d")):
        return None
    return length


def take_delay(phrase: Phrase, v: Vocabulary) -> timedelta | None:
    """After how much time it begins: "dans 2 heures", "in 45 minutes"."""
    before = r"(?:dans|d'ici) " if v.name == "fr" else r"in "
    after = r"" if v.name == "fr" else r"(?:'s time|s' time|' time| from now)?"
    found = phrase.take_as(rf"{before}({_length_pattern(v)}){after}", lambda match: length_of(match[1], v))
    if found is None and v.name == "en":
        found = phrase.take_as(rf"({_length_pattern(v)}) from now", lambda match: length_of(match[1], v))
    return found
