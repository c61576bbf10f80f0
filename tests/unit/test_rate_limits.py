"""Rate limits: what is taken, refused, given back and forgotten; of many at once no more pass than may, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.limits import let_pass
from webmail import rate_limits
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import LimitUse, now
from webmail.rate_limits import DAY, HOUR, RateLimit, TooManyRequestsError

ASKED = RateLimit("asked", 3, HOUR)
ASKED_A_DAY = replace(ASKED, most=5, span=DAY)
HERE, THERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def tables(module_database: str) -> Iterator[None]:
    with db.connection_context():
        yield
        LimitUse.delete().execute()


@pytest.fixture
def settings() -> Settings:
    return replace(Settings(), secret_key="k" * 40)


def refused(settings: Settings, *bounded: rate_limits.Bounded) -> TooManyRequestsError:
    with pytest.raises(TooManyRequestsError) as told:
        rate_limits.take(settings, *bounded)
    return told.value


def test_so_many_and_no_more_until_the_first_is_old(tables, settings):
    for _ in range(3):
        rate_limits.take(settings, ASKED.by(HERE))
        let_pass(timedelta(minutes=10))
    told = refused(settings, ASKED.by(HERE))
    assert told.minutes == 30 and told.limit == ASKED and told.status == 429
    rate_limits.take(settings, ASKED.by(THERE))
    let_pass(timedelta(minutes=30))
    rate_limits.take(settings, ASKED.by(HERE))
    assert refused(settings, ASKED.by(HERE)).minutes == 10


def test_what_is_refused_does_not_count_for_others_of_its_limits_either(tables, settings):
    for _ in range(3):
        rate_limits.take(settings, ASKED.by(HERE))
    refused(settings, ASKED.by("everybody"), ASKED.by(HERE))
    with db.atomic():
        refused(settings, ASKED.by("everybody"), ASKED.by(HERE))
    assert rate_limits.used(settings, ASKED.by("everybody")) == 0 and LimitUse.select().count() == 3


def test_an_hour_and_a_day_share_their_count(tables, settings):
    for _ in range(3):
        rate_limits.take(settings, ASKED_A_DAY.by(1), ASKED.by(1))
    assert refused(settings, ASKED.by(1), ASKED_A_DAY.by(1)).minutes == 60 and LimitUse.select().count() == 3
    let_pass(HOUR)
    assert rate_limits.expire() == 0  # they count for the day
    for _ in range(2):
        rate_limits.take(settings, ASKED.by(1), ASKED_A_DAY.by(1))
    assert refused(settings, ASKED.by(1), ASKED_A_DAY.by(1)).minutes == 23 * 60


def test_what_is_given_back_counts_no_more(tables, settings):
    first = rate_limits.take(settings, ASKED.by(HERE), ASKED.by())
    rate_limits.take(settings, ASKED.by(HERE), None)
    rate_limits.give_back(first)
    assert rate_limits.used(settings, ASKED.by(HERE)) == 1 and rate_limits.used(settings, ASKED.by()) == 0


def test_of_what_is_tried_only_what_was_wrong_counts(tables, settings):
    def tries(error: Exception | None) -> None:
        with suppress(PermissionError, OSError), rate_limits.attempt(settings, ASKED.by(1), counts=_is_wrong):
            if error is not None:
                raise error

    for error in (None, PermissionError("wrong"), OSError("away"), PermissionError("wrong")):
        tries(error)
    assert rate_limits.used(settings, ASKED.by(1)) == 2


def _is_wrong(error: Exception) -> bool:
    return isinstance(error, PermissionError)


def test_all_of_one_mark_are_forgotten_together(tables, settings):
    for mark in ("alice", "alice", "bob"):
        rate_limits.take(settings, ASKED.by(HERE), mark=mark)
    assert rate_limits.is_noted(settings, ASKED.by(HERE), "alice") and not rate_limits.is_noted(settings, ASKED.by(HERE), "zoe")
    rate_limits.forget(settings, ASKED.by(HERE), mark="alice")
    assert rate_limits.used(settings, ASKED.by(HERE)) == 1


def test_who_has_a_turn_passes_all_the_same_and_is_told_otherwise_when_it_comes(tables, settings):
    for _ in range(3):
        rate_limits.take(settings, ASKED.by(HERE))
    rate_limits.take(settings, ASKED.by(HERE), revision=lambda full: 0)
    with pytest.raises(TooManyRequestsError) as told:
        rate_limits.take(settings, ASKED.by(HERE), revision=lambda full: 7)
    assert told.value.seconds == 7 and rate_limits.used(settings, ASKED.by(HERE)) == 4


def test_neither_persons_nor_networks_can_be_read_or_guessed_in_the_table(tables, settings):
    rate_limits.take(settings, ASKED.by(HERE), mark="alice@lycee.example")
    rate_limits.take(replace(settings, secret_key="j" * 40), ASKED.by(HERE), mark="alice@lycee.example")
    rows = list(LimitUse.select().dicts())
    assert HERE not in str(rows) and "alice" not in str(rows)
    assert len({row["key"] for row in rows}) == len({row["mark"] for row in rows}) == 2


def test_what_counts_no_more_is_deleted_a_batch_at_a_time(tables, settings, monkeypatch):
    monkeypatch.setattr(rate_limits, "_BATCH", 2)
    for number in range(5):
        rate_limits.take(settings, ASKED.by(number))
    let_pass(HOUR)
    rate_limits.take(settings, ASKED.by("now"))
    assert rate_limits.expire() == 5 and [row.until > now() for row in LimitUse.select()] == [True]


@pytest.mark.parametrize("within", [False, True], ids=["alone", "in a transaction"])
def test_of_many_at_once_no_more_pass_than_may(tables, settings, within):
    begin, passed = threading.Barrier(8), []

    def asks() -> None:
        with db.connection_context():
            begin.wait(10)
            if not within:
                passed.append(rate_limits.may(settings, ASKED.by(HERE), ASKED.by()))
                return
            with db.atomic():
                passed.append(rate_limits.may(settings, ASKED.by(), ASKED.by(HERE)))

    people = [threading.Thread(target=asks) for _ in range(8)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(passed) == [False] * 5 + [True] * 3
