"""Folders: made, renamed, moved, deleted and found again, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.models import SavedSearch, Snoozed, User, now

HOSTILE = [
    'quote " and \\ backslash', "100 %", "a*b", "Tom & Jerry", "&-&AOk-", "🎉 fête 🎉", "日本語", "é" * 60, "(parens) {5+}", "[bracket] ~x",
    "2024", "NIL", "<b>bold", "a'b`c$d", "?query#part", "trailing.dot.", "%2F%2e", "{{ 7 * 7 }}",
]  # fmt: skip


def make(person: Visitor, name: str, parent: str = "") -> Page:
    return person.submit(person.get("/folders"), "#new-folder", name=name, parent=parent)


def folder(person: Visitor, which: str, action: str, **fields: Any) -> Page:
    """Press a button of a folder's page."""
    page = person.get(link(which))
    forms = {"rename": "#rename", "move": "#move"}
    return person.submit(page, forms.get(action, "form.toolbar"), action=action, **fields)


def link(name: str) -> str:
    return "/folder/" + quote(name)


def side_bar(page: Page) -> list[str]:
    return [a.get_text(" ", strip=True) for a in page.all("nav[aria-label=Folders] li span")]


def user_of(person: Visitor) -> User:
    return User.get(User.address == person.address)


def undo(person: Visitor, page: Page) -> Page:
    return person.submit(page, ".notice form")


# --- making ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_made_also_inside_another_and_stands_beside_the_list(person: Visitor) -> None:
    assert "Folder Work created." in make(person, "Work").notices
    page = make(person, "2026", "Work")
    assert "Work/2026" in [option["value"] for option in page.all("#parent option")]
    assert side_bar(person.get("/mailbox/INBOX"))[-2:] == ["Work", "2026"]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_the_server_takes_is_a_folder_that_opens_renames_and_goes(person: Visitor, name: str, imap_of: Any) -> None:
    make(person, name)
    assert name in [one[2] for one in imap_of(person.address).list_folders()], name
    opened = person.get(person.get("/folders").link(name))
    assert opened.status == 200
    assert opened.one("h1").get_text() == name
    assert "Folder renamed to" in folder(person, name, "rename", name="plain").notices
    assert "Folder renamed to" in folder(person, "plain", "rename", name=name).notices
    assert "moved to the trash" in folder(person, name, "delete").notices
    names = [one[2] for one in imap_of(person.address).list_folders()]
    assert f"Trash/{name}" in names
    assert name not in names


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "Type a name"),
        ("   ", "Type a name"),
        ("x" * 300, "too long"),
        ("🎉" * 80, "too long"),
        ("two\r\nA1 DELETE INBOX", "invisible characters"),
        ("nul\0", "invisible characters"),
        ("turned\u202eround", "invisible characters"),
        ("../x", "name is reserved"),
        ("a//b", "before or after a separator"),
        ("/a", "before or after a separator"),
        ("a/", "before or after a separator"),
        ("a/nul\0", "invisible characters"),
        ("inbox/a", "name is reserved"),
        ("shared/bob/a", "name is reserved"),
        ("/".join("abcdefghij"), "too many nested folders"),
        ("a/" + "x" * 300, "too long"),
        ("a/~b", "name is reserved"),
        ("..", "name is reserved"),
        ("~root", "name is reserved"),
        ("inbox", "name is reserved"),
        ("shared", "name is reserved"),
        ("cur", "refused this name or location"),
        ("Work", "already a folder with this name"),
        ("work", "already a folder with this name"),
    ],
)
def test_a_bad_name_is_explained_and_stays_to_be_mended(person: Visitor, name: str, told: str) -> None:
    make(person, "Work")
    page = make(person, name)
    assert page.status == 422
    assert told in page.one("#name-error").get_text()
    if name.isprintable():
        assert page.one("#name")["value"] == name
    renamed = folder(person, "Work", "rename", name=name)
    if name.lower() != "work":
        assert renamed.status == 422, renamed.notices
        assert told in renamed.one("#name-error").get_text()


def test_a_folder_inside_one_that_is_not_there(person: Visitor) -> None:
    page = person.submit(person.get("/folders"), "#new-folder", name="x", parent="Nowhere")
    assert page.status == 404


