"""Merge: imports vCards from files and messages into a user's contacts, deduplicating people; export of all cards."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from webmail.contacts import store
from webmail.contacts.undo import CardVersion
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.errors import LimitReached
from webmail.mime.address_input import address_key
from webmail.mime.formats import vcard_edit, vcard_import
from webmail.mime.formats.vcard_edit import ContactDetails
from webmail.mime.threats import names
from webmail.models import Contact, ContactAddress, User

LARGEST_FILE = 20_000_000  # bytes; includes photos, which are dropped from cards that are too large
_SHORTEST_PHONE = 6  # digits
_MOST_MERGED = 500_000  # card lines merged per import: each merge parses all lines again


@dataclass(slots=True)
class ImportPlan:
    """What importing these cards would do. Nothing is written yet."""

    fresh: list[str] = field(default_factory=list)
    updates: list[tuple[Contact, str]] = field(default_factory=list)  # (contact, its merged card)
    present: list[Contact] = field(default_factory=list)  # contacts that have all of it already
    refused: int = 0
    cut: int = 0  # photos dropped

    @property
    def any_cards(self) -> bool:
        return bool(self.fresh or self.updates or self.present)


@dataclass(frozen=True, slots=True)
class ImportResult:
    added: tuple[str, ...] = ()  # their `uid`s
    merged: int = 0
    before: tuple[CardVersion, ...] = ()


class _Known:
    """An index of the existing contacts, to match cards without a query each. 2 queries."""

    def __init__(self, user: User) -> None:
        self.by_uid: dict[str, int] = {}
        self.by_name: dict[str, list[int]] = {}
        self.points: dict[int, set[str]] = {}
        rows: Any = Contact.select(Contact.id, Contact.card_uid, Contact.name, Contact.kind, Contact.words)
        for number, uid, name, kind, words in rows.where(Contact.user == user).tuples():
            self.by_uid[uid] = number
            self.by_name.setdefault(f"{kind}:{names.name_key(name)}", []).append(number)
            self.points[number] = {word for word in words.split() if word.isdigit() and len(word) >= _SHORTEST_PHONE}
        rows = ContactAddress.select(ContactAddress.contact, ContactAddress.address).where(ContactAddress.user == user)
        for number, address in rows.tuples():
            self.points.setdefault(number, set()).add(address)
            self.points[number].discard("")

    def find(self, one: ContactDetails) -> int:
        """The id of the same contact, by UID, or by name and a shared address or phone number; 0 if there is none."""
        if one.uid and one.uid in self.by_uid:
            return self.by_uid[one.uid]
        kind = store.GROUP if one.group else store.INDIVIDUAL
        points = _points(one)
        for number in self.by_name.get(f"{kind}:{names.name_key(one.name)}", []):
            if one.group or points & self.points[number] or not (points or self.points[number]):
                return number
        return 0


def _points(one: ContactDetails) -> set[str]:
    phones = {key for point in one.phones if len(key := vcard_edit.phone_key(point.value)) >= _SHORTEST_PHONE}
    return phones | {address_key(point.value) for point in one.emails}


class _Merge:
    """Merges cards of the same person, up to _MOST_MERGED lines: a file may hold the same person 10,000 times."""

    def __init__(self) -> None:
        self._room = _MOST_MERGED

    def __call__(self, before: str, card: str, one: ContactDetails) -> str:
        """The merged card; "" if it is too large or the limit is reached."""
        if card == before:
            return before
        self._room -= sum(text.count("\r\n") - text.count("\r\n ") for text in (before, card))
        after = vcard_edit.merged(before, card) if self._room >= 0 else ""
        return "" if vcard_edit.is_too_large(after, one) else after


def plan(user: User, text: str) -> ImportPlan:
    """Plan the import of the cards in a .vcf. Read-only."""
    found = vcard_import.cards_in(text, store.MOST)
    planned = ImportPlan(refused=found.refused, cut=found.cut)
    if not found.cards:
        return planned
    known = _Known(user)
    people = sorted(found.cards, key=lambda pair: pair[1].group)  # groups last, when their members' UIDs are known
    matches = [known.find(one) for _card, one in people]
    rows = store.rows(user, set(matches) - {0})
    fresh: dict[str, str] = {}  # UID -> card
    same: dict[str, str] = {}  # UID in the file -> ours
    merged: dict[int, str] = {}
    merge = _Merge()
    for (found_card, one), number in zip(people, matches, strict=True):
        card = found_card
        if one.group and same:
            card = vcard_edit.with_members(card, [same.get(member, member) for member in one.members])
        if number in rows:
            same[one.uid] = rows[number].card_uid
            if after := merge(merged.get(number, rows[number].vcard), card, one):
                merged[number] = after
            else:
                planned.refused += 1
        elif one.uid and one.uid in fresh:
            if after := merge(fresh[one.uid], card, one):
                fresh[one.uid] = after
            else:
                planned.refused += 1
        else:
            uid = one.uid or str(uuid.uuid4())
            fresh[uid] = card if one.uid else vcard_edit.with_uid(card, uid)
    planned.fresh = [card for card in fresh.values() if not vcard_edit.is_too_large(card, vcard_edit.ContactDetails(group=True))]
    planned.refused += len(fresh) - len(planned.fresh)
    for number, after in merged.items():
        if after == rows[number].vcard:
            planned.present.append(rows[number])
        else:
            planned.updates.append((rows[number], after))
    return planned


def apply(user: User, planned: ImportPlan) -> ImportResult:
    """Carry out the plan in short transactions. Hold the user's lock.

    Raises LimitReached (nothing is imported), CardTooLarge, ContactChangedElsewhere (all from `store`): what was imported until
    then is found again by a new plan.
    """
    fresh = list(zip(store.prepared(planned.fresh), planned.fresh, strict=True))
    if fresh and store.count(user) + len(fresh) > store.MOST:
        raise LimitReached(f"{user.address} would have more than {store.MOST} contacts")
    uids: list[str] = []
    for piece in in_pieces(fresh):
        uids += store.insert(user, [new for new, _card in piece])
    before = [CardVersion(uid, "", store.revision(card)) for uid, card in zip(uids, planned.fresh, strict=True)]
    for updates in in_pieces(planned.updates):
        with db.atomic():
            for row, card in updates:
                store.put(user, card, row)
        before += [CardVersion(row.uid, row.vcard, store.revision(card)) for row, card in updates]
    return ImportResult(tuple(uids), len(planned.updates), tuple(before))


def additions(row: Contact, card: str) -> list[str]:
    """What the card would add to the contact, as lines to display."""
    old, new = vcard_edit.read(row.vcard), vcard_edit.read(card)
    lines = [point.value for point in (*new.emails, *new.phones) if point not in (*old.emails, *old.phones)]
    lines += [text for of in ("organisation", "role", "note") if (text := getattr(new, of)) != getattr(old, of)]
    return lines


def as_file(user: User) -> str:
    """All cards of a user as one .vcf text."""
    rows: Any = Contact.select(Contact.vcard).where(Contact.user == user).order_by(Contact.kind.desc(), Contact.sort).tuples()
    return "".join(card for (card,) in rows)
