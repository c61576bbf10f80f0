"""Tables of large files sent as links: what is stored, what was sent to whom, who was asked for files, and the trail of it all.

Addresses of pages that need no account are not in these tables: they are drawn from a row's `nonce` and the instance's secret
(webmail/transfers/links.py), so a copy of the database opens none. What such an address is looked up by is its hash.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class ContentState(StrEnum):
    """How far stored bytes have come."""

    UPLOADING = "uploading"
    CHECKING = "checking"  # all there: hashed and scanned by the worker
    READY = "ready"
    DELETED = "deleted"  # nobody uses it, and it is about to go
    REFUSED = "refused"  # malware, or another hash than was declared: nobody gets it


class TransferState(StrEnum):
    """How far a transfer has come."""

    OPEN = "open"  # being put together: nobody else sees it
    JOINING = "joining"  # complete files for another transfer (`adds_to`): they join it once all are checked
    READY = "ready"  # its link works, once its files do
    HANDED = "handed"  # another server gives it out (webmail/filesender/): its link here does not work
    CLOSED = "closed"  # by its owner, an administrator or its date: the files are gone or about to be


class DriveState(StrEnum):
    """Where the large files of a message stand that go to a drive of its writer."""

    WAITING = "waiting"  # they are to go there
    THERE = "there"  # with their links
    STOPPED = "stopped"  # the drive did not take them


class FileRequest(Table):
    """A page where people without an account send files to its owner: once or often, named people or anybody who has the link."""

    owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="file_requests")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    title = pw.CharField(max_length=200, default="")
    message = pw.TextField(default="")
    invited_only = pw.IntegerField(default=0)  # 1: only by the links of its invitations
    once = pw.IntegerField(default=0)  # 1: each link takes one transfer
    asks_name = pw.IntegerField(default=1)  # 1: who sends must give a name
    until = pw.DateTimeField(null=True)  # none: it stands until it is closed
    days = pw.IntegerField(default=0)  # how long what comes is kept; 0: as usual
    most_bytes = pw.BigIntegerField(default=0)  # of one transfer; 0: as usual
    most_files = pw.IntegerField(default=0)
    notify = pw.IntegerField(default=1)  # 1: a mail for each arrival
    language = pw.CharField(max_length=5, default="")
    options = pw.TextField(default="{}")  # JSON
    created = pw.DateTimeField(default=now)
    closed = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        owner_id: int

    class Meta:
        table_name = "file_requests"


class FileRequestInvite(Table):
    """Somebody who was asked by mail for files, with a link of their own."""

    request = pw.ForeignKeyField(FileRequest, on_delete="CASCADE", backref="invites")
    address = pw.CharField(max_length=254)
    name = pw.CharField(max_length=190, default="")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    invited = pw.DateTimeField(default=now)
    reminded = pw.DateTimeField(null=True)
    removed = pw.DateTimeField(null=True)
    used = pw.IntegerField(default=0)  # transfers that came by it
    last_used = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        request_id: int

    class Meta:
        table_name = "file_request_invites"
        indexes = ((("request", "address"), True),)


class Transfer(Table):
    """Files behind a link, from somebody with an account, or to them (`request`) from somebody without."""

    owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="transfers", index=False)
    request = pw.ForeignKeyField(FileRequest, on_delete="SET NULL", null=True, backref="transfers")
    invite = pw.ForeignKeyField(FileRequestInvite, on_delete="SET NULL", null=True, backref="+")
    guest_name = pw.CharField(max_length=190, default="")  # as they typed it
    guest_address = pw.CharField(max_length=254, default="")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    receipt_hash = pw.CharField(max_length=64, null=True, unique=True)  # of the link by which a guest comes back to it
    state = pw.CharField(max_length=10, default=TransferState.OPEN)
    subject = pw.CharField(max_length=200, default="")
    message = pw.TextField(default="")
    language = pw.CharField(max_length=5, default="")  # of its mails
    options = pw.TextField(default="{}")  # JSON, see webmail/transfers/options.py
    password = pw.CharField(max_length=255, default="")  # Argon2id hash of what its page asks for; empty: nothing
    key_check = pw.CharField(max_length=64, default="")  # SHA-256 of the key that only the link holds; empty: we hold the keys
    end_to_end = pw.TextField(default="")  # JSON: how the browser encrypted the files; empty: it did not
    draft_id = pw.CharField(max_length=32, default="", index=True)  # of the message that carries the link
    # whose files join that one, which was sent already: it has no link of its own, and nobody but its owner sees it
    adds_to = pw.ForeignKeyField("self", on_delete="CASCADE", null=True, backref="additions")
    created = pw.DateTimeField(default=now)
    published = pw.DateTimeField(null=True)
    expires = pw.DateTimeField(index=True)
    closed = pw.DateTimeField(null=True, index=True)
    closed_by = pw.CharField(max_length=10, default="")  # owner, date, admin; guest: who sent it took it back
    closed_reason = pw.CharField(max_length=300, default="")  # an administrator's words for its owner
    all_told = pw.IntegerField(default=0)  # 1: that everybody has everything was noted
    files_gone = pw.IntegerField(default=0)  # 1: nothing of it is stored any more
    drive_state = pw.CharField(max_length=10, null=True, index=True)  # of a draft's, see DriveState; empty: given out here
    drive = pw.TextField(null=True)  # JSON: which drive, and the links there (webmail/compose/large_files/drive_facts.py)
    if TYPE_CHECKING:
        owner_id: int
        request_id: int | None
        invite_id: int | None
        adds_to_id: int | None

    class Meta:
        table_name = "transfers"
        indexes = ((("owner", "created"), False), (("files_gone", "state"), False))


class StoredContent(Table):
    """The bytes of a file, encrypted in pieces. Files of one owner with the same bytes share them."""

    owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    name = pw.CharField(max_length=32, unique=True)  # random, hex: its folder in the storage
    size = pw.BigIntegerField()  # bytes, as declared before the first came
    received = pw.BigIntegerField(default=0)
    sha256 = pw.CharField(max_length=64, default="")  # hex; empty until all are there
    key = pw.BlobField()  # AES-256, sealed with the instance's secret, or with the key that only the link holds
    key_in_link = pw.IntegerField(default=0)  # 1: the latter
    state = pw.CharField(max_length=10, default=ContentState.UPLOADING, index=True)
    scan = pw.CharField(max_length=10, default="")  # clean, infected, skipped (not scanned); empty: nobody looked
    finding = pw.CharField(max_length=200, default="")  # what the scanner called it, or why it did not look
    touched = pw.DateTimeField(default=now, index=True)  # when the last bytes came
    check_lease = pw.DateTimeField(null=True)  # a worker reads it until then; expires if the worker dies
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        owner_id: int

    class Meta:
        table_name = "stored_contents"
        indexes = ((("owner", "sha256"), False),)


class ContentPiece(Table):
    """Some bytes of a content, one object in the storage: `<content's name>/<name>`."""

    content = pw.ForeignKeyField(StoredContent, on_delete="CASCADE", backref="pieces", index=False)
    start = pw.BigIntegerField()
    size = pw.IntegerField()
    name = pw.CharField(max_length=40)

    class Meta:
        table_name = "content_pieces"
        indexes = ((("content", "start"), True),)


class TransferFile(Table):
    """A file of a transfer, under the name that people see."""

    transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="files", index=False)
    content = pw.ForeignKeyField(StoredContent, on_delete="SET NULL", null=True, backref="files")  # none: it is gone
    upload = pw.CharField(max_length=32, unique=True)  # random, hex: names the file in addresses
    path = pw.CharField(max_length=500)  # folders and name, with slashes; for eyes and archives, never for our disk
    media_type = pw.CharField(max_length=180, default="application/octet-stream")
    size = pw.BigIntegerField()
    position = pw.IntegerField(default=0)
    downloads = pw.IntegerField(default=0)
    held = pw.IntegerField(
        default=0
    )  # 1: too large to attach, and the writer of the message has not said yet that it goes as a link
    created = pw.DateTimeField(default=now)
    added = pw.DateTimeField(null=True)  # when it joined a transfer that had been sent; none: it was there from the beginning
    if TYPE_CHECKING:
        transfer_id: int
        content_id: int | None

    class Meta:
        table_name = "transfer_files"
        indexes = ((("transfer", "position"), False),)


class TransferRecipient(Table):
    """Somebody a transfer was sent to by mail, with a link of their own."""

    transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="recipients", index=False)
    address = pw.CharField(max_length=254)
    name = pw.CharField(max_length=190, default="")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    added = pw.DateTimeField(default=now)
    notified = pw.DateTimeField(null=True)  # when the link was mailed
    reminded = pw.DateTimeField(null=True)
    removed = pw.DateTimeField(null=True)  # their link no longer works
    downloads = pw.IntegerField(default=0)
    first_download = pw.DateTimeField(null=True)
    last_download = pw.DateTimeField(null=True)
    news = pw.DateTimeField(null=True)  # they are to be told by mail of files that were added since then
    receipted = pw.BigIntegerField(default=0)  # their downloads up to this event were confirmed to them by mail
    if TYPE_CHECKING:
        transfer_id: int

    class Meta:
        table_name = "transfer_recipients"
        indexes = ((("transfer", "address"), True),)


class TransferEvent(Table):
    """The trail of a transfer: what happened when. `kind`: webmail/transfers/trail.py."""

    transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="events", index=False)
    at = pw.DateTimeField(default=now)
    kind = pw.CharField(max_length=20)
    recipient = pw.ForeignKeyField(TransferRecipient, on_delete="SET NULL", null=True, backref="+")
    file = pw.ForeignKeyField(TransferFile, on_delete="SET NULL", null=True, backref="+")
    detail = pw.CharField(max_length=500, default="")
    told = pw.IntegerField(
        default=0, index=True
    )  # 1: its owner was mailed about it, or does not want to be; 2: daily, all together
    if TYPE_CHECKING:
        transfer_id: int
        recipient_id: int | None
        file_id: int | None

    class Meta:
        table_name = "transfer_events"
        indexes = ((("transfer", "at"), False),)


class TransferAllowance(Table):
    """How much one person may store, where it is not what `[transfers]` says."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", unique=True)
    limit_bytes = pw.BigIntegerField()  # 0: no limit of their own

    class Meta:
        table_name = "transfer_allowances"
