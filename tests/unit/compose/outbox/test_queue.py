"""Into the outbox, out of it again, and once more on one's word."""

import json
import threading

import pytest

from tests.bench.faults import BOB, CARL, DORA
from tests.support.outbox import deliver, row_of
from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.outbox import filing, queue
from webmail.database.connection import db
from webmail.errors import BadAddressError, NoSuchMessageError
from webmail.models import Outbox, OutboxState


def test_what_waits_is_the_built_message_without_bcc(here, alice):
    row = drafts.new(alice, Fields(to=f"{BOB}, {BOB.upper()}", bcc=DORA, subject="s", body="b"))
    sent = here.enqueue(row)
    assert json.loads(sent.recipients) == [BOB.upper(), DORA] or json.loads(sent.recipients) == [BOB, DORA]
    assert DORA.encode() not in sent.content
    assert row.message_id.encode() in sent.content
    assert sent.state == OutboxState.WAITING


def test_a_bad_address_does_not_get_in(here, alice):
    with pytest.raises(BadAddressError):
        here.enqueue(drafts.new(alice, Fields(to="nonsense")))
    assert Outbox.select().count() == 0


def test_a_click_after_the_message_left_sends_nothing(here):
    row = here.draft()
    deliver(here, here.enqueue(row))
    drafts.update(row, Fields(to=BOB, body="another text"))
    again = here.enqueue(row)
    deliver(here, again)
    assert again.state == OutboxState.SENT
    assert len(here.server.messages) == 1


def test_an_undone_message_does_not_leave_and_can_be_sent_after_all(here, alice):
    row = here.draft((BOB,))
    sent = here.enqueue(row)
    assert queue.undo(alice, sent.id) == row.id
    deliver(here, sent)
    assert here.server.connections == 0
    assert bytes(row_of(sent).content) == b""
    drafts.update(row, Fields(to=BOB, body="better words"))
    deliver(here, here.enqueue(row))
    [got] = here.server.messages
    assert b"better words" in got.content


def test_it_is_too_late_to_undo_once_it_has_left(here, alice):
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert queue.undo(alice, sent.id) is None
    assert row_of(sent).state == OutboxState.SENT


def test_undo_against_a_worker_one_of_them_wins(here, alice):
    for _ in range(10):
        before = len(here.server.messages)
        sent = here.enqueue(here.draft((BOB,)))

        def work(sent=sent):
            with db.connection_context():
                deliver(here, sent)

        thread = threading.Thread(target=work)
        thread.start()
        undone = queue.undo(alice, sent.id)
        thread.join()
        assert len(here.server.messages) - before == (0 if undone else 1)


def test_what_some_have_received_can_not_be_undone(here, alice):
    here.server.faults = ["mix4@rcpt"]
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert row_of(sent).state == OutboxState.WAITING
    assert queue.undo(alice, sent.id) is None


def test_a_failed_message_goes_again_on_one_s_word_and_only_once(here, alice):
    here.server.faults = ["550@rcpt", "ok"]
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert queue.retry(alice, sent.id, None)
    assert not queue.retry(alice, sent.id, None)
    deliver(here, sent)
    assert [here.server.copies(r) for r in (BOB, CARL, DORA)] == [1, 1, 1]


def test_an_edited_failure_goes_again_as_the_same_draft(here, alice):
    here.server.faults = ["550@rcpt", "ok"]
    row = here.draft()
    sent = here.enqueue(row)
    deliver(here, sent)
    assert queue.edit(alice, sent.id, here.settings) == row.id
    drafts.update(row, Fields(to=CARL, body="corrected"))
    deliver(here, here.enqueue(row))
    assert [m.recipients for m in here.server.messages] == [[CARL]]


def test_an_uncertain_message_can_be_sent_again_on_one_s_word(here, uncertain, alice):
    assert queue.retry(alice, uncertain.id, None)
    deliver(here, uncertain)
    assert len(here.server.messages) == 2


def test_an_uncertain_message_edited_is_another_message(here, uncertain, alice):
    other = queue.edit(alice, uncertain.id, here.settings)
    assert other != uncertain.draft
    assert drafts.load(alice, other).body == drafts.load(alice, uncertain.draft).body
    assert row_of(uncertain).state == OutboxState.UNCERTAIN


def test_an_uncertain_message_can_be_said_to_have_arrived(here, uncertain, alice):
    assert queue.dismiss(alice, uncertain.id)
    assert row_of(uncertain).state == OutboxState.SENT
    assert filing.is_unfinished(row_of(uncertain))


def test_nobody_touches_somebody_elses_rows(here, bob, alice):
    here.server.faults = ["550@rcpt"]
    sent = here.enqueue(here.draft())
    assert queue.undo(bob, sent.id) is None
    deliver(here, sent)
    assert not queue.retry(bob, sent.id, None)
    assert not queue.dismiss(bob, sent.id)
    with pytest.raises(NoSuchMessageError):
        queue.edit(bob, sent.id, here.settings)
    assert queue.listing(bob) == []
    assert [r.id for r in queue.listing(alice)] == [sent.id]
