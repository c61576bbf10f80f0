"""Names that an administrator allows; the keys by which names and addresses of contacts are found, computed anew."""

import peewee as pw

from webmail.mime.threats.display_names import name_index
from webmail.mime.threats.skeletons import skeleton

_AT_ONCE = 500


def up(migrator, db):
    db.create_tables([tables(db)[0]])
    compute(db)


def down(migrator, db):
    db.drop_tables([tables(db)[0]])


def compute(db):
    """Write `alike` and `key` of all addresses as `webmail/mime/threats/` reads names today. Linear, in steps by id."""
    _allowed, contact, address = tables(db)
    last = 0
    while rows := list(
        address.select(address.id, address.address, address.domain, address.alike, address.key, contact.name)
        .join(contact, on=contact.id == address.contact_id)
        .where(address.id > last)
        .order_by(address.id)
        .limit(_AT_ONCE)
        .tuples()
    ):
        for number, email, domain, alike, key, name in rows:
            seen = skeleton(f"{email.rpartition('@')[0]}@{domain}")[:254] if email else ""
            if (seen, name_index(name)) != (alike, key):
                address.update(alike=seen, key=name_index(name)).where(address.id == number).execute()
        last = rows[-1][0]


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class AllowedName(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        name = pw.CharField(max_length=190)

        class Meta:
            table_name = "allowed_names"
            indexes = ((("user", "name"), True),)

    class Contact(Table):
        name = pw.CharField(max_length=190)

        class Meta:
            table_name = "contacts"

    class ContactAddress(Table):
        contact_id = pw.IntegerField()
        address = pw.CharField(max_length=254)
        domain = pw.CharField(max_length=254)
        alike = pw.CharField(max_length=254)
        key = pw.CharField(max_length=190)

        class Meta:
            table_name = "contact_addresses"

    return [AllowedName, Contact, ContactAddress]
