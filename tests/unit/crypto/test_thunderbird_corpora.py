"""Thunderbird's own test messages, where they are at hand (TRABOULE_CORPORA): each is read and verified as its name says."""

from __future__ import annotations

import email
import os
import re
from collections.abc import Iterator
from email.message import Message
from functools import cache
from pathlib import Path

import pytest

from tests.support.openpgp_people import needs_sqop
from tests.support.smime_people import needs_openssl
from webmail.crypto import openpgp, smime
from webmail.crypto.cms_structure import CmsKind, read_cms
from webmail.crypto.errors import CryptoError, NoFittingKeyError, UnusableCertificateError
from webmail.crypto.signatures import SignatureState
from webmail.crypto.x509_certificates import SmimeKey, read_pkcs12, split_certificates

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", "/nowhere"))
OPENPGP, SMIME = CORPORA / "openpgp-thunderbird", CORPORA / "smime-thunderbird"
of_openpgp = pytest.mark.skipif(not OPENPGP.is_dir(), reason="TRABOULE_CORPORA has no openpgp-thunderbird")
of_smime = pytest.mark.skipif(not SMIME.is_dir(), reason="TRABOULE_CORPORA has no smime-thunderbird")
GOOD, BAD, UNKNOWN = SignatureState.GOOD, SignatureState.BAD, SignatureState.UNKNOWN


@cache
def _key(beginning: str, end: str) -> bytes:
    return next((OPENPGP / "keys").glob(f"{beginning}*{end}")).read_bytes()


def _signed_part(message: bytes) -> tuple[bytes, bytes] | None:
    """The signed bytes of the first multipart/signed, and the part with its signature."""
    boundary = re.search(rb'multipart/signed.{0,200}?boundary="?([^"\r\n;]+)', message, re.DOTALL)
    if not boundary:
        return None
    _before, signed, signature, *_rest = re.sub(rb"\r?\n", b"\r\n", message).split(b"\r\n--" + boundary[1])
    return signed.removeprefix(b"\r\n"), signature


def _parts(data: bytes) -> Iterator[Message]:
    yield from email.message_from_bytes(data).walk()


def _encrypted(data: bytes) -> bytes:
    """The armoured message in a part of its own, or in text."""
    for part in _parts(data):
        content = part.get_payload(decode=True) if not part.is_multipart() else b""
        if isinstance(content, bytes) and b"-----BEGIN PGP MESSAGE-----" in content:
            start = content.index(b"-----BEGIN PGP MESSAGE-----")
            return content[start : content.index(b"-----END PGP MESSAGE-----") + 25]
    raise AssertionError("no encrypted message")


@of_openpgp
@needs_sqop
@pytest.mark.parametrize(
    ("name", "reader", "inside"),
    [
        ("signed-by-0x3099ff1238852b9f-encrypted-to-0xf231550c4f47e38e", "alice@", "carol@example"),
        ("signed-by-0xfbfcc82a015e7330-encrypted-to-0xf231550c4f47e38e-with-key", "alice@", "bob@"),
        ("unsigned-encrypted-to-0xf231550c4f47e38e-from-0x3099ff1238852b9f-with-key", "alice@", None),
        ("unsigned-encrypted-to-0xf231550c4f47e38e-from-0xfbfcc82a015e7330-with-key", "alice@", None),
        ("encrypted-and-signed-alice-to-bob-nonascii", "bob@", "alice@"),
        ("alice-broken-exchange", "alice@", None),
        ("bob-enc-inline-nbsp-qp", "alice@", None),
        ("partial-encrypt-for-alice-plaintext", "alice@", None),
        ("inner-smime-sig-in-pgp-encrypted", "alice@", None),
    ],
)
def test_openpgp_encrypted(name: str, reader: str, inside: str | None) -> None:
    """Who signed inside is in a signature of its own, in the content, or around it."""
    message = _encrypted((OPENPGP / f"{name}.eml").read_bytes())
    known = [_key(beginning, "pub.asc") for beginning in ("alice@", "bob@", "carol@example")]
    opened = openpgp.decrypt(message, [_key(reader, "secret.asc")], known, owner=1)
    assert opened.content
    found = opened.signatures
    if (signed := _signed_part(opened.content)) and b"application/pgp-signature" in signed[1]:
        found = openpgp.verify_detached(*signed, known, owner=1)
    if inside:
        fingerprint = openpgp.read_certificate(_key(inside, "pub.asc")).primary.key.fingerprint
        assert [(each.state, each.fingerprint) for each in found] == [(GOOD, fingerprint)]
    else:
        assert all(each.state == GOOD for each in found)
    with pytest.raises(NoFittingKeyError):
        openpgp.decrypt(message, [_key("eddie", "secret.asc")], known, owner=1)


