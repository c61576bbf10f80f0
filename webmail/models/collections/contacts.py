"""Contact tables: the vCards, with indexes of their addresses and of the members of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.collections import Collection


class Contact(Table):
    """A contact: `vcard` is authoritative, the other columns are derived from it on each change (contacts/store.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="contacts", index=False)
    uid = pw.CharField(max_length=32, unique=True)  # random hex, in URLs; never changes
    card_uid = pw.CharField(max_length=255)  # the UID property of the card
    vcard = pw.TextField()
    name = pw.CharField(max_length=190)
    sort = pw.CharField(max_length=190)  # the name without case and accents
    words = pw.TextField()  # for searching: folded words, each after a space
    email = pw.CharField(max_length=254, default="")  # the first address, lower case
    kind = pw.CharField(max_length=10, default="individual")  # or "group"
    revision = pw.CharField(max_length=32)  # of the card: an ETag
    created = pw.DateTimeField(default=now)
    modified = pw.DateTimeField(default=now)
    collection = pw.ForeignKeyField(Collection, null=True, on_delete="CASCADE", backref="contacts", index=False)  # its book
    href = pw.CharField(max_length=255, default="")  # its name in the book, for telephones
    seq = pw.BigIntegerField(default=0)  # of the book's latest change that concerns it
    if TYPE_CHECKING:
        user_id: int
        collection_id: int

    class Meta:
        table_name = "contacts"
        indexes = (
            (("user", "card_uid"), False),
            (("user", "kind", "sort"), False),
            (("user", "sort"), False),
            (("collection", "card_uid"), True),
            (("collection", "href"), True),
            (("collection", "seq"), False),
            (("collection", "sort"), False),
        )


class ContactAddress(Table):
    """Index of the addresses of contacts, to look up an address, a lookalike of it, its domain or a name."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
    contact = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="addresses")
    address = pw.CharField(max_length=254)  # mime.address_input.address_key
    domain = pw.CharField(max_length=254)
    alike = pw.CharField(max_length=254)  # mime.threats.skeletons.skeleton of the address
    key = pw.CharField(max_length=190)  # mime.threats.names.name_index of the contact's name

    class Meta:
        table_name = "contact_addresses"
        indexes = tuple((("user", name), False) for name in ("address", "domain", "alike", "key"))


class ContactMember(Table):
    """Index of the members of groups: the UID of a card, or "mailto:..."."""

    group = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="members")
    member = pw.CharField(max_length=262, index=True)

    class Meta:
        table_name = "contact_members"


class DifferentContacts(Table):
    """Two contacts that look alike and are not the same person: their `uid`s, the lesser first."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
    one = pw.CharField(max_length=32)
    other = pw.CharField(max_length=32)

    class Meta:
        table_name = "different_contacts"
        indexes = ((("user", "one", "other"), True),)


class ContactCategory(Table):
    """Index of the categories of contacts."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)  # the contact's owner
    contact = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="category_rows")
    key = pw.CharField(max_length=100)  # the name without case and accents
    name = pw.CharField(max_length=100)

    class Meta:
        table_name = "contact_categories"
        indexes = ((("user", "key"), False),)


class IndexFill(Table):
    """An index that a worker still fills with what was there before it: with rows of `id`s above `upto`, the last `until`."""

    name = pw.CharField(max_length=20, unique=True)
    upto = pw.BigIntegerField(default=0)
    until = pw.BigIntegerField()

    class Meta:
        table_name = "index_fills"
