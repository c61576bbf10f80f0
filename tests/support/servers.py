"""Servers on real sockets of this machine that behave well, badly or not at all, and certificates for them."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Context = ssl.SSLContext | None
Answer = Callable[[bytes], "bytes | None"]  # a line -> what is said to it; None hangs up


_closed: list[socket.socket] = []


def closed_port() -> int:
    """A port on which nothing listens, nor will as long as this process lives: it is bound."""
    _closed.append(taken := socket.socket())
    taken.bind(("127.0.0.1", 0))
    return int(taken.getsockname()[1])


@contextmanager
def silent() -> Iterator[int]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def serving(greeting: bytes, answer: Answer, tls: Context = None, upgrade: Context = None) -> Iterator[int]:
    """Says `greeting`, then answers line by line. `tls`: from the first byte; `upgrade`: after a line with STARTTLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_talk, args=(peer, greeting, answer, tls, upgrade), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        stop.set()
        server.shutdown(socket.SHUT_RDWR)


def _talk(peer: socket.socket, greeting: bytes, answer: Answer, tls: Context, upgrade: Context) -> None:
    peer.settimeout(10)
    try:
        if tls:
            peer = tls.wrap_socket(peer, server_side=True)
        peer.sendall(greeting)
        lines = peer.makefile("rb")
        while line := lines.readline():
            said = answer(line.strip())
            if said is None:
                break
            peer.sendall(said)
            if upgrade and b"STARTTLS" in line:
                peer, upgrade = upgrade.wrap_socket(peer, server_side=True), None
                lines = peer.makefile("rb")
                if line.strip() == b"STARTTLS" and greeting.startswith(b'"'):
                    peer.sendall(greeting)  # ManageSieve tells its capabilities anew
    except OSError:
        pass  # the client went away, as many of these tests make it do
    finally:
        peer.close()


def certificate(folder: Path, name: str = "127.0.0.1", days: int = 90, since: int = 1) -> tuple[ssl.SSLContext, str]:
    """A self-signed certificate for an IP address or a host name: (context of the server, PEM file to trust it by)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    at = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - datetime.timedelta(days=since))
        .not_valid_after(at + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.{days}.pem"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = folder / f"{name}.{days}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, str(pem)


def imap(line: bytes) -> bytes | None:
    tag, _, rest = line.partition(b" ")
    if rest.upper().startswith(b"CAPABILITY"):
        return b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=LOGIN UIDPLUS MOVE\r\n" + tag + b" OK done\r\n"
    if rest.upper().startswith((b"STARTTLS", b"LOGIN", b"NOOP")):
        return tag + b" OK done\r\n"
    return None if rest.upper().startswith(b"LOGOUT") else tag + b" BAD no\r\n"


def smtp(*extensions: bytes) -> Answer:
    def answer(line: bytes) -> bytes | None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            words = [b"test", *extensions]
            return b"".join(b"250" + (b" " if word is words[-1] else b"-") + word + b"\r\n" for word in words)
        return b"220 go\r\n" if line.upper() == b"STARTTLS" else None if verb == b"QUIT" else b"250 ok\r\n"

    return answer


SIEVE_GREETING = b'"IMPLEMENTATION" "Test"\r\n"SASL" "PLAIN"\r\n"SIEVE" "fileinto vacation"\r\n"STARTTLS"\r\nOK "ready"\r\n'


def sieve(line: bytes) -> bytes | None:
    if line.startswith(b"AUTHENTICATE"):
        return b'OK "in"\r\n' if b"AGFsaWNlAHJpZ2h0" in line else b'NO "wrong"\r\n'  # "\0alice\0right"
    return {
        b"STARTTLS": b'OK "go"\r\n',
        b"LISTSCRIPTS": b'"holidays"\r\n"main" ACTIVE\r\nOK\r\n',
    }.get(line, b'NO "what?"\r\n')
