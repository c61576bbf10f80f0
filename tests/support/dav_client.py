"""A telephone for tests on several processes: over HTTP, or within this process."""

from __future__ import annotations

import base64
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from flask import Flask

_SYNC = "<d:sync-collection xmlns:d='DAV:'><d:sync-token>{}</d:sync-token><d:prop><d:getetag/></d:prop></d:sync-collection>"


class DavClient:
    def __init__(self, url: str, address: str, secret: str, app: Flask | None = None) -> None:
        self._where, self._app = urlsplit(url), app
        self.home = f"/dav/{quote(address)}/"
        token = base64.b64encode(f"{address}:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    @classmethod
    def inside(cls, app: Flask, address: str, secret: str) -> DavClient:
        """One that asks the application of this process."""
        return cls("http://localhost", address, secret, app)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self._app is not None:
            answer = self._app.test_client().open(self.home + path, method=method, data=body, headers=sent)
            return answer.status_code, dict(answer.headers), answer.data
        connection = HTTPConnection(self._where.hostname or "", self._where.port, timeout=30)
        try:
            connection.request(method, self.home + path, body, sent)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()
        finally:
            connection.close()

    def put(self, path: str, body: bytes, etag: str = "") -> tuple[int, str]:
        """The status and the entity tag; only over what has `etag`, if it is given."""
        status, headers, _body = self.ask("PUT", path, body, **({"If_Match": etag} if etag else {}))
        return status, {name.lower(): value for name, value in headers.items()}.get("etag", "")

    def get(self, path: str) -> tuple[str, bytes]:
        """The entity tag and the content."""
        _status, headers, body = self.ask("GET", path)
        return {name.lower(): value for name, value in headers.items()}.get("etag", ""), body

    def sync(self, path: str, token: str = "") -> tuple[str, dict[str, bool]]:
        """The new token, and what has changed: each name, and whether it is there."""
        status, _headers, body = self.ask("REPORT", path, _SYNC.format(token).encode())
        assert status == 207, (status, body)
        root = ET.fromstring(body)
        found = {}
        for response in root.findall("{DAV:}response"):
            status_text = response.findtext("{DAV:}status", "")
            found[response.findtext("{DAV:}href", "").rsplit("/", 1)[-1]] = "404" not in status_text
        return root.findtext("{DAV:}sync-token", ""), found
