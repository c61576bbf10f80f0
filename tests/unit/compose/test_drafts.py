"""What is typed is kept; files are on disk when we say so; nobody gets at another's draft."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from webmail.compose import attachments, draft_cleanup, draft_message, drafts, uploads
from webmail.compose.draft_message import FilesGone
from webmail.compose.fields import Fields, bounded_references, fields_of
from webmail.database.connection import db
from webmail.errors import BadAddress, NoSuchMessage
from webmail.mail import Address, Identity
from webmail.mime import builder
from webmail.mime.address_text import address_text
from webmail.models import AttachmentRow, DraftRow, Outbox, OutboxState, now

ALICE = Identity("Alice", "alice@lycee.example")


def files_of(row, settings):
    folder = uploads.folder(settings, row.id)
    return sorted(folder.iterdir()) if folder.exists() else []


def age(row, **ago):
    DraftRow.update(updated=now() - timedelta(**ago)).where(DraftRow.id == row.id).execute()


# --- text ------------------------------------------------------------------------------------------------------------


def test_what_was_typed_comes_back(alice):
    fields = Fields(to="Bob <bob@x.example>, not an address", subject="Ça va ?", body="line\n\n  indented\n\n")
    row = drafts.new(alice, fields)
    assert fields_of(drafts.load(alice, row.id)) == fields


def test_a_header_field_is_one_line_and_the_text_has_lf(alice):
    row = drafts.new(alice, Fields(subject="a\r\nBcc: eve@x.example", to="a@x.example\nb@x.example", body="1\r\n2\r3\0"))
    assert row.subject == "a Bcc: eve@x.example"
    assert row.to == "a@x.example b@x.example"
    assert row.body == "1\n2\n3"


def test_only_message_ids_are_kept_as_such(alice):
    row = drafts.new(
        alice, Fields(in_reply_to="x <a@b> <c@d>\r\nEvil: 1", references="<a@b> junk <c@d>", source_flag="\\Deleted")
    )
    assert (row.in_reply_to, row.references, row.source_flag) == ("<c@d>", "<a@b> <c@d>", "")


def test_a_long_thread_keeps_its_first_and_its_last_messages():
    ids = [f"<{i}@x>" for i in range(100)]
    assert bounded_references(ids) == ["<0@x>", *ids[-29:]]


def test_an_unchanged_text_is_no_change(alice):
    row = drafts.new(alice, Fields(body="a\nb"))
    before = row.updated
    assert not drafts.update(row, Fields(body="a\r\nb"))
    assert drafts.load(alice, row.id).updated == before
    assert drafts.update(row, Fields(body="a\r\nc"))
    assert drafts.load(alice, row.id).updated > before


def test_somebody_elses_draft_is_not_there(alice, bob):
    row = drafts.new(alice, Fields(body="secret"))
    with pytest.raises(NoSuchMessage):
        drafts.load(bob, row.id)
    with pytest.raises(NoSuchMessage):
        drafts.store(bob, row.id, Fields(body="overwritten"))
    assert drafts.load(alice, row.id).body == "secret"


@pytest.mark.parametrize("draft_id", ["", "..", "../../etc", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"])
def test_what_is_no_id_makes_no_draft(alice, settings, draft_id):
    with pytest.raises(NoSuchMessage):
        drafts.store(alice, draft_id or "x", Fields())
    with pytest.raises(NoSuchMessage):
        uploads.folder(settings, draft_id)


def test_an_id_under_which_a_message_left_is_used_up(here, alice):
    row = here.draft()
    here.enqueue(row)
    drafts.forget(row.id, here.settings)
    with pytest.raises(drafts.AlreadyLeft):
        drafts.store(alice, row.id, Fields(body="again"))


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_on_disk_with_its_bytes(alice, settings):
    row = drafts.new(alice)
    attachment = attachments.add(row, [b"one ", b"two"], "notes.txt", "text/plain; charset=x", settings)
    [file] = files_of(row, settings)
    assert file.read_bytes() == b"one two"
    assert (attachment.filename, attachment.type, attachment.size) == ("notes.txt", "text/plain", 7)
    assert file.name == attachment.stored != "notes.txt"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\bulletin.pdf", "bulletin.pdf"),
        ("a\r\nb\x00\u202egpj.exe", "a b gpj.exe"),
        ("", "attachment"),
        ("...", "attachment"),
        ("é" * 300 + ".pdf", "é" * 146 + ".pdf"),
    ],
)
def test_a_file_name_is_only_a_name(sent, kept):
    assert uploads.clean_filename(sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Image/PNG", "image/png"), ("text/html\r\nX: y", "application/octet-stream"), ("", "application/octet-stream")],
)
def test_a_media_type_is_only_a_type(sent, kept):
    assert uploads.clean_type(sent) == kept


def test_the_limit_counts_what_is_sent(alice, settings):
    row = drafts.new(alice)
    room = settings.message_limit
    almost = int(room / 1.37) - 10_000
    attachments.add(row, [b"x" * almost], "a", "", settings)
    with pytest.raises(uploads.MessageTooLarge):
        attachments.add(row, iter([b"x" * 100_000] * 3), "b", "", settings)
    assert [a.filename for a in row.attachments] == ["a"]
    assert len(files_of(row, settings)) == 1


def test_reading_stops_at_the_limit(alice, settings):
    served = 0

    def endless():
        nonlocal served
        while True:
            served += 1
            yield b"x" * 1_000_000

    with pytest.raises(uploads.MessageTooLarge):
        attachments.add(drafts.new(alice), endless(), "a", "", settings)
    assert served < 30


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 1000, 123_457])
def test_encoded_size_is_that_of_base64(size):
    import base64

    assert uploads.encoded_size(size) == len(base64.encodebytes(b"x" * size).replace(b"\n", b"\r\n"))


def test_a_broken_upload_leaves_nothing(alice, settings):
    def broken():
        yield b"half"
        raise ConnectionError

    row = drafts.new(alice)
    with pytest.raises(ConnectionError):
        attachments.add(row, broken(), "a", "", settings)
    assert files_of(row, settings) == []
    assert not row.attachments.exists()


def test_only_files_of_the_draft_can_be_removed(alice, settings):
    mine, other = drafts.new(alice), drafts.new(alice)
    attachment = attachments.add(other, [b"x"], "a", "", settings)
    assert not attachments.remove(mine, attachment.id, settings)
    assert len(files_of(other, settings)) == 1
    assert attachments.remove(other, attachment.id, settings)
    assert files_of(other, settings) == []
    assert AttachmentRow.select().count() == 0


def test_the_same_file_twice_is_one(alice, settings):
    row = drafts.new(alice)
    for content in (b"same", b"same", b"ELSE"):
        attachments.add(row, [content], "a.txt", "", settings)
    assert row.attachments.count() == len(files_of(row, settings)) == 2


def test_a_twin_has_its_own_files(alice, settings):
    row = drafts.new(alice, Fields(body="text"))
    attachments.add(row, [b"bytes"], "a.txt", "text/plain", settings)
    twin = drafts.duplicate(row, settings)
    drafts.forget(row.id, settings)
    assert twin.id != row.id
    assert twin.message_id != row.message_id
    assert twin.body == "text"
    [attachment] = draft_message.as_draft(twin, ALICE, settings).attachments
    assert Path(attachment.path).read_bytes() == b"bytes"


# --- the message -----------------------------------------------------------------------------------------------------


def test_a_bad_address_is_named(alice, settings):
    row = drafts.new(alice, Fields(to="bob@x.example, no address at all"))
    with pytest.raises(BadAddress) as raised:
        draft_message.as_draft(row, ALICE, settings)
    assert "no address at all" in raised.value.value
    assert [a.email for a in draft_message.as_draft(row, ALICE, settings, lenient=True).to] == ["bob@x.example"]


@pytest.mark.parametrize(
    "name", ["Bob", "Bob Girard", "Girard, Bob", 'Bob "le grand" G', "Bob (CPE)", "é@ü; x", "back\\slash", ""]
)
def test_an_address_survives_the_form(name):
    address = Address(name, "bob@x.example")
    assert builder.parse_addresses(address_text([address, address])) == (address, address)


def test_a_name_can_not_look_like_another_address():
    text = address_text([Address("<boss@lycee.example>", "eve@x.example"), Address("a <b", "c@x.example")])
    assert [a.email for a in builder.parse_addresses(text)] == ["eve@x.example", "c@x.example"]
    assert "<boss" not in text


def test_a_file_that_vanished_is_told(alice, settings):
    row = drafts.new(alice, Fields(to="bob@x.example"))
    attachments.add(row, [b"x"], "a", "", settings)
    uploads.remove_folder(settings, row.id)
    with pytest.raises(FilesGone):
        draft_message.to_bytes(draft_message.as_draft(row, ALICE, settings), include_bcc=False)


# --- sweeping --------------------------------------------------------------------------------------------------------


def test_what_nobody_comes_back_to_goes(alice, settings):
    names = ("old", "fresh", "typed", "empty", "begun")
    old, fresh, typed, empty, begun = (drafts.new(alice, Fields(body="" if n == "empty" else n)) for n in names)
    age(old, days=31)
    age(fresh, days=29)
    for row in (typed, empty):
        age(row, days=2)
        DraftRow.update(created=now() - timedelta(days=2, hours=1)).where(DraftRow.id == row.id).execute()
    then = now() - timedelta(days=2)
    DraftRow.update(created=then, updated=then).where(DraftRow.id == begun.id).execute()
    DraftRow.update(saved_mailbox="Drafts", saved_uid=7).where(DraftRow.id << [old.id, fresh.id]).execute()
    draft_cleanup.sweep(settings)
    left = {row.body for row in DraftRow.select()}
    assert left >= {"fresh", "typed"}
    assert not left & {"old", "", "begun"}


def test_text_left_unsaved_is_found(alice):
    typed, begun, recent, saved = (drafts.new(alice, Fields(body=n)) for n in ("typed", "begun", "recent", "saved"))
    long_ago = now() - timedelta(hours=3)
    for row in (typed, begun, saved):
        DraftRow.update(created=long_ago, updated=long_ago + timedelta(minutes=1)).where(DraftRow.id == row.id).execute()
    drafts.leave_untouched(begun)
    DraftRow.update(saved_mailbox="Drafts", saved_at=now()).where(DraftRow.id == saved.id).execute()
    assert [row.id for row in draft_cleanup.unseen()] == [typed.id]


@pytest.mark.parametrize("state", [OutboxState.WAITING, OutboxState.FAILED, OutboxState.UNCERTAIN])
def test_a_draft_in_the_outbox_stays(here, state):
    row = here.draft()
    sent = here.enqueue(row)
    Outbox.update(state=state).where(Outbox.id == sent.id).execute()
    DraftRow.update(saved_mailbox="Drafts", saved_uid=7).where(DraftRow.id == row.id).execute()
    age(row, days=40)
    draft_cleanup.sweep(here.settings)
    assert DraftRow.select().where(DraftRow.id == row.id).exists()


def test_folders_without_a_draft_go(alice, settings):
    import os

    row = drafts.new(alice, Fields(body="x"))
    attachments.add(row, [b"x"], "a", "", settings)
    orphan, young, foreign = (Path(settings.uploads_folder, name) for name in ("a" * 32, "b" * 32, "lost+found"))
    for folder in (orphan, young, foreign):
        folder.mkdir()
    for folder in (orphan, foreign, uploads.folder(settings, row.id)):
        os.utime(folder, (1, 1))
    draft_cleanup.sweep(settings)
    assert not orphan.exists()
    assert young.exists()
    assert foreign.exists()
    assert len(files_of(row, settings)) == 1


def test_many_people_who_save_at_once_all_succeed(alice):
    """A transaction that reads first and writes later would be refused at once, without waiting for its turn."""
    failed: list[Exception] = []

    def save() -> None:
        with db.connection_context():
            for _ in range(15):
                try:
                    drafts.store(alice, drafts.new_id(), Fields(body="text"))
                except Exception as error:
                    failed.append(error)

    threads = [threading.Thread(target=save) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
