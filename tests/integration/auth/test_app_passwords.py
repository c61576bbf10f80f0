"""App passwords on a real Dovecot: what they open and what not, what ends and after how many seconds, and who tells of their use."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import imap, jobs, managesieve
from webmail.account import Account, Password
from webmail.auth.devices import app_passwords, cloud_programs, failures
from webmail.auth.providers import accounts
from webmail.auth.providers.accounts import Claims
from webmail.auth.sessions import mail_sessions
from webmail.config.cloud_programs import CloudProgram
from webmail.errors import SignInRefusedError
from webmail.models import AppPassword, LinkedAccount, SystemMessage, User, now

HOST = "127.0.0.1"
AT_ONCE = 3.0  # seconds: bounds of what is measured, on a busy machine

Connect = Callable[..., IMAPClient]


@pytest.fixture
def user(app: Flask, make_account: Callable[..., str]) -> User:
    return User.get(User.address == make_account())


@pytest.fixture
def connect(services: Services) -> Iterator[Connect]:
    """`connect(address, password)`: an IMAP connection that is signed in."""
    with ExitStack() as opened:

        def sign_in(address: str, password: str) -> IMAPClient:
            client = IMAPClient(HOST, services.ports.imap, ssl=False, timeout=10)
            opened.callback(_shut, client)
            client.plain_login(address, password)
            return client

        yield sign_in


def _shut(client: IMAPClient) -> None:
    with contextlib.suppress(OSError):
        client.shutdown()


@pytest.fixture
def look_into_shared(user: User, make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient]) -> Callable[..., None]:
    """Have a connection of the user's look into somebody else's folder: Dovecot's own kick does not end it then."""
    other = make_account()
    imap_of(other)._command_and_check("setacl", "INBOX", user.address, "lr")  # type: ignore[no-untyped-call]

    def look(client: IMAPClient) -> None:
        assert f"shared/{other}" in [name for _flags, _delimiter, name in client.list_folders()]
        client.select_folder(f"shared/{other}", readonly=True)

    return look


def _ended(client: IMAPClient) -> bool:
    try:
        client.noop()
    except (IMAPClient.AbortError, OSError):
        return True
    return False


def _refuses(connect: Connect, address: str, password: str) -> bool:
    try:
        connect(address, password)
    except IMAPClient.Error as error:
        assert "AUTHENTICATIONFAILED" in str(error)  # and not that the server is out of order
        return True
    return False


@pytest.fixture
def refused_networks(app: Flask) -> Iterator[None]:
    """127.0.0.2, and an IPv6 network, belong to a program that nobody signs in by. Only for this test."""
    program = CloudProgram("Spark", "127.0.0.2, 2001:db8::/32", block=True)
    cloud_programs.write_refused(replace(app.extensions["settings"], cloud_programs=(program,)))
    yield
    cloud_programs.write_refused(app.extensions["settings"])


def test_from_the_networks_of_a_refused_program_nobody_signs_in(services, user, refused_networks):
    letters, _row = app_passwords.add(user, "Phone", ["imap", "smtp"])
    for secret in (letters, "demo"):
        assert _imap_answer(services, user.address, secret, "127.0.0.1").startswith("1 OK"), secret
        assert "AUTHENTICATIONFAILED" in _imap_answer(services, user.address, secret, "127.0.0.2"), secret


def _imap_answer(services: Services, address: str, secret: str, place: str) -> str:
    with (
        socket.create_connection((HOST, services.ports.imap), 10, source_address=(place, 0)) as line,
        line.makefile("rwb") as talk,
    ):
        talk.readline()
        talk.write(f'1 LOGIN "{address}" "{secret}"\r\n'.encode())
        talk.flush()
        while (answer := talk.readline()) and not answer.startswith(b"1 "):
            pass
        return answer.decode()


def test_it_opens_imap_however_it_is_typed(user, connect):
    letters, _row = app_passwords.add(user, "Phone", ["imap"])
    shown = " ".join(app_passwords.groups(letters))
    for typed in (letters, shown, shown.upper(), shown.replace(" ", "-"), letters.capitalize(), f" {shown} "):
        assert connect(user.address, typed).noop()


