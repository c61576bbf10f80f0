"""Large messages on their way are files: whole, never in memory, gone when nobody needs them."""

import os
import random
import re
import time
import tracemalloc
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from tests.bench.faults import BOB, DORA
from webmail import smtp
from webmail.compose import identities
from webmail.compose.attachments import attachments
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields, fields_of, revision_of
from webmail.compose.outbox import delivery, queue, recipient_limits, send_later, spool
from webmail.models import Outbox, OutboxState, now
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import local

LARGE = 1_000_000


@pytest.fixture
def large(here, alice):
    row = drafts.new(alice, Fields(to=BOB, bcc=DORA, subject="s", body="b"))
    attachments.add(row, [b"\n.\r" * (LARGE // 3)], "film.mp4", "video/mp4", here.settings)
    return row


def files(here):
    return list(Path(here.settings.uploads_folder).glob("*.eml"))


def whole(here, sent):
    with spool.opened(bytes(Outbox.get(Outbox.id == sent.id).content), here.settings) as message:
        return message.read()


def deliver(here, sent):
    delivery.deliver(sent.id, here.settings, here.account)
    return Outbox.get(Outbox.id == sent.id)


def test_a_large_message_leaves_as_it_was_built(here, large):
    sent = here.enqueue(large)
    assert len(bytes(Outbox.get(Outbox.id == sent.id).content)) < 100
    built = whole(here, sent)
    assert built.count(b"\r\n") == built.count(b"\n") > LARGE // 60
    assert DORA.encode() not in built
    assert deliver(here, sent).state == OutboxState.SENT
    assert here.server.messages[0].content == built
    assert [file.exists() for file in files(here)] == [True]  # nothing answers for IMAP: the copy in Sent is still to be made


def test_another_date_gives_another_file_and_removes_the_first(here, large):
    sent = queue.enqueue(
        large, draft_message.as_draft(large, here.identity(), here.settings), here.settings, None, at=now() + timedelta(days=2)
    )
    before, monday = whole(here, sent), (now() + timedelta(days=5)).replace(microsecond=0)
    assert send_later.change(large.user, sent.id, monday, here.settings)
    after = whole(here, sent)
    assert f"\r\nDate: {monday:%a, %d %b %Y %H:%M:%S}".encode() in after
    assert (len(files(here)), after.partition(b"\r\n\r\n")[2]) == (1, before.partition(b"\r\n\r\n")[2])


def test_a_file_that_no_row_names_is_swept_away_when_it_is_old(here, large, alice):
    kept, undone = here.enqueue(large), here.enqueue(drafts.duplicate(large, here.settings))
    assert queue.undo(alice, undone.id)
    delivery.sweep(here.settings)
    assert len(files(here)) == 2  # it might be of a row that is being made at this moment
    for file in files(here):
        os.utime(file, (time.time() - 7200,) * 2)
    delivery.sweep(here.settings)
    assert len(files(here)) == 1
    assert whole(here, kept)


def test_a_message_whose_file_is_gone_has_failed_and_its_draft_is_there(here, large, alice):
    sent = here.enqueue(large)
    files(here)[0].unlink()
    row = deliver(here, sent)
    assert (row.state, here.server.messages) == (OutboxState.FAILED, [])
    assert drafts.load(alice, large.id).attachments.count() == 1


def test_nothing_of_a_file_is_left_when_the_attachment_is_gone(here, large):
    for file in (Path(here.settings.uploads_folder) / large.id).iterdir():
        file.unlink()
    with pytest.raises(FilesGoneError):
        here.enqueue(large)
    assert files(here) == []


def test_no_name_leads_anywhere_else(here, large):
    """Only what this module wrote is a reference: a message that somebody sends on may hold anything."""
    for content in (b"\0../../etc/passwd", b"\0" + b"a" * 31, b"\0" + b"a" * 32 + b"\n", b""):
        with spool.opened(content, here.settings) as message:
            assert message.read() == content
    with pytest.raises(spool.ContentGoneError):
        spool.opened(b"\0" + b"a" * 32, here.settings)


def test_a_large_message_is_never_in_memory(here, alice):
    """Twelve megabytes through building, sending and the copy for Drafts: a twelfth of that at most."""
    row = drafts.new(alice, Fields(to=BOB, subject="s", body="b"))
    attachments.add(row, (bytes(100_000) for _ in range(90)), "film.mp4", "video/mp4", here.settings)
    draft = draft_message.as_draft(row, identities.of_draft(row, here.settings), here.settings)
    tracemalloc.start()
    content = spool.built(draft, here.settings)
    with spool.opened(content, here.settings) as message:
        sent = sum(map(len, smtp.wire_chunks(message)))
    with spool.draft_copy_file(draft, here.settings) as copy:
        size = copy.seek(0, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert min(sent, size) > 12_000_000
    assert peak < 1_500_000


def test_a_file_goes_over_the_wire_as_its_bytes_do():
    """Wherever a piece ends: line ends are not cut in two, dots are doubled once."""
    pieces = [b"a", b"\r", b"\n", b"\r\n", b".", b"\r\n.", b"\xe9"]
    for seed in range(30):
        choose = random.Random(seed)
        content = b"".join(choose.choices(pieces, k=choose.randint(0, 40))) + b"x" * choose.randint(65_500, 65_540)
        content += b"".join(choose.choices(pieces, k=40))
        lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
        lines += b"" if lines.endswith(b"\r\n") else b"\r\n"
        wanted = re.sub(rb"(?m)^\.", b"..", lines)
        assert b"".join(smtp.wire_chunks(BytesIO(content))) == b"".join(smtp.wire_chunks(content)) == wanted


def test_what_is_not_taken_into_the_outbox_leaves_no_file(here, large, monkeypatch):
    monkeypatch.setattr(recipient_limits, "check", lambda *_args, **_named: (_ for _ in ()).throw(TooManyRequestsError()))
    with pytest.raises(TooManyRequestsError):
        here.enqueue(large)
    assert files(here) == []
    monkeypatch.undo()
    assert here.enqueue(large) == here.enqueue(large)
    assert len(files(here)) == 1


def test_a_file_that_goes_while_files_are_looked_at_stops_no_sweep(here, large, monkeypatch):
    sent = here.enqueue(large)
    os.utime(files(here)[0], (0, 0))
    entries = local._entries

    def going(folder):
        found = entries(folder)
        files(here)[0].unlink()
        return found

    monkeypatch.setattr(local, "_entries", going)
    Outbox.update(due=now() - timedelta(minutes=1)).execute()
    assert delivery.sweep(here.settings) == [sent.id]


def test_no_path_is_told_of_a_message_that_is_gone(here, large):
    sent = here.enqueue(large)
    files(here)[0].unlink()
    assert str(here.settings.uploads_folder) not in deliver(here, sent).error


def test_what_is_written_or_attached_while_the_message_is_built_is_not_lost(here, large, alice, monkeypatch):
    built = spool.built

    def slowly(draft, *args, **named):
        monkeypatch.undo()
        drafts.store(alice, large.id, Fields(to=BOB, subject="s", body="later words"), began_from=revision_of(fields_of(large)))
        return built(draft, *args, **named)

    monkeypatch.setattr(spool, "built", slowly)
    with pytest.raises(drafts.DraftChangedElsewhereError):
        here.enqueue(large)
    row = drafts.load(alice, large.id)
    assert (row.body, files(here), queue.of_draft(alice, row.id)) == ("later words", [], None)
    here.enqueue(row)
    with pytest.raises(drafts.AlreadyLeftError):
        attachments.add(row, [b"x"], "late.txt", "text/plain", here.settings)
    with pytest.raises(drafts.AlreadyLeftError):
        drafts.store(alice, row.id, Fields(body="too late"), began_from=revision_of(fields_of(row)))
    assert drafts.load(alice, row.id).body == "later words"
