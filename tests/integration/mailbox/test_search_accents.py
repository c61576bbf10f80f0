"""Accents in searches: words typed without them, in every place and with or without a full-text index."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import quote

import pytest
from imapclient import IMAPClient

from deploy.demo.services import Services
from deploy.dovecot import render
from tests.support.messages import message
from tests.support.searches import with_file
from tests.support.visits import Visitor
from webmail import imap
from webmail.account import Account, Password, Server
from webmail.imap.searching.search import parse

_configuration = render.configuration
LETTER = "Bonjour,\nla rentrée des élèves de 6e est fixée : récréation à l’école, réunion à l'hôtel.\n"
PLACES = [  # what is typed, the subject of what is found
    ("from:éloïse", "sender"),
    ("de:eloise", "sender"),
    ("de:eloïse", "sender"),
    ("de:éloïse", "address"),
    ("subject:scolarite", "Certificats de scolarité"),
    ("body:rentree", "letter"),
    ("recreation", "letter"),
    ("ecole", "letter"),
    ("hotel", "letter"),
    ("filename:ete", "file"),
    ("filename:planning", "file"),
    ("fichier:été", "file"),
    ("filename:evenement", "second file"),
    ("filename:évènement", "second file"),
]


def letters() -> list[EmailMessage]:
    return [
        message("sender", sender="Éloïse Martin <e.m@lycee.example>"),
        message("address", sender="eloise.martin@lycee.example"),
        message("Certificats de scolarité"),
        message("letter", LETTER),
        with_file("file", "Planning été.pdf"),
        with_file("second file", unicodedata.normalize("NFD", "Événement.pdf")),  # as Macs write names
    ]


@pytest.fixture(scope="module")
def reader(app, services) -> Visitor:
    address = "accents@lycee.example"
    services.add_account(address, "Accents")
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False)
    client.login(address, services.password)
    for one in letters():
        client.append("INBOX", bytes(one))
    client.logout()
    return Visitor(app, address).sign_in()


@pytest.mark.parametrize(("query", "found"), PLACES)
def test_accents_do_not_matter_where_one_looks(reader: Visitor, query: str, found: str) -> None:
    assert found in reader.get(f"/mailbox/INBOX?query={quote(query)}").rows


def without_index(values: render.Values) -> str:
    text = _configuration(values).replace("  fts = yes\n  fts_flatcurve = yes\n", "")
    return text[: text.index("fts_autoindex")] + text[text.index("# No imap_filter_sieve") :]


@pytest.fixture(scope="module")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A mailbox with the same letters on a Dovecot that has no full-text index, as somebody else's may be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "configuration", without_index)
        with Services(tmp_path_factory.mktemp("plain") / "demo", web=False) as services:
            address = "accents@lycee.example"
            services.add_account(address, "Accents")
            server = Server("127.0.0.1", services.ports.imap, "none")
            account = Account(address, server, server, Password(address, services.password), server)
            with IMAPClient(server.host, server.port, ssl=False, timeout=10) as client:
                client.login(address, services.password)
                for one in letters():
                    client.append("INBOX", bytes(one))
            yield account
            imap.close_all(account)


@pytest.mark.parametrize(("query", "found"), PLACES)
def test_without_an_index_too(plain_server: Account, query: str, found: str) -> None:
    with imap.connect(plain_server, "INBOX") as connection:
        listing = imap.listing.page(connection, "INBOX", query=parse(query))
    assert found in [row.subject for row in listing.rows]
