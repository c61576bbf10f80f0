"""Conversations: reads a conversation with its texts, for one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webmail.errors import NoSuchMessageError
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Command, Connection, Spare
from webmail.imap.connections.responses import fetched, flags_of, header_bytes_of, structure_of, when_of
from webmail.imap.lists import threads
from webmail.imap.mailbox_list.mailboxes import Overview, note_seen, overview_commands, overview_in
from webmail.imap.reading import body_texts
from webmail.mail import Message, Part, Structure
from webmail.mime import part_kinds
from webmail.mime.headers import headers

MOST = 100  # messages of a conversation shown on one page, the latest
_MOST_OPEN = 10
_ITEMS = (
    b"(UID FLAGS RFC822.SIZE INTERNALDATE BODYSTRUCTURE "
    b"BODY.PEEK[HEADER.FIELDS (SUBJECT FROM REPLY-TO TO CC BCC DATE MESSAGE-ID)]<0.16384>)"
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order of arrival, at most MOST; `earlier` counts those left out. The UIDs in `open` have their texts.
    `unknown`: the server took too long to find the others."""

    messages: tuple[Message, ...]
    open: frozenset[int]
    earlier: int = 0
    unknown: bool = False


def read(
    connection: Connection,
    mailbox: str,
    uid: int,
    uidvalidity: int | None = None,
    *,
    prefer_html: bool,
) -> tuple[Conversation, Overview]:
    """The conversation of `uid`: the newest message, `uid` itself and unread ones are open; these are marked as read.

    2 round trips besides those of `threads.load`. Raises NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """  # fmt: skip
    everyone = threads.conversation_of(connection, mailbox, uid)
    connection.select(mailbox, uidvalidity)
    latest = everyone[-MOST:]
    shown = latest if uid in latest else (uid, *latest)  # by date: what was moved back has a new UID
    values = fetched(connection.run((b"UID FETCH", uid_set(shown), _ITEMS)))
    known = [one for one in shown if b"RFC822.SIZE" in values.get(one, {})]
    if uid not in known:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    shapes = {one: structure_of(values[one].get(b"BODYSTRUCTURE")) or Structure() for one in known}
    unread = [one for one in known if "\\Seen" not in flags_of(values[one])]
    wanted = _wanted([uid, known[-1], *reversed(unread)], shapes, prefer_html)
    commands: list[Command] = [command for one, parts in wanted.items() for command in body_texts.commands(one, parts)]
    commands += overview_commands(connection)
    newly = [] if connection.read_only else [one for one in unread if one in wanted]
    if newly:
        commands.append(Spare((b"UID STORE", uid_set(newly), b"+FLAGS.SILENT", b"(\\Seen)")))
    untagged = connection.run(*commands)
    more = fetched(untagged)
    overview = overview_in(connection, untagged)
    for _ in newly:
        overview = overview.with_one_seen(mailbox)
    if newly:
        note_seen(connection.account, mailbox, len(newly))
    found = tuple(_message(connection, one, values[one], shapes[one], wanted.get(one), more.get(one, {})) for one in known)
    earlier = len(everyone) - len([one for one in shown if one in everyone])
    return Conversation(found, frozenset(wanted), earlier, threads.gave_up(connection)), overview


def _wanted(order: Sequence[int], shapes: dict[int, Structure], prefer_html: bool) -> dict[int, tuple[Part, ...]]:
    """The texts to fetch, of the first few messages of `order`, within the limits of a single message; the first always."""
    wanted: dict[int, tuple[Part, ...]] = {}
    room = body_texts.LARGEST_TOGETHER
    for uid in order:
        if uid in wanted or uid not in shapes or len(wanted) >= _MOST_OPEN:
            continue
        shape = shapes[uid]
        bodies = tuple(p for p in shape.text if not (prefer_html and shape.html and p.alternative))
        size = sum(p.size for p in bodies)
        if wanted and size > room:
            continue
        cards = part_kinds.cards(shape, max(room - size, 0))
        wanted[uid] = bodies + cards
        room -= size + sum(p.size for p in cards)
    return wanted


def _message(
    connection: Connection, uid: int, values: dict[bytes, Any], shape: Structure, parts: tuple[Part, ...] | None,
    more: dict[bytes, Any],
) -> Message:  # fmt: skip
    bodies = parts or ()
    cut = body_texts.is_cut([p for p in bodies if p in shape.text])
    return Message(
        mailbox=connection.mailbox, uidvalidity=connection.uidvalidity, uid=uid, flags=flags_of(values),
        size=values.get(b"RFC822.SIZE", 0), received=when_of(values), envelope=headers.envelope(header_bytes_of(values)),
        structure=shape, bodies=body_texts.read(bodies, more) if bodies else {}, cut=cut,
    )  # fmt: skip
