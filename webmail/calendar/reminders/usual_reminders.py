"""Usual reminders: what new events begin with, by the person's preferences, or otherwise in single calendars, for them alone."""

from __future__ import annotations

from webmail import preferences
from webmail.models import User
from webmail.preferences import CHOICES, Preferences

AS_PREFERRED = ""
NAMES = ("remind_before", "remind_days")  # of events with hours, and of whole days


def in_calendars(existing: Preferences) -> dict[int, tuple[str, str]]:
    """By the `id` of a calendar: minutes before events with hours and before whole days, -1 for none, "" as preferred."""
    found = {}
    for one in existing.calendar_reminders:
        parts = one.split("/")
        if len(parts) == 3 and parts[0].isdecimal() and len(parts[0]) < 19:
            found[int(parts[0])] = (_checked(parts[1], NAMES[0]), _checked(parts[2], NAMES[1]))
    return found


def _checked(text: str, name: str) -> str:
    return text if text in map(str, CHOICES[name]) else AS_PREFERRED


def minutes(existing: Preferences, calendar: int, *, all_day: bool) -> int:
    """The reminder of a new event in a calendar (by `id`): so many minutes before it; -1 for none."""
    chosen = in_calendars(existing).get(calendar, (AS_PREFERRED, AS_PREFERRED))[all_day]
    return int(chosen) if chosen != AS_PREFERRED else int(getattr(existing, NAMES[all_day]))


def choose(user: User, calendar: int, before: str, days: str) -> None:
    """Have new events of a calendar (by `id`) begin with these. 3 queries."""
    chosen = in_calendars(preferences.for_user(user)) | {calendar: (_checked(before, NAMES[0]), _checked(days, NAMES[1]))}
    kept = [f"{number}/{one}/{other}" for number, (one, other) in chosen.items() if (one, other) != (AS_PREFERRED, AS_PREFERRED)]
    preferences.change(user, calendar_reminders=kept)