def test_a_path_makes_what_is_missing_and_says_so(person: Visitor, imap_of: Any) -> None:
    page = make(person, "Projects / 2026/Été")
    assert "Folders created: Projects, Projects/2026, Projects/2026/Été." in page.notices
    names = {one[2]: one[0] for one in imap_of(person.address).list_folders()}
    assert {"Projects", "Projects/2026", "Projects/2026/Été"} <= names.keys()
    assert b"\\Noselect" not in names["Projects"]
    assert {"Projects", "Projects/2026"} <= {one[2] for one in imap_of(person.address).list_sub_folders()}
    assert "Folder Projects/2027 created." in make(person, "projects/2027").notices  # no second folder beside it
    assert "Folder Projects/2027/May created." in make(person, "2027/May", "Projects").notices
    assert "already a folder with this name" in make(person, "Projects/2026").one("#name-error").get_text()


def test_the_help_says_what_a_slash_does(person: Visitor) -> None:
    for url in ("/folders", "/folder/Work"):
        make(person, "Work")
        page = person.get(url)
        assert "“Projects/2026” is the folder 2026 inside Projects" in page.one("#name-help").get_text()
        assert "name-help" in page.one("#name")["aria-describedby"]


def test_a_new_name_may_be_a_path_too(person: Visitor) -> None:
    make(person, "Work")
    make(person, "2026", "Work")
    page = folder(person, "Work", "rename", name="Old/Jobs/First")
    assert "Folder renamed to First and moved into Old/Jobs. Also created: Old, Old/Jobs." in page.notices
    assert side_bar(person.get("/mailbox/INBOX"))[-4:] == ["Old", "Jobs", "First", "2026"]
    undo(person, page)
    assert "Work/2026" in [option["value"] for option in person.get("/folders").all("#parent option")]
    assert "moved into itself" in folder(person, "Work", "rename", name="Work/2027").one("#name-error").get_text()
    assert "moved into itself" in folder(person, "Work", "rename", name="Work/2026/x").one("#name-error").get_text()


# --- renaming, moving, deleting --------------------------------------------------------------------------------------


def test_renaming_carries_all_that_points_to_the_folder(person: Visitor, app: Flask) -> None:
    make(person, "Work")
    make(person, "2026", "Work")
    make(person, "Workshop")
    user = user_of(person)
    preferences.change(
        user, favourites=["Work", "Work/2026", "Workshop"], conversation_folders=["Work/2026"], scattered_folders=["Work"],
        roles={"archive": "Work/2026"},
    )  # fmt: skip
    search = SavedSearch.create(user=user, name="s", query="x", mailbox="Work/2026")
    snoozed = Snoozed.create(user=user, mailbox="Work", folder="Snoozed", uidvalidity=1, uid=1, due=now())
    page = folder(person, "Work", "rename", name="Job")
    assert "Folder renamed to Job" in page.notices
    found = preferences.for_user(user_of(person))
    assert found.favourites == ("Job", "Job/2026", "Workshop")
    assert (found.conversation_folders, found.scattered_folders) == (("Job/2026",), ("Job",))
    assert found.roles == {"archive": "Job/2026"}
    assert SavedSearch.get_by_id(search.id).mailbox == "Job/2026"
    assert Snoozed.get_by_id(snoozed.id).mailbox == "Job"
    undo(person, page)
    assert preferences.for_user(user_of(person)).favourites == ("Work", "Work/2026", "Workshop")
    assert SavedSearch.get_by_id(search.id).mailbox == "Work/2026"


def test_a_renamed_folder_stays_subscribed(person: Visitor, imap_of: Any) -> None:
    make(person, "Work")
    make(person, "2026", "Work")
    folder(person, "Work", "rename", name="Job")
    subscribed = [one[2] for one in imap_of(person.address).list_sub_folders()]
    assert {"Job", "Job/2026"} <= set(subscribed)
    assert "Work" not in subscribed


def test_a_folder_moves_into_another_and_never_into_itself(person: Visitor) -> None:
    for name in ("A", "B"):
        make(person, name)
    assert "Folder A moved." in folder(person, "A", "move", parent="B").notices
    assert person.get("/folder/B/A").status == 200
    page = person.get("/folder/B")
    assert "B/A" not in [option["value"] for option in page.all("#parent option")]
    hostile = person.submit(page, "#move", action="move", parent="B/A")
    assert hostile.status == 422
    assert "into itself" in hostile.text


