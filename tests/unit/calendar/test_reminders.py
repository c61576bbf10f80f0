"""Reminders: once each, whatever happens to the event, the worker or the database; on pages and by mail, later and done."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial

import peewee as pw
import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.postgresql import fresh_database, server_url
from tests.support.visits import Visitor
from webmail import create_app, preferences, system_mail
from webmail.calendar import objects
from webmail.calendar.notifications import reminders as calendar_letters
from webmail.calendar.reminders import reminder_rows, reminders
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import CalendarObject, IndexFill, NextReminder, ShownReminder, SystemMessage, User, now

MAIL = {
    "system_address": "Lycée <info@lycee.example>", "system_password": "x", "recovery_address": "off",
    "public_url": "https://mail.lycee.example", "language": "en",
}  # fmt: skip
HOUR = 3600


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", **MAIL) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request, tmp_path) -> Iterator[Flask]:
    """An application on each of the databases."""
    if request.param == "postgresql" and not server_url():
        pytest.skip("no PostgreSQL here")
    with fresh_database() if request.param == "postgresql" else nullcontext("") as url:
        here = {"database_url": url} if url else {}
        made = create_app(
            tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies=False, timezone="Europe/Paris",
            imap_security="none", imap_port=1, smtp_port=1, **MAIL, **here,
        )  # fmt: skip
        add("alice@lycee.example")
        yield made
        db.obj.close()


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def at(seconds: int) -> str:
    """So long from now, as DTSTART has it."""
    return time.strftime(":%Y%m%dT%H%M%SZ", time.gmtime(int(time.time()) + seconds))


def alarm(trigger: str = "-PT10M", action: str = "DISPLAY", *more: str) -> list[str]:
    return ["BEGIN:VALARM", f"ACTION:{action}", f"TRIGGER:{trigger}", *more, "END:VALARM"]


def sweep(app: Flask, seconds: int) -> list[int]:
    """The worker's turn, so long from now."""
    settings = app.extensions["settings"]
    with app.app_context():
        return reminders.sweep(settings, calendar_letters.reminder_writer(settings), int(time.time()) + seconds)


def shown(local: str = "alice") -> list[str]:
    return [one.summary for one in reminders.due_on_pages(user(local), 10)]


def mails() -> list[SystemMessage]:
    return list(SystemMessage.select().where(SystemMessage.kind == "reminder").order_by(SystemMessage.id))


def rewrite(old: str, new: str) -> None:
    """A device changes the event."""
    row = CalendarObject.get()
    text = row.text.replace(old, new)
    assert text != row.text
    with db.atomic():
        objects.write(row.collection_id, row.href, text, objects.prepared(text, ground.PARIS), row)


# --- once ------------------------------------------------------------------------------------------------------------


def test_it_comes_when_it_is_due_and_once(app, alice):
    put(calendar_of(), "Conseil", at(HOUR), at(2 * HOUR), *alarm())
    sweep(app, 0)
    sweep(app, 49 * 60)
    assert shown() == []
    sweep(app, 50 * 60)
    assert shown() == ["Conseil"]
    reminders.done(user(), [one.id for one in reminders.due_on_pages(user(), 5)])
    sweep(app, 51 * 60)
    sweep(app, 3 * HOUR)
    assert shown() == []
    assert mails() == []
    sweep(app, 40 * 86_400)
    assert not NextReminder.select().exists()  # nothing comes any more


def test_a_series_reminds_each_time(app, alice):
    put(calendar_of(), "Cours", at(HOUR), at(2 * HOUR), "RRULE:FREQ=DAILY;COUNT=3", *alarm())
    for day in range(3):
        sweep(app, day * 86_400 + 55 * 60)
        assert ShownReminder.select().count() == day + 1
    sweep(app, 10 * 86_400)
    assert ShownReminder.select().count() == 3


