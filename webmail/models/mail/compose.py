"""Compose tables: drafts and their attachments, the outbox, identities, signatures and templates."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class DraftRow(Table):
    """A message being written: the last text received, and where its copy is in the IMAP Drafts mailbox."""

    id = pw.CharField(max_length=32, primary_key=True)  # random hex, in the form
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="drafts")
    to = pw.TextField(default="")
    cc = pw.TextField(default="")
    bcc = pw.TextField(default="")
    subject = pw.TextField(default="")
    body = pw.TextField(default="")
    message_id = pw.CharField(max_length=255)
    in_reply_to = pw.TextField(default="")
    references = pw.TextField(default="")  # message ids, separated by spaces
    # the message answered or forwarded, to be flagged once this one is sent
    source_mailbox = pw.TextField(default="")
    source_uidvalidity = pw.BigIntegerField(default=0)
    source_uid = pw.BigIntegerField(default=0)
    source_flag = pw.CharField(max_length=20, default="")  # \Answered or $Forwarded
    # its copy on the server
    saved_mailbox = pw.TextField(default="")
    saved_uidvalidity = pw.BigIntegerField(default=0)
    saved_uid = pw.BigIntegerField(default=0)
    saved_at = pw.DateTimeField(null=True)
    saved_mark = pw.CharField(max_length=16, null=True)  # what is written in that copy, to find it under another UIDVALIDITY
    copy_mark = pw.CharField(max_length=16, null=True)  # of an attempt whose outcome is not known; NULL: none is open
    copy_error = pw.CharField(max_length=20, null=True)  # a drafts.CopyTrouble: why the last attempt failed
    copy_due = pw.DateTimeField(null=True, index=True)  # when the worker is to put it there; NULL: nothing to do
    credential = pw.BlobField(null=True)  # encrypted, only while a copy waits, for servers without our tokens
    created = pw.DateTimeField(default=now)
    updated = pw.DateTimeField(default=now, index=True)
    writer = pw.CharField(max_length=32, null=True)  # the form that saved last, see drafts.store
    identity = pw.BigIntegerField(null=True, default=0)  # id of a WritingIdentity; 0: the account itself
    reply_to = pw.TextField(null=True, default="")  # for this message only, overrides the identity's
    format = pw.CharField(max_length=20, null=True, default="")  # "markdown"; empty: plain text
    priority = pw.CharField(max_length=10, null=True, default="")  # "high", "low"
    language = pw.CharField(max_length=35, null=True, default="")  # of the text (RFC 5646); empty: unspecified
    read_receipt = pw.BooleanField(null=True, default=False)
    delivery_receipt = pw.BooleanField(null=True, default=False)
    link_days = pw.IntegerField(null=True, default=0)  # how long the link to its large files works; 0: as usual
    answer_by = pw.CharField(max_length=10, null=True, default="")  # the day to remind of it if nobody answers; empty: never
    protection = pw.CharField(max_length=10, null=True, default="")  # signed, encrypted: compose/encryption/protection.py
    # of one that is to be encrypted: `subject` and `body` are empty, and all that was written is in `sealed`
    sealed = pw.BlobField(null=True)
    seal_public = pw.BlobField(null=True)  # the draft's own pair of keys: what seals it and its files,
    seal_private = pw.BlobField(null=True)  # and what opens them, encrypted for its writer
    if TYPE_CHECKING:
        attachments: Any  # backref of AttachmentRow
        user_id: int
    secrecy: Any = None  # while a request has it: what opens it (compose/drafts/sealed_drafts.py)

    class Meta:
        table_name = "drafts"


class AttachmentRow(Table):
    """An attachment of a draft; its bytes are in the uploads folder under the draft's id."""

    draft = pw.ForeignKeyField(DraftRow, on_delete="CASCADE", backref="attachments")
    filename = pw.CharField(max_length=255)
    type = pw.CharField(max_length=190)
    size = pw.BigIntegerField()
    stored = pw.CharField(max_length=64)  # file name in the draft's folder
    content_id = pw.CharField(max_length=255, null=True)  # of the original's HTML and its pictures: compose/replies/originals.py
    sealed = pw.BlobField(null=True)  # of a sealed draft: name, type and key of the file, whose bytes are encrypted
    if TYPE_CHECKING:
        draft_id: str
    content_key: bytes | None = None  # once it was opened

    class Meta:
        table_name = "draft_attachments"


