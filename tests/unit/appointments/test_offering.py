"""Somebody here offers appointments: the form, colleagues who agree, who booked, cancelling, absences, rooms, lists."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from tests.support import appointment_ground as ground
from tests.support.appointment_ground import book, confirm, link, monday, offer, private_link, slots, texts
from tests.support.calendar_ground import calendar_of, share
from tests.support.rooms import booked, room
from webmail import preferences
from webmail.appointments import limits, offers, rounds
from webmail.calendar.free_busy import absence_times
from webmail.models import AppointmentBooking, AppointmentHost, AppointmentOffer, AppointmentSlot, CalendarObject, SystemMessage
from webmail.rate_limits import DAY
from webmail.system_mail import queue

EVE, FAY = "eve@elsewhere.example", "fay@elsewhere.example"


def new(visitor, **fields):
    values = {"title": "Rencontre", "date": monday().isoformat(), "from": "17:00", "until": "18:00", "length": "15"}
    return visitor.submit(visitor.get("/appointments/new"), "#offer-form", **(values | fields))


def free(page) -> list[int]:
    return [int(one["data-slot"]) for one in page.all("[data-slot]")]


def test_the_form_makes_an_offer_with_a_public_address(alice, outsider):
    page = new(alice, pause="5", message="À bientôt", fields="child", question="Langue ?")
    address = str(page.one("[data-public-link]")["data-public-link"])
    assert page.status == 200 and address.startswith(f"{ground.URL}/a/")
    shown = outsider.get(address.removeprefix(ground.URL))
    assert len(free(shown)) == 3 and "17:20–17:35" in shown.text and "À bientôt" in shown.text and "Langue ?" in shown.text
    assert "Rencontre" in alice.get("/appointments").text and shown.all("#child") and not shown.all("#phone")


def test_what_is_wrong_is_said_and_kept(alice):
    for field, value in {
        "title": "",
        "date": "2001-01-01",
        "from": "x",
        "until": "16:00",
        "length": "0",
        "people": "nobody@x.example",
    }.items():
        page = new(alice, message="gardé", **{field: value})
        assert page.status == 422 and page.all(".field-error") and "gardé" in page.text, field
    assert AppointmentOffer.select().count() == 0


def test_it_repeats_on_workdays_or_weeks(alice):
    new(alice, repeat="weekly", last=(monday() + timedelta(days=21)).isoformat())
    assert len({one.start // 86_400 for one in slots(AppointmentOffer.get())}) == 4
    new(alice, repeat="workdays", last=(monday() + timedelta(days=7)).isoformat())
    assert len({one.start // 86_400 for one in slots(AppointmentOffer.select().order_by(AppointmentOffer.id.desc()).get())}) == 6


def test_a_colleague_is_asked_unless_their_calendar_is_mine_to_write(app, alice, bob, outsider):
    page = new(alice, people="alice@lycee.example, bob@lycee.example")
    address = str(page.one("[data-public-link]")["data-public-link"]).removeprefix(ground.URL)
    assert "has not agreed yet" in page.text and len(free(outsider.get(address))) == 4
    assert "would like you to offer" in texts(app, "bob@lycee.example")[0]
    mine = f"/appointments/{AppointmentOffer.get().id}"
    bob.submit(bob.get(mine), "main form:has([value=agree])", action="agree")
    assert len(free(outsider.get(address))) == 8
    share(calendar_of("bob"), "alice", "write")
    new(alice, people="bob@lycee.example")
    assert AppointmentHost.select().order_by(AppointmentHost.id.desc()).get().agreed is not None


def test_who_declines_is_out_and_sees_it_no_more(alice, bob):
    new(alice, people="alice@lycee.example, bob@lycee.example")
    mine = f"/appointments/{AppointmentOffer.get().id}"
    bob.submit(bob.get(mine), "main form:has([value=refuse])", action="refuse")
    assert bob.get(mine).status == 404 and AppointmentHost.select().count() == 1


def test_a_host_sees_their_own_list_alone(app, alice, bob, outsider):
    made = offer(app, ["alice", "bob"])
    AppointmentHost.update(agreed=datetime(2026, 1, 1)).execute()
    rows = slots(made)
    for number, who in ((rows[0].id, EVE), (rows[1].id, FAY)):
        book(outsider, link(app, made), number, who, name=who[:3])
        confirm(app, outsider, who)
    mine = f"/appointments/{made.id}"
    seen = bob.get(mine)
    assert len(seen.all("[data-booking]")) == 1 and len(alice.get(mine).all("[data-booking]")) == 2
    assert not seen.all("[value=cancel-all]") and bob.post(mine, {"action": "cancel-all"}).status in (400, 403)


def test_one_is_cancelled_with_a_note_and_the_place_is_free(app, alice, outsider):
    made = offer(app)
    number = slots(made)[0].id
    book(outsider, link(app, made), number)
    confirm(app, outsider)
    page = alice.get(f"/appointments/{made.id}")
    booking = AppointmentBooking.get()
    done = alice.submit(page, "main form:has([data-booking])", note="Malade", action=f"cancel:{booking.id}")
    assert not done.all("[data-booking]") and CalendarObject.select().count() == 0
    assert "does not take place" in texts(app, EVE)[-1] and "Malade" in texts(app, EVE)[-1]
    sent = SystemMessage.select().order_by(SystemMessage.id.desc()).get()
    event = queue.calendar_of(sent, app.extensions["settings"].secret_key)
    assert "METHOD:CANCEL" in event and "SEQUENCE:1" in event
    assert number in free(outsider.get(link(app, made)))


def test_all_are_cancelled_with_a_mail_to_each_once(app, alice, outsider):
    made = offer(app)
    for row, who in zip(slots(made), (EVE, FAY), strict=False):
        book(outsider, link(app, made), row.id, who)
        confirm(app, outsider, who)
    book(outsider, link(app, made), slots(made)[2].id, "gil@elsewhere.example")
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form:has([value=cancel-all])", note="Grève", action="cancel-all")
    with app.app_context(), app.test_request_context():
        assert rounds.pending()[0].exists() and len(rounds.sweep(ground.settings())) == 2
        assert rounds.sweep(ground.settings()) == [] and not any(one.exists() for one in rounds.pending())
    for who in (EVE, FAY):
        assert "Cancelled" in texts(app, who)[-1] and "Grève" in texts(app, who)[-1]
    assert "Cancelled" not in texts(app, "gil@elsewhere.example")[-1] and CalendarObject.select().count() == 0
    page = outsider.get(link(app, made))
    assert "do not take place" in page.text and not free(page)


def test_who_waited_and_has_a_time_held_is_told_too(app, alice, outsider):
    made = offer(app, ends=17 * 60 + 15, waiting=True)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    book(outsider, link(app, made), "wait", FAY)
    confirm(app, outsider, FAY)
    outsider.post(private_link(app, EVE), {"action": "cancel"})
    with app.app_context(), app.test_request_context():
        assert len(rounds.sweep(ground.settings())) == 1
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form:has([value=cancel-all])", action="cancel-all")
    with app.app_context(), app.test_request_context():
        assert len(rounds.sweep(ground.settings())) == 1
    assert "Cancelled" in texts(app, FAY)[-1]


def test_closed_nobody_books_and_what_is_booked_stays(app, alice, outsider):
    made = offer(app)
    page = outsider.get(link(app, made))
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form.page-end", action="close")
    assert outsider.submit(page, "#booking", slot=str(slots(made)[1].id), name="x", address=FAY).status == 410
    assert len(alice.get(f"/appointments/{made.id}").all("[data-booking]")) == 1
    alice.submit(alice.get(f"/appointments/{made.id}"), "main form.page-end", action="open")
    assert len(free(outsider.get(link(app, made)))) == 3


def test_nothing_is_offered_while_the_host_is_away_and_what_is_booked_then_is_listed(app, alice, outsider):
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    assert not alice.get(f"/appointments/{made.id}").all("[data-absent]")
    begins = datetime.combine(monday(), datetime.min.time(), UTC)
    preferences.change(ground.user(), absence=absence_times.written(begins, begins + timedelta(days=2)))
    assert free(outsider.get(link(app, made))) == []
    assert len(alice.get(f"/appointments/{made.id}").all("[data-absent]")) == 1


def test_its_room_is_booked_with_each_and_times_at_which_it_is_taken_are_not_offered(app, alice, bob, outsider):
    wanted = room()
    made = offer(app, resource=wanted)
    first = slots(made)[0]
    book(outsider, link(app, made), first.id)
    confirm(app, outsider)
    assert booked(wanted) == [(first.start, first.end)]
    other = offer(app, ["bob"], resource=wanted)
    AppointmentHost.update(agreed=datetime(2026, 1, 1)).execute()
    assert slots(other)[0].id not in free(outsider.get(link(app, other))) and len(free(outsider.get(link(app, other)))) == 3


def test_the_list_is_by_host_and_its_csv_has_no_formulas(app, alice, outsider):
    made = offer(app, fields=("child",))
    book(outsider, link(app, made), slots(made)[0].id, name="=1+1", child="@cmd")
    confirm(app, outsider)
    page = alice.get(f"/appointments/{made.id}/list")
    assert "=1+1" in page.text and "@cmd" in page.text
    rows = list(csv.reader(io.StringIO(alice.get(f"/appointments/{made.id}/list.csv").response.text.removeprefix("\ufeff"))))
    assert rows[0][-1] == "Child’s name" and len(rows) == 2 and not any(cell.startswith(("=", "@", "+", "-")) for cell in rows[1])


def test_too_soon_or_too_far_away_is_not_offered(app, alice, outsider):
    assert free(outsider.get(link(app, offer(app, ahead=2)))) == []
    assert free(outsider.get(link(app, offer(app, notice=24 * 60)))) == []


def test_strangers_see_nothing_of_it_and_charlie_gets_404(app, alice, bob):
    made = offer(app)
    for path in ("", "/list", "/list.csv"):
        assert bob.get(f"/appointments/{made.id}{path}").status == 404


def test_nobody_has_colleagues_mailed_without_end(app, alice, bob, monkeypatch):
    monkeypatch.setattr(limits, "ASKED_COLLEAGUES", limits.RateLimit("asked", 1, DAY))
    new(alice, people="bob@lycee.example")
    page = new(alice, people="bob@lycee.example")
    assert "Not all of them get a message" in page.text and len(texts(app, "bob@lycee.example")) == 1
    assert len(bob.get("/appointments").all("main a[href^='/appointments/']")) >= 2


def test_a_year_of_five_minutes_is_refused_before_its_times_are_looked_for(alice, monkeypatch):
    monkeypatch.setattr(offers, "times", lambda *_given: pytest.fail("a hundred thousand times are looked for"))
    fields = {"from": "0:00", "until": "23:59", "length": "5", "repeat": "workdays"}
    page = new(alice, last=(monday() + timedelta(days=364)).isoformat(), **fields)
    assert page.status == 422 and "At most 3,000" in page.text.replace("\xa0", " ") or "At most 3000" in page.text


def held_event(app, alice, outsider) -> tuple[str, CalendarObject]:
    """The address of the event of a booked appointment, and its row."""
    made = offer(app)
    book(outsider, link(app, made), slots(made)[0].id)
    confirm(app, outsider)
    row = CalendarObject.get()
    return f"/calendar/events/{row.collection_id}/{row.href}", row


def test_what_somebody_booked_is_not_moved_or_deleted_in_the_calendar(app, alice, outsider):
    event, row = held_event(app, alice, outsider)
    page = alice.submit(alice.get(f"{event}/edit"), "form.form", start_hour="19:00", end_hour="19:15")
    assert page.status == 422 and "can’t be moved or deleted in the calendar" in page.text
    token = {"csrf_token": page.all("[name=csrf_token]")[0]["value"], "back": "/calendar"}
    for post, fields in (("times", {"start": f"{monday()}T19:00"}), ("delete", {"scope": "all"})):
        assert (
            alice.post(f"{event}/{post}", token | fields).link("Show the appointments")
            == f"/appointments/{AppointmentOffer.get().id}"
        ), post
    assert "Somebody has booked" in alice.get(f"{event}/delete").text
    assert CalendarObject.get().text == row.text
    # what is the host's own is theirs to change
    page = alice.submit(alice.get(f"{event}/edit"), "form.form", categories="École")
    assert "saved" in page.text and "École" in CalendarObject.get().text


def test_once_it_is_cancelled_or_over_the_event_is_the_host_s(app, alice, outsider):
    event, row = held_event(app, alice, outsider)
    AppointmentSlot.update(end=1).where(AppointmentSlot.uid == row.uid).execute()
    alice.submit(alice.get(f"{event}/delete"), f"form[action='{event}/delete']")
    assert not CalendarObject.select().count()
