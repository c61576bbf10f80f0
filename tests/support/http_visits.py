"""Visits over the network: a `Visitor` whose pages come from a real web server, through TLS and whatever stands in between."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from tests.support.visits import Visitor

_PATIENCE = 60.0  # seconds


class HttpVisitor(Visitor):
    """Somebody with a browser of their own, at `base` (https://127.0.0.1:1234), trusting the certificate in the file `ca`, if given."""

    def __init__(self, base: str, ca: str, address: str = "", password: str = "demo", language: str = "en") -> None:
        trust = ssl.create_default_context(cafile=ca or None)
        self.http = httpx.Client(base_url=base, verify=trust, headers={"Accept-Language": language}, timeout=_PATIENCE)
        self.client = _Client(self.http)  # type: ignore[assignment]
        self.address, self.password = address, password


class _Client:
    """As much of Flask's test client as a `Visitor` uses."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, url: str, *, query_string: Any = None, headers: Any = None, follow_redirects: bool = False) -> _Response:
        return _Response(self._http.get(url, params=query_string, headers=headers, follow_redirects=follow_redirects))

    def post(
        self, url: str, *, data: Mapping[str, Any], headers: Any = None, follow_redirects: bool = False, content_type: str = ""
    ) -> _Response:
        values = {name: value if isinstance(value, list) else [value] for name, value in data.items()}
        files = [(name, _file(value)) for name, inside in values.items() for value in inside]
        if not content_type:  # as a form without files is sent
            return _Response(self._http.post(url, data=values, headers=headers, follow_redirects=follow_redirects))
        return _Response(self._http.post(url, files=files, headers=headers, follow_redirects=follow_redirects))


def _file(value: Any) -> Any:
    """A field of multipart/form-data as httpx wants it, from what Flask's client takes."""
    if isinstance(value, tuple):
        content, name, kind = value
        return name, content, kind
    return None, str(value)


class _Response:
    """As much of Werkzeug's response as a `Page` reads."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status_code, self.headers = answer.status_code, answer.headers
        self.mimetype = answer.headers.get("content-type", "").partition(";")[0]
        self.request = _Request(answer.request.url)

    def get_data(self, as_text: bool = False) -> Any:
        return self.answer.text if as_text else self.answer.content


class _Request:
    def __init__(self, url: httpx.URL) -> None:
        self.path, self.full_path = url.path, url.raw_path.decode()
