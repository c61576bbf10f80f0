"""Archiving by rules on a real server: what moves and what stays, by year and month; undo; interrupted at any command."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support import killed_archiving as trial
from tests.support.messages import message
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from webmail import imap, preferences
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import OverQuotaError, ServerAwayError
from webmail.filters.archiving import archive_log, archive_task, batches, nights
from webmail.filters.archiving.archive_task import ArchiveTurn
from webmail.imap.bulk import actions, ageing
from webmail.imap.connections.commands import expand_uid_set
from webmail.imap.connections.connection import Connection
from webmail.mail import Mailbox
from webmail.mailbox import folders, tags
from webmail.models import ArchiveBatch, ArchiveRun, Task, User, now

Connect = Callable[[str], IMAPClient]
THIS = date.today().year


@pytest.fixture
def mail(person: Visitor, imap_of: Connect) -> IMAPClient:
    return imap_of(person.address)


@pytest.fixture
def turn(app: Flask, person: Visitor, account_of: Callable[[str], Account]) -> Iterator[Callable[..., ArchiveTurn]]:
    """This person's turn, as a worker would take it."""

    def make(step: Callable[[int], None] = lambda _done: None, account: Account | None = None) -> ArchiveTurn:
        user = User.get(User.address == person.address)
        return ArchiveTurn(user, account or account_of(person.address), settings(app), date.today().isoformat(), step)

    db.connect(reuse_if_open=True)
    yield make
    db.close()


def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def put(mail: IMAPClient, subject: str, when: datetime, *flags: str, mailbox: str = "INBOX") -> None:
    mail.append(mailbox, bytes(message(subject, "texte")), flags, when)


def old(year: int, month: int = 3) -> datetime:
    return datetime(year, month, 15, 12, tzinfo=UTC)


def subjects(mail: IMAPClient, mailbox: str) -> list[str]:
    if not mail.folder_exists(mailbox):
        return []
    mail.select_folder(mailbox, readonly=True)
    found = mail.fetch(mail.search(), ["BODY[HEADER.FIELDS (SUBJECT)]"])
    texts = [next(text for name, text in values.items() if name.startswith(b"BODY")) for values in found.values()]
    return sorted(text.decode().partition(":")[2].strip() for text in texts)


def add(person: Visitor, **fields: str) -> Page:
    values = {"folder": "INBOX", "amount": "6", "unit": "months", "do": "archive", "split": "year", "keep_unread": "", **fields}
    page = person.get("/archiving/new")
    return person.submit(page, "form.archive-form", **values)


def test_old_messages_go_to_a_folder_for_each_year_and_others_stay(
    person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn]
) -> None:
    put(mail, "vieux", old(THIS - 2), "\\Seen")
    put(mail, "ancien", old(THIS - 1), "\\Seen")
    put(mail, "non lu", old(THIS - 2))
    put(mail, "suivi", old(THIS - 2), "\\Seen", "\\Flagged")
    put(mail, "neuf", datetime.now(UTC), "\\Seen")
    add(person, keep_unread="1")
    told = turn().take()
    assert told and told.archived == 2
    assert subjects(mail, "INBOX") == ["neuf", "non lu", "suivi"]
    assert subjects(mail, f"Archive/{THIS - 2}") == ["vieux"]
    assert subjects(mail, f"Archive/{THIS - 1}") == ["ancien"]
    assert turn().take() is None  # nothing is left to do


def test_by_month_and_with_tags_kept(person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn]) -> None:
    put(mail, "mars", old(THIS - 1, 3), "\\Seen")
    put(mail, "mai", old(THIS - 1, 5), "\\Seen", "Projet")
    put(mail, "juin", old(THIS - 1, 6), "\\Seen", "$Forwarded")
    put(mail, "juillet", old(THIS - 1, 7), "\\Seen", "NonJunk")  # Thunderbird sets it on everything
    add(person, split="month", keep_tagged="1")
    told = turn().take()
    assert told and told.archived == 3
    assert subjects(mail, f"Archive/{THIS - 1}/03") == ["mars"]
    assert subjects(mail, f"Archive/{THIS - 1}/06") == ["juin"]
    assert subjects(mail, "INBOX") == ["mai"]
    mail.select_folder(f"Archive/{THIS - 1}")  # can be opened: it was made by itself


