"""What a person has besides the password: codes of apps, each once; recovery codes, each once; and whether a step is asked for."""

from __future__ import annotations

import time

import pyotp
import pytest

from webmail import vault
from webmail.auth.factors import authenticator, recovery_codes, second_step
from webmail.auth.factors.second_step import Factor
from webmail.errors import SignInRefusedError
from webmail.models import Authenticator, RecoveryCode, User
from webmail.rate_limits import TooManyRequestsError

NOON = 1_790_000_010  # the tenth second of a step


@pytest.fixture
def secret(alice, settings):
    """Alice has an app with this secret."""
    found = authenticator.new_secret()
    with second_step.changing(alice):
        authenticator.add(alice, "Phone", found, 0, settings)
    return found


@pytest.fixture
def codes(alice, secret, settings):
    with second_step.changing(alice):
        return recovery_codes.make(alice, settings)


def code(secret, at=NOON):
    return pyotp.TOTP(secret).at(at)


# --- codes of an app --------------------------------------------------------------------------------------------------


def test_a_code_is_good_once(alice, secret, settings):
    assert authenticator.accept(alice, code(secret), settings, NOON).name == "Phone"
    assert authenticator.accept(alice, code(secret), settings, NOON) is None


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clocks_may_differ_by_a_step(alice, secret, settings, seconds, good):
    assert bool(authenticator.accept(alice, code(secret, NOON + seconds), settings, NOON)) is good


def test_a_code_from_before_the_latest_is_over(alice, secret, settings):
    assert authenticator.accept(alice, code(secret, NOON), settings, NOON)
    assert authenticator.accept(alice, code(secret, NOON - 30), settings, NOON) is None


def test_spaces_and_dashes_do_not_matter(alice, secret, settings):
    digits = code(secret)
    assert authenticator.accept(alice, f" {digits[:3]} {digits[3:]}\n", settings, NOON)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "1" * 10_000])
def test_what_is_no_code_is_refused(alice, secret, settings, typed):
    assert authenticator.accept(alice, typed, settings, NOON) is None


def test_a_code_of_somebody_else_is_refused(bob, secret, settings):
    assert authenticator.accept(bob, code(secret), settings, NOON) is None


def test_the_table_alone_does_not_tell_the_secret(alice, secret, settings):
    sealed = bytes(Authenticator.get().secret)
    assert secret.encode() not in sealed
    with pytest.raises(vault.CannotOpenError):
        vault.open_secret(sealed, "another key", "authenticator", alice.id)


def test_of_two_apps_each_has_its_own_codes(alice, secret, settings):
    other = authenticator.new_secret()
    with second_step.changing(alice):
        authenticator.add(alice, "Tablet", other, 0, settings)
    assert authenticator.accept(alice, code(other), settings, NOON).name == "Tablet"
    assert authenticator.accept(alice, code(secret), settings, NOON).name == "Phone"


def test_an_app_that_cannot_be_opened_leaves_the_others(alice, secret, settings):
    Authenticator.update(secret=b"\x01broken").execute()
    other = authenticator.new_secret()
    with second_step.changing(alice):
        authenticator.add(alice, "Tablet", other, 0, settings)
    assert authenticator.accept(alice, code(other), settings, NOON)


