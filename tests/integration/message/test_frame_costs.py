"""The HTML of a message is read from the mail server once for its page and the frame in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.page_costs import mail_cost
from tests.support.visits import Visitor
from webmail.message import recent_html

ROW = '<tr><td style="padding:4px"><a href="https://x.example/{0}">Nouvelle {0}</a> {1}</td></tr>'
HTML = "<html><body><table>" + "".join(ROW.format(number, "texte " * 40) for number in range(300)) + "</table></body></html>"


def newsletter(word: str = "Bulletin") -> bytes:
    made = message(word, "texte")
    made.add_alternative(HTML.replace("Nouvelle 7", word), subtype="html")
    return bytes(made)


@pytest.fixture
def path(person: Visitor, fill: Callable[..., list[int]]) -> str:
    return f"/message/{fill(person, newsletter())[-1]}/INBOX"


def frame_of(person: Visitor, path: str) -> str:
    return str(person.get(path).one("[data-message-body] iframe")["src"])


def test_page_and_frame_take_three_round_trips_and_read_the_html_once(person: Visitor, path: str) -> None:
    frame = frame_of(person, path)
    page, inside = mail_cost(person, path), mail_cost(person, frame)
    assert (page.round_trips, inside.round_trips) == (2, 1)
    assert page.size < 1.15 * len(HTML)
    assert inside.size < 1000


def test_whoever_asks_for_the_frame_again_asks_the_mail_server_and_gets_the_same(person: Visitor, path: str) -> None:
    frame = frame_of(person, path)
    first = person.get(frame).text
    assert "Bulletin" in first
    again = mail_cost(person, frame)
    assert again.round_trips == 2 and again.size > len(HTML)
    assert person.get(frame).text == first


def test_after_half_a_minute_the_mail_server_is_asked(person: Visitor, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_html, "SECONDS", -1.0)
    assert mail_cost(person, frame_of(person, path)).round_trips == 2


def test_another_session_asks_the_mail_server(app: Flask, person: Visitor, path: str) -> None:
    frame, other = frame_of(person, path), Visitor(app, person.address).sign_in()
    assert mail_cost(other, frame).round_trips == 2
    assert mail_cost(person, frame).round_trips == 1


def test_another_person_gets_their_own_message(
    app: Flask, person: Visitor, path: str, make_account: Callable[..., str], fill: Callable[..., list[int]]
) -> None:
    frame, other = frame_of(person, path), Visitor(app, make_account()).sign_in()
    fill(other, newsletter("Ailleurs"))
    theirs = other.get(frame_of(other, path)).text
    assert "Ailleurs" in theirs and "Bulletin" not in theirs
    mistaken = other.get(frame)  # the UIDVALIDITY of both may be the same
    assert mistaken.status in (200, 410) and "Bulletin" not in mistaken.text


def test_html_that_the_page_did_not_read_to_its_end_is_read_by_the_frame(person: Visitor, fill: Callable[..., list[int]]) -> None:
    made = message("Long", "texte")
    made.add_alternative(HTML.replace("texte ", "texte " * 4) + "<p>La fin</p>", subtype="html")
    frame = frame_of(person, f"/message/{fill(person, made)[-1]}/INBOX")
    assert "La fin" in person.get(frame).text
