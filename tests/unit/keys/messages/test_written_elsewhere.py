"""Messages as other programs write them, read here: kinds of keys × signed, encrypted, both × plain, formatted, with a file, hidden.

The other way round, written here and read by those programs, is `tests/unit/compose/encryption/test_finished_messages.py`; together
they are the table in docs/administrator/encryption.md.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.keys import Gpg
from tests.support.smime_people import authority, smime_person
from webmail.config.settings import Settings
from webmail.crypto import openpgp, openpgp_certificates, x509_certificates
from webmail.crypto.openpgp import KeyAlgorithm
from webmail.keys import known_certificates, own_keys
from webmail.keys.messages import opening
from webmail.keys.open_keyring import OpenKeyring
from webmail.mime.headers import headers
from webmail.mime.protected import envelopes
from webmail.mime.protected.header_reading import header_block
from webmail.models import KeyOrigin, User

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("sqop", "gpg", "openssl"))), reason="needs sqop, gpg and openssl")
ANNE, ODILE, WORD = "anne@elsewhere.example", "odile@lycee.example", "Zwiebelkuchen é"
FILE = (
    b"--mix\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF-1.7\r\n"
)
_TEXT = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{WORD}\r\n".encode()
_HTML = f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>{WORD}</p>\r\n".encode()
SHAPES = {
    "plain": _TEXT,
    "formatted": b"Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\n"
    + _TEXT
    + b"--alt\r\n"
    + _HTML
    + b"--alt--\r\n",
    "file": b"Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\n" + _TEXT + FILE + b"--mix--\r\n",
}
MODES = {"signed": (True, False), "encrypted": (False, True), "both": (True, True), "hidden": (True, True)}
_HEAD = f"From: {ANNE}\r\nTo: {ODILE}\r\nSubject: s\r\nDate: Tue, 01 Dec 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n".encode()


@pytest.fixture
def ring(odile: User) -> OpenKeyring:
    User.update(has_keys=1).where(User.id == odile.id).execute()
    odile.has_keys = 1
    return OpenKeyring(odile.id, bytes(range(32)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpg")


_made: dict[tuple[str, str], tuple[bytes, Gpg | None]] = {}


def key(folder: Path, kind: str, address: str) -> tuple[bytes, Gpg | None]:
    """The private key of a kind, and the GnuPG that has it."""
    if (kind, address) not in _made:
        if kind.startswith("sqop"):
            algorithm = KeyAlgorithm.RSA if kind == "sqop-rsa" else KeyAlgorithm.CURVE25519
            _made[kind, address] = openpgp.generate_key("", address, algorithm, owner="tests"), None
        else:
            gpg = Gpg(folder / f"{kind}-{address.partition('@')[0]}")
            gpg.make(address, *(("rsa3072", "sign", "never") if kind == "gpg-rsa" else ()))
            if kind == "gpg-rsa":
                lines = gpg.run("--list-keys", "--with-colons").stdout.decode().splitlines()
                fingerprint = next(line.split(":")[9] for line in lines if line.startswith("fpr:"))
                gpg.run("--passphrase", "", "--quick-add-key", fingerprint, "rsa3072", "encr", "never")
            exported = gpg.run("--pinentry-mode", "loopback", "--passphrase", "", "--export-secret-keys")
            assert exported.returncode == 0 and exported.stdout, exported.stderr.decode()
            _made[kind, address] = exported.stdout, gpg
    return _made[kind, address]


def read(user: User, settings: Settings, ring: OpenKeyring, part: bytes) -> opening.OpenedMail:
    raw = _HEAD + part
    return opening.open_message(raw, opening.reader(user, settings, ring, headers.envelope(header_block(raw))))


def check(found: opening.OpenedMail, mode: str, shape: str) -> None:
    sign, encrypt = MODES[mode]
    (part,) = found.parts
    assert part.whole and (part.encryption and part.encryption.value) == ("decrypted" if encrypt else None)
    assert [one.state.value for one in part.signatures] == (["good"] if sign else [])
    content = part.content or b""
    assert WORD.encode() in content and (b"%PDF-1.7" in content) == (shape == "file")
    assert (b"<p>" in content) == (shape == "formatted")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["gpg-ed25519", "gpg-rsa", "sqop-curve25519", "sqop-rsa"])
def test_what_gnupg_writes_is_read(
    odile: User, settings: Settings, ring: OpenKeyring, folder: Path, kind: str, mode: str, shape: str
) -> None:
    own, _gpg = key(folder, kind, ODILE)
    mine = openpgp.certificate_of(own, owner="tests")
    own_keys.add(odile, ring, openpgp_certificates.read_certificate(mine).facts(), mine, own)
    _private, gpg = key(folder, "gpg-rsa" if kind == "gpg-rsa" else "gpg-ed25519", ANNE)
    assert gpg is not None
    theirs = gpg.run("--export", ANNE).stdout
    facts = openpgp_certificates.read_certificate(theirs).facts()
    assert known_certificates.note_met(odile.id, facts, theirs, [ANNE], KeyOrigin.WKD) == 1
    gpg.take(mine)
    to = openpgp_certificates.read_certificate(mine).facts().fingerprint
    sign, encrypt = MODES[mode]
    content = SHAPES[shape]
    if not encrypt:
        done = gpg.run("--armor", "--local-user", ANNE, "--detach-sign", given=content)
        part = envelopes.signed_part(content, done.stdout, "pgp-sha512")
    else:
        words = ["--armor", *(("--sign", "--local-user", ANNE) if sign else ()), "--encrypt"]
        done = gpg.run(*words, "--hidden-recipient" if mode == "hidden" else "--recipient", to, given=content)
        part = envelopes.encrypted_part(done.stdout)
    assert done.returncode == 0, done.stderr.decode()
    check(read(odile, settings, ring, part), mode, shape)


def openssl(*arguments: str, given: bytes) -> bytes:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["signed", "encrypted", "both"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_what_openssl_writes_is_read(
    odile: User, settings: Settings, ring: OpenKeyring, tmp_path: Path, kind: str, mode: str, shape: str
) -> None:
    me, anne = smime_person("odile", kind), smime_person("anne", kind)
    files = {
        "key": anne.key,
        "own": x509_certificates.as_pem([anne.certificate]),
        "to": x509_certificates.as_pem([me.certificate]),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "school.pem").write_bytes(x509_certificates.as_pem([authority()]))
    settings = replace(settings, smime_authorities=str(tmp_path / "school.pem"))
    own_keys.add(odile, ring, x509_certificates.x509_facts(me.certificate), x509_certificates.as_pem([me.certificate]), me.key)
    sign, encrypt = MODES[mode]
    content = SHAPES[shape]
    part = content
    if sign:
        signing = [
            "cms",
            "-sign",
            "-binary",
            "-signer",
            str(tmp_path / "own"),
            "-inkey",
            str(tmp_path / "key"),
            "-outform",
            "DER",
        ]
        part = envelopes.smime_signed_part(content, openssl(*signing, given=content), "sha-256")
    if encrypt:
        sealed = openssl("cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", str(tmp_path / "to"), given=part)
        part = envelopes.smime_encrypted_part(sealed, authenticated=False)
    raw = _HEAD.replace(ANNE.encode(), b"anne@lycee.example") + part
    found = opening.open_message(raw, opening.reader(odile, settings, ring, headers.envelope(header_block(raw))))
    check(found, mode, shape)
