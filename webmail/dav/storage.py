"""Storage for Radicale's protocol code: our tables as it wants to see them, with the sign-in and rights of the request.

Its paths are `ADDRESS/NAME/HREF`, below the person who asks: what is shared with them too. See webmail/dav/application.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, overload
from xml.etree import ElementTree as ET

from radicale import auth, pathutils, rights, storage
from radicale.app.report import test_filter
from radicale.item import Item
from radicale.item import filter as radicale_filter

from webmail import audit
from webmail.calendar import objects
from webmail.calendar.objects import TooMuchAsked
from webmail.collections import look, manage
from webmail.collections.store import BOOK, CALENDAR, NAME, Access
from webmail.dav import busy, directory_book
from webmail.dav.questions import component_of, readable_text, uid_asked, without_time
from webmail.dav.rows import ItemRow, rows_of
from webmail.dav.visit import ODD, current
from webmail.mime.formats import calendar_object, event_expansion
from webmail.mime.formats.calendar_object import UnusableCalendar
from webmail.models import AuditAct, Collection, CollectionShare, GoneItem

TAGS = {BOOK: "VADDRESSBOOK", CALENDAR: "VCALENDAR"}
MOST_PROPS = 20_000  # characters, of one collection
MOST_FILTERED = 1_000  # items that a question is put to one by one
MOST_EXPANDED = 2_000  # occurrences in one answer
MOST_BYTES = 32_000_000  # of texts in one answer
_TOKEN = "data:,traboule-"
_RIGHTS = {"own": "rw", "manage": "rw", "write": "rw", "read": "r", "busy": "r"}
_OPEN = 2**40  # seconds since 1970: Radicale's ends of time lie beyond
_COMPONENTS = "C:supported-calendar-component-set"


class TooManyItems(Exception):
    """A question that would have to be put to too many items one by one, or whose answer would be too large."""


class Auth(auth.BaseAuth):
    """The edge has signed in already (webmail/dav/edge.py)."""

    def _login(self, login: str, password: str) -> str:
        return ""


class DavRights(rights.BaseRights):
    """What the person of the visit may do with a path: W, R: the list of collections; w, r: a collection and its items."""

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        parts = pathutils.strip_path(path).split("/")
        if parts == [""]:
            return "R"
        if parts[0] != current.get().user.address:
            return ""
        if len(parts) == 1:
            return "RW"
        access = current.get().access(parts[1])
        if access is None:  # one that is about to be made
            return "rw" if len(parts) == 2 else ""
        return _RIGHTS[access.rights] if len(parts) == 2 else ""


class DavItem(Item):
    """An item with its row. `text` is what it has, or a filler of the same length where only that is asked for."""

    def __init__(self, collection: DavCollection, row: ItemRow, text: str) -> None:
        component = row.component or ("VCARD" if collection.tag == "VADDRESSBOOK" else "VEVENT")
        super().__init__(
            collection=collection, href=row.href, text=text, etag=f'"{row.etag}"', uid=row.uid, last_modified=_http(row.modified),
            name="VCARD" if collection.tag == "VADDRESSBOOK" else "VCALENDAR", component_name=component,
            time_range=(row.first, row.last),
        )  # fmt: skip
        self.row, self._expanded = row, ""

    @property
    def vobject_item(self) -> Any:
        """As questions are put to it: without lines that the library can't read or would never end with. Raises ValueError."""
        if self.row.once and self._vobject_item is None:
            self._vobject_item = component_of(calendar_object.read_once(self._text or "").reduced)
        try:
            return super().vobject_item
        except RuntimeError:
            self._vobject_item = component_of(readable_text(self._text or "", self.name))
            return self._vobject_item

    def serialize(self) -> str:
        """The text; each time by itself if the question wishes so. Raises TooMuchAsked."""
        visit = current.get()
        if visit.expansion is None or self.name != "VCALENDAR" or self.row.once:
            return super().serialize()
        if not self._expanded:
            try:
                self._expanded, count = event_expansion.expanded(super().serialize(), *visit.expansion, visit.zone)
            except UnusableCalendar:  # by a rule that was made stricter
                self._expanded, count = super().serialize(), 1
            visit.expanded += count
            if visit.expanded > MOST_EXPANDED:
                raise TooMuchAsked(f"more than {MOST_EXPANDED} occurrences")
        return self._expanded


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
        return _http(datetime.now(UTC).replace(tzinfo=None))

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
        """Another one as soon as somebody sees more, or less, than busy times: they get it all anew."""
        return f"{self.row.id}{'' if self.access.reads else 'h'}"

    @property
    def last_modified(self) -> str:
        return _http(self.row.modified)

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
        if sum(len(name) + len(value) for name, value in kept.items()) > MOST_PROPS:
            raise ValueError("too many properties")
        if self.access.rights == "own":
            text = json.dumps(kept, ensure_ascii=False)
            Collection.update(props=text).where(Collection.id == self.row.id).execute()
            return
        theirs = self._changed_for_all(kept) if self.access.manages else json.loads(self.row.props)
        changed = {name: value for name, value in kept.items() if value != theirs.get(name)}
        text = json.dumps(changed, ensure_ascii=False)
        if self.access.look is None:
            CollectionShare.create(collection=self.row, user=current.get().user, props=text)
        else:
            CollectionShare.update(props=text).where(CollectionShare.id == self.access.look.id).execute()

    def _changed_for_all(self, kept: Mapping[str, str]) -> dict[str, str]:
        """The collection's properties, with the name, colour and description that a manager's program has changed."""
        before: dict[str, str] = json.loads(self.row.props)
        after, visit = dict(before), current.get()
        for name in (NAME, look.COLOUR[self.row.kind], look.DESCRIPTION[self.row.kind]):
            if kept.get(name) != self.access.props.get(name):
                after |= {name: kept.get(name, "")}
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
        """As the person may see them. Raises TooManyItems."""
        room = MOST_BYTES
        for row in found:
            room -= row.size if row.text is not None else 0
            if room < 0:
                raise TooManyItems(f"more than {MOST_BYTES} bytes")
            if self.access.reads:
                yield DavItem(self, row, row.text if row.text is not None else " " * row.size)
            elif row.busy:
                user = current.get().user
                row.href, row.etag = busy.href_of(row.href), f"{row.etag}-b"
                text = busy.masked(row.text, row.uid, user.language) if row.text is not None else " " * row.size
                yield DavItem(self, row, text)

    def get_all(self) -> Iterator[DavItem]:
        """All, without their texts."""
        return self._items(self.rows.all())

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, DavItem | None]]:
        """These items, with their texts where the request asks for them."""
        wanted = dict.fromkeys(hrefs)
        body = current.get().body
        texts = b"calendar-data" in body or b"address-data" in body
        for item in self._items(self.rows.named(list(wanted), texts=texts)):
            assert item.href
            wanted.pop(item.href, None)
            yield item.href, item
        for href in wanted:
            yield href, None

    def one(self, href: str) -> DavItem | None:
        return next(self._items(self.rows.named([href], texts=True)), None)

    def get_filtered(self, filters: Iterable[ET.Element]) -> Iterator[tuple[DavItem, bool]]:
        """The items that may fit, and whether they do for certain. Raises TooManyItems, TooMuchAsked."""
        asked = [one for one in filters if len(one)]  # an empty one means all
        uid = uid_asked(asked)
        tag, start, end, simple = radicale_filter.simplify_prefilters(asked, self.tag)
        if uid is not None and self.access.reads:  # who may not read has other UIDs
            found: Any = [row for row in self.rows.of_uid(uid) if tag in (None, row.component or tag)]
            certain = True
        elif self.tag == "VCALENDAR" and tag == "VEVENT" and (start > -_OPEN or end < _OPEN):
            found, certain = self._taking_place(start, end), simple
            asked = [without_time(one) for one in asked]  # going through rules again is slow
        else:
            certain = (not asked or simple) and start <= -_OPEN and end >= _OPEN
            chosen = self.rows.all(
                texts=True, component=tag if self.tag == "VCALENDAR" else None, most=None if certain else MOST_FILTERED + 1
            )
            found = chosen if certain else list(chosen)
        if not certain and len(found) > MOST_FILTERED:
            raise TooManyItems(f"{len(found)} items to look through")
        yield from ((item, True) for item in self._fitting(self._items(found), [] if certain else asked))

    def _fitting(self, items: Iterable[DavItem], asked: list[ET.Element]) -> Iterator[DavItem]:
        """Those that the questions hold for. One that can't be asked is left out, if others can: it must not hide them."""
        answered, last = not asked, None
        for item in items:
            try:
                fits = all(test_filter(self.tag, item, one) for one in asked)
                answered = True
            except ODD as error:
                last, fits = error, False
            if fits:
                yield item
        if last is not None and not answered:
            raise last

    def _taking_place(self, start: int, end: int) -> list[ItemRow]:
        if start <= -_OPEN or end >= _OPEN:
            return list(self.rows.touching(max(start, -_OPEN), min(end, _OPEN)))
        return list(self.rows.numbered(objects.events_in(self.row.id, start, end, current.get().zone)))

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """The token of now, and what has changed since the old one (RFC 6578). Raises ValueError for one that is too old."""
        token = f"{_TOKEN}{self._mark}-{self.row.seq}"
        if not old_token:
            return token, (item.href for item in self.get_all() if item.href)
        head, _, number = old_token.rpartition("-")
        if head != f"{_TOKEN}{self._mark}" or not (number.isascii() and number.isdigit() and len(number) < 19):
            raise ValueError("not one of our tokens")
        since = int(number)
        if since < self.row.floor or since > self.row.seq:
            raise ValueError("too old, or from the future")
        gone: Any = GoneItem.select(GoneItem.href).where(GoneItem.collection == self.row, GoneItem.seq > since).tuples()
        names = [*self.rows.since(since), *(href for (href,) in gone)]
        return token, names if self.access.reads else [busy.href_of(href) for href in names]


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

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        head = f"{_TOKEN}directory-"
        changed = self._book.changed_since(old_token.removeprefix(head)) if old_token else set(self._book.cards)
        if changed is None:
            raise ValueError("from another process, or too old")
        return head + self._book.state, changed


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
            if (item := collection.one(parts[2])) is not None:
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


def _http(moment: datetime) -> str:
    return format_datetime(moment.replace(tzinfo=UTC), usegmt=True)
