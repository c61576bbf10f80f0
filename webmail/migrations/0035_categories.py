"""An index of contacts' categories. A worker fills it with those of the contacts that are there already."""

import peewee as pw


def up(migrator, db):
    contacts, categories, fill = _tables(db)
    db.create_tables([categories, fill])
    last = contacts.select(pw.fn.MAX(contacts.id)).scalar()
    if last:
        fill.create(name="categories", upto=0, until=last)


def down(migrator, db):
    db.drop_tables(_tables(db)[1:])


def _tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class Contact(pw.Model):
        class Meta:
            database = db
            table_name = "contacts"

    class ContactCategory(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
        contact = pw.ForeignKeyField(Contact, on_delete="CASCADE")
        key = pw.CharField(max_length=100)
        name = pw.CharField(max_length=100)

        class Meta:
            database = db
            table_name = "contact_categories"
            indexes = ((("user", "key"), False),)

    class IndexFill(pw.Model):
        name = pw.CharField(max_length=20, unique=True)
        upto = pw.BigIntegerField(default=0)
        until = pw.BigIntegerField()

        class Meta:
            database = db
            table_name = "index_fills"

    return [Contact, ContactCategory, IndexFill]
