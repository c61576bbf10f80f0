"""Shares: with whom a collection is shared, given and taken back by its owner and who manages it; how it looks to those who have
it, and whether.

Changes are made in transactions that have locked the collection. Telephones see them with their next request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce
from operator import and_
from typing import Any, cast

import peewee as pw

from webmail.collections import losses, manager_notes, store
from webmail.collections.look import COLOUR, NAME, one_line, read
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.store import CALENDAR, Access
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.mime.headers import addresses
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.encoded_words import fold, sort_key
from webmail.models import Collection, CollectionShare, GroupMember, PeopleGroup, User, now
from webmail.people.visibility import Sight, sight_of

MOST = 200  # people and groups that one collection is shared with
MOST_AT_ONCE = 50  # that one form names
MOST_GROUPS = 500  # in the list of a form
_LONGEST_NAMED = 254
_NEVER_ACCENTED = re.compile(r"[^bfmpqvx0-9]+")  # everything but what practically no language writes with an accent
Sharee = User | PeopleGroup


class ShareDoubt(StrEnum):
    """Why something can't be shared with what was typed."""

    UNKNOWN = "unknown"  # nobody here has this address
    NAMELESS = "nameless"  # nobody, and no group, is called so
    OUTSIDE = "outside"  # an address elsewhere
    ONESELF = "oneself"
    OWNER = "owner"  # whose it is anyway
    SEVERAL = "several"  # people are called so
    GONE = "gone"  # the group that was chosen from the list


@dataclass(slots=True)
class Named:
    """Whom a field names, and what in it names nobody, with the addresses of those it may mean. `rest`: how many more it names,
    who were not looked up."""

    people: list[Sharee] = field(default_factory=list)
    doubts: list[tuple[str, ShareDoubt, tuple[str, ...]]] = field(default_factory=list)
    rest: int = 0


class NotTheirsError(LookupError):
    """The collection is not, or no longer, this person's to share."""


class OwnRightError(ValueError):
    """Who manages a collection would no longer: only others take that right from them, or nobody could undo it."""


def levels(kind: str) -> tuple[str, ...]:
    """The rights that can be given to a collection of this kind, the least first."""
    return ("busy", "read", "write", "manage") if kind == CALENDAR else ("read", "write", "manage")


# --- who is meant ----------------------------------------------------------------------------------------------------


def named(text: str, user: User, settings: Settings, *, owner: int) -> Named:
    """The people and groups that a field names, separated by commas or line ends: by address, user name, name or group.

    `owner`: whose collection it is (by `id`). Names are of those whom the person sees in the directory. At most MOST_AT_ONCE are
    looked at; 1 to 5 queries each.
    """
    items = [one_line(item) for item in addresses.split_list(text, ",;\n") if item.strip()]
    found = Named(rest=max(len(items) - MOST_AT_ONCE, 0))
    for item in items[:MOST_AT_ONCE]:
        who = _meant(item[:_LONGEST_NAMED], user, settings)
        if isinstance(who, tuple):
            found.doubts.append((item, *who))
        elif isinstance(who, User) and who.id == owner:
            found.doubts.append((item, ShareDoubt.OWNER, ()))
        elif who not in found.people:
            found.people.append(who)
    return found


def _meant(item: str, user: User, settings: Settings) -> Sharee | tuple[ShareDoubt, tuple[str, ...]]:
    address = addresses.read_address(item)
    if address is not None and "@" in address.email:
        return _with_address(address_key(address.email), user, settings)
    local = User.get_or_none(User.address == f"{item.lower()}@{user.domain}", User.active == 1)
    if local is not None:
        return (ShareDoubt.ONESELF, ()) if local.id == user.id else local
    sight = sight_of(user, settings)
    group = PeopleGroup.get_or_none(PeopleGroup.sort == sort_key(item), _visible_person(user, sight))
    return group if group is not None else _called(item, user, sight)


