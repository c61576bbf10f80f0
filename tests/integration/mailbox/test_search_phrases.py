"""Phrases: words between quotes are found side by side, in one folder and in all, on all pages and by what is done to all results."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.searches import search
from tests.support.visits import Visitor
from webmail.imap.searching import phrases

Fill = Callable[..., list[int]]


def html(subject: str, text: str) -> EmailMessage:
    made = message(subject)
    made.set_content(f"<html><body>{text}</body></html>", subtype="html")
    return made


@pytest.fixture
def council(person: Visitor, fill: Fill) -> Visitor:
    fill(
        person,
        message("with", "Le conseil de classe aura lieu mardi."),
        message("without", "Le conseil de la classe aura lieu mardi."),
        message("apart", "Une classe sans conseil de qui que ce soit."),
        message("wrapped", "Venez tous au CONSEIL\nde classe."),
        html("bold", "<p>au <b>conseil</b> de&nbsp;classe</p>"),
        html("table", "<table><tr><td>conseil</td><td>de</td><td>classe</td></tr></table>"),
        html("blocks", "<p>conseil de</p><p>la classe</p>"),
        message("Conseil de classe", "autre"),
        message("from", "rien", sender="Conseil de Classe <classe@lycee.example>"),
        message("accents", "la réunion de rentrée de l’équipe"),
        message("no accents", "l'equipe : rentree, reunion de"),
    )
    return person


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"conseil de classe"', {"with", "wrapped", "bold", "table", "Conseil de classe", "from"}),
        ("« conseil  de Classe »", {"with", "wrapped", "bold", "table", "Conseil de classe", "from"}),
        ('subject:"conseil de classe"', {"Conseil de classe"}),
        ('de:"conseil de classe"', {"from"}),
        ('body:"conseil de classe" mardi', {"with"}),
        ('"reunion de rentree"', {"accents"}),
        ('"de l\'équipe"', {"accents"}),
        ('"conseil de la classe" OR subject:bold', {"without", "blocks", "bold"}),
    ],
)
def test_words_between_quotes_are_side_by_side(council: Visitor, query: str, found: set[str]) -> None:
    assert set(search(council, query).rows) == found
    assert set(search(council, query, scope="all").rows) == found


def test_other_orders_and_what_is_done_to_all_results_keep_to_it(council: Visitor, imap_of: Callable[[str], IMAPClient]) -> None:
    page = search(council, '"conseil de classe"', sort="subject")
    assert page.rows == ["bold", "Conseil de classe", "from", "table", "with", "wrapped"]
    assert "6 messages found" in page.text
    page = council.submit(page, "#messages", action="archive", all="1")
    if confirm := page.all("button[name=confirm]"):
        page = council.submit(page, "form:has(button[name=confirm])", confirm=confirm[0]["value"])
    client = imap_of(council.address)
    assert client.folder_status("Archive")[b"MESSAGES"] == 6


def test_beyond_the_newest_it_is_said(council: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "MOST_CHECKED", 4)
    monkeypatch.setattr(phrases.check, "__defaults__", (4,))
    for scope in ("", "all"):
        page = search(council, '"conseil de classe"', scope=scope)
        assert "with" in page.rows and "without" in page.rows and "blocks" not in page.rows
        assert "only the words were checked" in page.text


def test_with_or_and_minus_it_is_said_that_quotes_mean_nothing(council: Visitor) -> None:
    page = search(council, 'mardi -"conseil de classe"')
    assert "quotes do not keep words together" in page.text
    assert "quotes do not keep" not in search(council, '"conseil de classe"').text


def test_a_message_is_read_once(council: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    before = phrases.match_data.add_texts
    monkeypatch.setattr(
        phrases.match_data, "add_texts", lambda c, found, *a, **k: (read.append(len(found)), before(c, found, *a, **k))
    )
    search(council, '"conseil de classe"')
    search(council, '"conseil de classe"', sort="oldest")
    search(council, '"conseil de classe"', scope="all")
    assert sum(read) == 7
