"""OneDrive as a fake, from the published reference of Microsoft Graph: items by path and id, upload sessions, links."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Response, g, redirect, request

from tests.support.fakes.microsoft import FakeMicrosoft
from tests.support.fakes.synthetic import body_from, digest_of, whole

READS, WRITES = ("Files.Read", "Files.ReadWrite"), ("Files.ReadWrite",)
SITES_READ, SITES_WRITE = ("Sites.Read.All", "Sites.ReadWrite.All"), ("Sites.ReadWrite.All",)
_PIECE = 320 * 1024


@dataclass
class FakeItem:
    """A file or folder: `path` such as "/Cours/6A/notes.pdf"."""

    path: str
    content: Any = b""  # bytes, or of `synthetic.py`
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
    items: dict[str, FakeItem]
    content: Any = field(default_factory=bytearray)
    size: int = -1


@dataclass
class FakeLibrary:
    """A document library of a site, which is a drive."""

    name: str
    items: dict[str, FakeItem] = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"b!-{secrets.token_hex(20)}_x")


@dataclass
class FakeSite:
    """A SharePoint site."""

    name: str
    libraries: list[FakeLibrary]
    followed: bool = True
    id: str = field(default_factory=lambda: f"ecole.sharepoint.com,{uuid.uuid4()},{uuid.uuid4()}")


class FakeOneDrive(FakeMicrosoft):
    """`sites` need scopes of their own. `room`: bytes that are left. `scopes_of_links`: which links the organisation allows. `keeps`: as of Google's."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, FakeItem] = {}  # by path
        self.sessions: dict[str, FakeSession] = {}
        self.received: Callable[[], Any] = bytearray  # what holds an upload
        self.sites: dict[str, FakeSite] = {}  # by id
        self.room, self.keeps = 5 * 1024**3, 1 << 60
        self.scopes_of_links = ["anonymous", "organization", "users"]
        self.tokens_at_content: list[str] = []  # what came along where no token may
        rule = self.app.add_url_rule
        rule("/v1.0/me/drive", view_func=self.drive)
        rule("/v1.0/me/drive/<path:rest>", view_func=self.item, methods=["GET", "PUT", "POST", "DELETE"])
        rule("/v1.0/me/followedSites", view_func=self.followed_sites)
        rule("/v1.0/sites", view_func=self.found_sites)
        rule("/v1.0/sites/<number>", view_func=self.site)
        rule("/v1.0/sites/<number>/drives", view_func=self.libraries)
        rule("/v1.0/drives/<number>", view_func=self.library)
        rule("/v1.0/drives/<number>/<path:rest>", view_func=self.library, methods=["GET", "PUT", "POST", "DELETE"])
        rule("/content/<number>", view_func=self.content)
        rule("/session/<number>", view_func=self.session, methods=["GET", "PUT", "DELETE"])

    def add(self, path: str, content: Any = b"", **more: Any) -> FakeItem:
        made = self.items[path] = FakeItem(path, content, **more)
        return made

    def add_site(self, name: str, *libraries: str, followed: bool = True) -> FakeSite:
        made = FakeSite(name, [FakeLibrary(one) for one in libraries], followed)
        self.sites[made.id] = made
        return made

    def _all_items(self) -> list[dict[str, FakeItem]]:
        return [self.items, *(one.items for site in self.sites.values() for one in site.libraries)]

    # --- answers ---

    def drive(self) -> Any:
        self.allowed(*READS)
        return {"quota": {"used": sum(len(one.content) for one in self.items.values()), "remaining": self.room}}

    def library(self, number: str, rest: str = "") -> Any:
        """An item of a library, or the library itself."""
        self.allowed(*(SITES_READ if request.method == "GET" else SITES_WRITE))
        g.library = next((one for site in self.sites.values() for one in site.libraries if one.id == number), None)
        if g.library is None:
            return self._missing()
        return self._item(rest) if rest else {"id": number, "name": g.library.name}

    def item(self, rest: str) -> Any:
        self.allowed(*(READS if request.method == "GET" else WRITES))
        return self._item(rest)

    @property
    def here(self) -> dict[str, FakeItem]:
        """The items of the drive that is asked."""
        return self.items if g.get("library") is None else g.library.items

    def followed_sites(self) -> Any:
        self.allowed(*SITES_READ)
        return self._sites([one for one in self.sites.values() if one.followed])

    def found_sites(self) -> Any:
        self.allowed(*SITES_READ)
        words = request.args["search"].casefold()
        return self._sites([one for one in self.sites.values() if words in one.name.casefold()])

    def site(self, number: str) -> Any:
        self.allowed(*SITES_READ)
        found = self.sites.get(number)
        return self._missing() if found is None else {"id": number, "displayName": found.name}

    def libraries(self, number: str) -> Any:
        self.allowed(*SITES_READ)
        found = self.sites.get(number)
        if found is None:
            return self._missing()
        return {"value": [{"id": one.id, "name": one.name, "driveType": "documentLibrary"} for one in found.libraries]}

    def _sites(self, found: list[FakeSite]) -> Any:
        rows = [
            {"id": one.id, "displayName": one.name, "webUrl": f"https://ecole.sharepoint.com/sites/{quote(one.name)}"}
            for one in found
        ]
        size, start = int(request.args.get("$top", 200)), int(request.args.get("$skiptoken", "0"))
        told: dict[str, Any] = {"value": rows[start : start + size]}
        if start + size < len(rows):
            told["@odata.nextLink"] = f"https://graph.microsoft.com{quote(request.path)}?$skiptoken={start + size}"
        return told

    def _item(self, rest: str) -> Any:
        if found := re.fullmatch(r"root/search\(q='(.*)'\)", rest):
            return self._page(
                [one for one in self.here.values() if found[1].replace("''", "'").casefold() in one.name.casefold()], False
            )
        place, action = self._place(rest)
        if place is None:
            return self._missing()
        if action == "children":
            if place and (place not in self.here or not self.here[place].folder):
                return self._missing()
            return self._page([one for one in self.here.values() if one.path.rpartition("/")[0] == place], True)
        if action == "createUploadSession":
            number = secrets.token_hex(8)
            self.sessions[number] = FakeSession(place, self.here, self.received())
            return {"uploadUrl": f"{self.url}/session/{number}", "expirationDateTime": "2026-12-09T00:00:00Z"}
        if action == "content" and request.method == "PUT":
            if place in self.here:
                return self.refusal(409, "nameAlreadyExists", "Name already exists")
            made = self.here[place] = FakeItem(place, request.get_data())
            return self._told(made), 201
        item = self.here.get(place)
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
            del self.here[place]
            return "", 204
        return self._told(item)

    def content(self, number: str) -> Any:
        if "Authorization" in request.headers:
            self.tokens_at_content.append(request.headers["Authorization"])
        item = next(one for items in self._all_items() for one in items.values() if one.id == number)
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        length = {"Content-Length": str(len(item.content) - start)}
        return Response(body_from(item.content, start), 206 if found else 200, length)

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
            if found.path in found.items:
                return self.refusal(409, "nameAlreadyExists", "An item with the same name already exists")
            del self.sessions[number]
            self.room -= found.size
            made = found.items[found.path] = FakeItem(found.path, whole(found.content))
            return self._told(made), 201
        return {"expirationDateTime": "2026-12-09T00:00:00Z", "nextExpectedRanges": [f"{len(found.content)}-"]}, (
            202 if request.method == "PUT" else 200
        )

    # --- what it is made of ---

    def _place(self, rest: str) -> tuple[str | None, str]:
        """The path that an address names, and what is asked of it."""
        if found := re.fullmatch(r"root:(/.+?)(?::(?:/(.*))?)?", rest, re.DOTALL):
            return found[1], found[2] or ""
        if found := re.fullmatch(r"items/([^/:]+)(?::/(.+?):)?(?:/(.*))?", rest, re.DOTALL):
            item = next((one for one in self.here.values() if one.id == found[1]), None)
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
            drive = "/drive" if g.get("library") is None else f"/drives/{g.library.id}"
            told["parentReference"]["path"] = f"{drive}/root:" + quote(item.path.rpartition("/")[0])
        if item.folder:
            told |= {"folder": {"childCount": 0}, "size": 0}
        elif item.notebook:
            told |= {"package": {"type": "oneNote"}, "size": 0}
        else:
            digest = digest_of(item.content)[:12]
            told |= {"file": {"mimeType": "application/pdf"}, "size": len(item.content), "cTag": f'"c:{{{digest}}},1"'}
        return told

    def _etag(self, item: FakeItem) -> str:
        return f'"{{{digest_of(item.content)[:12]}}},2"'

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
