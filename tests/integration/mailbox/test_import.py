"""Importing mail: a file becomes messages in folders, each once, whatever is interrupted; and it can be undone."""

from __future__ import annotations

import io
import threading
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.task_work import worker_for
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail.database.connection import db
from webmail.errors import RefusedError, ServerAwayError
from webmail.imap.bulk import append_many, bulk_fetch
from webmail.imap.bulk.append_many import Appended
from webmail.mailbox.imports import import_undo
from webmail.mailbox.imports.mail_import import MailImport
from webmail.models import Tag, Task, User, now
from webmail.tasks.store import MOST_OPEN


@pytest.fixture
def work(app):
    """`work()` does what a worker would; returns how many tasks."""
    return worker_for(app)


@pytest.fixture
def mail(person, imap_of):
    """The person's mailboxes as another program sees them."""
    return imap_of(person.address)


def letter(number: int, *more: str, body: str = "Bonjour") -> bytes:
    head = [f"From: Zoé <zoe{number}@ailleurs.example>", f"Subject: lettre {number}", f"Message-ID: <{number}@ailleurs.example>"]
    head += ["Date: Tue, 5 Mar 2019 10:00:00 +0100", *more]
    return ("\r\n".join(head) + f"\r\n\r\n{body} {number}\r\n").encode()


def mbox(*letters: bytes) -> bytes:
    return b"".join(
        b"From zoe@ailleurs.example Tue Mar  5 09:00:00 2019\n" + one.replace(b"\r\n", b"\n") + b"\n" for one in letters
    )


def send(person, content: bytes, name: str = "Anciens.mbox", into: str = ""):
    page = person.get("/import")
    return person.submit(page, "form[action='/import']", file=(io.BytesIO(content), name), into=into)


def subjects(client, mailbox: str) -> list[str]:
    client.select_folder(mailbox)
    found = client.fetch(client.search() or [0], ["ENVELOPE"]) if client.search() else {}
    return [found[uid][b"ENVELOPE"].subject.decode() for uid in sorted(found)]


def test_an_mbox_becomes_a_folder_of_its_name(person, mail, work):
    page = send(person, mbox(*map(letter, range(250))))
    assert "Importing mail from “Anciens.mbox”." in page.text
    assert work() == 1
    page = person.get("/tasks")
    assert "250 messages were imported." in page.text
    assert subjects(mail, "Anciens") == [f"lettre {n}" for n in range(250)]
    told = mail.fetch(mail.search()[:1], ["FLAGS", "INTERNALDATE", "RFC822.SIZE"])
    [one] = told.values()
    assert b"\\Seen" in one[b"FLAGS"] and one[b"INTERNALDATE"].year == 2019 and one[b"RFC822.SIZE"] == len(letter(0))
    assert person.get(page.link("Open the folder")).status == 200


def test_again_doubles_nothing_and_undo_removes_what_came(person, mail, work):
    for _ in range(2):
        send(person, mbox(*map(letter, range(30))), into="INBOX")
        work()
    assert "30 were already there." in person.get("/tasks").text
    assert len(subjects(mail, "INBOX")) == 30
    page = person.get("/tasks")
    [form] = page.all("form[action$='/undo']")
    page = person.submit(page, f"form[action='{form['action']}']")
    assert "30 imported messages were removed." in page.notices
    assert "Undone." in page.text and len(page.all("form[action$='/undo']")) == 0
    assert subjects(mail, "INBOX") == []


def test_undo_removes_the_folder_it_made_unless_something_else_is_in_it(person, mail, work):
    send(person, mbox(letter(1)), "Un.mbox")
    send(person, mbox(letter(2)), "Deux.mbox")
    work()
    mail.append("Deux", letter(3))
    for form in person.get("/tasks").all("form[action$='/undo']"):
        person.submit(person.get("/tasks"), f"form[action='{form['action']}']")
    names = {name for _, _, name in mail.list_folders()}
    assert "Un" not in names and subjects(mail, "Deux") == ["lettre 3"]


def takeout(*labelled: tuple[str, bytes]) -> bytes:
    return b"".join(
        b"From 1790000000000000000@xxx Tue Mar 05 09:00:00 +0000 2019\r\nX-GM-THRID: 1790000000000000000\r\nX-Gmail-Labels: "
        + labels.encode() + b"\r\n" + one + b"\r\n"
        for labels, one in labelled
    )  # fmt: skip


