"""Exported tables: which rows of which tables are a person's own data, as they are handed out: without secrets.

They lie below all areas; so no area has to be asked. A new table of an area is added to `TABLES`, or to `LEFT_OUT` with the
reason (tests/unit/accounts/test_own_data.py asks for one of them).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.collections.look import title_of
from webmail.collections.store import LEAVING, props_for
from webmail.models import (
    Acquaintance,
    AllowedAddress,
    AllowedName,
    AppointmentBooking,
    AppointmentHost,
    AppointmentOffer,
    AppointmentSlot,
    AppPassword,
    ArchiveBatch,
    ArchiveRule,
    ArchiveRun,
    AuditEntry,
    Authenticator,
    AutomaticAnswer,
    AwaitedReply,
    BirthdayCalendar,
    BlockedSenders,
    CalendarLink,
    CalendarObject,
    CalendarSubscription,
    CloudProgramUse,
    Collection,
    CollectionNote,
    CollectionShare,
    ConnectedService,
    Contact,
    ContactAddress,
    ContactCategory,
    Correspondent,
    DailyAgenda,
    Deputy,
    DeskAnswer,
    DeskCase,
    DeviceNetwork,
    DifferentContacts,
    DraftRow,
    EstablishmentAdministrator,
    FileRequest,
    FilesenderDelivery,
    FilesenderRemovedGuest,
    ForwardTarget,
    GroupCollection,
    GroupMember,
    GroupOwner,
    GuestLink,
    GuestReminder,
    GuestReply,
    HandedOverFolder,
    ImageSender,
    JunkWeek,
    KeptEventForm,
    Keyring,
    KeyringLock,
    KnownCertificateRow,
    LinkedAccount,
    LostShare,
    MailAlias,
    MailboxHandover,
    MailedCode,
    MoveHabit,
    OpenedKeyring,
    Outbox,
    OwnKeyRow,
    PaperPassword,
    PasswordReset,
    PasswordSheet,
    PeopleGroup,
    PeopleLearned,
    PhishingFind,
    PhishingReport,
    PlainRecipient,
    Poll,
    PollOption,
    PollVoter,
    PublishedTimes,
    ReadyText,
    RecentFolder,
    RecentSearch,
    RecoveryCode,
    RefusedChange,
    RemoteAccount,
    Resource,
    ResourceUse,
    RestoreRequest,
    RoomNotice,
    RoomRequest,
    SavedImport,
    SavedSearch,
    SchedulingMessage,
    ScriptRequest,
    SearchedMailbox,
    SecurityKey,
    SentForm,
    SentInvitation,
    Session,
    ShownReminder,
    Signature,
    Snoozed,
    StagedCertificate,
    StoredContent,
    SupportRequest,
    Tag,
    Task,
    ToldNotice,
    Transfer,
    TransferAllowance,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    TrashedCollection,
    TrashedItem,
    TrustedDevice,
    Undo,
    User,
    Voucher,
    WritingIdentity,
)

TABLES: dict[str, type[pw.Model]] = {
    "identities": WritingIdentity,
    "allowed-addresses": AllowedAddress,
    "aliases": MailAlias,
    "allowed-names": AllowedName,
    "groups": GroupMember,
    "signatures": Signature,
    "templates": ReadyText,
    "drafts": DraftRow,
    "outbox": Outbox,
    "awaited-replies": AwaitedReply,
    "room-requests": RoomRequest,
    "support-requests": SupportRequest,
    "desk-cases": DeskCase,
    "searches": SavedSearch,
    "tags": Tag,
    "snoozed": Snoozed,
    "forwarding": ForwardTarget,
    "recent-folders": RecentFolder,
    "recent-searches": RecentSearch,
    "move-habits": MoveHabit,
    "junk-weeks": JunkWeek,
    "keyring": Keyring,
    "keyring-locks": KeyringLock,
    "encryption-keys": OwnKeyRow,
    "known-certificates": KnownCertificateRow,
    "never-encrypted-for": PlainRecipient,
    "archive-rules": ArchiveRule,
    "archive-nights": ArchiveRun,
    "collections": Collection,
    "deleted-by-devices": TrashedItem,
    "deleted-collections": TrashedCollection,
    "correspondents": Correspondent,
    "acquaintances": Acquaintance,
    "blocked-senders": BlockedSenders,
    "image-senders": ImageSender,
    "phishing-reports": PhishingReport,
    "sessions": Session,
    "trusted-browsers": TrustedDevice,
    "authenticator-apps": Authenticator,
    "security-keys": SecurityKey,
    "recovery-codes": RecoveryCode,
    "app-passwords": AppPassword,
    "device-networks": DeviceNetwork,
    "cloud-programs": CloudProgramUse,
    "refused-changes": RefusedChange,
    "linked-accounts": LinkedAccount,
    "other-calendar-servers": RemoteAccount,
    "connected-services": ConnectedService,
    "calendar-subscriptions": CalendarSubscription,
    "calendar-addresses": CalendarLink,
    "password-resets": PasswordReset,
    "vouchers": Voucher,
    "deputy-for": Deputy,
    "tasks": Task,
    "file-requests": FileRequest,
    "reminders": ShownReminder,
    "invitations": SentInvitation,
    "meeting-messages": SchedulingMessage,
    "reminders-to-guests": GuestReminder,
    "automatic-answers": AutomaticAnswer,
    "links-of-guests": GuestLink,
    "replies-of-guests": GuestReply,
    "appointments": AppointmentOffer,
    "appointments-with-me": AppointmentHost,
    "daily-agenda": DailyAgenda,
    "notices-read": ToldNotice,
    "poll-answers": PollVoter,
    "substitutes": MailboxHandover,
    "brought-back": RestoreRequest,
}
LEFT_OUT: dict[type[pw.Model], str] = {
    GroupCollection: "the group's",
    GroupOwner: "the group's: who looks after it",
    HandedOverFolder: "how far folders were copied",
    AppointmentSlot: "times, which follow from the appointments",
    AppointmentBooking: "what others said for a month; in the calendar, and as CSV on the page of the appointments",
    AuditEntry: "a file of its own, activity.json",
    OpenedKeyring: "a sealed secret, for as long as a session",
    SavedImport: "columns of an administrator's files of people, which mean nothing elsewhere",
    PasswordSheet: "passwords of others, which wait to be printed",
    PaperPassword: "a sealed password, until it is printed",
    EstablishmentAdministrator: "the establishment's; the role is in the account",
    DeskAnswer: "mailed to the person, and on their page of requests",
    CollectionShare: "a file of their own, shares.json",
    CollectionNote: "with the shares, in shares.json",
    LostShare: "a notice of something of somebody else's, which goes when it was read",
    Contact: "a file of their own, contacts.vcf",
    ContactAddress: "an index of the contacts",
    ContactCategory: "an index of the contacts",
    BirthdayCalendar: "made from the contacts",
    DifferentContacts: "names of contacts that mean nothing elsewhere",
    MailedCode: "there for some minutes",
    PublishedTimes: "when others are busy, as they publish it or a connected service tells",
    SearchedMailbox: "places in mailboxes that mean nothing elsewhere",
    Undo: "there for an hour",
    ScriptRequest: "digests alone, there for a week",
    SentForm: "there for an hour",
    KeptEventForm: "there for some days, while a file is sent",
    ArchiveBatch: "places of messages, there for a week",
    Poll: "a file of their own, polls.json",
    Transfer: "a file of their own, large-files.json",
    StoredContent: "how files of transfers are stored",
    FilesenderDelivery: "how far transfers have come on their way to another server",
    FilesenderRemovedGuest: "numbers that mean nothing elsewhere",
    TransferAllowance: "the administrator's",
    Resource: "the establishment's",
    RoomNotice: "there for a minute, until mail about a room is written",
    ResourceUse: "rooms stand in the events that they are booked with",
    PhishingFind: "copies of a reported message in one's mailbox, of which one was told by mail",
    StagedCertificate: "a locked file that waits to be taken",
    PeopleLearned: "says when something was counted",
}
_OWNER: dict[type[pw.Model], pw.Field] = {
    Voucher: Voucher.receiver,
    FileRequest: FileRequest.owner,
    AppointmentOffer: AppointmentOffer.owner,
    MailboxHandover: MailboxHandover.owner,
}  # where it is not called `user`
_SECRET = {  # columns that are never handed out
    "password", "credential", "id_hash", "data", "token_hash", "code_hash", "secret", "last_step", "sha", "credential_hash",
    "credential_id", "public_key", "sign_count", "provider_session", "session", "number", "content", "writer", "cursor", "result",
    "profile_hash", "profile_sealed", "nonce", "link_hash", "receipt_hash", "key_check",
    "sealed", "salt", "cost", "passkey", "revocation", "certificate",
}  # fmt: skip
_PIECE = 100  # cards in memory at once


def rows_of(user: User) -> Iterator[tuple[str, Iterator[str]]]:
    """Each table's name and its rows as JSON, in pieces. One SELECT for each table."""
    for name, table in TABLES.items():
        told = [field for field in table._meta.sorted_fields if field.name not in _SECRET]
        yield name, _listed(table.select(*told).where(_OWNER.get(table, getattr(table, "user", None)) == user))


