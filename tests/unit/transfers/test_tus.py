"""Uploads by tus 1.0: what its text says that a server must do, and whose uploads are whose."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.models import ContentPiece, ContentState, StoredContent, Transfer, TransferFile, User
from webmail.storage import StorageFullError
from webmail.storage.local import LocalStorage
from webmail.transfers import content, store
from webmail.transfers.uploads import upload_bodies
from webmail.transfers.uploads.upload_bodies import Body, Sender, admitted

MB = 1024 * 1024
UPLOADS = "/transfers/uploads"
BYTES = {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    limits = {"file_mb": 20, "transfer_mb": 30, "forbidden_types": "exe", "reserve_mb": 0}
    with ground.application(tmp_path / "instance", transfers=limits) as made:
        yield made


class TusClient:
    """Somebody's program: signed in by their session, with the token of their pages."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.token = str(visitor.get("/settings").all("[name=csrf_token]")[0]["value"])

    def ask(self, method: str, url: str, data: bytes = b"", **headers: str) -> Any:
        given = {"Tus-Resumable": "1.0.0", "X-CSRFToken": self.token}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in given.items() if value}
        return self.visitor.client.open(url, method=method, data=data, headers=given)

    def create(self, size: int, name: str = "film.mp4", data: bytes = b"", **headers: str) -> Any:
        more = BYTES if data else {}
        return self.ask(
            "POST",
            UPLOADS + headers.pop("query", ""),
            data,
            Upload_Length=str(size),
            Upload_Metadata=named(name),
            **more,
            **headers,
        )

    def patch(self, url: str, offset: int, data: bytes, **headers: str) -> Any:
        return self.ask("PATCH", url, data, Upload_Offset=str(offset), **{**BYTES, **headers})


def named(name: str, **more: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in {"filename": name, **more}.items())


def checksum(data: bytes, name: str = "sha256") -> str:
    return f"{name} {base64.b64encode(hashlib.new(name, data).digest()).decode()}"


@pytest.fixture
def alice(app) -> TusClient:
    return TusClient(ground.person(app))


def file_at(answer: Any) -> TransferFile:
    return TransferFile.get(TransferFile.upload == answer.headers["Location"].rpartition("/")[2])


def test_options_tells_what_is_known_here(alice):
    for url in (UPLOADS, f"{UPLOADS}/{'0' * 32}"):
        answer = alice.ask("OPTIONS", url, Tus_Resumable="")
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,expiration,checksum,termination"
        assert answer.headers["Tus-Max-Size"] == str(20 * MB)
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_a_file_comes_in_two_requests_and_is_whole(alice, app):
    data = os.urandom(5 * MB)
    made = alice.create(len(data), "Classe/été 2026.mp4")
    assert made.status_code == 201 and made.headers["Tus-Resumable"] == "1.0.0" and "Upload-Expires" in made.headers
    url = made.headers["Location"]
    first = alice.patch(url, 0, data[: 3 * MB])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, str(3 * MB))
    assert "Upload-Expires" in first.headers
    told = alice.ask("HEAD", url)
    assert (told.status_code, told.headers["Upload-Offset"], told.headers["Upload-Length"]) == (200, str(3 * MB), str(5 * MB))
    assert told.headers["Cache-Control"].startswith("no-store")
    assert named("Classe/été 2026.mp4") in told.headers["Upload-Metadata"]
    last = alice.patch(url, 3 * MB, data[3 * MB :])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(5 * MB))
    assert "Upload-Expires" not in last.headers
    file = file_at(made)
    assert file.path == "Classe/été 2026.mp4"
    assert (file.content.state, file.content.sha256) == (ContentState.READY, hashlib.sha256(data).hexdigest())
    assert b"".join(content.read(file.content, app.extensions["settings"])) == data


