"""What a draft's copy remembers comes back as it was, and nothing else does."""

import pytest

from tests.support.outbox import bytes_of
from webmail.compose.drafts import draft_message, draft_note, drafts
from webmail.compose.drafts.fields import Fields, normalised
from webmail.mail import Identity
from webmail.mime import builder

ALICE = Identity("Alice", "alice@lycee.example")
FULL = Fields(
    format="markdown", priority="high", language="pt-BR", read_receipt=True, delivery_receipt=True,
    source_mailbox="École/à trier; format=x", source_uidvalidity=11, source_uid=22, source_flag="\\Answered",
)  # fmt: skip


def copy_of(alice, settings, fields):
    row = drafts.new(alice, fields)
    return bytes_of(draft_message.as_draft(row, ALICE, settings, lenient=True), include_bcc=True)


def test_a_copy_remembers_how_it_is_written(alice, settings):
    noted = draft_note.from_header(copy_of(alice, settings, FULL), Fields())
    assert normalised(Fields(**noted)) == FULL


def test_a_copy_of_plain_text_has_nothing_to_remember(alice, settings):
    assert b"X-Traboule" not in copy_of(alice, settings, Fields(body="a"))


def test_a_very_long_folder_name_comes_back_too(alice, settings):
    fields = Fields(source_mailbox="é/" * 300, source_uid=1, source_uidvalidity=1, source_flag="\\Answered")
    noted = draft_note.from_header(copy_of(alice, settings, fields), Fields())
    assert Fields(**noted) == fields


@pytest.mark.parametrize(
    "note",
    ["", "format", "bcc=eve%40x", "body=x; id=3", "source_uid=-1", "source_uid=9" * 30, "read_receipt=yes", "format=%00%0d%0a"],
)
def test_what_is_no_note_changes_nothing(note):
    noted = draft_note.from_header(f"{builder.NOTE}: {note}\r\n\r\n".encode(), Fields())
    assert normalised(Fields(**noted)) == Fields()


def test_the_mark_of_a_copy_is_found_and_is_no_field():
    note = draft_note.marked(draft_note.to_header(FULL), "0a1b2c3d4e5f")
    head = f"{builder.NOTE}: {note}\r\n\r\n".encode()
    assert draft_note.mark_of(head) == "0a1b2c3d4e5f"
    assert draft_note.from_header(head, Fields()) == draft_note.from_header(head.replace(b"copy=0a1b2c3d4e5f; ", b""), Fields())
    assert draft_note.mark_of(f"{builder.NOTE}: {draft_note.marked('', 'abc')}\r\n\r\n".encode()) == "abc"


@pytest.mark.parametrize("value", ["", "copy=", "copy=<b>", "copy=" + "a" * 17, "format=markdown", "copy=é"])
def test_what_is_no_mark_is_none(value):
    assert draft_note.mark_of(f"{builder.NOTE}: {value}\r\n\r\n".encode()) == ""
