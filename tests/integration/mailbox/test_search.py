"""Searching one folder and all of them, on a real Dovecot."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.searches import random_query, search, with_file
from tests.support.visits import Visitor
from webmail import imap
from webmail.account import Account
from webmail.errors import MailError, UnsafeValueError
from webmail.imap.connections import multi_fetch
from webmail.imap.searching import multi_search
from webmail.imap.searching.search import parse
from webmail.models import Tag, User

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


# --- operators -------------------------------------------------------------------------------------------------------


def test_operators_find_what_they_say(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    fill(
        person,
        message("Sortie", "au musée", sender="Zoé <zoe@x.example>", Cc="Eve <eve@x.example>"),
        message("Conseil", "au musée", List_Id="<profs.lycee.example>"),
        with_file("Bulletins", "Relevé de notes 2026.pdf", 60_000),
    )
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([2], [b"\\Flagged", b"\\Seen", b"$urgent"])
    Tag.create(user=User.get(address=person.address), keyword="$urgent", name="Très urgent")
    expected = {
        "from:zoe": ["Sortie"],
        "cc:eve": ["Sortie"],
        "subject:conseil": ["Conseil"],
        "objet:conseil OR de:zoe": ["Conseil", "Sortie"],
        "body:musée -from:zoe": ["Conseil"],
        "list:profs": ["Conseil"],
        "est:suivi": ["Conseil"],
        "is:unread": ["Bulletins", "Sortie"],
        "has:attachment": ["Bulletins"],
        "-has:attachment": ["Conseil", "Sortie"],
        'filename:"Relevé de notes"': ["Bulletins"],
        "filename:2026": ["Bulletins"],
        "filename:autre": [],
        "fichier:fichier": [],  # that word is in its text alone
        "larger:50k": ["Bulletins"],
        "smaller:50k": ["Conseil", "Sortie"],
        "newer_than:1d": ["Bulletins", "Conseil", "Sortie"],
        "before:2020-01-01": [],
        'tag:"très urgent"': ["Conseil"],
        "(from:zoe OR list:profs) is:read": ["Conseil"],
    }
    for query, subjects in expected.items():
        page = search(person, query)
        assert page.rows == subjects, query
        assert not page.all(".notice-caution"), query


def test_a_file_name_that_an_older_program_encoded_is_found(person: Visitor, fill: Fill) -> None:
    fill(
        person,
        b"From: a@x.example\r\nSubject: Ancien\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain\r\n\r\nBonjour\r\n--b\r\nContent-Type: application/pdf; name=\"=?utf-8?Q?Bulletin_=C3=A9t=C3=A9.pdf?=\"\r\n"
        b"Content-Disposition: attachment; filename=\"=?utf-8?Q?Bulletin_=C3=A9t=C3=A9.pdf?=\"\r\n\r\nxx\r\n--b--\r\n",
    )  # fmt: skip
    assert search(person, "filename:bulletin").rows == ["Ancien"]
    assert search(person, "filename:bonjour").rows == []


def test_what_is_no_operator_is_told(person: Visitor, fill: Fill) -> None:
    fill(person, message("foo:bar chez nous"))
    page = search(person, "foo:bar before:soon in:nulle-part larger:beaucoup is:purple has:feathers to:")
    assert "“foo:” isn’t a search operator, so it was searched for as text." in page.text
    for words in (
        "“before:soon” wasn’t understood, so it was searched for as text. Write dates like this: 2026-03-01",
        "“larger:beaucoup” wasn’t understood, so it was searched for as text. Write sizes like this: 300k, 5M or 1.5G.",
        "“is:purple” wasn’t understood, so it was searched for as text. You can use is:unread",
        "“has:feathers” wasn’t understood, so it was searched for as text. You can use has:attachment.",
        "“to:” needs a word after it, so it was searched for as text.",
    ):
        assert words in page.text
    assert "There is no folder called “nulle-part”, so this one was searched." in page.text
    assert page.one("#query")["value"] == "foo:bar before:soon in:nulle-part larger:beaucoup is:purple has:feathers to:"


def test_in_leads_to_the_other_folder(folders: Visitor) -> None:
    page = search(folders, "budget in:corbeille")
    assert page.rows == ["Budget 5"] and page.address.startswith("/mailbox/Trash?query=budget")
    assert search(folders, 'in:"Travail/2024" budget').rows == ["Budget 3"]
    assert search(folders, "in:été budget").rows == ["Budget 4"]
    assert "scope=all" in search(folders, "budget in:partout").address


def test_no_query_is_refused_by_the_server(
    person: Visitor, fill: Fill, account_of: Callable[..., Account]
) -> None:  # fmt: skip
    fill(person, message("Un"), with_file("Deux", "deux.pdf"))
    chance = random.Random(300)
    account = account_of(person.address)
    asked = 0
    with imap.connect(account, "INBOX") as connection:
        connection.select("INBOX")
        for _ in range(300):
            query = random_query(chance)
            try:
                imap.listing.matching(connection, parse(query, tag=lambda _: "$urgent"))
            except UnsafeValueError:
                continue
            except MailError as error:
                raise AssertionError(f"{query!r}: {error}") from error
            asked += 1
    assert asked > 200  # few are refused here, before the server sees them


# --- several folders -------------------------------------------------------------------------------------------------


def test_everywhere_merges_folders_newest_first_and_leaves_out_trash_and_junk(folders: Visitor) -> None:
    here = search(folders, "budget")
    assert here.rows == ["Budget 7", "Budget 1"]
    page = folders.get(here.link("Everywhere"))
    assert page.rows == ["Budget 7", "Budget 4", "Budget 3", "Budget 2", "Budget 1"]
    assert [row.select_one(".chip").get_text() for row in page.all("[data-row]")] == ["Inbox", "Été", "2024", "Travail", "Inbox"]
    assert "5 messages found in all folders" in page.notices
    assert "except Junk, Trash." in page.notices
    assert folders.get(page.link("Only in Trash")).rows == ["Budget 5"]
    assert folders.get(page.link("Only in Inbox")).rows == here.rows


def test_the_folder_in_view_is_searched_though_it_is_the_trash(folders: Visitor) -> None:
    assert search(folders, "budget", "Trash", scope="all").rows[0] == "Budget 7"
    assert "Budget 5" in search(folders, "budget", "Trash", scope="all").rows
    assert "Budget 6" not in search(folders, "budget", "Trash", scope="all").rows


def test_below_is_the_folder_with_those_inside_it(folders: Visitor) -> None:
    assert search(folders, "budget", "Travail", scope="below").rows == ["Budget 3", "Budget 2"]
    assert "With its subfolders" in search(folders, "budget", "Travail").text
    assert "With its subfolders" not in search(folders, "budget", "Été").text


def test_a_row_of_another_folder_opens_and_is_acted_upon_there(folders: Visitor) -> None:
    page = search(folders, "budget", scope="all")
    opened = folders.get(page.link("Budget 3"))
    assert opened.status == 200 and "le mot commun" in opened.text
    boxes = [str(box["value"]) for box in page.all("[name=uids]")]
    assert boxes[2].endswith(".Travail/2024") and boxes[0].split(".")[0] == "2"
    assert len({a["id"] for a in page.all("[data-row] .s a")}) == 5
    starred = folders.submit(page, "#messages", follow=False, star=str(page.all("[name=star]")[0]["value"]))
    assert starred.location.endswith("#u2") and page.one("#u2")  # a row of the folder in view is found again
    folders.submit(page, "#messages", star="unflag:" + boxes[0])
    after = folders.submit(page, "#messages", action="flag", uids=[boxes[2], boxes[3]])
    assert after.status == 200
    assert search(folders, "is:flagged", scope="all").rows == ["Budget 3", "Budget 2"]


def test_all_that_matches_everywhere_can_be_selected(folders: Visitor, app: Flask) -> None:
    page = folders.get("/mailbox/INBOX?query=budget&scope=all&select=all")
    assert "All 5 messages are selected." in page.text
    assert folders.submit(page, "#messages", action="read").status == 200
    assert search(folders, "is:unread", scope="all").rows == []
    assert search(folders, "is:unread", "Trash").rows == ["Budget 5"]


def test_the_search_box_goes_on_searching_everywhere(folders: Visitor) -> None:
    page = search(folders, "budget", scope="all")
    assert page.one("label[for=query]").get_text() == "Search mail"
    assert len(folders.submit(page, "#search", query="commun").rows) == 5
    assert len(folders.submit(search(folders, "budget"), "#search", query="commun").rows) == 2


def test_thousands_of_recipients_hide_no_subject(folders: Visitor, imap_of: ImapOf) -> None:
    many = ", ".join(f"Personne {n} <personne{n}@lycee.example>" for n in range(2000))
    raw = (
        f"From: Zoé <zoe@x.example>\r\nTo: {many}\r\nSubject: Pour tous\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nBudget\r\n"
    )
    imap_of(folders.address).append("Été", raw.encode())
    assert "Pour tous" in search(folders, "budget", scope="all").rows


@pytest.mark.parametrize("name", ["Projets & co", 'a "b"', "1.2.3", "tout % à * fait", "日本"])
def test_folder_names_of_all_kinds(person: Visitor, imap_of: ImapOf, name: str) -> None:
    client = imap_of(person.address)
    client.create_folder(name)
    client.append(name, bytes(message("Trouvé")))
    person.get("/mailbox/INBOX", reload=True)
    page = search(person, "subject:trouvé", scope="all")
    assert page.rows == ["Trouvé"]
    assert str(page.one("[name=uids]")["value"]).endswith("." + name)
    assert person.get(page.link("Trouvé")).status == 200
    assert search(person, f"subject:trouvé in:'{name}'".replace("'", "" if '"' in name else '"')).status == 200


def test_everywhere_costs_at_most_4_round_trips(
    folders: Visitor, account_of: Callable[..., Account], imap_of: ImapOf
) -> None:  # fmt: skip
    client = imap_of(folders.address)
    for number in range(20):
        client.create_folder(f"Dossier {number}")
        client.append(f"Dossier {number}", bytes(message(f"Budget de {number}")))
    account = account_of(folders.address)
    for _ in range(2):
        with imap.connect(account, "INBOX") as connection:
            before = connection.round_trips
            found = imap.multi_search.search(connection, "INBOX", query=parse("budget"), below=False)
            assert found.total == 25 and len(found.rows) == 25
            assert connection.round_trips - before <= 4
            assert imap.listing.page(connection, "INBOX").total == 2  # the connection is fit for another list


def test_pages_of_everywhere_show_each_message_once(
    folders: Visitor, account_of: Callable[..., Account], imap_of: ImapOf
) -> None:
    client = imap_of(folders.address)
    for number in range(30):
        name = ("Travail", "Été", "INBOX")[number % 3]
        client.append(name, bytes(message(f"N {number}")), (), datetime(2025, 1, 1, number % 24, number, tzinfo=UTC))
    with imap.connect(account_of(folders.address), "INBOX") as connection:
        pages = [
            imap.multi_search.search(connection, "INBOX", query=parse("from:bob"), below=False, page=n, size=10)
            for n in (1, 2, 3, 4, 9)
        ]
    rows = [row for page in pages[:4] for row in page.rows]
    assert len({(row.mailbox, row.uid) for row in rows}) == len(rows) == 35 == pages[0].total
    assert [row.received for row in rows] == sorted((row.received for row in rows), reverse=True)
    assert pages[4].page == 4


def test_a_message_that_was_moved_stands_at_its_date(folders: Visitor, imap_of: ImapOf) -> None:
    client = imap_of(folders.address)
    client.select_folder("INBOX")
    client.move([1], "Été")  # a new UID there, the date of before
    assert search(folders, "budget", scope="all").rows == ["Budget 7", "Budget 4", "Budget 3", "Budget 2", "Budget 1"]


def test_a_folder_that_vanished_meanwhile_is_passed_over(
    folders: Visitor, account_of: Callable[..., Account], imap_of: ImapOf
) -> None:
    account = account_of(folders.address)
    with imap.connect(account, "INBOX") as connection:
        assert imap.multi_search.search(connection, "INBOX", query=parse("budget"), below=False).total == 5
    imap_of(folders.address).delete_folder("Été")
    with imap.connect(account, "INBOX") as connection:
        found = imap.multi_search.search(connection, "INBOX", query=parse("budget"), below=False)
        assert found.total == 4 and found.skipped == ("Été",)
        places, _ = multi_search.matching(connection, ["INBOX", "Nirgends"], b"ALL")
        assert [place.mailbox for place in places] == ["INBOX"]


def test_long_queries_go_in_several_batches(
    folders: Visitor, account_of: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multi_fetch, "_BATCH_BYTES", 300)
    with imap.connect(account_of(folders.address), "INBOX") as connection:
        assert imap.multi_search.search(connection, "INBOX", query=parse("budget commun"), below=False).total == 5


def test_a_fragment_of_everywhere_is_the_list(folders: Visitor) -> None:
    page = folders.get("/mailbox/INBOX?query=budget&scope=all", htmx="main")
    assert len(page.rows) == 5 and not page.all("body")


def test_where_only_the_newest_are_sorted_the_page_says_so(folders: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_search, "MOST_SORTED", 3)
    page = search(folders, "budget", scope="all", sort="subject")
    assert page.rows == ["Budget 3", "Budget 4", "Budget 7"] and "5 messages found in all folders" in page.text
    assert "Only the newest 3 of 5 can be sorted this way" in page.text
    whole = search(folders, "budget", scope="all")
    assert len(whole.rows) == 5 and "can be sorted this way" not in whole.text
