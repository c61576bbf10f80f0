"""A reported message is found in other mailboxes of a real Dovecot, put into quarantine, and back as it was."""

from __future__ import annotations

import os
import signal
import smtplib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support.strangers import checking_app, message, report
from tests.support.task_work import work_all, worker_for
from tests.support.visits import Visitor
from webmail import imap
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.message import phishing_reports
from webmail.message.notifications import quarantine_letters
from webmail.message.quarantine import quarantine_tasks
from webmail.models import (
    AuditAct,
    AuditEntry,
    Establishment,
    PhishingFind,
    PhishingReport,
    RefusedSender,
    SystemMessage,
    Task,
    User,
)

SENDING = {"system_address": "Lycée <info@lycee.example>", "system_password": "x"}


@pytest.fixture
def app(services, tmp_path) -> Iterator[Flask]:
    with checking_app(services, tmp_path / "instance", **SENDING) as made:
        with db.connection_context():
            for table in (PhishingFind, RefusedSender, Establishment):
                table.delete().execute()
            SystemMessage.delete().execute()
            User.update(role="person").where(User.role.in_(("admin", "establishment"))).execute()
            before = [row.id for row in User.select(User.id).where(User.active == 1)]
            User.update(active=0).where(User.id.in_(before)).execute()  # of other tests: their mailboxes would be searched too
        yield made
        with db.connection_context():
            User.update(active=1).where(User.id.in_(before)).execute()
            Establishment.delete().execute()


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    return worker_for(app)


@pytest.fixture
def chief(app: Flask, make_account) -> Visitor:
    visitor = Visitor(app, make_account("chief")).sign_in()
    with db.connection_context():
        User.update(role="admin").where(User.address == visitor.address).execute()
    return visitor.confirm()


@pytest.fixture
def put(imap_of) -> Callable[..., Any]:
    """`put(address, content, folder="INBOX", flags=[])`: the client, with the message in it."""

    def append(address: str, content: bytes, folder: str = "INBOX", flags: tuple[bytes, ...] = ()) -> Any:
        client = imap_of(address)
        if not client.folder_exists(folder):
            client.create_folder(folder)
        client.append(folder, content, flags)
        return client

    return append


def reported(app: Flask, fill, make_account, content: bytes) -> PhishingReport:
    alice = Visitor(app, make_account("alice")).sign_in()
    report(alice, alice.get(f"/message/{fill(alice, content)[-1]}/INBOX"))
    with db.connection_context():
        return PhishingReport.select(PhishingReport, User).join(User).get()


def flags_in(client: Any, folder: str) -> list[set[bytes]]:
    client.select_folder(folder)
    uids = client.search()
    return (
        [set(values[b"FLAGS"]) - {b"\\Recent", b"$HasNoAttachment"} for values in client.fetch(uids, ["FLAGS"]).values()]
        if uids
        else []
    )


def post(visitor: Visitor, row: PhishingReport, action: str, **fields: Any) -> Any:
    page = visitor.get(f"/admin/reports/{row.id}")
    return visitor.submit(page, f"form:has([value='{action}'])", action=action, **fields)


