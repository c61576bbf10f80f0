"""Google's calendars and contacts: Radicale behind a guard that refuses what Google's description of CalDAV and CardDAV refuses."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from flask import Response, request

from tests.support.fakes.google import FakeGoogle
from tests.support.other_dav import LOGIN, OtherServer

_SCOPES = {"caldav": "https://www.googleapis.com/auth/calendar", "carddav": "https://www.googleapis.com/auth/carddav"}
_METHODS = ["GET", "PUT", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT", "POST", "MKCOL", "MKCALENDAR", "MOVE", "COPY"]
_REFUSED = ("MKCOL", "MKCALENDAR", "MOVE", "COPY", "LOCK", "UNLOCK")
_PRINCIPAL = (
    "<D:multistatus xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:{kind}'><D:response><D:href>{here}</D:href><D:propstat><D:prop>"
    "<C:{home}><D:href>{there}</D:href></C:{home}><D:resourcetype><D:principal/></D:resourcetype></D:prop>"
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
)


class FakeGoogleCollections(FakeGoogle):
    """`broken`: what was refused, by method and why. `quota`: how many requests are left."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.server = OtherServer(folder)
        self.broken: list[str] = []
        self.quota = 10**6
        self.synced: set[str] = set()  # paths that were asked by sync-collection
        self.busy: dict[str, list[tuple[str, str]]] = {}  # of colleagues, by address: from when until when, in UTC
        self.app.add_url_rule("/calendar/v3/freeBusy", view_func=self.free_busy, methods=["POST"])
        self.app.add_url_rule("/.well-known/carddav", view_func=self.well_known, methods=["GET", "PROPFIND"])
        for path in ("/caldav/v2/<path:rest>", "/carddav/v1/principals/<path:rest>"):
            self.app.add_url_rule(path, path, view_func=self.collections, methods=_METHODS)

    def well_known(self) -> Response:
        return Response("", 301, {"Location": f"/carddav/v1/principals/{quote(self.login)}/"})

    def free_busy(self) -> Any:
        """Calendar v3, `freebusy.query`: its discovery file has no other names."""
        self.allowed(_SCOPES["caldav"])
        asked = request.get_json()
        assert set(asked) <= {"timeMin", "timeMax", "timeZone", "items", "groupExpansionMax", "calendarExpansionMax"}
        assert len(asked["items"]) <= 50
        found = {one["id"]: self._busy_of(one["id"]) for one in asked["items"]}
        return {"kind": "calendar#freeBusy", "timeMin": asked["timeMin"], "timeMax": asked["timeMax"], "calendars": found}

    def _busy_of(self, address: str) -> dict[str, Any]:
        if address not in self.busy:
            return {"busy": [], "errors": [{"domain": "global", "reason": "notFound"}]}
        return {"busy": [{"start": start, "end": end} for start, end in self.busy[address]]}

    def collections(self, rest: str) -> Response:
        kind = request.path.split("/")[1]
        self.allowed(_SCOPES[kind])
        self.quota -= 1
        if self.quota < 0:
            return Response(
                '{"error": {"errors": [{"reason": "quotaExceeded"}], "code": 403}}', 403, content_type="application/json"
            )
        path, body = self._there(request.path), self._there(request.get_data(as_text=True))
        if request.method == "PROPFIND" and re.fullmatch(
            r"/caldav/v2/[^/]+/user/?|/carddav/v1/principals/[^/]+/?", unquote(request.path)
        ):
            return self._principal(kind)
        if fault := self._fault(kind, path, body):
            self.broken.append(f"{request.method} {fault[1]}")
            return Response(fault[1], fault[0])
        if request.method == "POST":
            return self._new_contact(path, body)
        return self._asked(request.method, path, body)

    def _principal(self, kind: str) -> Response:
        login = quote(self.login)
        there = f"/caldav/v2/{login}/" if kind == "caldav" else f"/carddav/v1/principals/{login}/lists/"
        home = "calendar-home-set" if kind == "caldav" else "addressbook-home-set"
        return Response(_PRINCIPAL.format(kind=kind, here=request.path, home=home, there=there), 207, content_type="text/xml")

    def _fault(self, kind: str, path: str, body: str) -> tuple[int, str] | None:
        """Status and why."""
        method, exists = request.method, self._asked("GET", path, "").status_code == 200
        if method in _REFUSED:
            return 405, "is not known"
        if any(name in request.headers for name in ("If-None-Match", "If", "If-Modified-Since")):
            return 400, "has a condition other than If-Match"
        if "VTODO" in body and method == "PUT":
            return 400, "has a task"
        if method in ("PUT", "DELETE") and exists and "If-Match" not in request.headers:
            return 409, "has no If-Match"
        if method == "PUT" and kind == "carddav" and not exists:
            return 404, "makes a contact: that is POST"
        if "sync-collection" in body:
            self.synced.add(path)
        if method == "PROPFIND" and request.headers.get("Depth") == "1" and path in self.synced:
            return 403, "lists a collection that is synchronised"
        return None

    def _new_contact(self, path: str, body: str) -> Response:
        name = secrets.token_hex(8)
        self._asked("PUT", f"{path}{name}", body)
        return Response("", 201, {"Location": f"{request.path}{name}"})

    def _asked(self, method: str, path: str, body: str) -> Response:
        headers = {"Authorization": _basic()} | {
            name: request.headers[name]
            for name in ("Depth", "If-Match", "Content-Type")
            if name in request.headers and request.method == method
        }
        answer = self.server.answer(method, path, body.encode(), headers)
        told: dict[str, Any] = {name: value for name, value in answer.headers.items() if name in ("content-type", "etag")}
        if method == "PUT":
            told.pop("etag", None)  # what was written is fetched for its entity tag
        return Response(self._here(answer.content.decode()), answer.status, told)

    # --- addresses: a calendar is at …/events/ -----------------------------------------------------------------------

    def _there(self, text: str) -> str:
        """With the addresses of Radicale."""
        login = re.escape(quote(self.login)) + "|" + re.escape(self.login) + "|" + re.escape(quote(self.login, safe=""))
        text = re.sub(rf"/caldav/v2/(?:{login})/([^/<]+)/events/", rf"/{LOGIN}/\1/", text)
        text = re.sub(rf"/carddav/v1/principals/(?:{login})/lists/([^/<]+)/", rf"/{LOGIN}/\1/", text)
        return re.sub(rf"/caldav/v2/(?:{login})/|/carddav/v1/principals/(?:{login})/lists/", f"/{LOGIN}/", text)

    def _here(self, text: str) -> str:
        if request.path.startswith("/caldav"):
            return re.sub(rf"<((?:D:)?href)>/{LOGIN}/([^/<]+)/", rf"<\1>/caldav/v2/{quote(self.login)}/\2/events/", text)
        return re.sub(rf"<((?:D:)?href)>/{LOGIN}/([^/<]+)/", rf"<\1>/carddav/v1/principals/{quote(self.login)}/lists/\2/", text)


def _basic() -> str:
    from tests.support.other_dav import _signed_in

    return _signed_in()["Authorization"]
