"""New keys announce what all programs read; GnuPG and this one read and verify each other's mail, by every kind of key."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.openpgp_people import needs_sqop, person
from webmail.crypto import openpgp
from webmail.crypto.errors import MalformedDataError, UnusableCertificateError
from webmail.crypto.openpgp_messages import recipients
from webmail.crypto.signatures import SignatureReason, SignatureState

pytestmark = [needs_sqop, pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")]
TEXT = "Conseil de classe — salle 12\r\n".encode()
OURS = ("alice", "carol")  # Curve25519, RSA
THEIRS = ("default", "rsa2048", "nistp256")
Gpg = Callable[..., bytes]


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    """GnuPG with a keyring of its own, in which the people here and a person of each kind of key are."""
    home = Path("/tmp") / f"gpg-{os.getpid()}"  # short: sockets are in it
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C"}

    def run_gpg(*arguments: str, data: bytes = b"", is_refused: bool = False) -> bytes:
        command = ["gpg", "--batch", "--yes", "--quiet", "--trust-model=always", "--pinentry-mode=loopback", "--passphrase="]
        finished = subprocess.run([*command, *arguments], input=data, env=environment, capture_output=True, check=False)
        assert bool(finished.returncode) == is_refused, finished.stderr.decode()
        return finished.stdout

    for name in (*OURS, "bob"):
        run_gpg("--import", data=person(name).key)
    for kind in (*THEIRS, "brainpoolP256r1"):
        run_gpg("--quick-generate-key", f"{kind} <{kind}@gpg.example>", kind, "default" if kind == "default" else "sign,cert")
        if kind != "default":
            fingerprint = openpgp.read_certificate(run_gpg("--export", f"{kind}@gpg.example")).primary.key.fingerprint
            run_gpg("--quick-add-key", fingerprint, kind, "encr")
    yield run_gpg
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False)
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("name", OURS)
def test_a_new_key_is_written_to_as_every_program_reads(name: str) -> None:
    found = recipients(openpgp.encrypt(TEXT, [person(name).certificate], owner=1))
    assert all(len(each) == 16 for each in found.key_ids)  # key ids: the first version; fingerprints: the second


def test_what_has_a_passphrase_or_no_secret_is_not_changed() -> None:
    from webmail.crypto.openpgp_key_features import limited_to_common

    for key in (person("alice").certificate, b"text"):
        with pytest.raises(MalformedDataError):
            limited_to_common(key)
    assert limited_to_common(person("alice").key) == person("alice").key  # it is limited already


@pytest.mark.parametrize("signed", [False, True], ids=["encrypted", "signed and encrypted"])
@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("name", OURS)
def test_both_ways_with_gpg(gpg: Gpg, name: str, kind: str, signed: bool) -> None:
    key, certificate = gpg("--export-secret-keys", f"{kind}@gpg.example"), gpg("--export", f"{kind}@gpg.example")
    facts = openpgp.read_certificate(certificate).facts()
    assert facts.can_sign and facts.can_encrypt and facts.addresses == (f"{kind}@gpg.example".lower(),)
    ours = openpgp.encrypt(TEXT, [certificate, person(name).certificate], sign_with=person(name).key if signed else None, owner=1)
    assert gpg("--decrypt", data=ours) == TEXT
    signing = ["--sign", "--local-user", f"{kind}@gpg.example"] if signed else []
    theirs = gpg("--armor", "--encrypt", *signing, "--recipient", f"{name}@lycee.example", data=TEXT)
    for message, private in ((theirs, person(name).key), (ours, person(name).key), (ours, key)):
        opened = openpgp.decrypt(message, [private], [certificate, person(name).certificate], owner=1)
        assert opened.content == TEXT
        assert [each.state for each in opened.signatures] == ([SignatureState.GOOD] if signed else [])
        assert all(each.fingerprint in (facts.fingerprint, person(name).fingerprint) for each in opened.signatures)


@pytest.mark.parametrize("kind", THEIRS)
def test_signatures_both_ways_with_gpg(gpg: Gpg, kind: str, tmp_path: Path) -> None:
    certificate, key = gpg("--export", f"{kind}@gpg.example"), gpg("--export-secret-keys", f"{kind}@gpg.example")
    for form in ("--detach-sign", "--clear-sign", "--sign"):
        made = gpg("--armor", form, "--local-user", f"{kind}@gpg.example", data=TEXT)
        if form == "--detach-sign":
            found = openpgp.verify_detached(TEXT, made, [certificate], owner=1)
        else:
            found = openpgp.verify_inline(made, [certificate], owner=1).signatures
        assert [each.state for each in found] == [SignatureState.GOOD], form
    (tmp_path / "signature").write_bytes(openpgp.sign_detached(TEXT, key, owner=1)[0])
    gpg("--verify", str(tmp_path / "signature"), "-", data=TEXT)
    gpg("--verify", str(tmp_path / "signature"), "-", data=TEXT + b"x", is_refused=True)


def test_a_key_of_gpg_that_is_at_its_end_is_written_to_by_nobody(gpg: Gpg) -> None:
    gpg("--faked-system-time=20250101T000000!", "--quick-generate-key", "old <old@gpg.example>", "default", "default", "30d")
    certificate = gpg("--export", "old@gpg.example")
    key = gpg("--export-secret-keys", "old@gpg.example")
    with pytest.raises(UnusableCertificateError) as error:
        openpgp.encrypt(TEXT, [certificate], owner=1)
    assert error.value.fingerprints == (openpgp.read_certificate(certificate).primary.key.fingerprint,)
    with pytest.raises(UnusableCertificateError):
        openpgp.sign_detached(TEXT, key, owner=1)
    made = gpg("--faked-system-time=20250110T000000!", "--armor", "--detach-sign", "--local-user", "old@gpg.example", data=TEXT)
    [then] = openpgp.verify_detached(TEXT, made, [certificate], owner=1)
    assert then.state == SignatureState.GOOD and then.made and then.made.year == 2025  # it was alive when it signed


def test_mail_that_only_gpg_writes_is_said_to_be_unreadable_here(gpg: Gpg) -> None:
    """Its own kind of encrypted packets (LibrePGP), which it uses between its own keys."""
    message = gpg("--armor", "--force-ocb", "--encrypt", "--recipient", "default@gpg.example", data=TEXT)
    key = gpg("--export-secret-keys", "default@gpg.example")
    assert not recipients(message).is_readable
    with pytest.raises(MalformedDataError, match="in a way that isn't read"):
        openpgp.decrypt(message, [key], owner=1)


def test_a_kind_of_key_that_is_not_known_here_signs_what_nobody_can_tell_and_is_not_written_to(gpg: Gpg) -> None:
    certificate = gpg("--export", "brainpoolP256r1@gpg.example")
    facts = openpgp.read_certificate(certificate).facts()
    assert not facts.can_sign and not facts.can_encrypt
    made = gpg("--armor", "--detach-sign", "--local-user", "brainpoolP256r1@gpg.example", data=TEXT)
    [found] = openpgp.verify_detached(TEXT, made, [certificate], owner=1)
    assert (found.state, found.reason) == (SignatureState.UNKNOWN, SignatureReason.UNSUPPORTED)
    with pytest.raises(UnusableCertificateError):
        openpgp.encrypt(TEXT, [certificate], owner=1)
