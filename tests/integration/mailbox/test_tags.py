"""Tags on messages: put, seen by other programs, shown with words, renamed, removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail.imap.connections.connection import Connection

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]
FORM = "form#messages"


def boxes(page: Page, *subjects: str) -> list[str]:
    rows = {row.select_one(".s a[id]").get_text(): row.select_one("[name=uids]")["value"] for row in page.all("[data-row]")}
    return [str(rows[subject]) for subject in subjects]


def chips(page: Page, subject: str) -> list[str]:
    """The tags on the row of this subject."""
    row = next(row for row in page.all("[data-row]") if row.select_one(".s a[id]").get_text() == subject)
    return [chip.get_text() for chip in row.select(".tag")]


def add(person: Visitor, name: str, colour: str = "red") -> Page:
    return person.submit(person.get("/tags"), "main form.card:has([value=add])", action="add", name=name, colour=colour)


def test_a_tag_is_put_on_messages_seen_by_others_and_taken_off(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    add(person, "À relire")
    uids = fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    after = person.submit(inbox, FORM, action="tag:A_relire", uids=boxes(inbox, "Un"))
    assert "1 message tagged À relire." in after.notices
    assert chips(after, "Un") == ["À relire"] and chips(after, "Deux") == []
    client = imap_of(person.address)
    client.select_folder("INBOX", readonly=True)
    flags = client.get_flags(uids)
    assert sorted(b"A_relire" in flags[uid] for uid in uids) == [False, True]
    shown = person.get(after.link("Un"))
    assert [chip.get_text() for chip in shown.all("article .tag")] == ["À relire"]
    again = person.submit(after, FORM, action="tag:A_relire", uids=boxes(after, "Un", "Deux"))
    assert "1 message tagged" in again.notices  # the other one has it already
    undone = person.submit(again, "#notices form")
    assert chips(undone, "Un") == ["À relire"] and chips(undone, "Deux") == []
    off = person.submit(undone, FORM, action="untag:A_relire", uids=boxes(undone, "Un", "Deux"))
    assert "Tag À relire removed from 1 message." in off.notices and chips(off, "Un") == []


def test_standard_keywords_are_said_in_words(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    (uid,) = fill(person, message("Un"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([uid], ["$Important", "$label4", "$MDNSent", "projet-x", "NonJunk"])
    page = person.get("/mailbox/INBOX")
    assert chips(page, "Un") == ["Important", "To do", "projet-x"]
    shown = person.get(page.link("Un"))
    assert [chip.get_text() for chip in shown.all("article .tag")] == [
        "Important",
        "To do",
        "Read receipt sent",
        "Not junk",
        "projet-x",
    ]
    listed = person.get("/tags")
    named = person.submit(listed, "main form:has([value='$label4'])", action="add", name="Ma liste", colour="teal")
    assert "Tag Ma liste added." in named.notices
    assert chips(person.get("/mailbox/INBOX"), "Un") == ["Ma liste", "Important", "projet-x"]


def test_what_programs_note_for_themselves_is_not_offered_as_a_tag(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    (uid,) = fill(person, message("Un"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([uid], ["$label4", "$MDNSent", "$Junk", "NonJunk", "$Phishing", "$Forwarded", "projet-x"])
    offered = [field["value"] for field in person.get("/tags").all("main [name=keyword]")]
    assert offered == ["$label4", "projet-x"]
    inbox = person.get("/mailbox/INBOX")
    asked = person.submit(inbox, FORM, action="tags", uids=boxes(inbox, "Un"))
    assert [tag.get_text() for tag in asked.all("main .tag")] == ["To do", "projet-x"]


def test_a_tag_gets_another_name_and_the_messages_keep_it(person: Visitor, fill: Fill) -> None:
    add(person, "Urgent")
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    person.submit(inbox, FORM, action="tag:Urgent", uids=boxes(inbox, "Un"))
    page = person.submit(person.get("/tags"), "main li form", action="change", name="Pressé", colour="green")
    assert "Tag Pressé saved." in page.notices
    assert chips(person.get("/mailbox/INBOX"), "Un") == ["Pressé"]


@pytest.mark.parametrize(("how", "left"), [("forget", ["Urgent"]), ("strip", [])])
def test_a_removed_tag_asks_what_becomes_of_the_messages(person: Visitor, fill: Fill, how: str, left: list[str]) -> None:
    add(person, "Urgent")
    fill(person, message("Un"))
    fill(person, message("Ailleurs"), mailbox="Archive")
    for name, subject in (("INBOX", "Un"), ("Archive", "Ailleurs")):
        page = person.get(f"/mailbox/{name}")
        person.submit(page, FORM, action="tag:Urgent", uids=boxes(page, subject))
    asked = person.submit(person.get("/tags"), "main li form", action="remove")
    assert "Delete the tag Urgent?" in asked.text and "Urgent" in person.get("/tags").text
    after = person.submit(asked, "main form", action=how)
    assert "Tag Urgent deleted." in after.notices
    assert ("It was removed from 2 messages." in after.notices) == (how == "strip")
    assert after.all("main li") == []
    assert chips(person.get("/mailbox/INBOX"), "Un") == left and chips(person.get("/mailbox/Archive"), "Ailleurs") == left


def test_names_are_text_whatever_they_hold(person: Visitor, fill: Fill) -> None:
    page = add(person, "<b>&\"'{{7*7}}")
    assert "<b>&\"'{{7*7}}" in page.text and not page.all("main b")
    assert add(person, "x" * 61).status == 422 and add(person, " ").status == 422
    assert "no longer exists" in person.submit(page, "main li form", action="change", keyword="Nobody", name="y").notices
    assert "no longer exists" in person.submit(page, "main li form", action="explode").notices


@pytest.mark.parametrize("keyword", ["", "\\Deleted", "a b", "x\r\nA1 LOGOUT", '"', "é"])
def test_what_is_no_keyword_is_put_on_nothing(person: Visitor, fill: Fill, keyword: str) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    assert person.submit(inbox, FORM, action=f"tag:{keyword}", uids=boxes(inbox, "Un")).status == 400
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_somebody_elses_tags_are_not_shown(app: Flask, person: Visitor, make_account: Callable[..., str]) -> None:
    add(person, "Secret")
    other = Visitor(app, make_account()).sign_in()
    assert "Secret" not in other.get("/tags").text
    other.submit(other.get("/tags"), "main form.card:has([value=add])", action="remove", keyword="Secret")
    assert "Secret" in person.get("/tags").text


def test_a_server_that_keeps_no_tags_is_said_to(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(person, message("Un"))
    add(person, "Urgent")
    inbox = person.get("/mailbox/INBOX")
    select = Connection.select

    def without(self: Connection, *args: object) -> object:
        found = select(self, *args)
        self.permanent = frozenset({"\\Seen", "\\Flagged"})
        return found

    monkeypatch.setattr(Connection, "select", without)
    after = person.submit(inbox, FORM, action="tag:Urgent", uids=boxes(inbox, "Un"))
    assert "support tags" in after.notices
    assert "support tags" in person.submit(inbox, FORM, action="tags", uids=boxes(inbox, "Un")).text
    assert "support tags" in person.get("/tags").text


def test_a_tag_leads_to_everything_that_has_it(person: Visitor, fill: Fill) -> None:
    add(person, "À relire")
    fill(person, message("Un"), message("Deux"))
    fill(person, message("Ailleurs"), mailbox="Archive")
    for name, subject in (("INBOX", "Un"), ("Archive", "Ailleurs")):
        page = person.get(f"/mailbox/{name}")
        person.submit(page, FORM, action="tag:A_relire", uids=boxes(page, subject))
    inbox = person.get("/mailbox/INBOX")
    chip = inbox.one("[data-row] a.tag")
    assert chip["aria-label"] == "Messages tagged À relire" and chip.get_text() == "À relire"
    found = person.get(str(chip["href"]))
    assert found.rows == ["Ailleurs", "Un"] or found.rows == ["Un", "Ailleurs"]
    assert "Search: tag:" in found.text
    assert person.get(inbox.link("Un")).one("article a.tag")["href"] == chip["href"]
    assert person.get("/tags").one("main li a.tag")["href"] == chip["href"]


def test_a_row_has_at_most_three_tags_and_says_how_many_more(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    (uid,) = fill(person, message("Un"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([uid], ["a1", "b2", "c3", "d4", "e5"])
    page = person.get("/mailbox/INBOX")
    assert chips(page, "Un") == ["a1", "b2", "c3"]
    more = page.one("[data-row] .more-tags")
    assert more.get_text(" ", strip=True) == "+2" and more["title"] == "d4, e5"
    assert len(person.get(page.link("Un")).all("article a.tag")) == 5


def test_no_row_of_the_junk_folder_says_that_it_is_junk(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    client = imap_of(person.address)
    for mailbox in ("INBOX", "Junk"):
        (uid,) = fill(person, message(f"In {mailbox}"), mailbox=mailbox)
        client.select_folder(mailbox)
        client.add_flags([uid], ["$Junk", "projet-x"])
    assert chips(person.get("/mailbox/INBOX"), "In INBOX") == ["Junk", "projet-x"]
    assert chips(person.get("/mailbox/Junk"), "In Junk") == ["projet-x"]
    found = person.get("/mailbox/Junk?query=tag:projet-x&scope=all")
    assert chips(found, "In Junk") == ["projet-x"] and chips(found, "In INBOX") == ["Junk", "projet-x"]


def test_a_piece_for_htmx(person: Visitor) -> None:
    add(person, "Urgent")
    for address in ("/tags", "/folders"):
        piece = person.get(address, htmx="main")
        assert piece.one("main#main a.tag").get_text() == "Urgent" and not piece.all("body")
