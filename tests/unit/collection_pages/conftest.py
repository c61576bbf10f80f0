"""People of two establishments with browsers and telephones, without a mail server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.postgresql import fresh_database
from tests.support.visits import Page, Visitor
from tests.unit.dav.conftest import Phone
from webmail import create_app
from webmail.auth.devices import app_passwords
from webmail.auth.passwords import hashing
from webmail.database.connection import db
from webmail.models import User

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def hashed() -> str:
    return hashing.hash_password(PASSWORD)


@pytest.fixture
def database_url() -> Iterator[str]:
    """As in the integration tests."""
    if os.environ.get("TRABOULE_TEST_DATABASE") != "postgresql":
        yield ""
        return
    with fresh_database() as url:
        yield url


@pytest.fixture
def app(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    made = create_app(
        tmp_path / "instance", **({"database_url": database_url} if database_url else {}), sign_in="accounts", domain="lycee.example", secure_cookies="false", timezone="Europe/Paris",
        imap_security="none", imap_port=1, server_timeout=1, language="en", recovery_address="off",
        system_address="Lycée <info@lycee.example>", system_password="x", public_url="https://mail.lycee.example",
    )  # fmt: skip
    if database_url:  # each request closes its connection there
        yield made
    else:
        with db.connection_context():
            yield made
    db.obj.close()


@pytest.fixture
def person(app: Flask, hashed: str) -> Callable[..., User]:
    def make(local: str, domain: str = "lycee.example", **more: Any) -> User:
        values = {
            "address": f"{local}@{domain}",
            "local": local,
            "domain": domain,
            "name": local.capitalize(),
            "password": hashed,
        }
        return User.create(**values | more)

    return make


@pytest.fixture
def alice(person: Callable[..., User]) -> User:
    return person("alice", name="Alice Leroy")


@pytest.fixture
def bob(person: Callable[..., User]) -> User:
    return person("bob", name="Bob Martin")


class Browser(Visitor):
    """A visitor who knows the forms of these pages."""

    def make(self, kind: str, name: str, **more: str) -> int:
        """A new collection; its number."""
        page = self.submit(self.get(f"/collections/new?kind={kind}"), "#new-collection", name=name, **more)
        assert page.status == 200, page.text
        return int(page.address.rsplit("/", 1)[-1])

    def share(self, number: int, who: str, rights: str = "read", **more: str) -> Page:
        return self.submit(self.get(f"/collections/{number}"), "#share", who=who, rights=rights, action="give", **more)

    def press(self, page: Page, selector: str, action: str, **more: str) -> Page:
        """The button of this value in the form that has it."""
        return self.submit(page, f"{selector}:has([value={action}])", action=action, **more)


@pytest.fixture
def browser_of(app: Flask) -> Callable[[User], Browser]:
    def make(user: User) -> Browser:
        visitor = Browser(app, user.address, PASSWORD)
        form = visitor.get("/login")
        answer = visitor.submit(form, "form[action='/login']", username=user.address, password=PASSWORD, follow=False)
        assert answer.status == 303, answer.text  # the inbox it leads to needs a mail server
        return visitor

    return make


@pytest.fixture
def phone_of(app: Flask) -> Callable[..., Phone]:
    def make(user: User, name: str = "iPhone") -> Phone:
        letters, _row = app_passwords.add(user, name, ("caldav", "carddav"))
        return Phone(app, user.address, letters)

    return make
