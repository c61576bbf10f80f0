"""ManageSieve on real sockets: what the server tells, and everything that can go wrong on the way."""

from __future__ import annotations

import time

import pytest

from tests.support import servers
from webmail import managesieve
from webmail.account import Account, Password, Server
from webmail.errors import ServerAwayError, SignInRefusedError


def server(port: int, security: str = "none", ca_file: str = "", host: str = "127.0.0.1") -> Server:
    return Server(host, port, security, 0.5, ca_file)


def account(where: Server, password: str = "right") -> Account:
    return Account("alice@lycee.example", where, where, Password("alice", password), where)


def test_the_greeting_and_the_scripts():
    with servers.serving(servers.SIEVE_GREETING, servers.sieve) as port, managesieve.connect(account(server(port))) as connection:
        assert connection.greeting == managesieve.Greeting("Test", ("PLAIN",), ("fileinto", "vacation"), None)
        assert connection.list() == (managesieve.Script("main", True), managesieve.Script("holidays", False))


@pytest.mark.parametrize(("kept", "read"), [(b"# \xe9t\xe9", "# été"), ("# été ’".encode(), "# été ’")])
def test_no_letter_of_a_script_is_lost(kept, read):
    """Scripts are UTF-8; one that is not was copied there, and is read as Latin-1."""

    def answer(line: bytes) -> bytes | None:
        return b"{%d}\r\n%b\r\nOK\r\n" % (len(kept), kept) if line.startswith(b"GETSCRIPT") else servers.sieve(line)

    with servers.serving(servers.SIEVE_GREETING, answer) as port, managesieve.connect(account(server(port))) as connection:
        assert connection.read("main").strip() == read


def test_a_script_of_any_name_is_known_as_active():
    told = b'"a\\"b" ACTIVE\r\n"c\\\\"\r\n"ACTIVE"\r\n"d ACTIVE"\r\n"e\\" ACTIVE"\r\n{7}\r\nf "g" h\r\n{1}\r\n"\r\n"\xc3\xa9"\r\nOK\r\n'

    def answer(line: bytes) -> bytes | None:
        return told if line == b"LISTSCRIPTS" else servers.sieve(line)

    with servers.serving(servers.SIEVE_GREETING, answer) as port, managesieve.connect(account(server(port))) as connection:
        found = connection.list()
    assert [script.name for script in found] == ['a"b', "c\\", "ACTIVE", "d ACTIVE", 'e" ACTIVE', 'f "g" h', '"', "é"]
    assert [script.name for script in found if script.active] == ['a"b']


def test_a_wrong_password_is_refused():
    serving = servers.serving(servers.SIEVE_GREETING, servers.sieve)
    with serving as port, pytest.raises(SignInRefusedError, match="wrong"), managesieve.connect(account(server(port), "wrong")):
        pass


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_with_our_own_authority(tmp_path, security):
    context, pem = servers.certificate(tmp_path)
    how = {"tls": context} if security == "tls" else {"upgrade": context}
    with servers.serving(servers.SIEVE_GREETING, servers.sieve, **how) as port:
        assert managesieve.greet(server(port, security, pem)).certificate["subjectAltName"] == (("IP Address", "127.0.0.1"),)
        with pytest.raises(ServerAwayError, match="certificate verify failed"):
            managesieve.greet(server(port, security))
        with managesieve.connect(account(server(port, security, pem))) as connection:
            assert len(connection.list()) == 2


def test_a_certificate_for_another_name_is_refused(tmp_path):
    context, pem = servers.certificate(tmp_path, "mail.elsewhere.example")
    with (
        servers.serving(servers.SIEVE_GREETING, servers.sieve, tls=context) as port,
        pytest.raises(ServerAwayError, match="mismatch"),
    ):
        managesieve.greet(server(port, "tls", pem))


def test_without_the_starttls_that_was_asked_for_nothing_is_said():
    told = servers.SIEVE_GREETING.replace(b'"STARTTLS"\r\n', b"")
    heard = []
    with servers.serving(told, heard.append) as port, pytest.raises(ServerAwayError, match="STARTTLS"):
        managesieve.greet(server(port, "starttls"))
    assert heard == []


def test_words_slipped_in_before_tls_are_noticed(tmp_path):
    """An attacker adds an answer to the one to STARTTLS, to have it taken for the server's own."""
    context, pem = servers.certificate(tmp_path)

    def answer(line: bytes) -> bytes | None:
        return b'OK "go"\r\n"SASL" "EVIL"\r\nOK\r\n' if line == b"STARTTLS" else servers.sieve(line)

    with (
        servers.serving(servers.SIEVE_GREETING, answer, upgrade=context) as port,
        pytest.raises(ServerAwayError, match="before TLS"),
    ):
        managesieve.greet(server(port, "starttls", pem))


def test_a_closed_port_is_away():
    with pytest.raises(ServerAwayError, match="refused"):
        managesieve.greet(server(servers.closed_port()))


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
def test_silence_ends_in_time(security):
    with servers.silent() as port:
        start = time.monotonic()
        with pytest.raises(ServerAwayError):
            managesieve.greet(server(port, security))
        assert time.monotonic() - start < 10


RUBBISH = [b"\r\n\r\n\xff\xfe\r\n", b"220 smtp here\r\n", b"{99999}\r\n", b'"SASL\r\nOK\r\n', b"BYE\r\n", b"NO\r\n"]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_rubbish_is_away(rubbish):
    serving = servers.serving(rubbish, lambda _line: None)
    with serving as port, pytest.raises((ServerAwayError, SignInRefusedError)), managesieve.connect(account(server(port))):
        pass


def test_an_account_without_a_server_is_away():
    where = server(1)
    with (
        pytest.raises(ServerAwayError),
        managesieve.connect(Account("alice@lycee.example", where, where, Password("alice", "x"))),
    ):
        pass
