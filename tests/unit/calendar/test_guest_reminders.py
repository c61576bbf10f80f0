"""Reminders two days before to guests who have not replied: each once, to nobody who answered, of nothing that does not come."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, share
from tests.support.tokens import key_file
from tests.support.visits import Page, Visitor
from webmail import jobs
from webmail.calendar import objects
from webmail.calendar.guests import guest_reminders, reminder_rounds
from webmail.calendar.notifications import guest_letters
from webmail.database.connection import db
from webmail.models import CalendarObject, CollectionShare, GuestReminder, Outbox, OutboxState, User, now
from webmail.rate_limits import TooManyRequestsError

FORM = "form[data-event-form]"
BOX = "[name=remind_guests]"
DAY = date.today() + timedelta(days=30)
BEGINS = int(datetime(DAY.year, DAY.month, DAY.day, 17, tzinfo=ZoneInfo("Europe/Paris")).timestamp())
DUE = BEGINS - 2 * 86_400


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", token_key_file=key_file(tmp_path)) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


@pytest.fixture
def bob(app: Flask) -> Visitor:
    return ground.person(app, "bob")


def new(alice: Visitor, **fields: object) -> Page:
    values = {
        "title": "Conseil", "start": DAY.isoformat(), "start_hour": "17:00", "end": DAY.isoformat(), "end_hour": "19:00",
        "invite": "bob@lycee.example, eve@elsewhere.example", "remind_guests": "1",
    }  # fmt: skip
    page = alice.submit(alice.get("/calendar/events/new"), FORM, **values | fields, action="save")
    Outbox.update(state=OutboxState.SENT, sent_at=now(), filed=True, content=b"").execute()
    return page


def row() -> CalendarObject:
    return CalendarObject.select().order_by(CalendarObject.id.desc()).get()


def edit(alice: Visitor, **fields: object) -> Page:
    one = row()
    page = alice.get(f"/calendar/events/{one.collection_id}/{one.href}/edit")
    return alice.submit(page, FORM, **fields, action="save")


def answer(address: str, said: str) -> None:
    """A guest's answer is noted, as `local_answers` does."""
    one = row()
    text = one.text.replace("\r\n ", "")
    [line] = [line for line in text.splitlines() if line.startswith("ATTENDEE") and line.endswith(f"mailto:{address}")]
    changed = text.replace(line, re.sub("PARTSTAT=[A-Z-]+", f"PARTSTAT={said}", line))
    with db.atomic():
        objects.write(one.collection_id, one.href, changed, objects.prepared(changed, objects.zone_of("Europe/Paris")), one)


def reminded(app: Flask, at: int = DUE) -> list[list[str]]:
    """Whom a round reminds: of each message."""
    before = {one.id for one in Outbox.select()}
    with app.app_context():
        reminder_rounds.sweep(lambda user: guest_letters.posting(user, app.extensions["settings"]), at)
    return [sorted(json.loads(one.recipients)) for one in Outbox.select().order_by(Outbox.id) if one.id not in before]


def test_two_days_before_those_who_have_not_replied_are_reminded_once(app, alice):
    new(alice)
    answer("bob@lycee.example", "ACCEPTED")
    assert reminded(app, DUE - 1) == []
    assert reminded(app) == [["eve@elsewhere.example"]]
    assert Outbox.select().order_by(Outbox.id.desc()).get().subject == "Invitation: Conseil"
    assert reminded(app) == [] == reminded(app, DUE + 3600)
    page = alice.get(f"/calendar/events/{row().collection_id}/{row().href}")
    assert page.one("form[action$='/remind'] [name=number]")["value"] == "2", "a click after it is the second"


def test_it_is_off_unless_chosen_and_can_be_taken_back(app, alice):
    new(alice, remind_guests=None)
    assert reminded(app) == [] and not GuestReminder.select().exists()
    edit(alice, remind_guests="1")
    one = row()
    assert alice.get(f"/calendar/events/{one.collection_id}/{one.href}/edit").one(BOX).has_attr("checked")
    edit(alice, title="Conseil de classe")
    assert GuestReminder.get().due == DUE
    edit(alice, remind_guests=None)
    assert reminded(app) == []


