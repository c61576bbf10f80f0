"""People without an account who send files: the form, their receipt, what they can't do; limits, and what its owner is told."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.limits import let_pass, lower
from tests.support.transfer_ground import form_body, put_file
from tests.support.visits import Page, Visitor
from webmail import rate_limits, system_mail
from webmail.config.settings import Settings
from webmail.models import (
    ContentState,
    FileRequest,
    FileRequestInvite,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferAllowance,
    TransferEvent,
    TransferFile,
    TransferState,
    User,
    now,
)
from webmail.rate_limits import HOUR, TooManyRequestsError
from webmail.transfers import limits, store
from webmail.transfers.requests import guest_limits, guests, requests
from webmail.transfers.requests.guests import Guest, NotOpenError, Shut
from webmail.transfers.requests.requests import Wishes

ZOE = {"name": "Zoé Martin", "address": "", "message": ""}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    mails = {"system_address": "Lycée <info@lycee.example>", "system_password": "x"}
    with ground.application(tmp_path / "instance", language="en", public_url="https://mail.lycee.example", **mails) as made:
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def alice(app: Flask) -> User:
    return add("alice@lycee.example")


@pytest.fixture
def zoe(app: Flask) -> Visitor:
    """A stranger with a browser."""
    return Visitor(app)


def asked_by(alice: User, settings: Settings, people: tuple[tuple[str, str], ...] = (), **wishes: Any) -> FileRequest:
    made, _asked = requests.make(alice, Wishes("Homework 4e B", **wishes), "en", settings, people)
    return made


def link_of(request: FileRequest, settings: Settings) -> str:
    return f"/g/{requests.token(request, settings)}"


def send(who: Visitor, link: str, *files: tuple[str, bytes], action: str = "send", **fields: str) -> Page:
    body, content_type = form_body([*{**ZOE, **fields}.items(), ("action", action)], files)
    return Page(who.client.post(link, data=body, content_type=content_type, follow_redirects=True))


# --- what they see ---------------------------------------------------------------------------------------------------


def test_the_page_says_who_asks_for_what_until_when_and_sets_no_cookie(alice, settings, zoe):
    request = asked_by(alice, settings, message="As <b>PDF</b>", until=now() + timedelta(days=400), most_files=3)
    page = zoe.get(link_of(request, settings))
    assert page.status == 200
    for words in ("Homework 4e B", "As <b>PDF</b>", "alice@lycee.example", "3 files at most", "Until"):
        assert words in page.text
    assert "Set-Cookie" not in page.headers and "noindex" in page.headers["X-Robots-Tag"]
    assert not page.all("[name=csrf_token]")


def test_the_page_speaks_the_language_of_the_browser_and_the_one_that_is_chosen(app, alice, settings):
    link = link_of(asked_by(alice, settings), settings)
    french = Visitor(app, language="fr-FR,fr;q=0.9").get(link)
    assert french.one("html")["lang"] == "fr"
    english = Visitor(app).get(french.link("English"))
    assert english.one("html")["lang"] == "en" and "lang=en" in english.one("#guest-form")["action"]


def test_files_are_sent_without_an_account_and_their_receipt_says_so(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("essay.pdf", b"my essay"), ("a/b.txt", b""))
    assert page.status == 200 and "Your files were sent" in page.text
    assert "essay.pdf" in page.text and "8 bytes" in page.text and "0 bytes" in page.text and "Zoé Martin" in page.text
    transfer = Transfer.get()
    assert transfer.state == TransferState.READY and transfer.owner_id == alice.id and transfer.guest_name == "Zoé Martin"
    sha = StoredContent.get(StoredContent.size == 8).sha256
    assert sha in page.text
    assert page.address == f"/g/{guests.receipt_token(transfer, settings)}"
    assert zoe.client.get_cookie("session") is None and not page.all("a[download]")


def test_whoever_asked_is_mailed_and_a_receipt_goes_to_who_gave_an_address(alice, settings, zoe):
    name = "WIN MONEY http://evil.example"
    send(
        zoe, link_of(asked_by(alice, settings), settings), ("spam.txt", b"x"), name=name, address="victim@z.example", message=name
    )
    letters = {row.recipient: row for row in SystemMessage.select()}
    assert set(letters) == {"alice@lycee.example", "victim@z.example"}
    to_them = letters["victim@z.example"]
    body = system_mail.text_of(to_them, settings.secret_key)
    assert guests.receipt_token(Transfer.get(), settings) in body
    assert not any("evil" in text or "spam.txt" in text for text in (to_them.subject, body))


def test_nobody_is_mailed_about_arrivals_who_does_not_want_it(alice, settings, zoe):
    send(zoe, link_of(asked_by(alice, settings, notify=False), settings), ("a.txt", b"x"))
    assert SystemMessage.select().count() == 0 and TransferEvent.select().where(TransferEvent.kind == "arrived").count() == 1


def test_receipts_are_no_way_to_write_to_strangers(alice, settings, zoe):
    link = link_of(asked_by(alice, settings), settings)
    for number in range(guest_limits.RECEIPTS.most + 2):
        send(zoe, link, (f"{number}.txt", b"x"), address="victim@z.example")
    sent = SystemMessage.select().where(SystemMessage.recipient == "victim@z.example").count()
    assert sent == guest_limits.RECEIPTS.most


def test_who_was_asked_by_mail_is_known_by_their_link(alice, settings, zoe):
    request = asked_by(alice, settings, (("Bob Martin", "bob@z.example"),), invited_only=True)
    assert zoe.get(link_of(request, settings)).status == 404
    page = zoe.get(f"/g/{requests.invite_token(FileRequestInvite.get(), settings)}")
    assert "You were asked at bob@z.example" in page.text and page.one("#name")["value"] == "Bob Martin"
    assert not page.all("#address")
    assert send(zoe, page.address, ("a.txt", b"x"), name="").status == 200
    transfer = Transfer.get()
    assert transfer.invite.address == "bob@z.example" and transfer.guest_name == "Bob Martin"
    assert FileRequestInvite.get().used == 1


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Type your name"),
        ({"name": "\u202e\u200b"}, "Type your name"),
        ({"name": "x" * 101}, "too long"),
        ({"address": "nobody"}, "not a complete address"),
        ({"address": "a@b.example, c@d.example"}, "not a complete address"),
        ({"address": "Zoé <zoe@z.example>"}, "not a complete address"),
        ({"message": "x" * 4001}, "too long"),
    ],
)
def test_what_was_typed_and_the_files_are_kept_where_something_is_wrong(alice, settings, zoe, fields, words):
    link = link_of(asked_by(alice, settings), settings)
    page = send(zoe, link, ("a.txt", b"abc"), **{"message": "Here it is", **fields})
    assert page.status == 422 and words in page.text and len(page.all("[data-whole]")) == 1
    if "message" not in fields:
        assert page.one("#message").get_text().strip() == "Here it is"
    assert Transfer.get().state == TransferState.OPEN
    page = send(zoe, page.one("#guest-form")["action"])
    assert "Your files were sent" in page.text and Transfer.select().count() == 1


def test_nothing_is_begun_for_a_form_without_files(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings))
    assert page.status == 422 and "Choose at least one file" in page.text and page.one("#name")["value"] == "Zoé Martin"
    assert Transfer.select().count() == 0


def test_a_file_is_removed_before_it_is_sent(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"abc"), ("b.txt", b"b"), name="")
    here, first = page.one("#guest-form")["action"], TransferFile.get(TransferFile.path == "a.txt").upload
    body, content_type = form_body([("name", "Zoé"), ("action", f"remove:{first}")])
    page = Page(zoe.client.post(here, data=body, content_type=content_type, follow_redirects=True))
    assert "a.txt" not in page.text and "b.txt" in page.text and page.one("#name")["value"] == "Zoé"
    assert StoredContent.select().count() == 1


def test_a_page_shows_no_thousand_files(alice, settings, zoe, monkeypatch):
    monkeypatch.setattr("webmail.transfers.views.guests._ROWS", 2)
    page = send(zoe, link_of(asked_by(alice, settings), settings), *((f"{number}.txt", b"x") for number in range(4)), name="")
    assert len(page.all(".upload")) == 2 and "and 2 more files" in page.one("#files").get_text()


def test_a_form_that_breaks_off_keeps_what_came_whole(alice, settings, zoe):
    body, content_type = form_body([*ZOE.items(), ("action", "send")], [("a.txt", b"abc"), ("b.txt", b"b" * 1000)])
    page = Page(zoe.client.post(link_of(asked_by(alice, settings), settings), data=body[:-500], content_type=content_type))
    assert page.status == 422 and "Not everything arrived" in page.text and "a.txt" in page.text
    assert [file.path for file in TransferFile.select()] == ["a.txt"]


def test_a_file_that_another_window_brings_while_it_is_sent_is_looked_at_first(alice, settings, zoe, monkeypatch):
    publish = store.publish

    def with_another_file(fresh: Transfer, *given: Any, looked_at: list[Any], **how: Any) -> None:
        publish(fresh, *given, looked_at=looked_at[:-1], **how)

    with monkeypatch.context() as once:
        once.setattr(store, "publish", with_another_file)
        page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"a"), name="Zoé")
    assert "just been added from another window" in page.text and Transfer.get().state == TransferState.OPEN
    again = send(zoe, str(page.one("#guest-form")["action"]))
    assert again.status == 200 and Transfer.get().state == TransferState.READY


@pytest.mark.parametrize(
    ("wishes", "files", "words"),
    [
        ({"most_files": 1}, [("a.txt", b"a"), ("b.txt", b"b")], "b.txt"),
        ({"most_bytes": 1000}, [("a.txt", b"a" * 1001)], "a.txt"),
    ],
)
def test_the_limits_of_the_request_hold_and_say_so(alice, settings, zoe, wishes, files, words):
    page = send(zoe, link_of(asked_by(alice, settings, **wishes), settings), *files)
    assert page.status == 422 and words in page.one("#files-error").get_text()
    assert Transfer.select().where(Transfer.published.is_null(False)).count() == 0


def test_types_that_the_administrator_forbids_are_not_taken(tmp_path):
    with ground.application(tmp_path / "other", transfers={"forbidden_types": "exe"}) as app:
        settings, alice = app.extensions["settings"], add("alice@lycee.example")
        page = send(Visitor(app), link_of(asked_by(alice, settings), settings), ("virus.EXE", b"MZ"))
        assert page.status == 422 and "virus.EXE" in page.one("#files-error").get_text()


def test_a_guest_learns_no_more_than_that_there_is_no_room_and_its_owner_is_told(app, alice, settings, zoe):
    TransferAllowance.create(user=alice, limit_bytes=1000)
    request = asked_by(alice, settings)
    page = send(zoe, link_of(request, settings), ("a.txt", b"a" * 5000))
    problem = page.one("#files-error").get_text()
    assert page.status == 422 and "not enough space" in problem and "1000" not in problem and "byte" not in problem
    letters = [row for row in SystemMessage.select() if row.recipient == "alice@lycee.example"]
    assert len(letters) == 1 and "No space" in letters[0].subject
    send(zoe, link_of(request, settings), ("a.txt", b"a" * 5000))
    assert SystemMessage.select().count() == 1
    owner = ground.signed_in(app)
    assert "could not send their files" in owner.get(f"/transfers/requests/{request.id}").text


# --- links -----------------------------------------------------------------------------------------------------------


def test_links_that_lead_nowhere_and_links_that_are_over(alice, settings, zoe):
    assert zoe.get(f"/g/{'A' * 27}").status == 404
    assert zoe.get("/g/nonsense").status == 404
    request = asked_by(alice, settings, until=now() + timedelta(minutes=1))
    FileRequest.update(until=now() - timedelta(minutes=1)).execute()
    page = zoe.get(link_of(request, settings))
    assert page.status == 410 and "This has ended" in page.text
    requests.close(request)
    page = zoe.get(link_of(request, settings))
    assert page.status == 410 and "closed" in page.text
    assert send(zoe, link_of(request, settings), ("a.txt", b"a")).status == 410
    assert Transfer.select().count() == 0 and StoredContent.select().count() == 0


def test_what_was_begun_in_time_may_be_finished_a_little_later(alice, settings):
    request = asked_by(alice, settings, until=now() + timedelta(minutes=1))
    transfer = guests.begin(guests.find_request(requests.token(request, settings)), Guest("Zoé"), settings)
    FileRequest.update(until=now() - timedelta(minutes=5)).execute()
    assert guests.may_go_on(Transfer.get_by_id(transfer.id), settings) is None
    FileRequest.update(until=now() - guests.GRACE).execute()
    assert guests.may_go_on(Transfer.get_by_id(transfer.id), settings) is Shut.OVER


def test_a_link_that_takes_files_once_takes_one_of_two_that_were_begun(alice, settings, zoe):
    request = asked_by(alice, settings, once=True)
    found = guests.find_request(requests.token(request, settings))
    begun = [guests.begin(found, Guest(f"Zoé {number}"), settings) for number in (1, 2)]
    for transfer in begun:
        file = guests.add(transfer, settings, lambda most, of=transfer: _empty_file(of, settings, most))
        assert file.size == 0
    guests.send(begun[0], settings)
    with pytest.raises(NotOpenError):
        guests.send(begun[1], settings)
    page = zoe.get(link_of(request, settings))
    assert page.status == 410 and "This link has already been used" in page.text


def _empty_file(transfer: Transfer, settings: Settings, most: guests.Most) -> TransferFile:
    from webmail.transfers import store
    from webmail.transfers.uploads import checking

    file = store.add_file(transfer, "a.txt", 0, "", settings, most_bytes=most.size, most_files=most.files)
    checking.finish(file, settings)
    return file


def test_a_receipt_opens_nobody_elses_files_and_no_download(alice, settings, zoe, app):
    link = link_of(asked_by(alice, settings), settings)
    mine, other = send(zoe, link, ("mine.txt", b"1")), send(Visitor(app), link, ("other.txt", b"2"), name="Max")
    assert "other.txt" not in mine.text and "Max" not in mine.text
    theirs = TransferFile.get(TransferFile.path == "other.txt")
    page = zoe.post(mine.address, {"withdraw": theirs.upload})
    assert "can no longer be withdrawn" in page.text and TransferFile.select().count() == 2
    token = guests.receipt_token(Transfer.select().first(), settings)
    assert zoe.get(f"/t/{token}").status == 404
    assert zoe.get(f"/g/{token}/uploads/{theirs.upload}").status in (404, 405, 412)
    assert other.status == 200


def test_a_receipt_is_shown_for_some_days(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"1"))
    Transfer.update(published=now() - guests.SHOWN + timedelta(hours=1)).execute()
    assert zoe.get(page.address).status == 200
    Transfer.update(published=now() - guests.SHOWN - timedelta(hours=1)).execute()
    assert zoe.get(page.address).status == 404


def test_a_file_is_taken_back_until_it_was_downloaded(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"1"), ("b.txt", b"2"))
    first, second = TransferFile.select().order_by(TransferFile.id)
    TransferFile.update(downloads=1).where(TransferFile.id == second.id).execute()
    page = zoe.post(page.address, {"withdraw": first.upload})
    assert "has been withdrawn" in page.text and "a.txt" not in page.text and "Downloaded by" in page.text
    page = zoe.post(page.address.partition("?")[0], {"withdraw": second.upload})
    assert "can no longer be withdrawn" in page.text
    assert [file.path for file in TransferFile.select()] == ["b.txt"]


def test_taking_back_asks_first_since_nothing_brings_it_back(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"1"), ("b.txt", b"2"))
    asks = zoe.get(page.link("Withdraw a.txt"))
    assert "you can’t undo this" in asks.text and TransferFile.select().count() == 2
    assert asks.link("Keep it") == page.address
    done = zoe.submit(asks, ".guest-files form", withdraw=asks.one("button[name=withdraw]")["value"])
    assert "has been withdrawn" in done.text and [file.path for file in TransferFile.select()] == ["b.txt"]


def test_a_form_whose_files_are_refused_leaves_no_transfer_behind(alice, settings, zoe):
    request = asked_by(alice, settings, most_bytes=1000)
    page = send(zoe, link_of(request, settings), ("a.txt", bytes(2000)), message="My homework")
    assert page.status == 422 and "My homework" in page.text and not Transfer.select().count()
    page = send(zoe, link_of(request, settings), ("a.txt", b"small"))
    assert "were sent" in page.text


def test_a_form_that_is_sent_twice_leads_to_the_receipt(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"1"))
    again = send(zoe, page.address, ("b.txt", b"2"))
    assert again.address == page.address and "withdrawn" not in again.text and TransferFile.select().count() == 1


def test_taking_back_the_last_file_ends_it(alice, settings, zoe):
    page = send(zoe, link_of(asked_by(alice, settings), settings), ("a.txt", b"1"))
    page = zoe.post(page.address, {"withdraw": TransferFile.get().upload})
    assert "no longer kept" in page.text and Transfer.get().closed_by == "guest" and StoredContent.select().count() == 0


# --- too much --------------------------------------------------------------------------------------------------------


def test_so_many_transfers_an_hour_from_a_network_and_no_more(alice, settings, monkeypatch):
    lower(monkeypatch, guest_limits, "BEGUN_OF_REQUEST", "BEGUN_OF_NETWORK", most=3)
    found = guests.find_request(requests.token(asked_by(alice, settings), settings))
    other = guests.find_request(requests.token(asked_by(alice, settings), settings))
    for number in range(3):
        guests.begin(found, Guest(str(number), network="192.0.2.1"), settings)
    for who in (found, other):
        with pytest.raises(TooManyRequestsError):
            guests.begin(who, Guest("x", network="192.0.2.1"), settings)
    guests.begin(other, Guest("x", network="192.0.2.2"), settings)
    let_pass(HOUR)
    guests.begin(found, Guest("x", network="192.0.2.1"), settings)


def test_so_many_files_an_hour_and_no_more(alice, settings, zoe, monkeypatch):
    lower(monkeypatch, guest_limits, "FILES", most=3)
    page = send(zoe, link_of(asked_by(alice, settings), settings), *((f"{number}.txt", b"x") for number in range(5)))
    assert page.status == 422 and "Too many files have been sent here" in page.text and TransferFile.select().count() == 3


def test_what_was_left_lying_about_gives_way_where_there_is_no_room(alice, settings):
    TransferAllowance.create(user=alice, limit_bytes=1000)
    found = guests.find_request(requests.token(asked_by(alice, settings), settings))
    old, busy = (guests.begin(found, Guest(name), settings) for name in ("old", "busy"))
    for transfer in (old, busy):
        put_file(transfer, "a", transfer.guest_name[:1].encode() * 400, settings)
    Transfer.update(created=now() - timedelta(hours=2)).execute()
    StoredContent.update(touched=now() - timedelta(hours=2)).where(
        StoredContent.id == TransferFile.get(TransferFile.transfer == old).content_id
    ).execute()
    fresh = guests.begin(found, Guest("fresh"), settings)
    guests.add(fresh, settings, lambda most: store.add_file(fresh, "b", 500, "", settings))
    states = {row.guest_name: row.state for row in Transfer.select()}
    assert states == {"old": TransferState.CLOSED, "busy": TransferState.OPEN, "fresh": TransferState.OPEN}
    with pytest.raises(guests.NoRoomError):
        guests.add(fresh, settings, lambda most: store.add_file(fresh, "c", 500, "", settings))


def test_what_was_begun_without_a_byte_gives_way_to_a_crowd_after_a_quarter_of_an_hour(alice, settings, monkeypatch):
    monkeypatch.setattr(guest_limits, "UNFINISHED", 1)
    found = guests.find_request(requests.token(asked_by(alice, settings), settings))
    guests.begin(found, Guest("empty"), settings)
    with pytest.raises(TooManyRequestsError):
        guests.begin(found, Guest("next"), settings)
    Transfer.update(created=now() - timedelta(minutes=16)).execute()
    assert guests.begin(found, Guest("next"), settings).state == TransferState.OPEN


def test_what_guests_send_keeps_nobody_from_sending(tmp_path):
    with ground.application(tmp_path / "other", transfers={"open_transfers": 1}) as app:
        settings, alice = app.extensions["settings"], add("alice@lycee.example")
        found = guests.find_request(requests.token(asked_by(alice, settings), settings))
        for number in range(5):
            guests.begin(found, Guest(str(number)), settings)
        with pytest.raises(guests.NoRoomError):
            guests.begin(found, Guest("6"), settings)
        limits.check_count(alice, settings)


def test_guessing_links_is_slowed_down(zoe, alice, settings):
    from webmail.transfers.public import access

    answers = {zoe.get(f"/g/{number:027d}").status for number in range(access.UNKNOWN.most + 1)}
    assert answers == {404, 429}
    assert zoe.get(link_of(asked_by(alice, settings), settings)).status == 200  # who has a link is not held up


def test_an_administrator_switches_it_off(tmp_path):
    with ground.application(tmp_path / "other", transfers={"guests": False}) as app:
        settings, alice = app.extensions["settings"], add("alice@lycee.example")
        page = Visitor(app).get(link_of(asked_by(alice, settings), settings))
        assert page.status == 410 and "Files are not accepted here" in page.text and "alice" not in page.text


# --- by tus ----------------------------------------------------------------------------------------------------------


def tus(who: Visitor, method: str, url: str, data: bytes = b"", **headers: str) -> Any:
    told = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return who.client.open(url, method=method, data=data, headers=told)


def named(name: str) -> str:
    return "filename " + base64.b64encode(name.encode()).decode()


OFFSET = "application/offset+octet-stream"


def test_a_script_begins_by_the_link_goes_on_by_the_receipt_and_sends_it_off(alice, settings, zoe):
    link = link_of(asked_by(alice, settings), settings)
    made = tus(zoe, "POST", f"{link}/uploads", Upload_Length="6", Upload_Metadata=named("a.txt"))
    assert made.status_code == 201
    going_on = made.headers["X-Traboule-Transfer"]
    assert made.headers["Location"].startswith(f"/g/{going_on}/uploads/")
    patched = tus(zoe, "PATCH", made.headers["Location"], b"abc", Upload_Offset="0", Content_Type=OFFSET)
    assert patched.status_code == 204
    half = zoe.get(f"/g/{going_on}")  # another day
    assert half.one("[data-upload]") and not half.all("[data-whole]")
    refused = send(zoe, half.one("#guest-form")["action"])
    assert refused.status == 422 and "is incomplete" in refused.text
    assert tus(zoe, "HEAD", made.headers["Location"]).headers["Upload-Offset"] == "3"
    tus(zoe, "PATCH", made.headers["Location"], b"def", Upload_Offset="3", Content_Type=OFFSET)
    second = tus(zoe, "POST", f"{link}/uploads?of={going_on}", Upload_Length="0", Upload_Metadata=named("b.txt"))
    assert second.status_code == 201 and second.headers["X-Traboule-Transfer"] == going_on
    assert zoe.get(f"{link}?of={going_on}").address == f"/g/{going_on}"  # the page of the link, loaded again
    page = send(zoe, f"{link}?of={going_on}")
    assert "Your files were sent" in page.text and "a.txt" in page.text and "b.txt" in page.text
    assert Transfer.select().count() == 1 and StoredContent.get(StoredContent.size == 6).state == ContentState.READY


def test_uploads_of_one_guest_are_not_there_for_another(alice, settings, zoe, app):
    link = link_of(asked_by(alice, settings), settings)
    made = tus(zoe, "POST", f"{link}/uploads", Upload_Length="6", Upload_Metadata=named("a.txt"))
    upload = made.headers["Location"].rsplit("/", 1)[1]
    other = tus(zoe, "POST", f"{link}/uploads", Upload_Length="6", Upload_Metadata=named("b.txt"))
    theirs = other.headers["X-Traboule-Transfer"]
    for base in (f"/g/{theirs}", link, f"/g/{'A' * 27}"):
        for method in ("HEAD", "PATCH", "DELETE"):
            assert tus(zoe, method, f"{base}/uploads/{upload}", b"abc", Upload_Offset="0", Content_Type=OFFSET).status_code == 404
    assert ground.person(app, "eve").client.head(f"/transfers/uploads/{upload}").status_code == 404


def test_nothing_is_added_to_what_was_sent_or_to_a_request_that_is_closed(alice, settings, zoe):
    request = asked_by(alice, settings)
    link = link_of(request, settings)
    made = tus(zoe, "POST", f"{link}/uploads", Upload_Length="3", Upload_Metadata=named("a.txt"))
    requests.close(request)
    late = tus(zoe, "PATCH", made.headers["Location"], b"abc", Upload_Offset="0", Content_Type=OFFSET)
    assert late.status_code == 410
    requests.reopen(FileRequest.get())
    sent = send(zoe, link, ("b.txt", b"b"))
    more = tus(zoe, "POST", f"{sent.address}/uploads", Upload_Length="3", Upload_Metadata=named("c.txt"))
    assert more.status_code == 410 and TransferFile.select().count() == 2


def test_a_file_that_is_refused_leaves_no_transfer_behind(alice, settings, zoe):
    request = asked_by(alice, settings, most_bytes=1000)
    refused = tus(zoe, "POST", f"{link_of(request, settings)}/uploads", Upload_Length="1001", Upload_Metadata=named("a.txt"))
    assert refused.status_code == 413 and "a.txt" in refused.get_data(as_text=True)
    assert Transfer.select().count() == 0
    broken = tus(zoe, "POST", f"{link_of(request, settings)}/uploads", Upload_Length="many", Upload_Metadata=named("a.txt"))
    assert broken.status_code == 400 and rate_limits.used(settings, guest_limits.BEGUN_OF_REQUEST.by(request.id)) == 1
