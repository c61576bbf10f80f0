"""Cell values: a quota, a day, a language, a role, as people type them into a table, read; and addresses made from names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

from webmail.mime.headers.encoded_words import fold

RULES = ("given.family", "gfamily", "g.family", "family.given", "family.g")  # how addresses are made from names
_SIZE = re.compile(r"(\d{1,12}(?:[.,]\d{1,3})?)\s*([KMGT]?)(?:I?[BO]|OCTETS|BYTES)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SMALLEST, _LARGEST = 1024**2, 1024**5
_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}.{0,20})?")
_LANGUAGES = {
    "fr": "fr", "fra": "fr", "fre": "fr", "francais": "fr", "french": "fr",
    "en": "en", "eng": "en", "anglais": "en", "english": "en",
}  # fmt: skip
_ADMINISTRATORS = {"admin", "administrator", "administrateur", "administratrice"}
_LONGEST_LOCAL = 64  # RFC 5321
_MOST_NUMBER = 10_000


def quota(text: str, unit: str = "") -> int | None:
    """500 Mo, 2 GB, 1,5G ... in bytes; 0: no limit. `unit`: of a number without one. None for what is no quota."""
    match = _SIZE.fullmatch(text.replace("\u00a0", " ").replace("\u202f", " ").strip())
    if not match:
        return None
    try:
        size = int(Decimal(match[1].replace(",", ".")) * _UNITS[(match[2] or unit).upper()])
    except InvalidOperation:
        return None
    return size if size == 0 or _SMALLEST <= size <= _LARGEST else None


def day(text: str) -> date | None:
    """A day, written 2027-08-31, 31/08/2027 or 31.8.2027: the day comes before the month. None for what is none."""
    if match := _ISO.fullmatch(text.strip()):
        year, month, number = (int(part) for part in match.groups())
    elif match := _DAY.fullmatch(text.strip()):
        number, month, year = (int(part) for part in match.groups())
    else:
        return None
    try:
        return date(year, month, number)
    except ValueError:
        return None


def language(text: str) -> str | None:
    """The code of a language that pages have; None for another."""
    return _LANGUAGES.get(fold(text).strip().partition("-")[0].partition("_")[0])


def is_administrator(text: str) -> bool:
    """Whether a role is that of administrators; all other words are those of people."""
    return fold(text).strip() in _ADMINISTRATORS


def local_part(given: str, family: str, rule: str) -> str:
    """What a rule makes of a name, before the @: "Élodie-Anne", "Le Goff" give "elodie-anne.legoff"; "" if nothing can be."""
    first, last = _plain(given), _plain(family)
    if not first or not last:
        return (first or last)[:_LONGEST_LOCAL]
    made = {
        "given.family": f"{first}.{last}",
        "gfamily": f"{first[0]}{last}",
        "g.family": f"{first[0]}.{last}",
        "family.given": f"{last}.{first}",
        "family.g": f"{last}.{first[0]}",
    }[rule]
    return made[:_LONGEST_LOCAL].strip("-.")


class NumberedName:
    """A name, then with numbers from 2 on: which is the first that nobody has. What is taken once stays taken, so that
    thousands of the same name are not counted through for each of them.
    """

    def __init__(self, local: str) -> None:
        self._local, self._stem, self._number = local, local[: _LONGEST_LOCAL - 5], 1

    def free(self, is_taken: Callable[[str], bool]) -> str:
        """ "" if there is none."""
        while self._number < _MOST_NUMBER and is_taken(self._at(self._number)):
            self._number += 1
        return self._at(self._number) if self._number < _MOST_NUMBER else ""

    def position(self, name: str) -> int:
        """Which one of them this is, from 1 on; 0: none."""
        digits = name.removeprefix(self._stem)
        found = 1 if name == self._local else int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else 0
        return found if 0 < found < _MOST_NUMBER and name == self._at(found) else 0

    def _at(self, number: int) -> str:
        return self._local if number == 1 else f"{self._stem}{number}"


def _plain(name: str) -> str:
    """Without accents, spaces and apostrophes; hyphens stay."""
    return re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9-]", "", fold(name))).strip("-")
