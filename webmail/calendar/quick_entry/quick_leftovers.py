"""What quick entry did not understand: words that say when something is, and were left in the title."""

from __future__ import annotations

from functools import lru_cache

from webmail.calendar.quick_entry.quick_phrase import TAKEN, Phrase, compiled, plain
from webmail.calendar.quick_entry.vocabulary import Vocabulary

_FRENCH = (
    r"(?:tous les|toutes les|chaque) (?=\x01)|cette semaine|ce mois-ci|(?:tous|toutes) les \w+|chaque \w+"
    r"|jusqu'\w+(?: \w+)?|sauf [^\x01,;()]{1,40}"
    r"|excepte [^\x01,;()]{1,40}|hors [^\x01,;()]{1,30}|(?:\d(?:e|re|ere|eme)|premiere|derniere) heure"
    r"|heure (?:de |d'|locale)[^\x01,;()]{0,20}"
    r"|(?:avant|apres|depuis|des|d'ici|pendant|durant|a partir d[eu]|vers) (?=\x01|\d|le \d"
    r"|les? (?:vacances|week))[^\x01,;]{0,20}"
    r"|(?:la |les? |en )?(?:semaines?|week-?end|mois|annee|trimestre|quinzaine)s? (?:prochaine?s?"
    r"|derniere?s?|paires?|impaires?|suivante?s?|\d+|[ab]\b)"
    r"|(?:une?|deux|trois|\d+) (?:fois|x) (?:par|tous)[^\x01,;]{0,20}|\d{1,3} fois|(?:dans"
    r"|sous) (?:\d+|une?|quelques|peu)\b[^\x01,;]{0,20}"
    r"|et demie?(?!\w)|(?:prochaine?|suivante?|dernier|derniere) (?=\x01|$)|(?:un|une) \w+ sur \w+"
    r"|semaines? (?:paires?|impaires?)"
    r"|(?:le |au )?(?:lendemain|surlendemain)(?: \w+)?|(?:ou|ni) (?=\x01)|(?<=\x01 )(?:ou|ni)(?!\w)"
)
_ENGLISH = (
    r"(?:every|each) (?=\x01)|every \w+(?: \w+)?|each \w+|until [^\x01,;]{1,30}|except [^\x01,;]{1,40}"
    r"|excluding [^\x01,;]{1,40}|but not [^\x01,;]{1,40}"
    r"|(?:before|after|since|during|within|by) (?=\x01|\d|the \d)[^\x01,;]{0,20}"
    r"|(?:next|last|the following|this|alternate) (?:week|month|year|term|weekend|fortnight|day"
    r"|quarter|\x01)s?|(?:twice|three times|\d+ times) (?:a|per|every) \w+"
    r"|\d{1,3} times|(?:in|within) (?:\d+|an?|a few|some|two|three|four|five|six) (?:\w+ )?(?:days?"
    r"|weeks?|months?|hours?|minutes?|years?)"
    r"|(?:\d+|two|three|four|five|six|a few|some) (?:days?|weeks?|months?) (?:later|after|before|from)[^\x01,;]{0,20}"
    r"|and a half|after next|(?:pacific|eastern|central|local|uk|us|paris|london|new york) time"
    r"|or (?=\x01)|(?<=\x01 )or(?!\w)|(?:odd|even) weeks|the week (?:before|after)[^\x01,;]{0,20}"
)
_BOTH = (
    r"\d{1,2}\.\d{1,2}(?= (?:a )?\x01)|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}(?:/\d{2,4})?(?!\d)"
    r"|\d{1,3} ?h(?:\d{2})?(?![a-z])"
    r"|\d{1,2}:\d{1,2}|\d{1,2}(?:[.:]\d\d)? ?[ap]\.?m(?![a-z])"
    r"|(?:utc|gmt|cet|cest|est|edt|pst|pdt|bst|ist)(?:[+-]\d{1,2})?(?=[ \x01,;)]|$)|x ?\d{1,3}(?=[ \x01,;)]|$)"
    r"|(?<=\x01 )(?:a|at|the|le|au|du|-) \d{1,2}(?:st|nd|rd|th|er)?(?=[ \x01,;.)]|$)|\d{1,2}(?:st|nd"
    r"|rd|th)(?= (?:of )?\x01|$)|(?<=\x01 )\d{1,2}(?=[ ,;.)]*(?:\x01|$))"
)


_ZONES = frozenset(["utc", "gmt", "cet", "cest", "est", "edt", "pst", "pdt", "bst", "ist"])


@lru_cache(maxsize=4)
def _pattern(v: Vocabulary) -> str:
    months = "|".join(
        name for name in sorted(v.months, key=len, reverse=True) if name not in ("mars", "mai", "may", "mar", "march")
    )
    spring = "|".join(name for name in ("mars", "march", "mai", "may") if name in v.months)
    days = "|".join(sorted(v.days, key=len, reverse=True))
    french = v.name == "fr"
    number = (
        r"(?:le |du |au |en |a la |fin |debut |mi-|courant )?(?:\d{1,2}(?:er)? )?"
        if french
        else r"(?:on |in |the |by |late |early |mid-)*(?:\d{1,2}(?:st|nd|rd|th)? (?:of )?)?"
    )
    after = r"(?:\.? \d{1,4}(?:st|nd|rd|th)?)?(?! (?:de|du) \w)" if french else r"(?:\.? \d{1,4}(?:st|nd|rd|th)?)?"
    relative = "|".join(sorted(v.relative, key=len, reverse=True))
    parts = (
        "matin|soir|apres-midi|aprem|midi|minuit" if french else "morning|afternoon|evening|tonight|noon|midnight|half past \\w+"
    )
    return (
        rf"(?<![\w@-])(?:(?!(?:{months})(?![a-z])(?!\.? \d)){number}(?:{months})(?![a-z]){after}|(?:le |en |fin "
        rf"|debut |mi-|the |in )?(?:\d{{1,2}}(?:er|st|nd|rd|th)? )(?:{spring})(?!\w)"
        rf"|(?:en|fin|debut|mi-|in|early|late|mid) ?(?:{spring})(?!\w)|(?:le |les |un |next |this |last "
        rf"|on )?(?:{days})(?!\w)(?: (?:prochain|dernier|suivant|next))?"
        rf"|(?:{relative})(?!\w)|(?<=\x01 )(?:le |du |en |in the |ce )?(?:{parts})s?(?!\w)"
        rf"|{_FRENCH if french else _ENGLISH}|{_BOTH})"
    )


def unclear(phrase: Phrase, v: Vocabulary) -> tuple[str, ...]:
    """The pieces of what is left that look like a day, an hour or a rule, as they were typed, in their order."""
    pieces: list[tuple[int, int]] = []
    for found in compiled(_pattern(v)).finditer(phrase.plain):
        start, end = found.span()
        if pieces and start - pieces[-1][1] <= 1:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
    said = (phrase.text[start:end].replace(TAKEN, "").strip(" ,;:-") for start, end in pieces)
    said = (one for one in said if one.isupper() or plain(one) not in _ZONES)  # French "est" is a verb
    return tuple(dict.fromkeys(one for one in said if one))
