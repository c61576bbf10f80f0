"""Guest links: each guest without an account here is sent a link of their own, to a page that shows what they were sent of a
meeting and takes their answer.

Such a guest is, for iTIP, somebody whose calendar has this one event: what they are sent is taken in as by anybody's program, and
what they answer is a REPLY like that of a mail.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import peewee as pw

from webmail.auth import address_owners
from webmail.config.settings import Settings
from webmail.itip import distribution, incoming, people
from webmail.itip.messages import ItipMessage
from webmail.itip.people import Addresses
from webmail.itip.receiving import receive
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import occurrences
from webmail.models import CalendarObject, GuestLink, now
from webmail.models import Collection as CollectionRow
from webmail.transfers import links
from webmail.transfers.links import LinkKind

REQUEST, CANCEL = "REQUEST", "CANCEL"
KEPT = timedelta(days=90)  # after the event is over: the page says so
_FORGOTTEN = timedelta(days=400)  # the last mail about an event that is in no calendar any more
_PIECE = 200
_MOST = 1_000  # rows in one sweep


def apart(owner: int, message: ItipMessage, settings: Settings) -> Iterator[ItipMessage]:
    """An invitation as messages of which each leaves by itself: one to all who have an account here, one to each other guest,
    with the link of that guest. `owner`: whose calendar it is in (by `id`). 2 queries, and 2 for each link; in the transaction
    that writes the event. Only where it is known by which address people reach this place."""
    if message.method == CANCEL:
        _take_in(owner, message)
    if message.method != REQUEST or not settings.public_url:
        yield message
        return
    keys = {address: key_of(address) for address in message.recipients}
    here = address_owners.with_account(keys.values())
    if ours := tuple(address for address, key in keys.items() if key in here):
        yield replace(message, recipients=ours)
    said = incoming.read(message.text)
    for address, key in keys.items():
        if key not in here:
            token = _noted(owner, key, message, said[0].text if said else "", settings)
            yield replace(message, recipients=(address,), link=token)


def _noted(owner: int, key: str, message: ItipMessage, text: str, settings: Settings) -> str:
    """Note what a guest is sent; the token of their link."""
    mine = _of_meeting(owner, message.uid) & (GuestLink.recipient == key)
    row: GuestLink | None = GuestLink.get_or_none(mine)
    if row is None:
        nonce = links.new_nonce()
        hashed = links.link_hash(links.token(LinkKind.MEETING, nonce, settings.secret_key))
        values = {"nonce": nonce, "link_hash": hashed, "text": text, "ends": _ends(text)}
        new = GuestLink.insert(user=owner, uid=message.uid[:255], recipient=key, **values)
        new.on_conflict_ignore().execute()  # a colleague who acts for the same organiser was first
        row = GuestLink.get(mine)
    else:
        newer = _after(row, message) if message.at else text  # the whole takes the place of all that was sent before
        GuestLink.update(text=newer, ends=_ends(newer), at=now()).where(GuestLink.id == row.id).execute()
    return links.token(LinkKind.MEETING, row.nonce, settings.secret_key)


def _take_in(owner: int, message: ItipMessage) -> None:
    """Those who have a link know of what is cancelled: some dates of a series, or all of it. 1 query, and 1 for each."""
    keys = [key_of(address) for address in message.recipients]
    for at in range(0, len(keys), _PIECE):
        for row in list(
            GuestLink.select().where(_of_meeting(owner, message.uid), GuestLink.recipient.in_(keys[at : at + _PIECE]))
        ):
            text = _after(row, message)
            ends = _ends(text) if message.at else min(row.ends, int(time.time()))
            GuestLink.update(text=text, ends=ends, at=now()).where(GuestLink.id == row.id).execute()


def _after(row: GuestLink, message: ItipMessage) -> str:
    text = row.text
    for said in incoming.read(message.text):
        text = receive(text, said, frozenset({row.recipient})).text or text
    return text


def put_back(owner: int, uid: str, recipients: Collection[str], before: str, me: Addresses) -> None:
    """What these guests were to be told (by their addresses as they are compared) was undone before it left: they know of the
    event as it was `before`. 1 query, and 1 for each."""
    rows = {row.recipient: row for row in GuestLink.select().where(_of_meeting(owner, uid)) if row.recipient in recipients}
    if not rows:
        return
    sent = distribution.again(before, me, datetime.now(UTC), rows) if before else ()
    known = {key_of(address): message for message in sent for address in message.recipients}
    for key, row in rows.items():
        said = incoming.read(known[key].text) if key in known else []
        if said:
            GuestLink.update(text=said[0].text, ends=_ends(said[0].text)).where(GuestLink.id == row.id).execute()
        else:
            row.delete_instance()


def _of_meeting(owner: int, uid: str) -> pw.Expression:
    return (GuestLink.user == owner) & (GuestLink.uid == uid[:255])


def key_of(address: str) -> str:
    """As addresses of guests are compared, and kept."""
    return people.key(address)[:254]


def _ends(text: str) -> int:
    """When nothing of it comes any more, as `distribution.is_over` has it."""
    try:
        return min(occurrences.expand(calendar_object.read(text), 0, 0, UTC).last + 14 * 3600, 1 << 52)
    except UnusableCalendarError:
        return int(time.time())


def find(token: str) -> GuestLink | None:
    """The guest's row. 1 query; none for what is no token."""
    if links.parts(token) != (token, None):
        return None
    found: GuestLink | None = GuestLink.get_or_none(GuestLink.link_hash == links.link_hash(token))
    return found


def forget_old() -> int:
    """Forget links of what is long over, or in no calendar any more; returns how many."""
    at = int(time.time()) - int(KEPT.total_seconds())
    theirs = (CalendarObject.uid == GuestLink.uid) & (CollectionRow.user == GuestLink.user)
    lives = CalendarObject.select(CalendarObject.id).join(CollectionRow).where(theirs)
    gone = (GuestLink.at < now() - _FORGOTTEN) & ~pw.fn.EXISTS(lives)
    numbers = [row.id for row in GuestLink.select(GuestLink.id).where((GuestLink.ends < at) | gone).limit(_MOST)]
    return int(GuestLink.delete().where(GuestLink.id.in_(numbers)).execute()) if numbers else 0
