"""Vocabulary of quick entry: its words in French and English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What a language calls things: plain (lower case, no accents). Patterns have no groups."""

    name: str
    months: dict[str, int]
    days: dict[str, int]
    month_names: str  # a pattern of `months`
    day_names: str  # a pattern of `days`
    hint: str  # words that say that it may be this language
    short_days: dict[str, int]  # only with a point, or before what belongs to a day
    numbers: dict[str, int]
    ordinals: dict[str, int]  # of weekdays in a month; -1 is the last
    relative: dict[str, int]  # days from today
    parts: dict[str, tuple[int, int]]  # "morning": when it begins
    joins: frozenset[str]  # words between things of which all are meant
    edges: frozenset[str]  # words that a title neither begins nor ends with, once something was taken out beside them
    kept: frozenset[str]  # those of `edges` that may begin what follows
    birthday: str
    evening: str  # what takes place then: "dinner at 8" is at 20:00
    all_day: str

    def choice(self, texts: dict[str, int]) -> str:
        return "(?:" + "|".join(sorted(map(re.escape, texts), key=len, reverse=True)) + ")"

    @property
    def month(self) -> str:
        return self.month_names + r"(?![a-z])\.?"

    @cached_property
    def day(self) -> str:
        short = self.choice(self.short_days)
        return (
            rf"(?:{self.day_names}(?![a-z]|(?<=sun) (?:cream|dial|screen|hat|glasses)|(?<=sat) (?:nav|down"
            rf"|exam|test))\.?|{short}(?:\.|(?= \d| (?:matin|aprem|apres|soir|prochain|midi)|(?: et"
            rf"|,| &|-|/) ?(?:{short})))|(?<=-){short}(?![a-z]))"
        )

    @cached_property
    def number(self) -> str:
        return r"(?:\d{1,3}(?!\d)|" + self.choice(self.numbers) + r"(?![a-z]))"

    @cached_property
    def word_number(self) -> str:
        return self.choice(self.numbers) + r"(?![a-z])"

    @cached_property
    def ordinal(self) -> str:
        return self.choice(self.ordinals) + r"(?![a-z])"

    @cached_property
    def choice_of_parts(self) -> str:
        return "(?:" + "|".join(sorted(map(re.escape, self.parts), key=len, reverse=True)) + ")"

    def value(self, text: str) -> int:
        return int(text) if text.isdigit() else self.numbers[text]

    def weekday(self, name: str) -> int:
        name = name.rstrip(".")
        return self.days[name] if name in self.days else self.short_days[name]


_FRENCH_EDGES = (
    "le la les de des du d' a au aux et en pour dans sur ce cette cet l' vers avec des avant d'ici puis ou des jusqu'a jusqu'au"
)
_ENGLISH_EDGES = "on at the of for from in and to by this a an with or then before until every each"
_DAYS_FR = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_DAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS_FR = (
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
    " dix-sept dix-huit dix-neuf vingt "
    "vingt-et-un vingt-deux vingt-trois vingt-quatre vingt-cinq vingt-six vingt-sept vingt-huit vingt-neuf trente trente-et-un"
)
_NUMBERS_EN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen "
    "twenty twenty-one twenty-two twenty-three twenty-four twenty-five twenty-six twenty-seven twenty-eight twenty-nine thirty"
)


def _counted(text: str) -> dict[str, int]:
    return {word: number for number, word in enumerate(text.split()) if number}


