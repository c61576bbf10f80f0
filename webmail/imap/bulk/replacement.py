"""Replacement: a message in the place of another, with its flags and its date, so that a kill at any step loses nothing.

The new one is appended and looked at before the old one goes. Who comes again after a kill in between finds it by its Message-ID.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace

from webmail.errors import NoSuchMessageError, NotAllowedError, RefusedError
from webmail.imap.bulk import actions, file_removal
from webmail.imap.bulk.file_removal import MessageTraits
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages

_OF_FILES = ("$HasAttachment", "$HasNoAttachment")  # which Dovecot sets on what has files, and on all other messages
_MOST_LOOKED_AT = 5  # messages with the same Message-ID


def put_in_place(
    connection: Connection, mailbox: str, uid: int, uidvalidity: int, content: bytes, is_same: Callable[[bytes], bool], *,
    message_id: str = "", plus: Iterable[str] = (), minus: Iterable[str] = (), has_files: bool | None = None,
) -> int:  # fmt: skip
    """Put `content` in the place of a message; the new UID. To be called with the person's lock: about 10 round trips.

    `is_same` knows again what an earlier call appended. `plus`, `minus`: keywords that the new one has, and has not.
    `has_files`: for servers that mark messages with files; None: they look themselves. Raises NoSuchMessageError where neither is
    there, OverQuotaError, NotAllowedError, RefusedError: then the old one is as it was.
    """
    before = file_removal.original(connection, mailbox, uid, uidvalidity)
    there = _earlier(connection, mailbox, uid, before.message_id if before else message_id, is_same)
    if before is None:
        if there:
            return there
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    less = {flag.lower() for flag in (*minus, *_OF_FILES)}
    more = {flag for flag in plus if connection.keeps(flag)}
    if has_files is not None and any(flag in before.flags for flag in _OF_FILES):
        more.add(_OF_FILES[0] if has_files else _OF_FILES[1])
    flags = {flag for flag in before.flags if flag.lower() not in less} | more
    new = there or _appended(connection, mailbox, content, replace(before, flags=tuple(sorted(flags))))
    _remove(connection, mailbox, uid, uidvalidity, new)
    return new


def _earlier(connection: Connection, mailbox: str, uid: int, message_id: str, is_same: Callable[[bytes], bool]) -> int:
    """What an earlier call appended, before it was killed; 0 where there is nothing, or nothing to know it by."""
    if not message_id:
        return 0
    found = [one for one in messages.find_message_id(connection, mailbox, message_id) if one != uid]
    for one in sorted(found, reverse=True)[:_MOST_LOOKED_AT]:
        if is_same(messages.raw(connection, mailbox, one)):
            return one
    return 0


def _appended(connection: Connection, mailbox: str, content: bytes, like: MessageTraits) -> int:
    floor = file_removal.floor(connection, mailbox)
    new = file_removal.append(connection, mailbox, io.BytesIO(content), like)
    new = new or file_removal.find(connection, mailbox, floor, len(content), like.message_id)
    if not new:
        raise RefusedError("the server does not tell where it put the message")
    if not file_removal.is_like(connection, mailbox, new, len(content), like):
        actions.delete(connection, mailbox, [new])
        raise RefusedError("the server keeps the message in another way than it was given")
    return new


def _remove(connection: Connection, mailbox: str, uid: int, uidvalidity: int, new: int) -> None:
    try:
        actions.delete(connection, mailbox, [uid], uidvalidity)
    except (RefusedError, NotAllowedError):
        actions.delete(connection, mailbox, [new], uidvalidity)  # two of them would be one too many
        raise