def _with_address(address: str, user: User, settings: Settings) -> Sharee | tuple[ShareDoubt, tuple[str, ...]]:
    if address == user.address:
        return ShareDoubt.ONESELF, ()
    ours = settings.own_domains(user.domain)
    if address.rpartition("@")[2] not in ours:
        return ShareDoubt.OUTSIDE, ()
    found = User.get_or_none(User.address == address, User.domain.in_(ours), User.active == 1)
    return found if found is not None else (ShareDoubt.UNKNOWN, ())


def _called(name: str, user: User, sight: Sight) -> Sharee | tuple[ShareDoubt, tuple[str, ...]]:
    """Databases don't know that "é" is an "e": those whose name may be it are compared here."""
    if sight.nobody or not sort_key(name):
        return ShareDoubt.NAMELESS, ()
    like = [User.name ** f"%{_NEVER_ACCENTED.sub('%', word)}%" for word in fold(name).split()[:6]]
    alike = [one for one in User.select().where(*sight.accounts(), *like).limit(500) if fold(one.name) == fold(name)]
    others = [one for one in alike if one.id != user.id]
    if len(others) == 1:
        return others[0]
    if others:
        return ShareDoubt.SEVERAL, tuple(one.address for one in others[:5])
    return (ShareDoubt.ONESELF if alike else ShareDoubt.NAMELESS), ()


def groups_of(user: User, settings: Settings) -> list[PeopleGroup]:
    """The groups that a person can share with, by name: those they see in the directory, and their own. 1 to 3 queries."""
    return list(
        PeopleGroup.select().where(_visible_person(user, sight_of(user, settings))).order_by(PeopleGroup.sort).limit(MOST_GROUPS)
    )


def _visible_person(user: User, sight: Sight) -> Any:
    own = PeopleGroup.id.in_(GroupMember.select(GroupMember.group).where(GroupMember.user == user))
    return own | reduce(and_, sight.listed_groups())


# --- of those who share it -------------------------------------------------------------------------------------------


def given(collection: Collection) -> list[CollectionShare]:
    """With whom a collection is shared, with their rows: groups first, then people, by name. 2 queries."""
    mine = (CollectionShare.collection == collection) & (CollectionShare.rights != "")
    with_groups: Any = CollectionShare.select(CollectionShare, PeopleGroup).join(PeopleGroup).where(mine)
    people: Any = CollectionShare.select(CollectionShare, User).join(User).where(mine)
    return [*with_groups.order_by(PeopleGroup.sort), *people.order_by(User.name, User.address)]


def used_by_others(owner: User) -> list[tuple[Collection, int]]:
    """The collections of somebody's that others use, with how many persons and groups. One SELECT."""
    rows: Any = (
        Collection.select(Collection, pw.fn.COUNT(CollectionShare.id).alias("people"))
        .join(CollectionShare)
        .where(Collection.user == owner, CollectionShare.rights != "")
        .group_by(Collection)
        .order_by(Collection.id)
    )
    return [(row, row.people) for row in rows]


def counts(collections: Sequence[Collection]) -> dict[int, int]:
    """With how many people and groups each is shared, by `id`. 1 query."""
    rows: Any = CollectionShare.select(CollectionShare.collection, pw.fn.COUNT(CollectionShare.id))
    chosen = CollectionShare.collection.in_([one.id for one in collections])
    return dict(rows.where(chosen, CollectionShare.rights != "").group_by(CollectionShare.collection).tuples())


