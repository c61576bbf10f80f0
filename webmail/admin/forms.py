"""The form of a room or thing: what an administrator typed, read into its description."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.auth.address_owners import account_of
from webmail.calendar.rooms.resources import LONGEST_EQUIPMENT, LONGEST_NAME, RoomDescription
from webmail.mime.headers.address_input import address_key
from webmail.models import Resource

_NUMBERS = {"capacity": 100_000, "copies": 1000, "days_ahead": 3650, "hours_notice": 8760, "longest": 60 * 24 * 366}


@dataclass
class RoomForm:
    """The fields as they stand in the form."""

    name: str = ""
    kind: str = "room"
    address: str = ""
    capacity: str = ""
    copies: str = "1"
    equipment: str = ""
    site: str = ""
    days_ahead: str = ""
    hours_notice: str = ""
    longest: str = ""
    approval: bool = False
    approver: str = ""
    closed: bool = False
    bookers: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, resource: Resource) -> RoomForm:
        numbers: dict[str, Any] = {name: str(getattr(resource, name) or "") for name in _NUMBERS}
        approver: Any = resource.approver
        return cls(
            name=resource.name, kind=resource.kind, address=resource.address, equipment=resource.equipment, site=resource.site,
            approval=bool(resource.approval), approver=approver.address if approver else "", closed=bool(resource.closed),
            bookers=resource.bookers.split("\n") if resource.bookers else [], **numbers,
        )  # fmt: skip

    @classmethod
    def sent(cls, typed: MultiDict[str, str]) -> RoomForm:
        form = cls(approval=bool(typed.get("approval")), closed=bool(typed.get("closed")), bookers=typed.getlist("bookers")[:500])
        for one in fields(cls):
            if one.type == "str":
                setattr(form, one.name, typed.get(one.name, "").replace("\0", "").strip()[: LONGEST_EQUIPMENT * 2])
        return form

    def described(self, groups: dict[str, str]) -> RoomDescription | None:
        """What was typed; None with `errors` if it can't be. `groups`: names of those there are, by identifier. 1 query."""
        self.errors = {}
        if not self.name or len(self.name) > LONGEST_NAME:
            self.errors["name"] = _("Enter a name of at most %(count)d characters.", count=LONGEST_NAME)
        equipment = tuple(dict.fromkeys(" ".join(line.split()) for line in self.equipment.splitlines() if line.strip()))
        if len("\n".join(equipment)) > LONGEST_EQUIPMENT:
            self.errors["equipment"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_EQUIPMENT)
        numbers = {name: self._number(name, most) for name, most in _NUMBERS.items()}
        approver = account_of(address_key(self.approver)) if self.approver and self.approval else None
        if self.approver and self.approval and approver is None:
            self.errors["approver"] = _("No account has this address.")
        if self.errors:
            return None
        return RoomDescription(
            name=" ".join(self.name.split()), kind="thing" if self.kind == "thing" else "room", address=self.address,
            capacity=numbers["capacity"], copies=max(numbers["copies"], 1), equipment=equipment,
            site=" ".join(self.site.split())[:200], bookers=tuple(one for one in self.bookers if one in groups),
            days_ahead=numbers["days_ahead"], hours_notice=numbers["hours_notice"], longest=numbers["longest"],
            approval=self.approval, approver=approver, closed=self.closed,
        )  # fmt: skip

    def _number(self, name: str, most: int) -> int:
        typed = getattr(self, name)
        if not typed:
            return 0
        if not re.fullmatch(r"[0-9]{1,7}", typed) or int(typed) > most:
            self.errors[name] = _("Enter a number from 0 to %(most)d.", most=most)
            return 0
        return int(typed)
