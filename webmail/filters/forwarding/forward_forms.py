"""Forwarding form: what is chosen on its page, and the forwarding that it says, in the person's time zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail import schedule
from webmail.filters.forwarding import forward_change
from webmail.filters.forwarding.forwarding import MOST_ADDRESSES, Forwarding
from webmail.schedule import BadTimeError
from webmail.web.current import time_zone

_LONGEST_FIELD = 60  # of a day, an hour
_LONGEST_ADDRESS = 254


@dataclass(slots=True)
class ForwardForm:
    """The form as it was sent; `errors` by field. `to`: the addresses that are ticked."""

    on: bool = False
    to: tuple[str, ...] = ()
    keep: bool = True
    until: str = ""
    until_hour: str = ""
    version: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, found: Forwarding, existing: Iterable[str], at: datetime) -> ForwardForm:
        """One that is off or over begins anew, with all the addresses that may be chosen."""
        past = found.until is not None and at >= found.until
        fresh = past or not found.on
        until = ("", "") if fresh else schedule.day_and_hour(found.until, time_zone(), ends=True)
        ticked = tuple(existing)[:MOST_ADDRESSES] if fresh else tuple(one.lower() for one in found.addresses)
        return cls(found.on and not past, ticked, found.keep, *until, forward_change.version_of(found))

    def choose(self, address: str) -> None:
        """Turn it on for this address too: who has just added one wants mail to go there."""
        self.on, self.to = True, tuple(dict.fromkeys((*self.to, address)))

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> ForwardForm:
        to = tuple(dict.fromkeys(one[: _LONGEST_ADDRESS + 1].lower() for one in values.getlist("to")[: 4 * MOST_ADDRESSES]))
        day, hour, version = (values.get(name, "")[:_LONGEST_FIELD] for name in ("until", "until_hour", "version"))
        return cls(_is_ticked(values, "on"), to, _is_ticked(values, "keep"), day, hour, version)

    def read(self, at: datetime) -> Forwarding | None:
        """The forwarding, None where something is wrong; `errors` says what."""
        until = None
        try:
            until = schedule.moment(self.until, self.until_hour, time_zone(), ends=True)
        except BadTimeError:
            self.errors["until"] = _("Enter a date such as 2026-12-24, and a time such as 8:30.")
        if self.on and until is not None and until <= at:
            self.errors["until"] = _("This time has already passed.")
        if self.on and not self.to:
            self.errors["to"] = _("Choose at least one address. New ones are added below.")
        if len(self.to) > MOST_ADDRESSES:
            self.errors["to"] = _("Choose at most %(count)d addresses.", count=MOST_ADDRESSES)
        return None if self.errors else Forwarding(self.on, self.to, self.keep, until)


def _is_ticked(values: MultiDict[str, str], name: str) -> bool:
    return values.get(name, "") not in ("", "0", "false", "off")
