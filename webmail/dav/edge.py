"""The edge of CalDAV and CardDAV: `/dav/` and its discovery beside the pages, without their sessions, cookies and forms.

Whoever comes is signed in before their body is read; then whatever comes is bounded before anything parses it: sizes, XML, paths.
"""

from __future__ import annotations

import base64
import binascii
import logging
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import client
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element

from webmail import imap
from webmail.admission import Admission, AdmissionRefusedError
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.sessions.sessions import network_of
from webmail.calendar.guests.organising import Posting
from webmail.config import services
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, advice
from webmail.dav import refusals
from webmail.dav.front import ROOT, WELL_KNOWN, Environ, Start, Wsgi
from webmail.dav.item_writes import limit_of
from webmail.dav.sign_in import Device, sign_in
from webmail.dav.visit import METHODS, ODD, Outside, Visit, current
from webmail.errors import MailError, SignInRefusedError
from webmail.mime import safe_xml
from webmail.mime.safe_xml import XmlBounds, XmlRefusedError
from webmail.models import Outbox, User
from webmail.rate_limits import TooManyRequestsError

log = logging.getLogger(__name__)

Answer = tuple[int, Mapping[str, str], Sequence[bytes]]
_DAV = "1, 3, access-control, calendar-access, addressbook, extended-mkcol"
_SCHEDULES = ", calendar-auto-schedule"  # only where PUT and DELETE really tell guests (RFC 6638, 2)
_DEEPEST, _MOST_ELEMENTS = 30, 12_000  # of XML
_LONGEST_PATH = 2_000
_COMPRESSED = 1_000  # bytes
_HIDDEN = "Your establishment does not offer this here."
_REASON = "traboule.reason"  # in the environment: why it is refused, for the log (webmail/web/request_log.py)
_VISIT = "traboule.visit"  # in the environment: who was let in, until the answer is sent


