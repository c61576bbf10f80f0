"""The text of quick entry, from which things are taken out one by one, and what must never be taken for a day or an hour."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

_T = TypeVar("_T")
TAKEN = "\x01"  # stands for what was understood
HIDDEN = "\x02"  # for what no day or hour is looked for in, though it stays in the title
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "–": "-", "—": "-", "→": "-", "×": "x", "\u00a0": " ", "\u202f": " "})
_LATIN = _APOSTROPHES | {
    code: unicodedata.normalize("NFD", chr(code))[0].lower()[:1] for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
}
_GAPS = str.maketrans({TAKEN: " ", "(": " ", ")": " "})
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[tT](?=\d\d:\d\d)")

_NUMBERED = (
    r"pages?|pp?\.|chapitres?|chapters?|ch\.|exercices?|exercises?|ex\.?|questions?|qu?\.|lignes?"
    r"|lines?|unites?|units?|tomes?|volumes?"
    r"|versions?|python|debian|note|moyenne|score|groupes?|groups?|articles?|lecons?|lessons?|figures?|n°|no\.|numeros?|nos?\."
    r"|years?|grade|tel\.?|telephone|phone|code|dossier|ticket|commande|order|lot"
)
_MONTHS = "jan|fev|feb|mars|march|avr|apr|mai|may|jui|jul|jun|aou|aug|sept|oct|nov|dec"
_NEVER = (
    r"https?://\S+|www\.\S+",
    r"\S+@\S+\.\S+",
    r"(?<![\w+])(?:\+\d{1,3}[ .]?(?:\(0\))?[ .]?\d{1,3}|0\d)(?:[ .-]?\d{2,4}){3,5}(?!\d)",  # telephones
    r"(?<![\w+])\+\d[\d .()-]{6,20}\d",
    r"(?<!\w)\d{3}[-.]\d{3,4}(?:[-.]\d{4})?(?!\w)",
    (
        r"[€$£] ?\d{1,7}(?:[ .,]\d{3}){0,3}(?:[.,]\d{1,2})?|(?<!\w)\d{1,7}(?:[ .,]\d{1,3}){0,3} ?(?:€|\$"
        r"|£|euros?\b|eur\b|dollars?\b|pounds?\b|%)"
    ),
    r"(?<!\w)(?<!at )(?<!\ba )(?<!from )(?<!to )(?<!and )(?<!\d-)v?\d{1,3}(?:\.\d{1,3}){1,3}"
    r"(?![\w/]|\.\d| ?[ap]\.?m| ?h|-\d| (?:a )?\d{1,2}(?: ?h|:\d)| (?:mon|tue|wed|thu|fri|sat|sun))",  # versions
    rf"(?<!\w)(?:{_NUMBERED}) ?:? ?\d[\d/.,-]*(?:(?: ?(?:-|a|et|to|and|&) ?)\d[\d/.,-]*)?(?! ?h\b|\w| ?(?:{_MONTHS}))",
    r"(?<!\w)(?:salles?|rooms?|bureaux?|offices?) \d{1,3}/\d{1,3}(?!\w)",
    r"(?<!\w)(?:1:1|1-1|1-2-1|24/7|7/7|7j/7|24 ?h ?/ ?24|24 ?h ?/ ?7)(?!\w)",
    (
        r"(?<!\w)(?:[1-9]/(?:[2-9]|16|32) (?:de )?(?:journees?|finales?|heures?|finals?|pages?|hours?"
        r"|cups?|days?|majority|majorite)|demi-finales?)"
    ),
    r"(?<!\w)(?:19|20)\d\d ?[-/] ?(?:(?:19|20)\d\d)(?!\d)",  # school years
    r"(?<!\w)\d{1,4} ?(?:x|\*) ?\d{1,4}(?!\w)",
    r"(?<!\w)(?:0?\d|1\d|20)(?:[.,]\d{1,2})?/20(?!\d|/)(?! ?(?:a|at|de) \d| \d{1,2} ?(?:h|[ap]m))",  # marks out of twenty
)
_WITH_POINTS = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}|\d\d\.\d\d\.\d\d(?!\d)")


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def plain(text: str) -> str:
    """The text without accents and capitals, as long as before."""
    text = text.translate(_LATIN)
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(one.lower()[:1] for one in text)


class Phrase:
    """A text from which things are taken out. It stays as long as it was, so that what was found keeps its place."""

    def __init__(self, text: str) -> None:
        self.text = _ISO.sub(r"\1 ", text)
        self.plain = plain(self.text)
        self.understood = 0  # characters
        for pattern in _NEVER:
            self.plain = compiled(pattern).sub(_hidden, self.plain)

    def has(self, pattern: str) -> bool:
        return compiled(pattern).search(plain(self.text)) is not None

    def find(self, pattern: str, read: Callable[[re.Match[str]], _T | None]) -> tuple[int, int, _T] | None:
        """The first place where a pattern stands as whole words and can be read: from where to where, and what it is read as."""
        for found in compiled(rf"(?<![\w@.\x02-]){pattern}(?![\w\x02])").finditer(self.plain):
            meant = read(found)
            if meant is not None:
                return self._after_class(found.start()), found.end(), meant
        return None

    def take(self, pattern: str) -> re.Match[str] | None:
        """The first place where a pattern stands as whole words; it is taken out."""
        return self.take_as(pattern, lambda found: found)

    def take_as(self, pattern: str, read: Callable[[re.Match[str]], _T | None]) -> _T | None:
        """What the first place of a pattern that can be read is read as; it is taken out."""
        found = self.find(pattern, read)
        if found is None:
            return None
        self.cut(found[0], found[1])
        return found[2]

    def _after_class(self, start: int) -> int:
        """Where a match begins in earnest: the A of "1re A 9h" is the class's, and no "à"."""
        of_class = self.text.startswith("A ", start) and re.search(r"\d[a-z]{0,3} $", self.plain[:start])
        return start + 2 if of_class else start

    def cut(self, start: int, end: int) -> None:
        self.understood += sum(one != TAKEN for one in self.plain[start:end])
        gap = TAKEN * (end - start)
        self.plain = self.plain[:start] + gap + self.plain[end:]
        self.text = self.text[:start] + gap + self.text[end:]

    def between(self, start: int, end: int) -> str:
        """What is left between two places, in plain words without brackets."""
        return " ".join(self.plain[start:end].translate(_GAPS).split())

    def left(self, edges: frozenset[str], stored: frozenset[str]) -> str:
        """What nothing was made of, without words that have lost what they belonged to: `edges`, but for those `stored` that
        begin what follows ("with Bob")."""
        pieces = []
        for number, piece in enumerate(re.split(TAKEN + "[ " + TAKEN + "]*", self.text)):
            words = piece.strip(" ,;:-–—()/&+").split(" ")
            while words and plain(words[-1]).strip(",") in edges and words[-1] != "A" and TAKEN in self.text:  # "1re A"
                words.pop()
            while words and number and not words[0][:1].isupper() and plain(words[0]).strip(",") in edges - stored:
                words.pop(0)
            pieces.append(" ".join(words).strip(" ,;:-–—"))
        whole = " ".join(one for one in pieces if re.search(r"\w", one))
        whole = re.sub(r"\( *\)", "", whole).strip(" ,;:-–—")
        if whole.count("(") != whole.count(")"):
            whole = whole.replace("(", "").replace(")", "")
        return " ".join(whole.split()) or self.text.replace(TAKEN, "").strip(" ,;:.-–—()")


def _hidden(found: re.Match[str]) -> str:
    return found[0] if _WITH_POINTS.fullmatch(found[0]) else HIDDEN * len(found[0])
