"""Visits to public links: confirmed downloads, codes by mail, reports of abuse, tries that are counted."""

import peewee as pw


def up(migrator, db):
    _transfers, _recipients, *tables = _tables(db)
    db.create_tables(tables)


def down(migrator, db):
    _transfers, _recipients, *tables = _tables(db)
    db.drop_tables(list(reversed(tables)))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class Transfer(Base):
        class Meta:
            table_name = "transfers"

    class TransferRecipient(Base):
        class Meta:
            table_name = "transfer_recipients"

    class TransferFetch(Base):
        transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", index=False)
        recipient = pw.ForeignKeyField(TransferRecipient, on_delete="SET NULL", null=True, backref="+")
        ticket = pw.CharField(max_length=32)
        what = pw.CharField(max_length=64)
        once_key = pw.CharField(max_length=64, null=True, unique=True)
        at = pw.DateTimeField()

        class Meta:
            table_name = "transfer_fetches"
            indexes = ((("transfer", "ticket", "what"), True),)

    class TransferCode(Base):
        recipient = pw.ForeignKeyField(TransferRecipient, on_delete="CASCADE", backref="+", unique=True)
        code_hash = pw.CharField(max_length=64)
        tries = pw.IntegerField(default=0)
        created = pw.DateTimeField()

        class Meta:
            table_name = "transfer_codes"

    class TransferTry(Base):
        what = pw.CharField(max_length=64)
        at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "transfer_tries"
            indexes = ((("what", "at"), False),)

    class TransferReport(Base):
        transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+")
        reason = pw.CharField(max_length=20)
        text = pw.TextField(default="")
        address = pw.CharField(max_length=254, default="")
        created = pw.DateTimeField(index=True)
        settled = pw.DateTimeField(null=True)
        settled_by = pw.CharField(max_length=254, default="")

        class Meta:
            table_name = "transfer_reports"

    return [Transfer, TransferRecipient, TransferFetch, TransferCode, TransferTry, TransferReport]
