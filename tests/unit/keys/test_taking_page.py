"""The page on which a certificate of one's establishment is taken: told on *Encryption*, with the file's passphrase, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.smime_people import needs_openssl, smime_person
from tests.support.visits import Visitor
from tests.unit.keys.test_key_pages import begin, person
from tests.unit.keys.test_key_pages import pytestmark as needs_sqop
from webmail.crypto import x509_certificates
from webmail.keys import own_keys, staged_certificates
from webmail.models import AuditEntry, StagedCertificate, User

pytestmark = [needs_openssl, needs_sqop]
FORM = "form[action^='/encryption/take/']"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    values = {"public_url": "https://mail.lycee.example", "system_address": "noreply@lycee.example", "smtp_security": "none"}
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    visitor = person(app)
    content = x509_certificates.write_pkcs12(smime_person("alice"), "on paper", "alice")
    staged_certificates.stage(User.get(User.local == "alice"), "alice.p12", content, app.extensions["settings"])
    return visitor


def test_it_is_told_and_taken(alice: Visitor) -> None:
    first = alice.get("/encryption")
    assert "Your organisation made a certificate for you (alice.p12). Protect your messages first" in first.text
    number = StagedCertificate.get().id
    assert "Choose a passphrase" in alice.get(f"/encryption/take/{number}").notices
    begin(alice)
    page = alice.get(alice.get("/encryption").link("Take it"))
    wrong = alice.submit(page, FORM, password="guessed")
    assert wrong.status == 422 and "missing or wrong" in wrong.one("[role=alert]").text
    done = alice.submit(wrong, FORM, password="on paper")
    assert done.address == "/encryption" and "ready to use" in done.notices and "alice.p12" not in done.text
    keys = own_keys.own_keys(User.get(User.local == "alice").id)
    assert [key.preferred for key in keys if key.kind == own_keys.SMIME] == [True]
    assert not StagedCertificate.select().exists() and alice.get(f"/encryption/take/{number}").status == 404
    assert "mail-key-imported" in {row.act for row in AuditEntry.select()}


def test_it_is_nobody_elses(app: Flask, alice: Visitor) -> None:
    bob = person(app, "bob")
    begin(bob)
    assert "alice.p12" not in bob.get("/encryption").text
    assert bob.get(f"/encryption/take/{StagedCertificate.get().id}").status == 404
