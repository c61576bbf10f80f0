"""What an open page asks by itself: new mail, and that this is no visit."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail import imap, models
from webmail import preferences as preferred
from webmail.imap.connections.connection import Connection
from webmail.models import Session, User


def asked(page: Page) -> str:
    return str(page.one("#messages[data-news]")["data-news"])


def session_of(person: Visitor) -> Session:
    return Session.select().join(User).where(User.address == person.address).get()


def test_nothing_new_is_no_content(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    page = person.get("/mailbox/INBOX")
    answer = person.get(asked(page))
    assert answer.status == 204 and not answer.html


def test_new_messages_are_counted_with_the_folders_and_told_once(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    url = asked(person.get("/mailbox/INBOX"))
    fill(person, message("Deux"), message("Trois"))
    answer = person.get(url)
    note = answer.one("#news")
    assert "2 new messages" in note.get_text() and note["data-came"] == "2"
    assert str(note["data-title"]).startswith("Inbox (3)")
    assert answer.one("#folders [aria-current] b").get_text() == "3"
    assert person.get(answer.link("Show")).rows == ["Trois", "Deux", "Un"]
    assert person.get(f"{url}&last={note['data-state']}").status == 204
    fill(person, message("Quatre"))
    assert "3 new messages" in person.get(f"{url}&last={note['data-state']}").text  # all that the page does not show


def test_what_was_read_elsewhere_changes_the_counts_without_a_word(
    person: Visitor, fill: Callable[..., list[int]], imap_of
) -> None:
    fill(person, message("Un"), message("Deux"))
    url = asked(person.get("/mailbox/INBOX"))
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([1], [b"\\Seen"])
    answer = person.get(url)
    assert answer.one("#news").get_text(strip=True) == "" and answer.one("#folders [aria-current] b").get_text() == "1"


@pytest.mark.parametrize("view", ["?page=2", "?query=Numéro", "?sort=subject", ""])
def test_every_list_knows_what_is_new(person: Visitor, fill: Callable[..., list[int]], view: str) -> None:
    fill(person, *(message(f"Numéro {n}") for n in range(51)))
    url = asked(person.get(f"/mailbox/INBOX{view}"))
    assert person.get(url).status == 204
    fill(person, message("Neuf"))
    assert "1 new message" in person.get(url).text


def test_another_folder_than_the_one_last_opened(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"), mailbox="Archive")
    url = asked(person.get("/mailbox/Archive"))
    person.get("/mailbox/INBOX")
    assert person.get(url).status == 204
    fill(person, message("Deux"), mailbox="Archive")
    assert "1 new message" in person.get(url).text


def test_bad_states_and_folders(person: Visitor) -> None:
    assert person.get("/news/INBOX").status == 400
    assert person.get("/news/INBOX?state=1.2").status == 400
    assert person.get("/news/Nowhere?state=1.2.3.4").status == 404
    assert "new message" not in person.get("/news/INBOX?state=1.2.3.4").text  # of another UIDVALIDITY


def test_it_costs_two_round_trips_at_most_when_nothing_is_new(
    person: Visitor, fill: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(person, message("Un"))
    url = asked(person.get("/mailbox/INBOX"))
    sent: list[bytes] = []
    run = Connection.run
    monkeypatch.setattr(Connection, "run", lambda self, *commands: sent.extend(c[0] for c in commands) or run(self, *commands))
    assert person.get(url).status == 204
    assert sent == [b"NOOP", b"STATUS"]


@pytest.mark.parametrize("url", ["news", "/mailbox/INBOX?auto=1"])
def test_asking_for_news_is_no_visit(person: Visitor, url: str) -> None:
    url = asked(person.get("/mailbox/INBOX")) if url == "news" else url
    before = models.now() - timedelta(minutes=20)
    Session.update(seen=before).where(Session.id_hash == session_of(person).id_hash).execute()
    assert person.get(url).status in (200, 204)
    assert session_of(person).seen == before
    person.get("/mailbox/INBOX")
    assert session_of(person).seen > before


def test_a_session_that_ran_out_while_the_page_asked_ends(person: Visitor, app) -> None:
    url = asked(person.get("/mailbox/INBOX"))
    hours = app.extensions["settings"].session_idle_hours
    Session.update(seen=models.now() - timedelta(hours=hours + 1)).where(Session.id_hash == session_of(person).id_hash).execute()
    assert person.get(url, htmx="news", follow=False).status == 401


def test_without_scripts_a_page_loads_itself_anew_where_a_person_wants_it(
    person: Visitor, fill: Callable[..., list[int]]
) -> None:
    fill(person, message("Un"))
    page = person.get("/mailbox/INBOX")
    assert "http-equiv" not in page.html
    assert person.get(str(page.one("noscript a[href='/mailbox/INBOX']")["href"])).status == 200
    preferred.change(User.get(User.address == person.address), refresh_minutes=5)
    assert (
        '<noscript><meta http-equiv="refresh" content="300;url=/mailbox/INBOX?auto=1"></noscript>'
        in person.get("/mailbox/INBOX").html
    )
    assert "http-equiv" not in person.get("/mailbox/INBOX?select=page").html


def test_desktop_notices_only_where_a_person_wants_them(person: Visitor) -> None:
    assert not person.get("/mailbox/INBOX").one("#messages[data-news]").has_attr("data-notify")
    preferred.change(User.get(User.address == person.address), notifications=True)
    assert person.get("/mailbox/INBOX").one("#messages[data-news]").has_attr("data-notify")


def test_the_keys_have_a_page_and_no_page_loads_them_where_they_are_off(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    assert page.one("body").has_attr("data-keys")
    assert "Archive" in person.get(str(page.one("body")["data-help"])).one("#keys").get_text()
    assert person.get("/help/keys", htmx="keys").html.lstrip().startswith('<div id="keys">')
    preferred.change(User.get(User.address == person.address), shortcuts=False)
    assert not person.get("/mailbox/INBOX").one("body").has_attr("data-keys")


def test_a_poll_takes_little(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    url = asked(person.get("/mailbox/INBOX"))
    imap.close_all()
    person.get(url)
    start = time.process_time()
    for _ in range(20):
        assert person.get(url).status == 204
    assert (time.process_time() - start) / 20 < 0.1
