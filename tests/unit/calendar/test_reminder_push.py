"""Reminders that reach pages that are open: by their stream, where there are any; on all of a person's pages, and no other's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put
from tests.support.visits import Visitor
from webmail import preferences
from webmail.calendar import objects
from webmail.calendar.notifications import reminders as calendar_letters
from webmail.calendar.reminders import reminders
from webmail.database.connection import db
from webmail.mailbox import push_streams
from webmail.models import CalendarObject, NextReminder, ShownReminder, User

HOUR = 3600
TOLD = b"event: reminders\ndata: /calendar/reminders/due\n\n"
ALARM = ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT10M", "END:VALARM"]


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", push_connections=5) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def event(title: str, seconds: int, local: str = "alice") -> None:
    """An event so long from now, with a reminder ten minutes before it."""
    put(calendar_of(local), title, time.strftime(":%Y%m%dT%H%M%SZ", time.gmtime(int(time.time()) + seconds)), "", *ALARM)


def sweep(app: Flask, seconds: int) -> None:
    settings = app.extensions["settings"]
    with app.app_context():
        reminders.sweep(settings, calendar_letters.reminder_writer(settings), int(time.time()) + seconds)


def box(alice: Visitor, url: str = "/calendar/events/new"):
    return alice.get(url).one("#due-reminders")


def heard(alice: Visitor, url: str, monkeypatch: pytest.MonkeyPatch, does=lambda: None) -> list[bytes]:
    """What a page is told: at once, and after something was done."""
    monkeypatch.setattr(push_streams, "_SILENCE", 0.0)
    answer = alice.client.get(url, headers={"Accept": "text/event-stream"})
    try:
        assert answer.status_code == 200
        said = iter(answer.response)
        first = [next(said), next(said)]
        does()
        return [*first[1:], *(next(said) for _turn in range(2))]
    finally:
        answer.close()


def test_whoever_has_no_reminders_gets_not_a_byte_more(app, alice):
    event("Bien plus tard", 20 * 86_400)
    sweep(app, 0)
    put(calendar_of(), "Sans rappel", ":20991208T090000")
    assert box(alice).attrs == {"id": "due-reminders"}


def test_a_page_listens_where_one_is_coming(app, alice):
    event("Conseil", HOUR)
    assert box(alice)["data-push"] == "/push"  # before a worker looked at it
    sweep(app, 0)
    shown = box(alice)
    assert (shown["data-push"], shown["data-shown"]) == ("/push", "0")
    assert not shown.has_attr("data-notify")
    preferences.change(user(), notifications=True)
    assert box(alice).has_attr("data-notify")


def test_nobody_listens_where_push_is_off(tmp_path):
    with ground.application(tmp_path / "instance") as app:
        alice = ground.person(app)
        event("Conseil", HOUR)
        assert box(alice).attrs == {"id": "due-reminders"}
        assert alice.client.get("/push").status_code == 404


def test_what_comes_is_told_once_and_fetched(app, alice, monkeypatch):
    event("Conseil", HOUR)
    sweep(app, 0)
    state = box(alice)["data-shown"]
    told = heard(alice, f"/push?reminders={state}", monkeypatch, lambda: sweep(app, 55 * 60))
    assert told.count(TOLD) == 1
    came = alice.get("/calendar/reminders/due")
    assert came.one("#due-reminders .notice span a").get_text() == "Conseil"
    assert [one["value"] for one in came.all("form button[name=until]")] == ["done", "10"]
    assert came.one("form [name=back]")["value"] == ""  # the page that takes it in says where it is
    assert came.one("#due-reminders")["data-push"] == "/push"  # it may be answered in another window
    assert TOLD not in heard(alice, f"/push?reminders={came.one('#due-reminders')['data-shown']}", monkeypatch)


def test_a_page_of_before_is_told_at_once(app, alice, monkeypatch):
    event("Conseil", HOUR)
    sweep(app, 55 * 60)
    assert heard(alice, "/push?reminders=0", monkeypatch)[0] == TOLD
    assert heard(alice, "/push", monkeypatch)[0] == TOLD


def test_what_is_answered_in_one_window_leaves_the_others(app, alice, monkeypatch):
    event("Conseil", HOUR)
    event("Réunion", HOUR)
    sweep(app, 55 * 60)
    state = box(alice)["data-shown"]
    number = ShownReminder.select().first().id
    told = heard(alice, f"/push?reminders={state}", monkeypatch, lambda: reminders.done(user(), [number]))
    assert told.count(TOLD) == 1 and told[0] != TOLD
    assert len(alice.get("/calendar/reminders/due").all("#due-reminders .notice")) == 1
    reminders.done(user(), [one.id for one in reminders.due_on_pages(user(), 9)])
    assert alice.get("/calendar/reminders/due").one("#due-reminders").attrs == {"id": "due-reminders"}  # nothing more comes


def test_what_was_put_off_comes_again(app, alice, monkeypatch):
    event("Conseil", HOUR)
    sweep(app, 55 * 60)
    page = alice.get("/calendar/events/new")
    alice.submit(page, "#due-reminders form", until="10")
    shown = box(alice)
    assert (shown["data-push"], shown["data-shown"]) == ("/push", "0")

    def ten_minutes_later() -> None:
        ShownReminder.update(since=ShownReminder.get().since - timedelta(minutes=11)).execute()

    assert heard(alice, "/push?reminders=0", monkeypatch, ten_minutes_later).count(TOLD) == 1


def test_it_is_nobody_elses(app, alice, monkeypatch):
    bob = ground.person(app, "bob")
    event("Conseil", HOUR)
    sweep(app, 55 * 60)
    assert box(bob).attrs == {"id": "due-reminders"}
    assert TOLD not in heard(bob, "/push?reminders=0", monkeypatch)


def test_what_is_moved_to_somebody_else_is_theirs(app, alice):
    bob = ground.person(app, "bob")
    event("Conseil", HOUR)
    sweep(app, 0)
    with db.atomic():
        objects.move(CalendarObject.get(), calendar_of("bob"), "x.ics")
    assert box(alice).attrs == {"id": "due-reminders"}
    assert box(bob)["data-push"] == "/push"


def test_a_worker_learns_whose_it_is_where_an_old_process_wrote_it(app, alice):
    event("Conseil", HOUR)
    NextReminder.update(owner=None).execute()
    assert not box(alice).has_attr("data-push")
    sweep(app, 0)
    assert box(alice)["data-push"] == "/push"
