"""Invitations, and other events that come by mail: what of a message is in somebody's calendar, what it would change there, and
whether who sent it may do that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from webmail.auth.address_owners import account_of
from webmail.calendar import editing, event_changes
from webmail.calendar.editing import Write
from webmail.collections.store import Access
from webmail.itip import incoming as itip_incoming
from webmail.itip import people
from webmail.itip.incoming import FROM_GUESTS, IncomingItip
from webmail.itip.outcome import Effect, Outcome
from webmail.itip.people import Addresses
from webmail.itip.permission import MailSender, Permission, permission
from webmail.itip.receiving import receive
from webmail.models import CalendarObject

_ADDABLE = ("", "publish", "request")


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """One event of a message. `row`: the event as it is in the person's calendar, None if it is not; `permission`: whether the
    message may do to it what `outcome` says."""

    incoming: IncomingItip
    row: CalendarObject | None
    outcome: Outcome
    permission: Permission

    @property
    def there(self) -> str:
        return self.row.text if self.row is not None else ""

    @property
    def is_granted(self) -> bool:
        return self.permission is Permission.GRANTED


@dataclass(frozen=True, slots=True)
class IncomingEvents:
    """A calendar part beside somebody's calendars. `target`: the calendar for new events (by `id`), 0 for none."""

    method: str
    events: list[IncomingEvent] = field(default_factory=list)
    target: int = 0
    me: Addresses = frozenset()

    @property
    def is_usable(self) -> bool:
        return any(one.outcome.effect is not Effect.UNUSABLE for one in self.events)

    @property
    def existing(self) -> list[CalendarObject]:
        return [one.row for one in self.events if one.row is not None]

    @property
    def first(self) -> CalendarObject | None:
        """The first of those that are there."""
        return next(iter(self.existing), None)

    @property
    def single(self) -> IncomingEvent | None:
        """The event, if the part is about one."""
        return self.events[0] if len(self.events) == 1 else None

    @property
    def writes(self) -> list[Write]:
        """What taking it in writes."""
        return self._writes([Permission.GRANTED])

    @property
    def unproven(self) -> list[IncomingEvent]:
        """What it would change, if its sender were proven: the person may want it all the same."""
        return [one for one in self.events if one.permission is Permission.UNPROVEN and one.outcome.text]

    @property
    def all_writes(self) -> list[Write]:
        """What it writes when the person has seen what it changes, and wants it."""
        return self._writes([Permission.GRANTED, Permission.UNPROVEN])

    def _writes(self, permissions: Sequence[Permission]) -> list[Write]:
        found = [self.write(one, one.outcome.text) for one in self.events if one.outcome.text and one.permission in permissions]
        return [one for one in found if one is not None]

    def write(self, event: IncomingEvent, text: str) -> Write | None:
        """What puts this text into the calendar, for one of the events."""
        if event.row is not None:
            return Write(event.row.collection_id, event.row.href, text, event.row.etag) if text != event.row.text else None
        if event.incoming.method not in _ADDABLE or not self.target:
            return None
        return Write(self.target, event_changes.href_of(event_changes.new_uid()), text)


def read(text: str, calendars: list[Access], me: Addresses, sender: MailSender, method: str = "") -> IncomingEvents:
    """What the text of a calendar part comes to, beside the person's `calendars`. `method`: of its Content-Type. 1 query; 3 more
    where somebody else than its organiser wrote of an event that is there."""
    found = itip_incoming.read(text, method)
    if not found:
        return IncomingEvents("")
    own = [one.collection.id for one in calendars if one.rights == "own" and editing.takes_events(one)]
    own = own or [one.collection.id for one in calendars[:1]]
    same = CalendarObject.uid.in_([one.uid for one in found])
    rows = CalendarObject.select().where(CalendarObject.collection.in_(own), same) if own else ()
    known = {row.uid: row for row in rows}
    events = [_beside(one, known.get(one.uid), me, sender) for one in found]
    return IncomingEvents(found[0].method, events, own[0] if own else 0, me)


def _beside(incoming: IncomingItip, row: CalendarObject | None, me: Addresses, sender: MailSender) -> IncomingEvent:
    there = row.text if row is not None else ""
    allowed = permission(there, incoming, sender, me)
    if allowed is Permission.UNPROVEN and sender.proven and incoming.method not in FROM_GUESTS:
        allowed = permission(there, incoming, sender, me, deputies(incoming.organizer, sender.address))
    return IncomingEvent(incoming, row, receive(there, incoming, me), allowed)


def deputies(organizer: str, sender: str) -> Addresses:
    """The sender, where they may write in a calendar of the organiser, who is of this house too. 4 queries."""
    owner, writer = (account_of(address) for address in (organizer, people.key(sender)))
    if owner is None or writer is None:
        return frozenset()
    may = any(one.writes and one.collection.user_id == owner.id for one in editing.calendars(writer))
    return people.keys([writer.address]) if may else frozenset()
