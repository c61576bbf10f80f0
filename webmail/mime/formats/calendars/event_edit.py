"""Event editing, as people see events: read from a component's lines, and written back where something was changed.

Only the lines of what was changed are written anew; alarms, time zones and what is not known here stay as they were sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from webmail.mime.formats.calendars import event_links
from webmail.mime.formats.calendars.component_tree import Component, TextLine, component, made, made_text
from webmail.mime.formats.cards.vcard_lines import escaped, split, unescaped
from webmail.mime.formats.zones import calendar_zones

LONGEST_TITLE, LONGEST_NOTES = 500, 20_000  # characters that are shown and typed
MOST_REMINDERS, MOST_CATEGORIES, MOST_INVITED = 10, 20, 500
UTC_NAME = "UTC"
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_LENGTH = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_STALE = {  # what else a program wrote of the same, which would contradict what was typed
    "place": ("X-APPLE-STRUCTURED-LOCATION", "GEO", "X-MICROSOFT-LOCATIONS"),
    "notes": ("X-ALT-DESC",),
    "busy": ("X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-INTENDEDSTATUS"),
    "start": ("X-MICROSOFT-CDO-ALLDAYEVENT", "X-FUNAMBOL-ALLDAY"),
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment as the text has it: a day, or a time by the clock of `zone` (see EventFields) which `tzid` names there."""

    at: date | datetime  # a datetime has no tzinfo
    zone: str = ""
    tzid: str = ""
    tz: tzinfo | None = None  # None: UTC by its name, or wherever one is

    @property
    def is_day(self) -> bool:
        return not isinstance(self.at, datetime)

    def instant(self) -> date | datetime:
        """A day, or the moment in UTC; of a time without a zone: as if it were UTC."""
        if not isinstance(self.at, datetime):
            return self.at
        return self.at.replace(tzinfo=self.tz or UTC).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class EventRoom:
    """A room ("room") or thing ("thing") that an event invites."""

    address: str
    name: str = field(default="", compare=False)
    kind: str = field(default="room", compare=False)


@dataclass(frozen=True, slots=True)
class EventFields:
    """What people see and edit. Of whole days, `end` is the last one. Times are by the clock of `zone`: an IANA name, "UTC", ""
    wherever one is, or the name that only the calendar itself knows. `reminders`: minutes before the start."""

    title: str = ""
    start: date | datetime = date(2000, 1, 1)
    end: date | datetime = date(2000, 1, 1)
    zone: str = ""
    place: str = ""
    video: str = ""
    notes: str = ""
    categories: tuple[str, ...] = ()
    reminders: tuple[int, ...] = ()
    privacy: str = ""  # "", "private" or "confidential"
    busy: bool = True
    status: str = ""  # "", "tentative", "confirmed" or "cancelled"
    rule: str = ""  # RRULE
    links: tuple[str, ...] = ()  # attached
    rooms: tuple[EventRoom, ...] = ()

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, datetime)

    @property
    def length(self) -> timedelta:
        return self.end - self.start


# --- moments ---------------------------------------------------------------------------------------------------------


def stamp_of(line: TextLine | None, root: Component) -> Stamp | None:
    """The (first) moment of DTSTART, RECURRENCE-ID and so on; None if it is none."""
    found = stamps_of(line, root) if line else []
    return found[0] if found else None


def stamps_of(line: TextLine, root: Component) -> list[Stamp]:
    """The moments of a list (EXDATE, RDATE); of periods, when they begin."""
    tzid = line.param("TZID")
    named = tzid or root.head_value("X-WR-TIMEZONE")  # which says where times without a zone are meant
    tz = calendar_zones.meant(named, root) if named else None
    name = (calendar_zones.name_of(tz) or named) if tz else ""
    found = [stamp for text in line.value.split(",") if (stamp := _stamp(text.strip(), name, tzid, tz)) is not None]
    if not tzid or line.param("VALUE").upper() == "DATE":
        return found
    return [_midnight(one, name, tzid, tz) if one.is_day else one for one in found]  # a time that some leave out


def _midnight(day: Stamp, name: str, tzid: str, tz: tzinfo | None) -> Stamp:
    return Stamp(datetime(day.at.year, day.at.month, day.at.day), name, tzid, tz)


def _stamp(text: str, name: str, tzid: str, tz: tzinfo | None) -> Stamp | None:
    found = _STAMP.match(text)
    try:
        if found is None:
            return None
        day = date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return Stamp(day)
        at = datetime(day.year, day.month, day.day, int(found[4]), int(found[5]), min(int(found[6]), 59))
    except ValueError:
        return None
    return Stamp(at, UTC_NAME, "", UTC) if found[7] else Stamp(at, name, tzid, tz)


