"""Messages that are put off: they wait, and come back once, unread and on top, whatever is killed when."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.worker import jobs_of
from webmail import create_app, imap
from webmail.account import Account
from webmail.database.connection import db
from webmail.errors import RefusedError, ServerAwayError
from webmail.imap.connections.connection import Connection
from webmail.mailbox.snooze import snooze
from webmail.models import Snoozed, User, now

Fill = Callable[..., list[int]]
ImapOf = Callable[[str], IMAPClient]
FORM = "form#messages"


def boxes(page: Page, *subjects: str) -> list[str]:
    rows = {row.select_one(".s a[id]").get_text(): row.select_one("[name=uids]")["value"] for row in page.all("[data-row]")}
    return [str(rows[subject]) for subject in subjects]


def token_of(person: Visitor) -> str:
    return str(person.get("/snoozed").soup.select_one("[name=csrf_token]")["value"])


def put_off(person: Visitor, *subjects: str, mailbox: str = "INBOX") -> Page:
    """Until tomorrow."""
    page = person.get(f"/mailbox/{mailbox}")
    return person.submit(page, FORM, action="snooze:tomorrow", uids=boxes(page, *subjects))


def make_due(address: str) -> list[Snoozed]:
    """As if its time had come, and every lease were over."""
    with db.connection_context():
        user = User.get(User.address == address)
        Snoozed.update(due=now() - timedelta(minutes=1), lease=None).where(Snoozed.user == user).execute()
        return list(Snoozed.select().where(Snoozed.user == user))


def rows_of(address: str) -> list[Snoozed]:
    with db.connection_context():
        return list(Snoozed.select().join(User).where(User.address == address))


@pytest.fixture
def old(person: Visitor, imap_of: ImapOf) -> Visitor:
    """Somebody with an old message, read, tagged, and a newer one."""
    client = imap_of(person.address)
    for day, subject in ((1, "Ancien"), (2, "Récent")):
        when = datetime(2026, 3, day, 12, tzinfo=UTC)
        client.append("INBOX", bytes(message(subject)), flags=["\\Seen", "\\Flagged", "projet"], msg_time=when)
    return person


def test_a_message_waits_and_comes_back_unread_and_on_top(app: Flask, old: Visitor) -> None:
    after = put_off(old, "Ancien")
    assert "1 message snoozed." in after.notices and after.rows == ["Récent"]
    assert "Snoozed" in after.text  # among the folders
    assert old.get("/mailbox/Snoozed").rows == ["Ancien"]
    listed = old.get("/snoozed")
    assert "Ancien" in listed.text and "Bob Girard" in listed.text and "08:00" in listed.text
    make_due(old.address)
    jobs_of(app).do("wake")
    inbox = old.get("/mailbox/INBOX", reload=True)
    assert inbox.rows == ["Ancien", "Récent"]
    assert [row.select_one(".s a[id]").get_text() for row in inbox.all("tr.u")] == ["Ancien"]
    assert [chip.get_text() for chip in inbox.all("[data-row]:first-child .tag")] == ["projet"]
    assert inbox.one("[data-row]:first-child .f .on")
    assert old.get("/mailbox/Snoozed").rows == [] and rows_of(old.address) == []
    assert "No snoozed messages" in old.get("/snoozed").text


def test_nothing_comes_back_before_its_time(app: Flask, old: Visitor) -> None:
    put_off(old, "Ancien")
    jobs_of(app).do("wake")
    assert old.get("/mailbox/INBOX").rows == ["Récent"]


def test_it_is_undone(old: Visitor) -> None:
    after = old.submit(put_off(old, "Ancien", "Récent"), "#notices form")
    assert "Undone for 2 messages" in after.notices and set(after.rows) == {"Ancien", "Récent"}
    assert rows_of(old.address) == [] and after.all("tr.u") == []


def test_a_date_and_a_time_of_ones_own(old: Visitor) -> None:
    inbox = old.get("/mailbox/INBOX")
    asked = old.submit(inbox, FORM, action="later", uids=boxes(inbox, "Ancien"))
    assert "Snooze 1 message until" in asked.text and asked.headers["HX-Push-Url"] == "false"
    form = "main form:has([name=day])"
    odd = [{"day": day, "hour": "08:00"} for day in ("0001-01-01", "9999-12-31")]
    for wrong in (*odd, {"day": "2020-01-01", "hour": "08:00"}, {"day": "x", "hour": ""}, {"day": "", "hour": ""}):
        page = old.submit(asked, form, action="snooze", **wrong)
        assert page.status == 422 and "time in the future" in page.text
    day = (datetime.now() + timedelta(days=30)).date().isoformat()
    after = old.submit(page, form, action="snooze", day=day, hour="14:30")
    assert "1 message snoozed" in after.notices
    assert "14:30" in old.get("/snoozed").text


def test_from_the_message_too(old: Visitor) -> None:
    shown = old.get(old.get("/mailbox/INBOX").link("Ancien"))
    asked = old.submit(shown, "main form.list-bar", action="later")
    after = old.submit(asked, "main form:has([value='snooze:tomorrow'])", action="snooze:tomorrow")
    assert "1 message snoozed" in after.notices and after.rows == ["Récent"]


def test_the_page_of_what_waits(old: Visitor) -> None:
    put_off(old, "Ancien", "Récent")
    page = old.get("/snoozed")
    first = next(card for card in page.all("main li") if "Ancien" in card.get_text())
    ancien = first.select_one("form")["action"]
    change = f"main form[action='{ancien}']:has([name=day])"
    wrong = old.submit(page, change, action="change", day="2020-01-01", hour="08:00")
    assert wrong.status == 422 and "time in the future" in wrong.text
    day = (datetime.now() + timedelta(days=40)).date().isoformat()
    changed = old.submit(page, change, action="change", day=day, hour="09:15")
    assert "09:15" in changed.notices
    woken = old.submit(changed, f"main form[action='{ancien}']:has([value=wake])", action="wake")
    assert "back in Inbox" in woken.notices
    recent = old.get("/snoozed").one("main li form:has([value=cancel])")["action"]
    cancelled = old.submit(woken, f"main form[action='{recent}']:has([value=cancel])", action="cancel")
    assert "back in Inbox" in cancelled.notices and "No snoozed messages" in cancelled.text
    inbox = old.get("/mailbox/INBOX")
    assert inbox.rows == ["Ancien", "Récent"] and len(inbox.all("tr.u")) == 1  # cancelled: as it was


def test_what_was_moved_away_by_hand_waits_no_longer(old: Visitor, imap_of: ImapOf) -> None:
    put_off(old, "Ancien", "Récent")
    client = imap_of(old.address)
    client.select_folder("Snoozed")
    client.move(client.search(["SUBJECT", "Ancien"]), "Archive")
    with db.connection_context():
        Snoozed.update(created=now() - timedelta(hours=1)).execute()
    page = old.get("/snoozed")
    assert "Récent" in page.text and "Ancien" not in page.text


def test_put_off_again_only_the_time_changes(old: Visitor) -> None:
    put_off(old, "Ancien")
    before = rows_of(old.address)[0]
    page = old.get("/mailbox/Snoozed")
    day = (datetime.now() + timedelta(days=9)).date().isoformat()
    after = old.submit(page, FORM, action="snooze", day=day, hour="10:00", uids=boxes(page, "Ancien"))
    assert "1 message snoozed" in after.notices and after.rows == ["Ancien"]
    (row,) = rows_of(old.address)
    assert row.id == before.id and row.due > before.due and row.mailbox == "INBOX"


@pytest.mark.parametrize("mailbox", ["Projets/2026", "Autrefois"])
def test_it_comes_back_to_its_folder_or_to_the_inbox(
    app: Flask, person: Visitor, fill: Fill, imap_of: ImapOf, mailbox: str
) -> None:
    client = imap_of(person.address)
    client.create_folder(mailbox)
    fill(person, message("Un"), mailbox=mailbox)
    put_off(person, "Un", mailbox=mailbox)
    if mailbox == "Autrefois":
        client.delete_folder(mailbox)
        mailbox = "INBOX"
    make_due(person.address)
    jobs_of(app).do("wake")
    assert person.get(f"/mailbox/{mailbox}").rows == ["Un"]


def test_a_message_without_an_id_is_moved(app: Flask, person: Visitor, fill: Fill) -> None:
    fill(person, b"From: a@b.example\r\nSubject: Sans\r\n\r\nx\r\n")
    put_off(person, "Sans")
    make_due(person.address)
    jobs_of(app).do("wake")
    inbox = person.get("/mailbox/INBOX", reload=True)
    assert inbox.rows == ["Sans"] and len(inbox.all("tr.u")) == 1


def test_a_full_mailbox_keeps_nothing_asleep(app: Flask, make_account: Callable[..., str], imap_of: ImapOf) -> None:
    person = Visitor(app, make_account(quota=30_000)).sign_in()
    imap_of(person.address).append("INBOX", bytes(message("Gros", "x" * 20_000)))
    put_off(person, "Gros")
    make_due(person.address)
    jobs_of(app).do("wake")
    assert person.get("/mailbox/INBOX", reload=True).rows == ["Gros"] and rows_of(person.address) == []


def test_without_a_credential_it_comes_back_with_the_next_list(
    services: Services, tmp_path: Path, make_account: Callable[..., str], imap_of: ImapOf
) -> None:
    """A server that asks for passwords: the worker has none."""
    address, before = make_account(), db.obj
    imap_of(address).append("INBOX", bytes(message("Un")))
    given = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    kept = {name: value for name, value in given.items() if name.startswith(("imap_", "smtp_")) or name == "secure_cookies"}
    try:
        app = create_app(tmp_path / "instance", sign_in="imap", **kept)
        person = Visitor(app, address).sign_in()
        inbox = person.get("/mailbox/INBOX")
        asked = person.submit(inbox, FORM, action="later", uids=boxes(inbox, "Un"))
        assert "the next time you open a list" in asked.text
        put_off(person, "Un")
        make_due(address)
        jobs_of(app).do("wake")
        assert len(rows_of(address)) == 1
        assert person.get("/mailbox/INBOX").rows == ["Un"] and rows_of(address) == []
    finally:
        imap.close_all()
        db.initialize(before)


def test_what_the_server_refuses_is_tried_again(app: Flask, old: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise ServerAwayError("gone")

    put_off(old, "Ancien")
    make_due(old.address)
    with monkeypatch.context() as patch:
        patch.setattr(imap.actions, "delete", refuse)
        jobs_of(app).do("wake")
    assert len(rows_of(old.address)) == 1
    jobs_of(app).do("wake")  # not at once: others have their turn first
    assert len(rows_of(old.address)) == 1
    told = old.post(f"/snoozed/{rows_of(old.address)[0].id}", {"action": "wake", "csrf_token": token_of(old)})
    assert "in two minutes, try again" in told.notices
    make_due(old.address)
    jobs_of(app).do("wake")
    assert old.get("/mailbox/INBOX", reload=True).rows == ["Ancien", "Récent"]
    assert old.get("/mailbox/Snoozed").rows == [] and rows_of(old.address) == []


# --- kills ----------------------------------------------------------------------------------------------------------


def killed_while(work: Callable[[], None]) -> None:
    """Run `work` in a process of its own, which is killed outright when it says so by `os._exit`."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_kill_between_the_two_steps_of_waking_loses_and_doubles_nothing(
    app: Flask, old: Visitor, account_of: Callable[..., Account]
) -> None:
    put_off(old, "Ancien")
    (row,) = make_due(old.address)
    imap.close_all()

    def wake() -> None:
        with db.connection_context(), imap.connect(account_of(old.address)) as connection:
            snooze.wake(connection, row, after_copy=lambda: os._exit(9))

    killed_while(wake)
    assert old.get("/mailbox/INBOX", reload=True).rows == ["Ancien", "Récent"]  # the copy is there
    assert old.get("/mailbox/Snoozed").rows == ["Ancien"]  # so is what waited, for a moment
    jobs_of(app).do("wake")
    assert len(rows_of(old.address)) == 1  # whoever had it may still be at work
    make_due(old.address)
    jobs_of(app).do("wake")
    assert old.get("/mailbox/INBOX", reload=True).rows == ["Ancien", "Récent"]
    assert old.get("/mailbox/Snoozed").rows == [] and rows_of(old.address) == []


