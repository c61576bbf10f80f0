"""What people asked for, carried out of a real repository of restic by the functions of the unit; Dovecot's part is played."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from deploy.backups import asked, person, places
from deploy.backups.kept_items import copied_rows
from deploy.backups.repository import Repository
from deploy.installer.changes import Changes, InstallError
from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.postgresql import database_without_tables, programs, server_url
from webmail.collections import store
from webmail.contacts import store as contacts
from webmail.database.backup import copy_to
from webmail.database.connection import db
from webmail.models import CalendarObject, Collection, Contact, RestoreKind, RestoreRequest, RestoreState, SystemMessage, User
from webmail.restores import requests
from webmail.restores.requests import RestoreWish

pytestmark = pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{0}\r\nFN:{0} Martin\r\nEMAIL:{0}@example.org\r\nEND:VCARD\r\n"


class PlayedChanges(Changes):
    """Runs restic and pg_restore; commands of Traboule's in this process, those of Dovecot from a list."""

    def __init__(self, root: Path, app: Flask, mail: Path) -> None:
        super().__init__(root, lambda _words: None)
        self._app, self.mail, self.doveadm, self.limit, self.notes = app, mail, [], "-", []  # type: ignore[var-annotated]

    def note(self, words: str) -> None:
        self.notes.append(words)

    def tried(self, *command: str, typed: str | None = None, environment: Any = None, folder: str | None = None) -> Any:
        if command[0].endswith("/deploy/flask"):
            said = self._app.test_cli_runner().invoke(args=list(command[1:]), input=typed)
            return subprocess.CompletedProcess(command, said.exit_code, said.output, "")
        if command[0] == "doveadm":
            return subprocess.CompletedProcess(command, 0, self._said(command), "")
        if command[0] == "chown":
            return subprocess.CompletedProcess(command, 0, "", "")
        if command[0] == "pg_restore":
            where = programs()
            assert where
            command = (str(where / "pg_restore"), *command[1:])
        return super().tried(
            *command, typed=typed, environment={**(environment or {}), "RESTIC_CACHE_DIR": str(self.root / "cache")}
        )

    def _said(self, command: tuple[str, ...]) -> str:
        self.doveadm.append(command)
        if command[1] == "user":
            return f"{self.mail}/lycee.example/alice\n"
        if "quota" in command:
            return f"Quota name\tType\tValue\tLimit\t%\nUser quota\tSTORAGE\t10\t{self.limit}\t1\n"
        if command[1:3] == ("mailbox", "list"):
            return "INBOX\nSent\n"
        if "status" in command:
            return "mailbox\tmessages\nx\t2\n"
        return ""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = ground.application(tmp_path / "instance", language="en", system_address="office@lycee.example", system_password="x")
    with made as app:
        for local in ("alice", "bob"):
            add(f"{local}@lycee.example")
        calendar = ground.calendar_of("alice", "choir", "Choir")
        ground.put(calendar, "Rehearsal", ":20300105T090000Z", ":20300105T100000Z")
        ground.put(calendar, "Concert", ":20300106T090000Z", ":20300106T100000Z")
        contacts.put_all(alice(), [CARD.format("Anne"), CARD.format("Zoé")])
        yield app


def alice() -> User:
    return User.get(User.address == "alice@lycee.example")


