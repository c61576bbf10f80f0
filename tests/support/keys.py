"""Keys for people in tests: a keyring with a key made there, and what others' programs do with their certificates."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from webmail.crypto import openpgp
from webmail.crypto.openpgp_certificates import read_certificate
from webmail.crypto.signatures import OpenedMessage
from webmail.database.connection import db
from webmail.keys import keyring, known_certificates, own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import KeyOrigin, User

PASSPHRASE = "quatre chevaux verts"


@dataclass(frozen=True)
class MadeKey:
    """An OpenPGP key: private part and certificate, as packets."""

    private: bytes
    certificate: bytes


def made_key(name: str, address: str) -> MadeKey:
    private = openpgp.generate_key(name, address, owner="tests")
    return MadeKey(private, openpgp.certificate_of(private, owner="tests"))


def give_key(app, person, key: MadeKey | None = None) -> MadeKey:
    """Somebody with an account gets a keyring with an OpenPGP key in it, closed, opened by PASSPHRASE."""
    key = key or made_key("", person.address)
    with app.app_context(), db.connection_context():
        user = User.get(User.address == person.address)
        ring, _code = keyring.make(user, PASSPHRASE, app.extensions["settings"])
        facts = read_certificate(key.certificate).facts()
        own_keys.add(user, OpenKeyring(user.id, ring), facts, key.certificate, key.private)
    return key


def know(app, person, address: str, certificate: bytes) -> None:
    """Somebody has met a certificate of somebody else."""
    with app.app_context(), db.connection_context():
        user = User.get(User.address == person.address)
        facts = read_certificate(certificate).facts()
        assert known_certificates.note_met(user.id, facts, certificate, [address], KeyOrigin.AUTOCRYPT) == 1


def decrypted(message: bytes, key: MadeKey, *signers: bytes) -> OpenedMessage:
    """As the owner of a key made here reads it."""
    return openpgp.decrypt(message, [key.private], signers, owner="tests")


class Gpg:
    """GnuPG with a folder of its own: somebody outside."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700, exist_ok=True)
        self.home = home

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--yes",
            "--trust-model",
            "always",
            "--status-fd",
            "2",
            *arguments,
        ]
        return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)

    def make(self, address: str, *more: str) -> bytes:
        """A key of GnuPG's usual kind; its certificate."""
        done = self.run("--passphrase", "", "--quick-gen-key", address, *(more or ("future-default", "default", "never")))
        assert done.returncode == 0, done.stderr.decode()
        return self.run("--export", address).stdout

    def take(self, key: bytes) -> None:
        assert self.run("--import", given=key).returncode == 0

    def decrypted(self, message: bytes) -> tuple[bytes, str]:
        """The content, and the lines of status."""
        done = self.run("--decrypt", given=message)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout, done.stderr.decode(errors="replace")

    def verified(self, content: bytes, signature: bytes) -> str:
        """The lines of status."""
        file = self.home / "signature.asc"
        file.write_bytes(signature)
        return self.run("--verify", str(file), "-", given=content).stderr.decode(errors="replace")
