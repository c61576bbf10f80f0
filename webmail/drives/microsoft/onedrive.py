"""OneDrive, and libraries of SharePoint sites beside it: folders, search, upload sessions in pieces of 320 KiB, and links as the
organisation there allows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import quote, urlencode

from webmail.config.settings import Settings
from webmail.drives.api_requests import (
    LONG_SECONDS,
    ApiRequests,
    body_of,
    object_of,
    objects,
    part,
    text,
    web_page,
    whole_number,
)
from webmail.drives.drive import (
    PAGE,
    Crumb,
    DriveAbilities,
    DriveEntry,
    DriveError,
    DriveFault,
    DriveSpace,
    EntryKind,
    FolderPage,
    LinkOrder,
    LinkRight,
    LinkRules,
    MadeLink,
    NameClash,
    ReadFrom,
    SaveState,
    State,
    UploadOrder,
    numbered_name,
)
from webmail.drives.microsoft import onedrive_entries as entries
from webmail.drives.microsoft import places
from webmail.drives.microsoft.onedrive_entries import FIELDS
from webmail.drives.microsoft.places import ItemPlace
from webmail.drives.microsoft.site_lists import ROOT, SITES_ENTRY, SiteLists
from webmail.drives.pieces import pieces_from
from webmail.mime.headers import filenames
from webmail.models import ConnectedService
from webmail.services.providers import DRIVE, DRIVE_WRITE, SITES, SITES_WRITE

_FAULTS = {
    "itemNotFound": DriveFault.GONE, "nameAlreadyExists": DriveFault.NAME_TAKEN, "quotaLimitReached": DriveFault.FULL,
    "insufficientStorage": DriveFault.FULL, "accessDenied": DriveFault.REFUSED, "notAllowed": DriveFault.REFUSED,
    "malwareDetected": DriveFault.REFUSED, "resourceModified": DriveFault.CHANGED, "resyncRequired": DriveFault.GONE,
    "activityLimitReached": DriveFault.BUSY, "serviceNotAvailable": DriveFault.AWAY, "sharingDisabled": DriveFault.LINK_REFUSED,
    "invalidName": DriveFault.BAD_NAME, "nameContainsInvalidCharacters": DriveFault.BAD_NAME, "lockMismatch": DriveFault.BUSY,
}  # fmt: skip
_MOST_NAMES = 50  # that are tried for a file
_FORBIDDEN = frozenset('"*:<>?/\\|')  # characters that no name there has
_RIGHTS = {"anonymous": LinkRight.ANYONE_READS, "organization": LinkRight.ORGANISATION_READS, "users": LinkRight.CHOSEN_PEOPLE}
_SCOPES = {right: scope for scope, right in _RIGHTS.items()}


class OneDrive:
    """See `drive.Drive`."""

    abilities = DriveAbilities(search=True, links=True, space=True, most_bytes=250 * 1024**3)

    def __init__(self, connection: ConnectedService, settings: Settings) -> None:
        self._requests = ApiRequests(connection, settings, _FAULTS)
        self._graph = settings.microsoft_addresses.graph.rstrip("/") + "/v1.0"
        self._sites = SiteLists(self._requests, self._graph)

    # --- looking -----------------------------------------------------------------------------------------------------

    def list_folder(self, folder: str = "", cursor: str = "") -> FolderPage:
        if places.is_in_sites(folder):
            self._needs_sites(SITES)
        if folder == places.SITES:
            return self._sites.followed(cursor)
        if site := places.site_of(folder):
            return self._sites.libraries(site, cursor)
        location, inside = places.split(folder)
        told = self._list(location, entries.address(inside, "/children"), cursor, {"$orderby": "name"})
        rows = objects(told, "value")
        above = self._sites.crumbs_to(location) if location.library else (ROOT,)
        path = inside if inside == "" or inside[0] != "!" else next((entries.folder_of(one) for one in rows), None)
        below = entries.crumbs_of(path, location.prefix) if path is not None else (Crumb(folder, ""),)
        page = _page_of(told, rows, (*above, *below), location)
        if location.library:
            return replace(page, may_write=self._requests.offers(SITES_WRITE), part=location.prefix, part_name=above[-1].name)
        if not inside and not cursor and self._requests.offers(SITES):
            return replace(page, entries=(SITES_ENTRY, *page.entries))
        return page

    def search(self, text: str, cursor: str = "", folder: str = "") -> FolderPage:
        if places.is_in_sites(folder):
            self._needs_sites(SITES)
            if folder == places.SITES or places.site_of(folder):
                return self._sites.search(text[:200], cursor)
        location, _inside = places.split(folder)
        words = quote(text[:200].replace("'", "''"), safe="")
        told = self._list(location, f"/root/search(q='{words}')", cursor, {})
        page = _page_of(told, objects(told, "value"), (ROOT,), location)
        if location.library:
            return replace(page, part=location.prefix, part_name=self._sites.crumbs_to(location)[-1].name)
        return page

    def _needs_sites(self, purpose: str) -> None:
        if not self._requests.offers(SITES):
            raise DriveError(DriveFault.GONE, "sites are not offered")
        self._requests.needs(purpose)

    def list_view(self, view: str, cursor: str = "") -> FolderPage:
        raise DriveError(DriveFault.GONE, view)

    def _list(self, location: ItemPlace, where: str, cursor: str, more: Mapping[str, str]) -> dict[str, Any]:
        if not location.library:
            self._requests.needs(DRIVE)
        asked = {"$top": str(PAGE), "$select": FIELDS, **more, **({"$skiptoken": cursor} if cursor else {})}
        return self._requests.told("GET", f"{self._graph}{location.address}{where}?{urlencode(asked)}")

    def entry(self, entry_id: str) -> DriveEntry:
        location = self._place_of(entry_id)
        return _entry_of(self._requests.told("GET", f"{self._at(entry_id)}?{urlencode({'$select': FIELDS})}"), location)

    def _place_of(self, item_id: str) -> ItemPlace:
        """Raises DriveError (GONE) for a library where sites are not offered."""
        location = places.split(item_id)[0]
        if location.library:
            self._needs_sites(SITES)
        return location

    def space(self) -> DriveSpace:
        quota = part(self._requests.told("GET", f"{self._graph}/me/drive?{urlencode({'$select': 'quota'})}"), "quota")
        return DriveSpace(whole_number(quota, "used"), whole_number(quota, "remaining"))

    def _at(self, item_id: str, more: str = "") -> str:
        location, inside = places.split(item_id)
        return self._graph + location.address + entries.address(inside, more)

    # --- download ----------------------------------------------------------------------------------------------------

    @contextmanager
    def download(self, entry: DriveEntry, start: int = 0, export: str = "") -> Iterator[Iterator[bytes]]:
        if export or entry.kind is not EntryKind.FILE:
            raise DriveError(DriveFault.REFUSED, export or entry.kind)
        if entry.version and self.entry(entry.id).version != entry.version:
            raise DriveError(DriveFault.CHANGED, entry.id)
        if start and start == entry.size:
            yield iter(())
            return
        most = self.abilities.most_bytes if entry.size is None else entry.size
        with self._requests.download(self._at(entry.id, "/content"), start, most + 65_536) as answer:
            if answer.status != 302:
                yield _body(answer.status, answer.read, start, entry)
                return
            there = answer.headers.get("location", "")
        # the bytes are at an address that opens by itself, wherever Microsoft keeps them; it gets no token
        with self._requests.download(there, start, most + 1, signed=False) as answer:
            yield _body(answer.status, answer.read, start, entry)

    # --- upload ------------------------------------------------------------------------------------------------------

    def upload(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState) -> DriveEntry:
        location = self._place_to_write(order.folder)
        session, at = self._requests.session_of(state), None
        if session:
            at = self._progress(session)
        name = text(state, "name")
        if name and at is None and (arrived := self._arrived(order, name)) is not None:
            return arrived  # whose end nobody saw
        if at is None:
            name = name or self._free_name(order)
            save({"name": name}, 0)
            if order.size == 0:
                return self._put_empty(order, name, location)
            session, at = self._begun(order, name), 0
            state = self._requests.with_session({"name": name}, session)
            save(state, 0)
        for piece in pieces_from(read, at, order.size):
            where = {"Content-Range": f"bytes {at}-{at + len(piece) - 1}/{order.size}"}
            answer = self._requests.ask("PUT", session, piece, where, signed=False, seconds=LONG_SECONDS)
            at += len(piece)
            save(state, at)
            if answer.status in (200, 201):
                return _entry_of(object_of(answer.content), location)
            if _next_of(object_of(answer.content)) != at:
                raise DriveError(DriveFault.AWAY, "it kept less than was sent")
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "an upload without an end")

    def _place_to_write(self, item_id: str) -> ItemPlace:
        """Raises DriveError where nothing may be written, or the person has not allowed it yet."""
        if item_id == places.SITES or places.site_of(item_id):
            raise DriveError(DriveFault.REFUSED, "sites hold libraries, and those hold files")
        location = self._place_of(item_id)
        self._requests.needs(SITES_WRITE if location.library else DRIVE_WRITE)
        return location

    def _begun(self, order: UploadOrder, name: str) -> str:
        """The address of a new session (`driveItem: createUploadSession`)."""
        wanted = {"item": {"@microsoft.graph.conflictBehavior": "fail", "name": name}}
        told = self._requests.told("POST", self._below(order.folder, name, "/createUploadSession"), wanted)
        address = text(told, "uploadUrl", 8_000)
        if not address:
            raise DriveError(DriveFault.NOT_UNDERSTOOD, "an upload without an address")
        return address

    def _put_empty(self, order: UploadOrder, name: str, location: ItemPlace) -> DriveEntry:
        """A session takes no file without bytes."""
        url = self._below(order.folder, name, "/content") + "?" + urlencode({"@microsoft.graph.conflictBehavior": "fail"})
        return _entry_of(object_of(self._requests.ask("PUT", url, b"", {"Content-Type": order.type}).content), location)

    def _below(self, folder: str, name: str, more: str) -> str:
        """A name in a folder that has a path, or an id."""
        if places.split(folder)[1].startswith("!"):
            return f"{self._at(folder)}:/{quote(name)}:{more}"
        return self._at(f"{folder}/{name}", more)

    def _progress(self, session: str) -> int | None:
        """How many bytes are there, None where the session is over."""
        answer = self._requests.ask("GET", session, signed=False, passed=(404, 410))
        return None if answer.status in (404, 410) else _next_of(object_of(answer.content))

    def _arrived(self, order: UploadOrder, name: str) -> DriveEntry | None:
        try:
            url = self._below(order.folder, name, "") + "?" + urlencode({"$select": FIELDS})
            found = _entry_of(self._requests.told("GET", url), places.split(order.folder)[0])
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return None
            raise
        if found.size != order.size:
            raise DriveError(DriveFault.NAME_TAKEN, name)
        return found

    def _free_name(self, order: UploadOrder) -> str:
        wanted = "".join("_" if one in _FORBIDDEN else one for one in filenames.safe_name(order.name)).strip()
        if not wanted or wanted.startswith("~$"):
            raise DriveError(DriveFault.BAD_NAME, order.name)
        for number in range(1, _MOST_NAMES + 1):
            name = wanted if number == 1 else numbered_name(wanted, number)
            url = self._below(order.folder, name, "") + "?" + urlencode({"$select": "id"})
            if self._requests.ask("GET", url, passed=(404,)).status == 404:
                return name
            if order.clash is NameClash.REFUSE:
                break
        raise DriveError(DriveFault.NAME_TAKEN, wanted)

    def abandon(self, state: State) -> None:
        if session := self._requests.session_of(state):
            self._requests.ask("DELETE", session, signed=False, passed=(404, 410))

    def delete(self, entry: DriveEntry) -> None:
        try:
            told = self._requests.told("GET", f"{self._at(entry.id)}?{urlencode({'$select': FIELDS})}")
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return
            raise
        if entry.version and text(told, "cTag", 300) != entry.version:
            raise DriveError(DriveFault.CHANGED, entry.id)
        headers = {"If-Match": tag} if (tag := text(told, "eTag", 300)) else {}
        self._requests.ask("DELETE", self._at(entry.id), headers=headers, passed=(404,))

    # --- links -------------------------------------------------------------------------------------------------------

    def link_rules(self) -> LinkRules:
        rights = (LinkRight.ANYONE_READS, LinkRight.ORGANISATION_READS, LinkRight.CHOSEN_PEOPLE)
        return LinkRules(rights=rights, can_expire=True)

    def make_link(self, entry: DriveEntry, order: LinkOrder) -> MadeLink:
        self._place_to_write(entry.id)
        if order.right not in _SCOPES or order.password:
            raise DriveError(DriveFault.LINK_REFUSED, order.right)
        wanted: dict[str, Any] = {"type": "view", "scope": _SCOPES[order.right]}
        if order.expires:
            until = datetime.combine(order.expires, time(23, 59, 59), UTC)
            wanted["expirationDateTime"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            answer = self._requests.ask("POST", self._at(entry.id, "/createLink"), wanted)
        except DriveError as error:
            if error.fault in (DriveFault.REFUSED, DriveFault.NOT_UNDERSTOOD):  # the organisation there allows no such link
                raise DriveError(DriveFault.LINK_REFUSED, str(error)) from error
            raise
        told = object_of(answer.content)
        link = part(told, "link")
        url, right = web_page(link, "webUrl"), _RIGHTS.get(text(link, "scope", 40), LinkRight.CHOSEN_PEOPLE)
        if not url:
            raise DriveError(DriveFault.NOT_UNDERSTOOD, "a link without an address")
        number = text(told, "id", 300) if answer.status == 201 else ""  # 200: it was there before
        return MadeLink(url, right, id=f"{entry.id}\n{number}" if number else "", expires=order.expires)

    def remove_link(self, link: MadeLink) -> None:
        item, _break, permission = link.id.partition("\n")
        if permission:
            self._requests.ask("DELETE", self._at(item, f"/permissions/{quote(permission, safe='')}"), passed=(404,))


def _entry_of(told: Mapping[str, Any], location: ItemPlace) -> DriveEntry:
    found = entries.entry_of(told, location.prefix)
    if found is None:
        raise DriveError(DriveFault.GONE, "no file that can be shown")
    return found


def _page_of(told: Mapping[str, Any], rows: list[dict[str, Any]], crumbs: tuple[Crumb, ...], location: ItemPlace) -> FolderPage:
    rows = rows[: 2 * PAGE]
    found = [one for row in rows if (one := entries.entry_of(row, location.prefix)) is not None]
    found.sort(key=lambda one: not one.is_folder)  # of this page: they come by name
    return FolderPage(found, entries.cursor_of(told), crumbs, hidden=len(rows) - len(found))


def _body(status: int, read: Any, start: int, entry: DriveEntry) -> Iterator[bytes]:
    if status != (206 if start else 200):
        raise DriveError(DriveFault.NOT_UNDERSTOOD, f"{entry.id}: {status} to a range")
    return body_of(read, start, entry)


def _next_of(told: Mapping[str, Any]) -> int:
    """Where a session wants to go on (`nextExpectedRanges`)."""
    ranges = told.get("nextExpectedRanges")
    first = str(ranges[0]).partition("-")[0] if isinstance(ranges, list) and ranges else ""
    if not first.isascii() or not first.isdigit() or len(first) > 15:
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "a session that does not say how far it is")
    return int(first)
