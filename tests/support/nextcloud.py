"""A Nextcloud for tests, made from its published interface: WebDAV with files on disk, and besides it what a Nextcloud has of
its own: chunked upload v2, SEARCH, links by OCS, login flow v2, app passwords. `Nextcloud(folder, own=False)` is a plain
WebDAV server.

`before(method, path)` may answer in its place; `requests` holds what was asked. `object_store`: its files are in one, where
pieces are parts of the file that is named while they come, and replace it if it is there already.

What is below was compared with Nextcloud's developer manual (chunked upload v2, search, share API, login flow v2) and, where that
says nothing, with the source of its server.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

LOGIN, USER, PASSWORD = "marie@ecole.example", "marie", "Kx7-app-password"
D = "{DAV:}"
_PIECE = 262_144
_SMALLEST = 5_000_000  # bytes of a piece that is not the last


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


class Nextcloud:
    def __init__(self, folder: Path, *, own: bool = True) -> None:
        self.files, self.uploads, self.own = folder / "files", folder / "uploads", own
        self.files.mkdir(parents=True)
        self.uploads.mkdir()
        self.password = PASSWORD
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.before: Callable[[str, str], Response | None] = lambda _method, _path: None
        self.free = 10_000_000_000
        self.shares: dict[int, dict[str, Any]] = {}
        self.public: dict[str, Any] = {"enabled": True}
        self.flows: dict[str, bool] = {}  # poll token: whether the person has agreed
        self.ranges = True
        self.object_store = False
        self.pace = 0.0  # seconds that a MiB takes, to be read or written
        self.searches = own  # by RFC 5323; of a plain server: it tells so in the header DASL
        self.overwritten: list[str] = []  # files that were written over by an upload to another name
        self.targets: dict[str, Path] = {}  # by upload: where it was said to go
        self.url = ""

    @property
    def root(self) -> str:
        return f"{self.url}/remote.php/dav/files/{USER}/" if self.own else f"{self.url}/dav/"

    @contextmanager
    def serve(self) -> Iterator[Nextcloud]:
        server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.requests.append((request.method, request.path))
        self.headers.append(dict(request.headers))
        try:
            response = self.before(request.method, request.path) or self._answer(request)
        except OSError as error:
            response = Response(str(error), 500)
        except ClientDisconnected as error:
            return error(environ, start_response)
        with suppress(ClientDisconnected):
            while request.stream.read(_PIECE):
                pass  # what nobody wanted: a connection that is closed over it would take the answer along
        return response(environ, start_response)

    # --- who asks what -----------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        path = request.path
        if self.own and path == "/status.php":
            return _json({"installed": True, "productname": "Nextcloud", "versionstring": "32.0.1"})
        if self.own and path == "/index.php/login/v2":
            token = secrets.token_hex(32)
            self.flows[token] = False
            login = f"{self.url}/index.php/login/v2/flow/{token[:20]}"
            return _json({"poll": {"token": token, "endpoint": f"{self.url}/index.php/login/v2/poll"}, "login": login})
        if self.own and path == "/index.php/login/v2/poll":
            token = request.form.get("token", "")
            if not self.flows.get(token):
                return _json([], 404)
            del self.flows[token]  # it answers once
            return _json({"server": self.url, "loginName": LOGIN, "appPassword": self.password})
        signed = request.authorization
        if signed is None or signed.username not in (LOGIN, USER) or signed.password != self.password:
            return Response("", 401, {"WWW-Authenticate": "Basic realm=Nextcloud"})
        if self.searches and path.rstrip("/") == ("/remote.php/dav" if self.own else "/dav") and request.method == "SEARCH":
            return self._search(request)
        for prefix, folder in self._trees():
            if path == prefix.rstrip("/") or path.startswith(prefix):
                return self._dav(request, prefix, folder)
        if self.own and path.startswith("/ocs/v2.php/"):
            return self._ocs(request, path.removeprefix("/ocs/v2.php/"))
        return Response("", 404)

    def _trees(self) -> list[tuple[str, Path]]:
        if not self.own:
            return [("/dav/", self.files)]
        return [(f"/remote.php/dav/files/{USER}/", self.files), (f"/remote.php/dav/uploads/{USER}/", self.uploads)]

    def agree(self) -> None:
        """The person says yes on the page of the login flow."""
        self.flows = dict.fromkeys(self.flows, True)

    # --- WebDAV ------------------------------------------------------------------------------------------------------

    def _dav(self, request: Request, prefix: str, folder: Path) -> Response:
        name = request.path[len(prefix) :].strip("/")
        if any(part in ("..", ".") for part in name.split("/")):
            return Response("", 403)
        target = folder / name if name else folder
        if folder == self.uploads and (refused := self._refused(request, name)) is not None:
            return refused
        match request.method:
            case "OPTIONS":
                return Response("", 200, {"DAV": "1, 2", **({"DASL": "<DAV:basicsearch>"} if self.searches else {})})
            case "PROPFIND":
                return self._propfind(request, prefix, folder, target)
            case "GET" | "HEAD":
                return self._get(request, target)
            case "PUT":
                return self._put(request, target)
            case "MKCOL":
                if target.exists() or not target.parent.is_dir():
                    return Response("", 405 if target.exists() else 409)
                target.mkdir()
                if folder == self.uploads:
                    self.targets[name] = self._destination(request) or target
                return Response("", 201)
            case "DELETE":
                if not target.exists():
                    return Response("", 404)
                if (wanted := request.headers.get("If-Match")) and (wanted != _etag(target) or wanted.startswith("W/")):
                    return Response("", 412)
                shutil.rmtree(target) if target.is_dir() else target.unlink()
                return Response("", 204)
            case "MOVE":
                return self._move(request, target)
        return Response("", 405)

    def _propfind(self, request: Request, prefix: str, folder: Path, target: Path) -> Response:
        request.get_data()
        if not target.exists():
            return Response("", 404)
        found = [target, *(sorted(target.iterdir()) if target.is_dir() and request.headers.get("Depth") == "1" else ())]
        return _multistatus([self._described(one, prefix, folder) for one in found])

    def _described(self, target: Path, prefix: str, folder: Path) -> str:
        inside = target.relative_to(folder).as_posix()
        if self.object_store and folder == self.uploads and target.name.isdigit():
            inside = f"{target.parent.name}/{int(target.name)}"  # parts have numbers, not the names that they came with
        href = quote(prefix + ("" if inside == "." else inside)) + ("/" if target.is_dir() and inside != "." else "")
        moment = formatdate(target.stat().st_mtime, usegmt=True)
        props = f"<d:getlastmodified>{moment}</d:getlastmodified><d:getetag>{_etag(target)}</d:getetag>"
        if target.is_dir():
            props += "<d:resourcetype><d:collection/></d:resourcetype>"
            props += f"<d:quota-available-bytes>{self.free}</d:quota-available-bytes>"
            props += "<d:quota-used-bytes>1000</d:quota-used-bytes>"
        else:
            props += f"<d:resourcetype/><d:getcontentlength>{target.stat().st_size}</d:getcontentlength>"
            props += "<d:getcontenttype>application/octet-stream</d:getcontenttype>"
        props += "<oc:permissions>RGDNVCK</oc:permissions>" if self.own else ""
        return (
            f"<d:response><d:href>{escape(href)}</d:href><d:propstat><d:prop>{props}</d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )

    def _get(self, request: Request, target: Path) -> Response:
        if not target.is_file():
            return Response("", 404)
        size, start, status = target.stat().st_size, 0, 200
        headers = {"ETag": _etag(target), "Accept-Ranges": "bytes"}
        if self.ranges and (found := re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))):
            start, status = int(found[1]), 206
            if start >= size:
                return Response("", 416, headers)
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        headers["Content-Length"] = str(size - start)
        return Response(_read(target, start, self.pace), status, headers, direct_passthrough=True)

    def _put(self, request: Request, target: Path) -> Response:
        length = int(request.headers.get("Content-Length") or 0)
        if not target.parent.is_dir():
            return Response("", 409)
        if request.headers.get("If-None-Match") == "*" and target.exists():
            return Response("", 412)
        if length > self.free:
            return Response("", 507)
        new = not target.exists()
        with target.open("wb") as out:
            while piece := request.stream.read(min(_PIECE, length)):
                out.write(piece)
                time.sleep(self.pace / 4)
                length -= len(piece)
                if not length:
                    break
        return Response("", 201 if new else 204)

    def _move(self, request: Request, source: Path) -> Response:
        target = self._destination(request)
        if target is None:
            return Response("", 502)
        joined = source.name == ".file" and source.parent.parent == self.uploads
        if not (source.parent.is_dir() if joined else source.exists()):
            return Response("", 404)
        if not target.parent.is_dir():
            return Response("", 409)
        if target.exists() and request.headers.get("Overwrite") == "F":
            return Response("", 412)
        if not joined:
            source.replace(target)
            return Response("", 201)
        pieces = sorted(source.parent.iterdir())
        sizes = [one.stat().st_size for one in pieces]
        if sum(sizes) != int(request.headers.get("OC-Total-Length", "-1")):
            return Response("", 400)
        if any(size < _SMALLEST for size in sizes[:-1]):
            return Response("", 400)  # an object store takes none as small, but for the last
        said = self.targets.get(source.parent.name)
        if self.object_store and said is not None and said.exists():
            self.overwritten.append(said.name)
            said.write_bytes(b"the pieces")
        with target.open("wb") as out:
            for one in pieces:
                with one.open("rb") as piece:
                    shutil.copyfileobj(piece, out)
        shutil.rmtree(source.parent)
        return Response("", 201)

    def _destination(self, request: Request) -> Path | None:
        where = unquote(urlsplit(request.headers.get("Destination", "")).path)
        prefix, folder = self._trees()[0]
        return folder / where.removeprefix(prefix) if where.startswith(prefix) else None

    def _refused(self, request: Request, name: str) -> Response | None:
        """What chunked upload v2 asks of MKCOL, PUT and MOVE."""
        if request.method not in ("MKCOL", "PUT", "MOVE"):
            return None
        if self._destination(request) is None:
            return Response("Destination", 400)
        piece = name.rpartition("/")[2]
        if request.method == "PUT" and not (piece.isdigit() and 1 <= int(piece) <= 10_000):
            return Response("Invalid chunk name, must be numeric between 1 and 10000", 400)
        if request.method == "PUT" and int(request.headers.get("OC-Total-Length", 0)) > self.free:
            return Response("", 507)
        return None

    def _search(self, request: Request) -> Response:
        if request.mimetype not in ("text/xml", "application/xml"):
            return Response("", 501)
        asked = ElementTree.fromstring(request.get_data())
        if asked.findtext(f".//{D}scope/{D}href") != (f"/files/{USER}" if self.own else "/dav/"):
            return Response("Invalid scope", 409)
        word = (asked.findtext(f".//{D}literal") or "").removeprefix("%").removesuffix("%")
        word = re.sub(r"\\(.)", r"\1", word).lower()
        most = int(asked.findtext(f".//{D}nresults") or 0)
        found = [one for one in sorted(self.files.rglob("*")) if word in one.name.lower()][:most]
        prefix, folder = self._trees()[0]
        return _multistatus([self._described(one, prefix, folder) for one in found])

    # --- OCS ---------------------------------------------------------------------------------------------------------

    def _ocs(self, request: Request, what: str) -> Response:
        if request.headers.get("OCS-APIRequest") != "true":
            return _ocs(997, None)
        if what == "cloud/user":
            return _ocs(200, {"id": USER, "displayname": "Marie Martin"})
        if what == "cloud/capabilities":
            return _ocs(200, {"capabilities": {"files_sharing": {"api_enabled": True, "public": self.public}}})
        if what.startswith("apps/files_sharing/api/v1/shares"):
            return self._share(request, what.rpartition("/")[2])
        return _ocs(998, None)

    def _share(self, request: Request, number: str) -> Response:
        if request.method == "DELETE":
            return _ocs(200 if self.shares.pop(int(number), None) else 404, [])
        if request.method == "GET":
            return _ocs(200, [one for one in self.shares.values() if one["path"] == request.args.get("path")])
        path = request.form.get("path", "")
        if not self.public.get("enabled"):
            return _ocs(403, [], "Public link sharing is disabled by the administrator")
        if not (self.files / path.strip("/")).exists():
            return _ocs(404, [], "Wrong path, file/folder does not exist")
        if (self.public.get("password") or {}).get("enforced") and not request.form.get("password"):
            return _ocs(400, [], "Passwords are enforced for link and mail shares")
        made = len(self.shares) + 1
        token = hashlib.sha256(f"{path}{made}".encode()).hexdigest()[:15]
        until = request.form.get("expireDate")
        self.shares[made] = {
            "id": str(made), "share_type": 3, "path": path, "permissions": int(request.form.get("permissions", 1)) | 16,
            "url": f"{self.url}/s/{token}", "token": token, "expiration": f"{until} 00:00:00" if until else None,
            "share_with": "***" if request.form.get("password") else None,
        }  # fmt: skip
        return _ocs(200, self.shares[made])


def _etag(target: Path) -> str:
    stat = target.stat()
    return f'"{hashlib.sha256(f"{target.name}{stat.st_mtime_ns}{stat.st_size}".encode()).hexdigest()[:24]}"'


def _read(target: Path, start: int, pace: float) -> Iterator[bytes]:
    with target.open("rb") as file:
        file.seek(start)
        while piece := file.read(_PIECE):
            yield piece
            time.sleep(pace / 4)


def _json(said: Any, status: int = 200) -> Response:
    return Response(json.dumps(said), status, content_type="application/json")


def _ocs(code: int, data: Any, words: str = "OK") -> Response:
    status = code if code in (200, 400, 403, 404) else 400
    return _json({"ocs": {"meta": {"status": "ok", "statuscode": code, "message": words}, "data": data}}, status)


def _multistatus(answers: list[str]) -> Response:
    names = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"'
    body = f'<?xml version="1.0"?><d:multistatus {names}>{"".join(answers)}</d:multistatus>'
    return Response(body, 207, content_type="application/xml; charset=utf-8")
