"""A draft with files from attaching to sending, wherever the files are kept; and what happens while they can't be reached."""

from __future__ import annotations

import email
import email.policy
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.bench.faults import BOB, DORA
from tests.support.images import picture
from tests.support.memory_storage import in_memory
from tests.support.outbox import bytes_of
from webmail import imap
from webmail.compose.attachments import attachments, inline_images
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_cleanup, draft_copies, draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.outbox import delivery, filing, queue, resend, send_errors, send_later, spool
from webmail.compose.outbox.send_errors import SendErrorKind
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.reading import messages
from webmail.models import AttachmentRow, DraftRow, Outbox, OutboxState, now
from webmail.storage import StorageArea, StorageAwayError, StorageFullError

LARGE = b"\n.\r" * 200_000


@pytest.fixture
def kept(monkeypatch):
    """What is kept in the uploads area, in memory."""
    return in_memory(monkeypatch)[StorageArea.UPLOADS]


@pytest.fixture
def appended(monkeypatch):
    """An IMAP server that takes everything: the messages, by the role of their mailbox."""
    taken = {}

    @contextmanager
    def connect(*_args, **_named):
        yield object()

    def append(_connection, mailbox, content, **_named):
        content.seek(0)
        taken[mailbox] = content.read()
        return 1, len(taken)

    monkeypatch.setattr(imap, "connect", connect)
    monkeypatch.setattr(mailboxes, "for_role", lambda _connection, role: str(role))
    monkeypatch.setattr(messages, "append", append)
    monkeypatch.setattr(messages, "find_message_id", lambda *_args: [])
    monkeypatch.setattr(imap.actions, "delete", lambda *_args: None)
    return taken


@pytest.fixture
def letter(alice, settings, kept):
    """With a picture in the text, a large file and a small one."""
    row = drafts.new(alice, Fields(to=BOB, bcc=DORA, subject="s", body="![x](a.png)", format="markdown"))
    files = [([picture()], "a.png", "image/png"), ([LARGE], "film.mp4", "video/mp4"), ([b"s", b"mall"], "b.txt", "text/plain")]
    attachments.add_all(row, files, settings)
    return row


def deliver(here, sent):
    """What the worker does when its turn has come."""
    Outbox.update(due=now() - timedelta(minutes=1)).where(Outbox.id == sent.id).execute()
    delivery.deliver(sent.id, here.settings, here.account)
    return Outbox.get(Outbox.id == sent.id)


