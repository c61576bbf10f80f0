"""Body texts: fetches the text parts of a message that a page shows, within size limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import fetched
from webmail.mail import Part
from webmail.mime import structure
from webmail.mime.text import plain_text

LARGEST = 1_000_000  # bytes of a body that a page shows
LARGEST_TOGETHER = 2_000_000  # bytes of all bodies together


def ask(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None, items: bytes) -> dict[bytes, Any]:
    """FETCH items of one message, {} if it does not exist or can't be parsed: 1 round trip including the SELECT.

    1 more if there was no response: Dovecot runs a pipelined FETCH before it detects messages new to this connection.
    """
    command: Command = (b"UID FETCH", uid_set([uid]), items)
    answers = connection.select(mailbox, uidvalidity, command)
    if not answers.get("FETCH"):
        answers = connection.run(command)
    return fetched(answers).get(uid, {})


def _allowed(parts: Iterable[Part], most_each: int = LARGEST) -> dict[Part, int]:
    """How many bytes of each part to fetch: the total is limited too, since a message may have many parts."""
    allowed: dict[Part, int] = {}
    left = LARGEST_TOGETHER
    for part in parts:
        if left > 0:
            allowed[part] = min(most_each, left)
            left -= min(max(part.size, 1), allowed[part])
    return allowed


def is_cut(parts: Sequence[Part], most_each: int = LARGEST) -> bool:
    allowed = _allowed(parts, most_each)
    return any(part.size > allowed.get(part, 0) for part in parts)


def commands(uid: int, parts: Iterable[Part], most_each: int = LARGEST) -> list[Command]:
    allowed = _allowed(parts, most_each)
    sections = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (p.section.encode(), most) for p, most in allowed.items())
    return [(b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")")] if sections else []


def read(parts: Iterable[Part], values: dict[bytes, Any], most_each: int = LARGEST) -> dict[str, str]:
    """Decode the responses to `commands`, by section. The total is limited even if the server reported wrong sizes."""
    texts: dict[str, str] = {}
    left = LARGEST_TOGETHER
    for part in _allowed(parts, most_each):
        data = (values.get(b"BODY[%s]<0>" % part.section.encode()) or b"")[:left]
        texts[part.section] = plain_text.content(data, part)
        left -= len(data)
    return texts


def is_whole(section: str, values: dict[bytes, Any], most: int) -> bool:
    """Whether the responses have all of a part, of which `most` bytes were asked for; its size in BODYSTRUCTURE may be wrong."""
    return 0 < len(values.get(b"BODY[%s]<0>" % section.encode()) or b"") < most


def beginning(connection: Connection, uid: int, part: Part) -> tuple[str, bool]:
    """The text of one part of a message in the selected mailbox, and whether it was truncated: 1 round trip."""
    values = fetched(connection.run(*commands(uid, [part]))).get(uid, {})
    return read([part], values)[part.section], is_cut([part])


def of_whole(whole: structure.ParsedMessage, parts: Iterable[Part], most_each: int = LARGEST) -> dict[str, str]:
    """The texts of `parts` of a message that was fetched already, by section."""
    return {p.section: plain_text.content(whole.content(p.section, most), p) for p, most in _allowed(parts, most_each).items()}
