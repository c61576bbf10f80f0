"""Where events stand: bars over several days, hours side by side, and both where clocks change."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webmail.calendar.display import bars, happenings, hours
from webmail.calendar.display.happenings import Happening

PARIS = ZoneInfo("Europe/Paris")
WEEK = [date(2026, 12, 7) + timedelta(days=number) for number in range(7)]


def timed(name: str, begins: str, ends: str, zone: ZoneInfo = PARIS) -> Happening:
    """From and until a moment by the clock of a zone; "+" behind it: the second one, where the clock shows it twice."""
    start, end = (
        int(datetime.fromisoformat(one.rstrip("+")).replace(tzinfo=zone, fold=one.endswith("+")).timestamp())
        for one in (begins, ends)
    )
    return at(name, start, end, zone)


def at(name: str, start: int, end: int, zone: ZoneInfo = PARIS) -> Happening:
    found = happenings.happening((1, 1, start, end, 0, "", name, "", 2, "", name, name, "", "", 0), {1: "own"}, zone)
    assert found is not None
    return found


def whole(name: str, first: str, days: int = 1) -> Happening:
    start = int(datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp())
    found = happenings.happening(
        (1, 1, start, start + days * 86_400, 1, "", name, "", 2, "", name, name, "", "", 0), {1: "own"}, PARIS
    )
    assert found is not None
    return found


def lines(events: list[Happening], most: int = 4) -> list[str]:
    """The lines of each day: names, "." for an empty one, in capitals where the title stands; and what is left."""
    return [
        " ".join([*("." if one is None else one.event.summary if one.goes_on else one.event.summary.upper() for one in day.lines), *([f"+{day.more}"] if day.more else [])])
        for day in bars.laid_out(WEEK, events, most)
    ]  # fmt: skip


def test_a_bar_keeps_its_line_and_others_fill_what_is_free():
    events = [
        whole("trip", "2026-12-08", 3), whole("fair", "2026-12-10", 3), timed("a", "2026-12-08 09:00", "2026-12-08 10:00"),
        timed("b", "2026-12-11 09:00", "2026-12-11 10:00"), timed("c", "2026-12-11 08:00", "2026-12-11 10:00"),
    ]  # fmt: skip
    assert lines(events) == ["", "TRIP A", "trip", "trip FAIR", "C fair B", ". fair", ""]


def test_the_last_line_says_how_many_have_none():
    events = [timed(name, f"2026-12-07 1{at}:00", f"2026-12-07 1{at}:30") for at, name in enumerate("abcde")]
    assert lines(events)[0] == "A B C +2"
    assert lines(events[:4])[0] == "A B C D"


def test_a_bar_with_no_line_is_counted_on_each_of_its_days():
    events = [whole(name, "2026-12-07", 2) for name in "abcde"]
    assert lines(events)[:3] == ["A B C +2", "a b c +2", ""]


def test_what_began_before_the_week_and_ends_after_it_runs_through_it():
    found = bars.laid_out(WEEK, [whole("holidays", "2026-11-01", 60)], 4)
    first = found[0].lines[0]
    assert first is not None and (first.span, first.begins, first.beyond) == (7, False, True)
    assert [day.count for day in found] == [1] * 7


def test_a_night_is_on_both_days_and_what_ends_at_midnight_on_one():
    assert lines([timed("night", "2026-12-08 22:00", "2026-12-09 02:00")])[1:3] == ["NIGHT", "NIGHT"]
    assert lines([timed("evening", "2026-12-08 22:00", "2026-12-09 00:00")])[1:3] == ["EVENING", ""]
    assert lines([timed("point", "2026-12-09 00:00", "2026-12-09 00:00")])[1:3] == ["", "POINT"]
    assert lines([timed("camp", "2026-12-08 22:00", "2026-12-09 22:00")])[1:3] == ["CAMP", "camp"]  # as long as a day


# --- hours -------------------------------------------------------------------------------------------------------------


def placed(day: str, *events: Happening, most: int = 6) -> list[tuple[str, int, int, int, int]]:
    """Name, from and until (minutes), column and width of twelve."""
    return [
        (one.event.summary, one.start, one.end, one.column, one.width)
        for one in hours.column_of(date.fromisoformat(day), events, most).blocks
    ]


def test_lessons_that_follow_one_another_are_not_side_by_side():
    found = placed(
        "2026-12-08", timed("a", "2026-12-08 08:55", "2026-12-08 09:50"), timed("b", "2026-12-08 09:50", "2026-12-08 10:45")
    )
    assert found == [("a", 535, 590, 0, 12), ("b", 590, 645, 0, 12)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["10-12", "11-13"], [(0, 6), (6, 6)]),
        (["10-12", "10-11", "11-12"], [(0, 6), (6, 6), (6, 6)]),
        (["10-13", "10-11", "10-11", "11-12"], [(0, 4), (4, 4), (8, 4), (4, 8)]),  # the last is as wide as there is room
        (["10-12"] * 5, [(0, 2), (2, 2), (4, 3), (7, 2), (9, 3)]),
        (["08-09", "08-09", "10-11"], [(0, 6), (6, 6), (0, 12)]),
    ],
)
def test_what_overlaps_stands_side_by_side(times, expected):
    events = []
    for number, one in enumerate(times):
        begins, ends = one.split("-")
        events.append(timed(f"{number}", f"2026-12-08 {begins}:00", f"2026-12-08 {ends}:00"))
    by_name = {name: (column, width) for name, _start, _end, column, width in placed("2026-12-08", *events)}
    assert [by_name[str(number)] for number in range(len(times))] == expected


def test_what_has_no_room_is_counted():
    events = [timed(f"{number}", "2026-12-08 10:00", "2026-12-08 11:00") for number in range(9)]
    column = hours.column_of(date(2026, 12, 8), events, 4)
    assert (len(column.blocks), column.more) == (4, 5)


@pytest.mark.parametrize("seed", range(20))
def test_what_has_room_is_known_from_the_times_alone(seed):
    by_chance, day = random.Random(seed), date(2026, 12, 8)
    midnight = happenings.midnight(day, PARIS)
    events = []
    for _number in range(60):
        begins = by_chance.randrange(0, 86_400, 600)
        length = by_chance.choice((0, 300, 900, 3_000, 3_600, 5_400, 20_000))
        events.append(at(f"{len(events)}", midnight + begins, min(midnight + begins + length, midnight + 86_400)))
    times = [(one.start, one.end, int(one.summary)) for one in events]
    room = hours.with_room(times, midnight + 86_400, 4)
    everything = hours.column_of(day, events, 4)
    chosen = hours.column_of(day, [events[number] for number in room], 4, len(events) - len(room))

    def parts(column: hours.DayColumn) -> list[tuple[int, int]]:
        return [(one.start, one.end) for one in column.blocks]

    assert chosen.more == everything.more > 0
    assert parts(chosen) == parts(everything)


def test_over_midnight_there_is_a_part_on_each_day():
    night = timed("night", "2026-12-08 22:00", "2026-12-09 02:00")
    assert placed("2026-12-08", night) == [("night", 1320, 1440, 0, 12)]
    assert placed("2026-12-09", night) == [("night", 0, 120, 0, 12)]


def test_what_takes_no_time_can_be_seen_even_at_the_end_of_the_day():
    assert placed("2026-12-08", timed("x", "2026-12-08 12:00", "2026-12-08 12:00")) == [("x", 720, 745, 0, 12)]
    assert placed("2026-12-08", timed("x", "2026-12-08 23:59", "2026-12-08 23:59")) == [("x", 1415, 1440, 0, 12)]


def test_hours_grow_to_what_there_is():
    late = hours.column_of(date(2026, 12, 8), [timed("x", "2026-12-08 21:10", "2026-12-08 21:40")])
    assert hours.hours_shown([late], 8, 18) == (8, 22)
    assert hours.hours_shown([hours.column_of(date(2026, 12, 8), [])], 20, 8) == (20, 21)  # a choice that means nothing


def test_classes_of_a_place():
    block = hours.column_of(date(2026, 12, 8), [timed("x", "2026-12-08 08:55", "2026-12-08 09:50")]).blocks[0]
    assert block.css_classes(8) == "h0 m11 k0 l11 c0 w12"


# --- where clocks change: 2027-03-28 has 23 hours in Paris, 2026-10-25 has 25 -----------------------------------------


def test_the_hour_that_is_left_out_is_empty():
    assert hours.clock_change(date(2027, 3, 28), PARIS) == 60
    event = timed("x", "2027-03-28 01:30", "2027-03-28 03:30")  # one hour
    assert event.end - event.start == 3600
    assert placed("2027-03-28", event) == [("x", 90, 210, 0, 12)]


def test_a_time_that_does_not_exist_is_an_hour_later():
    event = timed("x", "2027-03-28 02:30", "2027-03-28 03:30")
    assert event.begins.strftime("%H:%M") == "03:30"


def test_the_hour_that_comes_twice_has_both():
    assert hours.clock_change(date(2026, 10, 25), PARIS) == -60
    first, second = timed("1", "2026-10-25 02:30", "2026-10-25 02:45"), timed("2", "2026-10-25 02:30+", "2026-10-25 02:45+")
    assert second.start - first.start == 3600
    assert [one[:2] for one in placed("2026-10-25", second, first)] == [("1", 150), ("2", 150)]
    assert hours.is_twice(first.begins) and hours.is_twice(second.begins)
    assert not hours.is_twice(timed("x", "2026-10-25 03:30", "2026-10-25 04:00").begins)


def test_an_end_before_the_beginning_by_the_clock_is_still_a_block():
    event = timed("x", "2026-10-25 02:50", "2026-10-25 02:10+")  # twenty minutes
    assert placed("2026-10-25", event) == [("x", 170, 195, 0, 12)]


def test_a_day_of_25_hours_is_one_day():
    event = timed("x", "2026-10-25 00:00", "2026-10-26 00:00")
    assert (event.first, event.last, event.is_bar) == (date(2026, 10, 25), date(2026, 10, 25), True)


def test_a_whole_day_is_that_day_wherever_one_is():
    for zone in ("Pacific/Kiritimati", "Pacific/Niue", "America/New_York"):
        start = int(datetime(2026, 12, 8, tzinfo=UTC).timestamp())
        found = happenings.happening(
            (1, 1, start, start + 86_400, 1, "", "x", "", 2, "", "x", "x", "", "", 0), {1: "own"}, ZoneInfo(zone)
        )
        assert found is not None and (found.first, found.last) == (date(2026, 12, 8), date(2026, 12, 8))
