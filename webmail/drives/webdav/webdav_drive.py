"""WebDAV drive: folders, files and uploads on any WebDAV server; what a Nextcloud does besides is in `nextcloud.py`.

A file is sent under a hidden name of its own, then moved to its own without replacing anything: half a file is never seen
under the name that it will have, and a move says whether that is taken.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from webmail.drives.drive import (
    PAGE,
    PIECE,
    DriveAbilities,
    DriveEntry,
    DriveError,
    DriveFault,
    DriveSpace,
    FolderPage,
    LinkOrder,
    LinkRules,
    MadeLink,
    NameClash,
    ReadFrom,
    SaveState,
    State,
    UploadOrder,
    numbered_name,
)
from webmail.drives.pieces import pieces_from
from webmail.drives.service_faults import as_drive_errors
from webmail.drives.webdav import listing, paths, searching
from webmail.drives.webdav.folder_cache import FOLDERS, CacheKey
from webmail.drives.webdav.webdav_requests import LONG_SECONDS, WebDavRequests
from webmail.http_fetch import FetchedResponse
from webmail.mime.headers import filenames

_XML = "application/xml; charset=utf-8"
_PROPFIND = (
    f"<?xml version='1.0' encoding='utf-8'?><D:propfind xmlns:D='DAV:'><D:prop>{listing.PROPS}</D:prop></D:propfind>".encode()
)
_MOST_BYTES = 1 << 40  # of a file whose size the server does not tell
_READ = 262_144
_MOST_NAMES = 200  # that are tried for a file
_RANGE = re.compile(r"bytes (\d{1,18})-")


class WebDavDrive:
    """See `drive.Drive`. `root`: the address of the person's files, with a slash at its end. `searches`: it told so when it was
    connected."""

    abilities = DriveAbilities(space=True, resumes=False)

    def __init__(self, root: str, requests: WebDavRequests, *, searches: bool = False) -> None:
        self.root, self.requests = root.rstrip("/") + "/", requests
        if searches:
            self.abilities = replace(self.abilities, search=True)

    # --- looking -----------------------------------------------------------------------------------------------------

    def list_folder(self, folder: str = "", cursor: str = "") -> FolderPage:
        url, key = paths.url_of(self.root, folder).rstrip("/") + "/", self._cache_key(folder)
        whole = FOLDERS.get(key) if listing.start_of(cursor) else None
        if whole is None:
            answer = self._propfind(url, 1, listing.SIZE)
            whole = listing.whole_of(listing.read(answer.content), self.root, answer.url or url, folder)
            FOLDERS.put(key, whole)
        return listing.page_of(whole, folder, cursor)

    def _cache_key(self, folder: str) -> CacheKey:
        return (self.root, *self.requests.identity, folder)

    def search(self, text: str, cursor: str = "", folder: str = "") -> FolderPage:
        if not self.abilities.search:
            raise DriveError(DriveFault.REFUSED, "this server does not search")
        return self._search(self.root, urlsplit(self.root).path, text, cursor, caseless=True)

    def _search(self, arbiter: str, scope: str, text: str, cursor: str, *, caseless: bool) -> FolderPage:
        """RFC 5323 has no offset: a further page is asked for with all that is before it."""
        body = searching.name_query(scope, text, listing.start_of(cursor) + PAGE + 1, caseless=caseless)
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        answer = self.requests.ask("SEARCH", arbiter, headers, body, limit=listing.SIZE, seconds=60.0)
        if answer.status != 207:
            raise DriveError(DriveFault.NOT_UNDERSTOOD, f"{arbiter}: SEARCH answers {answer.status}")
        return listing.found_page(listing.read(answer.content), self.root, answer.url or arbiter, cursor)

    def list_view(self, view: str, cursor: str = "") -> FolderPage:
        raise DriveError(DriveFault.GONE, "a WebDAV server has folders alone")

    def entry(self, entry_id: str) -> DriveEntry:
        url = paths.url_of(self.root, entry_id)
        answer = self._propfind(url, 0, 1_000_000)
        reader = paths.PathReader(self.root, answer.url or url)
        for found in listing.read(answer.content):
            if reader.path(found.href) == entry_id and found.status in (0, 200):
                return listing.entry_of(found, entry_id)
        raise DriveError(DriveFault.NOT_UNDERSTOOD, f"{url}: an answer about something else")

    def space(self) -> DriveSpace:
        answer = self._propfind(self.root, 0, 1_000_000)
        found = [listing.space_of(one) for one in listing.read(answer.content)]
        return next((one for one in found if one is not None), DriveSpace())

    def _propfind(self, url: str, depth: int, limit: int) -> FetchedResponse:
        answer = self.requests.ask(
            "PROPFIND", url, {"Depth": str(depth), "Content-Type": _XML}, _PROPFIND, limit=limit, seconds=LONG_SECONDS / 5
        )
        if answer.status != 207:
            raise DriveError(DriveFault.NOT_UNDERSTOOD, f"{url}: PROPFIND answers {answer.status}")
        return answer

    # --- download ----------------------------------------------------------------------------------------------------

    @contextmanager
    def download(self, entry: DriveEntry, start: int = 0, export: str = "") -> Iterator[Iterator[bytes]]:
        most = _MOST_BYTES if entry.size is None else entry.size
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self.requests.download(paths.url_of(self.root, entry.id), headers, most + 1) as answer:
            there = answer.headers.get("etag", "")
            if entry.version and there and _bare(there) != _bare(entry.version):
                raise DriveError(DriveFault.CHANGED, entry.id)
            if answer.status == 416:
                if entry.size is not None and start != entry.size:
                    raise DriveError(DriveFault.CHANGED, entry.id)
                yield iter(())
                return
            at, skip = start, 0
            if answer.status != 206:
                at, skip = 0, start  # it sends the whole of it
            elif (told := _RANGE.match(answer.headers.get("content-range", ""))) and int(told[1]) != start:
                raise DriveError(DriveFault.NOT_UNDERSTOOD, "another range than was asked for")
            yield _pieces(answer.read, at, skip, entry)

    # --- upload ------------------------------------------------------------------------------------------------------

    def upload(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState) -> DriveEntry:
        state = dict(state) or {"part": paths.joined(order.folder, f".{secrets.token_hex(8)}.part")}
        if not state.get("name"):  # it was not on its way to its name yet
            save(state, 0)
            self._send(order, read, state, save)
        return self._put_under_name(order, paths.url_of(self.root, state["part"]), state, save)

    def _send(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState) -> None:
        """From its beginning: a plain server keeps no half."""

        def pieces() -> Iterator[bytes]:
            sent = told = 0
            for piece in pieces_from(read, 0, order.size, _READ):
                yield piece
                sent += len(piece)
                if sent - told >= PIECE:
                    told = sent
                    save(state, sent)

        self.requests.put(paths.url_of(self.root, state["part"]), {"Content-Type": order.type}, pieces, order.size)
        save(state, order.size)

    def _put_under_name(self, order: UploadOrder, source: str, state: State, save: SaveState) -> DriveEntry:
        """Move what was sent to the first of its names that is free. Which one is noted before: a killed move may have been
        done."""
        wanted = filenames.safe_name(order.name)
        if not wanted or not paths.is_name(wanted):
            raise DriveError(DriveFault.BAD_NAME, order.name)
        first = int(state.get("number", 1))
        for number in range(first, first + _MOST_NAMES):
            name = wanted if number == 1 else numbered_name(wanted, number)
            path = paths.joined(order.folder, name)
            state |= {"name": name, "number": number}
            save(state, order.size)
            try:
                self._move(source, paths.url_of(self.root, path), order)
            except DriveError as error:
                if error.fault is DriveFault.GONE and number == first and (entry := self._arrived(path, order)) is not None:
                    return entry  # a move that was done, and whose answer never came
                if error.fault is not DriveFault.NAME_TAKEN:
                    raise
                if order.clash is NameClash.REFUSE:
                    raise
                continue
            FOLDERS.forget(self._cache_key(order.folder))
            return self.entry(path)
        raise DriveError(DriveFault.NAME_TAKEN, wanted)

    def _move(self, source: str, target: str, order: UploadOrder) -> None:
        headers = {"Destination": target, "Overwrite": "F", "OC-Total-Length": str(order.size)}
        self.requests.ask("MOVE", source, headers, seconds=LONG_SECONDS)

    def _arrived(self, path: str, order: UploadOrder) -> DriveEntry | None:
        try:
            entry = self.entry(path)
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return None
            raise
        return entry if entry.size == order.size else None

    def abandon(self, state: State) -> None:
        if "part" in state:
            self._delete(paths.url_of(self.root, state["part"]))

    def delete(self, entry: DriveEntry) -> None:
        try:
            now_there = self.entry(entry.id)
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return
            raise
        if entry.version and _bare(now_there.version) != _bare(entry.version):
            raise DriveError(DriveFault.CHANGED, entry.id)
        tag = now_there.version  # a weak one never matches (RFC 9110, 13.1.1): Apache's is weak in a file's first second
        self._delete(paths.url_of(self.root, entry.id), {"If-Match": tag} if tag and not tag.startswith("W/") else {})
        FOLDERS.forget(self._cache_key(entry.id.rpartition("/")[0]))

    def _delete(self, url: str, headers: dict[str, str] | None = None) -> None:
        try:
            self.requests.ask("DELETE", url, headers)
        except DriveError as error:
            if error.fault is DriveFault.NAME_TAKEN:  # 412
                raise DriveError(DriveFault.CHANGED, url) from error
            if error.fault is not DriveFault.GONE:
                raise

    # --- links -------------------------------------------------------------------------------------------------------

    def link_rules(self) -> LinkRules:
        return LinkRules(rights=())

    def make_link(self, entry: DriveEntry, order: LinkOrder) -> MadeLink:
        raise DriveError(DriveFault.LINK_REFUSED, "this server makes no links")

    def remove_link(self, link: MadeLink) -> None:
        """There are none."""


def _pieces(read: Callable[[int], bytes], at: int, skip: int, entry: DriveEntry) -> Iterator[bytes]:
    """The bytes of an answer, without the first `skip`. Raises DriveError where they are not as many as the entry has."""
    while True:
        with as_drive_errors():
            piece = read(_READ)
        if not piece:
            break
        at += len(piece)
        if entry.size is not None and at > entry.size:
            raise DriveError(DriveFault.CHANGED, entry.id)
        if skip:
            skip, piece = max(skip - len(piece), 0), piece[skip:]
        if piece:
            yield piece
    if entry.size is not None and at < entry.size:
        raise DriveError(DriveFault.AWAY, f"{entry.id}: the answer broke off")


def _bare(version: str) -> str:
    """An entity tag as it is compared: what compresses on the way makes it weak, or adds to it."""
    return version.strip().removeprefix("W/").strip('"').removesuffix("-gzip")
