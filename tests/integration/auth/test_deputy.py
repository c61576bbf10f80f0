"""A deputy's sheet on real servers: what the temporary password opens at Dovecot, and what was open and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import Tag
from flask import Flask
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from deploy.demo.services import Services
from tests.support.groups import group
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail.auth.devices import app_passwords
from webmail.auth.recovery import deputies
from webmail.database.connection import db
from webmail.models import PeopleGroup, Session, User, now

HOST = "127.0.0.1"
NEW = "un tournesol sur 12 bateaux"


@pytest.fixture
def colleague(app: Flask, make_account: Callable[..., str]) -> str:
    return make_account("colleague")


@pytest.fixture
def deputy(app: Flask, make_account: Callable[..., str], colleague: str) -> Visitor:
    """Somebody who helps the colleague, and has given a factor again."""
    address = make_account("deputy")
    with db.connection_context():
        name = f"Groupe {colleague.partition('@')[0]}"
        group(name, colleague)
        user = User.get(User.address == address)
        deputies.add(user, PeopleGroup.get(PeopleGroup.name == name))
    visitor = Visitor(app, address).sign_in()
    with db.connection_context():
        User.update(second_step=1).where(User.id == user.id).execute()
        Session.update(confirmed=now()).where(Session.user == user).execute()
    return visitor


def page_of(deputy: Visitor, address: str) -> str:
    row = deputy.get(f"/deputy?query={address}").one("[data-person]")
    link = row.select_one("a")
    assert isinstance(link, Tag)
    return str(link["href"])


def sheet_for(deputy: Visitor, address: str) -> tuple[Page, str]:
    """The sheet, and the password on it."""
    asked = deputy.get(f"{page_of(deputy, address)}/password")
    made = deputy.submit(asked, "main form.toolbar", action="make")
    return made, made.one("[data-temporary-password]").get_text()


def logged_in(services: Services, address: str, password: str) -> bool:
    client = IMAPClient(HOST, services.ports.imap, ssl=False, timeout=10)
    try:
        client.login(address, password)
    except LoginError:
        return False
    finally:
        client.shutdown()
    return True


def test_the_sheet_opens_the_webmail_alone(app: Flask, services: Services, deputy: Visitor, colleague: str) -> None:
    assert logged_in(services, colleague, services.password)
    _sheet, shown = sheet_for(deputy, colleague)
    for password in (services.password, shown, shown.replace(" ", "")):
        assert not logged_in(services, colleague, password)
    back = Visitor(app, colleague, shown.upper()).sign_in()
    first = back.get("/mailbox/INBOX")
    answer = back.submit(first, "main form.form", password=shown, new_password=NEW, new_password_again=NEW)
    assert answer.status == 200, answer.notices
    assert back.get("/mailbox/INBOX").status == 200
    assert logged_in(services, colleague, NEW)


def test_what_mail_programs_have_open_ends_and_app_passwords_stay(
    services: Services, deputy: Visitor, colleague: str, imap_of: Any
) -> None:
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == colleague), "Téléphone", ["imap"])
    open_one = imap_of(colleague)
    sheet_for(deputy, colleague)
    eventually(lambda: _is_over(open_one), what="the end of the connection")
    assert logged_in(services, colleague, letters)


def _is_over(client: IMAPClient) -> bool:
    try:
        client.noop()
    except Exception:
        return True
    return False


def test_others_are_not_there(app: Flask, deputy: Visitor, make_account: Callable[..., str]) -> None:
    stranger = make_account("stranger")
    assert not deputy.get(f"/deputy?query={stranger}").all("[data-person]")
    with db.connection_context():
        number = User.get(User.address == stranger).id
    assert deputy.get(f"/deputy/{number}").status == 404