def activity_of(user: User) -> Iterator[str]:
    """What the person did and what was done to their account, as the audit log tells it.

    Not what was done to an earlier account of the same address, which was somebody else's.
    """
    begins = user.created - timedelta(minutes=1)  # the entry that tells of its making may be a little older
    mine = (AuditEntry.actor == user) | ((AuditEntry.target == user.address) & (AuditEntry.at >= begins))
    return _listed(AuditEntry.select().where(mine).order_by(AuditEntry.at))


def cards_of(user: User) -> Iterator[str]:
    """All contacts as vCards: they may be hundreds of megabytes."""
    found: Any = Contact.select(Contact.id).where(Contact.user == user).order_by(Contact.sort).tuples()
    numbers = [number for (number,) in found]
    for at in range(0, len(numbers), _PIECE):
        some: Any = Contact.select(Contact.vcard).where(Contact.id.in_(numbers[at : at + _PIECE])).order_by(Contact.sort)
        yield "".join(card for (card,) in some.tuples())


def calendars_of(user: User) -> Iterator[str]:
    """All events and tasks of all calendars, one iCalendar object after the other (RFC 5545, 3.4)."""
    mine = Collection.select(Collection.id).where(Collection.user == user, Collection.derived != LEAVING)
    found: Any = CalendarObject.select(CalendarObject.id).where(CalendarObject.collection.in_(mine)).tuples()
    numbers = [number for (number,) in found]
    for at in range(0, len(numbers), _PIECE):
        some: Any = CalendarObject.select(CalendarObject.text).where(CalendarObject.id.in_(numbers[at : at + _PIECE]))
        yield "".join(text if text.endswith("\n") else f"{text}\r\n" for (text,) in some.tuples())


