"""Messages that leave at a time of one's choice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.bench.faults import BOB
from webmail import jobs, preferences
from webmail.compose.outbox import delivery, send_later
from webmail.compose.outbox import queue as outbox
from webmail.compose.outbox.credentials import account_of
from webmail.errors import SignInRefusedError
from webmail.mime.headers import proof
from webmail.models import Outbox, OutboxState, User, now

PARIS = ZoneInfo("Europe/Paris")
FRIDAY = datetime(2026, 11, 27, 14, 30, tzinfo=PARIS)


def at(here, **ahead):
    row = here.draft()
    return row, here.enqueue(row, at=now() + timedelta(**ahead))


# --- which times -----------------------------------------------------------------------------------------------------


def test_the_times_that_are_offered():
    assert {name: f"{when:%d %H:%M}" for name, when in send_later.choices(FRIDAY).items()} == {
        "evening": "27 18:00", "tomorrow": "28 08:00", "monday": "30 08:00",
    }  # fmt: skip
    assert "evening" not in send_later.choices(FRIDAY.replace(hour=17, minute=55))
    assert "monday" not in send_later.choices(datetime(2026, 11, 29, 9, tzinfo=PARIS))  # tomorrow is Monday


@pytest.mark.parametrize(
    ("name", "day", "hour", "expected"),
    [
        ("evening", "", "", "2026-11-27 17:00"),
        ("at", "2026-12-24", "18:30", "2026-12-24 17:30"),
        ("at", "2027-07-14", "8h00", "2027-07-14 06:00"),  # summer
        ("at", "2027-03-28", "02:30", "2027-03-28 01:30"),  # an hour that the clocks skip
        ("at", "2027-10-31", "02:30", "2027-10-31 00:30"),  # one that comes twice
    ],
)
def test_a_time_is_meant_on_the_clocks_of_the_establishment(name, day, hour, expected):
    assert f"{send_later.chosen(name, day, hour, FRIDAY):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    ("name", "day", "hour"),
    [
        ("at", "2026-11-27", "14:30"), ("at", "2026-11-26", "20:00"), ("at", "2028-01-01", "08:00"), ("at", "", "08:00"),
        ("at", "2026-12-24", ""), ("at", "24/12/2026", "08:00"), ("at", "2026-12-24", "25:00"), ("at", "2026-12-24", "08:00+05:00"),
        ("at", "9999-12-31", "23:59"), ("never", "2026-12-24", "08:00"), ("\0", "\0", "\0"),
    ],
)  # fmt: skip
def test_what_is_no_time_to_come_within_a_year(name, day, hour):
    with pytest.raises(send_later.BadTimeError):
        send_later.chosen(name, day, hour, FRIDAY)


def test_an_evening_that_is_over_is_not_the_day_beside_it():
    with pytest.raises(send_later.BadTimeError):
        send_later.chosen("evening", "2026-12-24", "08:00", FRIDAY.replace(hour=19))


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_it_waits_for_its_time_and_is_dated_then(here):
    _row, sent = at(here, days=40)
    assert send_later.waits(sent)
    assert delivery.deliver(sent.id, here.settings, here.account) == sent.scheduled
    assert delivery.sweep(here.settings) == []
    assert here.server.connections == 0
    assert f"Date: {sent.scheduled:%a, %d %b %Y}".encode() in sent.content


def test_after_its_time_a_worker_that_starts_sends_it_and_the_row_is_not_swept_away(here):
    _row, sent = at(here, days=40)
    long_ago = now() - timedelta(days=41)
    Outbox.update(scheduled=now() - timedelta(minutes=5), due=now() - timedelta(minutes=5), created=long_ago).execute()
    assert delivery.sweep(here.settings) == [sent.id]
    delivery.deliver(sent.id, here.settings, here.account)
    delivery.sweep(here.settings)
    assert Outbox.get().state == OutboxState.SENT


def test_the_day_for_trying_again_begins_at_its_time(here):
    here.server.faults = ["450@mail"]
    _row, sent = at(here, days=40)
    Outbox.update(scheduled=now() - timedelta(hours=1), due=now(), created=now() - timedelta(days=40)).execute()
    delivery.deliver(sent.id, here.settings, here.account)
    assert Outbox.get().state == OutboxState.WAITING
    Outbox.update(scheduled=now() - timedelta(hours=25), due=now()).execute()
    delivery.deliver(sent.id, here.settings, here.account)
    assert Outbox.get().state == OutboxState.FAILED


def test_another_time_keeps_the_proof_of_who_wrote_it(here, alice):
    _row, sent = at(here, days=2)
    secret = here.settings.secret_key
    assert proof.verifies(bytes(Outbox.get_by_id(sent.id).content), secret)
    assert send_later.change(alice, sent.id, now() + timedelta(days=3), here.settings)
    assert proof.verifies(bytes(Outbox.get_by_id(sent.id).content), secret)


def test_another_time_now_or_never(here, alice, bob):
    row, sent = at(here, days=3)
    monday = (now() + timedelta(days=5)).replace(microsecond=0)
    assert not send_later.change(bob, sent.id, monday, here.settings)
    assert send_later.change(alice, sent.id, monday, here.settings)
    changed = Outbox.get()
    assert (changed.scheduled, changed.due) == (monday, monday)
    assert bytes(changed.content).count(b"\nDate: ") == 1
    assert f"Date: {monday:%a, %d %b %Y %H:%M:%S}".encode() in changed.content
    assert send_later.send_now(alice, sent.id, here.settings)
    delivery.deliver(sent.id, here.settings, here.account)
    assert here.server.copies(BOB) == 1
    assert not send_later.change(alice, sent.id, monday, here.settings)
    assert outbox.undo(alice, sent.id) is None
    assert row.id == changed.draft


def test_the_password_goes_with_the_waiting(here, alice):
    row = here.draft()
    when = now() + timedelta(days=3)
    sent = here.enqueue(row, b"sealed", at=when)
    assert bytes(sent.credential) == b"sealed"
    outbox.undo(alice, sent.id)
    assert Outbox.get().credential is None


def test_what_a_disabled_person_scheduled_does_not_leave(here, alice):
    _row, sent = at(here, days=3)
    User.update(active=0).execute()
    with pytest.raises(SignInRefusedError):
        account_of(Outbox.get(Outbox.id == sent.id), here.settings)


def test_the_queue_is_not_filled_with_what_is_far_away(here):
    queue = jobs.build(here.settings, here.account)
    queue.schedule(1, now() + timedelta(days=3))
    assert queue.huey.pending_count() == 0
    queue.schedule(1, now() + timedelta(seconds=30))
    assert queue.huey.pending_count() == 1


def test_the_time_for_undoing_is_one_s_own(here, alice):
    here.settings = replace(here.settings, undo_seconds=7)
    assert outbox.undo_seconds(alice, here.settings) == 7
    preferences.change(alice, undo_seconds=30)
    assert outbox.undo_seconds(alice, here.settings) == 30
    row = here.draft()
    row.user = alice
    assert timedelta(seconds=28) < here.enqueue(row).due - now() < timedelta(seconds=31)
    preferences.change(alice, undo_seconds=4)
    assert outbox.undo_seconds(alice, here.settings) == 30


def test_the_text_that_left_is_known_after_its_draft_is_gone(here):
    from webmail.compose.drafts.fields import fields_of

    row = here.draft((BOB,))
    fields = fields_of(row)
    sent = here.enqueue(row)
    row.delete_instance()
    assert outbox.is_same(sent, fields)
    assert not outbox.is_same(sent, replace(fields, body="second thoughts"))
