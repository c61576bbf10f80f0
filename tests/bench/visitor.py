"""A browser reduced to what a measurement needs: one kept connection, cookies, the fields of forms."""

from __future__ import annotations

import gzip
import http.client
import secrets
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from bs4 import BeautifulSoup, Tag

_KEPT = 5.0  # seconds that a server surely keeps an idle connection
COMPRESSED = "gzip, deflate, br, zstd"  # as Chromium asks on a secure origin, of which loopback is one


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    ms: float  # from sending to the last byte

    @property
    def text(self) -> str:
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return body.decode("utf-8", "replace")


@dataclass
class Visitor:
    """One person's browser on `host`:`port`."""

    host: str
    port: int
    headers: dict[str, str] = field(default_factory=dict)  # sent with each request
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._http = http.client.HTTPConnection(self.host, self.port, timeout=60)
        self._used = time.monotonic()

    def get(self, path: str, encoding: str = "gzip", *, reload: bool = False) -> Answer:
        """`reload`: as the browser's button of that name asks."""
        return self._ask("GET", path, None, {"Accept-Encoding": encoding} | ({"Cache-Control": "max-age=0"} if reload else {}))

    def page(self, path: str, encoding: str = COMPRESSED, *, reload: bool = False) -> Answer:
        """A page, where need be behind a redirection: its `ms` are those of all that was asked. Raises RuntimeError where it is none."""
        return self.followed(self.get(path, encoding, reload=reload), encoding)

    def followed(self, answer: Answer, encoding: str = COMPRESSED) -> Answer:
        """The page that an answer leads to, likewise."""
        ms = answer.ms
        while answer.status in (302, 303):
            place = urllib.parse.urlsplit(answer.headers["location"])
            path = place.path.removeprefix(".") or "/"
            answer = self.get(f"{path}?{place.query}" if place.query else path, encoding)
            ms += answer.ms
        if answer.status != 200:
            raise RuntimeError(f"not a page: {answer.status} {answer.text[:300]!r}")
        return replace(answer, ms=ms)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        body = urllib.parse.urlencode(fields)
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"http://{self.host}:{self.port}{path}"}
        return self._ask("POST", path, body, kind)

    def submit(
        self, path: str, fields: Mapping[str, str], file: bytes = b"", field: str = "attachments", encoding: str = "gzip"
    ) -> Answer:
        """POST a form as multipart (RFC 7578), with a file where there are bytes for one."""
        mark = secrets.token_hex(16)
        pieces = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        if file:
            disposition = f'form-data; name="{field}"; filename="film.mp4"'
            pieces += [
                f"--{mark}\r\nContent-Disposition: {disposition}\r\nContent-Type: video/mp4\r\n\r\n".encode(),
                file,
                b"\r\n",
            ]
        body = b"".join([*pieces, f"--{mark}--\r\n".encode()])
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}", "Referer": f"http://{self.host}:{self.port}{path}"}
        return self._ask("POST", path, body, {**kind, "Accept-Encoding": encoding})

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """A request of any kind, as programs send it."""
        return self._ask(method, path, body, dict(headers or {}))

    def expect(self, path: str, needle: str) -> Answer:
        """A page that must hold this text, or the figures would be those of an error page."""
        answer = self.get(path)
        if answer.status != 200 or needle not in answer.text:
            raise RuntimeError(f"{path}: {answer.status}, without {needle!r}: {answer.text[:300]!r}")
        return answer

    def request_lines(self, path: str, encoding: str) -> bytes:
        """A GET as bytes, for clients that write to a socket."""
        headers = {"Host": f"{self.host}:{self.port}", "Accept-Encoding": encoding, "Cookie": self.cookie_line, **self.headers}
        return f"GET {path} HTTP/1.1\r\n".encode() + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n"

    @property
    def cookie_line(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, body: str | bytes | None, headers: dict[str, str]) -> Answer:
        sent = {"Accept-Language": "fr", **headers, **self.headers}
        if self.cookies:
            sent["Cookie"] = self.cookie_line
        if time.monotonic() - self._used > _KEPT:
            self._http.close()  # the next request opens it anew
        start = time.perf_counter()
        with suppress(BrokenPipeError):  # answered before all was read: what it says counts
            self._http.request(method, path, body, sent)
        response = self._http.getresponse()
        content = response.read()
        elapsed = (time.perf_counter() - start) * 1000
        self._used = time.monotonic()
        for line in response.headers.get_all("set-cookie", []):
            name, _equals, value = line.partition(";")[0].partition("=")
            if value in ("", "-del-"):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content, elapsed)


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.frames: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name"):
            self.fields.setdefault(str(given["name"]), given.get("value") or "")
        elif tag == "iframe" and given.get("src"):
            self.frames.append(str(given["src"]))


def fields(html: str) -> dict[str, str]:
    """The first value of each <input> of a page."""
    return _parsed(html).fields


def untouched(html: str, selector: str) -> dict[str, str]:
    """All fields of one form of a page (a CSS selector) as a browser would send them untouched, but for files and buttons."""
    found: dict[str, str] = {}
    for one in _form(html, selector).select("input[name], textarea[name], select[name]"):
        kind, name = one.get("type", "text"), str(one["name"])
        if kind in ("file", "submit", "button") or (kind in ("checkbox", "radio") and not one.has_attr("checked")):
            continue
        if one.name == "select":
            chosen = one.select_one("option[selected]") or one.select_one("option")
            found[name] = str(chosen.get("value", chosen.get_text())) if chosen else ""
        else:
            found[name] = one.get_text() if one.name == "textarea" else str(one.get("value", "on" if kind == "checkbox" else ""))
    return found


def action(html: str, selector: str) -> str:
    """Where a form of a page goes."""
    return str(_form(html, selector)["action"])


def _form(html: str, selector: str) -> Tag:
    """Raises RuntimeError where the page has none, or several: it is another page than was asked for."""
    page = BeautifulSoup(html, "html.parser")
    found = page.select(selector)
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} {selector} in the page: {' '.join(page.get_text().split())[:200]}")
    return found[0]


def frames(html: str) -> list[str]:
    """The addresses of a page's frames."""
    return _parsed(html).frames


def _parsed(html: str) -> _Inputs:
    parser = _Inputs()
    parser.feed(html)
    return parser
