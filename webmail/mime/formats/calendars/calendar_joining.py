"""Calendar joining: one file (RFC 5545) of many objects as calendars store them, the definition of each time zone once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webmail.mime.formats.calendars.calendar_files import OURS, logical_lines, unfolded
from webmail.mime.formats.cards.vcard_lines import escaped, folded


def together(texts: Iterable[str], name: str = "", colour: str = "", zone: str = "") -> Iterator[str]:
    """One file of all these objects, in pieces: their components as they are, the definition of each zone once."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{OURS}"]
    head += [folded(f"X-WR-CALNAME:{escaped(name)}")] if name else []
    head += [f"X-APPLE-CALENDAR-COLOR:{colour}"] if colour else []
    head += [f"X-WR-TIMEZONE:{zone}"] if zone else []
    yield "\r\n".join([*head, ""])
    defined: set[str] = set()
    for text in texts:
        yield "".join(_components(text, defined))
    yield "END:VCALENDAR\r\n"


def _components(text: str, defined: set[str]) -> Iterator[str]:
    """The components of an object, but for zones that were defined before."""
    depth, held, kind, zone = 0, [""], "", ""
    for _number, raw in logical_lines(text):
        word = raw[:6].upper()
        if word == "BEGIN:":
            depth += 1
            if depth == 2:
                held, kind, zone = [], raw[6:].strip().upper(), ""
        if depth >= 2:
            held.append(raw)
        if depth == 2 and kind == "VTIMEZONE" and raw[:4].upper() == "TZID":
            zone = unfolded(raw).partition(":")[2].strip()
        if word[:4] == "END:":
            depth -= 1
            if depth == 1 and not (kind == "VTIMEZONE" and zone in defined):
                defined.add(zone)
                yield "".join(held)
