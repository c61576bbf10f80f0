"""A CAS server, as its protocol says, that answers as a test wants, wrongly too; and everything that it was asked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

from tests.support.web_server import ok, web

SPACE = 'xmlns:cas="http://www.yale.edu/tp/cas"'
SAML = 'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
Attributes = dict[str, list[str]]


@dataclass
class Ticket:
    service: str
    user: str
    fresh: bool  # the person typed their password for it


@dataclass
class FakeCas:
    """`people`: their attributes, by user name. `answer`: given instead of the right one; bytes, pieces, or made of the request."""

    port: int = 0
    people: dict[str, Attributes] = field(default_factory=dict)
    services: Callable[[str], bool] = lambda service: True
    answer: Any = None
    tickets: dict[str, Ticket] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cas"

    def sign_in(self, address: str, user: str, *, typed: bool = True) -> str:
        """Somebody follows the browser's way to this server, and signs in: the path and query that it leads back to."""
        query = parse_qs(urlsplit(address).query)
        service = query["service"][0]
        back = urlsplit(service)
        return f"{back.path}?{back.query}&{urlencode({'ticket': self.ticket(service, user, typed=typed)})}"

    def ticket(self, service: str, user: str, *, typed: bool = True) -> str:
        ticket = f"ST-{secrets.token_hex(16)}-cas"
        self.tickets[ticket] = Ticket(service, user, typed)
        return ticket

    def reply(self, request: bytes) -> Any:
        if self.answer is not None:
            return self.answer(request) if callable(self.answer) else self.answer
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.split(b" ")[1].decode()).query).items()}
        if not {"service", "ticket"} <= query.keys():
            return xml(failure("INVALID_REQUEST"))
        ticket = self.tickets.pop(query["ticket"], None)
        if ticket is None or ("renew" in query and not ticket.fresh):
            return xml(failure("INVALID_TICKET"))
        if not self.services(query["service"]):
            return xml(failure("UNAUTHORIZED_SERVICE"))
        if ticket.service != query["service"]:
            return xml(failure("INVALID_SERVICE"))
        return xml(success(ticket.user, self.people.get(ticket.user, {})))


def success(user: str, attributes: Attributes | None = None, more: str = "") -> str:
    told = "".join(f"<cas:{name}>{escape(one)}</cas:{name}>" for name, values in (attributes or {}).items() for one in values)
    inside = f"<cas:user>{escape(user)}</cas:user><cas:attributes>{told}</cas:attributes>{more}"
    return f"<cas:serviceResponse {SPACE}><cas:authenticationSuccess>{inside}</cas:authenticationSuccess></cas:serviceResponse>"


def failure(code: str) -> str:
    words = f'<cas:authenticationFailure code="{code}">not this one</cas:authenticationFailure>'
    return f"<cas:serviceResponse {SPACE}>{words}</cas:serviceResponse>"


def sign_out(ticket: str, before: str = "") -> str:
    """What the server sends when a session of its own is over."""
    name = '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">@NOT_USED@</saml:NameID>'
    index = f"<samlp:SessionIndex>{ticket}</samlp:SessionIndex>"
    return f'{before}<samlp:LogoutRequest {SAML} ID="x" Version="2.0">{name}{index}</samlp:LogoutRequest>'


def xml(text: str) -> bytes:
    return ok(text.encode(), kind="application/xml")


def dripping(_request: bytes) -> Iterator[bytes]:
    """An answer that never ends."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n"
    for _ in range(600):
        time.sleep(0.1)
        yield b" "


@contextmanager
def cas_server(**people: Attributes) -> Iterator[FakeCas]:
    server = FakeCas(people=people)
    with web(server.reply) as (server.port, server.asked):
        yield server


# XML that is no answer of a CAS server, though some parsers would take it for one; each with what it tries
HOSTILE = {
    "an external entity": f'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>{success("alice").replace("alice", "&x;")}',
    "an external document type": f'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">{success("alice")}',
    "a parameter entity": f'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]>{success("alice")}',
    "a billion laughs": "<!DOCTYPE r ["
    + '<!ENTITY l0 "lol">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + f"]>{success('alice').replace('alice', '&l9;')}",
    "a quadratic blow-up": f'<!DOCTYPE r [<!ENTITY x "{"a" * 50_000}">]>{success("alice").replace("alice", "&x;" * 1000)}',
    "80,000 levels": "<a>" * 80_000,
    "20,000 elements": success("alice", more="<a/>" * 20_000),
    "another namespace": success("alice").replace("http://www.yale.edu/tp/cas", "http://evil.example/cas"),
    "no namespace": success("alice").replace("cas:", "").replace(f" {SPACE}", ""),
    "a success within a failure": failure("INVALID_TICKET").replace("not this one", success("alice")),
    "a success after a failure": failure("INVALID_TICKET").replace(
        "</cas:serviceResponse>",
        "<cas:authenticationSuccess><cas:user>alice</cas:user></cas:authenticationSuccess></cas:serviceResponse>",
    ),
    "two successes": success("alice").replace(
        "</cas:serviceResponse>",
        "<cas:authenticationSuccess><cas:user>bob</cas:user></cas:authenticationSuccess></cas:serviceResponse>",
    ),
    "two users": success("alice", more="<cas:user>bob</cas:user>"),
    "no user": success(""),
    "a user with a line break": success("alice\nbob"),
    "a user of 300 letters": success("a" * 300),
    "a proxy's ticket": success("alice", more="<cas:proxies><cas:proxy>https://evil.example</cas:proxy></cas:proxies>"),
    "JSON": '{"serviceResponse": {"authenticationSuccess": {"user": "alice"}}}',
    "CAS 1": "yes\nalice\n",
    "nothing": "",
    "half of it": success("alice")[:-30],
    "an encoding that nobody knows": f'<?xml version="1.0" encoding="x-evil"?>{success("alice")}',
}
