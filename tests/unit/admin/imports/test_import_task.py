"""The task that imports people: killed and gone on with, cancelled, on both databases."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import people_ground as people
from tests.support.task_work import work_all
from webmail.admin.imports import import_task, password_sheets
from webmail.admin.imports.people_changes import PieceOfPeople
from webmail.admin.imports.people_plan import LineOutcome, PlannedPerson
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AuditEntry, GroupMember, PaperPassword, Task, TaskState, User, now
from webmail.tasks import store, undo_steps

MANY = 90


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    with people.application_on(request.param, tmp_path / "instance") as made:
        yield made


@pytest.fixture
def root(app: Flask) -> User:
    made = ground.add("root@lycee.example")
    User.update(role="admin").where(User.id == made.id).execute()
    return User.get_by_id(made.id)


def settings_of(app: Flask) -> Settings:
    return app.extensions["settings"]


def started(app: Flask, root: User, count: int = MANY) -> Task:
    planned = [
        PlannedPerson(
            number, LineOutcome.CREATED, f"p{number:03d}@lycee.example", values={"name": f"Person {number}"}, join=["6A"]
        )
        for number in range(1, count + 1)
    ]
    about = {"name": "pupils.csv", "passwords": True, "days_valid": 30}
    return import_task.start(root, import_task.IMPORT, planned, about, settings_of(app), form="x")


def killed_worker(app: Flask, piece: int) -> None:
    """A worker in a process of its own that is killed in the middle of this piece, within its transaction."""
    db.close()
    child = os.fork()
    if child == 0:
        apply, count = PieceOfPeople.apply, 0

        def dying(self: PieceOfPeople, planned: list[PlannedPerson]) -> None:
            nonlocal count
            apply(self, planned)
            count += 1
            if count == piece:
                os.kill(os.getpid(), signal.SIGKILL)

        PieceOfPeople.apply = dying  # type: ignore[method-assign, assignment]
        work_all(app)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    db.connect(reuse_if_open=True)
    Task.update(lease=now() - timedelta(seconds=1)).where(Task.state == TaskState.RUNNING).execute()


def test_a_worker_that_is_killed_is_gone_on_for_and_nobody_is_made_twice(app, root):
    task = started(app, root)
    killed_worker(app, 3)
    made = User.select().count() - 1
    assert 0 < made < MANY
    work_all(app)
    task = Task.get_by_id(task.id)
    assert (task.state, store.result_of(task)["created"]) == (TaskState.DONE, MANY)
    assert User.select().count() == MANY + 1
    assert GroupMember.select().count() == MANY
    assert AuditEntry.select().where(AuditEntry.act == "account-added").count() == MANY
    assert PaperPassword.select().where(PaperPassword.sealed.is_null(False)).count() == MANY


def test_an_undo_of_many_is_a_task(app, root):
    task = started(app, root)
    work_all(app)
    store.start(root, import_task.UNDO, {"task": task.id})
    assert undo_steps.count(task) > MANY
    work_all(app)
    assert User.select().count() == 1
    assert store.result_of(Task.get_by_id(task.id))["undone"] is True


def test_what_is_cancelled_stays_done_and_can_be_undone(app, root):
    task = started(app, root)
    killed_worker(app, 2)
    store.cancel(root, task.id)
    work_all(app)
    assert Task.get_by_id(task.id).state == TaskState.CANCELLED
    assert 1 < User.select().count() < MANY
    store.start(root, import_task.UNDO, {"task": task.id})
    work_all(app)
    assert User.select().count() == 1


def test_an_administrator_who_is_none_any_more_imports_nothing(app, root):
    task = started(app, root, 3)
    User.update(role="person").where(User.id == root.id).execute()
    work_all(app)
    assert Task.get_by_id(task.id).error == "no-administrator"
    assert User.select().count() == 1


def test_passwords_are_sealed_and_open_once(app, root):
    started(app, root, 3)
    work_all(app)
    (sheet,) = password_sheets.waiting(root)
    with pytest.raises(password_sheets.NoSheetsError):
        password_sheets.take(sheet, settings_of(app))
    password_sheets.ask(sheet)
    shown = password_sheets.take(sheet, settings_of(app))
    assert [one.user.name for one in shown] == ["Person 1", "Person 2", "Person 3"]
    assert len({one.letters for one in shown}) == 3
    assert all(len(one.letters) == 16 for one in shown)
    with pytest.raises(password_sheets.NoSheetsError):
        password_sheets.ask(sheet)
    assert not PaperPassword.select().where(PaperPassword.sealed.is_null(False)).exists()
