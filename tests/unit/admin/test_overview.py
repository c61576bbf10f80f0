"""The overview: a number, whether it is well, from when it is not and what to do; a failed task is begun again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.admin.watching import check_notes, figures, overview
from webmail.admin.watching.check_notes import CheckFinding
from webmail.auth import account_management
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.models import AuditAct, AuditEntry, DailyFigure, PeriodicJob, Task, TaskState, User, now
from webmail.tasks import heartbeat, store
from webmail.tasks.periodic import Periodic
from webmail.tasks.timetable import Timetable


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        for name in ("alice", "chief", "root"):
            ground.add(f"{name}@lycee.example")
        account_management.set_role(of("root"), "admin")
        north = establishments.make("Nord")
        establishments.set_domains(north, ["lycee.example"])
        establishments.add_administrator(north, of("chief"))
        yield made


def of(local: str) -> User:
    return User.get(User.address == f"{local}@lycee.example")


def confirmed(app: Flask, local: str) -> Visitor:
    visitor = ground.signed_in(app, local)
    visitor.submit(visitor.get("/account/confirm"), "form[action='/account/confirm']", follow=False, password=ground.PASSWORD)
    return visitor


def states(page) -> dict[str, str]:
    return {card.h2.contents[0].strip(): str(card["data-state"]) for card in page.all("[data-state]")}


def test_each_thing_has_a_number_a_word_a_threshold_and_a_next_step(app):
    root = confirmed(app, "root")
    figures.make(app.extensions["settings"])
    check_notes.replace(
        [
            CheckFinding("IMAP", "warning", {"en": "its certificate expires.", "fr": "son certificat expire."}, 5),
            CheckFinding("SMTP", "ok", {"en": "answers."}, 60),
        ]
    )
    page = root.get("/admin/overview")
    found = states(page)
    assert found["People active"] == "ok" and "1 today, 1 in seven days" in page.text
    assert found["Certificates"] == "warning" and "valid for 5 days" in page.text
    assert found["Backup of the database"] == "warning" and found["Worker"] == "problem"
    assert "Start the service traboule-jobs" in page.text and "IMAP its certificate expires." in page.text
    assert "SMTP" not in page.text  # what is well needs no line
    heartbeat.note("backup")
    heartbeat.beat("a", now())
    assert {states(root.get("/admin/overview"))[one] for one in ("Backup of the database", "Worker")} == {"ok"}


def test_many_refused_sign_ins_and_a_disk_that_fills_are_told(app):
    root = confirmed(app, "root")
    for number in range(10):
        DailyFigure.create(day=str((now() - timedelta(days=10 - number)).date()), name="disk_free", value=1000 - 50 * number)
    day = str(now().date())
    for name, value in {"disk_size": 2000, "disk_free": 500, "sign_ins": 2, "sign_ins_refused": 90}.items():
        DailyFigure.create(day=day, name=name, value=value)
    found = root.get("/admin/overview")
    assert states(found)["Sign-ins refused today"] == "warning" == states(found)["Disk of this machine"]
    assert "full in 10 days" in found.text


def test_periodic_work_that_broke_is_told_until_it_goes_well_again(app):
    root = confirmed(app, "root")
    assert states(root.get("/admin/overview"))["Periodic work"] == "ok"

    def work(name: str, do, *, by_all: bool = False) -> None:
        """One round of the worker, an hour after the last."""
        PeriodicJob.update(begun=now() - timedelta(hours=1)).where(PeriodicJob.name == name).execute()
        table = Timetable(
            [Periodic(name, do, timedelta(minutes=1), by_all=by_all)], lambda one: one.do(None), app.extensions["settings"]
        )
        table.look()
        table.wait()

    work("reminders", lambda _run: {}["SECRET"])
    work("subscriptions", lambda _run: 1 / 0, by_all=True)
    page = root.get("/admin/overview")
    assert states(page)["Periodic work"] == "problem" and "SECRET" not in page.text
    assert "reminders (KeyError" in page.text and "subscriptions (ZeroDivisionError" in page.text
    work("reminders", lambda _run: None)
    assert "reminders" not in root.get("/admin/overview").text


def test_the_room_that_mail_takes_stands_beside_what_is_promised(app):
    root = confirmed(app, "root")
    User.update(quota_bytes=100 * 1024**2).execute()
    User.update(used_bytes=50 * 1024**2).where(User.local == "alice").execute()
    today = datetime.now(ZoneInfo("Europe/Paris")).date()  # the establishment's, as the figures are
    for number in range(1, 11):
        DailyFigure.create(day=str(today - timedelta(days=number)), name="mail_used", value=(50 - number) * 1024**2)
    figures.make(app.extensions["settings"])
    text = root.get("/admin/overview").text.replace("\xa0", " ")
    assert "50 MB used of 300 MB promised to accounts in all, full in 250 days at this rate" in text


def test_a_failed_task_goes_on_at_a_click(app):
    root = confirmed(app, "root")
    task = store.start(of("alice"), "export", {"secret": "SECRET"})
    Task.update(state=TaskState.FAILED, error="server-away", tries=5, progress=3).execute()
    page = root.get("/admin/overview")
    assert "alice@lycee.example" in page.text and "SECRET" not in page.html
    page = root.submit(page, f"[data-task='{task.id}'] form", task=task.id)
    row = Task.get_by_id(task.id)
    assert (row.state, row.tries, row.progress) == (TaskState.WAITING, 0, 3)
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.TASK_RETRIED).count() == 1
    again = (
        root.submit(root.get("/admin/overview"), "form[action='/admin/overview/tasks']", task=task.id)
        if page.all("[data-task]")
        else page
    )
    assert again.status == 200


def test_only_who_administers_all_sees_it(app):
    for local in ("alice", "chief"):
        visitor = confirmed(app, local)
        assert visitor.get("/admin/overview").status == 403
        assert visitor.post("/admin/overview/tasks", {"task": "x"}).status in (400, 403)


def test_it_asks_no_more_with_more_accounts(app, monkeypatch):
    statements: list[str] = []
    execute = type(db.obj).execute_sql
    monkeypatch.setattr(
        type(db.obj), "execute_sql", lambda own, sql, *more, **named: statements.append(sql) or execute(own, sql, *more, **named)
    )

    def count() -> int:
        statements.clear()
        with app.test_request_context():
            overview.of_now(app.extensions["settings"], [])
        return len(statements)

    count()
    few = count()
    for number in range(30):
        ground.add(f"p{number}@lycee.example")
    assert 0 < count() <= few
