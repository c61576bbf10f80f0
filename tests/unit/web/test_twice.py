"""Each form of the route table is tried twice at once, or listed with the reason why twice is harmless (tests/support/twice.py)."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.owned_things import Snapshot, furnish, snapshot
from tests.support.route_table import routes
from tests.support.twice import CARRY_AN_ID, HARMLESS, TRIED, TRIED_ON_SERVERS
from tests.support.visits import Page, fields_of
from webmail import create_app
from webmail.auth.passwords import hashing
from webmail.database.connection import db
from webmail.models import Session, User, now

PASSWORD = "correct horse"
CLICKS = 4
TEMPLATES = Path(__file__).parents[3] / "templates"
_NOT_COUNTED = {"audit", "session", "sent_forms", "jobs", "limit_uses"}  # what is noted of each visit

# where the form is, what is typed, and of which tables it makes rows
FORMS: dict[str, tuple[str, dict[str, str], str]] = {
    "/account/delete": ("/account/delete", {"reason": "Moving"}, "desk_cases system_messages system_messages"),
    "/account/recovery": ("/account/recovery", {"address": "me@world.example", "password": PASSWORD}, "mailed_codes system_messages"),
    "/calendar/events/new": ("/calendar/events/new", {"title": "Meeting"}, "calendar_objects occurrences undo"),
    "/collections/<int:number>/addresses": ("/collections/{calendar}/addresses", {"name": "Screen"}, "calendar_links"),
    "/collections/new": ("/collections/new?kind=calendar", {"name": "Rooms"}, "collections"),
    "/contacts/groups/new": ("/contacts/groups/new", {"name": "Choir"}, "contacts contact_addresses"),
    "/contacts/new": ("/contacts/new", {"given": "Ann", "family": "Petit"}, "contacts contact_addresses"),
    "/devices/new": ("/devices", {"name": "Phone", "use": "imap"}, "app_passwords system_messages"),
    "/room/report": ("/room/report", {}, "tasks"),
    "/settings/identities/new": ("/settings/identities/new", {"name": "Alice", "address": "alice@lycee.example"}, "identities"),
    "/settings/signatures/new": ("/settings/signatures/new", {"name": "Long", "text": "Alice"}, "signatures"),
    "/settings/templates/new": ("/settings/templates/new", {"name": "Letter", "body": "Dear"}, "ready_texts"),
    "/support": (
        "/support", {"kind": "mail", "text": "Nothing arrives", "contact": "room 3"},
        "support_requests system_messages system_messages",
    ),
    "/todo/new": ("/todo/new", {"title": "Essays"}, "calendar_objects todos undo"),
    "/todo/quick": ("/todo", {"words": "Essays"}, "calendar_objects todos undo"),
    "/tags": ("/tags", {"action": "add", "name": "Urgent", "colour": "red"}, "tags"),
    "/transfers/requests/new": (
        "/transfers/requests/new", {"title": "Photos", "who": "named", "people": "ann@x.example, bob@x.example"}, 
        "file_requests file_request_invites file_request_invites system_messages system_messages",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Path, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("twice")
    (folder / "config.toml").write_text("[transfers]\non = true\n")
    app = create_app(
        folder, domain="lycee.example", sign_in="accounts", secure_cookies="false", imap_security="none", imap_port=1, server_timeout=1,
        sign_in_attempts=100000, public_url="http://localhost", language="en",
        system_address="Lycée <info@lycee.example>", system_password="x", admin_address="admin@lycee.example",
    )  # fmt: skip
    with db.connection_context():
        alice = User.create(
            address="alice@lycee.example", local="alice", domain="lycee.example", password=hashing.hash_password(PASSWORD)
        )
        things = furnish(alice)
    yield app, folder / "traboule.sqlite", things
    db.obj.close()


@pytest.fixture
def alice(instance: tuple[Flask, Path, dict[str, str]]) -> FlaskClient:
    client = instance[0].test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token
    assert client.post("/login", data={"csrf_token": token[1], "username": "alice", "password": PASSWORD}).status_code == 303
    with db.connection_context():
        Session.update(confirmed=now()).execute()
    return client


def test_each_form_is_tried_or_harmless_for_a_reason() -> None:
    told = [rule for rules in HARMLESS.values() for rule in rules] + [*TRIED, *TRIED_ON_SERVERS, *CARRY_AN_ID]
    assert sorted(told) == sorted({route.rule for route in routes() if route.method == "POST"})
    assert FORMS.keys() == TRIED


def test_those_that_make_or_mail_something_carry_an_id(instance: tuple[Flask, Path, dict[str, str]]) -> None:
    endpoints = {rule.rule: rule.endpoint for rule in instance[0].url_map.iter_rules() if "POST" in (rule.methods or ())}
    texts = [path.read_text() for path in TEMPLATES.rglob("*.html")]
    marked = "".join(text for text in texts if "form_id()" in text)
    by_variable = {  # the address comes from the view
        "admin.change_establishment_policy", "admin.change_group_policy", "auth.mail_confirmation",
        "auth.mail_second_step", "contacts.add_people_of", "filters.add_rule", "filters.change_rule",
        "polls.act", "polls.change", "polls.make", "transfers.send_report",
    }  # fmt: skip
    without = [rule for rule in TRIED | TRIED_ON_SERVERS | CARRY_AN_ID if f"'{endpoints[rule]}'" not in marked]
    assert {endpoints[rule] for rule in without} <= by_variable


@pytest.mark.parametrize("rule", FORMS)
def test_several_clicks_at_once_are_one(instance: tuple[Flask, Path, dict[str, str]], alice: FlaskClient, rule: str) -> None:
    app, file, things = instance
    answers, more = _clicked(app, file, alice, things, rule)
    assert len({(answer.status_code, answer.location, answer.text) for answer in answers}) == 1, [one.status for one in answers]
    assert answers[0].status_code in (200, 303), answers[0].text
    assert more == Counter(FORMS[rule][2].split())


def _clicked(app: Flask, file: Path, client: FlaskClient, things: dict[str, str], rule: str) -> Any:
    """The answers to several clicks on one form at once, and how many rows each table has more."""
    where, typed, _tables = FORMS[rule]
    page = Page(client.get(where.format(**things)))
    form = next(
        form
        for form in page.all("form[method=post]")
        if form.select("[name=form_id]") and _leads_to(app, str(form["action"]), rule)
    )
    button = form.select_one("button[name=action]")
    data: dict[str, Any] = {"action": button["value"]} if button else {}
    data |= fields_of(form) | typed
    before, start, answers = snapshot(file), threading.Barrier(CLICKS), []

    def click() -> None:
        hand = app.test_client()
        hand._cookies = client._cookies
        start.wait()
        answers.append(hand.post(str(form["action"]), data=data))

    hands = [threading.Thread(target=click) for _ in range(CLICKS)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    return answers, _more(before, snapshot(file))


def _leads_to(app: Flask, action: str, rule: str) -> bool:
    endpoint, _values = app.url_map.bind("localhost").match(action.partition("?")[0], method="POST", return_rule=True)
    return str(endpoint.rule) == rule


def _more(before: Snapshot, after: Snapshot) -> dict[str, int]:
    return {
        table: len(after[table]) - len(before[table])
        for table in after
        if table not in _NOT_COUNTED and len(after[table]) != len(before[table])
    }
