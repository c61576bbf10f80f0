"""The table of routes (tests/support/routes.txt) is complete and true: each line is asked of the whole application."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.owned_things import Snapshot, changed, furnish, snapshot
from tests.support.route_table import Route, routes
from webmail import create_app
from webmail.auth.guard import is_public
from webmail.auth.passwords import hashing
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.models import Session, User, now

HERE, EVIL = "http://localhost", "https://evil.example"
PASSWORD = "correct horse"
ADMINISTRATORS = {"administrator": "chief", "administrator of all": "admin"}
CALLERS = {"anybody", "signed in", *ADMINISTRATORS, "second step", "Dovecot", "provider"}
PROGRAMS = {"Dovecot", "provider"}  # they send forms without the token of a page
ROUTES = routes()
FORMS = [route for route in ROUTES if route.method == "POST" and route.who not in PROGRAMS]
# not those of public links, which hold no cookie: whoever has the address may do what it is for
WITH_TOKEN = [route for route in FORMS if not route.rule.startswith(("/t/", "/g/", "/i/", "/a/", "/p/", "/api/v1/"))]

# things that forms name by a number in a field: another person's change nothing either
IN_FIELDS = [
    ("/sessions", {"session": "session"}),
    ("/devices/revoke", {"app_password": "app password"}),
    ("/devices/trust", {"device": "trusted browser"}),
]

# what another person's number gets where it is not 404: the answer to a second click, which is led back and changes nothing
_NOT_404 = {
    "POST /compose/<draft_id>/large": 400,  # its token stands in the address, and this one comes without
    "POST /transfers/<int:number>/additions/<int:addition>": 400,  # the same
    "POST /admin/reports/<int:report>": 403,  # for administrators alone, who may have them all
    "POST /calendar/events/<int:calendar>/<href>/times": 303,  # with a notice: the page is drawn as the calendar is now
    "POST /contacts/<uid>/remove": 303,
    "POST /detach/<task_id>/undo": 303,
    "POST /import/<task_id>/undo": 303,
    "POST /settings/identities/<int:number>/remove": 303,
    "POST /settings/signatures/<int:number>/remove": 303,
    "POST /settings/templates/<int:number>/remove": 303,
    "POST /tasks/<task_id>": 303,
}


@dataclass
class World:
    """The application with Alice, who has one of everything, Bob, who has nothing, and people at steps of their own."""

    app: Flask
    file: Path
    things: dict[str, str]
    _tokens: dict[FlaskClient, str] = field(default_factory=dict)
    _version: tuple[int] | None = None
    _rows: Snapshot = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = sqlite3.connect(self.file)

    def visitor(self) -> FlaskClient:
        return self.app.test_client()

    def caller(self, route: Route) -> FlaskClient:
        """Somebody who may call a route."""
        return self.person({"second step": "dora", **ADMINISTRATORS}.get(route.who, "alice"))

    def person(self, name: str) -> FlaskClient:
        """Somebody with a new session: of Dora the password was right, and she is asked for her second factor."""
        client = self.visitor()
        fields = {"csrf_token": _token(client, "/login"), "username": f"{name}@lycee.example", "password": PASSWORD}
        assert client.post("/login", data=fields).status_code == 303
        with db.connection_context():
            Session.update(confirmed=now()).execute()
        return client

    def token(self, client: FlaskClient) -> str:
        """The token of this client's session, from whichever page has one for them."""
        if client not in self._tokens:
            self._tokens[client] = (
                _token(client, "/login/code") or _token(client, "/account/password") or _token(client, "/login")
            )
        assert self._tokens[client]
        return self._tokens[client]

    def ask(self, client: FlaskClient, route: Route, data: dict[str, str] | None = None, **headers: str) -> Any:
        with client.open(
            route.url(self.things.get(route.owned, "")), method=route.method, data=data, headers=headers, buffered=False
        ) as answer:
            return answer

    def rows(self) -> Snapshot:
        """Read anew where the file was written meanwhile."""
        version = self._reader.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version, self._rows = version, snapshot(self.file)
        return self._rows


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """An instance with its people, to be copied for each test, and Alice's things."""
    folder = tmp_path_factory.mktemp("furnished")
    create_app(folder, domain="lycee.example")
    hashed = hashing.hash_password(PASSWORD)
    with db.connection_context():
        for name in ("alice", "bob", "dora", "newcomer", "admin", "chief"):
            User.create(address=f"{name}@lycee.example", local=name, domain="lycee.example", password=hashed)
        User.update(must_change=1).where(User.local == "newcomer").execute()
        User.update(second_step=1).where(User.local == "dora").execute()
        User.update(role="admin").where(User.local == "admin").execute()
        school = establishments.make("Collège")
        establishments.set_domains(school, ["college.example"])
        establishments.add_administrator(school, User.get(User.local == "chief"))
        things = furnish(User.get(User.local == "alice"))
    db.obj.close()
    return folder, things


