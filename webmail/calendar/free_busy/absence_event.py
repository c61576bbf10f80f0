"""The event of an absence: where somebody chose it, their calendar shows when they are away, and changes with the absence.

One that is over stays; one that ends early ends in the calendar too. What the person did with the event themselves counts: one
that they deleted comes back only with another absence.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, tzinfo

from flask_babel import gettext as _

from webmail import preferences, system_mail
from webmail.calendar import editing, event_changes, objects
from webmail.calendar.editing import Write
from webmail.calendar.free_busy import absence_times
from webmail.calendar.objects import UidTakenError
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.component_tree import TextLine, component, made, made_text
from webmail.models import CalendarObject, User
from webmail.web.formatting import written_in

log = logging.getLogger(__name__)

_REFUSED = (editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError, LimitReachedError)


def keep(user: User, settings: Settings) -> None:
    """Have the calendar show the absence as it is known now. No query where it does."""
    chosen = preferences.for_user(user)
    known = absence_times.parse(chosen.absence) if chosen.absence_shown else None
    wanted = chosen.absence if known is not None and known.bounds() else ""
    held, _space, name = chosen.absence_event.partition(" ")
    if wanted == held:
        return
    try:
        name = _changed(user, held, name, wanted, settings)
    except _REFUSED as error:
        log.warning("the calendar of %s does not show the absence: %s", user.address, error)
        return
    preferences.change(user, absence_event=f"{wanted} {name}" if wanted else "")


def _changed(user: User, held: str, name: str, wanted: str, settings: Settings) -> str:
    """Write the event of the absence `wanted` ("" for none), in place of that of `held`; returns its calendar and name."""
    before, moment = absence_times.parse(held), datetime.now(UTC)
    over = before is None or before.until is None or before.until <= moment
    row = None if over else _row(user, name)
    after = absence_times.parse(wanted)
    if after is None:
        if row is not None and before is not None:
            begun = before.start is not None and before.start < moment
            text = _text(user, row.uid, before.start, moment.replace(second=0, microsecond=0), settings) if begun else ""
            editing.write(user, [Write(row.collection_id, row.href, text, row.etag)], settings)
        return ""
    uid = row.uid if row is not None else event_changes.new_uid()
    text = _text(user, uid, after.start, after.until, settings)
    if row is None:
        calendar = collections.default_collection(user, collections.CALENDAR).id
        write = Write(calendar, event_changes.href_of(uid), text)
    else:
        write = Write(row.collection_id, row.href, text, row.etag)
    editing.write(user, [write], settings)
    return f"{write.calendar}/{write.href}"


def _row(user: User, name: str) -> CalendarObject | None:
    number, _slash, href = name.partition("/")
    own = [one.collection.id for one in editing.calendars(user) if one.writes]
    if not number.isdigit() or int(number) not in own:
        return None
    found: CalendarObject | None = CalendarObject.get_or_none(
        CalendarObject.collection == int(number), CalendarObject.href == href
    )
    return found


def _text(user: User, uid: str, start: datetime | None, until: datetime | None, settings: Settings) -> str:
    """Of whole days where it begins and ends at midnight by the person's clock."""
    assert start is not None and until is not None
    zone = objects.zone_of(preferences.for_user(user).time_zone or settings.timezone)
    days = [_day(at, zone) for at in (start, until)]
    times = [
        made(name, f"{day:%Y%m%d}", ";VALUE=DATE") if all(days) and day else made(name, f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
        for name, day, at in zip(("DTSTART", "DTEND"), days, (start, until), strict=True)
    ]
    stamp = made("DTSTAMP", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with written_in(system_mail.in_language_of(user, settings)):
        title: TextLine = made_text("SUMMARY", _("Out of office"))
    lines = [made("UID", uid), stamp, *times, title, made("TRANSP", "OPAQUE"), made("X-MICROSOFT-CDO-BUSYSTATUS", "OOF")]
    head = [made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN")]
    return str(component("VCALENDAR", *head, component("VEVENT", *lines)))


def _day(at: datetime, zone: tzinfo) -> date | None:
    local = at.astimezone(zone)
    return local.date() if (local.hour, local.minute) == (0, 0) else None
