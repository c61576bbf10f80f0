"""Certificates of the establishment's authority: imported for many, locked all the while, and taken by each person."""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.support.smime_people import needs_openssl, smime_person
from webmail import create_app
from webmail.config.settings import Settings
from webmail.crypto import x509_certificates
from webmail.database.connection import db
from webmail.keys import own_keys, staged_certificates
from webmail.keys.key_errors import BadKeyFileError
from webmail.keys.notifications import certificate_ready
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.staged_certificates import OtherPersonError, TooManyStagedError, UnreadableStagedError
from webmail.models import StagedCertificate, SystemMessage, User
from webmail.web.current import settings as current_settings

pytestmark = needs_openssl
PASSWORD = "given on paper"


def key_file(name: str, password: str = PASSWORD, **more: object) -> bytes:
    return x509_certificates.write_pkcs12(smime_person(name, **more), password, name)  # type: ignore[arg-type]


@pytest.fixture
def ring(odile: User) -> OpenKeyring:
    return OpenKeyring(odile.id, secrets.token_bytes(32))


def staged(user: User, content: bytes, settings: Settings) -> staged_certificates.WaitingCertificate:
    assert staged_certificates.stage(user, "odile.p12", content, settings)
    found = staged_certificates.find(user.id, staged_certificates.waiting(user.id)[0].number)
    assert found is not None
    return found


def test_a_person_takes_theirs_and_the_newest_signs(odile: User, ring: OpenKeyring, settings: Settings) -> None:
    old = staged(odile, key_file("odile"), settings)
    with pytest.raises(BadKeyFileError):
        staged_certificates.take(odile, ring, old, "guessed", settings)
    assert staged_certificates.waiting(odile.id), "a wrong passphrase takes nothing away"
    staged_certificates.take(odile, ring, old, PASSWORD, settings)
    assert staged_certificates.waiting(odile.id) == []
    new = staged(odile, key_file("odile", days=(-1, 400)), settings)
    staged_certificates.take(odile, ring, new, PASSWORD, settings)
    mine = own_keys.own_keys(odile.id)
    assert len(mine) == 2 and all(key.is_good() for key in mine)
    signer = own_keys.signing_key(mine, "odile@lycee.example", "smime")
    assert signer is not None and signer.certificate == smime_person("odile", days=(-1, 400)).certificate
    assert b"PRIVATE KEY" in own_keys.secret_of(mine[1], ring), "the old one still opens"


def test_what_is_kept_opens_with_neither_the_passphrase_nor_the_secret_alone(
    odile: User, ring: OpenKeyring, settings: Settings
) -> None:
    content = key_file("odile")
    found = staged(odile, content, settings)
    row = StagedCertificate.get(StagedCertificate.user == odile)
    assert content not in bytes(row.sealed) and content[20:60] not in bytes(row.sealed)
    with pytest.raises(BadKeyFileError):
        staged_certificates.take(odile, ring, found, "", settings)
    with pytest.raises(UnreadableStagedError):
        staged_certificates.take(odile, ring, found, PASSWORD, replace(settings, secret_key="y" * 48))


def test_nobody_has_anothers_nor_the_same_twice_nor_too_many(odile: User, paul: User, settings: Settings) -> None:
    content = key_file("odile")
    found = staged(odile, content, settings)
    assert staged_certificates.find(paul.id, found.number) is None
    assert not staged_certificates.stage(odile, "again.p12", content, settings)
    for number in range(staged_certificates.MOST - 1):
        staged_certificates.stage(odile, "x.p12", b"0%d" % number, settings)
    with pytest.raises(TooManyStagedError):
        staged_certificates.stage(odile, "x.p12", b"one more", settings)


def test_a_file_is_checked_for_its_person(odile: User) -> None:
    content = key_file("odile")
    assert staged_certificates.check(content, PASSWORD, odile.address, "test").expires is not None
    with pytest.raises(OtherPersonError):
        staged_certificates.check(content, PASSWORD, "paul@lycee.example", "test")
    assert staged_certificates.looks_locked(content)
    assert not staged_certificates.looks_locked(b"-----BEGIN PRIVATE KEY-----")
    assert not staged_certificates.looks_locked(b"\x30\x00")


@pytest.fixture
def app(tmp_path: Path, odile: User) -> Iterator[Flask]:
    before = db.obj
    made = create_app(
        tmp_path / "instance", domain="lycee.example", sign_in="accounts", public_url="https://mail.lycee.example", recovery_address="off",
    )  # fmt: skip
    with db.connection_context():
        for name in ("odile", "paul"):
            User.create(address=f"{name}@lycee.example", local=name, domain="lycee.example", name=name, password="x")
    yield made
    db.initialize(before)


def test_files_of_many_are_imported_by_command_and_each_is_told(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "odile@lycee.example.p12").write_bytes(key_file("odile"))
    (folder / "0002.pfx").write_bytes(key_file("paul"))
    (folder / "nobody@lycee.example.p12").write_bytes(key_file("odile"))
    (folder / "3.p12").write_bytes(key_file("odile"))
    (folder / "4.p12").write_bytes(key_file("odile"))
    (folder / "notes.txt").write_text("not one of them")
    table = tmp_path / "table.csv"
    table.write_text(
        f"file;address;password\n0002.pfx;paul@lycee.example;{PASSWORD}\n3.p12;paul@lycee.example;{PASSWORD}\n"
        "4.p12;odile@lycee.example;wrong\n"
    )
    archive = tmp_path / "files.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for file in folder.iterdir():
            made.write(file, f"../deep/{file.name}")
    runner = app.test_cli_runner()
    dry = runner.invoke(args=["keys", "import-certificates", str(archive), "--table", str(table), "--dry-run"])
    assert "2 would wait for their people, 3 refused." in dry.output, dry.output
    done = runner.invoke(args=["keys", "import-certificates", str(archive), "--table", str(table)])
    assert done.exit_code == 1 and "2 wait for their people, 3 refused." in done.output, done.output
    for words in ("no account has the address nobody@", "3.p12: its certificate is not for paul@", "does not open it"):
        assert words in done.output
    again = runner.invoke(args=["keys", "import-certificates", str(folder), "--table", str(table)])
    assert again.output.count("waits for") == 2 and "0 wait" in again.output
    assert PASSWORD not in done.output + again.output
    with app.app_context(), db.connection_context():
        settings = replace(current_settings(), system_address="noreply@lycee.example")
        first, second = certificate_ready.tell_all(settings), certificate_ready.tell_all(settings)
        assert len(first) == 2 and second == []
        assert "certificat" in SystemMessage.get_by_id(first[0]).subject
    for file in (tmp_path / "instance").rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes() and b"PRIVATE KEY" not in file.read_bytes(), file