def test_a_rule_without_an_end_waits_for_its_turn(app, alice):
    put(calendar_of(), "Bilan", at(200 * 86_400), at(200 * 86_400 + HOUR), "RRULE:FREQ=YEARLY", *alarm())
    sweep(app, 0)
    row = NextReminder.get()
    assert 30 * 86_400 < row.due - time.time() < 40 * 86_400  # looked at again then
    sweep(app, 200 * 86_400 - 300)
    assert shown() == ["Bilan"]


def test_a_moved_event_reminds_of_its_new_time_alone(app, alice):
    start, later = at(HOUR), at(5 * HOUR)
    put(calendar_of(), "Conseil", start, "", *alarm())
    sweep(app, 0)
    rewrite(f"DTSTART{start}", f"DTSTART{later}")
    sweep(app, 55 * 60)
    assert shown() == []
    sweep(app, 5 * HOUR - 60)
    assert shown() == ["Conseil"]


def test_an_edit_after_a_reminder_repeats_it_not(app, alice):
    put(calendar_of(), "Conseil", at(5 * 60), "", *alarm("PT0S"), *alarm("-PT5M", "DISPLAY"))
    NextReminder.update(upto=NextReminder.upto - 60).execute()
    sweep(app, 1)
    assert shown() == ["Conseil"]
    reminders.done(user(), [ShownReminder.get().id])
    rewrite("SUMMARY:Conseil", "SUMMARY:Conseil de classe")
    sweep(app, 10)
    assert shown() == []
    sweep(app, 6 * 60)
    assert shown() == ["Conseil de classe"]


def test_an_edit_just_before_it_comes_loses_nothing(app, alice):
    put(calendar_of(), "Conseil", at(8 * 60), "", *alarm("-PT10M"), *alarm("-PT9M"))
    NextReminder.update(due=int(time.time()) - 60, upto=int(time.time()) - 200).execute()  # due a minute ago, and no worker came
    rewrite("SUMMARY:Conseil", "SUMMARY:Conseil de classe")
    sweep(app, 0)
    assert shown() == ["Conseil de classe"]


def test_what_is_moved_into_the_next_hour_does_not_ring_for_yesterday(app, alice):
    far = at(10 * 86_400)
    put(calendar_of(), "Conseil", far, "", *alarm("-P1D"))
    sweep(app, 0)
    rewrite(f"DTSTART{far}", f"DTSTART{at(HOUR)}")
    sweep(app, 1)
    assert shown() == []


def test_after_a_long_stop_only_what_still_helps_comes(app, alice, caplog):
    put(calendar_of(), "Fini", at(HOUR), at(2 * HOUR), *alarm())
    put(calendar_of(), "À venir", at(9 * HOUR), "", *alarm("-PT6H"))
    put(calendar_of(), "Tout juste", at(7 * HOUR), "", *alarm())
    sweep(app, 0)
    sweep(app, 7 * HOUR + 300)
    assert shown() == ["Tout juste", "À venir"]
    assert "1 reminders are more than an hour late" in caplog.text


def test_only_the_owner_is_reminded_and_nobody_of_what_is_cancelled(app, alice):
    ground.person(app, "bob")
    share(calendar_of(), "bob", "read")
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm())
    put(calendar_of(), "Annulé", at(HOUR), "", "STATUS:CANCELLED", *alarm())
    sweep(app, 55 * 60)
    assert (shown(), shown("bob")) == (["Conseil"], [])


def test_what_a_device_dismissed_leaves_the_pages(app, alice):
    put(calendar_of(), "Conseil", at(5 * 60), "", *alarm("-PT5M"))
    NextReminder.update(upto=NextReminder.upto - 60).execute()
    sweep(app, 1)
    assert shown() == ["Conseil"]
    rewrite("TRIGGER:-PT5M", f"TRIGGER:-PT5M\r\nACKNOWLEDGED{at(2)}")
    sweep(app, 3)
    assert shown() == []


