"""How many wrong passwords are checked, and that the owner gets in meanwhile."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from webmail.auth import throttle
from webmail.auth.throttle import TooManyAttempts, has_waited, next_place
from webmail.models import SignInFailure, now

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"
HERE, THERE = "192.0.2.1", "198.51.100.1"
LIMIT = 10


@pytest.fixture(autouse=True)
def _tables(database):
    pass


@pytest.fixture
def clock(monkeypatch):
    """`clock(seconds)` moves the clock of places on."""
    ahead = [0.0]
    real = time.time
    monkeypatch.setattr(throttle.time, "time", lambda: real() + ahead[0])

    def move(seconds: float) -> None:
        ahead[0] += seconds

    return move


def guess(times: int = LIMIT, address: str = ALICE, network: str = HERE) -> None:
    for _ in range(times):
        throttle.begin(address, network, LIMIT)


def refused(address: str = ALICE, network: str = HERE, *, waited: bool = False) -> int:
    """The minutes that are told to an attempt that is not let through."""
    with pytest.raises(TooManyAttempts) as told:
        throttle.begin(address, network, LIMIT, waited=waited)
    return told.value.retry_minutes


def later(**time_passed: float) -> None:
    """As if so much time had passed since everything that is recorded."""
    for row in SignInFailure.select():
        SignInFailure.update(at=row.at - timedelta(**time_passed)).where(SignInFailure.id == row.id).execute()


# --- turns -----------------------------------------------------------------------------------------------------------


def test_what_is_refused_is_not_recorded():
    guess()
    for _ in range(20):
        assert refused() == 1
    assert SignInFailure.select().count() == LIMIT


def test_one_who_has_waited_has_a_try_each_minute():
    guess()
    throttle.begin(ALICE, THERE, LIMIT, waited=True)
    assert refused(network="203.0.113.9", waited=True) == 1
    later(minutes=1)
    throttle.begin(ALICE, "203.0.113.9", LIMIT, waited=True)


def test_one_network_has_not_all_the_turns():
    guess()
    throttle.begin(ALICE, THERE, LIMIT, waited=True)
    later(minutes=1)
    assert refused(network=THERE, waited=True) == 4
    throttle.begin(ALICE, HERE, LIMIT, waited=True)


def test_turns_are_counted_by_address():
    guess()
    guess(address=BOB, network=THERE)
    throttle.begin(ALICE, "203.0.113.9", LIMIT, waited=True)
    throttle.begin(BOB, "203.0.113.9", LIMIT, waited=True)


def test_in_a_network_where_somebody_guesses_for_everybody_the_others_take_turns():
    for number in range(LIMIT * 5):
        throttle.begin(f"pupil{number}@lycee.example", HERE, LIMIT)
    assert refused() == 1
    throttle.begin(ALICE, HERE, LIMIT, waited=True)
    assert refused(BOB, waited=True) == 1
    later(seconds=10)
    throttle.begin(BOB, HERE, LIMIT, waited=True)


def test_a_turn_is_not_used_up_while_there_are_ordinary_tries():
    throttle.begin(ALICE, HERE, LIMIT, waited=True)
    guess(LIMIT - 1)
    throttle.begin(ALICE, HERE, LIMIT, waited=True)


def test_a_success_forgets_the_typing_mistakes_and_nothing_of_others():
    guess(3)
    guess(4, network=THERE)
    throttle.succeeded(throttle.begin(ALICE, HERE, LIMIT), LIMIT)
    assert {row.network for row in SignInFailure.select()} == {THERE}
    assert SignInFailure.select().count() == 4


@pytest.mark.parametrize("place", [HERE, THERE])
def test_an_owner_who_gets_in_gives_whoever_guesses_no_new_tries(place):
    guess()
    throttle.succeeded(throttle.begin(ALICE, place, LIMIT, waited=True), LIMIT)
    assert refused() == 1


def test_what_is_taken_back_is_no_other_attempt_that_has_its_number_since():
    attempt = throttle.begin(ALICE, HERE, LIMIT)
    throttle.succeeded(throttle.begin(ALICE, HERE, LIMIT), LIMIT)  # in another tab: forgets the first one's
    for _ in range(2):
        throttle.begin(BOB, THERE, LIMIT)
    throttle.take_back(attempt)
    assert SignInFailure.select().where(SignInFailure.address == BOB).count() == 2


def test_an_address_as_long_as_may_be_has_turns_too():
    long = f"{'x' * 120}@{'y' * 120}.example"
    guess(address=long)
    throttle.begin(long, "2001:db8:1234:5678::/64", LIMIT, waited=True)


# --- places in the queue ---------------------------------------------------------------------------------------------


def test_nobody_has_waited_who_was_not_told_to():
    assert not has_waited(None)


def test_a_minute_is_enough_and_a_quarter_of_an_hour_too_long(clock):
    place = next_place(None)
    assert not has_waited(place)
    clock(59)
    assert has_waited(place)
    clock(15 * 60)
    assert not has_waited(place)
    assert next_place(place)[1] == 1


def test_pressing_the_button_again_does_not_send_a_person_back(clock):
    place = next_place(None)
    for _ in range(6):
        clock(10)
        if not has_waited(place):
            place = next_place(place)
    assert has_waited(place)


def test_a_program_that_goes_on_never_has_waited(clock):
    place = None
    for _ in range(1000):
        assert not has_waited(place)
        place = next_place(place)
        clock(1)


def test_failures_older_than_the_window_count_no_more():
    guess()
    SignInFailure.update(at=now() - timedelta(minutes=15, seconds=1)).execute()
    guess()
