"""Collection store: the books and calendars of a person, those shared with them, and the numbers that tell of their changes.

Whoever changes what is in a collection calls `changed` first, in the same transaction: it locks the collection for others.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.collections import look
from webmail.database.connection import db
from webmail.database.prepared import Prepared, Slot, one_of
from webmail.models import Collection, CollectionShare, GoneItem, GroupMember, User, now

BOOK, CALENDAR = "addressbook", "calendar"
NAME = look.NAME  # among the props
RIGHTS = ("", "busy", "read", "write", "manage")  # each includes those before
LEAVING = "leaving"  # `derived` of what is being deleted (collections/leaving.py): nobody sees it
FIRST = {BOOK: "contacts", CALENDAR: "calendar"}  # what a person's first ones are called in addresses
_NAMES = {BOOK: {"": "Contacts"}, CALENDAR: {"": "Calendar", "fr": "Agenda"}}  # by language: no request says it here
_NAMELESS = {  # what a device made without a name
    BOOK: {"": "Address book without a name", "fr": "Carnet d’adresses sans nom"},
    CALENDAR: {"": "Calendar without a name", "fr": "Agenda sans nom"},
}
_installation = {"language": ""}
_COMPONENTS = "VEVENT,VTODO"
_TODO, _TODO_LIST, _TODO_NAMES = "VTODO", "tasks", {"": "Tasks", "fr": "Tâches"}
SHARED = "shared-"  # how names of what is shared with somebody begin, in addresses below their own
REMEMBERED = timedelta(days=90)  # what was deleted, for programs that did not ask meanwhile
_CHUNK = 500


@dataclass(slots=True)
class Access:
    """A collection as one person has it. `props` are as they see it."""

    collection: Collection
    name: str  # in addresses below theirs
    rights: str  # "own" or one of RIGHTS
    props: dict[str, str] = field(default_factory=dict)
    look: CollectionShare | None = None  # where their own props are, if it is shared with them
    hidden: bool = False  # they want it on no page and no device
    new: bool = False  # they were not told yet that it is shared with them
    shared: datetime | None = None  # when it was, the latest time
    private: bool = False  # it is about one event, of which they may know only when it is

    @property
    def manages(self) -> bool:
        """Whether they name and share it, like its owner, who alone deletes it."""
        return self.rights in ("own", "manage")

    @property
    def writes(self) -> bool:
        return self.rights in ("own", "manage", "write")

    @property
    def reads(self) -> bool:
        return self.rights in ("own", "manage", "write", "read")

    @property
    def sight(self) -> str:
        """How much they see of events: "own" all, "read" of private ones only when they are, "busy" of any (calendar/privacy.py).

        What is derived is never shared: its owner alone has it, who reads it.
        """
        if self.rights == "own" or self.collection.derived or (self.writes and not self.collection.hides_private):
            return "own"
        return "read" if self.reads else "busy"


def configure(*, language: str) -> None:
    """Set what first collections are called for people who have chosen no language, for all of this process."""
    _installation["language"] = language


def language() -> str:
    """Of those who have chosen none."""
    return _installation["language"]


def nameless(kind: str, reader: User) -> str:
    """What is called by everything, in somebody's language, that has no name."""
    names = _NAMELESS[kind]
    return names.get(reader.language or reader.spoken or _installation["language"]) or names[""]


def props_for(row: Collection, reader: User) -> dict[str, Any]:
    """The props of a collection, with a name in any case: pages, devices, files and mails call it by that."""
    props: dict[str, Any] = json.loads(row.props)
    return props if look.title_of(props) else props | {NAME: nameless(row.kind, reader)}


def default_collection(user: User, kind: str) -> Collection:
    """The person's book or calendar where new things go: the chosen one, else the oldest; it is made if there is none.

    1 query, 3 the first time.
    """
    fit = (Collection.user == user) & (Collection.kind == kind) & takes_new()
    return Collection.select().where(fit).order_by(Collection.chosen.desc(), Collection.id).first() or _made(user, kind)


def default_list(user: User) -> Collection:
    """The person's oldest list for what is to be done alone; it is made if there is none. 1 query, 2 the first time."""
    alone = (Collection.components.contains(_TODO)) & ~(Collection.components.contains("VEVENT"))
    fit = (Collection.user == user) & (Collection.kind == CALENDAR) & (Collection.derived == "") & alone
    found = Collection.select().where(fit).order_by(Collection.id).first()
    if found is not None:
        return found
    start = time.time_ns() // 1000  # as in `create`
    named = json.dumps({NAME: _TODO_NAMES.get(user.language or user.spoken or language(), _TODO_NAMES[""])}, ensure_ascii=False)
    values = {"kind": CALENDAR, "components": _TODO, "seq": start, "floor": start, "props": named}
    row, number = None, 0
    while row is None or row.components != _TODO or row.derived:  # else the name is given to something else
        row, _new = Collection.get_or_create(user=user, name=f"{_TODO_LIST}-{number}" if number else _TODO_LIST, defaults=values)
        number += 1
    return row


