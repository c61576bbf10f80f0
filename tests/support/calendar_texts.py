"""Calendar objects for tests, and when what is in them takes place."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.recurrence import occurrences

PARIS = ZoneInfo("Europe/Paris")


def calendar(*events: str, uid: str = "one") -> str:
    """A calendar with these events, each given by its lines (without UID), "|" between them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *event.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def moment(text: str, zone: ZoneInfo = PARIS) -> int:
    """Seconds since 1970 of "2026-11-27 09:00"."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def takings(text: str, start: str = "2020-01-01", end: str = "2032-01-01") -> list[occurrences.Taking]:
    """What takes place between two days, in its order."""
    read = calendar_object.read(text)
    found = occurrences.expand(read, moment(start, ZoneInfo("UTC")), moment(end, ZoneInfo("UTC")), PARIS).takings
    return sorted(found, key=lambda one: (one.start, one.summary))


def times(text: str, start: str = "2020-01-01", end: str = "2032-01-01") -> list[str]:
    """When it takes place in Paris, with the titles: "2026-11-27 09:00 Conseil"."""
    return [f"{_local(one)} {one.summary}".strip() for one in takings(text, start, end)]


def _local(one: occurrences.Taking) -> str:
    at = datetime.fromtimestamp(one.start, UTC)
    return f"{at:%Y-%m-%d}" if one.whole_day else f"{at.astimezone(PARIS):%Y-%m-%d %H:%M}"