def test_the_first_bytes_may_come_with_the_creation(alice):
    made = alice.create(5, "a.txt", b"abc")
    assert (made.status_code, made.headers["Upload-Offset"]) == (201, "3")
    assert alice.patch(made.headers["Location"], 3, b"de").status_code == 204
    assert file_at(made).content.state == ContentState.READY
    empty = alice.create(0, "leer.txt")
    assert (empty.status_code, file_at(empty).content.state) == (201, ContentState.READY)


def test_several_files_come_to_one_transfer(alice):
    first = alice.create(1, "a.txt")
    number = first.headers["X-Traboule-Transfer"]
    second = alice.create(1, "a.txt", query=f"?of={number}")
    assert second.headers["X-Traboule-Transfer"] == number
    assert [file.path for file in store.files(Transfer.get_by_id(number))] == ["a.txt", "a (2).txt"]
    assert alice.create(1, query="?of=999999").status_code == 404


def test_a_request_of_another_version_does_nothing(alice):
    url = alice.create(3).headers["Location"]
    before = TransferFile.select().count()
    for version in ("", "0.2.2"):
        answers = [
            alice.create(3, Tus_Resumable=version), alice.patch(url, 0, b"abc", Tus_Resumable=version),
            alice.ask("DELETE", url, Tus_Resumable=version),
        ]  # fmt: skip
        assert [(one.status_code, one.headers["Tus-Version"]) for one in answers] == [(412, "1.0.0")] * 3
    assert (TransferFile.select().count(), StoredContent.select().order_by(-StoredContent.id).get().received) == (before, 0)


def test_bytes_for_another_place_are_not_taken(alice):
    url = alice.create(10).headers["Location"]
    alice.patch(url, 0, b"abc")
    for offset in (0, 2, 4, 10):
        answer = alice.patch(url, offset, b"xyz")
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "3")
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == "3"


def test_what_is_whole_takes_nothing_more(alice):
    url = alice.create(3, data=b"abc").headers["Location"]
    assert alice.patch(url, 3, b"").status_code == 204
    assert alice.patch(url, 3, b"x").status_code in (409, 413)
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == "3"


@pytest.mark.parametrize("offset", ["", "-1", "1.0", "nan", "+0", "0x0", "9" * 30, "0,0", "٠"])
def test_an_offset_is_a_number(alice, offset):
    url = alice.create(3).headers["Location"]
    assert alice.ask("PATCH", url, b"abc", Upload_Offset=offset, **BYTES).status_code == 400
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/octet-stream"])
def test_bytes_come_as_the_protocol_says(alice, kind):
    url = alice.create(3).headers["Location"]
    assert alice.patch(url, 0, b"abc", Content_Type=kind).status_code == 415


@pytest.mark.parametrize("length", ["", "-1", "abc", "1e3", "9" * 30])
def test_a_length_is_a_number(alice, length):
    assert alice.ask("POST", UPLOADS, Upload_Length=length, Upload_Metadata=named("a")).status_code == 400
    assert Transfer.select().where(Transfer.owner == User.get(User.local == "alice")).count() == 0


@pytest.mark.parametrize(
    "metadata", ["filename abc", "filename YQ==,filename YQ==", "YQ==,", "fïlename YQ==", "filename /w==", "x " + "A" * 5000]
)
def test_metadata_is_bounded_and_checked(alice, metadata):
    answer = alice.ask("POST", UPLOADS, Upload_Length="3", Upload_Metadata=metadata.encode().decode("latin-1"))
    assert answer.status_code == 400


def test_metadata_may_name_a_folder_and_have_empty_values(alice):
    told = named("b.txt", relativePath="Dossier/b.txt", filetype="text/plain") + ",is_confidential"
    made = alice.ask("POST", UPLOADS, Upload_Length="3", Upload_Metadata=told)
    assert (made.status_code, file_at(made).path, file_at(made).media_type) == (201, "Dossier/b.txt", "text/plain")
    odd = alice.ask(
        "POST", UPLOADS, Upload_Length="3", Upload_Metadata=named("../../etc/passwd", relativePath="null", filetype="a\r\nb")
    )
    assert (file_at(odd).path, file_at(odd).media_type) == ("etc/passwd", "application/octet-stream")


