"""What DNS has of what belongs there, as the worker last looked; and checks that an administrator asked for."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class DnsNote(Base):
        domain = pw.CharField(max_length=253)
        name = pw.CharField(max_length=270)
        kind = pw.CharField(max_length=10)
        value = pw.TextField(default="")
        why = pw.CharField(max_length=20)
        state = pw.CharField(max_length=10)
        code = pw.CharField(max_length=20)
        found = pw.TextField(default="")
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "dns_notes"

    class CheckRequest(Base):
        name = pw.CharField(max_length=20, primary_key=True)
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "check_requests"

    return [DnsNote, CheckRequest]