def test_a_folder_with_more_tags_than_fit_in_a_search_is_left_alone(
    person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three hundred fit; the last one in the alphabet is left out of the archive like the first."""
    put(mail, "sans", old(THIS - 1), "\\Seen")
    for number in range(300):
        mail.append("INBOX", bytes(message(f"n{number}", "texte")), ("\\Seen", f"projet-{number:03}-de-la-classe"), old(THIS - 1))
    add(person, keep_tagged="1")
    told = turn().take()
    assert told and told.archived == 1 and len(subjects(mail, "INBOX")) == 300
    put(mail, "encore", old(THIS - 1), "\\Seen")
    monkeypatch.setattr(archive_task, "_LONGEST_TAGS", 5_000)
    told = turn().take()
    assert told and not told.archived and len(subjects(mail, "INBOX")) == 301
    page = person.get("/archiving")
    assert "too many different tags" in page.text
    page = person.get(page.link("Preview"))
    assert page.status == 422 and "too many different tags" in page.text


def test_a_tag_is_set_once_and_taken_off_by_undo(
    app: Flask, person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn]
) -> None:
    keyword = tags.add(User.get(User.address == person.address), "Vieux").keyword
    put(mail, "un", old(THIS - 2), "\\Seen")
    put(mail, "deux", old(THIS - 2), "\\Seen", keyword)
    add(person, do="tag", tag=keyword)
    told = turn().take()
    assert told and told.tagged == 1
    assert len(tagged(mail, keyword)) == 2
    assert turn().take() is None
    undo(app, person)
    assert len(tagged(mail, keyword)) == 1  # the one that had it before


def tagged(mail: IMAPClient, keyword: str) -> list[int]:
    mail.select_folder("INBOX", readonly=True)
    return list(mail.search(["KEYWORD", keyword]))


def undo(app: Flask, person: Visitor) -> Page:
    page = person.submit(person.get("/archiving"), "[data-night] form")
    work_all(app)
    return page


def test_junk_goes_to_the_trash_and_back_and_the_trash_is_emptied_after_a_week(
    app: Flask, person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mail, "pub", old(THIS - 1), mailbox="Junk")
    put(mail, "jeté", old(THIS - 1), mailbox="Trash")
    add(person, folder="Junk", do="delete", amount="30", unit="days")
    add(person, folder="Trash", do="delete", amount="30", unit="days")
    told = turn().take()
    assert told and (told.trashed, told.deleted) == (1, 0)  # what came into the trash today stays there for a week
    assert len(subjects(mail, "Trash")) == 2
    undo(app, person)
    assert subjects(mail, "Junk") == ["pub"]
    monkeypatch.setattr(archive_task, "IN_TRASH_FOR", timedelta(days=-2))
    told = turn().take()
    assert told and (told.trashed, told.deleted) == (0, 1)  # the rule for junk is off since undo
    assert subjects(mail, "Trash") == []
    page = person.get("/tags")
    assert "1 old message was tidied up last night." in page.text and not page.all("#archived form[action='/archiving/undo']")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("way", ["MOVE", "COPY"])
def test_a_worker_killed_around_a_command_loses_and_doubles_nothing(
    way: str, moment: str, person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        put(mail, f"n{number:02}", old(THIS - 2, 1 + number % 3), "\\Seen")
    add(person)
    has = Connection.has
    if way == "COPY":
        monkeypatch.setattr(Connection, "has", lambda one, name: name != "MOVE" and has(one, name))
    monkeypatch.setattr(batches, "MOST", 10)
    killed_at = killed_in_its_own_process(turn, b"UID MOVE" if way == "MOVE" else b"UID COPY", moment, 2)
    assert killed_at == 2
    with pytest.raises(ServerAwayError):  # the mail server may still be at it
        turn().take()
    ArchiveBatch.update(began=now() - timedelta(minutes=1)).where(ArchiveBatch.user == turn().user).execute()
    told = turn().take()
    assert told and told.archived == 30
    assert subjects(mail, f"Archive/{THIS - 2}") == [f"n{number:02}" for number in range(30)]
    assert subjects(mail, "INBOX") == []
    kept = [batch.target_uids for batch in ArchiveBatch.select().where(ArchiveBatch.run == told.id)]
    assert len(kept) == 3 and all(kept)


def killed_in_its_own_process(turn: Callable[..., ArchiveTurn], command: bytes, moment: str, which: int) -> int:
    """Take the turn in a new process, which is killed before or after it sends its nth such command; how many it had sent."""
    imap.close_all()
    db.close()
    child = os.fork()
    if child == 0:
        try:
            kill_at(command, moment, which)
            with db.connection_context():
                turn().take()
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    db.connect()
    return which if code == -signal.SIGKILL else 0


def kill_at(command: bytes, moment: str, which: int) -> None:
    run, count = Connection.run, 0

    def watched(one: Connection, *commands: Any) -> Any:
        nonlocal count
        count += sum(each[0] == command for each in commands)
        here = count == which and any(each[0] == command for each in commands)
        if here and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answers = run(one, *commands)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return answers

    Connection.run = watched  # type: ignore[method-assign]


def test_a_tenth_of_a_large_folder_with_a_kill_in_the_middle_of_a_move(
    app: Flask, services: Services, person: Visitor, mail: IMAPClient, account_of: Callable[[str], Account]
) -> None:
    """The whole, with the undo of it: `python -m tests.bench.archiving`."""
    total, account = 5_000, account_of(person.address)
    local, domain = person.address.split("@")
    trial.fill(services.owner, services.base / "mail" / domain / local / "Maildir", total)
    with db.connection_context():
        user = User.get(User.address == person.address)
        trial.add_rule(user)
    assert trial.take_turn(user, account, settings(app), kill_at=3).killed
    trial.let_settle(user, mail)
    second = trial.take_turn(user, account, settings(app))
    assert not second.killed and second.grown < 40
    assert trial.numbers(mail) == list(range(total))
    with db.connection_context():
        night = ArchiveRun.get(ArchiveRun.user == user)
        places = [batch.target_uids for batch in ArchiveBatch.select().where(ArchiveBatch.run == night)]
    assert night.archived == total == sum(len(expand_uid_set(uids)) for uids in places)


def test_undo_brings_all_back_and_switches_the_rule_off(
    app: Flask, person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST", 3)
    for number in range(8):
        put(mail, f"n{number}", old(THIS - 2 + number % 2), "\\Seen")
    add(person)
    assert turn().take()
    assert "8 messages were archived last night." in person.get("/mailbox/INBOX").text
    mail.select_folder(f"Archive/{THIS - 2}")
    mail.delete_messages(mail.search(["SUBJECT", "n0"]))
    mail.expunge()
    page = undo(app, person)
    assert "The rules that had moved these messages are now off." in page.text
    assert subjects(mail, "INBOX") == [f"n{number}" for number in range(1, 8)]
    page = person.get("/archiving")
    assert page.one("[data-rule] .rule-switch")["aria-pressed"] == "false"
    assert "Undone" in page.text and not page.all("[data-night] form")
    assert turn().take() is None


def test_after_undo_the_list_is_in_order_again(
    app: Flask, person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn]
) -> None:
    """Messages that come back have the highest UIDs of the mailbox."""
    for number in range(30):
        put(mail, f"old {number:02}", old(THIS - 2) + timedelta(hours=number), "\\Seen")
    put(mail, "newest", datetime.now(UTC), "\\Seen")
    add(person)
    turn().take()
    undo(app, person)
    user = User.get(User.address == person.address)
    assert preferences.for_user(user).scattered_folders == ("INBOX",)
    preferences.change(user, page_size=25)
    rows = [one.get_text(" ", strip=True) for one in person.get("/mailbox/INBOX").all("[data-row]")]
    assert len(rows) == 25 and "newest" in rows[0] and "old 29" in rows[1] and "old 28" in rows[2]
    mail.select_folder("INBOX", readonly=True)
    [uid] = mail.search(["SUBJECT", "newest"])
    after = person.get(f"/message/{uid}/INBOX").one("a[rel=next]")
    assert "old 29" in person.get(after["href"]).text


def test_the_notice_is_told_until_it_is_read(person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn]) -> None:
    put(mail, "un", old(THIS - 2), "\\Seen")
    add(person)
    turn().take()
    assert "archived last night" not in person.get("/calendar").text  # told on pages of mail
    page = person.get("/tags")
    assert "1 message was archived last night." in page.text
    person.submit(page, "#archived form[action='/archiving/seen']")
    assert "archived last night" not in person.get("/tags").text
    assert "1 message archived" in person.get("/archiving").text


def test_a_dry_run_counts_by_year_and_changes_nothing(person: Visitor, mail: IMAPClient) -> None:
    for number in range(12):
        put(mail, f"n{number}", old(THIS - 2 if number < 9 else THIS - 3), "\\Seen")
    page = person.submit(
        person.get("/archiving/new"),
        "form.archive-form",
        folder="INBOX",
        amount="6",
        unit="months",
        do="archive",
        action="preview",
    )
    assert "This rule currently applies to 12 messages." in page.text
    rows = [[cell.get_text() for cell in row.select("td")] for row in page.all("#preview tbody tr")]
    assert rows == [[str(THIS - 2), "9"], [str(THIS - 3), "3"]]
    assert len(page.all("#preview li")) == 10
    assert len(subjects(mail, "INBOX")) == 12
    assert not person.get("/archiving").all("[data-rule]")


def test_windows_bound_what_is_in_memory(
    person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ageing, "WINDOW", 7)
    for number in range(20):
        put(mail, f"n{number:02}", old(THIS - 2) if number % 4 else datetime.now(UTC), "\\Seen")
    add(person)
    seen: list[int] = []
    marks = ageing.marks
    monkeypatch.setattr(ageing, "marks", lambda one, uids: seen.append(len(list(uids))) or marks(one, uids))
    told = turn().take()
    assert told and told.archived == 15
    assert max(seen) <= 7


def test_a_night_begins_one_task_for_each_person_whose_turn_has_come(app: Flask, person: Visitor, mail: IMAPClient) -> None:
    put(mail, "un", old(THIS - 2), "\\Seen")
    add(person)
    at = datetime(2026, 11, 27, 4, 59, tzinfo=UTC)  # in Paris 5:59: all turns have come
    with app.app_context(), db.connection_context():
        user = User.get(User.address == person.address)
        mine = (Task.user == user) & (Task.kind == archive_task.NAME)
        nights.sweep(settings(app), at)
        nights.sweep(settings(app), at)
        assert Task.select().where(mine).count() == 1
        Task.delete().where((Task.kind == archive_task.NAME) & (Task.user != user)).execute()  # of other tests' people
        assert nights.sweep(settings(app), datetime(2026, 11, 27, 12, tzinfo=UTC)) == 0  # by day
    work_all(app)
    assert subjects(mail, f"Archive/{THIS - 2}") == ["un"]
    with db.connection_context():
        assert ArchiveRun.get(ArchiveRun.user == user).night == "2026-11-27"


def test_the_command_says_what_it_did(app: Flask, person: Visitor, mail: IMAPClient) -> None:
    put(mail, "un", old(THIS - 2), "\\Seen")
    add(person)
    run = app.test_cli_runner().invoke
    assert "INBOX, archive" in run(args=["archive", "run", person.address, "--dry-run"]).output
    assert f"{person.address}: 1 archived" in run(args=["archive", "run", person.address]).output
    assert f"{person.address}: nothing to do" in run(args=["archive", "run", person.address]).output
    assert "archived" in run(args=["audit", "--who", person.address]).output


def test_a_full_mailbox_ends_the_rule_and_is_said(
    person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mail, "un", old(THIS - 2), "\\Seen")
    add(person)

    def full(*_values: Any) -> Any:
        raise OverQuotaError("no room")

    monkeypatch.setattr(actions, "move", full)
    told = turn().take()
    assert told and archive_log.troubles_of(told) == [("over-quota", "INBOX")]
    assert "your mailbox is full" in person.get("/archiving").text
    assert subjects(mail, "INBOX") == ["un"]


def test_a_renamed_folder_keeps_its_rule_and_a_deleted_one_switches_it_off(person: Visitor, mail: IMAPClient) -> None:
    mail.create_folder("Cours")
    person.get("/mailbox/INBOX", reload=True)
    add(person, folder="Cours")
    with db.connection_context():
        user = User.get(User.address == person.address)
        folders.carry(user, Mailbox("Cours"), "Maths")
    page = person.get("/archiving")
    assert "Maths" in page.one("[data-rule] h2").get_text()
    with db.connection_context():
        folders.carry(user, Mailbox("Maths"), "")
    assert person.get("/archiving").one("[data-rule] .rule-switch")["aria-pressed"] == "false"


def test_what_a_night_put_into_the_trash_stays_where_the_server_keeps_no_dates(
    person: Visitor, mail: IMAPClient, turn: Callable[..., ArchiveTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    has = Connection.has
    monkeypatch.setattr(Connection, "has", lambda one, name: name != "SAVEDATE" and has(one, name))
    put(mail, "pub", old(THIS - 1), mailbox="Junk")
    put(mail, "vieux", old(THIS - 1), mailbox="Trash")
    add(person, folder="Junk", do="delete", amount="30", unit="days")
    add(person, folder="Trash", do="delete", amount="30", unit="days")
    told = turn().take()
    assert told and (told.trashed, told.deleted) == (1, 1)
    assert subjects(mail, "Trash") == ["pub"]


def test_it_is_suggested_while_the_mailbox_fills_up(app: Flask, make_account: Callable[..., str], imap_of: Connect) -> None:
    address = make_account("full", quota=100_000)
    imap_of(address).append("INBOX", bytes(message("Gros", "x" * 85_000)))
    full = Visitor(app, address).sign_in()
    assert full.get("/room").all("main a[href='/archiving']")
    add(full)
    assert not full.get("/room").all("main a[href='/archiving']")


def test_without_tokens_the_page_says_why_it_is_not_offered(app: Flask, person: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(settings(app), token_key_file=""))
    page = person.get("/archiving")
    assert "This feature is not available here" in page.text and "token_key_file" in page.text
    assert not page.all("a[href='/archiving/new']")
    assert nights.sweep(settings(app), datetime(2026, 11, 27, 4, 59, tzinfo=UTC)) == 0


def test_a_deleted_rule_comes_back_by_undo(person: Visitor) -> None:
    add(person, amount="7")
    key = person.get("/archiving").one("[data-rule]")["data-rule"]
    page = person.submit(person.get("/archiving"), "form#archiving", action=f"delete {key}")
    assert not page.all("[data-rule]")
    assert "7 months" in person.submit(page, ".notice form").one("[data-rule] h2").get_text()
