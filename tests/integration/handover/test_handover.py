"""Mailboxes that somebody else looks after, on the real mail server: what it gives them, and that nothing of it is left at its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from tests.support.compose_form import FORM
from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from tests.support.waiting import eventually
from webmail import imap
from webmail.admin import account_deletion
from webmail.database.connection import db
from webmail.handover import copying, rounds
from webmail.jobs import KINDS
from webmail.models import (
    AllowedAddress,
    AuditEntry,
    HandoverKind,
    HandoverState,
    MailboxHandover,
    Outbox,
    SystemMessage,
    Task,
    User,
    now,
)
from webmail.people import handovers
from webmail.people.handovers import HandoverTerms
from webmail.tasks.runner import TaskRunner

pytestmark = pytest.mark.usefixtures("database")
Connect = Callable[[str], IMAPClient]


@pytest.fixture
def database(app: Flask) -> Iterator[None]:
    db.connect(reuse_if_open=True)  # pages close it at their end
    yield
    db.connect(reuse_if_open=True)
    MailboxHandover.delete().execute()
    db.close()


@pytest.fixture
def marie(make_account: Callable[..., str]) -> User:
    return User.get(User.address == make_account("marie"))


@pytest.fixture
def paul(make_account: Callable[..., str]) -> User:
    return User.get(User.address == make_account("paul"))


@pytest.fixture
def settings(app: Flask) -> Any:
    return app.extensions["settings"]


def handed_over(owner: User, person: User, kind: HandoverKind = HandoverKind.ABSENCE, **terms: Any) -> MailboxHandover:
    terms = {"until": now() + timedelta(days=7) if kind is HandoverKind.ABSENCE else None, **terms}
    return handovers.ask(owner, person, owner, HandoverTerms(kind, **terms), (owner.domain,))


def visible(client: IMAPClient, owner: User) -> list[str]:
    """The folders of the owner's that somebody sees, by the owner's names."""
    top = f"shared/{owner.address}"
    names = [name for flags, _d, name in client.list_folders() if b"\\Noselect" not in flags and f"{name}/".startswith(f"{top}/")]
    return sorted(name.removeprefix(f"{top}/") if name != top else "INBOX" for name in names)


def test_a_substitute_reads_all_folders_also_later_ones_until_its_end(
    marie: User, paul: User, settings: Any, imap_of: Connect
) -> None:
    owner = imap_of(marie.address)
    owner.create_folder("Projects")
    owner.append("INBOX", bytes(message("Hello")))
    assert visible(imap_of(paul.address), marie) == []
    handover = handed_over(marie, paul)
    assert rounds.advance(handover, settings)
    reading = imap_of(paul.address)
    assert visible(reading, marie) == ["Archive", "Drafts", "INBOX", "Junk", "Projects", "Sent", "Trash"]
    inbox = f"shared/{marie.address}"
    reading.select_folder(inbox, readonly=True)
    assert len(reading.search()) == 1
    with pytest.raises(IMAPClientError):
        reading.append(inbox, bytes(message("No")))
    owner.create_folder("Projects/2027")
    owner.create_folder("Later")
    rounds.sweep(settings)
    assert {"Later", "Projects/2027"} <= set(visible(imap_of(paul.address), marie))

    MailboxHandover.update(until=now() - timedelta(seconds=1)).execute()
    assert [one.state for one in rounds.sweep(settings)] == [HandoverState.ENDED]
    with pytest.raises((IMAPClientError, OSError)):  # also what had it open, which doveadm alone does not end
        reading.noop()
    assert visible(imap_of(paul.address), marie) == []
    again = imap_of(paul.address)
    with pytest.raises(IMAPClientError):
        again.select_folder(inbox)


def test_what_the_owner_had_shared_by_hand_stays_at_the_end(marie: User, paul: User, settings: Any, imap_of: Connect) -> None:
    owner = imap_of(marie.address)
    owner.create_folder("Team")
    owner._command_and_check("setacl", "Team", paul.address, "lrswi")  # type: ignore[no-untyped-call]
    handover = handed_over(marie, paul)
    rounds.advance(handover, settings)
    assert "INBOX" in visible(imap_of(paul.address), marie)
    rounds.finish(handover, marie)
    rounds.advance(handover, settings)
    assert visible(imap_of(paul.address), marie) == ["Team"]


def test_a_successor_has_the_mailbox_of_a_disabled_account(marie: User, paul: User, settings: Any, imap_of: Connect) -> None:
    imap_of(marie.address).append("INBOX", bytes(message("Contract")))
    handover = handed_over(marie, paul, HandoverKind.SUCCESSION)
    User.update(active=0).where(User.id == marie.id).execute()
    rounds.advance(handovers.find(handover.id) or handover, settings)
    inbox = f"shared/{marie.address}"
    client = imap_of(paul.address)
    eventually(lambda: inbox in [name for _f, _d, name in client.list_folders()], what="the folder of a disabled account")
    client.select_folder(inbox)
    assert len(client.search()) == 1
    client.create_folder(f"{inbox}/Archive/Sorted")
    client.move(client.search(), f"{inbox}/Archive/Sorted")
    with pytest.raises(IMAPClientError):
        imap_of(marie.address)


def test_what_came_since_a_day_is_copied_once_and_nothing_older(
    app: Flask, marie: User, paul: User, settings: Any, imap_of: Connect
) -> None:
    owner = imap_of(marie.address)
    owner.create_folder("Projects/2026")
    day = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for name in ("INBOX", "Projects/2026", "Junk", "Drafts"):
        for days in (-3, -1, 0, 2):
            owner.append(name, bytes(message(f"{name} {days}")), ["\\Flagged"] if days else [], day + timedelta(days=days))
    work_all = worker_for(app)
    handover = handed_over(marie, paul, since=datetime(2026, 3, 10))
    rounds.advance(handover, settings)
    work_all()
    reader = imap_of(paul.address)
    top = marie.address

    def subjects(mailbox: str) -> list[str]:
        reader.select_folder(mailbox, readonly=True)
        found = reader.fetch(reader.search(), ["ENVELOPE"])
        return [found[uid][b"ENVELOPE"].subject.decode() for uid in sorted(found)]

    assert visible(reader, marie) == []
    assert subjects(top) == ["INBOX 0", "INBOX 2"]
    assert subjects(f"{top}/Projects/2026") == ["Projects/2026 0", "Projects/2026 2"]
    assert not reader.folder_exists(f"{top}/Junk") and not reader.folder_exists(f"{top}/Drafts")
    owner.append("INBOX", bytes(message("INBOX today")))
    rounds.sweep(settings)
    assert subjects(top) == ["INBOX 0", "INBOX 2", "INBOX today"]
    assert MailboxHandover.get_by_id(handover.id).copied == 5
    rounds.finish(handovers.find(handover.id) or handover, paul)
    rounds.sweep(settings)
    owner.append("INBOX", bytes(message("INBOX later")))
    rounds.sweep(settings)
    assert subjects(top) == ["INBOX 0", "INBOX 2", "INBOX today"]


def test_a_copy_that_was_killed_after_the_server_took_a_batch_goes_on_without_doubles(
    marie: User, paul: User, settings: Any, imap_of: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = imap_of(marie.address)
    for number in range(5):
        owner.append("INBOX", bytes(message(f"Letter {number}")))
    handover = handed_over(marie, paul, since=datetime(2026, 1, 1))
    handovers.begin(handover, allowed=False)
    monkeypatch.setattr(copying, "_MOST", 2)

    class KilledError(Exception):
        pass

    @contextmanager
    def killed(_count: int) -> Iterator[None]:
        raise KilledError
        yield

    with pytest.raises(KilledError):
        copying.copy(handover, settings, killed)
    for _again in range(2):
        copying.copy(handover, settings, rounds.transaction)
    reader = imap_of(paul.address)
    reader.select_folder(marie.address, readonly=True)
    assert len(reader.search()) == 5
    assert MailboxHandover.get_by_id(handover.id).copied == 5


def _killed_worker(app: Flask, monkeypatch: pytest.MonkeyPatch, *, arrived: bool) -> None:
    """A worker in a process of its own, which kills itself with SIGKILL at its second batch: before or after the server took it."""
    count, append = 0, copying.append_many

    def killing(*args: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2 and not arrived:
            os.kill(os.getpid(), signal.SIGKILL)
        done = append(*args)
        if count == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    imap.close_all()
    db.close()
    child = os.fork()
    if child == 0:
        try:
            monkeypatch.setattr(copying, "append_many", killing)
            with app.app_context(), db.connection_context():
                TaskRunner(KINDS, app.extensions["settings"], "killed").run_one()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    db.connect(reuse_if_open=True)
    Task.update(lease=now() - timedelta(seconds=1)).where(Task.state == "running").execute()


@pytest.mark.parametrize("arrived", [False, True], ids=["before the server has it", "after"])
def test_a_worker_killed_while_it_copies_leaves_each_message_once(
    app: Flask, marie: User, paul: User, settings: Any, imap_of: Connect, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    owner = imap_of(marie.address)
    for number in range(7):
        owner.append("INBOX", bytes(message(f"Letter {number}")))
    monkeypatch.setattr(copying, "_MOST", 2)
    work_all = worker_for(app)
    handover = handed_over(marie, paul, since=datetime(2026, 1, 1))
    rounds.advance(handover, settings)
    _killed_worker(app, monkeypatch, arrived=arrived)
    assert MailboxHandover.get_by_id(handover.id).copied == 2
    work_all()
    reader = imap_of(paul.address)
    reader.select_folder(marie.address, readonly=True)
    found = reader.fetch(reader.search(), ["ENVELOPE"])
    assert sorted(one[b"ENVELOPE"].subject.decode() for one in found.values()) == [f"Letter {number}" for number in range(7)]
    assert MailboxHandover.get_by_id(handover.id).copied == 7


# --- on the pages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(app: Flask, marie: User) -> Visitor:
    return Visitor(app, marie.address).sign_in().confirm()


@pytest.fixture
def substitute(app: Flask, paul: User) -> Visitor:
    return Visitor(app, paul.address).sign_in().confirm()


@pytest.fixture
def chiefs(app: Flask, make_account: Callable[..., str]) -> Iterator[list[Visitor]]:
    """Two administrators."""
    people = [make_account("chief"), make_account("chief")]
    User.update(role="admin").where(User.address.in_(people)).execute()
    yield [Visitor(app, one).sign_in().confirm() for one in people]
    User.update(role="person").where(User.address.in_(people)).execute()


def state() -> str:
    return str(MailboxHandover.get().state)


def subjects_to(user: User) -> list[str]:
    rows = SystemMessage.select().where(SystemMessage.recipient == user.address).order_by(SystemMessage.id)
    return [row.subject for row in rows]


def test_a_substitute_named_on_the_page_answers_on_behalf_until_the_owner_ends_it(
    owner: Visitor, substitute: Visitor, marie: User, paul: User, fill: Any
) -> None:
    day = (now() + timedelta(days=5)).strftime("%Y-%m-%d")
    fill(owner, message("Question", sender="Eve <eve@elsewhere.example>", To=marie.address))
    page = owner.submit(owner.get("/account/substitutes"), "#substitute", person=paul.address, until=day, answers="1")
    assert "can see this mailbox now" in page.notices
    assert page.one("[data-handover]")["data-state"] == "active"
    listed = substitute.get(substitute.get("/account/substitutes").link("Open"))
    assert listed.rows == ["Question"]
    opened = substitute.get(listed.link("Question"))
    form = substitute.get(opened.one("a[href*='/reply']")["href"])
    substitute.submit(form, FORM, body="Yes.", action="send")
    sent = Outbox.get(Outbox.user == paul)
    written = message_from_bytes(bytes(sent.content))
    assert marie.address in written["From"] and paul.address in written["Sender"]
    assert subjects_to(marie) and subjects_to(paul)

    page = owner.submit(owner.get("/account/substitutes"), "[data-handover] form", action="end")
    assert "can no longer see this mailbox" in page.notices
    assert not AllowedAddress.select().where(AllowedAddress.user == paul).exists()
    assert substitute.get(f"/mailbox/shared/{marie.address}").status in (403, 404)
    assert len(subjects_to(marie)) == len(subjects_to(paul)) == 2
    acts = [row.act for row in AuditEntry.select().where(AuditEntry.target == marie.address).order_by(AuditEntry.id)]
    assert [one for one in acts if one.startswith("handover")] == [
        "handover-asked", "handover-agreed", "handover-begun", "handover-ended",
    ]  # fmt: skip


def press(person: Visitor, url: str, action: str) -> Page:
    """A button that no page shows them."""
    token = person.get("/account/substitutes").all("[name=csrf_token]")[0]["value"]
    return person.post(url, {"action": action, "csrf_token": token})


def ask(chief: Visitor, marie: User, person: str, **fields: Any) -> Page:
    day = (now() + timedelta(days=5)).strftime("%Y-%m-%d")
    fields = {"reason": "Ill for a week", "until": day, **fields}
    return chief.submit(chief.get("/admin/handovers/new"), "#handover", owner=marie.address, person=person, **fields)


def test_an_owner_who_is_there_decides_about_what_an_administrator_asks(
    owner: Visitor, substitute: Visitor, marie: User, paul: User, chiefs: list[Visitor]
) -> None:
    assert "Say why" in ask(chiefs[0], marie, paul.address, reason="").text
    ask(chiefs[0], marie, paul.address)
    for chief in chiefs:
        listed = chief.get("/admin/handovers")
        assert not listed.all("[value=approve]") and "only they can approve" in listed.text
        number = MailboxHandover.get().id
        press(chief, f"/admin/handovers/{number}", "approve")
    assert state() == "asked" and substitute.get("/account/substitutes").all("[data-handover]") == []
    assert substitute.get(f"/mailbox/shared/{marie.address}").status == 404
    assert press(substitute, f"/account/substitutes/{number}", "accept").status == 404
    owner.submit(owner.get("/account/substitutes"), "[data-handover] form", action="accept")
    assert state() == "active" and MailboxHandover.get().agreed_by == marie.address
    assert substitute.get(f"/mailbox/shared/{marie.address}").status == 200


def test_for_an_owner_who_is_gone_two_administrators_agree_neither_of_whom_gets_the_mail(
    marie: User, paul: User, chiefs: list[Visitor]
) -> None:
    User.update(active=0).where(User.id == marie.id).execute()
    ask(chiefs[0], marie, chiefs[0].address)  # for oneself
    assert "another administrator must approve" in chiefs[0].get("/admin/handovers").text
    number = MailboxHandover.get().id
    press(chiefs[0], f"/admin/handovers/{number}", "approve")
    assert state() == "asked" and chiefs[0].get(f"/mailbox/shared/{marie.address}").status == 404
    chiefs[1].submit(chiefs[1].get("/admin/handovers"), "[data-handover] form", action="decline")
    assert state() == "refused"
    MailboxHandover.delete().execute()
    ask(chiefs[0], marie, chiefs[1].address)
    assert not chiefs[1].get("/admin/handovers").all("[value=approve]"), "nor who would get it"
    MailboxHandover.delete().execute()
    ask(chiefs[0], marie, paul.address, kind="succession")
    chiefs[1].submit(chiefs[1].get("/admin/handovers"), "[data-handover] form", action="approve")
    assert state() == "active" and MailboxHandover.get().agreed_by == chiefs[1].address


def test_shared_mail_folders_are_listed_and_who_reads_them_is_told_when_the_account_goes(
    app: Flask, marie: User, paul: User, chiefs: list[Visitor], imap_of: Connect
) -> None:
    owner = imap_of(marie.address)
    for name in ("Team", "Team/2027", "Private"):
        owner.create_folder(name)
    for name, letters in (("Team", "lrs"), ("Team/2027", "lrs"), ("Private", "")):
        owner._command_and_check("setacl", name, paul.address, letters or '""')  # type: ignore[no-untyped-call]
    page = chiefs[0].get(f"/admin/departures/{marie.id}")
    assert [row.find("th").text for row in page.all("[data-folder]")] == ["Team", "Team/2027"]
    User.update(active=0).where(User.id == marie.id).execute()
    assert len(chiefs[0].get(f"/admin/departures/{marie.id}").all("[data-folder]")) == 2, "they stay meanwhile"
    settings = replace(app.extensions["settings"], system_address="office@lycee.example")
    with app.test_request_context("/"):
        account_deletion.delete(marie, settings)
    told = SystemMessage.get(SystemMessage.kind == "departure", SystemMessage.recipient == paul.address)
    assert "Team/2027" in told.body and "Private" not in told.body
