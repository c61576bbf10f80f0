"""SMTP client: submits one message to the submission server (RFC 6409, 5321), so that the outcome is always known.

There are exactly three outcomes: accepted (returns), not accepted (SendRefusedError, or ServerAwayError if the server could not
be reached), or unknown (SendUncertainError), which can only happen between the final dot and the response to it.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from webmail.account import Account, Password, Server, Token
from webmail.errors import (
    SendRefusedError,
    SendUncertainError,
    ServerAwayError,
    SignInRefusedError,
    TokenRefusedError,
    UnsafeValueError,
)
from webmail.mime.transfer_encoding import crlf_pieces

FINAL_ANSWER_SECONDS = 120.0  # the server may scan or deliver before it responds to the dot (RFC 5321 section 4.5.3.2.6)
GOODBYE_SECONDS = 2.0
_CHUNK = 64 * 1024
_COMMAND_LIMIT = 500  # octets per command line, unless an extension allows more (RFC 5321 section 4.5.3.1.4, with a margin)
_ENVID_LIMIT = 100  # characters (RFC 3461 section 4.4)
_UNSAFE = re.compile(r"[\x00-\x20<>\x7f-\x9f\u2028\u2029]")


class NoAnswerError(ServerAwayError):
    """The server timed out."""


class BrokeOffError(ServerAwayError):
    """The connection was lost before the server had accepted anything."""


def send(
    account: Account,
    sender: str,
    recipients: list[str],
    content: bytes | IO[bytes],
    *,
    smtputf8: bool = False,
    dsn: str = "",
    sign_in: bool = True,
    before_final_dot: Callable[[], None],
) -> dict[str, str]:
    """Send `content` (RFC 5322 bytes) to every recipient the server accepts; returns address -> error text for those it refused.

    A file is read twice from its start, in chunks: it is never in memory as a whole.

    An empty `sender` is the null sender (RFC 5321 section 4.5.5), for mail that must never bounce.

    SMTPUTF8 (RFC 6531) is used only if an address of the envelope or the header needs it; if the server lacks it,
    SendRefusedError names the addresses. With `dsn`, an envelope id, delivery status notifications are requested (RFC 3461) if
    the server offers them, and skipped otherwise. Without `sign_in` the credential is not used: for a server that trusts this
    machine.

    `before_final_dot()` runs when all content is sent and nothing has been accepted yet; an exception it raises is passed on,
    and the message is not sent. After it, a broken connection raises SendUncertainError.

    Raises UnsafeValueError, SignInRefusedError, ServerAwayError (nothing was sent: retry; TokenRefusedError is one),
    SendRefusedError (no recipient was accepted) and SendUncertainError. Round trips: greeting, EHLO, (STARTTLS, EHLO,) AUTH,
    MAIL, one RCPT each, DATA, dot.
    """
    envelope = {address: _wire_address(address) for address in recipients}
    envelope[sender] = _wire_address(sender) if sender else ""
    unusual = [address for address in recipients if not envelope[address].isascii()]
    source = BytesIO(content) if isinstance(content, bytes) else content
    about = _survey(source)
    smtputf8 = smtputf8 or bool(unusual) or not envelope[sender].isascii() or not about.header_ascii
    with _errors(), _connect(account.smtp) as client:
        if sign_in:
            _sign_in(client, account)
        if smtputf8 and not client.has_extn("smtputf8"):
            words = "553 5.6.7 the server takes no addresses with letters beyond ASCII"
            raise SendRefusedError(words, permanent=True, refused=dict.fromkeys(unusual, words))
        dsn = dsn if client.has_extn("dsn") else ""
        _mail(client, envelope[sender], about, smtputf8, dsn)
        refused = _rcpt(client, {address: envelope[address] for address in recipients}, notify=bool(dsn))
        _data(client, source)
        before_final_dot()
        _final_dot(client, account.smtp)
    return refused


def check(account: Account) -> None:
    """Sign in, and send nothing. Round trips: greeting, EHLO, (STARTTLS, EHLO,) AUTH. Raises as `send` does."""
    with _errors(), _connect(account.smtp) as client:
        _sign_in(client, account)


def answer_to_sender(account: Account, sender: str) -> tuple[int, str]:
    """What the server says to a signed-in person who sends as `sender`, to themselves: its code and text; nothing is sent.

    Postfix judges a sender at the recipient. Raises as `send` does.
    """
    with _errors(), _connect(account.smtp) as client:
        _sign_in(client, account)
        code, text = client.mail(_wire_address(sender))
        if code < 400:
            code, text = client.rcpt(_wire_address(account.address))
        return code, _reply_text(code, text)


def offers(account: Account, extension: str) -> bool:
    """Whether the server offers an SMTP extension ("smtputf8"). Round trips: greeting, EHLO. Raises ServerAwayError."""
    with _errors(), _connect(account.smtp) as client:
        return client.has_extn(extension)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Convert smtplib and network errors to ServerAwayError; the server's own words, if any, begin with the reply code.

    Errors after the final dot never get here.
    """
    try:
        yield
    except smtplib.SMTPConnectError as error:
        raise ServerAwayError(_reply_text(error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise _away(error) from error


def _away(error: Exception) -> ServerAwayError:
    # smtplib reports a timeout as "disconnected" too, with the original error as __context__
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return NoAnswerError(f"the mail server did not answer: {error}")
    if isinstance(error, smtplib.SMTPServerDisconnected | BrokenPipeError | ConnectionResetError | ConnectionAbortedError):
        return BrokeOffError(f"the connection to the mail server broke off: {error}")
    return ServerAwayError(f"the mail server can't be reached: {error}")


@contextlib.contextmanager
def _connect(server: Server) -> Iterator[smtplib.SMTP]:
    """A connection after EHLO, encrypted according to `server.security`, and always closed."""
    # The name only keeps smtplib from a slow getfqdn(); EHLO gets an address literal (RFC 5321 section 4.1.3).
    name = "localhost.localdomain"
    client: smtplib.SMTP
    if server.security == "tls":
        client = smtplib.SMTP_SSL(server.host, server.port, name, timeout=server.timeout, context=_trust(server))
    else:
        client = smtplib.SMTP(server.host, server.port, name, timeout=server.timeout)
    try:
        assert client.sock is not None
        ours = client.sock.getsockname()[0]
        client.local_hostname = f"[IPv6:{ours}]" if ":" in ours else f"[{ours}]"
        _expect_ok(client.ehlo())
        if server.security == "starttls":
            client.starttls(context=_trust(server))
            _expect_ok(client.ehlo())
        yield client
    finally:
        client.close()


def _trust(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.ca_file:
        context.load_verify_locations(server.ca_file)
    return context


def _expect_ok(reply: tuple[int, bytes]) -> None:
    if reply[0] != 250:
        raise ServerAwayError(_reply_text(*reply))


def _sign_in(client: smtplib.SMTP, account: Account) -> None:
    """AUTH (RFC 4954) with the best mechanism offered. If the server offers none, it may still accept MAIL."""
    offered = client.esmtp_features.get("auth", "").upper().split()
    if not offered:
        return
    usable = [choice for choice in _mechanisms(account) if choice[0] in offered]
    if not usable:
        raise _refusal(account)(f"no common way to sign in; the server offers {' '.join(offered)}")
    code, words = _auth(client, *usable[0])
    if code == 235:
        return
    if 400 <= code < 500 or code < 200:
        raise ServerAwayError(_reply_text(code, words))
    raise _refusal(account)(_reply_text(code, words))


def _refusal(account: Account) -> type[SignInRefusedError | TokenRefusedError]:
    return SignInRefusedError if isinstance(account.credential, Password) else TokenRefusedError


def _mechanisms(account: Account) -> Iterator[tuple[str, list[str]]]:
    """(SASL mechanism, its responses in order), best first."""
    match account.credential:
        case Password(username, password):
            _safe(username)
            _safe(password)
            yield "PLAIN", [f"\0{username}\0{password}"]
            yield "LOGIN", [username, password]
        case Token(username) as token:
            _safe(username)
            bearer = f"auth=Bearer {token.make()}\1\1"
            escaped = username.replace("=", "=3D").replace(",", "=2C")
            yield "OAUTHBEARER", [f"n,a={escaped},\1host={account.smtp.host}\1port={account.smtp.port}\1{bearer}", "\1"]
            yield "XOAUTH2", [f"user={username}\1{bearer}", ""]


def _auth(client: smtplib.SMTP, mechanism: str, responses: list[str]) -> tuple[int, bytes]:
    """smtplib's own `auth` is ASCII only. The second response of the bearer mechanisms ends a failure (RFC 7628 3.2.3)."""
    encoded = [base64.b64encode(response.encode()).decode() for response in responses]
    command = f"AUTH {mechanism}"
    if mechanism != "LOGIN" and len(command) + len(encoded[0]) < _COMMAND_LIMIT:
        command += f" {encoded.pop(0)}"
    reply = client.docmd(command)
    while reply[0] == 334 and encoded:
        reply = client.docmd(encoded.pop(0))
    return reply


@dataclass(frozen=True, slots=True)
class _Survey:
    """What MAIL declares about a message: its size with CRLF line ends, and whether it is all ASCII."""

    size: int
    ascii: bool
    header_ascii: bool


def _survey(source: IO[bytes]) -> _Survey:
    source.seek(0)
    size, whole, header, ended, before = 0, True, True, False, b""
    for chunk in iter(lambda: source.read(_CHUNK), b""):
        ascii_only = chunk.isascii()
        size += len(chunk) + chunk.count(b"\n") - chunk.count(b"\r\n") - (before.endswith(b"\r") and chunk.startswith(b"\n"))
        whole = whole and ascii_only
        if not ended:
            seen = before + chunk
            end = seen.find(b"\r\n\r\n")
            ended = end >= 0
            header = header and (seen[:end] if ended else chunk).isascii()
        before = chunk[-3:]
    return _Survey(size, whole, header)


def _mail(client: smtplib.SMTP, sender: str, about: _Survey, smtputf8: bool, dsn: str) -> None:
    """MAIL with SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET and ENVID (RFC 3461 section 4.3 and 4.4)."""
    options = []
    if client.has_extn("size"):
        limit = client.esmtp_features["size"].strip()
        if limit.isdigit() and 0 < int(limit) < about.size:
            raise SendRefusedError(f"552 the message has {about.size} bytes and the server takes {limit}", permanent=True)
        options.append(f"SIZE={about.size}")
    if client.has_extn("8bitmime") and not about.ascii:
        options.append("BODY=8BITMIME")
    if smtputf8:
        options.append("SMTPUTF8")
        client.command_encoding = "utf-8"
    if dsn:
        options += ["RET=HDRS", f"ENVID={_xtext(dsn)[:_ENVID_LIMIT]}"]
    code, words = client.docmd(" ".join([f"MAIL FROM:<{sender}>", *options]))
    _refuse_unless(250 <= code < 260, code, words)


def _xtext(text: str) -> str:
    """xtext (RFC 3461 section 4): escapes disallowed characters as "+" and two hex digits; "?" for non-ASCII."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text.encode("ascii", "replace").decode())


def _rcpt(client: smtplib.SMTP, recipients: dict[str, str], *, notify: bool) -> dict[str, str]:
    """One RCPT per recipient, with NOTIFY (RFC 3461 section 4.1) if the sender wants delivery notifications."""
    refused = {}
    option = " NOTIFY=SUCCESS,FAILURE,DELAY" if notify else ""
    for address, wire in recipients.items():
        code, words = client.docmd(f"RCPT TO:<{wire}>{option}")
        if code == 421 or code < 200:
            raise ServerAwayError(_reply_text(code, words))
        if code >= 300:
            refused[address] = _reply_text(code, words)
    if len(refused) == len(recipients):
        permanent = all(words.startswith("5") for words in refused.values())
        raise SendRefusedError("; ".join(refused.values()) or "no recipients", permanent=permanent, refused=refused)
    return refused


def _data(client: smtplib.SMTP, source: IO[bytes]) -> None:
    code, words = client.docmd("DATA")
    _refuse_unless(code == 354, code, words)
    for chunk in wire_chunks(source):
        client.send(chunk)
    _hear_early_answer(client)


def _hear_early_answer(client: smtplib.SMTP) -> None:
    """Detect before the dot, while the outcome is still certain, that the server disconnected or rejected during DATA.

    Not under TLS, where pending bytes need not be a reply (session tickets, RFC 8446 section 4.6.1).
    """
    if client.sock is None or isinstance(client.sock, ssl.SSLSocket):
        return
    patience = client.sock.gettimeout()
    client.sock.setblocking(False)
    try:
        waiting = client.sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return
    finally:
        client.sock.settimeout(patience)
    code, words = client.getreply() if waiting else (-1, b"hung up")
    _refuse_unless(False, code, words)


def _final_dot(client: smtplib.SMTP, server: Server) -> None:
    """Send the final dot. Until the server responds, the outcome is unknown: raises SendUncertainError."""
    try:
        if client.sock:
            client.sock.settimeout(max(FINAL_ANSWER_SECONDS, server.timeout))
        client.send(b".\r\n")
        code, words = client.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise SendUncertainError(f"the connection broke before the server answered: {error}") from error
    if code < 200:
        raise SendUncertainError(f"the server gave no answer that can be understood: {_reply_text(code, words)}")
    _refuse_unless(200 <= code < 300, code, words)
    with contextlib.suppress(smtplib.SMTPException, OSError):  # accepted: a failing QUIT does not matter
        if client.sock:
            client.sock.settimeout(GOODBYE_SECONDS)
        client.quit()


def wire_chunks(content: bytes | IO[bytes]) -> Iterator[bytes]:
    """Encode the content for DATA, without the final dot: CRLF line ends, dot-stuffing, CRLF at the end (RFC 5321 4.5.2).

    A lone CR or LF becomes CRLF: servers that disagree about line ends allow SMTP smuggling.
    """
    source = BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    at_line_start, last = True, b""
    for piece in crlf_pieces(iter(lambda: source.read(_CHUNK), b"")):
        chunk = piece.replace(b"\r\n.", b"\r\n..")
        if at_line_start and chunk.startswith(b"."):
            chunk = b"." + chunk
        at_line_start = chunk.endswith(b"\r\n")
        last = chunk
        yield chunk
    if not last.endswith(b"\r\n"):
        yield b"\r\n"


def _refuse_unless(good: bool, code: int, data: bytes) -> None:
    if good:
        return
    if code < 200:
        raise ServerAwayError(f"the server gave no answer that can be understood: {_reply_text(code, data)}")
    raise SendRefusedError(_reply_text(code, data), permanent=code >= 500)


def _wire_address(address: str) -> str:
    """The address for the envelope, with its domain in ASCII (RFC 5890). Raises UnsafeValueError if it could inject into a
    command."""
    local, _, domain = address.rpartition("@")
    if _UNSAFE.search(address) or not local or not domain:
        raise UnsafeValueError(f"not usable as an envelope address: {address!r}")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise UnsafeValueError(f"not usable as a domain: {domain!r}") from error
    return f"{local}@{domain}"


def _safe(value: str) -> None:
    if "\0" in value or "\r" in value or "\n" in value:
        raise UnsafeValueError("CR, LF or NUL in a credential")


def _reply_text(code: int, text: bytes | str) -> str:
    """The server's reply on one line, without control characters, for logs and for the user."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return f"{code} {said}"[:500]
