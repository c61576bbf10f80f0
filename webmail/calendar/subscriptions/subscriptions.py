"""Subscriptions: calendars from an address elsewhere, which only we write: fetched in their turn, changed where they changed.

Each is fetched by one worker at a time, on one machine. What breaks off is begun anew: what is right already stays untouched.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import timedelta

from webmail import vault
from webmail.calendar.subscriptions.fetch import host_of
from webmail.collections import leaving, look
from webmail.collections import store as collections
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.following.turns import FollowTurns
from webmail.config.settings import Settings
from webmail.database import undo_store
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import LimitReachedError
from webmail.models import CalendarSubscription, Collection, User, now

DERIVED = "subscription"
MOST = 20  # of one person
EVERY = timedelta(hours=1)
_PURPOSE = "subscribed calendar"
_OPENING = '{"subscription"'

turns = FollowTurns(
    "subscription", CalendarSubscription, EVERY, longest=timedelta(hours=24), at_once=2,
    seldom=(FollowFault.GONE, FollowFault.FORBIDDEN_PLACE), longest_seldom=timedelta(days=7),
)  # fmt: skip


def for_user(user: User) -> list[CalendarSubscription]:
    """With their collections. 1 query."""
    found = CalendarSubscription.select(CalendarSubscription, Collection).join(Collection)
    return list(found.where(CalendarSubscription.user == user).order_by(CalendarSubscription.id))


def find(user: User, collection: int) -> CalendarSubscription | None:
    """The subscription that fills a calendar (by `id`). 1 query."""
    found = CalendarSubscription.select(CalendarSubscription, Collection).join(Collection)
    return found.where(CalendarSubscription.collection == collection, CalendarSubscription.user == user).first()


@begun_again
def subscribe(
    user: User, url: str, name: str, colour: str, settings: Settings, *, form: str, busy: bool = False
) -> CalendarSubscription:  # fmt: skip
    """Add a calendar that is fetched from here on; the same form sent twice, or the same address, adds one.

    1 transaction. Raises LimitReachedError.
    """
    with db.atomic():
        in_turn(user)
        mine = for_user(user)
        for one in mine:
            if one.collection.name == form or _address(one, settings) == url:
                return one
        there = collections.count_of(user)
        if len(mine) >= MOST or there >= settings.collections_per_person:
            raise LimitReachedError(f"{user.address} has {len(mine)} subscriptions and {there} collections")
        collections.default_collection(user, collections.CALENDAR)  # the one that everybody has comes before it
        sealed = vault.seal_secret(url.encode(), settings.secret_key, _PURPOSE, user.id)
        return _made(user, form, sealed, host_of(url), _props(name or host_of(url), colour), busy)


def _props(name: str, colour: str) -> str:
    props = {look.NAME: look.one_line(name)[: look.LONGEST_NAME]}
    if read := look.read(colour):
        props[look.COLOUR[collections.CALENDAR]] = read
    return json.dumps(props, ensure_ascii=False)


def _made(user: User, name: str, sealed: bytes, host: str, props: str, busy: bool) -> CalendarSubscription:
    row = collections.create(user, name, collections.CALENDAR, "VEVENT,VTODO,VJOURNAL", props, derived=DERIVED)
    made = CalendarSubscription.create(user=user, collection=row, secret=sealed, host=host, busy=int(busy))
    return CalendarSubscription.get_by_id(made.id)


def address_of(subscription: CalendarSubscription, settings: Settings) -> str:
    """Where it is fetched from. Raises FollowTroubleError where it can't be read any more."""
    if found := _address(subscription, settings):
        return found
    raise FollowTroubleError(FollowFault.OURS, "the address can't be opened")


def _address(subscription: CalendarSubscription, settings: Settings) -> str:
    try:
        return vault.open_secret(bytes(subscription.secret), settings.secret_key, _PURPOSE, subscription.user_id).decode()
    except vault.CannotOpenError:
        return ""


def set_busy(subscription: CalendarSubscription, busy: bool) -> None:
    """Whether what is in it takes time of its person. 1 query."""
    CalendarSubscription.update(busy=int(busy)).where(CalendarSubscription.id == subscription.id).execute()


def unsubscribe(subscription: CalendarSubscription, user: User) -> str:
    """Remove it with all that is in it; returns the name to undo that by. 2 transactions. Its events go by `leaving.finish`."""
    kept = {
        "secret": base64.b64encode(bytes(subscription.secret)).decode(), "host": subscription.host, "busy": subscription.busy,
        "name": subscription.collection.name, "props": subscription.collection.props,
    }  # fmt: skip
    gone = _parted(subscription)
    return undo_store.keep(user, json.dumps({"subscription": kept}, ensure_ascii=False)) if gone else ""


@begun_again
def _parted(subscription: CalendarSubscription) -> bool:
    """Whether it was subscribed to until now. Whoever fetches it at this moment finds that out with the next piece."""
    with db.atomic():
        collections.lock([subscription.collection_id])
        mine = (CalendarSubscription.id == subscription.id) & (CalendarSubscription.collection == subscription.collection_id)
        if not CalendarSubscription.delete().where(mine).execute():
            return False
        leaving.hide(subscription.collection_id)
        return True


@begun_again
def resubscribe(user: User, name: str, settings: Settings) -> CalendarSubscription | None:
    """Undo `unsubscribe`: it is fetched anew; None if that is over, or was done already. Raises LimitReachedError."""
    with db.atomic():
        in_turn(user)
        row = undo_store.take(user, name, _OPENING)
        if row is None:
            return None
        kept = json.loads(row.steps)["subscription"]
        if len(for_user(user)) >= MOST or collections.count_of(user) >= settings.collections_per_person:
            raise LimitReachedError(f"{user.address} has too many collections")
        taken = Collection.select().where(Collection.user == user, Collection.name == kept["name"]).exists()
        place = f"subscribed-{collections.new_name()}" if taken else kept["name"]
        return _made(user, place, base64.b64decode(kept["secret"]), kept["host"], kept["props"], bool(kept["busy"]))


# --- whose turn it is ------------------------------------------------------------------------------------------------


def soon(subscription: CalendarSubscription) -> None:
    """Have it fetched next, whole, unless somebody is at it."""
    values = {"due": now(), "etag": "", "modified": ""}
    CalendarSubscription.update(**values).where(
        CalendarSubscription.id == subscription.id, CalendarSubscription.working == 0
    ).execute()


def notes_of(subscription: CalendarSubscription) -> Sequence[tuple[str, str]]:
    """The first that are not shown, or once alone: (FileRemarkKind, title)."""
    return [(str(kind), str(title)) for kind, title in json.loads(subscription.notes)]


def waiting(subscription: CalendarSubscription) -> bool:
    """Whether it is being fetched, or comes next."""
    return bool(subscription.working or subscription.due <= now())
