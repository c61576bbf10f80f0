"""Calendars and books of groups: made by administrators, written by whom the group says, gone with the membership."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.dav_client import DavClient
from tests.support.visits import Visitor
from webmail.auth import account_management
from webmail.auth.devices import app_passwords
from webmail.calendar.guests import organising
from webmail.collection_pages import group_upkeep
from webmail.collections import store
from webmail.models import Collection, GroupCollection, PeopleGroup, User
from webmail.people import groups, lists


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    for local in ("root", "alice", "bob", "charlie"):
        add(f"{local}@lycee.example")
    User.update(role="admin").where(User.address == "root@lycee.example").execute()
    return ground.signed_in(app, "root").confirm()


@pytest.fixture
def group(root) -> PeopleGroup:
    made = groups.create("lycee.example", "Maths")
    groups.add(made, [user("alice"), user("bob")])
    return made


def user(local: str) -> User:
    return User.get(User.address == f"{local}@lycee.example")


def has(local: str) -> dict[str, str]:
    """What somebody has of others, with their rights."""
    return {one.props[store.NAME]: one.rights for one in store.accessible(user(local)) if one.rights != "own"}


def make(root: Visitor, group: PeopleGroup, name: str = "Lessons", kind: str = "calendar") -> None:
    page = root.submit(root.get(f"/admin/groups/{group.id}/collections"), "#new-group-collection", name=name, kind=kind)
    assert page.status == 200 and page.all("[data-collection]")


def save(root: Visitor, group: PeopleGroup, **fields: str) -> None:
    root.submit(root.get(f"/admin/groups/{group.id}/collections"), "[data-collection] form", **{"action": "save", **fields})


def test_members_have_it_and_write_and_who_leaves_has_it_no_longer(root, group):
    make(root, group)
    make(root, group, "Pupils", "addressbook")
    assert has("alice") == has("bob") == {"Lessons": "write", "Pupils": "write"} and has("charlie") == {}
    groups.remove(group, [user("bob")])
    assert has("bob") == {}


def test_named_members_and_owners_write_the_others_read(root, group):
    make(root, group)
    save(root, group, writers="named", people="alice")
    assert has("alice") == {"Lessons": "write"} and has("bob") == {"Lessons": "read"}
    page = root.submit(
        root.get(f"/admin/groups/{group.id}/collections"),
        "[data-collection] form",
        action="save",
        writers="named",
        people="charlie",
    )
    assert "charlie@lycee.example is not in this group" in page.text
    groups.remove(group, [user("alice")])
    assert has("alice") == {}, "also what they were named for"
    groups.add(group, [user("alice")])
    lists.set_owners(group, [user("bob")])
    save(root, group, writers="owners")
    assert has("alice") == {"Lessons": "read"} and has("bob") == {"Lessons": "write"}
    lists.set_owners(group, [user("alice")])
    group_upkeep.sweep()
    assert has("alice") == {"Lessons": "write"} and has("bob") == {"Lessons": "read"}
    save(root, group, writers="members")
    assert has("bob") == {"Lessons": "write"}


def test_it_belongs_to_nobody_and_its_account_is_in_no_list(root, group):
    make(root, group)
    owner = Collection.get(Collection.name.startswith("group-")).user
    assert (owner.role, owner.active, owner.name, owner.password) == ("group", 0, "Maths", "")
    assert owner.address not in root.get("/admin/people").text
    assert root.get(f"/admin/departures/{owner.id}").status == 404
    account_management.delete(user("alice"))
    assert has("bob") == {"Lessons": "write"}


def test_a_group_that_comes_back_has_it_again_and_what_nobody_brought_back_goes(root, group):
    make(root, group)
    identifier = group.identifier
    groups.delete(group)
    assert has("alice") == {} and not GroupCollection.select().exists() and group_upkeep.sweep() == 0
    again = PeopleGroup.create(identifier=identifier, name="Maths", sort="maths", domain="lycee.example")
    groups.add(again, [user("alice")])
    assert root.get(f"/admin/groups/{again.id}/collections").all("[data-collection]")
    assert has("alice") == {"Lessons": "write"}
    groups.delete(again)
    group_upkeep.sweep()
    User.update(deletion_asked="2020-01-01 00:00:00").where(User.role == "group").execute()
    assert group_upkeep.sweep() == 1 and not Collection.select().where(Collection.name.startswith("group-")).exists()


def test_undo_brings_it_back_with_the_group(root, group):
    root.submit(root.get(f"/admin/groups/{group.id}"), "#new-group-collection", name="Lessons", kind="calendar")
    assert root.get(f"/admin/groups/{group.id}").all("[data-collection]")
    page = root.submit(root.get(f"/admin/groups/{group.id}"), "form[action$='/delete']")
    assert has("alice") == {}
    page = root.submit(page, "form[action$='/groups/undo']")
    assert page.all("[data-collection]") and has("alice") == {"Lessons": "write"}


def test_a_telephone_writes_where_its_person_may(app, root, group):
    make(root, group)
    letters, _row = app_passwords.add(user("alice"), "Phone", ["caldav"])
    other, _row = app_passwords.add(user("bob"), "Phone", ["caldav"])
    save(root, group, writers="named", people="alice")
    number = GroupCollection.get().collection_id
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART:20300105T090000Z\r\nSUMMARY:Lesson\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    answers = [
        DavClient.inside(app, f"{who}@lycee.example", secret).ask(
            "PUT", f"shared-{number}/u-{who}.ics", event.encode(), **{"Content-Type": "text/calendar"}
        )[0]
        for who, secret in (("alice", letters), ("bob", other))
    ]
    assert answers == [201, 403]


def test_who_invites_from_it_is_the_organiser(app, root, group):
    make(root, group)
    alice = user("alice")
    access = next(one for one in store.accessible(alice) if one.rights == "write")
    organiser = organising.organiser_of(alice, access, app.extensions["settings"])
    assert organiser.user.id == alice.id
