"""People with OpenPGP keys, made once for a run of tests: alice and bob have Curve25519 ones, carol an RSA one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest

from webmail.crypto import openpgp
from webmail.crypto.external_programs import is_installed
from webmail.crypto.openpgp import KeyAlgorithm

needs_sqop = pytest.mark.skipif(not is_installed("sqop"), reason="sqop is not installed")


@dataclass(frozen=True)
class OpenpgpPerson:
    """A person with a private key without passphrase, and its certificate."""

    key: bytes
    certificate: bytes
    fingerprint: str


@cache
def person(name: str) -> OpenpgpPerson:
    algorithm = KeyAlgorithm.RSA if name == "carol" else KeyAlgorithm.CURVE25519
    key = openpgp.generate_key(name.capitalize(), f"{name}@lycee.example", algorithm, owner="tests")
    certificate = openpgp.certificate_of(key, owner="tests")
    return OpenpgpPerson(key, certificate, openpgp.read_certificate(key).primary.key.fingerprint)


@cache
def revoked(name: str) -> bytes:
    """Somebody's certificate after they revoked it."""
    revocation = openpgp.revocation_of(person(name).key, owner="tests")
    return openpgp.merge(person(name).certificate, [revocation], owner="tests")
