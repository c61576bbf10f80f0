"""Device cards: contacts as telephones and programs see them, by their names in a book; cards are kept as they are sent."""

from __future__ import annotations

import re
import secrets
from typing import Any

import peewee as pw

from webmail.collections import store as collections
from webmail.contacts import card_changes, store
from webmail.contacts.card_changes import CardChange
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.models import Collection, Contact, ContactAddress, User

MOST_LINES = 2_000  # properties of a card
_FRAME = re.compile(r"\s*BEGIN:VCARD\s*\n(.*)\nEND:VCARD\s*", re.IGNORECASE | re.DOTALL)
_LONGEST_UID = 255
_LONGEST_HEAD = 4_000  # characters of a property's name and parameters


class UnusableCardError(ValueError):
    """Not one vCard with a UID; the words say why."""


def read(card: str) -> ContactDetails:
    """Check a card that somebody sends, and read what we know of it. Raises UnusableCardError."""
    unfolded = re.sub("\r?\n[ \t]", "", card)
    frame = _FRAME.fullmatch(unfolded.replace("\r\n", "\n"))
    if "\0" in card or frame is None or re.search(r"^(BEGIN|END):VCARD\s*$", frame[1], re.IGNORECASE | re.MULTILINE):
        raise UnusableCardError("not one vCard")
    if re.search(r"^VERSION:\s*2\.1\s*$", frame[1], re.IGNORECASE | re.MULTILINE):
        raise UnusableCardError("vCard 2.1, which the page for importing contacts can read")
    if frame[1].count("\n") > MOST_LINES:
        raise UnusableCardError("too many lines")
    if any(":" not in line[:_LONGEST_HEAD] for line in frame[1].split("\n") if line.strip()):
        raise UnusableCardError("a line without a name")
    uids = re.findall(r"^(?:[\w-]+\.)?UID(?:;[^:\n]*)?:([^\n]*)$", frame[1], re.IGNORECASE | re.MULTILINE)
    if len(uids) != 1 or not uids[0].strip() or len(uids[0]) > _LONGEST_UID:
        raise UnusableCardError("no UID")
    known = vcard_edit.read(card)
    if not known.uid:
        raise UnusableCardError("no UID")
    return known


def write(book: Collection, href: str, card: str, existing: ContactDetails, row: Contact | None) -> Contact:
    """Store a checked card under this name, in place of `row` if there is one. In a transaction that has locked the book.

    Raises LimitReachedError, and ContactChangedElsewhereError if another contact of the book has its UID.
    """
    if row is not None:
        store.replace_card(row, card, existing)
        return Contact.get_by_id(row.id)
    if store.count(book.user) >= store.MOST:
        raise LimitReachedError(f"{book.user.address} has {store.MOST} contacts")
    seq = collections.changed(book.id, count=1, size=collections.sizes([card]))
    values = store.columns(card, existing)
    try:
        with db.atomic():
            new = Contact.create(user=book.user_id, uid=secrets.token_hex(16), collection=book.id, href=href, seq=seq, **values)
    except pw.IntegrityError as error:
        raise store.ContactChangedElsewhereError(str(error)) from error
    store.index(new, existing)
    collections.there(book.id, [href])
    card_changes.note([CardChange(new.user_id, new.uid, existing.name, "", card)])
    return new


def move(row: Contact, book: Collection, href: str) -> None:
    """Put a contact into another book, or under another name. In a transaction that has locked both books.

    Raises ContactChangedElsewhereError if another contact of the book has its UID.
    """
    size = collections.sizes([row.vcard])
    collections.gone(row.collection_id, [row.href], collections.changed(row.collection_id, count=-1, size=-size))
    seq = collections.changed(book.id, count=1, size=size)
    values: dict[str, Any] = {"collection": book.id, "user": book.user_id, "href": href, "seq": seq}
    try:
        with db.atomic():
            Contact.update(**values).where(Contact.id == row.id).execute()
    except pw.IntegrityError as error:
        raise store.ContactChangedElsewhereError(str(error)) from error
    ContactAddress.update(user=book.user_id).where(ContactAddress.contact == row.id).execute()  # the index is the owner's
    collections.there(book.id, [href])
    if row.user_id != book.user_id:
        gone = CardChange(row.user_id, row.uid, "", row.vcard, "")
        card_changes.note([gone, CardChange(book.user_id, row.uid, row.name, "", row.vcard)])


def adopt_strays(most: int = 200) -> int:
    """Put contacts that are in no book into their owner's first one; returns how many.

    A process of a version without books may add some while another one already runs. Short transactions.
    """
    strays = Contact.select().where(Contact.collection.is_null()).order_by(Contact.id).limit(most)
    count = 0
    for row in list(strays):
        book = collections.default_collection(row.user, collections.BOOK)
        try:
            with db.atomic():
                seq = collections.changed(book.id, count=1, size=collections.sizes([row.vcard]))
                update = Contact.update(collection=book.id, href=f"{row.uid}.vcf", seq=seq)
                count += update.where(Contact.id == row.id, Contact.collection.is_null()).execute()
        except pw.IntegrityError:  # its UID is in the book already: it stays on the pages alone
            continue
    return count


def tell(user: User) -> None:
    """Say that the contacts of this person have changed, once they have."""
    store.tell(user)
