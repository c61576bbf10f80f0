"""OneDrive as a fake, from the published reference of Microsoft Graph: items by path and id, upload sessions, links."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Response, redirect, request

from tests.support.fakes.microsoft import FakeMicrosoft

READS, WRITES = ("Files.Read", "Files.ReadWrite"), ("Files.ReadWrite",)
_PIECE = 320 * 1024


@dataclass
class FakeItem:
    """A file or folder: `path` such as "/Cours/6A/notes.pdf"."""

    path: str
    content: bytes = b""
    folder: bool = False
    notebook: bool = False
    id: str = field(default_factory=lambda: f"01{secrets.token_hex(8).upper()}!s1")
    links: dict[str, str] = field(default_factory=dict)  # id by scope

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass
class FakeSession:
    """A session of an upload: the name is taken when its last piece comes."""

    path: str
    content: bytearray = field(default_factory=bytearray)
    size: int = -1


class FakeOneDrive(FakeMicrosoft):
    """`room`: bytes that are left. `scopes_of_links`: which links the organisation allows. `keeps`: as of Google's."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, FakeItem] = {}  # by path
        self.sessions: dict[str, FakeSession] = {}
        self.room, self.keeps = 5 * 1024**3, 1 << 60
        self.scopes_of_links = ["anonymous", "organization", "users"]
        self.tokens_at_content: list[str] = []  # what came along where no token may
        rule = self.app.add_url_rule
        rule("/v1.0/me/drive", view_func=self.drive)
        rule("/v1.0/me/drive/<path:rest>", view_func=self.item, methods=["GET", "PUT", "POST", "DELETE"])
        rule("/content/<number>", view_func=self.content)
        rule("/session/<number>", view_func=self.session, methods=["GET", "PUT", "DELETE"])

    def add(self, path: str, content: bytes = b"", **more: Any) -> FakeItem:
        made = self.items[path] = FakeItem(path, content, **more)
        return made

    # --- answers ---

    def drive(self) -> Any:
        self.allowed(*READS)
        return {"quota": {"used": sum(len(one.content) for one in self.items.values()), "remaining": self.room}}

    def item(self, rest: str) -> Any:
        self.allowed(*(READS if request.method == "GET" else WRITES))
        if found := re.fullmatch(r"root/search\(q='(.*)'\)", rest):
            return self._page(
                [one for one in self.items.values() if found[1].replace("''", "'").casefold() in one.name.casefold()], False
            )
        place, action = self._place(rest)
        if place is None:
            return self._missing()
        if action == "children":
            if place and (place not in self.items or not self.items[place].folder):
                return self._missing()
            return self._page([one for one in self.items.values() if one.path.rpartition("/")[0] == place], True)
        if action == "createUploadSession":
            number = secrets.token_hex(8)
            self.sessions[number] = FakeSession(place)
            return {"uploadUrl": f"{self.url}/session/{number}", "expirationDateTime": "2026-12-09T00:00:00Z"}
        if action == "content" and request.method == "PUT":
            if place in self.items:
                return self.refusal(409, "nameAlreadyExists", "Name already exists")
            return self._told(self.add(place, request.get_data())), 201
        item = self.items.get(place)
        if item is None:
            return self._missing()
        if action == "content":
            return redirect(f"{self.url}/content/{item.id}", 302)
        if action == "createLink":
            return self._link(item)
        if action.startswith("permissions/"):
            before = len(item.links)
            item.links = {scope: one for scope, one in item.links.items() if one != action.partition("/")[2]}
            return ("", 204) if len(item.links) < before else self._missing()
        if request.method == "DELETE":
            if request.headers.get("If-Match", self._etag(item)) != self._etag(item):
                return self.refusal(412, "resourceModified", "ETag does not match current item's value")
            del self.items[place]
            return "", 204
        return self._told(item)

    def content(self, number: str) -> Any:
        if "Authorization" in request.headers:
            self.tokens_at_content.append(request.headers["Authorization"])
        item = next(one for one in self.items.values() if one.id == number)
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        return Response(item.content[int(found[1]) :], 206) if found else Response(item.content)

    def session(self, number: str) -> Any:
        if "Authorization" in request.headers:
            self.tokens_at_content.append(request.headers["Authorization"])
        found = self.sessions.get(number)
        if found is None:
            return self._missing()
        if request.method == "DELETE":
            del self.sessions[number]
            return "", 204
        if request.method == "PUT":
            where, _slash, total = request.headers["Content-Range"].removeprefix("bytes ").partition("/")
            first, last = map(int, where.split("-"))
            found.size, body = int(total), request.get_data()
            if first != len(found.content):
                return self.refusal(416, "invalidRange", "Optimistic concurrency failure during fragmented upload")
            if found.size > self.room:
                return self.refusal(507, "quotaLimitReached", "Insufficient Space Available")
            if last + 1 != found.size and len(body) % _PIECE:
                return self.refusal(400, "invalidRequest", "Declared fragment is no multiple of 320 KiB")
            found.content += body[: self.keeps]
        if len(found.content) == found.size:
            if found.path in self.items:
                return self.refusal(409, "nameAlreadyExists", "An item with the same name already exists")
            del self.sessions[number]
            self.room -= found.size
            return self._told(self.add(found.path, bytes(found.content))), 201
        return {"expirationDateTime": "2026-12-09T00:00:00Z", "nextExpectedRanges": [f"{len(found.content)}-"]}, (
            202 if request.method == "PUT" else 200
        )

    # --- what it is made of ---

    def _place(self, rest: str) -> tuple[str | None, str]:
        """The path that an address names, and what is asked of it."""
        if found := re.fullmatch(r"root:(/.+?)(?::(?:/(.*))?)?", rest, re.DOTALL):
            return found[1], found[2] or ""
        if found := re.fullmatch(r"items/([^/:]+)(?::/(.+?):)?(?:/(.*))?", rest, re.DOTALL):
            item = next((one for one in self.items.values() if one.id == found[1]), None)
            return (None if item is None else item.path + (f"/{found[2]}" if found[2] else "")), found[3] or ""
        return "", rest.removeprefix("root").lstrip("/")

    def _page(self, rows: list[FakeItem], with_paths: bool) -> Any:
        rows = sorted(rows, key=lambda one: one.name.casefold())
        size, start = int(request.args.get("$top", 200)), int(request.args.get("$skiptoken", "0"))
        told: dict[str, Any] = {"value": [self._told(one, with_paths) for one in rows[start : start + size]]}
        if start + size < len(rows):
            told["@odata.nextLink"] = f"https://graph.microsoft.com{quote(request.path)}?$skiptoken={start + size}"
        return told

    def _told(self, item: FakeItem, with_path: bool = True) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": item.id, "name": item.name, "lastModifiedDateTime": "2026-11-03T09:30:00Z", "eTag": self._etag(item),
            "webUrl": f"https://ecole-my.sharepoint.com/x{quote(item.path)}", "parentReference": {"driveId": "b!1"},
        }  # fmt: skip
        if with_path:
            told["parentReference"]["path"] = "/drive/root:" + quote(item.path.rpartition("/")[0])
        if item.folder:
            told |= {"folder": {"childCount": 0}, "size": 0}
        elif item.notebook:
            told |= {"package": {"type": "oneNote"}, "size": 0}
        else:
            digest = hashlib.sha256(item.content).hexdigest()[:12]
            told |= {"file": {"mimeType": "application/pdf"}, "size": len(item.content), "cTag": f'"c:{{{digest}}},1"'}
        return told

    def _etag(self, item: FakeItem) -> str:
        return f'"{{{hashlib.sha256(item.content).hexdigest()[:12]}}},2"'

    def _link(self, item: FakeItem) -> Any:
        asked = request.get_json()
        if asked["scope"] not in self.scopes_of_links:
            return self.refusal(403, "accessDenied", "Sharing has been disabled by your administrator.")
        is_new = asked["scope"] not in item.links
        number = item.links.setdefault(asked["scope"], f"perm-{secrets.token_hex(4)}")
        link = {"type": asked["type"], "scope": asked["scope"], "webUrl": f"https://1drv.ms/b/{number}"}
        return {"id": number, "roles": ["read"], "link": link}, 201 if is_new else 200

    def _missing(self) -> Response:
        return self.refusal(404, "itemNotFound", "The resource could not be found.")
