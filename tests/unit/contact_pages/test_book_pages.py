"""Pages of contacts in several books: the list and its tabs, cards of others, moving, importing into a book, people one wrote to."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from tests.support.contact_pages import CARD, EDIT, group
from tests.support.contacts import new
from tests.support.visits import Page, Visitor
from tests.unit.contact_pages.conftest import book, share, user_of
from webmail import preferences
from webmail.compose.recipients import address_book, suggestions
from webmail.contacts import store
from webmail.contacts.views import categories, sources
from webmail.contacts.views.sources import PeopleSource, SourcePerson
from webmail.database.connection import db
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Collection, CollectionShare, Contact, Correspondent, TrashedItem


def add(visitor: Visitor, into: Collection, name: str, *emails: str) -> Contact:
    details = ContactDetails(name=name, emails=tuple(map(ContactPoint, emails)))
    return store.add(user_of(visitor), details, book=into)


def rows(page: Page) -> list[str]:
    return [" ".join(one.get_text(" ").split()) for one in page.all("#chosen li")]


def tabs(page: Page) -> list[str]:
    """Without the establishment's directory."""
    found = [" ".join(one.get_text(" ").split()) for one in page.all("main .tabs a")]
    return [one for one in found if one != "Directory"]


# --- the list --------------------------------------------------------------------------------------------------------


def test_who_has_one_book_sees_nothing_of_books(alice: Visitor) -> None:
    new(user_of(alice), "Ann", "ann@x.example")
    page = alice.get("/contacts")
    assert rows(page) == ["Ann ann@x.example"] and tabs(page) == ["All", "Groups", "People you write to"]
    assert "Move selected" not in page.text and not alice.get("/contacts/new").all("[name=book]")
    assert "Move or copy" not in alice.get(page.link("Ann")).text


def counted(page: Page) -> str:
    return page.one("#chosen .list-bar .muted").get_text().strip()


def test_people_and_groups_are_counted_apart(alice: Visitor) -> None:
    for number in range(8):
        new(user_of(alice), f"Ann {number}", f"ann{number}@x.example")
    group(alice, "Team", "ann1@x.example")
    assert counted(alice.get("/contacts")) == "8 contacts · 1 group"
    assert counted(alice.get("/contacts?kind=group")) == "1 group"
    add(alice, book(alice, "Club"), "Cleo")
    assert counted(alice.get("/contacts")) == "9 contacts · 1 group"
    assert tabs(alice.get("/contacts"))[:3] == ["All", "Contacts 8", "Club 1"]


def test_books_are_tabs_and_rows_say_where_they_are(alice: Visitor, bob: Visitor) -> None:
    club, staff = book(alice, "Club"), book(bob, "Staff")
    (
        new(user_of(alice), "Ann", "ann@x.example"),
        add(alice, club, "Cleo"),
        add(bob, staff, "Ben"),
        add(bob, staff, "Ann", "ann@x.example"),
    )
    share(staff, alice)
    page = alice.get("/contacts")
    assert tabs(page) == ["All", "Contacts 1", "Club 1", "Staff (Bob) 2", "Groups", "People you write to"]
    assert rows(page) == ["Ann ann@x.example Contacts · Staff (Bob)", "Ben Staff (Bob)", "Cleo Club"]
    page = alice.get(page.link("Staff (Bob) 2"))
    assert rows(page) == ["Ann ann@x.example", "Ben"] and page.one("main [aria-current]").get_text().startswith("Staff")
    assert "This address book is empty." in alice.get(f"/contacts?book={book(alice, 'Empty').id}").text


