"""Files in a bucket, against a real server: large ones, servers that are away, full or another's, and lines that break."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.demo.child import free_ports
from tests.support.s3_server import CutLine, running
from webmail.storage import FileGoneError, S3Storage, StorageAwayError, StorageFullError, open_file
from webmail.storage import s3 as s3_storage
from webmail.storage.interface import MARK

MB = 1024 * 1024
PIECE = os.urandom(MB)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A server that says nothing is given up soon, and no connection or mark of another test is trusted."""
    monkeypatch.setattr(s3_storage, "_ASK", 0.5)
    monkeypatch.setattr(s3_storage, "_READ", 1.0)
    monkeypatch.setattr(s3_storage, "_SEND", 2.0)
    monkeypatch.setattr(s3_storage, "_LONG", 4.0)
    s3_storage._clients.clear()
    s3_storage._seen.clear()


def named():
    return True


def pieces(count):
    for _ in range(count):
        yield PIECE


def digest(chunks):
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()


def everything(store):
    """Each thing that can be asked of a storage, by name."""
    return {
        "size": lambda: store.size("a"),
        "get": lambda: b"".join(store.get("a")),
        "exists": lambda: store.exists("a"),
        "list": lambda: list(store.list()),
        "list nested": lambda: list(store.list(nested=False)),
        "delete": lambda: store.delete("a"),
        "delete_all": lambda: store.delete_all("a"),
        "copy": lambda: store.copy("a", "b"),
        "put": lambda: store.put("a", [b"1"]),
        "put much": lambda: store.put("a", [b"1" * MB]),
        "put parts": lambda: store.put("a", pieces(9)),
    }


# --- large files -----------------------------------------------------------------------------------------------------


def test_a_large_file_goes_in_parts_and_comes_in_pieces(s3):
    store = S3Storage(s3.bucket(), "results")
    assert store.put("t/large", pieces(20)) == 20 * MB
    assert digest(store.get("t/large")) == digest(pieces(20))
    assert b"".join(store.get("t/large", 8 * MB - 3, 6)) == PIECE[-3:] + PIECE[:3]
    with open_file(store, "t/large") as file:
        file.seek(19 * MB + 5)
        assert file.read(10) == PIECE[5:15]
    store.copy("t/large", "t/again")
    store.delete("t/large")
    assert [(file.name, file.size) for file in store.list("t")] == [("t/again", 20 * MB)]


@pytest.mark.parametrize("count", [0, 1, 20])
def test_what_breaks_off_is_published_nowhere(s3, count):
    class SenderGone(Exception):
        pass

    def broken():
        yield from pieces(count)
        raise SenderGone

    store = S3Storage(s3.bucket(), "results")
    with pytest.raises(SenderGone):
        store.put("t/large", broken())
    assert (list(store.list()), store.exists("t/large"), s3.left_over()) == ([], False, [])


def test_a_file_longer_than_any_service_takes_is_refused(s3, monkeypatch):
    monkeypatch.setattr(s3_storage, "_MOST_PARTS", 2)
    store = S3Storage(s3.bucket(), "results")
    assert store.put("most", pieces(16)) == 16 * MB
    with pytest.raises(StorageFullError):
        store.put("more", pieces(17))
    assert ([file.name for file in store.list()], s3.left_over()) == (["most"], [])


# --- lines that break ------------------------------------------------------------------------------------------------


def test_a_server_that_goes_in_the_middle_of_a_put_leaves_what_was_there(s3):
    before = S3Storage(s3.bucket(), "results")
    before.put("t/large", [b"as before"])
    with CutLine(s3.port, up=12 * MB) as line:
        store = S3Storage(s3.bucket(line.port, prefix=before.bucket.prefix), "results")
        began = time.monotonic()
        with pytest.raises(StorageAwayError):
            store.put("t/large", pieces(30))
        assert time.monotonic() - began < 5
    assert b"".join(before.get("t/large")) == b"as before"
    for part in s3.left_over():  # nobody could tell the server: a rule of the bucket deletes them
        part.unlink()


@pytest.mark.parametrize("once", [True, False])
def test_a_line_that_breaks_in_the_middle_of_a_get_is_tried_once_more_from_there_on(s3, once):
    before = S3Storage(s3.bucket(), "results")
    before.put("t/large", pieces(12))
    with CutLine(s3.port, down=5 * MB, once=once) as line:
        store = S3Storage(s3.bucket(line.port, prefix=before.bucket.prefix), "results")
        if once:
            assert digest(store.get("t/large", 7)) == hashlib.sha256(PIECE[7:] + PIECE * 11).hexdigest()
        else:
            with pytest.raises(StorageAwayError):
                digest(store.get("t/large"))
        assert line.cuts


# --- servers that are away -------------------------------------------------------------------------------------------


def all_away(store, seconds, words="", but=()):
    for name, ask in everything(store).items():
        if name in but:
            continue
        began = time.monotonic()
        with pytest.raises(StorageAwayError, match=words):
            ask()
        assert time.monotonic() - began < seconds, name


