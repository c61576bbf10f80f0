"""The form that hands a mailbox over: what is typed, and the terms that it says. Days are the reader's, in their time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from flask_babel import gettext as _

from webmail.models import HandoverKind
from webmail.people.handovers import HandoverTerms
from webmail.web.current import time_zone
from webmail.web.formatting import today

WHOLE, SINCE = "whole", "since"


@dataclass(slots=True)
class HandoverForm:
    """As it was typed; `errors` by field."""

    owner: str = ""  # on the administrators' page
    person: str = ""
    kind: str = str(HandoverKind.ABSENCE)
    start: str = ""
    until: str = ""
    what: str = WHOLE
    since: str = ""
    answers: bool = False
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def empty(cls, owner: str = "") -> HandoverForm:
        return cls(owner=owner, start=today().isoformat())

    @classmethod
    def typed(cls, values: Mapping[str, str]) -> HandoverForm:
        def text(name: str, most: int) -> str:
            return values.get(name, "")[:most].strip()

        return cls(
            text("owner", 254), text("person", 254), text("kind", 20), text("start", 20), text("until", 20), text("what", 20),
            text("since", 20), bool(values.get("answers")), " ".join(text("reason", 1000).split())[:500],
        )  # fmt: skip

    def read(self) -> HandoverTerms | None:
        """None where a field can't be read; `errors` says which."""
        kind = HandoverKind(self.kind) if self.kind in list(HandoverKind) else HandoverKind.ABSENCE
        start = self._moment("start", self.start)
        until = self._moment("until", self.until, ends=True) if kind is HandoverKind.ABSENCE else None
        since = self._day("since", self.since) if self.what == SINCE else None
        if self.what == SINCE and since is None and "since" not in self.errors:
            self.errors["since"] = _("Choose a day.")
        if self.errors:
            return None
        since_day = datetime.combine(since, time()) if since is not None else None
        return HandoverTerms(kind, self.answers, since_day, start, until, self.reason)

    def _moment(self, name: str, text: str, *, ends: bool = False) -> datetime | None:
        """A day's beginning, or its end, in UTC."""
        day = self._day(name, text)
        if day is None:
            return None
        at = datetime.combine(day, time(), time_zone()) + timedelta(days=int(ends))
        return at.astimezone(UTC).replace(tzinfo=None)

    def _day(self, name: str, text: str) -> date | None:
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self.errors[name] = _("Type a day such as 2026-12-31.")
            return None
        if not 1990 <= day.year <= 2100:
            self.errors[name] = _("Type a day such as 2026-12-31.")
            return None
        return day
