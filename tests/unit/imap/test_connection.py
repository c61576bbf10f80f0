"""A server that says what no server should: a plain error, and that connection is never used again."""

from __future__ import annotations

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import ServerAwayError
from webmail.imap import close_all, connect
from webmail.imap.connections import connection as connection_module
from webmail.imap.connections.pool import _pool


def person_at(port: int) -> Account:
    server = Server("127.0.0.1", port, "none", 0.5)
    return Account("ann@x.example", server, server, Password("ann@x.example", "secret"))


@pytest.mark.parametrize("size", [b"99999999999", b"99999999999999999999", b"9" * 5000], ids=["memory", "overflow", "digits"])
def test_a_literal_of_any_size_is_a_server_that_is_away(size: bytes) -> None:
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"NOOP"):
            return b"* 1 FETCH (UID 1 BODY[] {" + size + b"}\r\n"
        return tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        person = person_at(port)
        with pytest.raises(ServerAwayError), connect(person) as connection:
            connection.run((b"NOOP",))
        assert not connection.in_step
        assert not _pool.idle.get(person)
        with connect(person) as again:
            assert again is not connection
        close_all(person)


def test_an_answer_without_end_is_a_server_that_is_away(monkeypatch) -> None:
    """Whoever moves in names the server, and so may run it."""
    monkeypatch.setattr(connection_module, "_LARGEST_ANSWER", 100_000)

    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        count = {b"NOOP": 3, b"CHECK": 1}.get(command.strip(), 0)
        told = b"".join(b"* %d FETCH (UID %d BODY[] {50000}\r\n" % (n, n) + b"x" * 50_000 + b")\r\n" for n in range(1, count + 1))
        capability = b"* CAPABILITY IMAP4rev1\r\n" if command.upper().startswith(b"CAPABILITY") else b""
        return capability + told + tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        person = person_at(port)
        with connect(person) as connection:
            for _ in range(3):  # each has its own room
                assert len(connection.run((b"CHECK",))["FETCH"][0][1]) == 50_000
        with pytest.raises(ServerAwayError, match="100000 bytes"), connect(person) as connection:
            connection.run((b"NOOP",))
        close_all(person)


@pytest.mark.parametrize("told", [b"", b"* OK [UIDVALIDITY abc] x\r\n"], ids=["none", "no number"])
def test_a_mailbox_without_uidvalidity_never_has_that_of_another(told: bytes) -> None:
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
        if command == b'SELECT "INBOX"':
            return b"* OK [UIDVALIDITY 7] x\r\n" + tag + b" OK done\r\n"
        return (told if command.startswith(b"SELECT") else b"") + tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        person = person_at(port)
        with connect(person) as connection:
            connection.select("INBOX")
            for _ in range(2):
                with pytest.raises(ServerAwayError, match="UIDVALIDITY"):
                    connection.select("Other")
            assert connection.mailbox == ""
            connection.select("INBOX")
            assert connection.uidvalidity == 7
        close_all(person)