@pytest.fixture
def changes(tmp_path: Path, app: Flask, monkeypatch: pytest.MonkeyPatch) -> PlayedChanges:
    mail, staging = tmp_path / "vmail", tmp_path / "staging"
    for name in ("Maildir/cur", "Maildir/Sent/new", "Maildir/Work/2024/cur"):
        (mail / ".backup/lycee.example/alice" / name).mkdir(parents=True)
    (mail / ".backup/lycee.example/alice/Maildir/cur/1.x:2,S").write_bytes(b"m" * 2_000_000)
    (mail / ".backup/lycee.example/alice/Maildir/Sent/new/2.x").write_bytes(b"Subject: sent\r\n\r\nx")
    staging.mkdir()
    for module, name, value in (
        (person, "MAIL", str(mail)), (places, "MAIL_COPY", f"{mail}/.backup"), (places, "DUMP", f"{staging}/database"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    return PlayedChanges(tmp_path, app, mail)


@pytest.fixture
def repository(tmp_path: Path, changes: PlayedChanges) -> Repository:
    password = tmp_path / "password"
    password.write_text("secret\n")
    made = Repository(str(tmp_path / "repository"), changes, str(password))
    made._restic("init", "-q")
    return made


def backed_up(repository: Repository) -> str:
    """The id of a backup of the database and the mail as they are."""
    copy_to(Path(places.DUMP))
    made = repository.add([places.DUMP, places.MAIL_COPY], [], "traboule")
    return made.id


def wished(kind: RestoreKind, snapshot: str, what: str = "", title: str = "") -> RestoreRequest:
    return requests.ask(
        alice(), alice(), RestoreWish(snapshot, kind, what, title, f"{title.rpartition('/')[2] or 'All'} of then")
    )


def told(row: RestoreRequest) -> tuple[str, int, int, str]:
    now = RestoreRequest.get_by_id(row.id)
    assert (now.open_for, now.ended is not None) == (None, True)
    return now.state, now.number, now.left_out, now.problem


def calendars() -> dict[str, list[str]]:
    """What events are in each of Alice's calendars, by its title."""
    found = {}
    for access in store.accessible(alice()):
        if access.collection.kind == "calendar":
            texts = CalendarObject.select().where(CalendarObject.collection == access.collection.id)
            found[str(access.props[store.NAME])] = sorted(
                line[8:] for row in texts for line in row.text.split("\r\n") if line.startswith("SUMMARY:")
            )
    return found


def test_a_calendar_comes_back_beside_what_is_there_now(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    number = Collection.get(Collection.name == "choir").id
    snapshot = backed_up(repository)
    CalendarObject.delete().where(CalendarObject.text.contains("Concert")).execute()
    asked.tell_nights(repository, changes)
    assert [night.snapshot for night in requests.nights()] == [snapshot]
    row = wished(RestoreKind.CALENDAR, snapshot, str(number), "Choir")
    assert asked.carry_out(repository, changes) == 1
    assert told(row) == (RestoreState.DONE, 2, 0, "")
    there = calendars()
    assert there["Choir"] == ["Rehearsal"]
    assert [events for title, events in there.items() if title.startswith("Choir of ")] == [["Concert", "Rehearsal"]]
    assert RestoreRequest.get_by_id(row.id).place.startswith("Choir of ")
    letter = SystemMessage.get(SystemMessage.kind == "restored")
    assert (letter.recipient, letter.subject) == ("alice@lycee.example", "Brought back from a backup")
    assert "2 events are in “Choir of" in letter.body


def test_all_books_come_back_each_as_one_of_its_own(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    snapshot = backed_up(repository)
    Contact.delete().execute()
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.BOOK, snapshot)
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.DONE, 2, 0, "")
    assert sorted(contact.name for contact in Contact.select()) == ["Anne Martin", "Zoé Martin"]


def test_mail_goes_into_a_folder_of_its_own(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.MAIL, snapshot, "Sent", "Sent")
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.DONE, 2, 0, "")
    [imported] = [one for one in changes.doveadm if one[1] == "import"]
    assert imported[-3:] == ("Sent of then", "mailbox", "Sent")
    assert imported[3] == "alice@lycee.example"
    assert not list(changes.mail.glob(".restore-*"))


def test_a_name_that_is_taken_gets_a_number(changes: PlayedChanges, repository: Repository) -> None:
    snapshot = repository.snapshot(backed_up(repository))
    assert person.restore_mail(repository, changes, "alice@lycee.example", "Sent", snapshot, "Sent")[0] == "Sent (2)"


@pytest.mark.parametrize(
    ("what", "limit", "problem"),
    [("", "1500", "no-room"), ("Gone", "-", "not-there"), ("Work/2024", "-", "not-there"), ("../bob", "-", "not-there")],
)
def test_what_has_no_room_or_was_not_there_says_so_and_nothing_is_imported(
    what: str, limit: str, problem: str, app: Flask, changes: PlayedChanges, repository: Repository
) -> None:
    changes.limit = limit
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.MAIL, snapshot, what, what)
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.FAILED, 0, 0, problem)
    assert not [one for one in changes.doveadm if one[1] == "import"]


def test_a_book_for_which_there_is_no_room_is_not_begun(
    app: Flask, changes: PlayedChanges, repository: Repository, monkeypatch
) -> None:
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    monkeypatch.setattr(contacts, "MOST", 3)
    row = wished(RestoreKind.BOOK, snapshot)
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.FAILED, 0, 0, "no-room")
    assert (Contact.select().count(), Collection.select().where(Collection.kind == "addressbook").count()) == (2, 1)


