"""A full mailbox: every place that fails for want of room says so and leads to the page that makes room; deleting works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.compose_form import text_of, write
from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import imap
from webmail.errors import OverQuotaError
from webmail.imap.connections import pool
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes, overviews
from webmail.models import User
from webmail.web.frame import banners

FORM = "#messages"
Connect = Callable[[str], IMAPClient]


def letter(subject: str, size: int = 20_000) -> bytes:
    return bytes(message(subject, "x" * 70 + "\n" + ("y" * 70 + "\n") * (size // 71)))


@pytest.fixture
def set_quota(services: Services, imap_of: Connect) -> Callable[[str, int], None]:
    """Give somebody another quota, and wait until Dovecot counts by it."""

    def change(address: str, size: int) -> None:
        with accounts.tables(services.database):
            User.update(quota_bytes=size).where(User.address == address).execute()

        def told() -> bool:
            client = imap_of(address)
            return any(q.resource == "STORAGE" and q.limit == -(-size // 1024) for q in client.get_quota())

        eventually(told, what="the new quota", step=0.3)
        pool.close_all_of(address)

    return change


@pytest.fixture
def poor(
    app: Flask, make_account: Callable[..., str], imap_of: Connect, set_quota: Callable[[str, int], None]
) -> Iterator[Visitor]:
    """Somebody whose mailbox holds more than it may: the quota was made smaller."""
    address = make_account("poor", quota=400_000)
    client = imap_of(address)
    for subject in ("Un", "Deux", "Trois"):
        client.append("INBOX", letter(subject))
    client.append("Trash", letter("Vieux"))
    set_quota(address, 30_000)
    yield Visitor(app, address).sign_in()


def row_of(page: Page, subject: str) -> str:
    [row] = [tag for tag in page.all("[data-row]") if tag.select_one(".s a").get_text() == subject]
    return str(row.select_one("input[type=checkbox]")["value"])


def leads_to_room(page: Page) -> bool:
    return any(a["href"] == "/room" and "Free up space" in a.get_text() for a in page.all("main a, #notices a"))


# --- the words on every page -----------------------------------------------------------------------------------------


def filled(app: Flask, make_account: Callable[..., str], imap_of: Connect, percent: int) -> Visitor:
    address = make_account("filled", quota=200_000)
    imap_of(address).append("INBOX", letter("Un", percent * 2000 - 900))
    return Visitor(app, address).sign_in()


def low(page: Page) -> str:
    return page.one("#room-low").get_text(" ", strip=True)


def test_nothing_is_said_below_80_percent(app: Flask, make_account: Callable[..., str], imap_of: Connect) -> None:
    person = filled(app, make_account, imap_of, 70)
    assert low(person.get("/mailbox/INBOX")) == ""


def test_at_80_percent_a_calm_word_can_be_put_off(app: Flask, make_account: Callable[..., str], imap_of: Connect) -> None:
    person = filled(app, make_account, imap_of, 85)
    page = person.get("/mailbox/INBOX")
    assert "Your mailbox is 85% full." in low(page) and page.one("#room-low a")["href"] == "/room"
    assert not page.all("#room-low [role=alert]")
    after = person.submit(page, "#room-low form")
    assert after.address == "/mailbox/INBOX" and low(after) == ""
    assert low(person.get("/folders")) == ""


def test_at_95_percent_the_word_stays(app: Flask, make_account: Callable[..., str], imap_of: Connect) -> None:
    person = filled(app, make_account, imap_of, 85)
    page = person.get("/mailbox/INBOX")
    person.submit(page, "#room-low form")
    imap_of(person.address).append("INBOX", letter("Deux", 22_000))
    page = person.get("/folders")
    assert "Once it is full" in low(page) and page.one("#room-low a")["href"] == "/room"
    assert not page.all("#room-low form")


def test_htmx_renews_the_word(app: Flask, make_account: Callable[..., str], imap_of: Connect) -> None:
    person = filled(app, make_account, imap_of, 85)
    piece = person.get("/mailbox/INBOX", htmx="main")
    assert "85%" in piece.one("#banners[hx-swap-oob] #room-low").get_text()


def test_the_word_costs_no_round_trip(
    app: Flask, make_account: Callable[..., str], imap_of: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota comes with the folders: neither the page nor the word asks for it again."""
    person = filled(app, make_account, imap_of, 85)
    person.get("/mailbox/INBOX")
    asked: list[object] = []
    real = Connection._taken
    monkeypatch.setattr(Connection, "_taken", lambda *args: asked.append(1) or real(*args))

    def round_trips() -> int:
        asked.clear()
        overviews._overviews.clear()
        person.get("/mailbox/INBOX")
        return len(asked)

    with_word = round_trips()
    monkeypatch.setattr(banners, "_banners", [])
    assert with_word == round_trips() > 0


