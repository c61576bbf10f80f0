"""The pages beside a search: its form, saved searches and files, on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.integration.test_searching import search, with_file
from tests.letters import message
from tests.visits import Page, Visitor
from webmail import imap
from webmail.account import Account
from webmail.imap.search import parse
from webmail.models import SavedSearch, User

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


# --- the form --------------------------------------------------------------------------------------------------------


def test_the_form_makes_a_query_and_is_filled_in_from_one(folders: Visitor, fill: Fill) -> None:
    fill(folders, message("Voyage à Lyon", sender='"Dupont, Zoé" <zoe@x.example>'))
    form = folders.get("/search?mailbox=INBOX")
    page = folders.submit(
        form, "form.form", **{"from": "Dupont, Zoé", "words": "voyage", "without": "paris", "after": "2026-01-01"}
    )
    assert page.rows == ["Voyage à Lyon"]
    query = page.one("#query")["value"]
    assert query == 'voyage -paris from:"Dupont, Zoé" after:2026-01-01'
    again = folders.get(page.link("More criteria"))
    values = {
        field["name"]: field.get("value", "") for field in again.all("form.form input[type=text], form.form input[type=date]")
    }
    assert (values["from"], values["words"], values["without"], values["after"]) == (
        "Dupont, Zoé",
        "voyage",
        "paris",
        "2026-01-01",
    )


def test_the_form_keeps_what_it_has_no_field_for(folders: Visitor) -> None:
    client = folders.client.get("/search", query_string={"matching": "(a OR b) from:c", "mailbox": "Été", "scope": "all"})
    page = Page(client)
    assert page.one("#s-words")["value"] == "(a OR b) from:c"
    assert page.one("#s-mailbox option[selected]")["value"] == "Été"
    assert page.one("[name=scope][checked]")["value"] == "all"
    found = folders.submit(page, "form.form", words="budget", state="unread", scope="all")
    assert len(found.rows) == 5 and found.address.startswith("/mailbox/")


def test_the_form_and_the_files_are_fragments_too(folders: Visitor) -> None:
    form = folders.get("/search?matching=from:ann", htmx="main")
    assert form.status == 200 and form.one("#s-from")["value"] == "ann" and not form.all("header.top")
    assert folders.get("/files", htmx="main").status == 200
    found = folders.submit(form, "form.form", htmx="main", **{"from": "bob", "scope": "all"})
    assert len(found.rows) == 5


def test_an_empty_form_asks_for_a_field(folders: Visitor) -> None:
    page = folders.submit(folders.get("/search"), "form.form")
    assert page.status == 422 and "Fill in at least one field" in page.notices
    assert folders.get("/search?mailbox=Nirgends").status == 404


# --- saved searches --------------------------------------------------------------------------------------------------


def test_a_search_is_saved_renamed_and_deleted(folders: Visitor) -> None:
    page = search(folders, "budget", scope="all")
    saved = folders.submit(page, "#save-search", name="  Les   budgets ")
    assert "“Les budgets” is saved" in saved.notices
    assert folders.get(folders.get("/mailbox/INBOX").link("Les budgets")).rows == page.rows
    twice = folders.submit(page, "#save-search", name="Les budgets")
    assert "of that name already" in twice.notices
    number = SavedSearch.get(name="Les budgets").id
    form = f"form[action='/search/saved/{number}']"
    renamed = folders.submit(folders.get("/search"), form, name="Comptes", action="rename")
    assert renamed.link("Comptes")
    gone = folders.submit(renamed, form, action="delete")
    assert "Comptes" not in gone.one("nav.folders").get_text()


def test_somebody_elses_search_is_404(folders: Visitor, app: Flask, make_account: Callable[..., str]) -> None:
    folders.submit(search(folders, "budget"), "#save-search", name="À moi")
    number = SavedSearch.get(name="À moi").id
    other = Visitor(app, make_account()).sign_in()
    assert "À moi" not in other.get("/search").text
    token = other.get("/search").all("[name=csrf_token]")[0]["value"]
    for action in ("rename", "delete"):
        page = other.post(f"/search/saved/{number}", {"csrf_token": token, "action": action, "name": "Pris"})
        assert page.status == 404
        assert other.post(f"/search/saved/{'9' * 31}", {"csrf_token": token, "action": action, "name": "Pris"}).status == 404
    assert SavedSearch.get_by_id(number).name == "À moi"


def test_a_saved_search_needs_a_name_and_its_number_is_bounded(folders: Visitor) -> None:
    page = search(folders, "budget")
    assert "Give the search a name" in folders.submit(page, "#save-search", name=" ").notices
    user = User.get(address=folders.address)
    for number in range(50):
        SavedSearch.create(user=user, name=f"N {number}", query="x")
    assert "delete one first" in folders.submit(page, "#save-search", name="Une de trop").notices


def test_ready_made_searches_work(folders: Visitor) -> None:
    page = folders.get("/search")
    for label in ("Unread", "Flagged", "With attachments", "Sent to me by name"):
        link = next(a for a in page.all("main .links a") if a.get_text() == label)
        assert folders.get(str(link["href"])).status == 200
    assert len(folders.get(page.link("Unread")).rows) == 5


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(folders: Visitor, imap_of: ImapOf) -> Visitor:
    """Four files in three folders, a day apart each."""
    client = imap_of(folders.address)
    sent = [
        ("INBOX", with_file("Notes", "Relevé 2026.pdf", 30_000)),
        ("INBOX", with_file("Photo", "IMG_1.jpg", 200, "image/jpeg", sender="zoe@x.example")),
        ("Travail", with_file("Budget", "budget.xlsx", 900, "application/vnd.ms-excel")),
        ("Trash", with_file("Jeté", "jeté.pdf")),
    ]
    for day, (mailbox, made) in enumerate(sent, 1):
        client.append(mailbox, bytes(made), (), datetime(2026, 4, day, 12, tzinfo=UTC))
    return folders


def names(page: Page) -> list[str]:
    return [a.get_text(strip=True) for a in page.all(".file-table td:first-child a")]


def test_files_are_listed_across_folders_and_downloaded(files: Visitor) -> None:
    page = files.get("/files")
    assert names(page) == ["budget.xlsx", "IMG_1.jpg", "Relevé 2026.pdf"]
    assert "3 messages with such files" in page.text and "Not searched:" in page.text
    download = files.client.get(page.link("budget.xlsx"))
    assert download.data == b"x" * 900 and "attachment" in download.headers["Content-Disposition"]
    assert files.get(page.link("Budget")).status == 200


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "relevé"}, ["Relevé 2026.pdf"]),
        ({"kind": "image"}, ["IMG_1.jpg"]),
        ({"kind": "document"}, ["Relevé 2026.pdf"]),
        ({"kind": "spreadsheet"}, ["budget.xlsx"]),
        ({"kind": "archive"}, []),
        ({"kind": "nonsense"}, ["budget.xlsx", "IMG_1.jpg", "Relevé 2026.pdf"]),
        ({"larger": "20k"}, ["Relevé 2026.pdf"]),
        ({"sender": "zoe"}, ["IMG_1.jpg"]),
        ({"before": "2020-01-01"}, []),
        ({"folder": "Travail"}, ["budget.xlsx"]),
        ({"folder": "Trash"}, ["jeté.pdf"]),
        ({"page": "99999999999"}, ["budget.xlsx", "IMG_1.jpg", "Relevé 2026.pdf"]),
    ],
)
def test_files_are_chosen_by_name_kind_size_sender_date_and_folder(
    files: Visitor, fields: dict[str, str], expected: list[str]
) -> None:
    page = Page(files.client.get("/files", query_string=fields))
    assert page.status == 200 and names(page) == expected


def test_files_have_pages(files: Visitor, fill: Fill) -> None:
    fill(files, *(with_file(f"N {n}", f"n{n}.pdf") for n in range(30)))
    first = files.get("/files?kind=document")
    assert len(names(first)) == 25 and "Page 1 of 2" in first.text
    second = files.get(str(first.one("a[rel=next]")["href"]))
    assert len(names(second)) == 6 and names(second)[-1] == "Relevé 2026.pdf"


def test_files_say_what_they_did_not_understand(files: Visitor) -> None:
    page = files.get("/files?larger=big")
    assert "is not understood" in page.text
    assert files.get("/files?folder=Nirgends").status == 404


def test_files_cost_at_most_5_round_trips(files: Visitor, account_of: Callable[..., Account]) -> None:
    with imap.connect(account_of(files.address), "INBOX") as connection:
        before = connection.round_trips
        found = imap.attachment_search.search(connection, "INBOX", parse("has:attachment"), imap.attachment_search.Wanted())
        assert len(found.files) == 3 and connection.round_trips - before <= 5
