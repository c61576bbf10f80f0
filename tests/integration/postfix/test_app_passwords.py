"""App passwords on a real Postfix, which asks Dovecot: what sends mail and what not, at once after a change, and who tells of it."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from deploy.demo import postfix
from deploy.demo.accounts import DOMAIN
from deploy.demo.services import Services
from tests.support.waiting import eventually
from webmail.auth.devices import app_passwords, cloud_programs
from webmail.auth.sessions import endings
from webmail.config.cloud_programs import CloudProgram
from webmail.models import AppPassword, User, now

HOST = "127.0.0.1"
AT_ONCE = 3.0  # seconds, on a busy machine
Submitting = Callable[..., smtplib.SMTP]


@pytest.fixture
def user(app: Flask, services: Services) -> User:
    address = f"sender-{time.monotonic_ns()}@{DOMAIN}"
    services.add_account(address)
    return User.get(User.address == address)


@pytest.fixture(scope="module", autouse=True)
def webmail(app: Flask, services: Services) -> Iterator[BaseWSGIServer]:
    """The application where Dovecot looks for it, from the beginning: where nobody listened, Dovecot waits before it tries again."""
    server = make_server(HOST, services.ports.web, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _refused(submitting: Submitting, address: str, password: str, *, starttls: bool = False) -> bool:
    try:
        submitting(address, starttls=starttls, password=password)
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535
        return True
    return False


@pytest.mark.parametrize("starttls", [False, True], ids=["465", "587"])
def test_it_sends_if_it_is_for_that(user, submitting, starttls):
    letters, _row = app_passwords.add(user, "Phone", ["smtp"])
    for typed in (letters, " ".join(app_passwords.groups(letters)).upper()):
        client = submitting(user.address, starttls=starttls, password=typed)
        assert client.mail(user.address)[0] == 250
        assert client.rcpt("alice@lycee.example")[0] == 250
        assert client.rset()[0] == 250
        assert client.mail("bob@lycee.example")[0] == 250  # checked at RCPT
        assert client.rcpt("alice@lycee.example")[0] == 553  # under one's own name alone, as with any other password


def test_from_the_networks_of_a_refused_program_nothing_is_sent(user, submitting, app):
    """`submitting` comes from 127.0.0.2."""
    letters, _row = app_passwords.add(user, "Phone", ["smtp"])
    assert not _refused(submitting, user.address, letters) and not _refused(submitting, user.address, "demo")
    program = CloudProgram("Spark", "127.0.0.2", block=True)
    try:
        cloud_programs.write_refused(replace(app.extensions["settings"], cloud_programs=(program,)))
        for starttls in (False, True):
            assert _refused(submitting, user.address, letters, starttls=starttls)
            assert _refused(submitting, user.address, "demo", starttls=starttls)
    finally:
        cloud_programs.write_refused(app.extensions["settings"])
    assert not _refused(submitting, user.address, letters)


def test_nothing_else_sends(user, submitting, services):
    imap_alone, _row = app_passwords.add(user, "Reader", ["imap", "caldav", "carddav"])
    scripts, _row = app_passwords.add(user, "Script", ["api"])
    over, _row = app_passwords.add(user, "Course", ["smtp"], now() - timedelta(seconds=1))
    letters, _row = app_passwords.add(user, "Phone", ["smtp"])
    for password in (imap_alone, scripts, over, letters[:-1], letters + "a"):
        assert _refused(submitting, user.address, password)
    assert _refused(submitting, "alice@lycee.example", letters)


def test_what_is_revoked_sends_nothing_from_the_next_sign_in_on(user, submitting):
    letters, row = app_passwords.add(user, "Phone", ["smtp"])
    assert not _refused(submitting, user.address, letters)
    began = time.monotonic()
    assert app_passwords.revoke(user, row.id)
    assert _refused(submitting, user.address, letters)
    taken = time.monotonic() - began
    assert taken < AT_ONCE
    print(f"revoked: refused by Postfix after {taken:.2f} s")


@pytest.mark.skipif(bool(postfix.door_missing()), reason=postfix.door_missing())
@pytest.mark.parametrize("ended", ["revoked", "changed", "expired"])
def test_what_is_signed_in_already_sends_nothing_more_once_a_password_has_ended(user, submitting, app, ended):
    """As docs/administrator/devices.md says. The door does not know with which of them somebody signed in: any of them ends it."""
    letters, row = app_passwords.add(user, "Phone", ["smtp"])
    client, other = submitting(user.address, password=letters), submitting("alice@lycee.example")
    assert client.mail(user.address)[0] == 250
    assert client.rset()[0] == 250
    if ended == "revoked":
        assert app_passwords.revoke(user, row.id)
    elif ended == "changed":
        endings.end_everything_else(user, app.extensions["settings"])
    else:
        AppPassword.update(expires=int(time.time())).where(AppPassword.id == row.id).execute()
        app_passwords.note_expired()
    assert client.mail(user.address)[0] == 421
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.mail(user.address)  # Postfix has closed it
    assert other.mail("alice@lycee.example")[0] == 250
    time.sleep(1.0 - time.time() % 1.0)  # the next second: what begins in the same one is taken for older
    assert submitting(user.address).mail(user.address)[0] == 250


def test_what_is_signed_in_already_sends_nothing_from_a_disabled_account(user, submitting):
    """Postfix asks for each message whose an address is."""
    letters, _row = app_passwords.add(user, "Phone", ["smtp"])
    client = submitting(user.address, password=letters)
    User.update(active=0).where(User.id == user.id).execute()
    client.mail(user.address)
    assert client.rcpt("alice@lycee.example")[0] == 553


def test_with_two_step_verification_the_accounts_own_password_sends_nothing(user, submitting, services, account_of):
    letters, _row = app_passwords.add(user, "Phone", ["smtp"])
    assert not _refused(submitting, user.address, services.password)
    User.update(second_step=1).where(User.id == user.id).execute()
    began = time.monotonic()
    assert _refused(submitting, user.address, services.password)
    assert time.monotonic() - began < AT_ONCE
    assert not _refused(submitting, user.address, letters)


def test_its_use_is_told_with_protocol_and_network(user, submitting):
    letters, row = app_passwords.add(user, "Phone", ["smtp"])
    _refused(submitting, user.address, letters + "a")
    assert AppPassword.get_by_id(row.id).used is None
    assert not _refused(submitting, user.address, letters)
    used = eventually(lambda: AppPassword.get_by_id(row.id).used, what="Dovecot's report")
    assert used <= now()
    found = AppPassword.get_by_id(row.id)
    assert (found.used_protocol, found.used_network) == ("smtp", "127.0.0.2")  # where these tests come from


def test_a_webmail_that_does_not_answer_delays_no_sign_in(services, user, submitting, webmail):
    """Something takes Dovecot's reports and says nothing. The last test: the webmail is gone then."""
    letters, _row = app_passwords.add(user, "Phone", ["smtp"])
    webmail.shutdown()
    webmail.server_close()
    with socket.create_server((HOST, services.ports.web)):
        began = time.monotonic()
        for _ in range(3):
            assert not _refused(submitting, user.address, letters)
        assert time.monotonic() - began < AT_ONCE
