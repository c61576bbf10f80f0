"""Display names of people: when two are read as one, whatever their order, titles and letters; addresses and functions in a
name."""

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
_BREAKS = re.compile(
    r"\s[-–—~]+\s?|[|/\\()\[\]{}<>:;,·•\"]+|"
    r"(?:^|\s+)(?:via|par|from|de la part d[eu]|on behalf of|au nom de|pour le compte de)\s+",
    re.I,
)
_ALONE = re.compile(r"(?<![^\W_])(?:[^\W_][\W_]{1,3}){2,}[^\W_](?![^\W_])")
_LONG_WORD = 5  # letters
INITIALS = 3  # in one word, at most

_TITLES = """m mr mme mmes mlle mlles mrs ms mx miss dr pr prof professeur professeure professor monsieur madame mademoiselle
    docteur doctor maitre me sir herr frau"""
_SMALL = "le la les l de du des d a au aux et the of and for your votre notre our service services team equipe equipes"
_ROLES = """administrator administrateur administratrice administration admin administrators root postmaster webmaster hostmaster
    helpdesk help desk support assistance helpline hotline direction directeur directrice director head headmaster
    headmistress headteacher principal principale principaux proviseur proviseure provisorat adjoint adjointe deputy
    secretariat secretary secretaire office intendance intendant intendante gestionnaire bursar accounts comptabilite
    comptable scolarite registrar registry vie scolaire cpe informatique dsi sysadmin system systeme security securite
    messagerie recteur rectrice rectorat academie inspecteur inspectrice inspection infirmerie infirmier infirmiere nurse"""
_BESIDE = "etablissement school lycee college ecole university universite noreply reply no ne pas repondre"  # no role alone


# what stands beside a name to make it look official, urgent or new
_DRESS = """perso personnel personnelle prive privee private pro portable mobile tel telephone numero nouveau nouvelle new adresse
    address mail email mel courriel messagerie officiel officielle official urgent important confidentiel ent pronote
    teams docs drive zoom partage partagee shared document documents fichier file message envoye envoyee sent par by un
    une ce votre via compte account pour maths mathematiques francais anglais espagnol allemand histoire geographie
    physique chimie svt eps philosophie philo ses techno technologie arts musique documentaliste professeur professeure
    principal principale enseignant enseignante classe seconde premiere terminale tle bis jr lycee on ecoute dispo
    disponible reunion en vacances absent whatsapp signal telegram gmail outlook onedrive sharepoint docusign adobe meet"""


def _words_of(text: str) -> frozenset[str]:
    return frozenset(skeleton(word) for word in text.split())


_TITLE_WORDS, _SMALL_WORDS, _BARE_ROLES = _words_of(_TITLES), _words_of(_SMALL), _words_of(_ROLES)
_DRESS_WORDS = _words_of(_DRESS)
_SHORT_KINDS = {skeleton("lycee"): _words_of("lyc lgt lp lpo lg"), skeleton("college"): _words_of("clg col")}
_ROLE_WORDS = _BARE_ROLES | _words_of(_BESIDE) | _words_of("it mail webmail email")


@lru_cache(maxsize=32768)
def name_key(name: str) -> str:
    """A comparison key: the skeletons of the words, sorted, without titles and, if it has a name besides, without functions.

    "LEROY, Alice", "Mme Alice Leroy", "ALlCE LER0Y" and "AliceLeroy - Direction" are one.
    """
    words = _name_words(name)
    for extras, fewest in ((_TITLE_WORDS, 1), (_ROLE_WORDS, 2), (_SMALL_WORDS, 2)):  # "Head" and "Le" are surnames as well
        kept = [word for word in words if word not in extras]
        words = kept if len(kept) >= fewest else words
    long = [word for word in words if len(word) > 1]
    return " ".join(sorted(long if len(long) > 1 else words))


def plain_words(name: str) -> list[str]:
    """The words of a name without accents, as they are written."""
    seen = visible(name)
    apart = (f" {c}" if c.isupper() and seen[at - 1].islower() and at else c for at, c in enumerate(seen))  # BobGirard
    plain = unicodedata.normalize("NFKD", "".join(apart))
    kept = "".join(c if c.isalnum() or c in "|¦" else "" if unicodedata.category(c)[0] == "M" else " " for c in plain)
    return kept.split()[:_MOST_WORDS]


def _name_words(name: str) -> list[str]:
    return [skeleton(word) for word in plain_words(name)]


def name_index(name: str) -> str:
    """What names that may be one have in common: the letters of their key, sorted, wherever the spaces are. At most 190 of them.

    To be looked up by; `same_name` decides."""
    return "".join(sorted(name_key(name).replace(" ", "")))[:LONGEST_KEY]


def same_name(value: str, other: str) -> bool:
    """Whether two names are read as one: the same words in any order, or without the spaces between them."""
    key, known = name_key(value), name_key(other)
    if not key or key == known:
        return bool(key)
    glued, whole = sorted((key.split(), known.split()), key=len)
    return name_index(value) == name_index(other) and all(_joined(word, whole) for word in glued)


def _joined(word: str, texts: list[str]) -> bool:
    """Whether a word is one of the others, or several of them written without a space."""
    left = word
    for each in sorted(texts, key=len, reverse=True):
        left = left.replace(each, "", 1)
    return not left


def is_full(name: str) -> bool:
    """Whether a name has two words or more: a single one is too common to be anybody's alone."""
    return " " in name_key(name)


