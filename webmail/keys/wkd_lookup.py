"""WKD lookup: asks the web server of an address's domain for its OpenPGP certificates (draft-koch-openpgp-webkey-service).

First the host `openpgpkey.<domain>`, and only where there is none the domain itself. What is asked tells that server that
somebody here wants to write to this address: so a person chooses to look. Through `http_fetch`'s guard, bounded in time and size.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from webmail import http_fetch
from webmail.crypto.certificate_facts import CertificateFacts
from webmail.crypto.errors import CryptoTooLargeError, MalformedDataError
from webmail.crypto.openpgp_certificates import read_certificate, split_certificates
from webmail.errors import BadAddressError
from webmail.http_fetch import AddressForbiddenError, FetchedResponse, NotFetchedError
from webmail.keys.published_keys import local_hash
from webmail.mime.headers.address_input import ascii_domain
from webmail.rate_limits import RateLimit

LOOKED = RateLimit("keys looked for", 60, timedelta(hours=1))
SECONDS = 8.0  # for both hosts together
LARGEST = 512 * 1024  # bytes of an answer
_MOST = 5  # certificates of one address


class LookupAwayError(NotFetchedError):
    """Neither host could be asked, or their answer was none."""


def look_up(address: str, **checks: Any) -> list[tuple[bytes, CertificateFacts]]:
    """The certificates that the domain publishes for this address and that name it; empty where there is none.

    `checks`: see `http_fetch.get`. Raises BadAddressError and LookupAwayError.
    """
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = ascii_domain(domain)
    except (UnicodeError, ValueError) as error:
        raise BadAddressError(address) from error
    if not at or not local or "." not in domain:
        raise BadAddressError(address)
    answer = _fetched(local, domain, checks)
    return _naming(f"{local}@{domain}".lower(), answer.content) if answer.status == 200 else []


def addresses_of(local: str, domain: str) -> tuple[str, str]:
    """Where a certificate is looked for: the advanced way, then the direct one."""
    name = f"hu/{local_hash(local)}?l={quote(local, safe='')}"
    return (
        f"https://openpgpkey.{domain}/.well-known/openpgpkey/{domain}/{name}",
        f"https://{domain}/.well-known/openpgpkey/{name}",
    )


def _fetched(local: str, domain: str, checks: dict[str, Any]) -> FetchedResponse:
    """The answer of the first host that gives one: where the first one says that there is no key, there is none."""
    end, problem = time.monotonic() + SECONDS, ""
    for url in addresses_of(local, domain):
        left = end - time.monotonic()
        if left <= 0:
            break
        try:
            answer = http_fetch.get(url, accept="application/octet-stream", limit=LARGEST, seconds=left, **checks)
        except (NotFetchedError, AddressForbiddenError) as error:
            problem = str(error)
            continue
        if not answer.url.startswith("https://"):
            raise LookupAwayError("led to a page without TLS")
        return answer
    raise LookupAwayError(f"no answer of {domain}: {problem}")


def _naming(address: str, content: bytes) -> list[tuple[bytes, CertificateFacts]]:
    """The certificates in an answer that name this address: an answer may hold anything."""
    found: list[tuple[bytes, CertificateFacts]] = []
    with suppress(MalformedDataError, CryptoTooLargeError):
        for raw in split_certificates(content)[:_MOST]:
            with suppress(MalformedDataError, CryptoTooLargeError):
                facts = read_certificate(raw).facts()
                if address in facts.addresses and not facts.is_secret:
                    found.append((raw, facts))
    return found
