"""What every page shows from the database comes with the session, in one query, once the page was visited; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.auth_app import Browser, add, build
from webmail.auth.devices import refused_changes
from webmail.auth.devices.refused_changes import DeviceRefusal, RefusalReason
from webmail.auth.sessions import sessions
from webmail.auth.views.devices.refused_changes import refused_rows, refused_unseen
from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import SavedSearch, Session, Tag, TransferAllowance, User
from webmail.web.frame import page_rows

for area in ("mailbox", "transfers", "compose"):  # which have rows of their own
    import_module(f"webmail.{area}.views")


def _all_rows() -> str:
    """All are asked for; three are shown."""
    rows = {name: page_rows.page_rows(name) for name in page_rows._parts}
    return repr([sorted(tuple(row)[:3] for row in rows[name]) for name in ("searches", "tags", "allowance")])


def _seen() -> str:
    refused_rows()
    return str(refused_unseen())


@pytest.fixture
def app(empty_database: str, tmp_path: Path) -> Iterator[Flask]:
    opened = open_database(empty_database)
    migrate()
    settings = config.load(tmp_path / "instance", sign_in="accounts", domain="lycee.example", database_url=empty_database)
    app = build(settings)
    app.add_url_rule("/rows", "test.rows", _all_rows, methods=["GET", "POST"])
    app.add_url_rule("/seen", "test.seen", _seen)
    yield app
    opened.close()


@pytest.fixture
def alice(app: Flask) -> User:
    return add("alice@lycee.example")


@pytest.fixture
def browser(app: Flask, alice: User) -> Browser:
    browser = Browser(app)
    assert browser.sign_in().status_code == 303
    return browser


def test_a_page_asks_once_and_shows_what_is_there_now(browser: Browser, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.get("/rows").text == "[[], [], []]"
    Tag.create(user=alice, keyword="é", name='d\'accord "2"')
    Tag.create(user=add("bob@lycee.example"), keyword="bobs", name="Bob's")
    SavedSearch.create(user=alice, name="\\ 😀", query="from:x", mailbox="", scope="")
    TransferAllowance.create(user=alice, limit_bytes=2**50)
    asked: list[str] = []
    execute = type(db.obj).execute_sql
    monkeypatch.setattr(type(db.obj), "execute_sql", lambda self, sql, *more: asked.append(sql) or execute(self, sql, *more))
    text = browser.get("/rows").text
    assert [sql[:6] for sql in asked] == ["SELECT"], asked
    search, tag = SavedSearch.get().id, Tag.get(Tag.keyword == "é").id
    assert text == repr([[(search, "\\ 😀", "from:x")], [(tag, "é", 'd\'accord "2"')], [(2**50, "", "")]])


def test_another_person_in_the_same_browser_sees_their_own(browser: Browser, app: Flask, alice: User) -> None:
    Tag.create(user=alice, keyword="a", name="A")
    for _visit in range(2):
        assert "'A'" in browser.get("/rows").text
    add("bob@lycee.example")
    other = Browser(app)
    other.sign_in("bob")
    assert "'A'" not in other.get("/rows").text
    Session.delete().execute()
    assert browser.get("/rows").status_code == 302


def test_what_a_page_marks_as_seen_is_not_told_below(browser: Browser, alice: User) -> None:
    browser.get("/seen")
    refused_changes.note(alice, DeviceRefusal("calendar/a.ics", RefusalReason.RULE, title="T"))
    assert browser.get("/seen").text == "0"


def test_an_area_may_add_rows_while_a_page_is_on_its_way(browser: Browser, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its views come late: between the query and what is made of it."""
    Tag.create(user=alice, keyword="a", name="A")
    browser.get("/rows")
    monkeypatch.setattr(page_rows, "_parts", page_rows._parts)
    find = sessions.find

    def find_slowly(*arguments: Any, **named: Any) -> Any:
        found = find(*arguments, **named)
        page_rows.add_rows("late", Tag, (Tag.id,), lambda slot: Tag.user == slot("user"))
        return found

    monkeypatch.setattr(sessions, "find", find_slowly)
    assert "'A'" in browser.get("/rows").text
