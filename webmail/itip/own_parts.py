"""What is mine in an event that somebody else organises: alarms, categories, colour, whether it takes my time, how private it is,
my notes, and my answer. A new version of the organiser's leaves it alone."""

from __future__ import annotations

import hashlib

from webmail.itip import people
from webmail.itip.people import Addresses
from webmail.itip.versions import Times
from webmail.mime.formats.calendars.component_tree import Component, TextLine, made, made_text

NOTES = "X-TRABOULE-NOTES-OF-ORGANISER"  # a digest of them: what differs was written by me
_MINE = ("CATEGORIES", "COLOR", "TRANSP", "CLASS")
_PREFIXES = ("X-APPLE-TRAVEL", "X-MOZ-", "X-TRABOULE-", "X-EVOLUTION-")


def note(event: Component) -> None:
    """Remember what the organiser wrote, so that what I add is known as mine."""
    event.put(made(NOTES, _digest(event)))


def _digest(event: Component) -> str:
    return hashlib.sha256(event.text("DESCRIPTION").strip().encode()).hexdigest()[:16]


def keep(before: Component, after: Component) -> None:
    """Put what is mine in `before` into the new version `after`, and remember what its organiser wrote."""
    notes = _notes(before, after)
    note(after)
    for name in _MINE:
        if lines := before.lines(name):
            after.remove(name)
            for line in lines:
                after.add(line.copy())
    existing = {line.name for line in after.lines()}
    for line in before.lines():
        if line.name.startswith(_PREFIXES) and line.name != NOTES and line.name not in existing:
            after.add(line.copy())
    after.drop(lambda item: isinstance(item, Component) and item.name == "VALARM")
    for alarm in before.parts("VALARM"):
        after.add(alarm.copy())
    if notes:
        after.put(made_text("DESCRIPTION", notes))


def _notes(before: Component, after: Component) -> str:
    """The text to stand there where I wrote in it; "" for the organiser's own."""
    of_organiser, mine = before.value(NOTES), before.text("DESCRIPTION").strip()
    if not of_organiser or not mine or _digest(before) == of_organiser:
        return ""
    theirs = after.text("DESCRIPTION").strip()
    return mine if _digest(after) == of_organiser or theirs in mine else f"{theirs}\n\n{mine}"


def keep_answer(before: Component, after: Component, me: Addresses, times: tuple[Times, Times]) -> None:
    """My answer stays while the times (before, after) are the same; else it is asked for again."""
    line = people.line_of(after, me)
    if line is None:
        return
    mine = people.line_of(before, me)
    given = people.guest_of(mine).answer if mine is not None else people.NEEDS_ACTION
    if times[0] != times[1]:
        given = people.NEEDS_ACTION
    set_answer(after, line, given)


def set_answer(event: Component, line: TextLine, answer: str, more: dict[str, str] | None = None) -> None:
    """Write the answer of whom a line invites."""
    asked = {"RSVP": "TRUE"} if answer == people.NEEDS_ACTION else {}
    people.change(event, line, {"PARTSTAT": answer.upper(), **asked, **(more or {})})