def shares_of(user: User) -> str:
    """The books and calendars that the person shares, with whom; and those that others share with them; what
    managers did. 4 queries.
    """
    joined: Any = CollectionShare.select(CollectionShare, Collection, User, PeopleGroup)
    joined = joined.join(Collection).switch(CollectionShare).join(User, pw.JOIN.LEFT_OUTER)
    joined = joined.switch(CollectionShare).join(PeopleGroup, pw.JOIN.LEFT_OUTER).order_by(CollectionShare.id)
    given = [
        {
            "collection": title_of(props_for(one.collection, user)), "kind": one.collection.kind, "rights": one.rights,
            "since": one.created, **({"group": one.group.name} if one.group_id else {"person": one.user.address}),
        }
        for one in joined.where(Collection.user == user, CollectionShare.rights != "")
    ]  # fmt: skip
    mine = {one.collection_id: one for one in CollectionShare.select().where(CollectionShare.user == user)}
    had = [
        {
            "collection": title_of(props_for(one.collection, user)), "kind": one.collection.kind, "rights": one.rights,
            "owner": one.collection.user.address, "since": one.created, "group": one.group.name if one.group_id else "",
            "own_look": json.loads(mine[one.collection_id].props) if one.collection_id in mine else {},
        }
        for one in joined.where(
            (CollectionShare.user == user)
            | CollectionShare.group.in_(GroupMember.select(GroupMember.group).where(GroupMember.user == user)),
            CollectionShare.rights != "", Collection.user != user,
        )
    ]  # fmt: skip
    notes: Any = CollectionNote.select(CollectionNote, Collection).join(Collection).order_by(CollectionNote.id)
    done = [
        {
            "collection": title_of(props_for(one.collection, user)), "by": one.by, "act": one.act, "about": one.about,
            "rights": one.rights, "at": one.at,
        }
        for one in notes.where(Collection.user == user)
    ]  # fmt: skip
    return as_json({"given": given, "shared-with-me": had, "done-by-managers": done})