def test_a_deleted_event_reminds_of_nothing(app, alice):
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm())
    sweep(app, 55 * 60)
    with db.atomic():
        objects.take_out(calendar_of().id, list(CalendarObject.select()))
    assert shown() == []
    assert not NextReminder.select().exists()


def test_who_is_deleted_meanwhile_is_passed_over(app, alice, monkeypatch):
    put(calendar_of(), "Conseil", at(HOUR), at(2 * HOUR), *alarm())
    ground.person(app, "bob")
    put(calendar_of("bob"), "Cours", at(HOUR), at(2 * HOUR), *alarm())
    read = reminders._due_rows

    def deleted_then(moment):
        rows = read(moment)
        User.delete().where(User.address == "alice@lycee.example").execute()
        return rows

    monkeypatch.setattr(reminders, "_due_rows", deleted_then)
    sweep(app, 50 * 60)
    assert shown("bob") == ["Cours"]


def test_events_of_before_are_found(app, alice):
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm())
    put(calendar_of(), "Sans", at(HOUR))
    NextReminder.delete().execute()
    IndexFill.create(name="reminders", upto=0, until=CalendarObject.select().count() + 100)
    assert reminder_rows.fill() == 1
    assert not IndexFill.select().where(IndexFill.name == "reminders").exists()
    sweep(app, 55 * 60)
    assert shown() == ["Conseil"]


def test_old_events_cost_nothing(app, alice):
    put(calendar_of(), "Autrefois", ":20200101T090000Z", ":20200101T100000Z", *alarm())
    assert not NextReminder.select().exists()


def test_another_hour_for_whole_days_counts_at_once(app, alice):
    day = time.strftime(";VALUE=DATE:%Y%m%d", time.gmtime(time.time() + 3 * 86_400))
    put(calendar_of(), "Sortie", day, "", *alarm("PT0S"))
    sweep(app, 0)
    before = NextReminder.get().due
    alice.submit(alice.get("/settings/reminders"), "#settings-form", remind_hour="10")
    sweep(app, 0)
    assert NextReminder.get().due - before == 2 * HOUR


# --- by mail ---------------------------------------------------------------------------------------------------------


def test_one_that_asks_for_mail_writes_to_the_owner_alone(app, alice):
    put(calendar_of(), "Conseil <b>", at(HOUR), at(2 * HOUR), "LOCATION:Salle 12", "ATTENDEE:mailto:x@elsewhere.example",
        *alarm("-PT10M", "EMAIL", "ATTENDEE:mailto:x@elsewhere.example", "SUMMARY:x"))  # fmt: skip
    [sent] = sweep(app, 55 * 60)
    [row] = mails()
    assert row.id == sent
    assert row.recipient == "alice@lycee.example"
    assert row.subject.startswith("Reminder: Conseil <b>, ")
    assert "Salle 12" in row.body
    assert f"https://mail.lycee.example/calendar/events/{calendar_of().id}/" in row.body
    assert "Conseil &lt;b&gt;" in row.html
    assert shown() == []


def test_several_at_once_are_one_message_and_a_person_can_have_all_by_mail(app, alice):
    preferences.change(user(), reminders="both")
    for number in range(4):
        put(calendar_of(), f"Conseil {number}", at(HOUR), "", *alarm())
    sweep(app, 55 * 60)
    [row] = mails()
    assert row.subject == "4 reminders from your calendar"
    assert len(shown()) == 4


def test_who_wants_none_gets_none(app, alice):
    preferences.change(user(), reminders="off")
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm("-PT10M", "EMAIL"), *alarm())
    sweep(app, 55 * 60)
    preferences.change(user(), reminders="both")
    sweep(app, 56 * 60)
    assert (shown(), mails()) == ([], [])


def test_where_no_mail_can_go_it_stands_on_the_pages(app, alice, monkeypatch):
    monkeypatch.setattr("webmail.system_mail.queue.CALENDAR_PER_DAY", 0)
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm("-PT10M", "EMAIL"))
    assert sweep(app, 55 * 60) == []
    assert shown() == ["Conseil"]


