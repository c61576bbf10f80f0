"""Contact store: the vCard is authoritative; columns and index tables for lists and look-ups are derived on each change."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import peewee as pw

from webmail.collections import store as collections
from webmail.collections import trash
from webmail.contacts import book_access, card_changes
from webmail.contacts.card_changes import CardChange
from webmail.contacts.card_index import GROUP, INDIVIDUAL, IndexRows, add_to_index, columns, drop_index, index_of, revision
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.mime.formats.cards import vcard_details, vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.mime.headers.address_input import address_key
from webmail.mime.threats import display_names
from webmail.models import Collection, Contact, ContactAddress, ContactMember, User, now

__all__ = ["GROUP", "INDIVIDUAL", "columns", "revision"]  # of card_index.py, for those who use this module

MOST = 10_000  # contacts and groups per user
MOST_GROUPS = 200  # listed at once
_MOST_NAMESAKES = 20
_CHUNK = 500  # values per statement: databases limit bound parameters

Prepared = tuple[ContactDetails, dict[str, Any], IndexRows]
# columns for lists, without the card itself, which may have 20 KB
LISTED = (
    Contact.id, Contact.uid, Contact.card_uid, Contact.name, Contact.email, Contact.kind, Contact.sort, Contact.user,
    Contact.collection,
)  # fmt: skip


class NoSuchContactError(LookupError):
    """The contact no longer exists, or belongs to another user."""


class CardTooLargeError(ValueError):
    """The card would exceed the size limit."""


class ContactChangedElsewhereError(ValueError):
    """The card was changed in another window or on another device since it was shown."""


class AlreadyThereError(ValueError):
    """The form of a new contact created `row` before and was submitted again, edited (after going back in the browser)."""

    def __init__(self, row: Contact) -> None:
        super().__init__(row.uid)
        self.row = row


# --- finding ---------------------------------------------------------------------------------------------------------


def load(user: User, uid: str) -> Contact:
    """The contact with this `uid`, from a book that the person reads. Raises NoSuchContactError."""
    found: Contact | None = Contact.get_or_none(Contact.uid == uid)
    if found is None or not book_access.reads(user, found):
        raise NoSuchContactError(f"no contact {uid[:40]!r}")
    return found


def rows(user: User, ids: Iterable[int]) -> dict[int, Contact]:
    """These contacts with their cards, by `id`. 1 query per 500, and 2."""
    numbers, here = list(ids), book_access.visible(user)
    found: dict[int, Contact] = {}
    for at in range(0, len(numbers), _CHUNK):
        chosen = Contact.select().where(here, Contact.id.in_(numbers[at : at + _CHUNK]))
        found.update({row.id: row for row in chosen})
    return found


def cards(user: User, uids: Sequence[str]) -> list[tuple[str, str]]:
    """(name, card) of these contacts, at most 500, sorted by name. 3 queries."""
    found: Any = Contact.select(Contact.name, Contact.vcard).where(book_access.visible(user), Contact.uid.in_(uids[:_CHUNK]))
    return list(found.order_by(Contact.sort, Contact.id).tuples())


def chosen(user: User, uids: Sequence[str]) -> list[Contact]:
    """These contacts without their cards, at most 500, sorted by name. 3 queries."""
    found = Contact.select(*LISTED).where(book_access.visible(user), Contact.uid.in_(list(uids)[:_CHUNK]))
    return list(found.order_by(Contact.sort, Contact.id))


def _with_uid(book: Collection, card_uid: str) -> Contact:
    """The contact of a book with this UID in its card."""
    return Contact.get(Contact.collection == book, Contact.card_uid == card_uid)


def details(row: Contact) -> ContactDetails:
    return vcard_edit.read(row.vcard)


def with_address(user: User, email: str) -> Contact | None:
    """The first of the person's own contacts with this address. 1 query."""
    found = Contact.select().join(ContactAddress, on=ContactAddress.contact == Contact.id)
    mine = (ContactAddress.user == user) & (ContactAddress.address == address_key(email)[:254])
    return found.where(mine).order_by(Contact.sort, Contact.id).first()


def by_address(user: User, keys: Sequence[str], book: int | None = None) -> dict[str, str]:
    """Maps those addresses (normalised by `address_key`) that belong to contacts to the UIDs of their cards. 1 query per 500.

    Of the person's own contacts, or of those of one book (by `id`).
    """
    here = ContactAddress.user == user if book is None else Contact.collection == book
    found: dict[str, str] = {}
    for at in range(0, len(keys), _CHUNK):
        rows: Any = (
            ContactAddress.select(ContactAddress.address, Contact.card_uid)
            .join(Contact)
            .where(here, ContactAddress.address.in_(keys[at : at + _CHUNK]))
            .order_by(Contact.sort.desc(), Contact.id.desc())
            .tuples()
        )
        found.update(rows)
    return found