def transfers_of(user: User) -> Iterator[str]:
    """What the person sent and was sent as large files: names, people, what happened; not the files. Transfer by transfer."""
    opening = "["
    for transfer in Transfer.select().where(Transfer.owner == user).order_by(Transfer.id).iterator():
        yield opening + "\n" + as_json(_transfer(transfer))
        opening = ","
    yield "[]" if opening == "[" else "\n]"


def _transfer(transfer: Transfer) -> dict[str, Any]:
    files = {one.id: one for one in TransferFile.select(TransferFile, StoredContent).left_outer_join(StoredContent)
             .where(TransferFile.transfer == transfer).order_by(TransferFile.position)}  # fmt: skip
    people = {one.id: one for one in TransferRecipient.select().where(TransferRecipient.transfer == transfer)}
    trail = TransferEvent.select().where(TransferEvent.transfer == transfer).order_by(TransferEvent.id)
    return {
        **plain(transfer),
        "files": [{**plain(one), "sha256": one.content.sha256 if one.content is not None else ""} for one in files.values()],
        "recipients": [plain(one) for one in people.values()],
        "trail": [
            {
                **plain(one),
                "recipient": people[one.recipient_id].address if one.recipient_id in people else "",
                "file": files[one.file_id].path if one.file_id in files else "",
            }
            for one in trail
        ],
    }


def polls_of(user: User) -> Iterator[str]:
    """The polls that the person made, with their dates and what was answered. Poll by poll."""
    opening = "["
    for poll in _rows(Poll, Poll.owner, user.id):
        answers = [
            {**plain(one), "account": one.user.address if one.user_id is not None else ""}
            for one in _rows(PollVoter, PollVoter.poll, poll.id)
        ]
        dates = [{"number": one.id, **plain(one)} for one in _rows(PollOption, PollOption.poll, poll.id)]
        yield opening + "\n" + as_json({**plain(poll), "dates": dates, "answers": answers})
        opening = ","
    yield "[]" if opening == "[" else "\n]"


def _rows(table: type[pw.Model], belongs: pw.Field, number: int) -> list[Any]:
    """What was not deleted of it."""
    return list(table.select().where(belongs == number, table.removed.is_null()).order_by(table.id))  # type: ignore[attr-defined]


def account_of(user: User) -> str:
    """The account itself."""
    return as_json([{name: value for name, value in plain(user).items() if name != "preferences"}])


def settings_of(user: User) -> str:
    """What the person chose."""
    return as_json({"language": user.language, **json.loads(user.preferences or "{}")})


def plain(row: pw.Model) -> dict[str, Any]:
    """A row without secrets and without the numbers that join tables; a group by its name."""
    told: dict[str, Any] = {}
    for field in row._meta.sorted_fields:
        if isinstance(field, pw.ForeignKeyField) and field.rel_model is PeopleGroup:
            told[field.name] = getattr(row, field.name).name
        elif not isinstance(field, (pw.ForeignKeyField, pw.AutoField)) and field.name not in _SECRET:
            told[field.name] = getattr(row, field.name)
    return told


def as_json(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1, default=_as_text)


def _listed(found: Any) -> Iterator[str]:
    """A JSON list of rows, written row by row. Rows are read one after the other, not kept."""
    opening = "["
    for row in found.iterator():
        yield opening + "\n" + as_json(plain(row))
        opening = ","
    yield "[]" if opening == "[" else "\n]"


def _as_text(value: object) -> str:
    return value.isoformat() + "Z" if isinstance(value, datetime) else str(value)