def test_more_books_of_ones_own_ask_the_database_no_more(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = db.obj.execute_sql
    monkeypatch.setattr(db.obj, "execute_sql", lambda sql, *more, **named: asked.append(sql) or ask(sql, *more, **named))

    def of_users() -> int:
        asked.clear()
        assert alice.get("/contacts").status == 200
        return sum('FROM "accounts"' in sql for sql in asked)

    book(alice, "Club"), book(alice, "Choir")
    few = of_users()
    for number in range(8):
        book(alice, f"More {number}")
    assert of_users() == few


def test_a_category_of_very_many_shows_the_first_and_how_many_there_are(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "_MOST_SHOWN", 2)
    for name in ("Ann", "Ben", "Cleo"):
        row = new(user_of(alice), name, f"{name}@x.example")
        store.put(user_of(alice), row.vcard.replace("END:VCARD", "CATEGORIES:Choir\r\nEND:VCARD"), row)
    page = alice.get("/contacts/categories?name=choir")
    assert "Category of 3 contacts" in page.text and "and 1 more" in page.text
    assert "Ben" in page.text and "Cleo" not in page.text


def test_a_book_that_is_not_shared_with_one_is_not_there(alice: Visitor, bob: Visitor) -> None:
    staff = book(bob, "Staff")
    row = add(bob, staff, "Ben", "ben@x.example")
    new(user_of(alice), "Ann")
    assert rows(alice.get(f"/contacts?book={staff.id}")) == ["Ann"]
    for path in ("", "/edit", "/card", "/qr", "/photo", "/history"):
        assert alice.get(f"/contacts/{row.uid}{path}").status == 404
    assert alice.get(f"/contacts/move?uid={row.uid}").address == "/contacts"
    assert "Ben" not in alice.get(f"/contacts/chosen?uid={row.uid}&action=print").text
    assert "ben@x" not in alice.get(f"/contacts/export?book={staff.id}").text


def test_the_search_asks_other_sources_and_folds_who_is_a_contact(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    new(user_of(alice), "Mum", "ann.durand@lycee.example")
    people = [
        SourcePerson("Ann Durand", "ann.durand@lycee.example", "/x"),
        SourcePerson("Zoé Durand", "zoe@lycee.example", "/zoe"),
    ]
    source = PeopleSource(
        "directory", lambda: "Directory", lambda words: f"/there?words={words}", lambda _user, _words, _most: (people, 12)
    )
    monkeypatch.setattr(sources, "SOURCES", [source])
    page = alice.get("/contacts?words=durand")
    assert rows(page) == ["Mum ann.durand@lycee.example Directory"]
    assert [one.get_text() for one in page.all(".elsewhere li a[href='/zoe']")] == ["Zoé Durand"]
    assert "Ann Durand" not in page.one(".elsewhere").get_text() and page.link("See all 12 matches") == "/there?words=durand"
    assert "durand" in page.one(".elsewhere .btn")["href"].lower()
    assert not alice.get("/contacts").all(".elsewhere") and not alice.get("/contacts?letter=m").all(".elsewhere")


# --- cards of others -------------------------------------------------------------------------------------------------


def test_a_card_that_one_may_only_read_has_no_buttons_to_change_it(alice: Visitor, bob: Visitor) -> None:
    staff = book(bob, "Staff")
    row = add(bob, staff, "Ben", "ben@x.example")
    given = share(staff, alice)
    page = alice.get(f"/contacts/{row.uid}")
    assert "read only" in page.text and not page.all("form[action$='/remove']") and not page.all("a[href$='/edit']")
    assert alice.get(f"/contacts/{row.uid}/edit").status == 403
    token = page.all("[name=csrf_token]")[0]["value"]
    assert "can no longer change" in alice.post(f"/contacts/{row.uid}/remove", {"csrf_token": token}).notices and store.load(
        user_of(bob), row.uid
    )
    page = alice.get(page.link("Copy to my contacts"))
    assert "Move" not in [one.get_text() for one in page.all("main .toolbar button")]
    page = alice.submit(page, "form.form", action="copy")
    assert "1 contact copied to “Contacts”." in page.notices
    assert store.with_address(user_of(alice), "ben@x.example")
    CollectionShare.update(rights="write").where(CollectionShare.id == given.id).execute()
    page = alice.submit(alice.get(f"/contacts/{row.uid}/edit"), EDIT, name="Benny", action="save")
    assert "Contact saved." in page.notices and store.load(user_of(bob), row.uid).name == "Benny"
    page = alice.submit(page, "form[action$='/remove']")
    assert "Benny was removed from your contacts." in page.notices
    assert TrashedItem.get(TrashedItem.user == user_of(bob)).title == "Benny"
    alice.submit(page, "#notices form")
    assert store.load(user_of(bob), row.uid).collection == staff


def test_a_right_that_ends_while_one_types_keeps_what_was_typed(alice: Visitor, bob: Visitor) -> None:
    staff = book(bob, "Staff")
    row, given = add(bob, staff, "Ben", "ben@x.example"), share(staff, alice, "write")
    form, edit = alice.get(f"/contacts/new?book={staff.id}"), alice.get(f"/contacts/{row.uid}/edit")
    assert form.one("[name=book] option[selected]")["value"] == str(staff.id)
    page = alice.submit(form, EDIT, name="Zoé", action="save")
    assert "Zoé was added to your contacts." in page.notices and Contact.get(Contact.name == "Zoé").collection == staff
    CollectionShare.update(rights="read").where(CollectionShare.id == given.id).execute()
    page = alice.submit(alice.get("/contacts/new"), EDIT, name="Lea", book=str(staff.id), action="save")
    assert page.status == 422 and "can no longer change" in page.text and page.one("[name=name]")["value"] == "Lea"
    page = alice.submit(edit, EDIT, name="Benny", action="save")
    assert page.status == 422 and page.one("[name=name]")["value"] == "Benny"
    assert store.load(user_of(bob), row.uid).name == "Ben"


def test_a_shared_group_keeps_the_members_that_one_does_not_see(alice: Visitor, bob: Visitor) -> None:
    secret = new(user_of(bob), "Secret", "secret@x.example")
    staff = book(bob, "Staff")
    share(staff, alice, "write")
    team = store.add(user_of(bob), ContactDetails(name="Team", group=True, members=(secret.card_uid,)), book=staff)
    page = alice.get(f"/contacts/{team.uid}/edit")
    assert page.one("[name=people]").get_text().strip() == ""
    alice.submit(page, EDIT, people="Zoe <zoe@x.example>\nsecret@x.example")
    members = store.details(store.load(user_of(bob), team.uid)).members
    assert set(members) == {secret.card_uid, "mailto:zoe@x.example", "mailto:secret@x.example"}


# --- moving, importing -----------------------------------------------------------------------------------------------


def test_selected_contacts_are_moved_and_back(alice: Visitor) -> None:
    club = book(alice, "Club")
    both = [new(user_of(alice), "Ann", "ann@x.example"), new(user_of(alice), "Zoé")]
    page = alice.submit(alice.get("/contacts"), "#chosen", uid=[row.uid for row in both], action="move")
    assert "Ann, Zoé" in page.text
    page = alice.submit(page, "form.form", book=str(club.id), action="move")
    assert "2 contacts moved to “Club”." in page.notices and rows(page) == ["Ann ann@x.example", "Zoé"]
    assert Collection.get_by_id(club.id).count == 2
    alice.submit(page, "#notices form")
    assert Collection.get_by_id(club.id).count == 0 and store.count(user_of(alice)) == 2


def test_a_file_goes_into_the_chosen_book(alice: Visitor) -> None:
    club = book(alice, "Club")
    form = alice.get(f"/contacts/import?book={club.id}")
    page = alice.submit(form, "form[enctype]", file=(io.BytesIO(CARD.encode()), "all.vcf"))
    assert "They go into “Club”." in page.text
    page = alice.submit(page, "form[action^='/contacts/import/']", action="import")
    assert rows(page) == ["Zoé Petit zoe@x.example"] and Contact.get(Contact.name == "Zoé Petit").collection == club
    saved = alice.get(f"/contacts/export?book={club.id}").response
    assert "X-KEPT:1" in saved.get_data(as_text=True) and "Club.vcf" in saved.headers["Content-Disposition"]


# --- people one wrote to ---------------------------------------------------------------------------------------------


def test_people_are_found_added_and_forgotten_all_at_once(alice: Visitor) -> None:
    for name in ("zoe", "ann"):
        Correspondent.create(user=user_of(alice), address=f"{name}@x.example", name=name.capitalize())
    page = alice.get("/contacts?words=zoe")
    assert "Zoe" in page.one(".elsewhere").get_text() and "No matching contacts." not in page.text
    page = alice.submit(alice.get("/contacts/people"), "form:has([name=person][value^=Zoe])")
    assert "Zoe was added to your contacts." in page.notices and "in your contacts" in page.text
    page = alice.submit(page, "form:has([value='forget-all'])", action="forget-all")
    assert "Nobody yet." in page.text
    page = alice.submit(page, "#notices form")
    assert "ann@x.example" in page.one("main").get_text()
    page = alice.submit(page, "form:has([value=off])", action="off")
    assert "ann@x.example" not in page.one("main").get_text() and not alice.get("/contacts?words=ann").all(".elsewhere")
    assert "ann@x.example" in alice.submit(page, "main form", action="on").one("main").get_text()


# --- writing to them -------------------------------------------------------------------------------------------------


def test_shared_groups_are_recipients_after_all_others_of_that_name(alice: Visitor, bob: Visitor) -> None:
    user, staff = user_of(alice), book(bob, "Staff")
    store.add(user_of(bob), ContactDetails(name="Team", group=True, members=("mailto:ben@x.example",)), book=staff)
    assert address_book.with_groups(user, {"to": "Team"}) == {"to": "Team"} and not address_book.groups(user, "team")
    share(staff, alice)
    assert address_book.with_groups(user, {"to": "Team"}) == {"to": "ben@x.example"}
    [suggested] = address_book.groups(user, "team")
    assert address_book.unfolded(user, [suggested.token]) == ["ben@x.example"]
    store.add(user, ContactDetails(name="Team", group=True, members=("mailto:mine@x.example",)))
    assert address_book.with_groups(user, {"to": "Team"}) == {"to": "mine@x.example"}


def test_people_one_wrote_to_are_not_suggested_once_that_is_off(app: Flask, alice: Visitor) -> None:
    Correspondent.create(user=user_of(alice), address="zoe@x.example", name="Zoe")
    settings = app.extensions["settings"]
    assert [one.email for one in suggestions.suggest(user_of(alice), "zo", settings)] == ["zoe@x.example"]
    preferences.change(user_of(alice), suggest_met=False)
    assert suggestions.suggest(user_of(alice), "zo", settings) == []