@begun_again
def give(user: User, number: int, people: Sequence[Sharee], rights: str) -> list[tuple[Sharee, str]]:
    """Share a collection (by `id`) that one owns or manages; returns with whom, and the rights that they had before ("": none).

    All or nobody, in 1 transaction. Raises NotTheirsError, OwnRightError, LimitReachedError beyond MOST, ValueError for rights
    that there are not, and for oneself and the owner.
    """
    done = []
    with db.atomic():
        collection = managed(user, number)
        if rights not in levels(collection.kind):
            raise ValueError(f"no rights: {rights[:20]!r}")
        for who in people:
            if isinstance(who, User) and who.id in (user.id, collection.user_id):
                raise ValueError("nobody shares with themselves, nor with the owner")
            row = _row(collection, who)
            done.append((who, row.rights if row is not None else ""))
            if row is None:
                CollectionShare.create(collection=collection, rights=rights, **_key(who))
            elif row.rights != rights:
                if row.rights:
                    losses.note_change(row, rights)
                again = {"seen": 0, "created": now()} if not row.rights else {}
                CollectionShare.update(rights=rights, **again).where(CollectionShare.id == row.id).execute()
            if row is None or row.rights != rights:
                act = ManagerAct.CHANGED if row is not None and row.rights else ManagerAct.GIVEN
                manager_notes.add(collection, user, act, called(who), rights)
        _check_own(user, collection)
        there = (CollectionShare.collection == collection) & (CollectionShare.rights != "")
        if CollectionShare.select().where(there).count() > MOST:
            raise LimitReachedError(f"more than {MOST} shares of one collection")
    return done


def put_back(collection: Collection, person: int | None, group: int | None, **kept: Any) -> None:
    """Share a collection that came back with whom it was shared, as `trash.put_whole` kept it. In a transaction."""
    CollectionShare.create(collection=collection, user=person, group=group, **kept)


@begun_again
def change(user: User, number: int, share: int, rights: str) -> CollectionShare | None:
    """Change the rights of one share (by `id`), "" to take it back; returns it as it was, None if it is gone already.

    How it looks to the person is kept: they may have it through a group, or get it again; and that they are to be told.

    Raises NotTheirsError, OwnRightError, ValueError.
    """
    with db.atomic():
        collection = managed(user, number)
        if rights and rights not in levels(collection.kind):
            raise ValueError(f"no rights: {rights[:20]!r}")
        row = CollectionShare.get_or_none(CollectionShare.id == share, CollectionShare.collection == collection)
        if row is None or not row.rights:
            return None
        losses.note_change(row, rights)
        if rights or row.user_id is not None:
            seen = row.seen if rights or row.hidden else losses.REVOKED
            CollectionShare.update(rights=rights, seen=seen).where(CollectionShare.id == row.id).execute()
        else:
            CollectionShare.delete().where(CollectionShare.id == row.id).execute()
        _check_own(user, collection)
        if rights != row.rights:
            act = ManagerAct.CHANGED if rights else ManagerAct.REVOKED
            manager_notes.add(collection, user, act, called(of_row(row)), rights)
    return row


@begun_again
def hide_private(owner: User, number: int, hidden: bool) -> bool:
    """Whether those who may write in a calendar of one's own (by `id`) see of its private events only when they are, as those do
    who may only read; False if that was so. 1 transaction. Raises NotTheirsError.
    """
    with db.atomic():
        collection = own(owner, number)
        if collection.kind != CALENDAR:
            raise NotTheirsError(f"no calendar {number}")
        Collection.update(hides_private=int(hidden), private_news=0).where(Collection.id == number).execute()
    return bool(collection.hides_private) != hidden


def mark_private_told(owner: User) -> None:
    """They know now who sees their private events. 1 query."""
    Collection.update(private_news=0).where(Collection.user == owner, Collection.private_news == 1).execute()


def managed(user: User, number: int) -> Collection:
    """A collection (by `id`) that a person owns or manages, locked until the transaction ends, as it is now. Raises
    NotTheirsError."""
    store.lock([number])
    access = store.get(user, number)
    if access is None or not access.manages:
        raise NotTheirsError(f"no collection {number} that {user.address} manages")
    return access.collection


def _check_own(user: User, collection: Collection) -> None:
    """Raises OwnRightError if who has just changed shares no longer manages the collection."""
    if collection.user_id != user.id and not ((access := store.get(user, collection.id)) and access.manages):
        raise OwnRightError(f"{user.address} would no longer manage {collection.id}")


