"""Turns at a person's connections: a burst is served, what is stuck holds few threads, and nothing is left behind."""

from __future__ import annotations

import fcntl
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from tests.support.servers import serving
from tests.support.waiting import eventually
from webmail.account import Account, Password, Server
from webmail.errors import SearchNotReadyError, ServerAwayError
from webmail.imap.connections import pool
from webmail.imap.connections.connection import Connection as RealConnection

SERVER = Server("127.0.0.1", 1, "none")
ANN = Account("ann@x.example", SERVER, SERVER, Password("ann", "secret"))


@dataclass(eq=False)
class Fake:
    """What the pool needs of a connection."""

    account: Account
    seconds: float = 0
    mailbox: str = ""
    in_step: bool = True
    dead: bool = False
    closed: bool = False
    last_used: float = field(default_factory=time.monotonic)
    opened: float = field(default_factory=time.monotonic)

    def lend(self, patience: float | None = None) -> None:
        self.patience = patience

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[pool._Pool]:
    own = pool._Pool(patience=2, idle_seconds=0.1)
    monkeypatch.setattr(pool, "_pool", own)
    monkeypatch.setattr(pool, "Connection", Fake)
    yield own
    pool.close_all()


def waiting(own: pool._Pool, number: int) -> None:
    eventually(lambda: len(own.waiting.get(ANN, [])) == number, step=0.005)


def in_threads(number: int, visit) -> list[threading.Thread]:
    threads = [threading.Thread(target=visit) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads


def test_when_several_wait_in_vain_the_next_is_refused_at_once(own_pool: pool._Pool) -> None:
    took: list[float] = []

    def visit() -> None:
        began = time.monotonic()
        with pytest.raises(ServerAwayError, match="busy"), pool.connect(ANN):
            pass
        took.append(time.monotonic() - began)

    with pool.connect(ANN), pool.connect(ANN), pool.connect(ANN):
        own_pool.moved[ANN] -= 1  # they are busy for a second already
        threads = in_threads(4, visit)
        waiting(own_pool, 4)
        with pytest.raises(ServerAwayError, match="busy"), pool.connect(ANN):
            pass
        assert not took, "the patience of the first few is not over yet"
        other = Account("bob@x.example", SERVER, SERVER, Password("bob", "secret"))
        with pool.connect(other):
            assert len(own_pool.waiting[ANN]) == 4
        for thread in threads:
            thread.join()
    assert len(took) == 4
    assert all(seconds > 1.8 for seconds in took), "the first few have all the patience"
    assert not own_pool.waiting
    assert not own_pool.lent
    assert not own_pool.moved


def test_a_burst_takes_turns(own_pool: pool._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_STILL", 60.0)  # nobody is refused while they gather
    own_pool.patience = 60
    served: list[Fake] = []
    gathered = threading.Event()

    def visit() -> None:
        with pool.connect(ANN) as connection:
            assert gathered.wait(60)
            served.append(connection)

    threads = in_threads(20, visit)
    waiting(own_pool, 17)
    gathered.set()
    for thread in threads:
        thread.join()
    assert len(served) == 20
    assert len(set(served)) == 3


def test_waiting_and_dialling_share_one_deadline(own_pool: pool._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = 0.0  # of the real clock
    monkeypatch.setattr(pool, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + ahead, sleep=time.sleep))
    own_pool.most_per_person = 1
    lost = Fake(ANN)
    made: list[Fake] = []

    def visit() -> None:
        with pool.connect(ANN) as connection:
            made.append(connection)

    own_pool.patience = 60
    own_pool.idle[ANN] = [lost]
    with pool.connect(ANN) as connection:
        assert connection is lost
        threads = in_threads(1, visit)
        waiting(own_pool, 1)
        ahead = 30.0
        lost.in_step = False
    threads[0].join()
    assert 2 <= made[0].seconds <= 30


def test_what_the_server_closed_is_closed_here_though_the_turn_never_comes(own_pool: pool._Pool) -> None:
    gone = Fake(ANN, dead=True)
    own_pool.patience = 0.1
    with pool.connect(ANN), pool.connect(ANN), pool.connect(ANN):
        own_pool.idle[ANN] = [gone]
        with pytest.raises(ServerAwayError), pool.connect(ANN):
            pass
    assert gone.closed


def test_nothing_is_kept_of_a_person_who_found_no_room(own_pool: pool._Pool) -> None:
    own_pool.most, own_pool.patience = 0, 0.1
    with pytest.raises(ServerAwayError), pool.connect(ANN):
        pass
    assert not own_pool.lent
    assert not own_pool.waiting


def test_a_connection_lives_however_many_files_are_open() -> None:
    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        told = b"* CAPABILITY IMAP4rev1\r\n" if command.upper().startswith(b"CAPABILITY") else b""
        return told + tag + b" OK done\r\n"

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        with serving(b"* OK ready\r\n", answer) as port:
            server = Server("127.0.0.1", port, "none", 2)
            connection = RealConnection(Account("ann@x.example", server, server, Password("ann", "secret")))
            high = socket.socket(fileno=fcntl.fcntl(connection.client.socket().fileno(), fcntl.F_DUPFD, 2000))
            with high:
                connection.client.socket = lambda: high
                assert not connection.dead
            connection.close()
            assert connection.dead
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_is_not_kept_for_ever() -> None:
    with pool.connect(ANN) as young:
        pass
    with pool.connect(ANN) as same:
        assert same is young
        same.opened -= 601  # seconds
    with pool.connect(ANN) as other:
        assert other is not young
    assert young.closed


# --- those who can do without ----------------------------------------------------------------------------------------


def test_who_can_do_without_is_not_kept_waiting_twice(own_pool):
    ben = Account("ben@x.example", SERVER, SERVER, Password("ben", "secret"))
    with pool.connect(ANN, patience=5.0) as connection:
        assert connection.patience == 5.0
    with pytest.raises(ServerAwayError), pool.connect(ANN):
        raise ServerAwayError("it fell silent")
    began = time.monotonic()
    with pytest.raises(ServerAwayError), pool.connect(ANN, patience=5.0):
        pytest.fail("it was asked again")
    assert time.monotonic() - began < 4.9
    with pool.connect(ben, patience=5.0):
        pass  # others are not concerned
    with pool.connect(ANN):
        pass  # what can't do without is asked, and heard
    with pool.connect(ANN, patience=0.5):
        pass
    assert ANN not in own_pool.silent


def test_an_index_that_is_not_ready_is_no_silence(own_pool):
    with pytest.raises(SearchNotReadyError), pool.connect(ANN):
        raise SearchNotReadyError("wait")
    with pool.connect(ANN, patience=0.5):
        pass  # the folders of the page that says so


def test_a_silence_is_forgotten_after_some_seconds(own_pool, monkeypatch):
    monkeypatch.setattr(pool, "_SILENCE", 0.0)
    with pytest.raises(ServerAwayError), pool.connect(ANN):
        raise ServerAwayError("it fell silent")
    with pool.connect(ANN, patience=0.5):
        pass
