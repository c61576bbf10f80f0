"""Help as people read it: signed in or not, in both languages, found by a word or a question; and the cards of a first visit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.calendar_ground import application, person
from tests.support.visits import Visitor
from webmail import preferences
from webmail.help import first_cards, manual
from webmail.help.search import find
from webmail.models import User


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with application(tmp_path) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return person(app)


def names(query: str, language: str = "en") -> list[str]:
    return [page.name for page in find(query, language)]


def test_everybody_reads_it_in_their_language(app: Flask) -> None:
    stranger = Visitor(app, language="fr")
    page = stranger.get("/help")
    assert page.status == 200 and page.one("h1").get_text() == "Aide"
    read = stranger.get(page.link("Mot de passe oublié"))
    assert read.one("h1").get_text() == "Mot de passe oublié" and "adresse de secours" in read.text
    assert read.link("Retour à la connexion") == "/login"
    assert Visitor(app).get("/help/forgotten-password").one("h1").get_text() == "Forgotten password"


def test_a_page_that_is_not_there_is_not_found(app: Flask) -> None:
    assert Visitor(app).get("/help/nope").status == 404
    assert Visitor(app).get("/help/..%2f..%2fREADME").status == 404


def test_signed_in_it_stands_in_the_frame_and_needs_no_mail_server(alice: Visitor) -> None:
    page = alice.get("/help/signatures")
    assert page.one("h1").get_text() == "Signatures"
    assert page.one("#folders [aria-current]").get_text(strip=True) == "Writing and sending"
    assert page.one(".help-also [aria-current=page]").get_text() == "Signatures"
    assert not page.all(".folders a[href^='/mailbox/']")


def test_the_account_menu_leads_to_help_for_the_page(alice: Visitor) -> None:
    page = alice.get("/settings")
    assert page.link("Help") == page.one("a[data-help]")["href"] == "/help/settings"


def test_the_question_mark_shows_help_for_the_page_then_the_keys(alice: Visitor) -> None:
    page = alice.get("/help/keys?of=filters")
    links = page.all("#keys a")
    assert [str(one["href"]) for one in links] == ["/help/filters", "/help"] and links[0].get_text() == "Filters"
    assert page.html.index("Help for this page:") < page.html.index("<table")
    assert [str(one["href"]) for one in alice.get("/help/keys").all("#keys a")] == ["/help"]


def test_pictures_load_late_and_keep_their_room(alice: Visitor) -> None:
    picture = alice.get("/help/filters").one(".help-text img")
    assert picture["loading"] == "lazy" and picture["alt"] == "A filter is a sentence"
    answer = alice.client.get(str(picture["src"]))
    assert answer.status_code == 200 and answer.mimetype == "image/webp" and answer.data[8:12] == b"WEBP"
    found = manual.picture("filters", "en")
    assert found and (str(picture["width"]), str(picture["height"])) == (str(found.width), str(found.height))


@pytest.mark.parametrize(
    ("query", "language", "first"),
    [
        ("signature", "en", "signatures"),
        ("SIGNATURES", "fr", "signatures"),
        ("étiquettes", "fr", "tags"),
        ("etiquette", "fr", "tags"),
        ("comment mettre une signature ?", "fr", "signatures"),
        ("how do I set up my iPhone", "en", "connect-a-phone"),
        ("mot de passe oublie", "fr", "forgotten-password"),
        ("forgot password", "en", "forgotten-password"),
        ("vacances", "fr", "out-of-office"),
        ("unsubscribe", "en", "newsletters"),
        ("phishing", "fr", "suspicious"),
        ("wetransfer", "en", "send-files"),
        ("partager mon agenda", "fr", "sharing"),
        ("doublons", "fr", "duplicates"),
        ("thunderbird", "en", "connect-a-phone"),
        ("rappel", "fr", "reminders"),
        ("print", "en", "reading"),
        ("pièce jointe trop grosse", "fr", "large-attachments"),
        ("sharing calendars", "en", "sharing"),
    ],
)
def test_a_word_or_a_question_finds_the_page(query: str, language: str, first: str) -> None:
    assert names(query, language)[:1] == [first]


@pytest.mark.parametrize("query", ["", "   ", "zzzzz", "?", "<script>", "a" * 5000, "%s%d", "\x00"])
def test_other_queries_find_nothing_and_do_no_harm(alice: Visitor, query: str) -> None:
    assert names(query) == [] or query == "<script>"
    answer = alice.client.get("/help", query_string={"query": query})
    assert answer.status_code == 200 and b"<script>" not in answer.data


def test_the_search_page_works_by_a_plain_form(app: Flask) -> None:
    stranger = Visitor(app)
    page = stranger.submit(stranger.get("/help"), "form.help-search", query="out of office")
    assert page.address == "/help?query=out+of+office"
    assert page.all(".help-found a")[0]["href"] == "/help/out-of-office"
    nothing = stranger.get("/help?query=zzzz")
    assert "No help page has these words" in nothing.text and nothing.all(".help-list a")


def test_the_page_for_who_needs_help_offers_what_one_can_read(app: Flask) -> None:
    page = Visitor(app).get("/support")
    assert page.link("Forgotten password") == "/help/forgotten-password" and page.link("All help pages") == "/help"


# --- the cards of a first visit ----------------------------------------------------------------------------------------


def done(address: str = "alice@lycee.example") -> int:
    return preferences.for_user(User.get(User.address == address)).first_cards


def put_away(alice: Visitor, **fields: Any) -> None:
    token = str(alice.get("/settings").all("[name=csrf_token]")[0]["value"])
    answer = alice.client.post("/help/cards/seen", data={"csrf_token": token, **fields})
    assert answer.status_code == 303 and answer.headers["Location"] == "/mailbox/INBOX"


def test_cards_are_put_away_one_by_one_and_for_good(alice: Visitor) -> None:
    put_away(alice, card="1")
    put_away(alice, card="1")
    assert done() == 1
    put_away(alice, card="2")
    put_away(alice, card="1")  # another window, further behind
    assert done() == 2


def test_all_cards_can_be_put_away_at_once(alice: Visitor) -> None:
    put_away(alice, card="5")
    assert done() == first_cards.ALL


@pytest.mark.parametrize("card", ["", "0", "-1", "99", "²", "x", "1e9"])
def test_what_is_no_card_puts_nothing_away(alice: Visitor, card: str) -> None:
    put_away(alice, card=card)
    assert done() == 0


def test_each_card_leads_to_a_page_of_help() -> None:
    assert all(manual.page_named(name, "fr") for name in first_cards.PAGES) and first_cards.ALL == 5


def test_the_cards_stand_above_the_inbox_alone(app: Flask, alice: Visitor) -> None:
    assert not alice.get("/settings").all("#first-card section")
