"""The right to manage a book or calendar; what its managers did, for its owner; and who made an address of a calendar."""

import peewee as pw


def up(migrator, db):
    if isinstance(db, pw.PostgresqlDatabase):  # SQLite looks at no length
        db.execute_sql("ALTER TABLE collection_shares ALTER COLUMN rights TYPE VARCHAR(6)")
    db.execute_sql("ALTER TABLE calendar_links ADD COLUMN made_by VARCHAR(254) NOT NULL DEFAULT ''")
    db.create_tables([_notes(db)])


def down(migrator, db):
    db.drop_tables([_notes(db)])
    db.execute_sql("ALTER TABLE calendar_links DROP COLUMN made_by")
    db.execute_sql("UPDATE collection_shares SET rights = 'write' WHERE rights = 'manage'")
    if isinstance(db, pw.PostgresqlDatabase):
        db.execute_sql("ALTER TABLE collection_shares ALTER COLUMN rights TYPE VARCHAR(5)")


def _notes(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class Collection(Base):
        class Meta:
            table_name = "collections"

    class CollectionNote(Base):
        collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+")
        by = pw.CharField(max_length=254)
        act = pw.CharField(max_length=8)
        about = pw.CharField(max_length=254, default="")
        rights = pw.CharField(max_length=6, default="")
        seen = pw.IntegerField(default=0)
        at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "collection_notes"

    return CollectionNote
