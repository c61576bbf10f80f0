"""The pages beside a search: its form and saved searches, on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.searches import search
from tests.support.visits import Page, Visitor
from webmail.imap.searching import multi_search
from webmail.models import SavedSearch, User

Fill = Callable[..., list[int]]


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
    again = folders.get(page.link("Refine"))
    values = {
        field["name"]: field.get("value", "") for field in again.all("form.form input[type=text], form.form input[type=date]")
    }
    assert (values["from"], values["words"], values["without"], values["after"]) == (
        "Dupont, Zoé",
        "voyage",
        "paris",
        "2026-01-01",
    )


def test_the_form_keeps_the_order_of_the_search_it_was_opened_from(folders: Visitor) -> None:
    found = search(folders, "budget", scope="all", sort="subject")
    link = next(str(a["href"]) for a in found.all("#main a[href^='/search?']"))
    page = folders.submit(folders.get(link), "form.form", words="budget")
    assert page.address.endswith("&sort=subject") and page.rows == found.rows == sorted(found.rows)
    page = folders.submit(folders.get("/search?mailbox=INBOX&sort=nonsense"), "form.form", words="budget")
    assert "sort" not in page.address


def test_the_form_finds_by_month_by_age_and_drafts(folders: Visitor, imap_of: Callable[..., Any]) -> None:
    imap_of(folders.address).append(
        "Travail", bytes(message("Brouillon de mars")), (b"\\Draft",), datetime(2026, 3, 9, tzinfo=UTC)
    )

    def found(**fields: str) -> list[str]:
        return folders.submit(folders.get("/search?mailbox=Travail"), "form.form", **fields).rows

    assert found(on="2026-03") == ["Brouillon de mars", "Budget 2"]
    assert found(on="2026-03-02") == ["Budget 2"]
    assert found(older_than="1d", state="draft") == ["Brouillon de mars"]
    assert found(newer_than="1d") == []


def test_files_everywhere_say_what_was_not_searched(folders: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_search, "MOST_MAILBOXES", 2)
    assert "There are too many folders" in folders.get("/files").text
    assert "There are too many folders" in folders.get("/mailbox/INBOX?query=budget&scope=all").text


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
    assert form.status == 200 and form.one("#s-from")["value"] == "ann" and not form.all("body")
    assert folders.get("/files", htmx="main").status == 200
    found = folders.submit(form, "form.form", htmx="main", **{"from": "bob", "scope": "all"})
    assert len(found.rows) == 5


def test_the_form_shows_what_it_was_filled_in_with(folders: Visitor) -> None:
    sent = {
        "on": "2026-03",
        "older_than": "1d",
        "newer_than": "2y",
        "state": "draft",
        "without": '"deux mots" paris',
        "larger": "1k",
    }
    page = folders.submit(folders.get("/search?mailbox=Travail"), "form.form", **sent)
    assert page.address.startswith("/mailbox/Travail?")
    assert [notice.get_text()[:11] for notice in page.all(".notice-caution")] == ['"deux mots"']  # a phrase after a minus sign
    again = folders.get(page.link("Refine"))
    shown = {field["name"]: field.get("value", "") for field in again.all("form.form input[name]")}
    shown["state"] = str(again.one("#s-state option[selected]")["value"])
    assert {name: shown[name] for name in sent} == sent
    assert again.one("#s-mailbox option[selected]")["value"] == "Travail"
    assert folders.submit(again, "form.form").address == page.address


def test_a_form_with_too_many_words_is_shown_again(folders: Visitor) -> None:
    page = folders.submit(folders.get("/search"), "form.form", words="mot " * 240, subject="x" * 190)
    assert page.status == 422 and "too long" in page.notices
    assert page.one("#s-subject")["value"] == "x" * 190


def test_words_joined_by_or_are_marked(folders: Visitor) -> None:
    page = search(folders, "budget OR compte")
    assert [mark.get_text() for mark in page.all("td.s mark")][:2] == ["Budget", "Budget"]


def test_an_empty_form_asks_for_a_field(folders: Visitor) -> None:
    page = folders.submit(folders.get("/search"), "form.form")
    assert page.status == 422 and "Fill in at least one field" in page.notices
    assert folders.get("/search?mailbox=Nirgends").status == 404


# --- saved searches --------------------------------------------------------------------------------------------------


def test_a_search_is_saved_renamed_and_deleted(folders: Visitor) -> None:
    page = search(folders, "budget", scope="all")
    saved = folders.submit(page, "#save-search", name="  Les   budgets ")
    assert "“Les budgets” saved" in saved.notices
    assert folders.get(folders.get("/mailbox/INBOX").link("Les budgets")).rows == page.rows
    twice = folders.submit(page, "#save-search", name="Les budgets")
    assert "already have a search with this name" in twice.notices
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
    assert "Delete one first" in folders.submit(page, "#save-search", name="Une de trop").notices


def test_ready_made_searches_work(folders: Visitor) -> None:
    page = folders.get("/search")
    for label in ("Unread", "Flagged", "With attachments", "Sent directly to me"):
        link = next(a for a in page.all("main .links a") if a.get_text() == label)
        assert folders.get(str(link["href"])).status == 200
    assert len(folders.get(page.link("Unread")).rows) == 5
