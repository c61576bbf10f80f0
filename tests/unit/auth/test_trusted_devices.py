"""Browsers that are not asked for the second step: whose, until when, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import add
from webmail.auth.factors import trusted_devices
from webmail.models import TrustedDevice, now


def test_a_browser_is_trusted_by_who_said_so(alice, bob, settings):
    cookie = trusted_devices.trust("", alice, settings, user_agent="Firefox", network="192.0.2.1")
    assert trusted_devices.is_trusted(cookie, alice, settings)
    assert not trusted_devices.is_trusted(cookie, bob, settings)
    [row] = trusted_devices.for_user(alice)
    assert (row.user_agent, row.network) == ("Firefox", "192.0.2.1") and not trusted_devices.for_user(bob)


def test_the_table_alone_trusts_nobody(alice, settings):
    cookie = trusted_devices.trust("", alice, settings)
    row = TrustedDevice.get()
    assert row.token_hash not in cookie and not trusted_devices.is_trusted(row.token_hash, alice, settings)


def test_a_browser_holds_several_people(alice, bob, settings):
    cookie = trusted_devices.trust(trusted_devices.trust("", alice, settings), bob, settings)
    assert trusted_devices.is_trusted(cookie, alice, settings) and trusted_devices.is_trusted(cookie, bob, settings)


def test_the_latest_five_stay(database, settings):
    people, cookie = [add(f"person{number}@lycee.example") for number in range(6)], ""
    for person in people:
        cookie = trusted_devices.trust(cookie, person, settings)
    assert [trusted_devices.is_trusted(cookie, person, settings) for person in people] == [False] + [True] * 5


def test_trusting_again_replaces_what_was(alice, settings):
    first = trusted_devices.trust("", alice, settings)
    second = trusted_devices.trust(first, alice, settings)
    assert len(trusted_devices.for_user(alice)) == 1 and second.count(".") == 0
    assert trusted_devices.is_trusted(second, alice, settings) and not trusted_devices.is_trusted(first, alice, settings)


def test_it_ends_by_itself(alice, settings):
    cookie = trusted_devices.trust("", alice, settings)
    TrustedDevice.update(expires=now() - timedelta(seconds=1)).execute()
    assert not trusted_devices.is_trusted(cookie, alice, settings) and not trusted_devices.for_user(alice)
    trusted_devices.trust("", alice, settings)
    assert TrustedDevice.select().count() == 1


def test_it_ends_where_the_administrator_offers_it_no_more(alice, settings):
    cookie = trusted_devices.trust("", alice, settings)
    assert not trusted_devices.is_trusted(cookie, alice, replace(settings, trust_days=0))


def test_one_is_ended_by_its_owner_alone(alice, bob, settings):
    cookie = trusted_devices.trust("", alice, settings)
    [row] = trusted_devices.for_user(alice)
    assert trusted_devices.end(bob, row.token_hash) is None and trusted_devices.is_trusted(cookie, alice, settings)
    assert trusted_devices.end(alice, row.token_hash) == row and not trusted_devices.is_trusted(cookie, alice, settings)


def test_all_are_ended_at_once(alice, bob, settings):
    mine = [trusted_devices.trust("", alice, settings) for _ in range(3)]
    theirs = trusted_devices.trust("", bob, settings)
    assert trusted_devices.end_all(alice) == 3
    assert not any(trusted_devices.is_trusted(cookie, alice, settings) for cookie in mine)
    assert trusted_devices.is_trusted(theirs, bob, settings)


@pytest.mark.parametrize("cookie", ["", ".", "x" * 43, "'; DROP TABLE", "a." * 5000, "é" * 43])
def test_what_is_no_cookie_of_ours_is_nothing(alice, settings, cookie):
    assert not trusted_devices.is_trusted(cookie, alice, settings)
    assert trusted_devices.is_trusted(trusted_devices.trust(cookie, alice, settings), alice, settings)


def test_without_a_cookie_nothing_is_asked(alice, settings, queries):
    trusted_devices.is_trusted("", alice, settings)
    assert queries == []
