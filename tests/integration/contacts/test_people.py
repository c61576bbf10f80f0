"""The page of people one writes to: without scripts, one is forgotten and taken back; nobody sees another's."""

from __future__ import annotations

import pytest

from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import Acquaintance, Correspondent, User

FORGET = "main table form[action^='/contacts/people?'], main table form[action='/contacts/people']"


@pytest.fixture
def kim(app, make_account):
    visitor = Visitor(app, make_account("kim")).sign_in()
    with db.connection_context():
        user = User.get(User.address == visitor.address)
        Correspondent.create(user=user, address="kari@fjord.example", name="Kari <b>Nordmann</b>", count=151)
        Acquaintance.create(user=user, address="zoe@x.example", name="Zoé", count=2)
    return visitor


def shown(page):
    return [row.get_text(" ", strip=True) for row in page.all("main table td:first-child")]


def test_they_are_listed_and_one_is_forgotten_until_undo(kim):
    page = kim.get(kim.get("/contacts").link("People you write to"))
    assert shown(page) == [
        "Kari <b>Nordmann</b> kari@fjord.example You sent 151 messages", "Zoé zoe@x.example Sent you 2 messages",
    ]  # fmt: skip
    assert kim.get("/recipients?words=kari").all("[role=option]")
    page = kim.get("/contacts/people?words=kari")
    page = kim.submit(page, FORGET, action="forget")
    assert "kari@fjord.example will no longer be suggested." in page.notices
    assert not kim.get("/recipients?words=kari").all("[role=option]")
    page = kim.submit(page, "[role=status] form, .notice form")
    assert "will be suggested again" in page.notices
    assert kim.get("/recipients?words=kari").all("[role=option]")


def test_somebody_elses_people_are_neither_seen_nor_forgotten(kim, app, make_account):
    eve = Visitor(app, make_account("eve")).sign_in()
    page = eve.get("/contacts/people")
    assert "Nobody yet." in page.text and "kari" not in page.text
    token = page.all("main form [name=csrf_token]")[0]["value"]
    eve.post("/contacts/people", {"csrf_token": token, "action": "forget", "address": "kari@fjord.example"})
    assert len(shown(kim.get("/contacts/people"))) == 2


@pytest.mark.parametrize("query", ["?page=0", "?page=999999999999999999999", "?page=x", "?words=%00%25_'\"<"])
def test_odd_addresses_do_no_harm(kim, query):
    assert kim.get("/contacts/people" + query).status == 200


def test_the_page_needs_a_sign_in(app):
    assert Visitor(app).get("/contacts/people", follow=False).status == 302


@pytest.mark.parametrize("action", ["forget", "remember"])
@pytest.mark.parametrize("address", ["a\x00b@x.example", "\ud800@x.example", "x" * 100_000, "", "@", "😀@é.example"])
def test_an_address_that_is_none_does_no_harm(kim, action, address):
    token = kim.get("/contacts/people").all("main form [name=csrf_token]")[0]["value"]
    sent = {"csrf_token": token, "action": action, "address": address.encode("utf-8", "surrogatepass")}
    assert kim.post("/contacts/people", {**sent, "words": "\x00", "page": "9" * 5000}).status == 200
    assert len(shown(kim.get("/contacts/people"))) == 2
