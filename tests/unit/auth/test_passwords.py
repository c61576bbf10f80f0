"""Hashes of passwords: what Dovecot reads, and what is refused before any work."""

import os
import threading
import time

import argon2
import pytest

from tests.support import light_passwords
from webmail.auth.passwords import hashing


@pytest.fixture(scope="module", autouse=True)
def real_hasher():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_hasher", light_passwords.REAL)
        hashing._nobody.cache_clear()
        yield
    hashing._nobody.cache_clear()


@pytest.fixture(scope="module")
def stored(real_hasher):
    return hashing.hash_password("correct horse")


def test_the_form_is_dovecots(stored):
    assert stored.startswith("{ARGON2ID}$argon2id$v=19$m=19456,t=3,p=1$")


def test_the_right_password_is_right_and_another_is_not(stored):
    assert hashing.verify(stored, "correct horse")
    assert not hashing.verify(stored, "correct horsf")


@pytest.mark.parametrize("nothing", ["", "{ARGON2ID}", "{ARGON2ID}$argon2id$broken", "{PLAIN}correct horse", "correct horse"])
def test_no_password_fits_an_empty_or_foreign_hash(nothing):
    assert not hashing.verify(nothing, "correct horse")


def test_the_dummy_hash_lets_nobody_in():
    assert not hashing.verify("", "the password of nobody")


@pytest.mark.parametrize("bad", ["", "x" * 1025, "a\0b", "a\nb", "a\rb", "\ud800"])
def test_unusable_passwords_are_refused_before_hashing(stored, bad, monkeypatch):
    monkeypatch.setattr(hashing, "_hasher", None)
    assert not hashing.verify(stored, bad)
    with pytest.raises(hashing.UnusablePasswordError):
        hashing.hash_password(bad)


def test_the_longest_password_works():
    assert hashing.verify(hashing.hash_password("x" * 1024), "x" * 1024)


def test_somebody_unknown_takes_as_long_as_somebody_known(stored):
    hashing.verify("", "warm up")

    def seconds(hash_: str) -> float:
        start = time.process_time()
        hashing.verify(hash_, "wrong")
        return time.process_time() - start

    known, unknown = (min(seconds(h) for _ in range(5)) for h in (stored, ""))
    assert unknown == pytest.approx(known, rel=0.5)


def test_weaker_parameters_ask_for_a_new_hash(stored):
    weak = "{ARGON2ID}" + argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("correct horse")
    assert hashing.verify(weak, "correct horse")
    assert hashing.needs_rehash(weak)
    assert not hashing.needs_rehash(stored)


def test_checks_go_after_pages_and_leave_the_thread_that_waits_as_it_is(monkeypatch):
    nice, real = [], hashing._step_back
    monkeypatch.setattr(hashing, "_step_back", lambda: (real(), nice.append(_nice())))
    before = _nice()
    assert hashing.verify(hashing.hash_password("sésame"), "sésame")
    assert nice == [min(before + hashing._NICE, 19)] * 2 and _nice() == before


def _nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
