"""Detaching: which files can be taken out of a message, and the message without them; every other byte stays.

What is signed or encrypted as a whole stays as it is: without its files the signature would fail, and inside what is encrypted
nothing can be seen.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from webmail.mail import Part
from webmail.mime.headers.filenames import filename
from webmail.mime.parser import ParsedMessage, Raw
from webmail.mime.protected.protected_parts import KEPT_NAME
from webmail.mime.structure import classify
from webmail.mime.tree import PartNode

_PIECE = 256 * 1024
_MOST_FILES = 100  # taken out of one message
_SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_HOLDERS = ("multipart/mixed", "multipart/related", "multipart/parallel", "multipart/digest")


class KeepReason(StrEnum):
    """Why the files of a message stay in it."""

    NONE = "none"  # it has no files
    SIGNED = "signed"
    ENCRYPTED = "encrypted"
    WHOLE = "whole"  # the message is nothing but the file
    ODD = "odd"  # its parts are not where the mail server says


@dataclass(frozen=True, slots=True)
class Detachable:
    """The files that can be taken out, or why none can."""

    parts: tuple[Part, ...] = ()
    kept: KeepReason | None = None


class CannotDetachError(ValueError):
    """`kept` says why."""

    def __init__(self, stored: KeepReason) -> None:
        super().__init__(stored)
        self.kept = stored


def detachable(root: PartNode) -> Detachable:
    """Files in a multipart that may hold anything: in an alternative, the line in a file's place would be shown instead."""
    kinds = {node.section: node.type for node in _nodes(root)}
    if sealed := _sealed(kinds.values()):
        return Detachable(kept=sealed)
    if any(
        node.type == "message/rfc822" and filename(node.params | node.disposition_params) == KEPT_NAME for node in _nodes(root)
    ):
        return Detachable(kept=KeepReason.ENCRYPTED)  # without any of its parts there would be no way back to the original
    attachments = classify(root).attachments
    if not root.children:
        return Detachable(kept=KeepReason.WHOLE if attachments else KeepReason.NONE)
    parts = tuple(part for part in attachments if kinds.get(_parent(part.section)) in _HOLDERS)
    return Detachable(parts[:_MOST_FILES], None if parts else KeepReason.NONE)


def without(raw: Raw, message: ParsedMessage, files: Mapping[str, tuple[str, int, str]]) -> Iterator[bytes]:
    """The message with a small text in the place of each file. `files`: section -> its type, its size as the mail server tells,
    and the words to put there.

    Raises CannotDetachError before anything is yielded, also where a part is not what the server said.
    """
    found = detachable(message.root)
    if found.kept:
        raise CannotDetachError(found.kept)
    there = {part.section: part for part in found.parts}
    spans: list[tuple[int, int, str]] = []
    for section, (kind, size, words) in files.items():
        part, span = there.get(section), message.span(section)
        if part is None or span is None or (part.type, part.size) != (kind, size):
            raise CannotDetachError(KeepReason.ODD)
        spans.append((span[0], span[2], words))
    return _spliced(raw, sorted(spans))


def _spliced(raw: Raw, spans: list[tuple[int, int, str]]) -> Iterator[bytes]:
    at = 0
    for start, end, words in spans:
        yield from _pieces(raw, at, start)
        yield note(words)
        at = end
    yield from _pieces(raw, at, len(raw))


def note(wording: str) -> bytes:
    """The part that takes a file's place, without the line end that belongs to its parent."""
    text = "\r\n".join(textwrap.wrap(wording, 76, break_long_words=False)) + "\r\n"
    lines = base64.encodebytes(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    head = (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Disposition: inline\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"X-Traboule-Removed: yes\r\n\r\n"
    )
    return head + lines


def _pieces(raw: Raw, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        yield raw[at : min(at + _PIECE, end)]


def _sealed(kinds: Iterable[str]) -> KeepReason | None:
    there = set(kinds)
    if "multipart/encrypted" in there or there & set(_SEALED):
        return KeepReason.ENCRYPTED
    return KeepReason.SIGNED if "multipart/signed" in there else None


def _nodes(root: PartNode) -> Iterator[PartNode]:
    """The message's own parts, not those of messages attached to it."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.children)


def _parent(section: str) -> str:
    return section.rpartition(".")[0]