def busy_urls(user: User, keys: Sequence[str]) -> dict[str, str]:
    """Where the person's own contacts with these addresses (normalised) publish when they are busy, by address. 1 query."""
    rows: Any = ContactAddress.select(ContactAddress.address, Contact.vcard).join(Contact)
    mine = (ContactAddress.user == user) & ContactAddress.address.in_(list(keys)) & Contact.vcard.contains("FBURL")
    found = {address: vcard_details.read_more(card).busy_url for address, card in rows.where(mine).limit(_CHUNK).tuples()}
    return {address: url for address, url in found.items() if url}


def named_alike(user: User, name: str) -> Contact | None:
    """One of the person's own contacts with the same name, ignoring word order, accents and case. 1 query."""
    key = display_names.name_index(name)
    if not key:
        return None
    found = Contact.select().join(ContactAddress, on=ContactAddress.contact == Contact.id)
    alike = found.where(ContactAddress.user == user, ContactAddress.key == key).order_by(Contact.id).limit(_MOST_NAMESAKES)
    return next((contact for contact in alike if display_names.same_name(contact.name, name)), None)


# --- groups ----------------------------------------------------------------------------------------------------------


def groups(user: User, *, writable: bool = False) -> list[Contact]:
    """The first MOST_GROUPS groups of the person, sorted by name; `writable`: others' that they may change too. 1 query."""
    here = book_access.visible(user, writable=True) if writable else Contact.user == user
    found = Contact.select(*LISTED).where(here, Contact.kind == GROUP)
    return list(found.order_by(Contact.sort, Contact.id).limit(MOST_GROUPS))


def groups_of(user: User, row: Contact) -> set[str]:
    """The `uid`s of the groups that the person sees a contact in, by its card or by one of its addresses. 4 queries."""
    named = [row.card_uid, *_as_members(row)]
    found: Any = (
        Contact.select(Contact.uid)
        .join(ContactMember, on=ContactMember.group == Contact.id)
        .where(book_access.visible(user), ContactMember.member.in_(named[: vcard_edit.MOST_POINTS + 1]))
        .tuples()
    )
    return {uid for (uid,) in found}


def _as_members(row: Contact) -> list[str]:
    """The addresses of a contact in the form that group cards refer to them (mailto:)."""
    found: Any = ContactAddress.select(ContactAddress.address).where(ContactAddress.contact == row.id).tuples()
    return [f"mailto:{address}" for (address,) in found if address]


def members(user: User, group: ContactDetails, owner: User | None = None) -> tuple[list[Contact], list[str]]:
    """The contacts of a group (of `owner`, the person if None) sorted by name, and its bare addresses. Deleted members, and those
    in books that the person does not read, are left out. 1 query per 500, and 2."""
    uids = [member for member in group.members if not member.startswith("mailto:")]
    found: dict[str, Contact] = {}
    here = (Contact.user == (owner or user)) & book_access.visible(user)
    for at in range(0, len(uids), _CHUNK):
        rows = Contact.select(*LISTED).where(here, Contact.card_uid.in_(uids[at : at + _CHUNK]))
        found.update((row.card_uid, row) for row in rows.order_by(Contact.id.desc()))
    addresses = [member.removeprefix("mailto:") for member in group.members if member.startswith("mailto:")]
    return sorted(found.values(), key=lambda row: (row.sort, row.id)), addresses


def join(user: User, row: Contact, wanted: Iterable[str]) -> None:
    """Make a contact a member of exactly these groups (by `uid`), and of those that a form does not list (see `groups`).

    In groups of somebody else's, or of a book that another person may take back, it is there by its addresses.
    Raises CardTooLargeError, ContactChangedElsewhereError, BookReadOnlyError.
    """
    before = groups_of(user, row)
    chosen = set(wanted) | (before - {group.uid for group in groups(user, writable=True)})
    addresses = _as_members(row)
    mine, here = {row.card_uid, *addresses}, book_access.visible(user, writable=True)
    for uid in chosen ^ before:
        group = Contact.get_or_none(here & (Contact.uid == uid) & (Contact.kind == GROUP))
        if group is None:
            continue
        known = details(group)
        kept = [member for member in known.members if member not in mine]
        new = row.card_uid if group.user_id == row.user_id or not addresses else addresses[0]
        put(user, vcard_edit.with_members(group.vcard, [*kept, new] if uid in chosen else kept), group)


