"""Storage for Radicale's protocol code: our tables as it wants to see them, as the person of the request has them.

Its paths are `ADDRESS/NAME/HREF`, below the person who asks: what is shared with them too. See webmail/dav/application.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, overload

from radicale import pathutils, storage
from radicale.item import Item

from webmail import audit
from webmail.calendar import objects, privacy
from webmail.collections import look, manage, shares, store
from webmail.collections.store import BOOK, CALENDAR, NAME, Access
from webmail.dav import busy, directory_book
from webmail.dav.item import DavItem, ItemChange, http_date
from webmail.dav.queries.query_filter import OPEN, CompFilter
from webmail.dav.rows import ItemRow, rows_of
from webmail.dav.visit import current
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.zones.asked_times import DAY, AskedTime, kind_of
from webmail.models import AuditAct, Collection, GoneItem

TAGS = {BOOK: "VADDRESSBOOK", CALENDAR: "VCALENDAR"}
MOST_PROPS = 20_000  # characters, of one collection
MOST_FILTERED = 1_000  # items that a question is put to one by one
_TOKEN = "data:,traboule-"
_NUMBERS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18}\.[0-9]{1,18})?")
_MARKS = {"own": "", "read": "p", "busy": "h"}  # of what somebody sees
_COMPONENTS = "C:supported-calendar-component-set"


class TooManyItemsError(Exception):
    """A question that would have to be put to too many items one by one."""


class InvalidTokenError(ValueError):
    """A token by which nothing can be told (RFC 6578, 3.2): the program begins anew."""


class Principal(storage.BaseCollection):
    """A person's list of collections, or the root above it."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        return self._path

    @property
    def etag(self) -> str:
        return '""'

    @property
    def last_modified(self) -> str:
        return http_date(datetime.now(UTC).replace(tzinfo=None))

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...

    @overload
    def get_meta(self, key: str) -> str | None: ...

    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        user = current.get().user
        meta = {NAME: user.name or user.address} if self._path else {}
        return meta if key is None else meta.get(key)

    def get_all(self) -> Iterable[Item]:
        return ()


