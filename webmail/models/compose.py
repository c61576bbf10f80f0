"""Tables of writing: drafts and their files, the outbox, identities, signatures, templates, and people written to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


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
    content = pw.BlobField()  # RFC 5322 bytes without Bcc, or their file (compose/outbox/spool.py); emptied once filed
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
