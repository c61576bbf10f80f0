"""Public links: what people without an account see, what is asked for first, and what counts as downloaded."""

from __future__ import annotations

import gc
import io
import os
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support import calendar_ground as ground
from tests.support.attachments import PNG
from tests.support.limits import lower
from tests.support.transfer_ground import published, put_file
from webmail import rate_limits
from webmail.auth.passwords import hashing
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.config.settings import Settings
from webmail.models import (
    ContentState,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferEvent,
    TransferFetch,
    TransferFile,
    TransferRecipient,
    TransferReport,
    User,
    now,
)
from webmail.transfers import content, links, store
from webmail.transfers.options import TransferOptions
from webmail.transfers.public import access, download_admission, reports
from webmail.transfers.trail import EventKind
from webmail.transfers.views import public

DATA = os.urandom(300_000)


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(
        tmp_path / "instance", system_address="post@lycee.example", smtp_security="none", admin_address="admin@lycee.example",
        public_url="https://mail.lycee.example", name="Lycée Ampère",
    ) as app:  # fmt: skip
        ground.add("alice@lycee.example")
        User.update(name="Alice Leroy").execute()
        yield app


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def alice(app: Flask) -> User:
    return User.get(User.address == "alice@lycee.example")


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    """Somebody whose browser keeps no cookies."""
    return visitor_of(app)


class Guest(FlaskClient):
    """Takes answers whole, to the last byte, unless told otherwise."""

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> TestResponse:
        return super().open(*args, buffered=buffered, **kwargs)


def visitor_of(app: Flask) -> FlaskClient:
    app.test_client_class = Guest
    return app.test_client(use_cookies=False)


def path_of(transfer: Transfer, settings: Settings, key: bytes | None = None) -> str:
    return f"/t/{store.link_token(transfer, settings)}" + (f".{links.packed_key(key)}" if key else "")


def own_path(transfer: Transfer, address: str, settings: Settings) -> str:
    row = TransferRecipient.get((TransferRecipient.transfer == transfer) & (TransferRecipient.address == address))
    return f"/t/{store.recipient_token(row, settings)}"


def addresses(page: TestResponse) -> list[str]:
    return re.findall(r'<a href="([^"]+)" download=', page.text)


def press(guest: FlaskClient, path: str, **form: Any) -> TestResponse:
    answer = guest.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return answer


def fetched(guest: FlaskClient, path: str, **form: Any) -> TestResponse:
    """What the button brings, to its last byte."""
    return guest.get(press(guest, path, **form).location)


def events(kind: EventKind) -> list[TransferEvent]:
    return list(TransferEvent.select().where(TransferEvent.kind == kind))


# --- the page


def test_it_says_what_from_whom_and_until_when_and_sets_no_cookie(alice, settings, guest):
    transfer = published(alice, {"Été/film.mp4": DATA, "notes.txt": b"hello"}, settings)
    Transfer.update(subject="Sortie", message="<b>Voici</b> tout").execute()
    page = guest.get(path_of(transfer, settings), headers={"Accept-Language": "en"})
    assert page.status_code == 200 and "Set-Cookie" not in page.headers
    for words in (
        "Alice Leroy",
        "alice@lycee.example",
        "an account at Lycée Ampère",
        "Sortie",
        "&lt;b&gt;Voici",
        "film.mp4",
        "Été/",
    ):
        assert words in page.text, words
    assert all(file.content.sha256 in page.text for file in store.files(transfer))
    assert "Not scanned for viruses" in page.text and page.headers["X-Robots-Tag"] == "noindex, nofollow"
    french = guest.get(path_of(transfer, settings), headers={"Accept-Language": "fr"})
    assert 'lang="fr"' in french.text and "Télécharger" in french.text
    assert "Download all" in guest.get(f"{path_of(transfer, settings)}?lang=en", headers={"Accept-Language": "fr"}).text


def test_the_name_alone_stands_where_the_address_is_hidden(alice, settings, guest):
    transfer = published(alice, {"a.bin": DATA}, settings, options=TransferOptions(hide_address=True))
    page = guest.get(path_of(transfer, settings))
    assert "Alice Leroy" in page.text and "alice@" not in page.text


def test_what_is_unknown_over_or_not_given_yet(alice, settings, guest):
    assert guest.get("/t/" + "a" * 27).status_code == 404
    assert guest.get("/t/" + "é/../..").status_code == 404
    transfer = published(alice, {"a.bin": DATA}, settings, recipients=[("Bob", "bob@else.example")])
    path, own = path_of(transfer, settings), own_path(transfer, "bob@else.example", settings)
    [plain] = addresses(guest.get(path))
    assert guest.get(own).status_code == 200
    TransferRecipient.update(removed=now()).execute()
    assert guest.get(own).status_code == 410
    store.close(transfer, "owner")
    for one in (path, plain, f"{path}/all.zip", f"{path}/report"):
        answer = guest.get(one, headers={"Accept-Language": "en"})
        assert answer.status_code == 410 and "were withdrawn" in answer.text, one
    past = path_of(published(alice, {"a.bin": DATA}, settings, days=-1), settings)
    assert "no longer here" in guest.get(past, headers={"Accept-Language": "en"}).text
    store.sweep(settings)
    late = guest.get(past, headers={"Accept-Language": "en"})
    assert late.status_code == 410 and "no longer here" in late.text
    begun = store.create(alice, settings)
    put_file(begun, "a.bin", DATA, settings)
    assert guest.get(path_of(begun, settings)).status_code == 404


