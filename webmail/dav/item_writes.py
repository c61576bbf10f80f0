"""Item writes of telephones and programs: items put, deleted into the trash, moved; within limits of number and size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.calendar import meeting_mail, objects, privacy
from webmail.calendar.rooms.bookings import Booker
from webmail.collections import store
from webmail.collections import trash as trash_store
from webmail.collections.quota import check_room
from webmail.collections.store import BOOK, CALENDAR, Access
from webmail.config.settings import Settings
from webmail.contacts import device_cards
from webmail.contacts import store as contacts
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.pieces import give_way, next_size
from webmail.dav.visit import Visit, current
from webmail.mime.formats.calendars.calendar_files import CONTROL
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject, Collection, Contact, Occurrence, TrashedCollection, User

Item = Contact | CalendarObject
_PIECE, _FIRST_PIECE = 100, 50
_MARK = "\ufeff"  # of the order of bytes, which Windows writes before a text


class WrongComponentError(ValueError):
    """A task for a calendar of events, or the like."""


@dataclass(slots=True)
class CheckedItem:
    """An item that was checked, outside the transaction that stores it. `as_sent`: it is stored byte for byte."""

    text: str
    size: int
    found: Any
    as_sent: bool = True


def prepare(collection: Collection, body: bytes) -> CheckedItem:
    """Check what was sent, without a byte-order mark before it. Raises UnusableCardError, UnusableCalendarError,
    WrongComponentError."""
    unusable = device_cards.UnusableCardError if collection.kind == BOOK else UnusableCalendarError
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise unusable("not UTF-8") from error
    as_sent = not text.startswith(_MARK)
    if not as_sent:
        text, body = text[1:], body[len(_MARK.encode()) :]
    if CONTROL.search(text):  # no answer in XML could tell it
        raise unusable("control characters")
    if collection.kind == BOOK:
        return CheckedItem(text, len(body), device_cards.read(text), as_sent)
    found = objects.prepared(text, current.get().zone)
    _check_component(collection, found[0].component)
    return CheckedItem(text, len(body), found, as_sent)


def limit_of(collection: Collection, settings: Settings) -> int:
    """Bytes that an item of this collection may have."""
    return (settings.card_limit_kb if collection.kind == BOOK else settings.item_limit_kb) * 1024


def _check_component(calendar: Collection, component: str) -> None:
    if calendar.components and component not in calendar.components.split(","):
        raise WrongComponentError(component)


def row_at(collection: Collection, href: str) -> Item | None:
    """What has this name. 1 query."""
    table: Any = Contact if collection.kind == BOOK else CalendarObject
    found: Item | None = table.get_or_none(table.collection == collection, table.href == href)
    return found


def event_at(calendar: Collection, href: str) -> CalendarObject | None:
    """What has this name in a calendar. 1 query."""
    found = row_at(calendar, href)
    return found if isinstance(found, CalendarObject) else None


def uid_of(row: Item) -> str:
    return row.card_uid if isinstance(row, Contact) else row.uid


def etag_of(row: Item) -> str:
    return row.revision if isinstance(row, Contact) else row.etag


def schedule_tag_of(row: Item | None) -> str:
    """The Schedule-Tag of an event; "" of anything else."""
    return f'"{objects.schedule_tag(row)}"' if isinstance(row, CalendarObject) else ""


def etag_seen(access: Access, row: Item) -> str:
    """The entity tag that somebody is told."""
    return row.revision if isinstance(row, Contact) else privacy.etag_seen(access, row)


def is_hidden(access: Access, row: Item | None) -> bool:
    """Whether somebody sees of it only when it is, so that they don't change it."""
    return isinstance(row, CalendarObject) and privacy.is_hidden(access, row)


def will_be_hidden(goal: Access, row: Item) -> bool:
    """The same of what they are about to put there: nobody loses sight of what is theirs."""
    return isinstance(row, CalendarObject) and privacy.will_be_hidden(goal, row.text)


def write(
    collection: Collection, href: str, prepared: CheckedItem, row: Item | None, settings: Settings, by: User | None = None
) -> Item:
    """Store an item. In a transaction that has locked the collection. `by`: who books the rooms that an
    event asks for; None: what was booked goes with it, and nothing more.

    Raises LimitReachedError, and UidTakenError or ContactChangedElsewhereError if another item has its UID.
    """
    before = 0 if row is None else _size(row)
    check_room(collection.id, 0 if row is not None else 1, prepared.size - before, settings)
    if collection.kind == BOOK:
        assert row is None or isinstance(row, Contact)
        if row is not None and row.card_uid != prepared.found.uid:
            raise contacts.ContactChangedElsewhereError("another contact would take this one's place")
        return device_cards.write(collection, href, prepared.text, prepared.found, row)
    assert row is None or isinstance(row, CalendarObject)
    if row is not None and row.uid != prepared.found[0].uid:
        raise objects.UidTakenError("another event would take this one's place")
    booker = Booker(by, objects.zone_of(settings.timezone), optional=True)
    written = objects.write(collection.id, href, prepared.text, prepared.found, row, booker)
    prepared.as_sent = prepared.as_sent and written.text == prepared.text
    return written


