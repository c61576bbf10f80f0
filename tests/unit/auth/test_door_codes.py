"""Codes with which the owner need not wait while others guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.auth_app import PASSWORD
from webmail.auth.sign_in import throttle, unlock_codes
from webmail.auth.sign_in.authentication import sign_in
from webmail.auth.sign_in.sources import SignInSource
from webmail.errors import SignInRefusedError
from webmail.models import LimitUse, User
from webmail.rate_limits import TooManyRequestsError

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"
HERE = "192.0.2.1"
PLACE = SignInSource(HERE, 50)


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <ne-pas-repondre@lycee.example>")


@pytest.fixture
def guessed(alice, settings):
    """So many guesses at Alice's password that nobody new gets in by themselves."""
    for number in range(settings.sign_in_attempts):
        throttle.begin(ALICE, SignInSource(f"198.51.100.{number}", 50), settings)


def code(settings, day: int = 0, address: str = ALICE) -> str:
    return unlock_codes.code_for(address, unlock_codes.today() + day, settings)


def enter(settings, typed: str, password: str = PASSWORD, name: str = "alice"):
    return sign_in(name, password, HERE, settings, _no_imap, code=typed)


def _no_imap(_account) -> None:
    raise AssertionError("our own table is asked")


def test_who_has_it_gets_in_at_once(alice, guessed, settings):
    with pytest.raises(TooManyRequestsError):
        enter(settings, "")
    assert enter(settings, code(settings)) == alice
    assert enter(settings, code(settings).upper().replace("-", " ")) == alice


@pytest.mark.parametrize("day", [-1, 0])
def test_it_is_valid_today_and_tomorrow(alice, guessed, settings, day):
    assert enter(settings, code(settings, day)) == alice


@pytest.mark.parametrize("day", [-2, 1])
def test_and_no_longer(guessed, settings, day):
    with pytest.raises(TooManyRequestsError):
        enter(settings, code(settings, day))


def test_it_is_of_one_person_and_one_installation(guessed, settings):
    others = replace(settings, secret_key="another")
    for typed in (code(settings, address=BOB), code(others), "0" * 10, "x", "é" * 10, "1" * 5000):
        with pytest.raises(TooManyRequestsError):
            enter(settings, typed)


def test_it_is_worth_nothing_without_the_password_and_guesses_with_it_are_counted(guessed, settings):
    for _ in range(settings.sign_in_attempts):
        with pytest.raises(SignInRefusedError):
            enter(settings, code(settings), "wrong")
    with pytest.raises(TooManyRequestsError):
        enter(settings, code(settings))


def test_a_success_gives_whoever_guesses_no_new_tries(guessed, settings):
    enter(settings, code(settings))
    with pytest.raises(TooManyRequestsError):
        enter(settings, "")


def test_it_is_sent_to_who_is_kept_waiting_and_has_an_address(alice, bob, guessed, settings):
    assert unlock_codes.receiver(ALICE, PLACE, settings) is None
    User.update(recovery_address="alice@private.example").execute()
    assert unlock_codes.receiver(ALICE, PLACE, settings) == alice
    assert unlock_codes.receiver(BOB, PLACE, settings) is None  # nobody guesses
    assert unlock_codes.receiver(ALICE, PLACE, replace(settings, recovery_address="off")) is None
    assert unlock_codes.receiver(ALICE, PLACE, replace(settings, system_address="")) is None
    User.update(active=0).execute()
    assert unlock_codes.receiver(ALICE, PLACE, settings) is None


def test_and_where_somebody_guesses_for_everybody_in_the_same_network(alice, settings):
    User.update(recovery_address="alice@private.example").execute()
    for number in range(settings.sign_in_attempts * 5):
        throttle.begin(f"pupil{number}@lycee.example", PLACE, settings)
    assert unlock_codes.receiver(ALICE, PLACE, settings) == alice
    assert enter(settings, code(settings)) == alice


def test_nothing_of_it_is_stored(guessed, settings):
    enter(settings, code(settings))
    assert code(settings).replace("-", "") not in str(list(LimitUse.select().dicts()))
