"""Removing attachments: the text stays, the file goes, and whatever is interrupted, no message is lost or doubled."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.attachments import file, letter
from tests.support.messages import message
from tests.support.task_work import work_all, worker_for
from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.errors import NoSuchMailboxError, NotAllowedError, OverQuotaError, RefusedError
from webmail.imap.bulk import actions
from webmail.imap.bulk import file_removal as imap_detach
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages
from webmail.mailbox import detach_task
from webmail.mailbox.detach_task import DetachState
from webmail.models import Task, TaskState, User

FORM = "main form[action='/detach']"
WHEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
FLAGS = [b"\\Seen", b"\\Flagged", b"travail"]
Connect = Callable[[str], IMAPClient]


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    return worker_for(app)


@pytest.fixture
def mail(person: Visitor, imap_of: Connect) -> IMAPClient:
    return imap_of(person.address)


def with_file(subject: str = "Rapport", size: int = 60_000, name: str = "rapport.pdf", message_id: str = "") -> bytes:
    made = letter(
        subject, file(name, b"%PDF-" + b"x" * size, "pdf"), file("b.txt", b"kept " * 20, "octet-stream"), text="Le texte."
    )
    made["Message-ID"] = message_id or f"<{subject}@lycee.example>"
    return made.as_bytes().replace(b"\n", b"\r\n")


def put(mail: IMAPClient, raw: bytes, mailbox: str = "INBOX", flags: list[bytes] = FLAGS) -> None:
    mail.append(mailbox, raw, flags, WHEN)


def everything(mail: IMAPClient, mailbox: str = "INBOX") -> list[dict[bytes, object]]:
    mail.select_folder(mailbox, readonly=True)
    uids = mail.search()
    return [mail.fetch([uid], ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"])[uid] for uid in uids]


def raws(mail: IMAPClient, mailbox: str = "INBOX") -> list[bytes]:
    return [one[b"BODY[]"] for one in everything(mail, mailbox)]  # type: ignore[misc]


def ask(person: Visitor, mailbox: str = "INBOX") -> Page:
    """From the list, with all its messages ticked."""
    page = person.get(f"/mailbox/{mailbox}", reload=True)
    values = [str(tag["value"]) for tag in page.all("#messages input[name=uids]")]
    return person.submit(page, "#messages", uids=values, action=page.one("#messages [value=detach]")["value"])


def remove(person: Visitor, asked: Page, work: Callable[[], int], **fields: object) -> Page:
    ticked = [str(tag["value"]) for tag in asked.all("[name=part]")]
    person.submit(asked, FORM, **{"part": ticked, **fields})
    work()
    return person.get("/tasks")


# --- what becomes of a message ---------------------------------------------------------------------------------------


def test_the_file_goes_the_rest_stays(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    raw = with_file()
    put(mail, raw)
    asked = ask(person)
    assert "rapport.pdf" in asked.text and "Rapport" in asked.text
    first = str(asked.all("[name=part]")[0]["value"])
    told = remove(person, asked, work, part=first)
    assert "Attachments removed from 1 message" in told.text and "empty it to free up the space" in told.text
    [new] = everything(mail)
    body = new[b"BODY[]"]
    assert isinstance(body, bytes) and len(body) < 3000 and b"a2VwdCBrZXB0" in body  # the other file
    head = raw.partition(b"\r\n\r\n")[0]
    assert body.startswith(head + b"\r\n\r\n")
    assert set(FLAGS) <= set(new[b"FLAGS"])  # type: ignore[call-overload]
    assert new[b"INTERNALDATE"].astimezone(UTC) == WHEN  # type: ignore[attr-defined]
    [old] = everything(mail, "Trash")
    assert old[b"BODY[]"] == raw
    shown = person.get(told.link("Open the message"))
    assert "Le texte." in shown.text and re.search(r"Attachment removed on .* 20\d\d: “rapport.pdf” \(5\d KB\)", shown.text)
    assert "rapport.pdf" not in " ".join(tag.get_text() for tag in shown.all(".files, .attachments"))


def test_french_words(person: Visitor, app: Flask, mail: IMAPClient, work: Callable[[], int]) -> None:
    put(mail, with_file())
    french = Visitor(app, person.address, language="fr").sign_in()
    remove(french, ask(french), work)
    assert "Pièce jointe supprimée le " in french.get(french.get("/tasks").link("Ouvrir le message")).text


def test_undo_brings_the_very_original_back(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    raw = with_file()
    put(mail, raw)
    before = everything(mail)
    told = remove(person, ask(person), work)
    form = told.one("form[action$='/undo']")["action"]
    after = person.submit(told, f"form[action='{form}']")
    assert "1 message has its attachments back" in after.notices
    [back] = everything(mail)
    assert (back[b"BODY[]"], back[b"INTERNALDATE"]) == (before[0][b"BODY[]"], before[0][b"INTERNALDATE"])
    assert raws(mail, "Trash") == []
    again = person.submit(told, f"form[action='{form}']")
    assert "nothing to undo" in again.notices and len(raws(mail)) == 1


def test_undo_after_the_trash_was_emptied_says_so(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    put(mail, with_file())
    told = remove(person, ask(person), work)
    mail.select_folder("Trash")
    mail.delete_messages(mail.search())
    mail.expunge()
    after = person.submit(told, "form[action$='/undo']")
    assert "no longer in the trash" in after.notices and len(raws(mail)) == 1


def test_for_good_there_is_room_at_once_and_no_undo(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    put(mail, with_file())
    told = remove(person, ask(person), work, for_good="1")
    assert len(raws(mail)) == 1 and raws(mail, "Trash") == [] and not told.all("form[action$='/undo']")


def test_from_a_message_and_from_the_room_page(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    put(mail, with_file())
    shown = person.get("/message/1/INBOX")
    assert "rapport.pdf" in person.submit(shown, "form.list-bar", action=shown.one(".list-bar [value=detach]")["value"]).text
    room = person.get("/room")
    box = room.one("main [name=uids]")
    button = room.one("main form:has([name=uids]) [value=detach]")
    asked = person.submit(room, "main form:has([name=uids])", uids=str(box["value"]), action=button["value"])
    remove(person, asked, work)
    assert len(raws(mail)) == 1 and len(raws(mail)[0]) < 3000


def test_many_at_once_with_hostile_names(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    names = ["<script>alert(1)</script>.pdf", "é" * 300 + ".pdf", "a\u202efdp.exe", "”).pdf", "..pdf"]
    for number, name in enumerate(names):
        put(mail, with_file(f"N{number}", name=name))
    asked = ask(person)
    assert not asked.all("main script")
    told = remove(person, asked, work)
    assert "Attachments removed from 5 messages" in told.text
    assert all(len(raw) < 4000 and raw.count(b"X-Traboule-Removed: yes") == 2 for raw in raws(mail))


def test_signed_mail_stays(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    part = "Content-Type: application/pdf; name=a.pdf\r\n\r\nQQ\r\n"
    signed = (
        f"Subject: Signé\r\nContent-Type: multipart/signed; boundary=X\r\n\r\n--X\r\n\r\nt\r\n--X\r\n{part}--X--\r\n".encode()
    )
    put(mail, signed)
    assert "Signed and encrypted messages are left as they are" in ask(person).notices
    put(mail, with_file())
    asked = ask(person)
    assert "Signed and encrypted" in asked.text
    remove(person, asked, work)
    assert signed in raws(mail)


def test_no_attachments_and_nothing_ticked(person: Visitor, mail: IMAPClient) -> None:
    put(mail, bytes(message("Un")))
    assert "no attachments to remove" in ask(person).notices
    put(mail, with_file())
    assert "First tick the attachments" in person.submit(ask(person), FORM, part=None).notices


def test_drafts_and_the_trash_are_left_alone(person: Visitor, mail: IMAPClient) -> None:
    put(mail, with_file(), "Trash")
    assert "no attachments to remove" in ask(person, "Trash").notices


# --- whatever is interrupted -----------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


def killed_at(monkeypatch: pytest.MonkeyPatch, module: object, name: str, *, after: bool) -> None:
    """The process dies just before or just after this call, once."""
    real = getattr(module, name)

    def dying(*args, **more):
        if after:
            real(*args, **more)
        raise Killed

    monkeypatch.setattr(module, name, dying)


@pytest.mark.parametrize("for_good", [False, True], ids=["trash", "for good"])
@pytest.mark.parametrize(
    ("where", "name", "after"),
    [
        (imap_detach, "append", False),
        (imap_detach, "append", True),
        (imap_detach, "is_like", True),
        (actions, "move", True),
        (actions, "delete", True),
        (detach_task._MessageStep, "_note", True),
    ],
    ids=["before APPEND", "after APPEND", "verified", "after MOVE", "after EXPUNGE", "before it is noted"],
)
def test_a_kill_leaves_two_but_never_none_and_is_mended(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch, where: object, name: str,
    after: bool, for_good: bool,
) -> None:  # fmt: skip
    raw = with_file()
    put(mail, raw)
    asked = ask(person)
    parts = [str(tag["value"]) for tag in asked.all("[name=part]")]
    person.submit(asked, FORM, part=parts, **({"for_good": "1"} if for_good else {}))
    with monkeypatch.context() as patch:
        killed_at(patch, where, name, after=after)
        if (name == "move" and for_good) or (name == "delete" and not for_good):
            work()
            return
        with pytest.raises(Killed):
            work()
    assert len(raws(mail)) >= 1
    with db.connection_context():
        Task.update(lease=datetime(2000, 1, 1)).where(Task.state == TaskState.RUNNING).execute()
    work()
    told = person.get("/tasks")
    assert "Attachments removed from 1 message" in told.text
    [new] = everything(mail)
    assert len(new[b"BODY[]"]) < 3000 and set(FLAGS) <= set(new[b"FLAGS"])  # type: ignore[arg-type, call-overload]
    assert raws(mail, "Trash") == ([] if for_good else [raw])
    if not for_good:
        person.submit(told, "form[action$='/undo']")
        assert raws(mail) == [raw] and raws(mail, "Trash") == []


def test_without_a_message_id_too(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = with_file().replace(b"Message-ID: <Rapport@lycee.example>\r\n", b"")
    assert b"Message-ID" not in raw
    put(mail, raw)
    asked = ask(person)
    person.submit(asked, FORM, part=[str(tag["value"]) for tag in asked.all("[name=part]")])
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, imap_detach, "append", after=True)
        work()
    with db.connection_context():
        Task.update(lease=datetime(2000, 1, 1)).where(Task.state == TaskState.RUNNING).execute()
    work()
    assert len(raws(mail)) == 1 and raws(mail, "Trash") == [raw]


def test_what_the_server_keeps_differently_is_taken_back(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = with_file()
    put(mail, raw)
    monkeypatch.setattr(imap_detach, "is_like", lambda *_args: False)
    told = remove(person, ask(person), work)
    assert "1 message was left as it was" in told.text and raws(mail) == [raw] and raws(mail, "Trash") == []


def test_a_message_that_the_server_does_not_tell_to_its_end_stays_whole(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = with_file()
    put(mail, raw)
    asked = ask(person)
    real = messages.stream_raw

    def cut(*args: object, **more: object) -> Iterator[bytes]:
        yield b"".join(real(*args, **more))[:-300]  # type: ignore[arg-type]

    monkeypatch.setattr(messages, "stream_raw", cut)
    told = remove(person, asked, work, part=str(asked.all("[name=part]")[0]["value"]), for_good="1")
    assert "1 message was left as it was" in told.text and raws(mail) == [raw]


@pytest.mark.parametrize("refusal", [NoSuchMailboxError, NotAllowedError, RefusedError])
def test_what_the_trash_does_not_take_is_there_once(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch, refusal: type[Exception]
) -> None:
    raw = with_file()
    put(mail, raw)
    with monkeypatch.context() as patch:
        patch.setattr(actions, "move", raising(refusal("MOVE: no")))
        remove(person, ask(person), work)
    assert raws(mail) == [raw] and raws(mail, "Trash") == []


def test_where_nothing_may_be_deleted_nothing_is_added(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = with_file()
    put(mail, raw)
    asked = ask(person)
    monkeypatch.setattr(Connection, "keeps", lambda _connection, flag: flag != "\\Deleted")
    monkeypatch.setattr(actions, "move", raising(NotAllowedError("MOVE: [NOPERM] no")))
    told = remove(person, asked, work)
    assert "have permission to change 1 message" in told.text and raws(mail) == [raw]


def raising(error: Exception) -> Callable[..., None]:
    def refused(*_args: object, **_more: object) -> None:
        raise error

    return refused


def test_two_clicks_remove_once(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    put(mail, with_file())
    asked = ask(person)
    parts = [str(tag["value"]) for tag in asked.all("[name=part]")]
    person.submit(asked, FORM, part=parts)
    person.submit(asked, FORM, part=parts)
    assert work() == 1
    assert len(raws(mail)) == 1 and len(raws(mail, "Trash")) == 1


def test_two_windows_and_two_workers_at_once_remove_once(person: Visitor, app: Flask, mail: IMAPClient) -> None:
    worker_for(app)
    put(mail, with_file())
    for _window in range(2):
        asked = ask(person)
        person.submit(asked, FORM, part=[str(tag["value"]) for tag in asked.all("[name=part]")])
    threads = [threading.Thread(target=work_all, args=(app,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(raws(mail)) == 1 and len(raws(mail, "Trash")) == 1
    assert "1 message was no longer there" in person.get("/tasks").text


def test_a_kill_and_a_second_window_leave_one(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = with_file()
    put(mail, raw)
    for asked in (ask(person), ask(person)):
        person.submit(asked, FORM, part=[str(tag["value"]) for tag in asked.all("[name=part]")])
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, imap_detach, "append", after=True)
        work()
    work()  # by another worker, while the first counts as alive
    with db.connection_context():
        Task.update(lease=datetime(2000, 1, 1)).where(Task.state == TaskState.RUNNING).execute()
    work()
    assert len(raws(mail)) == 1 and raws(mail, "Trash") == [raw]


def test_a_message_that_was_deleted_meanwhile(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    put(mail, with_file())
    asked = ask(person)
    mail.select_folder("INBOX")
    mail.delete_messages(mail.search())
    mail.expunge()
    assert "no longer there" in person.submit(asked, FORM, part=[str(tag["value"]) for tag in asked.all("[name=part]")]).notices


def test_a_full_mailbox_loses_nothing(
    person: Visitor, mail: IMAPClient, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = with_file()
    put(mail, raw)

    def full(*_args, **_more):
        raise OverQuotaError("APPEND: [OVERQUOTA] Quota exceeded")

    with monkeypatch.context() as patch:
        patch.setattr(imap_detach, "append", full)
        told = remove(person, ask(person), work)
    assert "Your mailbox is full" in told.text and told.one("main .task a[href='/room']") and raws(mail) == [raw]
    with monkeypatch.context() as patch:
        patch.setattr(actions, "move", full)
        remove(person, ask(person), work)
    assert raws(mail) == [raw] and raws(mail, "Trash") == []


# --- who may ---------------------------------------------------------------------------------------------------------


def test_somebody_elses_task_is_not_undone(
    person: Visitor, app: Flask, make_account: Callable[..., str], mail: IMAPClient, work: Callable[[], int]
) -> None:
    put(mail, with_file())
    told = remove(person, ask(person), work)
    action = str(told.one("form[action$='/undo']")["action"])
    other = Visitor(app, make_account("other")).sign_in()
    token = str(other.get("/room").all("main [name=csrf_token]")[0]["value"])
    assert "nothing to undo" in other.post(action, {"csrf_token": token}).notices
    assert len(raws(mail, "Trash")) == 1


@pytest.mark.parametrize("part", ["2", "9 1.1.INBOX", "2 0.0.", "../ 1.2.INBOX", "2 1,2,3.5.INBOX", "é 99999999999999.1.INBOX"])
def test_a_forged_form_changes_nothing(person: Visitor, mail: IMAPClient, work: Callable[[], int], part: str) -> None:
    raw = with_file()
    put(mail, raw)
    answer = person.submit(ask(person), FORM, part=part)
    assert answer.status in (200, 404, 410)
    work()
    assert raws(mail) == [raw]


def test_signed_out(app: Flask) -> None:
    assert Visitor(app).get("/detach/INBOX", follow=False).status in (302, 303, 405)


def test_a_suspended_person_loses_nothing(person: Visitor, mail: IMAPClient, work: Callable[[], int]) -> None:
    raw = with_file()
    put(mail, raw)
    asked = ask(person)
    person.submit(asked, FORM, part=[str(tag["value"]) for tag in asked.all("[name=part]")])
    with db.connection_context():
        User.update(active=0).where(User.address == person.address).execute()
        work()
        User.update(active=1).where(User.address == person.address).execute()
    with db.connection_context():
        [task] = Task.select().where(Task.kind == detach_task.NAME)
    assert task.state == TaskState.CANCELLED and DetachState.load(None).count == 0
