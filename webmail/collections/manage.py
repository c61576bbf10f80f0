"""Managing collections: made, named, coloured, described, and chosen as the place where new things go."""

from __future__ import annotations

import json

import peewee as pw

from webmail.collections import manager_notes, store
from webmail.collections.look import COLOUR, DESCRIPTION, LONGEST_DESCRIPTION, LONGEST_NAME, NAME, TRANSPARENCY, one_line, read
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.shares import NotTheirsError
from webmail.collections.store import BOOK, CALENDAR
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import LimitReachedError
from webmail.models import Collection, User


@begun_again
def make(
    user: User, kind: str, name: str, colour: str, description: str, *, form: str, most: int, components: str = "VEVENT,VTODO",
) -> Collection:  # fmt: skip
    """Add a book or calendar. `form`: a random name of the form, so that it makes one even if it is sent twice;
    `components`: what a calendar is for.

    Raises LimitReachedError if the person has `most` collections. 1 transaction.
    """
    if kind not in (BOOK, CALENDAR):
        raise ValueError(f"no kind: {kind[:20]!r}")
    props = json.dumps(_laid({}, kind, name, colour, description), ensure_ascii=False)
    with db.atomic():
        in_turn(user)
        twin = Collection.get_or_none((Collection.user == user) & (Collection.name == form))
        if twin is not None:
            return twin
        if store.count_of(user) >= most:
            raise LimitReachedError(f"{user.address} has {most} collections")
        store.default_collection(user, kind)  # the one that everybody has comes before it
        return store.create(user, form, kind, components if kind == CALENDAR else "", props)


@begun_again
def change(user: User, number: int, name: str, colour: str, description: str, *, busy: bool | None = None) -> bool:
    """Name, colour ("": as it is) and description, for everybody who has it, of one's own or of what one manages; whether they
    are other ones now. `busy`: whether its events count as busy times of the owner, who alone says so (None: as it is).

    What else programs keep there stays. 1 transaction. Raises NotTheirsError.
    """
    with db.atomic():
        store.lock([number])
        access = store.get(user, number)
        if access is None or not (access.manages or access.collection.user_id == user.id):  # one's own that is derived, too
            raise NotTheirsError(f"no collection {number} that {user.address} manages")
        row = access.collection
        before = json.loads(row.props)
        props = _laid(before, row.kind, name, colour, description)
        if busy is not None and row.kind == CALENDAR and row.user_id == user.id:
            props[TRANSPARENCY] = "opaque" if busy else "transparent"
        return set_props(user, row, before, props)


def set_props(user: User, row: Collection, before: dict[str, str], props: dict[str, str]) -> bool:
    """Give a collection that is locked these properties, and tell its owner if that is not who did it; whether they differ."""
    if props == before:
        return False
    store.set_props(row.id, props)
    manager_notes.add(row, user, ManagerAct.LOOK)
    return True


def _laid(props: dict[str, str], kind: str, name: str, colour: str, description: str) -> dict[str, str]:
    text = description.replace("\r\n", "\n").replace("\0", "").strip()[:LONGEST_DESCRIPTION]
    wanted = {NAME: one_line(name)[:LONGEST_NAME], DESCRIPTION[kind]: text}
    if colour := read(colour):
        wanted[COLOUR[kind]] = colour
    return {key: value for key, value in (props | wanted).items() if value}


@begun_again
def choose(user: User, number: int) -> Collection:
    """Let new things go into this book or calendar of one's own. 1 transaction. Raises NotTheirsError."""
    with db.atomic():
        in_turn(user)
        row = Collection.get_or_none((Collection.id == number) & (Collection.user == user) & store.takes_new())
        if row is None:
            raise NotTheirsError(f"no collection {number} of {user.address} that takes new things")
        of_kind = (Collection.user == user) & (Collection.kind == row.kind)
        Collection.update(chosen=pw.Case(None, [(Collection.id == number, 1)], 0)).where(of_kind).execute()
        return row


def is_last(collection: Collection) -> bool:
    """Whether new things could go nowhere else if it were deleted. 1 query."""
    of_kind = (Collection.user == collection.user_id) & (Collection.kind == collection.kind) & (Collection.id != collection.id)
    return not Collection.select().where(of_kind, store.takes_new()).exists()
