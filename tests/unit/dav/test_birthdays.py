"""The calendar of birthdays: made from the contacts, in step with them, read by devices and changed by nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.unit.dav.conftest import Phone, card
from webmail import preferences
from webmail.calendar import birthdays
from webmail.collections import store as collections
from webmail.contacts import store
from webmail.database.connection import db
from webmail.models import BirthdayCalendar, CalendarObject, Collection, Contact, Occurrence, User

HOME = "birthdays/"


@pytest.fixture
def sweep(app: Flask) -> Callable[[], int]:
    return lambda: birthdays.sweep(app.extensions["settings"])


@pytest.fixture(autouse=True)
def in_english(alice: User) -> None:
    alice.language = "en"
    alice.save()


def put(user: User, uid: str, name: str, *lines: str) -> Contact:
    row = Contact.get_or_none((Contact.user == user) & (Contact.card_uid == uid))
    return store.put(user, card(uid, name, *lines), row)


def titles(user: User) -> set[str]:
    mine = (Collection.user == user) & (Collection.derived == "birthdays")
    return {one.summary for one in Occurrence.select(Occurrence.summary).join(Collection).where(mine)}


def test_birthdays_that_were_there_are_filled_in_by_a_worker(alice: User, phone: Phone, sweep: Callable[[], int]) -> None:
    put(alice, "c1", "Marie", "BDAY:1980-02-03")
    put(alice, "c2", "Hugo", "BDAY:--0714")
    put(alice, "c3", "Nobody")
    assert phone.ask("PROPFIND", HOME).status_code == 404
    assert sweep() == 2
    assert titles(alice) == {"Marie’s birthday", "Hugo’s birthday"}
    calendar = Collection.get(Collection.user == alice, Collection.derived == "birthdays")
    assert calendar.count == 2
    rows = CalendarObject.select().where(CalendarObject.collection == calendar)
    assert calendar.size == sum(len(row.text.encode()) for row in rows)
    seq = calendar.seq
    assert sweep() == 0
    assert Collection.get_by_id(calendar.id).seq == seq


def test_a_changed_card_changes_the_calendar_and_its_token_at_once(alice: User, phone: Phone, sweep: Callable[[], int]) -> None:
    sweep()
    assert phone.put("contacts/c1.vcf", card("c1", "Marie", "BDAY:19800203")).status_code == 201
    token, found = phone.sync(HOME)
    [name] = found
    assert "SUMMARY:Marie’s birthday" in phone.ask("GET", HOME + name).text
    phone.put("contacts/c1.vcf", card("c1", "Marie", "BDAY:19800203", "NOTE:other"))
    assert phone.sync(HOME, token) == (token, {})
    phone.put("contacts/c1.vcf", card("c1", "Marie Roux", "BDAY:19800204"))
    after, found = phone.sync(HOME, token)
    assert after != token
    assert found == {name: "there"}
    assert "DTSTART;VALUE=DATE:19800204" in phone.ask("GET", HOME + name).text
    phone.put("contacts/c1.vcf", card("c1", "Marie Roux"))
    after, found = phone.sync(HOME, after)
    assert found == {name: "gone"}
    phone.put("contacts/c1.vcf", card("c1", "Marie Roux", "BDAY:19800204"))
    after, found = phone.sync(HOME, after)
    assert found == {name: "there"}
    assert phone.ask("DELETE", "contacts/c1.vcf").status_code == 204
    assert phone.sync(HOME, after)[1] == {name: "gone"}


def test_what_is_undone_is_undone_in_the_calendar_too(alice: User, sweep: Callable[[], int]) -> None:
    sweep()
    with pytest.raises(RuntimeError), db.atomic():
        put(alice, "c1", "Marie", "BDAY:1980-02-03")
        raise RuntimeError
    assert titles(alice) == set()


def test_devices_read_it_and_change_nothing(alice: User, phone: Phone, sweep: Callable[[], int]) -> None:
    row = put(alice, "c1", "Marie", "BDAY:1980-02-03")
    sweep()
    item = f"{HOME}{row.uid}.ics"
    assert phone.ask("GET", item).status_code == 200
    text = phone.ask("GET", item).text
    assert phone.put(item, text.replace("Marie", "Paul")).status_code == 403
    assert phone.put(HOME + "other.ics", text.replace("birthday-", "x")).status_code == 403
    assert phone.ask("DELETE", item).status_code == 403
    assert phone.ask("DELETE", HOME).status_code == 403
    assert phone.ask("MOVE", item, Destination=f"{phone.home}calendar/a.ics").status_code == 403
    body = "<propertyupdate xmlns='DAV:'><set><prop><displayname>Mine</displayname></prop></set></propertyupdate>"
    assert phone.ask("PROPPATCH", HOME, body).status_code in (403, 405)
    assert phone.ask("GET", item).text == text
    asked = "<propfind xmlns='DAV:'><prop><current-user-privilege-set/></prop></propfind>"
    root = phone.xml("PROPFIND", HOME, asked, Depth="0")
    assert root.find(".//{DAV:}read") is not None
    assert root.find(".//{DAV:}write") is None


def test_the_first_calendar_is_never_the_one_of_birthdays(alice: User, sweep: Callable[[], int], phone: Phone) -> None:
    put(alice, "c1", "Marie", "BDAY:1980-02-03")
    sweep()
    assert collections.default_collection(alice, collections.CALENDAR).derived == ""
    assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 207


def test_no_calendar_without_a_birthday(alice: User, sweep: Callable[[], int]) -> None:
    put(alice, "c1", "Marie")
    sweep()
    assert BirthdayCalendar.get(user=alice).collection is None


def test_it_can_be_turned_off_and_on_again(alice: User, sweep: Callable[[], int]) -> None:
    put(alice, "c1", "Marie", "BDAY:1980-02-03")
    sweep()
    birthdays.choose(alice, False, "en")
    put(alice, "c2", "Hugo", "BDAY:1981-02-03")
    sweep()
    assert not Collection.select().where(Collection.user == alice, Collection.derived == "birthdays").exists()
    birthdays.choose(alice, True, "en")
    sweep()
    assert titles(alice) == {"Marie’s birthday", "Hugo’s birthday"}


def test_who_turned_it_off_before_anybody_looked_has_none(alice: User, sweep: Callable[[], int]) -> None:
    preferences.change(alice, birthdays=False)
    put(alice, "c1", "Marie", "BDAY:1980-02-03")
    sweep()
    assert titles(alice) == set()


def test_another_language_gives_other_words(alice: User, sweep: Callable[[], int]) -> None:
    put(alice, "c1", "Marie", "BDAY:1980-02-03")
    sweep()
    User.update(language="fr").where(User.id == alice.id).execute()
    sweep()
    assert titles(alice) == {"Anniversaire de Marie"}
    assert "Anniversaires" in Collection.get(Collection.user == alice, Collection.derived == "birthdays").props


def test_a_calendar_of_that_name_that_a_program_made_is_left_alone(alice: User, phone: Phone, sweep: Callable[[], int]) -> None:
    assert phone.ask("MKCALENDAR", "birthdays").status_code == 201
    put(alice, "c1", "Marie", "BDAY:1980-02-03")
    sweep()
    assert phone.sync("birthdays/")[1] == {}
    assert len(phone.sync("birthdays-1/")[1]) == 1


def test_a_whole_book_of_birthdays_is_taken_in_pieces(alice: User, sweep: Callable[[], int]) -> None:
    store.put_all(alice, [card(f"c{n}", f"Person {n}", f"BDAY:19{n % 90 + 10}-03-{n % 28 + 1:02}") for n in range(250)])
    assert sweep() == 250
    assert store.remove(alice, [row.uid for row in Contact.select().where(Contact.user == alice)]) == 250
    calendar = Collection.get(Collection.user == alice, Collection.derived == "birthdays")
    assert (calendar.count, calendar.size) == (0, 0)