def test_the_side_bar_leads_to_the_page(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    assert page.one("#folders .quota a[href='/room']")
    assert person.get("/room").one("h1").get_text() == "Free up space"


def test_signed_out_the_page_asks_to_sign_in(app: Flask) -> None:
    assert Visitor(app).get("/room", follow=False).location.startswith("/login")
    assert Visitor(app).post("/room/later", follow=False).location.startswith("/login")


# --- what fails because of it ----------------------------------------------------------------------------------------


def test_a_copy_says_it(poor: Visitor) -> None:
    page = poor.get("/mailbox/INBOX")
    after = poor.submit(page, FORM, action="copy", to="Archive", uids=row_of(page, "Un"))
    assert "Your mailbox is full" in after.text and "Nothing was changed" in after.text and leads_to_room(after)
    assert poor.get("/mailbox/Archive").rows == []


def test_a_move_says_it(poor: Visitor) -> None:
    page = poor.get("/mailbox/INBOX")
    after = poor.submit(page, FORM, action="archive", uids=row_of(page, "Un"))
    assert "Your mailbox is full" in after.text and leads_to_room(after)
    assert "Un" in poor.get("/mailbox/INBOX").rows


def test_the_same_with_scripts(poor: Visitor) -> None:
    page = poor.get("/mailbox/INBOX")
    piece = poor.submit(page, FORM, htmx="main", action="archive", uids=row_of(page, "Un"))
    assert "Your mailbox is full" in piece.notices and piece.one("#notices a[href='/room']")


def test_deleting_works(poor: Visitor) -> None:
    page = poor.get("/mailbox/INBOX")
    after = poor.submit(page, FORM, action="delete", uids=row_of(page, "Un"))
    assert "moved to the trash" in after.notices
    assert "Un" in poor.get("/mailbox/Trash").rows


def test_undo_says_it_and_can_be_tried_again(poor: Visitor, set_quota: Callable[[str, int], None]) -> None:
    page = poor.get("/mailbox/INBOX")
    after = poor.submit(page, FORM, action="delete", uids=row_of(page, "Un"))
    again = poor.submit(after, ".notice form")
    assert "could not be moved back" in again.notices and leads_to_room(again)
    assert "Un" in poor.get("/mailbox/Trash").rows
    set_quota(poor.address, 400_000)
    done = poor.submit(again, ".notice form")
    assert "Undone for 1 message" in done.notices
    assert "Un" in poor.get("/mailbox/INBOX").rows


def test_where_even_the_trash_takes_no_more_deleting_for_good_is_offered(poor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server whose trash has no room of its own."""
    page = poor.get("/mailbox/INBOX")
    real = imap.actions.move

    def refused(connection, mailbox, uids, to, uidvalidity=None):
        if to == "Trash":
            raise OverQuotaError("UID MOVE: [OVERQUOTA] Quota exceeded")
        return real(connection, mailbox, uids, to, uidvalidity)

    monkeypatch.setattr(imap.actions, "move", refused)
    asked = poor.submit(page, FORM, action="delete", uids=row_of(page, "Un"))
    assert "Delete 1 message for good?" in asked.text and "no space left for these messages in the trash" in asked.text
    after = poor.submit(asked, "main form", action="destroy")
    assert "1 message deleted for good" in after.notices and not after.all(".notice form[action='/undo']")
    assert sorted(poor.get("/mailbox/INBOX").rows) == ["Deux", "Trois"]


def test_beyond_the_extra_room_of_the_trash(
    app: Flask, make_account: Callable[..., str], imap_of: Connect, set_quota: Callable[[str, int], None]
) -> None:
    """Dovecot gives the trash 50 MB more than the quota; then it refuses as well."""
    address = make_account("heavy", quota=200_000_000)
    client = imap_of(address)
    for number in range(6):
        client.append("INBOX", letter(f"Lourd {number}", 9_500_000))
    set_quota(address, 30_000)
    person = Visitor(app, address).sign_in()
    page = person.get("/mailbox/INBOX")
    asked = person.submit(page, FORM, action="delete", uids=row_of(page, "Lourd 1"))
    assert "no space left for these messages in the trash" in asked.text
    assert "deleted for good" in person.submit(asked, "main form", action="destroy").notices


def test_what_a_half_done_move_left_is_said(poor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap.actions, "_MOST_AT_ONCE", 1)
    real, count = imap.actions.move, [0]

    def refused(*args, **more):
        count[0] += 1
        if count[0] > 1:
            raise OverQuotaError("UID MOVE: [OVERQUOTA] Quota exceeded")
        return real(*args, **more)

    monkeypatch.setattr(imap.actions, "move", refused)
    page = poor.get("/mailbox/INBOX")
    after = poor.submit(page, FORM, action="delete", uids=[row_of(page, "Un"), row_of(page, "Deux")])
    assert "1 message moved to the trash" in after.notices
    assert "the rest stayed where they were" in after.notices and leads_to_room(after)


def test_a_folder_says_it(poor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dovecot makes folders in a full mailbox; other servers don't."""

    def full(*_args, **_more):
        raise OverQuotaError("CREATE: [OVERQUOTA] Quota exceeded")

    monkeypatch.setattr(mailboxes, "create", full)
    monkeypatch.setattr(imap.actions, "create", full)
    page = poor.submit(poor.get("/folders"), "#new-folder", name="Projets")
    assert "Your mailbox is full, so the folder was not created." in page.one("#name-error").get_text()
    assert leads_to_room(page)


def test_snoozing_says_it(poor: Visitor) -> None:
    page = poor.get("/mailbox/INBOX")
    after = poor.submit(page, FORM, action="snooze:tomorrow", uids=row_of(page, "Un"))
    assert "Your mailbox is full" in after.text and leads_to_room(after)
    assert "Un" in poor.get("/mailbox/INBOX").rows


def test_saving_a_draft_says_it(poor: Visitor) -> None:
    page = write(poor, subject="s", body="precious", action="save")
    said = page.one("#saved")
    assert "Your mailbox is full: this draft is saved here" in said.get_text()
    assert said.select_one("a[href='/room']") is not None
    assert text_of(page) == "precious"
    listed = poor.get("/mailbox/Drafts")
    assert listed.one(".kept-drafts a[href='/room']")


def test_somebody_elses_full_mailbox_is_named(
    app: Flask,
    make_account: Callable[..., str],
    fill: Callable[..., list[int]],
    imap_of: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dovecot counts nothing against the owner of a shared folder; other servers do."""
    owner, other = make_account("owner"), Visitor(app, make_account("rich")).sign_in()
    fill(other, message("Pour elle"))
    imap_of(owner).setacl("Archive", other.address, "lrswipkxte")
    imap.close_all()
    page = other.get("/mailbox/INBOX", reload=True)

    def full(*_args, **_more):
        raise OverQuotaError("UID COPY: [OVERQUOTA] Quota exceeded")

    monkeypatch.setattr(imap.actions, "copy", full)
    after = other.submit(page, FORM, action="copy", to=f"shared/{owner}/Archive", uids=row_of(page, "Pour elle"))
    assert f"The mailbox of {owner.partition('@')[0]} is full" in after.notices
    assert "Your mailbox is full" not in after.text


def test_an_import_leads_to_the_page(poor: Visitor, app: Flask) -> None:
    work = worker_for(app)
    form = poor.get("/import")
    poor.submit(form, "form[action='/import']", file=(BytesIO(letter("Neuf")), "Neuf.eml"), into="INBOX")
    work()
    page = poor.get("/tasks")
    assert "Your mailbox has too little space for these messages." in page.text and page.one("main .task a[href='/room']")


def test_french(poor: Visitor, app: Flask) -> None:
    french = Visitor(app, poor.address, language="fr").sign_in()
    page = french.get("/mailbox/INBOX")
    assert "Libérer de l’espace" in low(page)
