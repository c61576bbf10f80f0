"""The second step on real servers: mail opens after it and not before, each code once among many at once, and mail tells of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import pyotp
import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support.visits import Page, Visitor
from webmail import system_mail
from webmail.auth.factors import authenticator, recovery_codes, second_step
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import Authenticator, RecoveryCode, SystemMessage, User

AT_ONCE = 8


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


@pytest.fixture
def sure(person: Visitor) -> Visitor:
    """Somebody who has just given their password again."""
    page = person.submit(person.get("/account/confirm"), "main form", password=person.password)
    assert page.status == 200, page.text
    return person


def set_up(person: Visitor) -> tuple[str, list[str]]:
    """Turn on two-step verification on its pages: the app's secret and the recovery codes."""
    page = person.get("/account/totp")
    secret = page.one("[data-totp-key]").get_text().replace(" ", "")
    page = person.submit(page, "main form", code=pyotp.TOTP(secret).now(), name="Phone")
    return secret, [code.get_text() for code in page.all("[data-recovery-codes] li")]


def begin(app: Flask, person: Visitor) -> tuple[Visitor, Page]:
    """Another browser of this person, at the second step."""
    other = Visitor(app, person.address, person.password)
    page = other.submit(other.get("/login"), "form[action='/login']", username=other.address, password=other.password)
    assert page.address.startswith("/login/code")
    return other, page


def test_mail_opens_after_the_second_step_and_not_before(app: Flask, sure: Visitor) -> None:
    _secret, codes = set_up(sure)
    other, page = begin(app, sure)
    assert other.get("/mailbox/INBOX").address.startswith("/login")
    inbox = other.submit(page, "form[action='/login/code']", code=codes[0])
    assert inbox.address == "/mailbox/INBOX" and inbox.status == 200
    assert inbox.all("#folders a"), "the mail server answers"


def test_the_person_is_told_by_mail(app: Flask, sure: Visitor) -> None:
    _secret, codes = set_up(sure)
    other, page = begin(app, sure)
    other.submit(page, "form[action='/login/code']", code=codes[0])
    number = re.search(r"/account/totp/(\d+)/remove", other.get("/account").html)
    assert number
    other.submit(other.get("/account/confirm"), "main form.form", code=codes[1])
    removing = other.get(f"/account/totp/{number[1]}/remove")
    assert other.submit(removing, "main form", follow=True).status == 200
    told = " ".join(row.subject for row in SystemMessage.select().where(SystemMessage.recipient == sure.address))
    for words in ("authenticator app was added", "recovery code was used", "authenticator app was removed"):
        assert words in told, told
    bodies = " ".join(row.body for row in SystemMessage.select().where(SystemMessage.recipient == sure.address))
    assert not [code for code in codes if code in bodies]


def test_guesses_with_the_right_password_are_told_once(app: Flask, sure: Visitor) -> None:
    set_up(sure)
    thief, page = begin(app, sure)
    for _ in range(13):
        page = thief.submit(page, "form[action='/login/code']", code="000-000-00")
    assert page.status == 429
    mine = (SystemMessage.recipient == sure.address) & (SystemMessage.subject.contains("may know your password"))
    assert SystemMessage.select().where(mine).count() == 1


def at_once(act: Callable[[], object]) -> list[object]:
    """What came of doing this AT_ONCE times at one instant, each on a database connection of its own."""
    ready, answers, faults = threading.Barrier(AT_ONCE), [], []

    def run() -> None:
        with db.connection_context():
            ready.wait(20)
            try:
                answers.append(act())
            except Exception as error:
                faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults, faults
    return answers


def test_of_many_at_once_one_has_the_code(sure: Visitor, settings: Settings) -> None:
    secret, codes = set_up(sure)
    user = User.get(User.address == sure.address)
    Authenticator.update(last_step=0).where(Authenticator.user == user).execute()
    code = pyotp.TOTP(secret).at(time.time())
    assert sum(map(bool, at_once(lambda: authenticator.accept(user, code, settings)))) == 1
    assert sum(map(bool, at_once(lambda: recovery_codes.accept(user, codes[3], settings)))) == 1


def test_of_many_new_sets_at_once_one_stays(sure: Visitor, settings: Settings) -> None:
    set_up(sure)
    user = User.get(User.address == sure.address)

    def make() -> list[str]:
        with second_step.changing(user):
            return recovery_codes.make(user, settings)

    made = at_once(make)
    assert RecoveryCode.select().where(RecoveryCode.user == user).count() == recovery_codes.COUNT
    assert [recovery_codes.are_of(user, codes, settings) for codes in made].count(True) == 1  # type: ignore[arg-type]


def test_removing_and_adding_at_once_keep_the_account_true(sure: Visitor, settings: Settings) -> None:
    set_up(sure)
    user = User.get(User.address == sure.address)

    def exchange() -> None:
        person = User.get_by_id(user.id)
        with second_step.changing(person):
            Authenticator.delete().where(Authenticator.user == person).execute()
        with second_step.changing(person):
            authenticator.add(person, "x", authenticator.new_secret(), 0, settings)

    at_once(exchange)
    there = Authenticator.select().where(Authenticator.user == user).exists()
    assert User.get_by_id(user.id).second_step == int(there) == 1


def test_codes_by_mail_alone_open_the_mail_and_close_it_to_the_password(
    app: Flask, sure: Visitor, settings: Settings, services: Services
) -> None:
    User.update(recovery_address="paule@ailleurs.example").where(User.address == sure.address).execute()
    shown = sure.submit(sure.get("/account/mail-codes"), "main form", action="on")
    assert len(shown.all("[data-recovery-codes] li")) == recovery_codes.COUNT
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10)
    with pytest.raises(IMAPClient.Error):
        client.plain_login(sure.address, sure.password)
    other, page = begin(app, sure)
    mine = (SystemMessage.recipient == "paule@ailleurs.example") & (SystemMessage.kind == "code")
    [row] = SystemMessage.select().where(mine)
    code = re.search(r"^ +([0-9]{6})$", system_mail.text_of(row, settings.secret_key), re.M)
    assert code
    inbox = other.submit(page, "form[action='/login/code']", code=code[1])
    assert inbox.address == "/mailbox/INBOX" and inbox.all("#folders a"), "the mail server answers"
