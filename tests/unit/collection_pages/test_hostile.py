"""Attacks on what is shared: what somebody may not learn, change or make disappear by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.unit.collection_pages.conftest import Browser
from tests.unit.dav.conftest import Phone, card, event
from tests.unit.dav.test_collections import PROP, query
from webmail.collections import store
from webmail.collections.look import DESCRIPTION, NAME
from webmail.config.directory import SightRule
from webmail.models import CalendarObject, Collection, CollectionShare, Contact, SystemMessage, TrashedItem, User


@pytest.fixture
def page(browser_of: Callable[[User], Browser], alice: User) -> Browser:
    return browser_of(alice)


def given(owner: User, other: User, rights: str, kind: str = "calendar") -> Collection:
    made = store.default_collection(owner, kind)
    CollectionShare.create(collection=made, user=other, rights=rights)
    return made


def press(browser: Browser, url: str, **fields: str) -> object:
    """A POST with the token of a page of one's own, whatever the page offers."""
    token = browser.get("/collections/new").one("#new-collection [name=csrf_token]")["value"]
    return browser.post(url, {"csrf_token": str(token), **fields})


def test_the_undo_of_a_share_does_not_list_the_people_of_the_establishment(
    page: Browser, alice: User, person: Callable[..., User]
) -> None:
    """By their numbers, which anybody can count up."""
    number, hidden = page.make("calendar", "Trips"), person("hidden", name="Hidden Teacher")
    told = press(page, f"/collections/{number}/shares", action="restore", who=f"person:{hidden.id}", rights="busy")
    assert "Hidden Teacher" not in told.text and not CollectionShare.select().where(CollectionShare.user == hidden).exists()


def test_a_restored_calendar_is_not_shared_with_whoever_has_a_number_now(
    page: Browser, alice: User, bob: User, person: Callable[..., User]
) -> None:
    """SQLite gives the number of a deleted account to the next one."""
    number = page.make("calendar", "Trips")
    page.share(number, "bob@lycee.example", "write")
    gone = page.press(page.get(f"/collections/{number}"), "form", "delete")
    was = bob.id
    bob.delete_instance()
    mallory = person("mallory", id=was)
    back = page.submit(gone, "form[action='/collections/trash/whole']")
    assert "Trips" in back.text
    assert not CollectionShare.select().where(CollectionShare.user == mallory).exists()


def test_busy_times_have_no_description_and_no_names_of_the_owner(phone_of: Callable[..., Phone], alice: User, bob: User) -> None:
    mine = given(alice, bob, "busy")
    props = json.loads(mine.props) | {DESCRIPTION["calendar"]: "Talks with the doctor"}
    Collection.update(props=json.dumps(props)).execute()
    phone_of(alice).put(f"{mine.name}/dismissal-of-bob.ics", event("dismissal-of-bob", "SUMMARY:Dismissal", "LOCATION:Office"))
    theirs, where = phone_of(bob), f"shared-{mine.id}/"
    asked = PROP % ("propfind", "<d:allprop/>", "propfind")
    for depth in "01":
        answer = theirs.ask("PROPFIND", where, asked, Depth=depth)
        assert answer.status_code == 207 and b"doctor" not in answer.data and b"dismissal" not in answer.data.lower(), answer.data
    asked = PROP % ("propfind", "<c:calendar-description/>", "propfind")
    assert b"doctor" not in theirs.ask("PROPFIND", where, asked, Depth="0").data
    answer = theirs.ask("REPORT", where, query("20261101T000000Z", "20261201T000000Z"), Depth="1")
    assert b"BEGIN:VEVENT" in answer.data and b"dismissal" not in answer.data.lower()
    [name] = [one for one in theirs.sync(where)[1] if one]
    assert "dismissal" not in name
    assert theirs.ask("GET", where + name).status_code == 200