def own(owner: User, number: int) -> Collection:
    """The owner's collection (by `id`), locked until the transaction ends, as it is now. Raises NotTheirsError."""
    store.lock([number])
    found = Collection.get_or_none((Collection.id == number) & (Collection.user == owner))
    if found is None or found.derived:
        raise NotTheirsError(f"no collection {number} of {owner.address}")
    return found


def _row(collection: Collection, who: Sharee) -> CollectionShare | None:
    same = CollectionShare.group == who if isinstance(who, PeopleGroup) else CollectionShare.user == who
    return CollectionShare.get_or_none((CollectionShare.collection == collection) & same)


def _key(who: Sharee) -> dict[str, Sharee]:
    return {"group": who} if isinstance(who, PeopleGroup) else {"user": who}


def called(who: Sharee) -> str:
    """What the owner is told by: the address, or the name of the group."""
    return who.name if isinstance(who, PeopleGroup) else who.address


def of_row(share: CollectionShare) -> Sharee:
    who: Any = share.group if share.group_id is not None else share.user
    return cast("Sharee", who)


# --- of those who have it --------------------------------------------------------------------------------------------


def news(accesses: Iterable[Access]) -> list[Access]:
    """What was shared with somebody, of what they have, that they were not told of yet."""
    return [one for one in accesses if one.new and not one.hidden]


def set_props(user: User, access: Access, props: dict[str, str]) -> None:
    """What a program of somebody keeps of a collection that they have from others, laid over what all see. In a transaction."""
    text = json.dumps(props, ensure_ascii=False)
    if access.look is None:
        CollectionShare.create(collection=access.collection, user=user, props=text)
    else:
        CollectionShare.update(props=text).where(CollectionShare.id == access.look.id).execute()


@begun_again
def set_look(user: User, access: Access, name: str, colour: str) -> None:
    """How something that is shared with a person is called and coloured for them alone; "" for the owner's. 1 transaction.

    Raises NotTheirsError.
    """
    wanted = {NAME: one_line(name), COLOUR[access.collection.kind]: read(colour)}
    with db.atomic():
        row = _own_row(user, access)
        props = {key: value for key, value in json.loads(row.props).items() if key not in wanted}
        theirs = json.loads(access.collection.props)
        props |= {key: value for key, value in wanted.items() if value and value != theirs.get(key)}
        row.props, row.seen = json.dumps(props, ensure_ascii=False), 1
        row.save(only=[CollectionShare.props, CollectionShare.seen])


@begun_again
def set_hidden(user: User, access: Access, hidden: bool) -> None:
    """Whether something that is shared with a person is on none of their pages and devices. 1 transaction. Raises
    NotTheirsError."""
    with db.atomic():
        row = _own_row(user, access)
        row.hidden, row.seen = int(hidden), 1
        row.save(only=[CollectionShare.hidden, CollectionShare.seen])


def mark_seen(user: User, accesses: Iterable[Access]) -> None:
    """They know now that these are shared with them. 1 transaction each: what is gone meanwhile is passed over."""
    for access in accesses:
        with suppress(NotTheirsError), db.atomic():
            row = _own_row(user, access)
            row.seen = 1
            row.save(only=[CollectionShare.seen])


def _own_row(user: User, access: Access) -> CollectionShare:
    """The row of this person, which is made where they have the collection through a group. Locks the collection.

    Raises NotTheirsError where it was deleted since it was looked up.
    """
    store.lock([access.collection.id])
    # by its owner too: SQLite gives the number of one that is gone again
    same = (Collection.id == access.collection.id) & (Collection.user == access.collection.user_id)
    if not Collection.select().where(same).exists():
        raise NotTheirsError(f"no collection {access.collection.id}")
    row, _made = CollectionShare.get_or_create(collection=access.collection.id, user=user)
    return row
