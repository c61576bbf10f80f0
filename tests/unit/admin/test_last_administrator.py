"""The last administrator of all is never disabled, demoted or deleted, whichever way it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from webmail.admin import account_deletion
from webmail.admin.imports import people_changes
from webmail.admin.people import changes, endings
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management
from webmail.auth.account_management import LastAdministratorError
from webmail.config.settings import Settings
from webmail.models import User, now


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        for name in ("alice", "root"):
            ground.add(f"{name}@lycee.example")
        account_management.set_role(of("root"), "admin")
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


def of(local: str) -> User:
    return User.get(User.local == local)


def administers(local: str) -> bool:
    return of(local).id in account_management.active_administrators()


@pytest.mark.parametrize(
    "words", ["role root person", "disable root", "delete root --yes", "change disable root", "change remove root"]
)
def test_no_command_takes_them(app, words):
    done = app.test_cli_runner().invoke(args=["accounts", *words.split()])
    assert done.exit_code == 1 and ("last administrator" in done.output or "refused (last)" in done.output)
    assert administers("root")
    account_management.set_role(of("alice"), "admin")
    assert app.test_cli_runner().invoke(args=["accounts", *words.split()]).exit_code == 0
    assert not User.select().where(User.local == "root", User.active == 1, User.role == "admin").exists()


@pytest.mark.parametrize(
    "take",
    [
        lambda user, _settings: account_management.set_active(user, False),
        lambda user, _settings: account_management.set_role(user, "person"),
        lambda user, settings: account_deletion.delete(user, settings),
    ],
)
def test_no_function_takes_them(settings, take: Callable[[User, Settings], object]):
    with pytest.raises(LastAdministratorError):
        take(of("root"), settings)
    assert administers("root")


def test_nor_who_was_made_one_since_the_row_was_read(settings):
    before = of("alice")
    account_management.set_role(of("alice"), "admin")
    account_management.set_role(of("root"), "person")
    with pytest.raises(LastAdministratorError):
        account_management.set_role(before, "person")
    assert administers("alice")


def test_a_day_that_has_come_leaves_them(settings):
    User.update(ends_on=now() - timedelta(days=1)).where(User.local == "root").execute()
    assert endings.close_ended(settings) == 0 and administers("root")


def test_undo_leaves_them(settings):
    """What enabled alice is taken back when nobody else administers."""
    account_management.set_role(of("alice"), "admin")
    account_management.set_active(of("alice"), False)
    by = ChangedBy(of("root"))
    done = changes.apply([of("alice")], Step(Act.ENABLE), by, settings)
    account_management.set_role(of("root"), "person")
    assert changes.undo(done.undo, by, User.id > 0, settings) == (0, 1) and administers("alice")


@pytest.mark.parametrize("step", [["made"], ["set", {"active": 0}, {"active": 1}, {}]])
def test_undo_of_an_import_leaves_them(settings, step):
    root, (word, *rest) = of("root"), step
    assert people_changes.take_back(root, [[word, root.id, *rest]], settings) == 0 and administers("root")
