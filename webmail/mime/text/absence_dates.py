"""Absence dates: until when somebody is away, as their automatic reply says it in French or English.

A wrong day is worse than none: only a sentence that speaks of being away or back counts, a day of the week has to go with its
date, and where two sentences say different days, none is told.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

_LONGEST = 3_000  # characters that are read: what follows is a signature, or the message that is answered
_FURTHEST = timedelta(days=366)
_MONTHS = (
    "janvier january|fevrier february|mars march|avril april|mai may|juin june|juillet july|aout august|septembre september|"
    "octobre october|novembre november|decembre december"
)
_MONTH = {word: number for number, pair in enumerate(_MONTHS.split("|"), 1) for word in pair.split()}
_DAYS = "lundi monday|mardi tuesday|mercredi wednesday|jeudi thursday|vendredi friday|samedi saturday|dimanche sunday"
_WEEKDAY = {word: number for number, pair in enumerate(_DAYS.split("|")) for word in pair.split()}
_NAMED = rf"(?:(?P<weekday>{'|'.join(_WEEKDAY)}),? (?:the )?)?"
_YEAR = r"(?:,? (?P<year>\d{4})(?!\d))?"
_MONTH_NAME = rf"(?P<month>{'|'.join(_MONTH)})\b"
_DATES = [
    rf"{_NAMED}(?P<day>\d{{1,2}})(?:er|st|nd|rd|th)? (?:of )?{_MONTH_NAME}{_YEAR}",
    rf"{_NAMED}{_MONTH_NAME} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d){_YEAR}",
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)",
]
# in French alone: elsewhere, who knows which of them is the month
_NUMBERS = (
    rf"{_NAMED}(?P<day>\d{{1,2}})[/.](?P<month>\d{{1,2}})"
    r"(?:[/.](?P<year>\d{4}))?(?![/.]?\d)"
)
_AWAY = re.compile(
    r"\babsent|\babsence|\bconges?\b|\bvacances\b|\bindisponible|\ben deplacement|\baway\b|\bout of (?:the |my )?office|"
    r"\bon leave\b|\bon (?:holiday|vacation)|\b(?:un|not )available|\bnot in the office|\bholidays?\b|\bvacation\b"
)
_UNTIL_FRENCH = [r"jusqu'au (?:soir du )?(?:inclus )?", r"\bdu [^.]{1,40}? au "]
_UNTIL_ENGLISH = [r"\b(?:until|till|through)(?: and including)?(?: the)? ", r"\bfrom [^.]{1,40}? to "]
_BACK_FRENCH = [r"\b(?:retour|reviens|reviendrai)\b[^.,;]{0,30}?\b(?:le|des le|a partir du|a compter du) "]
_BACK_ENGLISH = [r"\b(?:back|returns?|returning)\b[^.,;]{0,30}?\bon(?: the)? "]
_ENDS = re.compile(r"[.!?;](?=\s|$)|\n\s*\n")
_QUOTE = re.compile(
    r"^ ?>|^-{2,20} ?(?:message|original)|^_{20,}|^(?:le|on) .{5,150}(?:a ecrit|wrote) ?:?$|^(?:de|from) ?: ", re.MULTILINE
)
_ACCENTS = str.maketrans("àâäéèêëîïôöùûüç’\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", "aaaeeeeiioouuuc'  ")


class AwayDays(NamedTuple):
    """`until`: the last day of it; `back`: the first day after it. One of them."""

    until: date | None = None
    back: date | None = None


def absence_in(text: str, sent: date) -> AwayDays:
    """What an automatic reply that was sent on this day says; neither day where that is not sure."""
    plain = text[:_LONGEST].casefold().translate(_ACCENTS).replace("\r\n", "\n")
    if found := _QUOTE.search(plain):
        plain = plain[: found.start()]
    until, back = set[date | None](), set[date | None]()
    for sentence in (" ".join(one.split()) for one in _ENDS.split(plain)):
        if _AWAY.search(sentence):
            until |= _days(sentence, _UNTIL_FRENCH, _UNTIL_ENGLISH, sent)
        back |= _days(sentence, _BACK_FRENCH, _BACK_ENGLISH, sent)
    if None in until | back:
        return AwayDays()
    if until:
        return AwayDays(until=next(iter(until))) if len(until) == 1 else AwayDays()
    return AwayDays(back=next(iter(back))) if len(back) == 1 else AwayDays()


def _days(sentence: str, french: list[str], english: list[str], sent: date) -> set[date | None]:
    """The days that these words lead to; None for one that can't be."""
    found: set[date | None] = set()
    for leads, dates in ((french, [*_DATES, _NUMBERS]), (english, _DATES)):
        for lead in leads:
            for one in dates:
                found |= {_day(match, sent) for match in re.finditer(lead + one, sentence)}
    return found


def _day(match: re.Match[str], sent: date) -> date | None:
    said = match.groupdict()
    number = _MONTH.get(said["month"]) or (int(said["month"]) if said["month"].isdigit() else 0)
    years = [int(said["year"])] if said.get("year") else [sent.year, sent.year + 1]
    for year in years:
        try:
            found = date(year, number, int(said["day"]))
        except ValueError:
            continue
        if sent <= found <= sent + _FURTHEST and (said.get("year") or found - sent < timedelta(days=200)):
            weekday = said.get("weekday")
            return found if not weekday or _WEEKDAY[weekday] == found.weekday() else None
    return None
