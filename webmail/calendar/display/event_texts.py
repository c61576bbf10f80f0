"""Texts of one event: when it is, how it repeats, its reminders, what people answered."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, time, tzinfo
from typing import Any

from babel.dates import get_day_names
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from webmail.calendar.blueprint import blueprint
from webmail.calendar.display import special_days
from webmail.calendar.display.event_facts import EventFacts, Invited
from webmail.calendar.repeat import Repeat
from webmail.mime.formats.recurrence import recurrence_edit
from webmail.web.formatting import clock_time, day_in_full, here
from webmail.web.templates.addresses import url_for

_MINUTE, _HOUR, _DAY, _WEEK = 1, 60, 1440, 10_080


def when_words(begins: date | datetime, ends: date | datetime, zone: tzinfo) -> str:
    """When it is, in this zone; times without one stay as they are."""
    if not isinstance(begins, datetime) or not isinstance(ends, datetime):
        first, last = _date_of(begins), _date_of(ends)
        if first == last:
            return _("%(day)s, all day", day=day_in_full(first))
        return _("%(first)s to %(last)s", first=day_in_full(first), last=day_in_full(last))
    start, end = _in(begins, zone), _in(ends, zone)
    if start.date() != end.date():
        return _("%(start)s to %(end)s", start=_full(start), end=_full(end))
    if start == end:
        return _full(start)
    return f"{_full(start)}–{clock_time(end)}"


def _full(moment: datetime) -> str:
    return _("%(day)s, %(time)s", day=day_in_full(moment.date()), time=clock_time(moment))


def _date_of(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _in(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone) if moment.tzinfo else moment
    except OverflowError:
        return moment


def elsewhere_words(facts: EventFacts, zone: tzinfo) -> str:
    """The hours by the clock of the event's zone, where that is another than the reader's; "" else."""
    begins, ends = facts.begins, facts.ends
    if not isinstance(begins, datetime) or not isinstance(ends, datetime) or begins.tzinfo is None:
        return ""
    if begins.utcoffset() == _in(begins, zone).utcoffset() or facts.fields.zone == "UTC":
        return ""
    hours = clock_time(begins) if begins == ends else f"{clock_time(begins)}–{clock_time(ends)}"
    return _("%(hours)s in the time zone %(zone)s", hours=hours, zone=facts.fields.zone)


def repeat_words(repeat: Repeat, start: date | datetime) -> str:
    """How an event that begins then repeats; "" if it does not."""
    if not repeat.kind:
        return ""
    if repeat.kind == "kept":
        return _("Repeats by a rule that can’t be shown here. The rule is kept.")
    often = _often(repeat, _date_of(start))
    if repeat.times:
        return ngettext("%(often)s, %(num)d time", "%(often)s, %(num)d times", repeat.times, often=often)
    if repeat.until:
        return _("%(often)s, until %(day)s", often=often, day=day_in_full(repeat.until))
    return often


def series_words(facts: EventFacts) -> str:
    """How an event repeats, and when it does not."""
    words = repeat_words(facts.repeat, facts.fields.start)
    if not words or facts.term is None:
        return words
    if facts.term.zone:
        return _("%(often)s, not in the school holidays (%(zone)s)", often=words, zone=school_zone_words(facts.term.zone))
    return _("%(often)s, not in the school holidays", often=words)


def school_zone_words(zone: str) -> str:
    return _("Zone %(name)s", name=zone) if zone in special_days.ZONES else zone


def _often(repeat: Repeat, day: date) -> str:
    every = repeat.every
    if repeat.kind == "daily":
        return ngettext("Every day", "Every %(num)d days", every)
    if repeat.kind == "weekdays":
        return _("Every weekday, Monday to Friday")
    if repeat.kind == "weekly":
        words = ngettext("Every week", "Every %(num)d weeks", every)
        names = get_day_names("wide", locale=here().locale)
        return _("%(often)s on %(days)s", often=words, days=listed([names[one] for one in repeat.days or (day.weekday(),)]))
    if repeat.kind == "yearly":
        return ngettext("Every year", "Every %(num)d years", every)
    words = ngettext("Every month", "Every %(num)d months", every)
    if repeat.kind == "monthly":
        return _("%(often)s on day %(number)d", often=words, number=day.day)
    if repeat.kind == "monthly-days":
        return _("%(often)s on the %(places)s", often=words, places=places_words(repeat.places, day))
    return _("%(often)s on the %(place)s", often=words, place=place_words(day, last=repeat.kind == "monthly-last"))


def listed(texts: list[str]) -> str:
    """Words with commas and "and"."""
    return _("%(first)s and %(last)s", first=", ".join(texts[:-1]), last=texts[-1]) if len(texts) > 1 else "".join(texts)


def place_words(day: date, *, last: bool = False) -> str:
    """Which weekday of its month a day is: "second Monday"."""
    name = get_day_names("wide", locale=here().locale)[day.weekday()]
    if last or recurrence_edit.nth_of(day)[0].startswith("-1"):
        return _("last %(day)s", day=name)
    return [
        _("first %(day)s", day=name), _("second %(day)s", day=name), _("third %(day)s", day=name), _("fourth %(day)s", day=name),
    ][(day.day - 1) // 7]  # fmt: skip


def one_place_words(position: int) -> str:
    """Which of its weekdays in a month, alone."""
    return {
        1: pgettext("weekday", "first"), 2: pgettext("weekday", "second"), 3: pgettext("weekday", "third"),
        4: pgettext("weekday", "fourth"),
    }.get(position) or pgettext("weekday", "last")  # fmt: skip


def places_words(places: tuple[int, ...], day: date) -> str:
    """Several of the weekday of a day: "first and third Monday"."""
    name = get_day_names("wide", locale=here().locale)[day.weekday()]
    return pgettext("weekdays", "%(places)s %(day)s") % {"places": listed([one_place_words(one) for one in places]), "day": name}


def is_last_of_month(day: date) -> bool:
    """Whether this weekday does not come again in its month, so that "the last" is another choice than its number."""
    return monthrange(day.year, day.month)[1] - 7 < day.day <= 28


@blueprint.app_template_filter()
def reminder_words(minutes: int, hour: int | None = None) -> str:
    """When a reminder comes; `hour`: when one of a whole day does (see `calendar_alarms`)."""
    if hour is not None and -6 * _HOUR < minutes < 6 * _HOUR:
        return _("On the day at %(time)s", time=clock_time(time(hour)))
    if hour is not None and minutes == _DAY:
        return _("The day before at %(time)s", time=clock_time(time(hour)))
    if minutes == 0:
        return _("At the start")
    if minutes < 0:
        hours, rest = divmod(-minutes % 1440, 60)
        return _("On the day at %(time)s", time=clock_time(time(hours, rest))) if minutes > -1440 else _("After the start")
    if not minutes % _WEEK:
        return ngettext("%(num)d week before", "%(num)d weeks before", minutes // _WEEK)
    if not minutes % _DAY:
        return ngettext("%(num)d day before", "%(num)d days before", minutes // _DAY)
    if not minutes % _HOUR:
        return ngettext("%(num)d hour before", "%(num)d hours before", minutes // _HOUR)
    return ngettext("%(num)d minute before", "%(num)d minutes before", minutes)


@blueprint.app_template_filter()
def invited_words(invited: Invited) -> str:
    """What somebody answered."""
    match invited.answer:
        case "accepted":
            return _("accepted")
        case "declined":
            return _("declined")
        case "tentative":
            return _("may come")
        case "delegated" if invited.sends:
            return _("sends %(who)s in their place", who=invited.sends)
        case "delegated":
            return _("is sending someone else")
        case _:
            return _("has not replied")


def status_words(status: str) -> str:
    return {"cancelled": _("Cancelled"), "tentative": _("Tentative"), "confirmed": _("Confirmed")}.get(status, "")


def privacy_words(privacy: str) -> str:
    return {"private": _("Private"), "confidential": _("Confidential")}.get(privacy, "")


def remark_words(remarks: Iterable[str]) -> list[str]:
    """What quick entry supposed."""
    words = {
        "no-date": _("No date was found, so today was chosen."),
        "next-year": _("This date has passed this year, so next year’s was chosen."),
        "next-week": _("This time has passed today, so next week was chosen."),
        "tomorrow": _("This time has passed today, so tomorrow was chosen."),
        "past": _("This day has passed."),
        "roughly": _("The day is only approximate: check it."),
        "weekday": _("The date and the weekday don’t match: the date was used."),
        "night": _("This begins at night: check the time."),
        "no-hour": _("The duration is given, but not the start time."),
        "no-term": _("No school holidays are known here, so no dates are left out."),
        "weekly": _("It doesn’t say how often, so every week was chosen."),
    }
    return [words[one] for one in remarks]


def kept_inside_words() -> str:
    """Why a calendar with events whose time other people count on stays (`KeptHereError`)."""
    return _("People have booked appointments in this calendar, so it can’t be deleted. Cancel them first: they are told then.")


def kept_link(number: int) -> dict[str, Any]:
    """To where they can be cancelled, as a notice has it."""
    return {"url": url_for("appointments.show_one", number=number), "text": _("Show the appointments"), "here": True}
