"""Proof inside the establishment: who signed in, what the outbox marks, and names that are somebody else's; on real servers."""

from __future__ import annotations

import smtplib

import pytest

from tests.support.compose_form import FORM, write
from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail import create_app
from webmail.database.connection import db
from webmail.mime.headers import proof
from webmail.models import AllowedName, Outbox, User, WritingIdentity

SETTINGS = "form.form"
BOB = "bob@lycee.example"  # Bob Girard, of the demo


@pytest.fixture
def unchecked(services, tmp_path):
    """An application that believes nothing of what the mail server writes."""
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del settings["instance"], settings["jobs_file"], settings["uploads_folder"]
    return create_app(tmp_path / "unchecked", **{**settings, "secure_cookies": False, "authserv_id": ""})


def opened(person: Visitor, subject: str) -> Page:
    return person.get(person.get("/mailbox/INBOX").link(subject))


def verdict(page: Page) -> str:
    return str(page.one("[data-verdict]")["data-verdict"])


@pytest.fixture
def sent(alice, bob, work):
    write(alice, to=bob.address, subject="Sortie", body="Départ à 8 h", action="send-anyway")
    work()
    return bob


def test_what_a_colleague_sent_is_proven(sent):
    page = opened(sent, "Sortie")
    assert verdict(page) == "proven"
    assert "Sign-in" in page.one(".trust dl").get_text()


def test_without_a_server_that_checks_the_mark_proves_it(sent, unchecked):
    page = opened(Visitor(unchecked, sent.address).sign_in(), "Sortie")
    assert verdict(page) == "proven"
    assert "Sent from this webmail by the owner of the address" in page.one(".trust dl").get_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"RMOp", b"RMOq"), (b"Subject: Sortie", b"Subject: Sorties"), (b"Message-ID: <", b"Message-ID: <0")],
)
def test_the_mark_is_no_proof_of_another_message(sent, unchecked, imap_of, before, after):
    client = imap_of(sent.address)
    client.select_folder("INBOX")
    [whole] = [values[b"BODY[]"] for values in client.fetch(client.search(), ["BODY.PEEK[]"]).values()]
    assert proof.NAME.encode() in whole and before in whole
    client.delete_messages(client.search())
    client.expunge()
    client.append("INBOX", whole.replace(before, after))
    page = opened(Visitor(unchecked, sent.address).sign_in(), "Sortie")
    assert verdict(page) == ("unverified" if before else "proven")


def test_nobody_writes_as_somebody_else_after_signing_in(alice, bob, services):
    lie = message("Notes", sender=f"Bob Girard <{BOB}>", To=bob.address)
    with smtplib.SMTP("127.0.0.1", services.ports.smtp) as client:
        client.login(alice.address, services.password)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(lie, alice.address, [bob.address])
        assert refused.value.smtp_code == 550
        two = message("Notes", sender=f"{alice.address}, {BOB}", To=bob.address)
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(two, alice.address, [bob.address])
        client.send_message(
            message("Bonjour", sender=f"Bob Girard <{alice.address}>", To=bob.address), alice.address, [bob.address]
        )
    page = opened(bob, "Bonjour")
    assert verdict(page) == "danger"
    assert f"The name is that of Bob Girard ({BOB}), but the address is different." in page.one(".trust").get_text()


def test_port_25_proves_nothing(bob, services, unchecked):
    with smtplib.SMTP("127.0.0.1", services.ports.relay) as client:
        lie = message("Réunion", sender="Head <head@lycee.example>", To=bob.address)
        lie["Authentication-Results"] = "lycee.example; auth=pass smtp.auth=head@lycee.example header.from=head@lycee.example"
        client.send_message(lie, "head@lycee.example", [bob.address])
    for person in (bob, Visitor(unchecked, bob.address).sign_in()):
        page = opened(person, "Réunion")
        assert verdict(page) == "unverified"
        assert "✓" not in page.one(".trust").get_text()


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Bob Girard", "a colleague’s name"), ("M. Bob Glrard", "a colleague’s name"), ("B\u00adob Girard", "a colleague’s name"),
        (BOB, "somebody else’s address"), ("Lycée Ampère", "your organisation’s name"), ("Help desk", "the name of a department"),
        ("Direction", "the name of a department"), ("Alice - Principal", "the name of a department"),
        ("La prof de maths", "the name of a department"),
    ],
)  # fmt: skip
def test_an_identity_has_no_name_of_somebody_else(alice, name, why):
    page = alice.get("/settings/identities/new")
    page = alice.submit(page, SETTINGS, name=name, address=alice.address)
    assert page.status == 422
    assert why in page.text
    with db.connection_context():
        assert not WritingIdentity.select().where(WritingIdentity.name == name).exists()


