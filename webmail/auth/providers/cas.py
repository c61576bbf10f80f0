"""CAS 3: signing in by the server of an ENT or a university, as its published protocol says. No Flask here.

The browser comes back from the CAS server with a ticket, which the server explains to us over verified TLS (`serviceValidate`).
Tickets are good once, for a few seconds, and for the one address (`service`) that they were made for.
https://apereo.github.io/cas/development/protocol/CAS-Protocol-Specification.html
"""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from webmail import http_fetch
from webmail.auth.providers.accounts import LONGEST_SUBJECT, MOST_GROUPS, Claims, allowed_domains
from webmail.auth.sign_in.names import normalise
from webmail.config.providers import Cas
from webmail.config.settings import Settings
from webmail.errors import EnglishText as _l
from webmail.errors import MailError
from webmail.http_fetch import NotFetchedError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PROVIDER = "cas"  # in `LinkedAccount` and `Session`
SECONDS = 8.0  # for the whole answer
LARGEST = 256 * 1024  # bytes of an answer
LARGEST_SIGN_OUT = 16 * 1024  # bytes of a request that ends sessions
_AT_ONCE = threading.BoundedSemaphore(6)  # so many threads wait for a CAS server at most
_LONGEST_VALUE = 1000  # characters
_SPACE = "{http://www.yale.edu/tp/cas}"
_SAML = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_TICKET = re.compile(r"ST-[\x21-\x7e]{1,500}")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class CasFault(StrEnum):
    """Why a ticket is not taken."""

    TICKET = "ticket"  # used, too old, made for another address, or no ticket at all
    SERVICE = "service"  # the server does not know this webmail
    AWAY = "away"  # no answer in time
    ODD = "odd"  # an answer that is none of CAS 3


class CasRefusedError(MailError):
    """Nobody is signed in by this answer: `fault`. The message is for the log."""

    status = 403

    def __init__(self, fault: CasFault, why: str = "") -> None:
        super().__init__(f"CAS: {fault}: {why}")
        self.fault, self.why = fault, why
        self.status = 502 if fault in (CasFault.AWAY, CasFault.ODD) else 403


def login_address(cas: Cas, service: str, *, renew: bool = False) -> str:
    """Where the browser is sent. `renew`: the person types their password again, signed in there or not (section 2.1.1)."""
    return f"{cas.url.rstrip('/')}/login?{urlencode({'service': service, **({'renew': 'true'} if renew else {})})}"


def logout_address(cas: Cas, service: str = "") -> str:
    """Where the person ends their session at the CAS server, which leads back to `service` if it likes (section 2.3)."""
    return f"{cas.url.rstrip('/')}/logout" + (f"?{urlencode({'service': service})}" if service else "")


def validate(cas: Cas, service: str, ticket: str, settings: Settings, *, renew: bool = False) -> Claims:
    """Whom the ticket stands for: one request to the CAS server (section 2.5). Raises CasRefusedError.

    `renew`: only if they have just typed their password there.
    """
    if not _TICKET.fullmatch(ticket):
        raise CasRefusedError(CasFault.TICKET, "no service ticket")
    query = {"service": service, "ticket": ticket, **({"renew": "true"} if renew else {})}
    content = _fetch(f"{cas.url.rstrip('/')}/p3/serviceValidate?{urlencode(query)}", cas, settings)
    success = _success(_parsed(content))
    attributes = _attributes(success)
    if renew and "false" in (value.lower() for value in attributes.get("isFromNewLogin", ())):
        raise CasRefusedError(CasFault.TICKET, "the person was not asked for their password again")
    return _claims(cas, _user(success), attributes, success.find(f"{_SPACE}attributes") is not None, settings)


def key_of(ticket: str) -> str:
    """What a session keeps of the ticket it began with (`Session.provider_session`)."""
    return hashlib.sha256(ticket.encode()).hexdigest()


def ended_ticket(request: bytes) -> str:
    """The ticket whose session the CAS server ends (section 2.3.3: a SAML LogoutRequest). Raises CasRefusedError.

    The request is not signed: knowing the ticket, which only the server, the browser and we have seen, is all the proof there is.
    """
    if len(request) > LARGEST_SIGN_OUT:
        raise CasRefusedError(CasFault.ODD, "a sign-out that is too large")
    root = _parsed(request)
    tickets = root.findall(f"{_SAML}SessionIndex")
    if root.tag != f"{_SAML}LogoutRequest" or len(tickets) != 1:
        raise CasRefusedError(CasFault.ODD, "no LogoutRequest")
    ticket = (tickets[0].text or "").strip()
    if not _TICKET.fullmatch(ticket):
        raise CasRefusedError(CasFault.ODD, "a LogoutRequest without a service ticket")
    return ticket


