"""Mail data types: Address, Mailbox, Summary, Message, Draft and their parts. Read this first.

Plain data classes with the vocabulary of RFC 5322, 2045 and 3501; operations live in `imap/`, `mime/` and `smtp.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from webmail.rights import ALL_RIGHTS, Rights


class Role(StrEnum):
    """What a mailbox is used for (RFC 6154 special use, and INBOX)."""

    INBOX = "inbox"
    SNOOZED = "snoozed"
    DRAFTS = "drafts"
    SENT = "sent"
    ARCHIVE = "archive"
    JUNK = "junk"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address in a header: a display name (may be empty) and `local@domain`."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email

    @property
    def label(self) -> str:
        """What a list shows: the name, or the address if there is none."""
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class Identity:
    """The sender a message is written as. `sent_mailbox` is where the copy goes; empty: the mailbox whose role is Sent.

    `sender`: who writes it in this one's place (Sender, RFC 5322, 3.6.2).
    """

    name: str
    email: str
    reply_to: tuple[Address, ...] = ()
    organisation: str = ""
    sent_mailbox: str = ""
    sender: Address | None = None

    @property
    def address(self) -> Address:
        return Address(self.name, self.email)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox (users call it a folder). `name` is the full IMAP path, decoded; `delimiter` is its separator.

    One outside the personal namespace (RFC 2342) has an `owner`, a user's name on the server or the name of the public
    namespace, and a `prefix`: the part of its name that precedes the owner's own mailbox names.
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
        """The last part of the name; "INBOX" for somebody else's inbox, whatever the server calls it."""
        if self.prefix and self.name == self.prefix.removesuffix(self.delimiter):
            return "INBOX"
        return self.name.rsplit(self.delimiter, 1)[-1] if self.delimiter else self.name

    @property
    def depth(self) -> int:
        return self.name.removeprefix(self.prefix).count(self.delimiter) if self.delimiter and self.label != "INBOX" else 0

    @property
    def parent(self) -> str:
        """The name of the parent mailbox, empty at the top level."""
        return self.name.rpartition(self.delimiter)[0] if self.delimiter else ""

    @property
    def is_custom(self) -> bool:
        """Whether the user made it: it has no role and belongs to nobody else."""
        return not self.role and not self.owner

    @property
    def is_hidden(self) -> bool:
        """Whether the user unsubscribed from it, so that it is not shown beside the list."""
        return self.is_custom and self.selectable and not self.subscribed

    @property
    def can_be_moved(self) -> bool:
        """Whether it can be renamed, moved and deleted."""
        return not self.role and self.rights.may_remove

    @property
    def can_be_emptied(self) -> bool:
        return self.role in (Role.TRASH, Role.JUNK)

    @property
    def takes_messages(self) -> bool:
        """Whether messages may be moved or copied there: never to Drafts or Snoozed."""
        return self.selectable and self.rights.may_insert and self.role not in (Role.DRAFTS, Role.SNOOZED)

    @property
    def badge(self) -> int:
        """The count beside its name: all messages in Drafts, none in Sent and Trash, else the unread ones."""
        if self.role in (Role.SENT, Role.TRASH):
            return 0
        return self.messages if self.role is Role.DRAFTS else self.unseen

    @property
    def ancestors(self) -> tuple[str, ...]:
        """The names of all mailboxes that contain this one, outermost first."""
        parts = self.name.split(self.delimiter) if self.delimiter else [self.name]
        return tuple(self.delimiter.join(parts[:count]) for count in range(1, len(parts)))

    def holds(self, name: str) -> bool:
        """Whether `name` is inside this mailbox, at any depth. An INBOX contains none: on some servers it would contain all."""
        inbox = self.role is Role.INBOX or (self.owner and self.label == "INBOX")
        return bool(self.delimiter) and not inbox and name.startswith(self.name + self.delimiter)


@dataclass(frozen=True, slots=True)
class Quota:
    """Storage used and its limit, in bytes (RFC 9208)."""

    used: int
    limit: int

    @property
    def ratio(self) -> float:
        return min(self.used / self.limit, 1.0) if self.limit else 0.0

    @property
    def percent(self) -> int:
        return int(self.ratio * 100)  # never 100 while there is room

    @property
    def step(self) -> int:
        """0 while there is room enough, then 80, 95, and 100 where nothing fits any more."""
        return next((step for step in (100, 95, 80) if self.percent >= step), 0)