def test_labels_of_gmail_become_folders_tags_and_marks(person, mail, work):
    send(person, takeout(
        ("Inbox,Unread", letter(1)),
        ("=?UTF-8?Q?Sent,Opened?=", letter(2)),
        ('Archived,Projets/2019,"Sortie, 3e",Starred', letter(3)),
        ("Spam,Projets/2019", letter(4)),
        ("Opened,Category Promotions", letter(5)),
    ), "Takeout.mbox")  # fmt: skip
    work()
    assert subjects(mail, "INBOX") == ["lettre 1"]
    assert b"\\Seen" not in mail.fetch(mail.search(), ["FLAGS"])[mail.search()[0]][b"FLAGS"]
    assert subjects(mail, "Sent") == ["lettre 2"]
    assert subjects(mail, "Projets/2019") == ["lettre 3"]
    [flags] = [told[b"FLAGS"] for told in mail.fetch(mail.search(), ["FLAGS"]).values()]
    with db.connection_context():
        [tag] = Tag.select().join(User).where(User.address == person.address)
    assert tag.name == "Sortie, 3e" and tag.keyword.encode() in flags and b"\\Flagged" in flags and b"\\Seen" in flags
    assert subjects(mail, "Junk") == ["lettre 4"]
    assert subjects(mail, "Archive") == ["lettre 5"]


def test_a_zip_of_folders_keeps_them(person, mail, work):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Classe/3e B/1.eml", letter(1))
        archive.writestr("Classe/2.eml", letter(2))
        archive.writestr("Takeout/Mail/Sent.mbox", mbox(letter(3), letter(4)))
        archive.writestr("Classe/image.png", b"\x89PNG")
        archive.writestr("Classe/broken.eml", b"\x00\x01\x02")
        archive.writestr("../../etc/~evil/5.eml", letter(5))
    send(person, packed.getvalue(), "tout.zip")
    work()
    page = person.get("/tasks")
    assert "5 messages were imported." in page.text
    assert "1 could not be imported: Classe/broken.eml (not a message)." in page.text
    assert subjects(mail, "Classe/3e B") == ["lettre 1"] and subjects(mail, "Classe") == ["lettre 2"]
    assert subjects(mail, "Sent") == ["lettre 3", "lettre 4"]
    assert subjects(mail, "etc/evil") == ["lettre 5"]


@pytest.mark.parametrize("content", [b"%PDF-1.7 something else", b"", b"PK\x03\x04 not really", b"\x00" * 5000])
def test_a_file_without_mail_says_what_it_should_be(person, work, content):
    send(person, content, "devis.pdf")
    assert work() == 1
    assert "This file doesn’t contain any messages." in person.get("/tasks").text


def test_killed_between_appending_and_noting_it_doubles_and_loses_nothing(person, mail, work, monkeypatch):
    """The worker dies after the mail server took a batch: the next turn finds those messages and counts them as imported."""
    calls, real = [], append_many.append_many

    class Killed(BaseException):
        pass

    def dies(connection, mailbox, new) -> Appended:
        taken = real(connection, mailbox, new)
        calls.append(len(new))
        if len(calls) in (1, 3):
            raise Killed
        return taken

    monkeypatch.setattr(append_many, "append_many", dies)
    send(person, mbox(*map(letter, range(450))))
    for _ in range(2):
        with pytest.raises(Killed):
            work()
        with db.connection_context():
            Task.update(lease=None, state="waiting").execute()  # as after the lease
    work()
    assert sorted(subjects(mail, "Anciens")) == sorted(f"lettre {n}" for n in range(450))
    page = person.get("/tasks")
    assert "450 messages were imported." in page.text and "already there" not in page.text
    [form] = page.all("form[action$='/undo']")
    assert "450 imported messages were removed." in person.submit(page, f"form[action='{form['action']}']").notices


