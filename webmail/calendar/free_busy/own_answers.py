"""Own answers: what somebody answered to the meetings in their calendar, read from an object's lines without parsing it all."""

from __future__ import annotations

import re
from collections.abc import Set

from webmail.mime.headers.address_input import address_key

_FOLD = re.compile("\r?\n[ \t]")
_ANSWER = re.compile(r';PARTSTAT="?([A-Za-z-]+)', re.I)
ABSENT = ("DECLINED", "DELEGATED")
UNSURE = ("TENTATIVE", "NEEDS-ACTION")
_NOT_SURE = re.compile(f'="?(?:{"|".join([*ABSENT, *UNSURE])})', re.I)


def answers_in(text: str, addresses: Set[str]) -> dict[str, str]:
    """The PARTSTAT of who has these addresses, by RECURRENCE-ID ("": of the event, or its series). `addresses`: normalised."""
    found: dict[str, str] = {}
    at = answer = ""
    text = _FOLD.sub("", text)
    if not _NOT_SURE.search(text):  # nobody answered anything that changes a time
        return found
    for line in text.splitlines():
        name = line[:13].upper()
        if name.startswith("ATTENDEE"):
            if "@" in line and address_key(_address(line)) in addresses and (said := _ANSWER.search(line)):
                answer = said[1].upper()
        elif name.startswith("BEGIN:VEVENT"):
            at = answer = ""
        elif name.startswith("RECURRENCE-ID"):
            at = line.rpartition(":")[2].strip()
        elif name.startswith("END:VEVENT") and answer:
            found[at] = answer
    return found


def _address(line: str) -> str:
    at = line.lower().rfind("mailto:")
    return line[at + 7 :].strip() if at >= 0 else ""


def level_of(level: int, answer: str) -> int:
    """How much of somebody's time a meeting takes (0: none, 1: perhaps, 2: all) after they have answered so."""
    if answer in ABSENT:
        return 0
    return min(level, 1) if answer in UNSURE else level
