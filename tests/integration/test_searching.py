"""Searching one folder and all of them, the form, saved searches and files, on a real Dovecot."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.letters import message
from tests.unit.imap.test_search import random_query
from tests.visits import Page, Visitor
from webmail import imap
from webmail.account import Account
from webmail.imap import everywhere
from webmail.imap.search import parse
from webmail.mail import MailError, UnsafeValue
from webmail.models import SavedSearch, Tag, User

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


def with_file(subject: str, name: str, size: int = 400, kind: str = "application/pdf", **headers: str) -> EmailMessage:
    made = message(subject, "Voir le fichier.", **headers)
    made.add_attachment(b"x" * size, *kind.split("/"), filename=name)
    return made


@pytest.fixture
def folders(person: Visitor, imap_of: ImapOf, fill: Fill) -> Visitor:
    """Somebody with mail in several folders, a day apart each."""
    client = imap_of(person.address)
    for name in ("Travail", "Travail/2024", "Été"):
        client.create_folder(name)
    places = ["INBOX", "Travail", "Travail/2024", "Été", "Trash", "Junk", "INBOX"]
    for day, name in enumerate(places, 1):
        client.append(name, bytes(message(f"Budget {day}", "le mot commun")), (), datetime(2026, 3, day, 12, tzinfo=UTC))
    person.get("/mailbox/INBOX", reload=True)  # another program made these: they show after 15 s, or after this
    return person


def search(visitor: Visitor, query: str, mailbox: str = "INBOX", **more: str) -> Page:
    return Page(visitor.client.get(f"/mailbox/{mailbox}", query_string={"query": query, **more}, follow_redirects=True))


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
    page = search(person, "foo:bar before:soon in:nulle-part")
    assert "“foo:” is not an operator: searched as text." in page.text
    assert "“before:soon” is not understood: searched as text." in page.text
    assert "There is no folder “nulle-part”: the search was made here." in page.text
    assert page.one("#query")["value"] == "foo:bar before:soon in:nulle-part"


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
                imap.lists.matching(connection, parse(query, tag=lambda _: "$urgent"))
            except UnsafeValue:
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
    assert "5 messages found everywhere" in page.notices
    assert "Not searched:" in page.text
    assert folders.get(page.link("Trash")).rows == ["Budget 5"]
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
    assert page.one("label[for=query]").get_text() == "Search everywhere"
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
            found = imap.everywhere.search(connection, "INBOX", query="budget", below=False)
            assert found.total == 25 and len(found.rows) == 25
            assert connection.round_trips - before <= 4
            assert imap.lists.list(connection, "INBOX").total == 2  # the connection is fit for another list


def test_pages_of_everywhere_show_each_message_once(
    folders: Visitor, account_of: Callable[..., Account], imap_of: ImapOf
) -> None:
    client = imap_of(folders.address)
    for number in range(30):
        name = ("Travail", "Été", "INBOX")[number % 3]
        client.append(name, bytes(message(f"N {number}")), (), datetime(2025, 1, 1, number % 24, number, tzinfo=UTC))
    with imap.connect(account_of(folders.address), "INBOX") as connection:
        pages = [
            imap.everywhere.search(connection, "INBOX", query="from:bob", below=False, page=n, size=10) for n in (1, 2, 3, 4, 9)
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
        assert imap.everywhere.search(connection, "INBOX", query="budget", below=False).total == 5
    imap_of(folders.address).delete_folder("Été")
    with imap.connect(account, "INBOX") as connection:
        found = imap.everywhere.search(connection, "INBOX", query="budget", below=False)
        assert found.total == 4 and found.skipped == ("Été",)
        places, _ = everywhere.matching(connection, ["INBOX", "Nirgends"], b"ALL")
        assert [place.mailbox for place in places] == ["INBOX"]


def test_long_queries_go_in_several_batches(
    folders: Visitor, account_of: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everywhere, "_BATCH_BYTES", 300)
    with imap.connect(account_of(folders.address), "INBOX") as connection:
        assert imap.everywhere.search(connection, "INBOX", query="budget commun", below=False).total == 5


def test_a_fragment_of_everywhere_is_the_list(folders: Visitor) -> None:
    page = folders.get("/mailbox/INBOX?query=budget&scope=all", htmx="main")
    assert len(page.rows) == 5 and not page.all("header.top")


def test_only_the_newest_are_shown_and_the_page_says_so(folders: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everywhere, "MOST_SHOWN", 3)
    page = search(folders, "budget", scope="all")
    assert page.rows == ["Budget 7", "Budget 4", "Budget 3"] and "5 messages found everywhere" in page.text


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
        found = imap.files.search(connection, "INBOX", parse("has:attachment"), imap.files.Wanted())
        assert len(found.files) == 3 and connection.round_trips - before <= 5