def test_a_server_that_is_not_there_is_away_at_once(s3):
    all_away(
        S3Storage(s3.bucket(free_ports(1)[0]), "results"), 2, "does not answer", but=["exists", "list nested", "put", "put much"]
    )


def test_a_server_that_says_nothing_is_away_soon(s3, monkeypatch):
    bucket = s3.bucket()
    S3Storage(bucket, "results").put("kept", [b"1"])  # with the usual patience
    s3_storage._clients.clear()
    with monkeypatch.context() as short, s3.silent():
        short.setattr(s3_storage, "_ASK", 0.2)
        short.setattr(s3_storage, "_SURE", 0.0)
        short.setattr(s3_storage, "_TRY_AGAIN_SECONDS", 0.1)
        store = S3Storage(bucket, "results")
        for name in ("size", "get", "list nested", "delete", "put", "put parts"):
            began = time.monotonic()
            with pytest.raises(StorageAwayError, match="does not answer"):
                everything(store)[name]()
            assert time.monotonic() - began < 5, name
    s3_storage._clients.clear()
    assert b"".join(S3Storage(bucket, "results").get("kept")) == b"1"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key_id": "nobody"}, "403"),
        ({"secret": "wrong"}, "403"),
        ({"bucket": "another"}, "404 NoSuchBucket"),
    ],
)
def test_a_key_or_bucket_that_is_wrong_makes_it_away_and_no_file_gone(s3, changed, words):
    all_away(S3Storage(s3.bucket(**changed), "results"), 2, words)


def test_the_environment_of_other_programs_is_none_of_ours(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    store = S3Storage(s3.bucket(), "results")
    store.put("a", [b"1"])
    assert store.exists("a")


def test_a_process_that_was_forked_from_one_that_used_it_is_told(s3):
    """It would wait for ever: the threads that do the work are not carried over."""
    store = S3Storage(s3.bucket(), "results")
    store.put("a", [b"1"])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.exists("a")
        except RuntimeError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


# --- full ------------------------------------------------------------------------------------------------------------


@contextmanager
def answering(status: int, code: str) -> Iterator[int]:
    """A server that finds nothing and answers to whoever sends something with this; its port."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(404, "<Error><Code>NoSuchKey</Code></Error>")

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            mark = self.path.endswith(MARK)
            self._say(200 if mark else status, "" if mark else f"<Error><Code>{code}</Code></Error>")

        def _say(self, number: int, text: str) -> None:
            self.send_response(number)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (507, "InsufficientStorage", StorageFullError),
        (507, "", StorageFullError),
        (507, "XMinioStorageFull", StorageFullError),
        (403, "QuotaExceeded", StorageFullError),
        (400, "EntityTooLarge", StorageFullError),
        (500, "InternalError", StorageAwayError),
        (503, "SlowDown", StorageAwayError),
        (403, "AccessDenied", StorageAwayError),
    ],
)
def test_a_full_server_is_told_from_one_that_is_away(s3, status, code, kind):
    with answering(status, code) as port, pytest.raises(kind):
        S3Storage(s3.bucket(port), "results").put("a", [b"1"])


# --- whose bucket it is ----------------------------------------------------------------------------------------------


def test_a_bucket_without_our_files_is_away_while_somebody_knows_of_some(s3):
    new = S3Storage(s3.bucket(), "results")
    store = S3Storage(new.bucket, "results", named)
    all_away(store, 2, "none of our files", but=["delete"])
    assert not (s3.folder / new.bucket.prefix).exists(), "nothing was put into it"
    with pytest.raises(FileGoneError):
        new.size("a")
    new.put("b", [b"1"])
    with pytest.raises(FileGoneError):
        store.size("a")


def test_objects_of_others_are_none_of_our_files(s3):
    store = S3Storage(s3.bucket(), "results")
    store.put("t/1", [b"1"])
    for name in ("t/a b", "t/.hidden", "x"):
        file = s3.folder / store.bucket.prefix / ("results" if "/" in name else "resultsmore") / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"another's")
    assert [file.name for file in store.list()] == ["t/1"]


def test_more_files_than_a_page_of_the_server_holds(s3, monkeypatch):
    monkeypatch.setattr(s3_storage, "_ASK", 30.0)  # a thousand files are much for the tests' server on a busy machine
    store = S3Storage(s3.bucket(), "results")
    store.put("t/0", [b"1"])
    store.put("other/0", [b"1"])
    folder = s3.folder / store.bucket.prefix / "results" / "t"
    for number in range(1, 1200):
        (folder / str(number)).write_bytes(b"1")
    assert len(list(store.list("t"))) == 1200
    assert len(list(store.list("t", nested=False))) == 1200
    shutil.rmtree(folder)
    assert [file.name for file in store.list()] == ["other/0"]


# --- a server that starts again --------------------------------------------------------------------------------------


def test_it_goes_on_when_the_server_is_back(tmp_path):
    with running(tmp_path) as server:
        store = S3Storage(server.bucket(), "results")
        store.put("a", [b"1"])
        server.stop()
        with pytest.raises(StorageAwayError):
            store.size("a")
        server.start()
        assert store.size("a") == 1
