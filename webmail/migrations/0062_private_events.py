"""Which events are private: those who may only read a calendar see of them when they are, and its owner is told so, once."""

import re

import peewee as pw

_FOLD = re.compile(r"\r?\n[ \t]")
_CLASS = re.compile(r"^CLASS(?:;[^:\"\n]*(?:\"[^\"\n]*\"[^:\"\n]*)*)?:(.*)$", re.MULTILINE | re.IGNORECASE)
_ADDED = {"collections": ("hides_private", "private_news"), "trashed_collections": ("hides_private",)}


def up(migrator, db):
    no = [pw.SQL("DEFAULT 0")]  # a process of the version before still adds rows
    for table, names in _ADDED.items():
        for name in names:
            migrator.migrate(migrator.add_column(table, name, pw.IntegerField(default=0, constraints=no)))
    migrator.migrate(
        migrator.add_column("calendar_objects", "public_etag", pw.CharField(max_length=64, null=True)),
        migrator.add_column("occurrences", "private", pw.IntegerField(null=True)),
    )
    last = 0
    while rows := db.execute_sql(f"SELECT id, text FROM calendar_objects WHERE id > {last} ORDER BY id LIMIT 500").fetchall():  # noqa: S608
        last = rows[-1][0]
        if public := ", ".join(str(number) for number, text in rows if not _is_private(text)):
            db.execute_sql(f"UPDATE calendar_objects SET public_etag = etag WHERE id IN ({public})")  # noqa: S608
    shared = "SELECT collection_id FROM collection_shares WHERE rights IN ('read', 'write', 'manage')"
    db.execute_sql(f"UPDATE collections SET private_news = 1 WHERE kind = 'calendar' AND id IN ({shared})")  # noqa: S608


def down(migrator, db):
    migrator.migrate(migrator.drop_column("occurrences", "private"), migrator.drop_column("calendar_objects", "public_etag"))
    for table, names in _ADDED.items():
        for name in names:
            migrator.migrate(migrator.drop_column(table, name))


def _is_private(text):
    told = _CLASS.findall(_FOLD.sub("", text).replace("\r", "\n"))
    return any(value.strip().upper() != "PUBLIC" for value in told)
