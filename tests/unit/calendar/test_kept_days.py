"""What is kept of calendars from one page to the next: never anything else than what the tables say."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import PARIS, put
from webmail.calendar import objects
from webmail.calendar.display import crowded_days, day_counts, happenings
from webmail.calendar.display.day_counts import DaySpan
from webmail.database.plain_rows import plain_rows
from webmail.models import CalendarObject, Collection

DECEMBER = DaySpan(date(2026, 12, 1), date(2026, 12, 31), PARIS, 4)


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    day_counts._kept.clear()
    with ground.application(tmp_path / "instance") as made:
        ground.add("alice@lycee.example")
        yield made


@pytest.fixture
def calendars(app: Flask) -> list[int]:
    """Three, with an event each on 8 December."""
    made = [ground.calendar_of(name=name) for name in ("a", "b", "c")]
    for one in made:
        put(one, one.name, ":20261208T090000Z", ":20261208T100000Z")
    return [one.id for one in made]


def versions(calendars: list[int]) -> dict[int, Hashable]:
    return {one: (row.seq, row.modified) for one in calendars if (row := Collection.get_by_id(one))}


def shown(rights: Mapping[int, str], kept: Mapping[int, Hashable], span: DaySpan = DECEMBER) -> tuple[list[str], dict[date, int]]:
    """The titles that these days show, and how many events those have that have any."""
    found, counts = crowded_days.first_of_each_day(rights, span, PARIS, kept)
    return sorted(one.summary for one in found.rows), {day: count for day, count in counts.items() if count}


def asked_about_times(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calendars that are asked when anything takes place, from now on."""
    asked: list[Any] = []
    real = day_counts._touching
    monkeypatch.setattr(day_counts, "_touching", lambda rights, *rest: asked.append(sorted(rights)) or real(rights, *rest))
    return asked


def test_after_a_change_that_calendar_alone_is_asked(calendars, monkeypatch):
    rights = dict.fromkeys(calendars, "own")
    asked = asked_about_times(monkeypatch)
    assert shown(rights, versions(calendars)) == (["a", "b", "c"], {date(2026, 12, 8): 3})
    assert shown(rights, versions(calendars)) == (["a", "b", "c"], {date(2026, 12, 8): 3})
    assert asked == [calendars]
    put(Collection.get_by_id(calendars[1]), "new", ":20261209T090000Z")
    assert shown(rights, versions(calendars)) == (["a", "b", "c", "new"], {date(2026, 12, 8): 3, date(2026, 12, 9): 1})
    assert asked == [calendars, [calendars[1]]]


def test_events_that_a_page_has_shown_are_not_read_again(calendars, monkeypatch):
    rights = dict.fromkeys(calendars, "own")
    put(Collection.get_by_id(calendars[0]), "trip", ";VALUE=DATE:20261208", ";VALUE=DATE:20261210")
    asked: list[int] = []
    real = happenings.rows_of
    monkeypatch.setattr(happenings, "rows_of", lambda numbers: asked.append(len(numbers)) or real(numbers))
    for _again in range(2):
        assert shown(rights, versions(calendars))[0] == ["a", "b", "c", "trip"]
    assert sum(asked) == 4
    put(Collection.get_by_id(calendars[1]), "new", ":20261209T090000Z")
    assert shown(rights, versions(calendars))[0] == ["a", "b", "c", "new", "trip"]
    assert sum(asked) == 6  # the two of the calendar that has changed


