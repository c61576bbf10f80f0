"""The page of a public link: what it says of files that can be had once, and to whom it asks for a code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import published
from webmail.config.settings import Settings
from webmail.models import Transfer, TransferRecipient, User
from webmail.transfers import store
from webmail.transfers.options import TransferOptions


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with ground.application(
        tmp_path / "instance",
        language="en",
        system_address="post@lycee.example",
        smtp_security="none",
        public_url="http://localhost",
    ) as made:
        ground.add("alice@lycee.example")
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


def sent(settings: Settings, **options: bool) -> tuple[Transfer, str]:
    """Three files for somebody, and the address of their own link."""
    made = published(
        User.get(), {name: name.encode() for name in ("a.txt", "b.txt", "c.txt")}, settings,
        options=TransferOptions(**options), recipients=[("", "zoe@else.example")],
    )  # fmt: skip
    return made, f"/t/{store.recipient_token(TransferRecipient.get(TransferRecipient.transfer == made), settings)}"


def words_of(guest: FlaskClient, path: str) -> str:
    return " ".join(guest.get(path).text.split())


def fetch(guest: FlaskClient, path: str, **button: str) -> None:
    guest.get(guest.post(path, data=button).location).get_data()


def test_what_is_left_of_files_that_can_be_had_once(guest, settings):
    transfer, path = sent(settings, once=True)
    [first, second, _third] = store.files(transfer)
    assert "Download all" in words_of(guest, path) and "Make sure you have enough space" in words_of(guest, path)
    fetch(guest, path, file=first.upload)
    page = words_of(guest, path)
    assert "Download the 2 remaining files" in page and "here" not in page.partition("sent-all")[2].partition("</button>")[0]
    fetch(guest, path, file=second.upload)
    assert "Download the remaining file" in words_of(guest, path)
    fetch(guest, path, action="all")
    page = words_of(guest, path)
    assert "You have downloaded everything." in page and "Make sure you have enough space" not in page


def test_who_is_asked_for_a_code_is_told_what_for(guest, settings):
    _transfer, path = sent(settings, mail_code=True)
    assert "<h1>Confirm your address</h1>" in words_of(guest, path)


def test_the_page_leads_to_help_for_who_downloads(guest, settings):
    _transfer, path = sent(settings)
    assert 'href="/help/receive-files"' in guest.get(path).text
    assert "You don’t need an account." in words_of(guest, "/help/receive-files")
