"""Collections: books and calendars that telephones keep in step. Everybody's contacts come into a first book."""

import json
from datetime import UTC, datetime

import peewee as pw


class User(pw.Model):
    class Meta:
        table_name = "accounts"


class PeopleGroup(pw.Model):
    class Meta:
        table_name = "people_groups"


class Collection(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    name = pw.CharField(max_length=190)
    kind = pw.CharField(max_length=11)
    components = pw.CharField(max_length=60, default="")
    props = pw.TextField(default="{}")
    seq = pw.BigIntegerField(default=0)
    floor = pw.BigIntegerField(default=0)
    size = pw.BigIntegerField(default=0)
    count = pw.IntegerField(default=0)
    created = pw.DateTimeField()
    modified = pw.DateTimeField()

    class Meta:
        table_name = "collections"
        indexes = ((("user", "name"), True),)


class CollectionShare(pw.Model):
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
    user = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+")
    group = pw.ForeignKeyField(PeopleGroup, null=True, on_delete="CASCADE", backref="+")
    rights = pw.CharField(max_length=5, default="")
    props = pw.TextField(default="{}")
    created = pw.DateTimeField()

    class Meta:
        table_name = "collection_shares"
        indexes = ((("collection", "user"), True), (("collection", "group"), True))


class CalendarObject(pw.Model):
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
    href = pw.CharField(max_length=255)
    uid = pw.CharField(max_length=255)
    component = pw.CharField(max_length=10)
    etag = pw.CharField(max_length=64)
    size = pw.IntegerField()
    first = pw.BigIntegerField()
    last = pw.BigIntegerField()
    recurring = pw.IntegerField(default=0)
    busy = pw.IntegerField(default=0)
    indexed_from = pw.BigIntegerField(default=0)
    indexed_until = pw.BigIntegerField(default=0)
    seq = pw.BigIntegerField()
    created = pw.DateTimeField()
    modified = pw.DateTimeField()
    text = pw.TextField()

    class Meta:
        table_name = "calendar_objects"
        indexes = (
            (("collection", "href"), True),
            (("collection", "uid"), True),
            (("collection", "seq"), False),
            (("collection", "first", "last"), False),
            (("recurring", "indexed_until"), False),
        )


class Occurrence(pw.Model):
    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+")
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
    start = pw.BigIntegerField()
    end = pw.BigIntegerField()
    whole_day = pw.IntegerField(default=0)
    recurrence_id = pw.CharField(max_length=40, default="")
    summary = pw.CharField(max_length=300, default="")
    location = pw.CharField(max_length=300, default="")
    busy = pw.IntegerField(default=0)
    status = pw.CharField(max_length=12, default="")

    class Meta:
        table_name = "occurrences"
        indexes = ((("collection", "start", "end"), False),)


class GoneItem(pw.Model):
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
    href = pw.CharField(max_length=255)
    seq = pw.BigIntegerField()
    at = pw.DateTimeField(index=True)

    class Meta:
        table_name = "gone_items"
        indexes = ((("collection", "href"), True), (("collection", "seq"), False))


class TrashedItem(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    collection = pw.ForeignKeyField(Collection, null=True, on_delete="SET NULL", backref="+")
    collection_name = pw.CharField(max_length=190)
    kind = pw.CharField(max_length=11)
    href = pw.CharField(max_length=255)
    uid = pw.CharField(max_length=255)
    title = pw.CharField(max_length=190, default="")
    by = pw.CharField(max_length=254, default="")
    at = pw.DateTimeField(index=True)
    size = pw.IntegerField(default=0)
    text = pw.TextField()

    class Meta:
        table_name = "trashed_items"


MODELS = [Collection, CollectionShare, CalendarObject, Occurrence, GoneItem, TrashedItem]
COLUMNS = [
    ("collection_id", pw.ForeignKeyField(Collection, Collection.id, null=True, on_delete="CASCADE", backref="+", index=False)),
    ("href", pw.CharField(max_length=255, default="", constraints=[pw.SQL("DEFAULT ''")])),
    ("seq", pw.BigIntegerField(default=0, constraints=[pw.SQL("DEFAULT 0")])),
]


def up(migrator, db):
    with db.bind_ctx([User, PeopleGroup, *MODELS]):
        db.create_tables(MODELS)
    migrator.migrate(*(migrator.add_column("contacts", name, field) for name, field in COLUMNS))
    migrator.migrate(migrator.drop_index("contacts", "contacts_user_id_card_uid"))
    _fill(db)
    migrator.migrate(
        migrator.add_index("contacts", ("user_id", "card_uid"), False),
        migrator.add_index("contacts", ("collection_id", "card_uid"), True),
        migrator.add_index("contacts", ("collection_id", "href"), True),
        migrator.add_index("contacts", ("collection_id", "seq"), False),
    )


def _fill(db):
    """A first book for everybody who has contacts, with all of them. Two statements, whatever their number."""
    sqlite = isinstance(db, pw.SqliteDatabase)
    size, mark = ("LENGTH(CAST(vcard AS BLOB))", "?") if sqlite else ("OCTET_LENGTH(vcard)", "%s")
    moment, props = datetime.now(UTC).replace(tzinfo=None), json.dumps({"D:displayname": "Contacts"})
    books = f"SELECT user_id, 'contacts', 'addressbook', '', {mark}, 1, 0, SUM({size}), COUNT(*), {mark}, {mark}"
    db.execute_sql(
        'INSERT INTO collections (user_id, name, kind, components, props, seq, "floor", size, "count", created, modified) '
        + books
        + " FROM contacts GROUP BY user_id",
        (props, moment, moment),
    )
    db.execute_sql(
        "UPDATE contacts SET seq = 1, href = uid || '.vcf', "
        "collection_id = (SELECT id FROM collections WHERE collections.user_id = contacts.user_id)"
    )


def down(migrator, db):
    for columns in (("collection_id", "seq"), ("collection_id", "href"), ("collection_id", "card_uid"), ("user_id", "card_uid")):
        migrator.migrate(migrator.drop_index("contacts", "contacts_" + "_".join(columns)))
    migrator.migrate(*(migrator.drop_column("contacts", name) for name, _field in reversed(COLUMNS)))
    migrator.migrate(migrator.add_index("contacts", ("user_id", "card_uid"), True))
    with db.bind_ctx([User, PeopleGroup, *MODELS]):
        db.drop_tables(list(reversed(MODELS)))
