"""Listening to a server (IDLE): nothing that it says is lost, and what goes wrong is a plain error."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import SHUT_RDWR

import pytest

from tests.support.servers import certificate, serving
from webmail.account import Account, Password, Server
from webmail.errors import NoSuchMailboxError, NotAllowedError, RefusedError, ServerAwayError
from webmail.imap.connections.idle import Watch


@contextmanager
def watching(*idles: bytes | None, able: bool = True, tls: Path | None = None) -> Iterator[tuple[Watch, list[bytes]]]:
    """A Watch at a server that says `idles`, one at each IDLE, and the commands that it was sent. None hangs up."""
    lines: list[bytes] = []
    answers, tag = list(idles), b""

    def answer(line: bytes) -> bytes | None:
        nonlocal tag
        if line == b"DONE":
            lines.append(line)
            return tag + b" OK idled\r\n"
        tag, _, command = line.partition(b" ")
        lines.append(command)
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1" + (b" IDLE" if able else b"") + b"\r\n" + tag + b" OK done\r\n"
        if command == b"IDLE":
            said = answers.pop(0)
            return said and said.replace(b"TAG", tag)
        if command == b'EXAMINE "Nowhere"':
            return tag + b" NO [NONEXISTENT] no\r\n"
        return (b"* 2 EXISTS\r\n" if command.startswith(b"EXAMINE") else b"") + tag + b" OK done\r\n"

    context, pem = certificate(tls) if tls else (None, "")
    with serving(b"* OK ready\r\n", answer, tls=context) as port:
        server = Server("127.0.0.1", port, "tls" if tls else "none", 2, pem)
        watch = Watch(Account("ann@x.example", server, server, Password("ann@x.example", "secret")), "INBOX")
        try:
            yield watch, lines
        finally:
            watch.close()


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "said",
    [b"+ go\r\n* 3 EXISTS\r\n", b"* 3 EXISTS\r\n+ go\r\n", b"+ go\r\n* 1 EXPUNGE\r\n", b"+ go\r\n* 1 FETCH (FLAGS (\\Seen))\r\n"],
    ids=["after", "before", "gone", "flags"],
)
def test_what_comes_together_with_the_leave_to_idle_is_heard(said: bytes, encrypted: bool, tmp_path: Path) -> None:
    with watching(said, b"+ go\r\n", tls=tmp_path if encrypted else None) as (watch, _):
        assert watch.changed(20)
        assert not watch.changed(0.05)  # only time shows that nothing more comes


def test_silence_is_no_change_and_ends_no_idle() -> None:
    with watching(b"+ go\r\n") as (watch, lines):
        assert not watch.changed(0.05) and not watch.changed(0.05)
        assert lines.count(b"IDLE") == 1 and b"DONE" not in lines


def test_a_bell_ends_the_wait_and_no_idle() -> None:
    bell = os.eventfd(1)
    with watching(b"+ go\r\n") as (watch, lines):
        start = time.monotonic()
        assert not watch.changed(60, bell)
        assert time.monotonic() - start < 30 and b"DONE" not in lines
    os.close(bell)


def test_a_server_that_is_still_there_is_no_change_and_idles_anew() -> None:
    with watching(b"+ go\r\n* OK Still here\r\n", b"+ go\r\n* 3 EXISTS\r\n") as (watch, lines):
        assert not watch.changed(20)
        assert watch.changed(20)
        assert lines[-4:] == [b"IDLE", b"DONE", b"IDLE", b"DONE"]


@pytest.mark.parametrize("said", [None, b"* BYE\r\n", b"+ go\r\n* BYE restarting\r\n", b"nonsense\r\n"])
def test_a_server_that_goes_is_away(said: bytes | None) -> None:
    with watching(said) as (watch, _), pytest.raises(ServerAwayError):
        watch.changed(20)


def test_a_server_that_hangs_up_while_idling_is_away() -> None:
    with watching(b"+ go\r\n") as (watch, _):
        assert not watch.changed(0.05)
        watch._connection.client.socket().shutdown(SHUT_RDWR)
        with pytest.raises(ServerAwayError):
            watch.changed(20)


def test_a_refused_idle_is_told() -> None:
    with watching(b"TAG BAD no\r\n") as (watch, _), pytest.raises(RefusedError):
        watch.changed(20)


def test_a_server_without_idle_is_asked_nothing() -> None:
    with pytest.raises(NotAllowedError), watching(able=False):
        raise AssertionError("made")


def test_a_mailbox_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with watching() as (watch, _), pytest.raises(NoSuchMailboxError):
        Watch(watch._connection.account, "Nowhere")


def test_closing_twice_does_no_harm() -> None:
    with watching(b"+ go\r\n") as (watch, _):
        assert not watch.changed(0.05)
        watch.close()
        watch.close()
        with pytest.raises(ServerAwayError):
            watch.changed(1)
