"""Local answers: what guests of this server answer stands in the organiser's event at once, though no mail is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.auth.address_owners import account_of
from webmail.calendar import meeting_mail, objects
from webmail.calendar.rooms.bookings import Booker
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.itip import incoming, people
from webmail.itip.messages import ItipMessage
from webmail.itip.outcome import Effect
from webmail.itip.receiving import receive
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import parsed
from webmail.models import CalendarObject, User

REPLY = "REPLY"


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """An answer to somebody of this server. `calendars`: those of theirs (by `id`) in which they organise."""

    message: ItipMessage
    organiser: User
    me: people.Addresses
    calendars: tuple[int, ...]


def local(messages: Sequence[ItipMessage], settings: Settings) -> list[LocalAnswer]:
    """The answers among these messages that go to people of this server. At most 5 queries each."""
    found = []
    for message in messages:
        for address in message.recipients if message.method == REPLY else ():
            owner = account_of(people.key(address))
            if owner is None:
                continue
            own = tuple(number for number, _owner, _props in collections.calendars_of([owner.id]))
            found.append(LocalAnswer(message, owner, meeting_mail.addresses_of(owner, settings), own))
    return found


def note(answer: LocalAnswer, settings: Settings) -> bool:
    """Write an answer into the organiser's event; False where they have no such event, or nothing changes. In a transaction that
    has locked `calendars`."""
    row = organised(answer.calendars, answer.message.uid, answer.me)
    if row is None:
        return False
    text = row.text
    for sent in incoming.read(answer.message.text):
        outcome = receive(text, sent, answer.me)
        if outcome.effect is Effect.ANSWERED and outcome.text:
            text = outcome.text
    return _rewritten(row, text, settings)


def take_back(before: str, after: str, me: people.Addresses, settings: Settings) -> bool:
    """An answer was undone: the organiser's event, if they are of this server, says again what was said before. `before`: the
    guest's event as it is again ("" where it is gone), `after`: as it was. In a
    transaction. 7 queries, none where nobody answered."""
    given, said = _answers_in(before, me), _answers_in(after, me)
    changed = {at: (answer, given.get(at, people.NEEDS_ACTION)) for at, answer in said.items() if given.get(at) != answer}
    owner = account_of(_organizer(after)) if changed and _organizer(after) not in me else None
    if owner is None:
        return False
    calendars = tuple(number for number, _owner, _props in collections.calendars_of([owner.id]))
    collections.lock(calendars)
    row = organised(calendars, parsed(after).parts("VEVENT")[0].value("UID"), meeting_mail.addresses_of(owner, settings))
    if row is None:
        return False
    root = parsed(row.text)
    for event in root.parts("VEVENT"):
        line, (was, now) = people.line_of(event, me), changed.get(event.value("RECURRENCE-ID"), ("", ""))
        if line is not None and was and people.guest_of(line).answer == was:
            people.change(event, line, {"PARTSTAT": now.upper(), people.ANSWERED: ""})
    return _rewritten(row, str(root), settings)


def _answers_in(text: str, me: people.Addresses) -> dict[str, str]:
    """A guest's answers, by RECURRENCE-ID ("" for all)."""
    events = parsed(text).parts("VEVENT") if text else []
    lines = ((event.value("RECURRENCE-ID"), people.line_of(event, me)) for event in events)
    return {at: people.guest_of(line).answer for at, line in lines if line is not None}


def _organizer(text: str) -> str:
    events = parsed(text).parts("VEVENT") if text else []
    return next((key for event in events if (key := people.organizer(event))), "")


def organised(calendars: Sequence[int], uid: str, me: people.Addresses) -> CalendarObject | None:
    """The event of this UID that somebody of these addresses organises, in their calendars. 1 query."""
    mine = CalendarObject.collection.in_(list(calendars)) & (CalendarObject.uid == uid[:255])
    found: CalendarObject | None = CalendarObject.select().where(mine).first() if calendars else None
    return found if found is not None and _organizer(found.text) in me else None


def _rewritten(row: CalendarObject, text: str, settings: Settings) -> bool:
    if text == row.text:
        return False
    zone = objects.zone_of(settings.timezone)
    try:
        found = objects.prepared(text, zone, once=row.recurring == objects.ONCE)
    except UnusableCalendarError:
        return False
    keeps_rooms = Booker(None, zone, optional=True)  # whoever booked goes on: a guest's answer neither books nor frees a room
    objects.write(row.collection_id, row.href, text, found, row, keeps_rooms, answered=True)
    return True
