"""A message leaves once, and what a person is told about it is true. A real SMTP server misbehaves; nothing answers for IMAP."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.bench import faults
from tests.bench.faults import BOB, CARL, DORA
from tests.support.outbox import deliver, pending, row_of
from tests.support.tokens import token
from tests.support.waiting import eventually
from webmail.compose.large_files.large_files import FilesStoppedError, FileState
from webmail.compose.outbox import delivery, filing, link_gate, queue, status
from webmail.database.connection import db
from webmail.errors import SignInRefusedError
from webmail.models import DraftRow, Outbox, OutboxState, now
from webmail.system_mail import send_attempts

# --- every fault, every crash ----------------------------------------------------------------------------------------


EXPECTED = {"535 at AUTH": "failed", "550 at RCPT, all": "failed", "552 at the dot": "failed", "554 at the dot": "failed"}
UNKNOWABLE = ("at the dot, not kept", "at the dot, kept")


@pytest.mark.parametrize(("name", "words"), faults.SCENARIOS, ids=[name for name, _ in faults.SCENARIOS])
def test_no_fault_loses_a_message_or_sends_it_twice(name, words):
    outcome = faults.through(name, words)
    assert not outcome.lost
    assert not outcome.twice
    if name.startswith(("hangs", "drops")) and name.endswith(UNKNOWABLE):
        assert outcome.state == "uncertain"
    elif name == "every second recipient 450, always":
        assert (outcome.state, outcome.copies) == ("waiting", {BOB: 1, CARL: 0, DORA: 1})
    else:
        assert outcome.state == EXPECTED.get(name, "sent")


@pytest.mark.parametrize("stage", ["auth", "content", "dot", "answer"])
def test_a_killed_worker_loses_nothing(stage):
    outcome = faults.killed(stage, f"hang@{stage}")
    assert not outcome.lost
    assert not outcome.twice
    assert outcome.state == ("uncertain" if stage in ("dot", "answer") else "sent")


@pytest.mark.parametrize("name", faults.CRASHES)
def test_a_worker_killed_between_two_steps_sends_nothing_again(name):
    outcome = faults.killed(name, crash=faults.CRASHES[name], size=faults.SIZES[1])
    assert not outcome.twice
    assert outcome.state == ("sent" if name == "after SENT, before filing" else "uncertain")


def test_twenty_clicks_send_one_message():
    outcome = faults.clicks(20, workers=4)
    assert (outcome.state, set(outcome.copies.values())) == ("sent", {1})


def test_a_message_waits_for_its_time(here):
    here.settings = replace(here.settings, undo_seconds=60)
    sent = here.enqueue(here.draft())
    assert deliver(here, sent) == sent.due
    assert here.server.connections == 0


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "kept"), [(FileState.COMING, OutboxState.WAITING), (FileState.REFUSED, OutboxState.FAILED)])
def test_a_file_that_is_added_as_the_message_leaves_is_waited_for(here, monkeypatch, state, kept):
    def stopped(*_: object) -> None:
        raise FilesStoppedError(state, "film.mp4")

    monkeypatch.setattr(link_gate, "prepared", stopped)
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    row = Outbox.get_by_id(sent.id)
    assert (row.state, link_gate.waits(row)) == (kept, kept == OutboxState.WAITING)
    assert here.server.connections == 0


def test_the_words_of_a_refusal_are_kept(here):
    here.server.faults = ["550@rcpt"]
    sent = here.enqueue(here.draft((BOB,)))
    assert deliver(here, sent) is None
    row = row_of(sent)
    assert row.state == OutboxState.FAILED
    assert json.loads(row.refused) == {BOB: "550 5.0.0 as told"}
    assert "550" in row.error
    assert DraftRow.select().where(DraftRow.id == row.draft).exists()


def test_waits_grow_and_end_after_a_day(here):
    here.server.faults = ["450@mail"]
    sent = here.enqueue(here.draft((BOB,)))
    waits = []
    for _ in range(8):
        Outbox.update(due=now()).where(Outbox.id == sent.id).execute()
        waits.append(round((deliver(here, sent) - now()).total_seconds() / 60))
    assert waits == [1, 2, 5, 15, 30, 60, 60, 60]
    Outbox.update(due=now(), created=now() - timedelta(days=1, minutes=1)).where(Outbox.id == sent.id).execute()
    assert deliver(here, sent) is None
    assert row_of(sent).state == OutboxState.FAILED


def test_those_refused_for_now_are_tried_again_alone_and_named_in_the_end(here):
    here.server.faults = ["mix4@rcpt", "550@rcpt"]
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert json.loads(row_of(sent).recipients) == [CARL]
    Outbox.update(due=now()).where(Outbox.id == sent.id).execute()
    deliver(here, sent)
    row = row_of(sent)
    assert (row.state, json.loads(row.refused)) == (OutboxState.SENT, {CARL: "550 5.0.0 as told"})
    assert [m.recipients for m in here.server.messages] == [[BOB, DORA]]


def test_a_refused_sign_in_is_a_failure_in_words(here):
    sent = here.enqueue(here.draft())

    def no_credential(_row):
        raise SignInRefusedError("the password was changed")

    delivery.deliver(sent.id, here.settings, no_credential)
    assert (row_of(sent).state, row_of(sent).error) == (OutboxState.FAILED, "sign-in: the password was changed")


def test_a_refused_token_is_a_fault_of_the_servers_and_tried_again(here):
    sent = here.enqueue(here.draft())
    here.server.faults = ["535@auth", "ok"]
    here.server.extensions = ("AUTH OAUTHBEARER",)
    delivery.deliver(sent.id, here.settings, lambda row: replace(here.account(row), credential=token()))
    row = row_of(sent)
    assert row.state == OutboxState.WAITING and row.error.startswith("token-refused: 535")


def test_an_address_refused_while_others_were_served_needs_the_person(here, alice, bob):
    here.server.faults = ["mix@rcpt"]
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert row_of(sent).state == OutboxState.SENT
    assert pending(alice) == status.OutboxStatus(waiting=0, failed=1)
    assert pending(bob).total == 0
    queue.dismiss(alice, sent.id)
    assert pending(alice).total == 0


def test_a_refusal_of_the_sender_refuses_no_address(here):
    here.server.faults = ["550@mail"]
    sent = here.enqueue(here.draft((BOB,)))
    deliver(here, sent)
    assert (row_of(sent).state, row_of(sent).refused) == (OutboxState.FAILED, "{}")


# --- uncertainty -----------------------------------------------------------------------------------------------------


def test_an_uncertain_message_is_never_sent_again_by_itself(here, uncertain):
    for _ in range(3):
        here.turn(uncertain.id)
        assert uncertain.id not in delivery.sweep(here.settings)
    here.enqueue(DraftRow.get(DraftRow.id == uncertain.draft))
    here.turn(uncertain.id)
    assert len(here.server.messages) == 1


# --- two workers -----------------------------------------------------------------------------------------------------


def test_a_worker_that_lost_its_row_does_not_send(here, monkeypatch):
    """It was asleep for longer than its lease; the other one sends."""
    from webmail import smtp

    sent = here.enqueue(here.draft((BOB,)))
    finish = smtp._data
    late = []

    def slow_data(client, content):
        finish(client, content)
        if not late:
            late.append(True)
            here.turn(sent.id)

    monkeypatch.setattr(smtp, "_data", slow_data)
    deliver(here, sent)
    assert here.server.connections == 2
    assert here.server.copies(BOB) == 1
    assert row_of(sent).state == OutboxState.SENT


def test_the_answer_of_a_worker_thought_dead_still_counts(here, monkeypatch):
    from webmail import smtp

    sent = here.enqueue(here.draft((BOB,)))
    finish = smtp._final_dot

    def slow_dot(client, server):
        finish(client, server)
        here.turn(sent.id)
        assert row_of(sent).state == OutboxState.UNCERTAIN

    monkeypatch.setattr(smtp, "_final_dot", slow_dot)
    deliver(here, sent)
    assert row_of(sent).state == OutboxState.SENT
    assert here.server.copies(BOB) == 1


def test_a_slow_server_does_not_cost_the_lease(here, monkeypatch):
    monkeypatch.setattr(send_attempts, "HEARTBEAT_SECONDS", 0.02)
    here.settings = replace(here.settings, server_timeout=60)
    here.server.faults = ["hang@data"]
    sent = here.enqueue(here.draft((BOB,)))
    taken = []

    def other():
        with db.connection_context():
            assert here.server.reached.wait(20)
            Outbox.update(lease=now() - timedelta(hours=1)).execute()  # as after a long silence
            try:
                eventually(lambda: row_of(sent).lease > now())
                taken.append(delivery.recover())
            finally:
                here.server._closing.set()  # it hangs up

    thread = threading.Thread(target=other)
    thread.start()
    deliver(here, sent)
    thread.join()
    assert taken == [0]


def test_a_sweep_names_what_is_to_be_done_and_purges_what_is_over(here):
    due, later, over = (here.enqueue(here.draft()) for _ in range(3))
    Outbox.update(due=now() + timedelta(hours=1)).where(Outbox.id == later.id).execute()
    old = now() - timedelta(days=31)
    Outbox.update(state=OutboxState.FAILED, created=old).where(Outbox.id == over.id).execute()
    assert delivery.sweep(here.settings) == [due.id]
    assert {row.id for row in Outbox.select(Outbox.id)} == {due.id, later.id}


def test_filing_that_fails_never_looks_like_a_failure_to_send(here, alice):
    """Nothing answers for IMAP here."""
    sent = here.enqueue(here.draft())
    again = deliver(here, sent)
    row = row_of(sent)
    assert row.state == OutboxState.SENT
    assert not row.filed
    assert row.error
    assert again > now()
    assert pending(alice).total == 0
    assert bytes(row.content) != b""  # still needed for the copy in Sent
    Outbox.update(due=now()).where(Outbox.id == sent.id).execute()
    assert delivery.sweep(here.settings) == [sent.id]


def test_a_message_that_workers_die_of_is_given_up_after_a_day(here):
    sent = here.enqueue(here.draft())
    gone = {"state": OutboxState.SENDING, "lease": now() - timedelta(hours=1), "attempts": 3}
    Outbox.update(**gone).where(Outbox.id == sent.id).execute()
    assert delivery.recover() == 1
    assert row_of(sent).state == OutboxState.WAITING
    Outbox.update(**gone, created=now() - timedelta(days=2)).where(Outbox.id == sent.id).execute()
    assert delivery.recover() == 1
    assert row_of(sent).state == OutboxState.FAILED
    assert DraftRow.select().where(DraftRow.id == sent.draft).exists()


# --- the server is back ----------------------------------------------------------------------------------------------


def test_once_the_server_answers_all_that_waits_for_it_is_due(here):
    here.server.faults = ["drop@ehlo", "drop@ehlo", "450@rcpt", "ok"]
    away, alike, refused = (here.enqueue(here.draft()) for _ in range(3))
    for sent in (away, alike, refused):
        deliver(here, sent)
        assert row_of(sent).due > now()
    assert delivery.due_again(away.id) == []
    Outbox.update(due=now()).where(Outbox.id == away.id).execute()
    deliver(here, away)
    assert row_of(away).state == OutboxState.SENT
    assert delivery.due_again(away.id) == [alike.id]
    assert row_of(alike).due <= now() < row_of(refused).due
    deliver(here, alike)
    assert row_of(alike).state == OutboxState.SENT


def test_a_message_that_waits_for_another_try_is_tried_when_its_writer_says_so(here, alice, bob):
    here.server.faults = ["drop@ehlo", "ok"]
    sent, waiting = here.enqueue(here.draft()), here.enqueue(here.draft())
    deliver(here, sent)
    assert not queue.try_now(bob, sent.id)
    assert queue.try_now(alice, sent.id)
    assert not queue.try_now(alice, waiting.id)  # its time for undo is not over
    deliver(here, sent)
    assert row_of(sent).state == OutboxState.SENT


# --- filing ----------------------------------------------------------------------------------------------------------


def test_a_worker_killed_while_filing_holds_the_copy_back_for_45_seconds_at_most(here, monkeypatch):
    class Killed(BaseException):
        pass

    def dies(*_args):
        raise Killed

    sent = here.enqueue(here.draft())
    monkeypatch.setattr(filing, "_steps", dies)
    with pytest.raises(Killed):
        deliver(here, sent)
    row = row_of(sent)
    assert row.state == OutboxState.SENT and not row.filed
    assert row.lease <= now() + timedelta(seconds=45)


def test_a_slow_copy_does_not_cost_the_lease(here, monkeypatch):
    def slow(row, *_args):
        Outbox.update(lease=now() - timedelta(hours=1)).execute()
        eventually(lambda: row_of(row).lease > now())
        return []

    monkeypatch.setattr(send_attempts, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(filing, "_steps", slow)
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert row_of(sent).lease is None


def test_a_worker_that_slept_past_its_lease_files_nothing_a_second_time(here, monkeypatch):
    held = {}

    def slept(row, *_args):
        Outbox.update(attempts=Outbox.attempts + 1).execute()  # another worker has taken the row over
        with pytest.raises(send_attempts.LeaseLostError):
            filing._still_held(row)
        held["lease"] = row_of(row).lease
        return []

    monkeypatch.setattr(filing, "_steps", slept)
    sent = here.enqueue(here.draft())
    deliver(here, sent)
    assert row_of(sent).lease == held["lease"]  # it is the other one's
