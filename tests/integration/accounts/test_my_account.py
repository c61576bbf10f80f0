"""My account: the page, the name that others see, and asking for deletion, as a person does it."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import AuditEntry, SystemMessage, User
from webmail.people import own_name

NAME = "form[action='/account/name']"
DELETE = "form[action^='/account/delete?'], form[action='/account/delete']"


def stored(person: Visitor) -> User:
    with db.connection_context():
        return User.get(User.address == person.address)


def acts(person: Visitor) -> list[str]:
    with db.connection_context():
        found = AuditEntry.select().where(AuditEntry.actor == stored(person)).order_by(AuditEntry.id)
        return [entry.act for entry in found if entry.act.startswith(("own-", "deletion-"))]


def letters(address: str, kind: str) -> list[str]:
    with db.connection_context():
        found = SystemMessage.select().where((SystemMessage.recipient == address) & (SystemMessage.kind == kind))
        return [row.subject for row in found.order_by(SystemMessage.id)]


@pytest.fixture
def surname() -> str:
    """One that nobody else has: others' accounts are in the same database."""
    return "".join(random.choices(string.ascii_lowercase, k=12)).capitalize()


@pytest.fixture
def named(person: Visitor, surname: str) -> Visitor:
    with db.connection_context():
        own_name.put(User.get(User.address == person.address), f"Alice {surname}")
    return person


@pytest.fixture
def setting(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def put(**values: Any) -> None:
        monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], **values))

    yield put


def test_the_page_leads_to_everything_that_is_ones_own(named: Visitor) -> None:
    page = named.get("/account")
    assert page.one("h1").get_text() == "My account"
    for address in (
        "/account/name",
        "/settings/language-time",
        "/account/password",
        "/devices",
        "/account/data",
        "/account/delete",
    ):
        assert page.all(f"main a[href='{address}']"), address
        assert named.get(address).status == 200
    assert page.one(".account [href='/account']").get_text(strip=True) == "My account"


def test_the_name_is_changed_undone_and_restored(named: Visitor, surname: str) -> None:
    page = named.submit(named.get("/account/name"), NAME, name=f"Alix {surname}")
    assert f"Others now see “Alix {surname}”." in page.notices and f"Alix {surname}" in page.one("#name").get_text()
    assert f"Alix {surname}" in named.get("/compose").html, "messages are from this name"
    page = named.submit(page, f"#notices {NAME}, .notices {NAME}")
    assert f"Others now see “Alice {surname}”." in page.notices and not page.all(f".notices {NAME}")
    named.submit(named.get("/account/name"), NAME, name=f"Alix {surname}")
    page = named.get("/account/name")
    restore = page.one("main form.toolbar")
    assert restore.get_text(strip=True) == f"Use “Alice {surname}” again"
    named.submit(page, "main form.toolbar", name="")
    assert (stored(named).name, stored(named).name_given) == (f"Alice {surname}", None)
    assert acts(named) == ["own-name-set"] * 4


def test_a_colleagues_name_is_refused_and_the_text_kept(named: Visitor, surname: str, make_account: Callable[..., str]) -> None:
    with db.connection_context():
        own_name.put(User.get(User.address == make_account()), f"Robert {surname[::-1]}")
    page = named.submit(named.get("/account/name"), NAME, name=f"Robert {surname[::-1]}")
    assert page.status == 422 and "colleague’s name" in page.one(".field-error").get_text()
    assert page.one("main form.form [name=name]")["value"] == f"Robert {surname[::-1]}"
    assert stored(named).name == f"Alice {surname}" and acts(named) == []


def test_where_the_administrator_does_not_let_people_only_the_given_name_comes_back(
    named: Visitor, surname: str, setting: Callable[..., None]
) -> None:
    page = named.get("/account/name")
    named.submit(page, NAME, name=f"Alix {surname}")
    token = named.get("/account/name").one("main form.form [name=csrf_token]")["value"]
    setting(own_name=False)
    named.post("/account/name", {"csrf_token": token, "name": "Somebody"})
    assert stored(named).name == f"Alix {surname}"
    named.post("/account/name", {"csrf_token": token, "name": ""})
    assert stored(named).name == f"Alice {surname}"
    assert named.get("/account/name").status == 404
    assert not named.get("/account").all("a[href='/account/name']")


def test_deletion_is_asked_for_told_and_withdrawn(named: Visitor, setting: Callable[..., None]) -> None:
    setting(admin_address="head@lycee.example")
    page = named.submit(named.get("/account/delete"), DELETE, reason="I leave\nthe school")
    if page.all("form[action='/account/confirm']"):  # the password is asked for again, then the form goes on
        page = named.submit(page, "form[action='/account/confirm']", password="demo")
    if page.all(DELETE):
        page = named.submit(page, DELETE, reason="I leave\nthe school")
    assert "asked on" in named.get("/account").text and stored(named).deletion_reason == "I leave\nthe school"
    assert letters("head@lycee.example", "deletion")[-1] == f"{named.address} demande la suppression de son compte"
    assert letters(named.address, "security")[-1] == "You asked for your account to be deleted"
    again = named.get("/account/delete")
    assert not again.all(DELETE) and "asked on" in again.text
    page = named.submit(again, "form[action='/account/delete/withdraw']")
    assert "Your account stays." in page.notices and "asked on" not in page.one("main").get_text()
    assert stored(named).deletion_asked is None and stored(named).deletion_reason == ""
    assert letters("head@lycee.example", "deletion")[-1] == f"{named.address} garde son compte"
    assert acts(named) == ["deletion-asked", "deletion-withdrawn"]


def test_without_an_address_the_accounts_of_administrators_are_told_of_a_deletion(
    named: Visitor, setting: Callable[..., None], make_account: Callable[..., str]
) -> None:
    setting(admin_address="")
    reader = make_account("chief")
    User.update(role="admin").where(User.address == reader).execute()
    try:
        page = named.submit(named.get("/account/delete"), DELETE, reason="")
        if page.all("form[action='/account/confirm']"):
            page = named.submit(page, "form[action='/account/confirm']", password="demo")
        if page.all(DELETE):
            named.submit(page, DELETE, reason="")
        told = SystemMessage.select().where(SystemMessage.kind == "deletion", SystemMessage.recipient == reader)
        assert [named.address in one.subject for one in told] == [True]
    finally:
        User.update(role="user").where(User.address == reader).execute()


def test_signed_out_nothing_of_it_is_there(app: Flask) -> None:
    stranger = Visitor(app)
    for address in ("/account", "/account/name", "/account/data", "/account/delete"):
        assert stranger.get(address, follow=False).location.startswith("/login")


@pytest.mark.parametrize("query, address", [
    ("display name", "/account/name"), ("export", "/account/data"), ("supprimer compte", "/account/delete"), ("2fa", "/account"),
])  # fmt: skip
def test_the_search_of_settings_finds_it(named: Visitor, query: str, address: str) -> None:
    assert named.get(f"/settings?q={query}").all(f"main a[href='{address}']")
