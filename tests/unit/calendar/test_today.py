"""The calendar's pages as they are today: `make days` asks for them on the days on which programs err."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import put
from tests.support.visits import Visitor
from tests.unit.calendar.test_calendar_pages import VIEWS, ZONE, prefer, titles


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def test_the_first_page_is_this_month_on_a_telephone_a_list(app, alice):
    assert alice.get("/calendar").all(".cal-month [aria-current=date]")
    alice.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Linux; Android 8.0) Chrome/90 Mobile Safari/537.36"
    assert alice.get("/calendar").all(".cal-views [aria-current][href*=agenda]")
    alice.client.environ_base["HTTP_SEC_CH_UA_MOBILE"] = "?0"
    assert alice.get("/calendar").all(".cal-month")
    prefer(calendar_view="week")
    assert alice.get("/calendar").all(".cal-hours")


def test_today_is_in_each_view_and_its_neighbours_are_others(alice):
    today = datetime.now(ground.PARIS).date()
    put(ground.calendar_of(), "Conseil", f"{ZONE}{today:%Y%m%d}T120000", f"{ZONE}{today:%Y%m%d}T130000")
    for view in VIEWS:
        page = alice.get(f"/calendar/{view}/{today}")
        assert page.status == 200 and "Conseil" in page.text or view in ("year", "workweek"), view
        on = alice.get(str(page.one("a[rel=next]")["href"]))
        back = alice.get(str(on.one("a[rel=prev]")["href"]))
        assert on.one("h1").get_text() != page.one("h1").get_text() == back.one("h1").get_text(), view


def test_an_empty_list_names_what_comes_next(alice):
    later = date.today() + timedelta(days=100)
    put(ground.calendar_of(), "Far", f"{ZONE}{later:%Y%m%d}T100000")
    page = alice.get(f"/calendar/agenda/{date.today()}")
    assert "Nothing planned" in page.text
    assert titles(alice.get(page.link("Next event"))) == ["Far"]


@pytest.mark.parametrize(
    ("typed", "day"), [("2026-12-08", "2026-12-08"), ("8/12/2026", "2026-12-08"), ("08.12.2026", "2026-12-08"), ("x", ""), ("", ""), ("2026-13-45", ""), ("0001-01-01", "")]
)  # fmt: skip
def test_going_to_a_date(alice, typed, day):
    page = alice.submit(alice.get("/calendar/week/2026-12-01"), "form.cal-go", day=typed)
    assert page.address == f"/calendar/week/{day or datetime.now(ground.PARIS).date()}"