FRENCH = Vocabulary(
    name="fr",
    months={
        "janvier": 1, "janv": 1, "fevrier": 2, "fevr": 2, "fev": 2, "mars": 3, "avril": 4, "avr": 4, "mai": 5, "juin": 6,
        "juillet": 7, "juil": 7, "aout": 8, "septembre": 9, "sept": 9, "octobre": 10, "oct": 10, "novembre": 11, "nov": 11,
        "decembre": 12, "dec": 12,
    },
    days={name: number for number, one in enumerate(_DAYS_FR) for name in (one, one + "s")},
    month_names=(
        "(?:janv(?:ier)?|fev(?:r(?:ier)?)?|mars|avr(?:il)?|mai|juin|juil(?:let)?|aout|sept(?:embre)?"
            "|oct(?:obre)?|nov(?:embre)?|dec(?:embre)?)"
    ),
    day_names="(?:(?:lun|mar|mercre|jeu|vendre|same)dis?|dimanches?)",
    hint=(
        r"[a-z]+dis?|dimanches?|demain|hier|aujourd'hui|l[ea]s?|a|au|d[eu]s?|ce|tous|toutes|chaque|midi"
        r"|minuit|dans|en|et|salle|(?:lun|mar|mer|jeu|ven"
        r"|sam|dim)\.|\d+h\d*|\d+er|[a-z]+bre|janv\w*|fev\w*|mars|avr\w*|mai|juin|juil\w*|aout|semaine"
        r"|mois|aprem|soir|matin|fin|debut|mi"
    ),
    short_days={one[:3]: number for number, one in enumerate(_DAYS_FR)} | {"merc": 2, "vend": 4, "sam": 5},
    numbers=_counted(_NUMBERS_FR) | {"une": 1, "vingt et un": 21, "trente et un": 31, "dix sept": 17, "dix huit": 18,
                                     "dix neuf": 19, "vingt-et-une": 21, "quarante-cinq": 45, "quarante": 40},
    ordinals={"premier": 1, "1er": 1, "deuxieme": 2, "2e": 2, "2eme": 2, "second": 2, "troisieme": 3, "3e": 3, "3eme": 3,
              "quatrieme": 4, "4e": 4, "4eme": 4, "dernier": -1},
    relative={"aujourd'hui": 0, "ce jour": 0, "demain": 1, "apres-demain": 2, "apres demain": 2, "hier": -1, "avant-hier": -2},
    parts={
        "fin de matinee": (11, 0), "milieu de matinee": (10, 0), "debut de matinee": (8, 0), "debut d'apres-midi": (14, 0),
        "fin d'apres-midi": (17, 0), "fin de journee": (17, 0), "debut de soiree": (19, 0), "matin": (9, 0), "matinee": (9, 0),
        "apres-midi": (14, 0), "apres midi": (14, 0), "aprem": (14, 0), "ap-midi": (14, 0), "soir": (19, 0), "soiree": (19, 0),
        "nuit": (22, 0), "pause dejeuner": (12, 0),
    },
    joins=frozenset({"et", "&", "+", ",", "/", ", et", "puis", "et puis", ", puis", "puis a", "ainsi que", "et le", "et de",
                     "et a", ";"}),
    edges=frozenset(_FRENCH_EDGES.split()),
    kept=frozenset({"avec", "a", "au", "aux", "en", "pour", "dans", "sur", "ou"}),
    birthday=r"\banniversaire\b",
    evening=r"\b(?:diner|souper|apero|reveillon)\b",
    all_day=r"(?:toute la journee|journee entiere|journee complete|la journee)",
)  # fmt: skip

ENGLISH = Vocabulary(
    name="en",
    months={
        "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
        "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "october": 10, "oct": 10,
        "november": 11, "nov": 11, "december": 12, "dec": 12,
    },
    days={name: number for number, one in enumerate(_DAYS_EN) for name in (one, one + "s", one[:3])}
    | {"tues": 1, "thur": 3, "thurs": 3},
    month_names=(
        "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
            "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
    ),
    day_names="(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)",
    hint=(
        r"[a-z]+days?|mon|tues?|wed|thu\w*|fri|sat|sun|to(?:day|morrow|night)|tmr\w*|the|at|on|in|from|to|for|until|till|every|each|next"
        r"|this|last|noon|midnight|morning|afternoon|evening|\d*[ap]\.?m|\d+(?:st|nd|rd|th)|[a-z]+ber|jan\w*|feb\w*|mar\w*|apr\w*|may"
        r"|june?|july?|aug\w*|sept?|oct|nov|dec|week\w*|month\w*|half|quarter|oclock|and|daily|christmas|easter"
    ),
    short_days={"weds": 2, "tu": 1, "th": 3},
    numbers=_counted(_NUMBERS_EN) | {"a": 1, "an": 1, "a couple of": 2, "forty": 40, "forty-five": 45, "ninety": 90},
    ordinals={"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1},
    relative={"today": 0, "tomorrow": 1, "tmrw": 1, "tmr": 1, "the day after tomorrow": 2, "day after tomorrow": 2,
              "yesterday": -1, "the day before yesterday": -2},
    parts={
        "early morning": (8, 0), "mid-morning": (10, 0), "mid morning": (10, 0), "late morning": (11, 0),
        "early afternoon": (14, 0), "mid-afternoon": (15, 0), "late afternoon": (17, 0), "early evening": (18, 0), 
        "end of the day": (17, 0), "end of day": (17, 0),
        "morning": (9, 0), "afternoon": (14, 0), "evening": (19, 0), "night": (20, 0), "tonight": (20, 0), "lunchtime": (12, 0),
        "lunch time": (12, 0), "pm": (14, 0), "am": (9, 0), "first thing": (9, 0),
    },
    joins=frozenset({"and", "&", "+", ",", "/", ", and", "then", "and then", ", then", "and on", "and at", "and the",
                     "and from", ";"}),
    edges=frozenset(_ENGLISH_EDGES.split()),
    kept=frozenset({"with", "at", "for", "in", "or"}),
    birthday=r"\bbirthday\b",
    evening=r"\b(?:dinner|supper|drinks)\b",
    all_day=r"(?:all[ -]day(?: long)?|the whole day|full day)",
)  # fmt: skip
