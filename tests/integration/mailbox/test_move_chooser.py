"""Choosing where messages go: filter, recent folders, a new one in place; as a page, as a piece, from several folders."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.models import RecentFolder, User

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]
FORM, CHOOSER = "form#messages", "#chooser form"
HOSTILE = 'A "b" & <i>50 %</i> * é\\'


def boxes(page: Page, *subjects: str) -> list[str]:
    rows = {row.select_one(".s a").get_text(): row.select_one("[name=uids]")["value"] for row in page.all("[data-row]")}
    return [str(rows[subject]) for subject in subjects]


def ask(person: Visitor, *subjects: str, how: str = "moveto", at: str = "/mailbox/INBOX", **fields: Any) -> Page:
    """The chooser for these messages of a list."""
    page = person.get(at)
    return person.submit(page, FORM, action=how, uids=boxes(page, *subjects), **fields)


def offered(page: Page, part: str = "ul") -> list[str]:
    """The folders as they are read."""
    return [button.get_text(strip=True) for button in page.all(f"#chooser {part} button")]


def recent(page: Page) -> list[str]:
    return offered(page, "ul[aria-labelledby=chooser-recent]")


def test_the_button_leads_to_all_folders_and_one_of_them_takes_the_messages(folders: Visitor) -> None:
    asked = ask(folders, "Budget 1", "Budget 7")
    assert asked.status == 200 and "Move 2 messages to" in asked.one("h1").get_text()
    assert offered(asked)[:3] == ["Travail", "Travail/2024", "Été"]
    assert "Drafts" not in offered(asked) and "Inbox" not in offered(asked)
    after = folders.submit(asked, CHOOSER, action="move:Travail/2024", follow=False)
    assert after.status == 303 and after.location.endswith("/mailbox/INBOX")
    back = folders.get(after.location)
    assert back.rows == [] and "2 messages moved to 2024." in back.notices
    assert set(folders.submit(back, "#notices form").rows) == {"Budget 1", "Budget 7"}


def test_a_list_brings_nothing_of_the_chooser_along(folders: Visitor) -> None:
    page = folders.get("/mailbox/INBOX")
    assert page.one("form#messages [value=moveto]").get_text(strip=True) == "Move…"
    assert page.all("form#messages [value=copyto]") and not page.all("form#messages select")
    assert "chooser.css" not in page.html


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ete", ["Été"]), ("ÉTÉ", ["Été"]), ("vail 24", ["Travail/2024"]), ("avail/20", ["Travail/2024"]), ("zzz", []),
        ("  ", None), ("%", []), ("*", []), ('"', []),
    ],
)  # fmt: skip
def test_the_filter_is_a_field_of_the_form(folders: Visitor, typed: str, found: list[str] | None) -> None:
    asked = folders.submit(ask(folders, "Budget 1"), CHOOSER, action="moveto", find=typed)
    assert asked.status == 200
    if found is None:
        assert len(offered(asked)) > 5
    else:
        assert offered(asked) == found
        assert asked.one("#chooser-find")["value"] == typed
        assert ("There is no folder with this name yet." in asked.text) == (not found)
    after = folders.submit(asked, CHOOSER, action="move:Été")
    assert "1 message moved to Été" in after.notices


def test_folders_used_lately_come_first_on_every_machine(app: Flask, folders: Visitor, imap_of: ImapOf) -> None:
    client = imap_of(folders.address)
    for name in "abcdef":
        client.create_folder(name)
    folders.get("/mailbox/INBOX", reload=True)
    assert recent(ask(folders, "Budget 1")) == []
    for name in ("a", "b", "c", "d", "e", "f", "b"):
        folders.submit(ask(folders, "Budget 1", how="copyto"), CHOOSER, action=f"copy:{name}")
    other = Visitor(app, folders.address).sign_in()
    assert recent(ask(other, "Budget 1")) == ["b", "f", "e", "d", "c"]
    assert recent(folders.submit(ask(folders, "Budget 1"), CHOOSER, action="moveto", find="b")) == []
    with db.connection_context():
        assert RecentFolder.select().join(User).where(User.address == folders.address).count() == 5


def test_what_is_recent_follows_a_folder_that_gets_another_name(folders: Visitor) -> None:
    folders.submit(ask(folders, "Budget 1"), CHOOSER, action="move:Travail/2024")
    folders.submit(folders.get("/folder/Travail"), "#rename", action="rename", name="Bureau")
    assert recent(ask(folders, "Budget 7")) == ["Bureau/2024"]
    folders.submit(folders.get("/folder/Bureau"), "form:has([value=delete])", action="delete")
    assert recent(ask(folders, "Budget 7")) == []


def test_nothing_is_noted_while_one_only_looks(folders: Visitor) -> None:
    ask(folders, "Budget 1")
    folders.post("/act/INBOX", {"action": "move:nope", "uids": "1"})
    with db.connection_context():
        assert RecentFolder.select().join(User).where(User.address == folders.address).count() == 0


@pytest.mark.parametrize(
    ("typed", "made"),
    [("Erasmus 2027", ["Erasmus 2027"]), ("Projets/ 2027 /Été", ["Projets", "Projets/2027", "Projets/2027/Été"]),
     (HOSTILE, [HOSTILE]), ("Archive/2027", ["Archive/2027"])],
)  # fmt: skip
def test_a_new_folder_is_made_and_takes_them(folders: Visitor, imap_of: ImapOf, typed: str, made: list[str]) -> None:
    asked = folders.submit(ask(folders, "Budget 1"), CHOOSER, action="moveto", find=typed)
    assert f"Create “{typed}” and move there" in asked.one("[value='make:move']").get_text()
    after = folders.submit(asked, CHOOSER, action="make:move", find=typed)
    assert after.status == 200 and "1 message moved to" in after.notices and after.rows == ["Budget 7"]
    assert set(made) <= {name for _flags, _delimiter, name in imap_of(folders.address).list_folders()}
    assert folders.get(f"/mailbox/{quote(made[-1])}").rows == ["Budget 1"]
    assert folders.submit(after, "#notices form").rows == ["Budget 7", "Budget 1"]


def test_a_folder_in_the_readers_language_is_the_one_it_names(app: Flask, folders: Visitor) -> None:
    french = Visitor(app, folders.address, language="fr").sign_in()
    french.submit(ask(french, "Budget 1"), CHOOSER, action="make:move", find="Archives/2027")
    assert french.get("/mailbox/Archive/2027").rows == ["Budget 1"]
    french.submit(ask(french, "Budget 7"), CHOOSER, action="make:move", find="corbeille")
    assert "Budget 7" in french.get("/mailbox/Trash").rows
    assert french.get("/mailbox/Corbeille").status == 404


def test_a_name_that_is_there_already_is_that_folder(folders: Visitor) -> None:
    asked = folders.submit(ask(folders, "Budget 1"), CHOOSER, action="moveto", find="travail")
    assert asked.one("[value='make:move']").has_attr("hidden")
    folders.submit(asked, CHOOSER, action="make:move", find="travail")
    assert folders.get("/mailbox/travail").status == 404 and "Budget 1" in folders.get("/mailbox/Travail").rows


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Type a name"), ("a//b", "before or after a separator"), ("x" * 300, "too long"), ("a\u0007b", "invisible characters"),
        ("INBOX/x", "name is reserved"), ("..", "name is reserved"), ("/".join("abcdefghij"), "too many nested folders"),
        ("Drafts", "can’t hold messages"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("htmx", ["", "main"])
def test_a_name_that_is_refused_is_explained_and_kept(folders: Visitor, typed: str, told: str, htmx: str) -> None:
    asked = ask(folders, "Budget 1", pop="1" if htmx else None)
    page = folders.submit(asked, CHOOSER, action="make:move", find=typed, pop="1", htmx=htmx)
    assert page.status == 422 and told in page.one("#chooser-error").get_text()
    assert page.one("#chooser-find")["value"] == typed.replace("\u0007", "\u0007")
    assert bool(page.all("header")) == (not htmx) and page.headers.get("HX-Retarget") == ("#chooser" if htmx else None)
    assert set(folders.get("/mailbox/INBOX").rows) == {"Budget 1", "Budget 7"}
    after = folders.submit(page, CHOOSER, action="make:move", find="Bon nom")
    assert "1 message moved to Bon nom" in after.notices


def test_scripts_get_the_piece_alone(folders: Visitor) -> None:
    page = folders.get("/mailbox/INBOX")
    piece = folders.submit(page, FORM, action="moveto", uids=boxes(page, "Budget 1"), htmx="chooser")
    assert piece.one("section#chooser h2").get_text() == "Move 1 message to"
    assert not piece.all("header, main, h1, #notices") and piece.one("[name=pop]")
    assert piece.headers["HX-Push-Url"] == "false"


def test_results_of_several_folders_all_of_them_and_conversations(folders: Visitor) -> None:
    found = "/mailbox/INBOX?query=commun&scope=all"
    asked = ask(folders, "Budget 2", "Budget 4", at=found)
    assert "Move 2 messages to" in asked.text and "Inbox" in offered(asked) and "Travail" in offered(asked)
    after = folders.submit(asked, CHOOSER, action="make:move", find="Commun")
    assert "2 messages moved to Commun" in after.notices and "scope=all" in after.address
    everything = folders.get(f"{found}&select=all")
    asked = folders.submit(everything, FORM, action="moveto")
    assert "Move 5 messages to" in asked.text
    after = folders.submit(folders.submit(asked, CHOOSER, action="moveto", find="ete"), CHOOSER, action="move:Été")
    assert "moved to Été" in after.notices
    assert set(folders.get("/mailbox/Été").rows) >= {"Budget 1", "Budget 2", "Budget 4"}
    uids = ",".join(row["data-uid"] for row in folders.get("/mailbox/Été").all("[data-row]")[:2])
    asked = folders.submit(folders.get("/mailbox/Été"), FORM, action="moveto", uids=uids)
    assert "Move 2 messages to" in asked.text


def test_nothing_ticked_is_said_and_one_stays(folders: Visitor) -> None:
    page = folders.submit(folders.get("/mailbox/INBOX?sort=subject"), FORM, action="moveto")
    assert "Select messages first" in page.notices and "sort=subject" in page.address and not page.all("#chooser")


def test_a_message_is_moved_from_its_page(folders: Visitor) -> None:
    page = folders.get(folders.get("/mailbox/INBOX").link("Budget 7"))
    asked = folders.submit(page, "main form.list-bar", action="moveto")
    after = folders.submit(asked, CHOOSER, action="move:Travail")
    assert "1 message moved to Travail" in after.notices and after.rows == ["Budget 1"]


@pytest.mark.parametrize("target", ["nope", "Trav%", "*", "a\r\nA1 LOGOUT", 'x"y', "x" * 2000, "shared/nobody@x.example/Y"])
def test_a_folder_that_is_not_there_takes_nothing(folders: Visitor, target: str) -> None:
    page = folders.submit(ask(folders, "Budget 1"), CHOOSER, action=f"move:{target}")
    assert page.status in (400, 404) and page.all("a[href]")
    assert set(folders.get("/mailbox/INBOX").rows) == {"Budget 1", "Budget 7"}


def test_signed_out_the_chooser_asks_to_sign_in(folders: Visitor) -> None:
    asked = ask(folders, "Budget 1")
    folders.client.delete_cookie("traboule")
    for action in ("moveto", "move:Travail", "make:move"):
        page = folders.submit(asked, CHOOSER, action=action, find="Neu", follow=False)
        assert page.status == 303 and page.location.startswith("/login"), action
    assert set(folders.sign_in().get("/mailbox/INBOX").rows) == {"Budget 1", "Budget 7"}


def test_somebody_elses_folder_is_no_target(app: Flask, folders: Visitor, make_account: Callable[..., str], fill: Fill) -> None:
    other = Visitor(app, make_account()).sign_in()
    fill(other, message("Fremd"))
    asked = ask(other, "Fremd")
    assert "Travail" not in offered(asked)
    for place in (f"shared/{folders.address}/Travail", f"shared/{folders.address}/New"):
        assert other.submit(asked, CHOOSER, action=f"move:{place}").status in (403, 404)
        assert other.submit(asked, CHOOSER, action="make:move", find=place).status in (200, 422)
    assert folders.get("/mailbox/Travail").rows == ["Budget 2"]


@pytest.mark.parametrize(("level", "shown"), [("read", ["copyto"]), ("write", ["copyto", "moveto"])])
def test_only_what_one_may_do_is_offered(
    app: Flask, folders: Visitor, make_account: Callable[..., str], fill: Fill, level: str, shown: list[str]
) -> None:
    bob = Visitor(app, make_account("bob")).sign_in()
    folders.submit(folders.get("/folder/Travail"), "#share", who=bob.address, level=level, action="give")
    team = f"shared/{folders.address}/Travail"
    fill(bob, message("Meins"))
    bob.get("/folders", reload=True)
    page = bob.get(f"/mailbox/{quote(team)}")
    assert sorted(str(b["value"]) for b in page.all("[value=moveto], [value=copyto]")) == shown
    assert any("Travail" in name for name in offered(ask(bob, "Meins"))) == (level == "write")
    refused = bob.submit(ask(bob, "Meins"), CHOOSER, action=f"move:{team}")
    assert (refused.status == 200) == (level == "write")


@pytest.mark.parametrize("made", [["Neu"], ["Neu", "Neu/Alt"]])
def test_a_folder_that_another_program_made_a_moment_ago_takes_them(folders: Visitor, imap_of: ImapOf, made: list[str]) -> None:
    asked = ask(folders, "Budget 1")
    for name in made:
        imap_of(folders.address).create_folder(name)
    after = folders.submit(asked, CHOOSER, action="make:move", find="Neu/Alt")
    assert "1 message moved to Alt." in after.notices
    after = folders.submit(ask(folders, "Budget 7"), CHOOSER, action="make:move", find="Neu/Alt")
    assert "1 message moved to Alt." in after.notices


def test_two_clicks_make_one_folder_and_move_once(app: Flask, folders: Visitor, imap_of: ImapOf) -> None:
    windows = [folders, *(Visitor(app, folders.address).sign_in() for _ in range(2))]
    asked = [ask(window, "Budget 1") for window in windows]
    start, pages = threading.Barrier(3), []

    def click(window: Visitor, page: Page) -> None:
        start.wait()
        pages.append(window.submit(page, CHOOSER, action="make:move", find="Zwei/Klicks"))

    threads = [threading.Thread(target=click, args=each) for each in zip(windows, asked, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [page.status for page in pages] == [200] * 3
    assert sum("1 message moved to Klicks" in page.notices for page in pages) == 1
    assert imap_of(folders.address).folder_status("Zwei/Klicks", ["MESSAGES"])[b"MESSAGES"] == 1


def test_a_name_that_no_folder_has_is_offered_to_be_made_at_once(folders: Visitor) -> None:
    """Without scripts the Enter key filters; what comes leads on with one button, below the field."""
    asked = folders.submit(ask(folders, "Budget 1"), CHOOSER, action="moveto", find="Sorties 2030")
    (button,) = asked.all(".chooser-new button")
    assert "btn-primary" in button["class"] and "Create “Sorties 2030” and move there" in button.get_text()
    assert asked.html.index("chooser-new") < asked.html.index("chooser-list")
    after = folders.submit(asked, CHOOSER, action="make:move")
    assert "1 message moved to Sorties 2030" in after.notices
