"""Office invitations: events that came from somebody's calendar at Microsoft 365, to which their account there is invited.

They are answered there (`graph/event_answers.py`), not by mail from here: the organiser invited that account.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from webmail.config.settings import Settings
from webmail.dav.remote import accounts, local, service_accounts
from webmail.dav.remote.graph import event_answers
from webmail.dav.remote.graph.event_reading import OWN_ANSWER
from webmail.dav.remote.graph.item_names import is_pending
from webmail.dav.remote.side import LinkEndedError, Side
from webmail.itip import people
from webmail.mime.formats.calendars.component_tree import BrokenTextError, parsed
from webmail.models import CalendarObject, ConnectedService, RemoteAccount, RemoteItem, RemoteLink, User
from webmail.services import policy
from webmail.services.providers import MICROSOFT


@dataclass(frozen=True, slots=True)
class OfficeInvitation:
    """`answer`: what the account there has said, as PARTSTAT has it; "" for nothing yet."""

    link: RemoteLink
    item: RemoteItem
    service: ConnectedService
    answer: str


def find(user: User, row: CalendarObject, settings: Settings) -> OfficeInvitation | None:
    """That of an event; None of all others. 1 query, and 1 where its calendar is at Microsoft 365."""
    rows = RemoteLink.select(RemoteLink, RemoteAccount, ConnectedService).join(RemoteAccount).join(ConnectedService)
    mine = (RemoteLink.collection == row.collection_id) & (RemoteAccount.user == user)
    link = rows.where(mine, ConnectedService.provider == MICROSOFT).first()
    if link is None or not policy.is_offered(MICROSOFT, settings, user):
        return None
    service: ConnectedService = link.account.service
    answer = _answer_in(row.text, people.key(service.login))
    item = RemoteItem.get_or_none(RemoteItem.link == link, RemoteItem.href == row.href) if answer is not None else None
    if item is None or answer is None or not item.etag or is_pending(item.name):
        return None
    return OfficeInvitation(link, item, service, answer)


def _answer_in(text: str, login: str) -> str | None:
    """None where this address is not invited, or invites itself."""
    try:
        events = parsed(text).parts("VEVENT")
    except BrokenTextError:
        return None
    master = next((one for one in events if one.first("RECURRENCE-ID") is None), None)
    if master is None or people.organizer(master) in ("", login):
        return None
    if people.line_of(master, frozenset([login])) is None:
        return None
    return master.value(OWN_ANSWER).upper()


def send(found: OfficeInvitation, user: User, action: str, comment: str, settings: Settings, seconds: float) -> None:
    """Answer there, and read here what becomes of the event; what can't be read now, the next round brings.

    Two requests. Raises FollowTroubleError, RoundOverError.
    """
    server = service_accounts.graph_server(found.service, settings, time.monotonic() + seconds)
    event_answers.send(server.client, found.item.name, action, comment)
    now_there = server.items(found.link.url, "calendar", [found.item.name]).get(found.item.name)
    if now_there is None:  # declined, it leaves the calendar there
        accounts.soon(found.link.account)
        return
    try:
        local.take(Side(found.link, user, settings, found.service.title), found.item.name, *now_there)
    except LinkEndedError:
        return
