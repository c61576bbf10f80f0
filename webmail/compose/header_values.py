"""Header values: validation against header injection, hidden characters and excessive length.

The form reports problems (`trouble_in`), draft rows hold only single lines (`one_line`), and `mime.builder.header_value` raises
on anything that gets past both.
"""

from __future__ import annotations

import re
from enum import StrEnum

LONGEST_SUBJECT = 900  # characters; once encoded and folded, no line exceeds 998 (RFC 5322 section 2.1.1)
LONGEST_LIST = 100_000  # characters of an address field
LONGEST_NAME = 500  # characters between two commas
_SEPARATORS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # treated as line breaks by some parsers
_LINE_ENDS = re.compile(f"[\r\n{_SEPARATORS}]+")
_HIDDEN = re.compile(f"[\0{_SEPARATORS}\x01-\x08\x0e-\x1f\x7f]")
_HEADER_NAME = (
    r"(?:to|cc|bcc|from|sender|reply-to|subject|date|message-id|in-reply-to|references|received|return-path|mime-version"
    r"|content-[a-z-]+|resent-[a-z-]+|disposition-[a-z-]+|x-[\w-]+)"
)
_HEADER = re.compile(rf"(?:\A|[,;\r\n])\s*{_HEADER_NAME}\s*:|[\r\n]\s*[\w-]+\s*:", re.IGNORECASE | re.ASCII)


class HeaderFault(StrEnum):
    HIDDEN = "hidden"  # a line break or control character
    HEADER = "header"  # another header's name among addresses
    TOO_LONG = "too-long"


def one_line(text: str) -> str:
    """The text on one line: line breaks become spaces, NULs are dropped."""
    return " ".join(_LINE_ENDS.split(text.replace("\0", "")))


def trouble_in(text: str, *, addresses: bool) -> HeaderFault | None:
    """What is wrong with a header value as typed, or None. Address lists may use line breaks instead of commas."""
    if _HIDDEN.search(text) or (not addresses and _LINE_ENDS.search(text)):
        return HeaderFault.HIDDEN
    if addresses and _HEADER.search(text):
        return HeaderFault.HEADER
    longest = LONGEST_LIST if addresses else LONGEST_SUBJECT
    if len(text) > longest or (addresses and any(len(one) > LONGEST_NAME for one in re.split(r"[,;\r\n]", text))):
        return HeaderFault.TOO_LONG
    return None
