"""Pages of rooms: the list, the search in words, a room's week, and approval by those who have to agree."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.support import calendar_ground as ground
from tests.support.rooms import booked, day, room
from tests.support.visits import Page, Visitor
from webmail.calendar.rooms import room_search
from webmail.models import CalendarObject, Occurrence, User

FORM = "form[data-event-form]"


def new(visitor: Visitor, **fields: object) -> Page:
    values = {"title": "Conseil", "start": day(), "start_hour": "17:00", "end": day(), "end_hour": "19:00"}
    return visitor.submit(visitor.get("/calendar/events/new"), FORM, **(values | fields))


def text() -> str:
    return CalendarObject.select().order_by(CalendarObject.id.desc()).get().text.replace("\r\n ", "")


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("free room for 30 with a projector on Thursday at 14", "en"),
        ("salle libre pour 30 personnes avec projecteur jeudi à 14h", "fr"),
    ],
)
def test_a_search_in_words_is_understood(app, words, language):
    large = room("Salle 201", capacity=35, equipment=("Projecteur / projector", "Piano"))
    rooms = [room(capacity=30), room("Salle 102", capacity=20, equipment=("projector",)), large]
    sought = room_search.read(words, datetime(2026, 12, 1, 9), language, rooms)
    assert (sought.start, sought.people, sought.unknown) == (datetime(2026, 12, 3, 14), 30, ())
    assert room_search.matching(rooms, sought) == [large]


def test_hours_are_no_people_and_what_no_room_has_is_said(app):
    sought = room_search.read("a room for 2 hours tomorrow at 10 with a sauna", datetime(2026, 12, 1, 9), "en", [room()])
    assert sought.people == 0 and sought.unknown == ("sauna",)
    assert (sought.start, sought.end) == (datetime(2026, 12, 2, 10), datetime(2026, 12, 2, 12))


def test_free_rooms_come_first_and_lead_to_the_form(alice, bob):
    taken, free = room(capacity=40), room("Salle 102", capacity=40)
    room("Placard", capacity=2)
    new(bob, room=taken.address)
    page = alice.get(f"/rooms?day={day()}&from=18:00&until=19:00&people=30")
    assert [(one["data-room"], one["data-free"]) for one in page.all("[data-room]")] == [
        (str(free.id), "yes"),
        (str(taken.id), "no"),
    ]
    form = alice.get(page.link("Book"))
    page = alice.submit(form, FORM, title="Répétition")
    assert page.status == 200 and len(booked(free)) == 1


@pytest.mark.parametrize(
    "query",
    ["q=" + "x" * 5000, "day=nonsense&from=99:99", "people=-1", "day=9999-12-31&from=23:59", "q=%00", "q=31/12/9999 23:30"],
)
def test_odd_searches_are_answered(alice, query):
    room()
    assert alice.get(f"/rooms?{query}").status == 200


def test_a_week_tells_who_has_the_room_and_only_readers_of_the_calendar_what_for(alice, bob):
    wanted = room()
    new(bob, room=wanted.address, title="Conseil de discipline")
    mine = bob.get(f"/rooms/{wanted.id}?day={day()}").text
    theirs = alice.get(f"/rooms/{wanted.id}?day={day()}").text
    assert "17:00–19:00" in mine and "Conseil de discipline" in mine
    assert "17:00–19:00" in theirs and "bob" in theirs and "Conseil de discipline" not in theirs
    assert alice.get("/rooms/999").status == 404
    assert {alice.get(f"/rooms/{wanted.id}?day={when}").status for when in ("nonsense", "9999-12-31", "1900-01-01")} <= {200, 404}


def test_a_week_tells_no_private_title_of_what_an_older_version_wrote(alice, bob):
    taken = room()
    new(alice, title="Secret", privacy="private", room=taken.address)
    ground.share(ground.calendar_of(), "bob", "read")
    Occurrence.update(private=None).execute()
    page = bob.get(f"/rooms/{taken.id}?day={day()}")
    assert "alice" in page.text and "Secret" not in page.text


def test_an_approver_reads_no_private_title_of_what_an_older_version_wrote(alice, bob):
    new(
        alice, title="Secret", privacy="private", room=room(approval=True, approver=User.get(User.address == bob.address)).address
    )
    Occurrence.update(private=None).execute()
    page = bob.get("/rooms/requests")
    assert page.one("[data-request]") and "Secret" not in page.text


def test_a_booking_waits_until_its_approver_agrees(alice, bob):
    wanted = room(approval=True, approver=User.get(User.address == bob.address))
    page = new(alice, room=wanted.address)
    assert "waiting for approval by" in page.one("[data-booking=pending]").get_text(" ", strip=True)
    assert "PARTSTAT=TENTATIVE" in text() and len(booked(wanted)) == 1
    assert not alice.get("/rooms/requests").all("[data-request]")
    waiting = bob.get("/rooms/requests")
    assert "Conseil" in waiting.one("[data-request]").get_text()
    page = bob.submit(waiting, "[data-request] form", action="accept")
    assert "The room is booked." in page.notices and not page.all("[data-request]")
    assert "PARTSTAT=ACCEPTED" in text()
    again = bob.submit(waiting, "[data-request] form", action="decline", form_id=None)
    assert "no longer waiting" in again.notices and len(booked(wanted)) == 1


def test_what_is_declined_is_free_again_and_says_so(alice, bob):
    wanted = room(approval=True, approver=User.get(User.address == bob.address))
    page = new(alice, room=wanted.address)
    event = page.address
    bob.submit(bob.get("/rooms/requests"), "[data-request] form", action="decline")
    assert "PARTSTAT=DECLINED" in text() and booked(wanted) == []
    assert "the booking was declined" in alice.get(event).one("[data-booking=refused]").get_text(" ", strip=True)
    assert alice.submit(alice.get(f"{event}/edit"), FORM, title="Autre").status == 200
    assert booked(wanted) == []  # the same time is not asked for again
    later = (date.fromisoformat(day()) + timedelta(days=1)).isoformat()
    alice.submit(alice.get(f"{event}/edit"), FORM, start=later, end=later)
    assert len(booked(wanted)) == 1 and "PARTSTAT=TENTATIVE" in text()


def test_nobody_else_decides(alice, bob):
    wanted = room(approval=True)
    new(alice, room=wanted.address)
    page = alice.get("/rooms/requests")
    token = str(page.all("[name=csrf_token]")[0]["value"])
    for number in (1, 999):
        answer = alice.post(f"/rooms/requests/{number}", {"action": "accept", "csrf_token": token})
        assert "no longer waiting" in answer.notices
    assert "PARTSTAT=TENTATIVE" in text()