def test_nothing_else_opens(user, connect, make_account, services):
    letters, row = app_passwords.add(user, "Phone", ["imap"])
    other = letters[:-1] + ("a" if letters[-1] != "a" else "b")
    for typed in (other, letters[:-1], letters + "a", "", row.sha, "' OR '1'='1", "é" * 24):
        assert _refuses(connect, user.address, typed or " "), typed
    assert _refuses(connect, make_account(), letters)  # somebody else's
    assert connect(user.address, services.password)  # the account's own goes on


def test_it_opens_what_it_is_for_and_nothing_else(user, connect, account_of):
    for uses in (["imap"], ["smtp"], ["imap", "smtp"], ["caldav", "carddav"]):
        letters, _row = app_passwords.add(user, "Phone", uses)
        account = account_of(user.address)
        with_it = Account(account.address, account.imap, account.smtp, Password(user.address, letters), account.sieve)
        assert _refuses(connect, user.address, letters) is ("imap" not in uses)
        assert _opens_smtp(with_it) is ("smtp" in uses)
        with pytest.raises(SignInRefusedError), managesieve.connect(with_it):
            pass


def _opens_smtp(account: Account) -> bool:
    assert isinstance(account.credential, Password)
    with smtplib.SMTP(account.smtp.host, account.smtp.port, timeout=10) as client:
        try:
            return client.login(account.credential.username, account.credential.password)[0] == 235
        except smtplib.SMTPAuthenticationError as error:
            assert error.smtp_code == 535
            return False


def test_it_opens_nothing_once_its_day_is_over(user, connect):
    ends = now() + timedelta(seconds=2)
    letters, row = app_passwords.add(user, "Course", ["imap"], ends)
    assert connect(user.address, letters)
    eventually(lambda: _refuses(connect, user.address, letters), step=0.3, what="the end")
    assert time.time() >= row.expires


def test_it_pauses_where_a_provider_has_not_vouched_for_its_owner_in_a_long_time(app, user, connect):
    """A week before, they are told; then it is refused and what is open ends; the provider's next word brings it back."""
    letters, _row = app_passwords.add(user, "Phone", ["imap"])
    User.update(password="", provider="cas", recovery_address=f"private-of-{user.local}@example.net").where(
        User.id == user.id
    ).execute()
    LinkedAccount.create(user=user, provider="cas", subject=user.local, used=now() - timedelta(days=400))
    settings = replace(app.extensions["settings"], provider_app_password_days=180)
    work = jobs.build(settings)
    work.context = app.app_context
    client = connect(user.address, letters)
    work.do("app passwords")
    assert not _ended(client) and not _refuses(connect, user.address, letters)
    LinkedAccount.update(warned=now() - timedelta(days=8)).where(LinkedAccount.user == user).execute()
    work.do("app passwords")
    eventually(lambda: _ended(client), seconds=AT_ONCE, what="the end of what was open")
    assert _refuses(connect, user.address, letters)
    accounts.vouched(user, Claims("cas", user.local))
    assert connect(user.address, letters)
    told = [
        (row.recipient, row.subject) for row in SystemMessage.select().order_by(SystemMessage.id) if user.local in row.recipient
    ]
    both = [user.address, f"private-of-{user.local}@example.net"]
    assert told == [
        *((to, "Connectez-vous pour garder votre téléphone relié") for to in both),
        *((to, "Vos téléphones et logiciels de messagerie sont déconnectés") for to in both),
    ]


def test_it_opens_nothing_once_the_account_is_disabled(app, user, connect, account_of, look_into_shared):
    letters, _row = app_passwords.add(user, "Phone", ["imap"])
    client = connect(user.address, letters)
    look_into_shared(client)
    with imap.connect(account_of(user.address)) as of_pages:  # by token
        began = time.monotonic()
        said = app.test_cli_runner().invoke(args=["accounts", "disable", user.address]).output
        eventually(lambda: _ended(of_pages.client), seconds=AT_ONCE, what="the end of what pages had open")
    assert "1 connection of mail programs closed" in said
    assert _refuses(connect, user.address, letters)
    eventually(lambda: _ended(client), seconds=AT_ONCE, what="the end of what was open")
    print(f"disabled: refused at the next sign-in, what was open ended within {time.monotonic() - began:.2f} s")


