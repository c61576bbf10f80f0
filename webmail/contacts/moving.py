"""Moving: contacts into another book, or copies of them. The card stays as it is, its UID and photo too, so groups keep them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail.collections import store as collections
from webmail.collections import trash
from webmail.contacts import book_access, device_cards, store
from webmail.contacts.card_versions import CardVersion
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import Collection, Contact, User

MOST = 500  # contacts moved at once
_PIECE = 50  # contacts per transaction


@dataclass(slots=True)
class Moved:
    """`before`: what undoes it. `there`: names of those that stayed, since the book has them already."""

    before: list[CardVersion] = field(default_factory=list)
    there: list[str] = field(default_factory=list)


_Act = Callable[[User, Contact, Collection, str], CardVersion]


def move(user: User, chosen: Sequence[tuple[str, str]], goal: Collection) -> Moved:
    """Move contacts (`uid`, name in the goal or "") into a book. What leaves somebody else's book stays in its trash.

    In transactions of 50. Raises LimitReachedError, BookReadOnlyError: what was moved until then is moved.
    """
    return _each(user, chosen, goal, _move)


def copy(user: User, uids: Iterable[str], goal: Collection) -> Moved:
    """Copy contacts (by `uid`) into a book. Raises LimitReachedError, BookReadOnlyError."""
    return _each(user, [(uid, "") for uid in uids], goal, _copy)


def _each(user: User, chosen: Sequence[tuple[str, str]], goal: Collection, act: _Act) -> Moved:
    done, owners = Moved(), {goal.user_id}
    for at in range(0, len(chosen), _PIECE):
        with db.atomic():
            piece, of = _some(user, dict(chosen[at : at + _PIECE]), goal, act)
        done.before += piece.before
        done.there += piece.there
        owners |= of
    for owner in User.select().where(User.id.in_(owners)):
        store.tell(owner)
    return done


def _some(user: User, hrefs: dict[str, str], goal: Collection, act: _Act) -> tuple[Moved, set[int]]:
    """A piece of it, and whose contacts they were."""
    rows, sources = _locked(user, list(hrefs), goal)
    book_access.check(user, [goal.id, *(sources if act is _move else ())])
    taken = _values(Contact.card_uid, goal, [row.card_uid for row in rows])
    fresh = {row.card_uid: row for row in reversed(rows) if row.card_uid not in taken}
    coming = sum(row.user_id != goal.user_id or act is _copy for row in fresh.values())
    if coming and store.count(goal.user_id) + coming > store.MOST:
        raise LimitReachedError(f"{goal.user_id} would have more than {store.MOST} contacts")
    wanted = {row.uid: hrefs[row.uid] or row.href for row in fresh.values()}
    names = _values(Contact.href, goal, list(wanted.values()))
    done = Moved(there=[row.name for row in rows if fresh.get(row.card_uid) is not row])
    for row in reversed(fresh.values()):
        href = f"{secrets.token_hex(16)}.vcf" if wanted[row.uid] in names else wanted[row.uid]
        names.add(href)
        done.before.append(act(user, row, goal, href))
    return done, {row.user_id for row in rows}


def _locked(user: User, uids: list[str], goal: Collection) -> tuple[list[Contact], set[int]]:
    """Those that the person sees in other books, and these books, locked with the goal against others.

    Books are locked in the order of their numbers, so two moves never wait for each other.
    """
    somewhere: list[Contact] = list(Contact.select(Contact.collection).where(Contact.uid.in_(uids)).distinct())
    sources = {row.collection_id for row in somewhere if row.collection_id} - {goal.id}
    collections.lock([goal.id, *sources])
    here = book_access.visible(user) & Contact.uid.in_(uids) & Contact.collection.in_(sources)
    rows = list(Contact.select().where(here).order_by(Contact.sort, Contact.id))
    return rows, {row.collection_id for row in rows}


def _values(column: Any, book: Collection, values: list[str]) -> set[str]:
    """Which of these a book has already."""
    found: Any = Contact.select(column).where(Contact.collection == book, column.in_(values)).tuples()
    return {value for (value,) in found}


def _move(user: User, row: Contact, goal: Collection, href: str) -> CardVersion:
    before = CardVersion(row.uid, "", row.revision, row.collection_id, row.href)
    source = Collection.get_by_id(row.collection_id)
    if source.user_id not in (user.id, goal.user_id):
        trash.put(source, [(row.href, row.card_uid, row.name, row.vcard)], user.address)
    device_cards.move(row, goal, href)
    return before


def _copy(user: User, row: Contact, goal: Collection, href: str) -> CardVersion:
    [uid] = store.insert(user, store.prepared([row.vcard], hrefs=[href]), goal)
    return CardVersion(uid, "", row.revision)