def test_a_kill_between_the_move_and_its_answer_leaves_nothing_asleep(app: Flask, old: Visitor) -> None:
    put_off(old, "Ancien")
    with db.connection_context():
        Snoozed.update(uid=0, uidvalidity=0).execute()
    make_due(old.address)
    jobs_of(app).do("wake")
    assert old.get("/mailbox/INBOX", reload=True).rows == ["Ancien", "Récent"] and rows_of(old.address) == []


def test_a_kill_before_the_move_leaves_the_message_where_it_is(app: Flask, old: Visitor) -> None:
    old.get("/mailbox/INBOX")
    with db.connection_context():
        user = User.get(User.address == old.address)
        Snoozed.create(user=user, folder="Snoozed", message_id="<nobody@x>", due=now())
    make_due(old.address)
    jobs_of(app).do("wake")
    assert set(old.get("/mailbox/INBOX").rows) == {"Ancien", "Récent"} and rows_of(old.address) == []


def test_a_message_of_the_same_id_that_was_there_before_is_no_copy(app: Flask, old: Visitor, imap_of: ImapOf) -> None:
    put_off(old, "Ancien")
    imap_of(old.address).append("INBOX", bytes(message("Ancien")), msg_time=datetime(2026, 3, 3, tzinfo=UTC))
    make_due(old.address)
    jobs_of(app).do("wake")
    assert old.get("/mailbox/INBOX", reload=True).rows == ["Ancien", "Ancien", "Récent"]


