"""The other messages of a conversation, folded below one that is read, as visits on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.settings_pages import choose
from tests.support.visits import Page, Visitor
from webmail.errors import ServerAwayError
from webmail.imap.connections import optional
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.lists import threads

Fill = Callable[..., list[int]]


def part_of(thread: str, number: int, *, subject: str = "Sortie", **head: str) -> EmailMessage:
    """The message of that number in a conversation; each refers to all before it."""
    one = message(f"{'Re: ' if number else ''}{subject}", f"Réponse numéro {number}", **head)
    del one["Message-ID"]
    one["Message-ID"] = f"<{thread}{number}@lycee.example>"
    del one["Date"]
    one["Date"] = f"Mon, 30 Nov 2026 {8 + number // 60:02}:{number % 60:02}:00 +0100"
    if number:
        one["References"] = " ".join(f"<{thread}{n}@lycee.example>" for n in range(number))
        one["In-Reply-To"] = f"<{thread}{number - 1}@lycee.example>"
    return one


@pytest.fixture
def talking(person: Visitor, fill: Fill) -> Visitor:
    """A question and three replies, one of them the person's own in Sent, and a message that belongs to none."""
    fill(person, part_of("s", 0), part_of("s", 1), message("Autre chose"), part_of("s", 3))
    fill(person, part_of("s", 2, sender=f"Moi <{person.address}>"), mailbox="Sent")
    return person


def heads(person: Visitor, page: Page) -> Page:
    """The piece that comes after the page."""
    return person.get(page.one("#others")["hx-get"], htmx="others")


def summaries(piece: Page) -> list[str]:
    return [" ".join(one.get_text(" ").split()) for one in piece.all(".talk summary")]


def test_a_message_says_that_it_is_in_a_conversation_and_lists_the_others(talking: Visitor) -> None:
    page = talking.get("/message/4/INBOX")
    assert "/conversation/4/INBOX" in page.one(".letterhead #talk-link")["href"]  # without scripts
    assert "numéro 1" not in page.text
    piece = heads(talking, page)
    assert piece.one("h2").get_text() == piece.one("a#talk-link").get_text() == "4 messages in this conversation"
    assert [one.split("numéro ")[1][0] for one in summaries(piece)] == ["2", "1", "0"]
    assert summaries(piece)[2].startswith("Unread Bob Girard Réponse numéro 0")
    assert not piece.all(".talk details[open]") and "Autre chose" not in piece.text
    assert (
        len(piece.all(".talk li > details > summary")) == 3 and piece.one("section")["aria-labelledby"] == piece.one("h2")["id"]
    )


def test_one_unfolded_has_all_that_protects_a_message_on_its_own_page(talking: Visitor, fill: Fill) -> None:
    hostile = part_of("s", 4, sender="Support <support@lycee.exarnple>", Reply_To="x@evil.example")
    hostile.set_content('<p>Cliquez <script>alert(1)</script><img src="https://img.example/a.png" alt="x"></p>', subtype="html")
    last = fill(talking, hostile)[-1]
    piece = heads(talking, talking.get("/message/1/INBOX"))
    first = piece.all("details.turn")[0]
    assert f"/unfolded/{last}/INBOX" in first["hx-get"] and first["hx-trigger"] == "toggle once"
    shown = talking.get(first["hx-get"], htmx="unfolded-1")
    assert shown.one("[data-verdict]")["data-verdict"] != "calm" and shown.all(".warning li")
    frame = shown.one("[data-message-body] iframe")
    assert "allow-scripts" not in frame["sandbox"] and "images=1" not in frame["src"]
    body = talking.get(frame["src"])
    assert "sandbox" in body.headers["Content-Security-Policy"] and "alert(1)" not in body.text
    assert not body.all("img[src]") and "1 remote image was not loaded" in body.text
    assert "/reply/" in shown.link("Reply") and f"/message/{last}/INBOX" in shown.link("Open this message")
    assert not shown.all("form")  # what is asked of a message is asked on its own page
    assert not talking.get("/mailbox/INBOX").all(f"tr.u a[href*='/message/{last}/']")


def test_a_reply_in_sent_unfolds_where_it_is(talking: Visitor) -> None:
    piece = heads(talking, talking.get("/message/4/INBOX"))
    sent = piece.all("details.turn")[0]["hx-get"]
    assert "/Sent" in sent and "Réponse numéro 2" in talking.get(sent, htmx="unfolded-1").text


def test_a_message_of_sent_has_those_of_the_inbox(talking: Visitor) -> None:
    page = talking.get(talking.get("/mailbox/Sent").link("Re: Sortie"))
    assert [one.split("numéro ")[1][0] for one in summaries(heads(talking, page))] == ["3", "1", "0"]


def test_its_dates_and_cards_keep_working_there(talking: Visitor, fill: Fill) -> None:
    dated = part_of("s", 5)
    dated.set_content("Rendez-vous le 8 décembre à 14 h.")
    fill(talking, dated)
    piece = heads(talking, talking.get("/message/1/INBOX"))
    shown = talking.get(piece.all("details.turn")[0]["hx-get"], htmx="unfolded-1")
    form = talking.get(shown.one("[data-date-chip]")["href"])
    assert form.status == 200 and form.one("[name=start_date], [name=start]")["value"].startswith("2026-12-08")


def test_alone_there_is_neither_list_nor_link(talking: Visitor) -> None:
    piece = heads(talking, talking.get("/message/3/INBOX"))
    assert piece.status == 200 and not piece.all("section, li, h2")
    assert piece.one("#talk-link")["hx-swap-oob"] == "delete"