def test_stopped_in_the_middle_can_be_undone(person, mail, work, monkeypatch):
    real = append_many.append_many

    def slow(connection, mailbox, new) -> Appended:
        with db.connection_context():
            Task.update(cancelling=True).execute()
        return real(connection, mailbox, new)

    monkeypatch.setattr(append_many, "append_many", slow)
    send(person, mbox(*map(letter, range(450))))
    work()
    page = person.get("/tasks")
    assert "Stopped after 100 of 450." in page.text
    assert len(subjects(mail, "Anciens")) == 100
    [form] = page.all("form[action$='/undo']")
    assert "100 imported messages were removed." in person.submit(page, f"form[action='{form['action']}']").notices


def test_room_is_checked_before_anything_is_imported(app, make_account, imap_of, work):
    tight = make_account(quota=60_000)
    person = Visitor(app, tight).sign_in()
    send(person, mbox(*(letter(n, body="x" * 5000) for n in range(30))), into="INBOX")
    work()
    page = person.get("/tasks")
    assert "Nothing was imported." in page.text and not page.all("form[action$='/undo']")
    assert subjects(imap_of(tight), "INBOX") == []


def test_what_is_there_already_needs_no_room(app, make_account, imap_of, work):
    tight = make_account(quota=60_000)
    person = Visitor(app, tight).sign_in()
    for _twice in range(2):
        send(person, mbox(*(letter(n, body="x" * 5000) for n in range(8))), into="INBOX")
        work()
    assert "8 were already there." in person.get("/tasks").text and len(subjects(imap_of(tight), "INBOX")) == 8


def test_a_mailbox_that_fills_up_meanwhile_keeps_what_came_says_so_and_lets_it_be_undone(
    app, make_account, imap_of, work, monkeypatch
):
    tight = make_account(quota=60_000)
    person = Visitor(app, tight).sign_in()
    monkeypatch.setattr(MailImport, "_check_room", lambda _self: None)
    send(person, mbox(*(letter(n, body="x" * 5000) for n in range(30))), into="INBOX")
    work()
    page = person.get("/tasks")
    assert "Your mailbox is full." in page.text
    assert 1 <= len(subjects(imap_of(tight), "INBOX")) < 30
    person.submit(page, "form[action$='/undo']")
    assert subjects(imap_of(tight), "INBOX") == []


def test_nobody_else_undoes_it(app, person, make_account, mail, work):
    send(person, mbox(letter(1)))
    work()
    with db.connection_context():
        task = Task.select().order_by(Task.created.desc()).first()
    stranger = Visitor(app, make_account()).sign_in()
    token = stranger.get("/import").one("form[action='/import'] input[name=csrf_token]")["value"]
    page = stranger.post(f"/import/{task.id}/undo", {"csrf_token": token})
    assert "There was nothing to undo." in page.notices
    assert subjects(mail, "Anciens") == ["lettre 1"]


def test_one_file_brought_twice_at_once_doubles_nothing(app, person, mail, work, monkeypatch):
    for _ in range(2):
        send(person, mbox(*map(letter, range(5))), into="INBOX")
    real = append_many.append_many

    def meanwhile(*given):
        monkeypatch.setattr(append_many, "append_many", real)
        other = threading.Thread(target=work)  # another worker
        other.start()
        other.join()
        return real(*given)

    monkeypatch.setattr(append_many, "append_many", meanwhile)
    work()
    assert len(subjects(mail, "INBOX")) == 5
    assert "5 were already there." in person.get("/tasks").text


def test_the_form_sent_twice_starts_one_task(person, work):
    page = person.get("/import")
    for _ in range(2):
        person.submit(page, "form[action='/import']", file=(io.BytesIO(mbox(letter(1))), "a.mbox"))
    assert work() == 1


def test_a_form_with_the_name_of_somebody_elses_task_does_them_no_harm(person, mail, work, app, make_account):
    send(person, mbox(letter(1)))
    with db.connection_context():
        task = Task.select().join(User).where(User.address == person.address).get()
    other = Visitor(app, make_account()).sign_in()
    form = "form[action='/import']"
    page = other.submit(other.get("/import"), form, task=task.id, file=(io.BytesIO(b"rubbish"), "a.mbox"))
    assert page.status == 200
    for _ in range(MOST_OPEN):
        page = other.submit(other.get("/import"), form, task=task.id + "x", file=(io.BytesIO(b"rubbish"), "a.mbox"))
    work()
    assert subjects(mail, "Anciens") == ["lettre 1"]


