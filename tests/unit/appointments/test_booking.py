"""People without an account book: held from the form on, confirmed by mail, moved, given back; nobody twice."""

from __future__ import annotations

import email
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from email import policy
from threading import Barrier

import pytest

from tests.support import appointment_ground as ground
from tests.support.appointment_ground import book, confirm, link, offer, private_link, slots, texts
from tests.support.auth_app import add
from tests.support.calendar_ground import application, calendar_of, put
from tests.support.postgresql import fresh_database, server_url
from webmail.appointments import bookings, free_slots, limits, rounds
from webmail.appointments.bookings import Applicant, SlotTakenError
from webmail.calendar.free_busy import host_times
from webmail.database.connection import db
from webmail.mail import Address
from webmail.models import (
    AppointmentBooking,
    AppointmentHost,
    AppointmentOffer,
    AppointmentSlot,
    BookingState,
    CalendarObject,
    SystemMessage,
    now,
)
from webmail.rate_limits import DAY
from webmail.system_mail import delivery

EVE, FAY = "eve@elsewhere.example", "fay@elsewhere.example"


def free(page) -> list[int]:
    return [int(one["data-slot"]) for one in page.all("[data-slot]")]


def states(made) -> list[str]:
    return [
        one.state for one in AppointmentBooking.select().where(AppointmentBooking.offer == made).order_by(AppointmentBooking.id)
    ]


def test_the_page_shows_free_times_by_day_and_its_form_holds_one(app, alice, outsider):
    made = offer(app, fields=("child", "class"))
    page = outsider.get(link(app, made))
    assert page.status == 200 and free(page) == [one.id for one in slots(made)]
    assert "17:00–17:15" in page.text and "Europe/Paris" in page.text and "Set-Cookie" not in page.response.headers
    assert page.response.headers["X-Robots-Tag"] == "noindex, nofollow"
    chosen = slots(made)[1]
    done = book(outsider, link(app, made), chosen.id, child="Léa", **{"class": "5 B"})
    assert done.status == 200 and "held for you for 10 minutes" in done.one("[role=status]").text
    assert chosen.id not in free(done) and "Léa" not in done.text and "Ève" not in done.text
    assert "Confirm your appointment" in texts(app, EVE)[0] and CalendarObject.select().count() == 0


def test_confirmed_by_post_it_is_an_event_of_the_host_and_a_mail_with_a_calendar_file(app, alice, outsider):
    made = offer(app, fields=("child",), location="Salle 12")
    book(outsider, link(app, made), slots(made)[0].id, child="Léa")
    page = outsider.get(private_link(app, EVE))
    assert page.one("[data-state]")["data-state"] == "held" and states(made) == ["held"], "whoever opens the link changes nothing"
    done = confirm(app, outsider)
    assert done.one("[data-state]")["data-state"] == "booked" and "Salle 12" in done.text
    row = CalendarObject.get()
    text = row.text.replace("\r\n ", "")
    assert "SUMMARY:Ève Martin: Rencontre parents" in text and "Léa" in text and "LOCATION:Salle 12" in text
    sent = SystemMessage.select().order_by(SystemMessage.id.desc()).get()
    assert (
        "Appointment: Rencontre parents" in sent.subject
        and sent.body.startswith("sealed:")
        and sent.calendar.startswith("sealed:")
    )
    ics = outsider.get(str(done.one("a[download]")["href"])).response
    assert ics.mimetype == "text/calendar" and "METHOD:PUBLISH" in ics.text and "SUMMARY:Rencontre parents" in ics.text
    confirm_again = outsider.post(private_link(app, EVE), {"action": "confirm"})
    assert confirm_again.status == 200 and CalendarObject.select().count() == 1 and states(made) == ["booked"]


def test_who_comes_second_gets_409_with_what_was_typed_and_the_free_times(app, alice, outsider):
    made = offer(app, fields=("child",))
    chosen = slots(made)[0].id
    page = outsider.get(link(app, made))
    book(outsider, link(app, made), chosen, FAY, child="Max")
    late = outsider.submit(page, "#booking", slot=str(chosen), name="Ève", address=EVE, child="Léa")
    assert late.status == 409 and "just taken" in late.one("[role=alert]").text
    assert late.one("#name")["value"] == "Ève" and late.one("#child")["value"] == "Léa" and chosen not in free(late)
    assert len(free(late)) == 3 and texts(app, EVE) == [] and FAY not in late.text


