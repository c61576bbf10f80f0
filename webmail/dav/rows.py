"""Rows of a collection: contacts and calendar objects alike, as the protocol needs them; with texts only where asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee as pw

from webmail.calendar import objects, privacy
from webmail.calendar.objects import ONCE
from webmail.collections.store import BOOK, Access
from webmail.database.connection import db
from webmail.dav import busy
from webmail.models import FOR_EVER, CalendarObject, Contact

_CHUNK = 500


@dataclass(slots=True)
class ItemRow:
    id: int
    href: str
    uid: str
    etag: str
    size: int
    modified: datetime
    component: str = ""
    busy: bool = False
    first: int = -FOR_EVER
    last: int = FOR_EVER
    text: str | None = None
    once: bool = False  # its rules are never expanded: it is as if it had none
    seq: int = 0  # the number of the change that it came with
    private: bool = False  # or it may be (calendar/privacy.py)
    schedule_tag: str = ""  # of an event


class ObjectRows:
    """Of a calendar."""

    table: Any = CalendarObject
    uid: Any = CalendarObject.uid
    _text: Any = CalendarObject.text

    @property
    def _listed(self) -> Sequence[Any]:
        """What `_row` takes, apart from the text."""
        return (
            CalendarObject.id, CalendarObject.href, CalendarObject.uid, CalendarObject.etag, CalendarObject.size,
            CalendarObject.modified, CalendarObject.component, CalendarObject.busy, CalendarObject.first, CalendarObject.last,
            CalendarObject.recurring, CalendarObject.public_etag, CalendarObject.schedule_tag,
        )  # fmt: skip

    def __init__(self, access: Access) -> None:
        self.collection = access.collection.id
        self.only_busy = not access.reads

    def _select(self, texts: bool, *conditions: Any, by: tuple[Any, ...] = ()) -> Iterator[ItemRow]:
        fields = [self.table.seq, *self._listed, *([self._text] if texts else [])]
        chosen = self.table.select(*fields).where(self.table.collection == self.collection, *conditions).order_by(*by)
        for seq, *values in chosen.tuples().iterator():
            row = self._row(*values)
            row.seq = seq
            yield row

    def _row(self, *values: Any) -> ItemRow:
        number, href, uid, etag, size, modified, component, busy, first, last, recurring, public, tag, *text = values
        row = ItemRow(number, href, uid, etag, size, modified, component, bool(busy), first, last, *text)
        row.once, row.private = recurring == ONCE, public != etag
        row.schedule_tag = objects.tag_of(etag, tag)
        return row

    def all(self, *, texts: bool = False, component: str | None = None) -> Iterator[ItemRow]:
        return self._select(texts, *self._rows_of(component))

    def count(self, component: str | None = None) -> int:
        """How many there are. 1 query."""
        return int(self.table.select().where(self.table.collection == self.collection, *self._rows_of(component)).count())

    def _rows_of(self, component: str | None) -> list[Any]:
        return [CalendarObject.component == component] if component else []

    def named(self, hrefs: Sequence[str], *, texts: bool) -> Iterator[ItemRow]:
        """Those of these names; as `busy.href_of` makes them, for who may know of busy times alone."""
        if self.only_busy:
            hrefs = self._behind(set(hrefs))
        for at in range(0, len(hrefs), _CHUNK):
            yield from self._select(texts, self.table.href.in_(hrefs[at : at + _CHUNK]))

    def _behind(self, names: set[str]) -> list[str]:
        found: Any = self.table.select(self.table.href).where(self.table.collection == self.collection, CalendarObject.busy == 1)
        return [href for (href,) in found.tuples() if busy.href_of(href) in names] if names else []

    def numbered(self, ids: Iterable[int]) -> Iterator[ItemRow]:
        some = list(ids)
        for at in range(0, len(some), _CHUNK):
            yield from self._select(True, self.table.id.in_(some[at : at + _CHUNK]))

    def touching(self, start: int, end: int) -> Iterator[ItemRow]:
        """Events that are not over at `start` and have begun before `end`, of which one is the end of time."""
        inside = (CalendarObject.first < end) & ((CalendarObject.last > start) | (CalendarObject.first >= start))
        return self._select(True, CalendarObject.component == "VEVENT", inside)

    def of_uid(self, uid: str) -> Iterator[ItemRow]:
        return self._select(True, self.uid == uid)

    def since(self, seq: int, number: int, *, texts: bool, private: bool = False) -> Iterator[ItemRow]:
        """Those that were added or changed after the change of this number, in the order of changes; and of that change itself,
        which an import shares among many, those with a greater `id` than `number` if that is not 0. `private`: and all of these.
        """
        later = self.table.seq > seq
        if private and self.table is CalendarObject:
            later |= privacy.unsure()
        if number:
            later |= (self.table.seq == seq) & (self.table.id > number)
        return self._select(texts, later, by=(self.table.seq, self.table.id))


class CardRows(ObjectRows):
    """Of a book."""

    table = Contact
    uid = Contact.card_uid
    _text = Contact.vcard

    @property
    def _listed(self) -> Sequence[Any]:
        # bytes: LENGTH of a text counts characters
        on_sqlite = isinstance(db.obj, pw.SqliteDatabase)
        size = pw.fn.LENGTH(Contact.vcard.cast("BLOB")) if on_sqlite else pw.fn.OCTET_LENGTH(Contact.vcard)
        return Contact.id, Contact.href, Contact.card_uid, Contact.revision, size.coerce(False), Contact.modified

    def _row(self, *values: Any) -> ItemRow:
        number, href, uid, etag, size, modified, *text = values
        return ItemRow(number, href, uid, etag, size, modified, text=text[0] if text else None)

    def _rows_of(self, component: str | None) -> list[Any]:
        return []


def rows_of(access: Access) -> ObjectRows:
    return CardRows(access) if access.collection.kind == BOOK else ObjectRows(access)
