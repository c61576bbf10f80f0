"""App passwords for scripts, and what scripts asked for by a key of their own, so that who asks again gets the same."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    none = [pw.SQL("DEFAULT 0")]  # a process of the version before still adds rows
    migrator.migrate(migrator.add_column("app_passwords", "api", pw.IntegerField(default=0, constraints=none)))
    db.create_tables([_table(db)])


def down(migrator, db):
    db.drop_tables([_table(db)])
    migrator.migrate(migrator.drop_column("app_passwords", "api"))


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _table(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class ScriptRequest(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        key_hash = pw.CharField(max_length=64)
        fingerprint = pw.CharField(max_length=64)
        number = pw.BigIntegerField(default=0)
        attempts = pw.IntegerField(default=0)
        begun = pw.DateTimeField(default=_now)
        created = pw.DateTimeField(default=_now, index=True)

        class Meta:
            table_name = "script_requests"
            indexes = ((("user", "key_hash"), True),)

    return ScriptRequest