@pytest.mark.parametrize("name", ["Alice", "Mme Alice", "Alice Dupont", "", "Allie"])
def test_other_names_are_free(alice, name):
    page = alice.submit(alice.get("/settings/identities/new"), SETTINGS, name=name, address=alice.address)
    assert "Identity saved." in page.notices


def test_what_the_administrator_allows_may_be_used(alice, app):
    run = app.test_cli_runner().invoke
    assert run(args=["accounts", "allow", alice.address, "--name", "Direction"]).exit_code == 0
    assert "Direction" in run(args=["accounts", "allowed", alice.address]).output
    page = alice.submit(alice.get("/settings/identities/new"), SETTINGS, name="Direction", address=alice.address)
    assert "Identity saved." in page.notices
    assert run(args=["accounts", "disallow", alice.address, "--name", "Direction"]).exit_code == 0
    page = alice.submit(alice.get("/settings/identities/new"), SETTINGS, name="La Direction", address=alice.address)
    assert page.status == 422
    assert run(args=["accounts", "allow", alice.address]).exit_code == 1


def test_a_colleague_who_may_write_as_one_does_not_lend_their_name(alice, bob, app, services):
    assert app.test_cli_runner().invoke(args=["accounts", "allow", BOB, alice.address]).exit_code == 0
    for name in ("Bob Girard", "B0b Girard"):
        page = alice.submit(alice.get("/settings/identities/new"), SETTINGS, name=name, address=alice.address)
        assert page.status == 422 and "a colleague’s name" in page.text
    with smtplib.SMTP("127.0.0.1", services.ports.smtp) as client:
        client.login(alice.address, services.password)
        lie = message("Bonsoir", sender=f"Bob Girard <{alice.address}>", To=bob.address)
        client.send_message(lie, alice.address, [bob.address])
    assert verdict(opened(bob, "Bonsoir")) == "danger"


def test_an_old_identity_under_such_a_name_sends_nothing(alice, bob):
    with db.connection_context():
        user = User.get(User.address == alice.address)
        old = WritingIdentity.create(user=user, name="Bob Girard", address=alice.address)
    page = alice.submit(
        alice.get("/compose"), FORM, to=bob.address, subject="x", body="y", identity=str(old.id), action="send-anyway"
    )
    assert page.status == 422
    assert "This is a colleague’s name." in page.text
    with db.connection_context():
        assert not Outbox.select().exists()
        assert not AllowedName.select().where(AllowedName.user == user).exists()


# --- rows ------------------------------------------------------------------------------------------------------------


def test_a_row_shows_the_address_where_the_name_pretends(bob, imap_of):
    client = imap_of(bob.address)
    for subject, sender in [
        ("one", f"Bob Girard <{BOB}>"),
        ("two", "Bob Girard <bg@far.example>"),
        ("three", '"x@y.example" <z@far.example>'),
    ]:
        client.append("INBOX", bytes(message(subject, sender=sender)))
    page = bob.get("/mailbox/INBOX")
    cells = {row.select_one(".s a").get_text(): row.select_one(".w") for row in page.all("[data-row]")}
    assert "doubt" not in str(cells["one"]) and cells["one"].get_text(strip=True).endswith("Bob Girard")
    assert "bg@far.example" in cells["two"].get_text()
    assert "z@far.example" in cells["three"].get_text()
    assert [cells[one].get_text().count("Suspicious sender:") for one in ("one", "two", "three")] == [0, 1, 1]
    assert cells["one"]["title"] == BOB
    assert page.one("[data-row] .s a[aria-description]")["aria-description"] == BOB
