"""Spellings: how else a typed word may be written, for servers that tell "é" from "e": those without a full-text index.

Our own index folds accents and needs none of this. Elsewhere a word typed without them is also tried as French would write it,
the likeliest first: by where in a word letters have accents, which holds for words that no list knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product

MOST = 8
MOST_IN_NAMES = 24  # of files, where each costs next to nothing
MOST_IN_HEADERS = 3  # more find nothing more: one in twenty words is written in none of these ways
MOST_IN_TEXT = 1  # a server without an index reads all texts once more for each
_LONGEST = 40  # letters of a word that is tried

# signs that stand for another, and those that nobody sees: soft hyphens, joiners
_SIGNS = str.maketrans("’‘ʼ´`′＇‛‐‑", "''''''''--", "\u00ad\u200b\u200c\u200d\u2060\ufeff")
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "Œ": "Oe", "Æ": "Ae", "Ø": "O"}
)
_WORD = re.compile(r"[^\W\d_]+")
_ONLY_WORDS = re.compile(r"[^\W\d_]+(?:[ '-]+[^\W\d_]+)*")
# An index cuts the article off before a vowel, but does not know œ as one. What remains is sought: short words tell too little.
_ELISION = re.compile(r"(?<![^\W_])(?:[cdjlmnst]|qu)'(?=[aeiouyhàâäéèêëîïôöùûüœæ][^\W_]{2})", re.IGNORECASE)

_SHORTENED = re.compile(r"(?<=[^\W_]{5})ées?$", re.IGNORECASE)
_ONSET = "(?:[bcdfgptv][lr]|ch|ph|th|gn|qu|gu|[bcdfghjklmnpqrstvyz])"  # what a syllable begins with after an open one
# letters that are nearly always written so where they stand
_USUAL = tuple(
    (re.compile(pattern), letter)
    for pattern, letter in (
        ("oe(?=u)", "œ"),
        (
            "(?<=[enr])c(?=u[es]?s?$|oi)|(?<=[aeio])c(?=ons?$)|(?<=me)c(?=on)|^c(?=a$)|(?<=[anr])c(?=ade|ai|ant|oi|age|on[sn]|ons?$)",
            "ç",
        ),
        ("(?<=o)i(?=se$|sme|ste|que|c$|de|ci)|(?<=a)i(?=[fv]|ti|que|ci)|(?<=^ma)i(?=s$)|(?<=na)i(?=s$)", "ï"),
        ("(?<=[oa])e(?=ll?e?$)", "ë"),
        ("(?<=[pt])o(?=t$)|(?<=[rp])o(?=le)|(?<=[lrt])o(?=me)|o(?=pita|tel)|(?<=c)o(?=te$)", "ô"),
        ("(?<=nna)i(?=t)|(?<=[mnr]a)i(?=tr)|(?<=ara)i(?=t)|(?<=bo)i(?=te)|^i(?=les?$)|(?<=d)i(?=ne)|(?<=ab)i(?=m)", "î"),
        ("(?<=ao)u(?=t)|(?<=[cg]o)u(?=t)|^([sm])u(?=r[es]?s?$)|(?<=br)u(?=l)|(?<=q)u(?=r)", "û"),
        ("(?<=[htgbc])a(?=teau|tre|te[sr]?$|che)|(?<=e)a(?=tre)|^a(?=ge|ne$)|(?<=gr)a(?=ce)", "â"),
        ("(?<=n)e(?=tre)|^e(?=tre$)|(?<=^pr)e(?=te?$)|(?<=[fbu])e(?=te$)|(?<=r)e(?=t$)|(?<=arr)e(?=t)|^(?<=m)e(?=me$)", "ê"),
        ("^e(?=te$)|(?<=^r)e(?=e)", "é"),
    )
)
_GRAVE = re.compile(f"e(?={_ONSET}e$|(?:gl|gn)e(?:m|$))")
_FIRST = re.compile(f"^([bcdfghjklmnpqrstv]{{0,2}})e(?=[ao]|{_ONSET}[aeéèêiïouôy])|^r?e(?=u[nst]|in[st]|u$)")
_INNER = re.compile(
    f"(?<=.)e(?={_ONSET}(?!e?$)[aeéiïouy])(?!ment|rai|ra[si]?$|ront?$|ri(?:ons|ez)$)"
    "|(?<=[bcdfgimnprst])e(?=[ao](?!u)|ent?$)|(?<=[cgrl])e(?=é)"
)


def folded(text: str) -> str:
    """As it compares: small letters without accents, œ as oe, one kind of apostrophe, nothing that is not seen."""
    low = text.casefold().translate(_SIGNS).translate(_LETTERS)
    return low if low.isascii() else _plain(low)


def sought(value: str) -> str:
    """What is sent of a typed word: without what is not seen in it, and without elided articles ("l'œuvre" is "œuvre")."""
    typed = value.translate(_SIGNS)
    return typed if "@" in typed or " " in typed else _ELISION.sub("", typed)


def others(value: str) -> tuple[str, ...]:
    """Other spellings of a word that is `sought`, the likeliest first, at most `MOST`: as French would accent it, or plain."""
    return _others(value[:200])


def in_names(value: str) -> tuple[str, ...]:
    """As `others`, and with each of the first e accented or not."""
    plain = folded(value)
    at = [place for place, letter in enumerate(plain) if letter == "e"][:4]
    made = []
    for letters in product("eé", repeat=len(at)):
        written = list(plain)
        for place, letter in zip(at, letters, strict=True):
            written[place] = letter
        made.append("".join(written))
    return tuple(dict.fromkeys(each for each in (*others(value), *made) if each != value))[:MOST_IN_NAMES]


@lru_cache(1000)
def _others(value: str) -> tuple[str, ...]:
    plain = _plain(value.translate(_LETTERS))
    found: list[str] = []
    words = _WORD.findall(plain)
    if plain != value:  # "acceptée" is a kind of "accepté", which an index that folds accents does not know
        short = _SHORTENED.sub("é", value)
        found = [short, plain]
    if not _ONLY_WORDS.fullmatch(plain):  # an address, a number, a formula
        pass
    elif len(words) == 1 and len(words[0]) <= _LONGEST:
        found += [plain.replace(words[0], guess) for guess in islice(_guesses(words[0].lower()), MOST)]
    else:  # of several words all at once, each as it is likeliest
        found += [_WORD.sub(lambda word: next(_guesses(word[0].lower()), word[0]), plain[: 3 * _LONGEST])]
    found += [_ELISION.sub("", value), value.replace("'", "’")]
    return tuple(dict.fromkeys(each for each in found if each.casefold() != value.casefold()))[:MOST]


def _guesses(word: str) -> Iterator[str]:
    """Of longer words without a plural's s and what follows an é: who looks for letters in a row finds those too, and an index
    their stem. Of a short one that would be the beginning of too many others."""
    if re.match("[mn][bcdfgkpt]", word):  # N'Diaye, M'Bappé: no word of French begins so
        yield f"{word[0]}'{word[1:]}"
    long = len(word) > 6
    short = re.sub("(?<=e)s$", "", word) if long else word
    usual = re.sub("ee$", "é", short) if long else re.sub("ee(?=s?$)", "ée", short)
    for pattern, letter in _USUAL:
        usual = pattern.sub(letter, usual)
    grave = _GRAVE.sub("è", usual)
    first = _FIRST.sub(lambda found: found[0][:-1] + "é", grave)
    yield from (_INNER.sub("é", first), _INNER.sub("é", grave), first, grave)
    circumflex = re.sub("e(?=te$|tre?$|me$)", "ê", usual)
    yield from (circumflex, _FIRST.sub(lambda found: found[0][:-1] + "é", circumflex), usual)
    yield re.sub("es$", "ès", word)
    yield re.sub("a$", "à", _FIRST.sub(lambda found: found[0][:-1] + "é", word))


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
