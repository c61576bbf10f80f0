"""Undo for contacts: previous versions of the cards, stored for an hour under a random name that the undo form holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from webmail.collections import store as collections
from webmail.collections import trash
from webmail.config.settings import Settings
from webmail.contacts import book_access, moving, store
from webmail.contacts.card_versions import CardVersion
from webmail.database import undo_store
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.errors import LimitReachedError
from webmail.mime.formats.cards import vcard_edit
from webmail.models import Collection, Contact, TrashedItem, User

__all__ = ["CardVersion"]  # of card_versions.py, for those who use this module
_LARGEST = 2_000_000  # characters stored per undo
_OPENING = '{"contacts"'


def offer(user: User, steps: Iterable[CardVersion]) -> str:
    """Store the previous versions; returns the name to undo them by, "" if they are too large to store. 1 transaction."""
    kept = json.dumps({"contacts": steps_of(steps)}, ensure_ascii=False)
    if len(kept) > _LARGEST:
        return ""
    return undo_store.keep(user, kept)


def steps_of(steps: Iterable[CardVersion]) -> list[Any]:
    """The previous versions as `take_back` reads them."""
    return [[one.uid, one.card, one.revision, one.book, one.href] for one in steps]


def take_back(user: User, steps: list[Any], _settings: Settings) -> int:
    """Undo what was told as `steps_of`, as far as it was not changed since; returns how many contacts. Raises as `undo`."""
    return _take_back(user, [CardVersion(*step) for step in steps])


def undo(user: User, name: str) -> int:
    """Undo what `offer` stored for this user under this name; returns how many contacts, 0 if it expired or is not theirs.

    Contacts changed again since then are skipped. In short transactions, since others wait for them: what breaks off is gone on
    with when it is asked for again, each step being done once. Hold the user's lock. Raises LimitReachedError (nothing was
    undone), ContactChangedElsewhereError, BookReadOnlyError.
    """
    row = undo_store.load(user, name, _OPENING)
    if row is None:
        return 0
    count = _take_back(user, [CardVersion(*step) for step in json.loads(row.steps)["contacts"]])
    undo_store.forget(row)
    return count


def _take_back(user: User, steps: list[CardVersion]) -> int:
    there = _present([step.uid for step in steps])
    back = [step for step in steps if step.card and step.uid not in there and not step.revision]
    same = [step for step in steps if step.revision and step.uid in there and there[step.uid].revision == step.revision]
    gone = [step.uid for step in same if not step.card and not step.book]
    if store.count(user) - len(gone) + len(back) > store.MOST:
        raise LimitReachedError(f"{user.address} would have more than {store.MOST} contacts")
    count = sum(store.remove(user, piece, is_stored=False) for piece in in_pieces(gone))
    for number in dict.fromkeys(step.book for step in back):
        count += _put_back(user, number, [step for step in back if step.book == number])
    for step in (one for one in same if one.card):
        store.put(user, step.card, there[step.uid])
        count += 1
    for number in dict.fromkeys(step.book for step in same if step.book and not step.card):
        if (book := book_access.chosen(user, number, writable=True)) is not None:
            moved = [(step.uid, step.href) for step in same if step.book == number]
            count += len(moving.move(user, moved, book.collection).before)
    return count


def _put_back(user: User, number: int, steps: list[CardVersion]) -> int:
    """Into the book where they were, by the names that devices know; into the first one, if it is gone. Out of the trash."""
    book = Collection.get_or_none(Collection.id == number) or collections.default_collection(user, collections.BOOK)
    if book_access.chosen(user, book.id, writable=True) is None:
        return 0
    inside: Any = Contact.select(Contact.card_uid, Contact.href).where(Contact.collection == book).tuples()
    taken, names = set(), set()
    for uid, href in inside:
        taken.add(uid)
        names.add(href)
    cards = {step.uid: vcard_edit.read(step.card).uid for step in steps}
    count = 0
    for piece in in_pieces([step for step in steps if cards[step.uid] not in taken]):
        hrefs = ["" if step.href in names else step.href for step in piece]
        with db.atomic():
            new = store.prepared([step.card for step in piece], [step.uid for step in piece], hrefs)
            count += len(store.insert(user, new, book))
            _out_of_trash(book, [cards[step.uid] for step in piece], user)
    return count


def _out_of_trash(book: Collection, uids: list[str], user: User) -> None:
    """Forget the latest of each of these cards (by UID), which the person has just deleted and brought back."""
    for uid in uids:
        trash.take_latest(book.id, user.address, TrashedItem.uid == uid)


def _present(uids: list[str]) -> dict[str, Contact]:
    found: dict[str, Contact] = {}
    for at in range(0, len(uids), 500):
        here = Contact.uid.in_(uids[at : at + 500])  # whoever has them now: what is done to them is checked then
        fields = (Contact.id, Contact.uid, Contact.revision, Contact.user)
        found.update({row.uid: row for row in Contact.select(*fields).where(here)})
    return found