def test_a_kill_after_the_last_message_does_not_make_it_fail(person, mail, work, monkeypatch):
    def dying(*_given, **_named):
        raise SystemExit

    send(person, mbox(letter(1)))
    monkeypatch.setattr("webmail.tasks.runner._end", dying)
    with pytest.raises(SystemExit):
        work()
    monkeypatch.undo()
    with db.connection_context():
        Task.update(lease=now() - timedelta(seconds=1)).where(Task.state == "running").execute()
    work()
    assert "1 message was imported." in person.get("/tasks").text


def test_no_file_and_a_strange_folder_are_told(person):
    page = person.submit(person.get("/import"), "form[action='/import']", file=None)
    assert page.status == 422 and "Choose a file first." in page.text
    page = send(person, mbox(letter(1)), into="Nirgendwo")
    assert page.status == 422 and "no longer exists" in page.text


def test_a_message_refused_by_the_server_is_told_and_the_others_come(person, mail, work, monkeypatch):
    real = append_many.messages.append

    def picky(connection, mailbox, content, *more, **options):
        if b"lettre 7\r\n" in content:
            raise RefusedError("APPEND: no")
        return real(connection, mailbox, content, *more, **options)

    monkeypatch.setattr(append_many.messages, "append", picky)
    monkeypatch.setattr(append_many, "_together", append_many._one_by_one)
    send(person, mbox(*map(letter, range(10))))
    work()
    page = person.get("/tasks")
    assert "9 messages were imported." in page.text and "1 could not be imported" in page.text


def test_the_messages_that_were_refused_are_named(person, work, monkeypatch):
    monkeypatch.setattr(append_many, "_together", append_many._one_by_one)
    monkeypatch.setattr(append_many.messages, "append", _refuse)
    send(person, mbox(*map(letter, range(3))), into="INBOX")
    work()
    for number in range(3):
        assert f"INBOX: lettre {number} (" in person.get("/tasks").text


def _refuse(*_given, **_named):
    raise RefusedError("APPEND: no")


def test_a_server_that_is_away_is_no_missing_folder(person, mail, work, monkeypatch):
    page = person.get("/import")
    monkeypatch.setattr("webmail.mailbox.views.import_mail.overview", lambda: None)
    file = (io.BytesIO(mbox(letter(1))), "Anciens.mbox")
    assert person.submit(page, "form[action='/import']", file=file, into="INBOX").status == 200
    monkeypatch.undo()
    assert work() == 1 and subjects(mail, "INBOX") == ["lettre 1"]


def test_without_uidnext_nothing_that_was_there_counts_as_imported(person, mail, work, monkeypatch):
    for number in range(2):
        mail.append("INBOX", letter(number))
    real = bulk_fetch.next_uid
    monkeypatch.setattr(bulk_fetch, "next_uid", lambda connection, mailbox: (real(connection, mailbox)[0], 0))
    monkeypatch.setattr(append_many, "append_many", _break_off)
    send(person, mbox(*map(letter, range(3))), into="INBOX")
    work()
    monkeypatch.undo()
    Task.update(due=now() - timedelta(minutes=1)).execute()
    work()
    person.submit(person.get("/tasks"), "form[action$='/undo']")
    assert sorted(subjects(mail, "INBOX")) == ["lettre 0", "lettre 1"]


def _break_off(*_given, **_named):
    raise ServerAwayError("it broke off")


def undo(person):
    [form] = person.get("/tasks").all("form[action$='/undo']")
    return person.submit(person.get("/tasks"), f"form[action='{form['action']}']")


def test_scans_that_are_alike_but_for_their_content_all_come_and_copies_are_counted(person, mail, work):
    head = b"From: scanner@lycee.example\r\nSubject: Scan\r\n\r\n"
    scans = [head + b"%d\r\n" % number for number in range(5)]
    same = [letter(1, body=body) for body in ("a", "b", "a", "a")]
    for added in (9, 0):
        send(person, mbox(*scans, *same), into="INBOX")
        work()
        assert f"{added} messages were imported." in person.get("/tasks").text
    send(person, mbox(*same, same[0]), into="INBOX")
    work()
    assert "1 message was imported. 4 were already there." in person.get("/tasks").text
    mail.select_folder("INBOX")
    bodies = [told[b"BODY[]"].split(b"\r\n\r\n")[1] for told in mail.fetch(mail.search(), ["BODY.PEEK[]"]).values()]
    assert sorted(bodies) == sorted([b"%d\r\n" % number for number in range(5)] + [b"a 1\r\n"] * 4 + [b"b 1\r\n"])


