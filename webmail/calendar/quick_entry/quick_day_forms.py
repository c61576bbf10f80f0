"""The forms in which quick entry knows a day: a pattern of each, and what it means."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from webmail.calendar.quick_entry import quick_days as means
from webmail.calendar.quick_entry.quick_days import Days
from webmail.calendar.quick_entry.quick_phrase import compiled
from webmail.calendar.quick_entry.vocabulary import Vocabulary

_Reader = Callable[["re.Match[str]", Vocabulary, date], "Days | None"]
_Forms = tuple[tuple[str, _Reader], ...]


@lru_cache(maxsize=4)
def _forms(v: Vocabulary) -> _Forms:
    """What stands first is tried first where several begin at the same place."""
    return _french(v) if v.name == "fr" else _english(v)


def _french(v: Vocabulary) -> _Forms:
    day, month, count = v.day, v.month, v.number
    on = rf"(?:({day}),? (?:le )?)?"
    number = rf"\d{{1,2}}(?:er)?|premier|(?!une? ){v.word_number}"
    this_or_next = rf"(?:{month})(?: \d{{4}})?|mois prochain|mois|du mois prochain|du mois"
    of = rf"du mois prochain|du mois(?! de)|de ce mois|(?:du mois )?(?:de |d'){month}(?: \d{{4}})?"
    feasts = (
        r"(?:le )?jour de noel|(?:la )?veille de noel|a noel(?= |\x01|$)|(?:le )?lundi de (?:paques|pentecote)"
        r"|(?:le )?vendredi saint|(?:le )?jeudi de l'ascension|a paques|(?:le )?jour de l'an"
        r"|a la toussaint|a la saint-(?:sylvestre|valentin)"
    )
    next_year = r"( prochain| de l'an(?:nee)? prochaine?)?"
    no_day = rf"(?! ?(?:h|:|/|-|\.\d|a \d{{1,2}}(?!\d| ?h|:)|min|fois|x|{month})|\d)"
    return (
        (rf"{on}(\d{{4}})[-/](\d\d)[-/](\d\d)", means.iso),
        (rf"{on}(\d{{1,2}})/(\d{{1,2}})(?:/(\d{{4}}|\d\d))?(?!\d|/| d'h| h)", means.numeric),
        (rf"{on}(\d{{1,2}})[.-](\d{{1,2}})[.-](\d{{4}}|(?<=\d\d[.-]\d\d[.-])\d\d)(?!\d)", means.pointed),
        (rf"{on}(?:le )?({number}) (?:de )?({month})(?:,? (?:de )?(\d{{4}}))?{next_year}", means.named),
        (rf"(?:le |les )?({v.ordinal}) ({day}) ({of})", means.nth_of_month),
        (rf"(?:le )?(dernier|premier) jour ({of})", means.edge_of_month),
        (r"(?:en |a la |au )?(fin|debut|milieu|courant) (?:de (?:la )?)?semaine(?: prochaine)?", means.edge_of_week),
        (rf"(?:en |a la |au )?(fin|debut|milieu|courant) (?:de |d')?({this_or_next})", means.edge_of_month),
        (rf"(?:a la )?(mi)-({month}(?: \d{{4}})?)", means.edge_of_month),
        (rf"(?:la )?semaine du ((?:{day} )?\d{{1,2}}(?:er)?(?: {month}|/\d{{1,2}})?(?: \d{{4}})?)(?! ?(?:au|-))", _week_of),
        (r"(?:(?:le|ce) )?week-? ?end prochain|ce week-? ?end|le week-? ?end", means.weekend),
        (r"toute la semaine(?: prochaine)?", means.whole_week),
        (r"(?:en |la )?semaine (\d{1,2})(?! ?h|:\d|/)", means.week_number),
        (rf"({day}) (?:de )?(?:la )?semaine prochaine", means.of_next_week),
        (rf"(?:la )?semaine prochaine,? (?:le )?({day})", means.of_next_week),
        (rf"(?:{day}|aujourd'hui|demain) (?:en (?:huit|quinze)|dans {count} (?:semaines?|jours))", means.after_weeks),
        (rf"dans ((?:{count}) semaines?|quinze jours|une quinzaine),? (?:le )?({day})", means.weekday_later),
        (rf"({day}) (?:dernier|passe)", means.weekday_before),
        (rf"(?:dans|d'ici|sous) ({count}) (jour|semaine|mois|an)(?:nee)?s?(?! et demi)", means.later),
        (rf"il y a ({count}) (jour|semaine|mois|an)s?", means.later),
        (r"(?:dans|d'ici|sous) (?:une )?(?:quinzaine|huitaine|dizaine)(?: de jours)?", means.fortnight),
        (r"le (\d{1,2}|1er) (?:du|le) mois prochain", means.day_of_next_month),
        (r"(?:le )?mois prochain,? le (\d{1,2}|1er)", means.day_of_next_month),
        (r"(?:la )?semaine prochaine|(?:le )?mois prochain", means.next_period),
        (feasts, means.feast),
        (rf"(?:prochain )?({day})(?: prochaine?s?| qui vient)?(?: (\d{{1,2}}(?:er)?){no_day})?", means.weekday),
        (v.choice(v.relative), means.relative),
    )  # fmt: skip


def _english(v: Vocabulary) -> _Forms:
    day, month, count = v.day, v.month, v.number
    on = rf"(?:({day}),? (?:the )?)?"
    number = r"\d{1,2}(?:st|nd|rd|th)?"
    words = "|".join(("first", *means.ORDINALS))
    of = rf"(?:of|in) (?:the month|this month|next month|{month}(?: \d{{4}})?)"
    this_or_next = rf"(?:the |this |next )?month|{month}(?: \d{{4}})?"
    weeks, later_number = (
        rf"(?:a|one) week|two weeks|{count} weeks|a fortnight",
        rf" the {number}| {number}(?<=[a-z])| \d{{1,2}}(?=,|\x01|$)",
    )
    week_day = rf"(?:{day} )?(?:{number} {month}|{month} {number}|\d{{1,2}}/\d{{1,2}}|{number})(?: \d{{4}})?"
    feasts = (
        r"christmas (?:day|eve)|at christmas(?= |\x01|$)|boxing day|new year's (?:day|eve)|good friday|easter (?:monday|sunday)"
        r"|whit monday|halloween(?= |\x01|$)|valentine's day"
    )
    return (
        (rf"{on}(\d{{4}})[-/](\d\d)[-/](\d\d)", means.iso),
        (rf"{on}(\d{{1,2}})/(\d{{1,2}})(?:/(\d{{4}}|\d\d))?(?!\d|/)", means.numeric),
        (rf"{on}(\d{{1,2}})[.-](\d{{1,2}})[.-](\d{{4}}|(?<=\d\d[.-]\d\d[.-])\d\d)(?!\d)", means.pointed),
        (rf"{on}(?:the )?({number}|{words})(?: of)? ({month})(?:,? (\d{{4}}))?( next year)?", means.named),
        (rf"{on}({month}) (?:the )?({number})(?![:\d]| ?[ap]m)(?:,? (\d{{4}}))?", means.named_first),
        (rf"(?:the )?({v.ordinal}) ({day}) ({of})", means.nth_of_month),
        (rf"(?:the )?(last|first) day ({of})", means.edge_of_month),
        (rf"(?:(?:at|by) )?(?:the )?(end|middle|start|beginning) of ({this_or_next})", means.edge_of_month),
        (rf"(?:in )?(early|mid|late)[ -]({this_or_next})", means.edge_of_month),
        (r"(?:(?:at|by) )?(?:the )?(end|middle|start|beginning) of (?:the |this |next )?week", means.edge_of_week),
        (r"(early|mid|late)[ -](?:this |next )?week", means.edge_of_week),
        (rf"(?:the )?(?:week (?:of|commencing|beginning|starting)|w/c|wc) (?:the )?({week_day})", _week_of),
        (r"(?:this|next|the) (?:coming )?weekend", means.weekend),
        (r"all week|all (?:of )?next week|the whole of next week", means.whole_week),
        (r"(?:in )?week (\d{1,2})(?! ?[:/])", means.week_number),
        (rf"({day}) (?:of )?next week", means.of_next_week),
        (rf"next week,? (?:on )?({day})", means.of_next_week),
        (rf"(?:{weeks}) (?:on|from|after) (?:this |next )?(?:{day}|today|tomorrow)", means.after_weeks),
        (rf"(?:a week|two weeks|a fortnight) (?:today|tomorrow|{day})", means.after_weeks),
        (rf"(?:{day}|today|tomorrow) (?:fortnight|week)(?!-?end|ly)", means.after_weeks),
        (rf"{day} in {count} weeks?", means.after_weeks),
        (rf"in ((?:{count}) weeks?|a fortnight),? (?:on )?({day})", means.weekday_later),
        (rf"{day} after next", means.after_weeks),
        (rf"last ({day})(?! (?:of|in))", means.weekday_before),
        (rf"({day})() next(?! week)", means.weekday),
        (rf"in ({count}) (day|week|fortnight|month|year)s?(?:' time|'s time)?(?! and a half)", means.later),
        (rf"({count}) (day|week|fortnight|month|year)s? (?:from (?:now|today)|ago)", means.later),
        (r"the (\d{1,2})(?:st|nd|rd|th) of next month", means.day_of_next_month),
        (r"next month,? (?:on )?the (\d{1,2})(?:st|nd|rd|th)", means.day_of_next_month),
        (r"next week|next month", means.next_period),
        (feasts, means.feast),
        (rf"(?:next |this coming |this |coming )?({day})({later_number})?", means.weekday),
        (v.choice(v.relative), means.relative),
    )  # fmt: skip


def _week_of(found: re.Match[str], v: Vocabulary, today: date) -> Days | None:
    day = meant(found[1], v, today)
    return means.week_of(day or (means.numbered(int(found[1]), today) if found[1].isdigit() else None))


@lru_cache(maxsize=4)
def day_pattern(v: Vocabulary) -> str:
    """One day however it is said, without groups."""
    return "(?:" + "|".join(re.sub(r"\((?!\?)", "(?:", pattern) for pattern, _read in _forms(v)) + ")"


def meant(text: str, v: Vocabulary, today: date) -> Days | None:
    """What a day that `day_pattern` found means; None if there is none such."""
    text = re.sub(rf"(?<![a-z\d])({v.choice(v.short_days)})(?![a-z.])", r"\1.", text.strip())
    for pattern, read in _forms(v):
        if (found := compiled(pattern).fullmatch(text)) and (day := read(found, v, today)) is not None:
            return day
    return None
