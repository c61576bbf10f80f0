"""Times of an absence, as they are copied among a person's preferences (`webmail/filters/absence/absence_copy.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

SOON = timedelta(days=2)
_PATTERN = "%Y-%m-%dT%H:%MZ"


class AbsencePhase(StrEnum):
    SOON = "soon"
    ON = "on"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class KnownAbsence:
    """When somebody is away: times are UTC, None where it has no beginning or no end."""

    start: datetime | None
    until: datetime | None

    def phase(self, at: datetime) -> AbsencePhase | None:
        """None: it begins later than pages speak of it."""
        if self.until and at >= self.until:
            return AbsencePhase.OVER
        if self.start and at < self.start:
            return AbsencePhase.SOON if self.start - at <= SOON else None
        return AbsencePhase.ON

    def bounds(self) -> tuple[int, int] | None:
        """From when until when, in seconds since 1970; None where one of both is open."""
        if self.start is None or self.until is None:
            return None
        return int(self.start.timestamp()), int(self.until.timestamp())


def parse(copy: str) -> KnownAbsence | None:
    """What a preference says; None for nothing."""
    if not copy:
        return None
    start, _, until = copy.partition("/")
    return KnownAbsence(_moment(start), _moment(until))


def written(start: datetime | None, until: datetime | None) -> str:
    return "/".join(at.astimezone(UTC).strftime(_PATTERN) if at else "" for at in (start, until))


def _moment(text: str) -> datetime | None:
    return datetime.strptime(text, _PATTERN).replace(tzinfo=UTC) if text else None
