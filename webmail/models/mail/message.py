"""Message tables: reported phishing; where mail arrived that the worker has not read yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class PhishingReport(Table):
    """A message reported as phishing: its sender and subject, never its text."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="phishing_reports")
    sender = pw.CharField(max_length=254, default="")
    subject = pw.TextField(default="")
    message_id = pw.TextField(default="")
    outbox = pw.BigIntegerField(default=0)  # the Outbox row that reports it to `phishing_address`; 0: none
    created = pw.DateTimeField(default=now, index=True)
    handled = pw.DateTimeField(null=True)  # when an administrator had dealt with it
    handler = pw.CharField(max_length=254, default="")  # that administrator's address
    thanked = pw.DateTimeField(null=True)  # when whoever reported it was thanked by mail

    class Meta:
        table_name = "phishing_reports"


class SearchedMailbox(Table):
    """A mailbox in which the worker looks for what arrived: all below `uidnext` is read. `due`: from when on it may be read
    (seconds since 1970), after the lease of a worker that reads it; 0 for nothing to read. `told`: something arrived since that
    one began."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    mailbox = pw.CharField(max_length=500)
    told = pw.IntegerField(default=0)
    due = pw.BigIntegerField(default=0, index=True)
    uidvalidity = pw.BigIntegerField(default=0)
    uidnext = pw.BigIntegerField(default=0)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "searched_mailboxes"
        indexes = ((("user", "mailbox"), True),)


class PhishingFind(Table):
    """A copy of a reported message in somebody's mailbox, found by the worker, and what became of it. Never its text."""

    report = pw.ForeignKeyField(PhishingReport, on_delete="CASCADE", backref="finds", index=False)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    mailbox = pw.CharField(max_length=500)
    uidvalidity = pw.BigIntegerField()
    uid = pw.BigIntegerField()
    same = pw.IntegerField(default=0)  # 1: its Message-ID and its body are the reported one's; 0: its sender and its subject
    message_id = pw.TextField(default="")
    sender = pw.CharField(max_length=254, default="")
    subject = pw.TextField(default="")
    received = pw.DateTimeField()
    flags = pw.CharField(max_length=60, default="")  # of those that quarantine sets, the ones it had
    state = pw.CharField(max_length=10, default="found")  # of webmail/message/quarantine/finds.py
    junk = pw.CharField(max_length=500, default="")  # where it is since
    junk_uidvalidity = pw.BigIntegerField(default=0)
    junk_uid = pw.BigIntegerField(default=0)
    told = pw.IntegerField(default=1)  # 0: the person is still to be told of the state
    if TYPE_CHECKING:
        report_id: int
        user_id: int

    class Meta:
        table_name = "phishing_finds"
        indexes = (
            (("report", "user", "mailbox", "uidvalidity", "uid"), True),
            (("report", "state"), False),
            (("told", "user"), False),
        )