@pytest.mark.parametrize("where", ["mine", "theirs"])
def test_what_somebody_moves_out_of_a_shared_calendar_stays_in_its_owners_trash(
    phone_of: Callable[..., Phone], alice: User, bob: User, where: str
) -> None:
    shared = given(alice, bob, "write")
    phone_of(alice).put(f"{shared.name}/a.ics", event("a", "SUMMARY:Council"))
    thief, own = phone_of(bob), store.default_collection(bob, "calendar")
    goal = f"http://localhost/dav/{bob.address}/{own.name}/a.ics"
    assert thief.ask("MOVE", f"shared-{shared.id}/a.ics", Destination=goal).status_code == 201
    if where == "mine":
        thief.ask("DELETE", f"{own.name}/a.ics")
    assert [one.title for one in TrashedItem.select().where(TrashedItem.user == alice)] == ["Council"]


@pytest.mark.parametrize("way", ["delete", "move"])
def test_what_somebody_takes_out_of_a_shared_calendar_on_pages_too(
    browser_of: Callable[[User], Browser], phone_of: Callable[..., Phone], alice: User, bob: User, way: str
) -> None:
    shared = given(alice, bob, "write")
    phone_of(alice).put(f"{shared.name}/a.ics", event("a", "SUMMARY:Council"))
    press(browser_of(bob), f"/calendar/events/{shared.id}/a.ics/{way}", to=str(store.default_collection(bob, "calendar").id))
    assert not CalendarObject.select().where(CalendarObject.collection == shared).exists()
    assert [(one.title, one.by) for one in TrashedItem.select().where(TrashedItem.user == alice)] == [("Council", bob.address)]


def test_a_right_that_is_taken_back_ends_undo_too(
    browser_of: Callable[[User], Browser], phone_of: Callable[..., Phone], alice: User, bob: User
) -> None:
    shared = given(alice, bob, "write")
    phone_of(alice).put(f"{shared.name}/a.ics", event("a", "SUMMARY:Council"))
    theirs = browser_of(bob)
    told = press(theirs, f"/calendar/events/{shared.id}/a.ics/delete")
    CollectionShare.delete().execute()
    undo = told.one("form[action='/calendar/changes/undo'] [name=undo]")["value"]
    press(theirs, "/calendar/changes/undo", undo=str(undo))
    assert not CalendarObject.select().exists() and TrashedItem.get().user_id == alice.id
    CollectionShare.create(collection=shared, user=bob, rights="write")
    press(theirs, "/calendar/changes/undo", undo=str(undo))
    assert CalendarObject.select().exists() != TrashedItem.select().exists()


@pytest.mark.parametrize("rights", ["", "busy", "read"])
def test_forms_with_the_numbers_of_others_change_nothing(
    browser_of: Callable[[User], Browser], phone_of: Callable[..., Phone], alice: User, bob: User, rights: str
) -> None:
    shared, book = (store.default_collection(alice, kind) for kind in ("calendar", "addressbook"))
    if rights:
        CollectionShare.create(collection=shared, user=bob, rights=rights)
    if rights == "read":
        CollectionShare.create(collection=book, user=bob, rights=rights)
    phone = phone_of(alice)
    phone.put(f"{shared.name}/a.ics", event("a", "SUMMARY:Hideout council", "LOCATION:Hideout"))
    phone.put(f"{book.name}/c.vcf", card("c", "Élodie Cœur", "EMAIL:elodie@lycee.example"))
    uid, theirs = Contact.get().uid, browser_of(bob)
    mine = str(store.default_collection(bob, "addressbook").id)
    before = (CalendarObject.get().text, Contact.get().vcard, Contact.get().collection_id)
    number, there = str(book.id), f"/calendar/events/{shared.id}/a.ics"
    for url, fields in (
        (f"{there}/delete", {}), (f"{there}/move", {"to": str(store.default_collection(bob, "calendar").id)}),
        (f"{there}/times", {"start": "2026-12-01T10:00"}), (f"{there}/edit", {"title": "Mine", "start": "2026-12-01"}),
        ("/calendar/events/new", {"title": "Mine", "start": "2026-12-01", "all_day": "1", "calendar": str(shared.id)}),
        (f"/contacts/{uid}/remove", {}), (f"/contacts/{uid}/edit", {"name": "Mine"}),
        ("/contacts/move", {"uid": uid, "book": mine, "action": "move"}),
        ("/contacts/new", {"name": "Mine", "book": number}), ("/contacts/groups/new", {"name": "Mine", "book": number}),
        (f"/collections/{shared.id}", {"action": "delete"}), (f"/collections/{shared.id}", {"name": "Mine"}),
        (f"/collections/{shared.id}/shares", {"action": "give", "who": "bob@lycee.example", "rights": "write"}),
        ("/contacts/duplicates/compare", {"uid": uid, "action": "merge"}),
    ):  # fmt: skip
        answer = press(theirs, url, **fields)
        assert answer.status < 500, url
    assert (CalendarObject.get().text, Contact.get().vcard, Contact.get().collection_id) == before
    assert CalendarObject.select().where(CalendarObject.collection == shared).count() == 1
    assert Contact.select().where(Contact.collection == book).count() == 1
    assert not CollectionShare.select().where(CollectionShare.rights == "write").exists()
    assert Collection.get_by_id(shared.id).props == shared.props
    if rights != "read":  # nor do pages show anything of it
        for url in (
            f"/contacts/{uid}", f"/contacts/{uid}/card", f"/contacts/{uid}/photo", f"/contacts/{uid}/qr", f"/calendar/with/{uid}",
            "/contacts?words=elodie", f"/contacts?book={number}", f"/contacts/export?book={number}",
            f"/contacts/print?book={number}", f"/contacts/chosen?action=export&uid={uid}", f"/contacts/chosen?action=print&uid={uid}",
            f"/contacts/move?uid={uid}", f"/collections/{number}", "/calendar/search?words=council", "/calendar/month/2026-11",
            "/calendar/agenda/2026-11-05", "/calendar/day/2026-11-05", there, f"{there}/edit", f"{there}/move",
            f"/calendar/events/new?like={shared.id}/a.ics", "/collections/people?words=elodie", "/collections/trash?q=council",
        ):  # fmt: skip
            shown = theirs.get(url)
            text = shown.response.get_data(as_text=True)
            assert "Hideout" not in text and "Élodie" not in text and "elodie@" not in text, url


