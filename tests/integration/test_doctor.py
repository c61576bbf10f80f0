"""The doctor on a real Dovecot."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deploy.demo.dovecot import token_key
from deploy.demo.services import ISSUER
from tests.support.tokens import token
from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.doctor import checks as doctor
from webmail.doctor import clock


def test_the_doctor_finds_the_demo_well(make_account, services, tmp_path):
    settings = config.load(
        tmp_path / "instance",
        **{f"{kind}_security": "none" for kind in ("imap", "smtp", "sieve")},
        sieve_host="127.0.0.1",
        imap_port=services.ports.imap,
        smtp_port=services.ports.smtp,
        sieve_port=services.ports.sieve,
        token_key_file=str(token_key(services.base)),
        token_issuer=ISSUER,
        public_url="https://webmail.lycee.example",
        system_address="ne-pas-repondre@lycee.example",
        sign_in="accounts",
        **{name: services.settings()[f"WEBMAIL_{name.upper()}"] for name in ("doveadm_url", "doveadm_key", "dovecot_sockets")},
    )
    before = db.obj  # the application's, which other tests go on with
    database = open_database(settings.database_url)
    try:
        migrate()
        checks = list(doctor.examine(settings, make_account()))
    finally:
        database.close()
        db.initialize(before)
    assert [
        check
        for check in checks
        if check.state != doctor.OK
        and check.name
        not in ("Worker", "Devices", "Forwarding", "Automatic replies", "Backup", "Mail that arrives", "Web certificate")
    ] == []  # none here
    said = {check.name: check.words for check in checks}
    assert {"IMAP sign-in", "IMAP capabilities", "IMAP search", "IMAP index", "SMTP sign-in", "Clocks"} <= said.keys()
    assert "closes what they have open" in said["Mail programs"]
    assert said["Mail passwords"] == "the mail server looks them up."
    assert "0 scripts" in said["ManageSieve sign-in"]


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (0, "ok", "agree within 10 s"),
        (40, "warning", "differ by more than 10 s"),
        (-40, "warning", "differ by more than 10 s"),
        (-300, "problem", "more than a minute, but less than ten minutes, ahead of this machine’s"),
        (1800, "problem", "more than ten minutes, but less than an hour, behind this machine’s"),
        (-2 * 86400, "problem", "more than a day ahead of this machine’s"),
        (86400 + 60, "problem", "more than a day behind this machine’s"),
    ],
)
def test_how_far_the_clocks_are_apart_is_told(make_account, account_of, issuer, seconds, state, words):
    """`seconds`: how far this machine is ahead of Dovecot."""
    account = account_of(make_account())
    account = replace(
        account, credential=replace(account.credential, issuer=replace(issuer, clock=lambda: time.time() + seconds))
    )
    (check,) = clock.imap(account, refused=abs(seconds) > 120)
    assert check.state == state and words in check.words


def test_a_key_that_the_server_does_not_know_is_not_blamed_on_the_clock(make_account, account_of):
    account = account_of(make_account())
    assert list(clock.imap(replace(account, credential=token(account.address)), refused=True)) == []
