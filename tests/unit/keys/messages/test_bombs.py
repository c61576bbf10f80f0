"""Encrypted messages that unpack to more than anybody's page may take: stopped, said, and nothing is left running."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.openpgp_bombs import sealed_zeros
from tests.support.openpgp_people import needs_sqop, person
from webmail.config.settings import Settings, load
from webmail.crypto import external_programs, openpgp_certificates
from webmail.database.connection import db
from webmail.keys import own_keys
from webmail.keys.messages import opening
from webmail.keys.messages.opening import EncryptionState, OpenedPart, OpeningFault
from webmail.keys.open_keyring import OpenKeyring
from webmail.mime.headers import headers
from webmail.mime.protected.header_reading import header_block
from webmail.models import User

pytestmark = needs_sqop


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path / "instance")


@pytest.fixture
def alice(module_database: str) -> Iterator[User]:
    with db.connection_context():
        user = User.create(address="alice@lycee.example", local="alice", domain="lycee.example", name="Alice", has_keys=1)
        yield user
        User.delete().where(User.id == user.id).execute()


@pytest.fixture
def ring(alice: User) -> OpenKeyring:
    opened = OpenKeyring(alice.id, secrets.token_bytes(32))
    mine = person("alice")
    own_keys.add(alice, opened, openpgp_certificates.read_certificate(mine.certificate).facts(), mine.certificate, mine.key)
    return opened


def letter(encrypted: bytes) -> bytes:
    head = (
        b"From: Bob <bob@outside.example>\r\nTo: alice@lycee.example\r\nSubject: ...\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=enc\r\n\r\n'
        b"--enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        b"--enc\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n"
    )
    return head + base64.encodebytes(encrypted).replace(b"\n", b"\r\n") + b"-----END PGP MESSAGE-----\r\n\r\n--enc--\r\n"


def opened(raw: bytes, user: User, settings: Settings, ring: OpenKeyring | None) -> OpenedPart:
    found = opening.open_message(raw, opening.reader(user, settings, ring, headers.envelope(header_block(raw))))
    (part,) = found.parts
    return part


def test_what_unpacks_to_too_much_is_stopped_and_said(alice, ring, settings):
    raw = letter(sealed_zeros(2**28, person("alice").key))
    assert len(raw) < 2**20
    began = time.monotonic()
    part = opened(raw, alice, settings, ring)
    assert (part.encryption, part.fault, part.content) == (EncryptionState.FAILED, OpeningFault.TOO_LARGE, None)
    assert time.monotonic() - began < external_programs.SECONDS + 5
    assert external_programs.OPERATIONS.held() == 0


def test_it_is_not_even_unpacked_while_the_keys_are_closed(alice, ring, settings):
    part = opened(letter(sealed_zeros(2**28, person("alice").key)), alice, settings, None)
    assert (part.encryption, part.content) == (EncryptionState.LOCKED, None)


def test_the_same_with_little_in_it_opens(alice, ring, settings):
    """So it is the size that stops the others."""
    part = opened(letter(sealed_zeros(2**20, person("alice").key)), alice, settings, ring)
    assert part.encryption is EncryptionState.DECRYPTED and part.content is not None and len(part.content) >= 2**20
