"""App passwords: how they are made, kept and counted."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import timedelta

import pytest

from webmail.auth.devices import app_passwords
from webmail.errors import LimitReachedError
from webmail.models import AppPassword, now


def test_one_has_letters_enough_that_nobody_takes_for_others(alice):
    letters, _row = app_passwords.add(alice, "Phone", ["imap"])
    assert re.fullmatch("[a-z]{24}", letters)
    assert not set(letters) & set("ilo")
    assert math.log2(len(app_passwords.ALPHABET)) * len(letters) >= 80
    assert app_passwords.groups(letters) == [letters[:6], letters[6:12], letters[12:18], letters[18:]]
    assert len({app_passwords.add(alice, "Phone", ["imap"])[0] for _ in range(20)}) == 20


def test_only_its_hash_is_kept(alice):
    letters, _row = app_passwords.add(alice, "Phone", ["imap", "carddav"], now() + timedelta(days=1))
    row = AppPassword.get()
    assert row.sha == hashlib.sha256(letters.encode()).hexdigest()
    assert letters not in str(row.__data__)
    assert app_passwords.uses_of(row) == ["imap", "carddav"]
    assert timedelta(hours=23) < app_passwords.ends(row) - now() < timedelta(hours=25)


def test_spaces_dashes_and_capitals_are_forgiven(alice):
    letters, row = app_passwords.add(alice, "Phone", ["imap"])
    shown = " ".join(app_passwords.groups(letters))
    for typed in (
        letters,
        shown,
        shown.upper(),
        shown.replace(" ", "-"),
        f" {shown}\n",
        shown.replace(" ", "\N{NO-BREAK SPACE}"),
    ):
        assert app_passwords.hash_of(typed) == row.sha


def test_nobody_has_more_than_fifty(alice, bob):
    for _ in range(app_passwords.MOST):
        app_passwords.add(alice, "Phone", ["imap"])
    with pytest.raises(LimitReachedError):
        app_passwords.add(alice, "Phone", ["imap"])
    assert app_passwords.add(bob, "Phone", ["imap"])


def test_one_is_revoked_by_its_owner_alone_and_once(alice, bob):
    _letters, row = app_passwords.add(alice, "Phone", ["imap"])
    for number in (0, -1, 2**63, 2**70):
        assert app_passwords.revoke(alice, number) is None
    assert app_passwords.revoke(bob, row.id) is None
    assert app_passwords.revoke(alice, row.id).name == "Phone"
    assert app_passwords.revoke(alice, row.id) is None
    assert app_passwords.for_user(alice) == []


def test_the_latest_comes_first(alice):
    for name in ("Phone", "Laptop"):
        app_passwords.add(alice, name, ["imap"])
    assert [row.name for row in app_passwords.for_user(alice)] == ["Laptop", "Phone"]


def test_its_use_is_recorded_once_a_minute(alice, queries):
    _letters, row = app_passwords.add(alice, "Phone", ["imap"])
    app_passwords.used(row.id, "imap", "192.0.2.1")
    first = AppPassword.get_by_id(row.id)
    assert (first.used_protocol, first.used_network) == ("imap", "192.0.2.1")
    queries.clear()
    app_passwords.used(row.id, "smtp", "192.0.2.2")
    assert len(queries) == 1
    assert AppPassword.get_by_id(row.id).used_protocol == "imap"
    AppPassword.update(used=now() - timedelta(seconds=61)).execute()
    app_passwords.used(row.id, "smtp", "192.0.2.2")
    assert AppPassword.get_by_id(row.id).used_protocol == "smtp"
