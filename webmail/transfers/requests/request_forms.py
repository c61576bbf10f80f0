"""Request form: what is typed on the page that asks for files, and the wishes that it says, in the person's time zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from webmail import schedule
from webmail.accounts.permitted_texts import objection
from webmail.config.settings import Settings
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import parse_addresses
from webmail.models import User, now
from webmail.schedule import BadTimeError
from webmail.transfers.limits import MB
from webmail.transfers.requests import requests
from webmail.transfers.requests.requests import Wishes
from webmail.web.current import time_zone

LONGEST_PEOPLE = 20_000  # characters
FURTHEST = timedelta(days=5 * 366)
SIZES = (25, 100, 500, 1024, 5 * 1024, 20 * 1024)  # MB, offered below what the administrator allows


@dataclass(slots=True)
class RequestForm:
    """The form as it was typed; `errors` by field."""

    title: str = ""
    message: str = ""
    who: str = "anyone"  # or "named"
    people: str = ""
    often: str = "several"  # or "once"
    asks_name: bool = True
    until: str = ""
    until_hour: str = ""
    most: str = "0"  # MB; 0: as much as may be
    files: str = ""
    days: str = ""
    notify: bool = True
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, wishes: Wishes) -> RequestForm:
        until = wishes.until.replace(tzinfo=UTC) if wishes.until is not None else None
        return cls(
            wishes.title, wishes.message, "named" if wishes.invited_only else "anyone", "",
            "once" if wishes.once else "several", wishes.asks_name, *schedule.day_and_hour(until, time_zone(), ends=True),
            str(wishes.most_bytes // MB), str(wishes.most_files or ""), str(wishes.days or ""), wishes.notify,
        )  # fmt: skip

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> RequestForm:
        def text(name: str, most: int = 60) -> str:
            return values.get(name, "")[:most].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")

        def line(name: str, most: int = 60) -> str:
            return " ".join(text(name, most).split())

        return cls(
            line("title", 2 * requests.LONGEST_TITLE), text("message", 2 * requests.LONGEST_MESSAGE).strip("\n"),
            line("who"), text("people", LONGEST_PEOPLE), line("often"), values.get("asks_name", "") == "1",
            line("until"), line("until_hour"), line("most"), line("files"), line("days"), values.get("notify", "") == "1",
        )  # fmt: skip

    def read(self, settings: Settings, before: Wishes | None = None) -> Wishes | None:
        """The wishes, None where something is wrong; `errors` says what. A date that it had `before` may be past."""
        if not self.title:
            self.errors["title"] = _("Say what the files are for.")
        for name, text, most in (
            ("title", self.title, requests.LONGEST_TITLE), ("message", self.message, requests.LONGEST_MESSAGE),
        ):  # fmt: skip
            if len(text) > most:
                self.errors[name] = _("This is too long. Use at most %(count)d characters.", count=most)
        until = self._until(before)
        files = self._number("files", settings.transfers.files)
        days = self._number("days", settings.transfers.most_days)
        if not (self.most.isascii() and self.most.isdigit()) or len(self.most) > 9:
            self.errors["most"] = _("Choose one of these.")
        if self.errors:
            return None
        return Wishes(
            self.title, self.message, self.who == "named", self.often == "once", self.asks_name, until, days,
            int(self.most) * MB, files, self.notify,
        )  # fmt: skip

    def read_people(self, user: User, settings: Settings, *, needed: bool) -> list[tuple[str, str]]:
        """(name, address) of those to ask; empty where something is wrong: `errors` says what."""
        try:
            found = parse_addresses(self.people)
        except BadAddressError as error:
            self.errors["people"] = _("“%(value)s” is not an email address.", value=error.value[:80])
            return []
        people = {one.email.lower(): (one.name, one.email) for one in found}
        if needed and not people:
            self.errors["people"] = _("Type at least one address.")
        if len(people) > (most := settings.transfers.recipients):
            self.errors["people"] = ngettext("You can ask at most %(num)d person.", "You can ask at most %(num)d people.", most)
            return []
        if refused := objection(user, people, settings):
            self.errors["people"] = refused
            return []
        return list(people.values())

    def _until(self, before: Wishes | None) -> datetime | None:
        try:
            found = schedule.moment(self.until, self.until_hour, time_zone(), ends=True)
        except BadTimeError:
            self.errors["until"] = _("Enter a date such as 2026-12-24, and a time such as 8:30.")
            return None
        if found is None:
            return None
        stored = found.replace(tzinfo=None)
        if before is not None and stored == before.until:
            return stored
        if stored <= now():
            self.errors["until"] = _("This time has already passed.")
        elif stored > now() + FURTHEST:
            self.errors["until"] = _("This date is too far away. Leave it empty: the link then stays open until you close it.")
        return stored

    def _number(self, name: str, most: int) -> int:
        """0 where nothing is typed."""
        text = getattr(self, name)
        if not text:
            return 0
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
        if not 1 <= value <= most:
            self.errors[name] = _("Type a number from 1 to %(most)d.", most=most)
        return value


def sizes(settings: Settings) -> list[int]:
    """MB that a transfer of a request may be limited to; 0 stands for as much as may be."""
    most = settings.transfers.transfer_mb
    return [one for one in SIZES if one < most]
