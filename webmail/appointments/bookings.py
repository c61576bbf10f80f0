"""Bookings: who has which place of a slot. Held from the form on, confirmed by a link in a mail; moved, given back, cancelled.

A place is a row that can be there once (slot and place are unique together). Those who book with the same host wait for each
other, so that whoever comes second sees what is taken instead of a broken transaction.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from webmail import rate_limits
from webmail.appointments import free_slots, host_calendar, limits
from webmail.appointments.offers import LIVE
from webmail.calendar.rooms.bookings import RoomRefusedError
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.models import (
    AppointmentBooking,
    AppointmentHost,
    AppointmentOffer,
    AppointmentSlot,
    BookingState,
)
from webmail.rate_limits import Use
from webmail.transfers import links
from webmail.transfers.links import LinkKind

log = logging.getLogger(__name__)

HOLD = timedelta(minutes=10)
HOLD_OF_WAITING = timedelta(hours=4)  # for the first of the waiting list, who is told by mail
LONGEST_NAME, LONGEST_ADDRESS, LONGEST_ANSWER = 100, 254, 500


class SlotTakenError(Exception):
    """Somebody else has the last place, or its host has something else by now."""


class EnoughBookedError(Exception):
    """The address has as many appointments as one may have."""


class TooLateError(Exception):
    """It is too near to be moved or given back, or over."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who books, as they typed it. `address`: as addresses are compared; `answers`: by field."""

    name: str
    address: str
    answers: dict[str, str] = field(default_factory=dict)
    language: str = ""


def token(booking: AppointmentBooking, settings: Settings) -> str:
    """The last part of the address of a booking's page."""
    return links.token(LinkKind.BOOKING, booking.nonce, settings.secret_key)


def find(given: str) -> AppointmentBooking | None:
    """A booking by its link. 1 query; none for what is no token."""
    if links.parts(given) != (given, None):
        return None
    query = AppointmentBooking.select().where(AppointmentBooking.link_hash == links.link_hash(given))
    found: AppointmentBooking | None = query.first()
    return found


def state(booking: AppointmentBooking, at: datetime) -> BookingState:
    """What it is at this moment: what is held ends by itself, and all of it with its offer, before the worker has come to it."""
    if booking.state in (*LIVE, BookingState.WAITING) and booking.offer.cancelled is not None:
        return BookingState.CANCELLED
    if booking.state == BookingState.HELD and (booking.until is None or booking.until <= at):
        return BookingState.LAPSED
    return BookingState(booking.state)


def answers(booking: AppointmentBooking) -> dict[str, str]:
    return {str(name): str(value) for name, value in json.loads(booking.answers or "{}").items()}


@begun_again
def reserve(
    offer: AppointmentOffer, number: int, guest: Applicant, settings: Settings, at: datetime
) -> AppointmentBooking | None:
    """Hold a place in a slot (by `id`) for somebody who has to confirm it; None where their address has all it may have
    already, which nobody but they learn. 1 transaction; the mail belongs to the caller's. Raises SlotTakenError."""
    with db.atomic():
        host = locked(offer, number)
        if host is None:
            raise SlotTakenError
        if offer.most and count(offer, guest.address) >= offer.most:
            return None
        _release_lapsed(number, at)
        position = _position(offer, number, at, settings)
        _release_oldest(offer, guest.address, at)
        return _written(offer, guest, settings, slot=number, position=position, state=BookingState.HELD, until=at + HOLD)


@begun_again
def wait(offer: AppointmentOffer, guest: Applicant, settings: Settings) -> AppointmentBooking:
    """Put somebody on the waiting list, once they confirm it. 1 transaction."""
    with db.atomic():
        return _written(offer, guest, settings, state=BookingState.ASKED)


def _written(offer: AppointmentOffer, guest: Applicant, settings: Settings, **values: object) -> AppointmentBooking:
    nonce = links.new_nonce()
    hashed = links.link_hash(links.token(LinkKind.BOOKING, nonce, settings.secret_key))
    written: AppointmentBooking = AppointmentBooking.create(
        offer=offer, name=guest.name, address=guest.address, answers=json.dumps(guest.answers, ensure_ascii=False),
        language=guest.language, nonce=nonce, link_hash=hashed, **values,
    )  # fmt: skip
    return written