@dataclass(frozen=True, slots=True)
class Summary:
    """What one row of a message list shows. Of a (mailbox, UIDVALIDITY, UID) only `flags` can change, and `size` be known."""

    uid: int
    flags: frozenset[str]
    size: int  # 0: not asked for
    received: datetime
    subject: str
    sender: tuple[Address, ...]
    to: tuple[Address, ...] = ()
    sent: datetime | None = None
    snippet: str = ""
    has_attachment: bool = False
    mailbox: str = ""  # set, with `uidvalidity`, in a list that mixes several mailboxes
    uidvalidity: int = 0
    uids: tuple[int, ...] = ()  # if the row stands for a conversation: all its messages, `uid` first

    def __hash__(self) -> int:  # what tells rows apart in practice: pages are looked up by fifty of them
        return hash((self.uid, self.flags, self.mailbox, self.received))

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
    """A leaf of a message's MIME structure (RFC 2045), without its content. `section` is the IMAP section ("1.2").

    `size` is in bytes as encoded on the server; `content_id` has no angle brackets.
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
    method: str = ""  # of a calendar: what it asks for (RFC 6047 section 2.4), in lower case
    alternative: bool = False  # a body that also exists in the other type (multipart/alternative): show one of the two
    turned: bool = False  # its name had bidirectional control characters: "gpj.exe" could be read as "exe.jpg"
    envelope: Envelope | None = None  # of an attached message (RFC 3501 section 7.4.2)

    @property
    def decoded_size(self) -> int:
        """Approximate size in bytes after decoding: base64 stores 3 bytes in 4, plus line ends."""
        return self.size * 73 // 100 if self.encoding == "base64" else self.size


@dataclass(frozen=True, slots=True)
class Structure:
    """Which parts of a message are displayed, and which are offered for download.

    `text` and `html` are the bodies in reading order (a message may have several of each); `inline` are parts that the
    HTML refers to by Content-ID; `attachments` are all other leaves. `protected`: something in it may be signed or encrypted.
    """

    text: tuple[Part, ...] = ()
    html: tuple[Part, ...] = ()
    attachments: tuple[Part, ...] = ()
    inline: tuple[Part, ...] = ()
    protected: bool = False

    def part(self, section: str) -> Part | None:
        return next((p for p in self.all if p.section == section), None)

    @property
    def all(self) -> tuple[Part, ...]:
        return self.text + self.html + self.attachments + self.inline


@dataclass(frozen=True, slots=True)
class Envelope:
    """The decoded headers needed to display and to answer a message."""

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
    language: str = ""  # the first of Content-Language (RFC 3282), not validated

    @property
    def to_and_cc(self) -> tuple[Address, ...]:
        return self.to + self.cc


@dataclass(frozen=True, slots=True)
class Trace:
    """Headers about a message's delivery and what its sender requests. Anybody can forge them: nothing here is trusted yet."""

    results: tuple[tuple[int, str], ...] = ()  # (foreign Received above, Authentication-Results (RFC 8601)), topmost first
    arrivals: tuple[str, ...] = ()  # how it came, the latest first: `mime.authentication.Arrival`
    encryption: tuple[bool | None, ...] = ()  # for each of `results`: whether it had come over TLS
    sender: tuple[Address, ...] = ()  # Sender (RFC 5322 section 3.6.2)
    resent: tuple[Address, ...] = ()  # Resent-From (RFC 5322 section 3.6.6)
    authors: int = 1  # addresses in From
    marked: bool = False  # it has a proof of ours (`mime/headers/proof.py`), which may be anybody's
    receipt_to: tuple[Address, ...] = ()  # Disposition-Notification-To (RFC 8098 section 2.1)
    original_recipient: str = ""  # Original-Recipient (RFC 8098 section 2.3)
    return_path: str = ""  # without angle brackets
    bulk: bool = False  # bulk or automatic mail (Precedence, RFC 3834 Auto-Submitted)
    kept: bool = False  # it says that it is a copy kept decrypted (`mime/protected/kept_copy.py`), which may be anybody's word
    key_head: bytes = field(default=b"", repr=False)  # From, Content-Type and Autocrypt as they came, where there is the latter


