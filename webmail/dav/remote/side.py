"""A side: a collection here that is kept in step with one on another server, and the transactions in which that is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from webmail.calendar import objects
from webmail.collections import store
from webmail.collections.store import BOOK
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.pieces import give_way
from webmail.models import CalendarObject, Collection, Contact, RemoteItem, RemoteLink, User

THERE, HERE = "there", "here"  # where items are missing, as `RemoteLink.missing`
DELETE, RESTORE = "delete", "restore"  # what the person says to that
_BRIEF = 20  # transactions; a longer round lets others write in between


class ItemNote(StrEnum):
    """Why an item is not on both sides, or that it is a copy."""

    CONFLICT = "conflict"  # what was here when both sides had changed it
    UNUSABLE = "unusable"  # not a contact or event that can be kept here
    LARGE = "large"
    NO_ROOM = "no-room"
    SAME_UID = "same-uid"  # another one here has its UID
    REFUSED = "refused"  # the other server doesn't take it
    BROKEN = "broken"  # the other server answers with a fault of its own; `RemoteItem.at`: when it was tried last


UNSEEN = (ItemNote.UNUSABLE, ItemNote.LARGE, ItemNote.NO_ROOM, ItemNote.SAME_UID)  # what is there is not known here


class LinkEndedError(Exception):
    """The collection was deleted or disconnected meanwhile."""


@dataclass(slots=True)
class Side:
    """A link with its collection. `step` is called after each transaction."""

    link: RemoteLink
    user: User
    settings: Settings
    host: str  # the other server's, as the trash tells it
    step: Callable[[], None] = lambda: None
    gone: set[str] = field(default_factory=set)  # names of items that the other server no longer has
    changed: bool = False
    written: int = 0  # transactions of this round

    @property
    def collection(self) -> Collection:
        return self.link.collection

    @property
    def zone(self) -> tzinfo:
        return objects.zone_of(self.settings.timezone)

    @property
    def table(self) -> Any:
        return Contact if self.collection.kind == BOOK else CalendarObject

    @property
    def restores(self) -> bool:
        """Whether the person wants back what is missing here."""
        return (self.link.missing, self.link.answer) == (HERE, RESTORE)

    def here(self) -> dict[str, str]:
        """The items here: their names and entity tags. 1 query."""
        table = self.table
        etag = table.revision if table is Contact else table.etag
        return dict(
            table.select(table.href, etag).where(table.collection == self.link.collection_id).order_by(table.seq).tuples()
        )

    def items(self) -> list[RemoteItem]:
        """1 query."""
        return list(RemoteItem.select().where(RemoteItem.link == self.link).order_by(RemoteItem.id))

    def seq(self) -> int:
        return int(Collection.select(Collection.seq).where(Collection.id == self.link.collection_id).scalar() or 0)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that has locked the collection. Raises LinkEndedError."""
        began = time.monotonic()
        with db.atomic():
            store.lock([self.link.collection_id])
            link = (RemoteLink.id == self.link.id) & (RemoteLink.collection == self.link.collection_id)
            if not RemoteLink.select().where(link).exists():
                raise LinkEndedError
            yield
        self.written += 1
        if self.written > _BRIEF:
            give_way(time.monotonic() - began)
        self.step()
