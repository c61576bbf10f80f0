"""The tables: people, their sessions, what they are writing and what waits to be sent. Mail itself stays on the IMAP server.

Nothing here that PostgreSQL would not understand. Times are UTC, naive. A change to a table is a new file in `migrations/`.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peewee as pw
from playhouse.db_url import connect as connect_url
from playhouse.migrations import Runner

db = pw.DatabaseProxy()
DATABASE_AWAY = (pw.OperationalError, pw.InterfaceError)  # not there, locked for too long, or the disk is full


def now() -> datetime:
    """UTC, naive: the one kind of time the tables hold."""
    return datetime.now(UTC).replace(tzinfo=None)


class Table(pw.Model):
    if TYPE_CHECKING:
        id: Any  # peewee adds it

    class Meta:
        database = db
        legacy_table_names = False


class User(Table):
    """A person. Dovecot's passdb and userdb read this same table (deploy/dovecot), so there is one place to change anything."""

    address = pw.CharField(max_length=254, unique=True)
    local = pw.CharField(max_length=190)
    domain = pw.CharField(max_length=190)
    name = pw.CharField(max_length=190, default="")
    password = pw.CharField(max_length=255, default="")  # Argon2id, or empty: the IMAP server knows it
    quota_bytes = pw.BigIntegerField(default=1024**3)
    active = pw.IntegerField(default=1)  # 0 or 1: read by Dovecot's SQL on either database
    role = pw.CharField(max_length=20, default="person")  # or "admin"
    language = pw.CharField(max_length=5, default="")  # empty: as the browser asks
    created = pw.DateTimeField(default=now)
    is_authenticated = True  # what flask-login asks of a person

    class Meta:
        table_name = "accounts"


class Session(Table):
    """A sign-in. `id_hash` is SHA-256 of what the cookie holds, so that the table alone opens no door."""

    id_hash = pw.CharField(max_length=64, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="sessions")
    credential = pw.BlobField(null=True)  # mail password, sealed with a key that needs the cookie (auth/vault.py)
    data = pw.TextField(default="{}")
    shared = pw.BooleanField(default=False)
    created = pw.DateTimeField(default=now)
    seen = pw.DateTimeField(default=now, index=True)
    user_agent = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")


class SignInFailure(Table):
    """A wrong password, kept for as long as it counts against the next try."""

    address = pw.CharField(max_length=254, index=True)
    network = pw.CharField(max_length=64, index=True)
    at = pw.DateTimeField(default=now, index=True)


class DraftRow(Table):
    """A message being written: the last text that reached us, and where its copy lies in the IMAP Drafts mailbox."""

    id = pw.CharField(max_length=32, primary_key=True)  # random hex; the form carries it
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="drafts")
    to = pw.TextField(default="")
    cc = pw.TextField(default="")
    bcc = pw.TextField(default="")
    subject = pw.TextField(default="")
    body = pw.TextField(default="")
    message_id = pw.CharField(max_length=255)
    in_reply_to = pw.TextField(default="")
    references = pw.TextField(default="")  # message ids, separated by spaces
    # the message that is answered or forwarded, to be marked once this one is sent
    source_mailbox = pw.TextField(default="")
    source_uidvalidity = pw.BigIntegerField(default=0)
    source_uid = pw.BigIntegerField(default=0)
    source_flag = pw.CharField(max_length=20, default="")  # \Answered or $Forwarded
    # its copy on the server
    saved_mailbox = pw.TextField(default="")
    saved_uidvalidity = pw.BigIntegerField(default=0)
    saved_uid = pw.BigIntegerField(default=0)
    saved_at = pw.DateTimeField(null=True)
    created = pw.DateTimeField(default=now)
    updated = pw.DateTimeField(default=now, index=True)
    if TYPE_CHECKING:
        attachments: Any  # AttachmentRow's way back

    class Meta:
        table_name = "drafts"


