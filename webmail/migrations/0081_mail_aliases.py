"""Aliases: further addresses whose mail goes to an account, which Postfix and Dovecot read."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        class Meta:
            table_name = "accounts"

    class MailAlias(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        address = pw.CharField(max_length=254, unique=True)
        former = pw.IntegerField(default=0)
        created = pw.DateTimeField()

        class Meta:
            table_name = "mail_aliases"

    return [MailAlias]
