"""Merge: imports vCards from files and messages into a user's contacts, deduplicating people; export of all cards."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail.contacts import book_access, store
from webmail.contacts.undo import CardVersion
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.errors import LimitReachedError
from webmail.mime.formats.address_books.entry import WHOLE, Remark, RemarkKind
from webmail.mime.formats.cards import vcard_edit, vcard_import
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.mime.formats.cards.vcard_import import CardFile
from webmail.mime.headers.address_input import address_key
from webmail.mime.threats import display_names
from webmail.models import Collection, Contact, ContactAddress, User

LARGEST_FILE = 20_000_000  # bytes; includes photos, which are dropped from cards that are too large
_SHORTEST_PHONE = 6  # digits
_MOST_MERGED = 500_000  # card lines merged per import: each merge parses all lines again


@dataclass(slots=True)
class ImportPlan:
    """What importing these cards would do. Nothing is written yet."""

    fresh: list[str] = field(default_factory=list)
    updates: list[tuple[Contact, str]] = field(default_factory=list)  # (contact, its merged card)
    present: list[Contact] = field(default_factory=list)  # contacts that have all of it already
    doubled: int = 0  # cards of the file that are one with another of it
    cut: int = 0  # cards that lost a picture
    repairs: Mapping[str, int] = field(default_factory=dict)  # how many cards, by CardRepair
    remarks: list[Remark] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Cards that are left out."""
        return sum(one.kind in WHOLE for one in self.remarks)

    @property
    def any_cards(self) -> bool:
        return bool(self.fresh or self.updates or self.present)


@dataclass(frozen=True, slots=True)
class ImportResult:
    added: tuple[str, ...] = ()  # their `uid`s
    merged: int = 0
    before: tuple[CardVersion, ...] = ()


class _Index:
    """Contacts by what tells that two are the same person."""

    def __init__(self) -> None:
        self.by_uid: dict[str, int] = {}
        self.by_name: dict[str, list[int]] = {}
        self.points: dict[int, set[str]] = {}
        self.named: set[int] = set()  # those with a UID of their own

    def note(self, number: int, uid: str, kind: str, name: str, points: set[str]) -> None:
        if uid:
            self.by_uid[uid] = number
        self.by_name.setdefault(f"{kind}:{display_names.name_key(name)}", []).append(number)
        self.points.setdefault(number, set()).update(points)

    def find(self, details: ContactDetails) -> int:
        """The number of the same contact, by UID, or by name and a shared address or phone number; 0 if there is none."""
        if details.uid and details.uid in self.by_uid:
            return self.by_uid[details.uid]
        points = _points(details)
        for number in self.by_name.get(f"{_kind(details)}:{display_names.name_key(details.name)}", [])[:_MOST_NAMESAKES]:
            if details.uid and number in self.named:
                continue
            if details.group or points & self.points[number] or not (points or self.points[number]):
                return number
        return 0


_MOST_NAMESAKES = 100


class _BookIndex(_Index):
    """The contacts of a book, to match cards without a query each; of all own books for None. 2 queries."""

    def __init__(self, user: User, book: Collection | None) -> None:
        super().__init__()
        here = Contact.user == user if book is None else Contact.collection == book
        rows: Any = Contact.select(Contact.id, Contact.card_uid, Contact.name, Contact.kind, Contact.words)
        for number, uid, name, kind, words in rows.where(here).tuples():
            points = {word for word in words.split() if word.isdigit() and len(word) >= _SHORTEST_PHONE}
            self.note(number, uid, kind, name, points)
        rows = ContactAddress.select(ContactAddress.contact, ContactAddress.address).join(Contact)
        for number, address in rows.where(here).tuples():
            self.points.setdefault(number, set()).add(address)
            self.points[number].discard("")


def _kind(details: ContactDetails) -> str:
    return store.GROUP if details.group else store.INDIVIDUAL


def _points(details: ContactDetails) -> set[str]:
    phones = {key for point in details.phones if len(key := vcard_edit.phone_key(point.value)) >= _SHORTEST_PHONE}
    return phones | {address_key(point.value) for point in details.emails}


class _Merge:
    """Merges cards of the same person, up to _MOST_MERGED lines: a file may hold the same person 10,000 times."""

    def __init__(self) -> None:
        self._room = _MOST_MERGED

    def __call__(self, before: str, card: str, details: ContactDetails) -> str:
        """The merged card; "" if it is too large or the limit is reached."""
        if card == before:
            return before
        self._room -= sum(text.count("\r\n") - text.count("\r\n ") for text in (before, card))
        after = vcard_edit.merge_cards(before, card) if self._room >= 0 else ""
        return "" if vcard_edit.is_too_large(after, details) else after


def plan(user: User, text: str, book: Collection | None = None) -> ImportPlan:
    """Plan the import of the cards in a .vcf. Read-only."""
    return plan_cards(user, vcard_import.cards_in(text, store.MOST), book)


