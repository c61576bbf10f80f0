"""OpenPGP between people: signed, encrypted, both; and what is said where it can't be."""

from __future__ import annotations

import subprocess
import tempfile

import pytest

from tests.support.openpgp_people import needs_sqop, person, revoked
from webmail.crypto import openpgp
from webmail.crypto.errors import (
    AlteredMessageError,
    LockedKeyError,
    MalformedDataError,
    NoFittingKeyError,
    UnusableCertificateError,
)
from webmail.crypto.openpgp_messages import recipients
from webmail.crypto.signatures import SignatureReason, SignatureState

pytestmark = needs_sqop
TEXT = "Conseil de classe, salle 12 — à 17 h\r\n".encode()
NAMES = ("alice", "carol")


@pytest.mark.parametrize("signer", [None, *NAMES])
@pytest.mark.parametrize("reader", NAMES)
def test_an_encrypted_message_is_read_by_its_reader_who_learns_who_signed_it(signer: str | None, reader: str) -> None:
    key = person(signer).key if signer else None
    message = openpgp.encrypt(TEXT, [person(reader).certificate, person("bob").certificate], sign_with=key, owner=1)
    assert b"Conseil" not in message
    for name in (reader, "bob"):
        opened = openpgp.decrypt(message, [person(name).key], [person(each).certificate for each in NAMES], owner=1)
        assert opened.content == TEXT and opened.protected
        assert [(one.state, one.fingerprint) for one in opened.signatures] == (
            [(SignatureState.GOOD, person(signer).fingerprint)] if signer else []
        )
        assert all(one.made for one in opened.signatures)


def test_a_signature_inside_by_somebody_whose_certificate_is_not_had_is_unknown_and_not_absent() -> None:
    message = openpgp.encrypt(TEXT, [person("bob").certificate], sign_with=person("alice").key, owner=1)
    for certificates in ([], [person("carol").certificate]):
        [signature] = openpgp.decrypt(message, [person("bob").key], certificates, owner=1).signatures
        assert (signature.state, signature.reason) == (SignatureState.UNKNOWN, SignatureReason.NO_KEY)
        assert signature.fingerprint in [
            each.key.key_id for each in openpgp.read_certificate(person("alice").certificate).subkeys
        ]


@pytest.mark.parametrize("name", NAMES)
def test_a_detached_signature_is_good_for_what_was_signed_alone(name: str) -> None:
    signature, micalg = openpgp.sign_detached(TEXT, person(name).key, owner=1)
    assert micalg.startswith("pgp-sha")
    known = [person("bob").certificate, person(name).certificate]
    [good] = openpgp.verify_detached(TEXT, signature, known, owner=1)
    assert (good.state, good.fingerprint) == (SignatureState.GOOD, person(name).fingerprint)
    [bad] = openpgp.verify_detached(TEXT.replace(b"12", b"13"), signature, known, owner=1)
    assert (bad.state, bad.reason, bad.fingerprint) == (SignatureState.BAD, SignatureReason.ALTERED, person(name).fingerprint)
    [unknown] = openpgp.verify_detached(TEXT, signature, [person("bob").certificate], owner=1)
    assert unknown.state == SignatureState.UNKNOWN and unknown.made == good.made


def test_what_a_revoked_key_signed_is_told_so_and_nothing_is_encrypted_to_it() -> None:
    signature, _micalg = openpgp.sign_detached(TEXT, person("alice").key, owner=1)
    [found] = openpgp.verify_detached(TEXT, signature, [revoked("alice")], owner=1)
    assert found.state == SignatureState.REVOKED
    with pytest.raises(UnusableCertificateError) as error:
        openpgp.encrypt(TEXT, [person("bob").certificate, revoked("alice")], owner=1)
    assert error.value.fingerprints == (person("alice").fingerprint,)


def test_a_revoked_key_signs_nothing() -> None:
    key = openpgp.merge(person("alice").key, [openpgp.revocation_of(person("alice").key, owner=1)], owner=1)
    with pytest.raises(UnusableCertificateError):
        openpgp.sign_detached(TEXT, key, owner=1)
    with pytest.raises(UnusableCertificateError):
        openpgp.encrypt(TEXT, [person("bob").certificate], sign_with=key, owner=1)