def locked(offer: AppointmentOffer, *numbers: int | None) -> AppointmentHost | None:
    """The host of the (first) slot, for whom no one else books meanwhile. 1 query; on PostgreSQL a lock for each host."""
    rows = AppointmentSlot.select(AppointmentSlot, AppointmentHost).join(AppointmentHost)
    found = {one.id: one.host for one in rows.where(AppointmentSlot.offer == offer, AppointmentSlot.id.in_(list(numbers)))}
    for user in sorted({host.user_id for host in found.values()}):
        serialize(f"appointments of {user}")
    host: AppointmentHost | None = found.get(numbers[0])
    return host


def _position(offer: AppointmentOffer, number: int | None, at: datetime, settings: Settings) -> int:
    """The first place of a slot that nobody has. Raises SlotTakenError."""
    fresh: AppointmentOffer = AppointmentOffer.get_by_id(offer.id)
    if number is None or not free_slots.listed(fresh, at, settings, number=number):
        raise SlotTakenError
    taken = free_slots.places(fresh, at, number).get(number, set())
    return min(set(range(fresh.capacity)) - taken)


def _release_lapsed(number: int | None, at: datetime) -> None:
    """What was not confirmed in time has no place any more."""
    _release((AppointmentBooking.slot == number) & (AppointmentBooking.until <= at))


def _release_oldest(offer: AppointmentOffer, address: str, at: datetime) -> None:
    """Who chooses again and again before they confirm gives back what they chose first; what is held for who waited stays,
    since whoever types their address is not them."""
    mine = (AppointmentBooking.offer == offer) & (AppointmentBooking.address == address)
    mine &= (AppointmentBooking.state == BookingState.HELD) & (AppointmentBooking.until > at)
    mine &= AppointmentBooking.confirmed.is_null()
    rows = AppointmentBooking.select(AppointmentBooking.id).where(mine).order_by(AppointmentBooking.id.desc())
    over = [one.id for one in rows.offset(limits.HELD_AT_ONCE - 1).limit(100)]
    if over:
        _release(AppointmentBooking.id.in_(over))


def _release(which: Any) -> None:
    """Take the places of those of these that are held: who waits for their slots is told."""
    over = which & (AppointmentBooking.state == BookingState.HELD)
    left = [one.slot_id for one in AppointmentBooking.select(AppointmentBooking.slot).where(over)]
    if AppointmentBooking.update(state=BookingState.LAPSED, position=None, until=None).where(over).execute():
        AppointmentSlot.update(freed=1).where(AppointmentSlot.id.in_(left)).execute()


def count(offer: AppointmentOffer, address: str) -> int:
    """How many confirmed ones an address has. 1 query."""
    return int(of_address(offer, address).count())


def of_address(offer: AppointmentOffer, address: str) -> Any:
    """The confirmed ones of an address."""
    mine = (AppointmentBooking.offer == offer) & (AppointmentBooking.address == address)
    return AppointmentBooking.select().where(mine, AppointmentBooking.state == BookingState.BOOKED)


@begun_again
def confirm(booking: AppointmentBooking, settings: Settings, at: datetime) -> AppointmentBooking:
    """Make what is held a booking, and what was asked a place on the waiting list; what ran out is had again where it is still
    free. Its event stands in the host's calendar. 1 transaction. Raises SlotTakenError, EnoughBookedError."""
    offer = booking.offer
    with db.atomic():
        locked(offer, booking.slot_id)
        serialize(f"appointments {offer.id} {booking.address}")
        row: AppointmentBooking = AppointmentBooking.get_by_id(booking.id)
        if row.state in (BookingState.BOOKED, BookingState.WAITING, BookingState.CANCELLED):
            return row
        if row.state == BookingState.ASKED:
            _give_use_back(row)
            _changed(row, state=BookingState.WAITING, confirmed=_instead_of_others(row) or at)
            return row
        if offer.most and count(offer, row.address) >= offer.most:
            raise EnoughBookedError
        if not free_slots.is_open(AppointmentOffer.get_by_id(offer.id)) or not row.slot.host.user.active:
            raise SlotTakenError
        if state(row, at) is not BookingState.HELD:
            _release_lapsed(row.slot_id, at)
            _changed(row, position=None)
            _changed(row, position=_position(offer, row.slot_id, at, settings))
        _changed(row, state=BookingState.BOOKED, until=None, confirmed=at)
        _give_use_back(row)
        _in_calendar(row.slot, settings)
        return row