def test_deleting_moves_the_folder_into_the_trash_and_undo_brings_it_back(person: Visitor, fill: Callable[..., Any]) -> None:
    make(person, "Work")
    make(person, "2026", "Work")
    fill(person, message("Kept"), mailbox="Work/2026")
    person.get("/mailbox/Work")  # a connection that has it selected
    page = folder(person, "Work", "delete")
    assert "Folder Work moved to the trash" in page.notices
    assert person.get("/mailbox/Trash/Work/2026").rows == ["Kept"]
    assert person.get("/mailbox/Work").status == 404
    assert "back where it was" in undo(person, page).notices
    assert person.get("/mailbox/Work/2026").rows == ["Kept"]


def test_a_second_folder_of_the_same_name_finds_room_in_the_trash(person: Visitor) -> None:
    for _ in range(2):
        make(person, "Work")
        folder(person, "Work", "delete")
    assert person.get("/mailbox/Trash/Work").status == 200
    assert person.get(link("Trash/Work (2)")).status == 200


def test_undo_says_so_where_another_folder_has_the_name(person: Visitor) -> None:
    make(person, "Work")
    page = folder(person, "Work", "delete")
    make(person, "Work")
    assert "Another folder now has this name" in undo(person, page).notices
    assert person.get("/mailbox/Trash/Work").status == 200


def test_from_within_the_trash_it_is_asked_first_and_then_for_good(person: Visitor, fill: Callable[..., Any]) -> None:
    make(person, "Work")
    make(person, "2026", "Work")
    fill(person, message("Gone"), mailbox="Work/2026")
    folder(person, "Work", "delete")
    asked = folder(person, "Trash/Work", "delete")
    assert "Delete the folder Work for good?" in asked.text
    assert "It contains 1 message" in asked.text
    assert "1 subfolder will be deleted too" in asked.text
    assert person.get("/mailbox/Trash/Work").status == 200, "nothing before it was confirmed"
    assert "deleted for good" in person.submit(asked, "main form", action="destroy").notices
    assert person.get("/mailbox/Trash/Work/2026").status == 404


def test_special_folders_are_neither_renamed_nor_deleted(person: Visitor) -> None:
    for name in ("INBOX", "Sent", "Trash"):
        page = person.get(f"/folder/{name}")
        assert not page.all("#rename, #move, [value=delete]"), name
        for action in ("rename", "delete", "destroy"):
            assert person.submit(page, "form.toolbar", action=action, name="x").status == 403, name


def test_deleting_forgets_or_carries_what_points_to_it(person: Visitor) -> None:
    make(person, "Work")
    user = user_of(person)
    preferences.change(user, favourites=["Work"], roles={"archive": "Work"})
    search = SavedSearch.create(user=user, name="s", query="x", mailbox="Work")
    snoozed = Snoozed.create(user=user, mailbox="Work", folder="Snoozed", uidvalidity=1, uid=1, due=now())
    assert person.get("/folder/Work").status == 200
    preferences.change(user, roles={})
    page = folder(person, "Work", "delete")
    assert "Favourites" not in page.text, "not while it lies in the trash"
    assert Snoozed.get_by_id(snoozed.id).mailbox == "INBOX"
    assert preferences.for_user(user_of(person)).favourites == ("Trash/Work",)
    person.submit(folder(person, "Trash/Work", "delete"), "main form", action="destroy")
    assert preferences.for_user(user_of(person)).favourites == ()
    kept = SavedSearch.get_by_id(search.id)
    assert (kept.mailbox, kept.scope) == ("INBOX", "all")


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_the_page_tells_unread_total_and_size(person: Visitor, fill: Callable[..., Any]) -> None:
    make(person, "Work")
    fill(person, message("One"), message("Two"), mailbox="Work")
    row = next(row for row in person.get("/folders").all(".folder-table tbody tr") if "Work" in row.get_text())
    cells = [cell.get_text(strip=True) for cell in row.select("td")]
    assert cells[1:3] == ["2", "2"]
    assert "bytes" in cells[3] or "KB" in cells[3]
    facts = person.get("/folder/Work").one(".folder-facts").get_text(" ")
    assert "2 (2 unread)" in " ".join(facts.split())


