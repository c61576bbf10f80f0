"""Somebody's account is disabled or deleted: who booked with them is told, in time and once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support import appointment_ground as ground
from tests.support.appointment_ground import book, confirm, link, monday, offer, private_link, slots, texts, user
from webmail.appointments import rounds
from webmail.models import AppointmentBooking, AppointmentHost, AppointmentOffer, CalendarObject, User

EVE, FAY = "eve@elsewhere.example", "fay@elsewhere.example"


def run(app, words: str) -> str:
    found = app.test_cli_runner().invoke(args=words.split())
    assert found.exit_code == 0, found.output
    return found.output


@pytest.fixture
def both(app, alice, bob, outsider):
    """Alice offers, with Bob: somebody has booked with each."""
    made = offer(app, ["alice", "bob"])
    AppointmentHost.update(agreed=datetime(2026, 1, 1)).execute()
    for who, host in ((EVE, "alice"), (FAY, "bob")):
        number = next(one.id for one in slots(made) if one.host.user.local == host)
        book(outsider, link(app, made), number, who)
        confirm(app, outsider, who)
    return made


def test_before_an_account_is_deleted_those_who_booked_are_told(app, both, outsider):
    assert "1 person who has an appointment is told" in run(app, "accounts delete bob --yes")
    assert "does not take place" in texts(app, FAY)[-1] and "does not take place" not in texts(app, EVE)[-1]
    assert outsider.get(private_link(app, EVE)).status == 200 and AppointmentOffer.select().count() == 1


def test_who_offers_takes_all_of_it_along_and_colleagues_have_no_event_left(app, both):
    said = run(app, "accounts delete alice --yes")
    assert "2 people who have appointments would be told" in said and "2 people who have appointments are told" in said
    assert all("does not take place" in texts(app, one)[-1] for one in (EVE, FAY))
    assert not AppointmentBooking.select().count() and not CalendarObject.select().count()


def test_with_somebody_disabled_people_are_told_two_days_before_unless_they_come_back(app, alice, both):
    assert "1 person has appointments; they are told two days before" in run(app, "accounts disable bob")
    begins = datetime.combine(monday(), datetime.min.time()) + timedelta(hours=16)

    def sweep(before: timedelta) -> int:
        with app.app_context(), app.test_request_context():
            return len(rounds.sweep(ground.settings(), begins - before))

    assert sweep(timedelta(days=3)) == 0 and "Cancelled" not in texts(app, FAY)[-1]
    assert len(alice.get(f"/appointments/{both.id}").all("[data-booking]")) == 2, "who offers sees it, and can cancel it before"
    assert sweep(timedelta(hours=36)) == 1 and sweep(timedelta(hours=36)) == 0
    assert "does not take place" in texts(app, FAY)[-1] and "does not take place" not in texts(app, EVE)[-1]


def test_nobody_confirms_a_time_with_who_is_disabled(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    User.update(active=0).where(User.id == user().id).execute()
    assert confirm(app, outsider).status == 409 and not CalendarObject.select().count()