Finish = Callable[[str], str]  # a card as it is to be kept
Follower = Callable[[User], object]
_followers: list[Follower] = []


def followed_by(act: Follower) -> None:
    """Tell `act` whose contacts have changed, once they have. For areas that come after this one; it must be quick."""
    _followers.append(act)


def tell(user: User) -> None:
    for act in _followers:
        act(user)


# --- changing --------------------------------------------------------------------------------------------------------


def new_uid() -> str:
    """A UID for the form of a new card, so that submitting it twice creates only one."""
    return str(uuid.uuid4())


def add(user: User, new: ContactDetails, finish: Finish = str, book: Collection | None = None) -> Contact:
    """Create a contact, in the person's first book or this one; `finish` adds to its card.

    Idempotent for the same UID and content. Raises LimitReachedError, CardTooLargeError, AlreadyThereError, BookReadOnlyError.
    """
    new = replace(new, uid=new.uid or new_uid())
    card = finish(vcard_edit.made(new))
    try:
        return put(user, card, book=book)
    except ContactChangedElsewhereError as error:
        there = _with_uid(book or collections.default_collection(user, collections.BOOK), new.uid)
        if there.revision != revision(card):
            raise AlreadyThereError(there) from error
        return there


def change(user: User, row: Contact, new: ContactDetails, began_from: str, finish: Finish = str) -> Contact:
    """Change a card, keeping properties that `ContactDetails` does not cover; `finish` changes more of it.

    Raises CardTooLargeError, ContactChangedElsewhereError, BookReadOnlyError.
    """
    if row.revision != began_from:
        raise ContactChangedElsewhereError(row.uid)
    return put(user, finish(vcard_edit.changed(row.vcard, new)), row)


def put(user: User, card: str, row: Contact | None = None, book: Collection | None = None) -> Contact:
    """Store a new card, or replace that of `row` if it was not changed since it was read (optimistic locking).

    Raises LimitReachedError, CardTooLargeError, ContactChangedElsewhereError, BookReadOnlyError.
    """
    known = vcard_edit.read(card)
    if vcard_edit.is_too_large(card, known):
        raise CardTooLargeError(len(card))
    if row is None:
        [uid] = put_all(user, [card], book=book)
        return Contact.get(Contact.uid == uid)
    replace_card(row, card, known, user)
    tell(row.user)
    return Contact.get_by_id(row.id)


def replace_card(row: Contact, card: str, existing: ContactDetails, by: User | None = None) -> None:
    """Give a contact another card, and tell those who keep its book in step. 1 transaction. `by`: whose right is to be checked.

    Raises ContactChangedElsewhereError, BookReadOnlyError.
    """
    values, index = columns(card, existing), index_of(existing)
    with db.atomic():
        before: Contact | None = Contact.get_or_none(Contact.id == row.id)  # whole: rows of lists are not
        if before is None:
            raise ContactChangedElsewhereError(row.uid)
        same = (Contact.id == row.id) & (Contact.revision == row.revision)
        if before.collection_id:
            more = collections.sizes([card]) - collections.sizes([before.vcard])
            values["seq"] = collections.changed(before.collection_id, size=more)
            same &= Contact.collection == before.collection_id  # it was not moved just now
            if by is not None:
                book_access.check(by, [before.collection_id])
        if not Contact.update(modified=now(), **values).where(same).execute():
            raise ContactChangedElsewhereError(row.uid)
        drop_index(row.id)
        add_to_index(before.user_id, [(row.id, index)])
        card_changes.note([CardChange(before.user_id, row.uid, existing.name, before.vcard, card)])


def put_all(user: User, cards: Sequence[str], book: Collection | None = None) -> list[str]:
    """Store new cards, whose UIDs the book does not have yet; returns their `uid`s. 1 transaction.

    Raises LimitReachedError, ContactChangedElsewhereError, BookReadOnlyError.
    """
    return insert(user, prepared(cards), book)


def prepared(cards: Sequence[str], uids: Sequence[str] = (), hrefs: Sequence[str] = ()) -> list[Prepared]:
    """The input for `insert`, computed outside the transaction, since it blocks other writers.

    `uids`, `hrefs`: their former ones, if they are restored.
    """
    ids = list(uids) or [secrets.token_hex(16) for _ in cards]
    named = [href or f"{uid}.vcf" for uid, href in zip(ids, hrefs or [""] * len(ids), strict=True)]
    return [
        (known := vcard_edit.read(card), {"uid": uid, "href": href, **columns(card, known)}, index_of(known))
        for uid, href, card in zip(ids, named, cards, strict=True)
    ]


