"""Copy of an absence's times among a person's preferences, for the banner of every page: none of them asks the mail server.

It is made anew whenever filters are read or written, so it is as true as the last look at them. What is not in force (off,
paused, another program's script in its place) has no copy. The event that shows it in the calendar follows it.
"""

from __future__ import annotations

from webmail import preferences
from webmail.calendar.free_busy import absence_event, absence_times
from webmail.config.settings import Settings
from webmail.filters.absence.absence import Absence
from webmail.filters.store import FilterState
from webmail.models import User


def keep(user: User, state: FilterState, settings: Settings) -> None:
    """Make the copy as the state is. Nothing where it is so already; else 3 queries, and those of the event."""
    keep_times(user, state.filters.absence, settings, in_force=state.is_active and not state.filters.paused)


def keep_times(user: User, absence: Absence, settings: Settings, *, in_force: bool = True) -> None:
    known = absence_times.written(absence.start, absence.until) if absence.on and in_force else ""
    if preferences.for_user(user).absence != known:
        preferences.change(user, absence=known)
    absence_event.keep(user, settings)
