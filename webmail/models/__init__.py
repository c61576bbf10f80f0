"""Models: the database tables, one file per area: people, sessions, drafts, outbox and so on. Mail stays on the IMAP server.

Works with both SQLite and PostgreSQL. Times are naive UTC. Every change to a table is a new file in `migrations/`.
"""

from __future__ import annotations

from webmail.models.accounts import AllowedAddress, AllowedName, MailAlias, RestedAddress, User
from webmail.models.appointments import AppointmentBooking, AppointmentHost, AppointmentOffer, AppointmentSlot, BookingState
from webmail.models.audit import AuditAct, AuditEntry
from webmail.models.base import Table, now
from webmail.models.collections.calendar import FOR_EVER, BirthdayCalendar, CalendarObject, Occurrence
from webmail.models.collections.collections import (
    Collection,
    CollectionNote,
    CollectionShare,
    GoneItem,
    GroupCollection,
    LostShare,
    ToldNotice,
    TrashedCollection,
    TrashedItem,
)
from webmail.models.collections.contacts import (
    Contact,
    ContactAddress,
    ContactCategory,
    ContactMember,
    DifferentContacts,
    IndexFill,
)
from webmail.models.collections.meetings import (
    AutomaticAnswer,
    GuestLink,
    GuestReminder,
    GuestReply,
    SchedulingMessage,
    SentInvitation,
)
from webmail.models.collections.reminders import DailyAgenda, KeptEventForm, NextReminder, ShownReminder
from webmail.models.collections.remote import RemoteAccount, RemoteItem, RemoteLink
from webmail.models.collections.rooms import STEP, Resource, ResourceBooking, ResourceSlot, ResourceUse, RoomNotice
from webmail.models.collections.subscriptions import CalendarLink, CalendarSubscription, PublishedTimes
from webmail.models.collections.todos import Todo
from webmail.models.desk import DeskAnswer, DeskCase, DeskKind, DeskState
from webmail.models.elsewhere.filesender import DeliveryState, FilesenderDelivery, FilesenderRemovedGuest
from webmail.models.elsewhere.restores import BackupNight, RestoreKind, RestoreRequest, RestoreState
from webmail.models.establishments import (
    Establishment,
    EstablishmentAdministrator,
    EstablishmentDomain,
    EstablishmentImage,
    EstablishmentSetting,
)
from webmail.models.handover import HandedOverFolder, HandoverKind, HandoverState, MailboxHandover
from webmail.models.limits import LimitUse
from webmail.models.mail.archiving import ArchiveBatch, ArchiveRule, ArchiveRun, BatchState
from webmail.models.mail.awaited import AwaitedReply
from webmail.models.mail.compose import AttachmentRow, DraftRow, Outbox, OutboxState, ReadyText, Signature, WritingIdentity
from webmail.models.mail.filing import JunkWeek, MoveHabit
from webmail.models.mail.forwarding import ForwardTarget
from webmail.models.mail.keys import (
    CertificateRevocation,
    KeyAddress,
    KeyOrigin,
    Keyring,
    KeyringLock,
    KnownCertificateRow,
    LockKind,
    OpenedKeyring,
    OwnKeyRow,
    PlainRecipient,
    StagedCertificate,
)
from webmail.models.mail.mailbox import RecentFolder, RecentSearch, RoomRequest, SavedSearch, Snoozed, Tag
from webmail.models.mail.message import PhishingFind, PhishingReport, SearchedMailbox
from webmail.models.people import (
    Acquaintance,
    BlockedSenders,
    Correspondent,
    GroupMember,
    GroupOwner,
    ImageSender,
    PeopleGroup,
    PeopleLearned,
    RefusedSender,
)
from webmail.models.people_files import PaperPassword, PasswordSheet, SavedImport
from webmail.models.polls import Poll, PollOption, PollVoter
from webmail.models.sent_forms import SentForm
from webmail.models.services import ConnectedService, ServiceState
from webmail.models.sign_in.auth import Session, SignInFailure, TakenTurn, TrustedDevice, WaitingPlace
from webmail.models.sign_in.cloud_programs import CloudProgramUse, RefusedNetwork
from webmail.models.sign_in.device_networks import DeviceNetwork
from webmail.models.sign_in.factors import (
    AppPassword,
    Authenticator,
    MailedCode,
    RecoveryCode,
    RefusedChange,
    SecurityKey,
    UsedChallenge,
    Voucher,
)
from webmail.models.sign_in.providers import LinkedAccount, UsedToken
from webmail.models.sign_in.recovery import Deputy, PasswordReset
from webmail.models.sign_in.script_requests import ScriptRequest
from webmail.models.support import SupportRequest
from webmail.models.system_mail import SystemMessage
from webmail.models.tasks import PeriodicJob, Task, TaskState, TaskUndo, Worker
from webmail.models.transfer_visits import TransferCode, TransferFetch, TransferReport
from webmail.models.transfers import (
    ContentPiece,
    ContentState,
    DriveState,
    FileRequest,
    FileRequestInvite,
    StoredContent,
    Transfer,
    TransferAllowance,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    TransferState,
)
from webmail.models.undo import Undo
from webmail.models.watching import CheckNote, CheckRequest, CheckState, DailyFigure, DnsNote, MetricCount

