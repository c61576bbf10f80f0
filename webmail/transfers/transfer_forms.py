"""Transfer form: what is typed about files that are sent as a link, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from webmail import schedule
from webmail.accounts.permitted_texts import objection
from webmail.auth.passwords import hashing
from webmail.config.settings import Settings
from webmail.errors import BadAddressError
from webmail.mail import Address
from webmail.mime.headers.address_input import parse_addresses
from webmail.models import Transfer, User, now
from webmail.schedule import BadTimeError
from webmail.transfers import assembly
from webmail.transfers.options import TransferOptions
from webmail.web.current import time_zone
from webmail.web.formatting import LANGUAGES, day_in_full, local, number

LONGEST_TO, LONGEST_SUBJECT, LONGEST_MESSAGE, LONGEST_PASSWORD = 30_000, 200, 20_000, 200
SHORTEST_PASSWORD = 6
OPTIONS = tuple(one.name for one in fields(TransferOptions))
_SHOWN = "shown"  # the form has boxes, so one that is not ticked says no


@dataclass(slots=True)
class TransferForm:
    """The form as it was typed; `errors` by field. `until` is a day, or a moment in ISO 8601."""

    to: str = ""
    subject: str = ""
    message: str = ""
    until: str = ""
    language: str = ""  # of the letters to recipients; those with an account here read their own
    options: TransferOptions = field(default_factory=TransferOptions)
    password: str = ""  # a new one
    has_password: bool = False
    no_password: bool = False  # the one that it has is to go
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def fresh(cls, settings: Settings, language: str, to: str = "") -> TransferForm:
        return cls(to=to[:LONGEST_TO], until=last_day(settings.transfers.days), language=language or settings.language)

    @classmethod
    def showing(cls, transfer: Transfer, settings: Settings) -> TransferForm:
        """What was typed when it was left."""
        kept = assembly.typed(transfer)
        ticked = kept.get("options")
        chosen = TransferOptions(**{name: name in ticked for name in OPTIONS}) if isinstance(ticked, list) else TransferOptions()
        until = str(kept.get("until") or last_day(settings.transfers.days))
        to, has_password = str(kept.get("to", "")), bool(transfer.password)
        language = transfer.language or settings.language
        return cls(to, transfer.subject, transfer.message, until, language, chosen, has_password=has_password)

    @classmethod
    def typed(cls, values: MultiDict[str, str], settings: Settings) -> TransferForm:
        def text(name: str, most: int) -> str:
            return values.get(name, "").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")[: most + 1]

        chosen: dict[str, Any] = {name: name in values for name in OPTIONS} if _SHOWN in values else {}
        return cls(
            text("to", LONGEST_TO).strip(), " ".join(text("subject", LONGEST_SUBJECT).split()),
            text("message", LONGEST_MESSAGE).strip(), text("until", 40).strip() or last_day(settings.transfers.days),
            values.get("language", "") if values.get("language", "") in LANGUAGES else "", TransferOptions(**chosen),
            text("password", LONGEST_PASSWORD), no_password="no_password" in values,
        )  # fmt: skip

    def keep_in(self, transfer: Transfer) -> None:
        """Keep it for another visit: of the password only its hash."""
        if self.password and not self.password_fault():
            transfer.password, self.has_password = hashing.hash_password(self.password), True
        elif self.no_password:
            transfer.password, self.has_password = "", False
        transfer.language = self.language or transfer.language
        ticked = [name for name in OPTIONS if getattr(self.options, name)]
        assembly.keep_typed(
            transfer, {"to": self.to[:LONGEST_TO], "until": self.until, "options": ticked},
            subject=self.subject[:LONGEST_SUBJECT], message=self.message[:LONGEST_MESSAGE],
        )  # fmt: skip

    def people(self) -> tuple[Address, ...]:
        """The recipients, each once. Raises BadAddressError."""
        found = {one.email.lower(): one for one in parse_addresses(self.to)}
        return tuple(found.values())

    def expires(self) -> datetime:
        """When the link ends, as tables store it. Raises BadTimeError."""
        at = schedule.moment(self.until, "", time_zone(), ends=True)
        if at is None:
            raise BadTimeError("no day")
        if local(at).time() == time():  # the end of a day, which must read as that day and not as the one after
            at -= timedelta(minutes=1)
        return at.astimezone(UTC).replace(tzinfo=None)

    def check(self, user: User, settings: Settings, *, mails: bool, space: int) -> bool:
        """Note what is wrong with each field. `mails`: recipients are needed; `space`: how many may still be mailed to."""
        if mails:
            self._check_people(settings, space)
        if mails and not self.errors and (refused := objection(user, (one.email for one in self.people()), settings)):
            self.errors["to"] = refused
        self._check_until(settings)
        if len(self.subject) > LONGEST_SUBJECT:
            self.errors["subject"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_SUBJECT)
        if len(self.message) > LONGEST_MESSAGE:
            self.errors["message"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_MESSAGE)
        if fault := self.password_fault():
            self.errors["password"] = fault
        return not self.errors

    def _check_people(self, settings: Settings, space: int) -> None:
        most = settings.transfers.recipients
        try:
            count = len(self.people()) if len(self.to) <= LONGEST_TO else most + 1
        except BadAddressError as error:
            self.errors["to"] = _("“%(value)s” is not an email address.", value=error.value[:80])
            return
        if not count:
            self.errors["to"] = _("Type at least one address, or get a link to share yourself.")
        elif count > most:
            self.errors["to"] = _("Too many people. The limit is %(count)s.", count=number(most))
        elif count > space:
            words = ngettext("You can still write to %(num)s person this hour. Get a link instead, or wait.",
                             "You can still write to %(num)s people this hour. Get a link instead, or wait.", space)  # fmt: skip
            self.errors["to"] = (
                words if space else _("You have written to as many people as you can for now. Get a link instead, or wait.")
            )

    def _check_until(self, settings: Settings) -> None:
        most = settings.transfers.most_days
        try:
            at = self.expires()
        except BadTimeError:
            self.errors["until"] = _("Type a date, such as 2026-12-24.")
            return
        if at <= now() + timedelta(minutes=5):
            self.errors["until"] = _("This day has passed. Choose a later one.")
        elif at > now() + timedelta(days=most + 1):
            last = day_in_full(local(now() + timedelta(days=most)).date())
            self.errors["until"] = _("This date is too far away. The last possible day is %(day)s.", day=last)

    def password_fault(self) -> str:
        """What is wrong with a new password; "" for nothing."""
        if not self.password:
            return ""
        if len(self.password) < SHORTEST_PASSWORD:
            return _("Use at least %(count)d characters.", count=SHORTEST_PASSWORD)
        return (
            ""
            if hashing.usable(self.password)
            else _("This is too long. Use at most %(count)d characters.", count=LONGEST_PASSWORD)
        )


def last_day(days: int) -> str:
    """The day that ends so many days from now, as the field has it."""
    return local(now() + timedelta(days=days)).date().isoformat()
