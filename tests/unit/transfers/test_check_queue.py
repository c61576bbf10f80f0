"""Checking by workers: each file by one of them, taken over from one that died, refused where it can't be read."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask_babel import force_locale

from tests.support import calendar_ground as ground
from tests.support.waiting import eventually
from webmail import jobs
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.doctor import transfers
from webmail.models import ContentPiece, ContentState, StoredContent, Transfer, TransferEvent, TransferFile, User, now
from webmail.storage import StorageArea, StorageAwayError, open_storage
from webmail.transfers import content, overview, store
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import check_queue, checking, hashing


@pytest.fixture
def settings(tmp_path) -> Iterator[Settings]:
    with ground.application(tmp_path / "instance") as app:
        ground.add("alice@lycee.example")
        with app.app_context():
            yield app.extensions["settings"]


@pytest.fixture
def transfer(settings: Settings) -> Transfer:
    return store.create(User.get(), settings)


def whole(transfer: Transfer, data: bytes, settings: Settings) -> StoredContent:
    """A file that is there and waits for a worker."""
    file = store.add_file(transfer, "a.bin", len(data), "", settings)
    content.append(file.content, 0, [data], settings)
    hashing.forget(file.content_id)
    StoredContent.update(touched=now() - timedelta(minutes=1)).where(StoredContent.id == file.content_id).execute()
    return StoredContent.get_by_id(file.content_id)


def again(stored: StoredContent) -> StoredContent:
    return StoredContent.get_by_id(stored.id)


def test_what_is_whole_is_checked_in_turn(transfer, settings):
    first, second = whole(transfer, b"one", settings), whole(transfer, b"two", settings)
    assert check_queue.check_next(settings)
    assert (again(first).state, again(second).state) == (ContentState.READY, ContentState.CHECKING)
    assert check_queue.check_next(settings) and not check_queue.check_next(settings)


def test_two_workers_never_read_the_same_file(transfer, settings, monkeypatch):
    stored = whole(transfer, b"one", settings)
    begun, may_end, read = threading.Event(), threading.Event(), []

    def slow(*given):
        read.append(1)
        begun.set()
        may_end.wait(5)
        return ContentState.CHECKING

    monkeypatch.setattr(checking, "check", slow)

    def work() -> None:
        with db.connection_context():
            check_queue.check_next(settings)

    one = threading.Thread(target=work)
    one.start()
    assert begun.wait(5)
    assert not check_queue.check_next(settings) and read == [1]
    may_end.set()
    one.join()
    assert again(stored).check_lease > now()


def test_the_lease_is_renewed_as_long_as_it_is_read(transfer, settings, monkeypatch):
    stored = whole(transfer, b"one", settings)
    monkeypatch.setattr(check_queue, "_RENEW_SECONDS", 0.01)

    def slow(*given):
        StoredContent.update(check_lease=now()).execute()
        eventually(lambda: again(stored).check_lease > now() + timedelta(minutes=2))
        return ContentState.CHECKING

    monkeypatch.setattr(checking, "check", slow)
    assert check_queue.check_next(settings)


def test_what_a_dead_worker_left_is_taken_over(transfer, settings):
    stored = whole(transfer, b"one", settings)
    StoredContent.update(check_lease=now() - timedelta(seconds=1)).execute()
    assert check_queue.check_next(settings) and again(stored).state == ContentState.READY


def test_a_damaged_file_is_refused_and_its_owner_told(transfer, settings):
    stored = whole(transfer, b"one", settings)
    piece = ContentPiece.get()
    open_storage(settings, StorageArea.TRANSFERS).put(f"{stored.name}/{piece.name}", [b"x" * 40])
    assert check_queue.check_next(settings)
    assert again(stored).state == ContentState.REFUSED
    event = TransferEvent.get(TransferEvent.kind == EventKind.FILE_REFUSED)
    assert (event.detail, event.file.path, event.told) == ("damaged", "a.bin", 0)


def test_a_storage_that_is_away_is_asked_again_later(transfer, settings, monkeypatch):
    stored = whole(transfer, b"one", settings)

    def away(*given):
        raise StorageAwayError("gone")

    monkeypatch.setattr(checking, "check", away)
    assert check_queue.check_next(settings)
    assert again(stored).state == ContentState.CHECKING and not check_queue.check_next(settings)
    monkeypatch.undo()
    StoredContent.update(check_lease=now() - timedelta(seconds=1)).execute()
    assert check_queue.check_next(settings) and again(stored).state == ContentState.READY


def test_what_another_secret_sealed_is_tried_more_and_more_rarely_and_told_once(transfer, settings, caplog):
    stored = whole(transfer, b"one", settings)
    other = dataclasses.replace(settings, secret_key="another" * 6)
    pauses = []
    for waited in (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=5), timedelta(days=9)):
        StoredContent.update(touched=now() - waited).execute()
        if pauses:
            StoredContent.update(check_lease=now() - timedelta(seconds=1)).execute()
        assert check_queue.check_next(other) and not check_queue.check_next(other)
        pauses.append(round((again(stored).check_lease - now()) / timedelta(minutes=1)))
    assert pauses == [1, 10, 300, 24 * 60]
    assert [one.levelname for one in caplog.records].count("ERROR") == 1 and "secret_key is another" in caplog.text
    StoredContent.update(check_lease=now() - timedelta(seconds=1)).execute()
    assert check_queue.check_next(settings) and again(stored).state == ContentState.READY


def test_the_doctor_and_the_totals_tell_of_files_that_the_secret_does_not_open(transfer, settings):
    whole(transfer, b"one", settings)
    assert not list(transfers.examine(settings)) and overview.unreadable(settings) == 0
    other = dataclasses.replace(settings, secret_key="another" * 6)
    [found] = transfers.examine(other)
    assert (found.state, found.name) == ("problem", "Large files")
    with force_locale("en"):
        assert found.words.startswith("1 file was sent while secret_key was another")


def test_a_worker_checks_files_and_ends_what_is_past(transfer, settings):
    stored = whole(transfer, b"one", settings)
    worker = jobs.build(settings)
    worker.do("checks of files")
    assert again(stored).state == ContentState.READY
    store.close(transfer, "date")
    worker.do("transfers")
    assert Transfer.get().files_gone == 1 and TransferFile.get().content is None
