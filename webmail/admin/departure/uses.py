"""Uses: what others use of somebody's: listed before the account goes, handed over to a colleague, or told of at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from webmail.appointments import inheritance as appointments
from webmail.calendar import links
from webmail.calendar.reminders import reminder_rows
from webmail.calendar.rooms import resources
from webmail.collections import inheritance as collections
from webmail.collections import store
from webmail.collections.look import title_of
from webmail.config.settings import Settings
from webmail.contacts import store as contacts
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import UnsafeValueError
from webmail.models import Collection, Transfer, User
from webmail.polls import inheritance as polls
from webmail.transfers import inheritance as transfers


class UseKind(StrEnum):
    """In the order in which they are listed."""

    CALENDAR = "calendar"
    BOOK = "addressbook"
    TRANSFER = "transfer"
    REQUEST = "request"
    POLL = "poll"
    APPOINTMENTS = "appointments"
    ROOM = "room"
    MAIL_FOLDER = "mail-folder"  # which only the mail server knows of (mail_folders.py)


@dataclass(frozen=True, slots=True)
class UsedThing:
    """One thing that others use. `people`: with how many people and groups it is shared, or how many answered or booked."""

    kind: UseKind
    number: int
    title: str
    people: int = 0


def used_by_others(user: User) -> list[UsedThing]:
    """All of it, at most 200 of each kind. 8 queries, however much there is."""
    return [*_of_collections(user), *_of_others(user)]


def _of_collections(user: User) -> Iterator[UsedThing]:
    for row, people in sorted(collections.used_by_others(user), key=lambda pair: pair[0].kind, reverse=True):
        kind = UseKind.CALENDAR if row.kind == store.CALENDAR else UseKind.BOOK
        yield UsedThing(kind, row.id, title_of(store.props_for(row, user)), people)


def _of_others(user: User) -> Iterator[UsedThing]:
    for transfer, people in transfers.used_by_others(user):
        yield UsedThing(UseKind.TRANSFER, transfer.id, transfer.subject, people)
    for request in transfers.open_requests(user):
        yield UsedThing(UseKind.REQUEST, request.id, request.title)
    for poll, people in polls.used_by_others(user):
        yield UsedThing(UseKind.POLL, poll.id, poll.title, people)
    for offer, people in appointments.used_by_others(user):
        yield UsedThing(UseKind.APPOINTMENTS, offer.id, offer.title, people)
    for room in resources.approved_by(user):
        yield UsedThing(UseKind.ROOM, room.id, room.name)


@begun_again
def hand_over(owner: User, heir: User, settings: Settings) -> int:
    """Make a colleague the owner of all of it; returns how many things. Shares, links and addresses stay. All or nothing.

    Raises UnsafeValueError for nobody who could have it: the caller has looked whether they are of the same establishment.
    """
    if heir.id == owner.id or not heir.active:
        raise UnsafeValueError("no heir")
    with db.atomic():
        for one in sorted((owner, heir), key=lambda user: user.id):
            in_turn(one)
        numbers = [row.id for row, _people in collections.used_by_others(owner)]
        store.lock(numbers)
        moved = collections.hand_over(owner, heir, numbers)
        for number in moved:
            contacts.owner_changed(number, heir)
            links.owner_changed(number, heir)
            reminder_rows.owner_changed(number)
        files, requests = transfers.hand_over(owner, heir, settings)
        others = polls.hand_over(owner, heir) + appointments.hand_over(owner, heir) + resources.change_approver(owner, heir)
        return len(moved) + files + requests + others


@dataclass(frozen=True, slots=True)
class Farewell:
    """What one address is told that it no longer has: titles by kind. `language`: to write in, where it is known."""

    address: str
    language: str
    losses: tuple[tuple[UseKind, str], ...]


def farewells(owner: User, folders: Iterable[tuple[User, list[str]]] = ()) -> list[Farewell]:
    """Whom to tell of what ends with an account, each once: read before it goes. Some queries for each thing that is listed.

    `folders`: who loses which mail folders (mail_folders.py).

    Not those who booked an appointment: `webmail/appointments/leaving.py` cancels that.
    """
    found: dict[str, tuple[str, list[tuple[UseKind, str]]]] = {}
    for one in _of_collections(owner):
        for reader in collections.users_of(Collection(id=one.number, user=owner)):
            language = reader.language or reader.spoken
            found.setdefault(reader.address, (language, []))[1].append((one.kind, one.title))
    for transfer, _people in transfers.used_by_others(owner):
        for address in transfers.addresses_of(Transfer(id=transfer.id)):
            found.setdefault(address, (transfer.language, []))[1].append((UseKind.TRANSFER, transfer.subject))
    for reader, names in folders:
        losses = found.setdefault(reader.address, (reader.language or reader.spoken, []))[1]
        losses.extend((UseKind.MAIL_FOLDER, name) for name in names)
    return [Farewell(address, language, tuple(dict.fromkeys(losses))) for address, (language, losses) in found.items()]
