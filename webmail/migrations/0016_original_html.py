"""The HTML of the message answered or forwarded, and its pictures, among a draft's files."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("draft_attachments", "content_id", pw.CharField(max_length=255, null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("draft_attachments", "content_id"))
