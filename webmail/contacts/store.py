"""Contact store: the vCard is authoritative; columns and index tables for lists and look-ups are derived on each change."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import peewee as pw

from webmail.collections import store as collections
from webmail.contacts import card_changes
from webmail.contacts.card_changes import CardChange
from webmail.contacts.card_index import GROUP, INDIVIDUAL, IndexRows, add_to_index, columns, drop_index, index_of, revision
from webmail.database.connection import db
from webmail.errors import LimitReached
from webmail.mime.address_input import address_key
from webmail.mime.encoded_words import words_in
from webmail.mime.formats import vcard_edit
from webmail.mime.formats.vcard_edit import ContactDetails
from webmail.mime.threats import names
from webmail.models import Contact, ContactAddress, ContactMember, User, now

__all__ = ["GROUP", "INDIVIDUAL", "columns", "revision"]  # of card_index.py, for those who use this module

MOST = 10_000  # contacts and groups per user
MOST_GROUPS = 200  # listed at once
_MOST_NAMESAKES = 20
_CHUNK = 500  # values per statement: databases limit bound parameters

Prepared = tuple[ContactDetails, dict[str, Any], IndexRows]
# columns for lists, without the card itself, which may have 20 KB
LISTED = (Contact.id, Contact.uid, Contact.card_uid, Contact.name, Contact.email, Contact.kind, Contact.sort)


class NoSuchContact(LookupError):
    """The contact no longer exists, or belongs to another user."""


class CardTooLarge(ValueError):
    """The card would exceed the size limit."""


class ContactChangedElsewhere(ValueError):
    """The card was changed in another window or on another device since it was shown."""


class AlreadyThere(ValueError):
    """The form of a new contact created `row` before and was submitted again, edited (after going back in the browser)."""

    def __init__(self, row: Contact) -> None:
        super().__init__(row.uid)
        self.row = row


# --- finding ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page of a contact list; `number` of `last` pages, `total` contacts."""

    rows: Sequence[Contact]
    total: int
    number: int
    last: int


def load(user: User, uid: str) -> Contact:
    """The user's contact with this `uid`. Raises NoSuchContact."""
    found = Contact.get_or_none((Contact.user == user) & (Contact.uid == uid))
    if found is None:
        raise NoSuchContact(f"no contact {uid[:40]!r}")
    return found


def rows(user: User, ids: Iterable[int]) -> dict[int, Contact]:
    """These contacts with their cards, by `id`. 1 query per 500."""
    numbers = list(ids)
    found: dict[int, Contact] = {}
    for at in range(0, len(numbers), _CHUNK):
        chosen = Contact.select().where(Contact.user == user, Contact.id.in_(numbers[at : at + _CHUNK]))
        found.update({row.id: row for row in chosen})
    return found


def cards(user: User, uids: Sequence[str]) -> list[tuple[str, str]]:
    """(name, card) of these contacts, at most 500, sorted by name. 1 query."""
    found: Any = Contact.select(Contact.name, Contact.vcard).where(Contact.user == user, Contact.uid.in_(uids[:_CHUNK]))
    return list(found.order_by(Contact.sort, Contact.id).tuples())


def chosen(user: User, uids: Sequence[str]) -> list[Contact]:
    """These contacts without their cards, at most 500, sorted by name. 1 query."""
    found = Contact.select(*LISTED).where(Contact.user == user, Contact.uid.in_(list(uids)[:_CHUNK]))
    return list(found.order_by(Contact.sort, Contact.id))


def _with_uid(user: User, card_uid: str) -> Contact:
    """The user's first contact with this UID in its card."""
    return Contact.select().where(Contact.user == user, Contact.card_uid == card_uid).order_by(Contact.id).get()


def details(row: Contact) -> ContactDetails:
    return vcard_edit.read(row.vcard)


