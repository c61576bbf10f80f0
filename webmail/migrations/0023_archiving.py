"""Archiving by rules: the rules, what each night did, and which messages went where."""

import peewee as pw


class User(pw.Model):
    class Meta:
        table_name = "accounts"


class ArchiveRule(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    position = pw.IntegerField()
    on = pw.BooleanField(default=True)
    mailbox = pw.TextField()
    unit = pw.CharField(max_length=12)
    amount = pw.IntegerField(default=0)
    action = pw.CharField(max_length=12)
    split = pw.CharField(max_length=6, default="year")
    keyword = pw.CharField(max_length=60, default="")
    keep_unread = pw.BooleanField(default=True)
    keep_flagged = pw.BooleanField(default=True)
    keep_tagged = pw.BooleanField(default=False)
    created = pw.DateTimeField()

    class Meta:
        table_name = "archive_rules"
        indexes = ((("user", "position"), False),)


class ArchiveRun(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    night = pw.CharField(max_length=10)
    archived = pw.IntegerField(default=0)
    tagged = pw.IntegerField(default=0)
    trashed = pw.IntegerField(default=0)
    deleted = pw.IntegerField(default=0)
    began = pw.DateTimeField(index=True)
    ended = pw.DateTimeField(null=True)
    trouble = pw.TextField(default="[]")
    undone = pw.DateTimeField(null=True)
    returned = pw.IntegerField(default=0)

    class Meta:
        table_name = "archive_runs"
        indexes = ((("user", "began"), False),)


class ArchiveBatch(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    run = pw.ForeignKeyField(ArchiveRun, on_delete="CASCADE", backref="+")
    rule = pw.CharField(max_length=70, default="")
    action = pw.CharField(max_length=12)
    state = pw.CharField(max_length=8, default="pending")
    mailbox = pw.TextField()
    uidvalidity = pw.BigIntegerField()
    uids = pw.TextField()
    target = pw.TextField(default="")
    target_uidvalidity = pw.BigIntegerField(default=0)
    target_uids = pw.TextField(default="")
    floor = pw.BigIntegerField(default=0)
    marks = pw.TextField(default="")
    began = pw.DateTimeField()

    class Meta:
        table_name = "archive_batches"
        indexes = ((("user", "state"), False),)


TABLES = [ArchiveRule, ArchiveRun, ArchiveBatch]


def up(migrator, db):
    with db.bind_ctx([User, *TABLES]):
        db.create_tables(TABLES)


def down(migrator, db):
    with db.bind_ctx([User, *TABLES]):
        db.drop_tables(TABLES)
