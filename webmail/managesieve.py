"""ManageSieve: client for RFC 5804: a server's capabilities, and a person's Sieve scripts: listed, read, checked, stored.

sievelib implements the protocol; it is wrapped here because it connects without a timeout, supports no private certificate
authority, keeps data received before TLS, and lets network errors through.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sievelib import managesieve

from webmail.account import Account, MasterPassword, Password, Server
from webmail.errors import OverQuotaError, RefusedError, ServerAwayError, SignInRefusedError, TokenRefusedError


class NoSuchScriptError(RefusedError):
    """There is no script of this name (any more)."""

    status = 404


class ScriptRefusedError(RefusedError):
    """The server does not take the script. Its words name lines: `faults` has them with their numbers, 0 for none.

    `script`: the text, where whoever sent it keeps it here.
    """

    def __init__(self, text: str) -> None:
        super().__init__(f"ManageSieve: {text}")
        self.words = text
        self.faults = _faults(text)
        self.script = ""


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
            raise ServerAwayError("the ManageSieve server refuses to talk to us")
        if self.server.security == "starttls" and not self.__starttls():
            raise ServerAwayError("the ManageSieve server refuses STARTTLS")

    def __enable_ssl(self) -> None:
        if self.__read_buffer:
            raise ServerAwayError("the ManageSieve server, or somebody in between, spoke before TLS began")
        context = ssl.create_default_context(cafile=self.server.ca_file or None)
        self.sock = context.wrap_socket(self.sock, server_hostname=self.server.host)

    def sign_in(self, account: Account) -> None:
        credential = account.credential
        if isinstance(credential, Password):
            mechanism, secret = "PLAIN", credential.password
        else:
            mechanism, secret = "OAUTHBEARER", credential.make()
        if mechanism not in self.greeting().mechanisms:
            raise ServerAwayError(f"the ManageSieve server does not offer {mechanism}")
        person = credential.person if isinstance(credential, MasterPassword) else ""
        if not self.__authenticate(credential.username, secret, person, mechanism):
            refusal = SignInRefusedError if isinstance(credential, Password) else TokenRefusedError
            raise refusal(f"ManageSieve: {self.errmsg.decode(errors='replace')}")

    def _oauthbearer_authentication(self, login: bytes, password: bytes, authz_id: bytes = b"") -> bool:
        """OAUTHBEARER (RFC 7628). A failure comes as a challenge to be answered; sievelib would wait until it times out."""
        words = b"n,a=" + login + b",\x01auth=Bearer " + password + b"\x01\x01"
        code, _ = self.__send_command("AUTHENTICATE", [b"OAUTHBEARER", base64.b64encode(words)], nblines=1)
        if code is None:
            self.sock.sendall(b'"AQ=="\r\n')
            code = self.__read_response()[0]
        return code in ("OK", b"OK")

    def command(self, name: str, arguments: list[Any], *, withcontent: bool = False) -> Any:
        return self.__send_command(name, arguments, withcontent=withcontent)

    def literal(self, text: str) -> bytes:
        return self.__prepare_content(text)

    def knows_check(self) -> bool:
        return "VERSION" in self.__capabilities

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

    def read(self, name: str) -> str:
        """A script's text, with CRLF (section 2.9): 1 round trip. Raises NoSuchScriptError or ServerAwayError.

        Scripts are UTF-8 (section 4). One that is not was put there by a file's way and is read as Latin-1, so that no letter of
        it is lost when it is saved again.
        """
        with _translated():
            code, data, content = self._client.command("GETSCRIPT", [_utf8(name)], withcontent=True)
        self._done(code, data)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        return text.replace("\r\n", "\n").replace("\n", "\r\n")

    def check(self, script: str) -> None:
        """Let the server look at a script without keeping it (section 2.12): 1 round trip. Raises ScriptRefusedError,
        ServerAwayError.

        A server without the command (before RFC 5804) says nothing: it finds the faults when the script is stored.
        """
        if self._client.knows_check():
            with _translated():
                code, data = self._client.command("CHECKSCRIPT", [self._client.literal(script)])
            self._done(code, data)

    def write(self, name: str, script: str) -> None:
        """Store a script, in place of one of that name (section 2.6): 1 round trip.

        Raises ScriptRefusedError with the server's words, OverQuotaError, ServerAwayError. A script that is refused replaces
        nothing.
        """
        with _translated():
            code, data = self._client.command("PUTSCRIPT", [_utf8(name), self._client.literal(script)])
        self._done(code, data)

    def activate(self, name: str) -> None:
        """Let this script, and no other, see what arrives; "" for none (section 2.8): 1 round trip. Raises NoSuchScriptError."""
        with _translated():
            code, data = self._client.command("SETACTIVE", [_utf8(name)])
        self._done(code, data)

    def delete(self, name: str) -> None:
        """Never the active one (section 2.10): 1 round trip. Raises NoSuchScriptError, RefusedError."""
        with _translated():
            code, data = self._client.command("DELETESCRIPT", [_utf8(name)])
        self._done(code, data)

    def _done(self, code: object, data: object) -> None:
        """Raises what stands behind NO: response codes of section 1.3, in parentheses before the words."""
        if code in ("OK", b"OK"):
            return
        words = self._client.errmsg.decode(errors="replace").strip()
        told = (data if isinstance(data, bytes) else str(data or "").encode()).upper() + (self._client.errcode or b"").upper()
        if b"QUOTA" in told:
            raise OverQuotaError(f"ManageSieve: {words}")
        if b"NONEXISTENT" in told:
            raise NoSuchScriptError(f"ManageSieve: {words}")
        raise ScriptRefusedError(words)

    def list(self) -> tuple[Script, ...]:
        """All scripts, the active one first (RFC 5804 section 2.7): 1 round trip. Raises RefusedError or ServerAwayError.

        Not by sievelib, which takes a quotation mark in a name for its end, and does not see then that the script is active.
        """
        with _translated():
            code, _data, listing = self._client.command("LISTSCRIPTS", [], withcontent=True)
        if code not in ("OK", b"OK"):
            raise RefusedError(f"ManageSieve: {self._client.errmsg.decode(errors='replace')}")
        found = [_script(line) for line in listing.split(b"\r\n") if line]
        return tuple(sorted(found, key=lambda script: not script.active))


_SCRIPT = re.compile(rb'(?:"((?:[^"\\]|\\.)*)"|(.*?))(?: +(ACTIVE))? *', re.IGNORECASE | re.DOTALL)  # sievelib leaves no "{5}"


def _script(line: bytes) -> Script:
    found = _SCRIPT.fullmatch(line)
    assert found  # the second way takes anything
    name = re.sub(rb"\\(.)", rb"\1", found[1]) if found[1] is not None else found[2]
    return Script(name.decode("utf-8", "replace"), found[3] is not None)


_FAULT = re.compile(r"(?:^|\n)[^\n:]{0,100}: line (\d{1,6}): (?:error: )?([^\n]*)")


def _faults(wording: str) -> tuple[tuple[int, str], ...]:
    """Lines and what is wrong there, as Pigeonhole says it: "main: line 3: error: unknown command 'x'."."""
    found = tuple((int(number), text.strip()) for number, text in _FAULT.findall(wording))
    return found or ((0, wording),)


def _utf8(name: str) -> bytes:
    return name.encode()


def greet(server: Server) -> Greeting:
    """Connect, start TLS, read the capabilities and disconnect. Raises ServerAwayError, with the original error as its cause."""
    with _client(server) as client:
        return client.greeting()


@contextmanager
def connect(account: Account) -> Iterator[SieveConnection]:
    """Sign in to the account's ManageSieve server: 1 round trip after the greeting, 2 more with STARTTLS.

    Raises ServerAwayError, SignInRefusedError and TokenRefusedError. The account must have a `sieve` server.
    """
    if account.sieve is None:
        raise ServerAwayError("no ManageSieve server is set")
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
        raise ServerAwayError(f"the ManageSieve server can't be reached or understood: {error}") from error
