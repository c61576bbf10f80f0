"""Messages of which one bit was altered on their way: what was altered is never shown as genuine."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.smime_people import authority, smime_person
from webmail.config.settings import Settings, load
from webmail.crypto import external_programs, openpgp, openpgp_certificates, smime, x509_certificates
from webmail.database.connection import db
from webmail.keys import own_keys
from webmail.keys.messages import opening
from webmail.keys.messages.opening import OpenedMail
from webmail.keys.open_keyring import OpenKeyring
from webmail.mime.headers import headers
from webmail.mime.protected import envelopes
from webmail.mime.protected.header_reading import header_block
from webmail.models import User

pytestmark = pytest.mark.skipif(
    not all(map(external_programs.is_installed, ("sqop", "openssl"))), reason="needs sqop and openssl"
)

ADDRESS = "anna@lycee.example"
FLIPS = int(os.environ.get("TRABOULE_FLIPS", "8"))  # 200 of each kind take some minutes
HEAD = f"From: Anna <{ADDRESS}>\r\nTo: {ADDRESS}\r\nSubject: ...\r\nMIME-Version: 1.0\r\n".encode()
CONTENT = (
    f'Content-Type: text/plain; charset=utf-8; hp="cipher"\r\nSubject: The marks\r\nFrom: Anna <{ADDRESS}>\r\n\r\n'
    + "".join(f"Pupil {number}: {number * 37 % 20} out of 20, and the councils meet on day {number}.\r\n" for number in range(40))
).encode()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "ca.pem").write_bytes(x509_certificates.as_pem([authority()]))
    return replace(load(tmp_path / "instance"), smime_authorities=str(tmp_path / "ca.pem"))


@pytest.fixture
def anna(module_database: str) -> Iterator[User]:
    with db.connection_context():
        user = User.create(address=ADDRESS, local="anna", domain="lycee.example", name="Anna", has_keys=1)
        yield user
        User.delete().where(User.id == user.id).execute()


def _pgp(user: User, ring: OpenKeyring, *, sign: bool, encrypt: bool) -> bytes:
    key = openpgp.generate_key("Anna", ADDRESS, owner=user.id)
    certificate = openpgp.certificate_of(key, owner=user.id)
    own_keys.add(user, ring, openpgp_certificates.read_certificate(certificate).facts(), certificate, key)
    if not encrypt:
        return envelopes.signed_part(CONTENT, *openpgp.sign_detached(CONTENT, key, owner=user.id))
    return envelopes.encrypted_part(openpgp.encrypt(CONTENT, [certificate], sign_with=key if sign else None, owner=user.id))


def _smime(user: User, ring: OpenKeyring, *, sign: bool, encrypt: bool, authenticated: bool = False) -> bytes:
    person = smime_person("anna")
    facts = x509_certificates.x509_facts(person.certificate)
    own_keys.add(user, ring, facts, x509_certificates.as_pem([person.certificate]), person.key)
    content = envelopes.smime_signed_part(CONTENT, *smime.sign_detached(CONTENT, person, owner=user.id)) if sign else CONTENT
    if not encrypt:
        return content
    data = smime.encrypt(content, [person.certificate], authenticated=authenticated, owner=user.id)
    return envelopes.smime_encrypted_part(data, authenticated=authenticated)


_KINDS: dict[str, Callable[[User, OpenKeyring], bytes]] = {
    "OpenPGP, signed and encrypted": lambda user, ring: _pgp(user, ring, sign=True, encrypt=True),
    "OpenPGP, encrypted": lambda user, ring: _pgp(user, ring, sign=False, encrypt=True),
    "OpenPGP, signed": lambda user, ring: _pgp(user, ring, sign=True, encrypt=False),
    "S/MIME, signed and encrypted": lambda user, ring: _smime(user, ring, sign=True, encrypt=True),
    "S/MIME, encrypted": lambda user, ring: _smime(user, ring, sign=False, encrypt=True),
    "S/MIME, encrypted with authentication": lambda user, ring: _smime(user, ring, sign=False, encrypt=True, authenticated=True),
    "S/MIME, signed": lambda user, ring: _smime(user, ring, sign=True, encrypt=False),
}


def _opened(raw: bytes, user: User, settings: Settings, ring: OpenKeyring) -> OpenedMail:
    return opening.open_message(raw, opening.reader(user, settings, ring, headers.envelope(header_block(raw))))


def _claims(found: OpenedMail) -> list[bytes]:
    """What would be shown as genuine: with a good signature, or decrypted and told to be protected."""
    return [
        one.content for one in found.parts
        if one.content is not None and (one.has_good_signature or (one.encryption is not None and one.protected))
    ]  # fmt: skip


@pytest.mark.parametrize("kind", _KINDS)
def test_what_was_altered_is_never_shown_as_genuine(kind: str, anna: User, settings: Settings) -> None:
    ring = OpenKeyring(anna.id, secrets.token_bytes(32))
    raw = HEAD + _KINDS[kind](anna, ring)
    whole = _claims(_opened(raw, anna, settings, ring))
    chance, begins, genuine, untouched = random.Random(f"{kind} 36"), len(HEAD), 0, 0
    for _number in range(FLIPS):
        at = chance.randrange(begins, len(raw))
        altered = bytearray(raw)
        altered[at] ^= 1 << chance.randrange(8)
        found = _claims(_opened(bytes(altered), anna, settings, ring))
        genuine += any(content.strip() != CONTENT.strip() for content in found)
        untouched += bool(found)
    assert genuine == 0
    assert whole == [] if kind == "S/MIME, encrypted" else [CONTENT.strip()] == [one.strip() for one in whole]
    print(f"{kind}: {FLIPS} altered, {untouched} of them outside what is protected")