def takes_new() -> Any:
    """The condition that new things can go into a collection: not into a derived one, and no events into one for tasks alone."""
    all_kinds = (Collection.kind != CALENDAR) | (Collection.components == "") | Collection.components.contains("VEVENT")
    return (Collection.derived == "") & all_kinds


def create(user: User, name: str, kind: str, components: str, props: str, **more: Any) -> Collection:
    """Add a collection; `more`: other columns of it. Its numbers of changes begin where no earlier one's can have been.

    On SQLite, and for telephones that made one of the same name, it may take the place of one that is gone: tokens from then
    would be believed. Raises IntegrityError if the person has one of this name.
    """
    start = time.time_ns() // 1000
    return Collection.create(user=user, name=name, kind=kind, components=components, props=props, seq=start, floor=start, **more)


def derived(owner: int, name: str, kind: str, components: str, props: str, made_from: str) -> Collection:
    """The collection of a person (by `id`) that is made from something else, under this name, or one like it where a program has
    given it to something else. It is made if there is none."""
    values = {"kind": kind, "components": components, "derived": made_from, "props": props}
    row, number = None, 0
    while row is None or row.derived != made_from:
        row, _new = Collection.get_or_create(user=owner, name=f"{name}-{number}" if number else name, defaults=values)
        number += 1
    return row


def delete(collection: int, *, derived: str | None = None) -> None:
    """Let a collection (by `id`) go; `derived`: only if it is made from this. What was in it is for `trash`."""
    only = [] if derived is None else [Collection.derived == derived]
    Collection.delete().where(Collection.id == collection, *only).execute()


def set_props(collection: int, props: dict[str, str], **more: Any) -> None:
    """Keep these properties of a collection (by `id`), which whoever calls has locked; `more`: other columns with them."""
    text = json.dumps(props, ensure_ascii=False)
    Collection.update(props=text, **more).where(Collection.id == collection).execute()


def _made(user: User, kind: str) -> Collection:
    name = _NAMES[kind].get(user.language or language()) or _NAMES[kind][""]
    start = time.time_ns() // 1000  # as in `create`
    values = {
        "kind": kind, "components": _COMPONENTS if kind == CALENDAR else "", "seq": start, "floor": start,
        "props": json.dumps({NAME: name}, ensure_ascii=False),
    }  # fmt: skip
    row, _new = Collection.get_or_create(user=user, name=FIRST[kind], defaults=values)
    number = 0
    while row.kind != kind or row.derived or "VEVENT" not in (row.components or "VEVENT"):  # given to something else
        number += 1
        row, _new = Collection.get_or_create(user=user, name=f"{FIRST[kind]}-{number}", defaults=values)
    return row


_of_people = Prepared(
    lambda _slot: Collection.select(Collection.id, Collection.user, Collection.props).where(
        one_of(Collection.user, "users"), Collection.kind == CALENDAR, Collection.derived != LEAVING
    )
)


def calendars_of(users: Iterable[int]) -> list[tuple[int, int, dict[str, Any]]]:
    """The calendars of several people (by `id`): their `id`s, whose they are, and their props. 1 query."""
    return [(number, owner, json.loads(props)) for number, owner, props in _of_people.plain(users=list(users))]


def of_shares(placeholder: Slot) -> Any:
    """The condition for shares with a person (`user`), or with a group of theirs."""
    groups = GroupMember.select(GroupMember.group).where(GroupMember.user == placeholder("user"))
    return (CollectionShare.user == placeholder("user")) | CollectionShare.group.in_(groups)


def own_calendars(placeholder: Slot) -> Any:
    """The query for the calendars of a person (`user`), by `id`."""
    return Collection.select(Collection.id).where(Collection.user == placeholder("user"), Collection.kind == CALENDAR)


def _there(placeholder: Slot) -> Any:
    """What a person owns, and what is shared with them, once for each share."""
    own = (Collection.user == placeholder("user")) & (Collection.derived != LEAVING)
    others = Collection.user != placeholder("user")
    mine: Any = Collection.select(Collection.id).where(own).union_all(
        CollectionShare.select(CollectionShare.collection).where(of_shares(placeholder))
    )  # fmt: skip
    given = (CollectionShare.collection == Collection.id) & of_shares(placeholder) & others
    rows: Any = Collection.select(Collection, User, CollectionShare).join(User).switch(Collection)
    rows = rows.join(CollectionShare, pw.JOIN.LEFT_OUTER, on=given, attr="share")
    return rows.where(Collection.id.in_(mine), own | others).order_by(Collection.derived, Collection.id)


_accessible = Prepared(_there)


