"""Two hundred people answer at once, while the organiser changes the dates: none is lost, and none too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.support.poll_pages import numbers, stored_poll
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import Poll, PollVoter, User
from webmail.polls import results, store, voting
from webmail.polls.voting import Ballot, OptionGoneError, PollAnswer

SETTINGS = replace(Settings(), secret_key="k" * 40)
MANY, AT_ONCE = 200, 16


@pytest.fixture
def poll(new_database: str) -> Iterator[Poll]:
    with db.connection_context():
        yield stored_poll(User.create(address="alice@lycee.example", local="alice", domain="lycee.example"), SETTINGS)


def at_once(act: Callable[[int], str], count: int) -> Counter[str]:
    def connected(number: int) -> str:
        with db.connection_context():
            return act(number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(connected, range(count)))


def vote(poll: Poll, number: int, *answered: int) -> str:
    try:
        voting.vote(poll, Ballot(dict.fromkeys(answered, PollAnswer.YES), name=f"Voter {number}"), SETTINGS)
    except OptionGoneError:
        return "gone"
    except LimitReachedError:
        return "full"
    return "counted"


def test_of_two_hundred_at_once_none_is_lost(poll: Poll) -> None:
    first, second, _third = numbers(poll)
    assert at_once(lambda number: vote(poll, number, first, second), MANY) == {"counted": MANY}
    found = results.results(poll)
    assert [one.yes for one in found.counts] == [MANY, MANY, 0] and len({one.name for one in found.voters}) == MANY
    assert len({one.link_hash for one in PollVoter.select()}) == MANY


def test_no_answer_to_a_date_that_the_organiser_removes_counts(poll: Poll) -> None:
    first, second, third = numbers(poll)
    wishes = store.wishes_of(poll)

    def act(number: int) -> str:
        if number == 20:
            store.change(poll, replace(wishes, times=wishes.times[1:]))
            return "changed"
        return vote(poll, number, first, second, third)

    told = at_once(act, 60)
    found = results.results(poll)
    assert [one.option.id for one in found.counts] == [second, third] and told["changed"] == 1
    assert [one.yes for one in found.counts] == [told["counted"]] * 2 and told["counted"] + told["gone"] == 59
    assert told["gone"], "those that came after it are told"


def test_no_more_answer_than_may(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_VOTERS", 20)
    first, *_others = numbers(poll)
    assert at_once(lambda number: vote(poll, number, first), 40) == {"counted": 20, "full": 20}
    assert voting.count(poll) == 20


def test_a_colleague_who_clicks_twice_answers_once(poll: Poll) -> None:
    first, *_others = numbers(poll)
    bob = User.create(address="bob@lycee.example", local="bob", domain="lycee.example")
    ballot = Ballot({first: PollAnswer.MAYBE}, user=bob)
    assert at_once(lambda _number: voting.vote(poll, ballot, SETTINGS) and "counted", 12) == {"counted": 12}
    assert voting.count(poll) == 1 and results.results(poll).counts[0].maybe == 1
