"""Occurrences: when an event takes place, with what recurs, its exceptions and what was moved. For checked objects only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from typing import Any

from webmail.mime.formats.calendars import calendar_parsing
from webmail.mime.formats.calendars.calendar_object import ReadObject, UnusableCalendarError, plain
from webmail.mime.formats.recurrence import plain_series, recurrence_edit, stepped_rules
from webmail.mime.formats.zones import zone_cities

MOST = 10_000  # occurrences of one object in the time that is asked for
FOR_EVER = 2**53
_FREE = ("TRANSPARENT",)
_FIRST = "X-FIRST"  # when a changed one begins, in the copies of it that a library makes
_LATEST = datetime(9990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Taking:
    """One occurrence; `start` and `end` in seconds since 1970, of whole days: midnight UTC."""

    start: int
    end: int
    whole_day: bool
    recurrence_id: str
    summary: str
    location: str
    busy: int  # 0: free, 1: tentatively, 2: busy
    status: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class Expansion:
    """All there is of an object between two moments; `first` and `last`: of the whole object, `last` at the latest."""

    first: int
    last: int
    takings: tuple[Taking, ...]

    @property
    def busy(self) -> bool:
        return any(one.busy for one in self.takings)


@lru_cache(maxsize=1)
def library() -> Any:
    """What expands all that recurs."""
    import recurring_ical_events  # imported when first needed

    return recurring_ical_events


def expand(read: ReadObject, start: int, end: int, zone: tzinfo) -> Expansion:
    """The occurrences of an event that touch the time from `start` to `end` (seconds since 1970).

    `zone`: where times without a zone are meant. Raises UnusableCalendarError.
    """
    try:
        calendar = calendar_parsing.read_calendar(zone_cities.with_known_names(read.reduced))
        zone = (calendar_parsing.known_zone(read.zone) if read.zone else None) or zone
        events = calendar.walk("VEVENT")
        if not events or any("DTSTART" not in event for event in events):
            raise UnusableCalendarError("an event without a beginning")
        usual = any(_is_private(event) for event in events if "RECURRENCE-ID" not in event)
        own = [taking(event, zone, usual) for event in events]
        if not read.recurring:
            return Expansion(min(one.start for one in own), max(one.end for one in own), tuple(own))
        first, last = _extent(events, own, zone)
        if plain_series.is_plain(events):
            takings = tuple(_few(_plain(events[0], own[0], start, end, zone)))
        else:
            for event in events:
                end_rule(event, max(end, 0))
                if "RECURRENCE-ID" in event:
                    event[_FIRST] = event["DTSTART"].dt
            found = _few(library().of(calendar, skip_bad_series=False).between(moment_at(start), moment_at(end)))
            takings = _each_once(_named(taking(event, zone, usual), event) for event in found)
        return Expansion(first, max([last, *(one.end for one in takings)]), takings)
    except UnusableCalendarError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UnusableCalendarError(f"it can't be read: {error}"[:200]) from error


def _plain(event: Any, own: Taking, start: int, end: int, zone: tzinfo) -> Iterator[Taking]:
    """What touches the time from `start` to `end` of a series of which `own` is the first."""
    for begins, ends, name in plain_series.spans(event, moment_at(end), zone):
        if begins < end and (ends > start or begins >= start):
            yield Taking(begins, ends, own.whole_day, name, own.summary, own.location, own.busy, own.status, own.private)


def _each_once(found: Iterable[Taking]) -> tuple[Taking, ...]:
    """Without what is there twice: by a rule at an hour that the clock skips, and at the one after it."""
    known: dict[tuple[object, ...], Taking] = {}
    for one in found:
        known.setdefault((one.start, one.end, one.summary, one.location, one.status), one)
    return tuple(known.values())


def _named(item: Taking, event: Any) -> Taking:
    """One of those that were all changed at once has the name of the first of them (RANGE=THISANDFUTURE): it gets its own."""
    named, first, begins = event.get("RECURRENCE-ID"), event.get(_FIRST), event["DTSTART"].dt
    if first is None or "RANGE" not in named.params or type(named.dt) is not type(begins):
        return item
    moved = _clock(begins) - _clock(first)
    if not isinstance(begins, datetime):
        return replace(item, recurrence_id=f"{named.dt + moved:%Y%m%d}")
    at = named.dt
    if at.tzinfo is not None and begins.tzinfo is not None:  # by the clock of the series
        at = (at.astimezone(begins.tzinfo) + moved).astimezone(at.tzinfo)
    else:
        at += moved
    return replace(item, recurrence_id=f"{at:%Y%m%dT%H%M%S}" + ("Z" if item.recurrence_id.endswith("Z") else ""))


def _few(found: Iterable[Any]) -> list[Any]:
    several = list(islice(found, MOST + 1))
    if len(several) > MOST:
        raise UnusableCalendarError("too many occurrences")
    return several


def end_rule(event: Any, until: int) -> None:
    """End the rule at `until`, so that one which never applies is not looked for until the year 9999."""
    rule = event.get("RRULE")
    if rule is None:
        return
    last = moment_at(until) + timedelta(days=2)
    begins = event["DTSTART"].dt
    parts = recurrence_edit.parts_of(rule.to_ical().decode())
    if stepped_rules.is_stepped(parts):
        _write_out(event, begins, last)
        return
    if (united := stepped_rules.as_meant(parts, begins)) != parts:
        rule = event["RRULE"] = type(rule).from_ical(recurrence_edit.text_of(united))
    given = rule.get("UNTIL")
    if given and isinstance(begins, datetime) and not isinstance(given[0], datetime):  # a day, as some write it: all of it
        evening = datetime.combine(given[0], time(23, 59, 59), tzinfo=begins.tzinfo)
        given = rule["UNTIL"] = [evening.astimezone(UTC) if begins.tzinfo else evening]
    if given and _as_moment(given[0]) <= last:
        return
    if "COUNT" in rule:
        last = _last_counted(rule, begins, last)
        del rule["COUNT"]
    if not isinstance(begins, datetime):
        rule["UNTIL"] = [last.date()]
    else:
        rule["UNTIL"] = [last.replace(tzinfo=None) if begins.tzinfo is None else last]


def _write_out(event: Any, begins: date | datetime, last: datetime) -> None:
    """Give the event each time of its rule until `last`, instead of the rule: the library would look on until the year 9999."""
    zone = begins.tzinfo if isinstance(begins, datetime) else None
    before = (last.astimezone(zone) if zone else last).replace(tzinfo=None)
    found = recurrence_edit.dates(event.pop("RRULE").to_ical().decode(), _clock(begins), before, zone)[:MOST]
    if not isinstance(begins, datetime):
        event.add("RDATE", [one.date() for one in found])
    elif found:
        event.add("RDATE", [one.replace(tzinfo=zone) for one in found])


def _last_counted(rule: Any, begins: date | datetime, last: datetime) -> datetime:
    """When the last one takes place of a rule that says how many there are; `last`, if not all do until then."""
    from dateutil.rrule import rrulestr  # imported when first needed

    zone = begins.tzinfo if isinstance(begins, datetime) else None
    local = begins.replace(tzinfo=None) if isinstance(begins, datetime) else datetime(begins.year, begins.month, begins.day)
    end = last.astimezone(zone) if zone else last
    parts = [part for part in rule.to_ical().decode().split(";") if not part.startswith(("COUNT=", "UNTIL="))]
    text = ";".join([*parts, f"UNTIL={end.replace(tzinfo=None):%Y%m%dT%H%M%S}"])
    counted = list(islice(rrulestr(text, dtstart=local), int(rule["COUNT"][0])))
    if not counted:
        return last
    return min(counted[-1].replace(tzinfo=zone or UTC).astimezone(UTC), last)


def _is_private(event: Any, usual: bool = False) -> bool:
    """Whether an event says that it is not for everybody; `usual`: of a changed one of a series that says nothing."""
    told = _listed(event.get("CLASS"))
    return any(str(one).strip().upper() != "PUBLIC" for one in told) if told else usual and "RECURRENCE-ID" in event


def taking(event: Any, zone: tzinfo, private: bool = False) -> Taking:
    """When an event of the library takes place. `private`: whether its series is."""
    begins = event["DTSTART"].dt
    whole_day = not isinstance(begins, datetime)
    exact = 0
    if "DTEND" in event:
        ends = event["DTEND"].dt
    elif "DURATION" in event:
        days, exact = plain_series.in_parts(event["DURATION"].dt)
        ends = begins + days
    else:
        ends = begins
    start, end = seconds(begins, zone), seconds(ends, zone) + exact
    if whole_day:
        end = max(end, start + 86_400)  # some write the same day as the end
    elif end <= start:  # clocks go forward in it: what begins at a time that there is not lasts as long all the same
        end = start + max(int((_clock(ends) - _clock(begins)).total_seconds()), 0)
    status = str(event.get("STATUS", "")).upper()[:12]
    free = str(event.get("TRANSP", "")).upper() in _FREE or status == "CANCELLED"
    named = event.get("RECURRENCE-ID")
    return Taking(
        start=start,
        end=max(end, start),
        whole_day=whole_day,
        recurrence_id=named.to_ical().decode() if named is not None else "",
        summary=plain(str(event.get("SUMMARY", "")))[:300],
        location=plain(str(event.get("LOCATION", "")))[:300],
        busy=0 if free else 1 if status == "TENTATIVE" else 2,
        status=status,
        private=_is_private(event, private),
    )


def _clock(moment: date | datetime) -> datetime:
    """What a clock shows then."""
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def _extent(events: list[Any], own: list[Taking], zone: tzinfo) -> tuple[int, int]:
    """When the object begins and ends, whatever the time that is asked for. The end may be too late, never too early."""
    first, last = min(one.start for one in own), max(one.end for one in own)
    for event, one in zip(events, own, strict=True):
        if (rule := event.get("RRULE")) is not None:
            last = max(last, _rule_end(rule, one))
        for dates in _listed(event.get("RDATE")):
            for moment in getattr(dates, "dts", ()):
                begins = moment.dt[0] if isinstance(moment.dt, tuple) else moment.dt
                at = seconds(begins, zone)
                first, last = min(first, at), max(last, at + one.end - one.start + 86_400 * 2)
    return first, min(last, FOR_EVER)


def _rule_end(rule: Any, item: Taking) -> int:
    length = item.end - item.start
    if rule.get("UNTIL"):
        return int(_as_moment(rule["UNTIL"][0]).timestamp()) + length + 3 * 86_400  # a day, wherever
    if "COUNT" in rule and not any(name.upper().startswith("BY") for name in rule):
        days = {"WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
        step = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3_600} | {name: many * 86_400 for name, many in days.items()}
        steps = int(rule["COUNT"][0]) * int((rule.get("INTERVAL") or [1])[0])
        # a monthly rule on the 31st, a yearly one on the 29th of February: up to eight steps for one
        return item.start + steps * step.get(str(rule["FREQ"][0]).upper(), 86_400) * 8 + length
    return FOR_EVER


def seconds(moment: date | datetime, zone: tzinfo) -> int:
    """Seconds since 1970 of a moment; of a day: of its midnight UTC; of a time without a zone: as in `zone`."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return int(moment.timestamp())


def _as_moment(value: date | datetime) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def moment_at(at: int) -> datetime:
    """The moment so many seconds after 1970, or the nearest that the library takes."""
    try:
        return min(datetime.fromtimestamp(max(at, -(2**31)), UTC), _LATEST)
    except (OverflowError, ValueError, OSError):
        return _LATEST


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
