"""Offers: appointments that somebody offers, by themselves or with colleagues, and the slots that these have."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import peewee as pw

from webmail.calendar import editing, objects
from webmail.calendar.free_busy import host_events
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import LimitReachedError
from webmail.models import (
    AppointmentBooking,
    AppointmentHost,
    AppointmentOffer,
    AppointmentSlot,
    BookingState,
    Resource,
    User,
    now,
)
from webmail.transfers import links
from webmail.transfers.links import LinkKind

LONGEST_TITLE, LONGEST_MESSAGE, LONGEST_LOCATION, LONGEST_QUESTION = 200, 4_000, 300, 200
MOST_OFFERS = 200  # of one person, that are not over
MOST_HOSTS = 40
MOST_SLOTS = 3_000  # of one offer
MOST_CAPACITY = 100
MOST_DAYS = 366
FIELDS = ("child", "class", "phone", "note")  # what may be asked for, in this order
LIVE = (BookingState.HELD, BookingState.BOOKED)


class TooManySlotsError(ValueError):
    """More slots than one offer may have, or none at all (`count`)."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} slots")
        self.count = count


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """What is offered. `days`: on which; `begins` and `ends`: minutes of a day; `length` and `pause`: minutes."""

    title: str
    days: tuple[date, ...]
    begins: int
    ends: int
    length: int
    pause: int = 0
    message: str = ""
    location: str = ""
    resource: Resource | None = None
    capacity: int = 1
    most: int = 1
    fields: tuple[str, ...] = ()
    question: str = ""
    notice: int = 0
    ahead: int = 0
    cancel_notice: int = 0
    waiting: bool = False
    remind: bool = True


@dataclass(slots=True)
class ListedOffer:
    """A row of one's list. `agrees`: the host's own word, None for who offers it without being one."""

    offer: AppointmentOffer
    slots: int = 0
    booked: int = 0
    mine: bool = True
    host: AppointmentHost | None = field(default=None)


def times(plan: OfferPlan, zone: tzinfo) -> list[tuple[int, int]]:
    """When the slots of one host are, in seconds since 1970: none where the clock skips it or has it twice."""
    found = []
    for day in plan.days:
        at = plan.begins
        while at + plan.length <= plan.ends:
            start = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=at)
            begun = int(start.timestamp())
            if datetime.fromtimestamp(begun, zone).replace(tzinfo=None) == start.replace(tzinfo=None):
                found.append((begun, begun + plan.length * 60))
            at += plan.length + plan.pause
    return found


