"""Authority names: those of functions, departments and public authorities that a sender may go by, in French and English.

`names.py` has the functions that are left out when names are compared; this list is longer, and asks what a name claims. A wrong
answer costs one mark beside a stranger, or one word to the administrator.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from webmail.mime.threats import display_names
from webmail.mime.threats.providers import PROVIDERS, is_official
from webmail.mime.threats.skeletons import skeleton, visible

_PIECES = re.compile(r"\s[-–—~]+\s?|[|/\\()\[\]{}<>:;,·•\"]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(skeleton(word) for word in text.split())


class OfficeKind(StrEnum):
    STATE = "state"  # an authority: its mail comes from a domain of its own
    OWN = "own"  # an office that each school or town hall has once
    ANY = "any"  # one that every company has as well


_STATE = _set(
    """rectorat recteur rectrice dsden dasen ipr ministere ministre prefecture prefet prefete gendarmerie dgfip
    tribunal procureur"""
)
_OWN = _set(
    """proviseur proviseure provisorat cpe viesco intendance intendant intendante gestionnaire scolarite adjoint adjointe
    maire dgs president presidente presidence tresorier tresoriere headmaster headmistress headteacher bursar registrar
    principal principale infirmerie infirmier infirmiere drh rh directeur directrice direction secretariat secretaire
    administrateur administratrice administrator admin root postmaster webmaster hostmaster sysadmin dsi informatique
    webmail messagerie helpdesk inspecteur inspectrice inspection academie police viescolaire cdi documentaliste bourses
    cantine restauration paie division professeur professeure prof enseignant enseignante"""
)
_ANY = _set("support assistance helpline hotline comptabilite comptable accounts office administration security securite gestion")
_SURNAMES = _set("recteur prefet ministre procureur")  # "Alain Recteur"
# beside a person's own name they say nothing
_NEVER_ALONE = _set("principal professeur professeure prof enseignant enseignante inspection academie")
_BESIDE = _set(
    """etablissement school lycee college ecole universite university association mairie commune ville general generale
    generaux ent webmail email mail nationale national education technique scolaire vie sco gestion agence comptable
    principal principale equipe maths francais anglais histoire philosophie physique sport academique academie
    informatique systeme system reseau reseaux it desk help direction quota boite noreply reply no ne pas repondre
    services service mathematiques lettres desktop paie ressources humaines etat civil finances pedagogique finance
    numerique bureau centre cabinet personnel personnels enseignants examens concours portail chef adjoint adjointe eleves
    parents urgence team"""
)
_SMALL = _set("le la les l de du des d a au aux et the of and for your votre notre our m mr mme monsieur madame mlle ia")
_PHRASES = (
    (OfficeKind.STATE, "education nationale"), (OfficeKind.STATE, "inspection academique"), (OfficeKind.STATE, "academie de"),
    (OfficeKind.STATE, "police nationale"), (OfficeKind.STATE, "finances publiques"), (OfficeKind.STATE, "tresor public"),
    (OfficeKind.OWN, "chef d etablissement"), (OfficeKind.OWN, "chefe d etablissement"), (OfficeKind.OWN, "vie scolaire"),
    (OfficeKind.OWN, "vie sco"), (OfficeKind.OWN, "ressources humaines"), (OfficeKind.OWN, "help desk"),
    (OfficeKind.OWN, "service informatique"), (OfficeKind.OWN, "agence comptable"), (OfficeKind.OWN, "etat civil"),
    (OfficeKind.OWN, "professeur principal"), (OfficeKind.OWN, "secretary general"), (OfficeKind.OWN, "head of school"),
)  # fmt: skip
_SPELT = tuple((kind, tuple(skeleton(word) for word in words.split())) for kind, words in _PHRASES)
_CITIES = _set(  # whose "Académie de ..." is the state's, and not a school of music
    """paris lyon versailles creteil lille nantes rennes bordeaux toulouse montpellier nice grenoble dijon besancon
    strasbourg reims amiens normandie poitiers limoges clermont corse guadeloupe guyane martinique reunion mayotte aix
    nancy orleans"""
)
_BEHALF = re.compile(
    r"(?:^|[\s(,;:|/-])"
    r"(?:de la part d[eu']|au nom d[eu]|pour le compte d[eu]|p\s?[./]\s?o\b|on behalf of|sur ordre d[eu])",
    re.I,
)


@lru_cache(maxsize=8192)
def of_name(name: str) -> OfficeKind | None:
    """The office that a name is, or that a piece of it is; None for names of people and of other organisations."""
    words = _skeletons(name)
    found = _phrase(words)
    if found is not None and (found is OfficeKind.STATE or _rest(words) <= set()):
        return found
    if set(words) & _STATE and not (len(words) == 2 and words[1] in _SURNAMES and words[0] not in _SMALL):
        return OfficeKind.STATE
    for piece in (name, *_PIECES.split(visible(name))[:6]):
        if (kind := _whole(_skeletons(piece))) is not None:
            return kind
    return None


def outside(name: str, email: str) -> bool:
    """Whether a stranger goes by the name of an office that is not plainly another organisation's."""
    local, _at, domain = email.lower().rpartition("@")
    if is_official(domain) or (kind := of_name(name)) is None:
        return False
    if kind is OfficeKind.STATE:
        return True
    there = "".join(_skeletons(domain.rpartition(".")[0]))
    others = _rest(_skeletons(name))
    if any(len(word) > 2 and word in there for word in others):
        return False  # the organisation that it names is that of the domain
    if kind is OfficeKind.ANY and not others and domain not in PROVIDERS:
        return not display_names.is_in_local_part(name, local)
    strong = kind is OfficeKind.OWN and not others
    return strong or domain in PROVIDERS or bool(set(_skeletons(name)) & _ONE_OF_A_SCHOOL)


_ONE_OF_A_SCHOOL = _set("proviseur proviseure provisorat cpe viesco intendance intendante")


def claimed(name: str, given: str = "") -> bool:
    """Whether a name inside claims an office, also as one word beside a person's; `given`: names that are theirs anyway."""
    theirs = set(_skeletons(given))
    words = [word for word in _skeletons(name) if word not in theirs]
    if not words:
        return False
    if _phrase(words) is not None or set(words) & (_STATE | (_OWN - _NEVER_ALONE)):
        return True
    return _whole(words) is not None


def for_another(name: str) -> bool:
    """Whether a name says that somebody else is meant: "de la part de ..."."""
    return bool(_BEHALF.search(visible(name).replace("’", "'")))


def _skeletons(name: str) -> list[str]:
    return [skeleton(word) for word in display_names.plain_words(display_names.unspaced(name))]


def _phrase(texts: list[str]) -> OfficeKind | None:
    for kind, wanted in _SPELT:
        for start in range(len(texts) - len(wanted) + 1):
            if tuple(texts[start : start + len(wanted)]) == wanted:
                if wanted[0] == skeleton("academie") and len(wanted) > 1 and not set(texts[start + 2 :][:2]) & _CITIES:
                    continue
                return kind
    return None


def _rest(texts: list[str]) -> set[str]:
    """What a name says besides: another organisation, a place, a person."""
    return {word for word in texts if word not in _STATE | _OWN | _ANY | _BESIDE | _SMALL}


def _whole(texts: list[str]) -> OfficeKind | None:
    """The office that these words are and nothing else."""
    meant = [word for word in texts if word not in _SMALL]
    if not meant or _rest(texts):
        return None
    if (found := _phrase(texts)) is not None:
        return found
    if set(meant) & _OWN:
        return OfficeKind.OWN
    return OfficeKind.ANY if set(meant) & _ANY else None
