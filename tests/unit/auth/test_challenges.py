"""Challenges: good for one purpose, session and person, for five minutes, and for one answer."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from webmail.auth.factors import challenges
from webmail.auth.factors.challenges import (
    ChallengeExpiredError,
    ChallengeRefusedError,
    ChallengeSubject,
    ChallengeUsedError,
    Purpose,
)
from webmail.models import UsedChallenge, now

ASKED = ChallengeSubject(Purpose.SECOND_STEP, "the hash of a session", 7)
SECRET = "s" * 40


def test_it_is_good_for_what_it_was_issued_for(queries):
    challenge = challenges.issue(ASKED, SECRET)
    challenges.check(challenge, ASKED, SECRET)
    assert len(challenge) == 64
    assert queries == []


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, purpose=Purpose.CONFIRM),
        replace(ASKED, session="the hash of another session"),
        replace(ASKED, user_id=8),
        replace(ASKED, user_id=0),
    ],
)
def test_it_is_good_for_nothing_else(other):
    with pytest.raises(ChallengeRefusedError):
        challenges.check(challenges.issue(other, SECRET), ASKED, SECRET)


def test_another_installation_issues_others():
    with pytest.raises(ChallengeRefusedError):
        challenges.check(challenges.issue(ASKED, "t" * 40), ASKED, SECRET)


@pytest.mark.parametrize(
    "change", [lambda c: c[:-1], lambda c: c + b"\0", lambda c: b"\1" + c[1:], lambda c: b"", lambda c: b"\0" * 64]
)
def test_changed_ones_are_refused(change):
    with pytest.raises(ChallengeRefusedError):
        challenges.check(change(challenges.issue(ASKED, SECRET)), ASKED, SECRET)


@pytest.mark.parametrize(("age", "good"), [(-120, False), (-30, True), (290, True), (310, False), (10**6, False)])
def test_it_lasts_five_minutes(monkeypatch, age, good):
    real = time.time()
    monkeypatch.setattr(challenges.time, "time", lambda: real - age)
    challenge = challenges.issue(ASKED, SECRET)
    monkeypatch.setattr(challenges.time, "time", lambda: real)
    if good:
        challenges.check(challenge, ASKED, SECRET)
    else:
        with pytest.raises(ChallengeExpiredError):
            challenges.check(challenge, ASKED, SECRET)


def test_it_is_good_for_one_answer(database):
    challenge = challenges.issue(ASKED, SECRET)
    challenges.use(challenge)
    with pytest.raises(ChallengeUsedError):
        challenges.use(challenge)
    challenges.use(challenges.issue(ASKED, SECRET))


def test_what_has_expired_is_forgotten(database):
    UsedChallenge.create(hash="a" * 64, at=now() - timedelta(minutes=8))
    UsedChallenge.create(hash="b" * 64, at=now() - timedelta(minutes=4))
    challenges.use(challenges.issue(ASKED, SECRET))
    assert "a" * 64 not in [row.hash for row in UsedChallenge.select()]
    assert UsedChallenge.select().count() == 2
