"""Who loses a share is told, however it ended: rights that were lowered, and collections that were deleted."""

import peewee as pw


def up(migrator, db):
    column = pw.CharField(max_length=6, default="", constraints=[pw.SQL("DEFAULT ''")])
    migrator.migrate(migrator.add_column("collection_shares", "lowered", column))
    db.create_tables([_lost_shares(db)])


def down(migrator, db):
    db.drop_tables([_lost_shares(db)])
    migrator.migrate(migrator.drop_column("collection_shares", "lowered"))


def _lost_shares(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class Collection(Base):
        class Meta:
            table_name = "collections"

    class TrashedCollection(Base):
        class Meta:
            table_name = "trashed_collections"

    class LostShare(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        collection = pw.ForeignKeyField(Collection, null=True, on_delete="SET NULL", backref="+")
        whole = pw.ForeignKeyField(TrashedCollection, on_delete="CASCADE", backref="+")
        kind = pw.CharField(max_length=11)
        title = pw.CharField(max_length=190)
        owner = pw.CharField(max_length=254)

        class Meta:
            table_name = "lost_shares"

    return LostShare
