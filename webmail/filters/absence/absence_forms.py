"""Absence form: what is typed on its page, and the absence that it says, in the person's time zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail import schedule
from webmail.filters.absence import absence_change
from webmail.filters.absence.absence import INTERVALS, LONGEST_SUBJECT, Absence, Audience, check
from webmail.filters.absence.offered_times import OfferedTimes
from webmail.filters.rules.rules import LONGEST_TEXT, BadRuleError
from webmail.preferences import CHOICES
from webmail.schedule import BadTimeError
from webmail.web.current import preferences, time_zone
from webmail.web.formatting import today

_LONGEST_FIELD = 60  # of a day, an hour, a zone
LONGEST_DECLINE = 1_000


@dataclass(slots=True)
class AbsenceForm:
    """The form as it was typed; `errors` by field."""

    on: bool = False
    since: str = ""
    since_hour: str = ""
    until: str = ""
    until_hour: str = ""
    subject: str = ""
    text: str = ""
    text_inside: str = ""
    formatted: bool = False
    audience: str = str(Audience.EVERYBODY)
    days: str = "7"
    zone: str = ""
    version: str = ""
    in_calendar: bool = False
    declines: str = ""
    decline_text: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, found: Absence, at: datetime) -> AbsenceForm:
        """One that is over begins anew, with the texts of last time; one that is off keeps the days that are still to come."""
        past = found.until is not None and at >= found.until
        begun = not found.on and found.start is not None and at >= found.start
        since = ("", "") if past or begun else schedule.day_and_hour(found.start, time_zone(), ends=False)
        until = ("", "") if past else schedule.day_and_hour(found.until, time_zone(), ends=True)
        return cls(
            found.on and not past, *since, *until, found.subject, found.text, found.text_inside, found.formatted,
            str(found.audience), str(found.days), preferences().school_zone, absence_change.version_of(found),
            preferences().absence_shown, preferences().absence_declines, preferences().absence_decline_text,
        )  # fmt: skip

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> AbsenceForm:
        def text(name: str, most: int = _LONGEST_FIELD) -> str:
            return values.get(name, "")[:most].replace("\r\n", "\n").replace("\r", "\n")

        on = values.get("on", "") not in ("", "0", "false", "off")
        return cls(
            on, text("from"), text("from_hour"), text("until"), text("until_hour"),
            " ".join(text("subject", 2 * LONGEST_SUBJECT).split()), text("text", 3 * LONGEST_TEXT),
            text("text_inside", 3 * LONGEST_TEXT), text("format") == "markdown", text("audience") or str(Audience.EVERYBODY),
            text("days") or "7", text("zone"), text("version"), bool(text("in_calendar")), text("declines"),
            text("decline_text", 3 * LONGEST_DECLINE).strip(),
        )  # fmt: skip

    def read(self, at: datetime) -> Absence | None:
        """The absence, None where something is wrong; `errors` says what."""
        start = self._moment("from", self.since, self.since_hour, ends=False)
        until = self._moment("until", self.until, self.until_hour, ends=True)
        if self.on and start is None and "from" not in self.errors:
            start = at.replace(second=0, microsecond=0)
        if self.on and until is not None and until <= at:
            self.errors["until"] = _("This time has already passed.")
        if self.on and until is None and (self.in_calendar or self.declines) and "until" not in self.errors:
            self.errors["until"] = _("To show it in your calendar or decline invitations, enter an end.")
        if self.declines not in CHOICES["absence_declines"]:
            self.errors["declines"] = _("Choose one of these.")
        if self.days not in map(str, INTERVALS):
            self.errors["days"] = _("Choose one of these.")
        if self.audience not in list(Audience):
            self.errors["audience"] = _("Choose one of these.")
        for name, text, most in self._lengths():
            if len(text) > most:
                self.errors[name] = _("This is too long. Use at most %(count)d characters.", count=most)
        if self.errors:
            return None
        found = Absence(
            self.on, start, until, self.subject, self.text.strip("\n"), self.text_inside.strip("\n"), self.formatted,
            Audience(self.audience), int(self.days),
        )  # fmt: skip
        return found if self._checked(found) else None

    def chosen(self) -> dict[str, bool | str]:
        """The preferences that belong to it."""
        return {
            "absence_shown": self.in_calendar, "absence_declines": self.declines, "absence_decline_text": self.decline_text,
        }  # fmt: skip

    def _lengths(self) -> tuple[tuple[str, str, int], ...]:
        return (
            ("subject", self.subject, LONGEST_SUBJECT), ("text", self.text, LONGEST_TEXT),
            ("text_inside", self.text_inside, LONGEST_TEXT), ("decline_text", self.decline_text, LONGEST_DECLINE),
        )  # fmt: skip

    def _checked(self, found: Absence) -> bool:
        try:
            check(found)
        except BadRuleError as error:
            words = {
                "missing": _("Write the reply that people will get."),
                "order": _("The end must be later than the beginning."),
                "characters": _("This contains characters that can’t be sent. Type it again."),
            }
            self.errors[error.what] = words.get(error.why, _("This can’t be saved as it is."))
        return not self.errors

    def _moment(self, name: str, day: str, hour: str, *, ends: bool) -> datetime | None:
        try:
            return schedule.moment(day, hour, time_zone(), ends=ends)
        except BadTimeError:
            self.errors[name] = _("Enter a date such as 2026-12-24, and a time such as 8:30.")
            return None

    def fill(self, offer: OfferedTimes) -> None:
        """Take the days that are offered: who chooses some will be away."""
        self.on = True
        first, last = offer.first.isoformat(), offer.last.isoformat()
        self.since = "" if offer.first == today() else first
        self.since_hour, self.until, self.until_hour = "", last, ""
