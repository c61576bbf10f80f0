"""The side bar: tags below the folders, with what is unread of them, and the way to a new folder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import imap
from webmail.imap.connections.connection import Connection

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


def add(person: Visitor, name: str, colour: str = "red") -> None:
    person.submit(person.get("/tags"), "main form.card:has([value=add])", action="add", name=name, colour=colour)


def sent(page: Page) -> Page:
    """The page once its answer has gone out: only then something is counted."""
    page.response.close()
    return page


def tagged(page: Page) -> dict[str, str]:
    """The tags of the side bar and their counts."""
    links = page.all("#folders a:has(.dot)")
    return {a.select_one("span").get_text(): a.select_one("b").get_text() if a.select_one("b") else "" for a in links}


def mark(client: IMAPClient, mailbox: str, *keywords: str) -> None:
    """Put keywords on all messages of a mailbox."""
    client.select_folder(mailbox)
    client.add_flags(client.search(), list(keywords))


def test_without_tags_there_is_no_group_of_them(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    assert "Tags" not in [h.get_text() for h in page.all("#folders h2")]
    assert "Tags" not in [c.get_text() for c in person.get("/folders").all("caption")]


def test_tags_stand_below_the_folders_with_what_is_unread(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    add(person, "Urgent")
    add(person, "À relire", "blue")
    client = imap_of(person.address)
    client.create_folder("Travail")
    for mailbox in ("INBOX", "Travail", "Junk"):
        fill(person, message("Un"), message("Deux"), mailbox=mailbox)
        mark(client, mailbox, "Urgent")
    client.select_folder("Travail")
    client.add_flags(client.search()[:1], ["\\Seen", "A_relire"])
    first = sent(person.get("/mailbox/INBOX", reload=True))
    assert list(tagged(first)) == ["À relire", "Urgent"]
    page = eventually(lambda: (p := person.get("/mailbox/INBOX")) and tagged(p)["Urgent"] and p, found=lambda: tagged(first))
    assert tagged(page) == {"Urgent": "3", "À relire": ""}  # read messages and junk are not counted
    link = page.one("#folders a:has(.tag-red)")
    assert link["aria-label"] == "Urgent, 3 unread messages" and not link.has_attr("aria-current")
    found = person.get(str(link["href"]))
    assert len(found.rows) == 4
    (current,) = found.all("#folders [aria-current]")
    assert current["aria-current"] == "page" and current.select_one("span").get_text() == "Urgent"
    phone = person.get("/folders")
    assert [cell.get_text(strip=True) for cell in phone.all("caption:-soup-contains('Tags') ~ tbody td")] == [
        "À relire",
        "",
        "Urgent",
        "3",
    ]


def test_counts_follow_what_one_does(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    add(person, "Urgent")
    fill(person, message("Un"), message("Deux"))
    mark(imap_of(person.address), "INBOX", "Urgent")
    sent(person.get("/mailbox/INBOX", reload=True))
    eventually(lambda: tagged(person.get("/mailbox/INBOX")) == {"Urgent": "2"})
    inbox = person.get("/mailbox/INBOX")
    box = inbox.all("[name=uids]")[0]["value"]

    def fewer() -> bool:
        return tagged(sent(person.get("/mailbox/INBOX"))) == {"Urgent": "1"}

    person.submit(inbox, "form#messages", action="untag:Urgent", uids=[box])
    eventually(fewer)


def test_a_page_waits_for_no_count(person: Visitor, fill: Fill, imap_of: ImapOf, monkeypatch: pytest.MonkeyPatch) -> None:
    add(person, "Urgent")
    fill(person, message("Un"))
    mark(imap_of(person.address), "INBOX", "Urgent")
    asked: list[bytes] = []
    run = Connection._run

    def noted(self: Connection, commands: tuple[tuple[bytes, ...], ...], *args: object) -> object:
        asked.extend(command[0] for command in commands)
        return run(self, commands, *args)

    person.get("/mailbox/INBOX")
    monkeypatch.setattr(Connection, "_run", noted)
    page = person.get("/mailbox/INBOX")
    assert tagged(page) == {"Urgent": ""} and asked == [b"NOOP", b"FETCH", b"STATUS"]


def test_many_tags_are_shown_in_part(person: Visitor) -> None:
    for number in range(imap.tag_counts.MOST_KEYWORDS):
        add(person, f"Tag {number:02}")
    page = person.get("/mailbox/INBOX")
    assert len(tagged(page)) == imap.tag_counts.MOST_KEYWORDS and "All tags" not in page.text
    add(person, "Tag 99")
    page = person.get("/mailbox/INBOX")
    assert len(tagged(page)) == imap.tag_counts.MOST_KEYWORDS and page.link("All tags") == "/tags"


def test_folders_say_their_counts_in_words(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    page = person.get("/mailbox/INBOX", reload=True)
    assert page.one("#folders [aria-current]")["aria-label"] == "Inbox, 1 unread message"


def test_a_new_folder_begins_beside_the_heading(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    plus = page.one("#folders .part a")
    assert plus["aria-label"] == "New folder" and plus["href"] == "/folders?new=1"
    asked = person.get(str(plus["href"]))
    blocks = [block for block in asked.one("main").find_all(recursive=False) if block.name not in ("link", "h1")]
    assert blocks[0].select_one("#new-folder") and blocks[0].has_attr("open")
    assert not person.get("/folders").one("main details:has(#new-folder)").has_attr("open")
    wrong = person.submit(asked, "#new-folder", name="Trash")
    assert wrong.status == 422 and wrong.one("main details:has(#new-folder)").has_attr("open")


def test_the_form_beside_the_list_leads_back_to_it(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    address = str(page.one("#folders .part a")["hx-get"])
    assert person.get(address).address == "/folders?new=1"  # without scripts
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/mailbox/INBOX?sort=sent"}
    piece = Page(person.client.get(address, headers=headers))
    assert piece.one("input[name=back]")["value"] == "/mailbox/INBOX?sort=sent" and not piece.all("header")
    made = person.submit(piece, "form.making", name="Projets")
    assert made.address == "/mailbox/INBOX?sort=sent" and "Projets" in made.one("#folders").get_text()
    away = Page(person.client.get(address, headers=headers | {"HX-Current-URL": "http://evil.example//evil.example/x"}))
    assert away.one("input[name=back]")["value"] == ""


def test_what_deletes_a_folder_comes_last_and_who_it_is_shared_with_first(person: Visitor) -> None:
    person.submit(person.get("/folders"), "#new-folder", name="Projets")
    page = person.get("/folder/Projets")
    last = page.all("main button")[-1]
    assert last["value"] == "delete" and "btn-remove" in last["class"] and "btn-danger" not in last["class"]
    gone = person.submit(page, "main form:has([value=delete])", action="delete")
    assert "Projets" in gone.notices


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/mailbox/INBOX", "Skip to folders"), ("/calendar", "Skip to calendars"), ("/contacts", "Skip to address books"),
        ("/files", "Skip to file lists"), ("/settings", "Skip to settings pages"), ("/account", "Skip to account pages"),
        ("/help", "Skip to help chapters"),
    ],
)  # fmt: skip
def test_the_link_past_the_page_says_where_it_leads(person: Visitor, address: str, words: str) -> None:
    assert person.get(address).one(".skip[href='#places']").get_text() == words
    answer = person.get(address, htmx="main")  # from another area
    assert answer.one(".skip[hx-swap-oob]").get_text() == words


def test_the_bar_has_one_current_place(person: Visitor) -> None:
    assert [a["href"] for a in person.get("/folders").all(".areas [aria-current]")] == ["/folders"]
    assert [a["href"] for a in person.get("/tags").all(".areas [aria-current]")] == ["/mailbox/INBOX"]
