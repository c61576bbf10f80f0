"""Rooms and things as administrators describe them: found, made, changed, deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.auth import account_management
from webmail.calendar.rooms.attendees import KINDS
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.encoded_words import fold, sort_key
from webmail.models import Resource, User

MOST = 2000
LONGEST_NAME, LONGEST_EQUIPMENT = 100, 2000  # characters
_CHUNK = 400


class AddressTakenError(ValueError):
    """The address is that of an account, or of another room."""


class RoomNameTakenError(ValueError):
    """Another room of this site has the name: nobody could tell them apart."""


class UnusableRoomError(ValueError):
    """A name or address that can't be one; the message says which."""


@dataclass(frozen=True, slots=True)
class RoomDescription:
    """What is told of a room or thing. `equipment`: a line each; `bookers`: identifiers of groups, none for everybody."""

    name: str
    kind: str = "room"
    address: str = ""
    capacity: int = 0
    copies: int = 1
    equipment: tuple[str, ...] = ()
    site: str = ""
    bookers: tuple[str, ...] = ()
    days_ahead: int = 0
    hours_notice: int = 0
    longest: int = 0
    approval: bool = False
    approver: User | None = None
    closed: bool = False

    def columns(self) -> dict[str, Any]:
        return {
            "name": self.name, "sort": sort_key(self.name)[:200], "kind": self.kind, "capacity": self.capacity,
            "copies": self.copies, "equipment": "\n".join(self.equipment), "site": self.site, "bookers": "\n".join(self.bookers),
            "days_ahead": self.days_ahead, "hours_notice": self.hours_notice, "longest": self.longest,
            "approval": int(self.approval), "approver": self.approver if self.approval else None, "closed": int(self.closed),
        }  # fmt: skip


def listed() -> list[Resource]:
    """All of them, rooms first, by name. 1 query."""
    return list(Resource.select().order_by(Resource.kind, Resource.sort, Resource.id).limit(MOST))


def approved_by(user: User) -> list[Resource]:
    """Those whose bookings somebody approves. 1 query."""
    return list(Resource.select().where(Resource.approver == user).order_by(Resource.sort))


def change_approver(before: User, after: User) -> int:
    """Returns how many rooms."""
    return int(Resource.update(approver=after).where(Resource.approver == before).execute())


def by_address(addresses: Iterable[str]) -> dict[str, Resource]:
    """Those that have these addresses. 1 query for 400 of them."""
    wanted, found = sorted({address_key(one) for one in addresses}), {}
    for at in range(0, len(wanted), _CHUNK):
        rows = Resource.select().where(Resource.address.in_(wanted[at : at + _CHUNK]))
        found.update({one.address: one for one in rows})
    return found


def is_room(address: str) -> bool:
    """Whether an address is that of a room or thing. 1 query."""
    return bool(Resource.select().where(Resource.address == address_key(address)).exists())


def all_addresses() -> set[str]:
    """Those of all rooms and things. 1 query."""
    rows: Any = Resource.select(Resource.address).where(Resource.address != "").tuples()
    return {address for (address,) in rows}


def find(number: int) -> Resource | None:
    """By `id`. 1 query."""
    found: Resource | None = Resource.get_or_none(Resource.id == number)
    return found


def save(described: RoomDescription, domain: str, existing: Resource | None = None) -> Resource:
    """Make or change one; without an address, one is made of its name. 1 transaction. Raises AddressTakenError,
    RoomNameTakenError, UnusableRoomError."""
    if not described.name.strip() or len(described.name) > LONGEST_NAME:
        raise UnusableRoomError("name")
    if described.kind not in KINDS:
        raise UnusableRoomError("kind")
    address = address_key(described.address.strip()) or (existing.address if existing else _address_for(described.name, domain))
    if not re.fullmatch(r"[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9.-]{1,250}", address):
        raise UnusableRoomError("address")
    try:
        with db.atomic():
            if account_management.is_owned(address):
                raise AddressTakenError(address)
            _check_name(described, existing)
            if existing is None:
                return Resource.create(address=address, **described.columns())
            Resource.update(address=address, **described.columns()).where(Resource.id == existing.id).execute()
            return Resource.get_by_id(existing.id)
    except pw.IntegrityError as error:
        raise AddressTakenError(address) from error


def _check_name(described: RoomDescription, existing: Resource | None) -> None:
    """1 query, in the transaction that writes. Raises RoomNameTakenError."""
    serialize("names of rooms")
    same = (Resource.sort == sort_key(described.name)[:200]) & (Resource.kind == described.kind)
    others = [one for one in Resource.select().where(same) if existing is None or one.id != existing.id]
    if any(sort_key(one.site) == sort_key(described.site) for one in others):
        raise RoomNameTakenError(described.name)


def delete(resource: Resource) -> None:
    """With its bookings; the events stay, and their pages say that the room is none any more."""
    Resource.delete().where(Resource.id == resource.id).execute()


def _address_for(name: str, domain: str) -> str:
    """One that no other room has: "salle-101@lycee.example"."""
    local = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:50] or "room"
    rows: Any = Resource.select(Resource.address).tuples()
    known = {address for (address,) in rows}
    found = (f"{local}{suffix}@{domain.lower()}" for suffix in ("", *(f"-{number}" for number in range(2, MOST + 2))))
    return next(one for one in found if one not in known and not account_management.is_owned(one))
