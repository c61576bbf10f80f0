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
    SNOOZED = "snoozed"  # put off until later
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
    """Who a message is written as. `sent_mailbox` is where the copy goes; empty: the one that serves as Sent."""

    name: str
    email: str
    reply_to: tuple[Address, ...] = ()
    organisation: str = ""
    sent_mailbox: str = ""

    @property
    def address(self) -> Address:
        return Address(self.name, self.email)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do in a mailbox: the letters of RFC 4314, section 2.1."""

    letters: str

    @property
    def may_read(self) -> bool:
        return "r" in self.letters

    @property
    def may_see(self) -> bool:
        """Keep which messages are read (`\\Seen`)."""
        return "s" in self.letters

    @property
    def may_flag(self) -> bool:
        return "w" in self.letters

    @property
    def may_insert(self) -> bool:
        return "i" in self.letters

    @property
    def may_delete(self) -> bool:
        """Take messages out: delete them, or move them elsewhere."""
        return "t" in self.letters and "e" in self.letters

    @property
    def may_create(self) -> bool:
        """Make mailboxes inside this one."""
        return "k" in self.letters

    @property
    def may_remove(self) -> bool:
        """Delete the mailbox itself, or give it another name."""
        return "x" in self.letters

    @property
    def may_manage(self) -> bool:
        """Say who else may do what."""
        return "a" in self.letters


ALL_RIGHTS = Rights("lrswipkxtea")  # in one's own mailboxes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox (a person calls it a folder). `name` is the full IMAP path, decoded, `delimiter` its separator.

    One outside the personal namespace (RFC 2342) has an `owner`, a person's name on the server or that of the public
    namespace, and a `prefix`: the part of its name that stands before the owner's own names.
    """

    name: str
    delimiter: str = "/"
    role: Role | None = None
    selectable: bool = True
    messages: int = 0
    unseen: int = 0
    subscribed: bool = True
    owner: str = ""
    prefix: str = ""
    rights: Rights = ALL_RIGHTS

    @property
    def label(self) -> str:
        """The last part of its name; "INBOX" for the inbox of somebody else, whatever the server calls it."""
        if self.prefix and self.name == self.prefix.removesuffix(self.delimiter):
            return "INBOX"
        return self.name.rsplit(self.delimiter, 1)[-1] if self.delimiter else self.name

    @property
    def depth(self) -> int:
        return self.name.removeprefix(self.prefix).count(self.delimiter) if self.delimiter and self.label != "INBOX" else 0

    @property
    def parent(self) -> str:
        """The name of the mailbox that this one lies in, empty at the top."""
        return self.name.rpartition(self.delimiter)[0] if self.delimiter else ""

    @property
    def ancestors(self) -> tuple[str, ...]:
        """The names of all the mailboxes that this one lies in, outermost first."""
        parts = self.name.split(self.delimiter) if self.delimiter else [self.name]
        return tuple(self.delimiter.join(parts[:count]) for count in range(1, len(parts)))

    def holds(self, name: str) -> bool:
        """Whether `name` lies inside this mailbox, however deep. Nothing lies inside an INBOX: on some servers all would."""
        inbox = self.role is Role.INBOX or (self.owner and self.label == "INBOX")
        return bool(self.delimiter) and not inbox and name.startswith(self.name + self.delimiter)


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
    mailbox: str = ""  # with its UIDVALIDITY, where a list holds messages of several mailboxes
    uidvalidity: int = 0
    uids: tuple[int, ...] = ()  # where a row stands for a conversation: all of its messages, `uid` first

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
    turned: bool = False  # its name held marks that turn the order of letters: "gpj.exe" could be read as "exe.jpg"
    envelope: Envelope | None = None  # of an attached message (RFC 3501 section 7.4.2)

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
    language: str = ""  # that its author wrote in, the first of those named (RFC 3282); whatever the header says


@dataclass(frozen=True, slots=True)
class Trace:
    """What a message's head holds about its way and its wishes. Anybody can write such headers: nothing here is believed yet."""

    results: tuple[tuple[int, str], ...] = ()  # Authentication-Results (RFC 8601), topmost first, each after how many Received
    receipt_to: tuple[Address, ...] = ()  # Disposition-Notification-To (RFC 8098 section 2.1)
    original_recipient: str = ""  # Original-Recipient (RFC 8098 section 2.3)
    return_path: str = ""  # without angle brackets
    bulk: bool = False  # to many, or by a machine (Precedence, RFC 3834 Auto-Submitted)


@dataclass(frozen=True, slots=True)
class MailingList:
    """What a message says about leaving the list it came by (RFC 2369, RFC 8058), and where to read more. Not believed yet.

    `leave_web`, `archive` and `help` are http(s) addresses; `one_click`: `leave_web` wants a POST of one line, nothing else.
    """

    leave_web: str = ""
    one_click: bool = False
    leave_mail: str = ""  # an address to write to, with what it wants to read
    leave_subject: str = ""
    leave_body: str = ""
    archive: str = ""
    help: str = ""

    @property
    def can_be_left(self) -> bool:
        return bool(self.leave_web or self.leave_mail)


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
    bodies: dict[str, str] = field(default_factory=dict)  # section -> decoded text of text/plain parts, and of small cards
    cut: bool = False  # some of the text is not in `bodies`, there was too much of it
    newer: int | None = None  # uid of the neighbours, in the list's order
    older: int | None = None
    trace: Trace = Trace()
    list: MailingList = MailingList()
    remote: int = 0  # images and the like that its HTML would fetch from elsewhere, as far as it was looked at
    lies: tuple[tuple[str, str], ...] = ()  # its links whose text names another site: address, and the site that is named
    ends: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)  # section -> first and last bytes of parts that hide more
    earlier: bool | None = None  # whether one before it in the mailbox is from the same address; None: not looked for
    looked_back: int = 0  # how many messages before it were looked through for that; 0: all
    glance: str = ""  # the first words of what is shown, where that was looked for
    section: str = ""  # of the message that this one is attached to, "" where it is attached to none

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
    content_id: str = ""  # without angle brackets, where the HTML shows it


@dataclass(slots=True)
class Draft:
    """A message being written, whatever its state. `text` is plain text with LF line ends.

    `html`: the same text formatted; empty for a message of plain text. `note` is for the copy in Drafts alone, never sent.
    """

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
    html: str = ""
    language: str = ""  # of the text, RFC 5646
    priority: str = ""  # "high" or "low"
    read_receipt: bool = False  # whether readers are asked to confirm (RFC 8098)
    note: str = ""

    @property
    def recipients(self) -> tuple[Address, ...]:
        return self.to + self.cc + self.bcc
