"""One's own account at FileSender: its secret is tried, kept sealed, and used before the application's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.filesender.test_sending import deliver
from tests.unit.transfers.test_new_transfer import send
from webmail import system_mail
from webmail.database.connection import db
from webmail.filesender import access
from webmail.models import ConnectedService, SystemMessage, User
from webmail.people import policies
from webmail.people.policies import Policy


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


def test_the_page_of_services_leads_there_and_disconnecting_forgets_the_secret(app, alice, settings):
    card = alice.get("/services").one("[data-service=filesender]")
    assert card.select_one("a.btn")["href"] == "/services/filesender/connect"
    alice.submit(alice.get("/services/filesender/connect"), "main form", login="alice.leroy", secret="my own secret")
    [mail] = [one for one in SystemMessage.select() if one.recipient == "alice@lycee.example"]
    assert "FileSender (alice.leroy)" in system_mail.text_of(mail, settings.secret_key)
    alice.submit(alice.get("/services/filesender/connect"), "main form", login="alice.leroy", secret="my own secret")
    assert SystemMessage.select().count() == 1, "told of a new one alone"
    (row,) = ConnectedService.select()
    page = alice.get(f"/services/{row.id}/disconnect")
    assert "The password is forgotten here" in page.text
    after = alice.submit(page, "form.toolbar", action="keep")
    assert "is disconnected" in after.notices and not ConnectedService.select().exists()
    with db.connection_context():
        found = access.find(User.get(User.local == "alice"), settings)
    assert found is not None and found.user == "alice@lycee.example", "the application's secret is used again"


def test_whose_files_it_does_not_send_has_no_link_there(alice):
    policies.set_own(User.get(User.local == "alice"), Policy(files_by="here"))
    card = alice.get("/services").one("[data-service=filesender]")
    assert card.select_one("a.btn") is None and alice.get("/services/filesender/connect").status == 404
