"""The heartbeat: who is alive, and periodic work that one of many workers does."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from webmail.models import PeriodicJob, Worker, now
from webmail.tasks import heartbeat

CLAIM = """
import sys
from datetime import timedelta
from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.tasks import heartbeat
open_database(config.load(sys.argv[1]).database_url)
with db.connection_context():
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(heartbeat.claim_periodic(f"job-{n}", timedelta(minutes=1)) for n in range(50)), flush=True)
"""


def test_nobody_was_ever_alive(settings):
    assert heartbeat.last_seen() is None
    assert not heartbeat.is_alive(None)


def test_a_worker_is_alive_while_it_says_so(settings):
    worker = heartbeat.new_worker()
    heartbeat.beat(worker, now())
    assert heartbeat.is_alive(heartbeat.last_seen())
    Worker.update(seen=now() - heartbeat.SILENT).execute()
    assert not heartbeat.is_alive(heartbeat.last_seen())
    heartbeat.beat(worker, now())
    assert heartbeat.is_alive(heartbeat.last_seen())
    heartbeat.gone(worker)
    assert heartbeat.last_seen() is not None and not heartbeat.is_alive(heartbeat.last_seen())


def test_periodic_work_is_due_once_in_each_period(settings):
    minute = timedelta(minutes=1)
    assert heartbeat.claim_periodic("sweep", minute)
    assert not heartbeat.claim_periodic("sweep", minute)
    PeriodicJob.update(begun=now() - timedelta(seconds=61)).execute()
    assert heartbeat.claim_periodic("sweep", minute)
    assert not heartbeat.claim_periodic("sweep", minute)


def test_of_many_workers_one_does_it(settings):
    command = [sys.executable, "-c", CLAIM, settings.instance]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    done = [int(worker.communicate("\n")[0]) for worker in workers]
    assert sum(done) == 50, done
