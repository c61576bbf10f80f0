"""Asking for files: what a request and its links are, who is asked, when nothing comes any more; its owner's pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.visits import Page, Visitor
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.models import FileRequest, FileRequestInvite, SystemMessage, User, now
from webmail.people import policies
from webmail.people.policies import Policy
from webmail.rate_limits import TooManyRequestsError
from webmail.transfers import mail_limits
from webmail.transfers.requests import guests, requests
from webmail.transfers.requests.guests import Shut
from webmail.transfers.requests.requests import RequestState, Wishes


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    mails = {"system_address": "Lycée <info@lycee.example>", "system_password": "x"}
    with ground.application(tmp_path / "instance", language="en", public_url="https://mail.lycee.example", **mails) as made:
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def alice(app: Flask) -> User:
    return add("alice@lycee.example")


@pytest.fixture
def browser(app: Flask, alice: User) -> Visitor:
    return ground.signed_in(app)


def asks(browser: Visitor, title: str = "Class trip", **fields: str) -> Page:
    return browser.submit(browser.get("/transfers/requests/new"), "#request-form", title=title, action="save", **fields)


# --- what it is ------------------------------------------------------------------------------------------------------


def test_a_link_for_everybody_leads_to_its_request_until_it_is_closed(alice, settings):
    made, asked = requests.make(alice, Wishes("Photos"), "en", settings)
    assert asked == []
    found = guests.find_request(requests.token(made, settings))
    assert found is not None and found.request == made and guests.shut(found, settings) is None
    assert requests.close(made) and not requests.close(made)
    assert guests.shut(guests.find_request(requests.token(made, settings)), settings) is Shut.CLOSED
    assert requests.reopen(FileRequest.get_by_id(made.id))
    assert guests.shut(guests.find_request(requests.token(made, settings)), settings) is None


def test_a_copy_of_the_database_opens_no_request(alice, settings):
    made, _asked = requests.make(alice, Wishes("Photos"), "en", settings)
    assert (
        guests.find_request(made.nonce) is None
        and guests.find_request(made.link_hash) is None
        and guests.find_request("") is None
    )
    assert requests.token(made, settings) not in str(FileRequest.select().dicts().get())


def test_a_request_for_named_people_has_no_link_for_everybody(alice, settings):
    made, [asked] = requests.make(alice, Wishes("Photos", invited_only=True), "en", settings, [("Bob", "Bob@Z.example")])
    assert guests.find_request(requests.token(made, settings)) is None
    found = guests.find_request(requests.invite_token(asked, settings))
    assert found is not None and found.invite.address == "bob@z.example"


def test_a_date_that_is_past_shuts_it_and_reopening_takes_the_date_away(alice, settings):
    made, _asked = requests.make(alice, Wishes("Photos", until=now() + timedelta(hours=1)), "en", settings)
    assert requests.state(made) is RequestState.OPEN
    made.until = now() - timedelta(seconds=1)
    made.save()
    assert requests.state(made) is RequestState.OVER
    assert requests.reopen(made)
    assert requests.state(FileRequest.get_by_id(made.id)) is RequestState.OPEN


def test_who_is_asked_twice_is_asked_once_and_who_was_removed_gets_another_link(alice, settings):
    made, [bob] = requests.make(alice, Wishes("Photos"), "en", settings, [("", "bob@z.example")])
    assert requests.invite(made, [("Bob", "BOB@z.example")], settings) == []
    before = requests.invite_token(bob, settings)
    assert requests.remove_invite(bob)
    assert guests.find_request(before) is None
    [again] = requests.invite(made, [("Bob", "bob@z.example")], settings)
    assert again.id == bob.id and requests.invite_token(again, settings) != before
    assert guests.find_request(before) is None and guests.find_request(requests.invite_token(again, settings)) is not None


def test_removing_somebody_can_be_undone_with_the_link_they_have(alice, settings):
    made, [bob] = requests.make(alice, Wishes("Photos"), "en", settings, [("", "bob@z.example")])
    requests.remove_invite(bob)
    requests.put_back_invite(bob)
    assert guests.find_request(requests.invite_token(bob, settings)) is not None


def test_who_is_asked_counts_for_the_day_and_for_links_too(alice, settings):
    alice.recipients_per_day = 2
    alice.save()
    made, [bob] = requests.make(alice, Wishes("Photos"), "en", settings, [("", "bob@z.example")])
    FileRequestInvite.update(invited=now() - timedelta(hours=5)).where(FileRequestInvite.id == bob.id).execute()
    assert mail_limits.people_left(alice, settings) == 1
    with pytest.raises(TooManyRequestsError):
        requests.invite(made, [("", "eve@z.example"), ("", "zoe@z.example")], settings)


def test_nobody_mails_more_people_an_hour_by_asking_than_by_writing(alice, settings):
    alice.recipients_per_hour = 3
    alice.save()
    people = [("", f"p{number}@z.example") for number in range(4)]
    with pytest.raises(TooManyRequestsError):
        requests.make(alice, Wishes("Photos"), "en", settings, people)
    assert FileRequest.select().count() == 0  # and nothing half made
    _made, asked = requests.make(alice, Wishes("Photos"), "en", settings, people[:3])
    with pytest.raises(TooManyRequestsError):
        requests.remind(FileRequestInvite.get_by_id(asked[0].id), settings)


def test_a_request_has_no_more_people_than_a_transfer_has_recipients(alice, settings):
    people = [("", f"p{number}@z.example") for number in range(settings.transfers.recipients + 1)]
    with pytest.raises(LimitReachedError):
        requests.make(alice, Wishes("Photos"), "en", settings, people)


def test_a_disabled_owner_takes_nothing(alice, settings):
    made, _asked = requests.make(alice, Wishes("Photos"), "en", settings)
    User.update(active=0).where(User.id == alice.id).execute()
    assert guests.find_request(requests.token(made, settings)) is None


def test_old_requests_of_which_nothing_is_left_are_forgotten(alice, settings):
    old, _asked = requests.make(alice, Wishes("Old"), "en", settings)
    used, _asked = requests.make(alice, Wishes("Used"), "en", settings)
    guests.begin(guests.find_request(requests.token(used, settings)), guests.Guest("Zoé"), settings)
    FileRequest.update(closed=now() - timedelta(days=91)).execute()
    standing, _asked = requests.make(alice, Wishes("Standing"), "en", settings)
    assert requests.sweep(settings) == 1
    assert {row.id for row in FileRequest.select()} == {used.id, standing.id}


# --- its owner's pages -----------------------------------------------------------------------------------------------


def test_the_first_page_says_what_it_is_for(browser):
    page = browser.get("/transfers/requests")
    assert "Give a link to people who don’t have an account here" in page.text
    assert browser.get(page.link("Ask for files")).status == 200


def test_a_request_shows_its_link_its_picture_and_a_sheet(browser, settings):
    page = asks(browser, until="2199-12-24")
    assert page.status == 422 and "too far away" in page.text
    page = asks(browser)
    assert page.status == 200
    link = page.one("[data-transfer-link]")["data-transfer-link"]
    assert link == f"https://mail.lycee.example/g/{requests.token(FileRequest.get(), settings)}"
    assert page.one(".link-card .qr svg")
    sheet = browser.get(page.link("Sheet to print"))
    assert "Class trip" in sheet.text and link in sheet.text and sheet.one(".qr svg")
    assert f"Large files: {link}" in [one.get("value") for one in page.all(".signature-hint input")]


def test_people_who_are_named_are_mailed_their_own_links(browser, settings):
    page = asks(browser, who="named", people="Bob <bob@z.example>, eve@z.example")
    assert "2 people get their link by email" in page.notices
    assert not page.all("[data-transfer-link]")
    bodies = {row.recipient: row for row in SystemMessage.select()}
    assert set(bodies) == {"bob@z.example", "eve@z.example"}
    assert FileRequest.get().invited_only == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": " "}, "Say what the files are for"),
        ({"title": "x" * 200}, "too long"),
        ({"people": "not an address"}, "is not an email address"),
        ({"who": "named"}, "Type at least one address"),
        ({"who": "named", "people": "eve@z.example"}, "can only write to people in your organisation. Remove eve@z.example"),
        ({"until": "yesterday"}, "Enter a date"),
        ({"until": "2020-01-01"}, "already passed"),
        ({"files": "0"}, "Type a number from 1"),
        ({"days": "1000"}, "Type a number from 1"),
        ({"most": "-1"}, "Choose one of these"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(browser, fields, words):
    policies.set_own(User.get(), Policy(writes_to="inside"))
    page = asks(browser, **{"title": "Trip", "message": "Bring <b>all</b>", **fields})
    assert page.status == 422 and words in page.text
    assert page.one("#message").get_text().strip() == "Bring <b>all</b>"
    assert FileRequest.select().count() == 0


def test_a_request_is_changed_and_its_link_stays(browser, settings):
    asks(browser, until=f"{now() + timedelta(days=9):%Y-%m-%d}", until_hour="16:00")
    row = FileRequest.get()
    assert row.until is not None
    before = requests.token(row, settings)
    page = browser.get(f"/transfers/requests/{row.id}/change")
    page = browser.submit(
        page, "#request-form", title="Class trip 2", until="", until_hour="", most="25", files="3", action="save"
    )
    assert "still the same" in page.notices and "Class trip 2" in page.text and "25 MB and 3 files" in page.text
    changed = FileRequest.get()
    assert requests.token(changed, settings) == before and changed.until is None


def test_closing_is_undone_from_its_notice(browser):
    page = asks(browser)
    page = browser.submit(page, "form.page-end", action="close")
    assert "nobody can send files" in page.notices and FileRequest.get().closed is not None
    undo = browser.submit(page, "#notices form")
    assert "is open" in undo.notices and FileRequest.get().closed is None


def test_somebody_is_reminded_and_removed_and_put_back(browser):
    page = asks(browser, who="named", people="bob@z.example")
    SystemMessage.delete().execute()
    page = browser.submit(page, ".people form", action="remind")
    assert "A reminder with the link is being sent" in page.notices and SystemMessage.select().count() == 1
    page = browser.submit(page, ".people form", action="remind")
    assert "was reminded recently" in page.notices and SystemMessage.select().count() == 1
    page = browser.submit(page, ".people form", action="remove")
    assert "no longer works" in page.notices and not page.all(".people")
    page = browser.submit(page, "#notices form")
    assert "works again" in page.notices and len(page.all(".people li")) == 1


def test_more_people_are_asked_later(browser):
    page = asks(browser)
    page = browser.submit(page, ".ask-more", people="bob@z.example\neve@z.example", action="invite")
    assert len(page.all(".people li")) == 2
    page = browser.submit(page, ".ask-more", people="nobody", action="invite")
    assert page.status == 422 and page.one("#more").get_text().strip() == "nobody"


def test_anothers_request_is_not_there(app, browser):
    asks(browser, who="named", people="bob@z.example")
    row, invite = FileRequest.get(), FileRequestInvite.get()
    eve = ground.person(app, "eve")
    here = f"/transfers/requests/{row.id}"
    token = eve.get("/transfers/requests/new").one("#request-form [name=csrf_token]")["value"]
    assert {eve.get(one).status for one in (here, f"{here}/change", f"{here}/sheet")} == {404}
    posts = [
        (here, {"action": "close"}),
        (f"{here}/change", {"title": "x"}),
        (f"{here}/people/{invite.id}", {"action": "remove"}),
    ]
    assert {eve.post(url, {**data, "csrf_token": token}).status for url, data in posts} == {404}
    assert FileRequest.get().closed is None and FileRequestInvite.get().removed is None


def test_the_pages_in_french_and_as_pieces(app, alice):
    browser = ground.signed_in(app, language="fr")
    page = browser.get("/transfers/requests", htmx="main")
    assert "Demandes de fichiers" in page.text and not page.all("body")


@pytest.mark.parametrize("off", [{"guests": False}, {"on": False}, {"key": "link"}])
def test_an_administrator_switches_it_off(tmp_path, off):
    with ground.application(tmp_path / "instance", transfers=off) as app:
        browser = ground.person(app)
        assert browser.get("/transfers/requests").status == 404
        assert browser.get("/transfers/requests/new").status == 404
