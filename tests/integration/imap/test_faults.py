"""The mail server away, slow, or cut off in the middle: a plain sentence in time, and the next request works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.relay import Relay
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import create_app, imap
from webmail.account import Account, Server
from webmail.errors import MailboxChangedError, NoSuchMailboxError, ServerAwayError
from webmail.imap.connections import circuit_breaker
from webmail.imap.connections.pool import _pool

Fill = Callable[..., list[int]]


@pytest.fixture
def relay(services: Services) -> Iterator[Relay]:
    with Relay(services.ports.imap) as running:
        yield running
    imap.close_all()


@pytest.fixture
def weak_app(services: Services, relay: Relay, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application behind the relay, with little patience. (`app` goes first: the pool's bounds are the process's.)"""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    values.update(imap_port=str(relay.port), server_timeout="1", jobs_file=str(tmp_path / "jobs.sqlite"))
    monkeypatch.setattr(circuit_breaker, "PAUSE_SECONDS", 60.0)  # it does not end by itself while a test looks at it
    yield create_app(values.pop("instance"), **values)
    imap.configure(most=200, most_per_person=3, idle_seconds=300, patience=8)


def pause_is_over() -> None:
    """As if some seconds had gone by: servers that could not be reached are asked again."""
    for state in circuit_breaker._servers.values():
        state.next_try = 0.0


@pytest.fixture
def weak_person(weak_app: Flask, make_account: Callable[..., str]) -> Visitor:
    return Visitor(weak_app, make_account()).sign_in()


@pytest.mark.parametrize("mode", ["refuse", "hang", "cut", "garbage"])
@pytest.mark.parametrize("kept", [True, False], ids=["on a kept connection", "on a new connection"])
def test_a_fault_is_said_plainly_in_time_and_passes(
    weak_person: Visitor, relay: Relay, fill: Fill, mode: str, kept: bool
) -> None:
    fill(weak_person, message("Un"))
    page = weak_person.get("/mailbox/INBOX")
    address = page.link("Un")
    for url in ("/mailbox/INBOX", address, "/mailbox/INBOX?query=un"):
        relay.mode = mode
        if mode == "refuse" or not kept:
            imap.close_all()
        began = time.monotonic()
        failed = weak_person.get(url)
        assert failed.status == 502 and "responding" in failed.text and "Your mail is safe" in failed.text, failed.text
        assert time.monotonic() - began < 30  # the server has 1 second for each answer
        assert failed.all("a[href='/mailbox/INBOX']")
        relay.mode = "ok"
        if mode == "hang" and not kept:
            assert weak_person.get(url).status == 502  # a server that could not be reached is not asked again at once
            pause_is_over()
        assert weak_person.get(url).status == 200


def test_a_mute_server_does_not_hold_every_request(weak_person: Visitor, relay: Relay) -> None:
    assert weak_person.get("/mailbox/INBOX").status == 200
    relay.mode = "hang"
    imap.close_all()
    assert weak_person.get("/mailbox/INBOX").status == 502
    dialled = relay.accepted
    for _ in range(5):
        failed = weak_person.get("/mailbox/INBOX")
        assert failed.status == 502 and "responding" in failed.text
    assert relay.accepted == dialled
    relay.mode = "ok"
    pause_is_over()
    assert weak_person.get("/mailbox/INBOX").status == 200


def test_htmx_keeps_the_page_and_shows_the_sentence(weak_person: Visitor, relay: Relay) -> None:
    relay.mode = "refuse"
    imap.close_all()
    piece = weak_person.get("/mailbox/INBOX", htmx="main")
    assert piece.status == 502 and piece.headers["HX-Retarget"] == "#notices"
    assert "responding" in piece.one("[role=alert]").get_text()


def test_what_was_typed_is_kept_when_the_mail_server_is_away(weak_person: Visitor, relay: Relay) -> None:
    form = weak_person.get("/compose")
    relay.mode = "refuse"
    imap.close_all()
    page = weak_person.submit(form, "form.compose-form", action="save", to="bob@lycee.example", subject="S", body="mes mots")
    assert page.status == 200 and page.one("[name=body]").get_text().strip() == "mes mots"
    assert "Saved here but not yet in Drafts" in page.one("#saved").get_text()
    assert page.one("[name=to]")["value"] == "bob@lycee.example"
    relay.mode = "ok"
    _pool.silent.clear()
    saved = weak_person.submit(page, "form.compose-form", action="save")
    assert saved.status == 200 and "Saved in Drafts at" in saved.one("#saved").get_text()


def test_a_server_that_restarted_meanwhile_is_not_noticed(weak_person: Visitor, relay: Relay, fill: Fill) -> None:
    fill(weak_person, message("Un"))
    assert weak_person.get("/mailbox/INBOX").rows == ["Un"]
    relay.hang_up()
    assert weak_person.get("/mailbox/INBOX").rows == ["Un"]


