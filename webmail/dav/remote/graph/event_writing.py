"""Calendar texts as Graph's events: what is to be there of a series, its changed and its cancelled times. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from webmail.dav.remote.graph.event_reading import BUSY_STATUS, body_text, original_time, tree_from, zone_of_event
from webmail.dav.remote.graph.extra_lines import ExtraLines, as_property, between, time_key
from webmail.dav.remote.graph.graph_rules import NoPatternError, recurrence_from
from webmail.dav.remote.graph.graph_zones import UTC_NAME, windows_name
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, parsed
from webmail.mime.formats.calendars.event_edit import Stamp, stamp_of, stamps_of
from webmail.mime.formats.cards.vcard_lines import split, unescaped

Json = dict[str, Any]
_TIMES = ("start", "end", "isAllDay")
OWN = frozenset(("showAs", "isReminderOn", "reminderMinutesBeforeStart", "categories", "sensitivity"))  # of a guest's event
_BUSY = {"TENTATIVE": "tentative", "OOF": "oof", "WORKINGELSEWHERE": "workingElsewhere"}
_CLASS = {"PRIVATE": "private", "CONFIDENTIAL": "confidential"}
_LONGEST = {"subject": 255, "location": 255}


class UnsendableEventError(ValueError):
    """An event that Graph can't have: a task, two series in one, a rule without a pattern."""


@dataclass(slots=True)
class WantedEvent:
    """What is to be there. `changed`: by when they were to be (`time_key`): those of the series that are otherwise; `cancelled`:
    by the same, the days."""

    uid: str
    body: Json
    tree: Component
    zone: tzinfo
    changed: dict[str, Json] = field(default_factory=dict)
    originals: dict[str, date | datetime] = field(default_factory=dict)
    cancelled: dict[str, date | datetime] = field(default_factory=dict)


def wanted_from(text: str, zone: tzinfo, zone_name: str) -> WantedEvent:
    """What an event's text wants. `zone`: where times without one are meant. Raises UnsendableEventError."""
    try:
        return _wanted(parsed(text), zone, zone_name)
    except (BrokenTextError, NoPatternError, ValueError, LookupError, OverflowError) as error:
        raise UnsendableEventError(f"{type(error).__name__}: {error}"[:200]) from error


def _wanted(root: Component, zone: tzinfo, zone_name: str) -> WantedEvent:
    parts = root.parts("VEVENT")
    masters = [one for one in parts if one.first("RECURRENCE-ID") is None]
    if len(masters) != 1 or root.parts("VTODO", "VJOURNAL"):
        raise UnsendableEventError("not one event")
    [master] = masters
    if master.first("RDATE"):
        raise UnsendableEventError("dates beside a rule")
    start = stamp_of(master.first("DTSTART"), root)
    if start is None:
        raise UnsendableEventError("no beginning")
    meant = _Zone(start.tz or zone, start.zone or zone_name) if not start.is_day else _Zone(UTC, UTC_NAME)
    found = WantedEvent(master.value("UID"), _body(master, root, meant), root, meant.zone)
    rule = master.value("RRULE")
    if not rule:
        if len(parts) > 1:
            raise UnsendableEventError("changes of what is no series")
        return found
    found.body["recurrence"] = recurrence_from(rule, start.at, meant.zone, windows_name(meant.name))
    for line in master.lines("EXDATE"):
        for stamp in stamps_of(line, root):
            at = _aware(stamp, meant.zone, start)
            found.cancelled[time_key(at)] = at
    for part in parts:
        original = stamp_of(part.first("RECURRENCE-ID"), root)
        if original is not None:
            at = _aware(original, meant.zone, start)
            own = stamp_of(part.first("DTSTART"), root)
            if own is None or own.is_day != start.is_day:
                raise UnsendableEventError("days and hours in one series")
            found.changed[time_key(at)] = _body(part, root, _Zone(own.tz or meant.zone, own.zone or meant.name))
            found.originals[time_key(at)] = at
            found.cancelled.pop(time_key(at), None)
    return found


@dataclass(slots=True)
class _Zone:
    zone: tzinfo
    name: str


def _aware(stamp: Stamp, zone: tzinfo, start: Stamp) -> date | datetime:
    at = stamp.at
    if start.is_day:
        return at.date() if isinstance(at, datetime) else at
    if not isinstance(at, datetime):
        assert isinstance(start.at, datetime)
        return datetime.combine(at, start.at.time(), zone)
    return at.replace(tzinfo=stamp.tz or zone).astimezone(zone)


