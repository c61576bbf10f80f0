"""Where it is, in the words of quick entry."""

from __future__ import annotations

import re
from dataclasses import dataclass

from webmail.calendar.quick_entry.quick_phrase import TAKEN, Phrase, compiled, plain
from webmail.calendar.quick_entry.vocabulary import ENGLISH, FRENCH, Vocabulary

_CODE = (
    r"(?:n° ?|no )?(?:[a-z]{1,2}[- ]?\d{1,4}[a-z]?|\d{1,4}[a-z]?|[a-z])(?: bis| ter)?(?!\w|'| ?h\b"
    r"| ?h\d|:\d| ?-\d| ?/\d| ?[ap]m\b)"
)
_ROOM_FR = r"salles?|amphi|amphitheatre|bureau|labo|laboratoire|bat\.?|batiment|gymnase|porte|hall|studio|atelier"
_ROOM_EN = r"room|rm\.?|hall|lab|office|building|bldg\.?|theatre|gym|studio|classroom|gate|court"
_PLACE_FR = (
    "salle|gymnase|cdi|cantine|bibliotheque|mediatheque|amphi|amphitheatre|auditorium|cour|stade"
    "|piscine|mairie|hall|laboratoire|labo|internat"
    "|infirmerie|secretariat|theatre|musee|foyer|parking|ecole|college|lycee|hopital|eglise"
    "|restaurant|cafe|cinema|parc|gare|conservatoire|centre"
    "|club|local|refectoire|self|preau|permanence|vie scolaire|loge|bureau|patinoire|dojo|terrain"
    "|chapelle|universite|fac|prefecture|commissariat"
    "|clinique|pharmacie|creche|maternelle|atelier|studio|maison|accueil|reception|plateau sportif"
    "|bar|hotel|siege|rectorat|inspection|cathedrale"
    "|salon|zoo|plage|marche|aeroport|poste|banque|cabinet|garage|chateau|jardin|square|place|grande salle|petite salle"
)
_KIND_FR = (
    "polyvalente?s?|informatique|info|multimedia|audiovisuelle|audio|municipale?|communale?"
    "|departementale?|omnisports?|centrale?|verte|bleue|rouge"
    "|jaune|blanche|commune|sportif|sportive|scolaire|maternelle|elementaire|primaire|associatif"
    "|associative|paroissiale?|culturel|social|nord|sud|est|ouest"
)
_AFTER_FR = (
    rf"(?:(?: (?:{_KIND_FR})(?!\w))| (?:de la |de l'|des? |du |d'|aux )(?!\d)(?:(?:m\.|mme|mlle|mr|dr"
    rf"|madame|monsieur) )?[^\x01\x02 ,;.()]{{2,30}}(?: (?:{_KIND_FR})(?!\w))?)"
)
_PLACE_EN = (
    "staffroom|staff room|room|hall|lab|library|gym|office|canteen|theatre|pool|playground|museum"
    "|auditorium|cafe|restaurant|station|park|stadium"
    "|school|church|house|classroom|reception|courtyard|pitch|field|court|chapel|cafeteria|kitchen"
    "|lobby|foyer|pub|bar|hotel|hospital|clinic|surgery"
    "|garage|bank|market|centre|center|club|farm|beach|zoo|cinema|nursery|university|college|campus"
    "|airport|studio|building|garden|square|town hall"
)
_LANGUAGES_AND_TITLES = (
    "noel paques toussaint pentecote christmas easter french english german spanish italian latin maths science year class term "
    "m. mme mlle monsieur madame m dr mr mrs ms miss"
)
_NO_PLACE = frozenset([*_LANGUAGES_AND_TITLES.split(), *FRENCH.months, *ENGLISH.months])
_SPOKEN_TO = re.compile(
    r"\b(?:parler|telephoner|repondre|ecrire|envoyer|demander|dire|donner|rendre|rappeler"
    r"|transmettre|offrir|presenter|confirmer|signaler|expliquer"
    r"|cadeau|lettre|mail|message|reponse|merci|retour)(?: [^ \x01]{1,20}){0,2} ?$"
)
_ROOM = re.compile(
    r"(?<!\w)(?:[eE]n |[àÀ] la |[aA]u |[iI]n )?((?:[sS]alle|[aA]mphi(?:théâtre)?|[gG]ymnase|[aA]uditorium|[rR]oom)"
    r" [A-ZÀ-ÖØ-Þ][\w’'-]{1,30}"
    r"(?: [A-ZÀ-ÖØ-Þ][\w’'-]{1,30}){0,3})"
)
_TOO_BARE = frozenset({"salle", "place", "local", "room"})
_MORE = re.compile(r"(?: (?:de |du |des |de la |d[’']|of |the )?[A-ZÀ-ÖØ-Þ][\w’'.-]{0,30}){1,4}")