def test_a_number_that_was_given_again_shows_nothing_of_somebody_else(calendars, monkeypatch):
    """SQLite gives the numbers of rows again: what was deleted after the times were read may be another's event by now."""
    ground.add("bob@lycee.example")
    secret = ground.calendar_of("bob")
    put(secret, "secret", ":20261208T090000Z")
    real = happenings.rows_of
    theirs = [row for row in plain_rows(happenings.select_occurrences()) if row[1] == secret.id]

    def given_again(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
        return [(row[0], *theirs[0][1:]) if row[1] == calendars[0] else row for row in real(numbers)]

    monkeypatch.setattr(happenings, "rows_of", given_again)
    assert shown(dict.fromkeys(calendars, "own"), versions(calendars))[0] == ["b", "c"]


def by_hours(calendars: list[int], per_lane: int, lines: int) -> tuple[list[str], dict[str, int], dict[str, int]]:
    """Titles, how many more there are, and how many bars, of the days of a week that have any."""
    span = DaySpan(date(2026, 12, 7), date(2026, 12, 13), PARIS, 1000)
    crowd = crowded_days.crowd(dict.fromkeys(calendars, "own"), span, PARIS, versions(calendars))
    room = crowded_days.by_hours(crowd, per_lane, lines)
    more, bars = ({f"{day:%d}": count for day, count in counts.items() if count} for counts in (room.more, room.bars))
    return sorted(one.summary for one in room.found.rows), more, bars


def test_days_by_the_hour_read_what_they_have_room_for(calendars):
    one = Collection.get_by_id(calendars[0])
    put(one, "days", ";VALUE=DATE:20261208", ";VALUE=DATE:20261210")
    for number in range(4):
        put(one, f"day {number}", ";VALUE=DATE:20261208")
    put(one, "night", ":20261207T230000Z", ":20261208T093000Z")
    put(one, "later", ":20261208T100000Z", ":20261208T110000Z")
    # of "night", "a", "b" and "c" at once, two have room
    assert by_hours(calendars, 2, 3) == (
        ["a", "day 0", "day 1", "day 2", "days", "later", "night"], {"08": 2}, {"08": 5, "09": 1}
    )  # fmt: skip
    assert by_hours(calendars, 4, 9)[0] == ["a", "b", "c", "day 0", "day 1", "day 2", "day 3", "days", "later", "night"]


def test_a_list_ends_with_the_last_day_that_has_room(calendars):
    one = Collection.get_by_id(calendars[0])
    put(one, "trip", ";VALUE=DATE:20261209", ";VALUE=DATE:20261211")
    put(one, "after", ":20261210T090000Z")
    span = DaySpan(date(2026, 12, 8), date(2026, 12, 31), PARIS, 1000)
    crowd = crowded_days.crowd(dict.fromkeys(calendars, "own"), span, PARIS, versions(calendars))
    for most, names, last in (
        (1, "abc", 8),
        (3, "abc", 8),
        (4, ["a", "b", "c", "trip"], 9),
        (9, ["a", "after", "b", "c", "trip"], 31),
    ):
        found, until = crowded_days.until_full(crowd, most)
        assert (sorted(one.summary for one in found.rows), until) == (list(names), date(2026, 12, last))


def test_together_they_show_what_each_day_shows_first(calendars):
    rights = dict.fromkeys(calendars, "own")
    for number, calendar in enumerate(calendars):
        for hour in range(4):
            put(Collection.get_by_id(calendar), f"{hour}{number}", f":20261210T{10 + hour}0{number}00Z")
    put(Collection.get_by_id(calendars[2]), "day", ";VALUE=DATE:20261210")
    put(Collection.get_by_id(calendars[2]), "days", ";VALUE=DATE:20261210", ";VALUE=DATE:20261212")
    expected = shown(rights, {})
    assert expected == (
        ["00", "01", "a", "b", "c", "day", "days"], {date(2026, 12, 8): 3, date(2026, 12, 10): 14, date(2026, 12, 11): 1}
    )  # fmt: skip
    assert shown(rights, versions(calendars)) == expected == shown(rights, versions(calendars))


def test_times_alone_are_kept_apart(calendars):
    one = Collection.get_by_id(calendars[0])
    put(one, "free", ":20261208T110000Z", ":20261208T120000Z", "TRANSP:TRANSPARENT")
    kept = versions(calendars)
    for _again in range(2):
        assert shown({one.id: "own"}, kept) == (["a", "free"], {date(2026, 12, 8): 2})
        assert shown({one.id: "busy"}, kept) == ([""], {date(2026, 12, 8): 1})


def test_a_calendar_in_place_of_one_that_is_gone(calendars):
    """SQLite gives numbers again, and a new calendar counts its changes from the beginning."""
    gone = Collection.get_by_id(calendars[2])
    assert shown({gone.id: "own"}, versions([gone.id])) == (["c"], {date(2026, 12, 8): 1})
    Collection.delete().where(Collection.id == gone.id).execute()
    new = ground.calendar_of(name="d")
    put(new, "d", ":20261215T090000Z")
    if new.id != gone.id:
        pytest.skip("this database gives no number again")
    assert Collection.get_by_id(new.id).seq == gone.seq
    assert shown({new.id: "own"}, versions([new.id])) == (["d"], {date(2026, 12, 15): 1})


def test_what_is_expanded_further_is_read_anew(calendars, monkeypatch):
    """Its rows are other ones then, though the calendar has no new change."""
    today = date.today()
    one = Collection.get_by_id(calendars[0])
    put(one, "weekly", f";TZID=Europe/Paris:{today:%Y%m%d}T090000", "", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    span = DaySpan(today, today + timedelta(days=27), PARIS, 4)
    before, rights = versions([one.id]), {one.id: "own"}
    assert shown(rights, before, span)[0].count("weekly") == 4
    CalendarObject.update(indexed_until=int(time.time())).where(CalendarObject.collection == one).execute()
    assert objects.extend_index(PARIS) == 1
    after = versions([one.id])
    assert after != before and {number: seq for number, (seq, _at) in after.items()} == {one.id: before[one.id][0]}
    assert shown(rights, after, span)[0].count("weekly") == 4


def test_what_is_kept_is_bounded(calendars, monkeypatch):
    monkeypatch.setattr(day_counts, "_MOST_KEPT", 2)
    rights = dict.fromkeys(calendars, "own")
    assert shown(rights, versions(calendars)) == shown(rights, {})
    assert [key[1] for key in day_counts._kept] == calendars[1:]


def test_events_that_are_kept_weigh_too(calendars, monkeypatch):
    rights = dict.fromkeys(calendars, "own")
    shown(rights, versions(calendars))
    assert len(day_counts._kept) == 3
    monkeypatch.setattr(day_counts, "_MOST_WEIGHT", 11)  # one of the calendars: an event and its time, and the next one's time
    put(Collection.get_by_id(calendars[1]), "new", ":20270109T090000Z")
    shown(rights, versions(calendars))
    assert [key[1] for key in day_counts._kept] == [calendars[2], calendars[1]]


def test_nothing_is_kept_of_more_than_can_be_read(calendars, monkeypatch):
    monkeypatch.setattr(day_counts, "MOST", 2)
    for _again in range(2):
        found, _counts = crowded_days.first_of_each_day(dict.fromkeys(calendars, "own"), DECEMBER, PARIS, versions(calendars))
        assert not found.whole and not day_counts._kept
