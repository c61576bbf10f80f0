"""Several establishments: whose accounts an administrator of one sees, and what the administrator of all does with them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import PASSWORD
from tests.support.visits import Visitor
from webmail.auth import account_management
from webmail.establishments import establishments, scope
from webmail.establishments.establishments import DomainTakenError, EstablishmentNameTakenError, UnusableDomainError
from webmail.models import Establishment, EstablishmentAdministrator, User


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        for name in ("alice@nord.example", "anna@nord.example", "bruno@sud.example", "chief@nord.example", "root@nord.example"):
            ground.add(name)
        account_management.set_role(of("root@nord.example"), "admin")
        yield made


@pytest.fixture
def north(app: Flask) -> Establishment:
    made = establishments.make("Nord")
    establishments.set_domains(made, ["nord.example", "Nord.Example "])
    establishments.add_administrator(made, of("chief@nord.example"))
    return made


@pytest.fixture
def south(app: Flask) -> Establishment:
    made = establishments.make("Sud")
    establishments.set_domains(made, ["sud.example"])
    return made


@contextmanager
def counted() -> Iterator[list[str]]:
    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(str(record.msg))  # type: ignore[method-assign]
    logger = logging.getLogger("peewee")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def of(address: str) -> User:
    return User.get(User.address == address)


def seen(address: str) -> list[str]:
    found = scope.for_user(of(address))
    return sorted(user.local for user in User.select().where(found.condition())) if found else []


def test_each_sees_their_own(north, south):
    assert seen("chief@nord.example") == ["alice", "anna", "chief"]  # not who administers all
    assert seen("root@nord.example") == ["alice", "anna", "bruno", "chief", "root"]
    assert seen("alice@nord.example") == []


def test_who_administers_elsewhere_too_is_out_of_reach(north, south):
    establishments.add_administrator(north, of("alice@nord.example"))
    assert "alice" in seen("chief@nord.example")
    establishments.add_administrator(south, of("alice@nord.example"))
    chief = scope.for_user(of("chief@nord.example"))
    assert "alice" not in seen("chief@nord.example") and not chief.includes(of("alice@nord.example"))
    assert chief.includes(of("anna@nord.example")) and chief.includes(of("chief@nord.example"))
    assert not chief.includes(of("root@nord.example")) and not chief.includes("bruno@sud.example")
    assert seen("alice@nord.example") == ["alice", "anna", "bruno", "chief"]


def test_it_costs_nothing_for_who_administers_all_and_one_query_else(north):
    root, chief = of("root@nord.example"), of("chief@nord.example")
    with counted() as found:
        scope.for_user(root)
    assert len(found) == 0
    with counted() as found:
        scope.for_user(chief)
    assert len(found) == 1


def test_the_role_follows_the_rows(north, south):
    chief = of("chief@nord.example")
    assert chief.role == "establishment"
    establishments.add_administrator(south, chief)
    establishments.remove_administrator(north, chief)
    assert of(chief.address).role == "establishment"
    establishments.remove(south)
    assert of(chief.address).role == "person" and scope.for_user(of(chief.address)) is None
    establishments.add_administrator(north, chief)
    account_management.set_role(chief, "person")
    assert not EstablishmentAdministrator.select().exists()
    root = of("root@nord.example")
    establishments.add_administrator(north, root)
    assert of(root.address).role == "admin"


def test_names_and_domains_belong_to_one(north, south):
    with pytest.raises(EstablishmentNameTakenError):
        establishments.make(" Nord ")
    with pytest.raises(EstablishmentNameTakenError):
        establishments.rename(south, "Nord")
    with pytest.raises(DomainTakenError):
        establishments.set_domains(south, ["sud.example", "nord.example"])
    with pytest.raises(UnusableDomainError):
        establishments.set_domains(south, ["no domain"])
    assert establishments.domains(south) == ["sud.example"]
    assert establishments.of_address("x@NORD.example").name == "Nord"
    assert establishments.of_domain("elsewhere.example") is None


def test_their_pages_are_reached_from_the_menu(app, north):
    chief = _signed_in(app, "chief@nord.example").confirm()
    page = chief.get(chief.get("/account").link("Administration"))
    assert page.status == 200 and page.one("h1").get_text() == "Administration"
    assert chief.get("/admin/rooms").status == 403
    alice = _signed_in(app, "alice@nord.example")
    assert alice.get("/admin").status == 403
    assert not alice.get("/account").all("a[href='/admin']")


def _signed_in(app: Flask, address: str) -> Visitor:
    visitor = Visitor(app, address, PASSWORD)
    visitor.submit(visitor.get("/login"), "form[action='/login']", follow=False, username=address, password=PASSWORD)
    return visitor