def test_limits_are_told_in_words_and_nothing_is_left(alice):
    large = alice.create(21 * MB, "film.mp4")
    assert large.status_code == 413 and "“film.mp4” was refused: a file can be at most 20" in large.text
    typed = alice.create(3, "virus.EXE")
    assert typed.status_code == 413 and "not allowed here" in typed.text
    assert Transfer.select().where(Transfer.owner == User.get(User.local == "alice")).count() == 0
    first = alice.create(20 * MB)
    more = alice.create(11 * MB, query=f"?of={first.headers['X-Traboule-Transfer']}")
    assert more.status_code == 413 and "all files can be at most" in more.text


def test_more_than_was_declared_is_not_taken(alice):
    url = alice.create(3).headers["Location"]
    assert alice.patch(url, 0, b"abcd").status_code == 413
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_is_checked_before_anything_is_kept(alice, algorithm):
    url = alice.create(6).headers["Location"]
    assert alice.patch(url, 0, b"abc", Upload_Checksum=checksum(b"abd", algorithm)).status_code == 460
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == "0"
    assert not ContentPiece.select().join(StoredContent).where(StoredContent.name == file_name(url)).exists()
    assert alice.patch(url, 0, b"abc", Upload_Checksum=checksum(b"abc", algorithm)).status_code == 204
    assert alice.patch(url, 3, b"def", Upload_Checksum="crc32 AAAA").status_code == 400
    assert alice.patch(url, 3, b"def", Upload_Checksum="sha1 ??").status_code == 400


def file_name(url: str) -> str:
    return TransferFile.get(TransferFile.upload == url.rpartition("/")[2]).content.name


def test_what_waits_for_its_checksum_is_bounded(alice):
    url = alice.create(9 * MB).headers["Location"]
    data = bytes(9 * MB)
    assert alice.patch(url, 0, data, Upload_Checksum=checksum(data)).status_code == 413


def test_an_upload_is_ended(alice):
    url = alice.create(6, data=b"abc").headers["Location"]
    assert alice.ask("DELETE", url).status_code == 204
    assert [alice.ask("HEAD", url).status_code, alice.patch(url, 3, b"def").status_code] == [404, 404]
    assert not StoredContent.select().where(StoredContent.size == 6).exists()


def test_a_closed_transfer_takes_nothing(alice):
    made = alice.create(6)
    store.close(Transfer.get_by_id(made.headers["X-Traboule-Transfer"]), "owner")
    url = made.headers["Location"]
    assert [alice.patch(url, 0, b"abc").status_code, alice.ask("HEAD", url).status_code] == [410, 410]
    assert "Upload-Offset" not in alice.ask("HEAD", url).headers
    assert alice.create(3, query=f"?of={made.headers['X-Traboule-Transfer']}").status_code == 410


def test_a_method_may_stand_in_a_header(alice):
    url = alice.create(6).headers["Location"]
    assert alice.ask("POST", url, b"abc", Upload_Offset="0", X_HTTP_Method_Override="PATCH", **BYTES).status_code == 204
    assert alice.ask("POST", url).status_code == 405
    hidden = alice.ask("HEAD", url, X_CSRFToken="", X_HTTP_Method_Override="DELETE")  # HEAD needs no token
    assert (hidden.status_code, hidden.headers["Upload-Offset"]) == (200, "3")
    assert alice.ask("HEAD", url).status_code == 200


