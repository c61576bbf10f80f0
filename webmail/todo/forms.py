"""The form of something to be done: its fields as typed, read into what is written to its list."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.calendar import repeat as repeats
from webmail.calendar.repeat import Repeat, repeat_of, rule_of
from webmail.mime.formats.calendars.event_edit import LONGEST_NOTES, LONGEST_TITLE, UTC_NAME
from webmail.mime.formats.calendars.todo_edit import LOWEST, ReadTodo, TodoFields
from webmail.schedule import time_of_day
from webmail.web.forms.form_fields import trimmed

REMINDERS = (0, 15, 60, 1440, 2880, 10080)  # minutes before
KINDS = ("", "daily", "weekdays", "weekly", "monthly", "yearly")
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TYPED_DAY = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", re.ASCII)
_PLAIN = ("title", "due", "due_hour", "start", "start_hour", "priority", "percent", "notes", "repeat", "every", "until",
          "revision", "message")  # fmt: skip
_EARLIEST, _LATEST = 1900, 2200

Clock = date | datetime


@dataclass
class TodoForm:
    """The fields as they stand in the form. `parent`: a UID; `reminder`: minutes, "" for none."""

    title: str = ""
    due: str = ""
    due_hour: str = ""
    start: str = ""
    start_hour: str = ""
    priority: str = "0"
    percent: str = "0"
    notes: str = ""
    repeat: str = ""
    every: str = "1"
    until: str = ""
    list_number: str = ""
    parent: str = ""
    message: str = ""
    revision: str = ""
    uid: str = ""
    reminders: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, fields: TodoFields, tz: tzinfo | None) -> TodoForm:
        """`tz`: the zone of its times."""
        shown = _shown_repeat(fields, tz)
        due, due_hour = _parts(fields.due)
        start, start_hour = _parts(fields.start)
        return cls(
            title=fields.title, due=due, due_hour=due_hour, start=start, start_hour=start_hour, priority=str(fields.priority),
            percent=str(fields.percent), notes=fields.notes, repeat=shown.kind if shown.kind in KINDS else "kept",
            every=str(shown.every), until=shown.until.isoformat() if shown.until else "", parent=fields.parent,
            message=fields.message, reminders=[str(one) for one in fields.reminders],
        )  # fmt: skip

    @classmethod
    def sent(cls, fields: MultiDict[str, str]) -> TodoForm:
        form = cls(uid=fields["uid"] if _UID.fullmatch(fields.get("uid", "")) else "")
        for name in _PLAIN:
            if name in fields:
                setattr(form, name, fields[name].replace("\0", "")[: LONGEST_NOTES * 2])
        form.list_number = fields.get("list", "")[:20]
        form.title = trimmed(form.title)
        form.parent = fields.get("parent", "").replace("\0", "").strip()[:255]
        form.reminders = [one for one in fields.getlist("reminder")[:20] if one.strip()]
        return form

    def fields(self, own: tzinfo, found: ReadTodo | None = None) -> TodoFields | None:
        """What was typed, checked; None with `errors` if it can't be saved. `own`: the person's zone; `found`: what changes."""
        self.errors = {}
        before = found.fields if found else TodoFields()
        if not self.title and not (found and not before.title):
            self.errors["title"] = _("Enter a title.")
        if len(self.title) > LONGEST_TITLE:
            self.errors["title"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_TITLE)
        if len(self.notes) > LONGEST_NOTES:
            self.errors["notes"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_NOTES)
        due, start = self._moment("due"), self._moment("start")
        due, start = _of_one_kind(due, start)
        if due is not None and start is not None and start > due:
            self.errors["start"] = _("It starts after it is due.")
        zone, tz = _zone_of(due, start, own, found)
        rule = self._rule(due or start, tz, before, found.tz if found else None)
        if self.errors:
            return None
        notes = "\n".join(line.rstrip() for line in self.notes.splitlines()).strip()
        return replace(
            before, title=self.title, due=due, start=start, zone=zone, priority=_number(self.priority, LOWEST),
            percent=_number(self.percent, 100), notes=before.notes if notes == before.notes.strip() else notes, rule=rule,
            parent=self.parent, message=self.message or before.message, reminders=self._reminders(due, before),
        )  # fmt: skip

    def _moment(self, name: str) -> Clock | None:
        text, hour = getattr(self, name).strip(), getattr(self, f"{name}_hour").strip()
        if not text and not hour:
            return None
        try:
            day, at = _typed(text)
        except ValueError:
            self.errors[name] = _("Enter a date, such as 2026-11-30.")
            return None
        try:
            at = time_of_day(hour) if hour else at
        except ValueError:
            self.errors[name] = _("Enter a time, such as 14:30.")
        return day if at is None else datetime.combine(day, at)

    def _rule(self, first: Clock | None, tz: tzinfo | None, before: TodoFields, before_tz: tzinfo | None) -> str:
        typed, shown = self.typed_repeat(), _shown_repeat(before, before_tz)
        same = (typed.kind, typed.every, typed.until) == (shown.kind if shown.kind in KINDS else "kept", shown.every, shown.until)
        if before.rule and (same or typed.kind == "kept"):
            return before.rule
        if not typed.kind or typed.kind == "kept":
            return ""
        if first is None:
            self.errors.setdefault("due", _("Enter when it is due first: it repeats from that day on."))
            return ""
        return rule_of(typed, first, tz if isinstance(first, datetime) else None)

    def typed_repeat(self) -> Repeat:
        """How it repeats, as far as what was typed makes sense."""
        if self.repeat not in (*KINDS, "kept") or not self.repeat:
            return Repeat()
        every = int(self.every) if re.fullmatch(r"[1-9]\d?", self.every.strip()) else 1
        try:
            until = _typed(self.until.strip())[0] if self.until.strip() else None
        except ValueError:
            self.errors["until"] = _("Enter a date, such as 2026-11-30.")
            until = None
        return Repeat(self.repeat, min(every, repeats.MOST_EVERY), (), until)

    def _reminders(self, due: Clock | None, before: TodoFields) -> tuple[int, ...]:
        found = (int(one) for one in self.reminders if re.fullmatch(r"-?\d{1,7}", one))
        wanted = tuple(dict.fromkeys(one for one in found if one in REMINDERS or one in before.reminders))
        if wanted and due is None and wanted != before.reminders:
            self.errors["reminder"] = _("Enter when it is due: the reminder comes before that.")
        return wanted


def _shown_repeat(fields: TodoFields, tz: tzinfo | None) -> Repeat:
    first = fields.start or fields.due
    if not fields.rule:
        return Repeat()
    return repeat_of(fields.rule, first, tz) if first is not None else Repeat("kept")


def _parts(at: Clock | None) -> tuple[str, str]:
    if at is None:
        return "", ""
    return (at.date().isoformat(), f"{at:%H:%M}") if isinstance(at, datetime) else (at.isoformat(), "")


def _typed(text: str) -> tuple[date, time | None]:
    """A date as browsers send it or as it is typed, or a date with an hour. Raises ValueError."""
    if found := _TYPED_DAY.fullmatch(text):
        day, at = date(int(found[3]), int(found[2]), int(found[1])), None
    elif len(text) > 10:
        moment = datetime.fromisoformat(text)
        day, at = moment.date(), moment.time()
    else:
        day, at = date.fromisoformat(text), None
    if not _EARLIEST <= day.year < _LATEST:
        raise ValueError("not in these centuries")
    return day, at


def _of_one_kind(due: Clock | None, start: Clock | None) -> tuple[Clock | None, Clock | None]:
    """Both days, or both times (RFC 5545, 3.8.2.3): the kind of when it is due."""
    if due is None or start is None or isinstance(due, datetime) == isinstance(start, datetime):
        return due, start
    if isinstance(due, datetime):
        return due, datetime.combine(start, time())
    return due, start.date() if isinstance(start, datetime) else start


def _zone_of(due: Clock | None, start: Clock | None, own: tzinfo, found: ReadTodo | None) -> tuple[str, tzinfo | None]:
    if not isinstance(due or start, datetime):
        return "", None
    if found is not None and isinstance(found.fields.due or found.fields.start, datetime):
        return found.fields.zone, found.tz
    name = str(own)
    return name, UTC if name == UTC_NAME else ZoneInfo(name)


def _number(text: str, most: int) -> int:
    return min(int(text), most) if re.fullmatch(r"\d{1,3}", text.strip()) else 0