def plan_cards(user: User, found: CardFile, book: Collection | None = None) -> ImportPlan:
    """Plan the import of cards that were read from a file: into this book, which is compared with them. For None, into the first
    book, where whoever is in any own book already is completed there. Read-only."""
    planned = ImportPlan(cut=found.cut, repairs=found.repairs, remarks=list(found.remarks))
    if not found.cards:
        return planned
    known = _BookIndex(user, book)
    people = sorted(zip(found.cards, found.lines, strict=True), key=lambda pair: pair[0][1].group)  # members before groups
    matches = [known.find(one) for (_card, one), _line in people]
    rows = store.rows(user, set(matches) - {0})
    _Planning(planned, rows).plan(people, matches)
    return planned


class _Planning:
    """Sorts cards into new ones and changes; those that stand in the file twice become one."""

    def __init__(self, planned: ImportPlan, rows: dict[int, Contact]) -> None:
        self.planned, self.rows = planned, rows
        self.fresh: list[str] = []
        self.twins = _Index()  # of `fresh`, numbered from 1
        self.merged: dict[int, str] = {}
        self.same: dict[str, str] = {}  # UID in the file -> ours
        self.merge = _Merge()

    def plan(self, people: Sequence[tuple[tuple[str, ContactDetails], int]], matches: Sequence[int]) -> None:
        for ((found, one), line), number in zip(people, matches, strict=True):
            card = found
            if one.group and self.same:
                card = vcard_edit.with_members(found, [self.same.get(member, member) for member in one.members])
            if number in self.rows:
                self._into_contact(card, one, line, number)
            elif twin := self.twins.find(one):
                self._into_twin(card, one, line, twin)
            else:
                self._as_new(card, one, line)
        self.planned.fresh = self.fresh
        for number, after in self.merged.items():
            if after == self.rows[number].vcard:
                self.planned.present.append(self.rows[number])
            else:
                self.planned.updates.append((self.rows[number], after))

    def _into_contact(self, card: str, details: ContactDetails, line: int, number: int) -> None:
        self.same[details.uid] = self.rows[number].card_uid
        self.planned.doubled += number in self.merged
        if after := self.merge(self.merged.get(number, self.rows[number].vcard), card, details):
            self.merged[number] = after
        else:
            self.planned.remarks.append(Remark(line, RemarkKind.MERGED_TOO_LARGE, details.name[:80]))

    def _into_twin(self, card: str, details: ContactDetails, line: int, twin: int) -> None:
        if after := self.merge(self.fresh[twin - 1], card, details):
            self.fresh[twin - 1] = after
            self.planned.doubled += 1
            self.twins.points[twin] |= _points(details)
            if details.uid:
                self.same[details.uid] = vcard_edit.read(after).uid
        else:
            self.planned.remarks.append(Remark(line, RemarkKind.MERGED_TOO_LARGE, details.name[:80]))

    def _as_new(self, card: str, details: ContactDetails, line: int) -> None:
        uid = details.uid or str(uuid.uuid4())
        card = card if details.uid else vcard_edit.replace_uid(card, uid)
        if vcard_edit.is_too_large(card, vcard_edit.ContactDetails(group=True)):
            self.planned.remarks.append(Remark(line, RemarkKind.TOO_LARGE, details.name[:80]))
            return
        self.fresh.append(card)
        self.twins.note(len(self.fresh), uid, _kind(details), details.name, _points(details))
        if details.uid:
            self.twins.named.add(len(self.fresh))


def check_room_for(user: User, planned: ImportPlan, book: Collection | None) -> None:
    """Before anything is imported. 1 query. Raises LimitReachedError."""
    if planned.fresh and store.count(user if book is None else book.user_id) + len(planned.fresh) > store.MOST:
        raise LimitReachedError(f"{user.address} would have more than {store.MOST} contacts")


def apply(
    user: User, planned: ImportPlan, book: Collection | None = None, *, before: list[CardVersion] | None = None
) -> ImportResult:
    """Carry out the plan, made for this book, in short transactions. Hold the user's lock. `before` is what undoes it, also where
    it breaks off.

    Raises LimitReachedError (nothing is imported), CardTooLargeError, ContactChangedElsewhereError, BookReadOnlyError: what was
    imported until then is found again by a new plan.
    """
    check_room_for(user, planned, book)
    fresh, before = list(zip(store.prepared(planned.fresh), planned.fresh, strict=True)), [] if before is None else before
    uids: list[str] = []
    for piece in in_pieces(fresh):
        added = store.insert(user, [new for new, _card in piece], book)
        uids += added
        before += [CardVersion(uid, "", store.revision(card)) for uid, (_new, card) in zip(added, piece, strict=True)]
    for updates in in_pieces(planned.updates):
        with db.atomic():
            book_access.lock_together(row for row, _card in updates)
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
