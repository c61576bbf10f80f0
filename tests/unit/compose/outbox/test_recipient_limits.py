"""How many people one may write to in an hour and in a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.bench.faults import BOB, CARL, DORA
from webmail.compose.outbox import queue as outbox
from webmail.compose.outbox import recipient_limits
from webmail.models import Outbox, User, now
from webmail.rate_limits import DAY, HOUR, TooManyRequestsError


def at(here, **ahead):
    row = here.draft()
    return row, here.enqueue(row, at=now() + timedelta(**ahead))


def test_an_hour_takes_so_many_and_the_next_one_more(here, alice):
    here.settings = replace(here.settings, recipients_per_hour=5)
    assert recipient_limits.near(alice, here.settings) is None
    first = here.draft()
    here.enqueue(first)
    here.enqueue(first)  # a second click
    with pytest.raises(TooManyRequestsError) as refused:
        here.enqueue(here.draft())
    assert (refused.value.left, refused.value.limit.most) == (2, 5)
    assert timedelta(minutes=59) < refused.value.again - now() < timedelta(minutes=62)
    assert Outbox.select().count() == 1
    here.enqueue(here.draft((BOB, CARL)))
    left = recipient_limits.near(alice, here.settings)
    assert (left.window, left.people) == (HOUR, 0)
    assert timedelta(minutes=59) < left.again - now() < timedelta(minutes=62)
    here.enqueue(here.draft(), at=refused.value.again)


def test_what_was_stopped_or_refused_counts_nothing(here, alice):
    here.settings = replace(here.settings, recipients_per_day=3)
    sent = here.enqueue(here.draft())
    assert outbox.undo(alice, sent.id)
    here.enqueue(here.draft())


def test_what_will_leave_counts_at_its_time(here):
    here.settings = replace(here.settings, recipients_per_hour=4)
    at(here, minutes=90)
    here.enqueue(here.draft())
    with pytest.raises(TooManyRequestsError):
        at(here, minutes=58)  # within an hour of both


def test_more_people_than_ever_possible(here):
    here.settings = replace(here.settings, recipients_per_hour=2)
    with pytest.raises(TooManyRequestsError) as refused:
        here.enqueue(here.draft((BOB, CARL, DORA)))
    assert refused.value.again is None


def test_one_person_may_have_a_limit_of_their_own(here, alice):
    here.settings = replace(here.settings, recipients_per_hour=2)
    assert recipient_limits.for_user(User(recipients_per_hour=0, recipients_per_day=9), here.settings) == {DAY: 9}
    User.update(recipients_per_hour=0).execute()
    here.enqueue(here.draft((BOB, CARL, DORA)))