class AttachmentRow(Table):
    """A file of a draft; its bytes lie in the uploads folder under the draft's id."""

    draft = pw.ForeignKeyField(DraftRow, on_delete="CASCADE", backref="attachments")
    filename = pw.CharField(max_length=255)
    type = pw.CharField(max_length=190)
    size = pw.BigIntegerField()
    stored = pw.CharField(max_length=64)  # file name in the draft's folder

    class Meta:
        table_name = "draft_attachments"


class OutboxState(StrEnum):
    WAITING = "waiting"  # until `due`; undo is possible
    SENDING = "sending"  # a worker has it
    SENT = "sent"  # SMTP accepted; `filed` says whether the copy in Sent is made
    FAILED = "failed"  # refused; back in Drafts
    UNCERTAIN = "uncertain"  # the connection broke after the final dot: may have been sent
    CANCELLED = "cancelled"  # undone before it left


class Outbox(Table):
    """A built message on its way. In the database before SMTP starts; one row for each draft, so two clicks send once."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="outbox")
    draft = pw.CharField(max_length=32, unique=True)  # id of the draft it was built from
    message_id = pw.CharField(max_length=255)
    subject = pw.TextField(default="")
    sender = pw.CharField(max_length=254)
    recipients = pw.TextField()  # JSON list of addresses still to be sent to
    refused = pw.TextField(default="{}")  # JSON: address -> the server's words
    content = pw.BlobField()  # RFC 5322 bytes without Bcc; emptied once sent and filed
    state = pw.CharField(max_length=12, default=OutboxState.WAITING, index=True)
    handed_over = pw.BooleanField(default=False)  # set just before the final dot
    attempts = pw.IntegerField(default=0)
    due = pw.DateTimeField(default=now, index=True)
    lease = pw.DateTimeField(null=True)  # a worker that dies leaves an old one
    error = pw.TextField(default="")
    credential = pw.BlobField(null=True)  # sealed with the instance's key; only for servers without our tokens
    filed = pw.BooleanField(default=False)
    sent_at = pw.DateTimeField(null=True)
    created = pw.DateTimeField(default=now)
    source_mailbox = pw.TextField(default="")
    source_uidvalidity = pw.BigIntegerField(default=0)
    source_uid = pw.BigIntegerField(default=0)
    source_flag = pw.CharField(max_length=20, default="")
    saved_mailbox = pw.TextField(default="")
    saved_uidvalidity = pw.BigIntegerField(default=0)
    saved_uid = pw.BigIntegerField(default=0)


TABLES = [User, Session, SignInFailure, DraftRow, AttachmentRow, Outbox]


def open_database(url: str) -> pw.Database:
    """Bind the tables to a database. SQLite waits up to 10 s for a lock and syncs each commit, so "saved" is true."""
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        _make_private(url.removeprefix("sqlite:///").partition("?")[0])
        # a transaction takes the write lock at once and waits for it: one that begins by reading and writes later is refused
        # without waiting when somebody else wrote in between
        options["lock_type"] = "IMMEDIATE"
        options["pragmas"] = {"journal_mode": "wal", "busy_timeout": 10_000, "foreign_keys": 1, "synchronous": "full"}
    database = connect_url(url, **options)
    db.initialize(database)
    return database


def _make_private(file: str) -> None:
    """A new database is its owner's alone (0600), or its group's too where the umask lets groups write (0660), as Dovecot needs.

    SQLite gives its -wal and -shm files the same mode. A file that can't be made is SQLite's to complain of.
    """
    if file in ("", ":memory:"):
        return
    with suppress(OSError):  # FileExistsError above all
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
        try:
            if not os.fstat(descriptor).st_mode & stat.S_IWGRP:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)


def migrate() -> list[str]:
    """Bring the database to the present shape; returns the names of the migrations applied."""
    with db.connection_context():
        return Runner(db.obj, str(Path(__file__).with_name("migrations"))).up()