@pytest.fixture
def world(tmp_path: Path, furnished: tuple[Path, dict[str, str]]) -> Iterator[World]:
    folder, things = furnished
    instance = shutil.copytree(folder, tmp_path / "instance")
    app = create_app(
        instance, domain="lycee.example", sign_in="accounts", secure_cookies="false", imap_security="none", imap_port=1,
        sign_in_attempts=100000, server_timeout=1, services="nextcloud",
    )  # fmt: skip
    made = World(app, instance / "traboule.sqlite", things)
    yield made
    made._reader.close()
    db.obj.close()


def _token(client: FlaskClient, page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(page).text)
    return found[1] if found else ""


def led_to_sign_in(answer: Any) -> bool:
    away = answer.status_code in (302, 303) and str(answer.location).startswith("/login")
    return away or (answer.status_code == 401 and 'action="/login"' in answer.text)


def faults(world: World, asked: list[Route], question: Callable[[Route], str]) -> list[str]:
    """What is wrong with each answer in words, and what was changed though nothing should be."""
    found = []
    before = world.rows()
    for route in asked:
        if wrong := question(route):
            found.append(f"{route.name}: {wrong}")
        if (after := world.rows()) != before:
            found.append(f"{route.name}: changed {changed(before, after)}")
            before = after
    return found


# --- the table -------------------------------------------------------------------------------------------------------


