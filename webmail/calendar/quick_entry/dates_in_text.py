"""Dates in the text of a message, for an event made from it: those that name a day, and hours that belong to one."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from webmail.calendar.quick_entry import quick_entry
from webmail.calendar.quick_entry.quick_entry import Understood
from webmail.calendar.quick_entry.quick_phrase import plain
from webmail.calendar.quick_entry.vocabulary import ENGLISH, FRENCH

MOST = 5
_PATIENCE = 0.6  # seconds of processor time: eight sentences need 0.15 at most, the first ones of a process some more
_MOST_READ = 8  # sentences that are read whole
_READ = 20_000  # characters
_BEFORE, _AROUND = 100, 260  # characters of a long sentence that are read around what looks like a date
_FAR = timedelta(days=240)  # ahead, of a day that has passed this year
_WRAPPED = 55  # a line that is as long goes on in the next
_SENTENCE = re.compile(
    r"(?<=[!?;])\s+|(?:(?<=[^\W_]{2}[.])|(?<=\d\sh[.]))\s+(?=[A-ZÀ-Þ«“\"(])"
)  # not after "M." or "lun." before a number
_NAMES = "|".join(
    [*FRENCH.months, *ENGLISH.months, *FRENCH.days, *ENGLISH.days, "demain", "tomorrow", "today", "aujourd'hui", "tonight"]
)
_HOUR = (
    r"(?<!\w)(?:a|au|des|vers|pour|de|at|from|by|to|until|@) ?"
    r"(?:\d{1,2} ?h(?![a-z])|\d{1,2}[:.]\d\d|\d{1,2}(?:[.:]\d\d)? ?[ap]\.?m|midi|noon)"
)
_DAY_OR_HOUR = re.compile(
    rf"\d{{1,2}}/\d{{1,2}}|\d{{4}}-\d\d-\d\d|\d\.\d\d\.\d{{4}}|(?<![a-z])(?:{_NAMES})(?![a-z])|{_HOUR}"
    r"|(?<!\w)(?:ce soir|this evening)"
)
_HOURS = re.compile(_HOUR)
_PLACE = re.compile(r"(?<!\w)(?:salle|amphi|gymnase|cdi|room|hall|lieu|where|place) ?:?")
_DEADLINE = re.compile(  # until when something is to be done
    r"(?<!\w)a (?:rendre|remettre|renvoyer|retourner|completer|finir|terminer|faire|payer|regler)(?!\w)"
    r"|(?<!\w)(?:date limite|dernier delai|echeance|deadline|due|au plus tard|d'ici|no later than|at the latest|hand in|turn in)"
    r"(?!\w)"
    rf"|(?<!\w)(?:pour|avant) (?:le |ce )?(?:\d|{FRENCH.day_names}|demain)|(?<!\w)by (?:the )?(?:\d|{ENGLISH.day_names}|tomorrow)"
)
_GATHERING = re.compile(
    r"(?<!\w)(?:reunions?|conseil|rendez-vous|rdv|conference|spectacle|concert|sortie|repas|dejeuner|diner|fete|examen|oral"
    r"|meetings?|appointment|lunch|dinner|party|concert|exam|workshop|interview|visit)(?!\w)"
)
_SAID = re.compile(r"(?:a ecrit|wrote|schrieb) ?:|^(?:de|from|date|envoye|sent|objet|subject|to|a|cc) ?:")
_MOVED = re.compile(
    r"(?<!\w)(?:avance|reporte|decale|deplace|repousse|moved|brought forward|postponed|rescheduled|pushed back|put back|changed)"
    r"(?:es?|s)?"
    r"(?: (?:de|du|from) [^,;]{1,25}?)?(?= (?:a|au|to|until|pour) )"
)


def is_likely(text: str) -> bool:
    """Whether a text may name a day or an hour: a look at it, which costs far less than reading it."""
    return _DAY_OR_HOUR.search(plain(text[:_READ])) is not None


def dates_in(text: str, sent: datetime, language: str, most: int = MOST, longest: int = _READ) -> list[Understood]:
    """What the first sentences say that name a day, or an hour (of a day named before, or of the message's), at most `most`; as
    at the moment when the message was `sent` (by one's own clock). `longest`: characters of it.

    Bounded in time, whatever the text. Quoted text and the head lines of answered messages don't count.
    """
    found: list[Understood] = []
    read, until = 0, time.thread_time() + _PATIENCE
    previous = False  # whether the sentence before named what was found last
    for sentence in _sentences(text[:longest]):
        simple = plain(sentence)
        likely = _DAY_OR_HOUR.search(simple)
        if likely is None and not (previous and _PLACE.search(simple)):
            previous = False
            continue
        if len(found) >= most or read >= _MOST_READ or (read and time.thread_time() > until):
            break
        read += 1
        near = _near(sentence, likely.start() if likely else 0)
        one = _read(near, sent, language)
        if found and _completes(found[-1], one, near=previous):
            found[-1] = _completed(found[-1], one)
            continue
        is_date = _is_date(one, near, sent)
        previous = is_date and (one.has_day or not found)
        if is_date and not _is_said_again(found, one) and previous:
            found.append(replace(one, is_deadline=_is_deadline(one, near)))
    return found


def _is_deadline(understood: Understood, sentence: str) -> bool:
    """Whether a sentence says until when something is to be done, and not that people meet."""
    simple = plain(sentence)
    return not understood.place and _DEADLINE.search(simple) is not None and _GATHERING.search(simple) is None


def _is_said_again(found: list[Understood], understood: Understood) -> bool:
    """Whether this time was named before, as in the subject; then it is the same event, of which it may say where."""
    for number, other in enumerate(found):
        if (understood.start, understood.end) == (other.start, other.end):
            found[number] = replace(other, place=other.place or understood.place)
            return True
    return False


def _near(sentence: str, at: int) -> str:
    """What is read of a sentence: where it is long, what stands around the date."""
    if len(sentence) <= quick_entry.LONGEST:
        return sentence
    begins = sentence.rfind(" ", 0, max(at - _BEFORE, 0)) + 1
    return sentence[begins : begins + _AROUND]


def _read(sentence: str, sent: datetime, language: str) -> Understood:
    """A sentence; of one that says that something was moved, to when."""
    moved = _MOVED.search(plain(sentence))
    if moved is None:
        return quick_entry.read(sentence, sent, language)
    before = quick_entry.read(sentence[: moved.start()], sent, language)
    after = quick_entry.read(sentence[moved.end() :], sent, language)
    after = replace(after, place=after.place or before.place)
    if after.has_hour and not after.has_day and before.has_day:
        return _on(after, _day(before.start))
    if after.has_day and not after.has_hour and before.has_hour and not after.repeat.kind:
        return _on(before, _day(after.start))
    return after


def _is_date(understood: Understood, sentence: str, sent: datetime) -> bool:
    """Whether a sentence names a time that is to come, and not one that comes again and again."""
    if {"no-date", "past"} & set(understood.remarks) or (understood.repeat.kind and not understood.repeat.times):
        return False
    if "next-year" in understood.remarks and _day(understood.start) - sent.date() > _FAR:  # "your message of 12 November"
        return False
    return understood.has_day or (
        understood.has_hour and "night" not in understood.remarks and _HOURS.search(plain(sentence)) is not None
    )


def _completes(understood: Understood, other: Understood, *, near: bool) -> bool:
    """Whether a sentence says the hour, or `near` it the place, of what one before it named."""
    if other.has_day or other.repeat.kind:
        return False
    if other.has_hour:
        return understood.all_day and understood.start == understood.end and not understood.more
    return near and bool(other.place and not understood.place)


def _completed(understood: Understood, other: Understood) -> Understood:
    whole = replace(understood, place=understood.place or other.place)
    if not other.has_hour or not understood.all_day:
        return whole
    return replace(_on(other, _day(understood.start)), place=whole.place, remarks=understood.remarks)


def _on(understood: Understood, day: date) -> Understood:
    """The same hours on another day."""
    if not isinstance(understood.start, datetime) or not isinstance(understood.end, datetime):
        return replace(understood, start=day, end=day, has_day=True)
    more: timedelta = day - understood.start.date()
    remarks = tuple(remark for remark in understood.remarks if remark not in ("tomorrow", "next-week"))
    return replace(understood, start=understood.start + more, end=understood.end + more, has_day=True, remarks=remarks)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _sentences(text: str) -> Iterator[str]:
    for line in _lines(text):
        if not line.lstrip().startswith(">") and not _SAID.search(plain(line)):
            yield from _SENTENCE.split(line)


def _lines(text: str) -> Iterator[str]:
    """The lines, put together where a long one goes on in the next."""
    whole: list[str] = []
    for line in map(str.strip, unicodedata.normalize("NFC", text).split("\n")):
        if whole and (len(whole[-1]) < _WRAPPED or not line[:1].isalnum() or whole[-1].startswith(">")):
            yield " ".join(whole)
            whole = []
        whole.append(line)
    if whole:
        yield " ".join(whole)