def test_nobody_is_reminded_where_all_answered_or_it_is_cancelled_deleted_or_over(app, alice):
    new(alice, invite="eve@elsewhere.example")
    answer("eve@elsewhere.example", "DECLINED")
    assert reminded(app) == []
    new(alice)
    edit(alice, status="cancelled")
    assert reminded(app) == []
    new(alice)
    assert reminded(app, BEGINS + 60) == [], "the worker stood still until it had begun"
    assert reminded(app) == []
    new(alice)
    CalendarObject.delete().where(CalendarObject.id == row().id).execute()
    assert reminded(app) == [] and not GuestReminder.select().exists()
    new(alice, start=date.today().isoformat(), end=(date.today() + timedelta(days=1)).isoformat())
    assert not GuestReminder.select().exists(), "the invitation has only just left"


def test_another_time_counts_whoever_writes_it(app, alice):
    new(alice)
    later = DAY + timedelta(days=7)
    edit(alice, start=later.isoformat(), end=later.isoformat())
    assert guest_reminders.to_look_at().count() == 1
    assert reminded(app, int(now().timestamp())) == [] and guest_reminders.to_look_at().count() == 0
    assert reminded(app) == [] and abs(GuestReminder.get().due - DUE - 7 * 86_400) <= 3600
    soon = date.today() + timedelta(days=1)
    edit(alice, start=soon.isoformat(), end=soon.isoformat())
    assert reminded(app, int(now().timestamp())) == [] and not GuestReminder.select().exists(), "all were told of it just now"


def test_a_series_is_reminded_of_before_its_next_time(app, alice):
    new(alice, repeat="weekly", times="4")
    assert reminded(app) == [["bob@lycee.example", "eve@elsewhere.example"]]
    assert reminded(app, DUE + 7 * 86_400) == []


def test_hidden_guests_get_a_message_each(app, alice):
    new(alice, hidden="1")
    assert sorted(reminded(app)) == [["bob@lycee.example"], ["eve@elsewhere.example"]]


def test_who_acted_for_a_colleague_reminds_as_long_as_they_may(app, alice, bob):
    calendar = calendar_of("bob")
    share(calendar, "alice", "write")
    new(alice, calendar=str(calendar.id), invite="eve@elsewhere.example")
    assert reminded(app) == [["eve@elsewhere.example"]]
    new(alice, calendar=str(calendar.id), invite="eve@elsewhere.example")
    CollectionShare.delete().execute()
    assert reminded(app) == [] and not GuestReminder.select().exists()
    new(alice)
    User.update(active=False).where(User.address == alice.address).execute()
    assert reminded(app) == []


def test_what_cannot_leave_now_waits_and_stops_nobody_else(app, alice, bob, monkeypatch):
    new(alice)
    new(bob, invite="eve@elsewhere.example")
    remind = reminder_rounds.answers.remind

    def refused(user: User, *more: object) -> list[Outbox]:
        if user.address == alice.address:
            raise TooManyRequestsError(timedelta(minutes=1))
        return remind(user, *more)

    monkeypatch.setattr(reminder_rounds.answers, "remind", refused)
    assert reminded(app) == [["eve@elsewhere.example"]]
    monkeypatch.setattr(reminder_rounds.answers, "remind", remind)
    assert reminded(app) == [["bob@lycee.example", "eve@elsewhere.example"]]


def test_without_tokens_it_is_not_offered(app, alice):
    app.extensions["settings"] = replace(app.extensions["settings"], token_key_file="")
    assert not alice.get("/calendar/events/new").all(BOX)
    new(alice)
    assert not GuestReminder.select().exists()


def test_the_worker_writes_in_the_organiser_s_language(app, alice, monkeypatch):
    User.update(language="fr").where(User.address == alice.address).execute()
    new(alice)
    monkeypatch.setattr(guest_reminders, "BEFORE", 40 * 86_400)
    GuestReminder.update(due=BEGINS - guest_reminders.BEFORE).execute()
    work = jobs.build(app.extensions["settings"])
    work.context = app.app_context
    for _turn in range(2):
        work.do("guest reminders")
    [sent] = Outbox.select().where(Outbox.state == OutboxState.WAITING)
    assert sent.subject == "Invitation\u00a0: Conseil" and sent.credential is None and sent.sender == alice.address