def accessible(user: User, *, hidden: bool = False) -> list[Access]:
    """All that a person owns, of which they only read what is derived; then what is shared with them or with a group of theirs,
    the rights of several added. 1 query.

    `hidden`: also what they don't want to see.
    """
    found: list[Access] = []
    shared: dict[int, Access] = {}
    for row in _accessible(user=user.id):
        share = row.share
        if share is None:
            found.append(Access(row, row.name, "read" if row.derived else "own", props_for(row, user)))
            continue
        one = shared.setdefault(row.id, Access(row, f"{SHARED}{row.id}", "", props_for(row, user)))
        one.rights = max(one.rights, share.rights, key=RIGHTS.index)
        if share.rights:
            one.shared = max(one.shared or share.created, share.created)
        if share.user_id is not None:
            one.look, one.hidden = share, bool(share.hidden)
            one.props |= json.loads(share.props)
    for one in shared.values():
        one.new = not (one.look and one.look.seen)
    return found + [one for one in shared.values() if one.rights and (hidden or not one.hidden)]


def get(user: User, number: int) -> Access | None:
    """The collection with this `id`, as the person has it, whether hidden or not; None if they have no right to it. 1 query."""
    return next((one for one in accessible(user, hidden=True) if one.collection.id == number), None)


def owner(number: int) -> User:
    """Whose collection this is (by `id`). 2 queries."""
    found: User = Collection.get_by_id(number).user
    return found


def lock(numbers: Iterable[int]) -> None:
    """Lock collections (by `id`) for other changes until the transaction ends. 1 query on PostgreSQL; none on SQLite, where each
    transaction (BEGIN IMMEDIATE) is the only one that writes.
    """
    if isinstance(db.obj, pw.PostgresqlDatabase):
        chosen = Collection.select(Collection.id).where(Collection.id.in_(list(numbers)))
        list(chosen.order_by(Collection.id).for_update())


def changed(collection: int, *, count: int = 0, size: int = 0) -> int:
    """Count a change of what is in a collection (by `id`), whose number it returns; `count` items and `size` bytes more.

    The collection is locked for other changes until the transaction ends. 1 query.
    """
    update = Collection.update(
        seq=Collection.seq + 1, count=Collection.count + count, size=Collection.size + size, modified=now()
    )
    rows = list(update.where(Collection.id == collection).returning(Collection.seq).tuples().execute())
    if not rows:
        raise LookupError(f"no collection {collection}")
    return int(rows[0][0])


def touched(collection: int) -> None:
    """Let what is kept of a collection be read anew, though no item of it has changed."""
    Collection.update(modified=now()).where(Collection.id == collection).execute()


def grown(collection: int, count: int, size: int) -> None:
    """Count `count` items and `size` bytes more in a collection that is locked already."""
    update = Collection.update(count=Collection.count + count, size=Collection.size + size)
    update.where(Collection.id == collection).execute()


def gone(collection: int, hrefs: Sequence[str], seq: int) -> None:
    """Note that these items are gone since the change of this number. 1 query per 100."""
    at = now()
    for start in range(0, len(hrefs), 100):
        rows = [{"collection": collection, "href": href, "seq": seq, "at": at} for href in hrefs[start : start + 100]]
        insert = GoneItem.insert_many(rows)
        insert.on_conflict(conflict_target=[GoneItem.collection, GoneItem.href], preserve=[GoneItem.seq, GoneItem.at]).execute()


def there(collection: int, hrefs: Sequence[str]) -> None:
    """Note that these items are there (again)."""
    for start in range(0, len(hrefs), _CHUNK):
        same = GoneItem.href.in_(hrefs[start : start + _CHUNK])
        GoneItem.delete().where(GoneItem.collection == collection, same).execute()


def forget_gone() -> int:
    """Forget what was deleted long ago; programs that have not asked since then begin anew. Returns how many."""
    before = now() - REMEMBERED
    latest: Any = (
        GoneItem.select(GoneItem.collection, pw.fn.MAX(GoneItem.seq)).where(GoneItem.at < before).group_by(GoneItem.collection)
    )
    count = 0
    for number, seq in list(latest.tuples()):
        with db.atomic():
            Collection.update(floor=seq).where(Collection.id == number, Collection.floor < seq).execute()
            count += GoneItem.delete().where(GoneItem.collection == number, GoneItem.seq <= seq).execute()
    return count


def new_name() -> str:
    """A random part of a name."""
    return secrets.token_hex(8)


def count_of(user: User) -> int:
    """How many collections a person has. 1 query."""
    return int(Collection.select().where(Collection.user == user, Collection.derived != LEAVING).count())


def size_of(user: User) -> tuple[int, int]:
    """How many bytes and items all collections of a person have. 1 query."""
    total: Any = Collection.select(pw.fn.SUM(Collection.size), pw.fn.SUM(Collection.count)).where(Collection.user == user)
    size, count = total.tuples()[0]
    return int(size or 0), int(count or 0)


def sizes(texts: Iterable[str]) -> int:
    """Bytes of these items."""
    return sum(len(text.encode("utf-8", "replace")) for text in texts)
