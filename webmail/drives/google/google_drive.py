"""Google Drive: files that this installation may see (scope `drive.file`), resumable uploads, and links for whoever has them.

A file of any name can be there twice, so that a name which is taken is found by asking; nothing is ever replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
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
from webmail.drives.google.google_entries import FIELDS, entry_of, is_id, quoted
from webmail.drives.pieces import pieces_from
from webmail.mime.headers import filenames
from webmail.models import ConnectedService
from webmail.services.providers import DRIVE, DRIVE_WRITE, origin_of

_FAULTS = {
    "storageQuotaExceeded": DriveFault.FULL, "teamDriveFileLimitExceeded": DriveFault.FULL,
    "numChildrenInNonRootLimitExceeded": DriveFault.FULL,
    "notFound": DriveFault.GONE, "appNotAuthorizedToFile": DriveFault.GONE,
    "insufficientPermissions": DriveFault.RIGHT_MISSING, "ACCESS_TOKEN_SCOPE_INSUFFICIENT": DriveFault.RIGHT_MISSING,
    "insufficientFilePermissions": DriveFault.REFUSED, "cannotDownloadAbusiveFile": DriveFault.REFUSED,
    "fileNotDownloadable": DriveFault.REFUSED,
    "sharingRateLimitExceeded": DriveFault.BUSY, "dailyLimitExceeded": DriveFault.BUSY, "backendError": DriveFault.AWAY,
    "domainPolicy": DriveFault.LINK_REFUSED, "publishOutNotPermitted": DriveFault.LINK_REFUSED,
    "invalidSharingRequest": DriveFault.LINK_REFUSED, "cannotShareTeamDriveTopFolderWithAnyoneOrDomains": DriveFault.LINK_REFUSED,
    "exportSizeLimitExceeded": DriveFault.TOO_LARGE, "uploadTooLarge": DriveFault.TOO_LARGE,
}  # fmt: skip
_EXPORT_LIMIT = 64_000_000  # bytes; Google exports 10 MB at most
_MOST_NAMES = 20  # that are tried for a file
_RANGE = re.compile(r"bytes=0-(\d{1,18})$")
_EVERYWHERE = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}


class GoogleDrive:
    """See `drive.Drive`. Ids are Google's; the root is all that can be seen, the latest first."""

    abilities = DriveAbilities(search=True, links=True, space=True, most_bytes=5_497_558_138_880)

    def __init__(self, connection: ConnectedService, settings: Settings) -> None:
        self._requests = ApiRequests(connection, settings, _FAULTS)
        there = settings.google_addresses.api.rstrip("/")
        self._api, self._upload, self._origin = f"{there}/drive/v3", f"{there}/upload/drive/v3/files", origin_of(there)

    # --- looking -----------------------------------------------------------------------------------------------------

    def list_folder(self, folder: str = "", cursor: str = "") -> FolderPage:
        query = f"{quoted(_id(folder))} in parents and trashed = false" if folder else "trashed = false"
        crumbs = (Crumb("", ""), Crumb(folder, "")) if folder else (Crumb("", ""),)
        return self._page(query, "folder,name_natural" if folder else "folder,modifiedTime desc", cursor, crumbs)

    def search(self, text: str, cursor: str = "", folder: str = "") -> FolderPage:
        return self._page(f"name contains {quoted(text[:200])} and trashed = false", "", cursor, (Crumb("", ""),))

    def list_view(self, view: str, cursor: str = "") -> FolderPage:
        raise DriveError(DriveFault.GONE, view)

    def entry(self, entry_id: str) -> DriveEntry:
        found = entry_of(self._requests.told("GET", self._file_url(entry_id, fields=FIELDS)))
        if found is None:
            raise DriveError(DriveFault.GONE, entry_id)
        return found

    def space(self) -> DriveSpace:
        quota = part(self._requests.told("GET", f"{self._api}/about?fields=storageQuota"), "storageQuota")
        used, most = whole_number(quota, "usage"), whole_number(quota, "limit")
        return DriveSpace(used, None if most is None or used is None else max(0, most - used))

    def _page(self, query: str, order: str, cursor: str, crumbs: tuple[Crumb, ...]) -> FolderPage:
        self._requests.needs(DRIVE)
        asked = {"q": query, "pageSize": str(PAGE), "fields": f"nextPageToken,files({FIELDS})", **_EVERYWHERE}
        if order:
            asked["orderBy"] = order
        if cursor:
            asked["pageToken"] = cursor
        told = self._requests.told("GET", f"{self._api}/files?{urlencode(asked)}")
        rows = objects(told, "files")[: 2 * PAGE]
        entries = [found for one in rows if (found := entry_of(one)) is not None]
        return FolderPage(entries, text(told, "nextPageToken", 4_000), crumbs, hidden=len(rows) - len(entries))

    def _file_url(self, entry_id: str, more: str = "", **asked: str) -> str:
        return f"{self._api}/files/{quote(_id(entry_id), safe='')}{more}?{urlencode({'supportsAllDrives': 'true', **asked})}"

    # --- download ----------------------------------------------------------------------------------------------------

    @contextmanager
    def download(self, entry: DriveEntry, start: int = 0, export: str = "") -> Iterator[Iterator[bytes]]:
        if export:
            if export not in entry.exports:
                raise DriveError(DriveFault.REFUSED, export)
            url = f"{self._api}/files/{_id(entry.id)}/export?{urlencode({'mimeType': export})}"
            with self._requests.download(url, 0, _EXPORT_LIMIT) as answer:
                yield body_of(answer.read, 0, entry)
            return
        if start and entry.version and self.entry(entry.id).version != entry.version:
            raise DriveError(DriveFault.CHANGED, entry.id)
        if start and start == entry.size:
            yield iter(())
            return
        most = self.abilities.most_bytes if entry.size is None else entry.size
        with self._requests.download(self._file_url(entry.id, alt="media"), start, most + 1) as answer:
            if answer.status != (206 if start else 200):
                raise DriveError(DriveFault.NOT_UNDERSTOOD, f"{entry.id}: {answer.status} to a range")
            yield body_of(answer.read, start, entry)

    # --- upload ------------------------------------------------------------------------------------------------------

    def upload(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState) -> DriveEntry:
        self._requests.needs(DRIVE_WRITE)
        session = self._requests.session_of(state)
        at: int | None = 0
        done: DriveEntry | None = None
        if session:
            at, done = self._progress(session, order)
        if at is None:  # it is over: the file is there, or what was sent is gone
            session, at, done = "", 0, self._arrived(state)
        if done is not None:
            return done
        if not session:
            number = text(state, "file") or self._new_id()
            save({"file": number}, 0)
            session = self._begun(order, number)
            state = self._requests.with_session({"file": number}, session)
            save(state, 0)
        if order.size == 0:
            done = self._sent(session, b"", "bytes */0")[1]
        for piece in pieces_from(read, at, order.size):
            there, done = self._sent(session, piece, f"bytes {at}-{at + len(piece) - 1}/{order.size}")
            at += len(piece)
            if done is None and there != at:
                raise DriveError(DriveFault.AWAY, "it kept less than was sent")
            save(state, at)
        if done is None:
            raise DriveError(DriveFault.NOT_UNDERSTOOD, "an upload without an end")
        return done

    def _new_id(self) -> str:
        """An id that the file will have, so that a session whose end nobody saw is known by it (`files.generateIds`)."""
        told = self._requests.told("GET", f"{self._api}/files/generateIds?count=1&space=drive&type=files")
        found = told.get("ids")
        return _id(str(found[0]) if isinstance(found, list) and found else "")

    def _arrived(self, state: State) -> DriveEntry | None:
        try:
            return self.entry(text(state, "file"))
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return None
            raise

    def _begun(self, order: UploadOrder, number: str) -> str:
        """The address of a new session (`files.create`, uploadType=resumable)."""
        metadata: dict[str, Any] = {"id": number, "name": self._free_name(order), "mimeType": order.type}
        if order.folder:
            metadata["parents"] = [_id(order.folder)]
        asked = urlencode({"uploadType": "resumable", "supportsAllDrives": "true", "fields": FIELDS})
        headers = {"X-Upload-Content-Type": order.type, "X-Upload-Content-Length": str(order.size)}
        address = self._requests.ask("POST", f"{self._upload}?{asked}", metadata, headers).headers.get("location", "")
        try:
            here = origin_of(address) == self._origin
        except ValueError:
            here = False
        if not here:
            raise DriveError(DriveFault.ELSEWHERE, "an upload at another host")
        return address

    def _free_name(self, order: UploadOrder) -> str:
        wanted = filenames.safe_name(order.name)
        if not wanted:
            raise DriveError(DriveFault.BAD_NAME, order.name)
        for number in range(1, _MOST_NAMES + 1):
            name = wanted if number == 1 else numbered_name(wanted, number)
            query = f"name = {quoted(name)} and {quoted(_id(order.folder or 'root'))} in parents and trashed = false"
            asked = urlencode({"q": query, "pageSize": "1", "fields": "files(id)", **_EVERYWHERE})
            if not objects(self._requests.told("GET", f"{self._api}/files?{asked}"), "files"):
                return name
            if order.clash is NameClash.REFUSE:
                break
        raise DriveError(DriveFault.NAME_TAKEN, wanted)

    def _progress(self, session: str, order: UploadOrder) -> tuple[int | None, DriveEntry | None]:
        """How many bytes are there (None: the session is over), or what it became."""
        try:
            return self._sent(session, b"", f"bytes */{order.size}")
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return None, None
            raise

    def _sent(self, session: str, piece: bytes, where: str) -> tuple[int, DriveEntry | None]:
        answer = self._requests.ask(
            "PUT", session, piece, {"Content-Range": where}, signed=False, passed=(308,), seconds=LONG_SECONDS
        )
        if answer.status == 308:
            told = _RANGE.match(answer.headers.get("range", ""))
            return (int(told[1]) + 1 if told else 0), None
        found = entry_of(object_of(answer.content))
        if found is None:
            raise DriveError(DriveFault.NOT_UNDERSTOOD, "an upload became no file")
        return found.size or 0, found

    def abandon(self, state: State) -> None:
        if session := self._requests.session_of(state):
            self._requests.ask("DELETE", session, signed=False, passed=(404, 410, 499))  # 499: cancelled, as Google says it

    def delete(self, entry: DriveEntry) -> None:
        try:
            now_there = self.entry(entry.id)
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return
            raise
        if entry.version and now_there.version != entry.version:
            raise DriveError(DriveFault.CHANGED, entry.id)
        self._requests.told("PATCH", self._file_url(entry.id, fields="id"), {"trashed": True})

    # --- links -------------------------------------------------------------------------------------------------------

    def link_rules(self) -> LinkRules:
        return LinkRules(rights=(LinkRight.ANYONE_READS, LinkRight.CHOSEN_PEOPLE))

    def make_link(self, entry: DriveEntry, order: LinkOrder) -> MadeLink:
        if order.right is LinkRight.CHOSEN_PEOPLE:
            return MadeLink(self._page_of(entry), order.right)
        if order.right is not LinkRight.ANYONE_READS or order.password or order.expires:
            raise DriveError(DriveFault.LINK_REFUSED, order.right)
        told = self._requests.told("GET", self._file_url(entry.id, "/permissions", fields="permissions(id,type,role)"))
        for one in objects(told, "permissions"):
            if text(one, "type") == "anyone":
                writes = text(one, "role") == "writer"
                return MadeLink(self._page_of(entry), LinkRight.ANYONE_WRITES if writes else LinkRight.ANYONE_READS)
        made = self._requests.told(
            "POST", self._file_url(entry.id, "/permissions", fields="id"), {"type": "anyone", "role": "reader"}
        )
        return MadeLink(self._page_of(entry), LinkRight.ANYONE_READS, id=f"{entry.id}/{text(made, 'id', 200)}")

    def _page_of(self, entry: DriveEntry) -> str:
        found = entry.web_url or self.entry(entry.id).web_url
        if not found:
            raise DriveError(DriveFault.LINK_REFUSED, entry.id)
        return found

    def remove_link(self, link: MadeLink) -> None:
        file, _slash, permission = link.id.partition("/")
        if is_id(file) and is_id(permission):
            self._requests.ask("DELETE", self._file_url(file, f"/permissions/{permission}"), passed=(404,))


def _id(text: str) -> str:
    """Raises DriveError for what is none."""
    if not is_id(text):
        raise DriveError(DriveFault.GONE, text)
    return text
