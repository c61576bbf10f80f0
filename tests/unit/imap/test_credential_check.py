"""Signing in to IMAP: a lost connection is no wrong password."""

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.imap import check


def account(port: int) -> Account:
    server = Server("127.0.0.1", port, "none", 2)
    return Account("ann@x.example", server, server, Password("ann@x.example", "secret"))


@pytest.mark.parametrize("mechanisms", [b"AUTH=PLAIN", b"LOGINDISABLED-NOT"])
def test_a_connection_cut_while_signing_in_is_a_server_that_is_away(mechanisms: bytes) -> None:
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 " + mechanisms + b"\r\n" + tag + b" OK done\r\n"
        return None  # hang up

    with serving(b"* OK ready\r\n", answer) as port, pytest.raises(ServerAwayError):
        check(account(port))


def test_a_no_is_a_refusal() -> None:
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
        return tag + b" NO [AUTHENTICATIONFAILED] no\r\n"

    with serving(b"* OK ready\r\n", answer) as port, pytest.raises(SignInRefusedError):
        check(account(port))