@lru_cache(maxsize=8192)
def claims(name: str) -> tuple[str, ...]:
    """The names that a display name can be read as: the whole, its pieces ("Bob Girard | Direction", "Girard (Bob)"), and what is
    left of it without spaces between letters ("B o b  G i r a r d") and without what is no name ("Bob Girard nouveau mail")."""
    seen = visible(name)
    pieces = [piece.strip() for piece in _BREAKS.split(seen)[:_MOST_PIECES]] if _BREAKS.search(seen) else []
    bare = (unspaced(seen), undressed(unspaced(seen)))
    return tuple(dict.fromkeys([seen, *(piece for piece in (*pieces, *bare) if is_full(piece) or is_glued(piece, seen))]))


def unspaced(text: str) -> str:
    """A text with letters that stand alone, three or more, made words: "A.l.i.c.e L e r o y" is "AliceLeroy"."""
    return _ALONE.sub(
        lambda match: " ".join(re.sub(r"[\W_]+", "", word) for word in re.split(r"\s{2,}", match[0])), visible(text)
    )


def is_glued(piece: str, seen: str) -> bool:
    """Whether a piece was put together from letters of what is seen: a whole name in one word."""
    return piece != seen and len(piece) > _LONG_WORD and piece == unspaced(seen)


def undressed(name: str) -> str:
    """A name without titles, functions, words such as "new address", and words with figures ("2de 4")."""
    dress = _DRESS_WORDS | _ROLE_WORDS | _TITLE_WORDS | _SMALL_WORDS
    words = [word for word in plain_words(name) if skeleton(word) not in dress and not any(c.isdigit() for c in word)]
    return " ".join(words)


# --- initials and surnames --------------------------------------------------------------------------------------------


def key_words(name: str) -> list[str]:
    """The words by which a name is compared."""
    return name_key(name).split()


def bare_words(name: str) -> list[str]:
    """The words of a name as they are written, without titles, functions and articles."""
    words = [word for word in plain_words(name) if len(word) == 1 or skeleton(word) not in _ROLE_WORDS | _SMALL_WORDS]
    kept = [word for word in words if skeleton(word) not in _TITLE_WORDS]
    return kept if len(kept) > 1 else words


def initialled(name: str) -> tuple[list[str], list[str]]:
    """The words of a name, with initials apart from what they are written together with: "SLambert", "JPMoreau".

    Without titles, and with them: "M." is one, and Marie's initial.
    """
    apart = re.sub(r"(?<![^\W_])([A-Z]{1,2})(?=[A-Z][^\W\d_A-Z]{2})", r"\1 ", visible(name))
    return bare_words(apart), plain_words(apart)


def is_abbreviation(texts: list[str], name: str) -> bool:
    """Whether these words are a name some of whose words are initials: "B Girard", "JP Moreau", "Alice L". Of several first names
    those behind the first may be left out."""
    known = [word for word in bare_words(name) if len(word) > 1]
    left, initials = list(known), list[str]()
    for word in texts:
        same = next((one for one in left if skeleton(one) == skeleton(word)), None)
        if same is not None:
            left.remove(same)
        elif len(word) <= INITIALS:
            initials += [skeleton(letter) for letter in word]
        else:
            return False
    firsts = [skeleton(one[0]) for one in left]
    if not initials or len(left) == len(known) or any(initials.count(one) > firsts.count(one) for one in initials):
        return False
    return len(initials) == len(left) or (known[-1] not in left and left[0] == known[0] and firsts[0] in initials)


def surname(name: str) -> str:
    """The skeleton of what is probably the surname: the one word in capitals, else the last one."""
    words = [word for word in bare_words(name) if len(word) > 1]
    capitals = [word for word in words if word.isupper()]
    chosen = capitals[-1:] if len(capitals) < len(words) and capitals else words[-1:]
    return skeleton(chosen[0]) if chosen else ""


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
    wanted = rf"(?<!\w){re.escape(skeleton(domain))}(?![\w])"
    return any(re.search(wanted, skeleton(one)) for one in (text, re.sub(r"[-_]", " ", text)))


def is_role(name: str) -> bool:
    """Whether a name is a function and nothing else: "Help desk", "La Direction", "Principal", "Support informatique"."""
    words = set(_name_words(name)) - _SMALL_WORDS - _TITLE_WORDS
    return bool(words & _BARE_ROLES) and words <= _ROLE_WORDS


def holds_role(name: str) -> bool:
    """Whether a piece of a name is a function: "Alice Leroy - Direction"."""
    return is_role(name) or any(is_role(piece) for piece in _BREAKS.split(visible(name))[:_MOST_PIECES])


def is_in_local_part(name: str, local: str) -> bool:
    """Whether the words of a name are all in the local part of an address: "Direction" in "direction.college"."""
    words = set(_name_words(name)) - _SMALL_WORDS
    return bool(words) and (words <= set(_name_words(local)) or same_name(name, "".join(_name_words(local))))


def holds_name(text: str, name: str) -> bool:
    """Whether a text is the name of an establishment, in any order and perhaps with functions beside: "Support Lycée Ampère"."""
    wanted, words = _name_words(name), _name_words(unspaced(text))
    meant = [word for word in wanted if word not in _SMALL_WORDS]
    others = set(words) - set(meant) - _ROLE_WORDS - _SMALL_WORDS - _TITLE_WORDS
    return bool(meant) and ((set(meant) <= set(words) and not others) or same_name(unspaced(text), name))


def mentions_name(text: str, name: str) -> bool:
    """Whether the name of an establishment, of two words or more, stands in a text with any others, or what sets it apart from
    others of its kind beside a function: "Cantine du lycée Ampère", "Direction Ampère"."""
    words = set(_name_words(unspaced(text)))
    meant = {word for word in _name_words(name) if word not in _SMALL_WORDS}
    apart = meant - _ROLE_WORDS
    short = {one for kind, shorts in _SHORT_KINDS.items() if kind in meant for one in shorts}
    return len(meant) > 1 and (meant <= words or (bool(apart) and apart <= words and bool(words & (_BARE_ROLES | short))))
