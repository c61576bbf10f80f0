"""Public links on a real database: counts that many ask for at once, codes that are mailed, and what many try at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.transfer_ground import published
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import Transfer, TransferEvent, TransferRecipient, User
from webmail.transfers import store
from webmail.transfers.options import TransferOptions
from webmail.transfers.public import fetches
from webmail.transfers.trail import EventKind

DATA = bytes(range(256)) * 2000


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def owner(app: Flask, make_account: Callable[..., str]) -> Iterator[User]:
    with app.app_context():
        yield User.get(User.address == make_account("sends"))


def path_of(transfer: Transfer, settings: Settings) -> str:
    return f"/t/{store.link_token(transfer, settings)}"


def together(count: int, act: Callable[[int], object]) -> list[object]:
    """What each of so many got, or the error that it met, all at once."""
    answers: list[object] = [None] * count
    ready = threading.Barrier(count)

    def run(number: int) -> None:
        ready.wait()
        try:
            answers[number] = act(number)
        except Exception as error:
            answers[number] = error
        finally:
            if not db.is_closed():
                db.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return answers


def downloads(transfer: Transfer) -> int:
    kind = TransferEvent.kind == EventKind.DOWNLOADED
    return TransferEvent.select().where((TransferEvent.transfer == transfer) & kind).count()


def test_one_ticket_counts_once_however_many_take_its_end(app: Flask, owner: User, settings: Settings) -> None:
    transfer = published(owner, {"a.bin": DATA}, settings, recipients=[("Rita", "rita@else.example")])
    link = f"/t/{store.recipient_token(TransferRecipient.get(TransferRecipient.transfer == transfer), settings)}"
    ticket = app.test_client(use_cookies=False).post(link, data={"action": "all"}).location

    def take(_number: int) -> bytes:
        return app.test_client(use_cookies=False).get(ticket, headers={"Range": "bytes=500000-"}, buffered=True).data

    assert together(6, take) == [DATA[500_000:]] * 6
    assert downloads(transfer) == 1
    assert TransferRecipient.get(TransferRecipient.transfer == transfer).downloads == 1


def test_of_many_at_once_one_has_what_is_given_once(app: Flask, owner: User, settings: Settings) -> None:
    transfer = published(owner, {"a.bin": DATA}, settings, options=TransferOptions(once=True))
    path = path_of(transfer, settings)
    tickets = [app.test_client(use_cookies=False).post(path, data={"action": "all"}).location for _ in range(5)]
    got = together(5, lambda number: app.test_client(use_cookies=False).get(tickets[number], buffered=True))
    whole = [one for one in got if not isinstance(one, Exception) and one.data == DATA]  # type: ignore[attr-defined]
    refused = [one for one in got if isinstance(one, fetches.FetchedBeforeError) or getattr(one, "status_code", 0) == 410]
    assert len(whole) == 1 and len(refused) == 4, got
    assert downloads(transfer) == 1


def test_the_code_arrives_and_opens_the_files(
    app: Flask, owner: User, settings: Settings, make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient],
    arrives: Callable[..., int],
) -> None:  # fmt: skip
    from webmail import system_mail

    to = make_account("reads")
    transfer = published(owner, {"a.bin": DATA}, settings, recipients=[("Rita", to)], options=TransferOptions(mail_code=True))
    path, guest = path_of(transfer, settings), app.test_client(use_cookies=False)
    with guest.post(path, data={"action": "ask", "to": to}, buffered=True) as answer:
        assert answer.status_code == 303
    for number in system_mail.sweep():
        system_mail.deliver(number, settings)
    client = imap_of(to)
    uid = arrives(client, ["SUBJECT", "code"])
    found = re.search(rb"\b\d{6}\b", client.fetch([uid], ["BODY[TEXT]"])[uid][b"BODY[TEXT]"])
    assert found is not None
    opened = guest.post(path, data={"action": "code", "to": to, "code": found[0].decode()}).location
    got = guest.get(guest.post(opened, data={"action": "all"}).location, buffered=True)
    assert got.data == DATA and downloads(transfer) == 1
