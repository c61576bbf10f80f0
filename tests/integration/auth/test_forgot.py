"""Forgotten passwords on real servers: mail that goes out, a gateway that is asked, Dovecot that takes the new password at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from deploy.demo.services import Services
from tests.support.sms_gateway import SmsGateway, sms_gateway
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import system_mail
from webmail.auth.devices import app_passwords
from webmail.config.settings import Settings
from webmail.models import Session, SystemMessage, User, now

NEW = "violon herbe cuivre lampe"


@pytest.fixture
def gateway(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsGateway]:
    """The application's own, for text messages."""
    with sms_gateway() as found:
        settings: Settings = app.extensions["settings"]
        monkeypatch.setitem(app.extensions, "settings", replace(settings, sms=found.sms))
        yield found


@pytest.fixture
def address(app: Flask, make_account: Callable[..., str]) -> str:
    """Somebody with a recovery address and a telephone."""
    made = make_account("oubli")
    User.update(recovery_address=private(made), phone="+33612345678").where(User.address == made).execute()
    return made


def private(address: str) -> str:
    return f"{address.partition('@')[0]}@private.example"


def ask(visitor: Visitor, address: str, action: str) -> Page:
    return visitor.submit(visitor.get("/forgot"), "main form", username=address, action=action)


def choose(visitor: Visitor, page: Page) -> Page:
    return visitor.submit(page, "form[action='/forgot/new']", new_password=NEW, new_password_again=NEW)


def deliver(app: Flask) -> None:
    """What the worker does."""
    for row in system_mail.sweep():
        system_mail.deliver(row, app.extensions["settings"])


def link(outside: Path, recipient: str) -> str:
    def found() -> str:
        for file in outside.glob("*.eml"):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            if mail["To"] == recipient and (path := re.search(r"^http://localhost:\d+(/forgot/\S+)", mail.get_content(), re.M)):
                return path[1]
        return ""

    return eventually(found, what=f"a link for {recipient}")


def signs_in(services: Services, address: str, password: str) -> bool:
    with IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10) as client:
        try:
            client.login(address, password)
        except LoginError:
            return False
        return True


def test_a_link_by_mail_and_everything_open_ends(
    app: Flask, services: Services, address: str, outside: Path, imap_of: Callable[[str], IMAPClient]
) -> None:
    elsewhere, program = Visitor(app, address, services.password).sign_in(), imap_of(address)
    secret, _row = app_passwords.add(User.get(User.address == address), "Phone", ["imap"])
    visitor = Visitor(app)
    assert "we have sent a link there" in ask(visitor, address, "mail").text
    deliver(app)
    path = link(outside, private(address))
    inbox = choose(visitor, visitor.get(path))
    assert inbox.address == "/mailbox/INBOX" and inbox.all("#folders a"), "the mail server takes our token"
    assert elsewhere.get("/mailbox/INBOX").address.startswith("/login")
    assert signs_in(services, address, NEW) and not signs_in(services, address, services.password)
    assert signs_in(services, address, secret), "app passwords stay"
    eventually(lambda: _is_over(program), what="the mail program's connection to end")
    assert visitor.get(path).status == 410
    told = {row.recipient for row in SystemMessage.select().where(SystemMessage.kind == "security")}
    assert {address, private(address)} <= told


def test_a_code_by_a_gateway(app: Flask, services: Services, address: str, gateway: SmsGateway) -> None:
    visitor = Visitor(app)
    page = ask(visitor, address, "sms")
    body = eventually(lambda: gateway.asked[-1][3] if gateway.asked else "", what="a text message")
    message = json.loads(body)
    assert message["to"] == "+33612345678" and address not in message["message"]
    code = re.search(r"\d{6}", message["message"])
    assert code
    inbox = choose(visitor, visitor.submit(page, "form[action='/forgot/code']", code=code[0]))
    assert inbox.address == "/mailbox/INBOX"
    assert signs_in(services, address, NEW)
    eventually(lambda: len(gateway.asked) == 2, what="a text message that tells of it")


def test_of_nobody_no_mail_and_no_text_message(app: Flask, gateway: SmsGateway) -> None:
    before, visitor = SystemMessage.select().count(), Visitor(app)
    for action in ("mail", "sms"):
        assert ask(visitor, "nobody@lycee.example", action).status == 200
    assert SystemMessage.select().count() == before and gateway.asked == []


def test_a_gateway_that_is_away_is_told_to_who_is_signed_in(person: Visitor, gateway: SmsGateway) -> None:
    gateway.status = 500
    Session.update(confirmed=now()).execute()  # the password was typed for it
    page = person.submit(person.get("/account/phone"), "main form.form", number="06 12 34 56 99")
    assert page.status == 502 and page.all("main .field-error")
    gateway.status = 200
    page = person.submit(page, "main form.form", number="06 12 34 56 99")
    assert page.status == 200 and page.all("main [name=code]")


def _is_over(program: IMAPClient) -> bool:
    try:
        program.noop()
    except Exception:  # of whichever kind: the server hung up
        return True
    return False
