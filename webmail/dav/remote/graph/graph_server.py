"""An account of Microsoft 365 as a server that collections are kept in step with: what `sync` asks of a DAV server, by Graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK, CALENDAR
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.client import MOST_ITEMS, UNCONDITIONAL, RemoteChanges, SyncTokenRefusedError
from webmail.dav.remote.graph import contact_items, event_items
from webmail.dav.remote.graph.graph_client import GraphAnswer, GraphClient, Json, values_in
from webmail.dav.remote.graph.item_names import is_pending, name_of
from webmail.http_fetch import FetchedResponse
from webmail.models import RemoteItem

CONTACTS = "/me/contacts"  # the book that everybody has
_CALENDARS, _FOLDERS = "/me/calendars", "/me/contactFolders"
_BEFORE, _AFTER = timedelta(days=400), timedelta(days=800)  # of the window whose changes are told; others are found weekly
_LISTED = 500
_FORGOTTEN = (400, 410)  # how a token is refused
_BREAKS = (500, 501, 502, 504)  # inside a batch: on one item. 503 asks us to wait


@dataclass(slots=True)
class GraphServer:
    """`zone_name`: where times without a zone are meant. `reads_settings`: consent was given for the mailbox's settings, which
    have the colours of categories. `card_here`: the card here of an item, by its collection's address and its name. All methods
    raise FollowTroubleError and RoundOverError."""

    client: GraphClient
    zone_name: str = "UTC"
    reads_settings: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    whole_every: timedelta = timedelta(days=7)  # changes are known to be missed at times
    card_here: Callable[[str, str], str] = lambda _url, _name: ""
    _colours: dict[str, str] | None = field(default=None, repr=False)

    # --- what there is -----------------------------------------------------------------------------------------------

    def collections(self, kinds: Iterable[str]) -> list[FoundCollection]:
        """All calendars and books, as far as consent was given for them."""
        found: list[FoundCollection] = []
        if CALENDAR in kinds:
            for one in self._listed(f"{_CALENDARS}?$select=id,name,hexColor,canEdit&$top=100"):
                url = self._url(_CALENDARS, one)
                colour = str(one.get("hexColor") or "")
                found.append(FoundCollection(
                    url, CALENDAR, _title(one.get("name")), colour if len(colour) == 7 else "", "VEVENT",
                    writable=bool(one.get("canEdit", True)), syncs=True,
                ))  # fmt: skip
        if BOOK in kinds:
            self.client.request("GET", f"{CONTACTS}?$select=id&$top=1")
            found.append(FoundCollection(self.client.base + CONTACTS, BOOK, "Contacts", syncs=True))
            for one in self._listed(f"{_FOLDERS}?$select=id,displayName&$top=100"):
                found.append(FoundCollection(self._url(_FOLDERS, one), BOOK, _title(one.get("displayName")), syncs=True))
        return found

    def _listed(self, path: str) -> list[Json]:
        return [one for page in self.client.pages(path) for one in values_in(page) if one.get("id")]

    def _url(self, path: str, row: Json) -> str:
        return f"{self.client.base}{path}/{name_of(row['id'])}"

    def colours(self) -> dict[str, str]:
        """Of the person's categories, as CSS calls them; without consent for their settings those that Outlook itself made."""
        if self._colours is None:
            self._colours = dict(event_items.USUAL_COLOURS)
            if self.reads_settings:
                answer = self.client.request("GET", "/me/outlook/masterCategories", refused=(403, 404))
                self._colours |= event_items.colours_in(values_in(answer))
        return self._colours

    # --- what a collection has ---------------------------------------------------------------------------------------

    def ctag(self, url: str) -> str:
        """What `sync` asks servers that tell no changes."""
        return ""

    def listing(self, url: str) -> RemoteChanges:
        """All of it."""
        return self._whole(self._path(url), "")

    def changes(self, url: str, token: str) -> RemoteChanges:
        """What changed since `token` (an address of Graph's), or everything for "". Raises SyncTokenRefusedError too."""
        path = self._path(url)
        if not token:
            link, _found = self._delta(self._first_delta(path))  # before the list: what changes meanwhile comes again
            return self._whole(path, link)
        link, rows = self._delta(token)
        found = RemoteChanges(link, whole=False)
        for row in rows:
            name = name_of(row.get("seriesMasterId") or row.get("id") or "")
            if "@removed" in row:
                found.gone.add(name)
            elif name:
                found.there[name] = "" if "start" in row else _etag(row)
        found.gone -= set(found.there)
        self._check_gone(path, found)
        return found

    def _first_delta(self, path: str) -> str:
        if path.startswith(_CALENDARS):
            today = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
            window = {"startDateTime": _iso(today - _BEFORE), "endDateTime": _iso(today + _AFTER)}
            return f"{path}/calendarView/delta?{urlencode(window)}"
        return f"{_contacts_in(path)}/delta?$select=id"

    def _delta(self, link: str) -> tuple[str, list[Json]]:
        """The address to ask for later changes, and the changes."""
        rows: list[Json] = []
        for page in self.client.pages(link, refused=_FORGOTTEN):
            if page.status in _FORGOTTEN:
                raise SyncTokenRefusedError
            rows += values_in(page)
            if len(rows) > MOST_ITEMS * 20:  # each time of a series is one
                raise FollowTroubleError(FollowFault.TOO_MANY, link)
            if "@odata.deltaLink" in page.body:
                return str(page.body["@odata.deltaLink"]), rows
        raise FollowTroubleError(FollowFault.NOT_DAV, f"{link}: no delta link")

    def _whole(self, path: str, token: str) -> RemoteChanges:
        """Everything by its entity tag, whatever the window; of series none: what changed in them is looked up."""
        events = path.startswith(_CALENDARS)
        what = f"{path}/events?$select=id,changeKey,type" if events else f"{_contacts_in(path)}?$select=id,changeKey"
        found = RemoteChanges(token)
        for page in self.client.pages(f"{what}&$top={_LISTED}"):
            for row in values_in(page):
                if row.get("id"):
                    found.there[name_of(row["id"])] = "" if row.get("type") == "seriesMaster" else _etag(row)
            if len(found.there) > MOST_ITEMS:
                raise FollowTroubleError(FollowFault.TOO_MANY, path)
        return found

    def _check_gone(self, path: str, found: RemoteChanges) -> None:
        """What is told to be gone may only have left the window."""
        if not found.gone or not path.startswith(_CALENDARS):
            return
        names = sorted(found.gone)
        questions = [("GET", f"/me/events/{name}?$select=id,type") for name in names]
        for name, answer in zip(names, self.client.batch(questions, refused=(400, 404, *_BREAKS)), strict=True):
            stays = answer.status == 200 and answer.body.get("type") in ("singleInstance", "seriesMaster", None)
            if stays or answer.status in _BREAKS:
                found.gone.discard(name)
                found.there[name] = ""

    def complete(self, url: str, found: RemoteChanges, items: Sequence[RemoteItem]) -> None:
        """Where something is gone that nobody knows, it was a time of a series: series that changed are looked up."""
        path = self._path(url)
        etags = {item.name: item.etag for item in items}
        if found.whole or not path.startswith(_CALENDARS) or not found.gone - set(etags):
            return
        for page in self.client.pages(f"{path}/events?$select=id,changeKey,type&$top={_LISTED}"):
            for row in values_in(page):
                name = name_of(row.get("id") or "")
                if row.get("type") == "seriesMaster" and not etags.get(name, "").startswith(f"{_etag(row)}+"):
                    found.there[name] = ""

    def items(self, url: str, kind: str, names: Sequence[str]) -> dict[str, tuple[str, str] | None]:
        """Entity tag and text of these; None for what is no longer there. Those on which Graph breaks are left out."""
        found: dict[str, tuple[str, str] | None] = dict.fromkeys(names)
        there = [name for name in names if not is_pending(name)]
        ask = contact_items.question if kind == BOOK else event_items.question
        answers = self.client.batch([("GET", ask(name)) for name in there], refused=(400, 404, 410, *_BREAKS))
        for name, answer in zip(there, answers, strict=True):
            if answer.status in _BREAKS:
                del found[name]
            elif answer.status == 200:
                try:
                    found[name] = self._read(url, kind, name, answer.body)
                except FollowTroubleError as trouble:
                    if trouble.kind is not FollowFault.BROKEN:
                        raise
                    del found[name]
        return found

    def _read(self, url: str, kind: str, name: str, body: Json) -> tuple[str, str]:
        if kind == BOOK:
            return contact_items.read(body, lambda: self.card_here(url, name))
        body = event_items.finished(self.client, name, body, self.zone_name)
        return event_items.read(body, self.colours() if body.get("categories") else {})

    def item(self, url: str, name: str) -> tuple[str, str] | None:
        found = self.items(url, self._kind(url), [name])
        if name not in found:
            raise FollowTroubleError(FollowFault.BROKEN, f"{url}: {name}")
        return found[name]

    def identify(self, url: str, name: str) -> str:
        """What an item that was made here is called there: Graph gives names itself, and its answer may never have come."""
        if not is_pending(name):
            return name
        path = self._path(url)
        where = f"{path}/events" if path.startswith(_CALENDARS) else _contacts_in(path)
        wanted = quote(event_items.filter_by_name(name), safe="'()/:,")
        [*rows] = self._listed(f"{where}?$select=id&$filter={wanted}")
        return name_of(rows[0]["id"]) if rows else name

    # --- changing it -------------------------------------------------------------------------------------------------

    def put(self, url: str, kind: str, name: str, text: str, etag: str) -> FetchedResponse:
        """Write an item, in place of the one with this entity tag; a new one for "", whatever is there for `UNCONDITIONAL`."""
        path = self._path(url)
        writer = contact_items if kind == BOOK else event_items
        if etag and is_pending(name):
            name = self.identify(url, name)
        if not etag:
            where = _contacts_in(path) if kind == BOOK else f"{path}/events"
            answer = writer.create(self.client, where, name, text, self.zone_name)
        else:
            wanted = "" if etag.startswith(UNCONDITIONAL) else etag
            answer = writer.change(self.client, name, text, wanted, self.zone_name)
        return _as_response(url, answer)

    def delete(self, url: str, name: str, etag: str) -> int:
        """Delete an item if it has this entity tag; the status, which may be 4xx."""
        if is_pending(name):
            name = self.identify(url, name)
        if is_pending(name):
            return 404
        kind = self._kind(url)
        condition: dict[str, str] = {}
        if not etag.startswith(UNCONDITIONAL):
            now_there = self.item(url, name)
            if now_there is None:
                return 404
            if now_there[0] != etag:
                return 412
            condition = {"If-Match": event_items.odata_etag(etag)}
        address = f"/me/{'events' if kind == CALENDAR else 'contacts'}/{name}"
        return self.client.request("DELETE", address, None, condition, refused=(400, 403, 404, 405, 409, 410, 412)).status

    def _kind(self, url: str) -> str:
        return CALENDAR if self._path(url).startswith(_CALENDARS) else BOOK

    def _path(self, url: str) -> str:
        """What follows the base in the address of a collection."""
        if not url.startswith(self.client.base + "/me/"):
            raise FollowTroubleError(FollowFault.GONE, url)
        return url.removeprefix(self.client.base)


def _contacts_in(path: str) -> str:
    return path if path == CONTACTS else f"{path}/contacts"


def _etag(row: Json) -> str:
    return event_items.change_key(row)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _title(text: Any) -> str:
    return " ".join(str(text or "").split())[:190]


def _as_response(url: str, answer: GraphAnswer) -> FetchedResponse:
    body = answer.body
    headers = {}
    if 200 <= answer.status < 300:
        headers = {"etag": event_items.etag_of(body), "location": f"{url.rstrip('/')}/{name_of(body.get('id') or '')}"}
    return FetchedResponse(url, answer.status, "", b"", headers)
