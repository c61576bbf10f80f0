"""Task files: what has ended keeps only its result; what nobody needs any more goes with the sweep."""

from __future__ import annotations

import os
import time

import pytest

from webmail.models import Task, TaskState
from webmail.storage import open_storage
from webmail.tasks import leftovers, store
from webmail.tasks.kinds import TaskFailedError, TaskKind


@pytest.fixture
def storage(settings):
    return open_storage(settings)


@pytest.fixture
def stored(storage):
    """`stored()`: the names of all files of tasks; `stored(task, "a", ...)` puts some first, two days ago."""

    def names(task_id: str = "", *some: str) -> list[str]:
        for name in some:
            storage.put(f"{leftovers.folder(task_id)}/{name}", [b"x"])
            os.utime(storage.path(f"{leftovers.folder(task_id)}/{name}"), (time.time() - 2 * 86_400,) * 2)
        return sorted(file.name.removeprefix("tasks/") for file in storage.list("tasks"))

    return names


def test_what_has_ended_keeps_its_result_alone(alice, runner, stored):
    making = store.start(alice, "making", {})
    stored(making.id, "given", "made")
    runner(TaskKind("making", lambda run: {"file": f"tasks/{run.task.id}/made"})).run_one()
    assert stored() == [f"{making.id}/made"]


def test_what_failed_keeps_nothing(alice, runner, stored):
    def failing(run):
        raise TaskFailedError("no-use")

    stored(store.start(alice, "failing", {}).id, "given")
    runner(TaskKind("failing", failing)).run_one()
    assert stored() == []


def test_who_lost_the_task_leaves_its_files_alone(alice, runner, stored):
    def overtaken(run):
        Task.update(turn=7).execute()
        raise TaskFailedError("no-use")

    task = store.start(alice, "overtaken", {})
    stored(task.id, "given")
    runner(TaskKind("overtaken", overtaken)).run_one()
    assert stored() == [f"{task.id}/given"]


def test_the_sweep_takes_what_no_task_needs(alice, bob, settings, stored):
    waiting, ended, gone = (store.start(user, "x", {}) for user in (alice, alice, bob))
    for task in (waiting, ended, gone):
        stored(task.id, "given", "made")
    Task.update(state=TaskState.DONE, result=f'{{"file": "tasks/{ended.id}/made"}}').where(Task.id == ended.id).execute()
    bob.delete_instance()
    leftovers.sweep(settings)
    assert stored() == sorted([f"{waiting.id}/given", f"{waiting.id}/made", f"{ended.id}/made"])


def test_the_sweep_leaves_what_was_put_just_now_for_a_task_about_to_start(settings, storage, stored):
    storage.put("tasks/soon/given", [b"x"])
    assert leftovers.sweep(settings) == 0
    assert stored() == ["soon/given"]
