"""Forms that are sent twice: what of their answers is kept, and what makes two of them one."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.visits import Page, fields_of
from webmail import create_app
from webmail.auth.passwords import hashing
from webmail.database.connection import db
from webmail.models import CalendarObject, SentForm, User
from webmail.web.forms import double_submits

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("once")
    app = create_app(
        folder, domain="lycee.example", sign_in="accounts", secure_cookies="false", imap_security="none", imap_port=1,
        server_timeout=1, public_url="http://localhost", language="en",
    )  # fmt: skip
    with db.connection_context():
        User.create(
            address="alice@lycee.example", local="alice", domain="lycee.example", password=hashing.hash_password(PASSWORD)
        )
    yield app
    db.obj.close()


@pytest.fixture
def alice(app: Flask) -> FlaskClient:
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token
    assert client.post("/login", data={"csrf_token": token[1], "username": "alice", "password": PASSWORD}).status_code == 303
    SentForm.delete().execute()
    return client


def form_of(client: FlaskClient, address: str, leads_to: str) -> tuple[str, dict[str, Any]]:
    page = Page(client.get(address))
    form = next(form for form in page.all("form[method=post]") if str(form["action"]).partition("?")[0] == leads_to)
    return str(form["action"]), fields_of(form)


def test_of_one_person_so_many_pages_are_kept_and_no_more(alice: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double_submits, "MOST_PAGES", 2)
    token = fields_of(Page(alice.get("/account/password")).one("form[action='/account/password']"))["csrf_token"]
    for number in range(4):
        typed = {"csrf_token": token, "form_id": f"{number:032x}", "new_password": "correct"}
        first, second = (alice.post("/account/password/strength", data=typed) for _ in range(2))
        assert first.status_code == 200
        assert (second.text == first.text) if number < 2 else (second.status_code == 409)
    assert "This form has already been sent" in second.text
    assert [row.answer is not None for row in SentForm.select().order_by(SentForm.created)] == [True, True, False, False]


def test_an_address_in_answer_stands_nowhere_in_clear(alice: FlaskClient) -> None:
    action, data = form_of(alice, "/settings/templates/new", "/settings/templates/new")
    first, second = (alice.post(action, data=data | {"name": "Letter", "body": "Dear"}) for _ in range(2))
    assert first.status_code == second.status_code == 303 and first.location == second.location
    [row] = SentForm.select()
    assert row.location and "/settings" not in row.location


def test_a_file_of_the_same_name_and_size_that_says_something_else_is_another_form(alice: FlaskClient) -> None:
    action, data = form_of(alice, "/contacts/import", "/contacts/import")
    for name in ("Anne", "Anny", "Anny"):
        card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEND:VCARD\r\n".encode()
        assert alice.post(action, data=data | {"file": (io.BytesIO(card), "all.vcf")}).status_code == 303
    assert SentForm.select().count() == 2


def test_what_was_undone_is_done_again_by_the_same_form(alice: FlaskClient) -> None:
    where, fields = form_of(alice, "/calendar/events/new", "/calendar/events/new")
    fields |= {"title": "Meeting"}

    for _time in range(2):
        answer = alice.post(where, data=fields)
        assert answer.status_code == 303 and alice.post(where, data=fields).location == answer.location
        assert CalendarObject.select().count() == 1
        undo, steps = form_of(alice, str(answer.location), "/calendar/changes/undo")
        assert "Undone." in alice.post(undo, data=steps, follow_redirects=True).text
        assert CalendarObject.select().count() == 0


def test_an_undo_that_comes_too_late_leaves_the_form_as_it_was(alice: FlaskClient) -> None:
    where, fields = form_of(alice, "/calendar/events/new", "/calendar/events/new")
    fields |= {"title": "Meeting"}
    made = alice.post(where, data=fields)
    undo, steps = form_of(alice, str(made.location), "/calendar/changes/undo")
    event = CalendarObject.get()
    CalendarObject.update(etag="changed").where(CalendarObject.id == event.id).execute()
    alice.post(undo, data=steps)
    assert alice.post(where, data=fields).location == made.location and CalendarObject.select().count() == 1
