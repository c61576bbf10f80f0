"""The nouns of mail, and the ways in which mail can fail. Read this first.

Everything here is plain data (RFC 5322, 2045, 3501 words); verbs live in `imap/`, `mime/` and `smtp.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a mailbox serves as (RFC 6154 special use, and INBOX)."""

    INBOX = "inbox"
    DRAFTS = "drafts"
    SENT = "sent"
    ARCHIVE = "archive"
    JUNK = "junk"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address of a header: a display name (may be empty) and `local@domain`."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email

    @property
    def label(self) -> str:
        """What a list shows: the name, or the address where there is none."""
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a message is written as."""

    name: str
    email: str

    @property
    def address(self) -> Address:
        return Address(self.name, self.email)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox (a person calls it a folder). `name` is the full IMAP path, decoded, `delimiter` its separator."""

    name: str
    delimiter: str = "/"
    role: Role | None = None
    selectable: bool = True
    messages: int = 0
    unseen: int = 0

    @property
    def label(self) -> str:
        return self.name.rsplit(self.delimiter, 1)[-1] if self.delimiter else self.name

    @property
    def depth(self) -> int:
        return self.name.count(self.delimiter) if self.delimiter else 0


@dataclass(frozen=True, slots=True)
class Quota:
    """Storage used and allowed, in bytes (RFC 9208)."""

    used: int
    limit: int

    @property
    def ratio(self) -> float:
        return min(self.used / self.limit, 1.0) if self.limit else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a row of a list shows. All but `flags` never changes for a (mailbox, UIDVALIDITY, UID)."""

    uid: int
    flags: frozenset[str]
    size: int
    received: datetime
    subject: str
    sender: tuple[Address, ...]
    to: tuple[Address, ...] = ()
    sent: datetime | None = None
    snippet: str = ""
    has_attachment: bool = False

    @property
    def seen(self) -> bool:
        return "\\Seen" in self.flags

    @property
    def flagged(self) -> bool:
        return "\\Flagged" in self.flags

    @property
    def answered(self) -> bool:
        return "\\Answered" in self.flags

    @property
    def forwarded(self) -> bool:
        return "$Forwarded" in self.flags


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of a message's structure (RFC 2045), without its content. `section` is IMAP's ("1.2").

    `size` counts encoded bytes as they are on the server; `content_id` has no angle brackets.
    """

    section: str
    type: str
    size: int
    encoding: str = "7bit"
    charset: str = ""
    filename: str = ""
    disposition: str = ""
    content_id: str = ""
    format: str = ""  # "flowed" (RFC 3676) or empty
    delsp: bool = False
    alternative: bool = False  # a body whose content is there in the other type too: show one of both

    @property
    def decoded_size(self) -> int:
        """About how many bytes a person downloads: base64 carries 3 bytes in 4, and line ends."""
        return self.size * 73 // 100 if self.encoding == "base64" else self.size


@dataclass(frozen=True, slots=True)
class Structure:
    """What of a message is shown, and what is offered for download.

    `text` and `html` are the bodies in reading order (a message may have several of each);
    `attachments` holds all other leaves but `inline` (parts that the HTML refers to by Content-ID).
    """

    text: tuple[Part, ...] = ()
    html: tuple[Part, ...] = ()
    attachments: tuple[Part, ...] = ()
    inline: tuple[Part, ...] = ()

    def part(self, section: str) -> Part | None:
        return next((p for p in self.all if p.section == section), None)

    @property
    def all(self) -> tuple[Part, ...]:
        return self.text + self.html + self.attachments + self.inline


@dataclass(frozen=True, slots=True)
class Envelope:
    """The headers that a reader and a reply need, decoded."""

    subject: str = ""
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    sent: datetime | None = None
    message_id: str = ""  # with its angle brackets
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    list_id: str = ""
    list_post: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a page shows it: no attachment's content, only the displayable text."""

    mailbox: str
    uidvalidity: int
    uid: int
    flags: frozenset[str]
    size: int
    received: datetime
    envelope: Envelope
    structure: Structure
    bodies: dict[str, str] = field(default_factory=dict)  # section -> decoded text of text/plain parts
    newer: int | None = None  # uid of the neighbours, in the list's order
    older: int | None = None

    @property
    def flagged(self) -> bool:
        return "\\Flagged" in self.flags

    @property
    def seen(self) -> bool:
        return "\\Seen" in self.flags


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file about to be sent; `path` names its bytes on disk."""

    filename: str
    type: str
    size: int
    path: str


@dataclass(slots=True)
class Draft:
    """A message being written, whatever its state. `text` is plain text with LF line ends."""

    identity: Identity
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[Address, ...]:
        return self.to + self.cc + self.bcc


class MailError(Exception):
    """Something about mail went wrong. `status` is the HTTP answer; the message is for logs, in English."""

    status = 500


class UnsafeValue(MailError):
    """A value that may not go into a command or a header: CR, LF, NUL."""

    status = 400


class BadAddress(MailError):
    """Not an address that mail can be sent to. `value` is what was typed."""

    status = 422

    def __init__(self, value: str) -> None:
        super().__init__(f"not an e-mail address: {value!r}")
        self.value = value


class SignInRefused(MailError):
    """The server knows no such person, or not with this credential."""

    status = 401


class NotAllowed(MailError):
    """The server refuses this to this person (ACL, read-only mailbox)."""

    status = 403


class NoSuchMailbox(MailError):
    status = 404


class NoSuchMessage(MailError):
    status = 404


class MailboxChanged(MailError):
    """UIDVALIDITY differs: UIDs seen before mean nothing now (RFC 3501 section 2.3.1.1)."""

    status = 410


class Refused(MailError):
    """The server understood and said no; its own words are the message."""

    status = 422


class OverQuota(Refused):
    """There is no room left (RFC 5530 OVERQUOTA)."""

    status = 507


class ServerAway(MailError):
    """The server can't be reached, is too slow, or broke off. Trying again may help."""

    status = 502


class SendRefused(MailError):
    """SMTP refused before accepting. `permanent` tells 5xx from 4xx; `refused` maps address -> the server's words."""

    status = 422

    def __init__(self, message: str, *, permanent: bool, refused: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.refused = refused or {}


class SendUncertain(MailError):
    """The connection broke after the final dot: the message may have been sent. Never retried by itself."""

    status = 502
