"""Removing an identity, a signature or a template has an undo; on real servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.models import AllowedAddress, ReadyText, Signature, User, WritingIdentity

FORM = "form.form"
UNDO = "form[action='/settings/put-back']"
OFFICE = "undo-office@lycee.example"


@pytest.fixture
def other(app: Flask, make_account: Callable[..., str]) -> Visitor:
    return Visitor(app, make_account()).sign_in()


def user_of(person: Visitor) -> User:
    return User.get(User.address == person.address)


def add(person: Visitor, area: str, **fields: str) -> None:
    assert person.submit(person.get(f"/settings/{area}/new"), FORM, **fields).status == 200


def removed(person: Visitor, area: str, number: int) -> Page:
    return person.submit(person.get(f"/settings/{area}/{number}/remove"), "form.toolbar")


def row_of(table: type, person: Visitor) -> dict[str, object]:
    with db.connection_context():
        return dict(table.get(table.user == user_of(person)).__data__)  # type: ignore[attr-defined]


def test_a_signature_is_back_with_those_who_signed_with_it(person: Visitor) -> None:
    add(person, "signatures", name="Me", text="Alice\nPhysics")
    before, identity = row_of(Signature, person), row_of(WritingIdentity, person)
    assert identity["signature"] == before["id"]
    page = removed(person, "signatures", int(str(before["id"])))
    assert "Signature deleted." in page.notices and row_of(WritingIdentity, person)["signature"] is None
    page = person.submit(page, UNDO)
    assert "Signature restored." in page.notices and page.address == "/settings/signatures" and not page.all(UNDO)
    assert (row_of(Signature, person), row_of(WritingIdentity, person)) == (before, identity)


def test_an_identity_is_back_as_it_was(person: Visitor) -> None:
    with db.connection_context():
        AllowedAddress.create(user=user_of(person), address=OFFICE)
    add(person, "identities", name="Bureau", address=OFFICE, bcc="archive@elsewhere.example", is_default="y")
    before = row_of(WritingIdentity, person)
    page = removed(person, "identities", int(str(before["id"])))
    assert "Identity restored." in person.submit(page, UNDO).notices
    assert row_of(WritingIdentity, person) == before
    assert "no longer be undone" in person.submit(page, UNDO).notices  # a double click
    assert row_of(WritingIdentity, person) == before


def test_an_identity_that_one_may_no_longer_have_stays_away(person: Visitor) -> None:
    with db.connection_context():
        AllowedAddress.create(user=user_of(person), address=OFFICE)
    add(person, "identities", name="Bureau", address=OFFICE)
    page = removed(person, "identities", int(str(row_of(WritingIdentity, person)["id"])))
    with db.connection_context():
        AllowedAddress.delete().where(AllowedAddress.user == user_of(person)).execute()
    assert "was not restored" in person.submit(page, UNDO).notices
    with db.connection_context():
        assert not WritingIdentity.select().where(WritingIdentity.user == user_of(person)).exists()


def test_a_template_is_back(person: Visitor) -> None:
    add(person, "templates", name="Absence", subject="s", body="b")
    before = row_of(ReadyText, person)
    page = person.submit(removed(person, "templates", int(str(before["id"]))), UNDO)
    assert "Template restored." in page.notices and row_of(ReadyText, person) == before


def test_nobody_else_has_it(person: Visitor, other: Visitor) -> None:
    add(person, "templates", name="Absence", subject="s", body="b")
    page = removed(person, "templates", int(str(row_of(ReadyText, person)["id"])))
    undo = str(page.one(f"{UNDO} [name=undo]")["value"])
    token = str(other.get("/settings/templates/new").one(f"{FORM} [name=csrf_token]")["value"])
    for value in (undo, "", "x" * 5000, "' or 1=1"):
        assert "no longer be undone" in other.post("/settings/put-back", {"csrf_token": token, "undo": value}).notices
    with db.connection_context():
        assert not ReadyText.select().where(ReadyText.name == "Absence", ReadyText.user.in_([user_of(other)])).exists()
    assert "Template restored." in person.submit(page, UNDO).notices