def test_reminders_keep_no_other_mail_away(app, alice, monkeypatch):
    monkeypatch.setattr("webmail.system_mail.queue.PER_DAY", 1)
    preferences.change(user(), reminders="both")
    for number in range(3):
        put(calendar_of(), f"Conseil {number}", at(HOUR * (1 + number)), "", *alarm())
        sweep(app, HOUR * (1 + number))
    assert len(mails()) == 3
    assert system_mail.send("alice@lycee.example", "reset", "Password", "…", "en")


def test_it_is_in_the_person_s_language_and_zone(app):
    ground.person(app, language="fr")
    person = user()
    person.language = "fr"
    person.save()
    preferences.change(person, time_zone="Indian/Reunion", reminders="both")
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm())
    sweep(app, 55 * 60)
    [row] = mails()
    assert row.subject.startswith("Rappel")
    hour = f", {time.gmtime(time.time() + 5 * HOUR).tm_hour}\xa0h"
    assert hour in row.subject


# --- several workers, and one that dies ------------------------------------------------------------------------------


def test_two_workers_at_once_remind_once(either):
    preferences.change(user(), reminders="both")
    for number in range(20):
        put(calendar_of(), f"Conseil {number}", at(HOUR), "", *alarm())
    settings, moment = either.extensions["settings"], int(time.time()) + 55 * 60
    together = threading.Barrier(3)
    found: list[list[int]] = []

    def work() -> None:
        with db.connection_context(), either.app_context():
            together.wait(10)
            found.append(reminders.sweep(settings, calendar_letters.reminder_writer(settings), moment))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reminded = sum(row.body.count("\nConseil ") for row in mails())
    assert len(found) == 3
    assert reminded == 20
    assert ShownReminder.select().count() == 20


def test_a_worker_killed_between_the_mail_and_the_note_reminds_once(either):
    put(calendar_of(), "Conseil", at(HOUR), "", *alarm("-PT10M", "EMAIL"), *alarm())
    settings = either.extensions["settings"]
    db.obj.close()
    child = os.fork()
    if child == 0:
        try:
            with db.connection_context(), either.app_context():
                reminders.sweep(settings, partial(_killed, settings), int(time.time()) + 55 * 60)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (mails(), shown()) == ([], [])
    sweep(either, 56 * 60)
    sweep(either, 57 * 60)
    assert len(mails()) == 1
    assert shown() == ["Conseil"]


def _killed(settings: Settings, person: User, due: Sequence[reminders.Reminder]) -> None:
    assert calendar_letters.remind(person, due, settings)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_change_while_a_worker_looks_is_looked_at_again(app, alice, monkeypatch):
    start = at(HOUR)
    put(calendar_of(), "Conseil", start, "", *alarm())
    sweep(app, 0)
    look = reminders._look

    def meanwhile(*arguments):
        found = look(*arguments)
        monkeypatch.setattr(reminders, "_look", look)
        rewrite(f"DTSTART{start}", f"DTSTART{at(3 * HOUR)}")
        return found

    monkeypatch.setattr(reminders, "_look", meanwhile)
    sweep(app, 55 * 60)
    assert shown() == []
    sweep(app, 3 * HOUR - 60)
    assert shown() == ["Conseil"]


# --- on pages --------------------------------------------------------------------------------------------------------


def ring(app: Flask, title: str = "Conseil") -> None:
    put(calendar_of(), title, at(HOUR), at(2 * HOUR), "LOCATION:Salle 12", *alarm())
    sweep(app, 55 * 60)


def test_it_stands_on_every_page_until_done(app, alice):
    assert "Conseil" not in alice.get("/settings").text
    ring(app)
    page = alice.get("/settings")
    assert page.one("#due-reminders span a").text == "Conseil"
    page = alice.submit(page, "#due-reminders form", until="done", follow=True)
    assert page.address.startswith("/settings")
    assert not page.all("#due-reminders form")
    assert not ShownReminder.select().exists()


