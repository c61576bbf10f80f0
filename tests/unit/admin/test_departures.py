"""What others use of somebody who leaves: it stays while the account is disabled, goes to a colleague, or they are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.rooms import room
from tests.support.visits import Visitor
from webmail.admin import account_deletion
from webmail.admin.departure import uses
from webmail.calendar import links
from webmail.collections import store
from webmail.database.connection import db
from webmail.models import (
    CalendarObject,
    Collection,
    Contact,
    FileRequest,
    Poll,
    Resource,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferFile,
    TransferState,
    User,
    now,
)
from webmail.transfers import content

SECRET = "x" * 40


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(
        tmp_path / "instance", language="en", system_address="office@lycee.example", system_password="x"
    ) as made:
        yield made


@pytest.fixture
def people(app: Flask) -> dict[str, User]:
    """Marie, whose calendar Paul writes in and a book Paul reads; Hugo, who gets it all; an administrator."""
    for local in ("marie", "paul", "hugo", "root"):
        add(f"{local}@lycee.example")
    User.update(role="admin").where(User.address == "root@lycee.example").execute()
    calendar = ground.calendar_of("marie", "project", "Project")
    ground.share(calendar, "paul", "write")
    ground.put(calendar, "Paul’s meeting", ":20300105T090000Z", ":20300105T100000Z")
    return {user.local: user for user in User.select()}


def sees(local: str) -> list[str]:
    user = User.get(User.address == f"{local}@lycee.example")
    return [one.props[store.NAME] for one in store.accessible(user) if one.props[store.NAME] == "Project"]


def transfer_of(owner: User, settings) -> Transfer:
    made = Transfer.create(
        owner=owner, nonce="n", link_hash="h", state=TransferState.READY, subject="Photos", expires=now() + timedelta(days=3)
    )
    stored = content.begin(owner, 10, settings)
    TransferFile.create(transfer=made, content=stored, path="a.jpg", position=0, size=10, upload="u")
    return made


def test_what_others_use_is_listed_in_few_queries_and_stays_while_the_account_is_disabled(app, people):
    settings = app.extensions["settings"]
    transfer_of(people["marie"], settings)
    room("Salle 1", approver=people["marie"], approval=1)
    listed = [(one.kind, one.title, one.people) for one in uses.used_by_others(people["marie"])]
    assert listed == [("calendar", "Project", 1), ("transfer", "Photos", 0), ("room", "Salle 1", 0)]
    for number in range(20):
        ground.share(ground.calendar_of("marie", f"more-{number}"), "paul", "read")
    statements: list[str] = []
    db.connection().set_trace_callback(statements.append)
    assert len(uses.used_by_others(people["marie"])) == 23
    db.connection().set_trace_callback(None)
    assert len(statements) <= 8
    User.update(active=0).where(User.address == "marie@lycee.example").execute()
    assert sees("paul") == ["Project"]


def test_a_colleague_gets_all_of_it_and_who_has_it_notices_nothing(app, people):
    settings = app.extensions["settings"]
    marie, paul, hugo = (people[name] for name in ("marie", "paul", "hugo"))
    calendar = Collection.get(Collection.name == "project")
    ground.share(calendar, "hugo", "read")
    sent = transfer_of(marie, settings)
    FileRequest.create(owner=marie, nonce="r", link_hash="r", title="Homework")
    Poll.create(owner=marie, nonce="p", link_hash="p", title="Outing", zone="Europe/Paris", ends=now() + timedelta(days=9))
    links.make(marie, calendar.id, "feed", whole=True)
    before = {one.name for one in store.accessible(hugo) if one.collection.id == calendar.id}
    names = {one.name: one.rights for one in store.accessible(paul) if one.collection.id == calendar.id}
    assert uses.hand_over(marie, hugo, settings) == 4
    assert {one.name: one.rights for one in store.accessible(paul) if one.collection.id == calendar.id} == names
    own = [one for one in store.accessible(hugo) if one.collection.id == calendar.id]
    assert [one.rights for one in own] == ["own"] and {one.name for one in own} == before, "its address stays for telephones"
    account_deletion.delete(marie, settings)
    assert CalendarObject.get().collection_id == calendar.id and sees("paul") == ["Project"]
    assert Transfer.get_by_id(sent.id).owner_id == hugo.id and StoredContent.get().owner_id == hugo.id
    assert content._sealer(StoredContent.get(), settings, None), "its key opens for the new owner"
    assert FileRequest.get().owner_id == Poll.get().owner_id == hugo.id
    assert not SystemMessage.select().where(SystemMessage.kind == "departure").exists()


def test_who_uses_what_goes_with_an_account_is_told(app, people):
    with app.test_request_context("/"):
        account_deletion.delete(people["marie"], app.extensions["settings"])
    told = SystemMessage.get(SystemMessage.kind == "departure")
    assert told.recipient == "paul@lycee.example" and "Project" in told.body and "marie@lycee.example" in told.body


def test_a_book_that_is_handed_over_takes_its_contacts_along(app, people):
    marie, hugo = people["marie"], people["hugo"]
    visitor = ground.signed_in(app, "marie")
    visitor.submit(visitor.get("/contacts/new"), "main form", name="Eve Martin", email="eve@elsewhere.example")
    book = Contact.get().collection
    ground.share(book, "paul", "read")
    uses.hand_over(marie, hugo, app.extensions["settings"])
    assert Contact.get().user_id == hugo.id
    account_deletion.delete(marie, app.extensions["settings"])
    assert Contact.select().count() == 1


def test_the_page_lists_it_and_hands_it_over(app, people):
    root: Visitor = ground.signed_in(app, "root").confirm()
    page = root.get(f"/admin/departures/{people['marie'].id}")
    assert [one["data-use"] for one in page.all("[data-use]")] == ["calendar"]
    assert "No open account" in root.submit(page, "#hand-over", heir="nobody@lycee.example").text
    page = root.submit(page, "#hand-over", heir="hugo@lycee.example")
    assert "1 thing now belongs to hugo@lycee.example" in page.notices and "Nobody uses anything" in page.text
    assert Collection.get(Collection.id == Collection.get(Collection.user == people["hugo"]).id).user_id == people["hugo"].id
    assert Resource.select().count() == 0