@dataclass(frozen=True, slots=True)
class _Places:
    coded: tuple[str, ...]  # rooms by number, which are looked for before days and hours
    plain: tuple[str, ...]  # with the place as their group, on the plain text
    named: str  # the same on the text as typed
    going: str  # a word for going somewhere, which says little without the place


_IN_FR = r"(?:en|a la|au|aux|dans la|dans le|dans l'|a l'|sur le|sur la) ?"
_ENGLISH_TO = r"(?:(?<=(?i:trip) )|(?<=(?i:visit) )|(?<=(?i:outing) ))to"

_PLACES = {
    "fr": _Places(
        coded=(
            rf"(?:@ ?|(?:en|dans la|dans le|a la|au|a l') ?)?((?:{_ROOM_FR}) {_CODE})",
            r"en ([a-z]{1,2}-?\d{2,4}[a-z]?)(?!\w)",
            r"(?:au |a l'adresse |a )?(\d{1,4}(?: bis| ter)?,? (?:rue|avenue|av\.|boulevard|bd|quai|chemin"
                r"|allee|impasse|cours|square|place)"
                r" [^\x01,;]{2,60}?)(?= a \d| avec | pour | de \d| le \d| lundi| mardi| mercredi| jeudi"
                r"| vendredi| samedi| dimanche| demain|[\x01,;]|$)"
,
        ),
        plain=(
            r"(?:lieu ?: ?|ou ?: ?|endroit ?: ?|@ ?)([^\x01,;@]{1,80})",
            rf"{_IN_FR}((?:{_PLACE_FR})\b{_AFTER_FR}?)",
            (
                rf"(?<=[,;:] )((?:grande |petite )?(?:salle|bureau|amphi|gymnase|cdi|hall|parking|cour"
                rf"|foyer)\b{_AFTER_FR}?)(?=[ .)]*(?:[\x01,;(]|$))"
            ),
            rf"((?:salle|bureau)\b{_AFTER_FR})",
            r"dans ((?:son|mon|leur|votre|notre) bureau|(?:ma|sa|votre|notre|leur) (?:salle|classe))(?!\w)",
            r"en (salle [^\x01\x02 ,;.()]{2,30})(?! de)",
            r"(?:en |par )(visio(?:conference|conf)?)(?!\w)|sur (teams|zoom|meet|bbb|skype|jitsi)(?!\w)",
        ),
        named=(
            r"(?:[àÀ]|[aA]u|[aA]ux|[cC]hez) ((?:l['’] ?|la |les? )?[A-ZÀ-ÖØ-Þ][^\x01\x02,;()]{0,60}?)(?= avec "
            r"| pour | à | de \d|[\x01\x02,;()]|(?<!\bM)(?<!\bDr)(?<!\bMr)\. |\.?$)"
        ),
        going=r"(?:sorties?|visites?|voyages?|excursions?|sejours?|depart|arrivee|retour)",
    ),
    "en": _Places(
        coded=(
            rf"(?:@ ?|(?:in|at) (?:the )?)?((?:{_ROOM_EN}) {_CODE})",
            r"in ([a-z]{1,2}-?\d{2,4}[a-z]?)(?!\w)",
            (
                r"(?:at |in )?(\d{1,4}[a-z]? (?:[a-z']{2,20} ){1,3}(?:street|st|road|rd|avenue|ave|lane|square"
                r"|drive|crescent|terrace|close)(?!\w))"
            ),
        ),
        plain=(
            r"(?:(?:where|place|location|venue) ?: ?|@ ?)([^\x01,;@]{1,80})",
            rf"(?:in|at|{_ENGLISH_TO}) the ((?:[a-z'-]{{2,20}} ){{0,2}}(?:{_PLACE_EN})\b)",
            r"(?:at|in) ((?:his|her|my|your|our|their) (?:office|classroom|room|place|house))(?!\w)",
            r"(?:at|in) (school|church|town hall|city hall|reception|assembly hall|college|home|work)(?!\w)",
            r"(?<=[,;:] )((?:[a-z']{2,20} ){0,1}(?:staff room|staffroom|hall|library|gym|canteen))(?=[ .)]*(?:[\x01,;(]|$))",
            r"(?:on|via|over) (zoom|teams|google meet|meet|skype|jitsi)(?!\w)",
        ),
        named=(
            rf"(?:[aA]t|[iI]n|{_ENGLISH_TO}) ((?:the |The )?[A-ZÀ-ÖØ-Þ][^\x01\x02,;()]{{0,60}}?)(?= with "
            rf"| for | at | from |[\x01\x02,;()]|(?<!\bM)(?<!\bDr)(?<!\bMr)\. |\.?$)"
        ),
        going=r"(?:trips?|visits?|outings?|excursions?|tours?|departure|arrival)",
    ),
}  # fmt: skip


