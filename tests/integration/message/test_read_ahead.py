"""Pages that a script fetches before they are opened, on a real Dovecot: they change nothing until somebody sees them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor

AHEAD = {"X-Traboule-Prefetch": "1", "HX-Request": "true", "HX-Target": "main"}


def ahead(person: Visitor, url: str) -> Page:
    return Page(person.client.get(url, headers=AHEAD))


def tell(person: Visitor, page: Page, **more: Any) -> int:
    """What the script does once the page is shown."""
    token = page.one("#main [name=csrf_token], form.toolbar [name=csrf_token]")["value"]
    return person.client.post(page.headers["X-Traboule-Unseen"], data={"csrf_token": token} | more).status_code


@pytest.fixture
def unseen(imap_of: Callable[[str], IMAPClient], person: Visitor) -> Callable[[], list[int]]:
    """What another program sees as unread in the inbox."""
    client = imap_of(person.address)

    def look() -> list[int]:
        client.select_folder("INBOX", readonly=True)
        return list(client.search("UNSEEN"))

    return look


def badge(page: Page) -> str:
    return page.one("#folders a[href='/mailbox/INBOX']").get_text(" ", strip=True)


def test_a_message_read_ahead_stays_unread_until_it_is_opened(
    person: Visitor, fill: Callable[..., list[int]], unseen: Callable[[], list[int]]
) -> None:
    first, second = fill(person, message("Un"), message("Deux"))
    page = ahead(person, person.get("/mailbox/INBOX").link("Un"))
    assert page.one("h1").get_text() == "Un" and unseen() == [first, second]
    assert badge(page).endswith(" 1")  # as it is to be once this page is shown
    assert badge(person.get("/mailbox/INBOX")).endswith(" 2")
    assert tell(person, page) == 204
    assert unseen() == [second]
    after = person.get("/mailbox/INBOX")
    assert badge(after).endswith(" 1") and len(after.all("tr.u")) == 1
    assert tell(person, page) == 204 and badge(person.get("/mailbox/INBOX")).endswith(" 1")  # once is enough, twice does no harm


def test_opening_it_without_scripts_marks_it_as_ever(
    person: Visitor, fill: Callable[..., list[int]], unseen: Callable[[], list[int]]
) -> None:
    fill(person, message("Un"))
    url = person.get("/mailbox/INBOX").link("Un")
    ahead(person, url)
    assert "X-Traboule-Unseen" not in person.get(url).headers and unseen() == []
    assert "X-Traboule-Unseen" not in ahead(person, url).headers  # nothing left to tell


def test_marking_needs_the_token_and_the_message(
    person: Visitor, fill: Callable[..., list[int]], unseen: Callable[[], list[int]]
) -> None:
    uids = fill(person, message("Un"))
    page = ahead(person, person.get("/mailbox/INBOX").link("Un"))
    assert tell(person, page, csrf_token="") == 400 and unseen() == uids
    gone = page.headers["X-Traboule-Unseen"].replace(f"/seen/{uids[0]}/", "/seen/99999/")
    token = page.one("form.toolbar [name=csrf_token]")["value"]
    assert person.client.post(gone, data={"csrf_token": token}).status_code == 404
    assert person.client.post(page.headers["X-Traboule-Unseen"] + "1", data={"csrf_token": token}).status_code == 410


def test_a_notice_is_kept_for_those_who_come_to_see_it(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"), message("Deux"), message("Trois"))
    page = person.get("/mailbox/INBOX")
    form = {"csrf_token": page.all("[name=csrf_token]")[0]["value"], "v": page.one("#messages [name=v]")["value"]}
    newest = page.all("input[name=uids]")[0]["value"]
    person.client.post("/act/INBOX", data=form | {"uids": newest, "action": "delete", "back": "/mailbox/INBOX"})
    url = page.link("Un")
    assert "moved to the trash" not in ahead(person, url).notices  # nobody has seen it yet: it waits for the next page
    assert "moved to the trash" in person.get("/mailbox/INBOX").notices
    assert "moved to the trash" in ahead(person, url).notices  # its undo stays, on this page too
    assert "moved to the trash" in person.get("/mailbox/INBOX").notices


def test_what_changes_by_itself_is_not_held(person: Visitor, fill: Callable[..., list[int]], app: Flask) -> None:
    fill(person, message("Un"))
    url = person.get("/mailbox/INBOX").link("Un")
    with person.client.session_transaction() as session:
        session["notices"] = [
            {"text": "leaves", "kind": "done", "undo": None, "until": time.time() + 9, "counts": time.time() + 9}
        ]
    assert ahead(person, url).status == 204
    assert person.get(url).status == 200


def test_the_next_page_of_a_list_comes_ahead(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, *(message(f"Lettre {number}") for number in range(55)))
    first = person.get("/mailbox/INBOX")
    url = str(first.one("a[rel=next]")["href"])
    assert ahead(person, url).rows == person.get(url).rows != []
    assert ahead(person, str(person.get(url).one("a[rel=prev]")["href"])).rows == first.rows


def test_a_frame_asked_for_at_the_click_is_there_when_its_page_is(person: Visitor, fill: Callable[..., list[int]]) -> None:
    """What static/js/mailbox/ahead.js guesses is the address that the page has."""
    made = message("Lettre", "texte")
    made.add_alternative("<h1>Rentrée</h1><img src='https://track.example/o.gif'>", subtype="html")
    fill(person, made, message("Sans"))
    row = person.get("/mailbox/INBOX").link("Lettre")
    guessed = row.partition("&")[0].replace("/message/", "/body/") + "&l=en&verdict=calm&scheme=auto"
    frame = {"Sec-Fetch-Dest": "iframe"}
    body = Page(person.client.get(guessed, headers=frame))
    assert body.one("h1").get_text() == "Rentrée" and body.headers["Cache-Control"] == "private, max-age=20"
    page = person.get(row)
    assert str(page.one("[data-message-body] iframe")["src"]).partition("#")[0] == guessed
    assert (
        "default-src 'none'" in body.headers["Content-Security-Policy"] and "sandbox" in body.headers["Content-Security-Policy"]
    )
    plain = person.get("/mailbox/INBOX").link("Sans").partition("&")[0].replace("/message/", "/body/")
    assert person.client.get(plain, headers=frame).status_code == 204
    assert person.client.get(plain).status_code == 404


def test_the_sign_in_page_brings_what_the_first_list_needs(app: Flask, person: Visitor, fill: Callable[..., list[int]]) -> None:
    """So the first list waits for itself alone, and the first message has its styles."""
    made = message("Un")
    made.add_alternative("<p>Un</p>", subtype="html")
    fill(person, made)
    door, inbox = Visitor(app).get("/login"), person.get("/mailbox/INBOX")
    letter = person.get(inbox.link("Un"))
    body = person.get(str(letter.one("[data-message-body] iframe")["src"]))
    here = {str(one["href"]) for one in door.all("link[rel=stylesheet], link[rel=prefetch]")}
    for page in (inbox, letter, body):
        assert {str(one["href"]) for one in page.all("link[rel=stylesheet]")} <= here
        assert {str(one["src"]) for one in page.all("script[src]")} <= here


def test_scripts_fetch_nothing_ahead_on_a_shared_computer(app: Flask, person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    assert person.get("/mailbox/INBOX").all("body[data-ahead]")
    shared = Visitor(app, person.address)
    shared.submit(shared.get("/login"), "form[action='/login']", username=person.address, password=shared.password, shared="y")
    page = shared.get("/mailbox/INBOX")
    assert page.rows == ["Un"] and not page.all("body[data-ahead]")
    assert ahead(shared, page.link("Un")).status == 204
