"""Time zones by the names of Windows and by IANA's: Graph says the first and takes either, calendars have the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from webmail.mime.formats.calendars import calendar_parsing

UTC_NAME = "UTC"
_UTC_NAMES = {"utc", "tzone://microsoft/utc", "etc/utc", "coordinated universal time", "gmt", "z"}
_COMPARED = [datetime(2025, month, 15, 12, tzinfo=UTC) + timedelta(days=365 * more) for month in range(1, 13) for more in (0, 3)]


def zone_named(name: str) -> tzinfo | None:
    """The zone that Graph means; None for one that only its mailbox knows ("Customized Time Zone")."""
    if name.strip().lower() in _UTC_NAMES:
        return UTC
    try:
        found = calendar_parsing.known_zone(name.strip())
    except (ValueError, TypeError, LookupError, OSError):
        return None
    return found if isinstance(found, ZoneInfo) else None


def iana_name(zone: tzinfo) -> str:
    return zone.key if isinstance(zone, ZoneInfo) else UTC_NAME


@lru_cache(maxsize=512)
def windows_name(name: str) -> str:
    """The name that Windows has for an IANA zone, or for one whose clocks go the same; the same name where there is none."""
    if name.lower() in _UTC_NAMES or not name:
        return UTC_NAME
    same = _by_iana().get(name)
    if same is not None:
        return same
    zone = zone_named(name)
    if zone is None:
        return name
    offsets = _offsets(zone)
    near = [windows for iana, windows in _by_iana().items() if iana.partition("/")[0] == name.partition("/")[0]]
    return next((windows for windows in near if (twin := zone_named(windows)) is not None and _offsets(twin) == offsets), name)


@lru_cache(maxsize=1)
def _by_iana() -> dict[str, str]:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    found: dict[str, str] = {}
    for windows, iana in WINDOWS_TO_OLSON.items():
        found.setdefault(iana, windows)
    return found


def _offsets(zone: tzinfo) -> list[timedelta | None]:
    return [at.astimezone(zone).utcoffset() for at in _COMPARED]
