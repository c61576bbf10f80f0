"""S/MIME between people: signed, encrypted, both; and what is said where it can't be."""

from __future__ import annotations

import random
import subprocess
import tempfile

import pytest

from tests.support.smime_people import authority, needs_openssl, smime_person
from webmail.crypto import smime
from webmail.crypto.cms_structure import CmsKind, read_cms
from webmail.crypto.errors import (
    AlteredMessageError,
    CryptoError,
    CryptoTooLargeError,
    MalformedDataError,
    NoFittingKeyError,
    UnusableCertificateError,
)
from webmail.crypto.signatures import SignatureReason, SignatureState
from webmail.crypto.x509_certificates import SmimeKey, x509_facts

pytestmark = needs_openssl
TEXT = "Content-Type: text/plain; charset=utf-8\r\n\r\nConseil de classe, salle 12 — à 17 h\r\n".encode() * 5
KINDS = ("rsa", "ec")


def school() -> dict[str, object]:
    return {"authorities": [authority()], "system": False, "owner": 1}


@pytest.mark.parametrize("authenticated", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_encrypted_body_is_read_by_its_readers_and_tells_whether_it_is_protected(kind: str, authenticated: bool) -> None:
    readers = [smime_person("alice", kind), smime_person("bob")]
    body = smime.encrypt(TEXT, [each.certificate for each in readers], authenticated=authenticated, owner=1)
    assert b"Conseil" not in body
    assert read_cms(body).kind == (CmsKind.AUTH_ENVELOPED if authenticated else CmsKind.ENVELOPED)
    for reader in readers:
        opened = smime.decrypt(body, [smime_person("eve"), reader], owner=1)
        assert (opened.content, opened.protected, opened.signatures) == (TEXT, authenticated, ())
    with pytest.raises(NoFittingKeyError):
        smime.decrypt(body, [smime_person("eve")], owner=1)


@pytest.mark.parametrize("signer", KINDS)
@pytest.mark.parametrize("reader", KINDS)
def test_signed_and_encrypted(signer: str, reader: str) -> None:
    signed = smime.sign_opaque(TEXT, smime_person("alice", signer), owner=1)
    body = smime.encrypt(signed, [smime_person("bob", reader).certificate], owner=1)
    opened = smime.verify_opaque(smime.decrypt(body, [smime_person("bob", reader)], owner=1).content, **school())
    assert opened.content == TEXT
    assert [each.state for each in opened.signatures] == [SignatureState.GOOD]


@pytest.mark.parametrize("kind", KINDS)
def test_a_detached_signature_is_good_for_what_was_signed_alone(kind: str) -> None:
    alice = smime_person("alice", kind)
    signature, micalg = smime.sign_detached(TEXT, alice, owner=1)
    assert micalg == "sha-256" and not read_cms(signature).has_content
    [good] = smime.verify_detached(TEXT, signature, **school())
    assert (good.state, good.fingerprint, good.certificate) == (
        SignatureState.GOOD, x509_facts(alice.certificate).fingerprint, alice.certificate,
    )  # fmt: skip
    assert good.made
    for changed in (TEXT + b" ", TEXT.replace(b"12", b"13"), TEXT.replace(b"\r\n", b"\n"), b""):
        [bad] = smime.verify_detached(changed, signature, **school())
        assert (bad.state, bad.reason) == (SignatureState.BAD, SignatureReason.ALTERED)


def test_who_nobody_stands_for_is_unknown_until_their_certificate_is() -> None:
    alice = smime_person("alice", issuer="Elsewhere")
    signature, _micalg = smime.sign_detached(TEXT, alice, owner=1)
    [unknown] = smime.verify_detached(TEXT, signature, **school())
    assert (unknown.state, unknown.reason) == (SignatureState.UNKNOWN, SignatureReason.ISSUER)
    assert x509_facts(unknown.certificate).addresses == ("alice@lycee.example",)
    [known] = smime.verify_detached(TEXT, signature, [alice.certificate], **school())
    assert known.state == SignatureState.GOOD
    [other] = smime.verify_detached(TEXT, signature, [smime_person("bob", issuer="Elsewhere").certificate], **school())
    assert other.state == SignatureState.UNKNOWN


def test_an_absent_certificate_in_between_is_unknown_and_a_present_one_good() -> None:
    between = authority("Between", "School")
    alice = smime_person("alice", issuer="Between", above="School")
    without, _micalg = smime.sign_detached(TEXT, alice, owner=1)
    [unknown] = smime.verify_detached(TEXT, without, **school())
    assert (unknown.state, unknown.reason) == (SignatureState.UNKNOWN, SignatureReason.ISSUER)
    with_it, _micalg = smime.sign_detached(TEXT, SmimeKey(alice.key, alice.certificate, (between,)), owner=1)
    [good] = smime.verify_detached(TEXT, with_it, **school())
    assert good.state == SignatureState.GOOD


@pytest.mark.parametrize(
    ("days", "state"),
    [((-300, -10), SignatureState.EXPIRED), ((10, 300), SignatureState.BAD)],
    ids=["expired", "not yet"],
)
def test_a_certificate_out_of_its_time(days: tuple[int, int], state: SignatureState, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = smime_person("alice", days=days)
    with pytest.raises(UnusableCertificateError) as error:
        smime.encrypt(TEXT, [smime_person("bob").certificate, alice.certificate], owner=1)
    assert error.value.fingerprints == (x509_facts(alice.certificate).fingerprint,)
    with pytest.raises(UnusableCertificateError):
        smime.sign_detached(TEXT, alice, owner=1)
    signature = _signed_by_force(alice)
    [found] = smime.verify_detached(TEXT, signature, **school())
    assert found.state == state


def test_a_certificate_for_servers_neither_signs_nor_reads() -> None:
    alice = smime_person("alice", use="servers")
    with pytest.raises(UnusableCertificateError):
        smime.encrypt(TEXT, [alice.certificate], owner=1)
    [found] = smime.verify_detached(TEXT, _signed_by_force(alice), **school())
    assert (found.state, found.reason) == (SignatureState.BAD, SignatureReason.NOT_FOR_SIGNING)


def test_sha_1_proves_nothing() -> None:
    [found] = smime.verify_detached(TEXT, _signed_by_force(smime_person("alice"), "-md", "sha1"), **school())
    assert (found.state, found.reason) == (SignatureState.BAD, SignatureReason.WEAK)


def test_a_signature_that_brings_another_content_is_not_for_this_one() -> None:
    opaque = smime.sign_opaque(TEXT, smime_person("alice"), owner=1)
    [same] = smime.verify_detached(TEXT, opaque, **school())
    assert same.state == SignatureState.GOOD
    [other] = smime.verify_detached(TEXT.replace(b"12", b"13"), opaque, **school())
    assert (other.state, other.reason) == (SignatureState.BAD, SignatureReason.ALTERED)


def _signed_by_force(key: SmimeKey, *more: str) -> bytes:
    """By a program that asks nothing."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(key.key + smime.as_pem([key.certificate]))
        file.flush()
        command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", file.name, *more]
        return subprocess.run(command, input=TEXT, capture_output=True, check=True).stdout


@pytest.mark.parametrize("authenticated", [False, True])
def test_two_hundred_changed_bits_are_never_shown_as_protected(authenticated: bool) -> None:
    bob = smime_person("bob")
    body = smime.encrypt(TEXT, [bob.certificate], authenticated=authenticated, owner=1)
    chance, altered = random.Random(36), 0
    for _number in range(200):
        changed = bytearray(body)
        bit = chance.randrange(len(body) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            opened = smime.decrypt(bytes(changed), [bob], owner=1)
        except CryptoError:
            continue
        altered += opened.content != TEXT
        assert not opened.protected or opened.content == TEXT
    assert altered == 0 if authenticated else altered > 5  # CBC: that is why it is not called protected


def _der(tag: int, inside: bytes) -> bytes:
    size = len(inside)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + inside


def _parts(element: bytes) -> list[bytes]:
    """The elements inside a DER element."""

    def size_of(data: bytes) -> tuple[int, int]:
        width = data[1] & 0x7F if data[1] > 0x80 else 0
        size = int.from_bytes(data[2 : 2 + width], "big") if width else data[1]
        return 2 + width, size

    head, size = size_of(element)
    rest, found = element[head : head + size], []
    while rest:
        head, size = size_of(rest)
        found.append(rest[: head + size])
        rest = rest[head + size :]
    return found


def test_cbc_that_calls_itself_authenticated_is_not_protected() -> None:
    bob = smime_person("bob")
    _kind, wrapped = _parts(smime.encrypt(TEXT, [bob.certificate], owner=1))
    _version, *rest = _parts(_parts(wrapped)[0])
    inside = _der(0x30, b"".join([b"\x02\x01\x00", *rest, _der(0x04, bytes(16))]))
    body = _der(0x30, _der(0x06, bytes.fromhex("2a864886f70d0109100117")) + _der(0xA0, inside))
    assert read_cms(body).kind == CmsKind.AUTH_ENVELOPED
    try:
        assert not smime.decrypt(body, [bob], owner=1).protected
    except AlteredMessageError:
        assert not read_cms(body).is_authenticated


def test_what_is_not_s_mime_is_refused() -> None:
    signature, _micalg = smime.sign_detached(TEXT, smime_person("alice"), owner=1)
    body = smime.encrypt(TEXT, [smime_person("bob").certificate], owner=1)
    for data in (b"", b"\x30", b"\x30\x80", TEXT, signature[:-40], b"\x30\x80" * 100, bytes(100), signature):
        with pytest.raises((MalformedDataError, CryptoTooLargeError)):
            smime.decrypt(data, [smime_person("bob")], owner=1)
        with pytest.raises((MalformedDataError, CryptoTooLargeError)):
            smime.verify_opaque(data, owner=1)
    with pytest.raises(MalformedDataError):
        smime.verify_detached(TEXT, body, owner=1)
    with pytest.raises(CryptoTooLargeError):
        read_cms(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80" + b"\x04\x01x" * 200_000)


def test_a_signed_content_that_was_changed_is_given_as_badly_signed() -> None:
    opaque = smime.sign_opaque(TEXT, smime_person("alice"), owner=1).replace(b"salle 12", b"salle 13")
    opened = smime.verify_opaque(opaque, **school())
    assert opened.content == TEXT.replace(b"12", b"13")
    assert [(each.state, each.reason) for each in opened.signatures] == [(SignatureState.BAD, SignatureReason.ALTERED)]