def test_uploads_are_their_owners(app, alice):
    made = alice.create(6)
    bob = TusClient(ground.person(app, "bob"))
    url = made.headers["Location"]
    answers = [bob.ask("HEAD", url), bob.patch(url, 0, b"abc"), bob.ask("DELETE", url)]
    assert [one.status_code for one in answers] == [404, 404, 404]
    assert bob.create(3, query=f"?of={made.headers['X-Traboule-Transfer']}").status_code == 404
    stranger = TusClient.__new__(TusClient)
    stranger.visitor, stranger.token = Visitor(app), "x"
    assert stranger.patch(url, 0, b"abc").status_code in (302, 303, 401)


def test_a_request_without_the_token_changes_nothing(alice):
    url = alice.create(6).headers["Location"]
    answers = [
        alice.create(6, X_CSRFToken=""),
        alice.patch(url, 0, b"abc", X_CSRFToken="x"),
        alice.ask("DELETE", url, X_CSRFToken=""),
    ]
    assert [one.status_code for one in answers] == [400, 400, 400]
    foreign = alice.patch(url, 0, b"abc", Origin="https://evil.example")
    assert foreign.status_code == 403
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == "0"


@pytest.fixture
def crowd(app, monkeypatch) -> ExitStack:
    """Eight others, who have all the places; they go when it is closed."""
    monkeypatch.setattr(upload_bodies._uploads(8), "patience", 0.0)
    people = ExitStack()
    for number in range(8):
        people.enter_context(admitted(Sender(f"other {number}"), app.extensions["settings"]))
    return people


def test_without_a_place_a_client_is_told_to_come_back(alice, crowd):
    with crowd:
        url = alice.create(6).headers["Location"]
        refused, told = alice.patch(url, 0, b"abc"), alice.ask("HEAD", url)
        assert (refused.status_code, told.status_code, told.headers["Upload-Offset"]) == (503, 200, "0")
        assert refused.headers["Retry-After"] == told.headers["Retry-After"] == "3"
    answer = alice.patch(url, 0, b"abc")
    assert (answer.status_code, "Retry-After" in answer.headers) == (204, False)
    assert not upload_bodies._uploads(8).held() and not upload_bodies._coming


def test_a_file_is_created_without_a_place_and_its_bytes_follow(alice, crowd):
    with crowd:
        made = alice.create(6, "a.txt", b"abc")
        assert (made.status_code, made.headers["Upload-Offset"], "Retry-After" in made.headers) == (201, "0", True)
    assert alice.patch(made.headers["Location"], 0, b"abcdef").status_code == 204


def test_few_files_are_created_at_once(alice, monkeypatch):
    monkeypatch.setattr(upload_bodies._creating, "patience", 0.0)
    with upload_bodies.creation(), upload_bodies.creation():
        refused = alice.create(3)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "3")
        assert alice.create(3, data=b"abc").status_code == 201  # its bytes have a place of their own
    assert alice.create(3).status_code == 201


def test_an_upload_makes_room_for_somebody_who_was_refused_and_what_came_is_kept(alice, app, monkeypatch):
    monkeypatch.setattr(upload_bodies, "HOLD", 0.0)
    monkeypatch.setattr(upload_bodies, "_LOOK", 0.0)
    few = replace(app.extensions["settings"], transfers=replace(app.extensions["settings"].transfers, uploads_at_once=1))
    app.extensions["settings"] = few
    url = alice.create(300_000).headers["Location"]
    real = Body.chunks

    def meanwhile(self: Body) -> Any:
        with pytest.raises(upload_bodies.TooManyUploadsError), admitted(Sender("bob"), few):
            pass
        return real(self)

    monkeypatch.setattr(upload_bodies._uploads(1), "patience", 0.0)
    monkeypatch.setattr(Body, "chunks", meanwhile)
    answer = alice.patch(url, 0, bytes(300_000))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    monkeypatch.undo()
    with admitted(Sender("bob"), few):
        pass
    came = int(alice.ask("HEAD", url).headers["Upload-Offset"])
    assert 0 < came < 300_000
    assert alice.patch(url, came, bytes(300_000 - came)).status_code == 204


