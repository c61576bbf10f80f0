"""Doctor, public address: whether the pages answer where people open them, by which certificate, and what is in front."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from webmail.config import services
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, certificate, plain, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.doctor.zone.wanted import is_nobodys

_NAME = "Public address"
_LONGEST = 1000  # bytes of an answer
_BODIES = "Uploads, downloads and devices"


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Ask for `/healthz` as a browser would: with the system's certificate authorities, since people have no `ca_file`."""
    if not settings.public_url:
        yield CheckResult(_NAME, WARNING, _l("is not set (public_url), so system mail can’t link to these pages."))
        return
    try:
        status, text, _service, peer = _fetch(settings)
    except socket.gaierror:
        words = _l("%(url)s can’t be found in DNS: add an A record, or correct public_url.", url=settings.public_url)
        nobodys = is_nobodys(urlsplit(settings.public_url).hostname or "")  # as in a demo
        yield CheckResult(_NAME, OK, f"{settings.public_url}.") if nobodys else CheckResult(_NAME, PROBLEM, words)
        return
    except ssl.SSLCertVerificationError as error:
        words = _l(
            "browsers do not trust the certificate of %(url)s (%(why)s): give the web server another one.",
            url=settings.public_url, why=error.verify_message or plain(error),
        )  # fmt: skip
        yield CheckResult(_NAME, PROBLEM, words)
        return
    except ConnectionRefusedError:
        words = _l("nothing answers at %(url)s: is nginx running (systemctl status nginx)?", url=settings.public_url)
        yield CheckResult(_NAME, PROBLEM, words)
        return
    except (OSError, http.client.HTTPException) as error:
        about = {"url": settings.public_url, "why": why(error)}
        words = _l("%(url)s can’t be reached from here (%(why)s). Does it work in a browser?", **about)
        yield CheckResult(_NAME, WARNING, words)
        return
    yield _answer(status, text, settings)
    if peer:
        yield certificate("Web certificate", peer)
        if not settings.proxies:
            words = _l(
                "proxies is 0, but Traboule itself speaks no TLS, so a web server is in front: all visitors seem to be it, share "
                "one count of wrong passwords, read what is for this machine. Set proxies = 1, and restart traboule-web."
            )
            yield CheckResult("Proxy in front", PROBLEM, words)
    if (status, text.strip()) == (200, "ok"):
        yield from _bodies(settings)


class _Answer(NamedTuple):
    """`service`: which web service says that it answers; `peer`: the certificate, where there is one."""

    status: int
    text: str
    service: str
    peer: dict[str, object]


def _fetch(settings: Settings, method: str = "GET", path: str = "/healthz") -> _Answer:
    """Raises OSError, HTTPException."""
    address, wait = urlsplit(settings.public_url), settings.server_timeout
    host = address.hostname or ""
    if address.scheme == "https":
        client: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, address.port or 443, timeout=wait, context=ssl.create_default_context()
        )
    else:
        client = http.client.HTTPConnection(host, address.port or 80, timeout=wait)
    try:
        client.request(method, f"{address.path.rstrip('/')}{path}", headers={"Accept-Encoding": "identity"})
        peer = client.sock.getpeercert() if isinstance(client.sock, ssl.SSLSocket) else None
        answer = client.getresponse()
        text = answer.read(_LONGEST).decode("utf-8", "replace")
        return _Answer(answer.status, text, answer.headers.get(services.HEADER, ""), dict(peer or {}))
    finally:
        client.close()


def _answer(status: int, text: str, settings: Settings) -> CheckResult:
    url = settings.public_url
    if (status, text.strip()) == (200, "ok"):
        return CheckResult(_NAME, OK, _l("%(url)s answers.", url=url))
    if status in (502, 503, 504):
        words = _l(
            "%(url)s says that Traboule does not answer (%(status)s): is traboule-web running (systemctl status traboule-web)?",
            url=url, status=status,
        )  # fmt: skip
    else:
        words = _l(
            "at %(url)s something else answers than Traboule (%(status)s): check public_url and the web server’s site.",
            url=url, status=status,
        )  # fmt: skip
    return CheckResult(_NAME, PROBLEM, words)


def _bodies(settings: Settings) -> Iterator[CheckResult]:
    """Whether uploads, downloads and devices have the service of their own that deploy/nginx.conf sends them to."""
    try:
        found = _fetch(settings, "OPTIONS", "/dav/")
    except (OSError, http.client.HTTPException) as error:
        yield CheckResult(_BODIES, PROBLEM, _away(why(error)))
        return
    if found.status in (502, 503, 504):
        yield CheckResult(_BODIES, PROBLEM, _away(str(found.status)))
    elif found.service == services.BODIES:
        yield CheckResult(_BODIES, OK, _l("have a service of their own."))
    elif found.service == services.PAGES:
        words = _l(
            "go to the service of the pages, which are slow meanwhile: copy deploy/nginx.conf again. Is traboule-bodies running "
            "(systemctl status traboule-bodies)?"
        )
        yield CheckResult(_BODIES, WARNING, words)
    elif found.service == services.EVERYTHING and settings.proxies:
        words = _l("share one service with the pages, which are slow then: see “Two services” in docs/administrator/services.md.")
        yield CheckResult(_BODIES, WARNING, words)


def _away(reason: str) -> str:
    return _l("do not answer (%(why)s). Is traboule-bodies running (systemctl status traboule-bodies)?", why=reason)
