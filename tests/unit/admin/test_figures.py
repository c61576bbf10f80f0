"""Figures of a day: made anew all day, one row each; and how long a disk lasts, as it filled so far."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support import calendar_ground as ground
from webmail.admin.watching import figures
from webmail.models import DailyFigure


@pytest.fixture
def settings(tmp_path: Path):
    with ground.application(tmp_path / "instance", recovery_address="off") as app:
        ground.person(app)
        yield app.extensions["settings"]


def test_a_figure_is_one_row_a_day(settings):
    figures.make(settings)
    figures.make(settings)
    found = figures.latest()
    assert found["active_today"].value == 1 and found["sign_ins"].value == 1 and found["database_size"].value > 0
    assert DailyFigure.select().where(DailyFigure.name == "active_today").count() == 1
    assert [value for _day, value in figures.history("active_today")] == [1]


def test_old_ones_go(settings):
    DailyFigure.create(day="2020-02-29", name="sent", value=3)
    figures.make(settings)
    assert not DailyFigure.select().where(DailyFigure.day == "2020-02-29").exists()


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ([100 - n for n in range(10)], 91),
        ([100] * 10, None),
        ([50 + n for n in range(10)], None),
        ([100 - n for n in range(6)], None),  # too few to say
        ([], None),
    ],
)
def test_a_forecast(values, left):
    past = [(date(2026, 2, 24) + timedelta(days=n), value) for n, value in enumerate(values)]
    assert figures.days_left(past) == left