def test_nobody_else_reads_it() -> None:
    message = openpgp.encrypt(TEXT, [person("bob").certificate], owner=1)
    for keys in ([], [person("alice").key]):
        with pytest.raises(NoFittingKeyError):
            openpgp.decrypt(message, keys, owner=1)


def test_what_is_only_signed_is_never_told_as_encrypted() -> None:
    signed = subprocess.run(
        ["sqop", "inline-sign", "/dev/fd/0"], input=person("alice").key, capture_output=True, check=False
    ).stdout
    for message in (signed, TEXT, b"", openpgp.sign_detached(TEXT, person("alice").key, owner=1)[0]):
        with pytest.raises(MalformedDataError):
            openpgp.decrypt(message, [person("alice").key], owner=1)


def test_a_passphrase_is_set_and_taken_off_and_a_locked_key_is_told() -> None:
    locked = openpgp.with_password(person("alice").key, "clé d’été 1", owner=1)
    message = openpgp.encrypt(TEXT, [person("alice").certificate], owner=1)
    with pytest.raises(LockedKeyError):
        openpgp.decrypt(message, [locked], owner=1)
    with pytest.raises(LockedKeyError):
        openpgp.sign_detached(TEXT, locked, owner=1)
    with pytest.raises(LockedKeyError):
        openpgp.without_password(locked, "clé d’été 2", owner=1)
    opened = openpgp.without_password(locked, "clé d’été 1", owner=1)
    assert openpgp.decrypt(message, [opened], owner=1).content == TEXT


def test_the_recipients_are_told_without_a_key() -> None:
    message = openpgp.encrypt(TEXT, [person("alice").certificate, person("carol").certificate], owner=1)
    found = recipients(message)
    assert len(found.key_ids) == 2 and not found.hidden and not found.with_password and found.is_readable
    for name in ("alice", "carol"):
        assert any(openpgp.read_certificate(person(name).certificate).key_of(each) for each in found.key_ids)


def test_a_new_key_has_no_end_and_one_name_whatever_is_typed() -> None:
    key = openpgp.generate_key("Zoé <b@x.example>\nÉvil", "zoe@lycee.example", owner=1)
    facts = openpgp.read_certificate(key).facts()
    assert facts.expires is None and facts.addresses == ("zoe@lycee.example",) and facts.is_secret
    assert facts.can_sign and facts.can_encrypt and facts.algorithm == "Curve25519"
    for address in ("", "a@b c", "a@b>c", "--help"):
        with pytest.raises(MalformedDataError):
            openpgp.generate_key("Zoé", address, owner=1)


def test_a_message_cut_short_is_not_read() -> None:
    message = openpgp.encrypt(TEXT * 1000, [person("bob").certificate], owner=1)
    whole = subprocess.run(["sqop", "dearmor"], input=message, capture_output=True, check=True).stdout
    for part in (whole[:-1], whole[:-40], whole[: len(whole) // 2]):
        with pytest.raises(AlteredMessageError):
            openpgp.decrypt(part, [person("bob").key], owner=1)


def test_of_clear_text_only_what_is_signed_is_content() -> None:
    """What stands before, after and in the armour's headers is nobody's."""
    signed, second = (_clear_signed(text) for text in (b"pay 10\n", b"pay 20\n"))
    for text in (b"pay 99\n" + signed, signed + b"pay 99\n", signed + second, signed + b"pay 99\n" + second):
        opened = openpgp.verify_inline(text, [person("alice").certificate], owner=1)
        assert opened.content == b"pay 10\n"
        assert [each.state for each in opened.signatures] == [SignatureState.GOOD]
    for text in (signed.replace(b"10", b"99"), signed.replace(b"MESSAGE-----\n", b"MESSAGE-----\npay 99\n")):
        opened = openpgp.verify_inline(text, [person("alice").certificate], owner=1)
        assert [each.state for each in opened.signatures] == [SignatureState.BAD]


def _clear_signed(text: bytes) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        file.write(person("alice").key)
        file.flush()
        command = ["sqop", "inline-sign", "--as=clearsigned", file.name]
        return subprocess.run(command, input=text, capture_output=True, check=True).stdout