def _instead_of_others(row: AppointmentBooking) -> datetime | None:
    """An address waits once, whoever asks again: since when it did, if it did already."""
    same = (AppointmentBooking.offer == row.offer) & (AppointmentBooking.address == row.address)
    waits = same & (AppointmentBooking.state == BookingState.WAITING)
    before = AppointmentBooking.select().where(waits).order_by(AppointmentBooking.confirmed).first()
    AppointmentBooking.update(state=BookingState.CANCELLED).where(waits).execute()
    return before.confirmed if before is not None else None


@begun_again
def choose(booking: AppointmentBooking, number: int, settings: Settings, at: datetime) -> None:
    """Hold another slot (by `id`) for what is not confirmed. 1 transaction. Raises SlotTakenError."""
    offer = booking.offer
    with db.atomic():
        if locked(offer, number, booking.slot_id) is None:
            raise SlotTakenError
        row: AppointmentBooking = AppointmentBooking.get_by_id(booking.id)
        if row.state not in (BookingState.HELD, BookingState.LAPSED):
            raise SlotTakenError
        _release_lapsed(number, at)
        if row.slot_id != number or row.position is None:
            if row.position is not None:
                _freed(row.slot)
            _changed(row, slot=number, position=_position(offer, number, at, settings), state=BookingState.HELD, until=at + HOLD)


@begun_again
def move(booking: AppointmentBooking, number: int, settings: Settings, at: datetime) -> AppointmentBooking:
    """Give a booking another slot (by `id`): it has the old one until it has the new one. 1 transaction.

    Raises SlotTakenError, TooLateError."""
    offer = booking.offer
    with db.atomic():
        if locked(offer, number, booking.slot_id) is None:
            raise SlotTakenError
        row: AppointmentBooking = AppointmentBooking.get_by_id(booking.id)
        before: AppointmentSlot | None = row.slot
        if row.state != BookingState.BOOKED or before is None or not may_change(offer, before, at):
            raise TooLateError
        if before.id == number:
            return row
        _release_lapsed(number, at)
        position = _position(offer, number, at, settings)
        _changed(row, slot=number, position=position, sequence=row.sequence + 1, earlier=0)
        _freed(before)
        _in_calendar(before, settings)
        _in_calendar(AppointmentSlot.get_by_id(number), settings)
        return row


@begun_again
def give_back(
    booking: AppointmentBooking, settings: Settings, at: datetime, *, by_host: bool = False
) -> AppointmentBooking | None:
    """Free its place; what was booked is returned as it is now, None for the rest. 1 transaction. Raises TooLateError."""
    offer = booking.offer
    with db.atomic():
        locked(offer, booking.slot_id)
        row: AppointmentBooking = AppointmentBooking.get_by_id(booking.id)
        if row.state == BookingState.CANCELLED:
            return None
        before: AppointmentSlot | None = row.slot
        was_booked, had_place = row.state == BookingState.BOOKED, row.position is not None
        if was_booked and before is not None and not by_host and not may_change(offer, before, at):
            raise TooLateError
        _changed(row, state=BookingState.CANCELLED, position=None, until=None, sequence=row.sequence + 1)
        if before is not None and had_place:
            _freed(before)
        if before is not None and was_booked:
            _in_calendar(before, settings)
        return row if was_booked else None


def note_use(booking: AppointmentBooking, use: Use) -> None:
    """Keep which use of limits its confirmation gives back: confirmed ones count against nobody."""
    _changed(booking, counted=f"{','.join(use.keys)} {use.mark} {use.at.isoformat()}")


def _give_use_back(row: AppointmentBooking) -> None:
    if row.counted:
        keys, mark, at = row.counted.split(" ")
        rate_limits.give_back(Use(tuple(keys.split(",")), mark, datetime.fromisoformat(at)))
        _changed(row, counted="")


def drop(booking: AppointmentBooking) -> None:
    """Nobody can be told of it."""
    AppointmentBooking.delete().where(AppointmentBooking.id == booking.id).execute()


def lapse(booking: AppointmentBooking, at: datetime) -> None:
    """Take the place of what was held too long; who waited and did not confirm loses their turn. 1 transaction."""
    with db.atomic():
        _release((AppointmentBooking.id == booking.id) & (AppointmentBooking.until <= at))


def hold_for_waiting(
    offer: AppointmentOffer, row: AppointmentSlot, settings: Settings, at: datetime
) -> AppointmentBooking | None:
    """Hold a slot for the first of the waiting list who may still book; None where nobody waits. In a transaction that has
    `locked` it. Raises SlotTakenError."""
    for one in waiting(offer):
        if offer.most and count(offer, one.address) >= offer.most:
            _changed(one, state=BookingState.CANCELLED)
            continue
        _release_lapsed(row.id, at)
        position = _position(offer, row.id, at, settings)
        _changed(one, slot=row.id, position=position, state=BookingState.HELD, until=at + HOLD_OF_WAITING)
        return one
    return None


