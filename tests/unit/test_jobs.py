"""The worker's process: it wakes when it is told, finishes what it began, and needs no wake-up to find what is due."""

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bench.fault_server import FaultServer
from tests.bench.faults import BOB, Instance
from tests.support.broken_database import FAULTS
from tests.support.system_mail import queued
from tests.support.waiting import eventually
from webmail import jobs, vault
from webmail.auth.devices import app_passwords, handover
from webmail.compose.outbox.credentials import account_of
from webmail.database.connection import db
from webmail.errors import SignInRefusedError
from webmail.models import AppPassword, Outbox, OutboxState, PeriodicJob, now
from webmail.tasks.job_queue import JobQueue

WORKER = """
import sys
from pathlib import Path
from tests.bench.faults import Instance
from webmail import jobs
here = Instance(Path(sys.argv[1]), int(sys.argv[2]))
print("ready", flush=True)
jobs.build(here.settings, here.account).work(workers=2)
"""


@pytest.fixture
def worker(here):
    started = []

    def start():
        command = [sys.executable, "-c", WORKER, str(here.folder), str(here.port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def busy_worker(here, worker):
    """One that has sent its first message, so it is at work and not merely beginning."""
    sent = here.enqueue(here.draft((BOB,)))
    process = worker()
    eventually(lambda: here.server.copies(BOB) == 1)
    eventually(lambda: Outbox.get_by_id(sent.id).error)  # nobody answers for IMAP: it can't be filed, and this turn is over
    return process


def test_a_message_that_was_waiting_leaves_when_the_worker_starts(here, worker):
    here.enqueue(here.draft((BOB,)))
    worker()
    eventually(lambda: here.server.copies(BOB) == 1)


def test_a_wake_up_is_heard_at_once(here, busy_worker):
    queue = jobs.build(here.settings, here.account)
    sent = here.enqueue(here.draft((BOB,)))
    queue.schedule(sent.id, now())
    eventually(lambda: here.server.copies(BOB) == 2, seconds=20)


@pytest.mark.parametrize("word", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(busy_worker, word):
    busy_worker.send_signal(word)
    assert busy_worker.wait(20) == 0


def test_what_is_being_sent_at_sigterm_is_finished(here, worker):
    here.server.faults = ["hang@answer"]
    here.enqueue(here.draft((BOB,)))
    process = worker()
    assert here.server.reached.wait(20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert Outbox.get().state == OutboxState.UNCERTAIN  # it heard the timeout out, and noted it


def test_without_a_queue_the_sweep_finds_the_row(here, caplog):
    queue = jobs.build(here.settings, here.account)
    sent = here.enqueue(here.draft((BOB,)))
    queue.huey.storage.conn.execute("drop table task")
    queue.schedule(sent.id, now())
    assert "next sweep" in caplog.text
    queue.deliver(sent.id)
    assert here.server.copies(BOB) == 1


@pytest.fixture
def establishment(here):
    """One that may write itself, for the worker's process too."""
    address = "ne-pas-repondre@lycee.example"
    (here.folder / "config.toml").write_text(f'system_address = "{address}"')
    here.settings = replace(here.settings, system_address=address)


def test_mail_of_the_establishment_leaves_when_the_worker_starts(establishment, here, worker):
    queued(BOB)
    worker()
    eventually(lambda: here.server.copies(BOB) == 1)


def test_and_at_once_when_it_is_woken(establishment, here, busy_worker):
    row = queued(BOB)
    jobs.build(here.settings).schedule_system_mail(row.id, row.due)
    eventually(lambda: here.server.copies(BOB) == 2, seconds=20)


def test_the_sweep_finds_it_without_a_queue(establishment, here, caplog):
    queue = jobs.build(here.settings)
    row = queued(BOB)
    queue.huey.storage.conn.execute("drop table task")
    queue.sweep()
    assert f"system mail {row.id} waits for the next sweep" in caplog.text
    queue.deliver_system_mail(row.id)
    assert here.server.copies(BOB) == 1


def test_a_profile_that_nobody_fetched_is_removed(here):
    letters, row = app_passwords.add(here.draft().user, "Phone", ["imap"], kind="iphone")
    handover.offer(row, letters, here.settings)
    AppPassword.update(profile_until=now() - timedelta(seconds=1)).execute()
    PeriodicJob.delete().execute()
    jobs.build(here.settings).clean_up()
    assert AppPassword.get_by_id(row.id).profile_sealed is None


def test_a_row_opens_with_its_sealed_password_or_not_at_all(here):
    row = here.enqueue(here.draft((BOB,)))
    with pytest.raises(SignInRefusedError):
        account_of(row, here.settings)
    row.credential = vault.seal_for_outbox("sésame", here.settings.secret_key, row.user.id)
    assert account_of(row, here.settings).credential.password == "sésame"
    row.credential = row.credential[:20] + bytes([row.credential[20] ^ 1]) + row.credential[21:]
    with pytest.raises(SignInRefusedError):
        account_of(row, here.settings)


@pytest.mark.parametrize("fault", ["read_only", "damaged", "no_database", "removed"])
def test_a_database_that_cannot_be_used_is_a_line_in_the_log(tmp_path, caplog, monkeypatch, fault):
    with FaultServer() as server:
        here = Instance(tmp_path / "instance", server.port)
        with db.connection_context():
            sent = here.enqueue(here.draft())
        worker = jobs.build(here.settings, here.account)
        FAULTS[fault](Path(here.settings.database_url.removeprefix("sqlite:///")))
        db.close()  # each job opens a connection of its own
        if fault == "read_only":
            monkeypatch.setattr(db.obj, "_pragmas", [*db.obj._pragmas, ("query_only", 1)])
        worker._deliver.call_local(sent.id)
        worker._sweep.call_local()
        told = [record for record in caplog.records if "the database" in record.getMessage()]
        assert len(told) == 2 and not any(record.exc_info for record in told)
        assert server.messages == []


def test_the_worker_knows_what_pages_put_into_its_queue(here):
    """A page has a queue that does nothing itself."""
    pages, worker = JobQueue(here.settings.jobs_file), jobs.build(here.settings, here.account)
    pages.schedule(1, now())
    pages.schedule_system_mail(2, now())
    pages.wake_tasks()
    waiting = [worker.huey.dequeue() for _ in range(worker.huey.pending_count())] + worker.huey.scheduled()
    assert sorted(task.name for task in waiting if task) == ["deliver", "deliver_system_mail", "tasks_soon"]
