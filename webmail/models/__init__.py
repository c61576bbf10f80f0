"""Models: the database tables, one file per area: people, sessions, drafts, outbox and so on. Mail stays on the IMAP server.

Works with both SQLite and PostgreSQL. Times are naive UTC. Every change to a table is a new file in `migrations/`.
"""

from __future__ import annotations

from webmail.models.accounts import AllowedAddress, AllowedName, GroupMember, PeopleGroup, User
from webmail.models.audit import AuditAct, AuditEntry
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
from webmail.models.mailbox import RecentFolder, RoomRequest, SavedSearch, Snoozed, Tag, Undo
from webmail.models.message import ImageSender, PhishingReport
from webmail.models.people import Acquaintance, PeopleLearned
from webmail.models.system_mail import SystemMessage
from webmail.models.tasks import PeriodicJob, Task, TaskState, Worker

__all__ = [
    "Acquaintance",
    "AllowedAddress",
    "AllowedName",
    "AttachmentRow",
    "AuditAct",
    "AuditEntry",
    "Contact",
    "ContactAddress",
    "ContactMember",
    "Correspondent",
    "DraftRow",
    "GroupMember",
    "ImageSender",
    "Outbox",
    "OutboxState",
    "PeopleGroup",
    "PeopleLearned",
    "PeriodicJob",
    "PhishingReport",
    "ReadyText",
    "RecentFolder",
    "RoomRequest",
    "SavedSearch",
    "Session",
    "SignInFailure",
    "Signature",
    "Snoozed",
    "SystemMessage",
    "Table",
    "Tag",
    "Task",
    "TaskState",
    "Undo",
    "User",
    "Worker",
    "WritingIdentity",
    "now",
]
