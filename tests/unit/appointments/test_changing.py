"""What is offered is changed where that harms nobody: title, place, questions, limits, more times; who booked is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support import appointment_ground as ground
from tests.support.appointment_ground import book, confirm, link, monday, offer, slots, texts
from tests.support.visits import Page, Visitor
from webmail.appointments import rounds
from webmail.models import AppointmentBooking, AppointmentOffer, AppointmentSlot, CalendarObject, SystemMessage
from webmail.system_mail import queue

EVE, FAY = "eve@elsewhere.example", "fay@elsewhere.example"


def change(alice: Visitor, made: AppointmentOffer, **fields: Any) -> Page:
    return alice.submit(alice.get(f"/appointments/{made.id}/change"), "#offer-form", **fields)


def sweep(app) -> int:
    with app.app_context(), app.test_request_context():
        return len(rounds.sweep(ground.settings()))


def test_what_is_shown_and_asked_is_changed_and_the_link_stays(app, alice, outsider):
    made = offer(app, fields=("child",))
    address = link(app, made)
    page = change(alice, made, title="Autre titre", message="Bienvenue", fields=["class"], question="Langue ?", most="2")
    assert "The link is still the same" in page.text and link(app, made) == address
    shown = outsider.get(address)
    assert "Autre titre" in shown.text and "Bienvenue" in shown.text and "Langue ?" in shown.text
    assert shown.all("#class") and not shown.all("#child") and len(shown.all("[data-slot]")) == 4
    assert not any(one.exists() for one in rounds.pending()), "nobody has booked"


def test_who_booked_is_told_of_another_place_once_and_the_calendar_follows(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    book(outsider, link(app, made), slots(made)[1].id, FAY)  # holds it, and has confirmed nothing
    change(alice, made, location="Salle 30")
    assert sweep(app) == 1 and sweep(app) == 0
    told = texts(app, EVE)[-1]
    assert told.startswith("Changed:") and "Salle 30" in told and "17:00" in told and "Changed" not in texts(app, FAY)[-1]
    sent = SystemMessage.select().order_by(SystemMessage.id.desc()).get()
    event = queue.calendar_of(sent, app.extensions["settings"].secret_key)
    assert "SEQUENCE:1" in event and "LOCATION:Salle 30" in event
    assert "LOCATION:Salle 30" in CalendarObject.get().text
    change(alice, made, notice="5")
    assert sweep(app) == 0, "nobody is told of what does not concern them"


def test_more_times_are_added_and_never_over_others(app, alice, outsider):
    made = offer(app)
    more = {"date": monday().isoformat(), "from": "17:50", "until": "19:00", "length": "15"}
    assert "3 times were added" in change(alice, made, **more).text  # of 17:50, 18:05, 18:20 and 18:35 the first touches 17:45
    assert "0 times were added" in change(alice, made, **more).text
    later = {"date": (monday() + timedelta(days=7)).isoformat(), "from": "17:00", "until": "17:30"}
    assert "2 times were added" in change(alice, made, **later).text
    assert len(outsider.get(link(app, made)).all("[data-slot]")) == 9
    assert AppointmentOffer.get().ends == max(one.end for one in AppointmentSlot.select())


def test_what_would_harm_who_booked_is_refused_in_words(app, alice, bob, outsider):
    made = offer(app, capacity=2, question="Langue ?")
    book(outsider, link(app, made), slots(made)[0].id, question="Italien")
    page = change(alice, made, capacity="1")
    assert page.status == 422 and "at least 2" in page.text
    page = change(alice, made, question="Régime ?")
    assert page.status == 422 and "already" in page.text and AppointmentOffer.get().question == "Langue ?"
    assert change(alice, made, title="").status == 422 and change(alice, made, date="2001-01-01").status == 422
    assert bob.get(f"/appointments/{made.id}/change").status == 404


def test_who_waits_has_a_place_that_was_added(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 15, waiting=True)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    book(outsider, link(app, made), "wait", FAY)
    confirm(app, outsider, FAY)
    change(alice, made, date=monday().isoformat(), until="18:15", **{"from": "18:00"})
    assert sweep(app) == 1 and "become free" in texts(app, FAY)[-1]
    assert AppointmentBooking.get(AppointmentBooking.address == FAY).slot_id == slots(made)[1].id


def test_what_does_not_take_place_is_not_changed(app, alice):
    made = offer(app)
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form:has([value=cancel-all])", action="cancel-all")
    assert alice.get(f"/appointments/{made.id}/change").status == 404
    assert not alice.get(f"/appointments/{made.id}").all("main a[href$='/change']")
