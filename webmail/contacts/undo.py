"""Undo for contacts: previous versions of the cards, stored for an hour under a random name that the undo form holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from webmail.contacts import store
from webmail.database import undo_store
from webmail.database.pieces import in_pieces
from webmail.errors import LimitReached
from webmail.mime.formats import vcard_edit
from webmail.models import Contact, User

_LARGEST = 2_000_000  # characters stored per undo
_OPENING = '{"contacts"'


@dataclass(frozen=True, slots=True)
class CardVersion:
    """A contact before a change: its card ("" if it was added), and the `revision` after the change ("" if it was removed)."""

    uid: str
    card: str = ""
    revision: str = ""


def offer(user: User, steps: Iterable[CardVersion]) -> str:
    """Store the previous versions; returns the name to undo them by, "" if they are too large to store. 1 transaction."""
    kept = json.dumps({"contacts": [[one.uid, one.card, one.revision] for one in steps]}, ensure_ascii=False)
    if len(kept) > _LARGEST:
        return ""
    return undo_store.keep(user, kept)


def undo(user: User, name: str) -> int:
    """Undo what `offer` stored for this user under this name; returns how many contacts, 0 if it expired or is not theirs.

    Contacts changed again since then are skipped. In short transactions, since others wait for them: what breaks off is gone on
    with when it is asked for again, each step being done once. Hold the user's lock. Raises LimitReached (nothing was undone),
    ContactChangedElsewhere.
    """
    row = undo_store.load(user, name, _OPENING)
    if row is None:
        return 0
    count = _take_back(user, [CardVersion(*step) for step in json.loads(row.steps)["contacts"]])
    undo_store.forget(row)
    return count


def _take_back(user: User, steps: list[CardVersion]) -> int:
    there = _present(user, [step.uid for step in steps])
    back = [step for step in steps if step.card and step.uid not in there and not step.revision]
    gone = [step.uid for step in steps if not step.card and step.uid in there and there[step.uid].revision == step.revision]
    before = [step for step in steps if step.card and step.revision and step.uid in there]
    taken = {row.card_uid for row in Contact.select(Contact.card_uid).where(Contact.user == user)} if back else set()
    back = [step for step in back if vcard_edit.read(step.card).uid not in taken]
    if store.count(user) - len(gone) + len(back) > store.MOST:
        raise LimitReached(f"{user.address} would have more than {store.MOST} contacts")
    count = sum(store.remove(user, piece) for piece in in_pieces(gone))
    for piece in in_pieces(back):
        count += len(store.put_all(user, [step.card for step in piece], [step.uid for step in piece]))
    for step in before:
        if there[step.uid].revision == step.revision:
            store.put(user, step.card, there[step.uid])
            count += 1
    return count


def _present(user: User, uids: list[str]) -> dict[str, Contact]:
    found: dict[str, Contact] = {}
    for at in range(0, len(uids), 500):
        here = (Contact.user == user) & Contact.uid.in_(uids[at : at + 500])
        found.update({row.uid: row for row in Contact.select(Contact.id, Contact.uid, Contact.revision).where(here)})
    return found