@pytest.mark.parametrize(("until", "least", "most"), [("10", 9, 11), ("60", 59, 61), ("tomorrow", 3 * 60, 33 * 60)])
def test_later_is_later(app, alice, until, least, most):
    ring(app)
    page = alice.submit(alice.get("/calendar/reminders"), "main form", until=until, follow=True)
    assert "You will be reminded again" in page.notices
    assert not page.all("#due-reminders form")
    row = ShownReminder.get()
    assert timedelta(minutes=least) < row.since - now() < timedelta(minutes=most)
    ShownReminder.update(since=now() - timedelta(seconds=1)).execute()
    assert alice.get("/settings").all("#due-reminders form")
    sweep(app, 56 * 60)
    assert ShownReminder.select().count() == 1


def test_many_stand_on_a_page_of_their_own(app, alice):
    for number in range(5):
        ring(app, f"Conseil {number}")
    page = alice.get("/settings")
    assert len(page.all("#due-reminders form")) == 2
    page = alice.get("/calendar/reminders")
    assert len(page.all("main section")) == 5
    page = alice.submit(page, "main form[action$='/done']", follow=True)
    assert "nothing to remind you of" in page.text


def test_those_of_others_are_nobody_else_s(app, alice):
    ring(app)
    bob = ground.person(app, "bob")
    number = ShownReminder.get().id
    token = bob.get("/calendar/reminders")
    assert "Conseil" not in token.text
    bob.post(f"/calendar/reminders/{number}", {"until": "done"})
    bob.post("/calendar/reminders/done", {"known": str(number)})
    assert shown() == ["Conseil"]


def test_nonsense_is_borne(app, alice):
    ring(app)
    for address, fields in (("999999", {"until": "10"}), ("done", {"known": ["x", "9" * 30]})):
        assert alice.post(f"/calendar/reminders/{address}", fields).status < 500
    assert shown() == ["Conseil"]
    page = alice.submit(alice.get("/settings"), "#due-reminders form", follow=False, until="60", back="https://evil.example/")
    assert page.response.headers["Location"].startswith("/calendar")


def test_what_was_shown_long_ago_goes(app, alice):
    ring(app)
    ShownReminder.update(since=now() - timedelta(days=8)).execute()
    sweep(app, 57 * 60)
    assert not ShownReminder.select().exists()


def test_what_the_database_ends_while_it_goes_is_begun_again(app, alice, monkeypatch):
    """A person answers their reminders at that moment."""
    ring(app)
    ShownReminder.update(since=now() - timedelta(days=8)).execute()
    error, tries, delete = pw.OperationalError("deadlock detected"), [], ShownReminder.delete
    error.orig = type("Ended", (Exception,), {"sqlstate": "40P01"})()

    def ended_once():
        tries.append(1)
        if len(tries) == 1:
            raise error
        return delete()

    monkeypatch.setattr(reminders.ShownReminder, "delete", ended_once)
    sweep(app, 57 * 60)
    assert len(tries) == 2 and not ShownReminder.select().exists()


# --- new events ------------------------------------------------------------------------------------------------------


def test_a_new_event_begins_with_the_reminder_one_has_chosen(app, alice):
    alice.submit(alice.get("/settings/reminders"), "#settings-form", remind_before="15", remind_days="1440")
    page = alice.get("/calendar/events/new")
    assert page.one("select[name=reminder] option[selected]")["value"] == "15"


def test_one_of_a_whole_day_says_at_what_hour_it_comes(app, alice):
    for trigger, words in (("PT0S", "On the day at 08:00"), ("-P1D", "The day before at 08:00"), ("-PT15H", "15 hours before")):
        put(calendar_of(), f"Sortie {trigger}", ";VALUE=DATE:20301208", "", *alarm(trigger))
        row = CalendarObject.select().order_by(CalendarObject.id.desc()).get()
        assert words in alice.get(f"/calendar/events/{row.collection_id}/{row.href}").text
