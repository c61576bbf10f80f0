"""Mail that is encrypted on disk: no file holds its words, pages and searches find it, and it stays readable once that ends."""

from __future__ import annotations

import shutil
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import create_app, imap
from webmail.database.connection import db

SENDER, READER = "alice@lycee.example", "bob@lycee.example"
SUBJECT, BODY = "quetzalcoatlus", "archaeopteryx"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("rest") / "demo"
    yield base
    shutil.rmtree(base.resolve(), ignore_errors=True)


def deliver(services: Services) -> None:
    text = f"From: {SENDER}\r\nSubject: {SUBJECT}\r\nMessage-ID: <{SUBJECT}@x>\r\n\r\nHere is an {BODY}.\r\n"
    with smtplib.SMTP("127.0.0.1", services.ports.smtp, timeout=10) as smtp:
        smtp.login(SENDER, services.password)
        smtp.sendmail(SENDER, [READER], text.encode())


def found(services: Services, *criteria: str) -> list[int]:
    with IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10) as client:
        client.login(READER, services.password)
        client.select_folder("INBOX", readonly=True)
        return list(client.search(list(criteria)))


def files_with(base: Path, word: str) -> set[str]:
    """The kinds of files below the folder of mail in which a word is written."""
    mail = base.resolve() / "mail"
    return {
        "index of words" if "fts-flatcurve" in file.parts else "cache of headers" if file.name.startswith("dovecot.index.cache")
        else "other" for file in mail.rglob("*") if file.is_file() and word.encode() in file.read_bytes()
    }  # fmt: skip


@contextmanager
def reader_of(services: Services) -> Iterator[Visitor]:
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    before = db.obj
    try:
        yield Visitor(create_app(values.pop("instance"), **values), READER).sign_in()
    finally:
        imap.close_all()
        db.initialize(before)


def test_full_encryption_leaves_no_word_on_disk_and_pages_find_it(folder):
    with Services(folder, web=False, mail_encryption="full") as services:
        deliver(services)
        eventually(lambda: found(services, "SUBJECT", SUBJECT))
        assert found(services, "BODY", BODY) == found(services, "SUBJECT", SUBJECT)
        uid = found(services, "SUBJECT", SUBJECT)[0]
        with reader_of(services) as visitor:
            assert SUBJECT in visitor.get("/mailbox/INBOX").rows
            assert SUBJECT in visitor.get(f"/mailbox/INBOX?query={BODY}").rows
            assert BODY in visitor.get(f"/message/{uid}/INBOX").text
        assert files_with(folder, SUBJECT) == files_with(folder, BODY) == set()


def test_with_an_index_its_words_are_the_only_ones_of_the_text_on_disk(folder):
    with Services(folder, web=False, mail_encryption="indexed") as services:
        with IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10) as client:
            client.login(READER, services.password)
            client.append("INBOX", b"Subject: " + SUBJECT.encode() + b"\r\n\r\n" + BODY.encode() + b" again\r\n")
            client.select_folder("INBOX")
            client.fetch(client.search(["ALL"]), ["ENVELOPE"])
        eventually(lambda: len(found(services, "BODY", BODY)) == 2)
        assert files_with(folder, SUBJECT) <= {"index of words", "cache of headers"}
        assert files_with(folder, BODY) <= {"index of words"}
        eventually(lambda: files_with(folder, "again") | files_with(folder, "archaeopt") == {"index of words"})


def test_what_was_encrypted_is_read_after_that_ended_and_what_comes_is_in_clear(folder):
    with Services(folder, web=False) as services:
        before = set(found(services, "BODY", BODY))
        assert len(before) == 2
        deliver(services)
        eventually(lambda: len(found(services, "SUBJECT", SUBJECT)) == 3)
        assert "other" in files_with(folder, BODY)