def test_the_picture_names_the_establishment_and_the_address(alice, settings):
    address = authenticator.otpauth("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", alice, settings)
    assert address.startswith("otpauth://totp/Traboule:alice%40lycee.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert "issuer=Traboule" in address


# --- recovery codes ---------------------------------------------------------------------------------------------------


def test_ten_codes_each_good_once(alice, codes, settings):
    assert len(set(codes)) == recovery_codes.COUNT == recovery_codes.left(alice)
    assert [recovery_codes.accept(alice, one, settings) for one in codes] == [True] * 10
    assert [recovery_codes.accept(alice, one, settings) for one in codes] == [False] * 10
    assert recovery_codes.left(alice) == 0


def test_they_are_typed_as_people_type(alice, codes, settings):
    one = codes[0].upper().replace("0", "O").replace("1", "l").replace("-", " ")
    assert recovery_codes.accept(alice, f" {one} ", settings)


def test_a_new_set_replaces_the_old_one(alice, codes, settings):
    with second_step.changing(alice):
        new = recovery_codes.make(alice, settings)
    assert not recovery_codes.accept(alice, codes[0], settings)
    assert recovery_codes.accept(alice, new[0], settings)


def test_a_code_of_somebody_else_is_none(bob, codes, settings):
    assert not recovery_codes.accept(bob, codes[0], settings)


def test_the_table_alone_tells_no_code(codes):
    kept = {row.code_hash for row in RecoveryCode.select()}
    assert all(len(one) == 64 for one in kept) and not kept & set(codes)


def test_whose_codes_they_are(alice, bob, codes, settings):
    assert recovery_codes.are_of(alice, codes, settings)
    assert not recovery_codes.are_of(bob, codes, settings)
    assert not recovery_codes.are_of(alice, [*codes, "0000-0000-00"], settings)
    assert not recovery_codes.are_of(alice, [], settings)


# --- whether it is asked for ------------------------------------------------------------------------------------------


def test_the_account_says_whether_there_is_a_factor(alice, secret, codes):
    assert alice.second_step == User.get_by_id(alice.id).second_step == 1
    with second_step.changing(alice):
        assert authenticator.remove(alice, Authenticator.get().id)
    assert alice.second_step == User.get_by_id(alice.id).second_step == 0
    assert not RecoveryCode.select().exists()


def test_nobody_removes_the_app_of_somebody_else(alice, bob, secret):
    with second_step.changing(bob):
        assert authenticator.remove(bob, Authenticator.get().id) is None
    assert User.get_by_id(alice.id).second_step == 1


def test_a_reset_forgets_everything(alice, secret, codes):
    assert second_step.reset(alice) == 1
    assert second_step.factors_of(alice).count == 0 and not User.get_by_id(alice.id).second_step


# --- tries ------------------------------------------------------------------------------------------------------------


def now_code(secret):
    return pyotp.TOTP(secret).at(time.time())


def test_it_says_which_factor_it_was(alice, secret, codes, settings):
    assert second_step.check_code(alice, now_code(secret), settings) is Factor.APP
    assert second_step.check_code(alice, codes[0], settings) is Factor.CODE
    with pytest.raises(SignInRefusedError):
        second_step.check_code(alice, codes[0], settings)


def guess(alice, settings, times, browser=""):
    for _ in range(times):
        with pytest.raises(SignInRefusedError):
            second_step.check_code(alice, "000-000-00", settings, browser=browser)


def test_after_ten_wrong_codes_none_is_looked_at(alice, secret, codes, settings):
    guess(alice, settings, 10)
    with pytest.raises(TooManyRequestsError):
        second_step.check_code(alice, now_code(secret), settings)
    assert Authenticator.get().last_step == 0


def test_a_right_recovery_code_is_always_taken(alice, secret, codes, settings):
    guess(alice, settings, 10)
    with pytest.raises(TooManyRequestsError):
        second_step.check_code(alice, "0000-0000-00", settings)
    assert second_step.check_code(alice, codes[0], settings) is Factor.CODE


def test_a_right_code_does_not_give_the_tries_back(alice, secret, settings):
    guess(alice, settings, 9)
    second_step.check_code(alice, now_code(secret), settings)
    guess(alice, settings, 1)
    with pytest.raises(TooManyRequestsError):
        second_step.check_code(alice, now_code(secret), settings)


def test_guesses_elsewhere_do_not_lock_a_known_browser(alice, secret, codes, settings):
    guess(alice, settings, 10)
    assert second_step.check_code(alice, now_code(secret), settings, browser="browser 0123") is Factor.APP
