"""Tables of contacts: the cards, with an index of their addresses and of the members of groups."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Contact(Table):
    """A card of a person's contacts: `vcard` is the truth, all else is read from it each time it changes (contacts/store.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="contacts", index=False)
    uid = pw.CharField(max_length=32, unique=True)  # random hex, in addresses; it stays
    card_uid = pw.CharField(max_length=255)  # the UID that the card has
    vcard = pw.TextField()
    name = pw.CharField(max_length=190)
    sort = pw.CharField(max_length=190)  # the name without case and accents
    words = pw.TextField()  # what it is found by: folded words, each after a blank
    email = pw.CharField(max_length=254, default="")  # the first one, lower case
    kind = pw.CharField(max_length=10, default="individual")  # or "group"
    revision = pw.CharField(max_length=32)  # of the card: an ETag
    created = pw.DateTimeField(default=now)
    modified = pw.DateTimeField(default=now)

    class Meta:
        table_name = "contacts"
        indexes = ((("user", "card_uid"), True), (("user", "kind", "sort"), False), (("user", "sort"), False))


class ContactAddress(Table):
    """Index of the addresses of contacts: who has one, or one that looks like it, and who has a name."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
    contact = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="addresses")
    address = pw.CharField(max_length=254)  # mime.typed.address_key
    domain = pw.CharField(max_length=254)
    alike = pw.CharField(max_length=254)  # the address as a quick eye sees it
    key = pw.CharField(max_length=190)  # the contact's name for comparing

    class Meta:
        table_name = "contact_addresses"
        indexes = tuple((("user", name), False) for name in ("address", "domain", "alike", "key"))


class ContactMember(Table):
    """Index of the members of groups: the UID of a card, or "mailto:..."."""

    group = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="members")
    member = pw.CharField(max_length=262, index=True)

    class Meta:
        table_name = "contact_members"
