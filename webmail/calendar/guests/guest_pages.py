"""Guest pages: what a guest without an account here sees of a meeting, and their answer, which counts like a REPLY by mail."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from webmail.calendar import meeting_mail
from webmail.calendar.guests import guest_links, guest_replies, local_answers
from webmail.calendar.guests.local_answers import LocalAnswer
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.itip import answers, distribution, people
from webmail.itip.people import Addresses, Invitee
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, parsed
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, series_of
from webmail.models import CalendarObject, GuestLink, User

_STAMP = "%Y%m%dT%H%M%SZ"


class PageState(StrEnum):
    OPEN = "open"
    OVER = "over"
    CANCELLED = "cancelled"
    UNINVITED = "uninvited"  # the organiser took them out


@dataclass(frozen=True, slots=True)
class GuestPage:
    """`series`: the event as this guest was sent it; `guest`: as it stands in the organiser's event now, if it does."""

    link: GuestLink
    state: PageState
    series: Series
    guest: Invitee | None
    owner: User
    me: Addresses  # the organiser's
    calendars: tuple[int, ...]  # the organiser's own (by `id`)

    @property
    def event(self) -> Component:
        return self.series.master or self.series.overrides[0]

    @property
    def guests(self) -> list[Invitee]:
        """Who is invited, as the guest was told; where guests don't see each other, themselves alone."""
        return people.guests(self.event)


def page(token: str, settings: Settings) -> GuestPage | None:
    """Whose page it is; None where there is no such link. 6 queries."""
    link = guest_links.find(token)
    if link is None or not link.user.active:
        return None
    try:
        series = series_of(link.text)
    except (CannotChangeError, BrokenTextError, ValueError):
        return None
    owner: User = link.user
    me = meeting_mail.addresses_of(owner, settings)
    calendars = tuple(number for number, _owner, _props in collections.calendars_of([owner.id]))
    row = local_answers.organised(calendars, link.uid, me)
    guest = _guest_in(row, link.recipient)
    return GuestPage(link, _state(link, row, guest), series, guest, owner, me, calendars)


def _state(link: GuestLink, row: CalendarObject | None, guest: Invitee | None) -> PageState:
    if row is None or _is_cancelled(row.text):
        return PageState.CANCELLED
    if link.ends < time.time() or distribution.is_over(row.text, datetime.now(UTC)):
        return PageState.OVER
    return PageState.OPEN if guest is not None else PageState.UNINVITED


def _is_cancelled(text: str) -> bool:
    return all(event.value("STATUS").upper() == "CANCELLED" for event in parsed(text).parts("VEVENT"))


def _guest_in(row: CalendarObject | None, key: str) -> Invitee | None:
    events = parsed(row.text).parts("VEVENT") if row is not None else []
    lines = (people.line_of(event, frozenset({key})) for event in events)
    return next((people.guest_of(line) for line in lines if line is not None), None)


@begun_again
def answer(page: GuestPage, given: str, comment: str, settings: Settings) -> bool:
    """Write an answer to all of it into the organiser's event; False where it does not count: the event was changed since the
    guest was told of it, or they are not invited any more. 1 transaction."""
    me = frozenset({page.link.recipient})
    result = answers.answered(page.link.text, "", me, given, _moment(page), comment)
    if not result.messages:
        return False
    reply = LocalAnswer(result.messages[0], page.owner, page.me, page.calendars)
    with db.atomic():
        collections.lock(page.calendars)
        local_answers.note(reply, settings)
        guest = _guest_in(local_answers.organised(page.calendars, page.link.uid, page.me), page.link.recipient)
        counts = guest is not None and guest.answer == given
        if guest is not None and counts:
            guest_replies.note_comment(page.owner.id, page.link.uid, guest, comment)
    return counts


def _moment(page: GuestPage) -> datetime:
    """Now; or when the guest answered by another program whose clock is ahead: the answer that is given later counts."""
    moment = datetime.now(UTC)
    before = page.guest.answered if page.guest is not None else ""
    try:
        return max(moment, datetime.strptime(before, _STAMP).replace(tzinfo=UTC)) if before else moment
    except ValueError:
        return moment
