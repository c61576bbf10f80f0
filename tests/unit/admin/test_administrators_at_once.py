"""Two administrators who take each other's rights away at the same moment: one of them stays, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from webmail.admin.people import changes
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management
from webmail.auth.account_management import LastAdministratorError
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import User

Take = Callable[[User, User, Settings], object]


@pytest.fixture
def two(new_database: str) -> Iterator[list[User]]:
    with db.connection_context():
        for local in ("nadia", "oscar"):
            User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", role="admin")
        yield list(User.select().order_by(User.id))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings(), instance=str(tmp_path), secret_key="k" * 40)


@pytest.fixture
def both_look_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has looked who administers waits for the other one to look as well, unless they can't."""
    looked, look = threading.Barrier(2), account_management.active_administrators

    def slowly(*given: Any) -> set[int]:
        found = look(*given)
        with suppress(threading.BrokenBarrierError):
            looked.wait(0.3)
        return found

    monkeypatch.setattr(account_management, "active_administrators", slowly)


def demote(other: User, _by: User, _settings: Settings) -> None:
    with suppress(LastAdministratorError):
        account_management.set_role(other, "person")


def disable(other: User, by: User, settings: Settings) -> object:
    return changes.apply([other], Step(Act.DISABLE), ChangedBy(by), settings)


def remove(other: User, by: User, settings: Settings) -> object:
    return changes.apply([other], Step(Act.REMOVE), ChangedBy(by), settings)


@pytest.mark.parametrize("take", [demote, disable, remove])
@pytest.mark.usefixtures("both_look_first")
def test_of_two_who_take_each_others_rights_one_stays(two: list[User], settings: Settings, take: Take) -> None:
    start, faults = threading.Barrier(2), []

    def run(other: User, by: User) -> None:
        try:
            with db.connection_context():
                start.wait()
                take(other, by, settings)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in (two, two[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not faults
    assert User.select().where(User.role == "admin", User.active == 1).count() == 1
