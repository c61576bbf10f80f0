"""Commands of administration that pages have too: the lists to act on, reported phishing, the school year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.task_work import work_all
from webmail.auth.devices import app_passwords
from webmail.message.quarantine import quarantine_tasks
from webmail.models import AppPassword, AuditAct, AuditEntry, PhishingFind, PhishingReport, RefusedSender, Task, User, now
from webmail.people import groups


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        for name in ("root", "nina", "oskar"):
            ground.add(f"{name}@lycee.example")
        User.update(role="admin").where(User.local == "root").execute()
        yield made


def run(app: Flask, *words: str) -> Any:
    return app.test_cli_runner().invoke(args=list(words))


def of(local: str) -> User:
    return User.get(User.local == local)


def test_lists_are_shown_and_acted_on(app):
    app_passwords.add(of("nina"), "Old phone", ["imap"])
    AppPassword.update(created=now() - timedelta(days=500)).execute()
    line = run(app, "lists", "show", "app-passwords").output.strip().split("\t")
    assert line[1:3] == ["nina@lycee.example", "Old phone"]
    assert run(app, "lists", "act", "app-passwords", line[0]).output == "nina@lycee.example\tOld phone\n"
    assert not AppPassword.select().exists()
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.APP_PASSWORD_REVOKED).count() == 1
    assert run(app, "lists", "show", "app-passwords").output == "" == run(app, "lists", "show", "forwards").output


def test_reported_phishing_is_searched_pulled_and_put_back_as_a_task(app):
    report = PhishingReport.create(user=of("nina"), sender="bad@evil.example", subject="Win \x1b[2J", message_id="<1@evil>")
    assert "bad@evil.example\tWin ?[2J" in run(app, "quarantine", "list").output
    assert "started" in run(app, "quarantine", "search", str(report.id), "--as", "root").output
    assert Task.get().kind == quarantine_tasks.SEARCH
    assert "no copy was found" in run(app, "quarantine", "pull", str(report.id), "--as", "root").output
    PhishingFind.create(report=report, user=of("oskar"), mailbox="INBOX", uidvalidity=1, uid=1, same=1, received=now())
    assert "1 to move" in run(app, "quarantine", "pull", str(report.id), "--as", "root").output
    assert PhishingFind.get().state == "wanted"
    assert "is no administrator" in run(app, "quarantine", "pull", str(report.id), "--as", "nina").output
    assert "there is no report 99" in run(app, "quarantine", "return", "99", "--as", "root").output


def test_senders_are_refused_and_allowed(app):
    assert run(app, "quarantine", "refuse", "@Evil.example").output == "mail from @evil.example is refused\n"
    assert run(app, "quarantine", "senders").output == "@evil.example\n"
    assert "one of our own" in run(app, "quarantine", "refuse", "nina@lycee.example").output
    assert "accepted again" in run(app, "quarantine", "allow", "@evil.example").output
    assert not RefusedSender.select().exists()
    assert "is not refused" in run(app, "quarantine", "allow", "@evil.example").output


def test_a_school_year_is_shown_and_then_left_to_the_worker(app, tmp_path):
    for name, member in (("6e A", "nina"), ("3e B", "oskar")):
        groups.add(groups.create("lycee.example", name), [of(member)])
    file = tmp_path / "new.csv"
    file.write_text("Name;Email;Class\nPia;pia@lycee.example;6e A\n")
    words = ("accounts", "school-year", "--as", "root", "--file", str(file), "--last-day", "2127-08-31")
    shown = run(app, *words)
    assert shown.exit_code == 0, shown.output
    assert "6e A\t5e A\n" in shown.output and "3e B\tleaves\n" in shown.output
    assert "changed\tnina@lycee.example\t+5e A -6e A" in shown.output and "1 created, 1 changed, 1 disabled" in shown.output
    assert not Task.select().exists()
    assert "started" in run(app, *words, "--move", "3e B=", "--apply").output
    work_all(app)
    assert [group.name for group in groups.of_person(of("nina"))] == ["5e A"]
    assert of("oskar").ends_on is None and of("pia").must_change == 1
    assert "does not administer" in run(app, "accounts", "school-year", "--as", "nina").output
    assert "name a group" in run(app, "accounts", "school-year", "--as", "root", "--move", "Chess=-").output
    assert "not a day to come" in run(app, "accounts", "school-year", "--as", "root", "--last-day", "2001-01-01").output
