"""Offer form: what is typed on the page of new appointments, and the plan that it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.appointments import offers
from webmail.appointments.offers import FIELDS, OfferPlan
from webmail.auth.address_owners import accounts_of, owners_of
from webmail.calendar import objects
from webmail.calendar.rooms import resources
from webmail.config.settings import Settings
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import address_key, parse_addresses
from webmail.models import AppointmentOffer, Resource, User
from webmail.people.visibility import sight_of
from webmail.schedule import time_of_day

LONGEST_PEOPLE = 4_000
_FURTHEST = timedelta(days=2 * 366)
REPEATS = ("", "workdays", "weekly")
_NUMBERS = {  # field: least, most
    "length": (5, 24 * 60), "pause": (0, 24 * 60), "capacity": (1, offers.MOST_CAPACITY), "most": (0, 100),
    "notice": (0, 24 * 60), "ahead": (0, 366), "cancel_notice": (0, 24 * 60),
}  # fmt: skip


@dataclass(slots=True)
class OfferForm:
    """The form as it was typed; `errors` by field."""

    title: str = ""
    day: str = ""  # the field `date`
    begins: str = ""  # the field `from`
    until: str = ""
    length: str = "15"
    pause: str = "0"
    repeat: str = ""
    last: str = ""  # day of what repeats
    people: str = ""
    message: str = ""
    location: str = ""
    resource: str = ""
    capacity: str = "1"
    most: str = "1"
    fields: tuple[str, ...] = ()
    question: str = ""
    notice: str = "2"
    ahead: str = "0"
    cancel_notice: str = "2"
    waiting: bool = False
    remind: bool = True
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> OfferForm:
        def line(name: str, most: int = 60) -> str:
            return " ".join(values.get(name, "")[:most].replace("\0", "").split())

        message = (
            values.get("message", "")[: 2 * offers.LONGEST_MESSAGE].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        )
        return cls(
            line("title", 2 * offers.LONGEST_TITLE), line("date"), line("from"), line("until"), line("length") or "15",
            line("pause") or "0", line("repeat"), line("last"), line("people", LONGEST_PEOPLE), message.strip("\n"),
            line("location", 2 * offers.LONGEST_LOCATION), line("resource", 400), line("capacity") or "1", line("most") or "1",
            tuple(one for one in FIELDS if one in values.getlist("fields")), line("question", 2 * offers.LONGEST_QUESTION),
            line("notice") or "0", line("ahead") or "0", line("cancel_notice") or "0", values.get("waiting") == "1",
            values.get("remind") == "1" or "remind_shown" not in values,
        )  # fmt: skip

    @classmethod
    def showing(cls, offer: AppointmentOffer) -> OfferForm:
        """What can be changed of it; the fields of its times are empty, for more of them."""
        return cls(
            offer.title, message=offer.message, location=offer.location, capacity=str(offer.capacity), most=str(offer.most),
            fields=tuple(one for one in FIELDS if one in offer.fields.split()), question=offer.question, notice=str(offer.notice),
            ahead=str(offer.ahead), cancel_notice=str(offer.cancel_notice), waiting=bool(offer.waiting),
            remind=bool(offer.remind),
        )  # fmt: skip

    def read_change(self, offer: AppointmentOffer, owner: User, settings: Settings) -> OfferPlan | None:
        """What becomes of an offer; its people, its room and its times stay. None where something is wrong."""
        more = bool(self.day or self.begins or self.until)
        if not more:  # any will do: it has no days then
            self.day, self.length = (date.today() + timedelta(days=1)).isoformat(), "15"
            self.begins, self.until = "00:00", "23:59"
        self.people, self.resource = "", ""
        found = self.read(owner, settings)
        if not more:
            self.day = self.begins = self.until = ""
        if self.capacity.isdigit() and int(self.capacity) < offer.capacity:
            self.errors["capacity"] = _("Enter at least %(count)d: so many may have booked.", count=offer.capacity)
        if self.question != offer.question and offers.has_answers(offer):
            self.errors["question"] = _(
                "People have answered this question already: “%(question)s”.", question=offer.question
            )  # fmt: skip
        if found is None or self.errors:
            return None
        return found[0] if more else replace(found[0], days=())

    def read(self, owner: User, settings: Settings) -> tuple[OfferPlan, list[User]] | None:
        """The plan and its hosts; None where something is wrong: `errors` says what."""
        for name, text, most in (
            ("title", self.title, offers.LONGEST_TITLE), ("message", self.message, offers.LONGEST_MESSAGE),
            ("location", self.location, offers.LONGEST_LOCATION), ("question", self.question, offers.LONGEST_QUESTION),
        ):  # fmt: skip
            if len(text) > most:
                self.errors[name] = _("This is too long. Use at most %(count)d characters.", count=most)
        if not self.title:
            self.errors["title"] = _("Say what the appointments are for.")
        days = self._days(settings)
        begins, ends = self._minutes("from", self.begins), self._minutes("until", self.until)
        numbers = {name: self._number(name, *bounds) for name, bounds in _NUMBERS.items()}
        if begins is not None and ends is not None and "length" not in self.errors and begins + numbers["length"] > ends:
            self.errors["until"] = _("No appointment of this length fits between these times.")
        hosts = self._hosts(owner, settings)
        resource = self._resource()
        if self.errors or begins is None or ends is None:
            return None
        plan = OfferPlan(
            self.title, days, begins, ends, numbers["length"], numbers["pause"], self.message, self.location, resource,
            numbers["capacity"], numbers["most"], self.fields, self.question, numbers["notice"], numbers["ahead"],
            numbers["cancel_notice"], self.waiting, self.remind,
        )  # fmt: skip
        return plan, hosts

    def _day(self, name: str, text: str) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.errors[name] = _("Enter a date such as 2026-12-24.")
            return None

    def _days(self, settings: Settings) -> tuple[date, ...]:
        first = self._day("date", self.day)
        if first is None:
            return ()
        today = datetime.now(objects.zone_of(settings.timezone)).date()
        if first < today:
            self.errors["date"] = _("This day is over.")
        elif first - today > _FURTHEST:
            self.errors["date"] = _("This day is too far away.")
        if self.repeat not in REPEATS[1:]:
            return (first,)
        last = self._day("last", self.last)
        if last is None or self.errors:
            return ()
        if last < first or (last - first).days >= offers.MOST_DAYS:
            self.errors["last"] = _("The last day comes after the first, within a year.")
            return ()
        step = 7 if self.repeat == "weekly" else 1
        days = [first + timedelta(days=at) for at in range(0, (last - first).days + 1, step)]
        return tuple(one for one in days if step == 7 or one.weekday() < 5)

    def _minutes(self, name: str, text: str) -> int | None:
        try:
            found = time_of_day(text)
        except ValueError:
            self.errors[name] = _("Enter a time such as 14:30.")
            return None
        return found.hour * 60 + found.minute

    def _number(self, name: str, least: int, most: int) -> int:
        text = getattr(self, name)
        if text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most:
            return int(text)
        self.errors[name] = _("Enter a number from %(least)d to %(most)d.", least=least, most=most)
        return least

    def _hosts(self, owner: User, settings: Settings) -> list[User]:
        """The people that were named, of those whom the owner sees; without any, the owner."""
        try:
            typed = parse_addresses(self.people) if self.people else ()
        except BadAddressError as error:
            self.errors["people"] = _("“%(value)s” is not an email address.", value=error.value[:80])
            return []
        wanted = list(dict.fromkeys(address_key(one.email) for one in typed))
        if not wanted:
            return [owner]
        sight = sight_of(owner, settings)
        seen = owners_of(wanted, owner, [] if sight.nobody else sight.accounts())
        numbers = {one.number for one in seen.values()}
        found = {one.address: one for one in accounts_of(wanted) if one.id in numbers}
        if missing := [one for one in wanted if one not in found]:
            self.errors["people"] = _("“%(address)s” is no colleague here.", address=missing[0][:100])
        elif len(wanted) > offers.MOST_HOSTS:
            self.errors["people"] = _("Name at most %(count)d people.", count=offers.MOST_HOSTS)
        return [found[one] for one in wanted if one in found]

    def _resource(self) -> Resource | None:
        if not self.resource:
            return None
        found = resources.by_address([self.resource]).get(address_key(self.resource))
        if found is None or found.closed:
            self.errors["resource"] = _("This room can’t be booked.")
        return found
