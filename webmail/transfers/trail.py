"""The trail of a transfer: what happened to it, when, by whom; shown to its owner and handed out as CSV."""

from __future__ import annotations

from enum import StrEnum

from webmail.models import Transfer, TransferEvent, TransferFile, TransferRecipient


class EventKind(StrEnum):
    """What happened; `detail` says more, never in a language: an address, a number, a date in ISO 8601."""

    PUBLISHED = "published"  # detail: how many files
    ARRIVED = "arrived"  # from somebody without an account
    SENT = "sent"  # the link was mailed to a recipient
    DOWNLOADED = "downloaded"  # a file, to its last byte (detail: its name, once it is removed); without both: all in one archive
    OPENED = "opened"  # the first time that a recipient's own link was opened
    ALL_DOWNLOADED = "all-downloaded"  # everybody it was sent to has every file
    REMINDED = "reminded"
    EXTENDED = "extended"  # detail: until when
    RECIPIENT_ADDED = "recipient-added"
    RECIPIENT_REMOVED = "recipient-removed"
    FILES_ADDED = "files-added"  # detail: how many, and their names, each in a line
    NEWS_MAILED = "news-mailed"  # a recipient was told of added files
    FILE_REMOVED = "file-removed"
    FILE_REFUSED = "file-refused"  # detail: what the scanner found
    REPORTED = "reported"  # as abuse
    CLOSED = "closed"  # detail: owner, date, admin
    REOPENED = "reopened"  # soon after its owner had closed it
    DELETED = "deleted"  # the files are gone


def home(transfer: Transfer) -> Transfer:
    """Whose trail tells of a transfer's files: for what is added to another, that one's."""
    return transfer.adds_to if transfer.adds_to_id is not None else transfer


def note(
    transfer: Transfer, kind: EventKind, *, recipient: TransferRecipient | None = None, file: TransferFile | None = None,
    detail: str = "", told: bool = False,
) -> TransferEvent:  # fmt: skip
    """Write a line. `told`: its owner need not be mailed about it."""
    return TransferEvent.create(transfer=transfer, kind=kind, recipient=recipient, file=file, detail=detail[:500], told=int(told))
