"""Match data: what a filter's conditions look at, of many messages at once: chosen headers, size, date, structure, texts.

Texts are fetched and not searched for: a full-text index knows words and their stems, a filter any letters in a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import Any

from webmail.imap.bulk.actions import pieces
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import EPOCH, fetched, header_bytes_of
from webmail.imap.reading.bodystructure import tree
from webmail.mime.headers import headers
from webmail.mime.text.plain_text import decode_text
from webmail.mime.tree import PartNode

MOST_TEXT = 30_000_000  # bytes of texts that are fetched for one look
_LONGEST_HEADERS = 32_768  # bytes of one message
_LONGEST_TEXT = 262_144  # bytes of one part
_TEXT_AT_ONCE = 4_000_000  # bytes in one round trip
_MOST_TEXTS = 20  # parts of one message
_HIDDEN = re.compile("<!--|<script|<style", re.IGNORECASE | re.ASCII)
_END = {  # not looked for in small letters: "İ" has two of them
    "<!--": re.compile("-->"),
    "<script": re.compile("</script", re.IGNORECASE | re.ASCII),
    "<style": re.compile("</style", re.IGNORECASE | re.ASCII),
}
_TAG = re.compile("<[^<>]*>")  # ends at the next "<" too: never looks at anything twice
_INLINE = re.compile(  # a word can go on after these
    "</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|del|em|font|i|ins|kbd|mark|o:p|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr)"
    r"(?=[\s/>])",
    re.IGNORECASE | re.ASCII,
)
_ALWAYS = ("from", "subject")  # what a row shows


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """What is wanted: headers by their names in small letters; the structure; the texts (which needs the structure)."""

    headers: frozenset[str] = frozenset()
    structure: bool = False
    texts: bool = False

    def __or__(self, other: EvidenceKind) -> EvidenceKind:
        return EvidenceKind(self.headers | other.headers, self.structure or other.structure, self.texts or other.texts)


@dataclass(slots=True)
class MessageEvidence:
    """`received` is in the server's time zone. `parts`: all, outer before inner. `texts`: None where they were not fetched."""

    uid: int
    size: int
    received: datetime
    head: bytes
    fields: dict[str, list[bytes]]
    parts: tuple[PartNode, ...] = ()
    texts: tuple[str, ...] | None = field(default=None, repr=False)


def newest(connection: Connection, most: int, kind: EvidenceKind) -> list[MessageEvidence]:
    """Of the newest messages of the selected mailbox, the newest first: 1 round trip, none for an empty one."""
    if not connection.exists:
        return []
    first = max(1, connection.exists - most + 1)
    found = fetched(connection.run((b"FETCH", b"%d:%d" % (first, connection.exists), _items(kind))))
    return [_evidence(uid, found[uid], kind) for uid in sorted(found, reverse=True) if b"RFC822.SIZE" in found[uid]]


def of_messages(connection: Connection, uids: Iterable[int], kind: EvidenceKind) -> list[MessageEvidence]:
    """Of these messages of the selected mailbox, as far as they exist: 1 round trip for each of `actions.pieces`."""
    found: dict[int, dict[bytes, Any]] = {}
    for piece in pieces(uids):
        found.update(fetched(connection.run((b"UID FETCH", uid_set(piece), _items(kind)))))
    return [_evidence(uid, found[uid], kind) for uid in sorted(found) if b"RFC822.SIZE" in found[uid]]


def add_texts(
    connection: Connection, found: Sequence[MessageEvidence], most: int = MOST_TEXT, *, words_apart: bool = False
) -> int:
    """Fetch the texts of these messages of the selected mailbox, `most` bytes at most; returns how many messages were left out.
    `words_apart`: as `without_markup`.

    1 round trip for each 4 MB.
    """
    left, wanted = most, []
    for one in found:
        size = sum(min(part.size, _LONGEST_TEXT) for part in _text_parts(one))
        if size > left:
            break
        left -= size
        wanted.append(one)
    for batch in _batches(wanted):
        _fetch_texts(connection, batch, words_apart)
    return len(found) - len(wanted)


