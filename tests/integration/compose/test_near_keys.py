"""Keys near by, on cards of one's own book: asked for once it is known whom an encrypted message is for, with scripts and without."""

from __future__ import annotations

import base64
import shutil

import pytest

from tests.support.compose_form import FORM, write
from tests.support.contacts import card
from tests.support.keys import PASSPHRASE, give_key, made_key
from webmail.compose.views.encryption import key_search, near_keys
from webmail.contacts import store
from webmail.database.connection import db
from webmail.keys import known_certificates, wkd_lookup
from webmail.models import DraftRow, KeyOrigin, Outbox, User

pytestmark = pytest.mark.skipif(not shutil.which("sqop"), reason="needs sqop")
ERIK, NEAR = "erik@elsewhere.example", "/compose/keys/near"


@pytest.fixture
def anne(app, alice):
    """Alice, with a key, and with Erik's on his card. What this process asked before is forgotten."""
    near_keys._asked_at.clear()
    alice.key = give_key(app, alice)
    key = base64.b64encode(made_key("", ERIK).certificate).decode()
    with app.app_context(), db.connection_context():
        alice.user = User.get(User.address == alice.address)
        store.put(alice.user, card("Erik", f"EMAIL:{ERIK}", f"KEY:data:application/pgp-keys;base64,{key}", uid="erik"))
    return alice


@pytest.fixture
def asked(monkeypatch):
    """Whom the book and the directory were asked about; organisations outside never are."""
    found: list[str] = []
    real = key_search.found_near

    def found_near(addresses):
        found.extend(addresses)
        return real(addresses)

    monkeypatch.setattr(key_search, "found_near", found_near)
    monkeypatch.setattr(wkd_lookup, "look_up", lambda address: pytest.fail(f"{address} was looked up outside"))
    return found


def known(person) -> list:
    with db.connection_context():
        return known_certificates.certificates_for(person.user.id, [ERIK]).get(ERIK, [])


def fields(person, page, **more) -> dict:
    return {"csrf_token": page.one("#form-token")["value"], "identity": "", "cc": "", "bcc": "", **more}


def row_of(page) -> str:
    return page.one("#protection").get_text(" ", strip=True)


@pytest.mark.parametrize("protection", ["both", "encrypt", "auto"])
def test_without_scripts_the_next_form_asks(anne, asked, protection):
    page = write(anne, to=ERIK, subject="s", body="b", protection=protection, action="protection")
    assert "will be encrypted for 1 recipient" in row_of(page) and asked == [ERIK]
    assert [one.origin for one in known(anne)] == [KeyOrigin.CARD] and "hx-post" not in page.one(".compose-protection-plan").attrs


def test_send_asks_before_it_says_that_a_key_is_missing(anne, asked):
    page = write(anne, to=ERIK, subject="s", body="b", protection="both", action="send")
    assert asked == [ERIK] and page.one("#asks-passphrase")
    done = anne.submit(page, FORM, passphrase=PASSPHRASE, action="send")
    assert "on its way" in done.notices
    with db.connection_context():
        assert [row.subject for row in Outbox.select()] == ["..."]


def test_a_script_is_shown_the_row_first_and_asks_afterwards(anne, asked):
    page = anne.get("/compose")
    given = fields(anne, page, to=f"{ERIK}, nobody@elsewhere.example", protection="both")
    first = anne.post(page.one(FORM)["action"], {**given, "body": "", "action": "protection"}, htmx="protection")
    assert asked == [] and "encrypted for 2 of 2" in row_of(first)
    assert first.one(".compose-protection-plan")["hx-post"] == NEAR
    then = anne.post(NEAR, given, htmx="protection")
    assert sorted(asked) == [ERIK, "nobody@elsewhere.example"]
    plan = then.one(".compose-protection-plan")
    assert "encrypted for 1 of 2" in plan.get_text() and ERIK not in plan.get_text() and "hx-post" not in plan.attrs
    again = anne.post(NEAR, given, htmx="protection")
    assert again.status == 204 and len(asked) == 2  # nobody is asked about twice


def test_asking_stores_no_draft(app, anne, asked):
    page = anne.get("/compose")
    with db.connection_context():
        before = DraftRow.select().count()
    anne.post(NEAR, fields(anne, page, to=ERIK, protection="both"), htmx="protection")
    with db.connection_context():
        assert known(anne) and DraftRow.select().count() == before


def test_nobody_is_asked_where_encryption_is_not_wanted(anne, bob, asked):
    for chosen in ("none", "sign"):
        page = write(anne, to=ERIK, subject="s", body="b", protection=chosen, action="protection")
        assert "hx-post" not in page.one(".compose-protection-plan").attrs
        assert anne.post(NEAR, fields(anne, page, to=ERIK, protection=chosen), htmx="protection").status == 204
    without = bob.get("/compose")
    assert bob.post(NEAR, fields(bob, without, to=ERIK, protection="both"), htmx="protection").status == 204
    assert asked == [] and known(anne) == []


def test_a_blocked_key_is_not_taken_again(anne, asked):
    write(anne, to=ERIK, subject="s", body="b", protection="both", action="protection")
    with db.connection_context():
        assert known_certificates.block(anne.user.id, known(anne)[0].fingerprint, blocked=True)
    near_keys._asked_at.clear()
    page = write(anne, to=ERIK, subject="s", body="b", protection="both", action="protection")
    assert asked == [ERIK] and "hx-post" not in page.one(".compose-protection-plan").attrs and "blocked" in row_of(page)
