"""Files of a draft: all or none, on disk before their rows, within what a message and a person may have."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from webmail.compose.attachments import attachments, uploads
from webmail.compose.drafts import drafts
from webmail.errors import ServerAwayError
from webmail.models import AttachmentRow
from webmail.storage import StorageAwayError, StorageFullError


def some(count, size=10):
    return [([f"{i}".encode() * size], f"{i}.txt", "text/plain") for i in range(count)]


def left_on_disk(row, settings):
    return len(files_of(row, settings))


def test_many_files_are_synced_once_each_before_their_rows(alice, settings, monkeypatch):
    row = drafts.new(alice)
    rows_then = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (rows_then.append(AttachmentRow.select().count()), sync(fd)))
    found = attachments.add_all(row, some(20), settings)
    assert [one.filename for one in row.attachments.order_by(AttachmentRow.id)] == [one.filename for one in found]
    assert rows_then == [0] * 21


def test_the_same_file_within_one_batch_is_one(alice, settings):
    row = drafts.new(alice)
    first, second, other = attachments.add_all(row, [*some(1), *some(1), ([b"1" * 10], "0.txt", "")], settings)
    assert first.id == second.id != other.id
    assert left_on_disk(row, settings) == row.attachments.count() == 2


def test_a_refusal_keeps_what_came_before_it(alice, settings):
    row = drafts.new(alice)
    with pytest.raises(uploads.MessageTooLargeError):
        attachments.add_all(row, [*some(2), ([b"x" * settings.message_limit], "large", ""), *some(1)], settings)
    assert [one.filename for one in row.attachments] == ["0.txt", "1.txt"]
    assert left_on_disk(row, settings) == 2


def test_a_fault_keeps_nothing(alice, settings):
    def files():
        yield from some(2)
        raise ServerAwayError("broke off")

    row = drafts.new(alice)
    with pytest.raises(ServerAwayError):
        attachments.add_all(row, files(), settings)
    assert (row.attachments.count(), left_on_disk(row, settings)) == (0, 0)


def test_a_person_s_drafts_share_their_room(alice, bob, settings):
    settings = replace(settings, uploads_limit_mb=1)
    half = b"x" * 600_000
    attachments.add(drafts.new(alice), [half], "a", "", settings)
    row = drafts.new(alice)
    with pytest.raises(uploads.AllowanceUsedError):
        attachments.add(row, [half], "b", "", settings)
    assert left_on_disk(row, settings) == 0
    attachments.add(drafts.new(bob), [half], "b", "", settings)
    assert attachments.held(alice) == attachments.held(bob) == 600_000


def test_two_requests_at_once_do_not_share_the_same_room(alice, settings):
    """The other one's file is written while ours is read."""
    settings = replace(settings, uploads_limit_mb=1)
    row, other = drafts.new(alice), drafts.new(alice)

    def slow():
        attachments.add(other, [b"y" * 600_000], "b", "", settings)
        yield b"x" * 600_000

    with pytest.raises(uploads.AllowanceUsedError):
        attachments.add(row, slow(), "a", "", settings)
    assert attachments.held(alice) == 600_000
    assert left_on_disk(row, settings) == 0


@pytest.mark.parametrize(
    ("number", "raised"), [(errno.ENOSPC, StorageFullError), (errno.EDQUOT, StorageFullError), (errno.EIO, StorageAwayError)]
)
def test_only_a_full_disk_is_called_full(alice, settings, monkeypatch, number, raised):
    def failing(_descriptor):
        raise OSError(number, "no")

    row = drafts.new(alice)
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(raised):
        attachments.add(row, [b"x"], "a", "", settings)
    assert (row.attachments.count(), left_on_disk(row, settings)) == (0, 0)


def files_of(row, settings):
    folder = Path(settings.uploads_folder, row.id)
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_file_is_on_disk_with_its_bytes(alice, settings):
    row = drafts.new(alice)
    attachment = attachments.add(row, [b"one ", b"two"], "notes.txt", "text/plain; charset=x", settings)
    [file] = files_of(row, settings)
    assert file.read_bytes() == b"one two"
    assert (attachment.filename, attachment.type, attachment.size) == ("notes.txt", "text/plain", 7)
    assert file.name == attachment.stored != "notes.txt"


def test_the_limit_counts_what_is_sent(alice, settings):
    row = drafts.new(alice)
    room = settings.message_limit
    almost = int(room / 1.37) - 10_000
    attachments.add(row, [b"x" * almost], "a", "", settings)
    with pytest.raises(uploads.MessageTooLargeError):
        attachments.add(row, iter([b"x" * 100_000] * 3), "b", "", settings)
    assert [a.filename for a in row.attachments] == ["a"]
    assert len(files_of(row, settings)) == 1


def test_reading_stops_at_the_limit(alice, settings):
    served = 0

    def endless():
        nonlocal served
        while True:
            served += 1
            yield b"x" * 1_000_000

    with pytest.raises(uploads.MessageTooLargeError):
        attachments.add(drafts.new(alice), endless(), "a", "", settings)
    assert served < 30


def test_a_broken_upload_leaves_nothing(alice, settings):
    def broken():
        yield b"half"
        raise ConnectionError

    row = drafts.new(alice)
    with pytest.raises(ConnectionError):
        attachments.add(row, broken(), "a", "", settings)
    assert files_of(row, settings) == []
    assert not row.attachments.exists()


def test_only_files_of_the_draft_can_be_removed(alice, settings):
    mine, other = drafts.new(alice), drafts.new(alice)
    attachment = attachments.add(other, [b"x"], "a", "", settings)
    assert not attachments.remove(mine, attachment.id, settings)
    assert len(files_of(other, settings)) == 1
    assert attachments.remove(other, attachment.id, settings)
    assert files_of(other, settings) == []
    assert AttachmentRow.select().count() == 0


def test_the_same_file_twice_is_one(alice, settings):
    row = drafts.new(alice)
    for content in (b"same", b"same", b"ELSE"):
        attachments.add(row, [content], "a.txt", "", settings)
    assert row.attachments.count() == len(files_of(row, settings)) == 2
