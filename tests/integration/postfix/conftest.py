"""A real Postfix, set up by deploy/postfix.sh, in front of the real Dovecot; skipped where it is not installed."""

from __future__ import annotations

import shutil
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from deploy.demo import postfix
from deploy.demo.services import Services
from tests.support.dns_zone import Zone
from webmail import create_app, imap
from webmail.account import Account, Password, Server, Token, TokenIssuer
from webmail.database.connection import db

HOST = "127.0.0.1"
AWAY = ("127.0.0.2", 0)  # an address of which Postfix knows nothing: no mail of its own machine


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    """What DNS says to deploy/milter."""
    with Zone() as running:
        yield running


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, database_url: str, zone: Zone) -> Iterator[Services]:
    if why := postfix.missing("pgsql" if database_url else "sqlite"):
        pytest.skip(why)
    base = tmp_path_factory.mktemp("servers") / "demo"
    with Services(base, web=False, database_url=database_url, postfix=True, resolver=zone.address, reports=True) as running:
        yield running
    shutil.rmtree(base.resolve())


@pytest.fixture(scope="module")
def issuer(services: Services) -> TokenIssuer:
    settings = services.settings()
    words = [settings[f"WEBMAIL_TOKEN_{name}"] for name in ("ISSUER", "CLIENT", "KEY_ID")]
    return TokenIssuer(Path(settings["WEBMAIL_TOKEN_KEY_FILE"]).read_text(), *words)


@pytest.fixture(scope="module")
def app(services: Services) -> Iterator[Flask]:
    """The application as the demo has it: TLS to Postfix, signed in by token."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    before = db.obj
    yield create_app(values.pop("instance"), **values, undo_seconds="0")
    imap.close_all()
    db.initialize(before)


@pytest.fixture
def account_of(services: Services, issuer: TokenIssuer) -> Callable[..., Account]:
    def make(address: str, token: bool = True, security: str = "tls") -> Account:
        port = services.ports.smtp if security == "tls" else services.ports.submission
        smtp = Server(HOST, port, security, ca_file=str(postfix.certificate(services.base)))
        credential = Token(address, issuer) if token else Password(address, services.password)
        return Account(address, Server(HOST, services.ports.imap, "none"), smtp, credential)

    return make


@pytest.fixture
def trust(services: Services) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(postfix.certificate(services.base)))


@pytest.fixture
def submitting(services: Services, trust: ssl.SSLContext) -> Iterator[Callable[..., smtplib.SMTP]]:
    """`submitting(address)`: a connection to port 465 on which somebody has signed in; on port 587 with `starttls=True`."""
    with ExitStack() as open_ones:

        def connect(address: str = "", *, starttls: bool = False, password: str = "") -> smtplib.SMTP:
            client: smtplib.SMTP
            if starttls:
                client = open_ones.enter_context(smtplib.SMTP(HOST, services.ports.submission, timeout=20, source_address=AWAY))
                client.starttls(context=trust)
            else:
                client = open_ones.enter_context(
                    smtplib.SMTP_SSL(HOST, services.ports.smtp, timeout=20, context=trust, source_address=AWAY)
                )
            client.ehlo()
            if address:
                client.login(address, password or services.password)
            return client

        yield connect


@pytest.fixture
def from_outside(services: Services) -> Iterator[Callable[..., smtplib.SMTP]]:
    """`from_outside()`: a connection to port 25 from a machine that is not trusted."""
    with ExitStack() as open_ones:

        def connect(source: str = "127.0.0.2") -> smtplib.SMTP:
            there = smtplib.SMTP(HOST, services.ports.relay, "far.example", timeout=20, source_address=(source, 0))
            client = open_ones.enter_context(there)
            client.ehlo()
            return client

        yield connect
