"""Form of what a group or establishment gives, or of what one person has of their own.

What was typed, read into values, stays to be corrected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.config.connected_services import SERVICES
from webmail.people import policies
from webmail.people.listing import group_pages
from webmail.people.policies import AREAS, FORWARDING, Policy
from webmail.web.formatting import decimal

_SIZES = {"quota_bytes": (1024**3, 100_000), "message_bytes": (1024**2, 1000), "attachment_bytes": (1024**2, 1000)}
_NUMBERS = {"quota_messages": 2_000_000_000, "recipients_per_hour": 1_000_000, "recipients_per_day": 1_000_000}
NAMES = (
    *_SIZES,
    *_NUMBERS,
    "forwarding",
    "forwarding_domains",
    "second_step",
    "own_hidden",
    "own_services",
    "writes_to",
    "written_by",
    "reach",
    "files_by",
)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_LONGEST = 5000  # characters


@dataclass
class PolicyForm:
    """The fields as they stand in the form: texts, and the areas that are ticked."""

    typed: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, said: Policy) -> PolicyForm:
        """Of a group, an establishment, or one person."""
        typed = {name: _as_typed(getattr(said, name), unit) for name, (unit, _most) in _SIZES.items()}
        typed |= {name: _as_typed(getattr(said, name), 1) for name in _NUMBERS}
        typed |= {name: getattr(said, name) or "" for name in ("forwarding", "writes_to", "written_by", "files_by")}
        typed["forwarding_domains"] = " ".join(said.forwarding_domains)
        typed["second_step"] = "" if said.second_step is None else str(int(said.second_step))
        typed["own_hidden"] = "1" if said.hidden is not None else ""
        typed["own_services"] = "1" if said.services is not None else ""
        typed["reach"] = "\n".join(group_pages.names_of(said.reach))
        return cls(typed, list(said.hidden or ()), list(said.services or ()))

    @classmethod
    def sent(cls, form: MultiDict[str, str]) -> PolicyForm:
        typed = {name: form.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in NAMES}
        services = [one for one in form.getlist("services") if one in SERVICES]
        return cls(typed, [one for one in form.getlist("hidden") if one in AREAS], services)

    def read(self, domains: frozenset[str] | None, before: Policy, most_given: Mapping[str, int]) -> Policy | None:
        """What was typed; None with `errors` if it can't be. 1 query.

        `domains`: of the groups that may be named; None: all. `most_given`: the most that may be given, by name; what stands
        there `before` may stay.
        """
        self.errors = {}
        values: dict[str, Any] = {name: self._number(name, most, unit) for name, (unit, most) in _SIZES.items()}
        values |= {name: self._number(name, most) for name, most in _NUMBERS.items()}
        for name, most in most_given.items():
            if values[name] not in (None, getattr(before, name)) and not 0 < values[name] <= most:
                self.errors.setdefault(name, _("Enter a number from 1 to %(most)d.", most=most))
        values["forwarding"] = self._chosen("forwarding", FORWARDING)
        values["writes_to"] = self._chosen("writes_to", policies.WRITES_TO)
        values["written_by"] = self._chosen("written_by", policies.WRITTEN_BY)
        values["files_by"] = self._chosen("files_by", policies.FILES_BY)
        values["second_step"] = {"1": True, "0": False}.get(self.typed["second_step"])
        values["hidden"] = tuple(self.hidden) if self.hidden or self.typed["own_hidden"] else None
        values["services"] = tuple(self.services) if self.typed["own_services"] else None
        names = [one.lower() for one in re.split(r"[,\s]+", self.typed["forwarding_domains"]) if one]
        if wrong := next((one for one in names if not _DOMAIN.fullmatch(one)), ""):
            self.errors["forwarding_domains"] = _(
                "“%(name)s” is not a domain. Enter names such as lycee.example.", name=wrong[:80]
            )
        values["forwarding_domains"] = tuple(names) if values["forwarding"] == "domains" else ()
        values["reach"] = self._groups(domains) if values["writes_to"] in ("groups", "own") else ()
        return None if self.errors else Policy(**values)

    def _groups(self, domains: frozenset[str] | None) -> tuple[str, ...]:
        typed = [" ".join(line.split()) for line in self.typed["reach"].splitlines() if line.strip()]
        there, unknown = group_pages.by_names(domains, typed) if typed else ([], [])
        if unknown:
            self.errors["reach"] = _(
                "There is no group called “%(name)s”. Enter its name as the list of groups shows it, or remove the line.",
                name=unknown[0][:100],
            )
        return tuple(one.identifier for one in there)

    def _chosen(self, name: str, among: tuple[str, ...]) -> str | None:
        return self.typed[name] if self.typed[name] in among else None

    def _number(self, name: str, most: int, unit: int = 1) -> int | None:
        typed = self.typed[name].replace(",", ".")
        if not typed:
            return None
        whole = re.fullmatch(r"[0-9]{1,10}" + (r"(\.[0-9]{1,3})?" if unit > 1 else ""), typed)
        if not whole or float(typed) > most:
            self.errors[name] = _("Enter a number from 0 to %(most)d.", most=most)
            return None
        return int(float(typed) * unit)


def _as_typed(value: int | None, unit: int) -> str:
    return "" if value is None else decimal(round(value / unit, 3))