class DavCollection(storage.BaseCollection):
    """A book or calendar, as the person of the visit has it."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.row: Collection = access.collection
        self.rows = rows_of(access)

    @property
    def path(self) -> str:
        return f"{current.get().user.address}/{self.access.name}"

    @property
    def owner(self) -> str:
        return self.row.user.address

    @property
    def etag(self) -> str:
        return f'"{self._mark}-{self.row.seq}"'

    @property
    def _mark(self) -> str:
        """Another one as soon as somebody sees more, or less: they get all anew, or (`_turned`) what is private."""
        return f"{self.row.id}{_MARKS[self.access.sight] if self.row.kind == CALENDAR else ''}"

    @property
    def last_modified(self) -> str:
        return http_date(self.row.modified)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...

    @overload
    def get_meta(self, key: str) -> str | None: ...

    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        meta = self.access.props | {"tag": TAGS[self.row.kind]}
        if not self.access.reads:
            meta.pop(look.DESCRIPTION[self.row.kind], None)
        if self.row.components:
            meta[_COMPONENTS] = self.row.components if self.access.reads else "VEVENT"
        return meta if key is None else meta.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        """The owner's are the collection's; those of others are their own, but for how managers call and colour it."""
        kept = {name: value for name, value in props.items() if name not in ("tag", _COMPONENTS)}
        if kept.get(NAME) == store.nameless(self.row.kind, current.get().user) and NAME not in json.loads(self.row.props):
            del kept[NAME]  # it was never given one
        if sum(len(name) + len(value) for name, value in kept.items()) > MOST_PROPS:
            raise ValueError("too many properties")
        if self.access.rights == "own":
            store.set_props(self.row.id, kept)
            return
        theirs = self._changed_for_all(kept) if self.access.manages else json.loads(self.row.props)
        changed = {name: value for name, value in kept.items() if value != theirs.get(name)}
        shares.set_props(current.get().user, self.access, changed)

    def _changed_for_all(self, stored: Mapping[str, str]) -> dict[str, str]:
        """The collection's properties, with the name, colour and description that a manager's program has changed."""
        before: dict[str, str] = json.loads(self.row.props)
        after, visit = dict(before), current.get()
        for name in (NAME, look.COLOUR[self.row.kind], look.DESCRIPTION[self.row.kind]):
            if stored.get(name) != self.access.props.get(name):
                after |= {name: stored.get(name, "")}
        after = {name: value for name, value in after.items() if value}
        if manage.set_props(visit.user, self.row, before, after):
            told = {"network": visit.network, "collection": look.title_of(after)}
            audit.record(AuditAct.COLLECTION_CHANGED, actor=visit.user, target=self.row.user.address, **told)
        return after

    def serialize(self, vcf_to_ics: bool = False, ShareActions: dict[str, Any] | None = None) -> str:
        """Nobody gets a collection in one piece: its length is asked for here."""
        return ""

    # --- items -------------------------------------------------------------------------------------------------------

    def _items(self, found: Iterable[ItemRow]) -> Iterator[DavItem]:
        """As the person may see them. Raises OverBudgetError."""
        budget = current.get().budget
        for row in found:
            budget.step()
            if (item := self._seen(row)) is not None:
                yield item

    def _seen(self, row: ItemRow) -> DavItem | None:
        """An item as the person may see it; None where they may not."""
        sight = self.access.sight
        if sight == "own" or self.row.kind == BOOK or (sight == "read" and not row.private):
            return DavItem(self, row, row.text or "")
        if sight == "busy" and not row.busy:
            return None
        text = self._seen_text(row) if row.text is not None else ""
        if row.text and not text:
            return None
        row.etag = row.schedule_tag = privacy.masked_etag(row.id, row.seq)
        row.size = len(text.encode())  # 0 where nobody asks for it: that of the whole would tell of what is not seen
        if sight == "busy":
            row.href = busy.href_of(row.href)
        return DavItem(self, row, text)

    def _seen_text(self, row: ItemRow) -> str:
        """ "" of what can't be read."""
        text, language = row.text or "", privacy.language_of(current.get().user)
        try:
            return privacy.busy_alone(text, row.uid, language) if self.access.sight == "busy" else privacy.seen(text, language)
        except UnusableCalendarError:
            return ""

    def get_all(self, *, texts: bool = False) -> Iterator[DavItem]:
        """All, mostly without their texts."""
        return self._items(self.rows.all(texts=texts))

    def named(self, hrefs: Iterable[str], *, texts: bool) -> Iterator[tuple[str, DavItem | None]]:
        """These items, each once; None for those that are not there."""
        wanted = dict.fromkeys(hrefs)
        for item in self._items(self.rows.named(list(wanted), texts=texts)):
            wanted.pop(item.row.href, None)
            yield item.row.href, item
        for href in wanted:
            yield href, None

    def item(self, href: str) -> DavItem | None:
        return next(self._items(self.rows.named([href], texts=True)), None)

    def fitting(self, comp_filter: CompFilter | None) -> Iterator[DavItem]:
        """The items that a filter holds for, with their texts. Raises TooManyItemsError, TooMuchAskedError, OverBudgetError."""
        if comp_filter is None:
            return self._items(self.rows.all(texts=True))
        if comp_filter.absent:
            return iter(())
        inner = comp_filter.comps[0] if len(comp_filter.comps) == 1 and not comp_filter.comps[0].absent else None
        if inner is not None and self.access.reads and (uid := _uid_asked(inner)) is not None:  # others have other UIDs
            return self._items(row for row in self.rows.of_uid(uid) if inner.name in (row.component, "VCARD"))
        event = comp_filter.inner("VEVENT")
        if self.tag == "VCALENDAR" and event is not None and event.time is not None:
            found: Iterable[ItemRow] = self._taking_place(*event.time)
            simple = inner is event and not (event.props or event.comps or comp_filter.props)
        else:
            simple = inner is not None and inner == CompFilter(inner.name) and not comp_filter.props
            component = inner.name if inner is not None and self.tag == "VCALENDAR" else None
            if not simple and self.rows.count(component) > MOST_FILTERED:
                raise TooManyItemsError(f"more than {MOST_FILTERED} items to look through")
            found = self.rows.all(texts=True, component=component)
        items = self._items(found)
        return items if simple else (item for item in items if item.matches(comp_filter))

    def _taking_place(self, start: int, end: int) -> Iterator[ItemRow]:
        """Events, by the table of occurrences."""
        visit = current.get()
        if start <= -OPEN or end >= OPEN:
            asked = AskedTime(start, end, visit.meant or visit.zone, visit.zone)
            return (row for row in self.rows.touching(*asked.wide) if _is_at(asked, row))
        found = objects.events_in(self.row.id, start, end, visit.zone, seconds=visit.budget.left, meant=visit.meant)
        return self.rows.numbered(found)

    # --- changes (RFC 6578) ------------------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        return f"{_TOKEN}{self._mark}-{self.row.seq}"

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """For the property sync-token alone: what has changed is told by `changes`."""
        return self.token, ()

    def changes(self, old_token: str, *, texts: bool) -> Iterator[ItemChange]:
        """What has changed since a token, in an order in which the rest may be asked for with the token of any of them.

        Raises InvalidTokenError, OverBudgetError.
        """
        turned = self._turned(old_token)
        since, known, number = self._numbers(old_token) if old_token else (0, self.row.seq, 0)
        gone: Any = (
            GoneItem.select(GoneItem.href).where(GoneItem.collection == self.row, GoneItem.seq > known).order_by(GoneItem.seq)
        )
        for (href,) in gone.tuples().iterator() if old_token else ():
            current.get().budget.step()
            yield ItemChange(href if self.access.reads else busy.href_of(href), None, "")
        for row in self.rows.since(since, number, texts=texts, private=turned):
            current.get().budget.step()
            href = row.href
            item = self._seen(row)
            if item is not None or old_token:
                name = item.row.href if item is not None else href if self.access.reads else busy.href_of(href)
                yield ItemChange(name, item, f"{_TOKEN}{self._mark}-{row.seq}.{self.row.seq}.{row.id}")

    def _turned(self, token: str) -> bool:
        """Whether a token is from when they saw private events that they no longer see, or the reverse."""
        others = [f"{self.row.id}{_MARKS[sight]}" for sight in ("own", "read") if sight != self.access.sight]
        return self.row.kind == CALENDAR and len(others) == 1 and token.rpartition("-")[0] == f"{_TOKEN}{others[0]}"

    def _numbers(self, token: str) -> tuple[int, int, int]:
        """Of a token: the change up to which all that is there was told, the one up to which all deletions were, and the `id` up
        to which what that first change brought was told, 0 for all of it.

        They differ where an answer was cut: whoever begins with nothing must not be told of deletions long ago.
        """
        head, _, numbers = token.rpartition("-")
        if (head != f"{_TOKEN}{self._mark}" and not self._turned(token)) or not _NUMBERS.fullmatch(numbers):
            raise InvalidTokenError("not one of our tokens")
        since, *more = map(int, numbers.split("."))
        known, number = more or (since, 0)
        if known < self.row.floor or max(since, known) > self.row.seq:
            raise InvalidTokenError("too old, or from the future")
        return since, known, number


