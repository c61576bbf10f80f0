"""Changes of preferences and their undo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from webmail import create_app, preferences
from webmail.calendar import birthdays
from webmail.database.connection import db
from webmail.models import BirthdayCalendar, Collection, User
from webmail.settings import changes

SECRET = "a secret of this test"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[User, User]]:
    create_app(tmp_path, secure_cookies="false", imap_security="none")
    with db.connection_context():
        alice, bob = (User.create(address=f"{one}@lycee.example", local=one, domain="lycee.example") for one in ("alice", "bob"))
        yield alice, bob


@pytest.fixture
def alice(people: tuple[User, User]) -> User:
    return people[0]


def choice(user: User, name: str) -> object:
    return changes.current(User.get_by_id(user.id))[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "dark"),
        ("snippets", False),
        ("page_size", 100),
        ("undo_seconds", 0),
        ("time_zone", "Asia/Tokyo"),
        ("language", "fr"),
    ],
)
def test_exactly_what_was_there_comes_back(alice: User, name: str, value: object) -> None:
    before = changes.current(alice)
    changed = changes.make(alice, {name: value})
    assert changed == {name: (before[name], value)} and choice(alice, name) == value
    assert changes.undo(alice, changes.token(alice, changed, SECRET), SECRET) == [name]
    assert changes.current(User.get_by_id(alice.id)) == before


def test_what_was_changed_again_stays(alice: User) -> None:
    token = changes.token(alice, changes.make(alice, {"theme": "dark", "density": "compact"}), SECRET)
    changes.make(alice, {"theme": "contrast"})
    assert changes.undo(alice, token, SECRET) == ["density"]
    assert (choice(alice, "theme"), choice(alice, "density")) == ("contrast", "cosy")
    with pytest.raises(changes.CannotUndoError):
        changes.undo(alice, token, SECRET)


def test_nothing_is_offered_where_nothing_changed(alice: User) -> None:
    assert changes.token(alice, changes.make(alice, {"theme": ""}), SECRET) == ""


@pytest.mark.parametrize("token", ["", "x", "e30.x.y", "x" * 10_000])
def test_nonsense_undoes_nothing(alice: User, token: str) -> None:
    with pytest.raises(changes.CannotUndoError):
        changes.undo(alice, token, SECRET)


def test_nobody_elses_undo_and_none_of_another_secret(people: tuple[User, User]) -> None:
    alice, bob = people
    changes.make(bob, {"theme": "dark"})
    token = changes.token(alice, changes.make(alice, {"theme": "dark"}), SECRET)
    for user, secret in ((bob, SECRET), (alice, "another")):
        with pytest.raises(changes.CannotUndoError):
            changes.undo(user, token, secret)
    assert choice(bob, "theme") == choice(alice, "theme") == "dark"


def test_after_an_hour_it_is_too_late(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = changes.token(alice, changes.make(alice, {"theme": "dark"}), SECRET)
    later = time.time() + changes.SECONDS + 2
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(changes.CannotUndoError):
        changes.undo(alice, token, SECRET)


def test_a_value_from_the_token_is_checked_again(alice: User) -> None:
    """A choice that a later version no longer offers."""
    changes.make(alice, {"theme": "dark"})
    token = changes.token(alice, {"theme": ("gone", "dark")}, SECRET)
    assert changes.undo(alice, token, SECRET) == []
    assert preferences.for_user(User.get_by_id(alice.id)).theme == "dark"


def test_the_calendar_of_birthdays_goes_and_comes_back_with_its_setting(alice: User) -> None:
    with db.atomic():
        state = birthdays._begun(alice, "en")
        birthdays._apply(state, {"x": ("Ann", "1980-02-03")})
    mine = (Collection.user == alice) & (Collection.derived == birthdays.DERIVED)
    assert Collection.select().where(mine).exists()
    value = changes.token(alice, changes.make(alice, {"birthdays": False}), SECRET)
    assert not Collection.select().where(mine).exists()
    assert changes.undo(alice, value, SECRET) == ["birthdays"]
    state = BirthdayCalendar.get(user=alice)
    assert (state.wanted, state.upto) == (1, 0)  # a worker fills it again