class DavRefusalError(Exception):
    """The answer to a request that goes no further."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.words, self.headers = status, text, headers


class DavEdge:
    """WSGI: takes what is for `/dav/`, and leaves the rest to `pages`."""

    def __init__(
        self,
        pages: Wsgi,
        settings: Settings,
        prepare: Callable[[], None],
        end: Callable[[], None],
        posting: Callable[[User], Posting],
        wake: Callable[[Outbox], None],
    ) -> None:
        """`prepare` and `end`: what comes before and after each request that uses the database; the rest: as for `Outside`."""
        self.pages, self.settings, self.prepare, self.end = pages, settings, prepare, end
        self.outside = Outside(posting, wake)
        self._dav = _DAV + (_SCHEDULES if settings.token_key_file else "")
        self._application: Any = None
        self._making = threading.Lock()
        # a school's telephones must not take all threads; one person's, however many, keep nobody's waiting
        self.admission = Admission(8, of_one=2, waiting=12, waiting_of_one=4, patience=15.0)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.rstrip("/") in WELL_KNOWN:
            return _send(environ, start, client.MOVED_PERMANENTLY, {"Location": f"{environ.get('SCRIPT_NAME', '')}{ROOT}/"}, [])
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            return self.pages(environ, start)
        try:
            status, headers, body = self._answer(environ, path)
        except DavRefusalError as refused:
            headers = {"Content-Type": "text/plain; charset=utf-8"} | {k.replace("_", "-"): v for k, v in refused.headers.items()}
            status, body = refused.status, [(refused.words + "\n").encode()]
            environ[_REASON] = str(refused.__cause__ or refused.words)
        sent = _send(environ, start, status, headers, body)
        visit, method, inner = environ.pop(_VISIT, None) or (None, "", "")
        note = visit and refusals.noting(visit, method, inner, environ, int(status), body)
        return refusals.Noting(sent, note, self.prepare, self.end) if note else sent

    def _answer(self, environ: Environ, path: str) -> Answer:
        method = environ.get("REQUEST_METHOD", "").upper()
        if method == "OPTIONS":
            return client.OK, {"DAV": self._dav, "Allow": ", ".join(METHODS), services.HEADER: self.settings.service}, []
        if method not in METHODS:
            raise DavRefusalError(client.METHOD_NOT_ALLOWED, "This method is not known here.", Allow=", ".join(METHODS))
        inner, (name, secret) = _path(path), _credentials(environ.get("HTTP_AUTHORIZATION", ""))
        try:
            self.prepare()
            with _ending(self.end):
                network = network_of(environ.get("REMOTE_ADDR"))
                device = self._sign_in(name, secret, network)
                with self.admission.admit(device.user.id):
                    return self._admitted(environ, method, inner, device, network)
        except AdmissionRefusedError as error:
            raise DavRefusalError(client.SERVICE_UNAVAILABLE, "Too many devices ask at once.", Retry_After="60") from error
        except DATABASE_AWAY as error:
            log.warning("the database %s", advice(error))
            raise DavRefusalError(client.SERVICE_UNAVAILABLE, "Try again in a moment.", Retry_After="60") from error

    def _admitted(self, environ: Environ, method: str, path: str, device: Device, network: str) -> Answer:
        """Only now is the body read: somebody without an account holds no thread with one that never comes."""
        token = current.set(visit := Visit(device, self.settings, network=network, outside=self.outside))
        environ[_VISIT] = visit, method, path
        try:
            if not device.kinds or visit.hides(_collection_in(path)):
                raise DavRefusalError(client.FORBIDDEN, _HIDDEN)
            limit = self.settings.item_limit_kb * 1024
            if method == "PUT" and (access := visit.access(_collection_in(path))) is not None:
                limit = limit_of(access.collection, self.settings)
            visit.body = _body(environ, limit)
            if visit.body and method not in ("PUT", "POST"):
                visit.xml = _xml(visit.body, limit)
            answer = self._protocol(method, environ, path)
            for row in visit.queued:
                self.outside.wake(row)
            return answer
        finally:
            current.reset(token)

    def _sign_in(self, name: str, secret: str, network: str) -> Device:
        try:
            return sign_in(name, secret, network, self.settings, imap.check)
        except SignInRefusedError as error:
            raise _unauthorized() from error
        except TooManyRequestsError as error:
            raise DavRefusalError(error.status, "Too many wrong passwords.", Retry_After=str(error.seconds)) from error
        except (TooBusyError, MailError) as error:
            raise DavRefusalError(client.SERVICE_UNAVAILABLE, "Passwords can't be checked now.", Retry_After="60") from error

    def _protocol(self, method: str, environ: Environ, path: str) -> Answer:
        inner = {
            name: value
            for name, value in environ.items()
            if not name.startswith(("HTTP_X_", "HTTP_FORWARDED", "HTTP_COOKIE", "HTTP_AUTHORIZATION"))
        }
        body = current.get().body
        inner |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "text/xml; charset=utf-8", "wsgi.input": BytesIO(body)}
        inner["HTTP_DEPTH"] = _depth(environ.get("HTTP_DEPTH", "0"))
        try:
            status, headers, answer = self._radicale().answer(method, inner, environ.get("SCRIPT_NAME", "") + ROOT, path)
        except DATABASE_AWAY:
            raise
        except ODD as error:
            log.warning("a device's %s was refused: %s: %s", method, type(error).__name__, str(error)[:200])
            raise DavRefusalError(client.BAD_REQUEST, "This request can't be understood.") from error
        if status == client.INTERNAL_SERVER_ERROR:
            raise DavRefusalError(client.BAD_REQUEST, "This request can't be understood.")
        return int(status), {**headers, "DAV": self._dav}, answer

    def _radicale(self) -> Any:
        """Made when the first device comes: installations without any do without it."""
        with self._making:
            if self._application is None:
                from webmail.dav import application

                self._application = application.make(self.settings)
            return self._application


@contextmanager
def _ending(end: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        end()


def _path(path: str) -> str:
    """The path below ROOT, as UTF-8. Nothing in it leads elsewhere."""
    try:
        inner = path[len(ROOT) :].encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise DavRefusalError(client.BAD_REQUEST, "The address is not UTF-8.") from error
    parts = inner.strip("/").split("/")
    if len(inner) > _LONGEST_PATH or len(parts) > 3 or any(not part.isprintable() for part in parts):
        raise DavRefusalError(client.NOT_FOUND, "There is nothing here.")
    if inner.strip("/") and any(part in ("", ".", "..") for part in parts):
        raise DavRefusalError(client.NOT_FOUND, "There is nothing here.")
    return "/" + "/".join(part for part in parts if part) + ("/" if inner.endswith("/") and inner != "/" else "")


def _collection_in(path: str) -> str:
    """The name of the collection that a path is in; "" where it is in none."""
    return (path.strip("/").split("/") + [""])[1]


def _depth(header: str) -> str:
    """Some programs ask for what is inside without the collection itself: they get it too."""
    depth = header.strip().lower().removesuffix(",noroot")
    if depth not in ("0", "1", "infinity"):
        raise DavRefusalError(client.BAD_REQUEST, "An unknown Depth.")
    return depth


def _credentials(header: str) -> tuple[str, str]:
    kind, _, given = header.partition(" ")
    if kind.lower() != "basic" or len(given) > 4_000:
        raise _unauthorized()
    try:
        name, colon, secret = base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError) as error:
        raise _unauthorized() from error
    if not colon or not name:
        raise _unauthorized()
    return name, secret


def _unauthorized() -> DavRefusalError:
    challenge = 'Basic realm="Traboule", charset="UTF-8"'
    return DavRefusalError(client.UNAUTHORIZED, "Sign in with an app password.", WWW_Authenticate=challenge)


def _body(environ: Environ, limit: int) -> bytes:
    """What was sent, whole and within the limit (bytes)."""
    if environ.get("HTTP_TRANSFER_ENCODING"):
        if environ.get("CONTENT_LENGTH"):
            raise DavRefusalError(client.BAD_REQUEST, "Two lengths.")
        body = _read(environ["wsgi.input"], limit + 1)
    else:
        text = str(environ.get("CONTENT_LENGTH") or "0")
        if not (text.isascii() and text.isdigit()):
            raise DavRefusalError(client.BAD_REQUEST, "No length.")
        if len(text) > 20 or int(text) > limit:
            raise DavRefusalError(client.REQUEST_ENTITY_TOO_LARGE, "Too large.")
        body = _read(environ["wsgi.input"], int(text))
        if len(body) != int(text):
            raise DavRefusalError(client.BAD_REQUEST, "Less than announced.")
    if len(body) > limit:
        raise DavRefusalError(client.REQUEST_ENTITY_TOO_LARGE, "Too large.")
    return body


def _read(stream: Any, most: int) -> bytes:
    pieces, left = [], most
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _xml(body: bytes, limit: int) -> Element:
    try:
        return safe_xml.parse(body, XmlBounds(size=limit, depth=_DEEPEST, elements=_MOST_ELEMENTS), utf8=True)
    except XmlRefusedError as error:
        raise DavRefusalError(client.BAD_REQUEST, f"This XML is not taken: {error}.") from error


def _send(environ: Environ, start: Start, status: int, headers: Mapping[str, str], body: Sequence[bytes]) -> Iterable[bytes]:
    told = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Vary": "Accept-Encoding", **headers}
    if sum(map(len, body)) > _COMPRESSED and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        body, told = list(_zipped(body)), told | {"Content-Encoding": "gzip"}
    if status != client.NO_CONTENT:
        told["Content-Length"] = str(sum(map(len, body)))
    if status == client.UNAUTHORIZED:
        told["Connection"] = "close"  # what else they send is not read
    start(f"{int(status)} {client.responses.get(status, 'Unknown')}", list(told.items()))
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else body


def _zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """As gzip, without a copy of the whole."""
    deflate = zlib.compressobj(3, wbits=31)
    for piece in pieces:
        if made := deflate.compress(piece):
            yield made
    yield deflate.flush()
