"""A server that can't be reached is not asked by every thread; one that came back is found within seconds."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from tests.support.servers import closed_port, serving, silent
from tests.support.waiting import eventually
from webmail.account import Account, Password, Server
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.imap import check
from webmail.imap.connections import circuit_breaker
from webmail.imap.connections import connection as connections
from webmail.imap.connections.circuit_breaker import dialling
from webmail.imap.connections.connection import Connection

SERVER = Server("mail.example", 993)


def account(port: int, timeout: float = 1) -> Account:
    server = Server("127.0.0.1", port, "none", timeout)
    return Account("ann@x.example", server, server, Password("ann@x.example", "secret"))


def dial_in_vain(error: OSError, server: Server = SERVER, **how: bool) -> None:
    with pytest.raises(type(error)), dialling(server, **how):
        raise error


def is_refused_at_once(server: Server = SERVER) -> bool:
    try:
        with dialling(server):
            return False
    except ServerAwayError:
        return True


@pytest.fixture
def long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not end while a slow machine takes its time over a test."""
    monkeypatch.setattr(circuit_breaker, "PAUSE_SECONDS", 60.0)


def test_a_mute_server_is_waited_for_once(long_pause: None) -> None:
    with silent() as port:
        with pytest.raises(ServerAwayError, match="timed out"):
            check(account(port))
        for _ in range(2):
            with pytest.raises(ServerAwayError, match="a moment ago"):
                check(account(port))


def test_a_closed_port_says_nothing_of_another_server(long_pause: None) -> None:
    with pytest.raises(ServerAwayError, match="can't be reached"):
        check(account(port := closed_port()))
    with pytest.raises(ServerAwayError, match="a moment ago"):
        check(account(port))
    with pytest.raises(ServerAwayError, match="can't be reached"):
        check(account(closed_port()))


def test_after_the_pause_one_thread_tries_while_the_others_are_refused(long_pause: None) -> None:
    dial_in_vain(TimeoutError())
    assert is_refused_at_once()
    circuit_breaker._servers[SERVER].next_try = 0  # the pause is over
    with dialling(SERVER):
        assert is_refused_at_once()
    assert not is_refused_at_once(), "the one that got through clears the way"


def test_threads_that_come_together_send_one_ahead(long_pause: None) -> None:
    with silent() as port:
        with pytest.raises(ServerAwayError):
            check(account(port))
        circuit_breaker._servers[account(port).imap].next_try = 0
        told: list[str] = []

        def visit() -> None:
            with pytest.raises(ServerAwayError) as refused:
                check(account(port))
            told.append(str(refused.value))

        threads = [threading.Thread(target=visit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len([words for words in told if "a moment ago" not in words]) == 1
    assert len(told) == 8


def test_a_server_that_came_back_is_reached_after_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "PAUSE_SECONDS", 0.3)
    began = time.monotonic()
    dial_in_vain(ConnectionRefusedError())
    eventually(lambda: not is_refused_at_once())
    assert time.monotonic() - began >= 0.3


def test_a_dial_that_began_before_the_server_answered_another_is_old_news() -> None:
    with pytest.raises(TimeoutError), dialling(SERVER):
        assert not is_refused_at_once()
        raise TimeoutError
    assert not is_refused_at_once()


@pytest.mark.parametrize("error", [ConnectionResetError(), BrokenPipeError()])
def test_a_server_that_hangs_up_holds_nobody_and_is_asked_again(error: OSError) -> None:
    dial_in_vain(error)
    assert not is_refused_at_once()


def test_a_dial_that_had_little_time_tells_nothing() -> None:
    dial_in_vain(TimeoutError(), telling=False)
    assert not is_refused_at_once()
    with silent() as port:
        person = account(port, timeout=1)
        with pytest.raises(ServerAwayError):
            Connection(person, 0.1)
        assert not is_refused_at_once(person.imap)


def test_a_refused_sign_in_and_a_slow_one_say_nothing_of_the_server() -> None:
    for word, error in ((b"NO [AUTHENTICATIONFAILED] no\r\n", SignInRefusedError), (None, ServerAwayError)):

        def answer(line: bytes, word: bytes | None = word) -> bytes | None:
            tag, _, command = line.partition(b" ")
            if command.upper().startswith(b"CAPABILITY"):
                return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
            return tag + b" " + word if word else b""

        with serving(b"* OK ready\r\n", answer) as port:
            person = account(port)
            with pytest.raises(error):
                check(person)
            assert not is_refused_at_once(person.imap)


def test_a_slow_command_on_a_living_connection_says_nothing_of_the_server() -> None:
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
        return b"" if command.startswith(b"NOOP") else tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        person = account(port)
        connection = Connection(person)
        with pytest.raises(ServerAwayError):
            connection.run((b"NOOP",))
        connection.close()
        Connection(person).close()


def test_greeting_and_sign_in_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = 0.0  # of the real clock
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + ahead))

    def answer(line: bytes) -> bytes | None:
        nonlocal ahead
        tag, _, command = line.partition(b" ")
        if command.upper().startswith(b"CAPABILITY"):
            ahead = 59.5  # the server took its time
            return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
        return b""

    with serving(b"* OK ready\r\n", answer) as port:
        began = time.monotonic()
        with pytest.raises(ServerAwayError):
            Connection(account(port, timeout=60), 60)
        assert time.monotonic() - began < 20
