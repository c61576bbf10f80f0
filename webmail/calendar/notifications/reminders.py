"""Reminders by mail, about one's own calendar: those and the daily agenda, in the person's language; written by the worker."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from flask import render_template
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import preferences, system_mail
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.display.happenings import Happening
from webmail.calendar.display.page_texts import event_title
from webmail.calendar.reminders import daily_agenda, reminders
from webmail.collections import look
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import Collection, SystemMessage, User
from webmail.web.formatting import clock_time, day_in_full, written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

_LONGEST = 150  # characters of a title or a place


@dataclass(frozen=True, slots=True)
class LetterEvent:
    """An event as a letter has it; "" for what it has not."""

    title: str
    when: str
    place: str
    calendar: str
    url: str


def remind(user: User, due: Sequence[reminders.Reminder], settings: Settings) -> SystemMessage | None:
    """Queue one message with all these reminders; None if the establishment writes to nobody, or they had too many today."""
    zone = daily_agenda.zone_of(preferences.for_user(user), settings)
    with written_in(system_mail.in_language_of(user, settings)):
        several = {(one.object, one.taking.recurrence_id): one for one in due}.values()
        names = {row.id: row for row in Collection.select().where(Collection.id.in_([one.calendar for one in several]))}
        events = [_reminded(one, names.get(one.calendar), zone, user) for one in several]
        if len(events) == 1:
            subject = _("Reminder: %(title)s, %(when)s", title=events[0].title[:100], when=events[0].when)
        else:
            count = len(events)
            subject = ngettext("%(num)d reminder from your calendar", "%(num)d reminders from your calendar", count)
        end = _("You received this because an event or a task of yours asks for it. You can change that in your settings.")
        return _send(user, "reminder", subject, subject, events, end, settings)


def _reminded(reminder: reminders.Reminder, calendar: Collection | None, zone: tzinfo, user: User) -> LetterEvent:
    taking, is_todo = reminder.taking, reminder.component == "VTODO"
    if is_todo:
        taking = replace(taking, start=taking.end)
    begins, ends = _moment(taking.start, taking.whole_day), _moment(taking.end - taking.whole_day * 86_400, taking.whole_day)
    when = when_words(begins, max(begins, ends), zone)
    endpoint = "todo.edit" if is_todo else "calendar.event"
    url = public_link(endpoint, calendar=reminder.calendar, href=reminder.href, at=taking.recurrence_id or None)
    name = look.title_of(collections.props_for(calendar, user)) if calendar else ""
    return LetterEvent(_title(taking.summary), when, look.one_line(taking.location)[:_LONGEST], name, url)


def _moment(at: int, whole_day: bool) -> date | datetime:
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    return utc.date() if whole_day else utc


def _title(summary: str) -> str:
    return look.one_line(summary)[:_LONGEST] or _("No title")


def agenda(
    user: User, day: date, rows: list[Happening], names: dict[int, str], zone: ZoneInfo, settings: Settings
) -> SystemMessage | None:
    """Queue the events of a day for a person; once, whoever asks."""
    with written_in(system_mail.in_language_of(user, settings)):
        count = len(rows)
        full = day_in_full(day)
        subject = ngettext("%(day)s: %(num)d event", "%(day)s: %(num)d events", count, day=full)
        events = [_of_day(one, day, names.get(one.calendar, "") if len(names) > 1 else "") for one in rows[: daily_agenda.MOST]]
        more = count - len(events)
        end = _("You asked for this message in the settings of your calendar, where you can turn it off.")
        dedup = f"{user.id} {day.isoformat()}"
        return _send(user, "agenda", subject, full, events, end, settings, dedup, more=more, day=day)


def _of_day(happening: Happening, day: date, calendar: str) -> LetterEvent:
    if happening.whole_day:
        when = _("All day")
    else:
        begins = clock_time(happening.begins) if happening.first == day else "…"
        when = f"{begins}–{clock_time(happening.ends)}" if happening.last == day and happening.start != happening.end else begins
        when = f"{when}–…" if happening.last != day else when
    url = (
        public_link("calendar.event", calendar=happening.calendar, href=happening.href, at=happening.at or None)
        if happening.words
        else ""
    )
    return LetterEvent(_title(event_title(happening)), when, look.one_line(happening.location)[:_LONGEST], calendar, url)


def _send(
    user: User, kind: str, subject: str, heading: str, events: list[LetterEvent], end: str, settings: Settings,
    dedup: str = "", *, more: int = 0, day: date | None = None,
) -> SystemMessage | None:  # fmt: skip
    if not settings.system_address:
        return None
    values = {
        "heading": heading, "events": events, "end": end, "more": more,
        "day": public_link("calendar.show_period", view="day", day=day.isoformat()) if day else "",
        "change": public_link("settings.show_page", slug="reminders"),
    }  # fmt: skip
    text = _text(heading, events, end, more, str(values["day"]), str(values["change"]))
    html = render_template("calendar/notifications/letter.html", **values)
    language = system_mail.in_language_of(user, settings)
    fits = html if len(html) <= system_mail.LONGEST_BODY else ""
    try:
        return system_mail.send(user.address, kind, subject[: system_mail.LONGEST_SUBJECT], text, language, dedup, html=fits)
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("%s for %s is not written: %s", kind, user.address, error)
        return None


def _text(heading: str, events: list[LetterEvent], end: str, more: int, day: str, change: str) -> str:
    parts = [heading]
    parts += ["\n".join(line for line in (one.when, one.title, one.place, one.calendar, one.url) if line) for one in events]
    if more:
        parts.append(ngettext("and %(num)d other", "and %(num)d others", more))
    if day:
        parts.append(_("Show this day in the calendar:") + f"\n{day}")
    parts.append("\n".join(line for line in ("-- ", end, change) if line))
    return "\n\n".join(parts) + "\n"


def reminder_writer(settings: Settings) -> reminders.Write:
    return partial(remind, settings=settings)


def agenda_writer(settings: Settings) -> daily_agenda.Write:
    return partial(agenda, settings=settings)