def contents(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return {part.get_filename(): part.get_content() for part in message.walk() if part.get_filename()}


def wanted():
    return {"a.png": picture(), "film.mp4": LARGE, "b.txt": "small"}


def test_a_draft_is_attached_copied_queued_sent_and_filed(here, letter, kept, appended):
    assert set(kept.files) == {f"{letter.id}/{one.stored}" for one in letter.attachments}
    attachments.add(letter, [b"small"], "b.txt", "text/plain", here.settings)
    assert letter.attachments.count() == len(kept.files) == 3, "the same file twice is one"
    assert draft_copies.save(letter, here.account(), here.identity(), here.settings)
    assert contents(appended["drafts"]) == wanted()
    sent = here.enqueue(letter)
    assert [name for name in kept.files if name.endswith(".eml")]
    assert deliver(here, sent).state == OutboxState.SENT
    assert contents(here.server.messages[0].content) == contents(appended["sent"]) == wanted()
    assert b"cid:" in here.server.messages[0].content
    assert kept.files == {}, "nothing is left of it"


def test_a_twin_has_files_of_its_own(letter, kept, settings):
    twin = drafts.duplicate(letter, settings)
    drafts.forget(letter.id, settings)
    assert len(kept.files) == 3
    assert {b"".join(inline_images.content(one, settings)) for one in twin.attachments} == {picture(), LARGE, b"small"}
    assert attachments.remove(twin, twin.attachments.get().id, settings)
    assert len(kept.files) == 2


def test_a_large_message_gets_another_date_and_what_is_left_over_is_swept_away(here, letter, kept):
    sent = queue.enqueue(
        letter, draft_message.as_draft(letter, here.identity(), here.settings), here.settings, None, at=now() + timedelta(days=2)
    )
    assert send_later.change(letter.user, sent.id, now() + timedelta(days=5), here.settings)
    [eml] = [name for name in kept.files if name.endswith(".eml")]
    kept.put(f"{'f' * 32}.eml", [b"left over"])
    kept.put(f"{'e' * 32}/{'d' * 32}", [b"left over"])
    for name in kept.files:
        kept.age(name, 7200)
    assert (spool.sweep(here.settings), draft_cleanup.sweep(here.settings)) == (1, 1)
    assert set(kept.files) == {eml, *(f"{letter.id}/{one.stored}" for one in letter.attachments)}


# --- away ------------------------------------------------------------------------------------------------------------


def test_while_files_are_away_a_message_waits_and_leaves_once_they_are_there(here, letter, kept):
    sent = here.enqueue(letter)
    kept.away = True
    row = deliver(here, sent)
    assert (row.state, here.server.messages) == (OutboxState.WAITING, [])
    assert send_errors.read(row.error) == (SendErrorKind.FILES_AWAY, "")
    assert row.due > now()
    kept.away = False
    assert deliver(here, sent).state == OutboxState.SENT
    assert contents(here.server.messages[0].content) == wanted()


def test_files_that_go_away_while_a_message_is_sent_leave_nothing_uncertain(here, letter, kept, monkeypatch):
    sent = here.enqueue(letter)
    pieces, read = kept._pieces, []

    def going(name, content):
        for piece in pieces(name, content):
            read.append(len(piece))
            kept.away = sum(read) > 1.5 * len(LARGE)  # it is read twice: the second time goes over the wire
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(kept, "_pieces", going)
        row = deliver(here, sent)
    assert (row.state, here.server.messages) == (OutboxState.WAITING, [])
    assert "DATA" in here.server.commands
    kept.away = False
    assert deliver(here, sent).state == OutboxState.SENT
    assert len(here.server.messages) == 1


def test_the_copy_in_sent_waits_for_its_file_and_the_message_is_sent_all_the_same(here, letter, kept, appended, monkeypatch):
    sent, file = here.enqueue(letter), filing.file

    def away(*args):
        kept.away = True
        return file(*args)

    with monkeypatch.context() as patch:
        patch.setattr(filing, "file", away)
        row = deliver(here, sent)
    assert (row.state, row.filed, appended) == (OutboxState.SENT, False, {})
    assert send_errors.read(row.error) == (SendErrorKind.FILES_AWAY, "")
    kept.away = False
    row = deliver(here, sent)
    assert (row.filed, contents(appended["sent"]), kept.files) == (True, wanted(), {})
    assert len(here.server.messages) == 1


def test_small_messages_leave_while_files_are_away(here, kept):
    sent = here.enqueue(here.draft())
    kept.away = True
    assert sent.id in delivery.sweep(here.settings)
    assert deliver(here, sent).state == OutboxState.SENT


def test_a_message_that_is_gone_has_failed(here, letter, kept):
    sent = here.enqueue(letter)
    for name in [name for name in kept.files if name.endswith(".eml")]:
        del kept.files[name]
    assert deliver(here, sent).state == OutboxState.FAILED


def test_nothing_is_queued_or_lost_while_files_are_away(here, letter, kept):
    kept.away = True
    with pytest.raises(StorageAwayError):
        here.enqueue(letter)
    with pytest.raises(StorageAwayError):
        bytes_of(draft_message.as_draft(letter, here.identity(), here.settings))
    for duplicated in (
        lambda: drafts.duplicate(letter, here.settings),
        lambda: drafts.apart(letter, Fields(body="mine"), "me", here.settings),
    ):
        with pytest.raises(StorageAwayError):
            duplicated()
    assert (Outbox.select().count(), DraftRow.select().where(DraftRow.user == letter.user).count()) == (0, 2)  # hers from `here`
    kept.away = False
    assert here.enqueue(letter).state == OutboxState.WAITING


@pytest.mark.parametrize(("trouble", "raised"), [("away", StorageAwayError), ("full", StorageFullError)])
def test_nothing_of_a_file_is_left_that_could_not_be_kept(alice, settings, kept, trouble, raised):
    row = drafts.new(alice)

    def chunks():
        yield b"x" * 1000
        setattr(kept, trouble, True)
        yield b"y"

    with pytest.raises(raised):
        attachments.add_all(row, [(chunks(), "a.txt", "text/plain")], settings)
    setattr(kept, trouble, False)
    assert (row.attachments.count(), kept.files) == (0, {})


def test_a_file_is_removed_from_a_draft_and_a_draft_discarded_though_files_are_away(letter, kept, settings):
    kept.away = True
    assert attachments.remove(letter, letter.attachments.get().id, settings)
    drafts.forget(letter.id, settings)
    assert (AttachmentRow.select().count(), draft_cleanup.sweep(settings)) == (0, 0)
    kept.away = False
    for name in kept.files:
        kept.age(name, 7200)
    assert draft_cleanup.sweep(settings) == 1
    assert kept.files == {}


def test_what_is_sent_on_is_not_queued_without_its_file(here, alice, kept):
    from webmail.mail import Address, Envelope, Message, Structure

    message = Message("INBOX", 1, 1, frozenset(), len(LARGE), now(), Envelope(subject="s"), Structure())
    kept.away = True
    with pytest.raises(StorageAwayError):
        resend.send_on(alice, message, b"Subject: s\r\n\r\n" + LARGE, here.identity(), (Address("", BOB),), here.settings, None)
    assert Outbox.select().count() == 0


# --- gone ------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_gone_is_told_and_can_be_attached_again(here, letter, kept):
    gone = letter.attachments.where(AttachmentRow.filename == "b.txt").get()
    del kept.files[f"{letter.id}/{gone.stored}"]
    with pytest.raises(FilesGoneError):
        here.enqueue(letter)
    twin = drafts.duplicate(letter, here.settings)
    with pytest.raises(FilesGoneError):  # of the twin too: nothing is left out in silence
        here.enqueue(twin)
    attachments.add(letter, [b"small"], "b.txt", "text/plain", here.settings)
    assert attachments.remove(letter, gone.id, here.settings)
    assert deliver(here, here.enqueue(letter)).state == OutboxState.SENT
    assert contents(here.server.messages[0].content) == wanted()
