"""The words of quick entry in French and English, and the text from which they are taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

_T = TypeVar("_T")
TAKEN = "\x01"  # stands for what was understood
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "–": "-", "—": "-", "\u00a0": " ", "\u202f": " "})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a language calls things: plain (lower case, no accents). Patterns have no groups."""

    name: str
    months: dict[str, int]
    days: dict[str, int]
    numbers: dict[str, int]
    relative: dict[str, int]  # days from today
    parts: dict[str, tuple[int, int]]  # "morning": when it begins
    edges: frozenset[str]  # words that a title neither begins nor ends with, once something was taken out beside them
    birthday: str
    all_day: str
    place: tuple[str, ...]  # patterns with the place as their group, on the plain text
    named_place: str  # the same on the text as typed
    going: str  # a word for going somewhere, which says little without the place

    def choice(self, words: dict[str, int]) -> str:
        return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"

    @property
    def month(self) -> str:
        return self.choice(self.months) + r"(?![a-z])\.?"

    @property
    def day(self) -> str:
        return self.choice(self.days) + r"(?![a-z])\.?"

    @property
    def number(self) -> str:
        return r"(?:\d{1,3}|" + self.choice(self.numbers)[3:-1] + ")"

    def value(self, text: str) -> int:
        return int(text) if text.isdigit() else self.numbers[text]


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def plain(text: str) -> str:
    """The text without accents and capitals, as long as before."""
    return "".join(unicodedata.normalize("NFD", one)[0].lower()[:1] or one for one in text.translate(_APOSTROPHES))


class Phrase:
    """A text from which things are taken out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = plain(text)
        self.understood = 0  # characters

    def has(self, pattern: str) -> bool:
        return compiled(pattern).search(plain(self.text)) is not None

    def take(self, pattern: str) -> re.Match[str] | None:
        """The first place where a pattern stands as whole words; it is taken out."""
        return self.take_as(pattern, lambda found: found)

    def take_as(self, pattern: str, read: Callable[[re.Match[str]], _T | None]) -> _T | None:
        """What the first place of a pattern is read as; it is taken out if it can be."""
        found = compiled(rf"(?<![\w@.-]){pattern}(?!\w)").search(self.plain)
        meant = read(found) if found is not None else None
        if found is not None and meant is not None:
            self.cut(self._after_class(found.start()), found.end())
        return meant

    def _after_class(self, start: int) -> int:
        """Where a match begins in earnest: the A of "1re A 9h" is the class's, and no "à"."""
        of_class = self.text.startswith("A ", start) and re.search(r"\d[a-z]{0,3} $", self.plain[:start])
        return start + 2 if of_class else start

    def cut(self, start: int, end: int) -> None:
        self.understood += sum(one != TAKEN for one in self.plain[start:end])
        gap = TAKEN * (end - start)
        self.plain = self.plain[:start] + gap + self.plain[end:]
        self.text = self.text[:start] + gap + self.text[end:]

    def take_place(self, vocabulary: Vocabulary) -> str:
        """Where it is, if the words say so. They stay in the title after a word for going there: "Sortie au musée"."""
        for pattern in vocabulary.place:
            found = compiled(rf"(?<![\w]){pattern}").search(self.plain)
            if found is not None:
                return self._taken(found, vocabulary)
        found = compiled(rf"(?<![\w]){vocabulary.named_place}").search(self.text)
        return self._taken(found, vocabulary) if found is not None else ""

    def _taken(self, found: re.Match[str], vocabulary: Vocabulary) -> str:
        start, end = found.span(1)
        place, before = self.text[start:end].strip(" ,;.-"), self.understood
        by_preposition = self.plain[found.start() : start].strip(" '").replace(" ", "").isalpha()  # not "@", "where:"
        said_before = self.plain[: found.start()].rpartition(TAKEN)[2]
        if not (by_preposition and compiled(rf"\b{vocabulary.going}\b").search(said_before)):
            self.cut(found.start(), end)
        self.understood = before  # any words may be a place: the language is told by the rest
        return place

    def left(self, vocabulary: Vocabulary) -> str:
        """What nothing was made of, without words that have lost what they belonged to."""
        pieces = []
        for number, piece in enumerate(re.split(TAKEN + "[ " + TAKEN + "]*", self.text)):
            words = piece.strip(" ,;:-–—()").split(" ")
            while (
                words and plain(words[-1]).strip(",") in vocabulary.edges and words[-1] != "A" and TAKEN in self.text
            ):  # "1re A"
                words.pop()
            while words and number and plain(words[0]).strip(",") in vocabulary.edges - {"avec", "with"}:
                words.pop(0)
            pieces.append(" ".join(words).strip(" ,;:-–—"))
        return " ".join(filter(None, pieces)).strip(" ,;:-–—") or self.text.replace(TAKEN, "").strip()


