"""A host's telephone and what is booked: it can't move or delete it, and can do all else with it."""

from __future__ import annotations

from datetime import UTC
from types import SimpleNamespace

import pytest

from tests.support.appointment_ground import book, confirm, link, offer, slots, user
from tests.unit.dav.conftest import Phone
from webmail.auth.devices import app_passwords
from webmail.calendar.files import importing
from webmail.dav.deletion import delete_task
from webmail.mime.formats.calendars.calendar_files import FileRemarkKind
from webmail.models import CalendarObject, Collection
from webmail.tasks.kinds import TaskFailedError


@pytest.fixture
def phone(app, alice) -> Phone:
    with app.app_context():
        secret, _row = app_passwords.add(user(), "Phone", ("caldav",))
    return Phone(app, "alice@lycee.example", secret)


def test_a_telephone_moves_and_deletes_nothing_that_is_booked(app, alice, outsider, phone):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    row = CalendarObject.get()
    path = f"{row.collection.name}/{row.href}"
    moved = phone.put(path, row.text.replace("T170000", "T190000").replace("T171500", "T191500"))
    assert moved.status_code == 403 and "pages of appointments" in moved.text
    assert phone.ask("DELETE", path).status_code == 403 and CalendarObject.get().text == row.text
    assert phone.put(path, row.text.replace("END:VEVENT", "CATEGORIES:Ecole\r\nEND:VEVENT")).status_code == 204
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form:has([value=cancel-all])", action="cancel-all")
    assert phone.ask("DELETE", path).status_code == 204


def test_a_calendar_with_what_is_booked_can_not_be_deleted(app, alice, outsider, phone):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    number = CalendarObject.get().collection_id
    phone.ask("MKCALENDAR", "other")  # else it would be the last one
    answer = phone.ask("DELETE", CalendarObject.get().collection.name)
    assert answer.status_code == 403 and "pages of appointments" in answer.text
    page = alice.submit(alice.get(f"/collections/{number}"), "main form:has([value=delete])", action="delete")
    assert "People have booked appointments in this calendar" in page.text and CalendarObject.select().count() == 1
    assert page.all(f"[href='/appointments/{made.id}']")
    with app.app_context(), pytest.raises(TaskFailedError):
        delete_task.KIND.work(SimpleNamespace(user=user(), arguments={"collection": number}))
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form:has([value=cancel-all])", action="cancel-all")
    alice.submit(alice.get(f"/collections/{number}"), "main form:has([value=delete])", action="delete")
    assert not Collection.select().where(Collection.id == number).exists()


def test_an_imported_file_moves_nothing_that_is_booked(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    row = CalendarObject.get()
    moved = row.text.replace("T170000", "T190000").replace("T171500", "T191500").encode()
    with app.app_context():
        planned = importing.plan(moved, row.collection_id, UTC, user())
        assert not planned.changed and [one.kind for one in planned.remarks] == [FileRemarkKind.BOOKED]
        said = row.text.replace("END:VEVENT", "CATEGORIES:Ecole\r\nEND:VEVENT").encode()
        assert len(importing.plan(said, row.collection_id, UTC, user()).changed) == 1


def test_an_event_that_says_it_is_one_is_nobody_s(phone):
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:appointment-1\r\nDTSTAMP:20260101T000000Z\r\n"
    text += "DTSTART:20990101T170000Z\r\nDTEND:20990101T180000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    assert phone.put("calendar/a.ics", text).status_code == 201 and phone.ask("DELETE", "calendar/a.ics").status_code == 204
