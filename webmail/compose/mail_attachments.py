"""Whole messages and files of one's own mailboxes as files of a draft: what was ticked, how large it is, and bringing it in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from webmail import imap
from webmail.account import Account
from webmail.compose import attachments, drafts, uploads
from webmail.config import Settings
from webmail.errors import MailboxChanged, MailError, NoSuchMailbox, NoSuchMessage, NotAllowed, ServerAway
from webmail.imap import bulk, messages
from webmail.imap.connection import Connection
from webmail.mail import Part, Structure
from webmail.mime.filenames import message_name
from webmail.models import DraftRow

MOST = 50  # messages and files at once, as many as `reply.carry` takes
_GONE = (NoSuchMessage, NoSuchMailbox, NotAllowed)
_ONE = re.compile(r"([1-9]\d{0,9})(?:/([1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,99}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pick:
    """A message, or with a `section` one of its files. `uidvalidity`: of the list it was ticked in, 0 where it is not known."""

    mailbox: str
    uidvalidity: int
    uid: int
    section: str = ""

    @property
    def value(self) -> str:
        """As a box holds it."""
        return packed([self])[0]


@dataclass(frozen=True, slots=True)
class NotAttached:
    """A file or message that did not come along, and what was in the way."""

    name: str
    error: MailError


@dataclass(slots=True)
class AttachResult:
    """The names of what is attached now and of what is not. `gone`: how many are no longer there, whose names nobody knows;
    `rebuilt`: the mailboxes that were made anew since, so that what was ticked means nothing any more.
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
    """What a pick is: a message's identity, or one of its parts with the name it gets."""

    pick: Pick
    name: str
    least: int  # bytes that it has at least
    message: bulk.MessageFingerprint | None = None
    part: Part | None = None


def picks(values: Iterable[str]) -> list[Pick]:
    """What boxes and addresses hold, each once; what is no such value is passed over.

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


def packed(chosen: Iterable[Pick]) -> list[str]:
    """The values that `picks` reads, one for each mailbox: an address has to hold them."""
    words: dict[str, list[str]] = {}
    for pick in chosen:
        item = f"{pick.uid}/{pick.section}" if pick.section else str(pick.uid)
        words.setdefault(f"{pick.uidvalidity}:{pick.mailbox}", []).append(item)
    return [f"{','.join(items)}:{place}" for place, items in words.items()]


def room(row: DraftRow, settings: Settings) -> int:
    """How many bytes a further file of the draft may have: a third more are sent, and the person's other drafts count too."""
    here = (settings.message_limit - drafts.total_size(row)) * 57 // 78 - 4
    return max(min(here, settings.uploads_limit - attachments.held(row.user)), 0)


def attach(row: DraftRow, account: Account, chosen: Sequence[Pick], settings: Settings) -> AttachResult:
    """Attach what was ticked, each as far as it can be: nothing that is in the way of one is in the way of the others.

    Round trips: one for each mailbox and kind to learn names and sizes, then one for each 512 KiB, small messages sharing one.
    At most that much is in memory. Raises ServerAway where nothing was attached before the mail server was gone.
    """
    outcome = AttachResult()
    found = [one for mailbox in dict.fromkeys(pick.mailbox for pick in chosen)
             for one in _look(account, [pick for pick in chosen if pick.mailbox == mailbox], outcome)]  # fmt: skip
    order = {pick: place for place, pick in enumerate(chosen)}
    found.sort(key=lambda one: order[one.pick])
    left = dict.fromkeys(one.pick for one in found)
    try:
        with suppress(MailboxChanged, *_GONE):  # a mailbox that goes meanwhile: what is left of it is gone
            for one, chunks in _contents(account, found):
                left.pop(one.pick, None)
                _add(row, one, chunks, settings, outcome)
    except ServerAway as error:
        if not outcome.attached:
            raise
        outcome.refused += [NotAttached(one.name, error) for one in found if one.pick in left]
        return outcome
    outcome.gone += len(left)
    return outcome


def _look(account: Account, chosen: Sequence[Pick], outcome: AttachResult) -> list[_Found]:
    """Names and sizes of picks of one mailbox; what is not there is noted in the outcome."""
    mailbox = chosen[0].mailbox
    whole = [pick for pick in chosen if not pick.section]
    inside = [pick for pick in chosen if pick.section]
    found: list[_Found] = []
    try:
        with imap.connect(account, mailbox) as connection:
            for validity in {pick.uidvalidity for pick in chosen}:
                connection.select(mailbox, validity or None)
            known = bulk.identities(connection, mailbox, [pick.uid for pick in whole]) if whole else {}
            shapes = bulk.structures(connection, mailbox, {pick.uid for pick in inside}) if inside else {}
    except MailboxChanged:
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
) -> tuple[bulk.MessageFingerprint, Structure | None]:
    """One message and its structure, None where that can't be understood: 2 round trips after the SELECT.

    Raises NoSuchMessage, NoSuchMailbox, MailboxChanged.
    """
    if not 0 < uid < 2**32:
        raise NoSuchMessage(f"{mailbox}: {uid} is no UID")
    found = bulk.identities(connection, mailbox, [uid], uidvalidity)
    if uid not in found:
        raise NoSuchMessage(f"{mailbox}: no message has the UID {uid}")
    return found[uid], bulk.structures(connection, mailbox, [uid], uidvalidity).get(uid)


def part_name(part: Part) -> str:
    """The name that a part gets as a file: where it has none it is called after its section, a message after its subject."""
    if name := uploads.clean_filename(part.filename, fallback=""):
        return name
    return message_name(part.envelope.subject) if part.envelope else f"attachment-{part.section}"


def _at_least(part: Part) -> int:
    """Quoted-printable takes up to three bytes for one."""
    return part.decoded_size // 3 if part.encoding == "quoted-printable" else part.decoded_size


def _contents(account: Account, found: Sequence[_Found]) -> Iterator[tuple[_Found, Iterable[bytes]]]:
    """What was found with its bytes, those of one to be taken before the next; messages that went meanwhile are left out."""
    for (mailbox, validity, _whole), group in groupby(found, lambda one: (one.pick.mailbox, one.pick.uidvalidity, not one.part)):
        by_uid = {}
        for one in group:
            if one.part:
                yield one, messages.stream(account, mailbox, one.pick.uid, one.part, validity or None)
            by_uid[one.pick.uid] = one
        identities = [one.message for one in by_uid.values() if one.message]
        for message, chunks in bulk.contents(account, mailbox, identities, validity):
            yield by_uid[message.uid], chunks


def _add(row: DraftRow, one: _Found, chunks: Iterable[bytes], settings: Settings, outcome: AttachResult) -> None:
    space = settings.message_limit - drafts.total_size(row)
    try:
        if uploads.encoded_size(one.least) > space:
            raise uploads.MessageTooLarge(uploads.encoded_size(one.least), space)
        kind = one.part.type if one.part else "message/rfc822"
        outcome.attached.append(attachments.add(row, chunks, one.name, kind, settings).filename)
    except uploads.REFUSALS as error:
        outcome.refused.append(NotAttached(one.name, error))
    except (*_GONE, MailboxChanged):
        outcome.gone += 1