def test_links_that_lead_nowhere_are_counted_and_those_that_work_are_not(alice, settings, guest, monkeypatch):
    lower(monkeypatch, access, "UNKNOWN", most=3)
    path = path_of(published(alice, {"a.bin": DATA}, settings), settings)
    seen = [guest.get("/t/" + letter * 27).status_code for letter in "abcde"]
    assert seen == [404, 404, 404, 429, 429] and rate_limits.used(settings, access.UNKNOWN.by("127.0.0.1")) == 3
    assert guest.get(path).status_code == 200


def test_a_file_on_its_way_is_named_and_one_that_is_harmful_is_never_given(alice, settings, guest):
    transfer = published(alice, {"a.bin": DATA, "b.bin": DATA[:5]}, settings)
    coming = store.add_file(transfer, "film.mp4", 1000, "", settings)
    content.append(coming.content, 0, [b"x" * 400], settings)
    bad = next(file for file in store.files(transfer) if file.path == "b.bin")
    StoredContent.update(state=ContentState.REFUSED, scan="infected", finding="Eicar").where(
        StoredContent.id == bad.content_id
    ).execute()
    path = path_of(transfer, settings)
    page = guest.get(path, headers={"Accept-Language": "en"})
    assert "Still uploading (40%)" in page.text and "Withheld" in page.text and "Eicar" not in page.text
    assert guest.get(f"{path}/{bad.upload}/b.bin").status_code == 410
    assert guest.get(f"{path}/{coming.upload}/film.mp4").status_code == 409
    answer = fetched(guest, path, action="all")
    assert answer.data == DATA  # the only one that is there comes as it is


# --- files


def test_files_are_attachments_that_no_browser_runs(alice, settings, guest):
    transfer = published(alice, {'Classe/évil"\r\nX-A: b.html': DATA}, settings)
    [path] = addresses(guest.get(path_of(transfer, settings)))
    answer = guest.get(path)
    assert answer.data == DATA and answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "X-A" not in answer.headers and "\n" not in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin" and "Content-Encoding" not in answer.headers
    head = guest.head(path)
    assert head.status_code == 200 and int(head.headers["Content-Length"]) == len(DATA) and not head.data


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=100-", 206, 100, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=299999-400000", 206, 299_999, None),
        ("bytes=5-4", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("bytes=" + "0-1," * 5000, 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("bytes=" + "9" * 19 + "-", 200, 0, None),
    ],
)
def test_a_part_is_given(alice, settings, guest, asked, status, start, end):
    [path] = addresses(guest.get(path_of(published(alice, {"a.bin": DATA}, settings), settings)))
    answer = guest.get(path, headers={"Range": asked})
    assert answer.status_code == status and answer.data == DATA[start:end]
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    if status == 206:
        first = start % len(DATA)
        assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.data) - 1}/{len(DATA)}"


def test_a_part_behind_the_end_or_of_another_file(alice, settings, guest):
    [path] = addresses(guest.get(path_of(published(alice, {"a.bin": DATA, "b.bin": b""}, settings), settings)))[:1]
    beyond = guest.get(path, headers={"Range": f"bytes={len(DATA)}-"})
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{len(DATA)}" and not beyond.data
    etag = guest.head(path).headers["ETag"]
    assert guest.get(path, headers={"Range": "bytes=5-", "If-Range": etag}).status_code == 206
    assert guest.get(path, headers={"Range": "bytes=5-", "If-Range": '"other"'}).status_code == 200
    assert guest.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert guest.get(path, headers={"If-Match": '"other"'}).status_code == 412


def test_an_empty_file(alice, settings, guest):
    [path] = addresses(guest.get(path_of(published(alice, {"b.bin": b""}, settings), settings)))
    assert guest.get(path).data == b"" and guest.get(path).status_code == 200
    assert guest.get(path, headers={"Range": "bytes=0-"}).status_code == 416


def test_another_transfers_files_are_not_reached_by_this_link(alice, settings, guest):
    mine = published(alice, {"a.bin": DATA}, settings)
    other = store.files(published(alice, {"b.bin": DATA[:9]}, settings))[0]
    path = path_of(mine, settings)
    for address in (f"{path}/{other.upload}/b.bin", f"{path}/{other.upload}/..%2f..", f"{path}/preview/{other.upload}"):
        assert guest.get(address).status_code == 404
    assert guest.post(path, data={"file": other.upload}).status_code == 404


