"""Letters about large files on real servers: each is queued once however many are at it, and reaches its reader with a link."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.transfer_ground import published
from tests.support.waiting import eventually
from webmail import jobs, system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import (
    StoredContent,
    SystemMessage,
    Transfer,
    TransferAllowance,
    TransferFile,
    TransferRecipient,
    User,
)
from webmail.transfers import listing, overview, store
from webmail.transfers.limits import OverLimitError
from webmail.transfers.listing import Order, Shelf
from webmail.transfers.notifications import recipients
from webmail.transfers.options import TransferOptions
from webmail.transfers.uploads import check_queue, checking


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def owner(app: Flask, make_account: Callable[..., str]) -> Iterator[User]:
    with app.app_context():
        yield User.get(User.address == make_account("follows"))


def at_once(app: Flask, count: int, act: Callable[[], object]) -> None:
    """So many workers do the same, each with a connection of its own."""
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait()
        with db.connection_context(), app.app_context():
            act()

    threads = [threading.Thread(target=run) for _number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_uploads_to_several_transfers_at_once_pass_no_limit_of_their_owner(app: Flask, owner: User, settings: Settings) -> None:
    TransferAllowance.create(user=owner, limit_bytes=100)
    waiting = [store.create(owner, settings) for _number in range(6)]

    def add() -> None:
        with suppress(OverLimitError):
            store.add_file(waiting.pop(), "film.mp4", 60, "", settings)

    at_once(app, 6, add)
    assert TransferFile.select().join(Transfer).where(Transfer.owner == owner).count() == 1


def test_of_many_at_once_one_writes(app: Flask, owner: User, settings: Settings, make_account: Callable[..., str]) -> None:
    people = [("", make_account()) for _number in range(3)]
    transfer = published(owner, {"a.txt": b"a"}, settings, recipients=people, options=TransferOptions(tell_uploaded=True))
    at_once(app, 4, lambda: recipients.settle(transfer, settings))
    mine = [address for _name, address in people] + [owner.address]
    assert sorted(row.recipient for row in SystemMessage.select().where(SystemMessage.recipient << mine)) == sorted(mine)
    store.close(transfer, "date")
    jobs.build(settings).do("transfers")  # a worker's turn


def test_the_link_reaches_its_reader_who_answers_the_sender(
    app: Flask, owner: User, settings: Settings, make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient],
) -> None:  # fmt: skip
    to = make_account()
    transfer = published(owner, {"a.txt": b"a"}, settings, recipients=[("Rita", to)])
    [row] = recipients.settle(transfer, settings)
    eventually(lambda: system_mail.deliver(row.id, settings) is None, what="the letter to leave")
    client = imap_of(to)

    def arrived() -> bytes:
        client.select_folder("INBOX", readonly=True)
        found = client.search()
        return client.fetch(found, ["BODY[]"])[found[0]][b"BODY[]"] if found else b""

    mail = message_from_bytes(eventually(arrived, what="the letter"), policy=policy.default)
    token = store.recipient_token(TransferRecipient.get(TransferRecipient.transfer == transfer), settings)
    assert str(mail["Reply-To"]) == owner.address and mail["Auto-Submitted"]
    for kind in ("plain", "html"):
        assert f"/t/{token}" in mail.get_body((kind,)).get_content()
    assert app.test_client().get(f"/t/{token}").status_code == 200
    store.close(transfer, "date")
    store.sweep(settings)


def test_of_many_workers_one_checks(app: Flask, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer = published(owner, {"a.bin": b"a" * 1000}, settings)
    [file] = store.files(transfer)
    past = file.content.created - timedelta(days=365)
    StoredContent.update(state="checking", touched=past, check_lease=None).where(StoredContent.id == file.content_id).execute()
    checked: list[int] = []
    check = checking.check

    def counted(stored: StoredContent, *given: object) -> object:
        checked.append(stored.id)
        return check(stored, *given)

    monkeypatch.setattr(checking, "check", counted)
    at_once(app, 4, lambda: check_queue.check_next(settings))
    assert checked.count(file.content_id) == 1
    assert Transfer.select().where(Transfer.id == transfer.id).count() == 1
    store.close(transfer, "date")
    store.sweep(settings)


def test_lists_and_sums_are_made_by_any_database(app: Flask, owner: User, settings: Settings) -> None:
    small = published(owner, {"a.txt": b"a"}, settings, recipients=[("Zoé", "zoe@world.test")])
    large = published(owner, {"Été/b.bin": b"b" * 500, "c.bin": b"c"}, settings)
    for order in Order:
        rows, total = listing.listed(owner, Shelf.SENT, order=order)
        assert total == 2 and {one.transfer.id for one in rows} == {small.id, large.id}
    rows, _total = listing.listed(owner, Shelf.SENT, order=Order.SIZE)
    assert [(one.transfer.id, one.files, one.size) for one in rows] == [(large.id, 2, 501), (small.id, 1, 1)]
    assert [one.transfer.id for one in listing.listed(owner, Shelf.SENT, "ZOE@world")[0]] == [small.id]
    assert {shelf: listing.listed(owner, shelf)[1] for shelf in Shelf} == {Shelf.SENT: 2, Shelf.RECEIVED: 0, Shelf.UNFINISHED: 0}
    seen, _more = overview.listed(owner=owner)
    assert [(one.transfer.id, one.size) for one in seen] == [(large.id, 501), (small.id, 1)]
    assert overview.totals(settings).stored >= 502
    for transfer in (small, large):
        store.close(transfer, "date")
    store.sweep(settings)