def _body(event: Component, root: Component, meant: _Zone) -> Json:
    fields = event_edit.read(event, root)
    reminders = [minutes for minutes in fields.reminders if minutes >= 0]
    return {
        "subject": " ".join(event.text("SUMMARY").split())[: _LONGEST["subject"]],
        "body": {"contentType": "text", "content": body_text({"body": {"content": event.text("DESCRIPTION")}})},
        "location": {"displayName": " ".join(event.text("LOCATION").split())[: _LONGEST["location"]]},
        "categories": list(dict.fromkeys(
            word for line in event.lines("CATEGORIES") for one in split(line.value, ",") if (word := unescaped(one).strip())
        )),
        "showAs": _shown_as(event),
        "sensitivity": _CLASS.get(event.value("CLASS").upper(), "normal"),
        "importance": _importance(event.value("PRIORITY")),
        "isReminderOn": bool(reminders),
        "reminderMinutesBeforeStart": max(reminders, default=15),
        "isAllDay": fields.all_day,
        **_times(event, root, meant),
    }  # fmt: skip


def _times(event: Component, root: Component, meant: _Zone) -> Json:
    fields = event_edit.read(event, root)
    start, end = fields.start, fields.end
    if not isinstance(start, datetime):
        last = (end if not isinstance(end, datetime) else end.date()) + timedelta(days=1)
        return {"start": _moment(start, UTC_NAME), "end": _moment(max(last, start + timedelta(days=1)), UTC_NAME)}
    name = windows_name(meant.name)
    if meant.name not in ("", UTC_NAME) and name == meant.name and not hasattr(meant.zone, "key"):
        # a zone that the calendar alone knows
        start, end, name = _in_utc(start, meant.zone), _in_utc(end, meant.zone), UTC_NAME
    return {"start": _moment(start, name), "end": _moment(max(end, start), name)}


def _in_utc(at: date | datetime, zone: tzinfo) -> datetime:
    assert isinstance(at, datetime)
    return at.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _moment(at: date | datetime, zone: str) -> Json:
    text = at.isoformat() if isinstance(at, datetime) else f"{at.isoformat()}T00:00:00"
    return {"dateTime": f"{text[:19]}.0000000", "timeZone": zone}


def _shown_as(event: Component) -> str:
    if event.value("TRANSP").upper() == "TRANSPARENT":
        return "free"
    return _BUSY.get(event.value(BUSY_STATUS).upper(), "busy")


def _importance(priority: str) -> str:
    if not priority.isascii() or not priority.isdigit() or int(priority[:3]) in (0, 5):
        return "normal"
    return "high" if int(priority[:3]) < 5 else "low"


def differing(wanted: Json, there: Json) -> Json:
    """What has to be changed there: of times, all that belongs together."""
    found = {key: value for key, value in wanted.items() if value != there.get(key)}
    if not found.get("isReminderOn", wanted.get("isReminderOn")):
        found.pop("reminderMinutesBeforeStart", None)
    if any(key in found for key in _TIMES):
        found |= {key: wanted[key] for key in _TIMES}
    return found


def occurrence_of(series: Json, original: date | datetime) -> Json:
    """What a time of a series is like, as long as nobody changes it."""
    start = datetime.fromisoformat(series["start"]["dateTime"][:19])
    length = datetime.fromisoformat(series["end"]["dateTime"][:19]) - start
    at = (
        original.replace(tzinfo=None) if isinstance(original, datetime) else datetime(original.year, original.month, original.day)
    )
    zone = series["start"]["timeZone"]
    return {
        **{key: value for key, value in series.items() if key != "recurrence"},
        "start": _moment(at, zone), "end": _moment(at + length, zone),
    }  # fmt: skip


def as_event(wanted: WantedEvent, there: Json | None = None) -> Json:
    """How Graph would tell of it, were all of it there. `there`: as it is now, with what nobody writes here, such as guests."""
    before = there or {}
    changed_before = {time_key_of(one, before): one for one in before.get("exceptionOccurrences") or []}
    changed = []
    for key, body in wanted.changed.items():
        at = wanted.originals[key]
        usual = occurrence_of(wanted.body, at)
        told = at.astimezone(UTC).isoformat()[:19] if isinstance(at, datetime) else f"{at.isoformat()}T00:00:00"
        changed.append({
            **before, **usual, **changed_before.get(key, {}), **body, "recurrence": None, "originalStart": f"{told}Z",
            "originalStartTimeZone": body["start"]["timeZone"],
        })  # fmt: skip
    return {
        **before, **wanted.body,
        "recurrence": wanted.body.get("recurrence"),
        "originalStartTimeZone": wanted.body["start"]["timeZone"],
        "exceptionOccurrences": changed,
        "cancelledOccurrences": [f"OID.x.{at.isoformat()[:10]}" for at in wanted.cancelled.values()],
        "singleValueExtendedProperties": as_property(ExtraLines(wanted.uid)),
    }  # fmt: skip


def time_key_of(changed: Json, event: Json) -> str:
    """How a changed time of this series is called."""
    return time_key(original_time(changed, bool(event.get("isAllDay")), zone_of_event(event)))


def extra_of(wanted: WantedEvent, there: Json | None = None) -> ExtraLines:
    """What its text says and Graph has no property for."""
    return between(wanted.tree, tree_from(as_event(wanted, there)), wanted.uid, wanted.zone)