def test_a_copy_of_the_same_message_is_one(talking: Visitor, fill: Fill) -> None:
    fill(talking, part_of("s", 3), mailbox="Archive")
    piece = heads(talking, talking.get("/message/1/INBOX"))
    assert "4 messages in this conversation" in piece.text and len(summaries(piece)) == 3


def test_what_is_in_the_trash_or_junk_is_not_joined_to_the_rest(talking: Visitor, fill: Fill) -> None:
    fill(talking, part_of("s", 6), mailbox="Junk")
    assert "4 messages" in heads(talking, talking.get("/message/1/INBOX")).text
    page = talking.get(talking.get("/mailbox/Junk").link("Re: Sortie"))
    assert not summaries(heads(talking, page))


def test_a_long_conversation_shows_the_nearest_and_leads_to_the_rest(person: Visitor, fill: Fill) -> None:
    uids = fill(person, *(part_of("l", n) for n in range(80)))[-80:]
    page = person.get(f"/message/{uids[40]}/INBOX")
    piece = heads(person, page)
    numbers = [int(one.split("numéro ")[1].split()[0]) for one in summaries(piece)]
    assert numbers == [*range(55, 40, -1), *range(39, 24, -1)]
    assert "80 messages in this conversation" in piece.text and "49 more messages are not listed here." in piece.text
    assert person.get(piece.link("Show conversation")).status == 200
    first = summaries(heads(person, person.get(f"/message/{uids[0]}/INBOX")))
    assert len(first) == 30 and "numéro 1 " in first[-1]


def test_it_can_be_turned_off(talking: Visitor) -> None:
    choose(talking, others_below=None)
    page = talking.get("/message/4/INBOX")
    assert not page.all("#others, #talk-link") and "/conversation/4/" in page.link("Show conversation")


def test_nothing_of_it_is_asked_in_the_time_of_the_page(talking: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    run = Connection._run

    def counted(self: Connection, commands: Any, *rest: Any) -> Any:
        asked.append(b" ".join(word for command in commands for word in command))
        return run(self, commands, *rest)

    talking.get("/mailbox/INBOX")
    monkeypatch.setattr(Connection, "_run", counted)
    page = talking.get("/message/4/INBOX")
    with_it = len(asked)
    assert not any(b"THREAD" in one or b"References" in one for one in asked)
    choose(talking, others_below=None)
    del asked[:]
    talking.get("/message/4/INBOX")
    assert with_it == len(asked)
    del asked[:]
    heads(talking, page)
    assert len([one for one in asked if not one.startswith(b"STATUS")]) <= 6, asked  # the counts go by themselves


def test_a_server_that_is_slow_or_does_not_thread_leaves_the_link(talking: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    page = talking.get("/message/4/INBOX")

    def refused(self: Connection, *commands: Command) -> Any:
        raise ServerAwayError("timed out")

    with monkeypatch.context() as patched:
        patched.setattr(optional, "_unanswered", {})
        patched.setattr(Connection, "run_apart", refused)
        piece = heads(talking, page)
        assert piece.status == 200 and not piece.text.strip()  # the page keeps its link
    has = Connection.has
    monkeypatch.setattr(Connection, "has", lambda self, name: not name.startswith("THREAD") and has(self, name))
    assert not heads(talking, page).all("section")


def test_strangers_and_nonsense_get_nothing(talking: Visitor, app: Flask, make_account: Callable[..., str]) -> None:
    page = talking.get("/message/4/INBOX")
    address = page.one("#others")["hx-get"]
    other = Visitor(app, make_account()).sign_in()
    assert not other.get(address, htmx="others").text.strip()
    assert other.get(address.replace("/others/", "/unfolded/"), htmx="unfolded-1").status in (404, 410)
    nobody = Visitor(app)
    for url in (address, address.replace("/others/", "/unfolded/")):
        assert "/login" in nobody.get(url, follow=False).location or nobody.get(url, htmx="others", follow=False).status in (
            204,
            401,
        )
        assert "numéro" not in nobody.get(url, htmx="others").text
    for url in ("/others/999/INBOX", "/others/4/No/Such", "/others/4/INBOX?v=1", "/others/4/INBOX?back=//evil.example"):
        found = talking.get(url, htmx="others")
        assert found.status in (200, 410) and "evil" not in found.html
    assert talking.get("/unfolded/999/INBOX", htmx="unfolded-1").status == 404
    assert talking.get("/others/4/INBOX?v=99999999999999", htmx="others").status == 410


def test_their_addresses_lead_to_pages_where_scripts_did_not_ask(talking: Visitor) -> None:
    assert "/conversation/4/INBOX" in talking.get("/others/4/INBOX", follow=False).location
    assert "/message/4/INBOX" in talking.get("/unfolded/4/INBOX", follow=False).location
    assert talking.get("/unfolded/4/INBOX", htmx="main").one("h1").get_text() == "Re: Sortie"  # after a form of a card


def test_endless_and_odd_names_of_messages_are_no_harm(person: Visitor, fill: Fill, imap_of: Callable[[str], IMAPClient]) -> None:
    odd = (
        b"From: x@x.example\r\nSubject: a\r\nMessage-ID: <"
        + b"a" * 3000
        + b"@b>\r\nReferences: "
        + b"<a@b> " * 5000
        + b"\r\n\r\nx",
        'From: x@x.example\r\nSubject: b\r\nMessage-ID: <"q\\ é"@b>\r\nReferences: <a"b\\c@d>\r\n\r\nx'.encode(),
        b"From: x@x.example\r\nSubject: c\r\n\r\nno name at all",
    )
    for uid in fill(person, *odd)[-3:]:
        threads.forget_all()
        assert heads(person, person.get(f"/message/{uid}/INBOX")).status == 200