def make(owner: User, plan: OfferPlan, hosts: Sequence[User], settings: Settings) -> AppointmentOffer:
    """Offer it. Those of the hosts in whose calendar the owner writes have agreed with that. 1 transaction.

    Raises TooManySlotsError, LimitReachedError.
    """
    count = len(hosts) * len(plan.days) * ((plan.ends - plan.begins + plan.pause) // (plan.length + plan.pause))
    if count > 2 * MOST_SLOTS:  # no need to look when each would be
        raise TooManySlotsError(count)
    spans = times(plan, objects.zone_of(settings.timezone))
    if not spans or len(spans) * len(hosts) > MOST_SLOTS:
        raise TooManySlotsError(len(spans) * len(hosts))
    nonce = links.new_nonce()
    with db.atomic():
        if _mine(owner).where(AppointmentOffer.ends > _seconds()).count() >= MOST_OFFERS:
            raise LimitReachedError("too many offers")
        agreed = {owner.id, *_writable_owners(owner)}
        hashed = links.link_hash(_token(nonce, settings))
        offer: AppointmentOffer = AppointmentOffer.create(
            owner=owner, nonce=nonce, link_hash=hashed, title=plan.title, message=plan.message, location=plan.location,
            resource=plan.resource, capacity=plan.capacity, most=plan.most, fields=" ".join(plan.fields), question=plan.question,
            notice=plan.notice, ahead=plan.ahead, cancel_notice=plan.cancel_notice, waiting=int(plan.waiting),
            remind=int(plan.remind), ends=max(end for _start, end in spans),
        )  # fmt: skip
        mark = uid_prefix(offer)
        for host in hosts:
            row = AppointmentHost.create(offer=offer, user=host, agreed=now() if host.id in agreed else None)
            values = [
                {"offer": offer.id, "host": row.id, "start": start, "end": end, "uid": f"{mark}{row.id}-{start}"}
                for start, end in spans
            ]
            for at in range(0, len(values), 100):
                AppointmentSlot.insert_many(values[at : at + 100]).execute()
    return offer


def uid_prefix(offer: AppointmentOffer) -> str:
    """How the UIDs of its events begin."""
    return f"{host_events.UID}{hashlib.sha256(offer.nonce.encode()).hexdigest()[:20]}-"


def _writable_owners(owner: User) -> set[int]:
    """In whose calendars somebody writes, by `id`."""
    return {one.collection.user_id for one in editing.calendars(owner) if one.writes and editing.takes_events(one)}


def _seconds() -> int:
    return int(datetime.now().timestamp())


# --- links -----------------------------------------------------------------------------------------------------------


def token(offer: AppointmentOffer, settings: Settings) -> str:
    """The last part of its public address."""
    return _token(offer.nonce, settings)


def _token(nonce: str, settings: Settings) -> str:
    return links.token(LinkKind.APPOINTMENT, nonce, settings.secret_key)


def by_token(given: str) -> AppointmentOffer | None:
    """The offer of a public address. 1 query; none for what is no token."""
    if links.parts(given) != (given, None):
        return None
    found: AppointmentOffer | None = (
        AppointmentOffer.select(AppointmentOffer, User)
        .join(User, on=(AppointmentOffer.owner == User.id))
        .where(AppointmentOffer.link_hash == links.link_hash(given), User.active == 1)
        .first()
    )
    return found


# --- one's own -------------------------------------------------------------------------------------------------------


def _mine(user: User) -> Any:
    return AppointmentOffer.select().where(AppointmentOffer.owner == user)


def listed(user: User) -> list[ListedOffer]:
    """What somebody offers or is asked to offer, the latest first. 4 queries."""
    hosts = {one.offer_id: one for one in AppointmentHost.select().where(AppointmentHost.user == user)}
    chosen = (AppointmentOffer.owner == user) | AppointmentOffer.id.in_(list(hosts))
    rows = list(AppointmentOffer.select().where(chosen).order_by(AppointmentOffer.ends.desc()).limit(2 * MOST_OFFERS))
    numbers = [one.id for one in rows]
    slots: Counter[int] = Counter(
        dict(_counts(AppointmentSlot, AppointmentSlot.offer.in_(numbers), AppointmentSlot.removed == 0))
    )
    is_booked = AppointmentBooking.state == BookingState.BOOKED
    booked: Counter[int] = Counter(dict(_counts(AppointmentBooking, AppointmentBooking.offer.in_(numbers), is_booked)))
    return [
        ListedOffer(one, slots[one.id] * one.capacity, booked[one.id], one.owner_id == user.id, hosts.get(one.id)) for one in rows
    ]


def _counts(table: type[AppointmentSlot | AppointmentBooking], *where: pw.Expression) -> list[tuple[int, int]]:
    query: Any = table.select(table.offer, pw.fn.COUNT(table.id)).where(*where).group_by(table.offer)
    return [(number, count) for number, count in query.tuples()]


def find(user: User, number: int) -> AppointmentOffer | None:
    """An offer of somebody, or one of which they are a host. 1 query."""
    hosts = AppointmentHost.select(AppointmentHost.offer).where(AppointmentHost.user == user)
    mine = (AppointmentOffer.owner == user) | AppointmentOffer.id.in_(hosts)
    found: AppointmentOffer | None = AppointmentOffer.select().where(AppointmentOffer.id == number, mine).first()
    return found


def hosts_of(offer: AppointmentOffer, *, agreed: bool = False) -> list[AppointmentHost]:
    """Whose appointments they are, by name; those alone who have `agreed`, and whose account is not disabled. 1 query."""
    query = AppointmentHost.select(AppointmentHost, User).join(User).where(AppointmentHost.offer == offer)
    rows = list(query.where(AppointmentHost.agreed.is_null(False), User.active == 1) if agreed else query)
    return sorted(rows, key=lambda one: (one.user.name or one.user.address).casefold())


def agree(host: AppointmentHost) -> None:
    AppointmentHost.update(agreed=now()).where(AppointmentHost.id == host.id, AppointmentHost.agreed.is_null()).execute()


def refuse(host: AppointmentHost) -> None:
    """The host was asked and does not want to: nobody has booked with them yet."""
    AppointmentHost.delete().where(AppointmentHost.id == host.id, AppointmentHost.agreed.is_null()).execute()


@begun_again
def change(offer: AppointmentOffer, plan: OfferPlan, settings: Settings) -> int:
    """Change what harms nobody who has booked, and add the times of the plan, if it has days; returns how many slots. Who has
    booked is told of another title or place, and the hosts' calendars follow: the worker does both. 1 transaction.

    Raises TooManySlotsError.
    """
    spans = times(plan, objects.zone_of(settings.timezone)) if plan.days else []
    with db.atomic():
        serialize(f"appointment offer {offer.id}")
        hosts = hosts_of(offer)
        there = Counter(dict(_counts(AppointmentSlot, AppointmentSlot.offer == offer)))[offer.id]
        if there + len(spans) * len(hosts) > MOST_SLOTS:
            raise TooManySlotsError(there + len(spans) * len(hosts))
        count = sum(_add_slots(offer, one, spans) for one in hosts)
        before: AppointmentOffer = AppointmentOffer.get_by_id(offer.id)
        values = {
            "title": plan.title, "message": plan.message, "location": plan.location, "fields": " ".join(plan.fields),
            "question": plan.question, "notice": plan.notice, "ahead": plan.ahead, "cancel_notice": plan.cancel_notice,
            "most": plan.most, "capacity": max(plan.capacity, before.capacity), "waiting": int(plan.waiting),
            "remind": int(plan.remind), "ends": max([before.ends, *(end for _start, end in spans)]),
        }  # fmt: skip
        AppointmentOffer.update(**values).where(AppointmentOffer.id == offer.id).execute()
        if (before.title, before.location) != (plan.title, plan.location):
            _outdate(offer)
        if plan.capacity > before.capacity:  # who waits is told of what is free by that
            AppointmentSlot.update(freed=1).where(AppointmentSlot.offer == offer, AppointmentSlot.start > _seconds()).execute()
    return count


def _add_slots(offer: AppointmentOffer, host: AppointmentHost, spans: Sequence[tuple[int, int]]) -> int:
    """Those of these times that touch no other one of this host. Returns how many."""
    rows: Any = AppointmentSlot.select(AppointmentSlot.start, AppointmentSlot.end).where(AppointmentSlot.host == host).tuples()
    there, mark = list(rows), uid_prefix(offer)
    fresh = [(start, end) for start, end in spans if not any(start < late and early < end for early, late in there)]
    values = [
        {"offer": offer.id, "host": host.id, "start": start, "end": end, "uid": f"{mark}{host.id}-{start}", "freed": 1}
        for start, end in fresh
    ]
    for at in range(0, len(values), 100):
        AppointmentSlot.insert_many(values[at : at + 100]).execute()
    return len(values)


def _outdate(offer: AppointmentOffer) -> None:
    """What is booked and still to come has another title or place by now."""
    ahead = AppointmentSlot.select(AppointmentSlot.id).where(AppointmentSlot.offer == offer, AppointmentSlot.start > _seconds())
    mine = (AppointmentBooking.slot.in_(ahead)) & (AppointmentBooking.state == BookingState.BOOKED)
    slots = [one.slot_id for one in AppointmentBooking.select(AppointmentBooking.slot).where(mine)]
    AppointmentBooking.update(outdated=1).where(mine).execute()
    AppointmentSlot.update(stale=1).where(AppointmentSlot.id.in_(slots)).execute()


def has_answers(offer: AppointmentOffer) -> bool:
    """Whether somebody answered the question in the owner's words: another question would get their answers."""
    mine = (AppointmentBooking.offer == offer) & AppointmentBooking.answers.contains('"question"')
    return bool(AppointmentBooking.select().where(mine).exists())


def close(offer: AppointmentOffer, *, closed: bool) -> None:
    """Whether people can book; what is booked stays."""
    AppointmentOffer.update(closed=now() if closed else None).where(AppointmentOffer.id == offer.id).execute()


def cancel(offer: AppointmentOffer, note: str) -> None:
    """None of it takes place, and nobody books any more; the worker tells each who has booked."""
    there = (AppointmentOffer.id == offer.id) & AppointmentOffer.cancelled.is_null()
    AppointmentOffer.update(cancelled=now(), closed=now(), cancel_note=note).where(there).execute()
