"""A time that suits all: the grid of who is busy when, and the first common times, for the event whose form waits meanwhile."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from functools import lru_cache

from flask import redirect, request
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Answer

from webmail.auth.sessions import interrupted_forms
from webmail.calendar import form_store
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import page_texts, periods
from webmail.calendar.display.page_texts import calendar_date
from webmail.calendar.forms import EventForm, typed_day, typed_moment
from webmail.calendar.free_busy import time_search
from webmail.calendar.free_busy.common_times import CommonTime
from webmail.calendar.free_busy.outside_times import OutsideState, OutsideTimes
from webmail.calendar.free_busy.time_search import GridRow, TimeSearch
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.calendar.views.guests.guest_fields import read_guests
from webmail.calendar.views.kept_forms import kept_fields
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.web.current import current_user, settings, time_zone
from webmail.web.formatting import clock_time, day_in_full, whole_hour
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for

_HOUR = timedelta(hours=1)
_MEETING = "meeting"  # among the fields of a form that waits: the UID of the event that is changed


def send_to_times(path: str, uid: str = "") -> Answer:
    """Keep the form of the page at `path`, and lead to the times of its guests. `uid`: of an event that is there."""
    typed = [(name, value) for name, value in interrupted_forms.text() if name not in ("kept", _MEETING)]
    typed += [(_MEETING, uid)] if uid else []
    name = form_store.keep(current_user(), path, typed)
    form_store.forget(current_user(), request.form.get("kept", ""))
    return redirect(url_for("calendar.find_time", name=name), 303)


@blueprint.get("/calendar/times/<name>")
def find_time(name: str) -> Answer:
    """When the guests of the form that waits under this name have time; in the query `day`, and `view`: day or week."""
    kept = kept_fields(name)
    if kept is None:
        return _gone()
    typed = _typed(kept)
    day = typed_day(request.args.get("day", "")[:10]) or _first_day(typed)
    period = periods.around("week" if request.args.get("view") == "week" else "day", day)
    found = time_search.search(
        current_user(), _guests(kept), period, _length(typed), _hours(typed), time_zone(), int(time.time()), settings(),
        kept.get(_MEETING, ""),
    )  # fmt: skip
    return page(
        "calendar/find_time.html", name=name, search=found, title=page_texts.title(period), form=EventForm.sent(kept),
        clock=lru_cache(clock_text), whole_hour=whole_hour, facts=row_facts, day_facts=day_facts,
        common=[(_iso(one), _when(one), _remarks(one, found)) for one in found.common],
    )  # fmt: skip


@blueprint.post("/calendar/times/<name>")
def take_time(name: str) -> Answer:
    """Back to the form, with the time `start` (ISO, by the person's clock)."""
    kept, start = kept_fields(name), typed_moment(request.form.get("start", "")[:40])
    if kept is None or not isinstance(start, datetime):
        return _gone()
    end = start + timedelta(seconds=_length(_typed(kept)))
    moments = {"start": f"{start:%Y-%m-%d}", "start_hour": f"{start:%H:%M}", "end": f"{end:%Y-%m-%d}", "end_hour": f"{end:%H:%M}"}
    path = form_store.put(current_user(), name, moments | {"zone": str(time_zone()), "all_day": ""})
    return redirect(back_to(path, name), 303)


def back_to(path: str, name: str) -> str:
    """The page at `path` with the form that is kept under this name."""
    return f"{path}{'&' if '?' in path else '?'}form={name}"


def _gone() -> Answer:
    notify(_("What you typed is no longer available."), "caution")
    return redirect(url_for("calendar.show"), 303)


# --- what was typed --------------------------------------------------------------------------------------------------


def _typed(fields: MultiDict[str, str]) -> EventFields | None:
    """The event with the times that were typed; None where they make no sense yet."""
    times = MultiDict((name, fields.get(name, "")) for name in ("start", "start_hour", "end", "end_hour", "all_day", "zone"))
    times["title"] = "-"
    return EventForm.sent(times).fields(time_zone())


def _length(typed: EventFields | None) -> int:
    """How long the event takes, in seconds: an hour where that isn't said."""
    length = typed.length if typed is not None and not typed.all_day and typed.length else _HOUR
    return int(length.total_seconds())


def _hours(typed: EventFields | None) -> tuple[int, int] | None:
    """The hours that it takes now, where it begins and ends on one day."""
    if typed is None or not isinstance(typed.start, datetime) or not isinstance(typed.end, datetime):
        return None
    return (typed.start.hour, typed.end.hour + bool(typed.end.minute)) if typed.start.date() == typed.end.date() else None


def _first_day(typed: EventFields | None) -> date:
    today = datetime.now(time_zone()).date()
    if typed is None:
        return today
    return max(typed.start.date() if isinstance(typed.start, datetime) else typed.start, today)


def _guests(fields: MultiDict[str, str]) -> list[TypedGuest]:
    form = EventForm.sent(fields)
    return read_guests(form) or []  # what can't be read was told on the form, before this page


# --- words -----------------------------------------------------------------------------------------------------------


def clock_text(at: int) -> Markup:
    return escape(_clock(at))


def _clock(at: int) -> str:
    return clock_time(datetime.fromtimestamp(at, time_zone()))


def row_facts(row: GridRow, by_week: bool) -> list[str]:
    """What is to be known of somebody: when and where they work on the day, and whether their clock is another."""
    found = [] if by_week else day_facts(row, 0)
    if row.away:
        found.append(_("local time %(hours)s h", hours=" / ".join(map(_signed, row.away))))
    if row.outside is not None:
        found.append(_outside_words(row.outside))
    return found


def _outside_words(published: OutsideTimes) -> str:
    """How far published times are published, or a service tells them."""
    if published.told_by:
        return _service_words(published)
    if published.state is OutsideState.WAITING:
        return _("published times not known yet: show this page again in a moment")
    at = datetime.fromtimestamp(published.at, time_zone())
    when = f"{calendar_date(at.date(), 'd MMM')}, {clock_time(at)}"
    if published.state is OutsideState.FAILED:
        return (
            _("published times could not be fetched; these are of %(when)s", when=when)
            if published.covers
            else _("published times could not be fetched (%(when)s)", when=when)
        )
    return (
        _("published times, fetched %(when)s", when=when)
        if published.covers
        else _("no times published for this day, fetched %(when)s", when=when)
    )


def _service_words(told: OutsideTimes) -> str:
    title = told.told_by
    if told.state is OutsideState.WAITING:
        return _("%(title)s is being asked: show this page again in a moment", title=title)
    if told.state is OutsideState.FAILED and not told.covers:
        return _("%(title)s does not tell", title=title)
    at = datetime.fromtimestamp(told.at, time_zone())
    when = f"{calendar_date(at.date(), 'd MMM')}, {clock_time(at)}"
    if told.state is OutsideState.FAILED:
        return _("%(title)s did not tell again; these times are of %(when)s", title=title, when=when)
    return _("as %(title)s told, %(when)s", title=title, when=when)


def day_facts(row: GridRow, at: int) -> list[str]:
    """When and where somebody works on one of the days that are shown, if they said so."""
    if row.week is None or at >= len(row.hours):
        return []
    hours = row.hours[at]
    if not hours:
        return [pgettext("working hours", "Not working")]
    spans = ", ".join(f"{_clock(one.start)}–{_clock(one.end)}" for one in hours)
    places = dict.fromkeys(place_words(one.place) for one in hours if one.place)
    return [spans, *places]


def place_words(location: str) -> str:
    words = {"telework": _("Teleworking"), "elsewhere": _("At another site")}
    return words.get(location, _("At the office"))


def _signed(hours: float) -> str:
    minutes = round(abs(hours) * 60)
    return f"{'−' if hours < 0 else '+'}{minutes // 60}{f':{minutes % 60:02}' if minutes % 60 else ''}"


def _iso(chosen: CommonTime) -> str:
    return f"{datetime.fromtimestamp(chosen.start, time_zone()):%Y-%m-%dT%H:%M}"


def _when(chosen: CommonTime) -> str:
    start = datetime.fromtimestamp(chosen.start, time_zone())
    return _("%(day)s, %(time)s", day=day_in_full(start.date()), time=f"{clock_time(start)}–{_clock(chosen.end)}")


def _remarks(chosen: CommonTime, found: TimeSearch) -> str:
    """What there is to say of a time that doesn't suit everybody."""
    names = [one.person.name or one.person.email for one in found.rows if one.optional]
    absent = ", ".join(names[at] for at in chosen.without)
    if absent and chosen.unsure:
        return _("without %(names)s; somebody is perhaps busy", names=absent)
    return _("without %(names)s", names=absent) if absent else _("somebody is perhaps busy") if chosen.unsure else ""
