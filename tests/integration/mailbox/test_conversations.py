"""Conversations, as visits on a real Dovecot: which messages are one row, what the row says, what it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail.errors import ServerAwayError
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.lists import threads


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    threads.forget_all()


def reply(to: str, text: str = "Oui", sender: str = "Zoé Dupont <zoe@x.example>", n: int = 1) -> bytes:
    """A message that answers the one whose subject is `to`."""
    first = message(to)
    made = message(f"Re: {to}", text, sender, In_Reply_To=str(first["Message-ID"]), References=str(first["Message-ID"]))
    made.replace_header("Message-ID", f"<re-{n}-{abs(hash(to))}@lycee.example>")
    return bytes(made)


def grouped(person: Visitor, mailbox: str = "INBOX") -> Page:
    page = person.get(f"/mailbox/{mailbox}")
    return person.submit(page, "#messages", action=page.one("#messages button[value^=group]")["value"])


@pytest.fixture
def talking(person: Visitor, fill: Callable[..., list[int]]) -> Visitor:
    """Five messages, of which 1, 3 and 5 are a conversation; its list is by conversation."""
    fill(person, message("Sortie"), message("Cantine"), reply("Sortie"), message("Bulletins"))
    fill(person, reply("Sortie", sender="Fanny Ducret <fanny@x.example>", n=2))
    grouped(person)
    return person


def test_a_conversation_is_one_row_where_its_newest_message_is(talking: Visitor) -> None:
    page = talking.get("/mailbox/INBOX")
    assert page.rows == ["Re: Sortie", "Bulletins", "Cantine"]
    row = page.all("[data-row]")[0]
    assert [bdi.get_text() for bdi in row.select(".w bdi")] == ["Fanny Ducret", "Zoé Dupont", "Bob Girard"]
    assert row.select_one("[title='3 messages']") is not None
    assert row.select_one("input[name=uids]")["value"] == "5,3,1"  # type: ignore[index]
    assert "1–3 of 3" in page.text


def test_it_is_a_choice_for_one_folder_and_taken_back(talking: Visitor, fill: Callable[..., list[int]]) -> None:
    talking.client.get("/mailbox/INBOX")
    fill(talking, message("A"), reply("A"), mailbox="Archive")
    assert talking.get("/mailbox/Archive").rows == ["Re: A", "A"]
    page = grouped(talking)
    assert page.rows == ["Re: Sortie", "Bulletins", "Re: Sortie", "Cantine", "Sortie"]
    assert not talking.get("/settings/reading").one("input[name=conversations]").has_attr("checked")


def test_searches_and_other_orders_are_of_single_messages(talking: Visitor) -> None:
    assert len(talking.get("/mailbox/INBOX?query=sortie").rows) == 3
    assert len(talking.get("/mailbox/INBOX?sort=subject").rows) == 5


def test_a_row_is_unread_while_one_of_its_messages_is_and_opens_the_newest_of_these(
    talking: Visitor, imap_of: Callable[[str], IMAPClient]
) -> None:
    client = imap_of(talking.address)
    client.select_folder("INBOX")
    client.add_flags([5], [b"\\Seen"])
    page = talking.get("/mailbox/INBOX")
    first = page.all("[data-row]")[0]
    assert "u" in first["class"] and first["data-uid"] == "3"
    talking.get(str(first.select_one(".s a")["href"]))  # type: ignore[index]
    client.add_flags([1], [b"\\Seen"])
    first = talking.get("/mailbox/INBOX").all("[data-row]")[0]
    assert not first.has_attr("class") and first["data-uid"] == "5"


def test_ticking_a_row_takes_all_of_its_messages_and_undo_brings_them_back(talking: Visitor) -> None:
    page = talking.submit(talking.get("/mailbox/INBOX"), "#messages", uids="5,3,1", action="archive")
    assert page.rows == ["Bulletins", "Cantine"]
    assert "3 messages archived" in page.notices
    assert len(talking.get("/mailbox/Archive").rows) == 3
    page = talking.submit(talking.get("/mailbox/INBOX"), "form[action='/undo']")
    assert page.rows == ["Re: Sortie", "Bulletins", "Cantine"]


@pytest.mark.parametrize("action", ["archive", "delete"])
def test_what_comes_back_stands_where_its_date_puts_it(
    person: Visitor, imap_of: Callable[[str], IMAPClient], action: str
) -> None:
    client = imap_of(person.address)
    letters = [message("Sortie"), message("Cantine"), reply("Sortie"), message("Bulletins"), message("Notes")]
    for day, letter in enumerate(letters, 1):
        client.append("INBOX", bytes(letter), msg_time=datetime(2026, 3, day, 12, tzinfo=UTC))
    page = grouped(person)
    order = ["Notes", "Bulletins", "Re: Sortie", "Cantine"]
    assert page.rows == order
    page = person.submit(page, "#messages", uids="3,1", action=action)
    assert page.rows == ["Notes", "Bulletins", "Cantine"]
    page = person.submit(page, "form[action='/undo']")
    assert page.rows == order
    talk = page.all("[data-row]")[2]
    assert [bdi.get_text() for bdi in talk.select(".w bdi")] == ["Zoé Dupont", "Bob Girard"]
    # only one of the two went and came back, and has a higher UID than the answer to it
    oldest = str(talk.select_one("input[name=uids]")["value"]).split(",")[1]  # type: ignore[index]
    page = person.submit(page, "#messages", uids=oldest, action=action)
    page = person.submit(page, "form[action='/undo']")
    assert page.rows == order
    page = person.get(page.link("Re: Sortie"))
    page = person.get(page.link("Show conversation"))
    assert [turn.get_text(" ", strip=True) for turn in page.all(".turn > summary bdi")] == ["Bob Girard", "Zoé Dupont"]
    # what only goes does not disturb the order either
    page = person.get("/mailbox/INBOX")
    page = person.submit(page, "#messages", uids="5", action=action)
    assert page.rows == order[1:]


def test_the_star_flags_the_message_that_opens_and_is_taken_from_all(
    talking: Visitor, imap_of: Callable[[str], IMAPClient]
) -> None:
    client = imap_of(talking.address)
    client.select_folder("INBOX")
    client.add_flags([1], [b"\\Flagged"])
    page = talking.get("/mailbox/INBOX")
    star = page.all("[data-row] button[name=star]")[0]
    assert star["value"] == "unflag:5,3,1"
    page = talking.submit(page, "#messages", star=star["value"], uids=None)
    assert page.all("[data-row] button[name=star]")[0]["value"] == "flag:5"
    client.noop()
    assert client.search(["FLAGGED"]) == []


def test_selecting_all_counts_messages_and_takes_them(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, *(message(f"Sujet {n}") for n in range(51)), reply("Sujet 0"))
    grouped(person)
    page = person.get("/mailbox/INBOX?select=page")
    assert "Select all 52 messages" in page.text
    page = person.get("/mailbox/INBOX?select=all")
    assert "All 52 messages are selected" in page.notices
    page = person.submit(page, "#messages", action="archive", uids=None)
    assert "52 messages archived" in page.notices


def test_pages_are_of_conversations(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, *(message(f"Sujet {n}") for n in range(52)), reply("Sujet 0"))
    page = grouped(person)
    assert len(page.rows) == 50 and page.rows[0] == "Re: Sujet 0" and "1–50 of 52" in page.text
    assert person.get(page.one("a[rel=next]")["href"]).rows == ["Sujet 2", "Sujet 1"]
    assert person.get("/mailbox/INBOX?page=99").rows == ["Sujet 2", "Sujet 1"]
    assert person.get("/mailbox/INBOX?date=2000-01-01").address == "/mailbox/INBOX?day=2000-01-01&page=2"


def test_what_comes_and_goes_is_seen_at_once(
    talking: Visitor, fill: Callable[..., list[int]], imap_of: Callable[[str], IMAPClient]
) -> None:
    fill(talking, reply("Cantine", n=7))
    assert talking.get("/mailbox/INBOX").rows == ["Re: Cantine", "Re: Sortie", "Bulletins"]
    client = imap_of(talking.address)
    client.select_folder("INBOX")
    client.delete_messages([5, 6])
    client.expunge()
    page = talking.get("/mailbox/INBOX")
    assert page.rows == ["Bulletins", "Re: Sortie", "Cantine"]
    assert page.all("input[name=uids]")[1]["value"] == "3,1"


def test_a_server_without_threads_lists_messages_and_says_nothing(talking: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    has = Connection.has
    monkeypatch.setattr(Connection, "has", lambda self, name: not name.startswith("THREAD") and has(self, name))
    page = talking.get("/mailbox/INBOX")
    assert len(page.rows) == 5
    assert not page.notices and not page.all("button[name=grouped]")
    assert talking.get("/message/5/INBOX").status == 200


def test_an_empty_folder_by_conversation_is_empty(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    page = grouped(person)
    page = person.submit(page, "#messages", uids="1", action="archive")
    assert "Nothing here" in page.text


def test_a_fragment_has_the_same_rows(talking: Visitor) -> None:
    assert talking.get("/mailbox/INBOX", htmx="main").rows == ["Re: Sortie", "Bulletins", "Cantine"]


def test_nonsense_is_not_an_error(talking: Visitor) -> None:
    page = talking.submit(talking.get("/mailbox/INBOX"), "#messages", uids="5,x,,99999999999999", action="flag")
    assert page.status == 200 and page.rows
    token = page.one("#messages input[name=csrf_token]")["value"]
    assert talking.post("/conversations/No/Such", {"csrf_token": token, "grouped": "1", "back": "//evil.example"}).status == 404
    assert talking.post("/conversations/INBOX", {"grouped": "1"}).status == 400


def test_a_folder_of_somebody_else_is_not_there(talking: Visitor, app, make_account: Callable[..., str]) -> None:
    other = Visitor(app, make_account()).sign_in()
    grouped_rows = talking.get("/mailbox/INBOX").rows
    assert other.get("/mailbox/INBOX").rows == [] != grouped_rows


def test_references_without_end_do_not_break_the_list(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, b"From: x@x.example\r\nSubject: endless\r\nReferences: " + b"<a@b> " * 16_000 + b"\r\n\r\nx")
    page = grouped(person)
    assert page.status == 200 and "endless" in page.text


@pytest.fixture
def slow_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes too long whenever it is asked for conversations."""
    run = Connection.run

    def hurried(self: Connection, *commands: Command) -> Any:
        if any(b"THREAD" in word for command in commands for word in command):
            raise ServerAwayError("timed out")
        return run(self, *commands)

    monkeypatch.setattr(Connection, "run", hurried)


def test_where_grouping_takes_too_long_the_messages_are_listed_and_the_page_says_so(talking: Visitor, slow_threads: None) -> None:
    threads.forget_all()
    page = talking.get("/mailbox/INBOX")
    assert page.rows == ["Re: Sortie", "Bulletins", "Re: Sortie", "Cantine", "Sortie"]
    assert "they are listed one by one" in page.text


def test_where_the_others_of_a_conversation_are_not_found_in_time_it_is_one_message(talking: Visitor, slow_threads: None) -> None:
    threads.forget_all()
    page = talking.get("/conversation/3/INBOX")
    assert [turn["id"] for turn in page.all("details.turn")] == ["m3"]
    assert "could not find the other messages of this conversation in time" in page.text
