"""Preferences: each is stored by itself, and what is not among the choices is not stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from webmail import create_app, preferences
from webmail.database.connection import db
from webmail.models import User


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    create_app(tmp_path, secure_cookies="false", imap_security="none")
    with db.connection_context():
        yield User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


def stored(user: User) -> preferences.Preferences:
    return preferences.for_user(User.get_by_id(user.id))


def test_two_tabs_that_know_nothing_of_each_other_keep_both_choices(user: User) -> None:
    first, second = User.get_by_id(user.id), User.get_by_id(user.id)
    preferences.change(first, theme="dark")
    preferences.change(second, text_size="large")
    assert (stored(user).theme, stored(user).text_size) == ("dark", "large")


@pytest.mark.parametrize("zone", ["Europe/Paris", "Indian/Reunion", "UTC", ""])
def test_a_time_zone_is_kept(user: User, zone: str) -> None:
    assert preferences.change(user, time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"
    assert preferences.change(user, time_zone=zone).time_zone == stored(user).time_zone == zone


@pytest.mark.parametrize(
    "zone", ["Europe/Lyon", "../etc/passwd", "/etc/passwd", "Europe", "Europe/Paris\0", "x" * 300, "tzdata.zi", 3, None, ["UTC"]]
)
def test_what_is_no_time_zone_is_not_kept(user: User, zone: object) -> None:
    assert preferences.change(user, time_zone=zone).time_zone == ""


@pytest.mark.parametrize(("name", "value"), [("theme", "pink"), ("theme", None), ("text_size", "200%"), ("density", "")])
def test_what_is_not_offered_is_not_kept(user: User, name: str, value: object) -> None:
    assert preferences.change(user, **{name: value}) == preferences.Preferences()
