"""Conversation search: the other messages of a conversation, in its own mailbox and in those where replies to it are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from webmail.errors import MailboxChangedError, NoSuchMessageError
from webmail.imap.connections.commands import imap_day, quoted, uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.multi_fetch import Hit, MailboxHits, fetch
from webmail.imap.connections.responses import fetched, header_bytes_of, when_of
from webmail.imap.lists import threads
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching.multi_search import matching, rows_of
from webmail.mail import Envelope, Role, Summary
from webmail.mime.headers import headers
from webmail.mime.headers.subjects import bare_subject

MOST = 30  # other messages that are listed, the nearest
_ELSEWHERE = (Role.SENT, Role.INBOX, Role.ARCHIVE)
_APART = (Role.JUNK, Role.TRASH, Role.DRAFTS)
_MOST_CANDIDATES = 200  # messages of one mailbox whose References are read, the first that came after the conversation began
_MOST_NAMES, _LONGEST_NAME, _LONGEST_SUBJECT = 40, 200, 60
_NAMES = b"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO SUBJECT)]<0.16384>)"


@dataclass(frozen=True, slots=True)
class OtherMessages:
    """Rows newest first, each with its mailbox, and how many there are with those that are not listed."""

    rows: tuple[Summary, ...] = ()
    total: int = 0


def others_everywhere(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None) -> OtherMessages:
    """The others of the conversation of `uid`: those that THREAD finds in its mailbox, and those of Sent, the inbox and the
    archive that are named in them or refer to one of them. Nothing where the server does not thread.

    Round trips of `threads.conversation_of`, 1 for the names in those nearby, 1 to 3 for the rows; 2 to look elsewhere; 1 for the
    folders unless they are cached. Raises NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """
    if not threads.algorithm(connection):
        return OtherMessages()
    overview = mailboxes.overview(connection)
    everyone = threads.conversation_of(connection, mailbox, uid)
    if uidvalidity and connection.uidvalidity != uidvalidity:
        raise MailboxChangedError(mailbox)
    position = everyone.index(uid) if uid in everyone else len(everyone)
    first = max(min(position - MOST // 2, len(everyone) - MOST - 1), 0)
    near = (uid, *(other for other in everyone[first : first + MOST + 1] if other != uid))
    values = fetched(connection.run((b"UID FETCH", uid_set(near), _NAMES)))
    if uid not in values:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    here = MailboxHits(mailbox, connection.uidvalidity, connection.flags, near)
    places = [here, *_elsewhere(connection, _mailboxes_beside(overview, mailbox), values, uid)]
    hits = [Hit(place, number) for place in places for number in place.uids[: MOST + 1]]
    if len(hits) == 1:
        return OtherMessages()
    rows = rows_of(connection, hits)
    distinct = _distinct(rows)
    total = len(everyone) + sum(len(place.uids) for place in places[1:]) - (len(rows) - len(distinct))
    return OtherMessages(tuple(_nearest(distinct, mailbox, uid)), max(total - 1, 0))


def _mailboxes_beside(overview: Overview, mailbox: str) -> list[str]:
    """Where else to look: nowhere for what is another person's, or was thrown away."""
    current = overview.get(mailbox)
    if current is None or current.owner or current.role in _APART:
        return []
    found = (overview.with_role(role) for role in _ELSEWHERE)
    return [box.name for box in found if box and box.name != mailbox]


def _elsewhere(
    connection: Connection, names: Sequence[str], values: dict[int, dict[bytes, Any]], uid: int
) -> Iterator[MailboxHits]:
    """The messages there that are named in these, or name one of them: 2 round trips.

    Full-text indexes have no References: what came later under the same subject is read, and what does not belong is left out.
    """
    opened = _names_of(values[uid])
    known = dict.fromkeys([*_all_names(opened), *(name for one in values.values() for name in _all_names(_names_of(one)))])
    keys = [b"HEADER Message-ID %b" % quoted(name) for name in list(known)[:_MOST_NAMES]]
    keys.append(_replies(min(when_of(one) for one in values.values()), bare_subject(opened.subject)))
    if not names:
        return
    places = matching(connection, names, b"OR " * (len(keys) - 1) + b" ".join(keys))[0]
    asking = [(place.mailbox, place.uids[-_MOST_CANDIDATES:]) for place in places if place.uids]
    place_of = {place.mailbox: place for place in places}
    found = fetch(connection, place_of, [(name, (b"UID FETCH", uid_set(uids), _NAMES)) for name, uids in asking])
    for name, uids in asking:
        belong = tuple(one for one in uids if not known.keys().isdisjoint(_all_names(_names_of(found.get((name, one), {})))))
        yield replace(place_of[name], uids=belong)


def _replies(since: datetime, subject: str) -> bytes:
    """SEARCH keys for what may be later messages of a conversation."""
    days = b"SINCE %b" % imap_day((since - timedelta(days=1)).date())
    subject = " ".join(subject.split())
    words = subject if len(subject) <= _LONGEST_SUBJECT else subject[:_LONGEST_SUBJECT].rpartition(" ")[0]
    return b"(%b SUBJECT %b)" % (days, quoted(words)) if words else days


def _names_of(values: dict[bytes, Any]) -> Envelope:
    return headers.envelope(header_bytes_of(values))


def _all_names(envelope: Envelope) -> list[str]:
    """The names (Message-ID) of a message and of those that it refers to, the nearest first."""
    names = [envelope.message_id, *envelope.in_reply_to[:1], *envelope.references[:1], *reversed(envelope.references)]
    return [name for name in names if name.isascii() and name.isprintable() and 2 < len(name) <= _LONGEST_NAME]


def _distinct(rows: Iterable[Summary]) -> list[Summary]:
    """Each message once, however many copies there are: the first of them, that of the mailbox that is read."""
    found: dict[tuple[object, ...], Summary] = {}
    for row in rows:
        sender = row.sender[0].email.casefold() if row.sender else ""
        found.setdefault((row.sent, sender, row.subject, row.snippet) if row.sent else (row.mailbox, row.uid), row)
    return list(found.values())


def _nearest(rows: list[Summary], mailbox: str, uid: int) -> list[Summary]:
    """The MOST rows that are nearest to the message, without it; the newest first."""
    rows = sorted(rows, key=lambda row: (row.received, row.sent or row.received), reverse=True)
    position = next((n for n, row in enumerate(rows) if (row.mailbox, row.uid) == (mailbox, uid)), 0)
    first = max(min(position - MOST // 2, len(rows) - MOST - 1), 0)
    return [row for n, row in enumerate(rows[first : first + MOST + 1], first) if n != position]
