"""Quick entry of what is to be done: "rendre les copies vendredi !haute", "water the plants every Monday !low". Never raises."""

from __future__ import annotations

import re
from datetime import date, datetime, tzinfo

from webmail.calendar.quick_entry import quick_entry
from webmail.calendar.quick_entry.quick_phrase import plain
from webmail.calendar.repeat import rule_of
from webmail.mime.formats.calendars.todo_edit import TodoFields

HIGH, MEDIUM, LOW = 1, 5, 9  # as programs with three priorities write them
_PRIORITIES = {
    "haute": HIGH, "urgent": HIGH, "urgente": HIGH, "high": HIGH, "important": HIGH, "importante": HIGH,
    "moyenne": MEDIUM, "normale": MEDIUM, "medium": MEDIUM, "normal": MEDIUM, "basse": LOW, "faible": LOW, "low": LOW,
    "!!!": HIGH, "!!": MEDIUM, "!": LOW,
}  # fmt: skip
_SAID = re.compile(rf"(?<!\S)!({'|'.join(word for word in _PRIORITIES if word.isalpha())}|[1-9])(?!\w)|(?<!\S)(!{{1,3}})(?!\S)")


def read(text: str, now: datetime, language: str, zone: tzinfo) -> TodoFields:
    """What these words say, at the time `now` of the person's clock (without a zone), which is that of `zone`."""
    text = " ".join(text.replace("\0", " ").split())[: quick_entry.LONGEST]
    text, priority = _without_priority(text)
    found = quick_entry.read(text, now, language)
    due: date | datetime | None = found.start if found.has_day or found.has_hour else None
    timed = isinstance(due, datetime)
    rule = rule_of(found.repeat, due, zone if timed else None) if due is not None and found.repeat.kind else ""
    title = found.title if due is not None else text
    if due is not None and found.place and plain(found.place) not in plain(title):
        title = f"{title} ({found.place})"
    return TodoFields(title=title or text, due=due, zone=str(zone) if timed else "", priority=priority, rule=rule)


def _without_priority(text: str) -> tuple[str, int]:
    """The words without what says how important it is; the first word that does counts."""
    simple = plain(text)
    said = list(_SAID.finditer(simple))
    if not said or len(simple) != len(text):
        return text, 0
    word = said[0][1] or said[0][2]
    rest = text[: said[0].start()] + text[said[0].end() :]
    return " ".join(rest.split()) or text, int(word) if word.isdigit() else _PRIORITIES[word]