def test_copies_are_found_pulled_with_their_flags_told_and_put_back(app, work, chief, fill, make_account, put):
    content = message(subject="Gagnez", text="Cliquez ici")
    bob, carol, dan = make_account("bob"), make_account("carol"), make_account("dan")
    at_bob = put(bob, content, flags=(b"\\Seen", b"\\Flagged"))
    at_carol = put(carol, content, folder="Classe")
    put(carol, message(subject="Bonjour"), folder="Classe")
    at_dan = put(dan, message(subject="Gagnez", text="Cliquez là"))
    row = reported(app, fill, make_account, content)
    assert "Search all mailboxes" in chief.get(f"/admin/reports/{row.id}").text
    post(chief, row, "search")
    work()
    page = chief.get(f"/admin/reports/{row.id}")
    assert page.one("[data-same]")["data-same"] == "2"
    assert [one.get_text().split()[0] for one in page.all("[data-find]")] == [dan]
    assert "Bonjour" not in page.text  # nothing else of anybody's mail
    post(chief, row, "pull")
    work()
    assert flags_in(at_bob, "INBOX") == [] and flags_in(at_carol, "Classe") == [set()]
    assert flags_in(at_bob, "Junk") == [{b"\\Seen", b"\\Flagged", b"$Quarantined", b"$Phishing", b"$Junk"}]
    assert len(flags_in(at_dan, "INBOX")) == 1
    with app.app_context(), db.connection_context():
        quarantine_letters.tell(app.extensions["settings"])
        told = {one.recipient: one.subject for one in SystemMessage.select().where(SystemMessage.kind == "quarantine")}
        assert set(told) == {bob, carol}
    post(chief, row, "return")
    work()
    assert flags_in(at_bob, "INBOX") == [{b"\\Seen", b"\\Flagged"}] and flags_in(at_bob, "Junk") == []
    assert len(flags_in(at_carol, "Classe")) == 2
    with db.connection_context():
        acts = [one.act for one in AuditEntry.select().where(AuditEntry.actor_address == chief.address)]
    assert {AuditAct.PHISHING_SEARCHED, AuditAct.PHISHING_PULLED, AuditAct.PHISHING_PUT_BACK} <= set(acts)


def test_what_is_only_alike_is_pulled_where_it_is_ticked(app, work, chief, fill, make_account, put):
    dan, eve = make_account("dan"), make_account("eve")
    at_dan, at_eve = put(dan, message(subject="Gagnez", text="A")), put(eve, message(subject="gagnez ", text="B"))
    row = reported(app, fill, make_account, message(subject="Gagnez", text="C"))
    post(chief, row, "search")
    work()
    page = chief.get(f"/admin/reports/{row.id}")
    ticked = next(one for one in page.all("[data-find]") if dan in one.get_text())["data-find"]
    chief.submit(page, "form:has([name=find])", action="pull-ticked", find=ticked)
    work()
    assert flags_in(at_dan, "INBOX") == [] and len(flags_in(at_eve, "INBOX")) == 1


def test_a_mailbox_outside_of_the_scope_is_never_touched(app, work, fill, make_account, put, services):
    content = message(subject="Gagnez")
    bob = make_account("bob")
    outside = f"out-{bob.partition('@')[0]}@other.example"
    services.add_account(outside, "Out Side", 1024**3)
    at_bob = put(bob, content)
    at_outside = put(outside, content)
    row = reported(app, fill, make_account, content)
    head = Visitor(app, make_account("head")).sign_in()
    with db.connection_context():
        school = establishments.make("Lycée")
        establishments.set_domains(school, ["lycee.example"])
        establishments.add_administrator(school, User.get(User.address == head.address))
    head.confirm()
    post(head, row, "search")
    work()
    with db.connection_context():
        assert {one.user.address for one in PhishingFind.select()} == {bob}
        PhishingFind.create(  # as if an administrator of all had found it
            report=row,
            user=User.get(User.address == outside),
            mailbox="INBOX",
            uidvalidity=1,
            uid=1,
            same=1,
            received=row.created,
        )
    assert head.get(f"/admin/reports/{row.id}").one("[data-same]")["data-same"] == "1"
    post(head, row, "pull")
    with db.connection_context():
        PhishingFind.update(state="wanted").where(PhishingFind.state == "found").execute()
    work()
    assert flags_in(at_bob, "INBOX") == [] and len(flags_in(at_outside, "INBOX")) == 1
    with db.connection_context():
        establishments.remove_administrator(school, User.get(User.address == head.address))
    assert head.get(f"/admin/reports/{row.id}").status == 403


