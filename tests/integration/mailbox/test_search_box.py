"""What the search box offers and remembers, and what stands beside the results of a search, on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.searches import search, with_file
from tests.support.visits import Page, Visitor
from webmail import imap
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.imap.connections.connection import Connection
from webmail.models import Correspondent, User

Fill = Callable[..., list[int]]


def offered(visitor: Visitor, typed: str) -> list[str]:
    page = Page(visitor.client.get("/search/suggestions", query_string={"words": typed}))
    assert page.status == 200 and not page.all("body")
    return [one.get_text(" ", strip=True) for one in page.all("[role=listbox] > [role=option][id]")]


def looked_for(visitor: Visitor, words: str) -> None:
    """A search whose page was received: it is remembered after that."""
    search(visitor, words, scope="all").response.close()


def test_the_box_offers_what_is_known_and_asks_no_mail_server(folders: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.connection_context():
        user = User.get(User.address == folders.address)
        Correspondent.create(user=user, address="trav@x.example", name="Nora <Travers>")
    folders.get("/mailbox/INBOX")

    def asked(*_arguments: object, **_more: object) -> None:
        raise AssertionError("the mail server was asked")

    monkeypatch.setattr(Connection, "run", asked)
    monkeypatch.setattr(imap, "connect", asked)
    assert offered(folders, "trav") == ["Travail Folder", "Travail/2024 Folder", "Nora <Travers> Person"]
    assert offered(folders, "tra") != [] and offered(folders, "") == []


def test_a_folder_that_is_offered_keeps_the_words(folders: Visitor) -> None:
    folders.get("/mailbox/INBOX")
    answer = Page(folders.client.get("/search/suggestions?words=trav"))
    page = folders.get(answer.link("Travail Folder"))
    assert page.rows == ["Budget 2"] and page.one("#query")["value"] == "trav"
    found = folders.submit(page, "form#search", query="commun")
    assert "scope=all" in found.address and found.one("#query")["value"] == "commun"
    sorted_too = folders.get(page.link("Oldest first"))
    assert sorted_too.one("#query")["value"] == "trav"


def test_searches_that_found_something_are_offered_again_and_can_be_cleared(folders: Visitor) -> None:
    for words in ("budget", "nirgendwo", "commun", "tag:x", "budget"):
        looked_for(folders, words)
    assert offered(folders, "") == ["budget Recent search", "commun Recent search"]
    page = folders.get("/search")
    assert folders.get(page.link("commun")).one("#query")["value"] == "commun"
    cleared = folders.submit(page, "form[action='/search/recent']")
    assert "2 recent searches forgotten." in cleared.notices and offered(folders, "") == []


def test_a_page_that_is_only_fetched_ahead_is_not_remembered(folders: Visitor) -> None:
    folders.client.get("/mailbox/INBOX?query=budget&scope=all", headers={"X-Traboule-Prefetch": "1"}).close()
    assert offered(folders, "") == []


def test_a_shared_computer_remembers_and_offers_no_searches(app: Flask, folders: Visitor) -> None:
    looked_for(folders, "budget")
    shared = Visitor(app, folders.address)
    shared.submit(shared.get("/login"), "form[action='/login']", username=folders.address, password="demo", shared="y")
    looked_for(shared, "commun")
    assert offered(shared, "") == [] and "Recent searches" not in shared.get("/search").text
    assert offered(folders, "") == ["budget Recent search"]


def test_the_results_name_folders_people_and_tags_of_these_words(folders: Visitor, fill: Fill) -> None:
    with db.connection_context():
        user = User.get(User.address == folders.address)
        Correspondent.create(user=user, address="nora@x.example", name="Nora Travail")
    page = search(folders, "travail", scope="all")
    links = [one.get_text(" ", strip=True) for one in page.all(".offered a")]
    assert links == ["Folder Travail", "Folder Travail/2024", "Messages from Nora Travail"]
    assert folders.get(page.link("Messages from Nora Travail")).one("#query")["value"] == "from:nora@x.example"
    assert not search(folders, "is:unread", scope="all").all(".offered, .kinds, .beside")


def test_scopes_are_one_menu_that_says_where_was_searched(folders: Visitor) -> None:
    page = search(folders, "budget", scope="all")
    menu = page.one(".found-bar details.menu:first-of-type")
    assert [one.get_text(strip=True) for one in menu.select("a[aria-current]")] == ["Everywhere"]
    assert "in all folders except Trash, Junk." in page.notices or "in all folders except Junk, Trash." in page.notices
    assert "Show the whole folder" not in page.text and folders.get(page.link("Close the search")).address == "/mailbox/INBOX"
    here = folders.get(page.link("Only in Inbox"))
    assert "Show the whole folder" in here.text and here.one("#query")["value"] == "budget"


def test_events_contacts_and_files_come_beside_the_messages(folders: Visitor, fill: Fill) -> None:
    fill(folders, with_file("Devis", "budget.pdf"))
    person = folders.get("/contacts/new")
    folders.submit(person, "form.form", name="Budget, Service", email_0="budget@x.example")
    page = search(folders, "budget", scope="all")
    asked = {str(one["id"]): str(one["hx-get"]) for one in page.all(".beside [hx-get]")}
    assert list(asked) == ["found-events", "found-contacts", "found-files"]
    contacts, files, events = (folders.get(asked[f"found-{kind}"]) for kind in ("contacts", "files", "events"))
    assert files.link("budget.pdf").startswith("/part/") and files.one("#count-files").get_text() == "1"
    assert "No event was found." in events.text and events.one("#count-events").get_text() == "0"
    assert not contacts.all("body") and contacts.one("#count-contacts")
    assert [one.get_text() for one in page.all(".kinds a")] == ["Messages", "Events", "Contacts", "Files"]
    for link in page.all(".kinds a")[1:]:  # without scripts: the same words there, and back
        other, kind = folders.get(str(link["href"])), link.get_text()
        kinds = other.one("nav[aria-label='Kinds of results']")
        assert [one.get_text() for one in kinds.select("[aria-current]")] == [kind]
        assert folders.get(str(kinds.select("a")[0]["href"])).rows == page.rows


def test_files_that_can_not_be_searched_in_time_are_a_link(folders: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: Any, **_more: Any) -> None:
        raise ServerAwayError("no answer")

    monkeypatch.setattr(imap.attachment_search, "search", away)
    page = folders.get("/files/first?name=budget")
    assert page.status == 200 and page.link("Search files") == "/files?name=budget" and not page.all("#count-files")


def test_only_the_first_page_of_a_search_everywhere_has_them(folders: Visitor, fill: Fill) -> None:
    fill(folders, *(message(f"Budget {n}") for n in range(60)))
    assert search(folders, "budget", scope="all").all(".beside")
    assert not search(folders, "budget", scope="all", page="2").all(".beside")
    assert not search(folders, "budget", "Travail").all(".beside")
