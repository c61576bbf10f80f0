"""Guesses at the same instant are counted one after the other, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from webmail.auth.sign_in import throttle
from webmail.auth.sign_in.sources import SignInSource
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.rate_limits import TooManyRequestsError

ALICE, LIMIT, AT_ONCE = "alice@lycee.example", 10, 24
SETTINGS = replace(Settings(), secret_key="k" * 40, sign_in_attempts=LIMIT)


def let_through(attempt: Callable[[int], object]) -> int:
    """How many of AT_ONCE threads are, that try together."""
    through, together = [], threading.Barrier(AT_ONCE)

    def run(number: int) -> None:
        with db.connection_context():
            together.wait()
            try:
                attempt(number)
            except TooManyRequestsError:
                return
            through.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(through)


def test_ordinary_tries_then_one_turn(new_database):
    assert let_through(lambda number: throttle.begin(ALICE, SignInSource(f"192.0.2.{number}", 50), SETTINGS)) == LIMIT
    long_ago = int(time.time()) - 60
    places = [(long_ago, 1, f"place {number}") for number in range(AT_ONCE)]
    assert (
        let_through(lambda number: throttle.begin(ALICE, SignInSource("198.51.100.1", 50), SETTINGS, admitted=places[number]))
        == 1
    )
    assert let_through(lambda _number: throttle.begin(ALICE, SignInSource("198.51.100.1", 50), SETTINGS, admitted=places[0])) <= 1


def test_codes(new_database):
    assert let_through(lambda _number: throttle.attempt_at("second step of 1", SETTINGS)) == LIMIT
