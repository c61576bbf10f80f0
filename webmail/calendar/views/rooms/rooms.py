"""All rooms and things, the search for one that is free, and the week of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from flask import Response, abort, request, url_for
from flask_babel import gettext as _

from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import page_texts
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.forms import typed_day
from webmail.calendar.rooms import approval, free_rooms, limits, resources, room_search, room_week
from webmail.calendar.rooms.bookings import Span
from webmail.calendar.rooms.free_rooms import RoomChoice
from webmail.calendar.rooms.room_search import RoomSearch
from webmail.calendar.rooms.room_texts import about_words, reason_words, state_words
from webmail.models import Resource
from webmail.schedule import time_of_day
from webmail.web.current import current_user, time_zone
from webmail.web.formatting import clock_time, here
from webmail.web.rendering import page

blueprint.app_template_filter("room_about")(about_words)
_DAYS = 7


@blueprint.get("/rooms")
def show_rooms() -> Response:
    """All, or what fits: `q` in words, or `people`, `day`, `from`, `until`, `with`."""
    listed = resources.listed()
    sought = _sought(listed)
    fitting = room_search.matching(listed, sought)
    found = free_rooms.choices(current_user(), _spans(sought), among=fitting)
    when = when_words(sought.start, sought.end, time_zone()) if sought.start and sought.end else ""
    return page(
        "calendar/rooms/rooms.html", found=[(one, state_words(one), _booking_url(one, sought)) for one in found], sought=sought,
        when=when, any=bool(listed), query=request.args.get("q", "")[: room_search.LONGEST], is_search=_is_search(),
        wrong=_is_search() and not when and bool(request.args.get("day") or request.args.get("from")),
        approves=bool(approval.resources_of(current_user())),
    )  # fmt: skip


def _is_search() -> bool:
    return any(request.args.get(name, "").strip() for name in ("q", "people", "day", "from", "until"))


def _sought(listed: list[Resource]) -> RoomSearch:
    """What the address asks for: its fields count more than its words."""
    now = datetime.now(time_zone()).replace(tzinfo=None)
    words = request.args.get("q", "").strip()
    sought = room_search.read(words, now, here().locale, listed) if words else RoomSearch()
    people = request.args.get("people", "").strip()
    if people.isascii() and people.isdigit() and len(people) < 5:
        sought = replace(sought, people=int(people))
    day, begin, finish = typed_day(request.args.get("day", "")[:10]), _clock("from"), _clock("until")
    if day is None and begin is None:
        return sought
    first = datetime.combine(day or (sought.start or now).date(), (begin or datetime.min.replace(hour=8)).time())
    last = datetime.combine(first.date(), finish.time()) if finish else first + timedelta(hours=1 if begin else 10)
    return replace(sought, start=first, end=last if last > first else first + timedelta(hours=1))


def _clock(name: str) -> datetime | None:
    try:
        return datetime.combine(date.min, time_of_day(request.args.get(name, "")))
    except ValueError:
        return None


def _spans(sought: RoomSearch) -> list[Span]:
    if sought.start is None or sought.end is None:
        return []
    start, end = (int(one.replace(tzinfo=time_zone()).timestamp()) for one in (sought.start, sought.end))
    return [(start, max(end, start + 1))]


def _booking_url(choice: RoomChoice, sought: RoomSearch) -> str:
    """The form of a new event in this room; "" where it can't be had."""
    if not choice.is_free or choice.resource.closed:
        return ""
    start, end, address = sought.start, sought.end, choice.resource.address
    if start is None or end is None:
        return url_for("calendar.new_event", room=address)
    return url_for(
        "calendar.new_event", room=address, start=start.date().isoformat(), start_hour=f"{start:%H:%M}",
        end=end.date().isoformat(), end_hour=f"{end:%H:%M}",
    )  # fmt: skip


@blueprint.get("/rooms/<int:number>")
def show_room(number: int) -> Response:
    """A week of a room, that of `day` in the query, or of today."""
    resource = resources.find(number)
    if resource is None:
        abort(404)
    today = datetime.now(time_zone()).date()
    try:
        first = room_week.monday_of(typed_day(request.args.get("day", "")[:10]) or today)
        days = room_week.bookings_of(resource, first, _DAYS, time_zone(), current_user())
    except (OverflowError, ValueError):  # beyond all dates
        abort(404)
    told = [
        (day, page_texts.calendar_date(day, "EEEE d MMMM"), [(_hours(one.begins, one.ends, day), one) for one in several])
        for day, several in days.items()
    ]
    return page(
        "calendar/rooms/room.html", room=resource, days=told, today=today,
        before=_week_url(number, first - timedelta(days=_DAYS)),
        after=_week_url(number, first + timedelta(days=_DAYS)), rules=_rules(resource),
        week=page_texts.interval(first, first + timedelta(days=_DAYS - 1)),
    )  # fmt: skip


def _week_url(number: int, day: date) -> str:
    return url_for("calendar.show_room", number=number, day=day.isoformat())


def _hours(begins: datetime, ends: datetime, day: date) -> str:
    """From when until when it is on this day."""
    if begins.date() < day and ends.date() > day:
        return _("all day")
    start = clock_time(begins) if begins.date() == day else clock_time(begins.replace(hour=0, minute=0))
    return f"{start}–{clock_time(ends)}"


def _rules(resource: Resource) -> list[str]:
    """What limits its bookings, in sentences."""
    reason = limits.RoomRefusalReason
    wanted = [
        (resource.closed, reason.CLOSED), (resource.bookers, reason.NOT_ALLOWED), (resource.days_ahead, reason.TOO_FAR),
        (resource.hours_notice, reason.TOO_SOON), (resource.longest, reason.TOO_LONG),
    ]  # fmt: skip
    found = [reason_words(resource, why) for limited, why in wanted if limited]
    return [*found, *([_("needs approval")] if resource.approval else [])]
