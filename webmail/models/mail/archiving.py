"""Archiving tables: a person's rules, what each night did, and which messages went where, so that it can be undone for a week."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class BatchState(StrEnum):
    PENDING = "pending"  # the mail server was asked, and what it did is not noted yet
    DONE = "done"
    UNDONE = "undone"


class ArchiveRule(Table):
    """What is done each night to the old messages of a folder. The words of its columns: filters/archiving/archive_rules.py."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="archive_rules", index=False)
    position = pw.IntegerField()  # the lowest is carried out first
    on = pw.BooleanField(default=True)
    mailbox = pw.TextField()
    unit = pw.CharField(max_length=12)  # days, months, school-year
    amount = pw.IntegerField(default=0)
    action = pw.CharField(max_length=12)  # archive, tag, delete
    split = pw.CharField(max_length=6, default="year")  # the folders inside the archive: year, month
    keyword = pw.CharField(max_length=60, default="")
    keep_unread = pw.BooleanField(default=True)
    keep_flagged = pw.BooleanField(default=True)
    keep_tagged = pw.BooleanField(default=False)
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "archive_rules"
        indexes = ((("user", "position"), False),)


class ArchiveRun(Table):
    """What one night did, or an administrator's command. Made with its first messages: nights with nothing to do have none."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="archive_runs", index=False)
    night = pw.CharField(max_length=10)  # the day (ISO) on which it began, at the establishment
    archived = pw.IntegerField(default=0)  # messages
    tagged = pw.IntegerField(default=0)
    trashed = pw.IntegerField(default=0)
    deleted = pw.IntegerField(default=0)  # for good
    began = pw.DateTimeField(default=now, index=True)
    ended = pw.DateTimeField(null=True)
    trouble = pw.TextField(default="[]")  # JSON: [word, mailbox] of the rules that could not be carried out
    undone = pw.DateTimeField(null=True)  # when that was asked for
    returned = pw.IntegerField(default=0)  # messages brought back, or whose tag was taken off
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "archive_runs"
        indexes = ((("user", "began"), False),)


class ArchiveBatch(Table):
    """Messages of one command: written before it, completed after it. UIDs are as in IMAP ("1:3,7"), in ascending order.

    A pending one was interrupted: what became of its messages is found by `marks` among those from UID `floor` of the target on.
    """

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="archive_batches")
    run = pw.ForeignKeyField(ArchiveRun, on_delete="CASCADE", backref="batches")
    rule = pw.CharField(max_length=70, default="")  # the key of the rule
    action = pw.CharField(max_length=12)  # archived, tagged, trashed, deleted: columns of the run; returned: brought back
    state = pw.CharField(max_length=8, default=BatchState.PENDING)
    mailbox = pw.TextField()
    uidvalidity = pw.BigIntegerField()
    uids = pw.TextField()
    target = pw.TextField(default="")  # or the keyword
    target_uidvalidity = pw.BigIntegerField(default=0)
    target_uids = pw.TextField(default="")  # where they are now, in the order of `uids`
    floor = pw.BigIntegerField(default=0)
    marks = pw.TextField(default="")  # JSON while pending: date and size of each, in the order of `uids`
    began = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        run_id: int

    class Meta:
        table_name = "archive_batches"
        indexes = ((("user", "state"), False),)
