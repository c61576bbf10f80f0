"""Tags as a list to tick: as they stand, changed in one go with one undo, a new one in place."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail import imap
from webmail.errors import ServerAwayError

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]
FORM, CHOOSER = "form#messages", "#chooser form"


def add(person: Visitor, *names: str) -> None:
    for name in names:
        person.submit(person.get("/tags"), "main form.card:has([value=add])", action="add", name=name, colour="red")


def boxes(page: Page, *subjects: str) -> list[str]:
    rows = {row.select_one(".s a[id]").get_text(): row.select_one("[name=uids]")["value"] for row in page.all("[data-row]")}
    return [str(rows[subject]) for subject in subjects]


def ask(person: Visitor, *subjects: str, at: str = "/mailbox/INBOX", htmx: str = "") -> Page:
    page = person.get(at)
    return person.submit(page, FORM, action="tags", uids=boxes(page, *subjects), htmx=htmx)


def standing(page: Page) -> dict[str, str]:
    """How each tag is shown: on, off, or on some of the messages."""
    found = {}
    for row in page.all(".ticks li"):
        tick = row.select_one("[type=checkbox]")
        name = row.select_one(".tag").get_text()
        found[name] = row.select_one(".small").get_text() if tick is None else "on" if tick.has_attr("checked") else "off"
    return found


@pytest.fixture
def tagged(person: Visitor, fill: Fill, imap_of: ImapOf) -> Visitor:
    """Three messages: Bleu on all of them, Vert on one, Rouge on none."""
    add(person, "Bleu", "Rouge", "Vert")
    uids = fill(person, message("Un"), message("Deux"), message("Trois"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags(uids, ["Bleu"])
    client.add_flags(uids[:1], ["Vert"])
    return person


def flags(client: IMAPClient) -> list[set[str]]:
    """The tags of the inbox's messages, in order."""
    client.select_folder("INBOX", readonly=True)
    found = client.get_flags(client.search())
    return [{flag.decode() for flag in found[uid]} & {"Bleu", "Rouge", "Vert", "Gelb"} for uid in sorted(found)]


def test_the_list_shows_what_all_some_and_none_have(tagged: Visitor) -> None:
    asked = ask(tagged, "Un", "Deux", "Trois")
    assert "Tags on 3 messages" in asked.one("h1").get_text()
    assert standing(asked) == {"Bleu": "on", "Rouge": "off", "Vert": "on 1 of 3"}
    assert standing(ask(tagged, "Un")) == {"Bleu": "on", "Rouge": "off", "Vert": "on"}


def test_nothing_changed_changes_nothing(tagged: Visitor, imap_of: ImapOf) -> None:
    before = flags(imap_of(tagged.address))
    after = tagged.submit(ask(tagged, "Un", "Deux", "Trois"), CHOOSER, action="retag")
    assert "Nothing to change." in after.notices and flags(imap_of(tagged.address)) == before


def test_several_changes_are_one_action_with_one_undo(tagged: Visitor, imap_of: ImapOf) -> None:
    client = imap_of(tagged.address)
    before = flags(client)
    after = tagged.submit(ask(tagged, "Un", "Deux"), CHOOSER, action="retag", on=["Rouge"], some=["+Vert"])
    assert "Tags changed on 2 messages." in after.notices
    assert flags(client) == [{"Rouge", "Vert"}, {"Rouge", "Vert"}, {"Bleu"}]
    undone = tagged.submit(after, "#notices form")
    assert "Undone for 2 messages." in undone.notices and flags(client) == before


@pytest.mark.parametrize(
    ("fields", "told", "left"),
    [
        ({"on": ["Bleu", "Rouge"]}, "2 messages tagged Rouge.", [{"Bleu", "Rouge", "Vert"}, {"Bleu", "Rouge"}, {"Bleu"}]),
        ({"on": []}, "Tag Bleu removed from 2 messages.", [{"Vert"}, set(), {"Bleu"}]),
        ({"some": ["-Vert"]}, "Tag Vert removed from 1 message.", [{"Bleu"}, {"Bleu"}, {"Bleu"}]),
        ({"some": ["+Vert"]}, "1 message tagged Vert.", [{"Bleu", "Vert"}, {"Bleu", "Vert"}, {"Bleu"}]),
    ],
)
def test_one_change_is_told_by_its_name(
    tagged: Visitor, imap_of: ImapOf, fields: dict[str, list[str]], told: str, left: list[set[str]]
) -> None:
    after = tagged.submit(ask(tagged, "Un", "Deux"), CHOOSER, action="retag", **fields)
    assert told in after.notices and flags(imap_of(tagged.address)) == left


def test_a_new_tag_is_made_in_place(tagged: Visitor) -> None:
    asked = ask(tagged, "Un", "Deux")
    wrong = tagged.submit(asked, CHOOSER, action="retag", name="x" * 61, on=["Bleu", "Rouge"], some=["-Vert"], colour="teal")
    assert wrong.status == 422 and "at most 60" in wrong.one("#chooser-error").get_text()
    assert wrong.one("#chooser-name")["value"] == "x" * 61 and wrong.one("#chooser-colour [selected]")["value"] == "teal"
    assert standing(wrong)["Rouge"] == "on" and wrong.one("[name=some] [selected]")["value"] == "-Vert"
    after = tagged.submit(wrong, CHOOSER, action="retag", name=" Élèves  <b> ", colour="blue")
    assert "Tags changed on 2 messages." in after.notices
    assert after.one("[data-row]:last-child .tag-blue").get_text() == "Élèves <b>" and not after.all("main b")
    again = tagged.submit(ask(tagged, "Trois"), CHOOSER, action="retag", name="élèves <B>")
    assert "1 message tagged Élèves <b>." in again.notices


