"""Time zones: the IANA names offered, and the one that somebody means by what they typed."""

from __future__ import annotations

import unicodedata
import zoneinfo
from functools import cache

from webmail.preferences import is_zone

_PLACES = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
# stations at the poles, and towns of one county of the United States each
_SELDOM = ("Antarctica/", "Arctic/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/")

# a second clock beside one's own is mostly for one of these; others are understood when they are typed
OFTEN = (
    "Africa/Algiers", "Africa/Casablanca", "Africa/Dakar", "Africa/Tunis", "America/Cayenne", "America/Guadeloupe",
    "America/Los_Angeles", "America/Martinique", "America/Miquelon", "America/New_York", "America/Sao_Paulo", "America/Toronto",
    "Asia/Dubai", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Europe/Athens", "Europe/Berlin",
    "Europe/Kyiv", "Europe/Lisbon", "Europe/London", "Europe/Madrid", "Europe/Paris", "Europe/Rome", "Indian/Mayotte",
    "Indian/Reunion", "Pacific/Noumea", "Pacific/Tahiti",
)  # fmt: skip


class UnknownZoneError(ValueError):
    """No time zone, or several, are called so."""


@cache
def names() -> tuple[str, ...]:
    """The names of places ("Europe/Paris"), in order. Reads the machine's database once: 30 ms."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in _PLACES))


def choices() -> list[str]:
    """Those to choose from, since each byte counts: without _SELDOM, which are understood when they are typed."""
    return [name for name in names() if not name.startswith(_SELDOM)]


def named(typed: str) -> str:
    """The name of the zone that is meant by "europe/paris", "Paris" or "New York"; "" for "". Raises UnknownZoneError."""
    wanted = _plain(typed)
    if not wanted:
        return ""
    if wanted == "utc":
        return "UTC"
    exact = [name for name in names() if _plain(name) == wanted]
    found = exact or [name for name in names() if _plain(name).rpartition("/")[2] == wanted]
    if len(found) != 1 or not is_zone(found[0]):
        raise UnknownZoneError(f"{typed[:80]!r} names {len(found)} time zones")
    return found[0]


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text[:100]).casefold()
    return "_".join("".join(c for c in decomposed if not unicodedata.combining(c)).replace("_", " ").split())