def killed_after(app: Flask, moves: int) -> None:
    """A worker in a process of its own, which is killed between this move and its note."""
    imap.close_all()
    db.close()
    child = os.fork()
    if child == 0:
        try:
            noted, count = quarantine_tasks.finds.note, 0

            def dying(find: PhishingFind, state: Any, **values: Any) -> None:
                nonlocal count
                count += 1
                if count == moves:
                    os.kill(os.getpid(), signal.SIGKILL)
                noted(find, state, **values)

            quarantine_tasks.finds.note = dying  # type: ignore[assignment]
            work_all(app)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_killed_task_goes_on_and_does_nothing_twice(app, work, chief, fill, make_account, put):
    content = message(subject="Gagnez")
    people = [make_account(f"p{number}") for number in range(4)]
    clients = [put(address, content) for address in people]
    row = reported(app, fill, make_account, content)
    post(chief, row, "search")
    work()
    post(chief, row, "pull")
    killed_after(app, 2)
    assert [len(flags_in(client, "Junk")) for client in clients] == [1, 1, 0, 0]  # the second was moved, and nobody noted that
    with db.connection_context():
        Task.update(lease=row.created).where(Task.state == "running").execute()
    work()
    assert [flags_in(client, "INBOX") for client in clients] == [[]] * 4
    assert [len(flags_in(client, "Junk")) for client in clients] == [1] * 4
    with db.connection_context():
        assert {one.state for one in PhishingFind.select()} == {"pulled"}


def test_the_message_is_shown_safely(app, chief, fill, make_account):
    html = '<p>Bonjour <a href="http://evil.example/login">banque</a><img src="http://evil.example/x.png"><script>1</script></p>'
    content = (
        message(subject="Gagnez", MIME_Version="1.0")
        .replace(b"text/plain", b"text/html")
        .replace(b"Bonjour\r\n", html.encode() + b"\r\n")
    )
    row = reported(app, fill, make_account, content)
    page = chief.get(f"/admin/reports/{row.id}")
    assert "banque" in page.one("pre").get_text() and not page.all("a[href*='evil.example']")
    body = chief.get(f"/admin/reports/{row.id}/body")
    assert "sandbox" in body.headers["Content-Security-Policy"] and "banque" in body.text
    assert " href=" not in body.text.partition("<body")[2] and "script" not in body.text and "x.png" not in body.text


def test_who_reported_is_thanked_once_and_the_sender_refused(app, chief, fill, make_account):
    row = reported(app, fill, make_account, message(subject="Gagnez"))
    page = chief.get(f"/admin/reports/{row.id}")
    assert "1 person was thanked." in chief.submit(page, "form[action$='/thanks']").notices
    with db.connection_context():
        assert SystemMessage.get(SystemMessage.kind == "phishing-thanks").recipient == row.user.address
        assert phishing_reports.count_open() == 0
    page = chief.get(f"/admin/reports/{row.id}")
    assert not page.all("form[action$='/thanks']")
    told = chief.submit(page, "form:has([value='@far.example'])", entry="@far.example")
    assert "Mail from @far.example is refused from now on." in told.notices
    assert chief.get("/admin/senders").one("[data-sender]")["data-sender"] == "@far.example"
    chief.submit(told, "form[action='/admin/senders/allow']")
    with db.connection_context():
        assert not RefusedSender.select().exists()
    page = chief.get("/admin/senders")
    assert "one of your own addresses" in chief.submit(page, "form[action^='/admin/senders']", entry="@lycee.example").text


def test_mail_that_an_establishment_refuses_goes_to_the_junk_of_its_people_alone(app, make_account, imap_of, services):
    """What deploy/milter says of a message that others get too."""
    ann = make_account("ann")
    for domains in ("@other.example,", "@other.example, @lycee.example,", "@cee.example,"):
        with smtplib.LMTP("127.0.0.1", services.ports.lmtp) as client:
            client.sendmail("x@far.example", [ann], b"X-Traboule-Refused: " + domains.encode() + b"\r\n" + message())
    client = imap_of(ann)
    assert [client.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in ("INBOX", "Junk")] == [2, 1]
