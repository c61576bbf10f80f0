"""A year's calendar at Microsoft 365, edited on both sides at random: how it is made, changed, and judged."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import unquote

from tests.support.fakes.graph_mailbox import GraphMailbox
from tests.support.graph_pair import GraphPair, title_of
from webmail.models import RemoteItem

_ZONE = "Romance Standard Time"
_DAY = date(2026, 9, 1)  # a Tuesday


@dataclass(frozen=True, slots=True)
class OfficeYear:
    events: int
    changed_times: int
    edits: int
    conflicts: int


def run(one: GraphPair, mailbox: GraphMailbox, chance: random.Random, scale: int = 1) -> OfficeYear:
    """Fill it, take it over, edit both sides in five rounds, and compare: equal, with each version that somebody wrote."""
    names = _fill(mailbox, chance, 3_000 // scale, 200 // scale)
    one.sync()
    assert sum(one.equal().values()) == len(names)
    edits, base = 0, _titles(one.here())
    for number in range(5):
        for edit in range(10 // scale or 1):
            _edit_here(one, chance, f"here {number}.{edit}")
            _edit_there(mailbox, chance, f"there {number}.{edit}")
            edits += 2
        _edit_both(one, mailbox, chance, f"both {number}")
        edits += 2
        written = (_titles(one.here()) | {event.own["subject"] for event in mailbox.alive().values()}) - base
        one.sync()
        one.sync()
        base = _titles(one.here())
        lost = [title for title in written if not {title, f"{title} (your version)"} & base]
        assert not lost, lost
    one.sync(whole=True)
    found = one.equal()
    changed = sum(len(event.changed) + len(event.cancelled) for event in mailbox.alive().values())
    return OfficeYear(sum(found.values()), changed, edits, sum("(your version)" in title for title in found))


def _edit_both(one: GraphPair, mailbox: GraphMailbox, chance: random.Random, word: str) -> None:
    """The same event, on both sides."""
    there = mailbox.alive()
    rows = RemoteItem.select(RemoteItem.name, RemoteItem.href).where(RemoteItem.link == one.link_id).order_by(RemoteItem.id)
    here = one.here()
    both = [(unquote(row.name), row.href) for row in rows if row.href in here and unquote(row.name) in there]
    name, href = chance.choice(both)
    title = title_of(here[href])
    one.write_here(href, here[href].replace(f"SUMMARY:{title}\r\n", f"SUMMARY:Here {word}\r\n", 1))
    mailbox.change(name, subject=f"There {word}")


def _titles(texts: dict[str, str]) -> set[str]:
    return {title_of(text) for text in texts.values()}


def _fill(mailbox: GraphMailbox, chance: random.Random, events: int, changed: int) -> list[str]:
    names, series = [], []
    for number in range(events):
        day = _DAY + timedelta(days=chance.randrange(330))
        hour = chance.randrange(8, 18)
        start, end = f"{day}T{hour:02}:00:00", f"{day}T{hour + 1:02}:00:00"
        if number % 15 == 0:
            weekday = day.strftime("%A").lower()
            pattern = {"type": "weekly", "daysOfWeek": [weekday], "firstDayOfWeek": "monday", "interval": 1 + number % 2}
            span = {"type": "numbered", "startDate": str(day), "numberOfOccurrences": 12, "recurrenceTimeZone": _ZONE}
            series.append(
                (
                    mailbox.make(f"Series {number}", start, end, _ZONE, recurrence={"pattern": pattern, "range": span}),
                    day,
                    7 * (1 + number % 2),
                )
            )
            names.append(series[-1][0])
        elif number % 15 == 1:
            names.append(
                mailbox.make(f"Day {number}", f"{day}T00:00:00", f"{day + timedelta(days=1)}T00:00:00", "UTC", isAllDay=True)
            )
        else:
            body = {"contentType": "text", "content": f"Notes {number}"}
            names.append(
                mailbox.make(f"Event {number}", start, end, _ZONE, body=body, categories=["Cours"] if number % 3 else [])
            )
    for number in range(changed):
        name, day, step = series[number % len(series)]
        at = str(day + timedelta(days=step * (1 + number // len(series))))
        if number % 4 == 3:
            mailbox.cancel(name, at)
        else:
            mailbox.change(name, at, subject=f"Changed time {number}")
    return names


def _edit_here(one: GraphPair, chance: random.Random, word: str) -> None:
    here = one.here()
    href = chance.choice(sorted(here))
    text = here[href]
    match chance.randrange(4):
        case 0:
            one.write_here(f"{word.replace(' ', '-')}.ics", one.text(f"uid-{word.replace(' ', '-')}", f"New {word}"))
        case 1:
            one.delete_here(href)
        case _:
            title = title_of(text)
            one.write_here(href, text.replace(f"SUMMARY:{title}\r\n", f"SUMMARY:Edited {word}\r\n", 1))


def _edit_there(mailbox: GraphMailbox, chance: random.Random, word: str) -> None:
    alive = mailbox.alive()
    name = chance.choice(sorted(alive))
    day = str(_DAY + timedelta(days=chance.randrange(300)))
    match chance.randrange(5):
        case 0:
            mailbox.make(f"New {word}", f"{day}T09:00:00", f"{day}T10:00:00")
        case 1:
            mailbox.remove(name)
        case 2 if alive[name].own.get("recurrence"):
            mailbox.change(
                name,
                recurrence={
                    **alive[name].own["recurrence"],
                    "range": {**alive[name].own["recurrence"]["range"], "numberOfOccurrences": 8},
                },
            )
        case _:
            mailbox.change(name, subject=f"Edited {word}")
