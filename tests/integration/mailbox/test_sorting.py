"""Orders of a list: the Sort menu, oldest first at the cost of newest first, sizes in rows; on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.searches import search
from tests.support.visits import Page, Visitor
from webmail import imap
from webmail.account import Account
from webmail.models import User
from webmail.preferences import change

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


@pytest.fixture
def sorted_person(person: Visitor, imap_of: ImapOf) -> Visitor:
    """Three messages, whose order by date, sender, subject and size differ."""
    client = imap_of(person.address)
    for day, (subject, sender, length) in enumerate(
        [
            ("Bilan", "Zoé <zoe@x.example>", 20),
            ("Compte", "Ann <ann@x.example>", 90_000),
            ("Accord", "Max <max@x.example>", 4_000),
        ],
        1,
    ):
        made = message(subject, "x" * length, sender=sender)
        client.append("INBOX", bytes(made), (), datetime(2026, 5, day, 12, tzinfo=UTC))
    return person


def button(page: Page) -> str:
    """The words of the Sort button."""
    return next(one.get_text(strip=True) for one in page.all(".list-bar summary") if "Sort" in one.get_text())


def test_a_folder_is_shown_oldest_first_and_the_button_says_so(sorted_person: Visitor) -> None:
    page = sorted_person.get("/mailbox/INBOX")
    assert page.rows == ["Accord", "Compte", "Bilan"] and button(page) == "Sort"
    oldest = sorted_person.get(page.link("Oldest first"))
    assert oldest.rows == ["Bilan", "Compte", "Accord"] and button(oldest) == "Sort: oldest first"
    by_sender = sorted_person.get(page.link("Sender"))
    assert by_sender.rows == ["Compte", "Accord", "Bilan"] and button(by_sender) == "Sort: sender"
    found = search(sorted_person, "bilan OR accord", sort="oldest")
    assert found.rows == ["Bilan", "Accord"]


def test_sizes_are_shown_where_they_are_the_order(sorted_person: Visitor) -> None:
    assert not any("KB" in cell.get_text() for cell in sorted_person.get("/mailbox/INBOX").all("td.m"))
    page = sorted_person.get("/mailbox/INBOX?sort=size")
    assert page.rows == ["Compte", "Accord", "Bilan"]
    assert [cell.get_text(strip=True).replace("\xa0", " ") for cell in page.all("td.m")][1:] != ["", ""]
    assert "KB" in page.all("td.m")[0].get_text()


def test_pages_of_oldest_first_lead_from_old_to_new(person: Visitor, imap_of: ImapOf, account_of: Callable[..., Account]) -> None:
    imap_of(person.address).multiappend("INBOX", [bytes(message(f"N {n}")) for n in range(1, 121)])
    account = account_of(person.address)
    shown: list[str] = []
    for number in (1, 2, 3):
        with imap.connect(account, "INBOX") as connection:
            before = connection.round_trips
            listing = imap.listing.page(connection, "INBOX", page=number, sort="oldest")
            assert connection.round_trips - before <= 2  # as newest first
        shown += [row.subject for row in listing.rows]
    assert shown == [f"N {n}" for n in range(1, 121)]
    page = person.get("/mailbox/INBOX?sort=oldest&page=2")
    words = [link.get_text(strip=True) for link in page.all(".pager a.btn")]
    assert words == ["Older", "Newer"]
    by_sender = person.get("/mailbox/INBOX?sort=from&page=2")
    assert [link.get_text(strip=True) for link in by_sender.all(".pager a.btn")] == ["Previous", "Next"]


def test_a_message_opened_from_oldest_first_leads_on_to_newer_ones(sorted_person: Visitor) -> None:
    page = sorted_person.get(sorted_person.get("/mailbox/INBOX?sort=oldest").link("Compte"))
    titles = {link["rel"][0]: link for link in page.all("main a[rel]") if link["rel"][0] in ("prev", "next")}
    assert titles["next"]["title"] == "Next message"
    assert sorted_person.get(str(titles["next"]["href"])).one("h1").get_text(strip=True) == "Accord"
    assert sorted_person.get(str(titles["prev"]["href"])).one("h1").get_text(strip=True) == "Bilan"


def test_conversations_stand_oldest_first_too(person: Visitor, fill: Fill) -> None:
    change(User.get(address=person.address), conversations=True)
    first, second = message("Un"), message("Deux")
    fill(person, first, second, message("Re: Un", In_Reply_To=first["Message-ID"], References=first["Message-ID"]))
    assert person.get("/mailbox/INBOX").rows == ["Re: Un", "Deux"]
    assert person.get("/mailbox/INBOX?sort=oldest").rows == ["Deux", "Re: Un"]


def test_nothing_found_leaves_no_empty_toolbar(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    page = person.get("/mailbox/INBOX?query=introuvable")
    assert [bar for bar in page.all(".list-bar") if not bar.find_parent("noscript")] == []
    assert "Refresh" in page.one("noscript .list-bar").get_text()
