"""The form of an event: its fields as typed, read into what is written to the calendar. Dates and hours stand apart; a date with
an hour in one field (ISO) is understood too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.calendar import repeat as repeats
from webmail.calendar.quick_entry import several
from webmail.calendar.repeat import Repeat, first_day, repeat_of, rule_of
from webmail.calendar.rooms import resources, room_texts
from webmail.mime.formats.calendars import event_edit, event_links
from webmail.mime.formats.calendars.event_edit import EventFields, EventRoom
from webmail.mime.formats.calendars.event_links import MOST_LINKS
from webmail.preferences import is_zone
from webmail.schedule import time_of_day
from webmail.web.forms.form_fields import trimmed

SCOPES = ("one", "following", "all")
REMINDERS = (0, 5, 10, 15, 30, 60, 120, 1440, 2880, 10080)  # minutes before
EMPTY_REMINDERS = EMPTY_LINKS = 1
MOST_ROOMS = 10
LONGEST_NOTES = 20_000
_LIMITS = {"title": 500, "location": 500, "video": 1000, "categories": 1000, "note": 2000}
_TYPED_DAY = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_EARLIEST, _LATEST = 1900, 2200
_STATUSES = ("", "confirmed", "tentative", "cancelled")
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN = ("title", "location", "video", "notes", "categories", "start", "start_hour", "end", "end_hour", "zone", "privacy",
          "status", "repeat", "every", "until", "times", "calendar", "revision", "scope", "at", "invite", "optional",
          "note")  # fmt: skip


@dataclass
class EventForm:
    """The fields as they stand in the form."""

    title: str = ""
    start: str = ""
    start_hour: str = ""
    end: str = ""
    end_hour: str = ""
    all_day: bool = False
    zone: str = ""
    calendar: str = ""
    location: str = ""
    video: str = ""
    notes: str = ""
    categories: str = ""
    links: list[str] = field(default_factory=list)
    reminders: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)  # their addresses
    privacy: str = ""
    free: bool = False
    status: str = ""
    repeat: str = ""
    every: str = "1"
    days: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)  # of a new event: other days and hours (`several.value_of`)
    skip: list[str] = field(default_factory=list)  # of a new series: days on which it does not take place
    term: bool = False  # not in school holidays
    until: str = ""
    times: str = ""
    scope: str = "one"
    at: str = ""
    invite: str = ""  # address lists, as typed
    optional: str = ""
    hidden: bool = False  # the guests don't see each other
    note: str = ""  # for the guests, with what leaves now
    quiet: bool = False  # nothing leaves now
    remind_guests: bool = False  # who have not replied two days before
    revision: str = ""
    uid: str = ""
    kept: str = ""  # the name under which it waited for a link
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, existing: EventFields, tz: tzinfo | None) -> EventForm:
        """The form of an event; `tz` is the zone of its times."""
        start, end = existing.start, existing.end
        rule = repeat_of(existing.rule, start, tz)
        timed = isinstance(start, datetime)
        day = start.date() if isinstance(start, datetime) else start
        return cls(
            title=existing.title, start=day.isoformat(), end=(end.date() if isinstance(end, datetime) else end).isoformat(),
            start_hour=f"{start:%H:%M}" if timed else "", end_hour=f"{end:%H:%M}" if timed else "", all_day=not timed,
            zone=existing.zone, location=existing.place, video=existing.video, notes=existing.notes,
            categories=", ".join(existing.categories), links=list(existing.links), reminders=[str(minutes) for minutes in
            existing.reminders], privacy=existing.privacy, free=not existing.busy,
            status=existing.status, repeat=rule.kind, every=str(rule.every), days=[str(one) for one in rule.days],
            places=[str(one) for one in rule.places], rooms=[one.address for one in existing.rooms],
            until=rule.until.isoformat() if rule.until else "", times=str(rule.times) if rule.times else "",
        )  # fmt: skip

    @classmethod
    def sent(cls, fields: MultiDict[str, str]) -> EventForm:
        """The form as submitted."""
        values = {name: fields.get(name, "").replace("\0", "")[: LONGEST_NOTES * 2] for name in _PLAIN}
        values |= {name: trimmed(values[name]) for name in ("title", "location", "video", "categories")}
        uid = fields.get("uid", "")
        form = cls(
            all_day=bool(fields.get("all_day")),
            free=bool(fields.get("free")),
            term=bool(fields.get("term")),
            hidden=bool(fields.get("hidden")),
            quiet=bool(fields.get("quiet")),
            remind_guests=bool(fields.get("remind_guests")),
            uid=uid if _UID.fullmatch(uid) else "",
        )
        for name, value in values.items():
            setattr(form, name, value)
        form.reminders = [one for one in fields.getlist("reminder")[: event_edit.MOST_REMINDERS] if one.strip()]
        form.links = [one.strip() for one in fields.getlist("link")[: 2 * MOST_LINKS] if one.strip()]
        form.rooms = list(dict.fromkeys(one for one in fields.getlist("room")[:MOST_ROOMS] if one.strip()))
        form.kept = fields.get("kept", "")[:40]
        form.also, form.skip = ([one[:40] for one in fields.getlist(name)[: several.MOST]] for name in ("also", "skip"))
        form.days = [one for one in fields.getlist("days")[:7] if one in "0123456" and len(one) == 1]
        form.places = [one for one in fields.getlist("places")[:5] if one in map(str, repeats.PLACES)]
        return form

    # --- reading -----------------------------------------------------------------------------------------------------

    def fields(self, own: tzinfo, before: EventFields | None = None, tz: tzinfo | None = None) -> EventFields | None:
        """What was typed, checked; None with `errors` if it can't be saved. `before`: the event that is changed, `tz` its zone.

        `own` is the person's zone.
        """
        self.errors = {}
        zone, clock = self._zone(own, before, tz)
        times = self._times(clock, before)
        reminders = self._reminders(before)
        categories = tuple(dict.fromkeys(" ".join(one.split())[:100] for one in self.categories.split(",") if one.strip()))
        if before and ", ".join(before.categories) == self.categories:  # a comma in one can't be typed
            categories = before.categories
        if len(categories) > event_edit.MOST_CATEGORIES:
            self.errors["categories"] = _("Use at most %(count)d categories.", count=event_edit.MOST_CATEGORIES)
        self._check_texts(before)
        links = self._links(before)
        rooms = self._rooms(before)
        shown = repeat_of(before.rule, before.start, tz) if before else Repeat()
        rule = self._rule(times[0] if times else None, clock, before, shown) if not self.errors.get("start") else ""
        if times is None or self.errors:
            return None
        start, end = times
        typed = self.typed_repeat()
        if (before is None or rule != before.rule) and typed.kind in ("weekly", "weekdays", "monthly-days"):
            more = first_day(typed, _day(start)) - _day(start)
            start, end = start + more, end + more
        return EventFields(
            title=self.title, start=start, end=end, zone="" if not isinstance(start, datetime) else zone, place=self.location,
            video=self.video, notes="\n".join(line.rstrip() for line in self.notes.splitlines()).strip(), categories=categories,
            links=links, reminders=reminders,
            privacy=self.privacy if self.privacy in ("private", "confidential") else "", busy=not self.free,
            status=self.status if self.status in _STATUSES else "", rule=rule, rooms=rooms,
        )  # fmt: skip

    def _check_texts(self, before: EventFields | None) -> None:
        if not self.title and not (before and not before.title):
            self.errors["title"] = _("Enter a title.")
        for name, most in _LIMITS.items():
            if len(getattr(self, name)) > most:
                self.errors[name] = _("This is too long. Use at most %(count)d characters.", count=most)
        if len(self.notes) > LONGEST_NOTES and not (before and before.notes == self.notes):
            self.errors["notes"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_NOTES)
        if self.video and not re.fullmatch(r"https?://[^\s\"<>]+", self.video) and not (before and before.video == self.video):
            self.errors["video"] = _("Enter an address that begins with https://")

    def _zone(self, own: tzinfo, before: EventFields | None, tz: tzinfo | None) -> tuple[str, tzinfo | None]:
        """The zone by its name, and its clock."""
        typed = self.zone.strip()
        if before is not None and not before.all_day and typed == before.zone:
            return before.zone, tz
        if typed and not is_zone(typed):
            self.errors["zone"] = _("Choose a time zone such as Europe/Paris.")
            return "", None
        name = typed or str(own)
        return name, UTC if name == event_edit.UTC_NAME else ZoneInfo(name)

    def _times(self, clock: tzinfo | None, before: EventFields | None) -> tuple[date | datetime, date | datetime] | None:
        begin, hour = self._moment("start", clock)
        finish, end_hour = self._moment("end", clock)
        if begin is None or self.errors:
            self.errors.setdefault("start", _("Enter a date, such as 2026-11-30.")) if begin is None else None
            return None
        if self.all_day:
            last = finish or begin
            if last < begin:
                self.errors["end"] = _("It ends before it begins.")
            return begin, last
        if hour is None:
            self.errors["start"] = _("Enter a time, such as 14:30, or tick “All day”.")
            return None
        start = datetime.combine(begin, hour)
        if end_hour is None:
            length = before.length if before and not before.all_day and finish in (None, begin) else timedelta(hours=1)
            length = min(length, datetime(9999, 1, 1) - start)  # there are no later years
            end = start + length if finish in (None, begin) else datetime.combine(finish or begin, hour)
        else:
            end = datetime.combine(finish or begin, end_hour)
        if end < start:
            self.errors["end"] = _("It ends before it begins.")
        return start, end

    def _moment(self, name: str, clock: tzinfo | None) -> tuple[date | None, time | None]:
        """A date and an hour, either of which may be missing; errors are noted."""
        text, hour = getattr(self, name).strip(), getattr(self, f"{name}_hour").strip()
        try:
            day, at = _day_and_time(text, clock) if text else (None, None)
        except ValueError:
            self.errors[name] = _("Enter a date, such as 2026-11-30.")
            return None, None
        if hour:
            try:
                at = time_of_day(hour)
            except ValueError:
                self.errors[name] = _("Enter a time, such as 14:30.")
                return day, None
        return day, at

    def _reminders(self, before: EventFields | None) -> tuple[int, ...]:
        known = before.reminders if before else ()
        found = [int(one) for one in self.reminders if re.fullmatch(r"-?\d{1,7}", one)]
        return tuple(one for one in found if one in REMINDERS or one in known)[: event_edit.MOST_REMINDERS + len(known)]

    def _links(self, before: EventFields | None) -> tuple[str, ...]:
        known = before.links if before else ()
        found = tuple(dict.fromkeys(self.links))
        here = request.host_url  # which has no TLS where somebody tries things out
        if not all(one in known or event_links.is_link(one) or one.startswith(here) for one in found):
            self.errors["links"] = _("Enter an address that begins with https://")
        elif len(found) > MOST_LINKS:
            self.errors["links"] = _("Attach at most %(count)d links.", count=MOST_LINKS)
        return found

    def _rooms(self, before: EventFields | None) -> tuple[EventRoom, ...]:
        """The rooms and things that were chosen; the location follows them, unless another was typed. 1 query at most."""
        has = {one.address: one for one in before.rooms} if before else {}
        found = resources.by_address([*self.rooms, *has]) if set(self.rooms) != set(has) else {}
        if unknown := [one for one in self.rooms if one not in has and one not in found]:
            self.errors["room"] = _("Choose a room from the list: this one is no longer there.")
            self.rooms = [one for one in self.rooms if one not in unknown]
        if found and self.location in ("", room_texts.location_words([found[one] for one in has if one in found])):
            self.location = room_texts.location_words([found[one] for one in self.rooms if one in found])
        return tuple(has.get(one) or EventRoom(one, found[one].name, found[one].kind) for one in self.rooms)

    def typed_repeat(self) -> Repeat:
        """How it repeats, as far as what was typed makes sense."""
        if self.repeat not in repeats.KINDS or not self.repeat:
            return Repeat()
        every = int(self.every) if re.fullmatch(r"\d{1,2}", self.every.strip()) else 1
        times = int(self.times) if re.fullmatch(r"\d{1,3}", self.times.strip()) else 0
        try:
            until = _day_and_time(self.until.strip(), None)[0] if self.until.strip() else None
        except ValueError:
            until = None
        days = tuple(sorted({int(one) for one in self.days})) if self.repeat == "weekly" else ()
        places = tuple(one for one in repeats.PLACES if str(one) in self.places) if self.repeat == "monthly-days" else ()
        return Repeat(self.repeat, max(every, 1) if self.repeat != "weekdays" else 1, days, until, times, places)

    def _rule(self, start: date | datetime | None, clock: tzinfo | None, before: EventFields | None, visible: Repeat) -> str:
        """The rule that was typed; that of the event as it is where nothing of what was `visible` of it was touched."""
        typed = self.typed_repeat()
        if before is not None and (typed == visible or typed.kind == "kept"):
            return before.rule
        if self.every.strip() and not re.fullmatch(r"[1-9]\d?", self.every.strip()):
            self.errors["every"] = _("Enter a number from 1 to %(most)d.", most=repeats.MOST_EVERY)
        if self.times.strip() and not re.fullmatch(r"[1-9]\d{0,2}", self.times.strip()):
            self.errors["times"] = _("Enter a number from 1 to %(most)d.", most=repeats.MOST_TIMES)
        if self.until.strip() and typed.until is None:
            self.errors["until"] = _("Enter a date, such as 2026-11-30.")
        if start is None or not typed.kind or typed.kind == "kept":
            return ""
        if typed.until and typed.until < _day(start):
            self.errors["until"] = _("This is before the event begins.")
        if typed.until and typed.times:
            self.errors["times"] = _("Choose a last day or a number of times, not both.")
        if typed.kind == "weekly" and not typed.days:
            typed = replace(typed, days=(_day(start).weekday(),))
        return rule_of(typed, start, clock if isinstance(start, datetime) else None)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _day_and_time(text: str, clock: tzinfo | None) -> tuple[date, time | None]:
    """A date, or a date and a time in ISO form, by this clock. Raises ValueError."""
    if found := _TYPED_DAY.fullmatch(text):
        day, at = date(int(found[3]), int(found[2]), int(found[1])), None
    elif len(text) <= 10:
        day, at = date.fromisoformat(text), None
    else:
        moment = datetime.fromisoformat(text[:40])
        if moment.tzinfo is not None and _EARLIEST <= moment.year <= _LATEST:  # beyond, other zones may have no such day
            moment = moment.astimezone(clock or UTC)
        day, at = moment.date(), moment.time().replace(second=0, microsecond=0, tzinfo=None)
    if not _EARLIEST <= day.year <= _LATEST:
        raise ValueError(text)
    return day, at


def typed_day(text: str) -> date | None:
    """A date as a field has it, or as it is typed (8/12/2026); None if it is none."""
    try:
        return _day_and_time(text, None)[0] if text else None
    except ValueError:
        return None


def typed_moment(text: str) -> date | datetime | None:
    """A day, or a day and a time in ISO form; None if it is neither."""
    try:
        day, at = _day_and_time(text.strip(), None)
    except ValueError:
        return None
    return datetime.combine(day, at) if at is not None else day
