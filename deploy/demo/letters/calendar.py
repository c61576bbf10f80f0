"""Demo calendar: formats dates in French and English, and picks plausible times for messages."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def in_french(day: datetime) -> str:
    """As "jeudi 26 novembre"."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{DAYS[day.weekday()]} {number} {MONTHS[day.month - 1]}"


def in_english(day: datetime) -> str:
    return f"{day.day} {MONTHS_EN[day.month - 1]}"


def school_day(start: datetime, days: int) -> datetime:
    """The first Monday to Friday `days` or more after `start`."""
    day = start + timedelta(days=days)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day


def term(day: datetime) -> str:
    return "1er trimestre" if day.month in (9, 10, 11, 12) else "2e trimestre" if day.month in (1, 2, 3) else "3e trimestre"


def school_year(day: datetime) -> str:
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first}-{first + 1}"


def moment(dice: random.Random, earliest: datetime, latest: datetime) -> datetime:
    """A plausible time for a message between the two: mostly working hours, rarely at weekends, hardly ever in summer."""
    while True:
        day = earliest + (latest - earliest) * dice.random()
        hour = dice.choices(range(6, 24), [1, 5, 9, 8, 9, 7, 5, 5, 7, 7, 8, 7, 5, 4, 4, 3, 2, 1])[0]
        when = day.replace(hour=hour, minute=dice.randrange(60), second=dice.randrange(60), microsecond=0)
        summer = (7, 6) < (when.month, when.day) < (8, 27)
        likely = (0.08 if summer else 1.0) * (0.2 if when.weekday() > 4 else 1.0)
        if earliest <= when <= latest and dice.random() < likely:
            return when
