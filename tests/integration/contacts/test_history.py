"""The last messages with a person."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from tests.support.contact_pages import add
from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import imap
from webmail.calendar import birthdays, objects
from webmail.collections import store as collections
from webmail.database.connection import db
from webmail.models import Collection, Occurrence, User


def test_the_last_messages_come_after_the_page(alice: Visitor, fill) -> None:
    page = add(alice, "Bob", "bob@lycee.example")
    address = page.one("#history")["hx-get"]
    assert "No messages with this person" in alice.get(address, htmx="history").text
    fill(alice, message("Hello from Bob"))
    piece = alice.get(address, htmx="history")
    assert "Hello from Bob" in piece.text and not piece.all("body") and piece.one("#history")
    assert alice.get(piece.link("Hello from Bob")).status == 200


def test_a_server_that_is_slow_delays_nothing(alice: Visitor, monkeypatch) -> None:
    page = add(alice, "Bob", "bob@lycee.example")
    monkeypatch.setattr(imap, "optional", lambda _account, _mailbox, _ask, without: without)
    assert "takes too long" in alice.get(page.one("#history")["hx-get"]).text


def test_a_contact_without_an_address_has_no_history(alice: Visitor) -> None:
    page = add(alice, "Silent")
    assert not page.all("#history") and "No messages" in alice.get(page.address + "/history").text


def test_the_last_files_come_after_the_page(alice: Visitor, fill) -> None:
    page = add(alice, "Bob", "bob@lycee.example")
    address = page.one("#files")["hx-get"]
    assert "No files in messages with this person" in alice.get(address, htmx="files").text
    with_file = (
        b"From: bob@lycee.example\r\nTo: alice@lycee.example\r\nSubject: The plan\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere.\r\n'
        b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n"
    )
    fill(alice, message("Without a file"), with_file)
    piece = alice.get(address, htmx="files")
    assert "plan.pdf" in piece.text
    assert "The plan" in piece.text
    assert "Without a file" not in piece.text
    assert not piece.all("body")
    assert alice.get(piece.link("plan.pdf")).status == 200
    assert alice.get(piece.link("All files from Bob")).status == 200


def test_a_server_that_is_slow_delays_no_files(alice: Visitor, monkeypatch) -> None:
    page = add(alice, "Bob", "bob@lycee.example")
    monkeypatch.setattr(imap, "optional", lambda _account, _mailbox, _ask, without: without)
    assert "takes too long" in alice.get(page.one("#files")["hx-get"]).text


def test_the_next_events_come_after_the_page(alice: Visitor) -> None:
    page = add(alice, "Bob", "bob@lycee.example")
    address = page.one("#meetings")["hx-get"]
    assert "No upcoming events" in alice.get(address, htmx="meetings").text
    uid, begins = uuid.uuid4().hex, datetime.now(UTC) + timedelta(days=3)
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
        f"DTSTART:{begins:%Y%m%dT%H%M%SZ}", "DURATION:PT1H", "SUMMARY:The council", "ATTENDEE:mailto:bob@lycee.example",
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    with db.connection_context(), db.atomic():
        calendar = collections.default_collection(User.get(User.address == alice.address), collections.CALENDAR)
        text = "\r\n".join(lines)
        objects.write(calendar.id, f"{uid}.ics", text, objects.prepared(text, UTC), None)
    piece = alice.get(address, htmx="meetings")
    assert "The council" in piece.text
    assert not piece.all("body")
    assert alice.get(piece.link("The council")).status == 200
    whole = alice.get(address)
    assert "Contacts" in whole.one(".areas [aria-current]").get_text()
    assert not whole.all(".calendars")


def test_birthdays_are_a_calendar_on_this_database_too(alice: Visitor) -> None:
    add(alice, "Bob", "bob@lycee.example", birthday="29/2/1980")
    with db.connection_context():
        user = User.get(User.address == alice.address)
        birthdays.choose(user, True, "en")
        assert birthdays.fill(user.id) == 1
    add(alice, "Eve", "eve@lycee.example", birthday="3/4")
    with db.connection_context():
        mine = (Collection.user == user) & (Collection.derived == "birthdays")
        found = Occurrence.select(Occurrence.summary).join(Collection).where(mine).distinct()
        assert {one.summary for one in found} == {"Bob’s birthday", "Eve’s birthday"}
        birthdays.choose(user, False, "en")
        assert not Collection.select().where(mine).exists()
