"""Opening messages of others' corpora with the keys that they were made for: every verdict as the file's name says."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from webmail.config.settings import Settings, load
from webmail.crypto import certificates, external_programs, openpgp_certificates, x509_certificates
from webmail.database.connection import db
from webmail.keys import known_certificates, own_keys
from webmail.keys.messages import opening
from webmail.keys.messages.opening import OpenedMail
from webmail.keys.open_keyring import OpenKeyring
from webmail.mime.headers import headers
from webmail.mime.protected.header_reading import header_block
from webmail.models import KeyOrigin, User

_CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).parents[5] / "shared" / "corpora"))
PGP, SMIME = _CORPORA / "openpgp-thunderbird", _CORPORA / "smime-thunderbird"

pytestmark = [
    pytest.mark.skipif(not PGP.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA"),
    pytest.mark.skipif(not external_programs.is_installed("sqop"), reason="sqop is not installed"),
]
SUNDAYS = "Sundays are nothing without callaloo."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load(tmp_path / "instance"), smime_authorities=str(SMIME / "TestCA.pem"))


@pytest.fixture
def alice(module_database: str) -> Iterator[User]:
    with db.connection_context():
        user = User.create(address="alice@openpgp.example", local="alice", domain="openpgp.example", name="Alice", has_keys=1)
        yield user
        User.delete().where(User.id == user.id).execute()


@pytest.fixture
def ring(alice: User) -> OpenKeyring:
    ring = OpenKeyring(alice.id, secrets.token_bytes(32))
    _own(alice, ring, (PGP / "keys/alice@openpgp.example-0xf231550c4f47e38e-secret.asc").read_bytes())
    return ring


def _own(user: User, ring: OpenKeyring, key: bytes) -> None:
    from webmail.crypto import openpgp

    certificate = openpgp.certificate_of(key, owner=user.id)
    own_keys.add(user, ring, openpgp_certificates.read_certificate(certificate).facts(), certificate, key)


def _own_smime(user: User, ring: OpenKeyring, file: str) -> None:
    (key,) = x509_certificates.read_pkcs12((SMIME / file).read_bytes(), "nss", owner=user.id)
    certificate = x509_certificates.as_pem([key.certificate, *key.chain])
    own_keys.add(user, ring, x509_certificates.x509_facts(key.certificate), certificate, key.key)


def knows(user: User, name: str, origin: KeyOrigin = KeyOrigin.IMPORTED) -> None:
    (raw,) = openpgp_certificates.split_certificates((PGP / "keys" / name).read_bytes())
    facts = certificates.facts_of(raw)
    assert known_certificates.note_met(user.id, facts, raw, facts.addresses, origin)


BOB, CAROL = "bob@openpgp.example-0xfbfcc82a015e7330-pub.asc", "carol@example.com-0x3099ff1238852b9f-pub.asc"


def opened(name: str, user: User, settings: Settings, ring: OpenKeyring | None = None, folder: Path = PGP) -> OpenedMail:
    raw = (folder / name).read_bytes()
    return opening.open_message(raw, opening.reader(user, settings, ring, headers.envelope(header_block(raw))))


def told(found: OpenedMail) -> tuple[str | None, list[tuple[str, str]]]:
    (part,) = found.parts
    return part.encryption and part.encryption.value, [(one.state.value, one.note.value) for one in part.signatures]


_VERDICTS = {
    "alice-broken-exchange.eml": ("decrypted", []),
    "alice-utf.eml": (None, [("good", "")]),
    "bob-enc-inline-nbsp-qp.eml": ("decrypted", []),
    "inner-smime-sig-in-pgp-encrypted.eml": ("decrypted", [("bad", "unreadable")]),
    "openpgp__stripped_sig.eml": (None, [("partial", "stripped")]),
    "outer-pgp-sig-inner-pgp-enc-with-mixed.eml": (None, [("bad", "altered")]),
    "outer-smime-bad-sig-inner-pgp-enc-sig-with-mixed.eml": (None, [("bad", "altered")]),
    "partial-encrypt-for-alice-plaintext.eml": ("decrypted", []),
    "partial-encrypt-for-carol-plaintext.eml": ("failed", []),
    "signed-by-0x3099ff1238852b9f-encrypted-to-0xf231550c4f47e38e.eml": ("decrypted", [("good", "")]),
    "signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e-unencrypted.eml": (None, [("good", "")]),
    "signed-by-0xfbfcc82a015e7330-encrypted-to-0xf231550c4f47e38e-with-key.eml": ("decrypted", [("good", "")]),
    "signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted-in-mixed.eml": (None, [("partial", "part")]),
    "signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted.eml": (None, [("good", "")]),
    "signed-inline-indented.eml": (None, [("good", "")]),
    "signed-with-mailman-footer.eml": (None, [("bad", "altered")]),  # its Message-ID was altered, besides
    "unsigned-encrypted-to-0xf231550c4f47e38e-from-0x3099ff1238852b9f-with-key.eml": ("decrypted", []),
    "unsigned-encrypted-to-0xf231550c4f47e38e-from-0xfbfcc82a015e7330-with-key.eml": ("decrypted", []),
}


def test_every_verdict_of_openpgp(alice, ring, settings):
    knows(alice, BOB)
    knows(alice, CAROL)
    found = {name: told(opened(name, alice, settings, ring)) for name in _VERDICTS}
    assert found == _VERDICTS


def test_a_list_footer_leaves_a_part_that_is_signed(alice, settings, tmp_path):
    knows(alice, CAROL)
    raw = (PGP / "signed-with-mailman-footer.eml").read_bytes()
    (tmp_path / "footer.eml").write_bytes(raw.replace(b"-20857e15a1ag", b"-20857e15a1af"))
    assert told(opened("footer.eml", alice, settings, folder=tmp_path)) == (None, [("partial", "part")])


def test_what_is_inside(alice, ring, settings):
    (part,) = opened("signed-by-0x3099ff1238852b9f-encrypted-to-0xf231550c4f47e38e.eml", alice, settings, ring).parts
    assert part.whole and SUNDAYS.encode() in (part.content or b"")
    assert part.headers and part.headers.envelope.subject == "Signed Encrypted"
    (inline,) = opened("partial-encrypt-for-alice-plaintext.eml", alice, settings, ring).parts
    assert inline.is_text and not inline.whole
    assert b"prefix" not in (inline.content or b"")
    (outer,) = opened("outer-pgp-sig-inner-pgp-enc-with-mixed.eml", alice, settings, ring).parts
    assert outer.left and SUNDAYS.encode() not in (outer.content or b"")


def test_a_closed_keyring_and_another_persons_message(alice, ring, settings):
    name = "signed-by-0x3099ff1238852b9f-encrypted-to-0xf231550c4f47e38e.eml"
    (locked,) = opened(name, alice, settings).parts
    assert (locked.encryption, locked.content, locked.headers) == ("locked", None, None)
    (other,) = opened("partial-encrypt-for-carol-plaintext.eml", alice, settings).parts  # no passphrase helps there
    assert (other.encryption, other.fault) == ("failed", "not-for-you")
    alice.has_keys = None
    (none,) = opened(name, alice, settings).parts
    assert (none.encryption, none.fault) == ("failed", "no-keys")


def test_a_key_that_came_with_the_message_proves_nothing_the_first_time(alice, ring, settings):
    name = "signed-by-0xfbfcc82a015e7330-encrypted-to-0xf231550c4f47e38e-with-key.eml"
    for _time in range(2):  # opening it again is no second meeting
        assert told(opened(name, alice, settings, ring)) == ("decrypted", [("unknown", "first")])
    assert told(opened("signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e-unencrypted.eml", alice, settings, ring)) == (
        None, [("unknown", "no-key")],
    )  # fmt: skip
    later = "signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted.eml"
    assert told(opened(later, alice, settings, ring)) == (None, [("good", "")])


def test_a_key_of_somebody_else(alice, ring, settings, tmp_path):
    knows(alice, CAROL)
    raw = (PGP / "signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e-unencrypted.eml").read_bytes()
    (tmp_path / "eve.eml").write_bytes(raw.replace(b"From: Carol <carol@example.com>", b"From: Carol <eve@example.com>", 1))
    found = opened("eve.eml", alice, settings, folder=tmp_path)
    assert told(found) == (None, [("mismatch", "sender")])
    assert found.parts[0].signatures[0].signer == "carol@example.com"
    (tmp_path / "late.eml").write_bytes(raw.replace(b"Date: Wed, 14 Oct 2020", b"Date: Wed, 14 Oct 2025", 1))
    assert told(opened("late.eml", alice, settings, folder=tmp_path)) == (None, [("mismatch", "date")])
    (tmp_path / "bad.eml").write_bytes(raw.replace(b"callaloo", b"calaloo"))
    assert told(opened("bad.eml", alice, settings, folder=tmp_path)) == (None, [("bad", "altered")])
    known_certificates.block(alice.id, "B8F2F6F4BD3AD3F82DC446833099FF1238852B9F", blocked=True)
    assert told(opened("signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e-unencrypted.eml", alice, settings)) == (
        None, [("unknown", "blocked")],
    )  # fmt: skip


def test_every_verdict_of_smime(alice, ring, settings):
    _own_smime(alice, ring, "Bob.p12")
    for file in sorted(SMIME.glob("*.eml")):
        (part,) = opened(file.name, alice, settings, ring, SMIME).parts
        states = [one.state.value for one in part.signatures]
        weak = "SHA1" in file.name
        if ".bad." in file.name:
            assert states == ["bad"], file
        elif file.name == "alice.env.eml":
            assert (part.encryption, states, part.protected) == ("decrypted", [], False)
        else:
            number = file.name.count("sig.SHA")
            assert len(states) == number, (file, states)
            assert set(states) <= ({"bad"} if weak else {"good", "mismatch"}), (file, part.signatures)
        if ".env" in file.name and file.name != "alice.env.sig":
            assert part.encryption in ("decrypted", None), file
        assert part.content, file


def test_nobody_vouches_without_an_authority(alice, settings):
    found = opened("alice.sig.SHA256.opaque.eml", alice, replace(settings, smime_authorities=""), folder=SMIME)
    assert told(found) == (None, [("unknown", "issuer")])
