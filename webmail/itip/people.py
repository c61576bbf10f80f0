"""People of a meeting: the organiser and those invited (ATTENDEE), with their answers. RFC 5545, 3.8.4; RFC 6638, 7.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webmail.mime.formats.calendars.component_tree import Component, TextLine, made
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.encoded_words import tidy

Addresses = frozenset[str]  # keys: what `key_of` makes of an address

NEEDS_ACTION, ACCEPTED, TENTATIVE, DECLINED, DELEGATED = "needs-action", "accepted", "tentative", "declined", "delegated"
ANSWERS = (ACCEPTED, TENTATIVE, DECLINED)
_PARAM = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^;"])*)')
_PLAIN = re.compile(r"[^,;:\"\x00-\x1f\x7f]*")
_LONGEST = 320


@dataclass(frozen=True, slots=True)
class Invitee:
    """Who is invited. `answer`: see above; `kind`: "individual", "room", "resource", "group"; `agent`: who sends them messages:
    "server" (we do), else somebody else or nobody; `answered`: the DTSTAMP of their latest answer, "" for none."""

    address: str
    key: str
    name: str = ""
    answer: str = NEEDS_ACTION
    role: str = "req-participant"
    kind: str = "individual"
    agent: str = "server"
    answered: str = ""
    rsvp: bool | None = None  # whether an answer is wanted, where the line says so

    @property
    def is_told(self) -> bool:
        """Whether messages are sent to them: not to who is only named, nor to a room that is not to answer."""
        asks = self.rsvp is not False or self.kind not in ("room", "resource")
        return self.agent == "server" and self.role != "non-participant" and asks

    @property
    def is_required(self) -> bool:
        return self.role in ("req-participant", "chair")


def keys(addresses: Iterable[str]) -> Addresses:
    """Addresses as they are compared."""
    return frozenset(address_key(address.strip()) for address in addresses if address.strip())


def key(address: str) -> str:
    """One address as it is compared; "" for none."""
    return next(iter(keys([address])), "")


def params(line: TextLine) -> dict[str, str]:
    """The parameters of a line, by their names in capitals; the first of each."""
    found: dict[str, str] = {}
    for name, value in _PARAM.findall(line.params):
        found.setdefault(name.upper(), value.strip().strip('"'))
    return found


def with_params(line: TextLine, changes: Mapping[str, str]) -> TextLine:
    """The line with these parameters in place of its own; "" takes one out."""
    left = [(name, value) for name, value in _PARAM.findall(line.params) if name.upper() not in changes]
    left += [(name, _quoted(value)) for name, value in changes.items() if value]
    return made(line.name, line.value, "".join(f";{name}={value}" for name, value in left))


def _quoted(value: str) -> str:
    clean = re.sub(r'["\x00-\x1f\x7f]', "", value)
    return clean if _PLAIN.fullmatch(clean) else f'"{clean}"'


def address_of(line: TextLine | None) -> str:
    """The address that a line names; "" without one."""
    if line is None:
        return ""
    value = line.value.strip()
    if value[:7].lower() != "mailto:":
        value = params(line).get("EMAIL", "") or (value if "@" in value and ":" not in value and "/" not in value else "")
    return tidy(value[7:] if value[:7].lower() == "mailto:" else value).strip()[:_LONGEST]


def key_of(line: TextLine | None) -> str:
    """The address as it is compared; "" without one."""
    address = address_of(line)
    return address_key(address) if address else ""


def organizer(event: Component) -> str:
    """The organiser's address, as it is compared."""
    return key_of(event.first("ORGANIZER"))


def named_in(line: TextLine, name: str) -> list[str]:
    """The addresses that a parameter of a line names (DELEGATED-TO, DELEGATED-FROM)."""
    found = re.search(rf";{name}=((?:\"[^\"]*\"|[^;\"])*)", line.params, re.I)
    values = (one.strip().strip('"') for one in found[1].split(",")) if found else ()
    return [one[7:] if one[:7].lower() == "mailto:" else one for one in values if "@" in one][:20]


def speaks_for(line: TextLine | None) -> str:
    """Whom a line names as who acts for them (SENT-BY), as it is compared."""
    value = params(line).get("SENT-BY", "") if line is not None else ""
    return address_key(value[7:] if value[:7].lower() == "mailto:" else value) if value else ""


def guests(event: Component) -> list[Invitee]:
    """All who are invited, each once."""
    found: dict[str, Invitee] = {}
    for line in event.lines("ATTENDEE"):
        if (guest := guest_of(line)).key:
            found.setdefault(guest.key, guest)
    return list(found.values())


def guest_of(line: TextLine) -> Invitee:
    """Who is invited by a line."""
    of_line = params(line)
    address = address_of(line)
    return Invitee(
        address, address_key(address) if address else "", tidy(of_line.get("CN", ""))[:200],
        of_line.get("PARTSTAT", "").lower() or NEEDS_ACTION, of_line.get("ROLE", "").lower() or "req-participant",
        of_line.get("CUTYPE", "").lower() or "individual", of_line.get("SCHEDULE-AGENT", "").lower() or "server",
        of_line.get(ANSWERED, ""), {"TRUE": True, "FALSE": False}.get(of_line.get("RSVP", "").upper()),
    )  # fmt: skip


ANSWERED = "X-TRABOULE-ANSWERED"  # parameter of an attendee: when (DTSTAMP) their latest answer was made


def line_of(event: Component, addresses: Addresses) -> TextLine | None:
    """The line that invites somebody of these addresses."""
    return next((line for line in event.lines("ATTENDEE") if key_of(line) in addresses), None)


def change(event: Component, line: TextLine, changes: Mapping[str, str]) -> None:
    """Change the parameters of a line of the event."""
    at = next(at for at, item in enumerate(event.items) if item is line)
    event.items[at] = with_params(line, changes)


def invite(event: Component, guest: Invitee, more: Mapping[str, str] | None = None) -> None:
    """Add somebody to those invited."""
    line = made("ATTENDEE", f"mailto:{guest.address}")
    values = {
        "CN": guest.name, "ROLE": guest.role.upper() if guest.role != "req-participant" else "",
        "CUTYPE": guest.kind.upper() if guest.kind != "individual" else "", "PARTSTAT": guest.answer.upper(),
        "RSVP": "TRUE" if guest.answer == NEEDS_ACTION else "",
    }  # fmt: skip
    event.add(with_params(line, {**values, **(more or {})}))