def test_the_counts_are_those_of_now_also_of_the_folder_a_connection_has_open(person: Visitor, fill: Callable[..., Any]) -> None:
    assert person.get("/mailbox/INBOX").rows == []
    fill(person, message("New"))
    row = next(row for row in person.get("/folders").all(".folder-table tbody tr") if "Inbox" in row.get_text())
    assert [cell.get_text(strip=True) for cell in row.select("td")][1:3] == ["1", "1"]


def test_unsubscribing_hides_a_folder_beside_the_list_but_not_on_its_page(person: Visitor) -> None:
    make(person, "Work")
    page = folder(person, "Work", "unsubscribe")
    assert "Work" not in side_bar(page)
    assert "hidden from the sidebar" in person.get("/folders").text
    assert "Work" in side_bar(folder(person, "Work", "subscribe"))


def test_favourites_come_first(person: Visitor) -> None:
    assert "Favourites" not in person.get("/mailbox/INBOX").text
    make(person, "Work")
    page = folder(person, "Work", "favourite")
    assert side_bar(page)[0] == "Work"
    assert page.all("nav[aria-label=Folders] h2")[0].get_text() == "Favourites"
    assert "Favourites" not in folder(person, "Work", "unfavourite").text.replace("Add to favourites", "")


def test_mark_all_as_read_and_its_undo(person: Visitor, fill: Callable[..., Any]) -> None:
    make(person, "Work")
    fill(person, message("One"), message("Two"), mailbox="Work")
    page = folder(person, "Work", "read")
    assert "2 messages marked as read" in page.notices
    assert not person.get("/mailbox/Work").all("tr.u")
    undo(person, page)
    assert len(person.get("/mailbox/Work").all("tr.u")) == 2


def test_emptying_the_trash_asks_once_and_says_how_many(person: Visitor, fill: Callable[..., Any], imap_of: Any) -> None:
    fill(person, message("One"), message("Two"), mailbox="Trash")
    make(person, "Work")
    folder(person, "Work", "delete")
    listed = person.get("/mailbox/Trash")
    assert "deleted for good after 30 days" in listed.text
    asked = person.get(listed.link("Empty the trash"))
    assert "Delete 2 messages for good?" in asked.text
    assert "1 subfolder will be deleted too" in asked.text
    fill(person, message("Late"), mailbox="Trash")  # after the question
    done = person.submit(asked, "main form", action="empty")
    assert "Trash is now empty" in done.notices
    assert done.rows == ["Late"]
    assert person.get("/mailbox/Trash/Work").status == 404
    assert person.get("/empty/INBOX").status == 403


def test_emptying_a_trash_of_folders_alone_asks_about_these_and_ends_the_offer_to_undo(person: Visitor) -> None:
    make(person, "Work")
    assert folder(person, "Work", "delete").all("#notices form")
    asked = person.get("/empty/Trash")
    assert asked.one("h1").get_text() == "Delete 1 folder for good?"
    assert "0 message" not in asked.text
    done = person.submit(asked, "main form", action="empty")
    assert "Trash is now empty" in done.notices and not done.all("#notices form")


def test_the_trash_of_another_age_is_not_emptied(person: Visitor, fill: Callable[..., Any]) -> None:
    fill(person, message("One"), mailbox="Trash")
    asked = person.get("/empty/Trash")
    assert person.submit(asked, "main form", action="empty", v="1").status == 410
    assert person.get("/mailbox/Trash").rows == ["One"]


def test_a_mere_place_of_folders_is_managed_too(person: Visitor, imap_of: Any) -> None:
    imap_of(person.address).create_folder("Place/Inner")
    page = person.get("/folder/Place")
    assert page.status == 200
    assert not page.all("[value=read], [value=favourite], #share")
    assert "Folder renamed to Spot" in folder(person, "Place", "rename", name="Spot").notices
    assert person.get("/mailbox/Spot/Inner").status == 200
    assert "moved to the trash" in folder(person, "Spot", "delete").notices


# --- roles -----------------------------------------------------------------------------------------------------------


def test_another_folder_serves_as_the_trash(person: Visitor, fill: Callable[..., list[int]]) -> None:
    make(person, "Poubelle")
    page = person.submit(person.get("/folders"), "#roles", trash="Poubelle")
    assert "Special folders saved" in page.notices
    assert not person.get("/folder/Poubelle").all("#rename")
    make(person, "Work")
    folder(person, "Work", "delete")
    assert person.get("/mailbox/Poubelle/Work").status == 200
    assert side_bar(person.get("/mailbox/INBOX")).count("Trash") == 2  # the chosen one by its usual word, and the server's


