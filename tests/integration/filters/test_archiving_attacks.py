"""Archiving attacked: strange folders, dates and tags, folders that go, undo of others, people who are disabled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.account import Account
from webmail.database.connection import db
from webmail.filters.archiving import archive_log, archive_task, nights
from webmail.filters.archiving.archive_task import ArchiveTurn
from webmail.models import ArchiveRun, Task, User

OLD = datetime(date.today().year - 2, 3, 15, 12, tzinfo=UTC)
TARGET = f"Archive/{OLD.year}"
HOSTILE = ('a"b\\c', "é & <svg onload=alert(1)>", "x*%", "{3+}", "NIL", "a) (b", "&AOk-", "Archive/x/y")


@pytest.fixture
def mail(person: Visitor, imap_of: Callable[[str], IMAPClient]) -> IMAPClient:
    return imap_of(person.address)


@pytest.fixture
def turn(app: Flask, person: Visitor, account_of: Callable[[str], Account]) -> Iterator[Callable[[], ArchiveTurn]]:
    def make() -> ArchiveTurn:
        user = User.get(User.address == person.address)
        account = preferences.with_roles(account_of(person.address), user)
        return ArchiveTurn(user, account, app.extensions["settings"], date.today().isoformat())

    db.connect(reuse_if_open=True)
    yield make
    db.close()


def put(mail: IMAPClient, subject: str, mailbox: str = "INBOX", when: datetime = OLD) -> None:
    mail.append(mailbox, bytes(message(subject, "texte")), ["\\Seen"], when)


def subjects(mail: IMAPClient, mailbox: str) -> list[str]:
    if not mail.folder_exists(mailbox):
        return []
    mail.select_folder(mailbox, readonly=True)
    return sorted(one[b"ENVELOPE"].subject.decode() for one in mail.fetch(mail.search(), ["ENVELOPE"]).values())


def add(person: Visitor, folder: str = "INBOX", **fields: str) -> Page:
    values = {"amount": "6", "unit": "months", "do": "archive", "split": "year", "keep_unread": "", **fields}
    token = person.get("/archiving/new").all("[name=csrf_token]")[0]["value"]
    return person.post("/archiving/new", {"csrf_token": token, "folder": folder, **values})


def undo(person: Visitor, number: int) -> Page:
    token = person.get("/archiving/new").all("[name=csrf_token]")[0]["value"]
    return person.post("/archiving/undo", {"csrf_token": token, "run": str(number)})


def test_folders_of_hostile_names_and_the_archive_itself(person, mail, turn):
    for number, name in enumerate(HOSTILE):
        mail.create_folder(name)
        put(mail, f"of {number}", name)
    person.get("/mailbox/INBOX", reload=True)
    for name in HOSTILE:
        assert add(person, name).status == 200, name
    put(mail, "in it", "Archive")
    put(mail, "too", "Archive")
    add(person, "Archive")
    add(person, "Archive/x", split="month")
    page = person.get("/archiving")
    assert "<svg onload" not in str(page.one("main")) and "é & <svg onload=alert(1)>" in page.text
    told = turn().take()
    assert told and told.archived == len(HOSTILE) + 2
    assert archive_log.troubles_of(told) in ([], [("gone", "Archive/x")])
    assert subjects(mail, TARGET) == sorted([*(f"of {number}" for number in range(len(HOSTILE))), "in it", "too"])


def test_dates_of_other_ages(person, mail, turn):
    """What INTERNALDATE can't say, Dovecot keeps as the first or last day that it can."""
    for year in (1, 1969, 1981, 2037, 9999):
        mail._imap.literal = bytes(message(f"of {year}", "texte"))
        mail._imap._simple_command("APPEND", "INBOX", "(\\Seen)", f'"01-Jan-{year:04d} 00:00:00 +0000"')
    add(person)
    page = person.get("/archiving")
    preview = person.get("/archiving/preview?rule=" + page.one("a[href^='/archiving/preview']")["href"].partition("=")[2])
    assert preview.status == 200 and "applies to 3 messages" in preview.text
    told = turn().take()
    assert told and told.archived == 3
    assert subjects(mail, "INBOX") == ["of 2037", "of 9999"] and subjects(mail, "Archive/1981") == ["of 1981"]


def test_tags_that_are_none(person, mail, turn):
    put(mail, "one")
    for tag in ("", "\\Deleted", "$Junk", "a b", "a)(b", "é", "{3}", "*"):
        for action in ("save", "preview"):
            answer = add(person, do="tag", tag=tag, action=action)
            assert (answer.status, answer.one("#keyword-error").text) == (422, "Choose a tag."), tag
    assert turn().take() is None


def test_nobody_undoes_the_night_of_somebody_else(app, person, mail, turn, make_account):
    put(mail, "one")
    add(person)
    told = turn().take()
    eve = Visitor(app, make_account("eve")).sign_in()
    for number in (told.id, -1, 0, 2**31, 10**12):
        assert "nothing to undo" in undo(eve, number).text
    work_all(app)
    assert subjects(mail, TARGET) == ["one"] and ArchiveRun.get_by_id(told.id).undone is None


def test_undo_twice_and_of_folders_that_are_gone(app, person, mail, turn):
    mail.create_folder("From")
    put(mail, "one", "From")
    put(mail, "two")
    person.get("/mailbox/INBOX", reload=True)
    add(person, "From")
    add(person)
    told = turn().take()
    mail.delete_folder("From")
    undo(person, told.id)
    assert "nothing to undo" in undo(person, told.id).text
    work_all(app)
    assert subjects(mail, "From") == ["one"] and subjects(mail, "INBOX") == ["two"]
    assert subjects(mail, TARGET) == []


def test_undo_after_the_archive_was_deleted_and_made_anew(app, person, mail, turn):
    put(mail, "one")
    add(person)
    told = turn().take()
    mail.rename_folder(TARGET, "elsewhere")
    mail.create_folder(TARGET)
    put(mail, "another", TARGET)
    undo(person, told.id)
    work_all(app)
    assert subjects(mail, TARGET) == ["another"] and subjects(mail, "elsewhere") == ["one"]


def test_who_is_disabled_has_no_night(app, person, mail):
    put(mail, "one")
    add(person)
    at = datetime(2026, 11, 27, 4, 59, tzinfo=UTC)
    with app.app_context(), db.connection_context():
        user = User.get(User.address == person.address)
        mine = (Task.user == user) & (Task.kind == archive_task.NAME)
        nights.sweep(app.extensions["settings"], at)
        assert Task.select().where(mine).count() == 1
        User.update(active=0).where(User.id == user.id).execute()
    work_all(app)
    assert subjects(mail, "INBOX") == ["one"]
    with app.app_context(), db.connection_context():
        Task.delete().where(mine).execute()
        nights.sweep(app.extensions["settings"], at)
        assert Task.select().where(mine).count() == 0
