"""Rooms that are booked with events: in the form, by telephones, for series; freed by deletion, taken again by undo; limits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of
from tests.support.calendar_texts import moment
from tests.support.rooms import booked, day, event_text, room
from tests.support.visits import Page, Visitor
from webmail.calendar import objects
from webmail.calendar.rooms import bookings
from webmail.calendar.rooms.bookings import Booker
from webmail.collections import store as collections
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.deletion import restore
from webmail.models import CalendarObject, Outbox, ResourceBooking, ResourceSlot, ResourceUse, TrashedItem, User

FORM = "form[data-event-form]"


def new(visitor: Visitor, **fields: object) -> Page:
    values = {"title": "Conseil", "start": day(), "start_hour": "17:00", "end": day(), "end_hour": "19:00"}
    return visitor.submit(visitor.get("/calendar/events/new"), FORM, **(values | fields))


def latest() -> CalendarObject:
    return CalendarObject.select().order_by(CalendarObject.id.desc()).get()


def url(row: CalendarObject, part: str = "") -> str:
    return f"/calendar/events/{row.collection_id}/{row.href}{part}"


def span(on: str, start: str, end: str) -> tuple[int, int]:
    return moment(f"{on} {start}"), moment(f"{on} {end}")


def test_an_event_books_its_room_and_says_so(alice):
    wanted = room(site="Bâtiment A")
    page = new(alice, room=wanted.address)
    assert page.status == 200
    assert booked(wanted) == [span(day(), "17:00", "19:00")]
    assert f"mailto:{wanted.address}" in latest().text.replace("\r\n ", "")
    assert "CUTYPE=ROOM" in latest().text and "PARTSTAT=ACCEPTED" in latest().text.replace("\r\n ", "")
    assert "LOCATION:Salle 101\\, Bâtiment A" in latest().text
    assert page.one("[data-booking=booked]").get_text(" ", strip=True) == "Salle 101 booked"


def test_without_rooms_nothing_of_them_is_in_the_form(alice):
    assert not alice.get("/calendar/events/new").all("[name=room]")


def test_who_comes_second_keeps_what_was_typed_and_is_offered_what_is_free(alice, bob):
    wanted, other = room(), room("Salle 102")
    new(alice, room=wanted.address)
    page = new(bob, title="Répétition", room=wanted.address, start_hour="18:55", notes="apporter les pupitres")
    assert page.status == 422 and "“Salle 101” on" in page.text and "already booked" in page.text
    assert page.one("[name=title]")["value"] == "Répétition" and "apporter les pupitres" in page.text
    assert page.all("[name=room] optgroup")[0].get_text(" ", strip=True) == "Salle 102"
    assert CalendarObject.select().count() == 1
    page = bob.submit(page, FORM, room=other.address)
    assert page.status == 200 and booked(other) == [span(day(), "18:55", "19:00")]


def test_a_meeting_whose_room_is_taken_invites_nobody_and_a_room_gets_no_mail(alice, bob):
    wanted = room()
    new(bob, room=wanted.address)
    page = new(alice, room=wanted.address, invite="zoe@x.example")
    assert page.status == 422 and not Outbox.select().exists()
    assert page.one("[name=invite]")["value"].strip(", ") == "zoe@x.example"
    page = alice.submit(page, FORM, start_hour="19:00", end_hour="20:00")
    assert page.status == 200 and len(booked(wanted)) == 2
    assert Outbox.get().recipients == '["zoe@x.example"]'


def test_a_room_is_free_for_who_follows(alice, bob):
    wanted = room()
    new(alice, room=wanted.address)
    assert new(bob, room=wanted.address, start_hour="19:00", end_hour="20:00").status == 200
    assert len(booked(wanted)) == 2


def test_another_time_takes_other_rows_and_only_if_they_are_free(alice, bob):
    wanted = room()
    new(alice, room=wanted.address)
    row = latest()
    new(bob, room=wanted.address, start_hour="20:00", end_hour="21:00")
    page = alice.submit(alice.get(url(row, "/edit")), FORM, start_hour="19:30", end_hour="20:30")
    assert page.status == 422 and booked(wanted)[0] == span(day(), "17:00", "19:00")
    assert alice.submit(page, FORM, start_hour="18:00", end_hour="20:00").status == 200
    assert booked(wanted)[0] == span(day(), "18:00", "20:00")


def test_dragging_to_a_taken_time_moves_nothing(alice, bob):
    wanted = room()
    new(alice, room=wanted.address)
    row = latest()
    new(bob, room=wanted.address, start_hour="20:00", end_hour="21:00")
    token = str(alice.get(url(row)).all("input[name=csrf_token]")[0]["value"])
    page = alice.post(url(row, "/times"), {"start": f"{day()}T20:00", "end": f"{day()}T21:00", "csrf_token": token})
    assert "Nothing was moved." in page.notices and booked(wanted)[0] == span(day(), "17:00", "19:00")


def test_deletion_frees_and_undo_takes_again(alice):
    wanted = room()
    new(alice, room=wanted.address)
    row = latest()
    page = alice.submit(alice.get(url(row)), "form[action$='/delete']")
    assert booked() == [] and not ResourceUse.select().exists() and not ResourceSlot.select().exists()
    alice.submit(page, "#notices form")
    assert booked(wanted) == [span(day(), "17:00", "19:00")]


def test_undo_brings_the_event_without_the_room_that_somebody_took_since(alice, bob):
    wanted = room()
    new(alice, room=wanted.address)
    page = alice.submit(alice.get(url(latest())), "form[action$='/delete']")
    new(bob, room=wanted.address)
    alice.submit(page, "#notices form")
    [mine] = CalendarObject.select().where(CalendarObject.collection == calendar_of("alice"))
    assert len(booked(wanted)) == 1
    assert "PARTSTAT=DECLINED" in mine.text.replace("\r\n ", "")
    assert "already booked" in alice.get(url(mine)).one("[data-booking=refused]").get_text(" ", strip=True)


def test_a_series_is_booked_but_for_the_dates_that_clash_which_are_told(alice, bob):
    wanted, other = room(capacity=30), room("Salle 102", capacity=30)
    third = (datetime.fromisoformat(day()) + timedelta(days=14)).date().isoformat()
    new(bob, room=wanted.address, start=third, end=third)
    page = new(alice, room=wanted.address, repeat="weekly", times="5")
    assert page.status == 200
    assert len(booked(wanted)) == 5  # four of the five, and bob's
    told = page.one("[data-booking]")
    assert "booked on 4 dates, not on 1 date" in told.get_text(" ", strip=True) and "already booked" in told.get_text()
    page = alice.submit(alice.get(page.link("Salle 102")), FORM)
    assert page.status == 200 and len(booked(other)) == 1
    assert page.one("[data-booking=booked]").get_text(" ", strip=True) == "Salle 102 booked"


def test_one_of_a_series_moved_to_a_taken_time_is_refused_and_a_new_title_is_not(alice, bob):
    wanted = room()
    new(bob, room=wanted.address, start=day(14), end=day(14))
    page = new(alice, room=wanted.address, repeat="weekly", times="3")
    row = latest()
    assert len(booked(wanted)) == 3
    edit = alice.get(url(row, "/edit"))
    page = alice.submit(edit, FORM, title="Autre titre")
    assert page.status == 200 and len(booked(wanted)) == 3 and "Autre titre" in latest().text
    at = next(one.recurrence_id for one in ResourceBooking.select().join(ResourceUse).where(ResourceUse.object == row.id))
    new(bob, room=wanted.address, start_hour="20:00", end_hour="21:00")
    page = alice.submit(alice.get(url(row, f"/edit?at={at}")), FORM, start_hour="20:00", end_hour="21:00", scope="one")
    assert page.status == 422 and "already booked" in page.text


def test_a_date_that_is_left_out_is_free_and_the_following_at_another_hour_are_booked_anew(alice):
    wanted = room()
    new(alice, room=wanted.address, repeat="daily", times="5")
    row = latest()
    ats = [one.recurrence_id for one in ResourceBooking.select().order_by(ResourceBooking.start)]
    alice.submit(alice.get(url(row, f"/delete?at={ats[1]}")), "main form", scope="one")
    assert [start for start, _end in booked(wanted)] == [span(day(7 + at), "17:00", "19:00")[0] for at in (0, 2, 3, 4)]
    page = alice.submit(alice.get(url(row, f"/edit?at={ats[3]}")), FORM, start_hour="08:00", end_hour="09:00", scope="following")
    assert page.status == 200
    early = [span(day(7 + at), "17:00", "19:00") for at in (0, 2)]
    assert booked(wanted) == [*early, *(span(day(7 + at), "08:00", "09:00") for at in (3, 4))]


def test_a_calendar_that_is_deleted_frees_its_rooms(alice):
    wanted = room()
    new(alice, room=wanted.address)
    collections.delete(latest().collection_id)
    assert booked() == [] and not ResourceSlot.select().exists()


def test_what_comes_back_from_the_trash_has_its_room_again_if_it_is_free(alice, bob, app):
    wanted = room()
    calendar = calendar_of()
    row = write(event_text("one", *times("1000", "1100"), rooms=(wanted,)), "alice")
    with db.atomic():
        item_writes.trash(calendar, [row], "alice@lycee.example")
    assert booked() == []
    number = TrashedItem.get().id
    restore.restore_one(User.get(User.address == alice.address), number, app.extensions["settings"], restore.Restored())
    assert len(booked(wanted)) == 1


def test_of_alike_things_as_many_are_booked_as_there_are(alice):
    beamer = room("Vidéoprojecteur", kind="thing", copies=2)
    assert [new(alice, room=beamer.address).status for _again in range(3)] == [200, 200, 422]
    assert "CUTYPE=RESOURCE" in latest().text.replace("\r\n ", "") and "LOCATION" not in latest().text


@pytest.mark.parametrize(
    ("limits", "fields", "words"),
    [
        ({"longest": 45}, {}, "can be booked for at most 45 minutes"),
        ({"longest": 60}, {}, "can be booked for at most 1 hour"),
        ({"days_ahead": 3}, {}, "can be booked at most 3 days ahead"),
        ({"hours_notice": 24 * 30}, {}, "must be booked 720 hours in advance"),
        ({"closed": True}, {}, "takes no bookings for now"),
        ({"bookers": ("profs.1@lycee",)}, {}, "reserved for other groups"),
        ({}, {"start": day(-3), "end": day(-3)}, "this time is over"),
    ],
)
def test_limits_are_told_and_nothing_is_saved(alice, limits, fields, words):
    page = new(alice, room=room(**limits).address, **fields)
    assert page.status == 422 and words in page.one("#room-error").get_text()
    assert not CalendarObject.select().exists()


def test_a_series_goes_on_as_time_goes_by(alice, monkeypatch):
    wanted = room(days_ahead=20)
    new(alice, room=wanted.address, repeat="weekly", start_hour="08:00", end_hour="09:00")
    assert len(booked(wanted)) == 2
    later = bookings.time.time() + 7 * 86_400
    monkeypatch.setattr("time.time", lambda: later)
    assert bookings.extend(ground.PARIS) == 1
    assert len(booked(wanted)) == 3
    assert bookings.extend(ground.PARIS) == 0


def test_whole_days_are_those_of_the_establishment(alice):
    wanted = room()
    new(alice, room=wanted.address, all_day="1", start_hour="", end_hour="")
    assert booked(wanted) == [(moment(f"{day()} 00:00"), moment(f"{day(8)} 00:00"))]


# --- telephones ------------------------------------------------------------------------------------------------------


def write(text: str, local: str, row: CalendarObject | None = None, booker: bool = True) -> CalendarObject:
    user = User.get(User.address == f"{local}@lycee.example")
    found = objects.prepared(text, ground.PARIS)
    with db.atomic():
        by = Booker(user if booker else None, ground.PARIS, optional=True)
        return objects.write(calendar_of(local).id, f"{found[0].uid}.ics", text, found, row, by)


def times(start: str, end: str) -> tuple[str, str]:
    on = day().replace("-", "")
    return f";TZID=Europe/Paris:{on}T{start}00", f";TZID=Europe/Paris:{on}T{end}00"


def test_a_telephone_is_answered_in_the_event(alice, bob):
    wanted = room()
    assert "PARTSTAT=ACCEPTED" in write(event_text("one", *times("1000", "1100"), rooms=(wanted,)), "alice").text
    refused = write(event_text("two", *times("1030", "1130"), rooms=(wanted,)), "bob")
    assert "PARTSTAT=DECLINED" in refused.text and len(booked(wanted)) == 1
    moved = write(event_text("two", *times("1100", "1130"), rooms=(wanted,)), "bob", refused)
    assert "PARTSTAT=ACCEPTED" in moved.text and len(booked(wanted)) == 2


def test_a_guests_copy_of_a_meeting_books_nothing(alice, bob):
    wanted = room()
    text = event_text("one", *times("1000", "1100"), "ORGANIZER:mailto:alice@lycee.example", rooms=(wanted,))
    assert "PARTSTAT=NEEDS-ACTION" in write(text, "bob").text and booked() == []
    assert "PARTSTAT=ACCEPTED" in write(text, "alice").text and len(booked()) == 1


def test_what_another_server_sends_keeps_what_was_booked_and_books_nothing_new(alice):
    wanted = room()
    text = event_text("one", *times("1000", "1100"), rooms=(wanted,))
    row = write(text, "alice")
    row = write(text.replace("SUMMARY:one", "SUMMARY:uno"), "alice", row, booker=False)
    assert len(booked(wanted)) == 1
    write(event_text("two", *times("1400", "1500"), rooms=(wanted,)), "alice", booker=False)
    assert len(booked(wanted)) == 1


def test_a_subscribed_calendar_books_nothing(alice):
    wanted = room()
    text = event_text("one", *times("1000", "1100"), rooms=(wanted,))
    with db.atomic():
        objects.write(calendar_of().id, "one.ics", text, objects.prepared(text, ground.PARIS), None)
    assert booked() == []
