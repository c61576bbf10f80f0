"""Pages of signed and encrypted messages, with keys that are really made: for `every_page.py`."""

from __future__ import annotations

import secrets

from imapclient import IMAPClient

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from webmail.crypto import openpgp, openpgp_certificates
from webmail.crypto.external_programs import is_installed
from webmail.keys import known_certificates, own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import KeyOrigin, User

FOLDER = "Protégés"
_TEXT = "Bonjour,\r\n\r\nvoici le compte rendu du conseil de classe.\r\n"


def sealed_pages(demo: Services, address: str, sender: str) -> dict[str, str]:
    """Messages of `sender` to a person who has a keyring: signed, changed afterwards, encrypted for them and for somebody else,
    and with a key as a file. None where the program is absent.
    """
    if not is_installed(openpgp.PROGRAM):
        return {}
    key = openpgp.generate_key("Bob Girard", sender, owner=0)
    theirs = openpgp.certificate_of(key, owner=0)
    with accounts.tables(demo.database):
        mine = _own_certificate(User.get(User.address == address))
        _known(User.get(User.address == address), theirs)
    head = f"From: Bob Girard <{sender}>\r\nTo: {address}\r\nMIME-Version: 1.0\r\n".encode()
    inside = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{_TEXT}".encode()
    signed = _signed(head, inside, key)
    letters = {
        "message-signed": signed,
        "message-changed": signed.replace(b"voici", b"voila"),
        "message-encrypted": _encrypted(head, inside, mine),
        "message-not-for-me": _encrypted(head, inside, theirs),
        "message-key": _with_key(head, inside, theirs),
    }
    first = _appended(demo, address, list(letters.values()))
    return {name: f"/message/{first + at}/{FOLDER}" for at, name in enumerate(letters)}


def _own_certificate(user: User) -> bytes:
    """Of a new key of theirs, sealed by a secret that nobody keeps: the page asks for the passphrase."""
    key = openpgp.generate_key(user.name, user.address, owner=0)
    certificate = openpgp.certificate_of(key, owner=0)
    ring = OpenKeyring(user.id, secrets.token_bytes(32))
    own_keys.add(user, ring, openpgp_certificates.read_certificate(certificate).facts(), certificate, key)
    return certificate


def _known(user: User, certificate: bytes) -> None:
    facts = openpgp_certificates.read_certificate(certificate).facts()
    assert known_certificates.note_met(user.id, facts, certificate, facts.addresses, KeyOrigin.WKD)


def _signed(head: bytes, inside: bytes, key: bytes) -> bytes:
    signature, micalg = openpgp.sign_detached(inside, key, owner=0)
    kind = f'multipart/signed; micalg={micalg}; protocol="application/pgp-signature"; boundary=sig'
    top = head + f"Subject: Compte rendu\r\nContent-Type: {kind}\r\n\r\n".encode()
    last = b"\r\n--sig\r\nContent-Type: application/pgp-signature; name=s.asc\r\n\r\n"
    return top + b"--sig\r\n" + inside + last + signature.replace(b"\n", b"\r\n") + b"\r\n--sig--\r\n"


def _encrypted(head: bytes, inside: bytes, certificate: bytes) -> bytes:
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=enc'
    top = head + f"Subject: ...\r\nContent-Type: {kind}\r\n\r\n".encode()
    first = b"--enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--enc\r\n"
    content = openpgp.encrypt(inside, [certificate], owner=0).replace(b"\n", b"\r\n")
    return top + first + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--enc--\r\n"


def _with_key(head: bytes, inside: bytes, certificate: bytes) -> bytes:
    kind = b"Content-Type: application/pgp-keys; name=cle.asc\r\nContent-Disposition: attachment; filename=cle.asc\r\n\r\n"
    top = head + "Subject: Ma clé publique\r\nContent-Type: multipart/mixed; boundary=mix\r\n\r\n".encode()
    armoured = openpgp.armoured(certificate, owner=0)
    return top + b"--mix\r\n" + inside + b"\r\n--mix\r\n" + kind + armoured.replace(b"\n", b"\r\n") + b"\r\n--mix--\r\n"


def _appended(demo: Services, address: str, letters: list[bytes]) -> int:
    """The UID of the first of these, in a folder of their own."""
    with IMAPClient(HOST, demo.ports.imap, ssl=False, timeout=20) as client:
        client.login(address, demo.password)
        client.create_folder(FOLDER)
        for letter in letters:
            client.append(FOLDER, letter)
        client.select_folder(FOLDER, readonly=True)
        return int(min(client.search()))
