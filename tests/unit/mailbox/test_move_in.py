"""Moving in: which addresses are connected to, whatever a name means a moment later."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support import servers
from webmail.account import Account, Password, Server
from webmail.config.settings import Settings
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.imap.connections.connection import Connection
from webmail.mailbox.imports import move_in


def test_a_name_that_means_something_else_the_second_time_is_not_looked_up_again(monkeypatch) -> None:
    asked, dialled = list[str](), list[tuple[str, int]]()

    def lookup(host: str, port: int, **_more: object) -> list[object]:
        asked.append(host)
        address = "9.9.9.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def dial(address: tuple[str, int], *_given: object, **_named: object) -> socket.socket:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", dial)
    account = move_in.OldMailbox("imap.far.example", 993, "zoe").account("secret", Settings())
    with pytest.raises(ServerAwayError):
        Connection(account)
    assert asked == ["imap.far.example"] and dialled == [("9.9.9.9", 993)]


def test_one_inside_among_the_addresses_is_enough_to_refuse(monkeypatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 993)) for address in ("9.9.9.9", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: found)
    with pytest.raises(move_in.BadServerError):
        move_in.OldMailbox("imap.far.example", 993, "zoe").account("secret", Settings())


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(("name", "good"), [("imap.far.example", True), ("imap.other.example", False)])
def test_the_certificate_is_that_of_the_name_though_an_address_is_dialled(tmp_path: Path, security, name, good) -> None:
    context, trusted = servers.certificate(tmp_path, "imap.far.example")

    def answer(line: bytes) -> bytes:
        tag, _, words = line.partition(b" ")
        if words.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n"
        return tag + (b" OK done\r\n" if words.upper().startswith(b"STARTTLS") else b" NO [AUTHENTICATIONFAILED] no\r\n")

    by = {"tls": context} if security == "tls" else {"upgrade": context}
    with servers.serving(b"* OK ready\r\n", answer, **by) as port:
        server = Server(name, port, security, 5.0, trusted, ("127.0.0.1",))
        with pytest.raises(SignInRefusedError if good else ServerAwayError):
            Connection(Account("zoe@far.example", server, server, Password("zoe", "secret")))
