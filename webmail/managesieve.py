"""ManageSieve: client for RFC 5804, reads a server's capabilities and the names of a person's Sieve scripts.

sievelib implements the protocol; it is wrapped here because it connects without a timeout, supports no private certificate
authority, keeps data received before TLS, and lets network errors through.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sievelib import managesieve

from webmail.account import Account, Password, Server
from webmail.errors import Refused, ServerAway, SignInRefused, TokenRefused


@dataclass(frozen=True, slots=True)
class Script:
    """A script on the server; at most one is active."""

    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Greeting:
    """The capabilities a server announces before sign-in."""

    implementation: str
    mechanisms: tuple[str, ...]  # SASL
    extensions: tuple[str, ...]  # of the Sieve language
    certificate: dict[str, Any] | None  # as ssl.SSLSocket.getpeercert(); None without TLS


class Client(managesieve.Client):
    """sievelib's client with our own connection code. Has the same name, so that name mangling reaches its private methods."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.host, server.port)
        self.server = server
        self.sock = socket.create_connection((server.host, server.port), timeout=server.timeout)
        try:
            self._greet()
        except BaseException:
            self.sock.close()
            raise

    def _greet(self) -> None:
        if self.server.security == "tls":
            self.__enable_ssl()
        if not self.__get_capabilities():
            raise ServerAway("the ManageSieve server refuses to talk to us")
        if self.server.security == "starttls" and not self.__starttls():
            raise ServerAway("the ManageSieve server refuses STARTTLS")

    def __enable_ssl(self) -> None:
        if self.__read_buffer:
            raise ServerAway("the ManageSieve server, or somebody in between, spoke before TLS began")
        context = ssl.create_default_context(cafile=self.server.ca_file or None)
        self.sock = context.wrap_socket(self.sock, server_hostname=self.server.host)

    def sign_in(self, account: Account) -> None:
        credential = account.credential
        if isinstance(credential, Password):
            mechanism, secret = "PLAIN", credential.password
        else:
            mechanism, secret = "OAUTHBEARER", credential.make()
        if mechanism not in self.greeting().mechanisms:
            raise ServerAway(f"the ManageSieve server does not offer {mechanism}")
        if not self.__authenticate(credential.username, secret, "", mechanism):
            refusal = SignInRefused if isinstance(credential, Password) else TokenRefused
            raise refusal(f"ManageSieve: {self.errmsg.decode(errors='replace')}")

    def _oauthbearer_authentication(self, login: bytes, password: bytes, authz_id: bytes = b"") -> bool:
        """OAUTHBEARER (RFC 7628). A failure comes as a challenge to be answered; sievelib would wait until it times out."""
        words = b"n,a=" + login + b",\x01auth=Bearer " + password + b"\x01\x01"
        code, _ = self.__send_command("AUTHENTICATE", [b"OAUTHBEARER", base64.b64encode(words)], nblines=1)
        if code is None:
            self.sock.sendall(b'"AQ=="\r\n')
            code = self.__read_response()[0]
        return code in ("OK", b"OK")

    def greeting(self) -> Greeting:
        words = self.__capabilities
        certificate = self.sock.getpeercert() if isinstance(self.sock, ssl.SSLSocket) else None
        extensions = tuple((words.get("SIEVE") or "").split())
        return Greeting(words.get("IMPLEMENTATION") or "", tuple((words.get("SASL") or "").split()), extensions, certificate)


class SieveConnection:
    """A signed-in connection. Not thread-safe."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.greeting = client.greeting()

    def list(self) -> tuple[Script, ...]:
        """All scripts, the active one first (RFC 5804 section 2.7): 1 round trip. Raises Refused or ServerAway."""
        with _translated():
            found = self._client.listscripts()
            if found is None:
                raise Refused(f"ManageSieve: {self._client.errmsg.decode(errors='replace')}")
        active, others = found
        first = (Script(active, True),) if active else ()
        return first + tuple(Script(name, False) for name in others)


def greet(server: Server) -> Greeting:
    """Connect, start TLS, read the capabilities and disconnect. Raises ServerAway, with the original error as its cause."""
    with _client(server) as client:
        return client.greeting()


@contextmanager
def connect(account: Account) -> Iterator[SieveConnection]:
    """Sign in to the account's ManageSieve server: 1 round trip after the greeting, 2 more with STARTTLS.

    Raises ServerAway, SignInRefused and TokenRefused. The account must have a `sieve` server.
    """
    if account.sieve is None:
        raise ServerAway("no ManageSieve server is set")
    with _client(account.sieve) as client:
        with _translated():
            client.sign_in(account)
        yield SieveConnection(client)


@contextmanager
def _client(server: Server) -> Iterator[Client]:
    with _translated():
        client = Client(server)
    try:
        yield client
    finally:
        client.sock.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (managesieve.Error, OSError, ValueError, KeyError) as error:  # the last two: a malformed response
        raise ServerAway(f"the ManageSieve server can't be reached or understood: {error}") from error
