"""Rooms as administrators describe them: on their page, and by command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.rooms import booked, day, room
from tests.support.visits import Visitor
from webmail.models import AuditAct, AuditEntry, CalendarObject, Resource, ResourceSlot, User
from webmail.people import groups


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    ground.add("root@lycee.example")
    User.update(role="admin").where(User.address == "root@lycee.example").execute()
    return ground.signed_in(app, "root").confirm()


def test_a_room_is_described_changed_and_deleted(root):
    group = groups.create("lycee.example", "Profs")
    page = root.submit(
        root.get("/admin/rooms/new"), "main form", name="Salle 101", capacity="30", equipment="Projecteur\nPiano\n", site="A",
        bookers=group.identifier, days_ahead="90", approval="1", approver="root@lycee.example",
    )  # fmt: skip
    assert page.status == 200
    made = Resource.get()
    assert (made.address, made.capacity, made.equipment) == ("salle-101@lycee.example", 30, "Projecteur\nPiano")
    assert (made.bookers, made.days_ahead, made.approver.address) == (group.identifier, 90, "root@lycee.example")
    root.submit(root.get(page.link("Salle 101")), "form[action$='/rooms/1']", name="Salle 102", bookers=None)
    assert (Resource.get().name, Resource.get().address, Resource.get().bookers) == ("Salle 102", "salle-101@lycee.example", "")
    assert "tick the box first" in root.submit(root.get("/admin/rooms/1"), "form[action$='/delete']").notices
    root.submit(root.get("/admin/rooms/1"), "form[action$='/delete']", sure="1")
    assert not Resource.select().exists()
    changes = [one.details for one in AuditEntry.select().where(AuditEntry.act == AuditAct.ROOM_CHANGED).order_by(AuditEntry.id)]
    assert ["made" in changes[0], "changed" in changes[1], "deleted" in changes[2]] == [True] * 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Enter a name"),
        ({"capacity": "many"}, "Enter a number from 0"),
        ({"address": "root@lycee.example"}, "This address is in use"),
        ({"address": "taken@lycee.example"}, "This address is in use"),
        ({"address": "no address"}, "Enter an address such as"),
        ({"approval": "1", "approver": "nobody@lycee.example"}, "No account has this address"),
    ],
)
def test_what_can_not_be_keeps_what_was_typed(root, fields, words):
    room("Autre", address="taken@lycee.example")
    page = root.submit(root.get("/admin/rooms/new"), "main form", **({"name": "Salle 101", "site": "Bâtiment A"} | fields))
    assert page.status == 422 and words in page.one("main").get_text()
    assert page.one("[name=site]")["value"] == "Bâtiment A" and Resource.select().count() == 1


def test_others_see_nothing_of_it(app):
    assert ground.person(app).get("/admin/rooms").status == 403


def test_deleting_a_room_leaves_the_events(root):
    wanted = room()
    form = root.get("/calendar/events/new")
    root.submit(
        form,
        "form[data-event-form]",
        title="Conseil",
        start=day(),
        start_hour="10:00",
        end=day(),
        end_hour="11:00",
        room=wanted.address,
    )
    assert len(booked()) == 1
    root.submit(root.get(f"/admin/rooms/{wanted.id}"), "form[action$='/delete']", sure="1")
    row = CalendarObject.get()
    page = root.get(f"/calendar/events/{row.collection_id}/{row.href}")
    assert "Salle 101" in page.text and not page.one("[data-booking]")["data-booking"] and not ResourceSlot.select().exists()


def test_commands(app):
    groups.create("lycee.example", "Profs")
    run = app.test_cli_runner().invoke
    made = run(
        args=["rooms", "add", "Salle 101", "--seats", "30", "--has", "projector", "--group", "Profs", "--days-ahead", "60"]
    )
    assert made.output == "Salle 101: events invite it as salle-101@lycee.example\n"
    assert run(args=["rooms", "list"]).output == "salle-101@lycee.example\troom\t30\tSalle 101\n"
    assert run(args=["rooms", "add", "Autre", "--address", "salle-101@lycee.example"]).exit_code == 1
    assert run(args=["rooms", "add", "Autre", "--group", "Nobody"]).exit_code == 1
    assert run(args=["rooms", "delete", "salle-101@lycee.example"]).output == "deleted Salle 101\n"
    assert run(args=["rooms", "delete", "salle-101@lycee.example"]).exit_code == 1


def test_no_two_rooms_of_a_site_have_one_name(root, app):
    fields = {"name": "Salle 101", "site": "Bâtiment A"}
    root.submit(root.get("/admin/rooms/new"), "main form", **fields)
    page = root.submit(root.get("/admin/rooms/new"), "main form", **fields | {"name": "salle 101", "site": "batiment a"})
    assert page.status == 422 and "Another one of this name" in page.text and Resource.select().count() == 1
    root.submit(root.get("/admin/rooms/new"), "main form", **fields | {"site": "Bâtiment B"})
    assert Resource.select().count() == 2
    root.submit(root.get("/admin/rooms/1"), "form[action$='/rooms/1']", capacity="12")
    assert Resource.get_by_id(1).capacity == 12, "its own name is not another's"
    done = app.test_cli_runner().invoke(args=["rooms", "add", "Salle 101", "--site", "Bâtiment A"])
    assert done.exit_code == 1 and "another one is called Salle 101" in done.output
