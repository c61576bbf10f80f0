"""Storage: whole files or none, ranges, names that can't leave the folder, and what is missing told apart from what is away."""

from __future__ import annotations

import errno
import os

import pytest

from webmail import storage
from webmail.storage import FileGone, LocalStorage, StorageAway, StorageFull


@pytest.fixture
def store(tmp_path):
    return LocalStorage(tmp_path / "files")


def read(store, name, **more):
    return b"".join(store.get(name, **more))


def test_what_is_put_comes_back_whole_and_in_pieces(store):
    content = os.urandom(600_000)
    assert store.put("results/1/a.bin", [content[:10], content[10:]]) == 600_000
    assert read(store, "results/1/a.bin") == content
    assert read(store, "results/1/a.bin", start=5, length=7) == content[5:12]
    assert read(store, "results/1/a.bin", start=599_990, length=100) == content[-10:]
    assert (store.size("results/1/a.bin"), store.exists("results/1/a.bin")) == (600_000, True)


def test_what_breaks_off_leaves_nothing(store):
    def chunks():
        yield b"x" * 1000
        raise RuntimeError("the sender went away")

    with pytest.raises(RuntimeError):
        store.put("results/1/a.bin", chunks())
    assert list(store.list("results")) == []
    assert not store.exists("results/1/a.bin")


def test_a_missing_file_is_gone(store):
    for ask in (store.size, store.get):
        with pytest.raises(FileGone):
            ask("results/none")
    store.delete("results/none")


def test_a_storage_that_cannot_be_read_is_away_not_empty(store, tmp_path):
    store.put("a", [b"1"])
    os.rename(tmp_path / "files", tmp_path / "unmounted")
    (tmp_path / "files").mkdir()  # a mount point without its file system
    for ask in (store.size, store.get, store.exists, lambda name: list(store.list(name))):
        with pytest.raises(StorageAway):
            ask("a")


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StorageAway)])
def test_a_full_disk_is_told_from_a_broken_one(store, monkeypatch, number, kind):
    def refuse(*_args):
        raise OSError(number, "no")

    monkeypatch.setattr(storage.os, "fsync", refuse)
    with pytest.raises(kind):
        store.put("a/b", [b"1"])
    monkeypatch.undo()
    assert list(store.list("a")) == []


def test_deleting_removes_empty_folders_but_not_others(store, tmp_path):
    store.put("results/1/a", [b"1"])
    store.put("results/2/b", [b"1"])
    store.delete("results/1/a")
    assert [file.name for file in store.list("results")] == ["results/2/b"]
    assert not (tmp_path / "files/results/1").exists()


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".hidden", "a/.b", "a\0b", "a\nb", "x" * 400, "a b"]
)
def test_a_name_never_leaves_the_folder(store, name):
    for ask in (store.size, store.exists, store.delete, store.get):
        with pytest.raises(ValueError, match="no name"):
            ask(name)
    with pytest.raises(ValueError, match="no name"):
        store.put(name, [b""])


def test_the_same_name_again_is_the_new_content(store):
    store.put("a", [b"old"])
    store.put("a", [b"new"])
    assert read(store, "a") == b"new"


def test_all_of_a_folder_is_deleted_at_once(store):
    store.put("tasks/1/a", [b"1"])
    store.put("tasks/1/b/c", [b"1"])
    store.put("tasks/12/a", [b"1"])
    store.delete_all("tasks/1")
    store.delete_all("tasks/1")
    assert [file.name for file in store.list("tasks")] == ["tasks/12/a"]