def test_it_names_every_route_and_no_other(world):
    rules = world.app.url_map.iter_rules()
    there = {f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    told = {route.name for route in ROUTES}
    assert (there - told, told - there) == (set(), set())


def test_its_words_are_known():
    steps = {step.name for step in FirstStep}
    assert [route.name for route in ROUTES if route.who not in CALLERS or not route.first <= steps or not route.changes] == []


def test_views_are_marked_as_it_says(world):
    wrong = []
    for rule in world.app.url_map.iter_rules():
        view = world.app.view_functions[rule.endpoint]
        for route in (route for route in ROUTES if route.rule == rule.rule and route.method in (rule.methods or set())):
            steps = {step.name for step in getattr(view, "first_steps", ())}
            marks = (is_public(world.app, rule.endpoint), steps, getattr(view, "asks_again", False))
            if marks != (route.who in ("anybody", "second step", *PROGRAMS), route.first, route.asks_again):
                wrong.append((route.name, marks))
    assert wrong == []


# --- who is calling --------------------------------------------------------------------------------------------------


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(world):
    visitor = world.visitor()

    def question(route: Route) -> str:
        answer = world.ask(visitor, route, {"csrf_token": world.token(visitor)})
        if route.who in PROGRAMS:
            return "" if answer.status_code == 404 else f"answers {answer.status_code} without the key, or where none is set"
        return "" if led_to_sign_in(answer) else f"answers {answer.status_code} to anybody"

    assert faults(world, [route for route in ROUTES if route.who != "anybody"], question) == []


def test_the_right_password_opens_nothing_where_there_is_a_second_step(world):
    dora = world.person("dora")

    def question(route: Route) -> str:
        answer = world.ask(dora, route, {"csrf_token": world.token(dora)})
        return "" if led_to_sign_in(answer) else f"answers {answer.status_code} before the second step"

    assert faults(world, [route for route in ROUTES if route.who in ("signed in", *ADMINISTRATORS)], question) == []


def test_a_temporary_password_opens_only_what_is_marked(world):
    newcomer = world.person("newcomer")
    asked = [route for route in ROUTES if route.who in ("signed in", *ADMINISTRATORS) and "PASSWORD" not in route.first]

    def question(route: Route) -> str:
        answer = world.ask(newcomer, route, {"csrf_token": world.token(newcomer)})
        away = answer.status_code in (302, 303) and answer.location.startswith("/account/password")
        return "" if away else f"answers {answer.status_code}"

    found = faults(world, asked, question)
    assert found == [], "\n".join(found)


def test_pages_of_administrators_are_theirs(world):
    alice = world.person("alice")

    def question(route: Route) -> str:
        answer = world.ask(alice, route, {"csrf_token": world.token(alice)})
        return "" if answer.status_code == 403 else f"answers {answer.status_code} to a person"

    assert faults(world, [route for route in ROUTES if route.who in ADMINISTRATORS], question) == []


def test_who_administers_one_establishment_opens_no_page_of_all(world):
    chief = world.person("chief")

    def question(route: Route) -> str:
        status = world.ask(chief, route, {"csrf_token": world.token(chief)}).status_code
        expected = {"administrator": {200, 302, 303, 404, 409, 422}, "administrator of all": {403}}[route.who]
        return "" if status in expected or (route.method, status) == ("GET", 502) else f"answers {status}"

    asked = [
        route for route in ROUTES if route.who == "administrator of all" or (route.who == "administrator" and not _changes(route))
    ]
    assert faults(world, asked, question) == []


def test_pages_of_administrators_ask_for_the_password_once(world):
    admin = world.person("admin")
    token = world.token(admin)
    with db.connection_context():
        Session.update(confirmed=None).execute()

    def question(route: Route) -> str:
        answer = world.ask(admin, route, {"csrf_token": token})
        away = answer.status_code in (302, 303) and answer.location.startswith("/account/confirm")
        return "" if away else f"answers {answer.status_code}"

    assert faults(world, [route for route in ROUTES if route.rule.startswith("/admin")], question) == []


def _changes(route: Route) -> bool:
    return route.method == "POST" or route.changes != "nothing"


def test_changes_of_factors_ask_for_one_again(world):
    alice = world.person("alice")
    token = world.token(alice)
    with db.connection_context():
        Session.update(confirmed=now() - timedelta(minutes=10)).execute()

    def question(route: Route) -> str:
        answer = world.ask(alice, route, {"csrf_token": token})
        away = answer.status_code in (302, 303) and answer.location.startswith("/account/confirm")
        return "" if away else f"answers {answer.status_code}"

    assert faults(world, [route for route in ROUTES if route.asks_again], question) == []


# --- forms -----------------------------------------------------------------------------------------------------------


def test_a_form_without_its_token_or_with_another_is_refused(world):
    people = {name: world.person(name) for name in ("alice", "dora", "admin", "chief")}
    stale, others = _token(world.visitor(), "/login"), world.token(world.person("bob"))
    callers = {"second step": "dora", **ADMINISTRATORS}

    def question(route: Route) -> str:
        client = people[callers.get(route.who, "alice")]
        tokens: dict[str, dict[str, str]] = {
            "none": {}, "empty": {"csrf_token": ""}, "stale": {"csrf_token": stale}, "Bob's": {"csrf_token": others},
            "cut": {"csrf_token": world.token(client)[:-1]},
        }  # fmt: skip
        answers = {name: world.ask(client, route, {"action": "save", **data}).status_code for name, data in tokens.items()}
        return "" if set(answers.values()) == {400} else str(answers)

    assert faults(world, WITH_TOKEN, question) == []


def test_a_form_of_another_site_is_refused_even_with_the_right_token(world):
    people = {name: world.person(name) for name in ("alice", "dora", "admin", "chief")}
    callers = {"second step": "dora", **ADMINISTRATORS}

    def question(route: Route) -> str:
        client = people[callers.get(route.who, "alice")]
        data = {"csrf_token": world.token(client)}
        answers = {origin: world.ask(client, route, data, Origin=origin).status_code for origin in (EVIL, "null")}
        return "" if set(answers.values()) == {403} else str(answers)

    assert faults(world, FORMS, question) == []


def test_our_own_origin_is_taken(world):
    alice = world.person("alice")
    route = next(route for route in ROUTES if route.name == "POST /settings/language")
    assert world.ask(alice, route, {"csrf_token": world.token(alice), "language": "fr"}, Origin=HERE).status_code == 303


# --- another person's things -----------------------------------------------------------------------------------------


def test_what_belongs_to_somebody_else_is_not_there(world):
    bob = world.person("bob")
    for name in ("GET /calendar", "GET /contacts", "GET /todo"):  # makes his own first calendar, book and list
        world.ask(bob, next(route for route in ROUTES if route.name == name))
    asked = [route for route in ROUTES if route.owned]
    assert {route.owned for route in asked} <= world.things.keys()

    def question(route: Route) -> str:
        status = world.ask(bob, route, {"csrf_token": world.token(bob), "action": "remove", "name": "mine"}).status_code
        expected = _NOT_404.get(route.name, 404)
        return "" if status == expected else f"answers {status} for what is Alice's"

    found = faults(world, asked, question)
    assert found == [], "\n".join(found)


def test_it_is_there_for_its_owner(world):
    """Or the test above would find nothing whatever the views do."""
    alice = world.person("alice")
    asked = [route for route in ROUTES if route.owned and route.method == "GET" and route.who == "signed in"]
    missing = [route.name for route in asked if world.ask(alice, route).status_code == 404]
    empty = [
        "/compose/<draft_id>/drive/<int:number>", "/compose/<draft_id>/drive/<int:number>/links", "/compose/<draft_id>/original", "/compose/<draft_id>/picture/<int:number>",
        "/compose/signature/<int:number>/picture", "/contacts/<uid>/photo", "/tasks/<task_id>/result",
        "/services/<int:number>/calendars", "/services/<int:number>/choose", "/transfers/<int:number>/filesender",
    ]  # fmt: skip
    assert missing == [
        f"GET {rule}" for rule in empty
    ]  # her draft, signature and contact have none, she has no drive 1, her service has no calendars, her task is not done


@pytest.mark.parametrize(("rule", "fields"), IN_FIELDS)
def test_nor_by_a_field_of_a_form(world, rule, fields):
    world.person("alice")
    bob = world.person("bob")
    with db.connection_context():
        mine = Session.select().where(Session.user == User.get(User.local == "alice")).get().id_hash
    data = {name: {**world.things, "session": mine}.get(value, value) for name, value in fields.items()}
    before = world.rows()
    answer = bob.post(rule, data={**data, "csrf_token": world.token(bob)})
    assert answer.status_code in (303, 404)
    assert changed(before, world.rows()) == set()


# --- what only shows -------------------------------------------------------------------------------------------------


def test_pages_that_change_nothing_change_nothing(world):
    people = {name: world.person(name) for name in ("alice", "dora", "admin", "chief")}
    callers = {"second step": "dora", **ADMINISTRATORS}

    def question(route: Route) -> str:
        status = world.ask(people[callers.get(route.who, "alice")], route).status_code
        return "" if status < 500 or status == 502 else f"answers {status}"  # there is no mail server

    assert faults(world, [route for route in ROUTES if route.method == "GET" and route.changes == "nothing"], question) == []


def test_pages_that_make_first_collections_change_nothing_once_these_are_there(world):
    alice = world.person("alice")
    makers = [route for route in ROUTES if route.method == "GET" and route.changes == "collections"]
    for route in makers:
        world.ask(alice, route)

    def question(route: Route) -> str:
        status = world.ask(alice, route).status_code
        return "" if status < 500 else f"answers {status}"

    assert makers and faults(world, makers, question) == []
