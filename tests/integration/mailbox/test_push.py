"""New mail told at once, where it is allowed: a stream of its own that ends, and is bounded, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from socket import SHUT_RDWR
from threading import Thread
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail.auth import guard
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.idle import Watch
from webmail.mailbox import push_streams
from webmail.models import Session, User

NEWS = b"event: news\ndata: changed\n\n"


def streams_open() -> int:
    return sum(map(len, push_streams._open.values()))


@pytest.fixture
def pushing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def allow(most: int) -> None:
        monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], push_connections=most))

    allow(10)
    return allow


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> list[Watch]:
    """Those that were opened in this test."""
    opened: list[Watch] = []
    begin = Watch.__init__

    def remembering(self: Watch, *values: Any) -> None:
        opened.append(self)
        begin(self, *values)

    monkeypatch.setattr(Watch, "__init__", remembering)
    return opened


@contextmanager
def stream(person: Visitor, mailbox: str = "INBOX") -> Iterator[Iterator[bytes]]:
    """What a browser hears, piece by piece, as it is said."""
    answer = person.client.get(f"/push/{mailbox}", headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip, br"})
    try:
        assert answer.status_code == 200 and answer.mimetype == "text/event-stream"
        assert "Content-Encoding" not in answer.headers and answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Cache-Control"] == "no-store, no-cache"
        said = iter(answer.response)
        assert next(said) == b"retry: 15000\n\n"
        yield said
    finally:
        answer.close()


def status(person: Visitor, url: str = "/push/INBOX") -> int:
    answer = person.client.get(url)
    answer.close()
    return answer.status_code


def hung_up(watch: Watch) -> bool:
    return watch._connection.client._imap.sock.fileno() == -1


def test_what_comes_is_told_within_three_seconds(
    pushing, person: Visitor, fill: Callable[..., list[int]], watches: list[Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first word would be of the silence, after 25 seconds."""
    monkeypatch.setattr(push_streams, "_PAUSE", 0.5)
    fill(person, message("Un"))
    with stream(person) as said:

        def deliver() -> None:
            eventually(lambda: watches[0]._tag)  # it listens
            fill(person, message("Deux"))

        later = Thread(target=deliver)
        later.start()
        assert next(said) == NEWS
        later.join()
        fill(person, message("Trois"))  # in the pause: told by the next IDLE
        start = time.monotonic()
        assert next(said) == NEWS
        assert time.monotonic() - start >= 0.5
        assert streams_open() == 1
    assert streams_open() == 0 and len(watches) == 1 and hung_up(watches[0])


def test_flags_and_removals_are_told(pushing, person: Visitor, fill: Callable[..., list[int]], imap_of, monkeypatch) -> None:
    monkeypatch.setattr(push_streams, "_PAUSE", 0.0)
    fill(person, message("Un"), message("Deux"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    with stream(person) as said:
        client.add_flags([1], [b"\\Seen"])
        assert next(said) == NEWS
        client.delete_messages([1])
        client.expunge([1])
        assert NEWS in islice(said, 2)


def test_silence_is_broken_by_a_line_that_says_nothing(pushing, person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_streams, "_SILENCE", 0.1)
    with stream(person) as said:
        assert [next(said), next(said)] == [b": still here\n\n"] * 2


def test_it_lasts_a_while_only(pushing, person: Visitor, watches: list[Watch], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_streams, "_LIFE", 0.2)
    with stream(person) as said:
        assert set(said) <= {b": still here\n\n"}  # said once, or its time was over before that
        assert hung_up(watches[0]) and streams_open() == 0


def test_off_there_is_nothing_here(person: Visitor) -> None:
    assert status(person) == 404
    assert not person.get("/mailbox/INBOX").one("#messages[data-news]").has_attr("data-push")


def test_the_page_says_where_to_listen(pushing, person: Visitor, imap_of) -> None:
    imap_of(person.address).create_folder("Archive/École")
    url = str(person.get("/mailbox/Archive/École").one("#messages[data-news]")["data-push"])
    assert status(person, url) == 200
    assert not person.get("/mailbox/INBOX?query=x&scope=all").all("[data-push]")


def test_of_three_streams_of_a_person_the_oldest_ends(pushing, person: Visitor, watches: list[Watch]) -> None:
    with stream(person) as first, stream(person) as second:
        heard: list[bytes] = []
        listening = Thread(target=lambda: heard.extend(second))
        with stream(person):
            assert list(first) == [b"event: full\ndata: full\n\n"]
            assert hung_up(watches[0])
            listening.start()
            eventually(lambda: watches[1]._tag)  # it waits for the server now: it is told all the same
            with stream(person):
                listening.join(20)
                assert heard == [b"event: full\ndata: full\n\n"] and hung_up(watches[1])
                assert streams_open() == 2
    assert streams_open() == 0


def test_a_bound_for_all_people_together(pushing, app: Flask, person: Visitor, make_account) -> None:
    pushing(1)
    other = Visitor(app, make_account()).sign_in()
    with stream(person) as said:
        assert status(other) == 204
        with stream(person):
            assert list(said) == [b"event: full\ndata: full\n\n"]
            assert status(other) == 204
    with stream(other):
        assert status(person) == 204


def test_streams_leave_a_person_all_their_turns(pushing, person: Visitor) -> None:
    with stream(person):
        assert guard.VISITS.held(User.get(User.address == person.address).id) == 0


def test_a_session_that_ended_ends_the_stream(pushing, person: Visitor, watches: list[Watch], monkeypatch) -> None:
    monkeypatch.setattr(push_streams, "_SILENCE", 0.1)
    with stream(person) as said:
        assert next(said) == b": still here\n\n"
        Session.delete().where(Session.user == User.get(User.address == person.address)).execute()
        assert list(said) == []
        assert hung_up(watches[0]) and streams_open() == 0
    assert status(person) == 302


def test_it_is_no_visit(pushing, person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_streams, "_SILENCE", 0.1)
    row = Session.select().join(User).where(User.address == person.address).get()
    before = row.seen - timedelta(minutes=20)
    Session.update(seen=before).where(Session.id_hash == row.id_hash).execute()
    with stream(person) as said:
        assert next(said) == b": still here\n\n"
    assert Session.get(Session.id_hash == row.id_hash).seen == before


def test_no_fault_keeps_a_place(pushing, app: Flask, person: Visitor, watches, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(push_streams.PER_PERSON + 1):
        assert status(person, "/push/Nowhere") == 404
    answer = person.client.get("/push/INBOX")  # its browser goes before a word was taken
    del answer
    answer = person.client.head("/push/INBOX")
    answer.close()
    has = Connection.has
    with monkeypatch.context() as without:
        without.setattr(Connection, "has", lambda self, name: name != "IDLE" and has(self, name))
        assert [status(person) for _ in range(push_streams.PER_PERSON + 1)] == [204] * 3
        assert not person.get("/mailbox/INBOX").all("[data-push]")
    assert streams_open() == 0 and all(hung_up(watch) for watch in watches)


def test_a_server_that_goes_away_ends_the_stream(pushing, person: Visitor, watches: list[Watch], monkeypatch) -> None:
    monkeypatch.setattr(push_streams, "_SILENCE", 0.1)
    with stream(person) as said:
        assert next(said) == b": still here\n\n"
        watches[0]._connection.client.socket().shutdown(SHUT_RDWR)
        assert list(said) == []
    assert streams_open() == 0
