"""Keys of encryption opened by a passkey: added, used, removed; and what others' passkeys, forgeries and old answers open: nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from tests.support.webauthn_key import ORIGIN, WebauthnKey, encoded
from tests.unit.keys.test_key_pages import PASSPHRASE, begin
from webmail.auth.factors import security_keys
from webmail.auth.factors.challenges import ChallengeSubject, Purpose
from webmail.models import AuditEntry, KeyringLock, LockKind, OpenedKeyring, SecurityKey, Session, User, now

pytestmark = pytest.mark.skipif(not shutil.which("sqop"), reason="sqop is not installed")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    values = {"public_url": ORIGIN, "system_address": "noreply@lycee.example", "smtp_security": "none"}
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


def person(app: Flask, local: str) -> Visitor:
    """Signed in, with the password typed again a moment ago, with keys that are open."""
    visitor = ground.person(app, local, "en")
    Session.update(confirmed=now()).execute()
    begin(visitor)
    return visitor


def registered(app: Flask, local: str, **more: object) -> WebauthnKey:
    """A passkey of somebody, which computes."""
    key = WebauthnKey(step=0, passkey=True, computes=local.encode() * 8, **more)
    user, settings = User.get(User.local == local), app.extensions["settings"]
    here, asked = security_keys.site(settings), ChallengeSubject(Purpose.ADD, "s", user.id)
    options = security_keys.registration_options(user, here, asked, settings)
    security_keys.register(key.create(options), "Telephone", user, here, asked, settings)
    Session.update(confirmed=now()).execute()
    return key


def asked_by(page: Page) -> dict[str, object]:
    return json.loads(str(page.one("[data-key]")["data-options"]))


def add(visitor: Visitor, key: WebauthnKey, **changes: object) -> Page:
    page = visitor.get("/encryption/passkeys")
    return visitor.submit(page, "form[action='/encryption/passkeys']", key=key.get(asked_by(page), **changes))


def close(visitor: Visitor) -> Page:
    OpenedKeyring.delete().execute()
    return visitor.get("/encryption/open")


def open_by(visitor: Visitor, page: Page, answer: str, lasts: str = "hour") -> Page:
    token = page.one("form[action='/encryption/open'] [name=csrf_token]")["value"]
    return visitor.post("/encryption/open/passkey", {"csrf_token": token, "key": answer, "lasts": lasts, "passphrase": ""})


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return person(app, "alice")


def test_a_passkey_opens_the_keys_beside_the_passphrase(app: Flask, alice: Visitor) -> None:
    key = registered(app, "alice")
    assert "now opens your keys" in add(alice, key).notices
    assert "keyring-changed" in {row.act for row in AuditEntry.select()}
    page = close(alice)
    done = open_by(alice, page, key.get(asked_by(page)))
    assert done.address == "/encryption" and "open for an hour" in done.notices and OpenedKeyring.select().count() == 1
    OpenedKeyring.delete().execute()
    assert "open until" in alice.submit(close(alice), "form[action='/encryption/open']", passphrase=PASSPHRASE).notices
    removed = alice.submit(
        alice.get("/encryption/passkeys"), "form[action='/encryption/passkeys/remove']", passkey=SecurityKey.get().id
    )
    assert "no longer opens" in removed.notices and not close(alice).all("[data-key]")


def test_the_database_says_nothing_of_what_a_passkey_computes(app: Flask, alice: Visitor) -> None:
    add(alice, registered(app, "alice"))
    [lock] = KeyringLock.select().where(KeyringLock.kind == LockKind.PASSKEY)
    assert len(bytes(lock.salt)) == 32 and lock.cost == ""
    from webmail import vault

    for guess in (bytes(lock.salt), b"", bytes(32)):
        with pytest.raises(vault.CannotOpenError):
            vault.open_by(guess or b"x", lock.sealed, "keyring lock", lock.user_id)


def test_a_passkey_that_computes_nothing_is_not_taken_and_the_page_says_so(app: Flask, alice: Visitor) -> None:
    key = registered(app, "alice")
    for odd in (None, "", "a", encoded(bytes(31)), encoded(bytes(33)), 7, ["x"], "é" * 40, "x" * 5000):
        refused = add(alice, key, computed=odd)
        assert refused.status == 422 and "Your passphrase does" in refused.text
    assert not KeyringLock.select().where(KeyringLock.kind == LockKind.PASSKEY).exists()


def test_forged_answers_open_nothing(app: Flask, alice: Visitor) -> None:
    key = registered(app, "alice")
    add(alice, key)
    other = WebauthnKey(step=0, passkey=True, identifier=key.identifier, computes=key.computes)
    page = close(alice)
    asked = asked_by(page)
    for answer in (
        key.get(asked, signer=other.private),  # another private key
        key.get(asked, origin="https://evil.example"),
        key.get(asked, rp_id="evil.example"),
        key.get(asked, cross_origin=True),
        key.get(asked, challenge=encoded(bytes(64))),
        key.get(asked, verified=False),  # without fingerprint or PIN
        "", "{}", "x" * 20_000,
    ):  # fmt: skip
        refused = open_by(alice, page, answer)
        assert refused.status == 422 and refused.all("#passphrase"), refused.text
    wrong = open_by(alice, page, key.get(asked, computed=encoded(bytes(32))))
    assert wrong.status == 422 and OpenedKeyring.select().count() == 0


def test_an_answer_opens_once_and_one_for_signing_in_not_at_all(app: Flask, alice: Visitor) -> None:
    key = registered(app, "alice")
    add(alice, key)
    page = close(alice)
    answer = key.get(asked_by(page))
    assert "open for an hour" in open_by(alice, page, answer).notices
    OpenedKeyring.delete().execute()
    assert open_by(alice, page, answer).status == 422
    user, settings = User.get(User.local == "alice"), app.extensions["settings"]
    here = security_keys.site(settings)
    for purpose in (Purpose.SECOND_STEP, Purpose.CONFIRM, Purpose.SIGN_IN):
        subject = ChallengeSubject(purpose, Session.select().order_by(Session.created.desc()).get().id_hash, user.id)
        other = security_keys.assertion_options(user, here, subject, settings)
        assert open_by(alice, page, key.get(other)).status == 422
    assert OpenedKeyring.select().count() == 0


def test_somebody_else_s_passkey_opens_nothing(app: Flask, alice: Visitor) -> None:
    key = registered(app, "alice")
    add(alice, key)
    bob = person(app, "bob")
    theirs = registered(app, "bob")
    add(bob, theirs)
    page = close(bob)
    asked = asked_by(page)
    for answer in (key.get(asked), key.get(asked, computed=encoded(bytes(32))), theirs.get(asked, identifier=key.identifier)):
        assert open_by(bob, page, answer).status == 422
    own = close(alice)
    assert open_by(alice, own, theirs.get(asked_by(own))).status == 422  # nor in another session than was asked
    assert open_by(bob, page, key.get(asked_by(own))).status == 422
    number = SecurityKey.get(SecurityKey.user == User.get(User.local == "alice")).id
    token = page.all("[name=csrf_token]")[0]["value"]
    for odd in (number, -1, 0, 2**63, "x"):
        bob.post("/encryption/passkeys/remove", {"csrf_token": token, "passkey": odd})
    assert KeyringLock.select().where(KeyringLock.kind == LockKind.PASSKEY).count() == 2


def test_a_passkey_that_is_removed_from_the_account_opens_no_longer(app: Flask, alice: Visitor) -> None:
    add(alice, registered(app, "alice"))
    SecurityKey.get().delete_instance()
    assert not KeyringLock.select().where(KeyringLock.kind == LockKind.PASSKEY).exists() and not close(alice).all("[data-key]")


def test_the_passphrase_is_asked_for_where_there_are_no_scripts(app: Flask, alice: Visitor) -> None:
    add(alice, registered(app, "alice"))
    page = close(alice)
    assert page.one("#passphrase")["type"] == "password" and "with JavaScript" in page.one("[data-without]").get_text()
    assert page.all("[data-key] button") == []
