"""The list of a folder, as visits on a real Dovecot."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import imap
from webmail.account import Account


def test_an_empty_inbox_says_so(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    assert page.status == 200
    assert "Nothing here" in page.text
    assert "Inbox" in page.one("nav[aria-label=Folders] [aria-current]").get_text()


def test_an_empty_list_is_no_form_but_is_told_of_new_mail(person: Visitor) -> None:
    """A form that has nothing to send, and no button to send it, confuses who listens to a page."""
    for url in ("/mailbox/INBOX", "/mailbox/INBOX?query=nowhere", "/mailbox/INBOX?query=nowhere&scope=all"):
        page = person.get(url)
        for form in page.all("main form"):
            assert form.select("button") or page.all(f"button[form={form.get('id')}]"), form
    assert person.get("/mailbox/INBOX").one("#messages")["data-news"].startswith("/news/INBOX?state=")


def test_the_list_is_newest_first_with_marks_and_snippets(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(
        person,
        message("Premier", "Le texte du premier"),
        message("Été à Lyon", sender='"Dupont, Zoé" <zoe@x.example>'),
        message(""),
    )
    page = person.get("/mailbox/INBOX")
    assert page.rows == ["(no subject)", "Été à Lyon", "Premier"]
    assert "Le texte du premier" in page.text
    assert "Dupont, Zoé" in page.text
    assert len(page.all("tr.u")) == 3
    assert "3" in page.one("nav[aria-label=Folders] [aria-current] b").get_text()


def test_pages_have_newer_and_older(app: Flask, person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, *(message(f"Numéro {n}") for n in range(60)))
    first = person.get("/mailbox/INBOX")
    assert len(first.rows) == 50 and first.rows[0] == "Numéro 59"
    second = person.get(first.one("a[rel=next]")["href"])
    assert second.rows == [f"Numéro {n}" for n in range(9, -1, -1)]
    assert person.get("/mailbox/INBOX?page=99").rows == second.rows
    assert person.get("/mailbox/INBOX?page=-3").rows == first.rows


@pytest.mark.parametrize("total", [60, 400])
def test_a_page_of_the_list_costs_at_most_3_round_trips(
    total: int, make_account: Callable[..., str], account_of: Callable[..., Account], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    imap_of(address).multiappend("INBOX", [bytes(message(f"N {n}")) for n in range(total)])
    account = account_of(address)
    for page in (1, 1, 2, 1):
        with imap.connect(account, "INBOX") as connection:
            before = connection.round_trips
            listing = imap.listing.page(connection, "INBOX", page=page)
            assert listing.total == total and len(listing.rows) == min(50, total - (page - 1) * 50)
            assert connection.round_trips - before <= 2


def test_a_list_that_changed_meanwhile_costs_at_most_3_round_trips(
    make_account: Callable[..., str], account_of: Callable[..., Account], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    client = imap_of(address)
    client.multiappend("INBOX", [bytes(message(f"N {n}")) for n in range(80)])
    account = account_of(address)
    with imap.connect(account, "INBOX") as connection:
        first = imap.listing.page(connection, "INBOX")
    client.select_folder("INBOX")
    client.delete_messages([first.rows[3].uid, first.rows[9].uid])
    client.expunge()
    client.append("INBOX", bytes(message("Nouveau")))
    with imap.connect(account, "INBOX") as connection:
        before = connection.round_trips
        second = imap.listing.page(connection, "INBOX")
        assert connection.round_trips - before <= 3
    gone = {first.rows[3].uid, first.rows[9].uid}
    assert second.rows[0].subject == "Nouveau"
    assert [r.uid for r in second.rows][1:48] == [r.uid for r in first.rows if r.uid not in gone][:47]


def _again(account: Account) -> tuple[imap.listing.Listing, int]:
    """The first page, and the round trips that it took."""
    with imap.connect(account, "INBOX") as connection:
        before = connection.round_trips
        return imap.listing.page(connection, "INBOX"), connection.round_trips - before


def test_a_list_that_nobody_changed_costs_one_round_trip_and_any_change_shows(
    make_account: Callable[..., str], account_of: Callable[..., Account], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    client = imap_of(address)
    client.multiappend("INBOX", [bytes(message(f"N {n}")) for n in range(80)])
    account = account_of(address)
    first, _trips = _again(account)
    client.select_folder("INBOX")
    oldest, newest = 1, first.rows[0].uid
    changes: dict[str, Callable[[], object]] = {
        "read, in the page": lambda: client.add_flags([newest], [b"\\Seen"]),
        "read, elsewhere": lambda: client.add_flags([oldest], [b"\\Seen"]),
        "unread again": lambda: client.remove_flags([newest, oldest], [b"\\Seen"]),
        "a keyword": lambda: client.add_flags([newest], [b"$Forwarded"]),
        "one more": lambda: client.append("INBOX", bytes(message("Nouveau"))),
        "one less": lambda: (client.delete_messages([oldest]), client.expunge()),
        "one of each": lambda: (
            client.delete_messages([oldest + 1]),
            client.expunge(),
            client.append("INBOX", bytes(message("Autre"))),
        ),
    }
    for name, change in changes.items():
        assert _again(account)[1] == 1, f"before {name}"
        change()
        told, trips = _again(account)
        seen = set(client.search("UNSEEN"))
        here = told.overview.get("INBOX")
        assert here and (here.messages, here.unseen) == (len(client.search()), len(seen)), name
        assert told.total == here.messages and told.rows[0].uid == max(client.search()), name
        assert all((row.uid in seen) == ("\\Seen" not in row.flags) for row in told.rows), name
        assert trips <= 3, name
    empty = account_of(make_account())
    assert [_again(empty)[0].total for _visit in range(2)] == [0, 0] and _again(empty)[1] == 1


def test_search_finds_sender_subject_and_text(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(
        person,
        message("Conseil de classe"),
        message("Autre", sender="Zoé <zoe@x.example>"),
        message("Encore", "le mot magnifique"),
    )
    assert person.get("/mailbox/INBOX?query=conseil").rows == ["Conseil de classe"]
    assert person.get("/mailbox/INBOX?query=zoe").rows == ["Autre"]
    assert person.get("/mailbox/INBOX?query=magnifique").rows == ["Encore"]
    nothing = person.get("/mailbox/INBOX?query=introuvable")
    assert nothing.rows == [] and "No messages found" in nothing.text
    assert nothing.one("[name=query]")["value"] == "introuvable"


@pytest.mark.parametrize("query", ["a\r\nb", "x\0", '"', "\\", "{10+}", "é" * 500, "subject:", "OR OR OR", 'from:"', "(", "%s*"])
def test_a_hostile_search_is_refused_or_finds_nothing(person: Visitor, fill: Callable[..., list[int]], query: str) -> None:
    fill(person, message("Un"))
    page = person.client.get("/mailbox/INBOX", query_string={"query": query})
    assert page.status_code in (200, 400)
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_the_inbox_is_one_folder_in_any_letters(person: Visitor, fill: Callable[..., list[int]]) -> None:
    (uid,) = fill(person, message("Un"))
    for name in ("inbox", "Inbox", "iNBOX"):
        page = person.get(f"/mailbox/{name}")
        assert page.rows == ["Un"]
        assert "Inbox" in page.one("nav[aria-label=Folders] [aria-current]").get_text()
        assert person.get(f"/message/{uid}/{name}").status == 200
    assert person.get("/mailbox/ınbox").status == 404  # a letter without its dot is another one


def test_htmx_gets_the_piece_it_asked_for(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    piece = person.get("/mailbox/INBOX", htmx="main")
    assert piece.html.lstrip().startswith("<title>") and piece.rows == ["Un"]
    assert piece.one("main#main") and piece.one("nav#folders[hx-swap-oob]") and not piece.all("body")
    assert "HX-Target" in piece.headers["Vary"]
    assert person.get("/mailbox/INBOX", htmx="nothing-of-ours").all("header")


def test_folder_names_of_all_kinds_work(
    person: Visitor, imap_of: Callable[[str], IMAPClient], fill: Callable[..., list[int]]
) -> None:
    client = imap_of(person.address)
    for name in (
        "Projets & co",
        "Été 2026",
        "Work/2024",
        "2025",
        "007",
        "a?b#c%d",
        'dit "x"',
        "日本",
        "🎒 sorties",
        "deep/a/b/c/d/e",
    ):
        client.create_folder(name)
        client.subscribe_folder(name)
        fill(person, message(f"Dans {name}"), mailbox=name)
    page = person.get("/mailbox/INBOX", reload=True)
    links = {a.get_text(" ", strip=True).rsplit(" ", 1)[0]: a["href"] for a in page.all("#folders a[href*='/mailbox/']")}
    for name in ("Projets & co", "Été 2026", "2024", "2025", "007", "a?b#c%d", 'dit "x"', "日本", "🎒 sorties", "e"):
        listing = person.get(links[name])
        assert listing.status == 200 and len(listing.rows) == 1, name
        read = person.get(listing.all("[data-row] .s a")[0]["href"])
        assert read.status == 200 and "Dans" in read.one("h1").get_text()


def test_a_date_beyond_the_calendar_and_a_subject_of_half_begun_words(person: Visitor, fill: Callable[..., list[int]]) -> None:
    late = b"From: a@x.example\r\nSubject: Late\r\nDate: Fri, 31 Dec 9999 23:59:59 +0000\r\n\r\nx"
    endless = b"From: a@x.example\r\nSubject: Endless " + b"=?a?q?x " * 8000 + b"\r\n\r\nx"
    fill(person, late, *[endless] * 10)
    began = time.process_time()
    listing = person.get("/mailbox/INBOX")
    assert time.process_time() - began < 2 and len(listing.rows) == 11
    page = person.get(listing.link("Late"))
    assert page.status == 200 and person.get(page.link("Reply")).status == 200
