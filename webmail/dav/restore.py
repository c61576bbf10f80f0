"""Restore: brings back what phones and programs deleted, into its calendar or book, or into a new one of that name."""

from __future__ import annotations

from collections.abc import Collection as Some
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from webmail.calendar import objects
from webmail.calendar.objects import UidTaken
from webmail.collections import store
from webmail.collections.store import BOOK
from webmail.contacts import device_cards
from webmail.contacts import store as contacts
from webmail.contacts.device_cards import UnusableCard
from webmail.database.connection import db
from webmail.errors import LimitReached
from webmail.mime.formats.calendar_object import UnusableCalendar
from webmail.models import CalendarObject, Collection, Contact, TrashedItem, User


@dataclass(slots=True)
class Restored:
    """How many came back, and how many did not: their UID is there again, or there is no room."""

    back: int = 0
    left: int = 0


def restore(user: User, numbers: Some[int], zone: tzinfo) -> Restored:
    """Bring back these items of a person (by `id`), or all. 1 transaction each: what is interrupted can be gone on with."""
    done = Restored()
    chosen: Any = TrashedItem.select(TrashedItem.id).where(TrashedItem.user == user).order_by(TrashedItem.id)
    if numbers:
        chosen = chosen.where(TrashedItem.id.in_(list(numbers)))
    for (number,) in list(chosen.tuples()):
        with db.atomic():
            item = TrashedItem.get_or_none(TrashedItem.id == number)
            if item is None:
                continue
            if _put_back(user, item, zone):
                item.delete_instance()
                done.back += 1
            else:
                done.left += 1
    if done.back:
        contacts.tell(user)
    return done


def _put_back(user: User, item: TrashedItem, zone: tzinfo) -> bool:
    collection = _place(user, item)
    try:
        with db.atomic():
            if item.kind == BOOK:
                known = device_cards.read(item.text)
                if Contact.select().where(Contact.collection == collection, Contact.card_uid == known.uid).exists():
                    return False
                href = _free(Contact, collection, item.href)
                device_cards.write(collection, href, item.text, known, None)
            else:
                href = _free(CalendarObject, collection, item.href)
                objects.write(collection.id, href, item.text, objects.prepared(item.text, zone), None)
    except (UidTaken, UnusableCard, UnusableCalendar, LimitReached, contacts.ContactChangedElsewhere):
        return False
    return True


def _place(user: User, item: TrashedItem) -> Collection:
    if item.collection_id is not None:
        return Collection.get_by_id(item.collection_id)
    named = Collection.get_or_none(Collection.user == user, Collection.name == item.collection_name)
    if named is not None:
        return named if named.kind == item.kind else store.first(user, item.kind)
    components = "" if item.kind == BOOK else "VEVENT,VTODO,VJOURNAL"
    return Collection.create(user=user, name=item.collection_name, kind=item.kind, components=components)


def _free(table: type[Contact] | type[CalendarObject], collection: Collection, href: str) -> str:
    """The name it had, or one like it if something else has it now."""
    taken = table.select().where(table.collection == collection, table.href == href).exists()
    return f"{href[:200]}-{store.new_name()}" if taken else href
