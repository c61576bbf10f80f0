"""Revocation rounds: the worker asks the authorities of certificates whether they withdrew them, after the pages were answered.

Through `http_fetch`'s guard, since whoever made a certificate chose the address. That an authority says nothing, or something
that can't be believed, says nothing of the certificate.
"""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.crypto import revocation, x509_certificates
from webmail.crypto.errors import CryptoError
from webmail.crypto.revocation import RevocationAnswer
from webmail.database.connection import db
from webmail.http_fetch import NotFetchedError
from webmail.keys import certificate_revocations, known_certificates
from webmail.keys.certificate_revocations import DueCheck
from webmail.keys.messages import smime_layers

log = logging.getLogger(__name__)

_MOST = 10  # certificates of one round
_SECONDS = 8.0  # of one question


def ask_all(settings: Settings, **checks: Any) -> None:
    """Ask about those that wait longest, ten at most; the database is free meanwhile. `checks`: see `http_fetch.get`."""
    with db.connection_context():
        waiting = certificate_revocations.take_due(_MOST)
    for check in waiting:
        answer = _answer(check, settings, checks)
        with db.connection_context():
            certificate_revocations.note_answer(check, answer)
            if answer is not None and answer.revoked is not None:
                known_certificates.note_revoked(check.fingerprint, answer.revoked)


def _answer(check: DueCheck, settings: Settings, checks: dict[str, Any]) -> RevocationAnswer | None:
    """By OCSP where the certificate names one, else by its list; None where neither says anything that counts."""
    try:
        sources = revocation.revocation_sources(check.certificate)
        issuer = revocation.issuer_of(check.certificate, _candidates(check, settings))
    except CryptoError:
        return None
    if issuer is None:
        return None
    for url in sources.ocsp:
        question = quote(base64.b64encode(revocation.ocsp_request(check.certificate, issuer)), safe="")
        with _soft(url):
            found = http_fetch.get(
                f"{url.rstrip('/')}/{question}", accept="application/ocsp-response", limit=revocation.MOST_ANSWER_BYTES,
                seconds=_SECONDS, **checks,
            )  # fmt: skip
            if found.status == 200:
                return revocation.read_ocsp(found.content, check.certificate, issuer)
    for url in sources.lists:
        with _soft(url):
            found = http_fetch.get(
                url, accept="application/pkix-crl, */*", limit=revocation.MOST_LIST_BYTES, seconds=_SECONDS, **checks
            )
            if found.status == 200:
                return revocation.read_list(found.content, check.certificate, issuer)
    return None


@contextmanager
def _soft(url: str) -> Iterator[None]:
    """What goes wrong with one address is noted, and the next one is asked."""
    try:
        yield
    except (CryptoError, NotFetchedError) as error:
        log.info("no word on a certificate from %s: %s", url[:200], error)


def _candidates(check: DueCheck, settings: Settings) -> Iterator[bytes]:
    """Certificates that may have signed this one: those that came with it, the establishment's, this machine's."""
    with suppress(CryptoError):
        yield from x509_certificates.split_certificates(check.chain)
    with suppress(CryptoError, OSError):
        yield from smime_layers.authorities(settings)
    yield from _of_system()


@lru_cache(maxsize=1)
def _of_system() -> tuple[bytes, ...]:
    """The authorities that this machine trusts, until the worker starts anew."""
    return tuple(ssl.create_default_context().get_ca_certs(binary_form=True))
