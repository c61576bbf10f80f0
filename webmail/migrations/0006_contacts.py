"""Contacts: the cards, and an index of their addresses and of the members of groups."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(list(reversed(tables(db))))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class Contact(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
        uid = pw.CharField(max_length=32, unique=True)
        card_uid = pw.CharField(max_length=255)
        vcard = pw.TextField()
        name = pw.CharField(max_length=190)
        sort = pw.CharField(max_length=190)
        words = pw.TextField()
        email = pw.CharField(max_length=254, default="")
        kind = pw.CharField(max_length=10, default="individual")
        revision = pw.CharField(max_length=32)
        created = pw.DateTimeField(default=now)
        modified = pw.DateTimeField(default=now)

        class Meta:
            table_name = "contacts"
            indexes = ((("user", "card_uid"), True), (("user", "kind", "sort"), False), (("user", "sort"), False))

    class ContactAddress(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
        contact = pw.ForeignKeyField(Contact, on_delete="CASCADE")
        address = pw.CharField(max_length=254)
        domain = pw.CharField(max_length=254)
        alike = pw.CharField(max_length=254)
        key = pw.CharField(max_length=190)

        class Meta:
            table_name = "contact_addresses"
            indexes = tuple((("user", name), False) for name in ("address", "domain", "alike", "key"))

    class ContactMember(Table):
        group = pw.ForeignKeyField(Contact, on_delete="CASCADE")
        member = pw.CharField(max_length=262, index=True)

        class Meta:
            table_name = "contact_members"

    return [Contact, ContactAddress, ContactMember]
