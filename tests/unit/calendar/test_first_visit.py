"""The calendar to who comes for the first time: a calendar of one's own, what is newly shared, and which area its pages are of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from webmail.models import Collection

PAGES = ("/calendar", "/calendar/search", "/calendar/import", "/calendar/events/new", "/calendar/subscriptions/new")


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def area(page: Page) -> str:
    return page.one("#top .areas [aria-current]").get_text(strip=True)


@pytest.mark.parametrize("place", PAGES)
def test_there_is_a_calendar_of_ones_own(alice, place):
    page = alice.get(place)
    assert "My calendars" in page.one(".cal-list").get_text()
    [made] = Collection.select().where(Collection.kind == "calendar")
    assert page.one(".cal-list [name=shown]")["value"] == str(made.id)
    alice.get(place)
    assert Collection.select().where(Collection.kind == "calendar").count() == 1


def test_it_is_made_beside_one_that_is_shared(app, alice):
    ground.add("bob@lycee.example")
    ground.share(ground.calendar_of("bob", "councils", "Councils"), "alice", "read")
    words = alice.get("/calendar").one(".cal-list").get_text()
    assert "My calendars" in words and "Shared with me" in words


@pytest.mark.parametrize("place", PAGES)
def test_the_button_beside_each_page_has_the_script_that_hides_it(alice, place):
    form = alice.get(place).one("form.cal-list")
    assert form.select("[data-needless]") and "calendar/keys.js" in str(form["data-script"])


def test_what_is_newly_shared_is_told_until_it_is_read(app, alice):
    ground.add("bob@lycee.example")
    assert not alice.get("/calendar").all(".shared-news")
    ground.share(ground.calendar_of("bob", "councils", "Councils"), "alice", "read")
    page = alice.get("/calendar")
    assert "Councils" in page.one(".shared-news").get_text()
    page = alice.submit(page, ".shared-news form", action="seen")
    assert page.address.startswith("/calendar") and not page.all(".shared-news")
    assert not alice.get("/calendar").all(".shared-news")


# --- the pages of calendars and books ----------------------------------------------------------------------------------


def test_the_list_is_of_the_area_it_was_opened_from(alice):
    page = alice.get(alice.get("/calendar").link("Manage calendars"))
    assert area(page) == "Calendar" and page.all("#folders.cal-side")
    assert str(page.one("#search")["action"]) == "/calendar/search"
    assert area(alice.get("/collections")) == "Contacts"


def test_the_page_of_a_calendar_is_of_the_calendar_and_leads_back_there(alice):
    page = alice.get(f"/collections/{ground.calendar_of().id}")
    assert area(page) == "Calendar" and page.all("#folders.cal-side")
    assert area(alice.get(str(page.one(".way-back a")["href"]))) == "Calendar"
    assert area(alice.get(f"/collections/{ground.calendar_of().id}/addresses")) == "Calendar"
    assert area(alice.get("/collections/new?kind=calendar")) == "Calendar"


def test_the_page_of_a_book_is_of_the_contacts_and_leads_back_there(alice):
    alice.get("/collections")
    book = Collection.get(Collection.kind == "addressbook")
    page = alice.get(f"/collections/{book.id}")
    assert area(page) == "Contacts" and str(page.one(".way-back a")["href"]) == "/collections"
    assert area(alice.get("/collections/new?kind=addressbook")) == "Contacts"


def test_hiding_on_the_list_leads_back_to_the_same_area(app, alice):
    ground.add("bob@lycee.example")
    ground.share(ground.calendar_of("bob", "councils", "Councils"), "alice", "read")
    page = alice.get(alice.get("/calendar").link("Manage calendars"))
    assert area(alice.submit(page, "form:has([value=hide])", action="hide")) == "Calendar"
