"""What in a message is signed or encrypted: the kinds, the exact bytes, and what is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime import structure
from webmail.mime.protected import protected_parts
from webmail.mime.protected.protected_parts import ProtectionKind

_CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).parents[5] / "shared" / "corpora"))
_PGP, _SMIME = _CORPORA / "openpgp-thunderbird", _CORPORA / "smime-thunderbird"
there = pytest.mark.skipif(not _PGP.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")

SIGNED = (
    b'From: a@x.example\r\nContent-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b\r\n\r\n'
    b"preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello \r\n--c\r\n\r\n--b\r\n"
    b"Content-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n"
)


def kinds(raw: bytes) -> list[tuple[str, bool, bool]]:
    return [(part.kind.value, part.whole, part.stripped) for part in protected_parts.find(raw).parts]


def test_the_signed_bytes_are_those_that_came():
    (part,) = protected_parts.find(SIGNED).parts
    assert part.content == b"Content-Type: text/plain\r\n\r\nHello \r\n--c\r\n"
    assert part.signature == b"-----BEGIN PGP SIGNATURE-----"
    assert part.whole and not part.stripped


def test_line_ends_are_those_that_were_signed():
    (part,) = protected_parts.find(SIGNED.replace(b"\r\n", b"\n")).parts
    signed = b"Content-Type: text/plain\r\n\r\nHello \r\n--c\r\n"
    assert part.signed_forms == (signed, signed.replace(b"\r\n", b"\n"))
    assert protected_parts.find(SIGNED).parts[0].signed_forms == (signed,)


def test_a_third_part_of_a_signed_message_is_not_signed():
    more = SIGNED.replace(b"--b--", b"--b\r\nContent-Type: text/plain\r\n\r\nPay me\r\n--b--")
    assert kinds(more) == [("pgp-signed", False, False)]


def test_a_signed_message_without_its_signature_is_stripped():
    assert kinds(SIGNED.partition(b"--b\r\nContent-Type: application/pgp-sig")[0] + b"--b--\r\n") == [("pgp-signed", True, True)]
    other = SIGNED.replace(b"Content-Type: application/pgp-signature", b"Content-Type: text/plain")
    assert kinds(other) == [("pgp-signed", False, True)]


def encrypted(inner: str = "") -> bytes:
    return (
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=e\r\n\r\n--e\r\n'
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--e\r\nContent-Type: application/octet-stream\r\n\r\n"
        b"-----BEGIN PGP MESSAGE-----\r\n\r\nAAAA\r\n-----END PGP MESSAGE-----\r\n--e--\r\n"
    )


def test_the_whole_and_top_parts_are_opened_and_nothing_deeper():
    assert kinds(encrypted()) == [("pgp-encrypted", True, False)]
    top = b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nfooter\r\n--m\r\n" + encrypted() + b"\r\n--m--\r\n"
    assert kinds(top) == [("pgp-encrypted", False, False)]
    deeper = b"Content-Type: multipart/mixed; boundary=n\r\n\r\n--n\r\n" + top + b"\r\n--n--\r\n"
    assert protected_parts.find(deeper) == protected_parts.Protections((), True)
    html = top.replace(b"multipart/mixed", b"multipart/related")  # a picture's place, as EFAIL's
    assert protected_parts.find(html) == protected_parts.Protections((), True)


def test_what_an_attached_message_has_is_its_own():
    attached = (
        b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n"
        + encrypted()
        + b"\r\n--m--"
    )
    assert protected_parts.find(attached) == protected_parts.Protections()


def test_at_most_three_are_opened():
    many = (
        b"Content-Type: multipart/mixed; boundary=m\r\n\r\n"
        + b"".join(b"--m\r\n" + encrypted() + b"\r\n" for _ in range(9))
        + b"--m--"
    )
    found = protected_parts.find(many)
    assert len(found.parts) == protected_parts.MOST_PARTS
    assert found.deeper


@pytest.mark.parametrize(("around", "whole"), [("", True), ("I wrote:\r\n\r\n", False)])
def test_a_block_in_a_text(around, whole):
    text = f"Content-Type: text/plain\r\n\r\n{around}-----BEGIN PGP MESSAGE-----\r\n\xa0\r\nAAAA\r\n-----END PGP MESSAGE-----\r\n"
    (part,) = protected_parts.find(text.encode()).parts
    assert (part.kind, part.whole) == (ProtectionKind.INLINE_ENCRYPTED, whole)
    assert part.content.startswith(b"-----BEGIN PGP MESSAGE-----\r\n\r\nAAAA")


def test_a_quoted_block_is_not_opened():
    block = "> -----BEGIN PGP MESSAGE-----\r\n> \r\n> AAAA\r\n> -----END PGP MESSAGE-----\r\n"
    assert protected_parts.find(f"Content-Type: text/plain\r\n\r\n{block}".encode()).parts == ()
    assert not protected_parts.has_block(block)
    assert protected_parts.has_block(block.replace("> ", ""))


@pytest.mark.parametrize(
    ("oid", "kind"),
    [
        ("2a864886f70d010702", "smime-opaque"),
        ("2a864886f70d010703", "smime-encrypted"),
        ("2a864886f70d0109100117", "smime-encrypted"),
    ],
)
def test_what_a_cms_message_is_stands_in_its_bytes(oid, kind):
    import base64

    name = bytes.fromhex(oid)
    data = base64.encodebytes(b"\x30\x80\x06" + bytes([len(name)]) + name + bytes(40)).decode()
    raw = (
        f"Content-Type: application/pkcs7-mime; smime-type=certs-only\r\nContent-Transfer-Encoding: base64\r\n\r\n{data}".encode()
    )
    assert kinds(raw) == [(kind, True, False)]
    assert kinds(raw.replace(data.encode(), b"MIAGCSqGSIb3DQEHBqCAMIACAQAAAAAAAAAAAAAAAAAA")) == []  # another kind of CMS


def test_hostile_texts_are_bounded():
    with cpu_seconds(3, "blocks"):
        protected_parts.find(b"Content-Type: text/plain\r\n\r\n" + b"-----BEGIN PGP MESSAGE-----\r\n" * 200_000)
        protected_parts.find(
            b"Content-Type: text/plain\r\n\r\n" + b"-----BEGIN PGP MESSAGE-----\r\n-----END PGP MESSAGE-----\r\n" * 80_000
        )
        protected_parts.find(b"\r\n" + (b" " * 70 + b"\r\n") * 60_000)


_WHAT_EACH_IS = {
    "alice-broken-exchange.eml": [("pgp-encrypted", True, False)],
    "bob-enc-inline-nbsp-qp.eml": [("inline-encrypted", True, False)],
    "dual-signed-uncommon-content-type.eml": [("smime-signed", True, False)],
    "fwd-signed.eml": [],
    "inline-signed-latin1.eml": [("inline-signed", True, False)],
    "openpgp__stripped_sig.eml": [("pgp-signed", True, True)],
    "outer-pgp-sig-inner-pgp-enc-with-mixed.eml": [("pgp-signed", True, False)],
    "partial-encrypt-for-alice-plaintext.eml": [("inline-encrypted", False, False)],
    "partial-encrypt-for-carol-plaintext.eml": [("inline-encrypted", False, False)],
    "signed-with-mailman-footer.eml": [("pgp-signed", False, False)],
    "unob-signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e.eml": [],
}


@there
def test_each_message_of_the_corpus_is_what_its_name_says():
    for name, expected in _WHAT_EACH_IS.items():
        assert kinds((_PGP / name).read_bytes()) == expected, name
    for file in _SMIME.glob("*.eml"):
        raw = file.read_bytes()
        (part,) = protected_parts.find(raw).parts
        last = file.name.removesuffix(".eml").removesuffix(".bad").rpartition(".")[2]
        assert part.kind.value == {"env": "smime-encrypted", "opaque": "smime-opaque", "multipart": "smime-signed"}[last], file
        assert protected_parts.outline(structure.from_bytes(raw)), file


@there
def test_what_is_deeper_than_a_top_part_is_told_of():
    outer = protected_parts.find((_PGP / "outer-pgp-sig-inner-pgp-enc-with-mixed.eml").read_bytes())
    inside = protected_parts.find(outer.parts[0].content)
    assert [(part.kind, part.whole) for part in inside.parts] == [(ProtectionKind.PGP_ENCRYPTED, False)]
