"""Address lists: parses To, From and the like (RFC 5322 section 3.4) in linear time, and never raises.

The standard library's `getaddresses` works character by character, so that 100,000 recipients take seconds, and its result
for malformed lists has changed between patch releases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from webmail.mail import Address
from webmail.mime.charsets import decode_bytes
from webmail.mime.headers.encoded_words import VALUE_LIMIT, decode, tidy

ADDRESS_LIMIT = 500

_PLAIN = re.compile(rb"[^\s\"<>()\[\],;:\\@]+@[^\s\"<>()\[\],;:\\@]+")
_NAMED = re.compile(rb"(?:\"([^\"\\]*)\"|([^\"<>()\[\],;:\\@]*?))\s*<([^\s\"<>()\[\],;:\\@]+@[^\s\"<>()\[\],;:\\@]+)>")
_MARK = re.compile(r'["(),;:<\[\\\n]|=\?[^?\s=]{1,80}\?[bBqQ]\?[^?"]{0,300}\?=')
_IN_QUOTES = re.compile(r'[\\"]')
_IN_COMMENT = re.compile(r"[\\()]")
_COMMENT_STARTS = re.compile(r'[\\"(]')


def addresses(values: list[bytes], limit: int = ADDRESS_LIMIT) -> tuple[Address, ...]:
    """Parse address lists (RFC 5322 section 3.4) to the first `limit` addresses: groups flattened, duplicates kept.

    Items without "@" are kept too: `Address("", "MAILER-DAEMON")`, `Address("Some words", "")`.
    """
    found: list[Address] = []
    for value in values:
        if (simple := _simple_address(value)) is not None:
            found.append(simple)
            continue
        for piece in islice(split_list(decode_bytes(value)), 10 * limit):  # bounds a list of a million commas
            if len(found) >= limit:
                break
            if (address := read_address(piece)) is not None:
                found.append(address)
    return tuple(found[:limit])


def authors(values: list[bytes], limit: int = ADDRESS_LIMIT) -> tuple[Address, ...]:
    """As `addresses`, for From: words without an address before one that has a name belong to it ("GIRARD, Bob <b@a.example>",
    where quotation marks are missing), since people read them as one."""
    found: list[Address] = []
    words: list[str] = []
    for one in addresses(values, limit):
        if not one.email and one.name or "@" not in one.email and not one.name:
            words.append(one.label)
            continue
        found.append(Address(", ".join([*words, one.name]), one.email) if words and one.name else one)
        words = []
    return (*found, *(Address(word, "") for word in words))


def count_addresses(values: list[bytes]) -> int:
    """The number of addresses in the lists, without parsing each."""
    return sum(sum(1 for piece in split_list(decode_bytes(value)) if piece.strip()) for value in values)


def _simple_address(value: bytes) -> Address | None:
    """Fast path for the two forms that nearly all values have."""
    if len(value) > 1000:
        return None
    if _PLAIN.fullmatch(value):
        return Address("", _tidy_email(decode_bytes(value)))
    if match := _NAMED.fullmatch(value):
        return Address(decode(match[1] if match[1] is not None else match[2]), _tidy_email(decode_bytes(match[3])))
    return None


def split_list(text: str, separators: str = ",;") -> Iterator[str]:
    """Split an address list into items: separators inside quotes, comments, angle brackets and encoded words do not count.

    A group's name ("friends:") is dropped, its members are items (RFC 5322 section 3.4). Linear time.
    """
    start, pos = 0, 0
    last_quote, last_angle, last_paren = text.rfind('"'), text.rfind(">"), text.rfind(")")
    while match := _MARK.search(text, pos):
        mark, at = match[0], match.start()
        pos = match.end()
        if mark == "\\":
            pos += 1
        elif mark == '"' and at < last_quote:
            pos = _end_of(text, pos, '"')
        elif mark == "(" and at < last_paren:
            pos = _end_of(text, pos, ")")
        elif mark == "<" and at < last_angle:
            pos = text.index(">", pos) + 1
        elif mark == "[":
            close = text.find("]", pos, pos + 300)
            pos = close + 1 if close > 0 else pos
        elif mark == ":" and "@" not in text[max(start, at - 300) : at]:
            start = pos
        elif mark in separators:
            yield text[start:at]
            start = pos
    yield text[start:]


def _end_of(text: str, pos: int, closing: str) -> int:
    """The position after the end of a quoted string or a comment (which may be nested), or the end of the text."""
    depth = 1
    opening = "(" if closing == ")" else ""
    for match in (_IN_QUOTES if closing == '"' else _IN_COMMENT).finditer(text, pos):
        if match.start() < pos:
            continue
        pos = match.end()
        if match[0] == "\\":
            pos += 1
        elif match[0] == opening:
            depth += 1
        elif match[0] == closing:
            depth -= 1
            if not depth:
                return pos
    return len(text)


def read_address(item: str) -> Address | None:
    """Parse one item of an address list; None if it is empty."""
    item, comments = _without_comments(item[:VALUE_LIMIT].strip())
    opening = item.rfind("<")
    if opening >= 0:
        name, email = item[:opening], item[opening + 1 :].partition(">")[0]
        if email.startswith("@"):  # obsolete route: <@relay,@other:ann@example.org>
            email = email.rpartition(":")[2]
        if not name.strip():
            name = comments
    elif "@" in item or " " not in item:
        name, email = comments, item
        before, space, last = item.rpartition(" ")
        if space and "@" in last and not last.startswith("@") and '"' not in last:
            name, email = before, last  # "Ann ann@example.org", without angle brackets
    else:
        name, email = item, ""
    address = Address(_tidy_name(name), _tidy_email(email))
    return address if address.name or address.email else None


def _without_comments(item: str) -> tuple[str, str]:
    """The item without its comments, and the comments' text (where old mail clients put the name)."""
    if "(" not in item or ")" not in item:
        return item, ""
    kept: list[str] = []
    comments: list[str] = []
    pos = start = 0
    while match := _COMMENT_STARTS.search(item, pos):
        pos = match.end()
        if match[0] == "\\":
            pos += 1
        elif match[0] == '"':
            pos = _end_of(item, pos, '"')
        else:
            kept.append(item[start : match.start()])
            start = pos = _end_of(item, pos, ")")
            comments.append(item[match.end() : pos].removesuffix(")"))
    kept.append(item[start:])
    return "".join(kept).strip(), " ".join(comments)


def _tidy_name(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if "\\" in name:
        name = re.sub(r"\\(.)", r"\1", name, flags=re.S)
    name = name.replace('"', "") if name.count('"') % 2 else name
    return decode(name.encode("utf-8", "replace"))


def _tidy_email(email: str) -> str:
    email = tidy(email)
    return email if email.startswith('"') else "".join(email.split()).strip("<>")
