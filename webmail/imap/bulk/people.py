"""People of a mailbox: who wrote its newest messages and to whom, from a few header fields, read in batches and left unread."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webmail.account import Account
from webmail.errors import NoSuchMailboxError, NotAllowedError, RefusedError
from webmail.imap.connections.pool import connect
from webmail.imap.connections.responses import fetched, flags_of, header_bytes_of, headers_cut, when_of
from webmail.mail import Address
from webmail.mime.headers import headers

BATCH = 250  # messages of one round trip: some 150 KB as a rule
_MOST_BYTES = 16_384  # of the fields of one message
_ITEMS = (
    b"(UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (FROM TO CC BCC DATE RETURN-PATH PRECEDENCE AUTO-SUBMITTED LIST-ID "
    b"LIST-POST LIST-UNSUBSCRIBE FEEDBACK-ID)]<0.%d>)" % _MOST_BYTES
)
_AUTOMATIC = ("list-id", "list-post", "list-unsubscribe", "feedback-id")  # newsletters, lists and what services send
_PUT_ASIDE = frozenset({"$junk", "junk", "$phishing", "\\deleted", "\\draft"})


@dataclass(frozen=True, slots=True)
class MessagePeople:
    """`bulk`: a newsletter, a list, an automatic message, or to more people than were read. `aside`: marked as junk, phishing,
    deleted, or a draft.
    """

    sender: tuple[Address, ...]
    recipients: tuple[Address, ...]  # To, Cc and Bcc
    at: datetime  # UTC
    bulk: bool
    aside: bool


def newest(account: Account, mailbox: str, most: int) -> Generator[list[MessagePeople]]:
    """The newest messages of a mailbox in batches, the newest batch first; nothing for one that can't be opened.

    1 round trip for each BATCH after the SELECT, all on one connection: only so do sequence numbers stay what they were
    (RFC 3501 section 7.4.1). Close the generator to give the connection back early.
    """
    with connect(account, mailbox) as connection:
        try:
            connection.select(mailbox)
        except (NoSuchMailboxError, NotAllowedError, RefusedError):
            return
        last = connection.exists
        lowest = max(last - most, 0)
        while last > lowest:
            first = max(last - BATCH, lowest) + 1
            answers = fetched(connection.run((b"FETCH", b"%d:%d" % (first, last), _ITEMS)))
            yield [_people(values) for values in answers.values() if b"INTERNALDATE" in values]
            last = first - 1


def _people(values: dict[bytes, Any]) -> MessagePeople:
    head, cut = header_bytes_of(values), headers_cut(values, _MOST_BYTES)
    if cut:
        head = head[: head.rfind(b",") + 1]  # half an address would be somebody else's
    envelope, found = headers.envelope(head), headers.fields(head)
    bulk = headers.trace(head).bulk or any(name in found for name in _AUTOMATIC)
    bounced = b"".join(found.get("return-path", [])).strip() == b"<>"
    flags = {flag.lower() for flag in flags_of(values)}
    at = envelope.sent if envelope.sent and envelope.sent < when_of(values) else when_of(values)
    recipients = (*envelope.to, *envelope.cc, *envelope.bcc)
    return MessagePeople(envelope.sender, recipients, at, bulk or bounced or cut, bool(flags & _PUT_ASIDE))
