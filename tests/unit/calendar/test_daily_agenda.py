"""Daily agendas by mail: once a day, at one's own hour, only if there is something, in one's language."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.visits import Visitor
from webmail import preferences
from webmail.calendar.notifications import reminders
from webmail.calendar.reminders import daily_agenda
from webmail.database.connection import db
from webmail.models import DailyAgenda, SystemMessage, User

PARIS = ZoneInfo("Europe/Paris")
ZONE = ";TZID=Europe/Paris:"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    mail = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}
    with ground.application(tmp_path / "instance", recovery_address="off", language="en", **mail) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    visitor = ground.person(app)
    visitor.submit(visitor.get("/settings/reminders"), "#settings-form", agenda_hour="7")
    sweep(app, "2026-12-07 20:00")  # finds when it is due
    return visitor


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def sweep(app: Flask, local: str) -> list[int]:
    """A worker's turn, at this time in Paris."""
    settings = app.extensions["settings"]
    moment = datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC).replace(tzinfo=None)
    with app.app_context():
        return daily_agenda.sweep(settings, reminders.agenda_writer(settings), moment)


def mails() -> list[SystemMessage]:
    return list(SystemMessage.select().where(SystemMessage.kind == "agenda").order_by(SystemMessage.id))


def test_it_comes_at_the_hour_with_what_the_day_has(app, alice):
    put(calendar_of(), "Conseil <3e B>", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "LOCATION:Salle 12")
    put(calendar_of(), "Sortie", ";VALUE=DATE:20261207", ";VALUE=DATE:20261209")
    put(calendar_of(), "Annulé", f"{ZONE}20261208T080000", "", "STATUS:CANCELLED")
    put(calendar_of(), "Demain", f"{ZONE}20261209T080000")
    assert sweep(app, "2026-12-08 06:59") == []
    assert len(sweep(app, "2026-12-08 07:00")) == 1
    assert sweep(app, "2026-12-08 07:01") == sweep(app, "2026-12-08 23:00") == []
    [row] = mails()
    assert row.subject == "Tuesday 8 December 2026: 2 events"
    lines = row.body.splitlines()
    assert lines[2:4] == ["All day", "Sortie"]
    assert lines[6:9] == ["17:00–19:00", "Conseil <3e B>", "Salle 12"]
    assert "https://mail.lycee.example/calendar/day/2026-12-08" in lines
    assert "https://mail.lycee.example/settings/reminders" in lines
    assert "Conseil &lt;3e B&gt;" in row.html
    assert "Demain" not in row.body + row.html
    assert "Annulé" not in row.body + row.html


def test_a_day_without_events_is_quiet_and_so_is_who_wants_none(app, alice):
    assert sweep(app, "2026-12-08 07:00") == []
    put(calendar_of(), "Conseil", f"{ZONE}20261209T170000")
    alice.submit(alice.get("/settings/reminders"), "#settings-form", agenda_hour="-1")
    assert not DailyAgenda.select().exists()
    assert sweep(app, "2026-12-09 07:00") == []


def test_who_is_deleted_meanwhile_is_passed_over(app, alice, monkeypatch):
    other = ground.person(app, "bob")
    other.submit(other.get("/settings/reminders"), "#settings-form", agenda_hour="7")
    sweep(app, "2026-12-07 20:00")
    put(calendar_of("bob"), "Conseil", f"{ZONE}20261208T170000")
    write, first = daily_agenda._write, user().id

    def deleted_first(row, *args):
        User.delete().where(User.id == first).execute()
        return write(row, *args)

    monkeypatch.setattr(daily_agenda, "_write", deleted_first)
    assert len(sweep(app, "2026-12-08 07:00")) == 1


def test_calendars_of_others_are_in_it_as_far_as_one_reads_them(app, alice):
    ground.person(app, "bob")
    read, busy = calendar_of("bob"), calendar_of("bob", "secret", "Secret")
    share(read, "alice", "read")
    share(busy, "alice", "busy")
    put(read, "Réunion", f"{ZONE}20261208T090000")
    put(busy, "Rendez-vous", f"{ZONE}20261208T100000")
    sweep(app, "2026-12-08 07:00")
    [row] = mails()
    assert "Réunion" in row.body
    assert "Rendez-vous" not in row.body
    preferences.change(user(), hidden_calendars=[str(read.id)])
    put(read, "Réunion", f"{ZONE}20261209T090000")
    assert sweep(app, "2026-12-09 07:00") == []


def test_it_is_in_the_person_s_language(app, alice):
    User.update(language="fr").execute()
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000")
    sweep(app, "2026-12-08 07:00")
    assert mails()[0].subject.replace("\xa0", " ") == "mardi 8 décembre 2026 : 1 événement"


def test_after_a_long_stop_the_next_day_is_the_next(app, alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261201T170000", "", "RRULE:FREQ=DAILY")
    assert sweep(app, "2026-12-08 10:30") == []
    assert len(sweep(app, "2026-12-09 09:30")) == 1


def test_another_hour_on_the_same_day_does_not_send_it_again(app, alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261201T170000", "", "RRULE:FREQ=DAILY")
    sweep(app, "2026-12-08 07:00")
    alice.submit(alice.get("/settings/reminders"), "#settings-form", agenda_hour="9")
    sweep(app, "2026-12-08 08:00")
    sweep(app, "2026-12-08 09:00")
    assert len(mails()) == 1
    sweep(app, "2026-12-09 09:00")
    assert len(mails()) == 2


def test_two_workers_at_once_send_one(app, alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000")
    together = threading.Barrier(2)

    def work() -> None:
        with db.connection_context():
            together.wait(10)
            sweep(app, "2026-12-08 07:00")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(mails()) == 1


@pytest.mark.parametrize(
    ("after", "hour", "zone", "expected"),
    [
        ("2026-12-08 05:59", 7, "Europe/Paris", "2026-12-08 06:00"),
        ("2026-12-08 06:00", 7, "Europe/Paris", "2026-12-09 06:00"),
        ("2026-03-28 06:00", 7, "Europe/Paris", "2026-03-29 05:00"),  # the day on which clocks go forward
        ("2026-10-24 05:00", 7, "Europe/Paris", "2026-10-25 06:00"),
        ("2026-12-08 20:30", 6, "Pacific/Auckland", "2026-12-09 17:00"),
    ],
)
def test_the_next_one_is_by_the_clock_of_the_person(after, hour, zone, expected):
    found = daily_agenda.next_due(datetime.fromisoformat(after), hour, ZoneInfo(zone))
    assert found == datetime.fromisoformat(expected)
    assert timedelta(0) < found - datetime.fromisoformat(after) <= timedelta(hours=25)
