"""What sharing, reporting phishing and writing as somebody leave in the audit log: visits without scripts on a real Dovecot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from tests.support.strangers import checking_app, message, report
from tests.support.visits import Page, Visitor
from webmail import audit
from webmail.database.connection import db
from webmail.models import AllowedAddress, AuditEntry, User

SECRET_SUBJECT, SECRET_TEXT = "Gagnez un million", "Cliquez ici"


@pytest.fixture
def alice(person: Visitor) -> Visitor:
    return person


@pytest.fixture
def bob(app: Flask, make_account) -> Visitor:
    return Visitor(app, make_account("bob"))


def left_by(person: Visitor) -> list[tuple[str, str, dict]]:
    """(act, target, details) of what this person did since signing in, oldest first."""
    with db.connection_context():
        found = audit.search(actor=person.address)[0][::-1]
        assert {entry.network for entry in found} == {"127.0.0.1"}
        return [(entry.act, entry.target, audit.details_of(entry)) for entry in found if entry.act != "sign-in"]


def share(owner: Visitor, who: str, level: str, **fields: str) -> Page:
    return owner.submit(owner.get("/folder/Team"), "#share", who=who, level=level, action="give", **fields)


def test_what_is_shared_changed_and_revoked(alice: Visitor, bob: Visitor) -> None:
    alice.submit(alice.get("/folders"), "#new-folder", name="Team")
    alice.submit(alice.get("/folders"), "#new-folder", name="2026", parent="Team")
    share(alice, bob.address, "read")
    share(alice, bob.address, "write", inside="1")
    told = alice.submit(alice.get("/folder/Team"), "#sharing td form", action="revoke", inside=None)
    alice.submit(told, ".notice form")
    assert left_by(alice) == [
        ("share-given", bob.address, {"folder": "Team", "level": "read"}),
        ("share-changed", bob.address, {"folder": "Team", "level": "write", "inside": 1}),
        ("share-revoked", bob.address, {"folder": "Team"}),
        ("share-given", bob.address, {"folder": "Team", "level": "write", "undo": True}),
    ]


@pytest.mark.parametrize("who", ["nobody@lycee.example", "", "anyone"])
def test_what_was_not_shared_is_not_written(alice: Visitor, who: str) -> None:
    alice.submit(alice.get("/folders"), "#new-folder", name="Team")
    assert share(alice, who, "read").status == 422
    assert left_by(alice) == []


def test_nobody_shares_what_is_somebody_elses(alice: Visitor, bob: Visitor) -> None:
    alice.submit(alice.get("/folders"), "#new-folder", name="Team")
    share(alice, bob.address, "read")
    bob.sign_in()
    shared = f"shared/{alice.address}/Team"
    assert bob.post(f"/share/{shared}", {"who": "charlie@lycee.example", "level": "read", "action": "give"}).status >= 400
    assert left_by(bob) == []


@pytest.mark.parametrize("address", ["security@ministry.example", ""])
def test_a_report_and_its_undo_say_who_sent_it_and_nothing_of_it(services, tmp_path, make_account, fill, address) -> None:
    with checking_app(services, tmp_path / "instance") as app:
        if not address:
            app.extensions["settings"] = replace(app.extensions["settings"], phishing_address="")
        alice = Visitor(app, make_account("alice")).sign_in()
        uids = fill(alice, message("Ann <Ann@Far.example>", SECRET_TEXT, subject=SECRET_SUBJECT))
        told = report(alice, alice.get(f"/message/{uids[-1]}/INBOX"))
        alice.submit(told, "form[action='/report/undo']")
        assert left_by(alice) == [
            ("phishing-reported", "ann@far.example", {"sent": bool(address)}),
            ("phishing-report-undone", "ann@far.example", {"sent": False}),
        ]
        with db.connection_context():
            everything = str(list(AuditEntry.select().dicts()))
        assert SECRET_SUBJECT not in everything and SECRET_TEXT not in everything


def test_identities(alice: Visitor) -> None:
    other = f"office-{alice.address}"
    with db.connection_context():
        AllowedAddress.create(user=User.get(User.address == alice.address), address=other)
    new = alice.get("/settings/identities/new")
    for _ in range(2):  # a double click
        alice.submit(new, "main form", name="Kim Lindqvist", address=other)
    page = alice.get("/settings/identities")
    change = next(a["href"] for a in page.all("main a[href]") if a["href"].rpartition("/")[2].isdigit() and "/0" not in a["href"])
    alice.submit(alice.get(change), "main form", address=alice.address)
    alice.submit(alice.get(change), "main form", name="Me")
    alice.submit(alice.get(f"{change}/remove"), "main form")
    alice.post(f"{change}/remove")
    assert left_by(alice) == [
        ("identity-added", other, {}),
        ("identity-changed", alice.address, {"before": other}),
        ("identity-changed", alice.address, {}),
        ("identity-removed", alice.address, {}),
    ]


def test_a_form_that_is_refused_leaves_nothing(alice: Visitor) -> None:
    answer = alice.submit(alice.get("/settings/identities/new"), "main form", name="x", address="director@lycee.example")
    assert answer.status == 422
    assert left_by(alice) == []


def test_a_wrong_password_on_a_real_server(app: Flask, alice: Visitor) -> None:
    thief = Visitor(app, alice.address, "not the password")
    page = thief.submit(thief.get("/login"), "form[action='/login']", username=alice.address, password="not the password")
    assert page.status == 401
    with db.connection_context():
        [entry] = audit.search(act="sign-in-refused", target=alice.address)[0]
        assert (entry.actor_address, entry.times) == ("", 1)
        assert "not the password" not in str(list(AuditEntry.select().dicts()))
