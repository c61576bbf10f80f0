"""What may become the value of a header: one line, of a length that mail servers take, without anything hidden in it.

The form tells a person (`trouble_in`), the rows of drafts hold only what passed (`one_line`), and `mime.build.header_value`
raises on whatever would come by another way.
"""

from __future__ import annotations

import re
from enum import StrEnum

LONGEST_SUBJECT = 900  # characters; encoded and folded no line passes 998 (RFC 5322 section 2.1.1)
LONGEST_LIST = 100_000  # characters of an address field
LONGEST_NAME = 500  # characters between two commas
_SEPARATORS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what some reader takes for the end of a line
_LINE_ENDS = re.compile(f"[\r\n{_SEPARATORS}]+")
_HIDDEN = re.compile(f"[\0{_SEPARATORS}\x01-\x08\x0e-\x1f\x7f]")
_HEADER_NAME = (
    r"(?:to|cc|bcc|from|sender|reply-to|subject|date|message-id|in-reply-to|references|received|return-path|mime-version"
    r"|content-[a-z-]+|resent-[a-z-]+|disposition-[a-z-]+|x-[\w-]+)"
)
_HEADER = re.compile(rf"(?:\A|[,;\r\n])\s*{_HEADER_NAME}\s*:|[\r\n]\s*[\w-]+\s*:", re.IGNORECASE | re.ASCII)


class HeaderFault(StrEnum):
    HIDDEN = "hidden"  # a line end or control character
    HEADER = "header"  # another header's name among addresses
    TOO_LONG = "too-long"


def one_line(text: str) -> str:
    """The text on one line, without NUL."""
    return " ".join(_LINE_ENDS.split(text.replace("\0", "")))


def trouble_in(text: str, *, addresses: bool) -> HeaderFault | None:
    """What is wrong with a header's value as it was typed. Lists of addresses may have line ends, instead of commas."""
    if _HIDDEN.search(text) or (not addresses and _LINE_ENDS.search(text)):
        return HeaderFault.HIDDEN
    if addresses and _HEADER.search(text):
        return HeaderFault.HEADER
    longest = LONGEST_LIST if addresses else LONGEST_SUBJECT
    if len(text) > longest or (addresses and any(len(one) > LONGEST_NAME for one in re.split(r"[,;\r\n]", text))):
        return HeaderFault.TOO_LONG
    return None