__all__ = [
    "RestoreState",
    "RestoreRequest",
    "RestoreKind",
    "BackupNight",
    "FOR_EVER",
    "STEP",
    "Acquaintance",
    "AllowedAddress",
    "AllowedName",
    "AppPassword",
    "AppointmentBooking",
    "AppointmentHost",
    "AppointmentOffer",
    "AppointmentSlot",
    "BookingState",
    "DeviceNetwork",
    "RefusedChange",
    "ArchiveBatch",
    "ArchiveRule",
    "ArchiveRun",
    "AttachmentRow",
    "AuditAct",
    "AuditEntry",
    "Authenticator",
    "AutomaticAnswer",
    "AwaitedReply",
    "BatchState",
    "BirthdayCalendar",
    "BlockedSenders",
    "CalendarLink",
    "CalendarObject",
    "CalendarSubscription",
    "CertificateRevocation",
    "Collection",
    "ConnectedService",
    "ServiceState",
    "CollectionNote",
    "CollectionShare",
    "Contact",
    "ContactAddress",
    "ContactCategory",
    "ContactMember",
    "DifferentContacts",
    "Correspondent",
    "DailyAgenda",
    "Deputy",
    "DeliveryState",
    "DeskAnswer",
    "DeskCase",
    "DeskKind",
    "DeskState",
    "DraftRow",
    "Establishment",
    "EstablishmentAdministrator",
    "EstablishmentDomain",
    "EstablishmentImage",
    "EstablishmentSetting",
    "ForwardTarget",
    "GoneItem",
    "GroupCollection",
    "GroupMember",
    "GroupOwner",
    "MailAlias",
    "GuestLink",
    "GuestReminder",
    "GuestReply",
    "HandedOverFolder",
    "HandoverKind",
    "HandoverState",
    "ImageSender",
    "IndexFill",
    "JunkWeek",
    "KeptEventForm",
    "KeyAddress",
    "KeyOrigin",
    "Keyring",
    "KeyringLock",
    "KnownCertificateRow",
    "LimitUse",
    "LinkedAccount",
    "LockKind",
    "LostShare",
    "StagedCertificate",
    "Todo",
    "ToldNotice",
    "MailboxHandover",
    "MailedCode",
    "MoveHabit",
    "NextReminder",
    "Occurrence",
    "OpenedKeyring",
    "Outbox",
    "OutboxState",
    "OwnKeyRow",
    "PasswordReset",
    "PeopleGroup",
    "PaperPassword",
    "PasswordSheet",
    "RefusedSender",
    "PeopleLearned",
    "PeriodicJob",
    "PhishingFind",
    "PhishingReport",
    "PlainRecipient",
    "PublishedTimes",
    "Poll",
    "PollOption",
    "PollVoter",
    "ReadyText",
    "RecentFolder",
    "RecentSearch",
    "RecoveryCode",
    "RemoteAccount",
    "RemoteItem",
    "RemoteLink",
    "Resource",
    "RestedAddress",
    "ResourceBooking",
    "ResourceSlot",
    "ResourceUse",
    "RoomNotice",
    "RoomRequest",
    "SavedSearch",
    "SecurityKey",
    "ScriptRequest",
    "SentForm",
    "SchedulingMessage",
    "SearchedMailbox",
    "SentInvitation",
    "Session",
    "SignInFailure",
    "ShownReminder",
    "Signature",
    "Snoozed",
    "SupportRequest",
    "SystemMessage",
    "TakenTurn",
    "Table",
    "Tag",
    "Task",
    "TaskState",
    "TaskUndo",
    "TrashedCollection",
    "TrashedItem",
    "TrustedDevice",
    "Undo",
    "UsedChallenge",
    "UsedToken",
    "User",
    "Voucher",
    "WaitingPlace",
    "Worker",
    "WritingIdentity",
    "now",
    "CheckNote",
    "CheckRequest",
    "CheckState",
    "CloudProgramUse",
    "RefusedNetwork",
    "ContentPiece",
    "DailyFigure",
    "DnsNote",
    "MetricCount",
    "ContentState",
    "FileRequest",
    "FileRequestInvite",
    "FilesenderDelivery",
    "FilesenderRemovedGuest",
    "StoredContent",
    "Transfer",
    "TransferAllowance",
    "TransferCode",
    "TransferEvent",
    "TransferFetch",
    "TransferFile",
    "TransferRecipient",
    "TransferReport",
    "DriveState",
    "TransferState",
    "SavedImport",
]