def written(name: str, stamps: list[Stamp], params: str = "") -> TextLine:
    """A line with these moments, which are all of one kind."""
    first = stamps[0]
    if first.is_day:
        params = f";VALUE=DATE{params}"
    elif first.tzid:
        quoted = f'"{first.tzid}"' if re.search("[,;:]", first.tzid) else first.tzid
        params = f";TZID={quoted}{params}"
    return made(name, ",".join(map(clock_text, stamps)), params)


def clock_text(stamp: Stamp) -> str:
    if not isinstance(stamp.at, datetime):
        return f"{stamp.at:%Y%m%d}" if stamp.at.year > 999 else f"{stamp.at.year:04}{stamp.at:%m%d}"
    return f"{stamp.at.year:04}{stamp.at:%m%dT%H%M%S}" + ("Z" if stamp.zone == UTC_NAME and not stamp.tzid else "")


def length_of(text: str) -> timedelta | None:
    """A DURATION."""
    found = _LENGTH.fullmatch(text.strip().upper())
    if not found or not any(found.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (min(int(one or 0), 10_000_000) for one in found.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] == "-" else length


# --- reading ---------------------------------------------------------------------------------------------------------


def read(event: Component, root: Component) -> EventFields:
    """The fields of a VEVENT of the calendar `root`. Raises ValueError if it has no beginning."""
    start = stamp_of(event.first("DTSTART"), root)
    if start is None:
        raise ValueError("an event without a beginning")
    return EventFields(
        title=one_line(event.text("SUMMARY"))[:LONGEST_TITLE], start=start.at, end=_end(event, start, root), zone=start.zone,
        place=one_line(event.text("LOCATION"))[:LONGEST_TITLE], video=event_links.video_of(event),
        notes=event.text("DESCRIPTION").replace("\r\n", "\n").strip()[:LONGEST_NOTES], categories=_categories(event),
        links=event_links.links_of(event),
        reminders=tuple(minutes for alarm in event.parts("VALARM") if (minutes := minutes_before(alarm)) is not None),
        privacy={"PRIVATE": "private", "CONFIDENTIAL": "confidential"}.get(event.value("CLASS").upper(), ""),
        busy=event.value("TRANSP").upper() != "TRANSPARENT", status=_status(event), rule=event.value("RRULE"),
        rooms=tuple(room_of(line) for line in event.lines("ATTENDEE")[:MOST_INVITED] if is_room(line)),
    )  # fmt: skip


def is_room(line: TextLine) -> bool:
    """Whether an ATTENDEE says that it is a room or thing, and by which address."""
    return line.param("CUTYPE").upper() in ("ROOM", "RESOURCE") and line.value.strip()[:7].lower() == "mailto:"


def room_of(line: TextLine) -> EventRoom:
    kind = "room" if line.param("CUTYPE").upper() == "ROOM" else "thing"
    return EventRoom(line.value.strip()[7:].strip().lower()[:320], one_line(line.param("CN"))[:200], kind)


def _status(event: Component) -> str:
    status = event.value("STATUS").lower()
    return status if status in ("tentative", "confirmed", "cancelled") else ""


def one_line(text: str) -> str:
    return " ".join(text.split())


def _end(event: Component, start: Stamp, root: Component) -> date | datetime:
    """The end by the clock of the start; of whole days: the last."""
    end, length = stamp_of(event.first("DTEND"), root), length_of(event.value("DURATION"))
    if not isinstance(start.at, datetime):
        last = end.at if end is not None else start.at + (length or timedelta(days=1))
        if isinstance(last, datetime):
            last = last.date()
        return max(last - timedelta(days=1), start.at)
    if end is not None:
        return max(_by_clock_of(end, start), start.at)
    if length is None or length <= timedelta(0):
        return start.at
    if start.tz is None or not length % timedelta(days=1):
        return start.at + length  # days are by the clock (3.3.6)
    return (start.at.replace(tzinfo=start.tz).astimezone(UTC) + length).astimezone(start.tz).replace(tzinfo=None)


def _by_clock_of(end: Stamp, start: Stamp) -> datetime:
    if not isinstance(end.at, datetime):
        return datetime(end.at.year, end.at.month, end.at.day)
    if end.tzid == start.tzid and end.zone == start.zone:
        return end.at
    if end.tz is None or start.tz is None:
        return end.at
    return end.at.replace(tzinfo=end.tz).astimezone(start.tz).replace(tzinfo=None)


def _categories(event: Component) -> tuple[str, ...]:
    words = (unescaped(one).strip() for line in event.lines("CATEGORIES") for one in split(line.value, ","))
    return tuple(dict.fromkeys(word[:100] for word in words if word))[:MOST_CATEGORIES]


def minutes_before(alarm: Component) -> int | None:
    """How long before the start a reminder comes (less than 0: after it); None for one that is not so simple."""
    trigger = alarm.first("TRIGGER")
    if trigger is None or trigger.param("RELATED").upper() == "END" or trigger.param("VALUE").upper() == "DATE-TIME":
        return None
    length = length_of(trigger.value)
    if length is None or alarm.first("REPEAT") or alarm.value("ACTION").upper() not in ("DISPLAY", "AUDIO", "EMAIL"):
        return None
    return int(-length.total_seconds() // 60)


# --- writing ---------------------------------------------------------------------------------------------------------


def change(event: Component, root: Component, before: EventFields, after: EventFields) -> None:
    """Write what differs between the two into a VEVENT of the calendar `root`."""
    differing = {one.name for one in fields(EventFields) if getattr(before, one.name) != getattr(after, one.name)}
    if not differing:
        return
    if differing & {"start", "end", "zone"}:
        _set_times(event, root, before, after)
    for name in differing & _WRITERS.keys():
        _WRITERS[name](event, after)
    if "reminders" in differing:
        _set_reminders(event, before.reminders, after.reminders, after.title)
    event.remove(*(stale for name in differing for stale in _STALE.get(name, ())))
    touch(event, timed=bool(differing & {"start", "end", "zone", "rule", "place", "status", "rooms"}))


def touch(event: Component, *, timed: bool = False) -> None:
    """Say that an event was changed now, and that those who have a copy need the new one (SEQUENCE).

    Versions of a meeting are its organiser's to count (RFC 5546, 2.1.4): a number of ours would make theirs look old.
    """
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    event.put(made("LAST-MODIFIED", at))
    if event.first("ORGANIZER") is not None:
        return
    event.put(made("DTSTAMP", at))
    if timed:
        number = event.value("SEQUENCE")
        event.put(made("SEQUENCE", str(min(int(number), 10**9) + 1 if re.fullmatch(r"[0-9]{1,9}", number) else 1)))


def made_event(uid: str, after: EventFields) -> Component:
    """A calendar with one new event."""
    event = component("VEVENT", made("UID", uid))
    root = component("VCALENDAR", made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN"), made("CALSCALE", "GREGORIAN"), event)
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    event.add(made("DTSTAMP", at))
    event.add(made("CREATED", at))
    _set_times(event, root, None, after)
    before = replace(EventFields(), start=after.start, end=after.end, zone=after.zone)
    for name, write in _WRITERS.items():
        if getattr(before, name) != getattr(after, name):
            write(event, after)
    _set_reminders(event, (), after.reminders, after.title)
    return root


def stamp_for(moment: date | datetime, zone: str, like: Stamp | None) -> Stamp:
    """A moment in a zone (as in EventFields), named as in `like` if that is the same zone."""
    if not isinstance(moment, datetime):
        return Stamp(moment)
    if like is not None and not like.is_day and like.zone == zone:
        return Stamp(moment, zone, like.tzid, like.tz)
    if zone in ("", UTC_NAME):
        return Stamp(moment, zone, "", UTC if zone else None)
    return Stamp(moment, zone, zone, ZoneInfo(zone))


def zone_of(name: str) -> tzinfo | None:
    """The zone of EventFields; None for times that are meant wherever one is, and for a zone that only the calendar knows."""
    if name == UTC_NAME:
        return UTC
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, LookupError, OSError):
        return None


def _set_times(event: Component, root: Component, before: EventFields | None, after: EventFields) -> None:
    old = stamp_of(event.first("DTSTART"), root)
    start = stamp_for(after.start, after.zone, old)
    if old is None or old.tzid != start.tzid:
        define(root, start, after.start)
    if before is None or (before.start, before.zone) != (after.start, after.zone):
        event.put(written("DTSTART", [start]))
    same_length = before is not None and before.all_day == after.all_day and before.length == after.length
    if same_length and event.first("DURATION") and not event.first("DTEND"):
        return
    last = after.end + timedelta(days=1) if after.all_day else after.end
    if before is None or event.first("DTEND") or after.end != after.start or after.all_day:
        event.remove("DURATION")
        event.put(written("DTEND", [stamp_for(last, after.zone, start)]))


def define(root: Component, stamp: Stamp, since: date) -> None:
    """Add the definition of a zone to the calendar, unless it is there."""
    name = stamp.tzid
    if not name or any(one.text("TZID") == name for one in root.parts("VTIMEZONE")) or not isinstance(stamp.tz, ZoneInfo):
        return
    if stamp.tz.key != name:  # named as some program does, without a definition: it stays so
        return
    at = next((at for at, one in enumerate(root.items) if isinstance(one, Component)), len(root.items))
    root.items.insert(at, calendar_zones.written(name, since))


def text_writer(name: str, prop: str) -> Any:
    def write(event: Component, after: Any) -> None:
        value = getattr(after, name)
        if not value:
            event.remove(prop)
            return
        language = (event.first(prop) or TextLine("")).param("LANGUAGE")
        event.put(made_text(prop, value, f";LANGUAGE={language}" if re.fullmatch(r"[A-Za-z0-9-]+", language) else ""))

    return write


def _word_writer(name: str, prop: str, texts: dict[Any, str]) -> Any:
    def write(event: Component, after: EventFields) -> None:
        word = texts.get(getattr(after, name), "")
        event.put(made(prop, word)) if word else event.remove(prop)

    return write


def _write_video(event: Component, after: EventFields) -> None:
    event_links.write_video(event, after.video)


def _write_links(event: Component, after: EventFields) -> None:
    event_links.write_links(event, after.links)


def _write_categories(event: Component, after: EventFields) -> None:
    event.remove("CATEGORIES")
    if after.categories:
        event.add(made("CATEGORIES", ",".join(map(escaped, after.categories))))


def _write_rule(event: Component, after: EventFields) -> None:
    if after.rule:
        event.put(made("RRULE", after.rule))
    else:
        event.remove("RRULE", "RDATE", "EXDATE")


def _write_rooms(event: Component, after: EventFields) -> None:
    """The lines of those that stay are kept as they are, with their answers."""
    wanted = {one.address: one for one in after.rooms}
    for line in event.lines("ATTENDEE"):
        if is_room(line) and wanted.pop(room_of(line).address, None) is None:
            event.items.remove(line)
    for one in wanted.values():
        name = re.sub(r'["\x00-\x1f\x7f]', " ", one.name)
        kind = "ROOM" if one.kind == "room" else "RESOURCE"
        event.add(made("ATTENDEE", f"mailto:{one.address}", f';CUTYPE={kind};ROLE=NON-PARTICIPANT;CN="{name}"'))


_WRITERS = {
    "title": text_writer("title", "SUMMARY"),
    "place": text_writer("place", "LOCATION"),
    "notes": text_writer("notes", "DESCRIPTION"),
    "video": _write_video,
    "links": _write_links,
    "rooms": _write_rooms,
    "categories": _write_categories,
    "privacy": _word_writer("privacy", "CLASS", {"private": "PRIVATE", "confidential": "CONFIDENTIAL"}),
    "busy": _word_writer("busy", "TRANSP", {False: "TRANSPARENT"}),
    "status": _word_writer(
        "status", "STATUS", {"tentative": "TENTATIVE", "confirmed": "CONFIRMED", "cancelled": "CANCELLED"}
    ),
    "rule": _write_rule,
}  # fmt: skip


def _set_reminders(event: Component, before: tuple[int, ...], after: tuple[int, ...], title: str) -> None:
    """Take out the alarms that are no longer wanted and add the new ones; the others stay as they are."""
    surplus = list(before)
    wanted = []
    for minutes in after:
        if minutes in surplus:
            surplus.remove(minutes)
        else:
            wanted.append(minutes)
    for minutes in surplus:
        event.items.remove(next(one for one in event.parts("VALARM") if minutes_before(one) == minutes))
    for minutes in wanted:
        lines = (made("ACTION", "DISPLAY"), made_text("DESCRIPTION", title or "-"), made("TRIGGER", trigger_text(minutes)))
        event.add(component("VALARM", *lines))


def trigger_text(minutes: int) -> str:
    """A TRIGGER so long before the start."""
    sign, minutes = ("-" if minutes > 0 else ""), abs(minutes)
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    time = (f"{hours}H" if hours else "") + (f"{left}M" if left else "")
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{time}" if time else "" if days else "T0S")