def _size(row: Item) -> int:
    return store.sizes([row.vcard]) if isinstance(row, Contact) else row.size


def trash(
    collection: Collection, rows: Sequence[Item], by: str, device: str = "", *, whole: TrashedCollection | None = None
) -> None:
    """Delete items of a collection into the trash, in a transaction that has locked it.

    `by`: whose address; `device`: what they call theirs; `whole`: the collection, if it goes too (`trash_store.put_whole`).
    """
    trash_store.put(collection, _told(collection, rows), by, device, whole=whole)
    if collection.kind == BOOK:
        contacts.take_out([row.id for row in rows])
    else:
        objects.take_out(collection.id, [row for row in rows if isinstance(row, CalendarObject)])


def _told(collection: Collection, rows: Sequence[Item]) -> list[tuple[str, str, str, str]]:
    """Name in the collection, UID, title and text of each. 1 query for events, none for contacts."""
    titles: dict[int, str] = {}
    if collection.kind == CALENDAR:
        found: Any = Occurrence.select(Occurrence.object, pw.fn.MIN(Occurrence.summary))
        titles = dict(found.where(Occurrence.object.in_([row.id for row in rows])).group_by(Occurrence.object).tuples())
    return [
        (row.href, row.card_uid, row.name, row.vcard)
        if isinstance(row, Contact)
        else (row.href, row.uid, titles.get(row.id, ""), row.text)
        for row in rows
    ]


def trash_all(collection: Collection, by: str, device: str = "", *, whole: TrashedCollection | None = None) -> None:
    """Delete a collection, with all that is (still) in it into the trash. In a transaction that has locked it."""
    whole = whole or trash_store.put_whole(collection, by, device)
    while rows := some_of(collection, _PIECE):
        trash(collection, rows, by, device, whole=whole)
    trash_store.leave(collection)
    store.delete(collection.id)


def trash_by_pieces(collection: Collection, by: str, whole: TrashedCollection) -> None:
    """The same in short transactions, since others wait for the lock. What breaks off leaves a smaller collection."""
    size = _FIRST_PIECE
    while True:
        began = time.monotonic()
        if not _trash_some(collection, size, by, whole):
            return
        took = time.monotonic() - began
        size = next_size(size, took)
        give_way(took)


@begun_again
def _trash_some(collection: Collection, most: int, by: str, whole: TrashedCollection) -> bool:
    """Whether there was something; else the collection itself goes."""
    with db.atomic():
        store.lock([collection.id])
        if rows := some_of(collection, most):
            trash(collection, rows, by, whole=whole)
            return True
        trash_store.leave(collection)
        store.delete(collection.id)
        return False


def some_of(collection: Collection, most: int) -> list[Item]:
    """The oldest of what is in a collection. 1 query."""
    table: Any = Contact if collection.kind == BOOK else CalendarObject
    return list(table.select().where(table.collection == collection).order_by(table.id).limit(most))


def move(row: Item, goal: Collection, href: str, there: Item | None, visit: Visit) -> None:
    """Give an item another place; what is there goes into the trash, and a copy of what leaves somebody else's collection.

    In a transaction that has locked both collections; all of it is done or nothing. Raises LimitReachedError,
    WrongComponentError, UidTakenError, ContactChangedElsewhereError.
    """
    with db.atomic():
        if there is not None:
            trash(goal, [there], visit.user.address, visit.device.name)
        source = row.collection
        assert source is not None  # it was found in one
        if source.user_id not in (visit.user.id, goal.user_id):  # what leaves somebody else's stays in their trash
            trash_store.put(source, _told(source, [row]), visit.user.address, visit.device.name)
        if row.collection_id != goal.id:
            check_room(goal.id, 1, _size(row), visit.settings)
        if isinstance(row, Contact):
            device_cards.move(row, goal, href)
        else:
            _check_component(goal, row.component)
            objects.move(row, goal, href)


def tell(collection: Collection) -> None:
    """Say what was changed, once it is, to those who keep something that is made from it."""
    if collection.kind == BOOK:
        contacts.tell(collection.user)


def addresses_of(user: User, settings: Settings) -> list[str]:
    """The addresses by which a person is invited: their own first. 2 queries."""
    more = sorted(meeting_mail.addresses_of(user, settings))
    return list(dict.fromkeys([user.address, *([user.renamed_to] if user.renamed_to else []), *more]))
