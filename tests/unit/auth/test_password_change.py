"""Changing a password: what it takes, what is refused, and what happens to two changes at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.auth_app import PASSWORD
from webmail.auth.passwords import hashing
from webmail.auth.passwords.change import ChangeFault, PasswordNotChangedError, change, strength
from webmail.auth.sign_in.authentication import sign_in
from webmail.config.settings import Settings
from webmail.errors import SignInRefusedError
from webmail.models import LimitUse, User
from webmail.rate_limits import TooManyRequestsError

NEW = "cheval pile agrafe nuage"


def refused(user: User, before: str, new: str, again: str, settings: Settings) -> dict[str, ChangeFault]:
    with pytest.raises(PasswordNotChangedError) as caught:
        change(user, before, new, again, settings)
    assert hashing.verify(User.get_by_id(user.id).password, PASSWORD)
    return caught.value.faults


def test_the_new_password_replaces_the_old_one(alice: User, settings: Settings) -> None:
    User.update(must_change=1).execute()
    change(alice, PASSWORD, NEW, NEW, settings)
    now = User.get_by_id(alice.id)
    assert hashing.verify(now.password, NEW) and not hashing.verify(now.password, PASSWORD)
    assert now.must_change == 0 and not LimitUse.select().exists()


@pytest.mark.parametrize(
    ("before", "new", "again", "faults"),
    [
        ("wrong", NEW, NEW, {"password": ChangeFault.WRONG}),
        ("", NEW, NEW, {"password": ChangeFault.WRONG}),
        (PASSWORD, NEW, NEW + "x", {"new_password_again": ChangeFault.DIFFERENT}),
        (PASSWORD, PASSWORD, PASSWORD, {"new_password": ChangeFault.SAME}),
        (PASSWORD, "motdepasse", "motdepasse", {"new_password": ChangeFault.WEAK}),
        (PASSWORD, "Tk9!vm", "Tk9!vm", {"new_password": ChangeFault.WEAK}),
        (PASSWORD, "alice alice", "alice alice", {"new_password": ChangeFault.WEAK}),
        (PASSWORD, "", "", {"new_password": ChangeFault.UNUSABLE}),
        (PASSWORD, NEW + "\0", NEW + "\0", {"new_password": ChangeFault.UNUSABLE}),
        (PASSWORD, NEW * 60, NEW * 60, {"new_password": ChangeFault.UNUSABLE}),
        ("wrong", "motdepasse", "other", {"password": ChangeFault.WRONG, "new_password": ChangeFault.WEAK}),
    ],
)
def test_what_is_refused(
    alice: User, settings: Settings, before: str, new: str, again: str, faults: dict[str, ChangeFault]
) -> None:
    assert refused(alice, before, new, again, settings) == faults


def test_the_minimum_is_the_administrators(alice: User, settings: Settings) -> None:
    strict, lax = replace(settings, password_score=4), replace(settings, password_score=0, password_length=6)
    assert refused(alice, PASSWORD, "Marseille13", "Marseille13", strict) == {"new_password": ChangeFault.WEAK}
    change(alice, PASSWORD, "motdepasse", "motdepasse", lax)
    assert hashing.verify(User.get_by_id(alice.id).password, "motdepasse")


def test_wrong_passwords_are_counted_and_do_not_lock_the_door(alice: User, settings: Settings) -> None:
    for _ in range(settings.sign_in_attempts):
        refused(alice, "wrong", NEW, NEW, settings)
    with pytest.raises(TooManyRequestsError):
        change(alice, PASSWORD, NEW, NEW, settings)
    door = replace(settings, sign_in="accounts")
    assert sign_in(alice.address, PASSWORD, "192.0.2.1", door, lambda _account: None) == alice
    with pytest.raises(TooManyRequestsError):
        change(alice, PASSWORD, NEW, NEW, settings)


def test_of_two_changes_at_once_the_second_knows_the_password_no_more(alice: User, settings: Settings) -> None:
    other = User.get_by_id(alice.id)
    change(other, PASSWORD, NEW, NEW, settings)
    with pytest.raises(PasswordNotChangedError) as caught:
        change(alice, PASSWORD, NEW + " zwei", NEW + " zwei", settings)
    assert caught.value.faults == {"password": ChangeFault.WRONG}
    assert hashing.verify(User.get_by_id(alice.id).password, NEW)


def test_the_old_password_opens_nothing(alice: User, settings: Settings) -> None:
    change(alice, PASSWORD, NEW, NEW, settings)
    with pytest.raises(SignInRefusedError):
        sign_in(alice.address, PASSWORD, "", replace(settings, sign_in="accounts"), lambda _account: None)


def test_the_persons_own_words_count_for_nothing(alice: User, settings: Settings) -> None:
    alice.name = "Zébulon Quincampoix"
    assert strength("zebulon quincampoix", alice, settings).score <= 1