def test_a_refused_move_leaves_no_row(old: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise RefusedError("no")

    inbox = old.get("/mailbox/INBOX")
    monkeypatch.setattr(imap.actions, "move", refuse)
    assert old.submit(inbox, FORM, action="snooze:tomorrow", uids=boxes(inbox, "Ancien")).status == 422
    assert rows_of(old.address) == []


def test_what_is_late_comes_back_with_the_next_list(old: Visitor) -> None:
    put_off(old, "Ancien")
    make_due(old.address)
    with db.connection_context():
        Snoozed.update(due=now() - timedelta(minutes=10)).execute()
    assert old.get("/mailbox/INBOX").rows == ["Ancien", "Récent"]  # the worker did not run


def test_too_many_at_once_are_not_put_off(old: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snooze, "MOST", 1)
    assert "at most 1 messages" in put_off(old, "Ancien", "Récent").notices
    assert len(old.get("/mailbox/INBOX").rows) == 2


def test_what_waits_is_nobody_elses(app: Flask, old: Visitor, make_account: Callable[..., str]) -> None:
    put_off(old, "Ancien")
    (row,) = rows_of(old.address)
    other = Visitor(app, make_account()).sign_in()
    token = other.get("/snoozed").soup.select_one("[name=csrf_token]")["value"]
    for action in ("wake", "cancel", "change"):
        fields = {"action": action, "csrf_token": token, "day": "2030-01-01", "hour": "08:00"}
        assert other.post(f"/snoozed/{row.id}", fields).status == 404
    assert other.post(f"/snoozed/{'9' * 31}", {"action": "wake", "csrf_token": token}).status == 404
    assert "Ancien" not in other.get("/snoozed").text
    assert rows_of(old.address)[0].due == row.due


def test_a_piece_for_htmx(old: Visitor) -> None:
    put_off(old, "Ancien")
    piece = old.get("/snoozed", htmx="main")
    assert piece.one("main#main") and "Ancien" in piece.text and not piece.all("body")


def test_nobodys_rows_keep_others_asleep(
    app: Flask, make_account: Callable[..., str], fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those of a closed account nor those that fail, though they come first."""
    monkeypatch.setattr(snooze, "MOST", 1)
    closed, failing, last = (Visitor(app, make_account()).sign_in() for _ in range(3))
    fill(last, message("Un"))
    put_off(last, "Un")
    (row,) = make_due(last.address)
    with db.connection_context():
        Snoozed.delete().where(Snoozed.id != row.id).execute()
        for person, minutes in ((closed, 5), (failing, 4)):
            user = User.get(User.address == person.address)
            Snoozed.create(user=user, folder="INBOX", uid=1, uidvalidity=1, due=now() - timedelta(minutes=minutes))
        User.update(active=0).where(User.address == closed.address).execute()
    woken = snooze.wake

    def wake(connection: Connection, row: Snoozed) -> bool:
        if connection.account.address == failing.address:
            raise RefusedError("no")
        return woken(connection, row)

    monkeypatch.setattr(snooze, "wake", wake)
    jobs_of(app).do("wake")
    jobs_of(app).do("wake")
    assert rows_of(last.address) == [] and len(rows_of(failing.address)) == 1


@pytest.mark.parametrize("action", ["sweep", "wake", "cancel"])
def test_out_of_a_folder_shared_with_fewer_rights_since_it_comes_to_the_inbox(
    app: Flask, old: Visitor, make_account: Callable[..., str], imap_of: ImapOf, action: str
) -> None:
    owner = imap_of(make_account("owner"))
    owner.create_folder("Team")
    owner.append("Team", bytes(message("Partagé")))
    owner._imap.setacl("Team", old.address, "lrswitex")
    imap.close_all()
    team = next(a["href"] for a in old.get("/folders", reload=True).all("a[href*='/mailbox/shared/']") if "Team" in a["href"])
    page = old.get(team)
    old.submit(page, FORM, action="snooze:tomorrow", uids=boxes(page, "Partagé"))
    (row,) = make_due(old.address)
    assert row.mailbox.startswith("shared/")
    owner._imap.setacl("Team", old.address, "lr")
    imap.close_all()
    if action == "sweep":
        jobs_of(app).do("wake")
    else:
        told = old.post(f"/snoozed/{row.id}", {"action": action, "csrf_token": token_of(old)})
        assert "back in Inbox" in told.notices
    assert "Partagé" in old.get("/mailbox/INBOX", reload=True).rows and rows_of(old.address) == []
    assert old.get("/mailbox/Snoozed").rows == []