def test_a_number_that_was_somebody_elses_account_that_night_brings_nothing(
    app: Flask, changes: PlayedChanges, repository: Repository
) -> None:
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    User.update(created=alice().created + timedelta(days=1)).where(User.id == alice().id).execute()
    row = wished(RestoreKind.CALENDAR, snapshot)
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.FAILED, 0, 0, "not-there")


def test_a_calendar_of_somebody_else_brings_nothing(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    theirs = ground.calendar_of("bob", "secret", "Secret")
    ground.put(theirs, "Hidden", ":20300105T090000Z", ":20300105T100000Z")
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.CALENDAR, snapshot, str(theirs.id), "Secret")
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.FAILED, 0, 0, "not-there")


def test_a_backup_that_is_gone_is_told(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    backed_up(repository)
    requests.note_nights([("ffffffff", alice().created)])
    row = wished(RestoreKind.MAIL, "ffffffff")
    asked.carry_out(repository, changes)
    assert told(row) == (RestoreState.FAILED, 0, 0, "night-gone")


def test_work_that_was_broken_off_is_told_and_can_be_asked_for_again(
    app: Flask, changes: PlayedChanges, repository: Repository
) -> None:
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.CALENDAR, snapshot)
    RestoreRequest.update(state=RestoreState.WORKING).execute()
    assert asked.carry_out(repository, changes) == 0
    assert told(row) == (RestoreState.FAILED, 0, 0, "stopped")
    wished(RestoreKind.CALENDAR, snapshot)
    assert asked.carry_out(repository, changes) == 1


def test_nobody_ends_a_request_that_is_not_at_work(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    snapshot = backed_up(repository)
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.MAIL, snapshot)
    assert changes.tried("/x/deploy/flask", "restores", "done", str(row.id)).returncode == 1
    assert RestoreRequest.get_by_id(row.id).state == RestoreState.WAITING


def test_rows_of_a_dump_are_read_as_they_were(tmp_path: Path) -> None:
    lines = ["SET x;\n", "COPY public.t (id, text) FROM stdin;\n", "1\ta\\tb\\nc\\\\nd\n", "2\t\\N\n", "\\.\n", "3\tno row\n"]
    assert list(copied_rows(iter(lines))) == [{"id": "1", "text": "a\tb\nc\\nd"}, {"id": "2", "text": None}]


@pytest.mark.postgresql
def test_a_dump_of_postgresql_gives_the_same_calendar(app: Flask, changes: PlayedChanges, repository: Repository) -> None:
    from webmail.database import moving

    where = programs()
    if not server_url() or where is None:
        pytest.skip("no PostgreSQL server")
    before = db.obj
    with database_without_tables() as url:
        moving.move(url, str)
        dump = subprocess.run(
            [where / "pg_dump", "-Fc", url], check=True, capture_output=True, env={**os.environ, "LANG": "C.UTF-8"}
        )
        Path(places.DUMP).write_bytes(dump.stdout)
    db.initialize(before)
    snapshot = repository.add([places.DUMP, places.MAIL_COPY], [], "traboule").id
    asked.tell_nights(repository, changes)
    row = wished(RestoreKind.CALENDAR, snapshot)
    asked.carry_out(repository, changes)
    assert told(row)[:2] == (RestoreState.DONE, 2), changes.notes
    assert [events for title, events in calendars().items() if title.startswith("Choir of ")] == [["Concert", "Rehearsal"]]


def test_the_commands_say_what_is_wrong(app: Flask, changes: PlayedChanges) -> None:
    for typed in ("x", "{}", '[["a"]]', '[["a", "yesterday"]]'):
        assert changes.tried("/x/deploy/flask", "restores", "nights", typed=typed).returncode
    assert json.loads(changes.tried("/x/deploy/flask", "restores", "nights", typed="[]").stdout) == 0


@pytest.mark.parametrize("address", ["*@lycee.example", "al?ce@lycee.example", "-A@lycee.example"])
def test_an_address_that_names_several_people_is_none(address: str, changes: PlayedChanges, repository: Repository) -> None:
    """Dovecot's command takes patterns, and would put one person's mail into everybody's."""
    backed_up(repository)
    [snapshot] = repository.snapshots()
    with pytest.raises(InstallError, match="is no address"):
        person.restore_mail(repository, changes, address, "", snapshot)
    assert changes.doveadm == []