def wanting_earlier(offer: AppointmentOffer, row: AppointmentSlot) -> list[AppointmentBooking]:
    """Who booked a later time with the same host and wants to be told of this one. 1 query."""
    rows = AppointmentBooking.select(AppointmentBooking, AppointmentSlot).join(AppointmentSlot)
    mine = (AppointmentBooking.offer == offer) & (AppointmentBooking.state == BookingState.BOOKED)
    later = (AppointmentSlot.host == row.host_id) & (AppointmentSlot.start > row.start)
    return list(rows.where(mine, AppointmentBooking.earlier == 1, later).order_by(AppointmentBooking.id).limit(200))


def want_earlier(booking: AppointmentBooking, *, wanted: bool) -> None:
    """Whether who booked is told of an earlier slot."""
    AppointmentBooking.update(earlier=int(wanted)).where(AppointmentBooking.id == booking.id).execute()


def may_change(offer: AppointmentOffer, row: AppointmentSlot, at: datetime) -> bool:
    """Whether a slot is far enough away to be moved or given back."""
    return bool(row.start > free_slots.soon(at, offer.cancel_notice))


def _changed(row: AppointmentBooking, **values: object) -> None:
    AppointmentBooking.update(**values).where(AppointmentBooking.id == row.id).execute()
    for name, value in values.items():
        setattr(row, name, value)


def _freed(row: AppointmentSlot) -> None:
    AppointmentSlot.update(freed=1).where(AppointmentSlot.id == row.id).execute()


def _in_calendar(row: AppointmentSlot, settings: Settings) -> None:
    """Have the host's calendar say it; where that is not possible now, the worker tries again. Raises SlotTakenError, where the
    room is somebody else's by now."""
    try:
        with db.atomic():
            host_calendar.keep(row, settings)
    except RoomRefusedError as error:
        raise SlotTakenError from error
    except host_calendar.REFUSED as error:
        log.warning("the calendar does not show appointment slot %d yet: %s", row.id, error)
        AppointmentSlot.update(stale=1).where(AppointmentSlot.id == row.id).execute()


# --- of an offer -----------------------------------------------------------------------------------------------------


def live(offer: AppointmentOffer, hosts: list[int] | None = None) -> list[AppointmentBooking]:
    """All that is booked or held, in the order of time; of these hosts, or of all. 1 query."""
    rows = AppointmentBooking.select(AppointmentBooking, AppointmentSlot).join(AppointmentSlot)
    chosen = (AppointmentBooking.offer == offer) & AppointmentBooking.state.in_(LIVE)
    if hosts is not None:
        chosen &= AppointmentSlot.host.in_(hosts)
    return list(rows.where(chosen).order_by(AppointmentSlot.start, AppointmentBooking.position))


def waiting(offer: AppointmentOffer) -> list[AppointmentBooking]:
    """Who waits, the first first. 1 query."""
    rows = AppointmentBooking.select().where(AppointmentBooking.offer == offer, AppointmentBooking.state == BookingState.WAITING)
    return list(rows.order_by(AppointmentBooking.confirmed, AppointmentBooking.id))


def outdated_ones() -> Any:
    """Who has booked what has another title or place since."""
    return AppointmentBooking.select().where(AppointmentBooking.outdated == 1)


def take_outdated(row: AppointmentBooking) -> AppointmentBooking | None:
    """The booking, for who is told of it now; None where somebody else does, or it is cancelled meanwhile. In a transaction."""
    due = (AppointmentBooking.id == row.id) & (AppointmentBooking.outdated == 1)
    if not AppointmentBooking.update(outdated=0, sequence=AppointmentBooking.sequence + 1).where(due).execute():
        return None
    fresh: AppointmentBooking = AppointmentBooking.get_by_id(row.id)
    return fresh if fresh.state == BookingState.BOOKED and fresh.offer.cancelled is None else None


def cancelled_ones() -> Any:
    """What is still booked, held or waited for, of offers that do not take place."""
    gone = AppointmentOffer.select(AppointmentOffer.id).where(AppointmentOffer.cancelled.is_null(False))
    active = AppointmentBooking.state.in_([*LIVE, BookingState.WAITING])
    return AppointmentBooking.select().where(AppointmentBooking.offer.in_(gone), active)
