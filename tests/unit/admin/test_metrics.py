"""/metrics: for whom, numbers of all processes, and labels that nobody outside can add to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.admin.watching import figures
from webmail.admin.watching.request_counts import RequestCounts, area_of
from webmail.database.connection import db
from webmail.models import MetricCount

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", metrics=True, metrics_token=TOKEN) as made:
        ground.add("alice@lycee.example")
        yield made


def read(app: Flask) -> dict[str, dict[tuple[str, ...], float]]:
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(CONTENT_TYPE_LATEST.partition(";")[0])
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_nobody_reads_it_without_the_token(app):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
        assert app.test_client().get("/metrics", headers=headers).status_code == 404


def test_it_is_off_unless_it_is_asked_for(tmp_path):
    with ground.application(tmp_path / "off") as app:
        assert Visitor(app).get("/metrics").status == 404


def test_without_a_token_programs_on_this_machine_alone_read_it(tmp_path):
    with ground.application(tmp_path / "local", metrics=True) as app:
        assert app.test_client().get("/metrics").status_code == 200
        assert app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404
        behind = {"X-Forwarded-For": "192.0.2.7"}  # by a proxy that nobody told us of, all come from this machine
        assert app.test_client().get("/metrics", headers=behind).status_code == 404


def test_it_counts_requests_of_all_processes_by_area_and_status(app):
    other = RequestCounts(everything=True)  # another process
    other.count("/mailbox/<path:mailbox>", 200, 0.03)
    other.write()
    Visitor(app).get("/nope/alice@lycee.example")
    Visitor(app).get("/login")
    found = read(app)
    requests = found["traboule_requests_total"]
    assert requests["mailbox", "2xx"] == 1 and requests["login", "2xx"] == 1 and requests["-", "4xx"] == 1
    assert found["traboule_answer_seconds_count"][()] == 3
    assert found["traboule_answer_seconds_bucket"][("0.01",)] <= found["traboule_answer_seconds_bucket"][("+Inf",)] == 3
    assert found["traboule_accounts"] == {("active",): 1, ("disabled",): 0}
    assert found["traboule_worker_seen_seconds"] == {(): -1}


def test_two_processes_are_added_up_whichever_answers(app):
    """Each in a process of its own, at the same time; the first answers /metrics itself, the second one writes as it ends."""
    read(app)
    db.close()
    children = []
    for last in ("/metrics", ""):
        if not (child := os.fork()):
            try:
                for _number in range(5):
                    assert app.test_client().get("/login").status_code == 200
                if last:
                    read(app)
                else:
                    with db.connection_context():
                        app.extensions["request_counts"].write()
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    db.connect(reuse_if_open=True)
    Visitor(app).get("/login")
    assert read(app)["traboule_requests_total"]["login", "2xx"] == 11


def test_nothing_that_somebody_asks_for_adds_a_label(app):
    for number in range(30):
        Visitor(app).get(f"/{number}/x")
    app.extensions["request_counts"].write()
    assert MetricCount.select().where(MetricCount.name.startswith("requests")).count() == 1
    assert (area_of("/<kind>/x"), area_of("/"), area_of("-"), area_of("/dav/")) == ("/", "/", "-", "dav")


def test_it_has_the_figures_that_the_worker_made(app):
    figures.make(app.extensions["settings"])
    found = read(app)
    assert found["traboule_figure"][("disk_size",)] > 0
    assert "alice" not in app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text


def test_what_can_not_be_written_now_is_counted_later(app, monkeypatch):
    import peewee as pw

    counts = RequestCounts(everything=True)
    counts.count("/login", 200, 0.1)
    with monkeypatch.context() as patched, pytest.raises(pw.OperationalError):
        patched.setattr(MetricCount, "insert", lambda **_row: (_ for _ in ()).throw(pw.OperationalError("locked")))
        counts.write()
    counts.write()
    assert MetricCount.get_by_id("requests login 2xx").value == 1