def test_who_is_too_late_for_the_last_one_still_sees_what_they_typed(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 15, fields=("child",))
    page = outsider.get(link(app, made))
    book(outsider, link(app, made), slots(made)[0].id, FAY, child="Max")
    late = outsider.submit(page, "#booking", slot=str(slots(made)[0].id), name="Ève", address=EVE, child="Léa")
    assert late.status == 409 and "last time" in late.one("[role=alert]").text and not late.all("form#booking")
    assert {"Ève", EVE, "Léa"} <= {one.text for one in late.all("dd")} and "Max" not in late.text


def test_what_is_held_and_not_confirmed_is_free_after_ten_minutes_and_can_be_had_again(app, alice, outsider):
    made = offer(app)
    chosen = slots(made)[0].id
    book(outsider, link(app, made), chosen)
    with app.app_context():
        settings, later = ground.settings(), now() + timedelta(minutes=10, seconds=1)
        assert chosen not in [one.row.id for one in free_slots.listed(made, now(), settings)]
        assert chosen in [one.row.id for one in free_slots.listed(made, later, settings)]
        booking = AppointmentBooking.get()
        assert bookings.state(booking, later) is BookingState.LAPSED
        assert bookings.confirm(booking, settings, later).state == BookingState.BOOKED
        other = bookings.reserve(made, slots(made)[1].id, Applicant("Fay", FAY), settings, now())
        assert (
            other is not None
            and bookings.reserve(made, other.slot_id, Applicant("Gil", "g@x.example"), settings, later) is not None
        )
        with pytest.raises(SlotTakenError):
            bookings.confirm(other, settings, later)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_at_once_each_place_has_one(kind, tmp_path):
    if kind == "postgresql" and not server_url():
        pytest.skip("no PostgreSQL server")
    database = fresh_database() if kind == "postgresql" else nullcontext(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with database as url, application(tmp_path / "instance", database_url=url, **ground.MAIL) as app:
        add("alice@lycee.example")
        _of_many_at_once(app)


def _of_many_at_once(app):
    made = offer(app, capacity=2)
    numbers = [one.id for one in slots(made)]
    start = Barrier(8)

    def one_after_the_other(who: int) -> list[int]:
        got = []
        with app.app_context(), db.connection_context():
            start.wait()
            for number in numbers:
                try:
                    held = bookings.reserve(made, number, Applicant(f"P{who}", f"p{who}@x.example"), ground.settings(), now())
                    got += [number] if held is not None else []
                except SlotTakenError:
                    continue
        return got

    with ThreadPoolExecutor(8) as pool:
        got = sorted(number for some in pool.map(one_after_the_other, range(8)) for number in some)
    assert got == sorted(numbers * 2)
    rows = AppointmentBooking.select().where(AppointmentBooking.state == BookingState.HELD)
    assert len({(one.slot_id, one.position) for one in rows}) == 8 == len(rows)


def test_an_address_has_as_many_as_one_may_and_only_it_learns_so(app, alice, outsider):
    made = offer(app, most=1)
    first, second = slots(made)[:2]
    book(outsider, link(app, made), first.id)
    confirm(app, outsider)
    done = book(outsider, link(app, made), second.id)
    assert "We have sent you a message" in done.one("[role=status]").text and second.id in free(done)
    assert "You already have an appointment" in texts(app, EVE)[-1] and states(made) == ["booked"]


def test_two_held_by_one_address_are_not_both_confirmed(app, alice, outsider):
    made = offer(app, most=1)
    book(outsider, link(app, made), slots(made)[0].id)
    one = private_link(app, EVE)
    book(outsider, link(app, made), slots(made)[1].id)
    confirm(app, outsider)
    refused = outsider.post(one, {"action": "confirm"})
    assert (
        refused.status == 409
        and "already have all" in refused.one("[role=alert]").text
        and sorted(states(made)) == ["booked", "held"]
    )


def test_moved_it_has_the_new_time_and_the_old_one_is_free(app, alice, outsider):
    made = offer(app)
    first, second = slots(made)[:2]
    book(outsider, link(app, made), first.id)
    page = confirm(app, outsider)
    done = outsider.submit(page, "#another", slot=str(second.id), action="move")
    assert "new time" in done.one("[role=status]").text and "17:15" in done.text
    assert first.id in free(outsider.get(link(app, made))) and second.id not in free(outsider.get(link(app, made)))
    assert [one.uid for one in CalendarObject.select()] == [second.uid] and "New time" in texts(app, EVE)[-1]
    assert "SEQUENCE:1" in outsider.get(str(done.one("a[download]")["href"])).response.text


def test_given_back_it_is_free_the_event_goes_and_the_link_says_so(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    page = confirm(app, outsider)
    done = outsider.submit(page, "main form:has([value=cancel])", action="cancel")
    assert done.one("[data-state]")["data-state"] == "cancelled" and CalendarObject.select().count() == 0
    assert len(free(outsider.get(link(app, made)))) == 4 and "Cancelled" in texts(app, EVE)[-1]
    count = len(texts(app, EVE))
    outsider.post(
        private_link(app, EVE) if "/a/booking/" in texts(app, EVE)[-1] else str(done.response.request.path), {"action": "cancel"}
    )
    assert len(texts(app, EVE)) == count


def test_times_that_the_host_has_something_else_are_not_offered_nor_taken(app, alice, outsider):
    made = offer(app)
    page = outsider.get(link(app, made))
    day = ground.monday().strftime("%Y%m%d")
    put(calendar_of(), "Conseil", f";TZID=Europe/Paris:{day}T171000", f";TZID=Europe/Paris:{day}T173000")
    assert free(outsider.get(link(app, made))) == [one.id for one in slots(made)[2:]]
    late = outsider.submit(page, "#booking", slot=str(slots(made)[0].id), name="Ève", address=EVE)
    assert late.status == 409 and "Conseil" not in late.text


def test_an_appointment_elsewhere_counts_before_it_is_in_the_calendar(app, alice, outsider):
    made, other = offer(app), offer(app, begins=17 * 60 + 10, length=20)
    book(outsider, link(app, made), slots(made)[0].id)
    assert slots(other)[0].id not in free(outsider.get(link(app, other)))


def test_several_in_one_slot_are_one_event(app, alice, outsider):
    made = offer(app, capacity=2)
    number = slots(made)[0].id
    for who in (EVE, FAY):
        book(outsider, link(app, made), number, who, name=who[:3])
        confirm(app, outsider, who)
    assert number not in free(outsider.get(link(app, made)))
    text = CalendarObject.get().text.replace("\r\n ", "")
    assert "Rencontre parents (2 people)" in text and "eve" in text and "fay" in text


def test_the_first_who_waits_has_what_became_free_held_and_then_the_next(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 15, waiting=True)
    number = slots(made)[0].id
    book(outsider, link(app, made), number)
    confirm(app, outsider)
    for who in (FAY, "gil@elsewhere.example"):
        book(outsider, link(app, made), "wait", who)
        confirm(app, outsider, who)
    outsider.post(private_link(app, EVE), {"action": "cancel"})
    with app.app_context(), app.test_request_context():
        settings, at = ground.settings(), now()
        assert rounds.pending(at)[1].exists() and len(rounds.sweep(settings, at)) == 1
        assert "held for you for 4 hours" in texts(app, FAY)[-1] and number not in free(outsider.get(link(app, made)))
        assert not any(one.exists() for one in rounds.pending(at)) and rounds.sweep(settings, at) == []
        later = at + timedelta(hours=4, seconds=1)
        assert len(rounds.sweep(settings, later)) == 1
        assert "held for you" in texts(app, "gil@elsewhere.example")[-1]


def test_who_waits_and_does_not_want_what_is_held_leaves_it_to_the_next(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 15, waiting=True)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    for who in (FAY, "gil@elsewhere.example"):
        book(outsider, link(app, made), "wait", who)
        confirm(app, outsider, who)
    for who in (EVE, FAY):
        outsider.post(private_link(app, who), {"action": "cancel"})
        with app.app_context(), app.test_request_context():
            assert len(rounds.sweep(ground.settings())) == 1
    assert "held for you for 4 hours" in texts(app, "gil@elsewhere.example")[-1]


def test_a_place_that_somebody_leaves_for_another_is_told_to_who_waits(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 30, waiting=True)
    first, second = (one.id for one in slots(made))
    book(outsider, link(app, made), first)
    book(outsider, link(app, made), "wait", FAY)
    confirm(app, outsider, FAY)
    outsider.post(private_link(app, EVE), {"action": "move", "slot": second})
    with app.app_context(), app.test_request_context():
        assert len(rounds.sweep(ground.settings())) == 1
    assert "held for you for 4 hours" in texts(app, FAY)[-1]


def test_for_one_slot_the_calendar_of_its_host_alone_is_read(app, alice, bob, monkeypatch):
    made, asked = offer(app, hosts=("alice", "bob")), []
    AppointmentHost.update(agreed=now()).execute()
    read = host_times.busy_times
    monkeypatch.setattr(host_times, "busy_times", lambda people, *rest: asked.append(len(people)) or read(people, *rest))
    with app.app_context():
        assert free_slots.listed(made, now(), ground.settings(), number=slots(made)[0].id)
    assert asked == [1]


def test_who_wants_an_earlier_time_is_told_once(app, alice, outsider):
    made = offer(app)
    first, last = slots(made)[0], slots(made)[3]
    book(outsider, link(app, made), first.id, FAY)
    confirm(app, outsider, FAY)
    book(outsider, link(app, made), last.id)
    page = confirm(app, outsider)
    outsider.submit(page, "main form:has([value=earlier])", action="earlier")
    outsider.post(private_link(app, FAY), {"action": "cancel"})
    with app.app_context(), app.test_request_context():
        assert len(rounds.sweep(ground.settings())) == 1 and rounds.sweep(ground.settings()) == []
    assert "An earlier time is free" in texts(app, EVE)[-1]


def test_people_are_reminded_the_day_before_once(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    with app.app_context(), app.test_request_context():
        before = now() + timedelta(seconds=slots(made)[0].start - now().timestamp() - 23 * 3600)
        assert rounds.sweep(ground.settings(), before - timedelta(days=2)) == []
        assert len(rounds.sweep(ground.settings(), before)) == 1 and rounds.sweep(ground.settings(), before) == []
    assert "Reminder" in texts(app, EVE)[-1]


def test_a_month_after_nobody_knows_who_came(app, alice, outsider):
    made = offer(app, fields=("child",))
    book(outsider, link(app, made), slots(made)[0].id, child="Léa")
    confirm(app, outsider)
    with app.app_context(), app.test_request_context():
        after = now() + timedelta(days=21 + 40)
        assert rounds.forget(ground.settings(), after - timedelta(days=25)) == 0
        assert rounds.forget(ground.settings(), after) == 1 and rounds.forget(ground.settings(), after) == 0
        rounds.sweep(ground.settings(), after)
    row = AppointmentBooking.get()
    assert (row.name, row.address, row.answers) == ("", "", "{}")
    assert "Rencontre parents" in alice.get("/appointments").text and EVE not in alice.get(f"/appointments/{made.id}").text
    text = CalendarObject.get().text
    assert "Ève" not in text and "Léa" not in text and EVE not in text and "SUMMARY:Rencontre parents" in text


def test_a_year_after_the_offer_is_gone(app, alice):
    made = offer(app)
    with app.app_context():
        rounds.forget(ground.settings(), now() + timedelta(days=410))
        assert AppointmentOffer.select().where(AppointmentOffer.id == made.id).count() == 1
        rounds.forget(ground.settings(), now() + timedelta(days=430))
    assert AppointmentOffer.select().count() == 0


def test_the_mail_of_a_booking_holds_the_event_as_other_programs_take_it(app, alice, outsider):
    made = offer(app, location="Salle 12")
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    row = SystemMessage.select().order_by(SystemMessage.id.desc()).get()
    with app.app_context():
        sent = delivery.content(row, Address("Lycée", "info@lycee.example"), ground.settings().secret_key)
    message = email.message_from_bytes(sent, policy=policy.default)
    kinds = [part.get_content_type() for part in message.walk()]
    assert "text/calendar" in kinds and "application/ics" in kinds and message["Reply-To"] == "alice@lycee.example"
    event = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert event.get_param("method") == "PUBLISH" and "LOCATION:Salle 12" in event.get_content()


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_held(app, alice, outsider):
    made = offer(app, fields=("child", "note"))
    page = outsider.get(link(app, made))
    wrong = outsider.submit(page, "#booking", name="", address="nobody", child="")
    assert wrong.status == 422 and {str(one["id"]) for one in wrong.all(".field-error")} >= {
        "name-error",
        "address-error",
        "child-error",
    }
    assert AppointmentBooking.select().count() == 0


def test_links_that_lead_nowhere_say_so(outsider, alice):
    assert outsider.get("/a/" + "x" * 27).status == 404 and outsider.get("/a/booking/" + "x" * 27).status == 404
    assert outsider.post("/a/" + "x" * 27, {}).status == 404 and outsider.post("/a/booking/x", {}).status == 404


def test_no_offers_of_one_person_have_ever_more_strangers_written_to(app, alice, outsider, monkeypatch):
    monkeypatch.setattr(limits, "UNCONFIRMED_OF_OWNER", limits.RateLimit("unconfirmed of an owner", 2, DAY))
    first, second = offer(app), offer(app, begins=10 * 60, ends=11 * 60)
    for number in range(3):  # who confirms counts no more
        book(outsider, link(app, first), slots(first)[number].id, f"parent{number}@x.example")
        confirm(app, outsider, f"parent{number}@x.example")
    book(outsider, link(app, first), slots(first)[3].id, "a@x.example")
    book(outsider, link(app, second), slots(second)[0].id, "b@x.example")
    assert book(outsider, link(app, second), slots(second)[1].id, "c@x.example").status == 429
    assert texts(app, "b@x.example") and not texts(app, "c@x.example")


def test_nobody_loses_what_is_held_for_them_to_who_types_their_address(app, alice, outsider, monkeypatch):
    monkeypatch.setattr(limits, "HELD_AT_ONCE", 2)
    made = offer(app, waiting=True, most=0)
    for one in slots(made):
        book(outsider, link(app, made), one.id)
        confirm(app, outsider)
    first = private_link(app, EVE)
    book(outsider, link(app, made), "wait", FAY)
    confirm(app, outsider, FAY)
    outsider.post(first, {"action": "cancel"})
    with app.app_context(), app.test_request_context():
        rounds.sweep(ground.settings())
        held = AppointmentBooking.get(AppointmentBooking.address == FAY)
        AppointmentBooking.update(state=BookingState.CANCELLED, position=None).where(AppointmentBooking.address == EVE).execute()
    for one in slots(made)[:3]:
        assert book(outsider, link(app, made), one.id, FAY).status == 200
    assert AppointmentBooking.get_by_id(held.id).state == BookingState.HELD


def test_an_address_waits_once_and_keeps_its_place(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 15, waiting=True)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    for who in (FAY, "gil@elsewhere.example", FAY, FAY):
        book(outsider, link(app, made), "wait", who)
        assert confirm(app, outsider, who).one("[data-state]")["data-state"] == "waiting"
    assert [one.address for one in bookings.waiting(made)] == [FAY, "gil@elsewhere.example"]


def test_who_wants_an_earlier_time_is_not_told_of_one_without_end(app, alice, outsider, monkeypatch):
    monkeypatch.setattr(limits, "EARLIER", limits.RateLimit("earlier", 1, DAY))
    made = offer(app)
    book(outsider, link(app, made), slots(made)[3].id)
    confirm(app, outsider)
    AppointmentBooking.update(earlier=1).execute()
    with app.app_context(), app.test_request_context():
        for one in slots(made)[:2]:
            AppointmentSlot.update(freed=1).where(AppointmentSlot.id == one.id).execute()
            rounds.sweep(ground.settings())
    assert sum("An earlier time" in one for one in texts(app, EVE)) == 1


def test_what_was_just_held_is_not_asked_for_again(app, alice, outsider):
    made = offer(app)
    page = book(outsider, link(app, made), slots(made)[0].id)
    assert "held for you" in page.text and page.one("details #booking") and not outsider.get(link(app, made)).all("details")


def test_nothing_that_is_cancelled_is_said_to_take_place_before_the_worker_comes(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    mine = private_link(app, EVE)
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form:has([value=cancel-all])", action="cancel-all")
    page = outsider.get(mine)
    assert page.one("[data-state=cancelled]") and not page.all("main button")
    file = mine.partition("?")[0] + "/invite.ics"
    assert outsider.get(file).status == 410 and outsider.post(mine, {"action": "earlier"}).status == 410
