"""What is typed is kept; files are on disk when we say so; nobody gets at another's draft."""

import threading

import pytest

from webmail.compose.attachments import attachments, uploads
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields, fields_of
from webmail.database.connection import db
from webmail.errors import NoSuchMessageError
from webmail.mail import Identity

ALICE = Identity("Alice", "alice@lycee.example")


def test_what_was_typed_comes_back(alice):
    fields = Fields(to="Bob <bob@x.example>, not an address", subject="Ça va ?", body="line\n\n  indented\n\n")
    row = drafts.new(alice, fields)
    assert fields_of(drafts.load(alice, row.id)) == fields


def test_an_unchanged_text_is_no_change(alice):
    row = drafts.new(alice, Fields(body="a\nb"))
    before = row.updated
    assert not drafts.update(row, Fields(body="a\r\nb"))
    assert drafts.load(alice, row.id).updated == before
    assert drafts.update(row, Fields(body="a\r\nc"))
    assert drafts.load(alice, row.id).updated > before


def test_somebody_elses_draft_is_not_there(alice, bob):
    row = drafts.new(alice, Fields(body="secret"))
    with pytest.raises(NoSuchMessageError):
        drafts.load(bob, row.id)
    with pytest.raises(NoSuchMessageError):
        drafts.store(bob, row.id, Fields(body="overwritten"))
    assert drafts.load(alice, row.id).body == "secret"


@pytest.mark.parametrize("draft_id", ["", "..", "../../etc", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"])
def test_what_is_no_id_makes_no_draft(alice, settings, draft_id):
    with pytest.raises(NoSuchMessageError):
        drafts.store(alice, draft_id or "x", Fields())
    with pytest.raises(NoSuchMessageError):
        uploads.remove_all(settings, draft_id)


def test_an_id_under_which_a_message_left_is_used_up(here, alice):
    row = here.draft()
    here.enqueue(row)
    drafts.forget(row.id, here.settings)
    with pytest.raises(drafts.AlreadyLeftError):
        drafts.store(alice, row.id, Fields(body="again"))


def test_a_twin_has_its_own_files(alice, settings):
    row = drafts.new(alice, Fields(body="text"))
    attachments.add(row, [b"bytes"], "a.txt", "text/plain", settings)
    twin = drafts.duplicate(row, settings)
    drafts.forget(row.id, settings)
    assert twin.id != row.id
    assert twin.message_id != row.message_id
    assert twin.body == "text"
    [attachment] = draft_message.as_draft(twin, ALICE, settings).attachments
    assert b"".join(attachment.chunks()) == b"bytes"


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
