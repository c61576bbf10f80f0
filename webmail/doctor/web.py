"""Check of the web's own certificate, as browsers get it at public_url."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from webmail.config.settings import Settings
from webmail.doctor.result import PROBLEM, WARNING, CheckResult, certificate, plain, why
from webmail.doctor.result import lazy_gettext as _l

_NAME = "Web certificate"


def examine(settings: Settings) -> Iterator[CheckResult]:
    """With the system's certificate authorities, which browsers have too."""
    url = urlsplit(settings.public_url)
    if url.scheme != "https" or not url.hostname:
        return
    where = f"{url.hostname} port {url.port or 443}"
    try:
        with (
            socket.create_connection((url.hostname, url.port or 443), settings.server_timeout) as plain_socket,
            ssl.create_default_context().wrap_socket(plain_socket, server_hostname=url.hostname) as sock,
        ):
            yield certificate(_NAME, sock.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        words = _l(
            "browsers do not trust the certificate of %(where)s (%(why)s): renew or correct it.",
            where=where, why=error.verify_message or plain(error),
        )  # fmt: skip
        yield CheckResult(_NAME, PROBLEM, words)
    except OSError as error:
        words = _l(
            "%(where)s can’t be reached from here (%(why)s). If it can from outside, this does no harm.",
            where=where,
            why=why(error),
        )
        yield CheckResult(_NAME, WARNING, words)
