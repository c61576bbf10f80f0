"""Password strength: how easily a password would be guessed, and why. No Flask here.

Estimated by zxcvbn (Wheeler, USENIX Security 2016): how many guesses an attacker needs who knows common passwords, names, words,
keyboards and dates. Words of the establishment and of the person count as known to everybody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

_JUDGED = 60  # characters: the time grows with the square; what comes after them only makes a password stronger
_WORD = re.compile(r"[^\W_]{3,}")
_MOST_WORDS = 60
_AZERTY = str.maketrans("azqwmAZQWM,;:!", "qwaz;QWAZ:m,./")  # to the key's letter on an American keyboard


class Weakness(StrEnum):
    """What makes a password easy to guess."""

    SHORT = "short"
    COMMON = "common"  # in the lists of passwords that were stolen elsewhere
    KNOWN = "known"  # a word of the person, their address or the establishment
    WORD = "word"  # a word or a name
    KEYS = "keys"  # neighbouring keys
    REPEATED = "repeated"
    SEQUENCE = "sequence"  # abc, 1234
    DATE = "date"
    GUESSABLE = "guessable"  # several of them together


@dataclass(frozen=True, slots=True)
class Strength:
    """`score`: 0 (guessed at once) to 4 (hardly ever); `weakness` is None where nothing stands out."""

    score: int
    weakness: Weakness | None = None


def judge(password: str, *, existing: Iterable[str] = (), shortest: int = 0) -> Strength:
    """The strength of a password. `existing`: texts whose words everybody can guess, such as names and addresses.

    About 10 ms of computing, at most 200. Never logs or keeps the password.
    """
    if not password:
        return Strength(0, Weakness.SHORT)
    words = known_words(existing)
    found = min((_estimate(typed, words) for typed in _as_typed(password)), key=lambda one: int(one["score"]))
    score = int(found["score"])
    if len(password) < shortest:
        return Strength(min(score, 1), Weakness.SHORT)
    rest = without(words, password)
    if rest != _folded(password) and (left := int(_estimate(rest, [])["score"]) if rest else 0) < score:
        return Strength(left, Weakness.KNOWN)
    return Strength(score, _weakness(found["sequence"], score))


def _as_typed(password: str) -> tuple[str, ...]:
    """The password, and what the same keys give on the keyboard that zxcvbn knows: it has no French one."""
    moved = password.translate(_AZERTY)
    return (password, moved) if moved != password else (password,)


def _estimate(password: str, texts: list[str]) -> dict[str, Any]:
    from zxcvbn import zxcvbn  # imported when first needed: its lists take 14 MiB and a sixth of a second

    return cast("dict[str, Any]", zxcvbn(password[:_JUDGED], user_inputs=texts, max_length=_JUDGED))


def without(texts: Iterable[str], password: str) -> str:
    """A password without these words, in lower case and without accents: what is left has to be strong by itself, since several
    words that everybody knows make a long password, but no good one."""
    rest = _folded(password)
    for word in sorted(map(_folded, texts), key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest


def _folded(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(letter))


def known_words(texts: Iterable[str]) -> list[str]:
    """The words of these texts from three letters on, each once, in lower case."""
    found = dict.fromkeys(word.lower() for text in texts for word in _WORD.findall(text))
    return list(found)[:_MOST_WORDS]


def _weakness(sequence: list[dict[str, Any]], score: int) -> Weakness | None:
    """That of the longest part that has one; none for a strong password."""
    if score >= 4 or not sequence:
        return None
    kinds = [(len(part["token"]), _kind(part)) for part in sequence]
    guessed = [(length, kind) for length, kind in kinds if kind]
    if not guessed:
        return Weakness.SHORT if score < 3 else None
    return max(guessed, key=lambda one: one[0])[1]


def _kind(part: dict[str, Any]) -> Weakness | None:
    match part["pattern"]:
        case "dictionary":
            return {"passwords": Weakness.COMMON, "user_inputs": Weakness.KNOWN}.get(part["dictionary_name"], Weakness.WORD)
        case "spatial":
            return Weakness.KEYS
        case "repeat":
            return Weakness.REPEATED
        case "sequence":
            return Weakness.SEQUENCE
        case "date" | "regex":
            return Weakness.DATE
        case "bruteforce":
            return None
        case _:
            return Weakness.GUESSABLE