def listed(user: User, *, words: str = "", letter: str = "", kind: str = "", number: int = 1, size: int = 50) -> ContactPage:
    """One page of the matching contacts, sorted by name. 2 queries."""
    found = Contact.select(*LISTED).where(*fitting(user, words))
    if kind:
        found = found.where(Contact.kind == kind)
    if letter:
        found = found.where(_letter() == letter)
    total = found.count()
    last = max((total - 1) // size, 0) + 1
    number = min(max(number, 1), last)
    rows = list(found.order_by(Contact.sort, Contact.id).paginate(number, size))
    return ContactPage(rows, total, number, last)


def fitting(user: User, words: str) -> list[Any]:
    """Conditions for a prefix search: each word starts a word of the name, organisation, addresses or phone numbers."""
    return [Contact.user == user, *(Contact.words.contains(f" {word}") for word in words_in(words[:100])[:10])]


def letters(user: User) -> list[str]:
    """The initial letters of all contacts, sorted; "#" stands for anything that is not a letter. 1 query."""
    rows: Any = Contact.select(_letter()).where(Contact.user == user).distinct().tuples()
    return sorted((letter for (letter,) in rows), key=lambda letter: (letter == "#", letter))


def _letter() -> Any:
    first = pw.fn.SUBSTR(Contact.sort, 1, 1)
    return pw.Case(None, [((first >= "a") & (first <= "z"), first)], "#")


def with_address(user: User, email: str) -> Contact | None:
    """The first contact with this address. 1 query."""
    found = Contact.select().join(ContactAddress, on=ContactAddress.contact == Contact.id)
    mine = (ContactAddress.user == user) & (ContactAddress.address == address_key(email)[:254])
    return found.where(mine).order_by(Contact.sort, Contact.id).first()


def by_address(user: User, keys: Sequence[str]) -> dict[str, str]:
    """Maps those addresses (normalised by `address_key`) that belong to contacts to the UIDs of their cards. 1 query per 500."""
    found: dict[str, str] = {}
    for at in range(0, len(keys), _CHUNK):
        rows: Any = (
            ContactAddress.select(ContactAddress.address, Contact.card_uid)
            .join(Contact)
            .where(ContactAddress.user == user, ContactAddress.address.in_(keys[at : at + _CHUNK]))
            .order_by(Contact.sort.desc(), Contact.id.desc())
            .tuples()
        )
        found.update(rows)
    return found


def named_alike(user: User, name: str) -> Contact | None:
    """A contact with the same name, ignoring word order, accents and case. 1 query."""
    key = names.name_index(name)
    if not key:
        return None
    found = Contact.select().join(ContactAddress, on=ContactAddress.contact == Contact.id)
    alike = found.where(ContactAddress.user == user, ContactAddress.key == key).order_by(Contact.id).limit(_MOST_NAMESAKES)
    return next((contact for contact in alike if names.same_name(contact.name, name)), None)


# --- groups ----------------------------------------------------------------------------------------------------------


def groups(user: User) -> list[Contact]:
    """The first MOST_GROUPS groups, sorted by name. 1 query."""
    found = Contact.select(*LISTED).where(Contact.user == user, Contact.kind == GROUP)
    return list(found.order_by(Contact.sort, Contact.id).limit(MOST_GROUPS))


def groups_of(row: Contact) -> set[str]:
    """The `uid`s of the groups that a contact is a member of, by its card or by one of its addresses. 2 queries."""
    named = [row.card_uid, *_as_members(row)]
    found: Any = (
        Contact.select(Contact.uid)
        .join(ContactMember, on=ContactMember.group == Contact.id)
        .where(Contact.user == row.user, ContactMember.member.in_(named[: vcard_edit.MOST_POINTS + 1]))
        .tuples()
    )
    return {uid for (uid,) in found}


def _as_members(row: Contact) -> list[str]:
    """The addresses of a contact in the form that group cards refer to them (mailto:)."""
    found: Any = ContactAddress.select(ContactAddress.address).where(ContactAddress.contact == row.id).tuples()
    return [f"mailto:{address}" for (address,) in found]


def members(user: User, group: ContactDetails) -> tuple[list[Contact], list[str]]:
    """The contacts of a group sorted by name, and its bare addresses; deleted members are left out. 1 query per 500."""
    uids = [member for member in group.members if not member.startswith("mailto:")]
    found: list[Contact] = []
    for at in range(0, len(uids), _CHUNK):
        found.extend(Contact.select(*LISTED).where(Contact.user == user, Contact.card_uid.in_(uids[at : at + _CHUNK])))
    addresses = [member.removeprefix("mailto:") for member in group.members if member.startswith("mailto:")]
    return sorted(found, key=lambda row: (row.sort, row.id)), addresses


def join(user: User, row: Contact, wanted: Iterable[str]) -> None:
    """Make a contact a member of exactly these groups (by `uid`), and of those that a form does not list (see `groups`).

    Raises CardTooLarge, ContactChangedElsewhere.
    """
    before = groups_of(row)
    chosen = set(wanted) | (before - {group.uid for group in groups(user)})
    mine = {row.card_uid, *_as_members(row)}
    for uid in chosen ^ before:
        group = Contact.get_or_none((Contact.user == user) & (Contact.uid == uid) & (Contact.kind == GROUP))
        if group is None:
            continue
        known = details(group)
        kept = [member for member in known.members if member not in mine]
        put(user, vcard_edit.with_members(group.vcard, [*kept, row.card_uid] if uid in chosen else kept), group)


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


def add(user: User, new: ContactDetails, finish: Finish = str) -> Contact:
    """Create a contact; `finish` adds to its card. Idempotent for the same UID and content.

    Raises LimitReached, CardTooLarge, AlreadyThere.
    """
    new = replace(new, uid=new.uid or new_uid())
    card = finish(vcard_edit.made(new))
    try:
        return put(user, card)
    except ContactChangedElsewhere as error:
        there = _with_uid(user, new.uid)
        if there.revision != revision(card):
            raise AlreadyThere(there) from error
        return there


def change(row: Contact, new: ContactDetails, began_from: str, finish: Finish = str) -> Contact:
    """Change a card, keeping properties that `ContactDetails` does not cover; `finish` changes more of it.

    Raises CardTooLarge, ContactChangedElsewhere.
    """
    if row.revision != began_from:
        raise ContactChangedElsewhere(row.uid)
    return put(row.user, finish(vcard_edit.changed(row.vcard, new)), row)


def put(user: User, card: str, row: Contact | None = None) -> Contact:
    """Store a new card, or replace that of `row` if it was not changed since it was read (optimistic locking).

    Raises LimitReached, CardTooLarge, ContactChangedElsewhere.
    """
    known = vcard_edit.read(card)
    if vcard_edit.is_too_large(card, known):
        raise CardTooLarge(len(card))
    if row is None:
        [uid] = put_all(user, [card])
        return load(user, uid)
    replace_card(row, card, known)
    tell(user)
    return Contact.get_by_id(row.id)


def replace_card(row: Contact, card: str, known: ContactDetails) -> None:
    """Give a contact another card, and tell those who keep its book in step. 1 transaction. Raises ContactChangedElsewhere."""
    values, index = columns(card, known), index_of(known)
    with db.atomic():
        before: Contact | None = Contact.get_or_none(Contact.id == row.id)  # whole: rows of lists are not
        if before is None:
            raise ContactChangedElsewhere(row.uid)
        if before.collection_id:
            more = collections.sizes([card]) - collections.sizes([before.vcard])
            values["seq"] = collections.changed(before.collection_id, size=more)
        same = (Contact.id == row.id) & (Contact.revision == row.revision)
        if not Contact.update(modified=now(), **values).where(same).execute():
            raise ContactChangedElsewhere(row.uid)
        drop_index(row.id)
        add_to_index(before.user_id, [(row.id, index)])
        card_changes.note([CardChange(before.user_id, before.uid, known.name, before.vcard, card)])


def put_all(user: User, cards: Sequence[str], uids: Sequence[str] = ()) -> list[str]:
    """Store new cards, whose UIDs the user does not have yet; returns their `uid`s. 1 transaction.

    `uids`: their former ones, if they are restored. Raises LimitReached, ContactChangedElsewhere.
    """
    return insert(user, prepared(cards, uids))


def prepared(cards: Sequence[str], uids: Sequence[str] = ()) -> list[Prepared]:
    """The input for `insert`, computed outside the transaction, since it blocks other writers."""
    ids = list(uids) or [secrets.token_hex(16) for _ in cards]
    return [
        (known := vcard_edit.read(card), {"uid": uid, "href": f"{uid}.vcf", **columns(card, known)}, index_of(known))
        for uid, card in zip(ids, cards, strict=True)
    ]


def insert(user: User, new: Sequence[Prepared]) -> list[str]:
    """Insert prepared cards into the person's first book; returns their `uid`s. 1 transaction.

    Raises LimitReached, and ContactChangedElsewhere if a UID exists already (e.g. from a concurrent request).
    """
    book = collections.first(user, collections.BOOK)
    uids = [row["uid"] for _known, row, _index in new]
    with db.atomic():
        seq = collections.changed(book.id, count=len(new), size=collections.sizes(row["vcard"] for _known, row, _index in new))
        values = [{"user": user.id, "collection": book.id, "seq": seq, **row} for _known, row, _index in new]
        if count(user) + len(values) > MOST:
            raise LimitReached(f"{user.address} would have more than {MOST} contacts")
        try:
            for at in range(0, len(values), _CHUNK // 10):
                Contact.insert_many(values[at : at + _CHUNK // 10]).execute()
        except pw.IntegrityError as error:
            raise ContactChangedElsewhere(str(error)) from error
        ids: dict[str, int] = {}
        for at in range(0, len(uids), _CHUNK):
            found: Any = Contact.select(Contact.card_uid, Contact.id).where(Contact.uid.in_(uids[at : at + _CHUNK])).tuples()
            ids.update(found)
        add_to_index(user.id, [(ids[known.uid], index) for known, _row, index in new])
        collections.there(book.id, [row["href"] for row in values])
        card_changes.note([CardChange(user.id, row["uid"], known.name, "", row["vcard"]) for known, row, _index in new])
    tell(user)
    return uids


def remove(user: User, uids: Sequence[str]) -> int:
    """Delete contacts; returns how many. Groups keep referring to them, so that restoring one makes it a member again."""
    count = 0
    for at in range(0, len(uids), _CHUNK):
        with db.atomic():
            found: Any = Contact.select(Contact.id).where(Contact.user == user, Contact.uid.in_(uids[at : at + _CHUNK])).tuples()
            count += take_out([number for (number,) in found])
    if count:
        tell(user)
    return count


def take_out(ids: Sequence[int]) -> int:
    """Delete these contacts (by `id`, at most 500), and tell those who keep their books in step; returns how many.

    Within a transaction.
    """
    chosen = Contact.id.in_(ids)
    found: Any = Contact.select(Contact.collection).where(chosen).distinct().tuples()
    books = sorted(book for (book,) in found if book)
    seqs = {book: collections.changed(book) for book in books}  # now nobody else changes what is in them
    for book, seq in seqs.items():
        fields = (Contact.user, Contact.uid, Contact.href, Contact.vcard)
        inside = list(Contact.select(*fields).where(Contact.collection == book, chosen))
        collections.grown(book, -len(inside), -collections.sizes(row.vcard for row in inside))
        collections.gone(book, [row.href for row in inside], seq)
        card_changes.note([CardChange(row.user_id, row.uid, "", row.vcard, "") for row in inside])
    return Contact.delete().where(chosen).execute()


def index(row: Contact, known: ContactDetails) -> None:
    """Add a new contact to the index."""
    add_to_index(row.user_id, [(row.id, index_of(known))])


def change_owner(row: Contact, owner: int) -> None:
    """Move a contact's part of the index to another person (by `id`), whose contact it is now."""
    ContactAddress.update(user=owner).where(ContactAddress.contact == row.id).execute()


def count(user: User) -> int:
    return Contact.select().where(Contact.user == user).count()
