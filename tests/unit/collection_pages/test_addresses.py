"""Addresses of calendars: what anybody gets there, what is hidden, and that they end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.limits import lower
from tests.support.visits import Visitor
from webmail.calendar import links
from webmail.models import CalendarLink, User

DAY = (date.today() + timedelta(days=3)).strftime("%Y%m%d")


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


@pytest.fixture
def anybody(app: Flask) -> Visitor:
    return Visitor(app)


def furnish() -> None:
    put(calendar_of(), "Conseil", f":{DAY}T080000Z", f":{DAY}T090000Z", "LOCATION:Salle 12")
    put(calendar_of(), "Médecin", f":{DAY}T100000Z", f":{DAY}T110000Z", "CLASS:CONFIDENTIAL", "LOCATION:Hôpital")
    put(calendar_of(), "Secret libre", f":{DAY}T120000Z", f":{DAY}T130000Z", "CLASS:X-ODD", "TRANSP:TRANSPARENT")


def address(alice: Visitor, kind: str = "feed", whole: str = "1") -> str:
    page = alice.get(f"/collections/{calendar_of().id}/addresses")
    made = alice.submit(page, "#new-link", kind=kind, whole=whole, action="make")
    assert "no-store" in made.headers["Cache-Control"]
    return "/" + str(made.one("#new-address")["value"]).split("/", 3)[3]


def test_programs_get_what_is_not_private(alice: Visitor, anybody: Visitor) -> None:
    furnish()
    got = anybody.get(address(alice)).response
    text = got.get_data(as_text=True)
    assert got.mimetype == "text/calendar"
    assert "SUMMARY:Conseil" in text
    assert "Salle 12" in text
    assert "Médecin" not in text and "Hôpital" not in text and "Secret" not in text
    assert text.count("BEGIN:VEVENT") == 2
    assert "Set-Cookie" not in got.headers
    assert "noindex" in got.headers["X-Robots-Tag"]


@pytest.mark.parametrize(
    "line", ['CLASS;X-WHY="a:b":PRIVATE', 'CLASS;X-WHY="a:PUBLIC":PRIVATE', "CLA\r\n SS:PRIVATE", "class: confidential"]
)
def test_private_is_what_says_so_in_whatever_way(alice: Visitor, anybody: Visitor, line: str) -> None:
    put(calendar_of(), "Conseil", f":{DAY}T080000Z", f":{DAY}T090000Z", 'CLASS;X-WHY="a:b":PUBLIC')
    put(calendar_of(), "Médecin", f":{DAY}T100000Z", f":{DAY}T110000Z", line)
    for kind in ("feed", "page"):
        text = anybody.get(address(alice, kind)).response.get_data(as_text=True)
        assert "Conseil" in text and "Médecin" not in text


def test_busy_times_alone(alice: Visitor, anybody: Visitor) -> None:
    furnish()
    text = anybody.get(address(alice, whole="0")).response.get_data(as_text=True)
    assert text.count("BEGIN:VEVENT") == 2
    assert "Conseil" not in text and "Salle" not in text
    page = anybody.get(address(alice, "page", "0"))
    assert page.text.count("Busy") == 2
    assert "Conseil" not in page.text


def test_a_page_for_people(alice: Visitor, anybody: Visitor) -> None:
    furnish()
    page = anybody.get(address(alice, "page"))
    assert "Conseil" in page.text and "Salle 12" in page.text and "Busy" in page.text
    assert "Médecin" not in page.html and "Hôpital" not in page.html and "Secret" not in page.html
    assert "Set-Cookie" not in page.headers
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "no-referrer" in page.headers["Referrer-Policy"]
    later = anybody.get(page.link("Later events"))
    assert "Nothing planned" in later.text
    assert "Conseil" in anybody.get(page.address + "?from=9999-99-99").text


def test_what_has_not_changed_is_not_sent_again(alice: Visitor, anybody: Visitor) -> None:
    furnish()
    url = address(alice)
    etag = anybody.get(url).headers["ETag"]
    again = anybody.client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.get_data()) == (304, b"")
    put(calendar_of(), "Neuf", f":{DAY}T140000Z")
    assert anybody.client.get(url, headers={"If-None-Match": etag}).status_code == 200


def test_an_ended_address_is_over_and_others_never_were(alice: Visitor, anybody: Visitor) -> None:
    url = address(alice)
    assert anybody.get(url).status == 200
    alice.submit(alice.get(f"/collections/{calendar_of().id}/addresses"), "form:has(button[value=end])", action="end")
    assert anybody.get(url).status == 404
    assert anybody.get("/calendar/feed/" + "a" * 32 + ".ics").status == 404
    page = address(alice, "page")
    assert anybody.get(page.replace("public", "feed") + ".ics").status == 404  # each is for what it was made for
    User.update(active=False).where(User.address == alice.address).execute()
    assert anybody.get(page).status == 404


def test_the_table_does_not_tell_the_address(alice: Visitor) -> None:
    url = address(alice)
    token = url.rpartition("/")[2].removesuffix(".ics")
    [row] = CalendarLink.select().dicts()
    assert token not in str(row)
    assert token not in alice.get(f"/collections/{calendar_of().id}/addresses").html


def test_it_can_be_asked_so_often_in_an_hour(alice: Visitor, anybody: Visitor, monkeypatch) -> None:
    lower(monkeypatch, links, "ASKED", most=2)
    url = address(alice)
    assert [anybody.get(url).status for _time in range(3)] == [200, 200, 429]


def test_there_is_a_limit(alice: Visitor, monkeypatch) -> None:
    monkeypatch.setattr(links, "MOST", 1)
    windows = [alice.get(f"/collections/{calendar_of().id}/addresses") for _ in range(2)]
    for page in windows:
        shown = alice.submit(page, "#new-link", kind="feed", whole="0", action="make")
    assert "maximum number of addresses" in shown.notices
    assert CalendarLink.select().count() == 1


def test_only_owners_make_them(app: Flask, alice: Visitor) -> None:
    bob = ground.person(app, "bob")
    share(calendar_of(), "bob", "write")
    url = f"/collections/{calendar_of().id}/addresses"
    assert bob.get(url).status == 404
    assert bob.post(url, {"action": "make"}).status in (400, 404)
    assert not CalendarLink.select().exists()
