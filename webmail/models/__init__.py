"""Tables: people, their sessions, what they are writing and what waits to be sent; a file an area. Mail stays on the IMAP server.

Nothing here that PostgreSQL would not understand. Times are UTC, naive. A change to a table is a new file in `migrations/`.
"""

from __future__ import annotations

from webmail.models.accounts import AllowedAddress, User
from webmail.models.auth import Session, SignInFailure
from webmail.models.base import Table, now
from webmail.models.compose import (
    AttachmentRow,
    Correspondent,
    DraftRow,
    Outbox,
    OutboxState,
    ReadyText,
    Signature,
    WritingIdentity,
)
from webmail.models.contacts import Contact, ContactAddress, ContactMember
from webmail.models.mailbox import SavedSearch, Snoozed, Tag, Undo
from webmail.models.message import ImageSender, PhishingReport

__all__ = [
    "AllowedAddress",
    "AttachmentRow",
    "Contact",
    "ContactAddress",
    "ContactMember",
    "Correspondent",
    "DraftRow",
    "ImageSender",
    "Outbox",
    "OutboxState",
    "PhishingReport",
    "ReadyText",
    "SavedSearch",
    "Session",
    "SignInFailure",
    "Signature",
    "Snoozed",
    "Table",
    "Tag",
    "Undo",
    "User",
    "WritingIdentity",
    "now",
]
