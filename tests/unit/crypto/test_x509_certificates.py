"""What a certificate of S/MIME holds; keys out of files and into them."""

from __future__ import annotations

import pytest

from tests.support.openpgp_people import needs_sqop, person
from tests.support.smime_people import authority, needs_openssl, smime_person
from webmail.crypto.certificate_facts import CertificateKind
from webmail.crypto.certificates import facts_of, split_certificates
from webmail.crypto.errors import CryptoTooLargeError, LockedKeyError, MalformedDataError
from webmail.crypto.x509_certificates import SmimeKey, as_pem, read_pem_key, read_pkcs12, write_pkcs12

pytestmark = needs_openssl


def test_facts_of_a_certificate() -> None:
    facts = facts_of(smime_person("alice").certificate)
    assert (facts.kind, facts.addresses, facts.names) == (CertificateKind.SMIME, ("alice@lycee.example",), ("Alice",))
    assert (facts.algorithm, facts.issuer, len(facts.fingerprint)) == ("RSA 2048", "School", 64)
    assert facts.can_sign and facts.can_encrypt and facts.expires
    assert facts_of(smime_person("alice", "ec").certificate).algorithm == "NIST P-256"
    for other in (
        authority(),
        smime_person("alice", use="servers").certificate,
        smime_person("alice", days=(-9, -1)).certificate,
    ):
        facts = facts_of(other)
        assert not facts.can_sign and not facts.can_encrypt


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_key_goes_out_with_a_passphrase_and_comes_back(kind: str) -> None:
    alice = smime_person("alice", kind)
    key = SmimeKey(alice.key, alice.certificate, (authority(),))
    file = write_pkcs12(key, "clé d’été", "Alice")
    assert read_pkcs12(file, "clé d’été", owner=1) == [key]
    for password in ("", "autre", "clé d’été\nx"):
        with pytest.raises(LockedKeyError):
            read_pkcs12(file, password, owner=1)
    with pytest.raises(LockedKeyError):
        write_pkcs12(key, "", "Alice")
    assert read_pem_key(alice.key + as_pem([authority(), alice.certificate]), "", owner=1) == [key]


def test_what_is_no_key_file_is_told() -> None:
    for data in (b"", b"text", b"\x30\x80", smime_person("alice").certificate):
        with pytest.raises(MalformedDataError):
            read_pkcs12(data, "x", owner=1)
    with pytest.raises(MalformedDataError):  # a key without its certificate
        read_pem_key(smime_person("alice").key + as_pem([smime_person("bob").certificate]), "", owner=1)
    with pytest.raises(CryptoTooLargeError):
        read_pkcs12(bytes(2 * 2**20), "x", owner=1)


@needs_sqop
def test_which_kind_it_is_is_seen() -> None:
    alice = smime_person("alice").certificate
    assert facts_of(as_pem([alice])) == facts_of(alice)
    assert split_certificates(as_pem([alice, authority()])) == [alice, authority()]
    assert facts_of(person("alice").certificate).kind == CertificateKind.OPENPGP
    for data in (b"", b"text", b"\x30\x03abc", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(MalformedDataError):
            facts_of(data)
    with pytest.raises(CryptoTooLargeError):
        facts_of(b"\x30" + bytes(5 * 2**20))
