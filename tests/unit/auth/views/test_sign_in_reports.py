"""Reports of sign-ins: what Dovecot tells is recorded; what others tell is not even answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import Browser, build
from webmail.auth.devices import app_passwords, failures
from webmail.database.connection import db
from webmail.models import AppPassword, SignInFailure, now

KEY = {"X-Traboule-Key": "a key that both know"}


@pytest.fixture
def app(settings, alice):
    return build(replace(settings, doveadm_key=KEY["X-Traboule-Key"]))


@pytest.fixture
def phone(alice):
    return app_passwords.add(alice, "Phone", ["imap", "smtp"])[1]


def report(app, headers=KEY, source="127.0.0.1", **fields):
    body = {"success": True, "protocol": "imap", "remote": "192.0.2.1", "policy_reject": False, **fields}
    return app.test_client().post(
        "/dovecot/sign-ins?command=report", json=body, headers=headers, environ_base={"REMOTE_ADDR": source}
    )


def used(phone) -> tuple[bool, str, str]:
    row = AppPassword.get_by_id(phone.id)
    return row.used is not None, row.used_protocol, row.used_network


NOT_USED = (False, "", "")


@pytest.mark.parametrize(("protocol", "network"), [("imap", "192.0.2.1"), ("smtp", "2001:db8:1:2::/64")])
def test_a_use_is_recorded(app, phone, protocol, network):
    remote = network.replace("/64", "1")
    answer = report(app, app_password=str(phone.id), protocol=protocol, remote=remote)
    assert (answer.status_code, answer.json) == (200, {"status": 0})
    assert used(phone) == (True, protocol, network)
    assert not answer.headers.getlist("Set-Cookie")


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ({}, "127.0.0.1"),
        ({"X-Traboule-Key": ""}, "127.0.0.1"),
        ({"X-Traboule-Key": "a key that both kno"}, "127.0.0.1"),
        ({"X-Traboule-Key": "é"}, "127.0.0.1"),
        (KEY, "192.0.2.7"),
        (KEY, "nonsense"),
    ],
)
def test_nobody_else_can_tell(app, phone, headers, source):
    assert report(app, headers, source, app_password=str(phone.id)).status_code == 404
    assert used(phone) == NOT_USED


def test_without_a_key_nobody_can(settings, alice, phone):
    assert report(build(settings), {"X-Traboule-Key": ""}, app_password=str(phone.id)).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"success": False},
        {"success": "yes"},
        {"protocol": "doveadm"},
        {"protocol": ["imap"]},
        {"app_password": ""},
        {"app_password": None},
        {"app_password": "1 OR 1=1"},
        {"app_password": "9" * 30},
        {"app_password": "٣"},
        {"app_password": {"a": 1}},
    ],
)
def test_what_is_no_use_changes_nothing(app, phone, fields):
    assert report(app, **{"app_password": str(phone.id), **fields}).status_code == 200
    assert used(phone) == NOT_USED


def test_an_address_that_is_none_is_left_out(app, phone):
    report(app, app_password=str(phone.id), remote="<b>somewhere</b>")
    assert used(phone) == (True, "imap", "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"success": true, "app_password"'])
def test_what_is_no_report_is_answered_all_the_same(app, phone, body):
    assert app.test_client().post("/dovecot/sign-ins", data=body, headers=KEY).status_code == 200


def test_a_long_one_is_refused(app, phone):
    assert report(app, app_password=str(phone.id), session="x" * 5000).status_code == 413
    assert used(phone) == NOT_USED


def test_a_database_that_is_away_is_only_logged(app, phone, caplog):
    AppPassword.drop_table()
    db.obj.close()
    assert report(app, app_password=str(phone.id)).status_code == 200
    assert "is not recorded" in caplog.text


@pytest.mark.parametrize("why", ["credentials", "account"])
def test_a_wrong_password_is_kept_for_the_page_that_waits(app, alice, why):
    since = now() - timedelta(seconds=5)
    report(app, success=False, fail_type=why, login="ALICE@lycee.example", protocol="smtp")
    found = failures.last(alice.address, since)
    assert (found.protocol, found.network) == ("smtp", "192.0.2.1")
    assert failures.last(alice.address, now() + timedelta(seconds=5)) is None


@pytest.mark.parametrize(
    "fields", [{"fail_type": "internal"}, {"login": "nobody@lycee.example"}, {"login": {"a": 1}}, {"protocol": "doveadm"}]
)
def test_other_failures_are_not(app, alice, fields):
    report(app, **{"success": False, "fail_type": "credentials", "login": alice.address, **fields})
    assert not SignInFailure.select().exists()


def test_many_at_once_are_one_row_and_count_against_nothing(app, alice):
    for _try in range(30):
        report(app, success=False, fail_type="credentials", login=alice.address)
    assert SignInFailure.select().count() == 1
    assert Browser(app).sign_in() is not None
