"""What subscribed calendars and accounts on other servers have in common."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from webmail.calendar.subscriptions import subscriptions
from webmail.collections.following import turns
from webmail.collections.following.faults import FollowFault, FollowTroubleError, of_fetching, seconds_to_wait
from webmail.dav.remote import accounts
from webmail.http_fetch import AddressForbiddenError, AnswerTooLargeError, NotFetchedError
from webmail.models import CalendarSubscription, RemoteAccount, now


@pytest.mark.parametrize("table", [CalendarSubscription, RemoteAccount])
def test_each_kind_fits_where_it_is_stored(table):
    assert max(map(len, FollowFault)) <= table.error.max_length


def test_why_no_answer_came_is_a_kind():
    assert of_fetching(NotFetchedError("x")) is of_fetching(OSError()) is FollowFault.AWAY
    assert of_fetching(AnswerTooLargeError("x")) is FollowFault.TOO_LARGE
    assert of_fetching(AddressForbiddenError("x")) is FollowFault.FORBIDDEN_PLACE


@pytest.mark.parametrize(("said", "seconds"), [("", 0), (" 30 ", 30), ("soon", 0), ("-1", 0), ("9" * 500, 86_400), ("²", 0)])
def test_a_server_may_ask_for_a_while_of_patience_and_no_more(said, seconds):
    assert seconds_to_wait({"retry-after": said}) == seconds


@pytest.mark.parametrize(
    ("said", "clock", "seconds"),
    [
        ("Tue, 01 Dec 2026 12:05:00 GMT", "Tue, 01 Dec 2026 12:00:00 GMT", 300),  # whatever our clock says
        ("Tue, 01 Dec 2026 12:05:00 -0000", "Tue, 01 Dec 2026 12:00:00 GMT", 300),
        ("Tue, 01 Dec 2026 11:00:00 GMT", "Tue, 01 Dec 2026 12:00:00 GMT", 0),
        ("Fri, 01 Dec 2090 12:00:00 GMT", "Tue, 01 Dec 2026 12:00:00 GMT", 86_400),
        ("Fri, 01 Dec 2090 12:00:00 GMT", "", 86_400),
        ("Tue, 99 Dec 2026 12:05:00 GMT", "", 0),
        ("Tue, 01 Dec 2026 12:05:00 +9999", "", 0),
    ],
)
def test_a_server_may_name_a_time_by_its_own_clock(said, clock, seconds):
    assert seconds_to_wait({"retry-after": said, "date": clock}) == seconds


@pytest.mark.parametrize(
    ("of", "kind", "failures", "after", "hours"),
    [
        (subscriptions.turns, FollowFault.AWAY, 0, 0, 1),
        (subscriptions.turns, FollowFault.AWAY, 3, 0, 8),
        (subscriptions.turns, FollowFault.AWAY, 90, 0, 24),
        (subscriptions.turns, FollowFault.GONE, 90, 0, 168),
        (accounts.turns, FollowFault.AWAY, 0, 0, 0.25),
        (accounts.turns, FollowFault.GONE, 90, 0, 8),
        (accounts.turns, FollowFault.BUSY, 0, 43_200, 12),
    ],
)
def test_each_time_it_waits_longer_up_to_an_end_or_as_long_as_the_server_says(monkeypatch, of, kind, failures, after, hours):
    told = {}
    monkeypatch.setattr(turns, "_around", lambda wait: wait)
    monkeypatch.setattr(turns.FollowTurns, "_change", lambda _self, _row, *_only, **values: told.update(values))
    of.went_wrong(SimpleNamespace(id=1, failures=failures), FollowTroubleError(kind, after=after))
    assert abs(told["due"] - now() - timedelta(hours=hours)) < timedelta(minutes=1)
    assert (told["error"], told["working"]) == (kind, 0)