class OutboxState(StrEnum):
    WAITING = "waiting"  # until `due`; undo is possible
    SENDING = "sending"  # claimed by a worker
    SENT = "sent"  # accepted by SMTP; `filed` says whether the copy in Sent exists
    FAILED = "failed"  # refused; back in Drafts
    UNCERTAIN = "uncertain"  # the connection broke after the final dot: may have been sent
    CANCELLED = "cancelled"  # undone before it was sent


class Outbox(Table):
    """A built message to be sent. Stored before SMTP starts; one row per draft, so that a double click sends once."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="outbox")
    draft = pw.CharField(max_length=32, unique=True)  # id of the draft it was built from
    message_id = pw.CharField(max_length=255)
    subject = pw.TextField(default="")
    sender = pw.CharField(max_length=254)
    recipients = pw.TextField()  # JSON list of addresses still to send to
    refused = pw.TextField(default="{}")  # JSON: address -> the server's words
    content = pw.BlobField()  # RFC 5322 bytes without Bcc, or the name of a file (compose/outbox/spool.py); emptied once filed
    state = pw.CharField(max_length=12, default=OutboxState.WAITING, index=True)
    handed_over = pw.BooleanField(default=False)  # set just before the final dot
    attempts = pw.IntegerField(default=0)
    due = pw.DateTimeField(default=now, index=True)
    lease = pw.DateTimeField(null=True)  # claimed by a worker until then; expires if the worker dies
    error = pw.TextField(default="")
    credential = pw.BlobField(null=True)  # encrypted with the instance's key; only for servers without our tokens
    filed = pw.BooleanField(default=False)
    sent_at = pw.DateTimeField(null=True)
    sent_mailbox = pw.TextField(null=True, default="")  # where the copy goes; empty: the mailbox whose role is Sent
    created = pw.DateTimeField(default=now)
    scheduled = pw.DateTimeField(null=True)  # chosen send time; None: as soon as possible
    revision = pw.CharField(max_length=32, null=True)  # of the text sent, see drafts.revision
    people = pw.IntegerField(null=True)  # number of recipients, for the rate limits
    dsn = pw.BooleanField(null=True)  # delivery status notifications requested (RFC 3461)
    protection = pw.CharField(max_length=10, null=True)  # how `content` is protected: nobody here can write it anew
    part_of = pw.BigIntegerField(null=True, index=True)  # the row of which this is the copy for one hidden recipient
    source_mailbox = pw.TextField(default="")
    source_uidvalidity = pw.BigIntegerField(default=0)
    source_uid = pw.BigIntegerField(default=0)
    source_flag = pw.CharField(max_length=20, default="")
    saved_mailbox = pw.TextField(default="")
    saved_uidvalidity = pw.BigIntegerField(default=0)
    saved_uid = pw.BigIntegerField(default=0)
    if TYPE_CHECKING:
        user_id: int


class Signature(Table):
    """A signature at the end of messages."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="signatures")
    name = pw.CharField(max_length=100)
    text = pw.TextField()
    format = pw.TextField(default="")  # "markdown"; empty: plain text
    picture = pw.TextField(default="")  # its bytes in base64, so that undo and the export of one's data hold it too
    picture_name = pw.TextField(default="")  # the file name that a formatted text refers to

    class Meta:
        table_name = "signatures"


class WritingIdentity(Table):
    """A sender identity of a person. Without any, the account's own name and address are used."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="identities")
    name = pw.CharField(max_length=190, default="")
    address = pw.CharField(max_length=254)  # lower case
    reply_to = pw.TextField(default="")  # address lists, as typed
    cc = pw.TextField(default="")
    bcc = pw.TextField(default="")
    organisation = pw.CharField(max_length=190, default="")
    sent_mailbox = pw.TextField(default="")  # empty: the mailbox whose role is Sent
    signature = pw.ForeignKeyField(Signature, null=True, on_delete="SET NULL", backref="identities")
    signature_above = pw.BooleanField(default=True)  # above the quoted text
    is_default = pw.BooleanField(default=False)
    if TYPE_CHECKING:
        signature_id: int | None

    class Meta:
        table_name = "identities"

    @property
    def label(self) -> str:
        """Name and address for lists of identities."""
        return f"{self.name} <{self.address}>" if self.name else str(self.address)


class ReadyText(Table):
    """A template (so called in the user interface): a prepared text. `shared`: everybody may use it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="ready_texts")
    name = pw.CharField(max_length=100)
    subject = pw.TextField(default="")
    body = pw.TextField(default="")
    shared = pw.BooleanField(default=False, index=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "ready_texts"
