"""The pages about other servers, as a person without scripts uses them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support.other_dav import LOGIN, PASSWORD, OtherServer, event
from tests.support.taken_turns import all_taken
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from webmail import create_app
from webmail.accounts import data_export
from webmail.auth.passwords import hashing
from webmail.database.connection import db
from webmail.dav.deletion import delete_task
from webmail.dav.remote import rounds
from webmail.dav.views import servers
from webmail.errors import LimitReachedError
from webmail.http_fetch import FetchedResponse
from webmail.models import (
    AuditEntry,
    CalendarObject,
    Collection,
    RemoteAccount,
    RemoteItem,
    RemoteLink,
    Session,
    TrashedItem,
    User,
    now,
)

OWN = "correct horse"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies="false", imap_security="none",
        imap_port=1, server_timeout=1, language="en", recovery_address="off",
    )  # fmt: skip
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OtherServer:
    made = OtherServer(tmp_path)
    monkeypatch.setattr(servers, "asking", lambda _settings: made.ask)
    return made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    hashed = hashing.hash_password(OWN)
    User.create(address="alice@lycee.example", local="alice", domain="lycee.example", name="Alice", password=hashed)
    visitor = Visitor(app, "alice@lycee.example", OWN)
    visitor.submit(visitor.get("/login"), "form[action='/login']", username="alice@lycee.example", password=OWN, follow=False)
    Session.update(confirmed=now()).execute()
    return visitor


def _connect(alice: Visitor, password: str = PASSWORD, address: str = "cloud.example.org") -> Page:
    form = alice.get("/collections/servers/new")
    return alice.submit(form, "#connect-server", address=address, login=LOGIN, password=password)


def _synchronise(app: Flask, server: OtherServer) -> None:
    RemoteAccount.update(due=now()).execute()
    assert rounds.synchronise(RemoteAccount.get(), app.extensions["settings"], server.ask)


def test_a_server_is_connected_its_calendar_chosen_and_shown(app: Flask, alice: Visitor, server: OtherServer) -> None:
    url = server.make("timetable", "calendar")
    server.put(url, "a.ics", event("a", "Council"))
    assert "Connect a server" in alice.get("/collections/servers").text
    choice = _connect(alice)
    assert choice.address == "/collections/servers/1" and "Timetable" in choice.text and PASSWORD not in choice.html
    listed = alice.submit(choice, "main form", url=url)
    assert listed.address == "/collections/servers" and "Waiting to synchronise" in listed.text
    _synchronise(app, server)
    listed = alice.get("/collections/servers")
    assert "Last synchronised" in listed.text and "Timetable" in listed.one("[data-link]").get_text()
    assert CalendarObject.select().count() == 1
    assert [entry.act for entry in AuditEntry.select().where(AuditEntry.act.startswith("other-server"))] == [
        "other-server-connected"
    ]


def test_a_refused_password_is_told_kept_from_guessing_and_never_shown(alice: Visitor, server: OtherServer) -> None:
    for _time in range(10):
        answer = _connect(alice, "wrong one")
        assert answer.status == 422 and "refused this user name and password" in answer.text
    assert LOGIN in answer.html and "wrong one" not in answer.html
    answer = _connect(alice)
    assert answer.status == 429 and "15 minutes" in answer.text
    assert not RemoteAccount.select().exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://", "It looks like cloud.example.org"),
        ("http://cloud.example.org/", "begins with https"),
        ("https://10.0.0.1/dav/", "only your administrator"),
        ("https://localhost/", "It looks like cloud.example.org"),
        ("nextcloud", "It looks like cloud.example.org"),
    ],
)
def test_addresses_that_are_not_asked_are_told_of(
    alice: Visitor, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    answer = _connect(alice, address=address)
    assert answer.status == 422 and words.lower() in answer.text.lower()
    assert answer.one("[name=address]")["value"] == address


@pytest.mark.parametrize(
    ("status", "words"), [(501, "No calendars or address books"), (405, "No calendars"), (502, "not responding")]
)
def test_a_web_server_without_calendars_is_not_said_to_be_away(
    alice: Visitor, server: OtherServer, status: int, words: str
) -> None:
    server.before = lambda _method, path: FetchedResponse(f"https://cloud.example.org{path}", status, "", b"")
    assert words in _connect(alice).text


def test_a_server_that_sends_on_elsewhere_gets_no_password_there(alice: Visitor, server: OtherServer) -> None:
    asked: list[str] = []

    def away(_method: str, path: str) -> FetchedResponse:
        asked.append(path)
        return FetchedResponse(f"https://cloud.example.org{path}", 302, "", b"", {"location": "https://evil.example/dav/"})

    server.before = away
    answer = _connect(alice)
    assert answer.status == 422 and "redirects to evil.example" in answer.text and asked


def test_a_password_that_is_refused_later_stops_it_until_there_is_a_new_one(
    app: Flask, alice: Visitor, server: OtherServer
) -> None:
    url = server.make("timetable", "calendar")
    alice.submit(_connect(alice), "main form", url=url)
    server.before = lambda _method, path: FetchedResponse(path, 401, "", b"")
    _synchronise(app, server)
    listed = alice.get("/collections/servers")
    assert "refuses the password" in listed.text and not listed.all("form[action$='/sync']")
    asked_before = len(server.asked)
    RemoteAccount.update(due=now()).execute()
    assert rounds.sweep(app.extensions["settings"]) == 0 and len(server.asked) == asked_before
    server.before = lambda _method, _path: None
    form = alice.get(listed.link("Enter a new password"))
    assert form.one("[name=login]")["value"] == LOGIN
    alice.submit(form, "#connect-server", password=PASSWORD)
    _synchronise(app, server)
    assert RemoteAccount.get().error == "" and RemoteAccount.select().count() == 1


@pytest.fixture
def linked(app: Flask, alice: Visitor, server: OtherServer) -> RemoteLink:
    url = server.make("timetable", "calendar")
    server.put(url, "a.ics", event("a", "Council"))
    alice.submit(_connect(alice), "main form", url=url)
    _synchronise(app, server)
    return RemoteLink.get()


@pytest.mark.parametrize(("action", "kept"), [("keep", 1), ("remove", 0)])
def test_disconnecting_keeps_what_is_here_or_puts_it_into_the_trash(
    alice: Visitor, server: OtherServer, linked: RemoteLink, action: str, kept: int
) -> None:
    page = alice.get(alice.get("/collections/servers").link("Disconnect…"))
    page = alice.submit(page, "main form", action=action)
    assert page.address == "/collections/servers" and "is disconnected" in page.notices
    assert (RemoteAccount.select().count(), RemoteLink.select().count(), RemoteItem.select().count()) == (0, 0, 0)
    assert Collection.select().where(Collection.id == linked.collection_id).count() == kept
    assert TrashedItem.select().count() == 1 - kept
    assert len(server.texts(linked.url)) == 1


def test_much_that_goes_with_a_server_is_left_to_a_worker(
    alice: Visitor, app: Flask, server: OtherServer, linked: RemoteLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete_task, "SMALL", 0)
    page = alice.submit(alice.get(alice.get("/collections/servers").link("Disconnect…")), "main form", action="remove")
    assert "is disconnected" in page.notices and "Deleting “" in page.notices
    assert (RemoteAccount.select().count(), RemoteLink.select().count(), TrashedItem.select().count()) == (0, 0, 0)
    assert work_all(app) == 1
    assert not Collection.select().where(Collection.id == linked.collection_id).exists() and TrashedItem.select().count() == 1
    assert len(server.texts(linked.url)) == 1


def test_a_server_stays_where_nothing_can_be_left_to_a_worker(
    alice: Visitor, server: OtherServer, linked: RemoteLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args, **_more) -> None:
        raise LimitReachedError("tasks")

    monkeypatch.setattr(delete_task, "SMALL", 0)
    monkeypatch.setattr(delete_task.tasks, "start", full)
    page = alice.submit(alice.get(alice.get("/collections/servers").link("Disconnect…")), "main form", action="remove")
    assert "too many tasks" in page.notices and (RemoteAccount.select().count(), RemoteLink.select().count()) == (1, 1)


def test_the_page_of_the_collection_says_where_it_lives_too(alice: Visitor, linked: RemoteLink) -> None:
    page = alice.get(f"/collections/{linked.collection_id}")
    assert (
        "synchronised with cloud.example.org" in alice.get("/collections").one(f"[data-collection='{linked.collection_id}']").text
    )
    assert "Synchronised with cloud.example.org, both ways" in page.text and "Nothing changes on cloud.example.org" in page.text


def test_the_state_is_renewed_while_a_round_goes_on(alice: Visitor, linked: RemoteLink) -> None:
    RemoteAccount.update(working=1).execute()
    RemoteLink.update(done=1200, total=4000).execute()
    state = alice.get("/collections/servers?auto=1", htmx="servers")
    assert "1,200 of 4,000" in state.text and state.one("#servers")["hx-trigger"] == "every 3s"
    assert "<main" not in state.html and state.one("progress")["value"] == "1200"
    RemoteAccount.update(working=0, due=now() + timedelta(minutes=15)).execute()
    assert "hx-trigger" not in alice.get("/collections/servers?auto=1", htmx="servers").html
    alice.submit(alice.get("/collections/servers"), "form[action$='/sync']")
    assert RemoteAccount.get().due <= now()


def test_what_is_missing_is_asked_about_and_answered(app: Flask, alice: Visitor, linked: RemoteLink) -> None:
    RemoteLink.update(missing="there", missing_count=180).execute()
    assert "needs you" in alice.get("/collections").text
    page = alice.get("/collections/servers")
    assert "180 events are missing on cloud.example.org" in page.text
    page = alice.submit(page, ".server-question", action="restore")
    assert RemoteLink.get().answer == "restore" and "next synchronisation" in page.text


def test_copies_are_listed_until_they_are_dismissed(alice: Visitor, linked: RemoteLink) -> None:
    RemoteItem.create(link=linked, name="b.ics", note="conflict", title="Council <b>")
    page = alice.get("/collections/servers")
    assert "“Council <b>”: changed here and on cloud.example.org" in page.text
    page = alice.submit(page, ".server-notes form", action="dismiss")
    assert "Council" not in page.text


def test_others_have_no_way_to_it(app: Flask, alice: Visitor, linked: RemoteLink) -> None:
    User.create(address="bob@lycee.example", local="bob", domain="lycee.example", password=hashing.hash_password(OWN))
    bob = Visitor(app, "bob@lycee.example", OWN)
    bob.submit(bob.get("/login"), "form[action='/login']", username="bob@lycee.example", password=OWN, follow=False)
    for path in ("/collections/servers/1", "/collections/servers/1/disconnect"):
        assert bob.get(path).status == 404
    assert "cloud.example.org" not in bob.get("/collections/servers").text


def test_the_own_data_tells_of_the_server_without_its_password(alice: Visitor, linked: RemoteLink) -> None:
    user = User.get(User.local == "alice")
    files = {name: b"".join(pieces) for name, pieces in data_export.files_of(user)}
    assert b"cloud.example.org" in files["other-calendar-servers.json"]
    assert not [name for name, content in files.items() if PASSWORD.encode() in content or b"secret" in content]


def test_an_account_that_is_gone_or_disabled_is_no_longer_synchronised(app: Flask, alice: Visitor, linked: RemoteLink) -> None:
    User.update(active=0).where(User.local == "alice").execute()
    RemoteAccount.update(due=now()).execute()
    assert rounds.sweep(app.extensions["settings"]) == 0
    User.delete().where(User.local == "alice").execute()
    assert not RemoteAccount.select().exists() and not RemoteItem.select().exists()


def test_an_administrator_may_do_without(tmp_path: Path, alice: Visitor, app: Flask) -> None:
    import dataclasses

    app.extensions["settings"] = dataclasses.replace(app.extensions["settings"], other_dav_servers=False)
    assert alice.get("/collections/servers").status == 404


def test_few_pages_wait_for_other_servers_at_once(alice: Visitor, server: OtherServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with all_taken(monkeypatch):
        answer = _connect(alice)
        assert answer.status == 422 and "Try again later" in answer.text and not server.asked