def test_mails_about_shares_do_not_flood_anybody(page: Browser, alice: User, bob: User) -> None:
    for number in range(12):
        made = page.make("calendar", f"Your account ends, see https://evil.example/{number}")
        page.share(made, "bob@lycee.example", "read", mail="1")
        page.press(page.get(f"/collections/{made}"), "form", "delete")
    assert 0 < SystemMessage.select().where(SystemMessage.recipient == bob.address).count() <= 5


def test_a_shared_book_with_an_endless_name_is_called_by_its_beginning(
    browser_of: Callable[[User], Browser], alice: User, bob: User
) -> None:
    shared = given(alice, bob, "read", "addressbook")
    Collection.update(props=json.dumps({NAME: "\u202eA\n" + 15_000 * "x"})).where(Collection.id == shared.id).execute()
    for url in ("/contacts", f"/contacts?book={shared.id}", "/contacts/import", "/collections", "/calendar"):
        shown = browser_of(bob).get(url)
        assert shown.status == 200 and 200 * "x" not in shown.html and "\u202e" not in shown.html, url


def test_a_share_tells_no_name_of_somebody_who_is_not_in_the_directory(
    app: Flask, page: Browser, alice: User, person: Callable[..., User]
) -> None:
    person("hidden", name="Hidden Teacher")
    number = page.make("calendar", "Trips")
    rules = (SightRule(sees="nobody"),)
    app.extensions["settings"] = replace(app.extensions["settings"], directory_rules=rules)
    told = page.share(number, "hidden", "busy")
    assert "hidden@lycee.example can now see when you are busy." in told.notices and "Hidden Teacher" not in told.html
    told = page.press(told, "form", "revoke")
    assert "hidden@lycee.example can no longer see" in told.notices and "Hidden Teacher" not in told.html


def test_a_card_of_very_many_categories_has_a_page(
    browser_of: Callable[[User], Browser], phone_of: Callable[..., Phone], alice: User, bob: User
) -> None:
    """A link for each took a quarter of a minute."""
    shared = given(alice, bob, "read", "addressbook")
    words = ",".join(f"c{number}" for number in range(20_000))
    assert phone_of(alice).put(f"{shared.name}/c.vcf", card("c", "Cat", f"CATEGORIES:{words}")).status_code == 201
    shown = browser_of(bob).get(f"/contacts/{Contact.get().uid}")
    assert shown.status == 200 and len(shown.html) < 100_000
