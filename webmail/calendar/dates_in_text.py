"""Dates in the text of a message, for an event made from it: only such as say a day for themselves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime

from webmail.calendar import quick_entry
from webmail.calendar.quick_entry import Understood
from webmail.calendar.quick_phrase import plain
from webmail.calendar.quick_words import ENGLISH, FRENCH

MOST = 5
_PATIENCE = 0.15  # seconds of processor time: nothing is waited for
_READ = 20_000  # characters
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_NAMES = "|".join([*FRENCH.months, *ENGLISH.months, *FRENCH.days, *ENGLISH.days, "demain", "tomorrow", "today", "aujourd'hui"])
_LIKELY = re.compile(rf"\d{{1,2}}/\d{{1,2}}|\d{{4}}-\d\d-\d\d|(?<![a-z])(?:{_NAMES})(?![a-z])")
_SAID = re.compile(r"(?:a ecrit|wrote|schrieb) ?:|^(?:de|from|date|envoye|sent|objet|subject|to|a|cc) ?:")


def dates_in(text: str, sent: datetime, language: str) -> list[Understood]:
    """What the first sentences say that name a day, at most MOST; as on the day when the message was `sent` (by one's own clock).

    Bounded in time, whatever the text. Quoted text and the head lines of answered messages don't count.
    """
    found: list[Understood] = []
    until = time.thread_time() + _PATIENCE
    for sentence in _sentences(text[:_READ]):
        if len(sentence) > quick_entry.LONGEST or not _LIKELY.search(plain(sentence)):
            continue
        if len(found) >= MOST or time.thread_time() > until:
            break
        one = quick_entry.read(sentence, sent, language)
        if {"no-date", "past", "tomorrow"} & set(one.remarks) or one.repeat.kind:
            continue
        if all((one.start, one.end) != (other.start, other.end) for other in found):
            found.append(one)
    return found


def _sentences(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if not line.lstrip().startswith(">") and not _SAID.search(plain(line)):
            yield from _SENTENCE.split(line)
