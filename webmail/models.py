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
from playhouse.migrations import Runner

from webmail.databases import connect_url

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
    preferences = pw.TextField(null=True)  # JSON, see preferences.py
    recipients_per_hour = pw.IntegerField(null=True)  # instead of the setting of that name; 0: no limit
    recipients_per_day = pw.IntegerField(null=True)
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
    writer = pw.CharField(max_length=32, null=True)  # the form that wrote last, see drafts.store
    identity = pw.BigIntegerField(null=True, default=0)  # of WritingIdentity; 0: the account itself
    reply_to = pw.TextField(null=True, default="")  # for this message alone, instead of the identity's
    format = pw.CharField(max_length=20, null=True, default="")  # "markdown"; empty: plain text
    priority = pw.CharField(max_length=10, null=True, default="")  # "high", "low"
    language = pw.CharField(max_length=35, null=True, default="")  # of the text (RFC 5646); empty: not said
    read_receipt = pw.BooleanField(null=True, default=False)
    delivery_receipt = pw.BooleanField(null=True, default=False)
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
    content = pw.BlobField()  # RFC 5322 bytes without Bcc, or their file (compose/contents.py); emptied once filed
    state = pw.CharField(max_length=12, default=OutboxState.WAITING, index=True)
    handed_over = pw.BooleanField(default=False)  # set just before the final dot
    attempts = pw.IntegerField(default=0)
    due = pw.DateTimeField(default=now, index=True)
    lease = pw.DateTimeField(null=True)  # a worker that dies leaves an old one
    error = pw.TextField(default="")
    credential = pw.BlobField(null=True)  # sealed with the instance's key; only for servers without our tokens
    filed = pw.BooleanField(default=False)
    sent_at = pw.DateTimeField(null=True)
    sent_mailbox = pw.TextField(null=True, default="")  # where the copy goes; empty: the one that serves as Sent
    created = pw.DateTimeField(default=now)
    scheduled = pw.DateTimeField(null=True)  # the time chosen for it to leave; None: as soon as it can
    revision = pw.CharField(max_length=32, null=True)  # of the text that leaves, see drafts.revision
    people = pw.IntegerField(null=True)  # to how many it goes, for the limits
    dsn = pw.BooleanField(null=True)  # the writer wants to be told of its delivery (RFC 3461)
    source_mailbox = pw.TextField(default="")
    source_uidvalidity = pw.BigIntegerField(default=0)
    source_uid = pw.BigIntegerField(default=0)
    source_flag = pw.CharField(max_length=20, default="")
    saved_mailbox = pw.TextField(default="")
    saved_uidvalidity = pw.BigIntegerField(default=0)
    saved_uid = pw.BigIntegerField(default=0)


class AllowedAddress(Table):
    """An address beside their own that a person may write as, by the administrator's word. Postfix reads this table too."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="allowed_addresses")
    address = pw.CharField(max_length=254, index=True)  # lower case

    class Meta:
        table_name = "allowed_addresses"
        indexes = ((("user", "address"), True),)


class Signature(Table):
    """A text that stands at the end of messages."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="signatures")
    name = pw.CharField(max_length=100)
    text = pw.TextField()

    class Meta:
        table_name = "signatures"


class WritingIdentity(Table):
    """As whom a person writes. Without any, it is the account: its name and its address."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="identities")
    name = pw.CharField(max_length=190, default="")
    address = pw.CharField(max_length=254)  # lower case
    reply_to = pw.TextField(default="")  # address lists, as typed
    cc = pw.TextField(default="")
    bcc = pw.TextField(default="")
    organisation = pw.CharField(max_length=190, default="")
    sent_mailbox = pw.TextField(default="")  # empty: the one that serves as Sent
    signature = pw.ForeignKeyField(Signature, null=True, on_delete="SET NULL", backref="identities")
    signature_above = pw.BooleanField(default=True)  # the quotation
    is_default = pw.BooleanField(default=False)
    if TYPE_CHECKING:
        signature_id: int | None

    class Meta:
        table_name = "identities"

    @property
    def label(self) -> str:
        """The name and the address, as a list of identities shows them."""
        return f"{self.name} <{self.address}>" if self.name else str(self.address)


class ReadyText(Table):
    """A text written beforehand; a person calls it a template. `shared`: everybody may use it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="ready_texts")
    name = pw.CharField(max_length=100)
    subject = pw.TextField(default="")
    body = pw.TextField(default="")
    shared = pw.BooleanField(default=False, index=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "ready_texts"


class SavedSearch(Table):
    """A search that a person gave a name; shown among the folders."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="saved_searches")
    name = pw.CharField(max_length=100)
    query = pw.TextField()
    mailbox = pw.TextField(default="INBOX")
    scope = pw.CharField(max_length=10, default="")  # "" this mailbox, "below" with those inside it, "all" everywhere
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "saved_searches"
        indexes = ((("user", "name"), True),)


class Tag(Table):
    """A name and a colour for an IMAP keyword. The messages carry the keyword, so that other programs see it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="tags")
    keyword = pw.CharField(max_length=60)
    name = pw.CharField(max_length=60)
    colour = pw.CharField(max_length=20, default="")

    class Meta:
        table_name = "tags"
        indexes = ((("user", "keyword"), True),)