def is_cut(evidence: MessageEvidence) -> bool:
    """Whether its texts are longer than what is fetched of them."""
    texts = [part for part in evidence.parts if part.type.startswith("text/")]
    return len(texts) > _MOST_TEXTS or any(part.size > _LONGEST_TEXT for part in texts)


def _fetch_texts(connection: Connection, batch: Sequence[MessageEvidence], words_apart: bool) -> None:
    """Messages whose texts stand at the same places are asked for together: they are of few kinds."""
    places: dict[tuple[str, ...], list[int]] = {}
    for one in batch:
        if sections := tuple(part.section for part in _text_parts(one)):
            places.setdefault(sections, []).append(one.uid)
    commands: list[Command] = []
    for sections, uids in places.items():
        items = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (section.encode(), _LONGEST_TEXT) for section in sections)
        commands += [(b"UID FETCH", uid_set(piece), b"(UID " + items + b")") for piece in pieces(uids)]
    answers = fetched(connection.run(*commands)) if commands else {}
    for one in batch:
        values = answers.get(one.uid, {})
        pieces_of = [(values.get(b"BODY[%s]<0>" % part.section.encode()) or b"", part) for part in _text_parts(one)]
        one.texts = tuple(_text(data, part, words_apart) for data, part in pieces_of)


def _batches(found: Sequence[MessageEvidence]) -> Iterator[list[MessageEvidence]]:
    batch: list[MessageEvidence] = []
    size = 0
    for one in found:
        here = sum(min(part.size, _LONGEST_TEXT) for part in _text_parts(one))
        if batch and size + here > _TEXT_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += here
    if batch:
        yield batch


def _text_parts(evidence: MessageEvidence) -> list[PartNode]:
    return [part for part in evidence.parts if part.type.startswith("text/")][:_MOST_TEXTS]


def _text(data: bytes, part: PartNode, words_apart: bool) -> str:
    text = decode_text(data, part.encoding, part.params.get("charset", ""))
    return without_markup(text, words_apart=words_apart) if part.type == "text/html" else text


def without_markup(html: str, *, words_apart: bool = False) -> str:
    """HTML's text; what scripts and styles hold is none. Nothing stands in the place of tags, or with `words_apart` a space for
    those that begin a line or a cell. In linear time."""
    kept: list[str] = []
    at = 0
    for opening in _HIDDEN.finditer(html):
        if opening.start() < at:
            continue
        kept.append(html[at : opening.start()])
        end = _END[opening[0].lower()].search(html, opening.start())
        if end is None:
            at = len(html)
            break
        at = end.end() if opening[0] == "<!--" else end.start()
    kept.append(html[at:])
    return unescape(_TAG.sub(_space if words_apart else "", "".join(kept)))


def _space(tag: re.Match[str]) -> str:
    return "" if _INLINE.match(tag[0]) else " "


def _items(kind: EvidenceKind) -> bytes:
    names = sorted(kind.headers.union(_ALWAYS, ("content-type",) if kind.structure else ()))
    fields = b"BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (" ".join(names).upper().encode("ascii"), _LONGEST_HEADERS)
    structure = b" BODYSTRUCTURE" if kind.structure or kind.texts else b""
    return b"(UID RFC822.SIZE INTERNALDATE" + structure + b" " + fields + b")"


def _evidence(uid: int, values: dict[bytes, Any], kind: EvidenceKind) -> MessageEvidence:
    head, received = header_bytes_of(values), values.get(b"INTERNALDATE")
    named = headers.fields(head)
    parts = _parts(values.get(b"BODYSTRUCTURE")) if kind.structure or kind.texts else ()
    if parts and kind.structure and "content-type" not in named:
        parts[0].type = ""  # text/plain by default, which no header says
    when = received if isinstance(received, datetime) else EPOCH
    return MessageEvidence(uid, values[b"RFC822.SIZE"], when, head, named, parts)


def _parts(body: Any) -> tuple[PartNode, ...]:
    """None of a message whose structure can't be read."""
    try:
        waiting, found = [tree(body)], []
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return ()
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += reversed([*node.children, *([node.message] if node.message else [])])
    return tuple(found)
