"""The page that makes room: what takes it, the largest messages, old newsletters, the trash; counted by a worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support import worker
from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.errors import OverQuotaError, RefusedError
from webmail.imap.bulk import actions
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import folders
from webmail.mailbox.quota import space_task
from webmail.models import Task, TaskState

LONG_AGO = datetime.now(UTC) - timedelta(days=400)
LARGE = "main form:has([name=uids])"
Connect = Callable[[str], IMAPClient]


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    return worker_for(app)


@pytest.fixture
def mail(person: Visitor, imap_of: Connect) -> IMAPClient:
    return imap_of(person.address)


def bulky(subject: str, size: int, **more: str) -> bytes:
    return bytes(message(subject, ("y" * 70 + "\n") * (size // 71), **more))


def news(number: int, sender: str = "Soldes <news@shop.example>", size: int = 3000, **more: str) -> bytes:
    headers = {"List_Unsubscribe": "<https://shop.example/leave>", **more}
    return bulky(f"Promo {number}", size, sender=sender, **headers)


def count(person: Visitor, work: Callable[[], int]) -> Page:
    person.submit(person.get("/room"), "#room-report form[action='/room/report']")
    work()
    return person.get("/room")


def newsletters(page: Page) -> list[str]:
    return [" ".join(tag.get_text(" ", strip=True).split()) for tag in page.all("#room-report .room-list li")]


def test_it_says_how_full_in_words_and_as_a_bar(app: Flask, make_account: Callable[..., str], imap_of: Connect) -> None:
    address = make_account("half", quota=200_000)
    imap_of(address).append("INBOX", bulky("Un", 100_000))
    page = Visitor(app, address).sign_in().get("/room")
    assert "of 196 KB used (5" in page.text
    assert 45 <= int(page.one("main meter")["value"]) <= 55


def test_largest_messages_of_all_folders_come_first(person: Visitor, mail: IMAPClient) -> None:
    mail.create_folder("Travail")
    mail.append("INBOX", bulky("Petit", 500))
    mail.append("INBOX", bulky("Moyen", 40_000))
    mail.append("Travail", bulky("Grand <script>", 150_000))
    mail.append("Sent", bulky("Envoyé", 1_200_000))
    mail.append("Trash", bulky("Jeté", 2_000_000))
    page = person.get("/room")
    assert [tag.get_text() for tag in page.all(f"{LARGE} li a")] == ["Envoyé", "Grand <script>", "Moyen"]
    opened = person.get(str(page.all(f"{LARGE} li a")[1]["href"]))
    assert opened.one("h1").get_text().startswith("Grand <script>")


def test_ticked_ones_are_deleted_and_come_back_by_undo(person: Visitor, mail: IMAPClient) -> None:
    mail.create_folder("Travail")
    mail.append("INBOX", bulky("Moyen", 40_000))
    mail.append("Travail", bulky("Grand", 150_000))
    page = person.get("/room")
    values = [str(tag["value"]) for tag in page.all(f"{LARGE} [name=uids]")]
    after = person.submit(page, LARGE, action="delete", uids=values)
    assert after.address == "/room" and "2 messages moved to the trash" in after.notices
    assert not after.all(LARGE) and "Trash · 2 messages" in after.text
    back = person.submit(after, ".notice form")
    assert back.address == "/room" and len(back.all(f"{LARGE} li")) == 2


def test_folders_by_size_and_the_trash_is_emptied_from_here(person: Visitor, mail: IMAPClient) -> None:
    mail.append("INBOX", bulky("Un", 9_000))
    mail.append("Trash", bulky("Deux", 90_000))
    page = person.get("/room")
    assert [row.get_text() for row in page.all("table[aria-labelledby=room-folders] td a")] == ["Trash", "Inbox"]
    asked = person.get(page.link("Empty the trash"))
    assert "Delete 1 message for good?" in asked.text
    after = person.submit(asked, "main form", action="empty")
    assert after.address == "/room" and "Trash is now empty." in after.notices
    assert "Empty the trash" not in after.text


def test_old_newsletters_are_counted_by_a_worker_and_deleted_at_once(
    person: Visitor, mail: IMAPClient, work: Callable[[], int]
) -> None:
    mail.create_folder("Promos")
    for number in range(3):
        mail.append("Promos", news(number), (), LONG_AGO)
    mail.append("INBOX", news(7))  # of today
    mail.append("INBOX", bulky("De Zoé", 2000, sender="Zoé <zoe@lycee.example>"), (), LONG_AGO)
    mail.append("INBOX", news(8, sender="Autre <other-news@shop.example>"), (), LONG_AGO)
    mail.append("INBOX", bulky("Sans liste", 2000, sender="Soldes <news@shop.example>"), (), LONG_AGO)
    page = count(person, work)
    first, second = newsletters(page)
    assert "Soldes" in first and "news@shop.example" in first and "3 messages" in first and "Autre" in second
    form = "#room-report form:has([value='news@shop.example'])"
    after = person.submit(page, form)
    assert "3 messages moved to the trash" in after.notices
    assert [line for line in newsletters(after) if "Autre" not in line] == []
    assert sorted(person.get("/mailbox/INBOX").rows) == ["De Zoé", "Promo 7", "Promo 8", "Sans liste"]
    person.submit(after, ".notice form")
    assert len(person.get("/mailbox/Promos").rows) == 3


def test_one_can_leave_a_newsletter_even_after_its_old_ones_are_gone(
    person: Visitor, mail: IMAPClient, work: Callable[[], int]
) -> None:
    mail.append("INBOX", news(1), (), LONG_AGO)
    mail.append("INBOX", news(2))
    page = count(person, work)
    leave = str(page.one("#room-report .room-list a[href*='/unsubscribe/']")["href"])
    person.submit(page, "#room-report form:has([name=address])")
    assert "shop.example" in person.get(leave).text


def test_senders_by_size(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    mail.append("INBOX", bulky("Un", 2000, sender="Zoé <zoe@lycee.example>"))
    mail.append("INBOX", bulky("Deux", 9000, sender="<img src=x onerror=alert(1)> <evil@lycee.example>"))
    mail.append("INBOX", bulky("Trois", 2000, sender="ZOÉ <Zoe@lycee.example>"))
    page = count(person, work)
    cells = [row.get_text(" ", strip=True) for row in page.all("#room-report tbody tr")]
    assert "evil@lycee.example" in cells[0] and " 2 " in cells[1] and not page.all("#room-report img")
    found = person.get(str(page.all("#room-report tbody a")[1]["href"]))
    assert sorted(found.rows) == ["Trois", "Un"]


def test_its_moment_is_said_and_one_may_look_again(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    mail.append("INBOX", bulky("Un", 2000))
    page = count(person, work)
    assert "1 message checked on " in page.text
    mail.append("INBOX", bulky("Deux", 2000))
    assert "2 messages checked on" in count(person, work).text
    with db.connection_context():
        assert Task.select().where(Task.kind == space_task.NAME).count() == 1


def test_progress_is_shown_and_two_clicks_count_once(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    mail.append("INBOX", bulky("Un", 2000))
    worker.alive()
    page = person.get("/room")
    person.submit(page, "#room-report form")
    shown = person.submit(page, "#room-report form")
    assert "Analysing your mail" in shown.text and shown.one("#room-report progress") and shown.one("noscript a[href='/room']")
    assert "Background tasks are not running" not in shown.text
    piece = person.get("/room/report", htmx="room-report")
    assert piece.one("#room-report[hx-get]") and not piece.all("header")
    assert work() == 1
    piece = person.get("/room/report", htmx="room-report")
    assert piece.one("#room-report") and not piece.all("[hx-get]") and "1 message checked on" in piece.text
    worker.gone()


def test_after_a_kill_nothing_is_counted_twice(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        mail.append("INBOX", news(number), (), LONG_AGO)
    monkeypatch.setattr(space_task, "_AT_ONCE", 2)
    person.submit(person.get("/room"), "#room-report form")
    real, times = space_task.counted, [0]

    class Killed(BaseException):
        pass

    def dying(*args):
        times[0] += 1
        if times[0] == 2:
            raise Killed
        return real(*args)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(space_task, "counted", dying)
        work()
    with db.connection_context():
        Task.update(lease=datetime(2000, 1, 1)).where(Task.state == TaskState.RUNNING).execute()
    work()
    page = person.get("/room")
    assert "5 messages checked on" in page.text and "5 messages" in newsletters(page)[0]


def test_a_full_trash_asks_before_a_newsletter_goes_for_good(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail.append("INBOX", news(1), (), LONG_AGO)
    mail.append("INBOX", news(2), (), LONG_AGO)
    page = count(person, work)

    def full(*_args, **_more):
        raise OverQuotaError("UID MOVE: [OVERQUOTA] Quota exceeded")

    with monkeypatch.context() as patch:
        patch.setattr(actions, "move", full)
        asked = person.submit(page, "#room-report form:has([name=address])")
    assert "Delete 2 messages for good?" in asked.text and "no space left for these messages in the trash" in asked.text
    after = person.submit(asked, "main form", action="destroy")
    assert after.address == "/room" and "2 messages deleted for good" in after.notices
    assert person.get("/mailbox/INBOX").rows == []


def test_nobody_sees_what_others_counted(
    person: Visitor, app: Flask, make_account: Callable[..., str], mail: IMAPClient, work: Callable[[], int]
) -> None:
    mail.append("INBOX", bulky("Un", 2000, sender="Zoé <zoe@lycee.example>"))
    count(person, work)
    other = Visitor(app, make_account("other")).sign_in()
    assert "zoe@" not in other.get("/room").text and "messages checked" not in other.get("/room/report").text


@pytest.mark.parametrize(
    "fields", [{}, {"address": "x@y.example"}, {"address": "x@y.example", "before": "soon"}, {"before": "2026-01-01"}]
)
def test_a_forged_form_deletes_nothing(person: Visitor, mail: IMAPClient, fields: dict[str, str]) -> None:
    mail.append("INBOX", news(1), (), LONG_AGO)
    token = person.get("/room").one("#room-report [name=csrf_token]")["value"]
    assert person.post("/room/newsletter", {**fields, "csrf_token": str(token)}).status == 200
    assert person.get("/mailbox/INBOX").rows == ["Promo 1"]


def test_signed_out(app: Flask) -> None:
    for address in ("/room", "/room/report"):
        assert Visitor(app).get(address, follow=False).location.startswith("/login")


def test_a_folder_that_the_server_refuses_is_left_out(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail.create_folder("Broken")
    mail.create_folder("Whole")
    mail.append("Broken", bulky("Un", 2000))
    mail.append("Whole", bulky("Deux", 2000))
    real = Connection.select

    def select(connection: Connection, name: str, *more: Any) -> Any:
        if name == "Broken":
            raise RefusedError("SELECT: NO this can't be opened")
        return real(connection, name, *more)

    monkeypatch.setattr(Connection, "select", select)
    assert "1 message checked on" in count(person, work).text


def test_a_server_that_tells_no_sizes(person: Visitor, mail: IMAPClient, monkeypatch: pytest.MonkeyPatch) -> None:
    mail.append("Trash", bulky("Un", 2000))
    mail.append("INBOX", bulky("Deux", 2000))
    monkeypatch.setattr(folders, "sizes", lambda *_args: {})
    page = person.get("/room")
    assert page.status == 200 and "Trash · 1 message" in " ".join(page.text.split()) and page.link("Empty the trash")
    assert not page.all("#room-folders")
