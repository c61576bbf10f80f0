"""Words of calendar objects, by which events are found."""

import re

import peewee as pw

from webmail.mime.headers.encoded_words import words_in

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"^(?:SUMMARY|LOCATION|DESCRIPTION|CATEGORIES)(?:;[^:\n]*)?:(.{1,2000})", re.MULTILINE | re.IGNORECASE)
_MOST = 2_000


def up(migrator, db):
    column = pw.TextField(default="", constraints=[pw.SQL("DEFAULT ''")])  # a process of the version before still adds rows
    migrator.migrate(migrator.add_column("calendar_objects", "words", column))
    last = 0
    mark = "?" if isinstance(db, pw.SqliteDatabase) else "%s"
    while rows := db.execute_sql(f"SELECT id, text FROM calendar_objects WHERE id > {last} ORDER BY id LIMIT 500").fetchall():  # noqa: S608
        last = rows[-1][0]
        for number, text in rows:
            db.execute_sql(f"UPDATE calendar_objects SET words = {mark} WHERE id = {mark}", (_words(text), number))  # noqa: S608


def down(migrator, db):
    migrator.migrate(migrator.drop_column("calendar_objects", "words"))


def _words(text):
    found = words_in(" ".join(_LINE.findall(_FOLD.sub("", text[:20_000]))).replace("\\n", " ").replace("\\", ""))
    return "".join(f" {word}" for word in dict.fromkeys(found))[:_MOST]
