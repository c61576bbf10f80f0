"""A small web server for the outside world; Alice, whose mail server checks who sent a message."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.support import strangers
from tests.support.images import png
from tests.support.protected_mail import keeper_of
from tests.support.visits import Page, Visitor
from tests.support.web_server import ok, web
from tests.support.worker import jobs_of
from webmail import http_fetch
from webmail.compose.outbox import delivery
from webmail.crypto import openpgp
from webmail.database.connection import db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, app: Flask) -> Iterator[tuple[int, list[bytes]]]:
    """img.example and list.example on this machine's loopback, which counts as the internet here; inside.example does not."""
    html = ok(b"<html><script>alert(1)</script>", kind="image/png")
    with web(lambda request: html if b"lie" in request else ok(png())) as (port, asked):

        def resolve(host: str, _port: int) -> list[str]:
            return ["127.0.0.1" if host in ("img.example", "list.example") else "10.0.0.7"]

        checks: dict[str, Any] = {"allowed": lambda address: str(address) == "127.0.0.1", "resolve": resolve, "ports": (port,)}
        monkeypatch.setattr(http_fetch, "get", partial(http_fetch.get, **checks))
        monkeypatch.setattr(http_fetch, "post", partial(http_fetch.post, **checks))
        yield port, asked


@pytest.fixture
def checking_app(services, tmp_path):
    with strangers.checking_app(services, tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(checking_app, make_account):
    return Visitor(checking_app, make_account("alice")).sign_in()


@pytest.fixture
def opened(alice, fill):
    """The page of a message that alice got."""

    def read(content: bytes, mailbox: str = "INBOX") -> Page:
        uids = fill(alice, content, mailbox=mailbox)
        page = alice.get(f"/message/{uids[-1]}/{mailbox}")
        assert page.status == 200
        return page

    return read


@pytest.fixture
def deliver(checking_app):
    """What the worker does in a minute."""

    def run():
        jobs = jobs_of(checking_app)
        with db.connection_context():
            ready = delivery.sweep(jobs.settings)
        for outbox_id in ready:
            jobs.deliver(outbox_id)

    return run


@pytest.fixture
def bob() -> bytes:
    """The private OpenPGP key of somebody outside."""
    return openpgp.generate_key("Bob", "bob@outside.example", owner=0)


@pytest.fixture
def keeper(person: Visitor, app: Flask) -> bytes:
    """The certificate of the person, who has a keyring."""
    return keeper_of(person, app)
