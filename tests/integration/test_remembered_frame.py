"""The frame is remembered by what it shows: whatever changes it is on the next page, and nobody gets another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail.config.tables import Link
from webmail.database.connection import db
from webmail.models import Deputy, Outbox, PeopleGroup, User, now

PAGES = ("/mailbox/INBOX", "/contacts", "/calendar", "/settings")


@pytest.fixture
def changed(person: Visitor) -> Callable[..., None]:
    """`changed(role="admin")`: in the person's row, as another process or an administrator's command changes it."""

    def change(**values: Any) -> None:
        with db.connection_context():
            User.update(**values).where(User.address == person.address).execute()

    return change


def menu(page: Page) -> str:
    return page.one("details.account").get_text(" ", strip=True)


def shown(person: Visitor, pages: tuple[str, ...] = PAGES) -> list[Page]:
    """Each page as it is once its frame is remembered."""
    for path in pages * 2:
        person.get(path)
    return [person.get(path) for path in pages]


def test_name_rights_and_language_are_on_the_next_page(person: Visitor, changed: Callable[..., None]) -> None:
    for page in shown(person):
        assert "Administration" not in menu(page) and "Help with signing in" not in menu(page)
    changed(name="Ada <Lovelace>", role="admin")
    for page in map(person.get, PAGES):
        assert "Ada <Lovelace>" in menu(page) and "Administration" in menu(page) and "Help with signing in" in menu(page)
        assert page.one("details.account .avatar")["data-initials"] == "A"
    changed(role="user", language="fr")
    for page in map(person.get, PAGES):
        assert "Administration" not in menu(page) and "Se déconnecter" in menu(page)
        assert page.one("nav.areas").get_text(" ", strip=True).endswith("Écrire") and page.one("html")["lang"] == "fr"


def test_a_right_that_is_given_and_taken(person: Visitor) -> None:
    shown(person)
    with db.connection_context():
        user = User.get(User.address == person.address)
        right = Deputy.create(
            user=user, group=PeopleGroup.create(name=person.address, identifier=person.address, sort="", domain="x.example")
        )
    assert all("Help with signing in" in menu(person.get(path)) for path in PAGES)
    with db.connection_context():
        right.delete_instance()
    assert not any("Help with signing in" in menu(person.get(path)) for path in PAGES)


def test_links_of_the_establishment(app: Flask, person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(page.all("nav.own") for page in shown(person))
    link = Link("Notes", "https://notes.example")
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], links=(link,)))
    for page in map(person.get, PAGES):
        assert page.link("Notes") == "https://notes.example" and "Notes" in menu(page)


def test_preferences(person: Visitor, changed: Callable[..., None]) -> None:
    assert all(page.one("body").has_attr("data-keys") and not page.one("html").has_attr("data-theme") for page in shown(person))
    changed(preferences='{"theme": "dark", "shortcuts": false, "favourites": ["Drafts"]}')
    for page in map(person.get, PAGES):
        assert page.one("html")["data-theme"] == "dark" and not page.one("body").has_attr("data-keys")
    assert "Favourites" in person.get("/mailbox/INBOX").one("#folders").get_text()


def test_folders_and_what_is_unread_in_them(person: Visitor, fill: Callable[..., list[int]]) -> None:
    person.submit(person.get("/folders?new=1"), "form[action='/folders']", name="Vorher")
    assert "Inbox 1" not in shown(person, ("/mailbox/INBOX",))[0].one("#folders").get_text(" ", strip=True)
    fill(person, message("Neu"))
    page = person.get("/mailbox/INBOX")
    assert "Inbox 1" in page.one("#folders").get_text(" ", strip=True)
    assert "Vorher" in page.one("#folders").get_text()
    person.submit(person.get("/folder/Vorher"), "#rename", action="rename", name="Nachher")
    words = person.get("/mailbox/INBOX").one("#folders").get_text(" ", strip=True)
    assert "Nachher" in words and "Vorher" not in words


def test_a_banner_comes_and_goes(person: Visitor) -> None:
    assert not any(page.one("#alert").get_text(strip=True) for page in shown(person))
    with db.connection_context():
        user = User.get(User.address == person.address)
        failed = Outbox.create(
            user=user,
            draft="{}",
            due=now(),
            state="failed",
            message_id="<1@x>",
            sender=user.address,
            recipients="[]",
            content=b"",
            subject="Plans",
        )
    assert all("was not sent" in person.get(path).one("#alert").get_text() for path in PAGES)
    piece = person.get("/contacts", htmx="main")
    assert "was not sent" in piece.one("#alert").get_text() and piece.all("#banners[hx-swap-oob] #away")
    with db.connection_context():
        failed.delete_instance()
    assert not any(person.get(path).one("#alert").get_text(strip=True) for path in PAGES)


def test_a_notice_is_shown_once(person: Visitor) -> None:
    form = shown(person, ("/contacts",))[0].one("form[data-back]")
    token = str(form.select("[name=csrf_token]")[0]["value"])
    person.post("/folders", {"csrf_token": token, "name": "Angelegt"}, follow=False)
    assert "Angelegt" in person.get("/contacts").one("#notices").get_text()
    assert not person.get("/contacts").one("#notices").get_text(strip=True)


def test_nobody_gets_anothers(
    app: Flask, person: Visitor, make_account: Callable[..., str], changed: Callable[..., None]
) -> None:
    """Of two people of one name in one process, and of two sessions of one: names may be alike, tokens are not."""
    other, again = Visitor(app, make_account()).sign_in(), Visitor(app, person.address).sign_in()
    changed(name="Same Name")
    with db.connection_context():
        User.update(name="Same Name").where(User.address == other.address).execute()
    for path in PAGES:
        pages = [visitor.get(path) for visitor in (person, other, again) * 2]
        assert [page.html.count(other.address) > 0 for page in pages] == [False, True, False] * 2
        assert [page.html.count(person.address) > 0 for page in pages] == [True, False, True] * 2
        secrets = [{str(field["value"]).partition(".")[0] for field in page.all("[name=csrf_token]")} for page in pages]
        assert all(len(found) == 1 for found in secrets) and secrets[:3] == secrets[3:]
        assert len({*secrets[0], *secrets[1], *secrets[2]}) == 3


def test_the_bar_has_each_pages_own_way_back_and_a_form_that_works(person: Visitor) -> None:
    for path in ("/contacts", "/contacts?words=%22%3Cb%3E", "/contacts"):
        form = person.get(path).one("form[data-back]")
        assert form.select_one("[name=back]")["value"] == path
    assert person.submit(person.get("/contacts"), "details.account form[action='/logout']").address.startswith("/login")


def test_a_shared_computer_has_a_frame_of_its_own(app: Flask, person: Visitor) -> None:
    shown(person)
    shared = Visitor(app, person.address)
    shared.submit(shared.get("/login"), "form[action='/login']", username=person.address, password=person.password, shared="y")
    for path in PAGES:
        page = shared.get(path)
        assert page.one("#shared-computer") and not page.one("body").has_attr("data-ahead")
        assert not person.get(path).all("#shared-computer") and person.get(path).one("body").has_attr("data-ahead")