def test_a_refused_name_comes_back_as_a_piece(tagged: Visitor) -> None:
    piece = ask(tagged, "Un", htmx="chooser")
    assert piece.one("section#chooser h2") and not piece.all("header, main")
    wrong = tagged.submit(piece, CHOOSER, action="retag", name="\u0007", htmx="main")
    assert wrong.status == 422 and wrong.headers["HX-Retarget"] == "#chooser" and not wrong.all("header, main")


def test_results_of_several_folders_and_all_that_match(tagged: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    fill(tagged, message("Vier"), mailbox="Archive")
    found = "/mailbox/INBOX?query=Bonjour&scope=all"
    asked = ask(tagged, "Trois", "Vier", at=found)
    assert standing(asked) == {"Bleu": "on 1 of 2", "Rouge": "off", "Vert": "off"}
    after = tagged.submit(asked, CHOOSER, action="retag", on=["Rouge"], some=["-Bleu"])
    assert "Tags changed on 2 messages." in after.notices
    assert flags(imap_of(tagged.address))[2] == {"Rouge"}
    asked = tagged.submit(tagged.get("/mailbox/INBOX?select=all"), FORM, action="tags")
    assert standing(asked) == {"Bleu": "on 2 of 3", "Rouge": "on 1 of 3", "Vert": "on 1 of 3"}
    tagged.submit(asked, CHOOSER, action="retag", some=["+Bleu", "-Rouge", ""])
    assert flags(imap_of(tagged.address)) == [{"Bleu", "Vert"}, {"Bleu"}, {"Bleu"}]


def test_a_message_is_tagged_from_its_page(tagged: Visitor) -> None:
    page = tagged.get(tagged.get("/mailbox/INBOX").link("Deux"))
    asked = tagged.submit(page, "main form.list-bar", action="tags")
    after = tagged.submit(asked, CHOOSER, action="retag", on=["Bleu", "Vert"])
    assert "1 message tagged Vert." in after.notices


@pytest.mark.parametrize("keyword", ["\\Deleted", "a b", "x\r\nA1 LOGOUT", '"', "é"])
def test_what_is_no_keyword_is_put_on_nothing(tagged: Visitor, imap_of: ImapOf, keyword: str) -> None:
    before = flags(imap_of(tagged.address))
    asked = ask(tagged, "Un")
    assert tagged.submit(asked, CHOOSER, action="retag", on=["Bleu", "Vert", keyword]).status == 400
    assert tagged.submit(asked, CHOOSER, action="retag", some=[f"-{keyword}"]).status == 400
    assert flags(imap_of(tagged.address)) == before


def test_nothing_ticked_signed_out_and_no_messages(tagged: Visitor) -> None:
    assert "Select messages first" in tagged.submit(tagged.get("/mailbox/INBOX"), FORM, action="tags").notices
    asked = ask(tagged, "Un")
    assert "Select messages first" in tagged.submit(asked, CHOOSER, action="retag", uids=None).notices
    tagged.client.delete_cookie("traboule")
    assert tagged.submit(asked, CHOOSER, action="retag", follow=False).location.startswith("/login")


def test_somebody_elses_tags_are_not_offered(app: Flask, tagged: Visitor, make_account: Callable[..., str], fill: Fill) -> None:
    other = Visitor(app, make_account()).sign_in()
    fill(other, message("Mein"))
    asked = ask(other, "Mein")
    assert standing(asked) == {} and "no tags yet" in asked.text
    assert "1 message tagged Neu." in other.submit(asked, CHOOSER, action="retag", name="Neu").notices


def test_two_clicks_make_one_tag(app: Flask, tagged: Visitor, imap_of: ImapOf) -> None:
    windows = [tagged, *(Visitor(app, tagged.address).sign_in() for _ in range(2))]
    asked = [ask(window, "Un") for window in windows]
    start, pages = threading.Barrier(3), []

    def click(window: Visitor, page: Page) -> None:
        start.wait()
        pages.append(window.submit(page, CHOOSER, action="retag", name="Gelb"))

    threads = [threading.Thread(target=click, args=each) for each in zip(windows, asked, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [page.status for page in pages] == [200] * 3
    assert sum("1 message tagged Gelb" in page.notices for page in pages) == 1
    assert len(tagged.get("/tags").all("main li")) == 4


def test_what_was_changed_before_the_server_stopped_can_be_undone(
    tagged: Visitor, imap_of: ImapOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = imap_of(tagged.address)
    before, set_flags, calls = flags(client), imap.actions.set_flags, []

    def once(*args: object, **more: object) -> None:
        calls.append(args)
        if len(calls) > 1:
            raise ServerAwayError("gone")
        set_flags(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(imap.actions, "set_flags", once)
        after = tagged.submit(ask(tagged, "Un", "Deux"), CHOOSER, action="retag", on=["Rouge"])
    assert "stopped partway" in after.notices
    tagged.submit(after, "#notices form")
    assert flags(client) == before


def test_the_fields_of_a_first_tag_stand_below_a_heading(person: Visitor, fill: Fill) -> None:
    fill(person, message("Bonjour"))
    chooser = ask(person, "Bonjour").one(".chooser-new")
    assert (chooser.name, chooser.find("h3").get_text(), chooser.find("summary")) == ("div", "New tag", None)
