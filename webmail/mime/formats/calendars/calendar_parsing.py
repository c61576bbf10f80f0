"""Calendars read by the library, each with the time zones that it defines itself.

The library keeps a zone by its name for the whole process: the "Customized Time Zone" of one person would be everybody's.
"""

from __future__ import annotations

import threading
from datetime import tzinfo
from functools import cache
from typing import Any

from webmail.mime.formats.zones import zone_transitions

_ONE = threading.Lock()


@cache
def _zones() -> Any:
    """Where the library has zones from: the machine, and what a text defines itself."""
    from icalendar.timezone.zoneinfo import ZONEINFO

    class Zones(ZONEINFO):
        def create_timezone(self, tz: Any, *_pytz: Any) -> tzinfo:
            return zone_transitions.zone_from_definition(tz.to_ical().decode("utf-8", "replace"))

    return Zones()


def read_calendar(text: str | bytes, *, multiple: bool = False) -> Any:
    """The calendar of a text, or all that are in it. Raises what the library does: ValueError, LookupError and others."""
    from icalendar import Calendar  # its 190 modules are imported when first needed
    from icalendar.timezone import tzp

    with _ONE:
        tzp.use(_zones())  # forgets the zones of others
        return Calendar.from_ical(text, multiple=True) if multiple else Calendar.from_ical(text)


def known_zone(name: str) -> tzinfo | None:
    """The zone of this name that the machine knows, also by Windows' names."""
    from icalendar.timezone import tzp

    with _ONE:
        tzp.use_zoneinfo()
        found: tzinfo | None = tzp.timezone(name)
        return found


def defined_zone(definition: str) -> tzinfo:
    """The zone of a VTIMEZONE, whatever the machine knows by its name. Raises as `read_calendar`."""
    from icalendar import Timezone
    from icalendar.timezone import tzp

    with _ONE:
        tzp.use(_zones())
        made: Any = Timezone.from_ical(definition)
        found: tzinfo = made.to_tz(lookup_tzid=False)
        tzp.use(_zones())  # it was kept by its name
        return found
