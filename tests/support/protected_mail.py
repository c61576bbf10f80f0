"""Protected mail: signed and encrypted messages made for tests, people whose keyring is made, and what their pages say of it."""

from __future__ import annotations

from flask import Flask

from tests.support.visits import Page, Visitor
from webmail.crypto import openpgp, openpgp_certificates
from webmail.database.connection import db
from webmail.keys import keyring, known_certificates, own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import KeyOrigin, User

PASSPHRASE = "trois petits chats dansent"


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def keyring_of(person: Visitor, app: Flask) -> tuple[User, OpenKeyring]:
    """Made now; its passphrase is PASSPHRASE."""
    user = User.get(User.address == person.address)
    ring, _sheet = keyring.make(user, PASSPHRASE, app.extensions["settings"])
    return user, OpenKeyring(user.id, ring)


def keeper_of(person: Visitor, app: Flask) -> bytes:
    """The certificate of a person, whose keyring is made with a key in it."""
    with db.connection_context():
        user, ring = keyring_of(person, app)
        key = openpgp.generate_key("", person.address, owner=user.id)
        certificate = openpgp.certificate_of(key, owner=user.id)
        own_keys.add(user, ring, openpgp_certificates.read_certificate(certificate).facts(), certificate, key)
    return certificate


def knows(person: Visitor, key: bytes) -> None:
    certificate = openpgp.certificate_of(key, owner=0)
    facts = openpgp_certificates.read_certificate(certificate).facts()
    with db.connection_context():
        user = User.get(User.address == person.address)
        assert known_certificates.note_met(user.id, facts, certificate, facts.addresses, KeyOrigin.IMPORTED)


def head(subject: str, kind: str, to: str = "me@lycee.example", more: str = "") -> bytes:
    lines = f"From: Bob <bob@outside.example>\nTo: {to}\nSubject: {subject}\n{more}MIME-Version: 1.0\nContent-Type: {kind}\n\n"
    return crlf(lines)


def signed(content: bytes, key: bytes, subject: str = "Signed") -> bytes:
    signature, micalg = openpgp.sign_detached(content, key, owner=0)
    kind = f'multipart/signed; micalg={micalg}; protocol="application/pgp-signature"; boundary=sig'
    body = b"--sig\r\n" + content + b"\r\n--sig\r\nContent-Type: application/pgp-signature; name=s.asc\r\n\r\n"
    return head(subject, kind) + body + signature.replace(b"\n", b"\r\n") + b"\r\n--sig--\r\n"


def encrypted(
    content: bytes, certificate: bytes, sign_with: bytes | None = None, subject: str = "...", more: str = ""
) -> bytes:  # fmt: skip
    armoured = openpgp.encrypt(content, [certificate], sign_with=sign_with, owner=0).replace(b"\n", b"\r\n")
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=enc'
    version = b"--enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    body = version + b"--enc\r\nContent-Type: application/octet-stream\r\n\r\n" + armoured + b"\r\n--enc--\r\n"
    return head(subject, kind, more=more) + body


def state(page: Page, name: str) -> list[str]:
    """The words of all [data-NAME] of a page."""
    return [str(one[f"data-{name}"]) for one in page.soup.select(f"[data-{name}]")]


def open_keys(page: Page, person: Visitor) -> Page:
    return person.submit(page, ".seal-form", passphrase=PASSPHRASE)
