"""Nextcloud: what its drives can besides WebDAV: search (RFC 5323), uploads in pieces (its chunked upload v2), links (its OCS
interface).

ownCloud has the same addresses; what it does not know of this, it refuses, and the page says so.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlencode

from webmail.drives.drive import (
    PIECE,
    DriveAbilities,
    DriveEntry,
    DriveError,
    DriveFault,
    FolderPage,
    LinkOrder,
    LinkRight,
    LinkRules,
    MadeLink,
    ReadFrom,
    SaveState,
    State,
    UploadOrder,
)
from webmail.drives.pieces import pieces_from
from webmail.drives.webdav import listing, paths
from webmail.drives.webdav.webdav_drive import WebDavDrive
from webmail.drives.webdav.webdav_requests import LONG_SECONDS, WebDavRequests
from webmail.models import now

_OCS = {"OCS-APIRequest": "true", "Accept": "application/json"}
_PUBLIC = 3  # the type of a share that is a link
_READS, _WRITES = 1, 2  # bits of what it allows
_WELL = (100, 200)
_NUMBER = re.compile(r"\d{1,5}", re.ASCII)  # as we call it, or as its object store does, without zeros before it
_MOST_PIECES = 10_000


class NextcloudDrive(WebDavDrive):
    """See `drive.Drive`. `base`: its address; `user`: who somebody is there, as it stands in addresses."""

    abilities = DriveAbilities(search=True, links=True, space=True, most_bytes=_MOST_PIECES * PIECE)

    def __init__(self, root: str, base: str, user: str, requests: WebDavRequests) -> None:
        super().__init__(root, requests)
        self.base, self.user = base, user

    # --- search ------------------------------------------------------------------------------------------------------

    def search(self, text: str, cursor: str = "", folder: str = "") -> FolderPage:
        scope = f"/files/{unquote(self.user)}"  # below its own root and not encoded: so does it read what is no whole address
        return self._search(f"{self.base}/remote.php/dav/", scope, text, cursor, caseless=False)

    # --- uploads in pieces -------------------------------------------------------------------------------------------

    def upload(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState) -> DriveEntry:
        if order.size > self.abilities.most_bytes:
            raise DriveError(DriveFault.TOO_LARGE, f"{order.size} bytes")
        if order.size <= PIECE or "part" in state:
            return super().upload(order, read, state, save)
        state = dict(state)
        there = self._there(state)
        if there is None and not state.get("name"):  # not begun, or forgotten there
            state = {"upload": f"traboule-{secrets.token_hex(16)}"}
            save(state, 0)
            self.requests.ask("MKCOL", self._upload_url(state), {"Destination": self._target(order, state)})
            there = 0
        if there is not None:
            self._send_pieces(order, read, state, save, there)
        return self._put_under_name(order, f"{self._upload_url(state)}/.file", state, save)

    def _send_pieces(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState, there: int) -> None:
        headers = {
            "Destination": self._target(order, state),
            "OC-Total-Length": str(order.size),
            "Content-Type": "application/octet-stream",
        }
        for number, piece in enumerate(pieces_from(read, there, order.size), there // PIECE + 1):
            url = f"{self._upload_url(state)}/{number:05}"
            self.requests.ask("PUT", url, headers, piece, seconds=LONG_SECONDS)
            there += len(piece)
            save(state, there)

    def _there(self, state: State) -> int | None:
        """How many bytes of an upload its server has, of whole pieces in a row; None where it knows nothing of it."""
        if "upload" not in state:
            return None
        url = f"{self._upload_url(state)}/"
        try:
            answer = self._propfind(url, 1, listing.SIZE)
        except DriveError as error:
            if error.fault is DriveFault.GONE:
                return None
            raise
        sizes = dict[int, int]()
        for one in listing.read(answer.content):
            name = unquote(one.href.rstrip("/").rpartition("/")[2])
            if _NUMBER.fullmatch(name):
                sizes[int(name)] = listing.entry_of(one, name).size or 0
        number = 0
        while sizes.get(number + 1) == PIECE:
            number += 1
        return number * PIECE

    def _upload_url(self, state: State) -> str:
        return f"{self.base}/remote.php/dav/uploads/{self.user}/{quote(str(state['upload']), safe='')}"

    def _target(self, order: UploadOrder, state: State) -> str:
        """Where it is said to go while it comes: under a name that no file has. On an object store a Nextcloud writes straight
        into a file that is there already, whatever name the upload is moved to at its end.
        """
        return paths.url_of(self.root, paths.joined(order.folder, f".{state['upload']}"))

    def abandon(self, state: State) -> None:
        if "upload" in state:
            self._delete(self._upload_url(state))
        else:
            super().abandon(state)

    # --- links -------------------------------------------------------------------------------------------------------

    def link_rules(self) -> LinkRules:
        found = self._ocs("GET", "cloud/capabilities").get("capabilities", {}).get("files_sharing", {})
        public = found.get("public", {})
        if not isinstance(public, dict) or not found.get("api_enabled", True) or not public.get("enabled"):
            return LinkRules(rights=())
        until = public.get("expire_date") or {}
        days = until.get("days") if until.get("enforced") else None
        return LinkRules(
            can_have_password=True, needs_password=bool((public.get("password") or {}).get("enforced")), can_expire=True,
            latest=now().date() + timedelta(days=min(int(days), 3650)) if days else None,
        )  # fmt: skip

    def make_link(self, entry: DriveEntry, order: LinkOrder) -> MadeLink:
        path = "/" + entry.id
        for share in self._shares(path):
            if _is_same(share, order):
                return replace(_made(share), id="")  # it was there: nothing to take back
        fields = {"path": path, "shareType": str(_PUBLIC), "permissions": str(_READS)}
        fields |= {"password": order.password} if order.password else {}
        fields |= {"expireDate": order.expires.isoformat()} if order.expires else {}
        return _made(self._ocs("POST", "apps/files_sharing/api/v1/shares", fields))

    def _shares(self, path: str) -> list[dict[str, Any]]:
        found = self._ocs("GET", "apps/files_sharing/api/v1/shares", {"path": path, "reshares": "false"})
        return [share for share in found.get("list", ()) if isinstance(share, dict)]

    def remove_link(self, link: MadeLink) -> None:
        if link.id.isascii() and link.id.isdigit():
            try:
                self._ocs("DELETE", f"apps/files_sharing/api/v1/shares/{link.id}")
            except DriveError as error:
                if error.fault is not DriveFault.GONE:
                    raise

    def _ocs(self, method: str, what: str, fields: dict[str, str] | None = None) -> dict[str, Any]:
        """What it says in `ocs.data`; a list as {"list": ...}."""
        url, body, headers = f"{self.base}/ocs/v2.php/{what}?format=json", b"", dict(_OCS)
        if method == "POST":
            body = urlencode(fields or {}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif fields:
            url += "&" + urlencode(fields)
        answer = self.requests.ask(method, url, headers, body, refused=(400, 403, 404))
        try:
            said = json.loads(answer.content)["ocs"]
            code, data = int(said["meta"]["statuscode"]), said.get("data")
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            if answer.status == 404:
                raise DriveError(DriveFault.GONE, url) from error
            raise DriveError(DriveFault.NOT_UNDERSTOOD, f"{url}: {answer.status}") from error
        if code == 404:
            raise DriveError(DriveFault.GONE, url)
        if code not in _WELL:
            words = str(said["meta"].get("message", ""))
            raise DriveError(DriveFault.LINK_REFUSED, f"{url}: {code} {words}")
        return data if isinstance(data, dict) else {"list": data if isinstance(data, list) else []}


def _is_same(share: dict[str, Any], order: LinkOrder) -> bool:
    """A link that anybody has who reads it, without more than that, and without what was not ordered."""
    allows = share.get("permissions")
    reads_only = isinstance(allows, int) and bool(allows & _READS) and not allows & _WRITES
    bare = not share.get("password") and not share.get("share_with") and not share.get("expiration")
    return share.get("share_type") == _PUBLIC and reads_only and bare and not order.password and not order.expires


def _made(share: dict[str, Any]) -> MadeLink:
    url = share.get("url")
    if not isinstance(url, str) or not re.match(r"https?://[^\s<>\"']{1,1900}\Z", url):
        raise DriveError(DriveFault.NOT_UNDERSTOOD, "a link without an address")
    allows = share.get("permissions")
    writes = isinstance(allows, int) and bool(allows & _WRITES)
    right = LinkRight.ANYONE_WRITES if writes else LinkRight.ANYONE_READS
    password = bool(share.get("password") or share.get("share_with"))
    return MadeLink(url, right, str(share.get("id", ""))[:30], password, _day(share.get("expiration")))


def _day(told: object) -> date | None:
    """ "2026-12-31 00:00:00"."""
    try:
        return date.fromisoformat(told[:10]) if isinstance(told, str) else None
    except ValueError:
        return None
