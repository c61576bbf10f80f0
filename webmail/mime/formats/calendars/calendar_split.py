"""Calendar files taken apart: one object for each event, as calendars keep them (RFC 4791, 4.1)."""

from __future__ import annotations

from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, parsed

MOST = 50  # events of a file
LARGEST = 1_000_000  # characters


def events_in(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The METHOD of a file (lower case), and (UID, object) of each event, at most MOST. Raises BrokenTextError."""
    if len(text) > LARGEST or text.count("\n") > 20_000:
        raise BrokenTextError("too large")
    root = parsed(text.lstrip("\ufeff").strip("\r\n \t") + "\r\n")
    if root.name != "VCALENDAR":
        raise BrokenTextError("no calendar")
    grouped: dict[str, list[Component]] = {}
    for event in root.parts("VEVENT"):
        if uid := event.value("UID"):
            grouped.setdefault(uid, []).append(event)
    frame = [line for line in root.lines() if line.name != "METHOD"]
    found = []
    for uid, events in list(grouped.items())[:MOST]:
        zones = {line.param("TZID") for event in events for line in event.lines()}
        used = [zone for zone in root.parts("VTIMEZONE") if zone.text("TZID") in zones]
        found.append((uid, str(Component(root.name, root.begin, [*frame, *used, *events], root.end))))
    return root.value("METHOD").lower(), found
