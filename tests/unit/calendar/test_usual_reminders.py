"""The reminder that new events begin with: by the person's settings, or otherwise in single calendars, for them alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, share
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.collections import store as collections
from webmail.models import CalendarObject, Collection, User
from webmail.preferences import for_user

FORM = "form[data-event-form]"
CHOICE = "form[action^='/calendar/reminders/of/']"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    visitor = ground.person(app)
    preferences.change(user(), remind_before=10, remind_days=1440)
    return visitor


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


def choose(person: Visitor, calendar: Collection, before: str, days: str) -> Page:
    return person.submit(person.get(f"/collections/{calendar.id}"), CHOICE, remind_before=before, remind_days=days)


def begins_with(page: Page) -> str:
    chosen = page.all("[name=reminder]")[0].select("option[selected]")
    return str(chosen[0]["value"]) if chosen else ""


def test_as_in_the_settings_until_something_else_is_chosen(app, alice):
    page = alice.get(f"/collections/{calendar_of().id}")
    assert page.one("[name=remind_before] option[selected]").get_text() == "Your settings (10 minutes before)"
    assert page.one("[name=remind_days] option[selected]").get_text() == "Your settings (The day before at 08:00)"
    assert begins_with(alice.get("/calendar/events/new?start=2030-12-08")) == "10"
    page = choose(alice, calendar_of(), "60", "-1")
    assert "saved" in page.notices and page.one("[name=remind_before] option[selected]")["value"] == "60"
    assert begins_with(alice.get("/calendar/events/new?start=2030-12-08")) == "60"
    assert begins_with(alice.get("/calendar/events/new?start=2030-12-08&all_day=1")) == ""
    choose(alice, calendar_of(), "", "")
    assert for_user(user()).calendar_reminders == ()
    assert begins_with(alice.get("/calendar/events/new?start=2030-12-08&all_day=1")) == "1440"


def test_each_calendar_has_its_own(app, alice):
    calendar_of()
    other = calendar_of(name="other", title="Lessons")
    choose(alice, other, "-1", "0")
    choose(alice, calendar_of(), "5", "")
    assert begins_with(alice.get(f"/calendar/events/new?start=2030-12-08&calendar={other.id}")) == ""
    assert begins_with(alice.get("/calendar/events/new?start=2030-12-08")) == "5"
    page = alice.get("/calendar/events/new")
    assert {str(one["value"]): one["data-remind"] for one in page.all("[name=calendar] option")} == {
        str(calendar_of().id): "5/1440", str(other.id): "/0",
    }  # fmt: skip


def test_a_few_words_begin_with_it_too(app, alice):
    choose(alice, calendar_of(), "30", "-1")
    page = alice.get("/calendar/events/new?words=lunch+tomorrow+12:30")
    assert begins_with(page) == "30"
    alice.submit(page, FORM, action="save")
    assert "TRIGGER:-PT30M" in CalendarObject.get().text
    assert begins_with(alice.get("/calendar/events/new?words=holiday+tomorrow")) == ""


def test_it_is_ones_own_in_a_calendar_that_is_shared(app, alice):
    bob = ground.person(app, "bob")
    share(calendar_of(), "bob", "write")
    choose(bob, calendar_of(), "15", "")
    address = f"/calendar/events/new?start=2030-12-08&calendar={calendar_of().id}"
    assert (begins_with(bob.get(address)), begins_with(alice.get(address))) == ("15", "10")


@pytest.mark.parametrize("rights", ["read", "busy", ""])
def test_who_adds_no_events_chooses_nothing(app, alice, rights):
    bob = ground.person(app, "bob")
    share(calendar_of(), "bob", rights)
    assert not bob.get(f"/collections/{calendar_of().id}").all(CHOICE)
    token = bob.get("/calendar/events/new").one(f"{FORM} [name=csrf_token]")["value"]
    assert bob.post(f"/calendar/reminders/of/{calendar_of().id}", {"csrf_token": token, "remind_before": "5"}).status == 404
    assert for_user(user("bob")).calendar_reminders == ()


def test_what_makes_no_sense_counts_for_nothing(app, alice):
    token = alice.get("/calendar/events/new").one(f"{FORM} [name=csrf_token]")["value"]
    number = calendar_of().id
    alice.post(f"/calendar/reminders/of/{number}", {"csrf_token": token, "remind_before": "7", "remind_days": "x/1"})
    assert for_user(user()).calendar_reminders == ()
    preferences.change(user(), calendar_reminders=["x", "1/2", f"{number}/7/1440", "²/5/0", f"{'9' * 30}/5/0"])
    assert begins_with(alice.get("/calendar/events/new?start=2030-12-08")) == "10"


def test_an_address_book_has_none(app, alice):
    book = collections.default_collection(user(), collections.BOOK)
    assert not alice.get(f"/collections/{book.id}").all(CHOICE)
