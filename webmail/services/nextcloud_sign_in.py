"""Sign-in at a Nextcloud, or at another WebDAV server: by an app password that the person typed, or by Nextcloud's login flow
v2, in which they agree on a page of their own server and nothing is typed here.

A password goes to the one host that was named, and to no other that it leads to.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.http_fetch import AddressForbiddenError, FetchedResponse, NotFetchedError
from webmail.services import service_requests
from webmail.services.providers import origin_of

log = logging.getLogger(__name__)

FILES, SEARCH = "files", "search"  # what a server can: that one by WebDAV, this one where it tells of RFC 5323
_SECONDS = 20.0
_LIMIT = 200_000  # bytes of an answer
_FILES = re.compile(r"/(?:index\.php|apps|remote\.php|login|s|f)(?:/.*)?\Z")  # what stands behind the address of a Nextcloud
_PROPFIND = b"<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:resourcetype/></D:prop></D:propfind>"
_OCS = {"OCS-APIRequest": "true", "Accept": "application/json"}


class SignInTrouble(StrEnum):
    """Why a server could not be connected: words that the page explains."""

    ADDRESS = "address"  # none, or one without TLS
    FORBIDDEN = "forbidden"  # in a network that our server must not ask
    AWAY = "away"
    PASSWORD = "password"
    NO_FLOW = "no-flow"  # it knows no login flow: an app password is needed
    NOT_WEBDAV = "not-webdav"


class ServerSignInError(MailError):
    """The server could not be connected; `trouble` says why. The words are for the log."""

    status = 422

    def __init__(self, trouble: SignInTrouble, text: str = "") -> None:
        super().__init__(f"{trouble}: {text}"[:300])
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """Somebody's account there. `address`: of their files, by WebDAV; `title`: the name of the server."""

    address: str
    login: str
    password: str = field(repr=False)
    title: str = ""
    abilities: str = FILES  # as the connection keeps them in `scopes`


@dataclass(frozen=True, slots=True)
class LoginFlow:
    """A sign-in that waits until the person agrees at `page`."""

    server: str
    page: str
    endpoint: str
    token: str = field(repr=False)

    def to_json(self) -> str:
        return json.dumps([self.server, self.page, self.endpoint, self.token])

    @classmethod
    def from_json(cls, text: str) -> LoginFlow:
        """Of what `to_json` made, and nothing else: it is sealed meanwhile."""
        return cls(*map(str, json.loads(text)))


def server_address(typed: str) -> str:
    """The address of a server as somebody types it: "nuage.example.org", or copied from any page of it. Raises
    ServerSignInError."""
    text = "".join(typed.split())
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ServerSignInError(SignInTrouble.ADDRESS, typed) from error
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or len(text) > 900:
        raise ServerSignInError(SignInTrouble.ADDRESS, typed)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def begin_flow(typed: str, settings: Settings) -> LoginFlow:
    """Raises ServerSignInError, of NO_FLOW where the server knows none."""
    server = _base(server_address(typed))
    answer = _ask("POST", f"{server}/index.php/login/v2", {"User-Agent": "Traboule"}, settings)
    said = _json(answer)
    poll = said.get("poll") if isinstance(said, dict) else None
    if answer.status != 200 or not isinstance(poll, dict):
        raise ServerSignInError(SignInTrouble.NO_FLOW, f"{server}: {answer.status}")
    flow = LoginFlow(server, str(said.get("login", "")), str(poll.get("endpoint", "")), str(poll.get("token", "")))
    try:
        same = {origin_of(flow.page), origin_of(flow.endpoint)} == {origin_of(server)}
    except ValueError:
        same = False
    if not same or not 0 < len(flow.token) < 1000 or len(flow.page) + len(flow.endpoint) > 3000:
        raise ServerSignInError(SignInTrouble.NO_FLOW, f"{server} leads elsewhere")
    return flow


def finish_flow(flow: LoginFlow, settings: Settings) -> ServerAccount | None:
    """The account, once the person has agreed; None before. An answer is given once. Raises ServerSignInError."""
    body = urlencode({"token": flow.token}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = _ask("POST", flow.endpoint, headers, settings, body)
    if answer.status == 404:
        return None
    said = _json(answer)
    if answer.status != 200 or not isinstance(said, dict):
        raise ServerSignInError(SignInTrouble.NOT_WEBDAV, f"{flow.endpoint}: {answer.status}")
    return account_at(flow.server, str(said.get("loginName", ""))[:254], str(said.get("appPassword", ""))[:500], settings)


def account_at(typed: str, login: str, password: str, settings: Settings) -> ServerAccount:
    """The account that this name and password open, tried. Raises ServerSignInError."""
    there = server_address(typed)
    signed = {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}
    base = _base(there)
    answer = _ask("GET", f"{base}/ocs/v2.php/cloud/user?format=json", {**_OCS, **signed}, settings)
    found = _json(answer)
    try:
        user = found["ocs"]["data"]["id"] if answer.status == 200 else ""
    except (LookupError, TypeError):
        user = ""
    if answer.status == 401 and isinstance(found, dict) and "ocs" in found:
        raise ServerSignInError(SignInTrouble.PASSWORD, base)
    address = f"{base}/remote.php/dav/files/{quote(user, safe='')}/" if isinstance(user, str) and user else f"{there}/"
    headers = {**signed, "Depth": "0", "Content-Type": "application/xml; charset=utf-8"}
    answer = _ask("PROPFIND", address, headers, settings, _PROPFIND)
    if answer.status in (401, 403):
        raise ServerSignInError(SignInTrouble.PASSWORD, address)
    if answer.status != 207 or len(address) > 1000:
        raise ServerSignInError(SignInTrouble.NOT_WEBDAV, f"{address}: {answer.status}")
    abilities = FILES if user else _abilities(address, signed, settings)
    return ServerAccount(address, login, password, urlsplit(address).hostname or "", abilities)


def _abilities(address: str, signed: dict[str, str], settings: Settings) -> str:
    """Asked once, since it hardly ever changes. A server that does not answer this does the rest."""
    try:
        answer = _ask("OPTIONS", address, signed, settings)
    except ServerSignInError as error:
        log.info("no answer to OPTIONS: %s", error)
        return FILES
    told = (one.strip() for one in answer.headers.get("dasl", "")[:2_000].split(","))
    return f"{FILES} {SEARCH}" if answer.status < 300 and "<DAV:basicsearch>" in told else FILES


def _base(address: str) -> str:
    """Where a Nextcloud begins, of an address on any page of it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{_FILES.sub('', parts.path)}"


def _ask(method: str, url: str, headers: dict[str, str], settings: Settings, body: bytes = b"") -> FetchedResponse:
    try:
        checks = service_requests.checks_for(url, settings)
    except AddressForbiddenError as error:
        raise ServerSignInError(SignInTrouble.ADDRESS, str(error)) from error
    try:
        return http_fetch.ask_guarded(method, url, body, headers, limit=_LIMIT, seconds=_SECONDS, **checks)
    except AddressForbiddenError as error:
        raise ServerSignInError(SignInTrouble.FORBIDDEN, str(error)) from error
    except NotFetchedError as error:
        raise ServerSignInError(SignInTrouble.AWAY, str(error)) from error


def _json(answer: FetchedResponse) -> Any:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
