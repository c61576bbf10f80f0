"""The page of all files, on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient

from tests.support.searches import with_file
from tests.support.visits import Page, Visitor
from webmail import imap
from webmail.account import Account
from webmail.imap.searching.search import parse

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


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
    assert "Attachments from 3 messages" in page.text and "Not searched:" in page.text
    download = files.client.get(page.link("budget.xlsx"))
    assert download.data == b"x" * 900 and "attachment" in download.headers["Content-Disposition"]
    assert files.get(page.link("Budget")).status == 200


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "relevé"}, ["Relevé 2026.pdf"]),
        ({"name": "releve"}, ["Relevé 2026.pdf"]),
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


def test_files_are_sorted_by_name_and_by_size_on_all_pages(files: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    page = files.get("/files")
    assert page.one("b[aria-current]").get_text() == "Newest first"
    by_name = files.get(page.link("Name"))
    assert names(by_name) == ["budget.xlsx", "IMG_1.jpg", "Relevé 2026.pdf"]
    by_size = files.get(page.link("Largest first"))
    assert names(by_size) == ["Relevé 2026.pdf", "budget.xlsx", "IMG_1.jpg"]
    assert [cell.get_text(strip=True) for cell in by_size.all("td.number")][0].endswith("KB")
    fill(files, *(with_file(f"N {n}", f"a{n:02}.pdf", 2_000 + n) for n in range(30)))
    first = files.get("/files?sort=name&kind=document")
    assert names(first) == [f"a{n:02}.pdf" for n in range(25)] and "Page 1 of 2" in first.text
    second = files.get(str(first.one("a[rel=next]")["href"]))
    assert names(second) == [f"a{n:02}.pdf" for n in range(25, 30)] + ["Relevé 2026.pdf"]
    assert files.submit(first, "form.form", name="a1").address.endswith("sort=name")
    monkeypatch.setattr(imap.attachment_search, "MOST_LOOKED_INTO", 4)
    largest = files.get("/files?sort=size")
    assert names(largest)[0] == "Relevé 2026.pdf" and len(names(largest)) == 4
    assert "Only files from the 4 largest messages can be sorted this way" in largest.text
    assert "Only files from the 4 newest messages can be sorted this way" in files.get("/files?sort=name").text


def test_files_say_what_they_did_not_understand(files: Visitor) -> None:
    page = files.get("/files?larger=big")
    assert "searched for as text" in page.text
    assert files.get("/files?folder=Nirgends").status == 404


def test_files_cost_at_most_6_round_trips(files: Visitor, account_of: Callable[..., Account]) -> None:
    with imap.connect(account_of(files.address), "INBOX") as connection:
        before = connection.round_trips
        found = imap.attachment_search.search(connection, "INBOX", parse("has:attachment"), imap.attachment_search.FileFilter())
        assert len(found.files) == 3 and connection.round_trips - before <= 6
