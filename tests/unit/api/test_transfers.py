"""Scripts send large files, ask for some, and send some by a link alone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import transfer_ground
from tests.support.scripts import ROOT, Script, problem
from webmail.models import FileRequest, FileRequestInvite, ScriptRequest, SystemMessage, Transfer, TransferState, now
from webmail.transfers import content, store
from webmail.transfers.public import download_admission
from webmail.transfers.requests import requests
from webmail.transfers.requests.requests import Wishes
from webmail.transfers.uploads import upload_bodies
from webmail.transfers.uploads.upload_bodies import Body, TooManyUploadsError

MB = 1024 * 1024
LIMITS = {"file_mb": 5, "transfer_mb": 8, "reserve_mb": 0, "forbidden_types": "exe", "recipients": 3}
MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with ground.application(tmp_path_factory.mktemp("api"), api="true", transfers=LIMITS, **MAIL) as made:
        yield made


@pytest.fixture
def alice(app) -> Script:
    return Script(app, "alice-sends")


@pytest.fixture
def shapes(app) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()["components"]["schemas"]
    return found


def path_of(link: str) -> str:
    return link.removeprefix("https://mail.lycee.example")


def made(script: Script, **body: Any) -> int:
    answer = script.post("/transfers", body)
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["number"])


def test_a_file_is_sent_to_people_by_mail(app, alice, shapes):
    data = os.urandom(300_000)
    wishes = {
        "to": ["Zoé <zoe@parents.example>"],
        "subject": "Photos",
        "message": "Voilà\nA.",
        "days": 3,
        "options": {"once": True},
    }
    number = made(alice, **wishes)
    told = alice.put(f"/transfers/{number}/files/Classe/été.jpg", data, Content_Type="image/jpeg")
    assert told.status_code == 201
    assert told.get_json()["sha256"] == hashlib.sha256(data).hexdigest() and told.get_json()["name"] == "Classe/été.jpg"
    jsonschema.validate(told.get_json(), shapes["File"])
    before = alice.get(f"/transfers/{number}").get_json()
    assert (before["state"], before["link"], before["options"]["once"], before["options"]["remind"]) == ("open", None, True, True)
    sent = alice.post(f"/transfers/{number}/send").get_json()
    jsonschema.validate(sent, shapes["Transfer"])
    assert sent["state"] == "ready" and [one["address"] for one in sent["recipients"]] == ["zoe@parents.example"]
    assert app.test_client().get(path_of(sent["link"])).status_code == 200
    letter = SystemMessage.select().where(SystemMessage.recipient == "zoe@parents.example").get()
    assert letter is not None
    again = alice.post(f"/transfers/{number}/send").get_json()
    assert again["recipients"] == sent["recipients"]
    assert SystemMessage.select().where(SystemMessage.recipient == "zoe@parents.example").count() == 1
    page = ground.signed_in(app, "alice-sends").get(f"/transfers/{number}")
    assert "Photos" in page.text and "été.jpg" in page.text


def test_a_file_comes_in_pieces_and_goes_on_where_it_stopped(alice):
    data, number = os.urandom(3 * MB), made(alice)
    path = f"/transfers/{number}/files/film.mp4"

    def piece(start: int, end: int) -> Any:
        return alice.put(path, data[start:end], Content_Range=f"bytes {start}-{end - 1}/{len(data)}")

    assert piece(0, MB).get_json()["received"] == MB
    refused = piece(2 * MB, 3 * MB)
    assert problem(refused) == "wrong-offset" and refused.get_json()["received"] == MB
    assert problem(alice.post(f"/transfers/{number}/send")) == "invalid"  # incomplete
    assert piece(MB, 2 * MB).get_json()["received"] == 2 * MB
    whole = piece(2 * MB, 3 * MB).get_json()
    assert whole["state"] == "ready" and whole["sha256"] == hashlib.sha256(data).hexdigest()
    again = alice.put(path, b"another")  # the same name anew
    assert again.get_json()["size"] == 7
    assert [one["size"] for one in alice.get(f"/transfers/{number}").get_json()["files"]] == [7]


@pytest.mark.parametrize(
    "given", ["bytes 0-1/3", "bytes 5-4/9", "bytes 0-0/0", "0-1/2", "bytes -1/2", "bytes 0-99999999999999999999/2"]
)
def test_odd_ranges_are_refused(alice, given):
    assert problem(alice.put(f"/transfers/{made(alice)}/files/a", b"abc", Content_Range=given)) == "invalid"


def test_a_file_needs_a_length(alice):
    number = made(alice)
    answer = alice.client.open(
        f"{ROOT}/transfers/{number}/files/a", method="PUT", headers={**alice.sign_in, "Transfer-Encoding": "chunked"},
        environ_overrides={"CONTENT_LENGTH": ""},
    )  # fmt: skip
    assert problem(answer) == "no-length"


def test_a_file_comes_by_tus(app, alice):
    number, data = made(alice), os.urandom(50_000)
    where = alice.get(f"/transfers/{number}").get_json()["uploads"]
    assert where == f"https://mail.lycee.example{ROOT}/transfers/{number}/uploads"
    tus = {"Tus_Resumable": "1.0.0"}
    begun = alice.ask(
        "POST", path_of(where).removeprefix(ROOT), Upload_Length="50000", Upload_Metadata="filename YS50eHQ=", **tus
    )
    assert begun.status_code == 201 and begun.headers["Location"].startswith(f"https://mail.lycee.example{ROOT}/uploads/")
    upload = path_of(begun.headers["Location"]).removeprefix(ROOT)
    offset = {"Content_Type": "application/offset+octet-stream", **tus}
    assert alice.ask("PATCH", upload, data=data[:20_000], Upload_Offset="0", **offset).status_code == 204
    assert alice.ask("HEAD", upload, **tus).headers["Upload-Offset"] == "20000"
    assert alice.ask("PATCH", upload, data=data[20_000:], Upload_Offset="20000", **offset).status_code == 204
    [file] = store.files(Transfer.get_by_id(number))
    assert b"".join(content.read(file.content, app.extensions["settings"])) == data and file.path == "a.txt"
    assert alice.ask("DELETE", upload, **tus).status_code == 204


def test_others_transfers_and_files_are_not_there(app, alice):
    bob = Script(app, "bob-sends")
    number = made(alice, to=["zoe@parents.example"])
    upload = alice.put(f"/transfers/{number}/files/a.txt", b"a").get_json()["upload"]
    tus = {"Tus_Resumable": "1.0.0"}
    asked = [
        ("GET", "", None), ("DELETE", "", None), ("POST", "/send", {}), ("POST", "/extend", {"until": "2999-01-01"}), ("POST", "/close", {}),
        ("POST", "/remind", {}), ("GET", "/events", None), ("POST", "/recipients", {"to": ["x@y.example"]}),
        ("DELETE", "/recipients/1", None), ("POST", "/recipients/1/remind", {}), ("DELETE", f"/uploads/{upload}", None),
    ]  # fmt: skip
    for method, path, body in asked:
        assert problem(bob.ask(method, f"/transfers/{number}{path}", body)) == "not-found", (method, path)
    assert problem(bob.put(f"/transfers/{number}/files/a.txt", b"b")) == "not-found"
    assert problem(bob.ask("POST", f"/transfers/{number}/uploads", Upload_Length="1", **tus)) == "not-found"
    for method in ("HEAD", "PATCH", "DELETE"):
        assert bob.ask(method, f"/uploads/{upload}", **tus).status_code == 404
    assert Transfer.get_by_id(number).state == TransferState.OPEN
    assert [one["size"] for one in alice.get(f"/transfers/{number}").get_json()["files"]] == [1]


def test_what_is_sent_is_extended_shared_reminded_and_ended(alice, shapes):
    number = made(alice, to=["zoe@parents.example"])
    file = alice.put(f"/transfers/{number}/files/a.txt", b"a").get_json()
    alice.put(f"/transfers/{number}/files/b.txt", b"b")
    alice.post(f"/transfers/{number}/send")
    later = alice.post(f"/transfers/{number}/extend", {"until": "2999-01-01"})
    assert problem(later) == "invalid" and later.get_json()["errors"][0]["at"] == "/until"
    more = alice.post(f"/transfers/{number}/recipients", {"to": ["max@parents.example", "zoe@parents.example"]}).get_json()
    assert [one["address"] for one in more["recipients"]] == ["zoe@parents.example", "max@parents.example"]
    assert problem(alice.post(f"/transfers/{number}/recipients", {"to": ["a@b.example", "c@d.example"]})) == "invalid"
    assert alice.post(f"/transfers/{number}/remind").get_json() == {"reminded": 0}
    person = more["recipients"][1]["number"]
    assert alice.ask("DELETE", f"/transfers/{number}/recipients/{person}").status_code == 204
    assert len(alice.get(f"/transfers/{number}").get_json()["recipients"]) == 1
    assert alice.ask("DELETE", f"/transfers/{number}/uploads/{file['upload']}").status_code == 204
    [last] = alice.get(f"/transfers/{number}").get_json()["files"]
    assert problem(alice.ask("DELETE", f"/transfers/{number}/uploads/{last['upload']}")) == "conflict"
    events = alice.get(f"/transfers/{number}/events").get_json()
    jsonschema.validate(events, shapes["Events"])
    assert {"published", "recipient-added", "recipient-removed", "file-removed"} <= {one["kind"] for one in events["events"]}
    closed = alice.post(f"/transfers/{number}/close").get_json()
    assert (closed["state"], closed["link"]) == ("closed", None)
    assert problem(alice.post(f"/transfers/{number}/extend", {"until": "2000-01-01"})) == "invalid"
    assert problem(alice.put(f"/transfers/{number}/files/c", b"c")) == "over"
    assert problem(alice.post(f"/transfers/{number}/send")) == "over"


def test_it_is_deleted_for_good(app, alice):
    number = made(alice)
    alice.put(f"/transfers/{number}/files/a.txt", b"a")
    alice.post(f"/transfers/{number}/send")
    assert alice.ask("DELETE", f"/transfers/{number}").status_code == 204
    row = Transfer.get_by_id(number)
    assert (row.state, row.files_gone) == (TransferState.CLOSED, 1)
    assert not store.reopen(row)


def test_they_are_listed_by_shelf(alice, shapes):
    first = made(alice, subject="Bulletins")
    found = alice.get("/transfers?shelf=unfinished&words=Bulletins").get_json()
    assert found["transfers"] == [] or found["transfers"][0]["subject"] == "Bulletins"
    alice.put(f"/transfers/{first}/files/a.txt", b"a")
    alice.post(f"/transfers/{first}/send")
    found = alice.get("/transfers?words=Bulletins").get_json()
    jsonschema.validate(found, shapes["TransferList"])
    assert [one["number"] for one in found["transfers"]] == [first] and found["total"] == 1


def test_the_limits_are_those_of_the_pages(alice):
    number = made(alice)
    answer = alice.put(f"/transfers/{number}/files/a.exe", b"a")
    assert problem(answer) == "invalid"
    large = alice.client.open(
        f"{ROOT}/transfers/{number}/files/a.iso",
        method="PUT",
        headers=alice.sign_in,
        environ_overrides={"CONTENT_LENGTH": str(6 * MB)},
    )
    assert problem(large) == "too-large" and large.get_json()["limit"] == 5 * MB
    assert problem(alice.post("/transfers", {"to": [f"{n}@a.example" for n in range(4)]})) == "invalid"
    wrong = alice.post("/transfers", {"to": ["zoe", "a@b.example, c@d.example", "<a b>"]})
    assert [one["at"] for one in wrong.get_json()["errors"]] == ["/to/0", "/to/1", "/to/2"]


def test_uploads_are_admitted_with_those_of_pages(alice, monkeypatch):
    def full(*_arguments: Any, **_named: Any) -> Any:
        raise TooManyUploadsError("others have all places")

    number = made(alice)
    monkeypatch.setattr(upload_bodies, "admitted", full)
    answer = alice.put(f"/transfers/{number}/files/a.txt", b"a")
    assert problem(answer) == "busy" and answer.headers["Retry-After"]


def test_what_came_of_a_file_that_broke_off_stays(app, alice, monkeypatch):
    number, data = made(alice), b"x" * 100_000
    real = Body.chunks

    def cut(self: Body) -> Iterator[bytes]:
        yield next(real(self))[:40_000]

    monkeypatch.setattr(Body, "chunks", cut)
    answer = alice.put(f"/transfers/{number}/files/a.bin", data)
    assert problem(answer) == "wrong-offset" and answer.get_json()["received"] == 40_000
    monkeypatch.undo()
    whole = alice.put(f"/transfers/{number}/files/a.bin", data[40_000:], Content_Range="bytes 40000-99999/100000")
    assert whole.get_json()["state"] == "ready" and whole.get_json()["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_key_makes_one_transfer_and_is_good_for_one_thing(app, alice):
    key = {"Idempotency_Key": "0123456789"}
    first = alice.post("/transfers", {"subject": "Once"}, **key).get_json()
    assert alice.post("/transfers", {"subject": "Once"}, **key).get_json()["number"] == first["number"]
    assert problem(alice.post("/transfers", {"subject": "Other"}, **key)) == "key-used"
    assert Script(app, "bob-sends").post("/transfers", {"subject": "Other"}, **key).status_code == 201  # theirs
    assert problem(alice.post("/transfers", {}, Idempotency_Key="short")) == "invalid"
    row = ScriptRequest.get(ScriptRequest.user == alice.user, ScriptRequest.number == first["number"])
    assert "0123456789" not in row.key_hash + row.fingerprint
    assert problem(alice.post("/transfers", {"to": ["x"]}, Idempotency_Key="refused-one")) == "invalid"
    assert alice.post("/transfers", {"to": ["x@y.example"]}, Idempotency_Key="refused-one").status_code == 201


# --- adding to what was sent -----------------------------------------------------------------------------------------


def sent(script: Script, **body: Any) -> int:
    number = made(script, **body)
    script.put(f"/transfers/{number}/files/a.txt", b"a")
    assert script.post(f"/transfers/{number}/send").status_code == 200
    return number


def names_of(script: Script, number: int) -> list[str]:
    return [one["name"] for one in script.get(f"/transfers/{number}").get_json()["files"]]


def test_files_are_added_to_what_was_sent_all_at_once(app, alice, shapes):
    number = sent(alice, to=["zoe-adds@parents.example"])
    begun = alice.post(f"/transfers/{number}/additions")
    assert begun.status_code == 201, begun.text
    addition = f"/transfers/{number}/additions/{begun.get_json()['number']}"
    assert problem(alice.post(f"{addition}/send")) == "invalid"  # nothing is there
    whole = alice.put(f"{addition}/files/a.txt", b"second")
    assert whole.status_code == 201 and whole.get_json()["state"] == "ready"
    assert alice.put(f"{addition}/files/b.bin", b"12", Content_Range="bytes 0-1/4").get_json()["received"] == 2
    assert problem(alice.post(f"{addition}/send")) == "conflict"  # incomplete
    alice.put(f"{addition}/files/b.bin", b"34", Content_Range="bytes 2-3/4")
    told = alice.get(addition).get_json()
    jsonschema.validate(told, shapes["Addition"])
    assert (told["state"], told["mail"], told["size"]) == ("open", True, 10) and names_of(alice, number) == ["a.txt"]
    after = alice.post(f"{addition}/send", {"mail": False})
    jsonschema.validate(after.get_json(), shapes["Transfer"])
    assert [one["name"] for one in after.get_json()["files"]] == ["a.txt", "a (2).txt", "b.bin"]
    assert "files-added" in {one["kind"] for one in alice.get(f"/transfers/{number}/events").get_json()["events"]}
    assert problem(alice.get(addition)) == problem(alice.post(f"{addition}/send")) == "not-found"
    assert SystemMessage.select().where(SystemMessage.recipient == "zoe-adds@parents.example").count() == 1


def test_what_is_added_is_refused_discarded_and_nobody_elses(app, alice):
    number, key = sent(alice), {"Idempotency_Key": "add-them-once"}
    first = alice.post(f"/transfers/{number}/additions", **key).get_json()["number"]
    assert alice.post(f"/transfers/{number}/additions", **key).get_json()["number"] == first
    addition, bob = f"/transfers/{number}/additions/{first}", Script(app, "bob-sends")
    alice.put(f"{addition}/files/b.txt", b"b")
    for method, path in (("POST", ""), ("GET", f"/{first}"), ("POST", f"/{first}/send"), ("DELETE", f"/{first}")):
        assert problem(bob.ask(method, f"/transfers/{number}/additions{path}", {})) == "not-found", (method, path)
    assert problem(bob.put(f"{addition}/files/b.txt", b"x")) == "not-found"
    other = sent(alice)
    assert problem(alice.get(f"/transfers/{other}/additions/{first}")) == "not-found"  # of another transfer
    assert problem(alice.get(f"/transfers/{first}")) == "not-found"  # it is no transfer
    assert problem(alice.put(f"{addition}/files/a.exe", b"a")) == "invalid"
    assert alice.ask("DELETE", addition).status_code == 204
    assert problem(alice.post(f"{addition}/send")) == "over" and names_of(alice, number) == ["a.txt"]
    alice.post(f"/transfers/{number}/close")
    assert problem(alice.post(f"/transfers/{number}/additions")) == "over"
    assert problem(alice.post(f"/transfers/{made(alice)}/additions")) == "conflict"  # it takes files as it is


# --- downloading -----------------------------------------------------------------------------------------------------


def came_from_guest(script: Script, data: bytes) -> tuple[int, int, str]:
    """Numbers of a request and of what came by it, and the identifier of its file."""
    asked = script.post("/requests", {"title": "Measures", "asks_name": False}).get_json()
    guest = Script(script.client.application, "nobody-here")
    guest.sign_in = {}
    own = guest.post(f"/guests/{asked['link'].rpartition('/')[2]}/transfers").get_json()["link"]
    upload = guest.put(f"/guests/{own}/files/day.csv", data).get_json()["upload"]
    assert guest.post(f"/guests/{own}/send").status_code == 200
    return asked["number"], script.get(f"/requests/{asked['number']}").get_json()["transfers"][0], upload


def test_what_guests_sent_is_listed_and_downloaded_whole_or_from_where_it_stopped(alice, shapes):
    data = os.urandom(200_000)
    request, number, upload = came_from_guest(alice, data)
    told = alice.get(f"/requests/{request}/transfers").get_json()
    jsonschema.validate(told, shapes["TransferList"])
    [came] = told["transfers"]
    assert (came["number"], came["size"], came["files_count"], told["total"]) == (number, len(data), 1, 1)
    assert alice.get(f"/requests/{request}/transfers?page=2").get_json()["transfers"] == []
    path = f"/transfers/{number}/uploads/{upload}"
    head = alice.ask("HEAD", path)
    assert (head.status_code, head.content_length, head.data) == (200, len(data), b"")
    part = alice.get(path, Range="bytes=0-99999")
    assert (part.status_code, part.data) == (206, data[:100_000])
    rest = alice.get(path, Range="bytes=100000-", If_Range=head.headers["ETag"])
    assert part.data + rest.data == data and rest.headers["Content-Range"] == "bytes 100000-199999/200000"
    assert alice.get(path, Range="bytes=1-2", If_Range='"another"').data == data
    assert alice.get(path, If_None_Match=head.headers["ETag"]).status_code == 304
    assert alice.get(path, Range="bytes=200000-").status_code == 416
    whole = alice.get(path)
    assert whole.data == data and whole.headers["Content-Disposition"].startswith("attachment")
    assert whole.content_type == "application/octet-stream" and whole.headers["Cache-Control"] == "no-store, no-transform"
    files = alice.get(f"/transfers/{number}").get_json()["files"]
    assert [one["downloads"] for one in files] == [1]  # however often
    kinds = [one["kind"] for one in alice.get(f"/transfers/{number}/events").get_json()["events"]]
    assert kinds.count("downloaded") == 1


def test_downloads_are_for_their_owner_and_as_the_link_gives_them(app, alice, monkeypatch):
    request, number, upload = came_from_guest(alice, b"1;2")
    path, bob = f"/transfers/{number}/uploads/{upload}", Script(app, "bob-sends")
    assert problem(bob.get(path)) == problem(bob.get(f"/requests/{request}/transfers")) == "not-found"
    assert problem(alice.get(f"/transfers/{number}/uploads/{'0' * 32}")) == "not-found"
    own = sent(alice, password="Geheimnis-1")
    mine = alice.get(f"/transfers/{own}").get_json()["files"][0]["upload"]
    assert problem(alice.get(f"/transfers/{own}/uploads/{mine}")) == "conflict"  # its link asks for the password
    plain = sent(alice)
    mine = alice.get(f"/transfers/{plain}").get_json()["files"][0]["upload"]
    assert alice.get(f"/transfers/{plain}/uploads/{mine}").data == b"a"
    assert alice.get(f"/transfers/{plain}").get_json()["files"][0]["downloads"] == 0  # its owner's are not counted
    taken: list[tuple[str, str]] = []

    def full(network: str, _settings: Any, person: str = "") -> None:
        taken.append((network, person))

    monkeypatch.setattr(download_admission, "take", full)
    refused = alice.get(path)
    assert problem(refused) == "busy" and refused.headers["Retry-After"] == "30" and taken[0][1] == f"user {alice.user.id}"
    monkeypatch.undo()
    alice.post(f"/transfers/{number}/close")
    assert problem(alice.get(path)) == "over"


# --- asking for files ------------------------------------------------------------------------------------------------


def test_files_are_asked_for_and_come_by_the_link_alone(app, alice, shapes):
    asked = alice.post("/requests", {"title": "Measures", "people": ["Max <max@parents.example>"], "most_files": 5}).get_json()
    jsonschema.validate(asked, shapes["FileRequest"])
    assert SystemMessage.select().where(SystemMessage.recipient == "max@parents.example").exists()
    guest = Script(app, "nobody-here")
    guest.sign_in = {}
    link = asked["link"].rpartition("/")[2]
    told = guest.get(f"/guests/{link}").get_json()
    jsonschema.validate(told, shapes["GuestRequest"])
    assert told["title"] == "Measures" and told["most_files"] == 5
    assert problem(guest.post(f"/guests/{link}/transfers", {})) == "invalid"  # it asks for a name
    begun = guest.post(f"/guests/{link}/transfers", {"name": "Weather station", "message": "of today"}).get_json()
    jsonschema.validate(begun, shapes["GuestTransfer"])
    own = begun["link"]
    assert problem(guest.post(f"/guests/{own}/send")) == "invalid"  # nothing is there
    assert guest.put(f"/guests/{own}/files/day.csv", b"21;22").get_json()["state"] == "ready"
    part = guest.put(f"/guests/{own}/files/night.csv", b"12", Content_Range="bytes 0-1/4")
    assert part.get_json()["received"] == 2
    assert problem(guest.post(f"/guests/{own}/send")) == "conflict"
    guest.put(f"/guests/{own}/files/night.csv", b"13", Content_Range="bytes 2-3/4")
    assert guest.post(f"/guests/{own}/send").get_json()["state"] == "ready"
    assert guest.post(f"/guests/{own}/send").status_code == 200  # twice is once
    assert problem(guest.put(f"/guests/{own}/files/more.csv", b"1")) == "over"
    [number] = alice.get(f"/requests/{asked['number']}").get_json()["transfers"]
    came = alice.get(f"/transfers/{number}").get_json()
    assert came["from_guest"]["name"] == "Weather station" and [one["name"] for one in came["files"]] == ["day.csv", "night.csv"]
    assert alice.get("/transfers?shelf=received").get_json()["total"] >= 1
    alice.post(f"/requests/{asked['number']}/close")
    assert problem(guest.get(f"/guests/{link}")) == "over"


def test_a_link_opens_its_own_thing_and_no_other(app, alice):
    settings = app.extensions["settings"]
    row, _asked = requests.make(alice.user, Wishes("A"), "en", settings)
    sent = transfer_ground.published(alice.user, {"a.txt": b"a"}, settings)
    guest = Script(app, "nobody-here")
    guest.sign_in = {}
    for link in ("x", "0" * 27, store.link_token(sent, settings), f"{requests.token(row, settings)}x"):
        assert problem(guest.get(f"/guests/{link}")) == problem(guest.get(f"/guests/{link}/transfer")) == "not-found"
    assert problem(guest.get(f"/guests/{requests.token(row, settings)}/transfer")) == "not-found"


def test_a_request_with_a_key_asks_people_once(alice):
    body = {"title": "Once", "people": ["lea@parents.example"], "invited_only": True}
    first = alice.post("/requests", body, Idempotency_Key="ask-them-once").get_json()
    again = alice.post("/requests", body, Idempotency_Key="ask-them-once").get_json()
    assert first["number"] == again["number"] and first["link"] is None
    assert FileRequestInvite.select().where(FileRequestInvite.address == "lea@parents.example").count() == 1
    assert alice.get("/requests").get_json()["requests"]


def test_others_requests_are_not_there(app, alice):
    number = alice.post("/requests", {"title": "Mine"}).get_json()["number"]
    bob = Script(app, "bob-sends")
    assert problem(bob.get(f"/requests/{number}")) == problem(bob.post(f"/requests/{number}/close")) == "not-found"


def test_a_request_is_changed_where_it_says_and_keeps_its_link(alice, shapes):
    first = alice.post("/requests", {"title": "First", "message": "Please", "most_megabytes": 3, "most_files": 4}).get_json()
    path = f"/requests/{first['number']}"
    changed = alice.ask("PATCH", path, {"title": "Second", "until": f"{now() + timedelta(days=90):%Y-%m-%d}", "once": True})
    assert changed.status_code == 200, changed.text
    jsonschema.validate(told := changed.get_json(), shapes["FileRequest"])
    assert (told["title"], told["message"], told["link"]) == ("Second", "Please", first["link"]) and told["until"]
    row = FileRequest.get_by_id(first["number"])
    assert (row.most_bytes, row.most_files, row.once, row.asks_name) == (3 * MB, 4, 1, 1)
    assert alice.ask("PATCH", path, {"until": None, "most_files": None, "most_megabytes": None}).get_json()["until"] is None
    row = FileRequest.get_by_id(first["number"])
    assert (row.most_bytes, row.most_files, row.title) == (0, 0, "Second")
    wrong = alice.ask("PATCH", path, {"until": "2001-01-01", "most_files": 9999, "title": " "}).get_json()
    assert {one["at"] for one in wrong["errors"]} == {"/until", "/most_files", "/title"}
    assert alice.ask("PATCH", path, {}).get_json()["title"] == "Second"
    assert problem(alice.ask("PATCH", path, {"people": ["a@b.example"]})) == "invalid"  # asked by an address of their own


def test_people_are_asked_reminded_and_removed_later(app, alice):
    number = alice.post("/requests", {"title": "People"}).get_json()["number"]
    path, bob = f"/requests/{number}", Script(app, "bob-sends")
    for _twice in range(2):
        told = alice.post(f"{path}/people", {"people": ["Ina <ina@parents.example>", "tom@parents.example"]}).get_json()
        assert [one["address"] for one in told["invited"]] == ["ina@parents.example", "tom@parents.example"]
    assert SystemMessage.select().where(SystemMessage.recipient == "ina@parents.example").count() == 1
    person = f"{path}/people/{told['invited'][0]['number']}"
    assert alice.post(f"{person}/remind").get_json() == {"reminded": 1}
    assert alice.post(f"{person}/remind").get_json() == {"reminded": 0}  # lately
    assert problem(alice.post(f"{path}/people", {"people": [f"p{n}@a.example" for n in range(3)]})) == "invalid"
    for method, where in (("PATCH", path), ("POST", f"{path}/reopen"), ("POST", f"{path}/people"), ("DELETE", person)):
        body = {"people": ["x@y.example"]} if where.endswith("/people") else {}
        assert problem(bob.ask(method, where, body)) == "not-found", (method, where)
    assert alice.ask("DELETE", person).status_code == 204
    assert [one["address"] for one in alice.get(path).get_json()["invited"]] == ["tom@parents.example"]
    alice.post(f"{path}/close")
    assert problem(alice.post(f"{path}/people", {"people": ["x@y.example"]})) == problem(alice.post(f"{person}/remind")) == "over"
    assert alice.post(f"{path}/reopen").get_json()["state"] == "open"