def test_all_or_some_files_come_as_an_archive_with_their_folders(alice, settings, guest):
    files = {"Classe/a.bin": DATA, "Classe/é.txt": b"two", "c": b"three", "C/d": b"", "C/D": b"4"}
    path = path_of(published(alice, files, settings), settings)
    answer = fetched(guest, path, action="all")
    assert answer.mimetype == "application/zip" and int(answer.headers["Content-Length"]) == len(answer.data)
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    assert packed.testzip() is None
    names = packed.namelist()
    assert len({name.casefold() for name in names}) == 5 and "Classe/é.txt" in names and packed.read("Classe/a.bin") == DATA
    assert not any(other.casefold().startswith(name.casefold() + "/") for name in names for other in names)
    some = [file.upload for file in TransferFile.select().where(TransferFile.path.in_(["Classe/a.bin", "Classe/é.txt"]))]
    chosen = zipfile.ZipFile(io.BytesIO(fetched(guest, path, action="chosen", files=some).data))
    assert sorted(chosen.namelist()) == ["Classe/a.bin", "Classe/é.txt"]
    assert guest.post(path, data={"action": "chosen"}).status_code == 422


def test_all_that_can_be_had_is_no_choice_however_many_files_there_are(alice, settings, guest):
    transfer = published(alice, {f"{number}.txt": b"%d" % number for number in range(420)}, settings)
    refused = store.files(transfer)[3].content_id
    StoredContent.update(state=ContentState.REFUSED).where(StoredContent.id == refused).execute()
    path = f"/t/{store.link_token(transfer, settings)}"
    packed = zipfile.ZipFile(io.BytesIO(fetched(guest, path, action="all").data))
    assert len(packed.namelist()) == 419 and "3.txt" not in packed.namelist()


def test_a_damaged_piece_breaks_the_line_and_counts_nothing(alice, settings, guest, monkeypatch):
    monkeypatch.setattr(content, "PIECE", 100_000)
    transfer = published(alice, {"a.bin": DATA}, settings)
    path = path_of(transfer, settings)
    monkeypatch.setattr(content, "_object", _broken_after(1, content._object))
    with pytest.raises(content.ContentDamagedError):
        fetched(guest, path, action="all")
    assert not events(EventKind.DOWNLOADED) and not download_admission.running()


def test_a_storage_that_is_away_is_told_to_visitors_in_their_words(alice, settings, guest, monkeypatch):
    from webmail.storage import StorageAwayError

    def away(*_args):
        raise StorageAwayError("no route")

    path = path_of(published(alice, {"a.bin": DATA, "b.txt": b"text"}, settings), settings)
    plain = addresses(guest.get(path))
    monkeypatch.setattr(content, "_object", away)
    for address in (*plain, f"{path}/all.zip", plain[1].replace("/b.txt", "").replace(path, f"{path}/preview")):
        answer = guest.get(address, headers={"Accept-Language": "en"})
        assert answer.status_code == 503 and "tell the person who sent the files" in answer.text and "inbox" not in answer.text
    assert not download_admission.running()


def _broken_after(count: int, real):
    seen = []

    def broken(*args):
        seen.append(args)
        if len(seen) > count:
            raise content.ContentDamagedError("changed")
        return real(*args)

    return broken


def test_with_no_turn_left_one_is_asked_to_come_again(alice, settings, guest):
    [path] = addresses(guest.get(path_of(published(alice, {"a.bin": DATA}, settings), settings)))
    held = [taken(f"10.0.0.{one}") for one in range(16)]
    try:
        answer = guest.get(path)
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "30"
        assert guest.head(path).status_code == 200
    finally:
        for turn in held:
            turn.give_back()
    assert guest.get(path).status_code == 200 and not download_admission.running()


def test_a_picture_whose_reader_has_gone_gives_back_its_turn(app, alice, settings, monkeypatch):
    transfer = published(alice, {"a.png": PNG}, settings)
    [file] = store.files(transfer)
    address = f"/t/{store.link_token(transfer, settings)}/picture/{file.upload}"
    with app.test_request_context(address):
        never_closed = app.full_dispatch_request()
        assert (never_closed.status_code, download_admission.running()) == (200, 1)
        del never_closed
    gc.collect()
    assert download_admission.running() == 0
    real, asked = content.read, []

    def deleted_meanwhile(*args: Any, **more: Any) -> Any:
        asked.append(args)
        if len(asked) == 2:  # the first asks what kind of picture it is
            raise content.WrongKeyError("gone")
        return real(*args, **more)

    monkeypatch.setattr(content, "read", deleted_meanwhile)
    assert visitor_of(app).get(address).status_code == 404
    assert (len(asked), download_admission.running()) == (2, 0)