def test_a_piece_is_not_broken_off_and_the_next_is_to_wait_while_others_were_refused(alice, app, monkeypatch):
    monkeypatch.setattr(upload_bodies, "HOLD", 0.0)
    monkeypatch.setattr(upload_bodies, "_LOOK", 0.0)
    url, piece = alice.create(600_000).headers["Location"], bytes(300_000)
    monkeypatch.setattr(upload_bodies._uploads(8), "patience", 0.0)
    with ExitStack() as others:
        for number in range(8):
            others.enter_context(admitted(Sender(f"other {number}"), app.extensions["settings"]))
        with pytest.raises(upload_bodies.TooManyUploadsError), admitted(Sender("bob"), app.extensions["settings"]):
            pass
    answer = alice.patch(url, 0, piece, Upload_Checksum=checksum(piece))
    assert (answer.status_code, answer.headers["Retry-After"]) == (204, "3"), "for bob, who comes back now"
    assert "Retry-After" not in alice.ask("HEAD", url).headers, "said once"


def test_two_windows_do_not_upload_one_file_at_once(alice, app, monkeypatch):
    url = alice.create(6).headers["Location"]
    with Body(lambda _size: b"", 6).receiving(url.rpartition("/")[2]):
        assert alice.patch(url, 0, b"abc").status_code == 423
        monkeypatch.setattr(upload_bodies, "_STILL_SECONDS", 0.0)  # its line was lost, which nobody is told
        assert alice.patch(url, 0, b"abc").status_code == 204


def fill_up(monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    """The disk is full after so many pieces more."""
    real, left = LocalStorage.put, [pieces]

    def put(self: LocalStorage, name: str, chunks: Any, *, sync: bool = True) -> int:
        if not left[0]:
            raise StorageFullError("no space left on device")
        left[0] -= 1
        return real(self, name, chunks, sync=sync)

    monkeypatch.setattr(LocalStorage, "put", put)


def test_a_full_disk_is_told_and_keeps_what_came(alice, monkeypatch):
    data = os.urandom(10 * MB)
    url = alice.create(len(data)).headers["Location"]
    with monkeypatch.context() as full:
        fill_up(full, 1)
        answer = alice.patch(url, 0, data)
        assert answer.status_code == 507 and "no space left" in answer.text
    assert alice.ask("HEAD", url).headers["Upload-Offset"] == str(4 * MB)
    assert alice.patch(url, 4 * MB, data[4 * MB :]).status_code == 204
    assert TransferFile.get().content.sha256 == hashlib.sha256(data).hexdigest()


def test_somebody_who_was_disabled_uploads_no_more(alice):
    url = alice.create(3).headers["Location"]
    User.update(active=0).where(User.local == "alice").execute()
    assert alice.patch(url, 0, b"abc").status_code in (302, 303, 401)
    assert StoredContent.get().received == 0


def test_a_storage_that_takes_its_time_makes_no_client_slow(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(upload_bodies.time, "monotonic", lambda: clock[0])
    came = 0
    for chunk in Body(lambda size: b"x" * size, 300_000).chunks():
        came += len(chunk)
        clock[0] += 100.0
    assert came == 300_000


@pytest.mark.parametrize("slow", [True, False])
def test_a_body_that_trickles_is_given_up_and_what_came_is_kept(monkeypatch, slow):
    clock = [0.0]
    monkeypatch.setattr(upload_bodies.time, "monotonic", lambda: clock[0])

    def read(size: int) -> bytes:
        clock[0] += 2.0 if slow else 0.01
        return b"x" * min(size, 1024 if slow else size)

    body, came = Body(read, 300_000), 0
    try:
        for chunk in body.chunks():
            came += len(chunk)
    except upload_bodies.UploadTooSlowError:
        assert slow and came == body.received and 60 <= clock[0] <= 70
    else:
        assert not slow and came == 300_000
