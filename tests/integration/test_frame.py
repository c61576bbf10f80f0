"""The frame of every page: what is marked as current, what the box searches, where the language leads, which notices stay."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from bs4 import Tag

from tests.support.messages import message
from tests.support.visits import Page, Visitor


def current(page: Page, where: str) -> list[str]:
    """The words of the links in this part that are marked as current, with how."""
    return [f"{words(a)}: {a['aria-current']}" for a in page.all(f"{where} a[aria-current]")]


def words(link: Tag) -> str:
    return (link.select_one("span") or link).get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("address", "area", "side", "menu"),
    [
        ("/mailbox/INBOX", "Mail: page", "Inbox: page", ""),
        ("/mailbox/Drafts", "Mail: true", "Drafts: page", ""),
        ("/mailbox/Drafts?query=x", "Mail: true", "Drafts: page", ""),
        ("/mailbox/INBOX?query=x&scope=all", "Mail: page", "", ""),
        ("/mailbox/INBOX?query=is:unread&scope=all", "Mail: page", "Unread: page", ""),
        ("/contacts", "Contacts: page", "All contacts: page", ""),
        ("/contacts?kind=group", "Contacts: page", "Groups: page", ""),
        ("/contacts/people", "Contacts: true", "People you write to: page", ""),
        ("/contacts/import", "Contacts: true", "Import and export: page", ""),
        ("/contacts/new", "Contacts: true", "", ""),
        ("/files", "Files: page", "Attachments: page", ""),
        ("/transfers", "Files: true", "Sent: page", ""),
        ("/transfers?show=received", "Files: true", "Received: page", ""),
        ("/transfers/requests", "Files: true", "Requests: page", ""),
        ("/search", "Mail: true", "Advanced search: page", ""),
        ("/outbox", "Mail: true", "Outbox: page", ""),
        ("/tags", "Mail: true", "All tags: page", ""),
        ("/folders", "Folders: page", "Manage folders: page", ""),
        ("/compose", "Mail: true", "", ""),
        ("/settings", "", "All settings: page", "Settings: page"),
        ("/settings/reading", "", "Reading: page", "Settings: true"),
        ("/settings/signatures", "", "Signatures: page", "Settings: true"),
        ("/settings/templates/new", "", "Templates: true", "Settings: true"),
        ("/filters/senders", "", "Filters: true", ""),
        ("/account", "", "My account: page", "My account: page"),
        ("/tasks", "", "Tasks: page", "Tasks: page"),
        ("/devices", "", "Devices: page", "Devices: page"),
    ],
)
@pytest.mark.parametrize("htmx", ["", "main"], ids=["whole page", "piece"])
def test_the_place_is_marked(person: Visitor, address: str, area: str, side: str, menu: str, htmx: str) -> None:
    page = person.get(address, htmx=htmx)
    assert "|".join(current(page, "nav.areas")) == area
    assert "|".join(current(page, "#folders")) == side
    assert "|".join(current(page, "details.account")) == menu


def test_a_message_is_in_its_folder(person: Visitor, fill: Callable[..., list[int]]) -> None:
    (uid,) = fill(person, message("Plans"))
    page = person.get(f"/message/{uid}/INBOX")
    assert current(page, "nav.areas") == ["Mail: true"] and current(page, "#folders") == ["Inbox: page"]
    assert page.one(".top .place").get_text() == "Inbox"


def test_the_room_and_the_snoozed_messages_are_marked(person: Visitor, fill: Callable[..., list[int]]) -> None:
    assert len(person.get("/room").all("#folders a#quota[aria-current=page]")) == 1
    fill(person, message("Plans"))
    page = person.get("/mailbox/INBOX")
    person.submit(page, "#messages", action="snooze:tomorrow", uids=str(page.one("[data-row]")["data-uid"]))
    snoozed = person.get("/snoozed")
    assert current(snoozed, "#folders") == ["Snoozed: page"]


def test_a_saved_search_is_marked_and_no_folder_beside_it(person: Visitor) -> None:
    fields = {"mailbox": "INBOX", "query": "budget", "scope": "", "name": "Comptes"}
    token = str(person.get("/search").all("[name=csrf_token]")[0]["value"])
    person.post("/search/saved", {**fields, "csrf_token": token})
    assert current(person.get("/mailbox/INBOX?query=budget"), "#folders") == ["Comptes: page"]
    assert current(person.get("/mailbox/INBOX?query=budgets"), "#folders") == ["Inbox: page"]


@pytest.mark.parametrize(
    ("address", "label", "found"),
    [
        ("/mailbox/Drafts", "Search mail", "/mailbox/Drafts?query=plan&scope=all"),
        ("/settings", "Search mail", "/mailbox/INBOX?query=plan&scope=all"),
        ("/contacts", "Search contacts", "/contacts?words=plan"),
        ("/contacts/new", "Search contacts", "/contacts?words=plan"),
        ("/files", "Search files", "/files?name=plan"),
    ],
)
def test_the_box_searches_what_the_area_holds(person: Visitor, address: str, label: str, found: str) -> None:
    page = person.get(address)
    assert page.one("label[for=query]").get_text() == label
    field = str(page.one("#query")["name"])
    results = person.submit(page, "#search", **{field: "plan"})
    assert results.address == found and results.one("#query")["value"] == "plan"


def test_the_language_leads_back_to_the_page(person: Visitor) -> None:
    form = ".account form[data-back]"
    page = person.submit(person.get("/contacts?words=é&kind=group"), form, language="fr")
    assert page.address == "/contacts?words=%C3%A9&kind=group" and "Paramètres" in page.one(".account").get_text()
    person.submit(page, form, language="en")
    piece = person.get("/tags", htmx="main")  # the bar comes with the piece
    assert piece.one(f"{form} [name=back]")["value"] == "/tags"


def test_the_language_leads_back_from_the_answer_to_a_form(person: Visitor) -> None:
    token = str(person.get("/folders").all("[name=csrf_token]")[0]["value"])
    sent = person.client.post(
        "/folders", data={"csrf_token": token, "name": ""}, headers={"Referer": "http://localhost/folders?new=1"}
    )
    page = Page(sent)
    assert page.status == 422, page.text
    assert page.one(".account form [name=back]")["value"] == "/folders?new=1"


def test_an_undo_stays_with_its_list(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"), message("Deux"))
    page = person.get("/mailbox/INBOX")
    first = str(page.all("[data-row]")[0]["data-uid"])
    done = person.submit(page, "#messages", action="delete", uids=first)
    assert "Undo" in done.one("#notices").get_text()
    for elsewhere in ("/contacts", "/settings", "/files", "/mailbox/Drafts"):
        assert "Undo" not in person.get(elsewhere).one("#notices").get_text(), elsewhere
    left = person.get(str(done.one("[data-row] a[id]")["href"]))
    assert "Undo" in left.one("#notices").get_text()  # a message of the list


def test_the_content_comes_before_the_folders(person: Visitor) -> None:
    html = person.get("/mailbox/INBOX").html
    assert html.index('href="#content"') < html.index('href="#places"') < html.index('id="main"') < html.index('id="folders"')


def test_little_stands_above_the_list_in_a_text_browser(person: Visitor, fill: Callable[..., list[int]]) -> None:
    """As w3m lays it out, of 50 lines: the buttons of the list on the 15th at the latest."""
    fill(person, message("Plans"))
    command = ["w3m", "-dump", "-cols", "120", "-T", "text/html"]
    html = person.get("/mailbox/INBOX").html
    drawn = subprocess.run(command, input=html, check=True, capture_output=True, text=True, timeout=20).stdout.splitlines()
    assert next(number for number, line in enumerate(drawn, 1) if "Archive" in line and "Delete" in line) <= 15
    assert next(number for number, line in enumerate(drawn, 1) if "Contacts" in line) == 1


@pytest.mark.parametrize("address", ["/nowhere", "/mailbox/Nirgends", "/message/9999/INBOX", "/contacts/none"])
def test_what_is_not_there_keeps_the_frame(person: Visitor, address: str) -> None:
    page = person.get(address)
    assert page.status == 404 and page.all("#folders a") and page.one("nav.areas")
    assert page.one("main h1") and page.link("Go to the inbox")


def test_who_is_not_signed_in_sees_no_frame(person: Visitor) -> None:
    page = Visitor(person.client.application, "").get("/nowhere")
    assert page.status == 404 and not page.all("#folders") and page.one("main.sheet h1")
