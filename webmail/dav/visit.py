"""Visit: one request of a telephone or program: who it is, and which collections they have, looked up once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import tzinfo
from xml.etree.ElementTree import Element

from webmail.calendar import objects
from webmail.calendar.guests.organising import Posting
from webmail.collections import store
from webmail.collections.store import Access
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.dav import directory_book
from webmail.dav.queries.budget import Budget
from webmail.dav.queries.partial_data import WantedPart
from webmail.dav.sign_in import TODO, Device
from webmail.models import Outbox, User

# what a program may send that is no good, as the protocol's code finds it
ODD = (ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError, RuntimeError)
METHODS = ("OPTIONS", "GET", "HEAD", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR", "MOVE", "POST")


@dataclass(frozen=True, slots=True)
class Outside:
    """What the edge, which stands before Flask, has of what lies behind it: how guests are told by somebody, and `wake`, which
    has the worker send what waits."""

    posting: Callable[[User], Posting]
    wake: Callable[[Outbox], None]


@dataclass(slots=True)
class Visit:
    device: Device
    settings: Settings
    body: bytes = b""
    xml: Element | None = None  # what the body says, unless it is an item; changed to what Radicale is to read
    network: str = ""  # for the audit log
    expansion: tuple[int, int] | None = None  # from when until when each time is asked for, instead of rules
    expanded: int = 0  # times that were written out
    wanted: WantedPart | None = None  # what is asked for of each item; None: all of it
    limit: tuple[int, int] | None = None  # from when until when changed ones of a series are asked for
    meant: tzinfo | None = None  # where days and times without a zone are, if the question or the calendar says so
    budget: Budget = field(default_factory=Budget)
    outside: Outside | None = None
    queued: list[Outbox] = field(default_factory=list)  # what waits in the outbox because of this request
    _found: list[Access] | None = field(default=None)

    @property
    def user(self) -> User:
        return self.device.user

    @property
    def schedules(self) -> bool:
        """Whether what devices write tells others: what leaves needs our token, since nobody types a password."""
        return self.outside is not None and bool(self.settings.token_key_file)

    @property
    def zone(self) -> tzinfo:
        return objects.zone_of(self.settings.timezone)

    def accesses(self) -> list[Access]:
        """The collections of this person, of the kinds that this device may see; their first ones are made. 2 queries, once."""
        if self._found is None:
            found = store.accessible(self.user)
            own = {
                one.collection.kind for one in found if one.rights == "own" and one.collection.components != TODO
            }  # a list for tasks is no calendar
            if missing := [kind for kind in self.device.kinds if kind not in own]:
                for kind in missing:
                    store.default_collection(self.user, kind)
                found = store.accessible(self.user)
            if store.BOOK in self.device.kinds and (directory := directory_book.access(self.user, self.settings)) is not None:
                found.append(directory)
            self._found = [one for one in found if one.collection.kind in self.device.kinds and not self._is_hidden(one)]
        return self._found

    def hides(self, name: str) -> bool:
        """Whether this collection is there, but hidden from this person. 2 queries where something is."""
        if not name or not self.device.hidden:
            return False
        return any(one.name == name and self._is_hidden(one) for one in store.accessible(self.user))

    def _is_hidden(self, access: Access) -> bool:
        row, hidden = access.collection, self.device.hidden
        return row.kind in hidden or (TODO in hidden and row.components == TODO)

    def access(self, name: str) -> Access | None:
        return next((one for one in self.accesses() if one.name == name), None)

    @contextmanager
    def writing(self, *names: str, others: Iterable[int] = (), tells: bool = False) -> Iterator[None]:
        """A transaction that has locked these collections, or the person's list of them if none is named, against others.

        What was known of them before is looked up anew. `others`: collections (by `id`) that are written too; `tells`: whether
        the person writes to somebody, so that their requests come one after the other.
        """
        with db.atomic():
            if tells:
                in_turn(self.user)
            if ids := self._ids(names):
                self._lock(names, ids, set(others))
            else:
                in_turn(self.user)
                self._found = None
            yield

    def _ids(self, names: tuple[str, ...]) -> set[int]:
        named = [one.collection for name in names if (one := self.access(name)) is not None]
        return {one.id for one in named if not directory_book.is_directory(one)}

    def _lock(self, names: tuple[str, ...], ids: set[int], more: set[int]) -> None:
        """Lock these collections, and those that have taken their names while somebody else had the lock."""
        store.lock(sorted(ids | more))
        self._found = None
        if others := self._ids(names) - ids:
            store.lock(sorted(others))
            self._found = None


current: ContextVar[Visit] = ContextVar("visit")
