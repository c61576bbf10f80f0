"""Real servers for the integration tests: one Dovecot and one SMTP server for the whole run, accounts made as needed."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.accounts import DOMAIN
from deploy.demo.dovecot import CLIENT, KEY_ID, token_key
from deploy.demo.services import ISSUER, Services
from tests.support.messages import message
from tests.support.postgresql import fresh_database, server_url
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import create_app, imap
from webmail.account import Account, Password, Server, Token, TokenIssuer

HOST = "127.0.0.1"
_numbers = itertools.count(1)
_LETTERS = str.maketrans("0123456789", "abcdefghij")


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A new PostgreSQL database with TRABOULE_TEST_DATABASE=postgresql; otherwise "": SQLite."""
    kind = os.environ.get("TRABOULE_TEST_DATABASE") or "sqlite"
    assert kind in ("sqlite", "postgresql"), f"TRABOULE_TEST_DATABASE is sqlite or postgresql, not {kind!r}"
    if kind == "sqlite":
        yield ""
        return
    if not server_url():
        pytest.skip("no PostgreSQL server: the package postgresql is not installed")
    with fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Services]:
    """Dovecot and SMTP with the demo's accounts and empty mailboxes; no web server."""
    base = tmp_path_factory.mktemp("servers") / "demo"
    with Services(base, web=False, database_url=database_url) as running:
        yield running
    # where root's temporary folders are closed to others, it lies outside of them; nobody waits for a hundred thousand files
    subprocess.Popen(["/usr/bin/nice", "rm", "-rf", "--", base.resolve()], start_new_session=True)


@pytest.fixture
def demo_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a `Services` of the test's own."""
    yield tmp_path / "demo"
    shutil.rmtree((tmp_path / "demo").resolve(), ignore_errors=True)


@pytest.fixture(scope="session")
def issuer(services: Services) -> TokenIssuer:
    """The key whose tokens Dovecot accepts."""
    return TokenIssuer(token_key(services.base).read_text(), ISSUER, CLIENT, KEY_ID)


@pytest.fixture
def make_account(services: Services) -> Callable[..., str]:
    """A new person each time: `make_account()` or `make_account("ann", quota=200_000)` returns the address.

    Accounts outlive their test, so each has a surname of its own: "Ann Qab" makes no impostor of another test's "Ann".
    """

    def make(local: str = "person", quota: int = 1024**3) -> str:
        number = str(next(_numbers))
        address = f"{local}-{number}@{DOMAIN}"
        services.add_account(address, f"{local.capitalize()} Q{number.translate(_LETTERS)}", quota)
        return address

    return make


@pytest.fixture
def imap_of(services: Services) -> Iterator[Callable[[str], IMAPClient]]:
    """A signed-in IMAPClient for an address; closed after the test."""
    opened: list[IMAPClient] = []

    def connect(address: str) -> IMAPClient:
        client = IMAPClient(HOST, services.ports.imap, ssl=False, timeout=10)
        opened.append(client)
        client.login(address, services.password)
        return client

    yield connect
    for client in opened:
        client.shutdown()


@pytest.fixture
def account_of(services: Services, issuer: TokenIssuer) -> Callable[..., Account]:
    """The `Account` by which Traboule's own code reaches an address: by token, or by password with `token=False`."""

    def make(address: str, token: bool = True) -> Account:
        servers = [Server(HOST, port, "none") for port in (services.ports.imap, services.ports.smtp, services.ports.sieve)]
        credential = Token(address, issuer) if token else Password(address, services.password)
        return Account(address, servers[0], servers[1], credential, servers[2])

    return make


@pytest.fixture
def arrives() -> Callable[..., int]:
    """Wait until a search in INBOX (or `mailbox`) finds a message; returns its UID."""

    def wait(client: IMAPClient, criteria: list[str | bytes], mailbox: str = "INBOX") -> int:
        def found() -> list[int]:
            client.select_folder(mailbox, readonly=True)
            return list(client.search(criteria, "UTF-8"))

        return int(eventually(found, step=0.05, what=f"{criteria} in {mailbox}")[0])

    return wait


@pytest.fixture
def outside(services: Services) -> Path:
    """Where mail for the outside world is kept: NAME.eml with its envelope NAME.json."""
    return services.base / "outside"


@pytest.fixture(scope="session")
def app(services: Services) -> Iterator[Flask]:
    """The application on these servers."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    made = create_app(values.pop("instance"), **values)
    yield made
    imap.close_all()


@pytest.fixture
def person(app: Flask, make_account: Callable[..., str]) -> Visitor:
    """Somebody new, signed in, with an empty mailbox."""
    return Visitor(app, make_account()).sign_in()


@pytest.fixture
def fill(imap_of: Callable[[str], IMAPClient]) -> Callable[..., list[int]]:
    """`fill(person, message(...), b"raw")` appends to INBOX (or `mailbox`); returns the UIDs it holds then."""

    def append(person: Visitor, *messages: EmailMessage | bytes, mailbox: str = "INBOX") -> list[int]:
        client = imap_of(person.address)
        for one in messages:
            client.append(mailbox, one if isinstance(one, bytes) else bytes(one))
        client.select_folder(mailbox, readonly=True)
        return list(client.search())

    return append


@pytest.fixture
def folders(person: Visitor, imap_of: Callable[[str], IMAPClient], fill: Callable[..., list[int]]) -> Visitor:
    """Somebody with mail in several folders, a day apart each."""
    client = imap_of(person.address)
    for name in ("Travail", "Travail/2024", "Été"):
        client.create_folder(name)
    places = ["INBOX", "Travail", "Travail/2024", "Été", "Trash", "Junk", "INBOX"]
    for day, name in enumerate(places, 1):
        client.append(name, bytes(message(f"Budget {day}", "le mot commun")), (), datetime(2026, 3, day, 12, tzinfo=UTC))
    person.get("/mailbox/INBOX", reload=True)  # another program made these: they show after 15 s, or after this
    return person