# --- the answer ------------------------------------------------------------------------------------------------------


def tls(ca_file: str, settings: Settings) -> ssl.SSLContext:
    """Verified TLS, by the system's authorities or those of the file. Raises CasRefusedError where the file can't be used."""
    try:
        return ssl.create_default_context(cafile=str(Path(settings.instance, ca_file)) if ca_file else None)
    except OSError as error:  # ssl.SSLError is one
        raise CasRefusedError(
            CasFault.AWAY, _l("%(name)s %(file)s can’t be used: %(why)s", name="ca_file", file=ca_file, why=error)
        ) from error


def _fetch(url: str, cas: Cas, settings: Settings) -> bytes:
    if not _AT_ONCE.acquire(timeout=1):
        raise CasRefusedError(CasFault.AWAY, _l("too many wait for it"))
    try:
        headers = {"Accept": "application/xml, text/xml"}
        answer = http_fetch.ask_named("GET", url, headers=headers, limit=LARGEST, seconds=SECONDS, tls=tls(cas.ca_file, settings))
    except NotFetchedError as error:
        raise CasRefusedError(CasFault.AWAY, str(error)) from error
    finally:
        _AT_ONCE.release()
    if answer.status != 200:
        raise CasRefusedError(
            CasFault.AWAY if answer.status >= 500 else CasFault.ODD, _l("status %(status)s", status=answer.status)
        )
    return answer.content


def _parsed(content: bytes) -> Element:
    from webmail.mime import safe_xml  # few installations have such a server

    try:
        return safe_xml.parse(content, safe_xml.XmlBounds(size=LARGEST, depth=12, elements=5000))
    except safe_xml.XmlRefusedError as error:
        raise CasRefusedError(CasFault.ODD, str(error)) from error


def _success(root: Element) -> Element:
    """The answer's `authenticationSuccess`, where it is one and says nothing else besides."""
    if root.tag != f"{_SPACE}serviceResponse":
        raise CasRefusedError(CasFault.ODD, _l("no serviceResponse"))
    if (failure := root.find(f"{_SPACE}authenticationFailure")) is not None:
        code = failure.get("code", "")
        known = {"INVALID_TICKET": CasFault.TICKET, "INVALID_TICKET_SPEC": CasFault.TICKET, "INTERNAL_ERROR": CasFault.AWAY}
        raise CasRefusedError(known.get(code, CasFault.SERVICE), f"{code[:60]!r}")
    found = root.findall(f"{_SPACE}authenticationSuccess")
    if len(found) != 1 or len(root) != 1:
        raise CasRefusedError(CasFault.ODD, _l("no success and no failure, or several"))
    if found[0].find(f"{_SPACE}proxies") is not None:
        raise CasRefusedError(CasFault.TICKET, "another program signed in for the person")
    return found[0]


def _user(success: Element) -> str:
    users = success.findall(f"{_SPACE}user")
    user = (users[0].text or "").strip() if len(users) == 1 and not len(users[0]) else ""
    if not user or len(user) > LONGEST_SUBJECT or not user.isprintable():
        raise CasRefusedError(CasFault.ODD, _l("no user"))
    return user


def _attributes(success: Element) -> dict[str, list[str]]:
    """By their names, each with its values in order."""
    found: dict[str, list[str]] = {}
    for one in success.iterfind(f"{_SPACE}attributes/*"):
        text = (one.text or "").strip()
        if text and not len(one) and len(text) <= _LONGEST_VALUE:
            found.setdefault(one.tag.rpartition("}")[2], []).append(text)
    return found


def _claims(cas: Cas, user: str, attributes: dict[str, list[str]], told: bool, settings: Settings) -> Claims:
    """`told`: whether the server tells attributes at all; who is in no group is told apart from a server that says nothing."""
    address = _address(attributes.get(cas.address_attribute, ()), cas, settings) if cas.address_attribute else user
    names = attributes.get(cas.name_attribute, [""])
    groups = attributes.get(cas.groups_attribute, [])[:MOST_GROUPS] if cas.groups_attribute and told else None
    subject = user.translate(_LOWER)  # servers take either case, and many repeat what was typed
    return Claims(PROVIDER, subject, address=address, proven=bool(address), name=names[0], groups=groups, shown=user)


def _address(found: Sequence[str], cas: Cas, settings: Settings) -> str:
    """The first that is of a domain for this provider, else the first."""
    ours = allowed_domains(cas, settings)
    good = (one for one in found if normalise(one, settings.domain).rpartition("@")[2] in ours)
    return next(good, found[0] if found else "")