class Snoozed(Table):
    """A message put off: it waits in `folder` under `uid` and comes back to `mailbox` when `due`.

    The row is there before the message is moved (`uid` is 0 until then), so that no message waits for ever.
    """

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="snoozed")
    mailbox = pw.TextField(default="INBOX")
    folder = pw.TextField()
    uidvalidity = pw.BigIntegerField(default=0)
    uid = pw.BigIntegerField(default=0)
    message_id = pw.TextField(default="")  # finds it again where UIDs changed
    subject = pw.TextField(default="")
    sender = pw.TextField(default="")
    due = pw.DateTimeField(index=True)
    lease = pw.DateTimeField(null=True)  # somebody is waking it until then
    # where its copy is being put: found there from `target_uidnext` on, it is not put there again
    target = pw.TextField(default="")
    target_uidvalidity = pw.BigIntegerField(default=0)
    target_uidnext = pw.BigIntegerField(default=0)
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "snoozed"
        indexes = ((("user", "uidvalidity", "uid"), False),)


class Undo(Table):
    """How to take back what was done to messages: offered under its random `id` for a while."""

    id = pw.CharField(max_length=32, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="undos")
    steps = pw.TextField()  # JSON, see mailbox/undo.py
    created = pw.DateTimeField(default=now, index=True)


class Correspondent(Table):
    """An address that a person has written to."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="correspondents")
    address = pw.CharField(max_length=254)  # lower case
    name = pw.CharField(max_length=190, default="")
    count = pw.IntegerField(default=1)
    last = pw.DateTimeField(default=now)

    class Meta:
        table_name = "correspondents"
        indexes = ((("user", "address"), True), (("user", "last"), False))


class ImageSender(Table):
    """An address whose remote images a person wants to see."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="image_senders")
    address = pw.CharField(max_length=254)  # lower case
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "image_senders"
        indexes = ((("user", "address"), True),)


class PhishingReport(Table):
    """A message that a person reported: who wrote it and what it was called, never what it said."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="phishing_reports")
    sender = pw.CharField(max_length=254, default="")
    subject = pw.TextField(default="")
    message_id = pw.TextField(default="")
    outbox = pw.BigIntegerField(default=0)  # the row that carries it to `phishing_address`; 0: none
    created = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "phishing_reports"


class Contact(Table):
    """A card of a person's contacts: `vcard` is the truth, all else is read from it each time it changes (contacts/store.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="contacts", index=False)
    uid = pw.CharField(max_length=32, unique=True)  # random hex, in addresses; it stays
    card_uid = pw.CharField(max_length=255)  # the UID that the card has
    vcard = pw.TextField()
    name = pw.CharField(max_length=190)
    sort = pw.CharField(max_length=190)  # the name without case and accents
    words = pw.TextField()  # what it is found by: folded words, each after a blank
    email = pw.CharField(max_length=254, default="")  # the first one, lower case
    kind = pw.CharField(max_length=10, default="individual")  # or "group"
    revision = pw.CharField(max_length=32)  # of the card: an ETag
    created = pw.DateTimeField(default=now)
    modified = pw.DateTimeField(default=now)

    class Meta:
        table_name = "contacts"
        indexes = ((("user", "card_uid"), True), (("user", "kind", "sort"), False), (("user", "sort"), False))


class ContactAddress(Table):
    """Index of the addresses of contacts: who has one, or one that looks like it, and who has a name."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
    contact = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="addresses")
    address = pw.CharField(max_length=254)  # mime.typed.address_key
    domain = pw.CharField(max_length=254)
    alike = pw.CharField(max_length=254)  # the address as a quick eye sees it
    key = pw.CharField(max_length=190)  # the contact's name for comparing

    class Meta:
        table_name = "contact_addresses"
        indexes = tuple((("user", name), False) for name in ("address", "domain", "alike", "key"))


class ContactMember(Table):
    """Index of the members of groups: the UID of a card, or "mailto:..."."""

    group = pw.ForeignKeyField(Contact, on_delete="CASCADE", backref="members")
    member = pw.CharField(max_length=262, index=True)

    class Meta:
        table_name = "contact_members"


TABLES = [
    User,
    Session,
    SignInFailure,
    DraftRow,
    AttachmentRow,
    Outbox,
    AllowedAddress,
    Signature,
    WritingIdentity,
    ReadyText,
    SavedSearch,
    Tag,
    Snoozed,
    Undo,
    Correspondent,
    PhishingReport,
    ImageSender,
    Contact,
    ContactAddress,
    ContactMember,
]


def open_database(url: str) -> pw.Database:
    """Bind the tables to a database. SQLite waits up to 5 s for a lock and syncs each commit, so "saved" is true."""
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        _make_private(url.removeprefix("sqlite:///").partition("?")[0])
        # a transaction takes the write lock at once and waits for it: one that begins by reading and writes later is refused
        # without waiting when somebody else wrote in between
        options["lock_type"] = "IMMEDIATE"
        options["pragmas"] = {"journal_mode": "wal", "busy_timeout": 5_000, "foreign_keys": 1, "synchronous": "full"}
    database: pw.Database = connect_url(url, **options)
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