@dataclass(frozen=True, slots=True)
class ListContact:
    """One way to reach a mailing list: `kind` is "subscribe", "post", "owner", "help" or "archive" (RFC 2369 section 3).

    `web` is an http(s) URL; `mail` an address, with the subject and body it expects. At least one of them is there.
    """

    kind: str
    web: str = ""
    mail: str = ""
    subject: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class MailingList:
    """How to unsubscribe from a message's mailing list, and its archive and help (RFC 2369, RFC 8058). Not trusted yet.

    `leave_web`, `archive` and `help` are http(s) URLs; with `one_click`, `leave_web` takes a single POST.
    """

    leave_web: str = ""
    one_click: bool = False
    leave_mail: str = ""  # an address to write to, with the subject and body it expects
    leave_subject: str = ""
    leave_body: str = ""
    archive: str = ""
    help: str = ""
    contacts: tuple[ListContact, ...] = ()  # all but unsubscribing, for the details

    @property
    def can_be_left(self) -> bool:
        return bool(self.leave_web or self.leave_mail)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a page shows it: the displayable text, without the content of attachments."""

    mailbox: str
    uidvalidity: int
    uid: int
    flags: frozenset[str]
    size: int
    received: datetime
    envelope: Envelope
    structure: Structure
    bodies: dict[str, str] = field(default_factory=dict)  # section -> decoded text of text/plain parts and small vCards, events
    cut: bool = False  # `bodies` is truncated: there was too much text
    newer: int | None = None  # UIDs of the neighbours in list order
    older: int | None = None
    trace: Trace = Trace()
    list: MailingList = MailingList()
    remote: int = 0  # images and other resources its HTML would fetch from the web, counted in the part that was scanned
    opening: str = ""  # the beginning of its HTML, as it was scanned
    html: dict[str, str] = field(default_factory=dict)  # section -> HTML, of the parts that were scanned to their end
    lies: tuple[tuple[str, str], ...] = ()  # links whose text names another site: (URL, site named in the text)
    ends: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)  # section -> first and last bytes of archives and the like
    place: int = 0  # its sequence number when it was read, 0: unknown; only with `stranger`
    stranger: str = ""  # the address of a sender the reader does not know, in ASCII
    earlier: bool | None = None  # whether an earlier message in the mailbox is from the same address; None: not searched
    looked_back: int = 0  # how many earlier messages were searched for that; 0: all
    whole: bytes = b""  # all of it, if asked for to verify its proof
    glance: str = ""  # the first words of the displayed text, if asked for
    section: str = ""  # the section this message is attached as; "" if it is not an attached message

    @property
    def flagged(self) -> bool:
        return "\\Flagged" in self.flags

    @property
    def seen(self) -> bool:
        return "\\Seen" in self.flags


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file about to be sent; each call of `chunks` reads its bytes anew."""

    filename: str
    type: str
    size: int
    chunks: Callable[[], Iterable[bytes]] = field(compare=False, repr=False)
    content_id: str = ""  # without angle brackets, if the HTML refers to it


@dataclass(slots=True)
class Draft:
    """A message being written. `text` is plain text with LF line ends.

    `html` is the same text formatted; empty for plain text. `quoted` is plain text below it: a message whose HTML is kept, so
    that it is in `html` already. `note` is only for the copy in Drafts, never sent. `calendar`: an iTIP message with its METHOD.
    `exact`: it is signed, so that no byte may change on its way. `autocrypt`: the value of that header, folded.
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
    read_receipt: bool = False  # whether recipients are asked for a read receipt (RFC 8098)
    automatic: bool = False  # written by a program, so that no program answers (RFC 3834)
    note: str = ""
    quoted: str = ""
    calendar: str = ""
    exact: bool = False
    autocrypt: str = ""

    @property
    def recipients(self) -> tuple[Address, ...]:
        return self.to + self.cc + self.bcc
