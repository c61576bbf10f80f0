"""People with browsers, without a mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.visits import Visitor
from webmail import create_app
from webmail.auth.passwords import hashing
from webmail.collections import store as collections
from webmail.collections.store import BOOK
from webmail.database.connection import db
from webmail.models import Collection, CollectionShare, User

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def hashed() -> str:
    return hashing.hash_password(PASSWORD)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies="false", timezone="Europe/Paris",
        imap_security="none", imap_port=1, server_timeout=1, language="en", recovery_address="off",
    )  # fmt: skip
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def visitor_of(app: Flask, hashed: str) -> Callable[[str], Visitor]:
    def make(local: str) -> Visitor:
        user = User.create(
            address=f"{local}@lycee.example", local=local, domain="lycee.example", name=local.capitalize(), password=hashed
        )
        visitor = Visitor(app, user.address, PASSWORD)
        form = visitor.get("/login")
        answer = visitor.submit(form, "form[action='/login']", username=user.address, password=PASSWORD, follow=False)
        assert answer.status == 303, answer.text  # the inbox it leads to needs a mail server
        return visitor

    return make


@pytest.fixture
def alice(visitor_of: Callable[[str], Visitor]) -> Visitor:
    return visitor_of("alice")


@pytest.fixture
def bob(visitor_of: Callable[[str], Visitor]) -> Visitor:
    return visitor_of("bob")


def user_of(visitor: Visitor) -> User:
    return User.get(User.address == visitor.address)


def book(visitor: Visitor, name: str) -> Collection:
    """Another book of somebody."""
    collections.default_collection(user_of(visitor), BOOK)
    return Collection.create(user=user_of(visitor), name=name.lower(), kind=BOOK, props=f'{{"D:displayname": "{name}"}}')


def share(shared: Collection, visitor: Visitor, rights: str = "read") -> CollectionShare:
    return CollectionShare.create(collection=shared, user=user_of(visitor), rights=rights)
