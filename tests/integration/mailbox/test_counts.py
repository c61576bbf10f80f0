"""Counts beside the pages: right after what one does oneself, and never waited for where a folder is large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import overviews, recount

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount, "_PAUSE_SECONDS", 0.0)


@contextmanager
def commands(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What is said on the connections that pages wait for."""
    asked: list[bytes] = []
    run = Connection._run

    def noted(self: Connection, commands: tuple[tuple[bytes, ...], ...], *args: object) -> object:
        asked.extend(b" ".join(command) for command in commands)
        return run(self, commands, *args)

    with monkeypatch.context() as patch:
        patch.setattr(recount, "_counted", lambda account: True)
        patch.setattr(Connection, "_run", noted)
        yield asked


def make(client: IMAPClient, name: str) -> None:
    client.create_folder(name)
    client.subscribe_folder(name)


def counts(page: Page) -> dict[str, str]:
    """The folders of the side bar that show a number."""
    return {a.select_one("span").get_text(): a.select_one("b").get_text() for a in page.all("#folders a:has(b)")}


def sent(page: Page) -> Page:
    """The page once its answer has gone out: only then everything is counted."""
    page.response.close()
    return page


def test_what_one_moves_counts_on_the_next_page(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    make(imap_of(person.address), "Travail")
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX", reload=True)
    assert counts(inbox) == {"Inbox": "2"}
    box = inbox.all("[name=uids]")[0]["value"]
    moved = person.submit(inbox, "form#messages", action="move:Travail", uids=[box])
    assert counts(moved) == {"Inbox": "1", "Travail": "1"}
    sent(person.get(f"/message/{1 if box == '2' else 2}/INBOX"))
    assert counts(person.get("/mailbox/Travail")) == {"Travail": "1"}


def test_writing_asks_nothing_of_the_mail_server_where_folders_were_counted_a_moment_ago(
    person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(person, message("Un"))
    sent(person.get("/mailbox/INBOX", reload=True))
    account = next(one for one in overviews._overviews if one.address == person.address)
    eventually(lambda: not overviews.is_count_due(account))
    url = person.client.get("/compose").headers["Location"]
    with commands(monkeypatch) as asked:
        assert counts(person.get(url)) == {"Inbox": "1"}
        assert asked == []
        monkeypatch.setattr(overviews, "FRESH_SECONDS", 0)
        person.get(url)
        assert asked == [b'STATUS "INBOX" (MESSAGES UNSEEN)']


def test_no_page_counts_a_large_folder(person: Visitor, fill: Fill, imap_of: ImapOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overviews, "LARGE", 2)
    monkeypatch.setattr("webmail.imap.mailbox_list.mailboxes.LARGE", 2)
    make(imap_of(person.address), "Large")
    fill(person, message("Un"), message("Deux"), message("Trois"), mailbox="Large")
    fill(person, message("Ici"))
    person.get("/mailbox/INBOX", reload=True)
    fill(person, message("Quatre"), mailbox="Large")
    with commands(monkeypatch) as asked:
        page = person.get("/mailbox/INBOX", reload=True)
    assert b'STATUS "Junk" (MESSAGES UNSEEN)' in asked
    assert not [one for one in asked if b"Large" in one or b"GETQUOTAROOT" in one or b"STATUS (" in one], asked
    assert counts(page)["Large"] == "3"
    sent(person.get("/mailbox/INBOX", reload=True))
    eventually(lambda: counts(sent(person.get("/mailbox/INBOX")))["Large"] == "4")


def test_counts_of_others_come_after_the_answer(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    person.get("/mailbox/INBOX")
    monkeypatch.setattr(overviews, "FRESH_SECONDS", 0)
    fill(person, message("Un"), mailbox="Junk")
    with commands(monkeypatch) as asked:
        person.get("/mailbox/INBOX")
    assert [one.split()[0] for one in asked] == [b"NOOP", b"STATUS"], asked
    eventually(lambda: counts(sent(person.get("/mailbox/INBOX"))).get("Junk") == "1")


def test_the_quota_follows_what_is_deleted(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(person, message("Un", "x" * 300_000))
    with monkeypatch.context() as patch:
        patch.setattr(overviews, "QUOTA_SECONDS", 0)
        inbox = sent(person.get("/mailbox/INBOX", reload=True))
        eventually(lambda: not quota(sent(person.get("/mailbox/INBOX"))).startswith("0\xa0"))
    trashed = person.submit(inbox, "form#messages", action="delete", uids=[inbox.all("[name=uids]")[0]["value"]])
    assert trashed.rows == []
    trash = person.get("/mailbox/Trash")
    asked = person.submit(trash, "form#messages", action="delete", uids=[trash.all("[name=uids]")[0]["value"]])
    person.submit(asked, "main form", action="destroy")
    eventually(
        lambda: quota(sent(person.get("/mailbox/INBOX"))).startswith("0\xa0"), found=lambda: quota(person.get("/mailbox/INBOX"))
    )


def quota(page: Page) -> str:
    return page.one("#quota").get_text(strip=True)


def test_reading_asks_for_no_other_count(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(person, message("Un"), message("Deux"))
    person.get("/mailbox/INBOX", reload=True)
    person.get("/message/1/INBOX")
    with commands(monkeypatch) as asked:
        page = person.get("/mailbox/Junk")
    assert counts(page) == {"Inbox": "1"}
    assert not [one for one in asked if one.startswith((b"LIST", b'STATUS "INBOX"'))], asked


# --- answers to scripts bring the folders where they changed ---


def asked_with(person: Visitor, url: str, shown: str) -> Page:
    """What scripts get for the place of <main>, where the side bar has this version."""
    headers = {"HX-Request": "true", "HX-Target": "main", "X-Traboule-Folders": shown}
    return Page(person.client.get(url, headers=headers, follow_redirects=True))


def version(page: Page) -> str:
    return str(page.one("#folders")["data-shown"])


def current(page: Page) -> str:
    """Which links of the side bar are current by the mark, as an answer without it says."""
    return ",".join(str(place) for place, a in enumerate(page.all("#folders a")) if a.has_attr("aria-current"))


def test_an_answer_brings_the_folders_only_where_they_changed(person: Visitor, fill: Fill, imap_of: ImapOf) -> None:
    make(imap_of(person.address), "Travail")
    fill(person, message("Un"))
    person.get("/mailbox/INBOX", reload=True)
    person.get("/message/1/INBOX")
    whole = person.get("/mailbox/INBOX")
    again = asked_with(person, "/mailbox/INBOX", version(whole))
    assert again.rows == ["Un"] and again.all("#folders") == []
    assert again.headers["X-Traboule-Current"] == current(whole) != ""
    for url in ("/message/1/INBOX", "/mailbox/Travail", "/settings", "/tags", "/mailbox/INBOX?query=is:unread&scope=all"):
        there = person.get(url)
        answer = asked_with(person, url, version(whole))
        if answer.all("#folders"):  # a page with a link of its own
            assert url in ("/settings", "/tags") or "query" in url, url
            assert current(answer) == current(there)
        else:
            assert answer.headers["X-Traboule-Current"] == current(there), url
    fill(person, message("Deux"))
    changed = asked_with(person, "/mailbox/INBOX", version(whole))
    assert counts(changed) == {"Inbox": "1"} and "X-Traboule-Current" not in changed.headers
    assert version(changed) != version(whole)


@pytest.mark.parametrize("shown", ["", "?", "0" * 12 + ".1", "é.é", "x" * 5000])
def test_who_shows_none_or_nonsense_gets_the_folders(person: Visitor, shown: str) -> None:
    assert asked_with(person, "/mailbox/INBOX", shown).one("#folders")


def test_folders_counted_since_come_with_the_next_small_request(
    person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overviews, "FRESH_SECONDS", 0)
    page = sent(person.get("/mailbox/INBOX", reload=True))
    url, headers = str(page.one("#messages")["data-news"]), {"HX-Request": "true", "X-Traboule-Folders": version(page)}
    fill(person, message("Un"), mailbox="Junk")

    def ask() -> Page:
        return Page(person.client.get(url, headers=headers))

    def counted() -> bool:
        sent(person.get("/contacts"))  # a page counts beside its answer, and leaves it to the next where the server is busy
        return ask().status == 200

    eventually(counted)
    answer = ask()
    assert counts(answer) == {"Junk": "1"} and answer.all("#news") == []
    headers["X-Traboule-Folders"] = version(answer)
    assert ask().status == 204
    del headers["X-Traboule-Folders"]  # an older script
    assert ask().status == 204
