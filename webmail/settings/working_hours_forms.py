"""Working-hours form: the hours and the place of each weekday as they are typed, and the week that they say."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail import schedule
from webmail.calendar.free_busy import working_hours
from webmail.calendar.free_busy.working_hours import WorkWeek
from webmail.mime.formats.calendars import availability
from webmail.mime.formats.calendars.availability import DAY, MOST_SPANS, PLACES, Availability, Span, WorkDay

_SPANS = 2  # pairs of hours that are offered for a day; a device may have said more
_LONGEST = 9  # characters of an hour


@dataclass(slots=True)
class WorkDayForm:
    """A weekday as typed. `number`: 0 is Monday; `hours`: pairs of times."""

    number: int
    hours: list[tuple[str, str]]
    place: str = ""
    error: str = ""


@dataclass(slots=True)
class WorkingHoursForm:
    days: list[WorkDayForm] = field(default_factory=list)

    @classmethod
    def showing(cls, week: WorkWeek) -> WorkingHoursForm:
        return cls([WorkDayForm(at, _typed_as(day), day.place) for at, day in enumerate(week.days)])

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> WorkingHoursForm:
        def text(name: str) -> str:
            return values.get(name, "")[:_LONGEST].strip()

        days = []
        for at in range(7):
            pairs = [(text(f"from-{at}-{pair}"), text(f"to-{at}-{pair}")) for pair in range(MOST_SPANS)]
            while len(pairs) > _SPANS and not any(pairs[-1]):
                pairs.pop()
            days.append(WorkDayForm(at, pairs, text(f"place-{at}")))
        return cls(days)

    def read(self) -> str | None:
        """The week as it is kept; None where something is wrong, and the days say what."""
        found = [_read(day) for day in self.days]
        if any(day.error for day in self.days):
            return None
        return working_hours.to_text(Availability(tuple(found)))


def _typed_as(day: WorkDay) -> list[tuple[str, str]]:
    pairs = [(_clock(start), _clock(end)) for start, end in day.spans]
    return pairs + [("", "")] * (_SPANS - len(pairs))


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"  # fields of times know no 24:00


def _read(day: WorkDayForm) -> WorkDay:
    spans: list[Span] = []
    for start, end in day.hours:
        if not start and not end:
            continue
        try:
            span = _minutes(start), _minutes(end) or DAY
        except ValueError:
            day.error = _("Enter two times such as 8:30 and 12:00, or leave both empty.")
            continue
        if span[0] >= span[1]:
            day.error = _("The end must be later than the beginning.")
        spans.append(span)
    if not day.error and any(one[1] > other[0] for one, other in zip(sorted(spans), sorted(spans)[1:], strict=False)):
        day.error = _("These hours overlap.")
    return WorkDay(availability.joined(spans), day.place if day.place in PLACES and spans else "")


def _minutes(text: str) -> int:
    found = schedule.time_of_day(text)
    return found.hour * 60 + found.minute
