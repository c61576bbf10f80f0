"""Dovecot that reads accounts and groups from PostgreSQL, where the package dovecot-pgsql and a PostgreSQL are installed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from imapclient import IMAPClient

from deploy.demo import accounts, dovecot
from deploy.demo.services import Services
from deploy.dovecot import render
from tests.support.groups import group
from tests.support.postgresql import fresh_database, server_url
from webmail.auth.devices import app_passwords
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "administrator" / "install.md"
DRIVER = Path("/usr/lib/dovecot/modules/auth/libdriver_pgsql.so")


@pytest.mark.skipif(not DRIVER.exists(), reason="the package dovecot-pgsql is not installed")
def test_people_sign_in_and_share_with_groups(demo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    before = db.obj
    with fresh_database() as url:
        made, role = render.Values, f"dovecot{secrets.token_hex(4)}"

        def values(**given: Any) -> render.Values:
            return made(**given | {"database": urlunsplit(urlsplit(url)._replace(netloc=f"{role}@"))})

        monkeypatch.setattr(dovecot.render, "Values", values)
        opened = open_database(url)
        try:
            with opened.connection_context():
                migrate()
                for person in accounts.PEOPLE:
                    accounts._add(person, accounts.demo_password())
                maths = f"${group('Maths', 'bob@lycee.example').identifier}"
                group("Lettres", "bob@lycee.example")
                letters, _row = app_passwords.add(User.get(User.address == "bob@lycee.example"), "Phone", ["imap"])
            with _role(url, role), Services(demo_folder, web=False) as services:
                _shares_with(services, maths)
                client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10)
                client.login("bob@lycee.example", letters)
                client.logout()
        finally:
            opened.close()
            if before is not None:
                db.initialize(before)


@contextmanager
def _role(url: str, name: str) -> Iterator[None]:
    """A role that may do what docs/administrator/install.md grants Dovecot's, and nothing else."""
    import psycopg

    (grant,) = re.findall("GRANT SELECT ON [a-z_, ]+ TO dovecot;", MANUAL.read_text())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")  # type: ignore[call-overload]
        connection.execute(grant.replace("dovecot;", f"{name};"))
    try:
        yield
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {name}")  # type: ignore[call-overload]
            connection.execute(f"DROP ROLE {name}")  # type: ignore[call-overload]


def _shares_with(services: Services, identifier: str) -> None:
    def signed_in(address: str) -> IMAPClient:
        client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10)
        client.login(address, services.password)
        return client

    alice = signed_in("alice@lycee.example")
    alice.create_folder("Exams")
    alice._imap._simple_command("SETACL", "Exams", f'"{identifier}"', "lrs")
    alice.logout()
    for address, sees in (("bob@lycee.example", True), ("admin@lycee.example", False), ("charlie@autre.example", False)):
        client = signed_in(address)
        assert client.folder_exists("shared/alice@lycee.example/Exams") == sees, address
        client.logout()


@pytest.mark.parametrize(
    ("url", "host", "parameters"),
    [
        ("postgresql://u:p@db.example:5433/t", "db.example", {"port": "5433", "user": "u", "password": "p", "dbname": "t"}),
        ("postgresql://u@/t?host=%2Frun%2Fpostgresql", "/run/postgresql", {"user": "u", "dbname": "t"}),
        ("postgres:///t", "127.0.0.1", {"dbname": "t"}),
    ],
)
def test_the_address_of_a_database_becomes_what_dovecot_needs(url: str, host: str, parameters: dict[str, str]) -> None:
    assert render.postgresql(url) == {"host": host, **parameters}


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u@h/t", "postgresql://u@h", "postgresql://u@h:x/t", "postgresql://u:%22@h/t", "postgresql://u:a%0Ab@h/t",
        "postgresql://u:%25%7Bx%7D@h/t", "postgresql://u@/t?host=a%20b",
    ],
)  # fmt: skip
def test_what_dovecot_would_misread_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database|Port"):
        render.postgresql(url)


def test_a_password_in_the_configuration_is_for_its_owner_alone(tmp_path: Path) -> None:
    given = {"hostname": "m", "domain": "d", "issuer": "i", "user": "nobody", "uid": 65534, "gid": 65534, "mail": Path("/m")}
    file = tmp_path / "dovecot.conf"
    file.touch(0o644)
    render.write(render.Values(production=True, etc=tmp_path, database="postgresql://u:secret@h/t", **given))
    assert "secret" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "group_concat" not in file.read_text() and "sqlite" not in file.read_text()
