"""Thousands of results in many folders: every order, every page, on a real Dovecot."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.searches import search
from tests.support.visits import Visitor
from webmail import imap
from webmail.account import Account
from webmail.imap.lists import summary_cache
from webmail.imap.searching import merging
from webmail.imap.searching.search import parse
from webmail.mail import Summary

ImapOf = Callable[[str], IMAPClient]
AccountOf = Callable[..., Account]
TOTAL, FOLDERS = 2_150, 8
NAMES = ["Zoé Ériger", "ann B", "Bob", "Élodie", "ève", "Max", "yves"]


def letter(number: int, chance: random.Random) -> bytes:
    name = chance.choice(NAMES)
    subject = f"{chance.choice(('', 'Re: ', '[liste] '))}{chance.choice('éadZ')} sujet {number}"
    return bytes(message(subject, "x" * chance.randrange(3_000), sender=f'"{name}" <p{number % 5}@x.example>'))


@pytest.fixture
def many(person: Visitor, imap_of: ImapOf) -> Visitor:
    """2,150 messages in 8 folders, several at the same second."""
    client, chance = imap_of(person.address), random.Random(3)
    letters: list[list[dict[str, object]]] = [[] for _ in range(FOLDERS)]
    for number in range(TOTAL):
        when = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(1500))
        chance.choice(letters).append({"msg": letter(number, chance), "date": when})
    for number, each in enumerate(letters):
        client.create_folder(f"Dossier {number}")
        client.multiappend(f"Dossier {number}", sorted(each, key=lambda one: str(one["date"])))
    person.get("/mailbox/INBOX", reload=True)
    return person


def key_of(sort: str, row: Summary) -> object:
    match sort:
        case "date":
            return -row.received.timestamp()
        case "oldest":
            return row.received.timestamp()
        case "size":
            return -row.size
        case "from":
            return row.sender[0].name.casefold().replace("é", "e").replace("è", "e")
        case _:
            words = row.subject.replace("Re: ", "").replace("[liste] ", "")
            return words.casefold().replace("é", "e")


def pages_of(account: Account, sort: str) -> list[Summary]:
    """The rows of all pages, none of them known before."""
    shown: list[Summary] = []
    for page in range(1, 12):
        summary_cache.forget_all()
        with imap.connect(account, "INBOX") as connection:
            before = connection.round_trips
            found = imap.multi_search.search(
                connection, "INBOX", query=parse("sujet"), below=False, page=page, size=200, sort=sort
            )
            assert connection.round_trips - before <= 5
        assert (found.total, found.pages, found.page, found.is_cut) == (TOTAL, 11, page, False)
        shown += found.rows
    return shown


def test_every_page_in_every_order(many: Visitor, account_of: AccountOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "FEW", 500)  # so that later pages are found by samples, as of more results
    for sort in ("date", "oldest", "size", "from", "subject"):
        shown = pages_of(account_of(many.address), sort)
        assert len({(row.mailbox, row.uid) for row in shown}) == len(shown) == TOTAL, sort
        keys: list[Any] = [key_of(sort, row) for row in shown]
        assert keys == sorted(keys), sort
    check_pages(many)


def check_pages(many: Visitor) -> None:
    """They say how they are sorted, and lead to the last one."""
    page = search(many, "sujet", scope="all")
    assert f"{TOTAL} messages found in all folders" in page.text
    smallest = many.get(str(many.get(page.link("Largest first")).one(".pager a:-soup-contains('Last page')")["href"]))
    assert "1–50" not in smallest.text and f"of {TOTAL:,}" in smallest.text and smallest.rows
    assert {row["value"].split(".")[2] for row in smallest.all("[name=uids]")} <= {f"Dossier {n}" for n in range(FOLDERS)}
    assert "Sort: largest first" in smallest.one(".list-bar").get_text()
    assert search(many, "sujet", scope="all", sort="flagged").rows == page.rows  # an order of one folder only


def test_an_order_stays_while_the_search_widens(folders: Visitor) -> None:
    page = search(folders, "budget", sort="oldest")
    assert page.rows == ["Budget 1", "Budget 7"]
    assert folders.get(page.link("Everywhere")).rows == ["Budget 1", "Budget 2", "Budget 3", "Budget 4", "Budget 7"]
    below = folders.get("/mailbox/Travail?query=budget&scope=below&sort=subject")
    assert below.rows == ["Budget 2", "Budget 3"]


def test_more_than_300_folders_are_all_searched(person: Visitor, imap_of: ImapOf, account_of: AccountOf) -> None:
    client = imap_of(person.address)
    for number in range(320):
        client.create_folder(f"F{number:03}")
        if number % 10 == 0 or number == 319:
            client.append(f"F{number:03}", bytes(message(f"Perle {number}")))
    person.get("/mailbox/INBOX", reload=True)
    page = search(person, "perle", scope="all", sort="subject")
    assert "33 messages found in all folders" in page.text and "Perle 319" in page.rows and "too many folders" not in page.text
    with imap.connect(account_of(person.address), "INBOX") as connection:
        imap.mailboxes.overview(connection)
        before = connection.round_trips
        found = imap.multi_search.search(connection, "INBOX", query=parse("perle"), below=False)
        assert found.total == 33 and connection.round_trips - before <= 6
    assert "Perle 319" in [row.subject for row in found.rows]
