"""Google Takeout whole: its mail, contacts and calendars are told first, then taken over as chosen, each once and with undo."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.integration.mailbox.test_import import letter, subjects, takeout
from tests.support.task_work import worker_for
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import CalendarObject, Contact, Occurrence, Task, User

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana Pereira\r\nN:Pereira;Ana;;;\r\nEMAIL:ana@ailleurs.example\r\nEND:VCARD\r\n"
EVENTS = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
X-WR-CALNAME:Chorale
X-WR-TIMEZONE:Europe/Paris
BEGIN:VEVENT
DTSTART;TZID=Europe/Paris:20260302T180000
DTEND;TZID=Europe/Paris:20260302T193000
RRULE:FREQ=WEEKLY;COUNT=4;BYDAY=MO
UID:chorale@google.com
SUMMARY:Répétition
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Paris:20260310T190000
DTEND;TZID=Europe/Paris:20260310T203000
RECURRENCE-ID;TZID=Europe/Paris:20260309T180000
UID:chorale@google.com
SUMMARY:Répétition générale
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
def work(app):
    return worker_for(app)


@pytest.fixture
def mail(person, imap_of):
    return imap_of(person.address)


def archive(**more: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr(
            "Takeout/Mail/All mail Including Spam and Trash.mbox", takeout(("Inbox", letter(1)), ("Projets", letter(2)))
        )
        made.writestr("Takeout/Contacts/All Contacts/All Contacts.vcf", CARD)
        made.writestr("Takeout/Contacts/My Contacts/My Contacts.vcf", CARD)
        made.writestr("Takeout/Calendar/Chorale.ics", EVENTS)
        made.writestr("Takeout/Calendar/odd.ics", b"no calendar")
        made.writestr("Takeout/archive_browser.html", b"<html>")
        for name, content in more.items():
            made.writestr(name, content)
    return packed.getvalue()


def send(person, content: bytes):
    return person.submit(person.get("/import"), "form[action='/import']", file=(io.BytesIO(content), "takeout-001.zip"), into="")


def events_of(person) -> int:
    with db.connection_context():
        return sum(one.collection.user.address == person.address for one in CalendarObject.select())


def test_all_of_it_is_told_first_and_taken_over_once(person, mail, work):
    page = send(person, archive())
    assert "still being read" in page.text
    work()
    assert subjects(mail, "INBOX") == [] and events_of(person) == 0  # nothing yet
    page = person.get(page.address)
    assert "2 messages" in page.text and "1 new" in page.text and "1 new event" in page.text and "a new calendar" in page.text
    assert "1 file of contacts or events" in page.text
    other_window = page
    page = person.submit(page, "form:has([name=mail])", action="import")
    assert page.address == "/tasks"
    late = person.submit(other_window, "form:has([name=mail])", action="cancel")
    assert late.address == "/tasks" and "Nothing was imported" not in late.notices
    assert person.get(other_window.address).address == "/tasks"
    assert work() >= 4
    assert subjects(mail, "INBOX") == ["lettre 1"] and subjects(mail, "Projets") == ["lettre 2"]
    with db.connection_context():
        me = User.get(User.address == person.address)
        assert [one.name for one in Contact.select().where(Contact.user == me)] == ["Ana Pereira"]
        starts = [one.start for one in Occurrence.select().join(CalendarObject) if one.object.collection.user_id == me.id]
        assert len(starts) == 4  # the one that was moved stands once
    # again: all of it is there
    page = send(person, archive())
    work()
    page = person.get(page.address)
    assert "1 that you have" in page.text and "into your calendar of this name" in page.text
    person.submit(page, "form:has([name=mail])", action="import")
    work()
    assert subjects(mail, "INBOX") == ["lettre 1"] and events_of(person) == 1


def test_parts_are_left_out_and_each_import_is_undone(person, mail, work):
    page = send(person, archive())
    work()
    page = person.get(page.address)
    nothing = person.submit(page, "form:has([name=mail])", action="import", mail=None, contacts=None, calendar=None)
    assert nothing.status == 422 and "Choose at least one." in nothing.text
    person.submit(page, "form:has([name=mail])", action="import", mail=None, contacts=None)
    work()
    assert subjects(mail, "INBOX") == [] and events_of(person) == 1
    page = person.get("/tasks")
    person.submit(page, "form[action='/calendar/import/undo']")
    work()
    assert events_of(person) == 0


def test_nobody_else_sees_it_and_cancelling_keeps_nothing(person, work, app, make_account):
    page = send(person, archive())
    work()
    assert Visitor(app, make_account()).sign_in().get(page.address).status == 404
    answer = person.submit(person.get(page.address), "form:has([name=mail])", action="cancel")
    assert "Nothing was imported." in answer.notices
    with db.connection_context():
        assert not Task.select().where(Task.kind == "mail-import").exists()
    assert person.get("/import/takeout/" + "0" * 32).status == 404


def test_a_killed_start_starts_nothing_twice(person, mail, work, monkeypatch):
    from webmail.takeout import import_task

    page = send(person, archive())
    work()
    start, calls = import_task.store.start, []

    def killed(*about, **more):
        made = start(*about, **more)
        calls.append(about[1])
        if len(calls) == 2:
            raise SystemExit
        return made

    monkeypatch.setattr(import_task.store, "start", killed)
    person.submit(person.get(page.address), "form:has([name=mail])", action="import")
    with pytest.raises(SystemExit):
        work()
    monkeypatch.undo()
    with db.connection_context():
        Task.update(lease=None).execute()
        Task.update(state="waiting").where(Task.kind == "takeout-import").execute()
    work()
    with db.connection_context():
        kinds = [one.kind for one in Task.select().where(Task.user == User.get(User.address == person.address))]
    assert sorted(kinds) == ["calendar-import", "contacts-import", "mail-import", "takeout-check", "takeout-import"]
    assert subjects(mail, "INBOX") == ["lettre 1"] and events_of(person) == 1


def test_its_side_bar_names_folders_in_the_language_of_the_person(app, make_account, work):
    person = Visitor(app, make_account())
    person.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    page = send(person.sign_in(), archive())
    assert [one.get_text(strip=True) for one in page.all("#folders a[href$='/mailbox/Junk']")] == ["Indésirables"]
