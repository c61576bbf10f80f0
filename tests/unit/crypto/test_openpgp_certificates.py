"""What an OpenPGP certificate holds: what its own key vouches for, and nothing that others added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.openpgp_people import needs_sqop, person, revoked
from webmail.crypto.certificate_facts import parse_user_id
from webmail.crypto.errors import CryptoTooLargeError, MalformedDataError
from webmail.crypto.openpgp_certificates import read_certificate, split_certificates, written_packet
from webmail.crypto.openpgp_packets import SIGNATURE, USER_ID, Packet, packets

pytestmark = needs_sqop


def test_facts_of_a_certificate() -> None:
    facts = read_certificate(person("alice").certificate).facts()
    assert (facts.names, facts.addresses) == (("Alice",), ("alice@lycee.example",))
    assert facts.can_sign and facts.can_encrypt and not facts.revoked and not facts.is_secret and facts.expires is None
    assert abs(facts.made - datetime.now(UTC)) < timedelta(hours=1)
    assert len(facts.key_ids) == 3 and facts.key_ids[0] == facts.fingerprint[-16:]
    assert read_certificate(person("carol").key).facts().algorithm == "RSA 3072"


def test_a_revoked_certificate_can_nothing() -> None:
    facts = read_certificate(revoked("alice")).facts()
    assert facts.revoked and not facts.can_sign and not facts.can_encrypt


def test_a_name_that_somebody_else_added_does_not_count() -> None:
    added = written_packet(Packet(USER_ID, b"Head <head@lycee.example>"))
    others = [packet for packet in packets(person("bob").certificate) if packet.tag == SIGNATURE]
    for signature in (b"", *(written_packet(each) for each in others)):
        facts = read_certificate(person("alice").certificate + added + signature).facts()
        assert facts.addresses == ("alice@lycee.example",)


def test_a_changed_byte_anywhere_never_adds_or_renames() -> None:
    certificate = person("alice").certificate
    for offset in range(0, len(certificate), 7):
        changed = bytearray(certificate)
        changed[offset] ^= 0x20
        try:
            facts = read_certificate(bytes(changed)).facts()
        except (MalformedDataError, CryptoTooLargeError):
            continue
        if facts.fingerprint == person("alice").fingerprint:
            assert set(facts.addresses) <= {"alice@lycee.example"}
        else:
            assert facts.addresses == () and not facts.can_encrypt


def test_ten_thousand_names_and_five_megabytes_are_refused() -> None:
    certificate = person("alice").certificate
    name = written_packet(Packet(USER_ID, b"Alice <alice@lycee.example>"))
    with pytest.raises(CryptoTooLargeError, match="10001 names"):
        read_certificate(certificate + name * 10_000)
    with pytest.raises(CryptoTooLargeError, match="bytes"):
        read_certificate(certificate + written_packet(Packet(60, bytes(5 * 2**20))))


def test_several_certificates_in_one_file_are_told_apart() -> None:
    both = split_certificates(person("alice").certificate + person("carol").certificate)
    assert [read_certificate(each).facts().addresses for each in both] == [("alice@lycee.example",), ("carol@lycee.example",)]
    for data in (b"", b"text", person("alice").certificate[:-3], b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n%%%%\n"):
        with pytest.raises(MalformedDataError):
            split_certificates(data)


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("Zoé <Zoe@Lycee.example>", "Zoé", "zoe@lycee.example"),
        ("zoe@lycee.example", "", "zoe@lycee.example"),
        ("<zoe@lycee.example>", "", "zoe@lycee.example"),
        ("Zoé", "Zoé", ""),
        ("Zoé <zoe@lycee.example> <b@x.example>", "Zoé <zoe@lycee.example> <b@x.example>", ""),
        ("a\u202eb\n <zoe@lycee.example>", "ab", "zoe@lycee.example"),
        ("x <a@b@c>", "x", ""),
    ],
)  # fmt: skip
def test_user_ids(text: str, name: str, address: str) -> None:
    assert parse_user_id(text) == (name, address)
