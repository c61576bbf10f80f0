"""One's own account at FileSender: its secret is tried, kept sealed, and used before the application's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.filesender.test_sending import deliver
from tests.unit.transfers.test_new_transfer import send
from webmail.database.connection import db
from webmail.filesender import access
from webmail.models import ConnectedService, User


@pytest.fixture(autouse=True)
def _with_a_secret(filesender):
    filesender.user_secrets["alice.leroy"] = "my own secret"


def test_a_wrong_secret_is_not_kept(alice):
    bad = alice.submit(alice.get("/services/filesender/connect"), "main form", login="alice.leroy", secret="wrong")
    assert bad.status == 422 and "secret" in bad.one("#secret-error").get_text()
    assert not ConnectedService.select().exists()


def test_ones_own_secret_is_sealed_and_comes_first(app, alice, filesender, settings):
    alice.submit(alice.get("/services/filesender/connect"), "main form", login="alice.leroy", secret="my own secret")
    (row,) = ConnectedService.select()
    assert (row.provider, row.login, row.address) == ("filesender", "alice.leroy", filesender.address)
    assert b"my own secret" not in bytes(row.secret)
    send(alice, alice.get("/transfers/new"), "link", ("a.txt", b"a"))
    deliver(app)
    assert [made["user"] for made in filesender.transfers.values()] == ["alice.leroy"]
    with db.connection_context():
        elsewhere = replace(settings, filesender=replace(settings.filesender, url="https://other.example"))
        found = access.find(User.get(User.local == "alice"), elsewhere)
    assert found is not None and found.user == "alice@lycee.example", "it goes to no other FileSender"
