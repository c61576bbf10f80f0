"""Mail about bookings that need approval: to whoever has to agree, and to who booked, each once, in their language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import plans_of
from tests.support.postgresql import fresh_database, server_url
from tests.support.rooms import booked, day, room
from tests.support.visits import Page, Visitor
from tests.support.worker import jobs_of
from webmail.calendar.notifications import room_letters
from webmail.calendar.rooms import approval, bookings, room_notices, room_week
from webmail.database.connection import db
from webmail.models import CalendarObject, Resource, ResourceBooking, ResourceSlot, RoomNotice, SystemMessage, User, now

FORM = "form[data-event-form]"
REQUEST = "[data-request] form"


BOTH = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def app(tmp_path, request) -> Iterator[Flask]:
    mail = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}
    with ExitStack() as stack:
        if getattr(request, "param", "sqlite") == "postgresql":
            if not server_url():
                pytest.skip("no PostgreSQL here")
            mail["database_url"] = stack.enter_context(fresh_database())
        yield stack.enter_context(ground.application(tmp_path / "instance", **mail))


@pytest.fixture
def bob(app: Flask) -> Visitor:
    visitor = ground.person(app, "bob")
    User.update(language="fr", name="Bob Martin").where(User.address == visitor.address).execute()
    return visitor


@pytest.fixture
def wanted(bob: Visitor) -> Resource:
    """A room whose bookings Bob approves."""
    return room(approval=True, approver=User.get(User.address == bob.address))


def ask(alice: Visitor, wanted: Resource, **fields: object) -> Page:
    User.update(name="Alice Roux").where(User.address == alice.address).execute()
    values = {"title": "Conseil", "start": day(), "end": day(), "start_hour": "14:00", "end_hour": "15:00"}
    return alice.submit(alice.get("/calendar/events/new"), FORM, **values | fields, room=wanted.address, action="save")


def mail_of(app: Flask) -> list[SystemMessage]:
    """What the worker writes now."""
    before = {row.id for row in SystemMessage.select()}
    worker = jobs_of(app)
    worker.context = app.app_context
    worker.do("room letters")
    return [row for row in SystemMessage.select().order_by(SystemMessage.id) if row.id not in before]


@BOTH
def test_whoever_approves_is_asked_and_who_booked_is_told_each_once(app, alice, bob, wanted):
    event = ask(alice, wanted).address
    [asked] = mail_of(app)
    assert (asked.recipient, asked.subject) == (bob.address, "Alice Roux demande à réserver Salle 101")
    for word in ("Conseil", "14\N{NO-BREAK SPACE}h–15", "https://mail.lycee.example/rooms/requests"):
        assert word in asked.body and word in asked.html
    assert mail_of(app) == []
    bob.submit(bob.get("/rooms/requests"), REQUEST, action="accept", note="Clés à la loge.\n<b>Merci</b>")
    [told] = mail_of(app)
    assert (told.recipient, told.subject) == (alice.address, "Salle 101: your booking is approved")
    assert "Note from Bob Martin:\nClés à la loge.\n<b>Merci</b>" in told.body.replace("\r\n", "\n")
    assert "&lt;b&gt;Merci" in told.html and f"https://mail.lycee.example{event}" in told.body and "14:00" in told.body
    assert mail_of(app) == []


def test_a_refusal_says_of_what_it_is(app, alice, bob, wanted):
    ask(alice, wanted)
    bob.submit(bob.get("/rooms/requests"), REQUEST, action="decline", note="Travaux")
    [told] = mail_of(app)  # nobody has to be asked any more
    assert told.recipient == alice.address and told.subject == "Salle 101: your booking was declined"
    assert "Travaux" in told.body and "14:00" in told.body and booked(wanted) == []


def test_nobody_is_told_of_what_is_gone_and_another_time_is_asked_for_anew(app, alice, bob, wanted):
    event = ask(alice, wanted).address
    later = (date.fromisoformat(day()) + timedelta(days=1)).isoformat()
    mail_of(app)
    alice.submit(alice.get(f"{event}/edit"), FORM, title="Autre", action="save")
    assert mail_of(app) == []
    alice.submit(alice.get(f"{event}/edit"), FORM, start=later, end=later, action="save")
    [again] = mail_of(app)
    assert again.recipient == bob.address and "Autre" in again.body
    alice.submit(alice.get(f"{event}/edit"), FORM, start=day(), end=day(), action="save")
    CalendarObject.delete().execute()
    assert mail_of(app) == [] and not RoomNotice.select().exists()


def test_where_any_administrator_may_approve_all_are_asked_but_who_books(app, alice):
    wanted = room(approval=True)
    for local, role in (("carol", "admin"), ("dan", "admin"), ("eve", "person")):
        ground.add(f"{local}@lycee.example")
        User.update(role=role).where(User.local == local).execute()
    ask(alice, wanted)
    assert [one.recipient for one in mail_of(app)] == ["carol@lycee.example", "dan@lycee.example"]


def test_of_a_private_event_no_title_is_told(app, alice, bob, wanted):
    ask(alice, wanted, title="Secret", privacy="private")
    [asked] = mail_of(app)
    assert "Secret" not in asked.body + asked.html


def test_two_workers_tell_once(app, alice, bob, wanted, monkeypatch):
    ask(alice, wanted)
    listed = room_notices.listed()
    monkeypatch.setattr(room_notices, "listed", lambda: listed)  # both have read it
    assert len(mail_of(app)) == 1 and mail_of(app) == []


@BOTH
def test_what_waits_is_read_up_to_a_most_the_earliest_first(app, alice, bob, wanted, monkeypatch):
    ask(alice, wanted, repeat="daily", until=(date.fromisoformat(day()) + timedelta(days=8)).isoformat())
    monkeypatch.setattr(approval, "_MOST_BOOKINGS", 3)
    user = User.get(User.address == bob.address)
    [found] = approval.waiting(user)
    assert len(found.times) == 3 and found.count == 9 and found.times == sorted(found.times)


def test_what_waits_is_asked_of_an_index(app, alice, bob, wanted):
    user = User.get(User.address == bob.address)
    assert all("SCAN resource_bookings" not in plan and "SCAN t1" not in plan for plan in plans_of(approval.waiting, user)[1:3])


def test_a_week_is_read_without_what_was_before_and_after_it(app, alice):
    plans = plans_of(room_week.bookings_of, room(), date.today(), 7, ground.PARIS, User.get(User.address == alice.address))
    assert any("(resource_id=? AND start>? AND start<?)" in plan for plan in plans), plans


@BOTH
def test_rows_of_what_is_long_over_go(app, alice):
    wanted = room()
    ask(alice, wanted)
    at, use = int(now().timestamp()), ResourceBooking.get().use_id
    for days in (10, 50, 500):
        start = (at - days * 86_400) // 300 * 300
        bookings.add(
            use, wanted.id, [{"start": start, "end": start + 600, "position": 0, "pending": 0, "recurrence_id": str(days)}]
        )
    with db.atomic():
        bookings.forget_old()
    slots = {
        one.recurrence_id: ResourceSlot.select().where(ResourceSlot.booking == one).count() for one in ResourceBooking.select()
    }
    assert slots == {"": 12, "10": 2, "50": 0}


def test_one_booking_that_can_not_be_told_holds_up_no_other(app, alice, bob, wanted, monkeypatch):
    ask(alice, wanted, title="Premier")
    ask(alice, wanted, title="Second", start_hour="17:00", end_hour="18:00")
    told = room_letters._told
    monkeypatch.setattr(room_letters, "_told", lambda notice, settings: 1 / 0 if notice.id == first else told(notice, settings))
    first = RoomNotice.select().order_by(RoomNotice.id).get().id
    [other] = mail_of(app)
    assert "Second" in other.body
    monkeypatch.undo()
    [late] = mail_of(app)
    assert "Premier" in late.body
