"""People without an account who send files: how they come back to them, and what they did lately."""

import peewee as pw


def up(migrator, db):
    _requests, visits = _tables(db)
    db.execute_sql("ALTER TABLE transfers ADD COLUMN receipt_hash VARCHAR(64)")
    db.execute_sql("CREATE UNIQUE INDEX transfers_receipt_hash ON transfers (receipt_hash)")
    db.create_tables([visits])


def down(migrator, db):
    _requests, visits = _tables(db)
    db.drop_tables([visits])
    db.execute_sql("DROP INDEX transfers_receipt_hash")
    db.execute_sql("ALTER TABLE transfers DROP COLUMN receipt_hash")


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class FileRequest(Base):
        class Meta:
            table_name = "file_requests"

    class GuestVisit(Base):
        request = pw.ForeignKeyField(FileRequest, on_delete="CASCADE", backref="+")
        kind = pw.CharField(max_length=10)
        network = pw.CharField(max_length=64, default="", index=True)
        address_hash = pw.CharField(max_length=64, default="", index=True)
        at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "guest_visits"

    return FileRequest, GuestVisit
