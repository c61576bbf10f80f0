"""The page on which one asks for what was, as a person sees it: what works, what is refused, and what others ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.visits import Page, Visitor
from webmail.models import AuditEntry, RestoreRequest, RestoreState, User, now
from webmail.restores import requests

NIGHTS = [("aaaa1111", datetime(2026, 11, 30, 2, 30)), ("bbbb2222", datetime(2026, 12, 1, 2, 30))]


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(
        tmp_path / "instance", language="en", system_address="office@lycee.example", system_password="x"
    ) as made:
        for local in ("alice", "bob", "root"):
            add(f"{local}@lycee.example")
        User.update(role="admin").where(User.address == "root@lycee.example").execute()
        ground.calendar_of("alice", "choir", "Choir")
        requests.note_nights(NIGHTS)
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.signed_in(app, "alice")


def administrator(app: Flask) -> Visitor:
    return ground.signed_in(app, "root").confirm()


def asked(visitor: Visitor, what: str = "calendar:", night: str = "bbbb2222", form: Page | None = None, **more: str) -> Page:
    shown = form or visitor.get("/account/restore")
    return visitor.submit(shown, "form[action='/account/restore']", follow=False, what=what, night=night, **more)


def asked_for(visitor: Visitor, form: Page | None = None, **fields: str) -> Page:
    """As an administrator."""
    usual = {"address": "alice@lycee.example", "night": "bbbb2222", "kind": "mail", "folder": ""}
    shown = form or visitor.get("/admin/restores")
    return visitor.submit(shown, "form[action='/admin/restores']", follow=False, **(usual | fields))


def test_it_offers_nights_and_what_one_has(alice: Visitor) -> None:
    seen = alice.get("/account/restore")
    text = seen.html
    for words in ("Bring back from a backup", "All my mail", "All my calendars", "Choir", "All my address books"):
        assert words in text
    assert text.index("bbbb2222") < text.index("aaaa1111")  # the latest first


def test_one_asks_and_is_told_where_it_will_be(alice: Visitor, app: Flask) -> None:
    number = requests_of_choir(alice)
    seen = asked(alice, f"calendar:{number}", "aaaa1111")
    assert seen.status == 303
    row = RestoreRequest.get()
    assert (row.kind, row.what, row.title, row.place) == ("calendar", str(number), "Choir", "Choir of 30 November 2026")
    assert (row.snapshot, row.state, row.asked_by) == ("aaaa1111", RestoreState.WAITING, "alice@lycee.example")
    text = alice.get("/account/restore").text
    assert "You will find it in “Choir of 30 November 2026”" in text
    assert "Waiting. It begins within a few minutes." in text
    assert not alice.get("/account/restore").all("form.form")
    assert (Path(app.extensions["settings"].instance) / "restore" / "asked").is_file()
    assert (
        AuditEntry.select().where(AuditEntry.act == "restore-asked", AuditEntry.actor_address == "alice@lycee.example").count()
        == 1
    )


def requests_of_choir(visitor: Visitor) -> int:
    found = re.search(r'value="calendar:(\d+)"[^>]*>Choir', visitor.get("/account/restore").html)
    assert found
    return int(found[1])


def test_a_folder_that_is_no_longer_there_is_typed(alice: Visitor) -> None:
    assert asked(alice, folder="Work/2024").status == 303
    assert (RestoreRequest.get().kind, RestoreRequest.get().what, RestoreRequest.get().place) == (
        "mail", "Work/2024", "2024 of 1 December 2026",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"night": "cccc"}, "Choose a night that is in the list."),
        ({"night": ""}, "Choose a night that is in the list."),
        ({"what": "calendar:999999"}, "Choose what to bring back."),
        ({"what": "calendar:1 OR 1"}, "Choose what to bring back."),
        ({"what": "keys:"}, "Choose what to bring back."),
        ({"what": "mail:../../etc"}, "Choose what to bring back."),
        ({"folder": "x" * 501}, "This can’t be the name of a folder."),
        ({"folder": "a\x00b"}, "This can’t be the name of a folder."),
    ],
)
def test_what_is_not_offered_is_refused_in_words(alice: Visitor, fields: dict[str, str], words: str) -> None:
    seen = asked(alice, **fields)
    assert (seen.status, words in seen.text) == (422, True)
    assert RestoreRequest.select().count() == 0


def test_a_calendar_of_somebody_else_is_not_offered_nor_taken(app: Flask, alice: Visitor) -> None:
    number = requests_of_choir(alice)
    bob = ground.signed_in(app, "bob")
    assert "Choir" not in bob.get("/account/restore").text
    assert asked(bob, f"calendar:{number}").status == 422


def test_whoever_is_signed_out_is_led_to_the_sign_in(app: Flask) -> None:
    stranger = app.test_client()
    assert "/login" in stranger.get("/account/restore").location
    assert stranger.post("/account/restore", data={"what": "mail:", "night": "aaaa1111"}).status_code in (303, 400)
    assert RestoreRequest.select().count() == 0


def test_requests_of_others_are_not_shown(app: Flask, alice: Visitor) -> None:
    asked(alice)
    seen = ground.signed_in(app, "bob").get("/account/restore")
    assert not seen.all("[data-restore]")
    assert seen.all("form.form")  # alice's keeps nobody else waiting


def test_two_at_once_make_one_request(app: Flask, alice: Visitor) -> None:
    user = User.get(User.address == "alice@lycee.example")
    form = alice.get("/account/restore")
    wish = requests.RestoreWish("aaaa1111", requests.RestoreKind.MAIL, "", "", "x")
    refused: list[Exception] = []

    def ask() -> None:
        try:
            requests.ask(user, user, wish)
        except requests.OneAtATimeError as error:
            refused.append(error)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (RestoreRequest.select().count(), len(refused)) == (1, 3)
    seen = asked(alice, form=form)
    assert (seen.status, "Something is being brought back already" in seen.text) == (409, True)


def test_each_state_is_told_in_words(alice: Visitor) -> None:
    asked(alice)
    row = RestoreRequest.get()

    def told(**changed: object) -> str:
        RestoreRequest.update(**changed).execute()
        return alice.get("/account/restore").text

    assert "the server has not begun" in told(asked=now() - timedelta(hours=3))
    assert "In progress." in told(state=RestoreState.WORKING)
    done = told(state=RestoreState.DONE, number=12, left_out=1, open_for=None)
    assert "12 events are in “All my calendars of 1 December 2026”. 1 could not be read." in done
    assert alice.get("/account/restore").all("form.form")
    for problem, words in {
        "no-room": "not enough room", "not-there": "It was not in this backup", "night-gone": "no longer kept", "stopped": "stopped halfway",
        "else": "could not be brought back",
    }.items():  # fmt: skip
        assert words in told(state=RestoreState.FAILED, problem=problem)
    assert row.user_id


def test_without_backups_the_page_says_so(alice: Visitor) -> None:
    requests.note_nights([])
    seen = alice.get("/account/restore")
    assert "There is no backup that pages can use." in seen.text
    assert not seen.all("form.form")


def test_an_administrator_asks_for_somebody_and_both_are_told(app: Flask, alice: Visitor) -> None:
    root = administrator(app)
    seen = asked_for(root, folder="Sent")
    assert seen.status == 303
    assert (RestoreRequest.get().asked_by, RestoreRequest.get().user.address) == ("root@lycee.example", "alice@lycee.example")
    assert "alice@lycee.example" in root.get("/admin/restores").text
    assert "Asked for by root@lycee.example." in alice.get("/account/restore").text
    assert AuditEntry.select().where(AuditEntry.act == "restore-asked", AuditEntry.target == "alice@lycee.example").count() == 1
    again = asked_for(root)
    assert (again.status, "already" in again.text) == (409, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": "nobody@lycee.example"}, "No account has this address."),
        ({"night": "x"}, "Choose a night"),
        ({"kind": "keys"}, "Choose what to bring back"),
        ({"kind": "calendar", "folder": "Sent"}, "a folder is part of mail"),
    ],
)
def test_what_an_administrator_types_wrongly_is_said(app: Flask, fields: dict[str, str], words: str) -> None:
    seen = asked_for(administrator(app), **fields)
    assert (seen.status, words in seen.text) == (422, True)
    assert RestoreRequest.select().count() == 0


def test_the_page_for_administrators_is_theirs_alone(alice: Visitor) -> None:
    assert alice.get("/admin/restores").status in (403, 404)
    assert alice.post("/admin/restores", {"address": "bob@lycee.example"}).status in (400, 403)
    assert RestoreRequest.select().count() == 0