def test_one_network_never_has_all_the_turns():
    held = [taken("10.0.0.1", 8) for _ in range(8)]
    assert sum(turn is not None for turn in held) == 6
    other = taken("10.0.0.2", 8)
    assert other is not None
    for turn in (*held, other, *held):
        if turn is not None:
            turn.give_back()
    assert not download_admission.running()


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass for whoever waits for readers."""
    passed = [0.0]
    monkeypatch.setattr(download_admission.time, "monotonic", lambda: 1000.0 + passed[0])
    return passed


def taken(network: str, most: int = 16) -> download_admission.Download | None:
    """A place, of `most`."""
    few = SimpleNamespace(service="everything", transfers=SimpleNamespace(downloads_at_once=most))
    return download_admission.take(network, few)


def begun_by(network: str, most: int = 16) -> tuple[download_admission.Download, Iterator[bytes]]:
    """A download whose reader was handed a slice."""
    turn = taken(network, most)
    assert turn is not None
    slices = download_admission.sliced(iter([bytes(2000 * download_admission.SLICE)]), turn)
    next(slices)
    return turn, slices


def test_who_takes_almost_nothing_is_let_go(clock):
    turn, slices = begun_by("10.0.0.1")
    clock[0] += 70
    with pytest.raises(download_admission.ReaderTooSlowError):
        next(slices)
    turn.give_back()


def test_readers_who_take_nothing_do_not_stop_the_downloads_of_their_network(alice, settings, guest, clock):
    [path] = addresses(guest.get(path_of(published(alice, {"a.bin": DATA}, settings), settings)))
    held = [begun_by("127.0.0.1") for _ in range(12)]
    try:
        assert guest.get(path).status_code == 503  # they have only just begun
        clock[0] += 6
        assert guest.get(path).status_code == 200
        lost = [slices for turn, slices in held if not turn.place.held]
        with pytest.raises(download_admission.ReaderTooSlowError):
            next(lost[0])
    finally:
        for turn, _slices in held:
            turn.give_back()
    assert not download_admission.running()


def test_readers_who_trickle_make_room_and_those_on_a_slow_line_stay(clock):
    trickling = [begun_by("10.0.0.1") for _ in range(6)]
    slow = [begun_by("10.0.0.1") for _ in range(6)]
    for _ in range(11):
        clock[0] += 1  # 64 KB a second
        for _turn, slices in slow:
            next(slices)
    for _turn, slices in trickling:
        next(slices)
    fresh = [taken("10.0.0.1") for _ in range(7)]
    assert [turn is not None for turn in fresh] == [True] * 6 + [False]
    assert all(not turn.place.held for turn, _slices in trickling) and all(turn.place.held for turn, _slices in slow)
    for turn in (*(turn for turn, _slices in trickling + slow), *filter(None, fresh)):
        turn.give_back()
    assert not download_admission.running()


def test_threads_of_readers_who_lost_their_turns_are_few(clock):
    held = [begun_by("10.0.0.1")[0] for _ in range(12)]
    clock[0] += 6
    more = []
    while (turn := taken("10.0.0.1")) is not None:
        more.append(turn)
    assert (len(more), download_admission.running()) == (8, 20)
    for turn in held + more:
        turn.give_back()


# --- what counts


def test_only_what_a_person_asked_for_counts_and_once(alice, settings, guest):
    transfer = published(alice, {"a.bin": DATA, "b.txt": b"text"}, settings, recipients=[("Bob", "bob@else.example")])
    path = own_path(transfer, "bob@else.example", settings)
    page = guest.get(path)
    for address in [*addresses(page), *re.findall(r'href="(/t/[^"]+)"', page.text), f"{path}/all.zip"]:
        assert guest.get(address).status_code == 200
        guest.head(address)
    assert not events(EventKind.DOWNLOADED) and not events(EventKind.OPENED) and not TransferFetch.select().count()
    [one, _two] = store.files(transfer)
    ticket = press(guest, path, file=one.upload).location
    assert len(events(EventKind.OPENED)) == 1
    guest.head(ticket)
    assert guest.get(ticket, headers={"Range": "bytes=0-1000"}).status_code == 206
    assert not events(EventKind.DOWNLOADED)
    assert guest.get(ticket, headers={"Range": "bytes=1001-"}).data == DATA[1001:]
    assert guest.get(ticket).data == DATA
    [event] = events(EventKind.DOWNLOADED)
    bob = TransferRecipient.get()
    assert event.recipient == bob and event.file == one and not event.told
    assert bob.downloads == 1 and bob.first_download and TransferFile.get_by_id(one.id).downloads == 1
    fetched(guest, path, action="all")
    assert [event.file for event in events(EventKind.DOWNLOADED)] == [one, None]
    assert TransferFile.get_by_id(one.id).downloads == 2 and len(events(EventKind.OPENED)) == 1


def test_one_that_breaks_off_does_not_count(alice, settings, guest):
    path = path_of(published(alice, {"a.bin": DATA}, settings), settings)
    ticket = press(guest, path, action="all").location
    answer = guest.get(ticket, buffered=False)
    next(iter(answer.response))
    answer.close()
    assert not events(EventKind.DOWNLOADED) and not download_admission.running()


def test_a_file_that_is_removed_while_it_is_downloaded_arrives_whole(alice, settings, guest):
    transfer = published(alice, {"a.bin": DATA}, settings)
    ticket = press(guest, path_of(transfer, settings), action="all").location
    answer = guest.get(ticket, buffered=False)
    chunks = iter(answer.response)
    got = next(chunks)
    TransferFile.delete().execute()
    assert got + b"".join(chunks) == DATA
    answer.close()
    assert not events(EventKind.DOWNLOADED) and not download_admission.running()


def test_the_owners_own_downloads_do_not_count(app, alice, settings):
    path = path_of(published(alice, {"a.bin": DATA}, settings), settings)
    owner = ground.signed_in(app)
    assert "Your own downloads are not counted" in owner.get(path).text
    answer = owner.client.post(path, data={"action": "all"})
    assert owner.client.get(answer.location).data == DATA and not events(EventKind.DOWNLOADED)


def test_once_is_once_whoever_looks_at_it_before(alice, settings, guest):
    transfer = published(
        alice, {"a.bin": DATA, "b.bin": b"two"}, settings, options=TransferOptions(once=True),
        recipients=[("Bob", "bob@else.example"), ("Eve", "eve@else.example")],
    )  # fmt: skip
    path = own_path(transfer, "bob@else.example", settings)
    [one, two] = store.files(transfer)
    page = guest.get(path)
    assert not addresses(page)
    assert guest.get(f"{path}/{one.upload}/a.bin").status_code == 403
    assert guest.get(f"{path}/all.zip").status_code == 403
    first, second = (press(guest, path, file=one.upload).location for _ in range(2))
    answer = guest.get(first, buffered=False)
    next(iter(answer.response))
    answer.close()
    assert guest.get(first, headers={"Range": "bytes=1000-"}).data == DATA[1000:]  # resumed
    assert guest.get(first, headers={"Range": "bytes=299000-"}).status_code == 206  # the line may have broken at the end
    assert guest.get(second).status_code == 410
    assert guest.post(path, data={"file": one.upload}).status_code == 410
    assert len(events(EventKind.DOWNLOADED)) == 1
    assert fetched(guest, path, action="all").data == b"two"
    assert guest.post(path, data={"action": "all"}).status_code == 410
    eves = own_path(transfer, "eve@else.example", settings)
    assert len(zipfile.ZipFile(io.BytesIO(fetched(guest, eves, action="all").data)).namelist()) == 2
    TransferFetch.update(at=now() - timedelta(days=365)).execute()
    assert guest.get(first).status_code == 410


def test_of_two_at_once_one_gets_the_last_byte(alice, settings, guest):
    transfer = published(alice, {"a.bin": DATA}, settings, options=TransferOptions(once=True))
    path = path_of(transfer, settings)
    first, second = (guest.get(press(guest, path, action="all").location, buffered=False) for _ in range(2))
    assert b"".join(first.response) == DATA
    from webmail.transfers.public.fetches import FetchedBeforeError

    with pytest.raises(FetchedBeforeError):
        b"".join(second.response)
    first.close()
    second.close()


# --- what is asked for


def test_a_password_opens_the_page_for_an_hour_without_a_cookie(alice, settings, guest, monkeypatch):
    transfer = published(alice, {"secret-name.bin": DATA}, settings)
    Transfer.update(password=hashing.hash_password("sésame"), message="secret words").execute()
    path = path_of(transfer, settings)
    [file] = store.files(transfer)
    page = guest.get(path)
    assert "secret" not in page.text and 'name="password"' in page.text
    for address in (f"{path}/{file.upload}/x", f"{path}/all.zip"):
        assert guest.get(address).status_code == 403
    assert guest.get(f"{path}/preview/{file.upload}").status_code == 404
    assert guest.post(path, data={"action": "all"}).location == path + ""
    wrong = guest.post(path, data={"action": "password", "password": "no"})
    assert wrong.status_code == 422 and "secret" not in wrong.text
    opened = press(guest, path, action="password", password="sésame").location
    assert opened.startswith(f"{path}~")
    page = guest.get(opened)
    assert "secret-name.bin" in page.text and guest.get(addresses(page)[0]).data == DATA
    assert fetched(guest, opened, action="all").data == DATA and len(events(EventKind.DOWNLOADED)) == 1
    bent = opened[:-3] + ("AAA" if not opened.endswith("AAA") else "BBB")
    assert 'name="password"' in guest.get(bent).text
    import time

    begun = time.time()
    monkeypatch.setattr("webmail.transfers.public.grants.time.time", lambda: begun + 59 * 60)
    links_later = [*addresses(guest.get(opened)), press(guest, opened, action="all").location]
    assert all(guest.get(one).status_code == 200 for one in links_later)
    monkeypatch.setattr("webmail.transfers.public.grants.time.time", lambda: begun + 61 * 60)
    assert 'name="password"' in guest.get(opened).text
    assert all(guest.get(one).status_code == 403 for one in links_later)  # they were no longer good for being asked for late
    monkeypatch.undo()
    Transfer.update(password=hashing.hash_password("another")).execute()
    assert 'name="password"' in guest.get(opened).text


def test_a_pass_is_kept_in_a_cookie_of_its_link_and_out_of_addresses(app, alice, settings, monkeypatch):
    import time

    transfer, other = (published(alice, {"a.bin": DATA, "b.bin": DATA[:9]}, settings) for _ in range(2))
    Transfer.update(password=hashing.hash_password("sésame")).execute()
    path, browser = path_of(transfer, settings), app.test_client()
    answer = browser.post(path, data={"action": "password", "password": "sésame"})
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("pass_")]
    assert "Path=/t;" in cookie + ";" and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert browser.get(answer.location).location == path  # what stays in the history opens nothing
    seen = browser.get(path)
    assert f'action="{path}"' in seen.text and 'name="password"' not in seen.text
    ticket = browser.post(path, data={"action": "all"}).location
    assert browser.get(ticket).status_code == 200
    stranger = app.test_client(use_cookies=False)
    assert stranger.get(ticket).status_code == 403  # passed on, it has what its owner has not shown in it
    assert 'name="password"' in browser.get(path_of(other, settings)).text
    copied = addresses(seen)[0]  # for another program
    assert stranger.get(copied).data == DATA
    begun = time.time()
    monkeypatch.setattr("webmail.transfers.public.grants.time.time", lambda: begun + 11 * 3600)
    assert 'name="password"' not in browser.get(path).text and browser.get(ticket).status_code == 200
    assert stranger.get(copied).status_code == 403
    monkeypatch.setattr("webmail.transfers.public.grants.time.time", lambda: begun + 13 * 3600)
    assert 'name="password"' in browser.get(path).text and browser.get(ticket).status_code == 403
    monkeypatch.undo()
    Transfer.update(password=hashing.hash_password("another")).execute()
    assert 'name="password"' in browser.get(path).text


def test_a_grant_is_none_for_another_transfer(alice, settings, guest):
    both = [published(alice, {"a.bin": DATA[:10]}, settings) for _ in range(2)]
    Transfer.update(password=hashing.hash_password("sésame")).execute()
    opened = press(guest, path_of(both[0], settings), action="password", password="sésame").location
    assert 'name="password"' in guest.get(path_of(both[1], settings) + "~" + opened.partition("~")[2]).text


def test_passwords_are_tried_few_times(alice, settings, guest, monkeypatch):
    lower(monkeypatch, public, "PASSWORDS", most=3)
    transfer = published(alice, {"a.bin": DATA}, settings)
    Transfer.update(password=hashing.hash_password("sésame")).execute()
    path = path_of(transfer, settings)

    def crowded() -> None:
        raise TooBusyError("all slots are taken")

    with pytest.MonkeyPatch.context() as patch:  # what was not looked at is no try
        patch.setattr("webmail.transfers.views.public.checking", crowded)
        assert [guest.post(path, data={"action": "password", "password": "no"}).status_code for _ in range(4)] == [503] * 4
    seen = [guest.post(path, data={"action": "password", "password": "no"}).status_code for _ in range(4)]
    assert seen == [422, 422, 422, 429]
    assert guest.post(path, data={"action": "password", "password": "sésame"}).status_code == 429


def codes_mailed() -> list[tuple[str, str]]:
    from webmail import system_mail

    rows = SystemMessage.select().where(SystemMessage.kind == "code").order_by(SystemMessage.id)
    from flask import current_app

    secret = current_app.extensions["settings"].secret_key
    return [(row.recipient, re.search(r"\b(\d{6})\b", system_mail.text_of(row, secret))[1]) for row in rows]


def test_a_code_is_mailed_to_those_it_was_sent_to_and_to_nobody_else(app, alice, settings, guest):
    transfer = published(
        alice, {"a.bin": DATA}, settings, options=TransferOptions(mail_code=True), recipients=[("Bob", "bob@else.example")]
    )
    path = path_of(transfer, settings)
    assert 'name="to"' in guest.get(path).text and "bob@" not in guest.get(path).text
    known = guest.post(path, data={"action": "ask", "to": "Bob@Else.example"})
    other = guest.post(path, data={"action": "ask", "to": "eve@else.example"})
    with app.app_context():
        [(to, code)] = codes_mailed()
    assert to == "bob@else.example"
    strip = re.compile(r"(bob|Bob|eve)(%40|@)([eE]lse\.example)")
    first, second = (strip.sub("X", guest.get(answer.location).text) for answer in (known, other))
    assert first == second and known.status_code == other.status_code == 303
    wrong = guest.post(path, data={"action": "code", "to": "bob@else.example", "code": "000000" if code != "000000" else "1"})
    assert wrong.status_code == 422
    assert guest.post(path, data={"action": "code", "to": "eve@else.example", "code": code}).status_code == 422
    opened = press(guest, path, action="code", to="bob@else.example", code=code).location
    assert fetched(guest, opened, action="all").data == DATA
    [event] = events(EventKind.DOWNLOADED)
    assert event.recipient.address == "bob@else.example"
    assert guest.post(path, data={"action": "code", "to": "bob@else.example", "code": code}).status_code == 422
    TransferRecipient.update(removed=now()).execute()
    assert 'name="to"' in guest.get(opened).text


def test_on_ones_own_link_the_code_needs_no_address(app, alice, settings, guest):
    transfer = published(
        alice, {"a.bin": DATA}, settings, options=TransferOptions(mail_code=True),
        recipients=[("Bob", "bob@else.example"), ("Eve", "eve@else.example")],
    )  # fmt: skip
    path = own_path(transfer, "bob@else.example", settings)
    assert 'name="to"' not in guest.get(path).text
    press(guest, path, action="ask")
    with app.app_context():
        [(to, code)] = codes_mailed()
    assert to == "bob@else.example"
    opened = press(guest, path, action="code", code=code, to="eve@else.example").location
    assert fetched(guest, opened, action="all").data == DATA
    eves = own_path(transfer, "eve@else.example", settings)
    assert addresses(guest.get(f"{eves}~{opened.partition('~')[2]}")) == []


def test_codes_are_mailed_and_tried_few_times(app, alice, settings, guest):
    transfer = published(
        alice, {"a.bin": DATA}, settings, options=TransferOptions(mail_code=True), recipients=[("Bob", "bob@else.example")]
    )
    path = path_of(transfer, settings)
    for _ in range(8):
        assert guest.post(path, data={"action": "ask", "to": "bob@else.example"}).status_code == 303
    with app.app_context():
        mailed = codes_mailed()
    assert len(mailed) == 5
    code = mailed[-1][1]
    for _ in range(5):
        guest.post(path, data={"action": "code", "to": "bob@else.example", "code": "1"})
    assert guest.post(path, data={"action": "code", "to": "bob@else.example", "code": code}).status_code == 422


def test_only_people_with_an_account_where_that_is_asked_for(app, alice, settings, guest):
    transfer = published(alice, {"a.bin": DATA}, settings, options=TransferOptions(signed_in_only=True))
    path = path_of(transfer, settings)
    page = guest.get(path)
    assert f"/login?next={path}" in page.text.replace("%2F", "/") and "a.bin" not in page.text
    [file] = store.files(transfer)
    assert guest.get(f"{path}/{file.upload}/a.bin").status_code == 403
    bob = ground.person(app, "bob")
    [address] = addresses(bob.client.get(path))
    assert guest.get(address).data == DATA  # curl, with what the page gave
    assert guest.get(f"{path}/{file.upload}/a.bin").status_code == 403


def test_a_link_that_lost_its_key_says_so(alice, settings, guest):
    key = os.urandom(32)
    transfer = published(alice, {"a.bin": DATA}, settings, link_key=key)
    cut = guest.get(path_of(transfer, settings), headers={"Accept-Language": "en"})
    assert cut.status_code == 200 and "This link was cut" in cut.text and "a.bin" not in cut.text
    assert guest.get(path_of(transfer, settings, os.urandom(32))).status_code == 404
    path = path_of(transfer, settings, key)
    assert fetched(guest, path, action="all").data == DATA
    assert guest.get(addresses(guest.get(path))[0]).data == DATA


# --- previews, reports, the host of files


def test_pictures_and_texts_are_shown_and_nothing_that_runs(alice, settings, guest):
    html = b"<script>alert(1)</script>" + b"x" * 70_000
    files = {
        "p.png": PNG,
        "t.html": html,
        "fake.png": b"<svg onload=alert(1)>",
        "v.svg": b"<svg/>",
        "d.pdf": b"%PDF",
        "u.txt": b"\xe9t\xe9",
    }
    transfer = published(alice, files, settings)
    path = path_of(transfer, settings)
    named = {file.path: file for file in store.files(transfer)}
    page = guest.get(f"{path}/preview/{named['t.html'].upload}", headers={"Accept-Language": "en"})
    assert "&lt;script&gt;alert(1)" in page.text and "<script>alert" not in page.text and "Only the beginning" in page.text
    assert "été" in guest.get(f"{path}/preview/{named['u.txt'].upload}").text
    [picture] = re.findall(r'<img src="([^"]+)"', guest.get(f"{path}/preview/{named['p.png'].upload}").text)
    answer = guest.get(picture)
    assert answer.data == PNG and answer.mimetype == "image/png" and "sandbox" in answer.headers["Content-Security-Policy"]
    assert "<img" not in guest.get(f"{path}/preview/{named['fake.png'].upload}").text
    assert guest.get(f"{path}/picture/{named['fake.png'].upload}").status_code == 404
    for name in ("v.svg", "d.pdf"):
        assert guest.get(f"{path}/preview/{named[name].upload}").status_code == 404
    assert not events(EventKind.DOWNLOADED) and not download_admission.running()


def test_abuse_is_reported_to_the_administrator(alice, settings, guest, monkeypatch):
    lower(monkeypatch, reports, "OF_NETWORK", most=2)
    path = path_of(published(alice, {"a.bin": DATA}, settings), settings)
    assert guest.get(f"{path}/report").status_code == 200
    assert guest.post(f"{path}/report", data={"reason": "nonsense", "text": "kept <words>"}).status_code == 422
    done = press(guest, f"{path}/report", reason="fraud", text="Not Alice\r\nat all", address="eve@else.example")
    assert "Set-Cookie" not in done.headers and guest.get(done.location).status_code == 200
    [row] = TransferReport.select()
    assert row.reason == "fraud" and row.address == "eve@else.example" and len(events(EventKind.REPORTED)) == 1
    [mail] = SystemMessage.select().where(SystemMessage.kind == "abuse")
    assert mail.recipient == "admin@lycee.example" and "Not Alice" in mail.body and path not in mail.body
    assert "https://mail.lycee.example/admin/transfers" in mail.body
    press(guest, f"{path}/report", reason="other")
    assert guest.post(f"{path}/report", data={"reason": "other"}).status_code == 429


def test_without_an_address_for_them_abuse_is_reported_to_the_accounts_of_administrators(alice, settings, guest):
    settings.put({"admin_address": ""})
    for name, values in (("root", {"role": "admin"}), ("gone", {"role": "admin", "active": 0}), ("bob", {})):
        User.update(**values or {"role": "user"}).where(User.id == ground.add(f"{name}@lycee.example").id).execute()
    path = path_of(published(alice, {"a.bin": DATA}, settings), settings)
    press(guest, f"{path}/report", reason="fraud", text="Not Alice", address="eve@else.example")
    [mail] = SystemMessage.select().where(SystemMessage.kind == "abuse")
    assert mail.recipient == "root@lycee.example" and "Not Alice" in mail.body and path not in mail.body


def test_ten_thousand_files_are_paged_and_the_page_stays_small(alice, settings, guest):
    transfer = published(alice, {"a.bin": b"x"}, settings)
    [file] = store.files(transfer)
    rows = [
        {"transfer": transfer, "content": file.content, "upload": f"{at:032x}", "path": f"d/{at}.txt", "size": 1, "position": at}
        for at in range(1, 10_000)
    ]
    for at in range(0, len(rows), 500):
        TransferFile.insert_many(rows[at : at + 500]).execute()
    path = path_of(transfer, settings)
    page = guest.get(path, headers={"Accept-Language": "en"})
    assert len(page.data) < 200_000 and "Page 1 of 100" in page.text
    assert "9999.txt" in guest.get(f"{path}?page=100").text
    TransferFile.delete().where(TransferFile.position >= 200).execute()
    answer = fetched(guest, path, action="all")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert len(zipfile.ZipFile(io.BytesIO(answer.data)).namelist()) == 200


@pytest.fixture
def apart(tmp_path) -> Iterator[Flask]:
    with ground.application(
        tmp_path / "apart", public_url="https://mail.lycee.example", transfers={"file_host": "https://files.lycee.example"}
    ) as app:
        ground.add("alice@lycee.example")
        yield app


def test_files_come_from_their_own_host_alone(apart):
    settings = apart.extensions["settings"]
    transfer = published(User.get(), {"a.txt": b"text"}, settings)
    path, guest = path_of(transfer, settings), visitor_of(apart)
    page = guest.get(path, base_url="https://mail.lycee.example")
    [address] = addresses(page)
    assert address.startswith("https://files.lycee.example/t/")
    assert "form-action 'self' https://files.lycee.example" in page.headers["Content-Security-Policy"]
    answer = guest.get(address, base_url="https://files.lycee.example")
    assert answer.data == b"text"
    there = guest.post(path, data={"action": "all"}, base_url="https://mail.lycee.example").location
    assert there.startswith("https://files.lycee.example/")
    moved = guest.get(address.removeprefix("https://files.lycee.example"), base_url="https://mail.lycee.example")
    assert moved.status_code == 307 and moved.location == address
    for page_there in ("/login", "/", "/mailbox/INBOX", path, "/static/css/base.css", f"{path}/report"):
        assert guest.get(page_there, base_url="https://files.lycee.example").status_code == 404, page_there
