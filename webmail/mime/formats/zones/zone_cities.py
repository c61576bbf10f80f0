"""Time zones by what Windows shows for them: "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris"."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_SHOWN = re.compile(r"\((?:UTC|GMT)(?: ?([+-])(\d\d)[:.](\d\d))?\) ?([^()]{2,200})")
_IN_TEXT = re.compile(r'TZID=(?:"(\((?:UTC|GMT)[^"\r\n]{0,200})"|(\((?:UTC|GMT)[^":;\r\n]{0,200}))')
_REGIONS = {
    "eastern time": "America/New_York", "central time": "America/Chicago", "mountain time": "America/Denver",
    "pacific time": "America/Los_Angeles", "atlantic time": "America/Halifax", "hawaii": "Pacific/Honolulu",
    "alaska": "America/Anchorage", "coordinated universal time": "UTC", "bern": "Europe/Zurich", "edinburgh": "Europe/London",
    "beijing": "Asia/Shanghai", "mumbai": "Asia/Kolkata", "new delhi": "Asia/Kolkata", "kyiv": "Europe/Kyiv",
    "osaka": "Asia/Tokyo",
}  # fmt: skip


@lru_cache(maxsize=256)
def zone_shown_as(name: str) -> str:
    """The IANA name of the zone that is shown so; "" for what is no such name."""
    match = _SHOWN.match(name.replace("\\", "").strip())
    if match is None:
        return ""
    offset = timedelta(hours=int(match[2] or 0), minutes=int(match[3] or 0)) * (-1 if match[1] == "-" else 1)
    for city in re.split(r"[,/;]| - ", match[4]):
        word = re.sub(r"\s+", " ", city).strip().lower()
        zone = _REGIONS.get(word) or _cities().get(word.replace(" ", "_"), "")
        if zone and offset in _offsets(zone):
            return zone
    return ""


def with_known_names(text: str) -> str:
    """A calendar's text with the names of zones in place of what is shown for them, unless it defines these itself."""
    if "TZID" not in text or ("(UTC" not in text and "(GMT" not in text):
        return text

    def known(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        defined = re.search(rf"^TZID:{re.escape(name)}\s*$", text.replace("\\", ""), re.MULTILINE)
        zone = "" if defined else zone_shown_as(name)
        return f"TZID={zone}" if zone else match[0]

    names = set(_IN_TEXT.findall(text))
    return _IN_TEXT.sub(known, text) if len(names) <= _MOST else text


_MOST = 20  # such names in one text


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    return {name.rpartition("/")[2].lower(): name for name in sorted(available_timezones(), reverse=True) if "/" in name}


def _offsets(zone: str) -> set[timedelta | None]:
    """In winter and in summer."""
    return {datetime(2026, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)}