def test_killed_then_stopped_can_be_undone(person, mail, work, monkeypatch):
    """What was appended and not noted is known by its content, and what came by itself meanwhile stays."""
    real = append_many.append_many

    def dies(connection, mailbox, new) -> Appended:
        real(connection, mailbox, new)
        raise SystemExit

    mail.append("INBOX", letter(1000))
    monkeypatch.setattr(append_many, "append_many", dies)
    send(person, mbox(*map(letter, range(150))), into="INBOX")
    with pytest.raises(SystemExit):
        work()
    mail.append("INBOX", letter(1001))
    with db.connection_context():
        Task.update(lease=None, state="waiting").execute()
    [form] = person.get("/tasks").all("form[action^='/tasks/']")
    person.submit(person.get("/tasks"), f"form[action='{form['action']}']", action="cancel")
    assert len(subjects(mail, "INBOX")) == 102
    undo(person)
    assert subjects(mail, "INBOX") == ["lettre 1000", "lettre 1001"]


def test_undo_of_a_large_import_is_a_task_and_twice_is_once(person, mail, work, monkeypatch):
    monkeypatch.setattr(import_undo, "AT_ONCE", 20)
    send(person, mbox(*map(letter, range(30))))
    work()
    page = person.get("/tasks")
    for _twice in range(2):
        person.submit(page, "form[action$='/undo']")
    assert work() == 1
    page = person.get("/tasks")
    assert "30 imported messages were removed." in page.text and not page.all("form[action$='/undo']")
    assert "Anciens" not in {name for _, _, name in mail.list_folders()}


def test_undo_finds_a_folder_that_was_renamed(person, mail, work):
    send(person, mbox(*map(letter, range(3))))
    work()
    mail.rename_folder("Anciens", "Autrement")
    # seldom Dovecot hangs up over a folder that was just renamed, and takes nobody for a second: then one presses again
    eventually(lambda: undo(person).status == 200)
    assert "Undone." in person.get("/tasks").text
    assert subjects(mail, "Autrement") == []


def test_messages_saved_one_by_one_come_back_as_they_were_marked(person, mail, work):
    at = datetime(2019, 3, 5, 9, 0, 7, tzinfo=UTC)
    mail.create_folder("Notes")
    mail.append("Notes", letter(1, "X-Gmail-Labels: Corbeille"), ("\\Draft", "\\Flagged"), at)
    mail.append("Notes", letter(2, "X-Mozilla-Status: 0008"), ("\\Seen", "\\Answered"), at)
    mail.append("INBOX", letter(3), (), at)
    before = {mailbox: told_of(mail, mailbox) for mailbox in ("Notes", "INBOX")}
    for address, kind in (("/mailbox/Notes?select=all", "zip"), ("/mailbox/Notes?select=all", "mbox")):
        page = person.get(address)
        token = page.one("#list-form input[name=csrf_token], main form input[name=csrf_token]")["value"]
        uids = [box["value"] for box in page.all("input[name=uids]")]
        data = person.post("/export/Notes", {"csrf_token": token, "kind": kind, "uids": uids}).response.get_data()
        mail.delete_folder("Notes")
        send(person, data, f"Notes-2026-11-30.{kind}")
        work()
        assert {mailbox: told_of(mail, mailbox) for mailbox in ("Notes", "INBOX")} == before, kind


def told_of(client, mailbox: str) -> list[tuple[bytes, set[bytes], datetime]]:
    client.select_folder(mailbox)
    told = client.fetch(client.search(), ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"])
    return [(one[b"BODY[]"], {*one[b"FLAGS"]} - {b"\\Recent"}, one[b"INTERNALDATE"]) for _uid, one in sorted(told.items())]