def test_a_chosen_folder_that_vanished_counts_for_nothing(person: Visitor, imap_of: Any) -> None:
    make(person, "Poubelle")
    person.submit(person.get("/folders"), "#roles", trash="Poubelle")
    imap_of(person.address).delete_folder("Poubelle")
    make(person, "Work")
    folder(person, "Work", "delete")
    assert person.get("/mailbox/Trash/Work").status == 200


def test_a_folder_that_another_program_made_anew_shows_its_new_messages(person: Visitor, imap_of: Any) -> None:
    client = imap_of(person.address)
    for subject in ("Ancien", "Nouveau"):
        if client.folder_exists("Lettres"):
            client.delete_folder("Lettres")
        client.create_folder("Lettres")
        client.append("Lettres", bytes(message(subject)))
        validity = client.select_folder("Lettres", readonly=True)[b"UIDVALIDITY"]
        client.close_folder()
        assert subject in person.get(f"/message/1/Lettres?v={validity}").text
        assert subject in person.get("/mailbox/Lettres").text
    client.delete_folder("Lettres")
    assert person.get("/mailbox/Lettres").status == 404


def test_the_folder_that_holds_the_trash_is_not_put_into_it(person: Visitor) -> None:
    make(person, "A")
    make(person, "Bin", "A")
    person.submit(person.get("/folders"), "#roles", trash="A/Bin")
    page = folder(person, "A", "delete")
    assert page.status == 422
    assert "into itself" in page.text
    assert person.get("/mailbox/A/Bin").status == 200


def test_one_folder_serves_as_one_thing(person: Visitor) -> None:
    make(person, "Both")
    for fields in ({"trash": "Both", "archive": "Both"}, {"trash": "Sent"}, {"trash": "INBOX"}, {"trash": "Nowhere"}):
        page = person.submit(person.get("/folders"), "#roles", **fields)
        assert page.status == 422, fields
        assert "only one role" in page.text
    swapped = person.submit(person.get("/folders"), "#roles", trash="Junk", junk="Trash")
    assert swapped.status == 200


# --- somebody else's, and without the frame --------------------------------------------------------------------------


def test_nobody_reaches_the_folders_of_others(person: Visitor, app: Flask, make_account: Callable[..., str]) -> None:
    make(person, "Secret")
    other = Visitor(app, make_account("other")).sign_in()
    for name in ("Secret", f"shared/{person.address}/Secret", f"shared/{person.address}"):
        assert other.get(link(name)).status == 404
        for action in ("rename", "delete", "destroy", "favourite", "read"):
            assert other.post(link(name), {"action": action}).status in (400, 404)


def test_htmx_gets_the_block(person: Visitor) -> None:
    for url in ("/folders", "/folder/INBOX", "/empty/Trash"):
        page = person.get(url, htmx="main")
        assert page.status == 200
        assert page.html.lstrip().startswith("<title>")
        assert not page.all("body")


def test_unknown_actions_and_bad_undo(person: Visitor) -> None:
    make(person, "Work")
    page = person.get("/folder/Work")
    assert person.submit(page, "form.toolbar", action="explode").status == 422
    assert person.submit(page, "form.toolbar", action="unread", uids="1:x", v="1").status == 400


@pytest.mark.parametrize("name", ["INBOX", "Sent", "Trash"])
def test_the_undo_of_a_move_moves_no_folder_that_keeps_its_place(person: Visitor, name: str) -> None:
    token = person.get("/folders").soup.select_one("[name=csrf_token]")["value"]
    assert person.post("/folders/undo", {"name": name, "to": "Elsewhere", "csrf_token": token}).status == 403
    assert person.get(f"/mailbox/{name}", reload=True).status == 200


def test_a_folder_is_found_by_its_use(person: Visitor) -> None:
    assert person.get("/folders/with-role/sent").address == "/mailbox/Sent"
    make(person, "Poubelle")
    person.submit(person.get("/folders"), "#roles", trash="Poubelle")
    assert person.get("/folders/with-role/trash").address == "/mailbox/Poubelle"
    assert person.get("/folders/with-role/nothing").status == 404
