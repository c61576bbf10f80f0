"""Mail attachments: attaches whole messages, or files of messages, from the user's mailboxes to a draft."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from webmail import imap
from webmail.account import Account
from webmail.compose.attachments import attachments, uploads
from webmail.compose.drafts import drafts
from webmail.config.settings import Settings
from webmail.errors import (
    MailboxChangedError,
    MailError,
    NoSuchMailboxError,
    NoSuchMessageError,
    NotAllowedError,
    ServerAwayError,
)
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages
from webmail.mail import Part, Structure
from webmail.mime.headers.filenames import message_name
from webmail.models import DraftRow
from webmail.people import policies

MOST = 50  # messages and files at once, as for `reply.carry`
_GONE = (NoSuchMessageError, NoSuchMailboxError, NotAllowedError)
_ONE = re.compile(r"([1-9]\d{0,9})(?:/([1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pick:
    """A message, or one of its files if `section` is set. `uidvalidity`: of the list it was ticked in, 0 if unknown."""

    mailbox: str
    uidvalidity: int
    uid: int
    section: str = ""

    @property
    def value(self) -> str:
        """The value of its checkbox."""
        return to_form_value([self])[0]


@dataclass(frozen=True, slots=True)
class NotAttached:
    """A file or message that could not be attached, and why."""

    name: str
    error: MailError


@dataclass(slots=True)
class AttachResult:
    """The names of what was attached and what was not. `gone`: how many no longer exist (their names are unknown);
    `rebuilt`: mailboxes whose UIDVALIDITY changed, so that the ticked UIDs are meaningless.
    """

    attached: list[str] = field(default_factory=list)
    refused: list[NotAttached] = field(default_factory=list)
    gone: int = 0
    rebuilt: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not (self.refused or self.gone or self.rebuilt)


@dataclass(frozen=True, slots=True)
class _Found:
    """A pick found on the server: a message or one of its parts, and the file name it gets."""

    pick: Pick
    name: str
    least: int  # lower bound of its size in bytes
    message: bulk_fetch.MessageFingerprint | None = None
    part: Part | None = None


def picks(values: Iterable[str]) -> list[Pick]:
    """Parse values of checkboxes and URLs, deduplicated; invalid ones are skipped.

    "12,15/2:1790000000:Work" is the message 12 and the part 2 of the message 15 in Work, under that UIDVALIDITY.
    """
    found: dict[Pick, None] = {}
    for value in values:
        items, _colon, place = value.partition(":")
        validity, _colon, mailbox = place.partition(":")
        matches = [_ONE.fullmatch(item) for item in items.split(",")]
        if mailbox and re.fullmatch(r"\d{1,10}", validity, re.ASCII):
            found.update({Pick(mailbox, int(validity), int(one[1]), one[2] or ""): None for one in matches if one})
    return list(found)


def to_form_value(chosen: Iterable[Pick]) -> list[str]:
    """The values that `picks` parses, one per mailbox, short enough for a URL."""
    words: dict[str, list[str]] = {}
    for pick in chosen:
        item = f"{pick.uid}/{pick.section}" if pick.section else str(pick.uid)
        words.setdefault(f"{pick.uidvalidity}:{pick.mailbox}", []).append(item)
    return [f"{','.join(items)}:{place}" for place, items in words.items()]


def free_bytes(row: DraftRow, settings: Settings) -> int:
    """How many bytes a further file may have: encoding adds a third, and the user's other drafts count against the quota."""
    here = (policies.message_limit(row.user, settings) - drafts.total_size(row)) * 57 // 78 - 4
    return max(min(here, settings.uploads_limit - attachments.held(row.user)), 0)


def attach(row: DraftRow, account: Account, chosen: Sequence[Pick], settings: Settings) -> AttachResult:
    """Attach the picks, each independently: a failure of one does not affect the others.

    Round trips: 1 per mailbox and kind for names and sizes, then 1 per 512 KiB, small messages batched. At most that much is held
    in memory. Raises ServerAwayError if the connection is lost before anything was attached.
    """
    outcome = AttachResult()
    found = [one for mailbox in dict.fromkeys(pick.mailbox for pick in chosen)
             for one in _look(account, [pick for pick in chosen if pick.mailbox == mailbox], outcome)]  # fmt: skip
    order = {pick: place for place, pick in enumerate(chosen)}
    found.sort(key=lambda one: order[one.pick])
    left = dict.fromkeys(one.pick for one in found)
    try:
        with suppress(MailboxChangedError, *_GONE):  # the mailbox was deleted meanwhile: the remaining picks count as gone
            for one, chunks in _contents(account, found):
                left.pop(one.pick, None)
                _add(row, one, chunks, settings, outcome)
    except ServerAwayError as error:
        if not outcome.attached:
            raise
        outcome.refused += [NotAttached(one.name, error) for one in found if one.pick in left]
        return outcome
    outcome.gone += len(left)
    return outcome