def _is_at(time: AskedTime, row: ItemRow) -> bool:
    """Whether an event touches a time of which one end is open. What has a rule may end earlier than is known."""
    if row.first < time.end - DAY and row.last > time.start + DAY:
        return True
    return time.touched_by(kind_of(row.text or ""), row.first, row.last)


class DirectoryCollection(DavCollection):
    """The directory, which changes by itself: its state stands in place of a number of changes."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        visit = current.get()
        self._book, self.rows = directory_book.rows(visit.user, visit.settings)  # type: ignore[assignment]

    @property
    def etag(self) -> str:
        return f'"directory-{self._book.state}"'

    def set_meta(self, props: Mapping[str, str]) -> None:
        raise PermissionError("the directory is only read")

    @property
    def token(self) -> str:
        return f"{_TOKEN}directory-{self._book.state}"

    def changes(self, old_token: str, *, texts: bool) -> Iterator[ItemChange]:
        state = old_token.removeprefix(f"{_TOKEN}directory-")
        changed = self._book.changed_since(state) if old_token else set(self._book.cards)
        if changed is None:
            raise InvalidTokenError("from another process, or too old")
        for href, item in self.named(changed, texts=texts):
            yield ItemChange(href, item, "")


def _uid_asked(comp_filter: CompFilter) -> str | None:
    """The UID that a filter is about, where it is about one and nothing else.

    "Contains" is meant unless it says otherwise: nobody asks for a part of a UID, and what is found has it.
    """
    if len(comp_filter.props) != 1 or comp_filter.comps or comp_filter.time is not None:
        return None
    [prop] = comp_filter.props
    if prop.name != "UID" or prop.absent or prop.params or prop.time is not None or len(prop.texts) != 1:
        return None
    return None if prop.texts[0].negated else prop.texts[0].text.strip() or None


def collection_of(access: Access) -> DavCollection:
    return (DirectoryCollection if directory_book.is_directory(access.collection) else DavCollection)(access)


class DavStorage(storage.BaseStorage):
    """Finds what lies at a path. Writing is done by webmail/dav/application.py, and here only for what Radicale does itself."""

    _supports_unicode = _supports_trailing_whitespace = _supports_problematic_chars = True

    def discover(self, path: str, depth: str = "0", *_more: Any, **_options: Any) -> Iterator[storage.BaseCollection | Item]:
        visit, parts = current.get(), pathutils.strip_path(path).split("/")
        if parts == [""]:
            yield Principal("")
            if depth != "0":
                yield Principal(visit.user.address)
            return
        if parts[0] != visit.user.address or len(parts) > 3:
            return
        if len(parts) == 1:
            yield Principal(parts[0])
            if depth != "0":
                yield from map(collection_of, visit.accesses())
            return
        access = visit.access(parts[1])
        if access is None:
            return
        collection = collection_of(access)
        if len(parts) == 3:
            if (item := collection.item(parts[2])) is not None:
                yield item
            return
        yield collection
        if depth != "0":
            yield from collection.get_all()

    def acquire_lock(self, mode: str, user: str = "", *_more: Any, **paths: Any) -> Any:
        if mode == "r":
            return nullcontext()
        named = [pathutils.strip_path(paths[key]).split("/")[1:2] for key in ("path", "to_path") if key in paths]
        return current.get().writing(*(name for names in named for name in names))
