"""What a group hides from its people: the area's pages, its place in the bar and in the settings, and what leads to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.models import User
from webmail.people import policies
from webmail.people.policies import Policy

FIRST = {"calendar": "/calendar", "contacts": "/contacts", "transfers": "/transfers", "polls": "/polls", "appointments": "/appointments",
         "todo": "/todo"}  # fmt: skip


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", public_url="https://mail.lycee.example") as made:
        yield made


@pytest.fixture
def pupil(app: Flask) -> Visitor:
    ground.add("ines@lycee.example")
    return ground.signed_in(app, "ines")


def hide(*areas: str) -> None:
    policies.set_own(User.get(User.local == "ines"), Policy(hidden=areas))


@pytest.mark.parametrize("area", FIRST)
def test_a_hidden_area_is_refused_and_not_in_the_bar(pupil: Visitor, area: str) -> None:
    assert pupil.get(FIRST[area]).status == 200
    hide(area)
    assert pupil.get(FIRST[area]).status == 403
    page = pupil.get("/settings")
    assert page.status == 200 and not page.all(f"a[href='{FIRST[area]}']")
    for other, place in FIRST.items():
        beside = area == "calendar" and other in ("polls", "appointments", "todo")
        assert pupil.get(place).status == (403 if other == area or beside else 200), other


def test_settings_of_a_hidden_calendar_are_neither_listed_nor_found(pupil: Visitor) -> None:
    assert "Working hours" in pupil.get("/settings").text
    hide("calendar")
    page = pupil.get("/settings")
    assert "Working hours" not in page.text and "Reminders" not in page.text and "Appearance" in page.text
    assert pupil.get("/settings/calendar").status == 404 and pupil.get("/settings/working-hours").status == 403
    assert not pupil.get("/settings?query=week+numbers").all("a[href^='/settings/calendar']")


def test_calendars_and_books_are_listed_as_far_as_they_are_shown(pupil: Visitor) -> None:
    hide("contacts")
    page = pupil.get("/collections")
    assert "My calendars" in page.text and "address book" not in page.one("main").get_text().replace(
        "Calendars and address books", ""
    )
    assert (
        pupil.get("/collections/new?kind=addressbook").status == 403 and pupil.get("/collections/new?kind=calendar").status == 200
    )
    hide("calendar", "contacts")
    assert pupil.get("/collections").status == 403 and not pupil.get("/settings").all("a[href^='/collections']")


def test_a_message_of_who_has_no_large_files_offers_none(pupil: Visitor) -> None:
    assert pupil.get("/compose").all("[name=action][value=large]")
    assert pupil.get("/compose").all("[name=action][value=contacts]")
    hide("transfers", "contacts")
    page = pupil.get("/compose")
    assert page.all("[name=action][value=attach]") and not page.all("[value=large], [value=contacts], [data-links]")
    token = page.all("[name=csrf_token]")[0]["value"]
    assert pupil.post(page.address, {"csrf_token": token, "action": "links"}).status == 403  # as the page's script does


def test_a_person_of_a_message_is_no_contact_where_there_are_none(pupil: Visitor) -> None:
    hide("contacts")
    form = pupil.get("/settings").all("[name=csrf_token]")[0]["value"]
    told = pupil.post("/act/INBOX", {"csrf_token": form, "action": "person:zoe@lycee.example"})
    assert told.status == 403
