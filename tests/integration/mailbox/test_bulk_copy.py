"""Mail in bulk from an old Dovecot by its master user: whole, once, again, after a kill, and what a hostile server may do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.support import tcp_server
from tests.support.old_server import MASTER, MASTER_PASSWORD, OldServices
from tests.support.passing_folder import passing_folder
from webmail import create_app, imap
from webmail.imap.connections import connection as connections

WHEN = datetime(2019, 3, 1, 9, 5, tzinfo=UTC)
FOLDERS = ["Été/À relire", "Projets/2024/3e B", "a&b", "日本", "Sent"]


@pytest.fixture(scope="module")
def old() -> Iterator[OldServices]:
    with passing_folder() as folder, OldServices(folder / "demo") as running:
        yield running


@pytest.fixture(scope="module")
def app(services):
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    made = create_app(values.pop("instance"), **values)
    yield made
    imap.close_all()


@pytest.fixture
def zoe(old) -> Iterator[IMAPClient]:
    """A mailbox there, signed in."""
    address = f"zoe{time.monotonic_ns()}@lycee.example"
    old.add_account(address, "Zoé")
    client = IMAPClient("127.0.0.1", old.ports.imap, ssl=False)
    client.login(address, old.password)
    client.address = address
    yield client
    client.logout()


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{MASTER_PASSWORD}\n")

    def written(*lines: str) -> Path:
        file = tmp_path / "people.csv"
        file.touch(mode=0o600)
        file.write_text("\n".join(["old;new;password", *lines]) + "\n")
        return file

    return written


def command(old_port: int, file: Path, *more: str) -> list[str]:
    return ["import", "mail", str(file), "--server", f"127.0.0.1:{old_port}", *more]


def by_master(file: Path, *more: str) -> tuple[str, ...]:
    return ("--master", MASTER, "--password-file", str(file.with_name("secret")), *more)


def run(app, arguments: list[str]) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert MASTER_PASSWORD not in result.output
    return result.exit_code, result.output


def raw(number: int, size: int = 0) -> bytes:
    head = f"From: z{number}@ailleurs.example\r\nSubject: lettre {number}\r\nMessage-ID: <{number}@ailleurs.example>\r\n\r\n"
    return head.encode() + b"Caf\xe9 \xff 8 bits\r\n" + b"x" * 70 * (size // 70) + b"\r\n"


def everything(client: IMAPClient) -> dict[str, list[tuple[bytes, frozenset[bytes], datetime]]]:
    found = {}
    for flags, _, name in client.list_folders():
        if b"\\Noselect" in flags or b"\\NonExistent" in flags:
            continue
        client.select_folder(name, readonly=True)
        uids = client.search()
        told = client.fetch(uids, ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"]) if uids else {}
        found[name] = [
            (one[b"BODY[]"], frozenset(one[b"FLAGS"]) - {b"\\Recent", b"$HasNoAttachment"}, one[b"INTERNALDATE"])
            for _uid, one in sorted(told.items())
        ]
    return found


def filled(client: IMAPClient) -> None:
    for number, name in enumerate(["INBOX", *FOLDERS]):
        if not client.folder_exists(name):
            client.create_folder(name)
        client.subscribe_folder(name)
        for letter in range(3):
            flags = (b"\\Seen", b"\\Flagged", b"projet") if letter == 1 else ()
            client.append(name, raw(number * 10 + letter), flags, WHEN)
    client.create_folder("Vide")
    client.unsubscribe_folder("a&b")


def same(there: dict, here: dict) -> None:
    for name, messages in there.items():
        assert here.get(name) == messages, name


@pytest.mark.parametrize("way", ["separator", "authzid"])
def test_a_mailbox_comes_byte_for_byte_and_later_the_difference(way, app, old, zoe, person, imap_of, files):
    filled(zoe)
    file = files(f"{zoe.address};{person.address}")
    arguments = command(old.ports.imap, file, *by_master(file, "--way", way))
    code, said = run(app, arguments)
    assert (code, "messages: 18 copied, 0 there already" in said) == (0, True), said
    mine = imap_of(person.address)
    same(everything(zoe), everything(mine))
    subscribed = {name for _, _, name in mine.list_sub_folders()}
    assert {"日本", "Vide"} <= subscribed | {"Vide"} and "a&b" not in subscribed and "日本" in subscribed
    assert mine.folder_exists("Vide")

    # here: one message moved, one deleted, one read; there: a new one, a star taken off, one read
    mine.select_folder("INBOX")
    first, second, third = mine.search()
    mine.move([first], "Archive")
    mine.delete_messages([third])
    mine.expunge()
    mine.select_folder("日本")
    mine.add_flags([mine.search()[0]], [b"\\Seen"])
    zoe.select_folder("INBOX")
    zoe.remove_flags([zoe.search()[1]], [b"\\Flagged"])
    zoe.append("日本", raw(99), (), WHEN)
    zoe.select_folder("日本")
    zoe.add_flags([zoe.search()[2]], [b"\\Seen", b"\\Answered"])
    code, said = run(app, arguments)
    assert (code, "messages: 1 copied, 0 there already" in said, "flags of 2 changed" in said) == (0, True, True), said
    here = everything(mine)
    assert [flags for _, flags, _ in here["INBOX"]] == [frozenset({b"\\Seen", b"projet"})]
    assert [content for content, _, _ in here["Archive"]] == [raw(0)]
    assert b"\\Seen" in here["日本"][0][1] and here["日本"][2][1] == {b"\\Seen", b"\\Answered"} and here["日本"][3][0] == raw(99)
    code, said = run(app, arguments)
    assert (code, "messages: 0 copied, 0 there already" in said, "flags of 0 changed" in said) == (0, True, True), said


def test_killed_and_typed_again_nothing_is_there_twice(services, app, old, zoe, person, imap_of, files):
    for number in range(1200):
        zoe.append("INBOX", raw(number, 3_000), (), WHEN)
    file = files(f"{zoe.address};{person.address}")
    arguments = command(old.ports.imap, file, *by_master(file))
    mine = imap_of(person.address)
    kills = 0
    for least in (100, 500):
        running = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments], env={**os.environ, **services.settings()},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while running.poll() is None and mine.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] < least:
            time.sleep(0.02)
        kills += running.poll() is None
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert kills == 2
    code, said = run(app, arguments)
    assert code == 0, said
    same(everything(zoe), everything(mine))


def test_one_broken_account_stops_no_other_and_each_is_told(app, old, zoe, person, make_account, imap_of, files):
    zoe.append("INBOX", raw(1), (), WHEN)
    small = make_account(quota=20_000)
    full = f"full{time.monotonic_ns()}@lycee.example"
    old.add_account(full)
    other = IMAPClient("127.0.0.1", old.ports.imap, ssl=False)
    other.login(full, old.password)
    other.append("INBOX", raw(2, 60_000), (), WHEN)
    file = files(
        f"{zoe.address};nobody@lycee.example;{old.password}", f"{zoe.address};{person.address};wrong", f"{full};{small};{old.password}",
        f"{zoe.address};{person.address};", f"{zoe.address};{person.address};{old.password}",
    )  # fmt: skip
    code, said = run(app, command(old.ports.imap, file))
    assert code == 1 and "4 of 5 were not copied whole" in said
    for words in ("there is no such account here", "the old server refuses the sign-in", "too little space", "has no password"):
        assert words in said
    assert "5/5" in said and "messages: 1 copied" in said and "wrong" not in said and old.password not in said
    assert [content for content, _, _ in everything(imap_of(person.address))["INBOX"]] == [raw(1)]
    file.chmod(0o644)
    assert "chmod 600" in run(app, command(old.ports.imap, file))[1]


def test_it_stops_where_the_masters_password_is_wrong(app, old, person, files):
    file = files(*(f"p{n}@lycee.example;{person.address}" for n in range(9)))
    file.with_name("secret").write_text("another\n")
    code, said = run(app, command(old.ports.imap, file, *by_master(file)))
    assert (code, "refused the first 5 sign-ins" in said, "6/9" in said) == (1, True, False)


class _Hostile:
    """An IMAP server that signs everybody in, then answers LIST without end, or tells sizes that are not true."""

    def __init__(self, peer: socket.socket, endless: bool, seen: list[bytes], tells: bool) -> None:
        self.peer, self.endless, self.seen, self.tells = peer, endless, seen, tells

    def talk(self) -> None:
        try:
            self.peer.sendall(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] old\r\n")
            for line in self.peer.makefile("rb"):
                tag, _, rest = line.strip().partition(b" ")
                self.seen.append(rest)
                self.peer.sendall(self.answer(rest) + tag + b" OK done\r\n")
        except OSError:
            return

    def answer(self, rest: bytes) -> bytes:
        word = rest.upper()
        if word.startswith(b"LIST"):
            while self.endless:
                self.peer.sendall(b'* LIST () "/" folder\r\n' * 1000)
            return b'* LIST () "/" INBOX\r\n'
        if word == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 LITERAL+\r\n" if self.tells else b""
        if word.startswith(b"STATUS"):
            return b"* STATUS INBOX (MESSAGES 1 UNSEEN 0)\r\n"
        if word.startswith(b"SELECT"):
            return b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] it\r\n"
        if word.startswith(b"UID SEARCH"):
            return b"* SEARCH 5\r\n"
        if b"BODY.PEEK[]" in word:
            return b"* 1 FETCH (UID 5 BODY[] {3000000000}\r\n"
        if b"FETCH" in word:
            return (
                b'* 1 FETCH (UID 5 FLAGS () INTERNALDATE "01-Mar-2019 09:05:00 +0000" RFC822.SIZE 10'
                b" BODY[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT)]<0> {2}\r\n\r\n)\r\n"
            )
        return b""


@contextmanager
def hostile(*, endless: bool, tells: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    seen: list[bytes] = []
    with tcp_server.talking(lambda peer: _Hostile(peer, endless, seen, tells).talk()) as port:
        yield port, seen


@pytest.mark.parametrize("endless", [True, False])
def test_a_hostile_server_is_left_and_the_next_person_is_copied(endless, app, person, files, monkeypatch):
    monkeypatch.setattr(connections, "_LARGEST_ANSWER", 3_000_000)
    monkeypatch.setattr("webmail.cli.installation.old_mail._WAIT", 0)
    file = files(f"zoe;{person.address};secret", f"max;{person.address};secret")
    with hostile(endless=endless) as (port, _seen):
        code, said = run(app, command(port, file))
    assert code == 1 and said.count("NOT WHOLE: a server stopped answering") == 2 and "2/2" in said, said


def test_a_server_without_capabilities_is_one_that_does_not_answer(app, person, files, monkeypatch):
    monkeypatch.setattr("webmail.cli.installation.old_mail._WAIT", 0)
    with hostile(endless=False, tells=False) as (port, _seen):
        code, said = run(app, command(port, files(f"zoe;{person.address};secret")))
    assert (code, "a server stopped answering" in said) == (1, True)


def test_proxyauth_is_typed_after_the_masters_sign_in(app, person, files, monkeypatch):
    monkeypatch.setattr("webmail.cli.installation.old_mail._WAIT", 0)
    file = files(f'zo"e;{person.address};')
    with hostile(endless=False) as (port, seen):
        run(app, command(port, file, *by_master(file, "--way", "proxyauth")))
    words = [line.partition(b" ")[0] for line in seen]
    assert words.index(b"LOGIN") < seen.index(b'PROXYAUTH "zo\\"e"') < words.index(b"LIST")
