"""Lookalikes: detects domains that imitate others (homoglyphs, typosquatting, mixed scripts). Names of people: `names.py`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from webmail.mime.threats.skeletons import skeleton

_SHORTEST = 5  # letters; for shorter names, one differing letter means nothing
_LONG_NAME = 8  # letters; a shorter one may stand in another by chance
_LONGEST = 253


@lru_cache(maxsize=8192)
def readable(domain: str) -> str:
    """Decode a domain from Punycode: "xn--lyce-epa.example" -> "lycée.example". Labels that can't be decoded stay."""
    return ".".join(_decoded_label(label) for label in domain[:_LONGEST].lower().rstrip(".").split("."))


def _decoded_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFC", label[4:].encode("ascii").decode("punycode"))
    except (UnicodeError, ValueError, IndexError, OverflowError):
        return label


def wire(domain: str) -> str:
    """Encode a domain in Punycode, to display deceptive ones. Never raises."""
    labels = []
    for label in domain[:_LONGEST].lower().split("."):
        labels.append(label if label.isascii() else "xn--" + label.encode("punycode", "ignore").decode("ascii"))
    return ".".join(labels)


# --- scripts ---------------------------------------------------------------------------------------------------------

_TOGETHER = ({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}, {"LATIN", "CJK", "HANGUL"}, {"LATIN", "CJK", "BOPOMOFO"})


def mixes_scripts(word: str) -> bool:
    """Whether a word mixes scripts that don't occur together, as in "pаypal" with a Cyrillic a."""
    found = {_script(letter) for letter in word[:_LONGEST] if letter.isalpha()}
    return len(found) > 1 and not any(found <= usual for usual in _TOGETHER)


def mixes_alphabets(name: str) -> bool:
    """Whether a word of a name mixes scripts, or one of letters that only look Latin stands among Latin ones."""
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name[:_LONGEST]))
    latin = any(_script(word[0]) == "LATIN" for word in words)
    return any(mixes_scripts(word) or (latin and _only_looks_latin(word.lower())) for word in words)


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    if letter.isascii():
        return "LATIN"
    name = re.split("[ -]", unicodedata.name(letter, "UNKNOWN"))[0]
    return "LATIN" if name in ("FEMININE", "MASCULINE", "FULLWIDTH", "MODIFIER", "MICRO") else name


def deceives(domain: str) -> bool:
    """Whether a domain mixes scripts, or has a label entirely of Cyrillic or Greek letters that look Latin."""
    labels = readable(domain).split(".")
    return any(mixes_scripts(label) or _only_looks_latin(label) for label in labels)


def _only_looks_latin(label: str) -> bool:
    letters = [letter for letter in label if letter.isalpha()]
    foreign = bool(letters) and all(_script(letter) in ("CYRILLIC", "GREEK") for letter in letters)
    return foreign and len(letters) > 2 and "".join(letters).translate(_SURE).isascii()


_SURE = str.maketrans("аеорсухіјѕԁһӏԛԝοανικ", "aeopcyxijsdhlqwoavik")


# --- domains ---------------------------------------------------------------------------------------------------------


def resembles(domain: str, existing: Iterable[str], *own: str) -> str:
    """The one of the `existing` domains that `domain` could be mistaken for, or "".

    "" for a known domain itself, and for its subdomains and parents. Only `own` counts as imitated under another top-level
    domain too (others may have several: a shop's .fr and .de).
    """
    seen = readable(domain)
    ours = [readable(one) for one in own if one]
    everyone = list(dict.fromkeys([*ours, *(readable(one) for one in existing if one)]))
    if not seen or any(seen == one or seen.endswith(f".{one}") or one.endswith(f".{seen}") for one in everyone):
        return ""
    for one in everyone:
        if _imitates(seen, one) or (one in ours and _another_top(seen, one)):
            return one
    return ""


_PREFIXES = "mon|ma|my|le|la|les|e|m|web|webmail|mail|info|ent|portail|secure|notes|login|intranet|pronote|www"


def goes_on(domain: str, own: str) -> bool:
    """Whether a domain is ours behind a prefix (mail-lycee.example, monlycee.example), or has a long name of ours in its own.

    It may be that of friends of ours as well.
    """
    seen, own = readable(domain), readable(own)
    own_name, _top = _name_and_top(own)
    if not own_name or seen == own or seen.endswith(f".{own}"):
        return False
    if seen.endswith(f"-{own}") or re.fullmatch(rf"(?:{_PREFIXES}){re.escape(own)}", seen):
        return True
    return len(own_name) >= _LONG_NAME and skeleton(own_name) in skeleton(_name_and_top(seen)[0])


def _imitates(seen: str, existing: str) -> bool:
    if skeleton(seen) == skeleton(existing):
        return True
    dashed, whole = f".{seen}.".replace("-", "."), f".{existing}.".replace("-", ".")
    if "." in existing and whole in dashed and not dashed.endswith(whole):
        return True  # the whole known domain before another: lycee.example.evil.test, lycee-example.test
    name, top = _name_and_top(seen)
    known_name, known_top = _name_and_top(existing)
    return top == known_top and min(len(name), len(known_name)) >= _SHORTEST and one_off(skeleton(name), skeleton(known_name))


def _another_top(seen: str, own: str) -> bool:
    name, top = _name_and_top(seen)
    own_name, own_top = _name_and_top(own)
    return top != own_top and len(own_name) >= _SHORTEST and skeleton(name) == skeleton(own_name)


def _name_and_top(domain: str) -> tuple[str, str]:
    name, _dot, top = domain.rpartition(".")
    return name, top


def one_off(value: str, other: str) -> bool:
    """Whether two words differ by one letter inserted, deleted or replaced, or by two adjacent letters swapped."""
    if value == other or abs(len(value) - len(other)) > 1:
        return False
    short, long = sorted((value, other), key=len)
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = short[same : same + 2] == long[same : same + 2][::-1] and short[same + 2 :] == long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or swapped
