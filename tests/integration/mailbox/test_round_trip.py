"""All mail of an account into a fresh one: each message once, in its folder, as it was and as it was marked.

A tenth of what `python -m tests.bench.mail_imports round-trip` does.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support.odd_mailbox import content, fill
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from webmail import create_app, imap
from webmail.database.connection import db
from webmail.mailbox import tags
from webmail.models import User

COUNT = 351


@pytest.fixture(scope="module")
def app(services: Services) -> Any:
    """People may move in from this machine here."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    made = create_app(values.pop("instance"), **values, import_private_servers="true")
    yield made
    imap.close_all()


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    return worker_for(app)


def send(person: Visitor, data: bytes, name: str, **fields: str) -> Page:
    return person.submit(person.get("/import"), "form[action='/import']", file=(io.BytesIO(data), name), **fields)


@pytest.fixture(scope="module")
def old(services: Services) -> Iterator[tuple[str, Any]]:
    """An account with odd mail, and what is in it."""
    address = f"old{secrets.token_hex(4)}@lycee.example"
    services.add_account(address, "Zoé")
    with IMAPClient(HOST, services.ports.imap, ssl=False) as client:
        client.login(address, services.password)
        fill(client, COUNT)
        yield address, content(client)


def test_out_by_a_file_and_in_again(
    app: Flask, person: Visitor, old: tuple[str, Any], imap_of: Any, work: Callable[[], int]
) -> None:
    address, before = old
    leaving = Visitor(app, address).sign_in()
    with db.connection_context():
        tags.add(User.get(User.address == address), "Classe 3ᵉ !", keyword="classe_3e")
    leaving.submit(leaving.get("/folders"), "form[action='/export']")
    work()
    data = leaving.get(leaving.get("/tasks").link("Download")).response.get_data()
    send(person, data, "mail.zip", into="")
    work()
    assert f"{COUNT} messages were imported." in person.get("/tasks").text
    with db.connection_context():
        [tag] = tags.for_user(User.get(User.address == person.address))
    client = imap_of(person.address)
    assert tag.name == "Classe 3ᵉ !" and told(content(client), tag.keyword) == told(before, "classe_3e")
    send(person, data, "mail.zip", into="")
    work()
    assert f"0 messages were imported. {COUNT} were already there." in person.get("/tasks").text
    assert sum(content(client).values()) == COUNT


def test_moving_in_from_the_old_server(
    person: Visitor, old: tuple[str, Any], imap_of: Any, services: Services, work: Callable[[], int]
) -> None:
    address, before = old
    for words in (f"{COUNT} messages were imported.", f"{COUNT} were already there."):
        server, page = f"127.0.0.1:{services.ports.imap}", person.get("/import")
        person.submit(page, "form[action='/import/server']", username=address, password=services.password, server=server)
        work()
        assert words in person.get("/tasks").text
    assert content(imap_of(person.address)) == before


def told(found: Any, keyword: str) -> dict[Any, int]:
    """With a name of its own for the tag, whatever its keyword."""
    named = keyword.encode()
    return {
        (folder, raw, tuple(sorted(b"TAG" if flag == named else flag for flag in flags)), at): count
        for (folder, raw, flags, at), count in found.items()
    }
