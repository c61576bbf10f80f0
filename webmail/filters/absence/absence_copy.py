"""Copy of an absence's times among a person's preferences, for the banner of every page: none of them asks the mail server.

It is made anew whenever filters are read or written, so it is as true as the last look at them. What is not in force (off,
paused, another program's script in its place) has no copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from webmail import preferences
from webmail.filters.absence.absence import Absence
from webmail.filters.store import FilterState
from webmail.models import User

SOON = timedelta(days=2)
_PATTERN = "%Y-%m-%dT%H:%MZ"


class AbsencePhase(StrEnum):
    SOON = "soon"
    ON = "on"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class KnownAbsence:
    """What the banner tells: times are UTC, None where it has no beginning or no end."""

    start: datetime | None
    until: datetime | None

    def phase(self, at: datetime) -> AbsencePhase | None:
        """None: it begins later than pages speak of it."""
        if self.until and at >= self.until:
            return AbsencePhase.OVER
        if self.start and at < self.start:
            return AbsencePhase.SOON if self.start - at <= SOON else None
        return AbsencePhase.ON


def keep(user: User, state: FilterState) -> None:
    """Make the copy as the state is. Nothing where it is so already; else 3 queries."""
    keep_times(user, state.filters.absence, in_force=state.is_active and not state.filters.paused)


def keep_times(user: User, absence: Absence, *, in_force: bool = True) -> None:
    known = f"{_text(absence.start)}/{_text(absence.until)}" if absence.on and in_force else ""
    if preferences.for_user(user).absence != known:
        preferences.change(user, absence=known)


def parse(copy: str) -> KnownAbsence | None:
    """What a preference says; None for nothing."""
    if not copy:
        return None
    start, _, until = copy.partition("/")
    return KnownAbsence(_moment(start), _moment(until))


def _text(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime(_PATTERN) if at else ""


def _moment(text: str) -> datetime | None:
    return datetime.strptime(text, _PATTERN).replace(tzinfo=UTC) if text else None
