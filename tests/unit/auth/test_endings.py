"""Endings: sessions, trust in browsers and mail programs end together; those of others go on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from webmail.auth.sessions import endings, mail_sessions, sessions
from webmail.models import Session, TrustedDevice, User, now


@pytest.fixture
def asked(monkeypatch):
    """Whose mail programs were ended, and whether connections of pages too."""
    found: list[tuple[str, bool]] = []
    monkeypatch.setattr(mail_sessions, "end_soon", lambda address, _settings, *, pages: found.append((address, pages)))
    monkeypatch.setattr(mail_sessions, "end", lambda address, _settings, *, pages: found.append((address, pages)) or 3)
    return found


def test_everything_else_ends(settings, alice, bob, asked):
    _token, here = sessions.start(alice, settings)
    for user in (alice, alice, bob):
        sessions.start(user, settings)
    for number, user in enumerate((alice, bob)):
        TrustedDevice.create(token_hash=str(number), user=user, expires=now() + timedelta(days=1))
    assert endings.end_everything_else(alice, settings, keep=here.id_hash) == 2
    assert [row.user.address for row in Session.select().order_by(Session.user)] == ["alice@lycee.example", "bob@lycee.example"]
    assert [row.user.address for row in TrustedDevice.select()] == ["bob@lycee.example"]
    assert User.get_by_id(alice.id).credential_ended and not User.get_by_id(bob.id).credential_ended  # for the door
    assert asked == [("alice@lycee.example", False)]  # her page that goes on has connections too


def test_who_signs_in_at_once_sees_the_first_page(settings, alice, asked):
    """Dovecot is told a moment later: the page that a new password leads to could have lost its connection in the middle."""
    sessions.start(alice, settings)
    assert endings.end_everything_else(alice, settings, signs_in=True) == 1
    endings.end_everything_else(alice, settings)  # somebody else's doing: no page goes on
    assert asked == [("alice@lycee.example", False), ("alice@lycee.example", True)]


def test_a_command_ends_all_and_says_how_much(settings, alice, asked):
    sessions.start(alice, settings)
    assert endings.end_everything(alice, settings) == (1, 3)
    assert Session.select().count() == 0
    assert asked == [("alice@lycee.example", True)]
