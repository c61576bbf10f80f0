"""Copies: looks into one mailbox for copies of a message, and moves them into junk and back, flags and all. No database here.

A copy is the same where the Message-ID and the body are; where the Message-ID alone is, or the sender and the subject, a person
has to look. Junk, trash, drafts and what was sent are left out, and so are mailboxes that others share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail import imap
from webmail.errors import MailboxChangedError, NoSuchMailboxError, NoSuchMessageError
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk.actions import MovedMessages
from webmail.imap.connections.commands import imap_day, quoted
from webmail.imap.connections.connection import Connection
from webmail.imap.searching import multi_search
from webmail.mail import Role
from webmail.mime.headers.header_lines import message_digest

KEYWORD = "$Quarantined"
MARKS = (KEYWORD, "$Phishing", "$Junk")  # what quarantine sets
WAS = ("$Phishing", "$Junk", "$NotJunk")  # what is remembered of before
AROUND = timedelta(days=7)  # before and after the reported one that copies may have come
_LEFT_OUT = (Role.JUNK, Role.TRASH, Role.SENT, Role.DRAFTS)
_MOST_MAILBOXES = 200
_MOST_OF_MAILBOX = 300  # newest hits that are looked at
_BODY = 262_144  # bytes that are compared


@dataclass(frozen=True, slots=True)
class WantedMessage:
    """What is looked for. `digest`: of its body, b"" where that is not known."""

    message_id: str
    sender: str
    subject: str
    received: datetime
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class FoundCopy:
    mailbox: str
    uidvalidity: int
    uid: int
    same: bool
    message_id: str
    sender: str
    subject: str
    received: datetime
    flags: frozenset[str] = frozenset()


def wanted_at(connection: Connection, mailbox: str, uid: int) -> WantedMessage:
    """The message at this place, as it is looked for elsewhere: 2 round trips after the SELECT. Raises NoSuchMessageError."""
    found = bulk_fetch.identities(connection, mailbox, [uid]).get(uid)
    if found is None:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    digest = _digests(connection, mailbox, [uid], None).get(uid, b"")
    sender = found.sender[0].email if found.sender else ""
    return WantedMessage(found.message_id, sender, found.subject, found.received, digest)


def locate(connection: Connection, message_id: str, sender: str, subject: str) -> tuple[str, int] | None:
    """Where the person's own copy is that they reported: in junk, or elsewhere; None if it is gone. 2 round trips and more.

    A copy that is marked as phishing goes before others.
    """
    overview = imap.mailboxes.overview(connection)
    mine = [one for one in overview.mailboxes if one.selectable and not one.owner and one.role not in (Role.SENT, Role.DRAFTS)]
    mine.sort(key=lambda one: one.role is not Role.JUNK)
    key = _id_key(message_id) if message_id else _sender_key(sender)
    places, _skipped = multi_search.matching(connection, [one.name for one in mine[:_MOST_MAILBOXES]], key)
    hits = []
    for place in places:
        for uid, one in bulk_fetch.identities(
            connection, place.mailbox, place.uids[:_MOST_OF_MAILBOX], place.uidvalidity
        ).items():
            same = one.message_id == message_id if message_id else _folded(one.subject) == _folded(subject)
            if same:
                hits.append(("$Phishing" not in one.flags, place.mailbox, uid))
    return min(hits, key=lambda hit: hit[0])[1:] if hits else None


def look(connection: Connection, wanted: WantedMessage) -> list[FoundCopy]:
    """All copies in the person's own mailboxes: 2 round trips, 2 to 3 more for each mailbox that has some."""
    overview = imap.mailboxes.overview(connection)
    names = [
        one.name for one in overview.mailboxes if one.selectable and not one.owner and one.role not in _LEFT_OUT
    ][:_MOST_MAILBOXES]  # fmt: skip
    begins, ends = (wanted.received - AROUND).date(), (wanted.received + AROUND).date()
    keys = [key for key in (_id_key(wanted.message_id), _sender_key(wanted.sender)) if key]
    if not keys or not names:
        return []
    either = b"OR (%b) (%b)" % (keys[0], keys[1]) if len(keys) == 2 else keys[0]
    search = b"SINCE %b BEFORE %b %b" % (imap_day(begins), imap_day(ends), either)
    places, _skipped = multi_search.matching(connection, names, search)
    return [copy for place in places if place.uids for copy in _of_mailbox(connection, place, wanted)]


