"""The copy of an absence that the banner reads: what it tells when, and that it is written only where it changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webmail import preferences
from webmail.calendar.free_busy.absence_times import AbsencePhase, KnownAbsence, parse
from webmail.config.settings import Settings
from webmail.filters.absence import absence_copy
from webmail.filters.absence.absence import Absence
from webmail.filters.own_script import NAME
from webmail.filters.store import Filters, FilterState
from webmail.managesieve import Script
from webmail.models import User

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
AWAY = Absence(True, NOW, NOW + 240 * HOUR, text="Absente")
SETTINGS = Settings()
ACTIVE = (Script(NAME, True),)


@pytest.mark.parametrize(
    ("start", "until", "phase"),
    [
        (None, None, AbsencePhase.ON),
        (NOW, None, AbsencePhase.ON),
        (NOW + HOUR, None, AbsencePhase.SOON),
        (NOW + 48 * HOUR, None, AbsencePhase.SOON),
        (NOW + 49 * HOUR, None, None),
        (NOW - HOUR, NOW + HOUR, AbsencePhase.ON),
        (NOW - HOUR, NOW, AbsencePhase.OVER),
    ],
)
def test_what_is_told_when(start, until, phase):
    assert KnownAbsence(start, until).phase(NOW) == phase


@pytest.fixture
def user(here):
    return User.create(address="ann@lycee.example", local="ann", domain="lycee.example")


def test_it_is_kept_and_read_again(user):
    absence_copy.keep(user, FilterState(Filters(absence=AWAY), scripts=ACTIVE), SETTINGS)
    assert parse(preferences.for_user(User.get_by_id(user.id)).absence) == KnownAbsence(AWAY.start, AWAY.until)
    absence_copy.keep_times(user, Absence(True, text="x"), SETTINGS)
    assert parse(preferences.for_user(user).absence) == KnownAbsence(None, None)


@pytest.mark.parametrize(
    "state",
    [
        FilterState(Filters(), scripts=ACTIVE),
        FilterState(Filters(absence=AWAY, paused=True), scripts=ACTIVE),
        FilterState(Filters(absence=AWAY), scripts=(Script("theirs", True), Script(NAME, False)), other="theirs"),
    ],
    ids=["off", "paused", "another script"],
)
def test_what_is_not_in_force_has_none(user, state):
    absence_copy.keep(user, FilterState(Filters(absence=AWAY), scripts=ACTIVE), SETTINGS)
    absence_copy.keep(user, state, SETTINGS)
    assert preferences.for_user(user).absence == ""
    assert parse("") is None


def test_it_is_written_only_where_it_changed(user, monkeypatch):
    state = FilterState(Filters(absence=AWAY), scripts=ACTIVE)
    absence_copy.keep(user, state, SETTINGS)
    written = []
    monkeypatch.setattr(preferences, "change", lambda *_args, **values: written.append(values))
    absence_copy.keep(user, state, SETTINGS)
    assert written == []


@pytest.mark.parametrize("text", ["x", "2026-12-01T08:00Z", "2026-13-01T08:00Z/", "/2026-12-01", "//", 5, None])
def test_nothing_else_is_taken_for_one(user, text):
    assert preferences.change(user, absence=text).absence == ""
