"""Restore: brings back what phones and programs deleted, into its calendar or book, or into the first one if that is gone.

A collection that was deleted comes back as a whole: with its name, its colour, and those it was shared with.
"""

from __future__ import annotations

import json
from collections.abc import Collection as Some
from dataclasses import dataclass, field
from typing import Any

from webmail.calendar import objects
from webmail.calendar.objects import UidTakenError
from webmail.collections import shares, store
from webmail.collections import trash as trash_store
from webmail.collections.store import BOOK
from webmail.config.settings import Settings
from webmail.contacts import device_cards
from webmail.contacts import store as contacts
from webmail.contacts.device_cards import UnusableCardError
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.dav import item_writes
from webmail.dav.item_writes import CheckedItem, WrongComponentError
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import (
    CalendarObject,
    Collection,
    Contact,
    PeopleGroup,
    TrashedCollection,
    TrashedItem,
    User,
)


@dataclass(slots=True)
class Restored:
    """How many came back; and how many did not: their UID is there again, or there is no room, or they can't be read."""

    back: int = 0
    there: int = 0
    full: int = 0
    unusable: int = 0
    elsewhere: set[int] = field(default_factory=set)  # the first ones, where their own collection is gone
    moved: int = 0  # how many went there

    @property
    def left(self) -> int:
        return self.there + self.full + self.unusable


def restore(user: User, numbers: Some[int], settings: Settings) -> Restored:
    """Bring back these items of a person (by `id`), or all. 1 transaction each: what is interrupted can be gone on with."""
    done = Restored()
    for number in list(numbers) or _all(user):
        restore_one(user, number, settings, done)
    if done.back:
        contacts.tell(user)
    return done


def _all(user: User) -> list[int]:
    """What the person has in the trash, once the collections that went are there again."""
    whole: Any = TrashedItem.select(TrashedItem.whole).where(TrashedItem.user == user, TrashedItem.whole.is_null(False))
    for (number,) in list(whole.distinct().tuples()):
        if (gone := trash_store.whole(user, number)) is not None:
            restore_collection(user, gone)
    chosen: Any = TrashedItem.select(TrashedItem.id).where(TrashedItem.user == user).order_by(TrashedItem.id)
    return [number for (number,) in chosen.tuples()]


def restore_one(user: User, number: int, settings: Settings, done: Restored) -> None:
    """Bring back one item, if it is (still) in the trash, and count it in `done`. 1 transaction."""
    with db.atomic() as transaction:
        item = TrashedItem.get_or_none((TrashedItem.id == number) & (TrashedItem.user == user))
        if item is None:
            return
        place, is_own = _target(user, item)  # locked first: who deletes it, or something in it, locks what is in the trash later
        # of two who bring it back at once, on PostgreSQL too, one takes it
        if not trash_store.take(number):
            return
        try:
            _put_back(place, item, settings, user)
        except (UidTakenError, contacts.ContactChangedElsewhereError):
            done.there += 1
        except LimitReachedError:
            done.full += 1
        except (UnusableCardError, UnusableCalendarError, WrongComponentError):
            done.unusable += 1
        else:
            done.back += 1
            if not is_own:
                done.moved += 1
                done.elsewhere.add(place.id)
            return
        transaction.rollback()


def _put_back(collection: Collection, item: TrashedItem, settings: Settings, user: User) -> None:
    """Raises what `changes.write` does."""
    if item.kind == BOOK:
        found: Any = device_cards.read(item.text)
        href = _free(Contact, collection, item.href)
    else:
        found = objects.prepared(item.text, objects.zone_of(settings.timezone))
        href = _free(CalendarObject, collection, item.href)
    item_writes.write(collection, href, CheckedItem(item.text, item.size, found), None, settings, user)


def _target(user: User, item: TrashedItem) -> tuple[Collection, bool]:
    """Where it goes, locked, and whether that is where it was: its collection, one that has its name again, or the first one."""
    if item.collection_id is not None:
        same = Collection.id == item.collection_id
    else:
        same = (Collection.user == user) & (Collection.name == item.collection_name) & (Collection.kind == item.kind)
    while True:  # it may be deleted before it is locked
        found = Collection.get_or_none(same)
        place = found or store.default_collection(user, item.kind)
        store.lock([place.id])
        if Collection.select().where(Collection.id == place.id).exists():
            return place, found is not None


def _free(table: type[Contact] | type[CalendarObject], collection: Collection, href: str) -> str:
    """The name it had, or one like it if something else has it now."""
    taken = table.select().where(table.collection == collection, table.href == href).exists()
    return f"{href[:200]}-{store.new_name()}" if taken else href


# --- whole collections -----------------------------------------------------------------------------------------------


@begun_again
def restore_collection(user: User, gone: TrashedCollection) -> Collection:
    """Make a collection anew that was deleted, or find it if it is there; its items are for `restore`. 1 transaction.

    It is shared again with those who are (still) there.
    """
    with db.atomic():
        in_turn(user)
        there = Collection.get_or_none((Collection.user == user) & (Collection.name == gone.name))
        if there is not None and there.kind == gone.kind:
            return there
        name = gone.name if there is None else f"{gone.name[:150]}-{store.new_name()}"
        made = store.create(user, name, gone.kind, gone.components, gone.props, hides_private=gone.hides_private)
        _share_again(made, gone)
        # they find it by its number: its name may be another one
        trash_store.come_back(gone, made)
        return made


def _share_again(made: Collection, gone: TrashedCollection) -> None:
    for person, group, rights, props, hidden, seen in json.loads(gone.shares):
        table: Any = PeopleGroup if group is not None else User
        number = group if group is not None else person
        # somebody who came later may have the number of somebody who is gone
        if table.select().where(table.id == number, table.created <= gone.at).exists():
            shares.put_back(made, person, group, rights=rights, props=props, hidden=hidden, seen=seen)