_FRENCH_EDGES = "le la les de du des d' a au aux et en pour dans sur ce cette l' vers"
_ENGLISH_EDGES = "on at the of for from in and to by this a an"
_ENGLISH_TO = r"(?:(?<=(?i:trip) )|(?<=(?i:visit) )|(?<=(?i:outing) ))to"

FRENCH = Vocabulary(
    name="fr",
    months={
        "janvier": 1, "janv": 1, "fevrier": 2, "fevr": 2, "fev": 2, "mars": 3, "avril": 4, "avr": 4, "mai": 5, "juin": 6,
        "juillet": 7, "juil": 7, "aout": 8, "septembre": 9, "sept": 9, "octobre": 10, "oct": 10, "novembre": 11, "nov": 11,
        "decembre": 12, "dec": 12,
    },
    days={
        "lundi": 0, "mardi": 1, "mercredi": 2, "jeudi": 3, "vendredi": 4, "samedi": 5, "dimanche": 6, "lundis": 0, "mardis": 1,
        "mercredis": 2, "jeudis": 3, "vendredis": 4, "samedis": 5, "dimanches": 6,
    },
    numbers={"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "dix": 10},
    relative={"aujourd'hui": 0, "ce jour": 0, "demain": 1, "apres-demain": 2, "apres demain": 2},
    parts={"matin": (9, 0), "apres-midi": (14, 0), "apres midi": (14, 0), "soir": (19, 0), "soiree": (19, 0)},
    edges=frozenset(_FRENCH_EDGES.split()),
    birthday=r"\banniversaire\b",
    all_day=r"(?:toute la journee|journee entiere|la journee)",
    place=(
        r"(?:lieu ?: ?|@ ?)([^\x01,;@]{1,80})",
        r"(?:(?:en|dans la|dans le|a la|au|a l') ?)?((?:salle|amphi|amphitheatre|bureau|labo|laboratoire|batiment|gymnase)"
        r" (?:[a-z]?-?\d{1,4}[a-z]?|[a-z])(?!\w))",
        r"(?:en|a la|au|dans la|dans le|a l'|dans l') ?((?:salle|gymnase|cdi|cantine|bibliotheque|amphi|amphitheatre|auditorium"
        r"|cour|stade|piscine|mairie|hall|laboratoire|labo|internat|infirmerie|secretariat|theatre|musee|foyer|parking)\b"
        r"(?: (?:des?|du|d'|de la) ?[^\x01 ,;]{1,30})?)",
    ),
    named_place=r"(?:[àÀ]|[aA]u|[aA]ux|[cC]hez) ((?:l'|la |le )?[A-ZÀ-ÖØ-Þ][^\x01,;]{0,60}?)(?= avec | pour |[\x01,;]|$)",
    going=r"(?:sorties?|visites?|voyages?|excursions?|sejours?|depart|arrivee|retour)",
)  # fmt: skip

ENGLISH = Vocabulary(
    name="en",
    months={
        "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
        "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "october": 10, "oct": 10,
        "november": 11, "nov": 11, "december": 12, "dec": 12,
    },
    days={
        "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6, "mondays": 0,
        "tuesdays": 1, "wednesdays": 2, "thursdays": 3, "fridays": 4, "saturdays": 5, "sundays": 6, "mon": 0, "tue": 1, "tues": 1,
        "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
    },
    numbers={"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10},
    relative={"today": 0, "tomorrow": 1, "the day after tomorrow": 2, "day after tomorrow": 2},
    parts={"morning": (9, 0), "afternoon": (14, 0), "evening": (19, 0), "night": (20, 0)},
    edges=frozenset(_ENGLISH_EDGES.split()),
    birthday=r"\bbirthday\b",
    all_day=r"(?:all[ -]day|the whole day)",
    place=(
        r"(?:(?:where|place) ?: ?|@ ?)([^\x01,;@]{1,80})",
        r"(?:(?:in|at) (?:the )?)?((?:room|hall|lab|office|building|theatre|gym) (?:[a-z]?-?\d{1,4}[a-z]?|[a-z])(?!\w))",
        rf"(?:in|at|{_ENGLISH_TO}) the ((?:[a-z']{{2,20}} ){{0,2}}(?:room|hall|lab|library|gym|office|canteen|theatre|pool"
        r"|playground|museum|auditorium|cafe|restaurant|station|park|stadium|school|church|house)\b)",
    ),
    named_place=rf"(?:[aA]t|[iI]n|{_ENGLISH_TO}) ((?:the |The )?[A-ZÀ-ÖØ-Þ][^\x01,;]{{0,60}}?)(?= with | for |[\x01,;]|$)",
    going=r"(?:trips?|visits?|outings?|excursions?|tours?|departure|arrival)",
)  # fmt: skip
