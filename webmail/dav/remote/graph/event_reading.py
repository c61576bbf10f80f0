"""Events as Graph has them, as calendar texts: a series with its changed and cancelled times is one text. Pure functions.

What a text said that Graph has no property for comes back from its extended property: see `extra_lines`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from webmail.dav.remote.graph import extra_lines
from webmail.dav.remote.graph.graph_rules import NoPatternError, rule_from
from webmail.dav.remote.graph.graph_zones import UTC_NAME, iana_name, zone_named
from webmail.mime.formats.calendars.component_tree import Component, TextLine, component, made, made_text
from webmail.mime.formats.zones import calendar_zones

Json = dict[str, Any]
PRODID = "-//Traboule//Microsoft 365//EN"
BUSY_STATUS = "X-MICROSOFT-CDO-BUSYSTATUS"
OWN_ANSWER = "X-TRABOULE-OWN-ANSWER"  # of the account there, as PARTSTAT has it: a guest's event tells of nobody else's
_BUSY = {"tentative": "TENTATIVE", "oof": "OOF", "workingElsewhere": "WORKINGELSEWHERE"}
_CLASS = {"personal": "PRIVATE", "private": "PRIVATE", "confidential": "CONFIDENTIAL"}
_PRIORITY = {"high": "1", "low": "9"}
_ANSWERS = {
    "accepted": "ACCEPTED", "declined": "DECLINED", "tentativelyAccepted": "TENTATIVE", "organizer": "ACCEPTED",
}  # fmt: skip
_ROLES = {"optional": ";ROLE=OPT-PARTICIPANT", "resource": ";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT"}


class UnreadableEventError(ValueError):
    """Not an event that a calendar can have."""


def text_from(event: Json, colours: Mapping[str, str] | None = None) -> str:
    """The calendar text. `event`: a single one or the master of a series, with `exceptionOccurrences`, `cancelledOccurrences`
    and its extended property; `colours`: of categories, as CSS calls them. Raises UnreadableEventError."""
    return str(extra_lines.restored(tree_from(event, colours), extra_lines.of_event(event)))


def tree_from(event: Json, colours: Mapping[str, str] | None = None) -> Component:
    """The same without what comes back from the extended property."""
    try:
        return _tree(event, colours or {})
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise UnreadableEventError(f"{type(error).__name__}: {error}"[:200]) from error


def _tree(event: Json, colours: Mapping[str, str]) -> Component:
    uid = extra_lines.of_event(event).uid or str(event.get("iCalUId") or event.get("id") or "")
    day, zone = bool(event.get("isAllDay")), zone_of_event(event)
    start = moment_from(event["start"], zone, day)
    root = component("VCALENDAR", made("VERSION", "2.0"), made("PRODID", PRODID))
    zones: dict[str, date] = {}
    master = _component(event, uid, colours, zones)
    if event.get("recurrence"):
        try:
            master.add(made("RRULE", rule_from(event["recurrence"], start)))
        except NoPatternError as error:
            raise UnreadableEventError(str(error)) from error
        for at in cancelled_times(event):
            master.add(_moment_line("EXDATE", at, zones))
    parts = [master]
    for changed in sorted(event.get("exceptionOccurrences") or [], key=lambda one: str(one.get("originalStart"))):
        part = _component({"isAllDay": day, **changed}, uid, colours, zones)
        part.items.insert(1, _moment_line("RECURRENCE-ID", original_time(changed, day, zone), zones))
        parts.append(part)
    for name, since in sorted(zones.items()):
        root.add(calendar_zones.written(name, since))
    for part in parts:
        root.add(part)
    return root


def zone_of_event(event: Json) -> tzinfo:
    """Where its times are meant."""
    for name in (event.get("originalStartTimeZone"), (event.get("start") or {}).get("timeZone")):
        if name and (found := zone_named(str(name))) is not None:
            return found
    return UTC


def moment_from(value: Json, zone: tzinfo, day: bool) -> date | datetime:
    """A day, or a time in this zone."""
    at = datetime.fromisoformat(str(value["dateTime"])[:19])
    if day:
        return at.date()
    return at.replace(tzinfo=zone_named(str(value.get("timeZone") or UTC_NAME)) or UTC).astimezone(zone)


def original_time(changed: Json, day: bool, zone: tzinfo) -> date | datetime:
    """When a changed time of a series was to be."""
    at = datetime.fromisoformat(str(changed["originalStart"])[:19])
    return at.date() if day else at.replace(tzinfo=UTC).astimezone(zone)


def cancelled_times(event: Json) -> list[date | datetime]:
    """When a series does not take place: its cancelled times are named by their days ("OID.….2026-12-24")."""
    day, zone = bool(event.get("isAllDay")), zone_of_event(event)
    start = moment_from(event["start"], zone, day)
    found: list[date | datetime] = []
    for name in event.get("cancelledOccurrences") or []:
        at = date.fromisoformat(str(name)[-10:])
        found.append(start.replace(year=at.year, month=at.month, day=at.day) if isinstance(start, datetime) else at)
    return sorted(set(found))


def _component(event: Json, uid: str, colours: Mapping[str, str], zones: dict[str, date]) -> Component:
    day, zone = bool(event.get("isAllDay")), zone_of_event(event)
    start, end = moment_from(event["start"], zone, day), moment_from(event["end"], zone, day)
    if day and end <= start:
        end = start + timedelta(days=1)
    changed = str(event.get("lastModifiedDateTime") or "1970-01-01T00:00:00")[:19]
    lines = [
        made("UID", extra_lines.value_without_breaks(uid)),
        made("DTSTAMP", f"{datetime.fromisoformat(changed):%Y%m%dT%H%M%SZ}"),
        _moment_line("DTSTART", start, zones), _moment_line("DTEND", end, zones),
        *_texts(event), *_flags(event), *_people(event),
    ]  # fmt: skip
    if colour := next((colours[name] for name in event.get("categories") or [] if name in colours), ""):
        lines.append(made("COLOR", colour))
    found = component("VEVENT", *lines)
    if event.get("isReminderOn"):
        minutes = int(event.get("reminderMinutesBeforeStart") or 0)
        found.add(_alarm(minutes, str(event.get("subject") or "")))
    return found


def _texts(event: Json) -> list[TextLine]:
    subject, place = _line(event.get("subject")), _line((event.get("location") or {}).get("displayName"))
    notes = body_text(event)
    categories = [str(one) for one in event.get("categories") or []]
    lines = [made_text("SUMMARY", subject)]
    lines += [made_text("LOCATION", place)] if place else []
    lines += [made_text("DESCRIPTION", notes)] if notes else []
    lines += [made("CATEGORIES", ",".join(made_text("X", one).value for one in categories))] if categories else []
    if link := join_link(event):
        lines.append(made("CONFERENCE", extra_lines.value_without_breaks(link), ";VALUE=URI;FEATURE=VIDEO"))
    return lines


def body_text(event: Json) -> str:
    body = event.get("body") or {}
    text = str(body.get("content") or "").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def join_link(event: Json) -> str:
    """Where one takes part in an online meeting, such as one in Teams."""
    link = str((event.get("onlineMeeting") or {}).get("joinUrl") or event.get("onlineMeetingUrl") or "")
    return link if link.startswith(("https://", "http://")) else ""


def _flags(event: Json) -> list[TextLine]:
    busy = str(event.get("showAs") or "busy")
    lines = [made("TRANSP", "TRANSPARENT" if busy == "free" else "OPAQUE")]
    lines += [made(BUSY_STATUS, _BUSY[busy])] if busy in _BUSY else []
    if sensitivity := _CLASS.get(str(event.get("sensitivity"))):
        lines.append(made("CLASS", sensitivity))
    if priority := _PRIORITY.get(str(event.get("importance"))):
        lines.append(made("PRIORITY", priority))
    said = str((event.get("responseStatus") or {}).get("response"))
    if event.get("isOrganizer") is False and said in _ANSWERS:
        lines.append(made(OWN_ANSWER, _ANSWERS[said]))
    return [*lines, made("STATUS", "CANCELLED")] if event.get("isCancelled") else lines


def _people(event: Json) -> list[TextLine]:
    guests = event.get("attendees") or []
    if not guests:
        return []
    lines = []
    if (address := _address(event.get("organizer"))) and "@" in address:
        lines.append(made("ORGANIZER", f"mailto:{address}", _name(event["organizer"])))
    for guest in guests[:1000]:
        address = _address(guest)
        if "@" in address:
            answer = _ANSWERS.get(str((guest.get("status") or {}).get("response")), "NEEDS-ACTION")
            role = _ROLES.get(str(guest.get("type")), "")
            lines.append(made("ATTENDEE", f"mailto:{address}", f"{_name(guest)}{role};PARTSTAT={answer}"))
    return lines


def _address(person: Json | None) -> str:
    return extra_lines.value_without_breaks(str(((person or {}).get("emailAddress") or {}).get("address") or ""))


def _name(person: Json) -> str:
    name = _line((person.get("emailAddress") or {}).get("name")).replace('"', "'")
    return f';CN="{name}"' if name else ""


def _line(text: object) -> str:
    return " ".join(str(text or "").split())


def _alarm(minutes: int, title: str) -> Component:
    trigger = made("TRIGGER", f"-PT{minutes}M" if minutes else "PT0S")
    return component("VALARM", made("ACTION", "DISPLAY"), trigger, made_text("DESCRIPTION", _line(title)))


def _moment_line(name: str, at: date | datetime, zones: dict[str, date]) -> TextLine:
    if not isinstance(at, datetime):
        return made(name, f"{at:%Y%m%d}", ";VALUE=DATE")
    if not isinstance(at.tzinfo, ZoneInfo):
        return made(name, f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    zone = iana_name(at.tzinfo)
    zones[zone] = min(zones.get(zone, at.date()), at.date())
    return made(name, f"{at:%Y%m%dT%H%M%S}", f";TZID={zone}")
