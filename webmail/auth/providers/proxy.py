"""Trusted proxy: signing in by a header that a gateway in front of us (SAML, Kerberos, certificates) writes. No Flask here.

The header is believed from the configured addresses only: those of whoever opened the connection, never what a header says of
them. Whatever browsers send under its name the gateway has to remove; nothing here can tell.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from webmail.auth.providers.accounts import MOST_GROUPS, Claims
from webmail.auth.sign_in.authentication import normalise
from webmail.config.providers import ProxySignIn
from webmail.config.settings import Settings
from webmail.errors import MailError

PROVIDER = "proxy"  # in `LinkedAccount` and `Session`
_LONGEST, _LONGEST_GROUPS = 254, 16_384  # bytes
_SEVERAL = re.compile(r"[,;\s]")


class HeaderNotBelievedError(MailError):
    """The request names nobody who could be signed in. The message is for the log."""

    status = 403


def is_from_proxy(environ: Mapping[str, Any], rules: ProxySignIn) -> bool:
    """Whether a trusted proxy opened this connection. What ProxyFix has read from X-Forwarded-For does not count."""
    peer = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR") or ""
    try:
        address = ipaddress.ip_address(peer.split("%", 1)[0])
    except ValueError:  # a Unix socket has none
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(one.strip()) for one in rules.addresses.split(","))


def named(environ: Mapping[str, Any], rules: ProxySignIn, settings: Settings) -> str:
    """The address that a trusted proxy names, "" where it names nobody, or this is none. Raises HeaderNotBelievedError."""
    if not is_from_proxy(environ, rules):
        return ""
    text = _header(environ, rules.header, _LONGEST).strip()
    if not text:
        return ""
    if _SEVERAL.search(text):  # the header came twice, or holds two people: neither is believed
        raise HeaderNotBelievedError(f"{rules.header} names several")
    if not (address := normalise(text, settings.domain)):
        raise HeaderNotBelievedError(f"{rules.header} holds no address")
    return address


def claims(environ: Mapping[str, Any], rules: ProxySignIn, settings: Settings) -> Claims:
    """Whom the proxy vouches for. Raises HeaderNotBelievedError."""
    if not (address := named(environ, rules, settings)):
        raise HeaderNotBelievedError("no trusted proxy names anybody")
    name = _header(environ, rules.name_header, 4 * _LONGEST) if rules.name_header else ""
    groups = None
    if rules.groups_header:
        listed = re.split("[;,]", _header(environ, rules.groups_header, _LONGEST_GROUPS))
        groups = [one.strip() for one in listed if one.strip()][:MOST_GROUPS]
    return Claims(PROVIDER, address, address=address, proven=True, name=name, groups=groups, shown=address)


def key_of(subject: str) -> str:
    """What a session keeps of whom the proxy named (`Session.provider_session`)."""
    return hashlib.sha256(subject.encode()).hexdigest()


def names_somebody_else(environ: Mapping[str, Any], key: str, settings: Settings) -> bool:
    """Whether the proxy says by now that another person is at the browser of a session that it began (`key`: see `key_of`).

    Who is not named is not somebody else: many a proxy protects the page that signs in alone.
    """
    if (rules := settings.proxy_sign_in) is None:
        return False
    try:
        address = named(environ, rules, settings)
    except HeaderNotBelievedError:
        return True
    return bool(address) and key_of(address) != key


def _header(environ: Mapping[str, Any], name: str, most: int) -> str:
    """As text: servers hand bytes on as Latin-1 (PEP 3333), and proxies send UTF-8 where a name is not ASCII."""
    value = str(environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))
    try:
        sent = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise HeaderNotBelievedError(f"{name} holds no bytes") from error
    if len(sent) > most:
        raise HeaderNotBelievedError(f"{name} is too long")
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return value
