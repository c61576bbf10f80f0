"""What the search box offers: folders, people, tags, recent searches; and which searches are kept as recent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from webmail import create_app, preferences
from webmail.database.connection import db
from webmail.imap.searching.search import parse
from webmail.mail import Mailbox, Role
from webmail.mailbox import tags
from webmail.mailbox.search import recent_searches, search_query
from webmail.mailbox.search.search_suggestions import SearchSuggestions, suggestions
from webmail.models import Acquaintance, Correspondent, RecentSearch, User

FOLDERS = [
    (Mailbox("INBOX", "/", Role.INBOX), "Boîte de réception"),
    (Mailbox("Projets", "/", selectable=False), "Projets"),
    (Mailbox("Projets/Erasmus", "/"), "Projets/Erasmus"),
    (Mailbox("Projets/Erasmus/Leeds", "/"), "Projets/Erasmus/Leeds"),
    (Mailbox("Élections", "/"), "Élections"),
]


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[User]:
    create_app(tmp_path, secure_cookies="false", imap_security="none")
    with db.connection_context():
        yield User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


@pytest.fixture
def known(alice: User) -> User:
    """Alice, with people, tags and searches."""
    Correspondent.create(user=alice, address="nora.martin@x.example", name="Nora Martin", count=4)
    Acquaintance.create(user=alice, address="ernest@x.example", name="Ernest Éluard")
    tags.add(alice, "Erasmus+", "red")
    for query in ("erasmus 2025", "conseil", "from:nora budget"):
        recent_searches.note(alice, query)
    return alice


def told(found: SearchSuggestions) -> tuple[list[str], list[str], list[str], list[str]]:
    return (
        [path for _mailbox, path in found.folders], [one.label for one in found.people], [tag.name for tag in found.tags],
        list(found.recent),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ([], [], [], ["from:nora budget", "conseil", "erasmus 2025"])),
        ("ÉRASM", (["Projets/Erasmus", "Projets/Erasmus/Leeds"], [], ["Erasmus+"], ["erasmus 2025"])),
        ("er", (["Projets/Erasmus", "Projets/Erasmus/Leeds"], ["Ernest Éluard"], ["Erasmus+"], ["erasmus 2025"])),
        ("elec", (["Élections"], [], [], [])),
        ("projets leeds", (["Projets/Erasmus/Leeds"], [], [], [])),
        ("boite rec", (["Boîte de réception"], [], [], [])),
        ("mart", ([], ["Nora Martin"], [], [])),
        ("nora", ([], ["Nora Martin"], [], ["from:nora budget"])),
        ("from:no", ([], [], [], ["from:nora budget"])),  # a name is no longer meant
        ("conseil", ([], [], [], [])),  # not what is in the box already
        ("projets", (["Projets/Erasmus", "Projets/Erasmus/Leeds"], [], [], [])),  # those that can be opened
        ('"(*%', ([], [], [], [])),
        ("x" * 5_000, ([], [], [], [])),
    ],
)
def test_what_typed_words_may_mean(known: User, typed: str, offered: tuple[list[str], ...]) -> None:
    assert told(suggestions(known, typed, FOLDERS)) == offered


def test_at_most_three_of_each_are_offered(alice: User) -> None:
    many = [(Mailbox(f"Dossier {n}", "/"), f"Dossier {n}") for n in range(900)]
    for n in range(30):
        Correspondent.create(user=alice, address=f"d{n}@x.example", name=f"Dossier {n}", count=n)
    assert [len(part) for part in told(suggestions(alice, "dossier", many))] == [3, 3, 0, 0]
    assert told(suggestions(alice, "dossier", many))[1][0] == "Dossier 29"  # whom one writes to most


def test_who_wants_no_suggestions_from_mail_gets_none(known: User) -> None:
    preferences.change(known, suggest_met=False)
    assert not suggestions(User.get_by_id(known.id), "nora", FOLDERS).people


def test_what_is_searched_on_a_shared_computer_is_not_offered_there(known: User) -> None:
    assert not suggestions(known, "", FOLDERS, with_recent=False).recent


def test_the_last_ten_searches_are_kept_each_once(alice: User) -> None:
    for number in range(14):
        recent_searches.note(alice, f"mot {number}")
    recent_searches.note(alice, "mot 9")
    assert recent_searches.latest(alice) == ["mot 9", *(f"mot {n}" for n in (13, 12, 11, 10, 8, 7, 6, 5, 4))]
    assert RecentSearch.select().count() == recent_searches.MOST
    assert recent_searches.clear(alice) == 10 and recent_searches.latest(alice) == []


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("conseil", True), ("from:nora budget", True), ("subject:budget", True), ("été OU hiver", True),
        ("tag:Urgent", False), ("from:nora@x.example", False), ("is:unread", False), ("", False), ("x" * 300, False),
    ],
)  # fmt: skip
def test_what_links_of_pages_look_for_is_not_kept(query: str, kept: bool) -> None:
    assert recent_searches.is_typed(parse(query)) is kept


@pytest.mark.parametrize(
    ("query", "words"),
    [("sortie de:bob musée", "sortie musée"), ("-brouillon tag:x", ""), ("(a OU b) c", "a b c"), ("x " * 400, "x")],
)
def test_the_words_for_other_things_than_messages(query: str, words: str) -> None:
    found = search_query.plain_words(parse(query, today=date(2026, 12, 1)))
    assert found == words or (len(found) <= 100 and set(found.split()) == {words})
