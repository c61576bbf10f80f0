"""Stored content: in pieces, encrypted, gone on with wherever it was broken off; two at once never mix."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import pieces_of, published, put_file
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import ContentPiece, ContentState, StoredContent, Transfer, TransferFile, TransferRecipient, User, now
from webmail.storage import StorageArea, StorageAwayError, StorageFullError, open_storage
from webmail.transfers import content, store
from webmail.transfers.uploads import checking, hashing

DATA = os.urandom(9 * 1024 * 1024 + 77)


@pytest.fixture
def settings(tmp_path) -> Iterator[Settings]:
    with ground.application(tmp_path / "instance") as app:
        ground.add("alice@lycee.example")
        yield app.extensions["settings"]


@pytest.fixture
def alice(settings: Settings) -> User:
    return User.get(User.address == "alice@lycee.example")


def whole(stored: StoredContent, settings: Settings, key: bytes | None = None) -> bytes:
    return b"".join(content.read(stored, settings, link_key=key))


def names(settings: Settings) -> list[str]:
    return sorted(one.name for one in open_storage(settings, StorageArea.TRANSFERS).list())


def again(stored: StoredContent) -> StoredContent:
    return StoredContent.get_by_id(stored.id)


def test_what_is_stored_is_read_again_and_lies_encrypted_in_pieces(alice, settings):
    stored = content.begin(alice, len(DATA), settings)
    assert content.append(stored, 0, pieces_of(DATA), settings) == len(DATA)
    assert again(stored).state == ContentState.CHECKING
    assert whole(stored, settings) == DATA
    assert checking.check(stored, settings) == ContentState.READY
    assert again(stored).sha256 == hashlib.sha256(DATA).hexdigest()
    files = open_storage(settings, StorageArea.TRANSFERS)
    raw = b"".join(b"".join(files.get(name)) for name in names(settings))
    assert len(names(settings)) == 3 and len(raw) == len(DATA) + 3 * 28
    assert all(DATA[at : at + 16] not in raw for at in range(0, len(DATA) - 16, 500_000))


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (4194303, 2), (4194304, 5), (9_000_000, None), (len(DATA) - 1, 10), (5, 0)]
)
def test_any_part_of_it_is_read(alice, settings, start, length):
    stored = content.begin(alice, len(DATA), settings)
    content.append(stored, 0, pieces_of(DATA), settings)
    end = None if length is None else start + length
    assert b"".join(content.read(stored, settings, start, length)) == DATA[start:end]


def test_a_line_that_breaks_keeps_what_came_and_goes_on_there(alice, settings):
    stored = content.begin(alice, len(DATA), settings)

    def broken(at: int, upto: int) -> Iterator[bytes]:
        yield from pieces_of(DATA[at:upto], 70_000)
        raise ConnectionResetError

    at = 0
    for upto in (100, 5_000_000, 5_000_100, 8_999_999):
        with pytest.raises(ConnectionResetError):
            content.append(stored, at, broken(at, upto), settings)
        at = again(stored).received
        assert at == upto == stored.received
    content.append(stored, at, pieces_of(DATA[at:]), settings)
    assert whole(stored, settings) == DATA
    assert hashing.passed(stored.id, len(DATA)) == hashlib.sha256(DATA).hexdigest()
    assert sum(one.size for one in ContentPiece.select()) == len(DATA)
    assert len(names(settings)) == ContentPiece.select().count()


def test_pieces_that_come_slowly_are_settled_within_minutes(alice, settings, monkeypatch):
    """A kill leaves pieces without a row: so what no row names after two hours is nobody's."""
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(content, "PIECE", 1000)
    monkeypatch.setattr(content, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    stored, rows = content.begin(alice, 6000, settings), []

    def slowly() -> Iterator[bytes]:
        for at in range(0, 6000, 1000):
            yield DATA[at : at + 1000]
            rows.append(again(stored).received)

    content.append(stored, 0, slowly(), settings)
    assert rows[-1] >= 4000 and whole(stored, settings) == DATA[:6000]


def test_many_tiny_requests_do_not_make_many_pieces(alice, settings):
    stored = content.begin(alice, 100_000, settings)
    for at in range(0, 100_000, 2_500):
        content.append(stored, at, [DATA[at : at + 2_500]], settings)
    assert len(names(settings)) == 1 and whole(stored, settings) == DATA[:100_000]


def test_bytes_for_another_place_or_too_many_are_refused(alice, settings):
    stored = content.begin(alice, 1000, settings)
    with pytest.raises(content.WrongOffsetError) as refused:
        content.append(stored, 10, [b"x"], settings)
    assert refused.value.received == 0
    with pytest.raises(content.TooManyBytesError):
        content.append(stored, 0, [DATA[:1001]], settings)
    assert again(stored).received == 1000


def test_of_two_who_add_at_once_one_wins_and_nothing_is_mixed(alice, settings):
    mine = content.begin(alice, len(DATA), settings)
    theirs = again(mine)

    def overtaken() -> Iterator[bytes]:
        yield DATA[:4_500_000]
        content.append(theirs, 0, pieces_of(DATA), settings)
        yield DATA[4_500_000:]

    with pytest.raises(content.WrongOffsetError) as refused:
        content.append(mine, 0, overtaken(), settings)
    assert refused.value.received == len(DATA)
    assert whole(again(mine), settings) == DATA
    assert len(names(settings)) == ContentPiece.select().count() == 3
    checking.check(again(mine), settings)
    assert again(mine).sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_full_disk_keeps_what_was_durable(alice, settings, monkeypatch):
    stored = content.begin(alice, len(DATA), settings)
    kind = type(open_storage(settings, StorageArea.TRANSFERS))
    put, count = kind.put, [0]

    def full(self, name, chunks, *, sync=True):
        count[0] += 1
        if count[0] == 2:
            raise StorageFullError("no room")
        return put(self, name, chunks, sync=sync)

    monkeypatch.setattr(kind, "put", full)
    with pytest.raises(StorageFullError):
        content.append(stored, 0, pieces_of(DATA), settings)
    assert again(stored).received == content.PIECE and len(names(settings)) == 1
    content.append(stored, content.PIECE, pieces_of(DATA[content.PIECE :]), settings)
    assert whole(stored, settings) == DATA


def test_pieces_that_did_not_become_durable_leave_no_gap(alice, settings, monkeypatch):
    stored = content.begin(alice, len(DATA), settings)
    kind = type(open_storage(settings, StorageArea.TRANSFERS))
    sync, count = kind.sync, [0]

    def away_for_a_moment(self, names):
        count[0] += 1
        if count[0] == 1:
            raise StorageAwayError("not now")
        sync(self, names)

    monkeypatch.setattr(content, "_TOGETHER", 1)
    monkeypatch.setattr(kind, "sync", away_for_a_moment)
    with pytest.raises(StorageAwayError):
        content.append(stored, 0, pieces_of(DATA), settings)
    assert again(stored).received == 0
    content.append(stored, 0, pieces_of(DATA), settings)
    assert whole(stored, settings) == DATA


def test_what_ends_or_goes_meanwhile_takes_no_more_bytes(alice, settings):
    stored = content.begin(alice, len(DATA), settings)
    theirs = again(stored)

    def ended() -> Iterator[bytes]:
        yield DATA[:1000]
        assert content.end_here(theirs)

    with pytest.raises(content.WrongOffsetError):
        content.append(stored, 0, ended(), settings)
    assert (again(stored).received, again(stored).size, names(settings)) == (0, 0, [])


def test_the_database_alone_or_the_disk_alone_opens_nothing(alice, settings):
    from dataclasses import replace

    [file] = store.files(published(alice, {"a.bin": DATA[:1000]}, settings))
    with pytest.raises(content.WrongKeyError):
        whole(file.content, replace(settings, secret_key="another"))
    key = os.urandom(32)
    [file] = store.files(published(alice, {"a.bin": DATA[:1000]}, settings, link_key=key))
    assert whole(file.content, settings, key) == DATA[:1000]
    for wrong in (None, os.urandom(32)):
        with pytest.raises(content.WrongKeyError):
            whole(file.content, settings, wrong)


def test_a_piece_that_was_changed_or_put_elsewhere_is_noticed(alice, settings):
    stored = content.begin(alice, len(DATA), settings)
    content.append(stored, 0, pieces_of(DATA), settings)
    files = open_storage(settings, StorageArea.TRANSFERS)
    one, two, _three = names(settings)
    first, second = b"".join(files.get(one)), b"".join(files.get(two))
    files.put(one, [second])
    with pytest.raises(content.ContentDamagedError):
        whole(stored, settings)
    files.put(one, [first[:-1], bytes([first[-1] ^ 1])])
    with pytest.raises(content.ContentDamagedError):
        whole(stored, settings)


def test_equal_files_of_one_owner_are_stored_once(alice, settings):
    transfer = published(alice, {"a.bin": DATA, "b.bin": DATA}, settings)
    assert StoredContent.select().count() == 1 and len(names(settings)) == 3
    one, two = store.files(transfer)
    store.remove_file(one, settings)
    assert whole(two.content, settings) == DATA
    store.remove_file(two, settings)
    assert names(settings) == [] and StoredContent.select().count() == 0
    ground.add("bob@lycee.example")
    bob = User.get(User.address == "bob@lycee.example")
    published(alice, {"a.bin": DATA[:10]}, settings)
    published(bob, {"a.bin": DATA[:10]}, settings)
    assert StoredContent.select().count() == 2


def test_a_sweep_ends_all_that_are_past_while_others_write(alice, settings, monkeypatch):
    for number in range(3):
        published(alice, {"a.txt": b"%d" % number}, settings)
    Transfer.update(expires=now() - timedelta(hours=1)).execute()
    end = store.close

    def beside_others(*args: Any, **more: Any) -> bool:
        with closing(sqlite3.connect(db.obj.database)) as other:  # as another process
            other.execute("CREATE TABLE IF NOT EXISTS noise (n)")
            other.commit()
            other.execute("INSERT INTO noise VALUES (1)")
            other.commit()
        return end(*args, **more)

    monkeypatch.setattr(store, "close", beside_others)
    assert store.sweep(settings) == 3 and names(settings) == []


def test_what_is_closed_is_gone_with_the_next_sweep(alice, settings):
    transfer = published(alice, {"a.bin": b"one", "folder/b.bin": b"two"}, settings)
    opened = store.by_token(store.link_token(transfer, settings))
    assert opened is not None and opened.transfer == transfer
    assert store.close(transfer, "owner") and not store.close(transfer, "owner")
    assert store.by_token(store.link_token(transfer, settings)) is None
    assert store.sweep(settings) == 0  # its owner may think better of it
    Transfer.update(closed=now() - store.UNDO - timedelta(minutes=2)).execute()
    assert store.sweep(settings) == 1 and not store.reopen(transfer)
    assert names(settings) == [] and StoredContent.select().count() == 0
    assert TransferFile.select().count() == 2  # their names are told for a while


def test_deleting_many_files_stops_in_time_and_goes_on_with_the_next_sweep(alice, settings, monkeypatch):
    large, other = (published(alice, {f"{n}.txt": f"{name}{n}".encode() for n in range(5)}, settings) for name in "ab")
    for transfer in (large, other):
        store.close(transfer, "date")
    clock, real = [0.0], content.drop_if_unused

    def slowly(*given):
        clock[0] += 1.0
        return real(*given)

    monkeypatch.setattr(store.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(content, "drop_if_unused", slowly)
    seen = []
    while not seen or seen[-1][1]:
        seen.append((store.sweep(settings, 4.0), TransferFile.select().where(TransferFile.content.is_null(False)).count()))
    assert seen == [(0, 6), (1, 2), (1, 0)]
    assert names(settings) == [] and not Transfer.select().where(Transfer.files_gone == 0)


def test_what_is_extended_or_sent_at_the_last_moment_does_not_end(alice, settings, monkeypatch):
    """A worker has just found that it is over."""
    transfer, unfinished = published(alice, {"a.bin": b"one"}, settings), store.create(alice, settings)
    Transfer.update(expires=now() - timedelta(minutes=1)).where(Transfer.id == transfer.id).execute()
    Transfer.update(created=now() - timedelta(days=4)).where(Transfer.id == unfinished.id).execute()
    real = store.close

    def meanwhile(*given, **more):
        Transfer.update(expires=now() + timedelta(days=9), state="ready").execute()
        return real(*given, **more)

    monkeypatch.setattr(store, "close", meanwhile)
    assert store.sweep(settings) == 0
    assert {one.state for one in Transfer.select()} == {"ready"} and StoredContent.select().count() == 1
    Transfer.update(expires=now() - timedelta(minutes=1)).where(Transfer.id == transfer.id).execute()
    monkeypatch.undo()
    assert store.sweep(settings) == 1 and Transfer.get_by_id(transfer.id).closed_by == "date"


def test_who_is_added_again_keeps_what_they_download_meanwhile(alice, settings, monkeypatch):
    transfer = published(alice, {"a.bin": b"one"}, settings, recipients=[("", "zoe@ailleurs.example")])
    TransferRecipient.update(removed=now()).execute()
    real = TransferRecipient.save

    def meanwhile(self, *given, **more):
        TransferRecipient.update(downloads=3).execute()
        return real(self, *given, **more)

    monkeypatch.setattr(TransferRecipient, "save", meanwhile)
    store.add_recipient(transfer, "", "zoe@ailleurs.example", settings)
    found = TransferRecipient.get()
    assert (found.removed, found.notified, found.downloads) == (None, None, 3)


def test_contents_that_no_file_has_go_after_an_hour(alice, settings):
    """Those of a worker that was killed between two deletions."""
    kept, orphan, young = (
        put_file(store.create(alice, settings), "a.bin", data, settings) for data in (b"one", b"two", b"three")
    )
    TransferFile.delete().where(TransferFile.id << [orphan.id, young.id]).execute()
    StoredContent.update(touched=now() - timedelta(hours=2)).where(StoredContent.id != young.content_id).execute()
    store.sweep(settings)
    assert {one.id for one in StoredContent.select()} == {kept.content_id, young.content_id}
    assert len(names(settings)) == 2


def test_strays_are_found(alice, settings):
    put_file(store.create(alice, settings), "a.bin", b"kept", settings)
    files = open_storage(settings, StorageArea.TRANSFERS)
    files.put(f"{'0' * 32}/00000000000000-0000", [b"nobody's"])
    assert content.sweep_strays(settings) == 0
    stray = Path(settings.transfers_folder, "0" * 32, "00000000000000-0000")
    os.utime(stray, (time.time() - 7300,) * 2)
    assert content.sweep_strays(settings) == 1
    assert len(names(settings)) == 1