def test_what_is_revoked_is_refused_and_ends_at_once(app, user, connect, look_into_shared):
    letters, row = app_passwords.add(user, "Phone", ["imap"])
    others, _row = app_passwords.add(user, "Laptop", ["imap"])
    phone, laptop = connect(user.address, letters), connect(user.address, others)
    look_into_shared(phone)
    look_into_shared(laptop)
    began = time.monotonic()
    assert app_passwords.revoke(user, row.id)
    assert _refuses(connect, user.address, letters)
    refused = time.monotonic() - began
    assert mail_sessions.end_app_password(row.id, user.address, app.extensions["settings"]) == 1
    eventually(lambda: _ended(phone), seconds=AT_ONCE, what="the end of what was open")
    assert not _ended(laptop)
    print(f"revoked: refused after {refused:.2f} s, what was open ended after {time.monotonic() - began:.2f} s")


def test_without_doveadm_what_is_open_goes_on_and_new_sign_ins_are_refused_at_once(user, connect):
    letters, row = app_passwords.add(user, "Phone", ["imap"])
    phone = connect(user.address, letters)
    began = time.monotonic()
    assert app_passwords.revoke(user, row.id)
    assert _refuses(connect, user.address, letters)
    assert time.monotonic() - began < AT_ONCE
    time.sleep(2)  # twice as long as the tests' Dovecot remembers accounts
    assert not _ended(phone)


def test_the_accounts_own_password_opens_nothing_with_two_step_verification(user, connect, services, account_of):
    letters, _row = app_passwords.add(user, "Phone", ["imap", "smtp"])
    assert connect(user.address, services.password)
    User.update(second_step=1).where(User.id == user.id).execute()
    own = account_of(user.address, token=False)
    assert _refuses(connect, user.address, services.password)
    assert not _opens_smtp(own)
    with pytest.raises(SignInRefusedError), managesieve.connect(own):
        pass
    assert connect(user.address, letters)
    by_token = account_of(user.address)  # as the webmail itself
    with imap.connect(by_token) as connection:
        assert connection.client.noop()
    with managesieve.connect(by_token):
        pass


def test_a_temporary_password_opens_no_mail_program(user, connect, services):
    User.update(must_change=1).where(User.id == user.id).execute()
    assert _refuses(connect, user.address, services.password)


def test_a_new_password_ends_mail_programs_and_leaves_the_pages_alone(app, user, connect, services):
    phone = connect(user.address, services.password)
    visitor = Visitor(app, user.address).sign_in()
    assert visitor.get("/mailbox/INBOX").status == 200
    new = "quatre mots sans rapport 7"
    form = {"password": services.password, "new_password": new, "new_password_again": new}
    began = time.monotonic()
    assert "Password changed" in visitor.submit(visitor.get("/account/password"), "form.form", **form).notices
    eventually(lambda: _ended(phone), seconds=AT_ONCE, what="the end of what was open")
    print(f"password changed: what was open ended after {time.monotonic() - began:.2f} s")
    assert _refuses(connect, user.address, services.password)
    assert connect(user.address, new)
    for _ in range(5):
        assert visitor.get("/mailbox/INBOX").status == 200


def test_dovecot_tells_of_each_use(demo_folder):
    """With a web server to tell; a wrong password is told as such, another protocol and the account's own change nothing."""
    with Services(demo_folder, jobs=False) as running:
        from deploy.demo import accounts

        with accounts.tables(running.database):
            user = User.get(User.address == "alice@lycee.example")
            letters, row = app_passwords.add(user, "Phone", ["imap"])
            _unused, other = app_passwords.add(user, "Laptop", ["smtp"])

            def told() -> AppPassword:
                return AppPassword.get_by_id(row.id)

            began = now()
            for password in (letters + "a", running.password):
                with contextlib.suppress(IMAPClient.Error):
                    IMAPClient(HOST, running.ports.imap, ssl=False, timeout=10).login(user.address, password)
            failure = eventually(lambda: failures.last(user.address, began), what="Dovecot's report of a wrong password")
            assert (failure.protocol, failure.network) == ("imap", HOST)
            began = now()
            IMAPClient(HOST, running.ports.imap, ssl=False, timeout=10).login(user.address, letters)
            used = eventually(lambda: told().used, what="Dovecot's report")
            assert began - timedelta(seconds=1) <= used <= now()
            assert (told().used_protocol, told().used_network) == ("imap", HOST)
            assert AppPassword.get_by_id(other.id).used is None
            assert "demo" not in _log(running) and letters not in _log(running)


def _log(running: Services) -> str:
    return "".join(file.read_text() for file in (running.base / "log").iterdir()).replace("traboule-demo", "")
