"""Attached messages: reads messages attached to messages (RFC 2046 section 5.2.1), at any depth."""

from __future__ import annotations

import re
from dataclasses import replace

from webmail.errors import NoSuchMessageError
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import fetched, structure_of, when_of
from webmail.imap.reading import body_texts, encoded_messages
from webmail.mail import Message, Part
from webmail.mime import part_kinds, structure
from webmail.mime.headers import headers
from webmail.mime.text import plain_text
from webmail.mime.transfer_encoding import decode_transfer

_HEADERS = 65_536  # bytes of an attached message's header that are fetched
_SECTION = re.compile(r"[1-9]\d{0,4}(\.[1-9]\d{0,4}){0,99}")


def read(
    connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None, *, prefer_html: bool
) -> Message:
    """The message attached at `section`, as in `messages.read`; nothing is marked as read. 2 round trips.

    Its parts keep their sections in the outer message, so that each can be fetched like any other part. Raises
    NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """
    if encoded_messages.is_inside(section):
        return _unwrapped(connection, mailbox, uid, section, uidvalidity, prefer_html=prefer_html)
    if not _SECTION.fullmatch(section):
        raise NoSuchMessageError("not a section of a message")
    items = b"(UID RFC822.SIZE INTERNALDATE BODYSTRUCTURE BODY.PEEK[%s.HEADER]<0.%d>)" % (section.encode(), _HEADERS)
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, items)
    part = encoded_messages.part_at(values, section)
    if part and part_kinds.is_wrapped(part):
        return _unwrapped(connection, mailbox, uid, section, uidvalidity, prefer_html=prefer_html)
    shape = structure_of(values.get(b"BODYSTRUCTURE"), inside=section)
    if shape is None:
        raise NoSuchMessageError(f"{mailbox}: no message is attached to {uid} at {section}")
    wanted = tuple(p for p in shape.text if not (prefer_html and shape.html and p.alternative))
    cards = part_kinds.cards(shape, body_texts.LARGEST_TOGETHER - sum(p.size for p in wanted))
    commands = body_texts.commands(uid, wanted + cards)
    more = fetched(connection.run(*commands)).get(uid, {}) if commands else {}
    head = values.get(b"BODY[%s.HEADER]<0>" % section.encode()) or b""
    return Message(
        mailbox=connection.mailbox, uidvalidity=connection.uidvalidity, uid=uid, flags=frozenset(("\\Seen",)),
        size=part.size if part else 0, received=when_of(values), envelope=headers.envelope(head), structure=shape,
        bodies=body_texts.read(wanted + cards, more), cut=body_texts.is_cut(wanted), section=section,
    )  # fmt: skip


def _unwrapped(
    connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None, *, prefer_html: bool
) -> Message:
    """The same for an encoded message, or for one inside it: 1 more round trip."""
    whole, received = encoded_messages.dated(connection, mailbox, uid, section, uidvalidity)
    parsed = structure.read(whole)
    shape = encoded_messages.shape(parsed, section)
    wanted = tuple(p for p in shape.text if not (prefer_html and shape.html and p.alternative))
    cards = part_kinds.cards(shape, body_texts.LARGEST_TOGETHER - sum(p.size for p in wanted))
    return Message(
        mailbox=connection.mailbox, uidvalidity=connection.uidvalidity, uid=uid, flags=frozenset(("\\Seen",)),
        size=len(whole), received=received, envelope=headers.envelope(encoded_messages.head(whole)), structure=shape,
        bodies=encoded_messages.read(parsed, wanted + cards), cut=body_texts.is_cut(wanted), section=section,
    )  # fmt: skip


def raw(connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None, *, limit: int) -> bytes:
    """The bytes of the message attached at `section`, at most `limit`: 1 round trip. Raises NoSuchMessageError."""
    if encoded_messages.is_inside(section):
        return encoded_messages.message(connection, mailbox, uid, section, uidvalidity)[:limit]
    if not _SECTION.fullmatch(section):
        raise NoSuchMessageError("not a section of a message")
    item = b"BODY.PEEK[%s]<0.%d>" % (section.encode(), limit)
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, b"(UID BODYSTRUCTURE " + item + b")")
    part = encoded_messages.part_at(values, section)
    if part is None or not part.type.startswith("message/"):
        raise NoSuchMessageError(f"{mailbox}: no message is attached to {uid} at {section}")
    return decode_transfer(values.get(b"BODY[%s]<0>" % section.encode()) or b"", part.encoding)


def beginning(connection: Connection, mailbox: str, uid: int, part: Part, uidvalidity: int | None = None) -> tuple[str, bool]:
    """The text of one part at any depth, and whether it was truncated: 1 round trip after the SELECT."""
    if not encoded_messages.is_inside(part.section):
        return body_texts.beginning(connection, uid, part)
    data = encoded_messages.part(connection, mailbox, uid, part.section, uidvalidity)[2]
    return plain_text.content(data[: body_texts.LARGEST], replace(part, encoding="")), len(data) > body_texts.LARGEST


def head(connection: Connection, mailbox: str, uid: int, section: str = "", uidvalidity: int | None = None) -> bytes:
    """The complete header of a message (`section`: of the one attached there), at most 256 KB: 1 round trip.

    Raises NoSuchMessageError.
    """
    if encoded_messages.is_inside(section):
        return encoded_messages.head(encoded_messages.message(connection, mailbox, uid, section, uidvalidity))
    if section and not _SECTION.fullmatch(section):
        raise NoSuchMessageError("not a section of a message")
    name = f"{section}.HEADER" if section else "HEADER"
    items = b"(UID BODY.PEEK[%s]<0.262144> BODYSTRUCTURE)" % name.encode()
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, items)
    if not values:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    if section and encoded_messages.is_at(values, section):
        return encoded_messages.head(encoded_messages.message(connection, mailbox, uid, section, uidvalidity))
    return values.get(b"BODY[%s]<0>" % name.encode()) or b""