@of_openpgp
@needs_sqop
@pytest.mark.parametrize(
    ("name", "signer"),
    [
        ("signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e-unencrypted", "carol@example"),
        ("signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted", "bob@"),
        ("signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted-in-mixed", "bob@"),
        ("signed-with-mailman-footer", ""),  # its footer stands outside; but a header that is signed was changed
        ("outer-pgp-sig-inner-pgp-enc-with-mixed", ""),  # the signature is another message's
    ],
)
def test_openpgp_signed(name: str, signer: str) -> None:
    signed = _signed_part((OPENPGP / f"{name}.eml").read_bytes())
    assert signed
    data, signature = signed
    people = {each: _key(each, "pub.asc") for each in ("alice@", "bob@", "carol@example")}
    [found] = openpgp.verify_detached(data, signature, list(people.values()), owner=1)
    assert found.state == (GOOD if signer else BAD)
    if signer:
        assert found.fingerprint == openpgp.read_certificate(people.pop(signer)).primary.key.fingerprint
        [without] = openpgp.verify_detached(data, signature, list(people.values()), owner=1)
        assert without.state == UNKNOWN
    [changed] = openpgp.verify_detached(
        data + b"x", signature, [_key("bob@", "pub.asc"), _key("carol@example", "pub.asc")], owner=1
    )
    assert changed.state == BAD


@of_openpgp
@needs_sqop
def test_openpgp_clear_signed() -> None:
    known = [_key(beginning, "pub.asc") for beginning in ("alice@", "bob@", "carol@example")]
    for name in ("alice-utf", "inline-signed-latin1", "signed-inline-indented"):
        [part] = [part for part in _parts((OPENPGP / f"{name}.eml").read_bytes()) if not part.is_multipart()]
        text = part.get_payload(decode=True)
        assert isinstance(text, bytes)
        signatures = openpgp.verify_inline(text, known, owner=1).signatures
        assert signatures and all(each.state in (GOOD, UNKNOWN) for each in signatures), name


@of_openpgp
@needs_sqop
def test_what_can_be_encrypted_to_is_what_the_certificates_facts_say() -> None:
    """Expired, revoked, bad and of unknown kinds, and good ones of all."""
    told, done = {}, {}
    for path in sorted((OPENPGP / "keys").iterdir()):
        if "sec" in path.name or path.name.endswith("rev.asc"):
            continue
        try:
            told[path.name] = openpgp.read_certificate(path.read_bytes()).facts().can_encrypt
        except CryptoError:
            told[path.name] = False
        try:
            done[path.name] = bool(openpgp.encrypt(b"text", [path.read_bytes()], owner=1))
        except CryptoError as error:
            assert isinstance(error, UnusableCertificateError) or "alice-v5" in path.name, (path.name, error)
            done[path.name] = False
    assert told == done and len(done) > 15
    assert not any(done[name] for name in done if "revoked" in name or "expired" in name or "eddie" in name or "nosigs" in name)


@cache
def _smime_keys() -> tuple[SmimeKey, ...]:
    return tuple(key for path in sorted(SMIME.glob("*.p12")) for key in read_pkcs12(path.read_bytes(), "nss", owner=1))


def _layers(data: bytes, authorities: list[bytes]) -> Iterator[tuple[str, str]]:
    """What each layer is, from the outside in, and what was found of it."""
    first = email.message_from_bytes(data)
    if first.get_content_type() == "multipart/signed":
        signed = _signed_part(data)
        assert signed
        signature = first.get_payload()[1].get_payload(decode=True)
        found = smime.verify_detached(signed[0], signature, authorities=authorities, system=False, owner=1)
        yield "signed", " ".join(each.state for each in found)
        yield from _layers(signed[0], authorities)
    elif first.get_content_type().endswith("pkcs7-mime"):
        body = first.get_payload(decode=True)
        assert isinstance(body, bytes)
        if read_cms(body).kind == CmsKind.SIGNED:
            opened = smime.verify_opaque(body, authorities=authorities, system=False, owner=1)
            yield "signed", " ".join(each.state for each in opened.signatures)
        else:
            opened = smime.decrypt(body, _smime_keys(), owner=1)
            yield "decrypted", "protected" if opened.protected else "not protected"
        yield from _layers(opened.content, authorities)
    else:
        yield "text", str(b"is a test message from Alice to Bob." in data)


@of_smime
@needs_openssl
def test_smime_messages_are_as_their_names_say() -> None:
    authorities = [
        *split_certificates((SMIME / "TestCA.pem").read_bytes()), *(each for key in _smime_keys() for each in key.chain)
    ]  # fmt: skip
    seen = 0
    for path in sorted(SMIME.iterdir()):
        if path.suffix != ".eml" and not path.name.endswith("mismatch-econtent"):
            continue  # pieces that others are made of, some by an authority that isn't there
        seen += 1
        layers = list(_layers(path.read_bytes(), authorities))
        signatures = [state for what, state in layers if what == "signed"]
        if "SHA1" in path.name or ".bad." in path.name or "mismatch" in path.name:
            assert all(state == BAD for state in signatures), (path.name, layers)
        elif ".env.dsig." in path.name:  # the inner signature is over something else, as openssl says too
            assert signatures == [GOOD, BAD], (path.name, layers)
        else:
            assert all(state == GOOD for state in signatures), (path.name, layers)
        assert len(signatures) == len(re.findall(r"(?:dsig|sig)\.SHA", path.name)), (path.name, layers)
        assert ("decrypted", "not protected") in layers or ".env" not in path.name
    assert seen >= 33
