"""Texts of rooms and things: what they are, whether they are free, and why one is not booked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.calendar.display.event_texts import when_words
from webmail.calendar.rooms.bookings import RoomRefusal, Span
from webmail.calendar.rooms.free_rooms import RoomChoice
from webmail.calendar.rooms.limits import RoomRefusalReason
from webmail.models import Resource


def about_words(resource: Resource) -> str:
    """How large it is and where: "30 people, Main building"."""
    size = ngettext("%(num)d person", "%(num)d people", resource.capacity) if resource.capacity else ""
    count = _("%(count)d of them", count=resource.copies) if resource.copies > 1 else ""
    return ", ".join(filter(None, [size, count, resource.site]))


def choice_words(choice: RoomChoice) -> str:
    """A room in the list of an event's form."""
    resource, state = choice.resource, state_words(choice)
    name = resource.name + (f" ({about})" if (about := about_words(resource)) else "")
    return _("%(name)s: %(state)s", name=name, state=state) if state else name


def state_words(choice: RoomChoice) -> str:
    """Whether it can be had, in a few words; "" where it simply is."""
    resource = choice.resource
    if not choice.asked or choice.is_free:
        return _("needs approval") if resource.approval else ""
    if not choice.free:
        return reason_words(resource, choice.reason)
    return ngettext("free on %(free)d of %(num)d date", "free on %(free)d of %(num)d dates", choice.asked, free=choice.free)


def reason_words(resource: Resource, reason: RoomRefusalReason | None) -> str:
    """Why it is not booked, in a few words."""
    return {
        RoomRefusalReason.TAKEN: _("already booked"),
        RoomRefusalReason.CLOSED: _("takes no bookings for now"),
        RoomRefusalReason.NOT_ALLOWED: _("reserved for other groups"),
        RoomRefusalReason.TOO_SOON: ngettext(
            "must be booked %(num)d hour in advance", "must be booked %(num)d hours in advance", resource.hours_notice
        ),
        RoomRefusalReason.TOO_FAR: ngettext(
            "can be booked at most %(num)d day ahead", "can be booked at most %(num)d days ahead", resource.days_ahead
        ),
        RoomRefusalReason.TOO_LONG: _longest_words(resource.longest),
        RoomRefusalReason.TOO_MANY: _("can’t be booked on that many dates"),
        RoomRefusalReason.DECLINED: _("the booking was declined"),
        RoomRefusalReason.OVER: _("this time is over"),
    }.get(reason or RoomRefusalReason.TAKEN, "")


def _longest_words(minutes: int) -> str:
    if minutes % 60:
        return ngettext("can be booked for at most %(num)d minute", "can be booked for at most %(num)d minutes", minutes)
    return ngettext("can be booked for at most %(num)d hour", "can be booked for at most %(num)d hours", minutes // 60)


def refused_words(refusals: Sequence[RoomRefusal], zone: tzinfo) -> str:
    """Why an event was not saved: which room, when, and what to do."""
    first = refusals[0]
    when = span_words((first.start, first.end), zone)
    words = _(
        "“%(name)s” on %(when)s: %(why)s.", name=first.resource.name, when=when, why=reason_words(first.resource, first.reason)
    )
    return words + " " + _("Nothing was booked. Choose another room or time: the rooms that are free come first.")


def span_words(span: Span, zone: tzinfo) -> str:
    """A time in seconds since 1970, by the clock of a zone."""
    return when_words(datetime.fromtimestamp(span[0], UTC), datetime.fromtimestamp(span[1], UTC), zone)


def location_words(chosen: Sequence[Resource]) -> str:
    """The location of an event in these rooms."""
    return ", ".join(f"{one.name}, {one.site}" if one.site else one.name for one in chosen if one.kind == "room")
