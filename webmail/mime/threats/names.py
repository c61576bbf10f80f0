"""Names of people: when two are read as one, whatever their order, titles and letters; addresses and functions in a name."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from webmail.mime.threats.skeletons import skeleton, visible

LONGEST_KEY = 190  # the column's length
_MOST_WORDS = 12  # of a name that are compared
_MOST_PIECES = 6
_ADDRESS = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_SPELT = re.compile(r"\s*[\[({<]\s*(at|arobase|arrobas|dot|point)\s*[\])}>]\s*", re.I)
_CAPITALS = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")  # BobGirard
_BREAKS = re.compile(r"\s[-–—~]+\s?|[|/\\()\[\]{}<>:;,·•\"]+|\s+(?:via|par|from|de la part de|on behalf of)\s+", re.I)

_TITLES = """m mr mme mmes mlle mlles mrs ms mx miss dr pr prof professeur professeure professor monsieur madame mademoiselle
docteur doctor maitre me sir herr frau"""
_SMALL = "le la les l de du des d a au aux et the of and for your votre notre our service services team equipe equipes"
_ROLES = """administrator administrateur administratrice administration admin administrators root postmaster webmaster
hostmaster helpdesk help desk support assistance helpline hotline direction directeur directrice director head headmaster
headmistress headteacher principal principale principaux proviseur proviseure provisorat adjoint adjointe deputy secretariat
secretary secretaire office intendance intendant intendante gestionnaire bursar accounts comptabilite comptable scolarite
registrar registry vie scolaire cpe informatique dsi sysadmin system systeme security securite messagerie recteur rectrice
rectorat academie inspecteur inspectrice inspection infirmerie infirmier infirmiere nurse"""
_BESIDE = "etablissement school lycee college ecole university universite noreply reply no ne pas repondre"  # no role alone


def _words_of(text: str) -> frozenset[str]:
    return frozenset(skeleton(word) for word in text.split())


_TITLE_WORDS, _SMALL_WORDS, _BARE_ROLES = _words_of(_TITLES), _words_of(_SMALL), _words_of(_ROLES)
_ROLE_WORDS = _BARE_ROLES | _words_of(_BESIDE) | _words_of("it mail webmail email")


@lru_cache(maxsize=32768)
def name_key(name: str) -> str:
    """A comparison key: the skeletons of the words, sorted, without titles and, if it has a name besides, without functions.

    "LEROY, Alice", "Mme Alice Leroy", "ALlCE LER0Y" and "AliceLeroy - Direction" are one.
    """
    words = _words(name)
    for extras, fewest in ((_TITLE_WORDS, 1), (_ROLE_WORDS, 2), (_SMALL_WORDS, 2)):  # "Head" and "Le" are surnames as well
        kept = [word for word in words if word not in extras]
        words = kept if len(kept) >= fewest else words
    long = [word for word in words if len(word) > 1]
    return " ".join(sorted(long if len(long) > 1 else words))


def _words(name: str) -> list[str]:
    apart = _CAPITALS.sub(" ", visible(name))
    plain = unicodedata.normalize("NFKD", apart)
    kept = "".join(c if c.isalnum() or c in "|¦" else "" if unicodedata.category(c)[0] == "M" else " " for c in plain)
    return [skeleton(word) for word in kept.split()[:_MOST_WORDS]]


def name_index(name: str) -> str:
    """What names that may be one have in common: the letters of their key, sorted, wherever the spaces are. At most 190 of them.

    To be looked up by; `same_name` decides."""
    return "".join(sorted(name_key(name).replace(" ", "")))[:LONGEST_KEY]


def same_name(one: str, other: str) -> bool:
    """Whether two names are read as one: the same words in any order, or without the spaces between them."""
    key, known = name_key(one), name_key(other)
    if not key or key == known:
        return bool(key)
    glued, whole = sorted((key.split(), known.split()), key=len)
    return name_index(one) == name_index(other) and all(_joined(word, whole) for word in glued)


def _joined(word: str, words: list[str]) -> bool:
    """Whether a word is one of the others, or several of them written without a space."""
    left = word
    for each in sorted(words, key=len, reverse=True):
        left = left.replace(each, "", 1)
    return not left


def is_full(name: str) -> bool:
    """Whether a name has two words or more: a single one is too common to be anybody's alone."""
    return " " in name_key(name)


@lru_cache(maxsize=8192)
def claims(name: str) -> tuple[str, ...]:
    """The names that a display name can be read as: the whole, and its pieces ("Bob Girard | Direction", "Girard (Bob)")."""
    seen = visible(name)
    pieces = [piece.strip() for piece in _BREAKS.split(seen)[:_MOST_PIECES]] if _BREAKS.search(seen) else []
    return tuple(dict.fromkeys([seen, *(piece for piece in pieces if is_full(piece))]))


# --- addresses and functions -----------------------------------------------------------------------------------------


def address_in(text: str) -> str:
    """An e-mail address inside a display name, however it is spelt ("bob (at) a.example"), in lower case, or ""."""
    seen = _SPELT.sub(lambda match: "@" if match[1].lower()[0] == "a" else ".", visible(text))
    match = _ADDRESS.search(seen)
    return match[0].lower() if match else ""


def names_domain(text: str, domain: str) -> bool:
    """Whether a text holds this domain, or what looks like it, as a word of its own."""
    if "." not in domain:
        return False
    return bool(re.search(rf"(?<!\w){re.escape(skeleton(domain))}(?![\w])", skeleton(text)))


def is_role(name: str) -> bool:
    """Whether a name is a function and nothing else: "Help desk", "La Direction", "Principal", "Support informatique"."""
    words = set(_words(name)) - _SMALL_WORDS - _TITLE_WORDS
    return bool(words & _BARE_ROLES) and words <= _ROLE_WORDS


def holds_role(name: str) -> bool:
    """Whether a piece of a name is a function: "Alice Leroy - Direction"."""
    return is_role(name) or any(is_role(piece) for piece in _BREAKS.split(visible(name))[:_MOST_PIECES])


def within(name: str, local: str) -> bool:
    """Whether the words of a name are all in the local part of an address: "Direction" in "direction.college"."""
    words = set(_words(name)) - _SMALL_WORDS
    return bool(words) and (words <= set(_words(local)) or same_name(name, "".join(_words(local))))


def holds_name(text: str, name: str) -> bool:
    """Whether all words of a name (of an establishment) stand in a text, side by side in any order: "Support Lycée Ampère"."""
    wanted, words = _words(name), _words(text)
    meant = [word for word in wanted if word not in _SMALL_WORDS]
    others = set(words) - set(meant) - _ROLE_WORDS - _SMALL_WORDS - _TITLE_WORDS
    return bool(meant) and set(meant) <= set(words) and not others
