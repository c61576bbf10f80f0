"""Tasks at work: each step once, whatever dies; cancelling, failing, trying again; nobody waits behind another's pile."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from tests.bench import tasks_killed
from tests.support.waiting import eventually
from webmail.errors import LimitReachedError, ServerAwayError
from webmail.models import Tag, Task, TaskState, User, now
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskStoppedError
from webmail.tasks.runner import take_next


def tagging(run):
    """One tag a step; what `at` in the arguments says happens before that step."""
    steps, said = run.arguments["steps"], run.arguments
    for step in range(run.cursor or 0, steps):
        if step == said.get("fail_at"):
            raise TaskFailedError("nothing-there")
        if step == said.get("away_at"):
            raise ServerAwayError("the server sleeps")
        if step == said.get("break_at"):
            raise RuntimeError("a mistake of ours")
        if step == said.get("cancel_at"):
            store.cancel(run.user, run.task.id)
        with run.step(step + 1, done=step + 1, total=steps):
            Tag.create(user=run.user, keyword=f"k{step}", name=str(step))
    return {"made": steps}


TAGGING = TaskKind("tagging", tagging)


def again(task):
    return Task.get_by_id(task.id)


def made(user):
    return Tag.select().where(Tag.user == user).count()


def test_a_task_is_done_step_by_step_and_keeps_its_result(alice, runner):
    task = store.start(alice, "tagging", {"steps": 3})
    assert runner(TAGGING).run_one()
    task = again(task)
    assert (task.state, task.progress, task.total, made(alice)) == (TaskState.DONE, 3, 3, 3)
    assert store.result_of(task) == {"made": 3}
    assert not runner(TAGGING).run_one()


def test_a_form_sent_twice_starts_one_task(alice):
    name = store.new_id()
    assert store.start(alice, "tagging", {}, task_id=name).id == store.start(alice, "tagging", {}, task_id=name).id == name
    assert Task.select().count() == 1


def test_somebody_elses_task_cannot_be_seen_stopped_or_removed(alice, bob):
    task = store.start(alice, "tagging", {"steps": 1})
    for ask in (store.find, store.cancel, store.remove):
        with pytest.raises(store.NoSuchTaskError):
            ask(bob, task.id)
    assert store.listing(bob) == []
    assert again(task).state == TaskState.WAITING


def test_one_person_has_a_bounded_number_of_tasks(alice, bob):
    for _ in range(store.MOST_OPEN):
        store.start(alice, "tagging", {})
    with pytest.raises(LimitReachedError):
        store.start(alice, "tagging", {})
    store.start(bob, "tagging", {})


def test_a_waiting_task_is_cancelled_at_once_a_running_one_at_its_next_step(alice, runner):
    waiting, running = store.start(alice, "tagging", {"steps": 3}), store.start(alice, "tagging", {"steps": 5, "cancel_at": 2})
    assert store.cancel(alice, waiting.id)
    assert again(waiting).state == TaskState.CANCELLED
    runner(TAGGING).run_one()
    assert (again(running).state, made(alice)) == (TaskState.CANCELLED, 2), "what was done stays, the step under way does not"
    assert not store.cancel(alice, running.id)


def test_a_task_that_can_never_work_says_why_and_is_not_tried_again(alice, runner):
    task = store.start(alice, "tagging", {"steps": 3, "fail_at": 1})
    runner(TAGGING).run_one()
    assert (again(task).state, again(task).error) == (TaskState.FAILED, "nothing-there")
    assert not runner(TAGGING).run_one()


def test_a_mistake_of_ours_ends_the_task_and_is_logged(alice, runner, caplog):
    task = store.start(alice, "tagging", {"steps": 3, "break_at": 1})
    runner(TAGGING).run_one()
    assert (again(task).state, again(task).error, made(alice)) == (TaskState.FAILED, "broke", 1)
    assert "a mistake of ours" in caplog.text


def test_while_a_server_is_away_the_task_waits_and_goes_on_where_it_was(alice, runner):
    task = store.start(alice, "tagging", {"steps": 3, "away_at": 2})
    runner(TAGGING).run_one()
    assert (again(task).state, again(task).error, made(alice)) == (TaskState.WAITING, "server-away", 2)
    assert not runner(TAGGING).run_one(), "not at once"
    Task.update(due=now(), arguments=json.dumps({"steps": 3})).execute()
    runner(TAGGING).run_one()
    assert (again(task).state, made(alice)) == (TaskState.DONE, 3)


def test_a_server_away_for_hours_ends_it(alice, runner):
    task = store.start(alice, "tagging", {"steps": 3, "away_at": 0})
    for _ in range(7):
        Task.update(due=now()).execute()
        runner(TAGGING).run_one()
    assert (again(task).state, again(task).error) == (TaskState.FAILED, "server-away")


def test_a_worker_that_lost_its_turn_changes_nothing_more(alice, runner):
    """Its lease expired while it was stopped; another one took over and is ahead."""
    task = store.start(alice, "tagging", {"steps": 4})

    def slow(run):
        if run.task.turn == 1:
            Task.update(lease=now() - timedelta(seconds=1)).execute()
            assert runner(TaskKind("tagging", slow), worker="w2").run_one()
            with pytest.raises(TaskStoppedError), run.step(1, done=1):
                Tag.create(user=alice, keyword="zombie", name="zombie")
            raise TaskStoppedError("noticed")
        return tagging(run)

    runner(TaskKind("tagging", slow)).run_one()
    task = again(task)
    assert (task.state, task.turn, task.worker, made(alice)) == (TaskState.DONE, 2, "w2", 4)
    assert not Tag.select().where(Tag.keyword == "zombie").exists()


def test_a_task_that_kills_its_workers_is_given_up(alice, settings):
    store.start(alice, "tagging", {"steps": 1})
    lease = timedelta(seconds=30)
    for _ in range(8):
        assert take_next("w1", lease, ["tagging"])
        Task.update(lease=now() - timedelta(seconds=1)).execute()
    assert take_next("w1", lease, ["tagging"]) is None
    assert Task.get().state == TaskState.FAILED


def test_who_has_one_running_lets_others_go_first(alice, bob, settings):
    lease = timedelta(seconds=30)
    first, second = (store.start(alice, "tagging", {}) for _ in range(2))
    third = store.start(bob, "tagging", {})
    order = [take_next("w1", lease, ["tagging"]).id for _ in range(3)]
    assert order == [first.id, third.id, second.id]


def test_of_some_kinds_one_of_a_person_runs_at_a_time(alice, bob, settings):
    lease, kinds = timedelta(seconds=30), ["import", "move-in", "tagging"]
    first, second = store.start(alice, "import", {}), store.start(alice, "move-in", {})
    other, third = store.start(alice, "tagging", {}), store.start(bob, "import", {})
    taken = [take_next("w1", lease, kinds, ["import", "move-in"]) for _ in range(4)]
    assert {task.id for task in taken if task} == {first.id, other.id, third.id} and taken[3] is None
    Task.update(state=TaskState.DONE, lease=None).where(Task.id == first.id).execute()
    assert take_next("w2", lease, kinds, ["import", "move-in"]).id == second.id


def test_a_worker_that_died_keeps_nobody_from_their_turn(alice, settings):
    lease = timedelta(seconds=30)
    first = store.start(alice, "import", {})
    assert take_next("w1", lease, ["import"], ["import"]).id == first.id
    Task.update(lease=now() - timedelta(seconds=1)).execute()
    assert take_next("w2", lease, ["import"], ["import"]).id == first.id


def test_nothing_begins_or_goes_on_for_a_person_who_was_suspended(alice, bob, runner):
    def suspending(run):
        if run.task.id == running.id:
            User.update(active=0).where(User.id == alice.id).execute()
        return tagging(run)

    running, waiting = (store.start(alice, "tagging", {"steps": 3}) for _ in range(2))
    others = store.start(bob, "tagging", {"steps": 3})
    for _ in range(4):
        runner(TaskKind("tagging", suspending)).run_one()
    assert [again(task).state for task in (running, waiting)] == [TaskState.CANCELLED] * 2
    assert made(alice) == 0
    assert again(others).state == TaskState.DONE


def test_a_kind_that_a_worker_does_not_know_is_left_for_one_that_does(alice, runner):
    task = store.start(alice, "from-the-future", {})
    assert not runner(TAGGING).run_one()
    assert again(task).state == TaskState.WAITING


def test_threads_start_work_when_they_are_woken_and_stop_at_a_step(alice, runner, settings):
    began, go_on = threading.Event(), threading.Event()

    def waiting(run):
        began.set()
        go_on.wait(10)
        with run.step(1, done=1, total=2):
            pass
        return {}

    working = runner(TaskKind("waiting", waiting), threads=1, poll=30)
    working.start()
    task = store.start(alice, "waiting", {})
    working.wake()
    assert began.wait(20)
    stopper = threading.Thread(target=working.stop)
    stopper.start()
    eventually(working._stopping.is_set)
    go_on.set()
    stopper.join()
    assert again(task).state == TaskState.WAITING, "it goes on after the next start"


def test_workers_killed_again_and_again_do_each_step_once():
    """A small part of the trial that docs/benchmarks.md tells of."""
    report = tasks_killed.run(steps=500, kills=1)
    assert report.good, str(report)


def test_ended_tasks_are_kept_for_a_week(alice, runner):
    old, fresh = (store.start(alice, "tagging", {"steps": 0}) for _ in range(2))
    for _ in range(2):
        runner(TAGGING).run_one()
    Task.update(finished=now() - timedelta(days=8)).where(Task.id == old.id).execute()
    assert [task.id for task in store.expired()] == [old.id]
    assert store.remove(alice, fresh.id).id == fresh.id


def test_a_person_who_is_deleted_meanwhile_ends_no_thread(alice, bob, runner):
    def vanishing(run):
        if run.user == alice:
            alice.delete_instance()
            raise ServerAwayError("the server sleeps")
        return tagging(run)

    store.start(alice, "tagging", {})
    others = store.start(bob, "tagging", {"steps": 1})
    working = runner(TaskKind("tagging", vanishing), threads=1, poll=0.05)
    working.start()
    try:
        eventually(lambda: again(others).state == TaskState.DONE)
    finally:
        working.stop()