def _of_mailbox(connection: Connection, hits: multi_search.MailboxHits, wanted: WantedMessage) -> list[FoundCopy]:
    known = bulk_fetch.identities(connection, hits.mailbox, hits.uids[:_MOST_OF_MAILBOX], hits.uidvalidity)
    by_id = [uid for uid, one in known.items() if wanted.message_id and one.message_id == wanted.message_id]
    digests = _digests(connection, hits.mailbox, by_id, hits.uidvalidity) if by_id and wanted.digest else {}
    copies = []
    for uid, one in sorted(known.items()):
        sender = one.sender[0].email if one.sender else ""
        alike = sender.lower() == wanted.sender.lower() and _folded(one.subject) == _folded(wanted.subject)
        if uid in by_id or (alike and wanted.sender):
            same = bool(wanted.digest) and digests.get(uid) == wanted.digest
            flags = frozenset(flag for flag in WAS if flag in one.flags)
            copies.append(
                FoundCopy(
                    hits.mailbox,
                    hits.uidvalidity,
                    uid,
                    same,
                    one.message_id,
                    sender,
                    one.subject,
                    one.received.replace(tzinfo=None),
                    flags,
                )  # fmt: skip
            )
    return copies


# --- into quarantine and back ----------------------------------------------------------------------------------------


def put_away(connection: Connection, mailbox: str, uid: int, uidvalidity: int) -> MovedMessages | None:
    """Mark a copy and move it into junk; None if it is no longer there. Raises what `imap.actions.move` raises."""
    try:
        if imap.actions.with_flag(connection, mailbox, [uid], b"ALL", uidvalidity) != [uid]:
            return None
    except (NoSuchMailboxError, MailboxChangedError):
        return None
    imap.actions.set_flags(connection, mailbox, [uid], MARKS, True, uidvalidity)
    return imap.actions.move(connection, mailbox, [uid], imap.mailboxes.for_role(connection, Role.JUNK), uidvalidity)


def in_quarantine(connection: Connection, message_id: str) -> tuple[str, int, int] | None:
    """Where a copy is that was put away before somebody could note it: junk, its UIDVALIDITY and UID. 2 round trips."""
    if not message_id:
        return None
    junk = imap.mailboxes.for_role(connection, Role.JUNK)
    places, _skipped = multi_search.matching(connection, [junk], b"KEYWORD %b %b" % (KEYWORD.encode(), _id_key(message_id)))
    return next(((place.mailbox, place.uidvalidity, place.uids[0]) for place in places if place.uids), None)


def bring_back(connection: Connection, junk: str, uid: int, uidvalidity: int, to: str, was: Iterable[str]) -> bool:
    """Undo `put_away`: without the marks that it had not before; into the inbox if its mailbox is gone. Whether it was there."""
    before = frozenset(was)
    try:
        if imap.actions.with_flag(connection, junk, [uid], b"KEYWORD " + KEYWORD.encode(), uidvalidity) != [uid]:
            return False
    except (NoSuchMailboxError, MailboxChangedError):
        return False
    imap.actions.set_flags(connection, junk, [uid], [mark for mark in MARKS if mark not in before], False, uidvalidity)
    without = [] if "$NotJunk" in before else ["$NotJunk"]
    try:
        imap.actions.move_back(connection, junk, [uid], to, uidvalidity, without)
    except NoSuchMailboxError:
        imap.actions.move_back(connection, junk, [uid], "INBOX", uidvalidity, without)
    return True


# --- parts -----------------------------------------------------------------------------------------------------------


def _id_key(message_id: str) -> bytes:
    return b"HEADER Message-ID " + quoted(message_id) if message_id else b""


def _sender_key(sender: str) -> bytes:
    return b"FROM " + quoted(sender) if sender else b""


def _folded(subject: str) -> str:
    return " ".join(subject.split()).casefold()


def _digests(connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None) -> dict[int, bytes]:
    """Of bodies, by UID: line ends and empty lines at the end make no difference. 1 round trip after the SELECT."""
    found = bulk_fetch.bodies(connection, mailbox, uids, _BODY, uidvalidity)
    return {uid: message_digest(b"\r\n" + body) for uid, body in found.items()}
