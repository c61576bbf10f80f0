"""Search keys: a search as a tree of SEARCH keys (RFC 3501 section 6.4.4), and the keys of single operators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from webmail.imap.connections.commands import imap_day, quoted
from webmail.imap.searching import spellings

FIELDS = {"from": b"FROM", "to": b"TO", "cc": b"CC", "subject": b"SUBJECT", "body": b"BODY", "list": b"HEADER List-Id"}
# servers that don't set these keywords are searched for the usual Content-Type of messages with attachments
HAS_ATTACHMENT = b'(OR KEYWORD $HasAttachment (UNKEYWORD $HasNoAttachment HEADER Content-Type "multipart/mixed"))'
DAYS = {"before": b"BEFORE", "older_than": b"BEFORE", "after": b"SINCE", "newer_than": b"SINCE"}


@dataclass(frozen=True, slots=True)
class SearchNode:
    """A node of a search tree: a SEARCH key (and a better one for servers that can search MIME parts), or "and", "or", "not"."""

    kind: Literal["key", "and", "or", "not"]
    key: bytes = b""
    parts_key: bytes = b""
    children: tuple[SearchNode, ...] = ()


def charset(keys: bytes) -> tuple[bytes, ...]:
    """The CHARSET argument before the keys (RFC 3501 section 6.4.4)."""
    return () if keys.isascii() else (b"CHARSET UTF-8",)


def knows_parts(capabilities: frozenset[str]) -> bool:
    """Whether the server is Dovecot, by a capability that only Dovecot has: since 2.3 it supports the keys of
    draft-bosch-imap-search-mimepart without advertising them. Other servers search file names in the whole text."""
    return bool(capabilities & {"SNIPPET=FUZZY", "PREVIEW=FUZZY"})


def file_name_key(value: str) -> SearchNode:
    """A search for messages with a file whose name contains `value`.

    Dovecot's key matches plain and RFC 2231 names; names that older programs encode as RFC 2047 are found by TEXT only: words
    that are in a message, but neither in its body nor in the visible headers, must be in the headers of a part.
    """
    words = quoted(value)
    elsewhere = b"OR BODY %b OR SUBJECT %b OR FROM %b OR TO %b CC %b" % ((words,) * 5)
    encoded = b"KEYWORD $HasAttachment TEXT %b NOT (%b)" % (words, elsewhere)
    named = (b"MIMEPART FILENAME CONTAINS " + quoted(each) for each in (value, *spellings.in_names(value)))
    texts = _any(b"TEXT " + quoted(each) for each in (value, *spellings.others(value)[: spellings.MOST_IN_TEXT]))
    return SearchNode("key", b"(%b %b)" % (HAS_ATTACHMENT, texts), _any((*named, b"(" + encoded + b")")))


def rendered(node: SearchNode, parts: bool = False) -> bytes:
    """Render a tree as SEARCH keys."""
    match node.kind:
        case "key":
            return node.parts_key if parts and node.parts_key else node.key
        case "not":
            return b"NOT " + _single(node.children[0], parts)
        case "or":
            *before, last = (_single(child, parts) for child in node.children)
            return b"".join(b"OR " + key + b" " for key in before) + last
        case "and":
            return b" ".join(rendered(child, parts) for child in node.children) or b"ALL"


def _single(node: SearchNode, parts: bool) -> bytes:
    keys = rendered(node, parts)
    return keys if keys.startswith(b"(") and node.kind == "key" else b"(" + keys + b")"


def any_of(*nodes: SearchNode) -> SearchNode:
    return SearchNode("or", children=nodes)


def plain(value: str) -> SearchNode:
    words, *others = map(quoted, (value := spellings.sought(value), *spellings.others(value)))
    keys = [b"TEXT " + words, b"FROM " + words, b"SUBJECT " + words]
    keys += [b"TEXT " + other for other in others[: spellings.MOST_IN_TEXT]]
    keys += [field + other for other in others[: spellings.MOST_IN_HEADERS] for field in (b"FROM ", b"SUBJECT ")]
    return SearchNode("key", _any(keys))


def in_field(operator: str, value: str) -> SearchNode:
    value = spellings.sought(value)
    most = spellings.MOST_IN_TEXT if operator == "body" else spellings.MOST_IN_HEADERS
    return SearchNode("key", _any(FIELDS[operator] + b" " + quoted(each) for each in (value, *spellings.others(value)[:most])))


def _any(keys: Iterable[bytes]) -> bytes:
    """One key that any of these makes true."""
    *before, last = keys
    return b"(" + b"".join(b"OR " + key + b" " for key in before) + last + b")" if before else last


def of_days(operator: str, first: date, after: date) -> bytes:
    if operator in DAYS:
        return DAYS[operator] + b" " + imap_day(first)
    return b"(SINCE " + imap_day(first) + b" BEFORE " + imap_day(after) + b")"