def test_a_connection_lost_in_mid_command_is_never_lent_again(
    relay: Relay, account_of: Callable[..., Account], make_account: Callable[..., str]
) -> None:
    account = _through(relay, account_of(make_account()))
    with pytest.raises(ServerAwayError), imap.connect(account, "INBOX") as connection:
        connection.select("INBOX")
        relay.mode = "cut"
        imap.listing.page(connection, "INBOX")
    relay.mode = "ok"
    with imap.connect(account, "INBOX") as again:
        assert again is not connection and imap.listing.page(again, "INBOX").total == 0


def test_a_change_is_never_sent_a_second_time(
    relay: Relay, account_of: Callable[..., Account], make_account: Callable[..., str]
) -> None:
    """APPEND may have been done before the connection broke: asking again could do it twice."""
    account = _through(relay, account_of(make_account()))
    with imap.connect(account, "INBOX") as connection:
        connection.select("INBOX")
    relay.mode = "cut"
    with pytest.raises(ServerAwayError), imap.connect(account, "INBOX") as connection:
        imap.messages.append(connection, "INBOX", bytes(message("Once")))
    relay.mode = "ok"
    assert relay.heard.count(b" APPEND ") == 1
    with imap.connect(account, "INBOX") as connection:
        assert imap.listing.page(connection, "INBOX").total <= 1


def test_two_people_never_share_a_connection(
    account_of: Callable[..., Account], make_account: Callable[..., str], fill: Fill
) -> None:
    people = [account_of(make_account()) for _ in range(3)]
    seen: dict[str, set[int]] = {p.address: set() for p in people}
    wrong: list[str] = []

    def visit(account: Account) -> None:
        for _ in range(20):
            with imap.connect(account, "INBOX") as connection:
                if connection.account.address != account.address:
                    wrong.append(account.address)
                seen[account.address].add(id(connection))
                connection.run((b"NOOP",))

    threads = [threading.Thread(target=visit, args=(p,)) for p in people for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all(len(ids) <= 3 for ids in seen.values())


def test_connections_are_bounded_for_a_person_and_in_all(
    app: Flask, account_of: Callable[..., Account], make_account: Callable[..., str]
) -> None:
    imap.close_all()
    imap.configure(most=4, most_per_person=2, idle_seconds=300, patience=0.3)
    try:
        one, other, third = (account_of(make_account()) for _ in range(3))
        with imap.connect(one), imap.connect(one):
            with pytest.raises(ServerAwayError, match="busy"), imap.connect(one):
                pass
            with imap.connect(other), imap.connect(other), pytest.raises(ServerAwayError), imap.connect(third):
                pass
        with imap.connect(third):  # an idle one of somebody else makes room
            assert _pool.open <= 4
    finally:
        imap.configure(most=200, most_per_person=3, idle_seconds=300, patience=8)


def test_idle_connections_are_closed(app: Flask, account_of: Callable[..., Account], make_account: Callable[..., str]) -> None:
    imap.close_all()
    imap.configure(most=200, most_per_person=3, idle_seconds=0.2, patience=8)
    _pool.reaper = None  # the one that was started before looks every 15 seconds; another one begins
    try:
        with imap.connect(account_of(make_account())):
            pass
        eventually(lambda: not _pool.open)
    finally:
        imap.configure(most=200, most_per_person=3, idle_seconds=300, patience=8)


def test_a_refused_select_leaves_the_connection_usable(
    account_of: Callable[..., Account], make_account: Callable[..., str]
) -> None:
    with imap.connect(account_of(make_account())) as connection:
        connection.select("INBOX")
        with pytest.raises(NoSuchMailboxError):
            connection.select("Nope")
        assert imap.listing.page(connection, "INBOX").total == 0
        with pytest.raises(MailboxChangedError):
            connection.select("INBOX", 12345)


def _through(relay: Relay, account: Account) -> Account:
    return Account(account.address, Server("127.0.0.1", relay.port, "none", 2), account.smtp, account.credential, account.sieve)


def test_a_download_that_breaks_off_is_an_error_never_a_shorter_file(weak_person: Visitor, relay: Relay, fill: Fill) -> None:
    made = message("Gros")
    made.add_attachment(bytes(range(256)) * 12000, "application", "octet-stream", filename="gros.bin")
    fill(weak_person, made)
    page = weak_person.get(weak_person.get("/mailbox/INBOX").link("Gros"))
    for url in (page.all(".files a")[0]["href"], page.link("Save as a file (.eml)")):
        whole = weak_person.client.get(url)
        assert int(whole.headers["Content-Length"]) == len(whole.data) > 3_000_000
        relay.cut_after = 1_500_000
        assert weak_person.client.get(url).status_code == 502
        relay.cut_after = 0
        assert weak_person.client.get(url).data == whole.data
