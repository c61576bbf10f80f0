"""The folders that each person moved messages to lately."""

import peewee as pw


def up(migrator, db):
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(tables(db))


def tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class RecentFolder(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        mailbox = pw.TextField()

        class Meta:
            database = db
            table_name = "recent_folders"

    return [RecentFolder]