def insert(user: User, new: Sequence[Prepared], book: Collection | None = None) -> list[str]:
    """Insert prepared cards into a book, or the person's first one; returns their `uid`s. 1 transaction.

    Raises LimitReachedError, BookReadOnlyError, and ContactChangedElsewhereError if a UID exists already (e.g. from a concurrent
    request).
    """
    book = book or collections.default_collection(user, collections.BOOK)
    owner = book.user_id
    uids = [row["uid"] for _known, row, _index in new]
    with db.atomic():
        size = collections.sizes(row["vcard"] for _known, row, _index in new)
        seq = _changed(book, len(new), size)
        book_access.check(user, [book.id])
        values = [{"user": owner, "collection": book.id, "seq": seq, **row} for _known, row, _index in new]
        if count(owner) + len(values) > MOST:
            raise LimitReachedError(f"{owner} would have more than {MOST} contacts")
        try:
            for at in range(0, len(values), _CHUNK // 10):
                Contact.insert_many(values[at : at + _CHUNK // 10]).execute()
        except pw.IntegrityError as error:
            raise ContactChangedElsewhereError(str(error)) from error
        ids: dict[str, int] = {}
        for at in range(0, len(uids), _CHUNK):
            found: Any = Contact.select(Contact.card_uid, Contact.id).where(Contact.uid.in_(uids[at : at + _CHUNK])).tuples()
            ids.update(found)
        add_to_index(owner, [(ids[known.uid], index) for known, _row, index in new])
        collections.there(book.id, [row["href"] for row in values])
        card_changes.note([CardChange(owner, row["uid"], known.name, "", row["vcard"]) for known, row, _index in new])
    tell(book.user)
    return uids


def _changed(book: Collection, count: int, size: int) -> int:
    try:
        return collections.changed(book.id, count=count, size=size)
    except LookupError as error:  # it was deleted meanwhile
        raise book_access.BookReadOnlyError(f"no book {book.id}") from error


def remove(user: User, uids: Sequence[str], *, is_stored: bool = True) -> int:
    """Delete contacts from books that the person may write into; returns how many. `is_stored`: in the trash, for 30 days.

    Groups keep referring to them, so that restoring one makes it a member again.
    """
    count, owners = 0, {}
    for at in range(0, len(uids), _CHUNK):
        with db.atomic():
            chosen = Contact.uid.in_(uids[at : at + _CHUNK])
            where: Any = Contact.select(Contact.collection).where(chosen, Contact.collection.is_null(False)).distinct().tuples()
            collections.lock(number for (number,) in where)
            here = book_access.visible(user, writable=True)
            rows = list(Contact.select(Contact, Collection).join(Collection, pw.JOIN.LEFT_OUTER).where(chosen, here))
            for book in {row.collection_id: row.collection for row in rows if row.collection is not None}.values():
                owners[book.user_id] = book.user
                if is_stored:
                    inside = [row for row in rows if row.collection_id == book.id]
                    trash.put(book, [(row.href, row.card_uid, row.name, row.vcard) for row in inside], user.address)
            count += take_out([row.id for row in rows])
    for owner in owners.values() or ([user] if count else []):
        tell(owner)
    return count


def take_out(ids: Sequence[int]) -> int:
    """Delete these contacts (by `id`, at most 500), and tell those who keep their books in step; returns how many.

    Within a transaction.
    """
    chosen = Contact.id.in_(ids)
    found: Any = Contact.select(Contact.collection).where(chosen).distinct().tuples()
    numbers = sorted(book for (book,) in found if book)
    seqs = {book: collections.changed(book) for book in numbers}  # now nobody else changes what is in them
    changes: list[CardChange] = []
    for book, seq in seqs.items():
        fields = (Contact.user, Contact.uid, Contact.href, Contact.vcard)
        inside = list(Contact.select(*fields).where(Contact.collection == book, chosen))
        collections.grown(book, -len(inside), -collections.sizes(row.vcard for row in inside))
        collections.gone(book, [row.href for row in inside], seq)
        changes += [CardChange(row.user_id, row.uid, "", row.vcard, "") for row in inside]
    card_changes.note(changes)  # at once: several owners' are locked in one order
    return Contact.delete().where(chosen).execute()


def index(row: Contact, existing: ContactDetails) -> None:
    """Add a new contact to the index."""
    add_to_index(row.user_id, [(row.id, index_of(existing))])


def owner_changed(book: int, owner: User) -> None:
    """The contacts of a book (by `id`) are its new owner's. 1 query."""
    Contact.update(user=owner).where(Contact.collection == book).execute()


def count(user: User | int) -> int:
    """How many contacts and groups a person (or the one of this `id`) has in all of their books."""
    return Contact.select().where(Contact.user == user).count()
