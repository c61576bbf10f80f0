"""Bars: which line of a week each event stands on, so that one of several days is a bar across them, and days stay aligned."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from webmail.calendar.display.happenings import Happening


@dataclass(slots=True)
class Piece:
    """What one day of a week shows of an event. `span`: over how many days its title may run, 0 where it stands before."""

    event: Happening
    span: int = 1
    begins: bool = True  # it begins on this day, and ends on it
    ends: bool = True
    beyond: bool = False  # it goes on after this week

    @property
    def goes_on(self) -> bool:
        return self.span == 0


@dataclass(slots=True)
class DayLines:
    """The lines of one day, None where a line is empty; `more`: how many events have none, `rest`: these, as far as they were
    given, in their order; `count`: of all."""

    day: date
    lines: list[Piece | None] = field(default_factory=list)
    more: int = 0
    count: int = 0
    rest: tuple[Happening, ...] = ()

    @property
    def key(self) -> tuple[Hashable, ...]:
        """All that decides how it looks, besides the calendars."""
        lines = (one and (one.event.key, one.span, one.begins, one.ends, one.beyond) for one in self.lines)
        return self.day, self.more, self.count, tuple(one.key for one in self.rest), *lines


def laid_out(
    week: Sequence[date], events: Sequence[Happening], most: int, counts: Mapping[date, int] | None = None
) -> list[DayLines]:
    """The lines of each day, at most `most`. Bars first, the earlier and longer above; then what fits between, by time.

    The last line of a day that has more events than lines is left for saying so. `counts`: how many each day has, where `events`
    are not all of them.
    """
    days = {day: DayLines(day) for day in week}
    within = [(one, _within(one, week)) for one in events]
    for _one, on in within:
        for day in on:
            days[day].count += 1
    for day, lines in days.items():
        lines.count = counts.get(day, 0) if counts is not None else lines.count
    room = {day: most if lines.count <= most else most - 1 for day, lines in days.items()}
    bars = [one for one in within if one[0].is_bar]
    bars.sort(key=lambda one: (one[0].first, -(one[0].last - one[0].first).days, one[0].order))
    for one, on in bars:
        _lay_bar(one, on, days, room)
    for one, on in sorted((one for one in within if not one[0].is_bar), key=lambda one: one[0].order):
        for day in on:
            _put(days[day], room[day], Piece(one, 1, one.first == day, one.last == day))
    for lines in days.values():
        while lines.lines and lines.lines[-1] is None:
            lines.lines.pop()
        lines.more = lines.count - sum(one is not None for one in lines.lines)
        if lines.more:
            lines.rest = _rest(lines, within)
    return list(days.values())


def _rest(day: DayLines, within: Sequence[tuple[Happening, list[date]]]) -> tuple[Happening, ...]:
    shown = {id(piece.event) for piece in day.lines if piece}
    left = [one for one, on in within if day.day in on and id(one) not in shown]
    return tuple(sorted(left, key=lambda one: (not one.is_bar, one.order)))


def _within(happening: Happening, week: Sequence[date]) -> list[date]:
    if happening.first == happening.last:  # most of them
        return [happening.first] if week[0] <= happening.first <= week[-1] else []
    return [day for day in week if happening.first <= day <= happening.last]


def _lay_bar(happening: Happening, within: list[date], days: dict[date, DayLines], space: dict[date, int]) -> None:
    """On the first line that is free on all its days, if there is one."""
    if not within:
        return
    most = min(space[day] for day in within)
    for line in range(most):
        if all(line >= len(days[day].lines) or days[day].lines[line] is None for day in within):
            for number, day in enumerate(within):
                span = len(within) if number == 0 else 0
                _put_at(
                    days[day],
                    line,
                    Piece(happening, span, happening.first == day, happening.last == day, happening.last > within[-1]),
                )
            return


def _put(day: DayLines, space: int, piece: Piece) -> None:
    for line in range(space):
        if line >= len(day.lines) or day.lines[line] is None:
            _put_at(day, line, piece)
            return


def _put_at(day: DayLines, line: int, piece: Piece) -> None:
    day.lines += [None] * (line + 1 - len(day.lines))
    day.lines[line] = piece
