"""Who waits for a directory that does not answer, and for how long."""

import threading
import time

import pytest

from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.providers.directory_admission import ASKING, AT_ONCE, SILENCE_SECONDS, admitted
from webmail.config.providers import Ldap
from webmail.errors import ServerAwayError, SignInRefusedError

THERE = Ldap("ldaps://directory.lycee.example", "dc=example")


def test_one_that_was_away_is_left_alone():
    with pytest.raises(ServerAwayError, match="no route"), admitted(THERE):
        raise ServerAwayError("no route")
    with pytest.raises(ServerAwayError, match="a moment ago"), admitted(THERE):
        pytest.fail("asked again at once")


@pytest.mark.parametrize("error", [SignInRefusedError("wrong"), TooBusyError("busy"), KeyError("anything")])
def test_other_answers_mean_that_it_is_there(error):
    with pytest.raises(type(error)), admitted(THERE):
        raise error
    with admitted(THERE):
        pass


def test_nobody_waits_long_for_a_turn_while_nobody_is_answered():
    over = threading.Event()
    holding = [threading.Thread(target=_hold, args=(over,)) for _ in range(AT_ONCE)]
    for one in holding:
        one.start()
    try:
        _until(lambda: ASKING.held() == AT_ONCE)
        began = time.monotonic()
        with pytest.raises(ServerAwayError, match="answered nobody"), admitted(THERE):
            pytest.fail("there was no turn")
        assert SILENCE_SECONDS * 0.9 <= time.monotonic() - began < SILENCE_SECONDS * 5
    finally:
        over.set()
        for one in holding:
            one.join()


def test_one_waits_as_long_as_others_are_answered():
    over, came = threading.Event(), threading.Event()
    holding = [threading.Thread(target=_hold, args=(over,)) for _ in range(AT_ONCE)]
    waiting = threading.Thread(target=_hold, args=(over, came))
    for one in holding:
        one.start()
    _until(lambda: ASKING.held() == AT_ONCE)
    waiting.start()
    end = time.monotonic() + SILENCE_SECONDS * 1.5
    while time.monotonic() < end:
        ASKING.moved()
        assert waiting.is_alive() and not came.is_set()
        time.sleep(0.05)
    over.set()
    assert came.wait(5)
    for one in [*holding, waiting]:
        one.join()


def _hold(over: threading.Event, came: threading.Event | None = None) -> None:
    with admitted(THERE):
        if came:
            came.set()
        over.wait(20)


def _until(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
