"""Rounds of the doctor: what breaks is mailed once, and once when it is well, in each reader's language; several machines tell it once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from webmail.admin.watching import check_notes, check_requests
from webmail.auth import account_management
from webmail.database.connection import db
from webmail.doctor import rounds
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.doctor.result import lazy_gettext as _l
from webmail.models import CheckState, SystemMessage, User

GOOD = CheckResult("Disk", OK, _l("%(free)s GB free in %(place)s.", free="9.0", place="/srv"))
BAD = CheckResult(
    "Worker", PROBLEM, _l("never ran: no messages are sent. Start `flask --app wsgi jobs` (service traboule-jobs).")
)
OLD = CheckResult("Backup", WARNING, "is old.")


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    more = {
        "public_url": "http://localhost",
        "language": "en",
        "system_address": "no-reply@lycee.example",
        "smtp_security": "none",
    }
    with ground.application(tmp_path / "instance", recovery_address="off", **more) as made:
        for name, language in (("root", "en"), ("racine", "fr")):
            ground.add(f"{name}@lycee.example")
            account_management.set_role(User.get(User.address == f"{name}@lycee.example"), "admin")
            User.update(language=language).where(User.address == f"{name}@lycee.example").execute()
        yield made


def look(app: Flask, *results: CheckResult) -> dict[str, str]:
    """One round; the mail of it, by recipient."""
    with app.app_context():
        rows = rounds.note_and_tell(results, app.extensions["settings"])
    sent = SystemMessage.select().where(SystemMessage.id.in_(rows))
    return {row.recipient.partition("@")[0]: f"{row.subject}\n{row.body}".replace("\xa0", " ") for row in sent}


def test_what_breaks_is_told_once_and_once_when_it_is_well(app):
    assert look(app, GOOD) == {}
    told = look(app, GOOD, BAD, OLD)
    assert told.keys() == {"root", "racine"}
    assert "2 things need a look" in told["root"] and "Worker: never ran: no messages are sent." in told["root"]
    assert "2 points à examiner" in told["racine"] and "aucun message ne part" in told["racine"]
    assert "Backup: is old." in told["root"] and "/admin/checks" in told["root"] and "Disk" not in told["root"]
    assert look(app, GOOD, BAD, OLD) == {}
    told = look(app, GOOD, CheckResult("Worker", OK, "is running"), OLD)
    assert "1 thing is well again" in told["root"] and "- Worker" in told["root"] and "Backup" not in told["root"]
    assert look(app, GOOD, CheckResult("Worker", OK, "is running"), OLD) == {}
    assert [row.name for row in CheckState.select()] == ["Backup"]


def test_what_gets_worse_is_told_again_and_what_gets_better_is_not(app):
    assert look(app, OLD)
    worse = CheckResult("Backup", PROBLEM, "is gone.")
    assert "Backup: is gone." in look(app, worse)["root"]
    assert look(app, OLD) == {} and look(app, worse) == {}
    assert "well again" in look(app, CheckResult("Backup", OK, "is new."))["root"]


def test_what_is_no_longer_found_is_well_after_two_rounds(app):
    """As a folder that a check names only while something is wrong with it."""
    assert look(app, GOOD, CheckResult("Uploads folder", PROBLEM, "is no folder."))
    assert look(app, GOOD) == {}
    assert "Folder of uploads" in look(app, GOOD)["root"]
    assert look(app, GOOD) == {}


def test_several_results_of_one_name_are_one_thing(app):
    told = look(
        app,
        CheckResult("Devices", WARNING, "first."),
        CheckResult("Devices", OK, "x."),
        CheckResult("Devices", PROBLEM, "second."),
    )
    assert "Devices: first. second." in told["root"] and "1 thing needs a look" in told["root"]


def test_machines_that_look_at_the_same_moment_tell_it_once(app):
    told: list[int] = []
    start = threading.Barrier(4)
    db.close()

    def machine() -> None:
        with app.app_context(), db.connection_context():
            start.wait()
            told.extend(rounds.note_and_tell([BAD], app.extensions["settings"]))

    threads = [threading.Thread(target=machine) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.connect(reuse_if_open=True)
    assert len(told) == 2 and SystemMessage.select().count() == 2  # one for each administrator


def test_without_a_sender_nothing_is_mailed_and_all_is_noted(app):
    app.extensions["settings"].put({"system_address": ""})
    assert look(app, BAD) == {} and [note.name for note in check_notes.listed()] == ["Worker"]


def test_the_page_says_it_in_the_readers_language_and_asks_no_server(app):
    look(app, GOOD, BAD, OLD)
    pages = {}
    for name, language in (("root", "en"), ("racine", "fr")):
        visitor = ground.signed_in(app, name)
        form = "form[action='/account/confirm']"
        visitor.submit(visitor.get("/account/confirm"), form, follow=False, password=ground.PASSWORD)
        pages[language] = visitor.get("/admin/checks")
    states = {one["data-check"]: one["data-state"] for one in pages["en"].all("[data-check]")}
    assert states == {"Worker": "problem", "Backup": "warning", "Disk": "ok"}
    assert "Start `flask --app wsgi jobs`" in pages["en"].text and "Since" in pages["en"].text
    [worker] = pages["fr"].all("[data-check=Worker]")
    assert "aucun message ne part" in worker.text
    [backup] = pages["fr"].all("[data-check=Backup]")
    assert "Sauvegarde" in backup.text and "une fois aux administrateurs" in pages["fr"].text
    visitor.submit(pages["fr"], "form[action='/admin/checks']")
    assert check_requests.is_open(check_requests.DOCTOR)


def test_mail_of_checks_can_be_switched_off_and_the_page_says_so(app):
    app.extensions["settings"].put({"check_mail": False})
    assert look(app, GOOD, BAD) == {} and [row.state for row in CheckState.select()] == ["problem"]
    visitor = ground.signed_in(app, "root")
    form = "form[action='/account/confirm']"
    visitor.submit(visitor.get("/account/confirm"), form, follow=False, password=ground.PASSWORD)
    assert "Nothing of this is sent by email." in visitor.get("/admin/checks").text
    app.extensions["settings"].put({"check_mail": True})
    assert look(app, GOOD, BAD) == {}  # what broke meanwhile is known already
    assert "Disk" in look(app, CheckResult("Disk", PROBLEM, "is full."), BAD)["root"]