def take_room(phrase: Phrase, v: Vocabulary) -> str:
    """A room by its number or an address, before its digits can be taken for a day or an hour."""
    return next((place for pattern in _PLACES[v.name].coded if (place := _take(phrase, v, pattern, whole=True))), "")


def take_place(phrase: Phrase, v: Vocabulary) -> str:
    """Where it is, if the words say so. They stay in the title after a word for going there: "Sortie au musée"."""
    known = _PLACES[v.name]
    for pattern in known.plain:
        if place := _take(phrase, v, pattern):
            return place
    if found := _ROOM.search(phrase.text):
        return _taken(phrase, v, found.start(), *found.span(1))
    for found in compiled(rf"(?<![\w]){known.named}").finditer(phrase.text):
        start, end = found.span(1)
        name = plain(phrase.text[start:end]).removeprefix("l'").removeprefix("la ").removeprefix("le ").removeprefix("the ")
        said_to = found[0][:1] in "àÀaA" and v.name == "fr" and _SPOKEN_TO.search(phrase.plain[: found.start()])
        no_place = name.split(" ")[0].strip(".") in _NO_PLACE and not found[0].lower().startswith("chez")
        if no_place or said_to or _is_of_class(phrase, found.start()):
            continue
        return _taken(phrase, v, found.start(), start, end)
    return ""


def _is_of_class(phrase: Phrase, start: int) -> bool:
    return phrase.text.startswith("A ", start) and bool(re.search(r"\d[a-z]{0,3} $", phrase.plain[:start]))


def _take(phrase: Phrase, v: Vocabulary, pattern: str, *, whole: bool = False) -> str:
    found = compiled(rf"(?<![\w])(?:{pattern})").search(phrase.plain)
    if found is None:
        return ""
    start, end = found.span(found.lastindex or 1)
    if re.search(r" [àÀ]\b", phrase.text[start:end]):  # "salle à 14h"
        return ""
    if phrase.plain[start:end].strip() in _TOO_BARE and not _MORE.match(phrase.text, end):
        return ""
    if not whole and (more := _MORE.match(phrase.text, end)):
        end = more.end()
    return _taken(phrase, v, found.start(), start, max(end, found.end()) if found.end() - end < 3 else end)


def _taken(phrase: Phrase, v: Vocabulary, begins: int, start: int, end: int) -> str:
    place, before = phrase.text[start:end].strip(" ,;.-()"), phrase.understood
    by_preposition = phrase.plain[begins:start].strip(" '").replace(" ", "").isalpha()  # not "@", "where:"
    said_before = phrase.plain[:begins].rpartition(TAKEN)[2]
    if not (by_preposition and compiled(rf"\b{_PLACES[v.name].going}\b").search(said_before)):
        phrase.cut(begins, end)
    phrase.understood = before  # any words may be a place: the language is told by the rest
    return place