def _look(account: Account, chosen: Sequence[Pick], outcome: AttachResult) -> list[_Found]:
    """Names and sizes of picks in one mailbox; missing ones are recorded in the outcome."""
    mailbox = chosen[0].mailbox
    whole = [pick for pick in chosen if not pick.section]
    inside = [pick for pick in chosen if pick.section]
    found: list[_Found] = []
    try:
        with imap.connect(account, mailbox) as connection:
            for validity in {pick.uidvalidity for pick in chosen}:
                connection.select(mailbox, validity or None)
            known = bulk_fetch.identities(connection, mailbox, [pick.uid for pick in whole]) if whole else {}
            shapes = bulk_fetch.structures(connection, mailbox, {pick.uid for pick in inside}) if inside else {}
    except MailboxChangedError:
        outcome.rebuilt.append(mailbox)
        return []
    except _GONE:
        outcome.gone += len(chosen)
        return []
    for pick in chosen:
        if message := known.get(pick.uid) if not pick.section else None:
            found.append(_Found(pick, message_name(message.subject), message.size, message=message))
        elif part := shape.part(pick.section) if pick.section and (shape := shapes.get(pick.uid)) else None:
            found.append(_Found(pick, part_name(part), _at_least(part), part=part))
        else:
            outcome.gone += 1
    return found


def look_inside(
    connection: Connection, mailbox: str, uid: int, uidvalidity: int | None
) -> tuple[bulk_fetch.MessageFingerprint, Structure | None]:
    """One message and its structure, None if that can't be parsed: 2 round trips after the SELECT.

    Raises NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """
    if not 0 < uid < 2**32:
        raise NoSuchMessageError(f"{mailbox}: {uid} is no UID")
    found = bulk_fetch.identities(connection, mailbox, [uid], uidvalidity)
    if uid not in found:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    return found[uid], bulk_fetch.structures(connection, mailbox, [uid], uidvalidity).get(uid)


def part_name(part: Part) -> str:
    """The file name for a part: its own, else a message's subject, else its section."""
    if name := uploads.clean_filename(part.filename, fallback=""):
        return name
    return message_name(part.envelope.subject) if part.envelope else f"attachment-{part.section}"


def _at_least(part: Part) -> int:
    """Lower bound of the decoded size in bytes: quoted-printable takes up to three bytes for one."""
    return part.decoded_size // 3 if part.encoding == "quoted-printable" else part.decoded_size


def _contents(account: Account, found: Sequence[_Found]) -> Iterator[tuple[_Found, Iterable[bytes]]]:
    """Yields each with its content, to be consumed before the next; messages deleted meanwhile are skipped."""
    for (mailbox, validity, _whole), group in groupby(found, lambda one: (one.pick.mailbox, one.pick.uidvalidity, not one.part)):
        by_uid = {}
        for one in group:
            if one.part:
                yield one, messages.stream(account, mailbox, one.pick.uid, one.part, validity or None)
            by_uid[one.pick.uid] = one
        identities = [one.message for one in by_uid.values() if one.message]
        for message, chunks in bulk_fetch.contents(account, mailbox, identities, validity):
            yield by_uid[message.uid], chunks


def _add(row: DraftRow, found: _Found, chunks: Iterable[bytes], settings: Settings, outcome: AttachResult) -> None:
    space = policies.message_limit(row.user, settings) - drafts.total_size(row)
    try:
        if uploads.encoded_size(found.least) > space:
            raise uploads.MessageTooLargeError(uploads.encoded_size(found.least), space)
        kind = found.part.type if found.part else "message/rfc822"
        outcome.attached.append(attachments.add(row, chunks, found.name, kind, settings).filename)
    except uploads.REFUSALS as error:
        outcome.refused.append(NotAttached(found.name, error))
    except (*_GONE, MailboxChangedError):
        outcome.gone += 1
