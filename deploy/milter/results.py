"""Authentication-Results (RFC 8601): the header that the door writes, and the ones it removes since they bear our name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deploy.milter.headers import Fields

NAME = "Authentication-Results"
_SAFE = re.compile(r"(?:[\w!#$%&'*+/=?^`{|}~.-]+@)?[\w.-]+")  # what stands in a header without quotes (RFC 8601 section 2.2)
_COMMENT = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one method, such as spf=pass smtp.mailfrom=ann@far.example; `properties` in order."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()
    comment: str = ""

    def __str__(self) -> str:
        words = [f"{self.method}={self.result}", *([f"({self.comment})"] if self.comment else [])]
        # what a stranger wrote stands there only if nothing in it could be read as more than one value
        words += [f"{name}={value}" for name, value in self.properties if _SAFE.fullmatch(value) and len(value) <= 320]
        return " ".join(words)


def header(authserv_id: str, results: list[Result]) -> str:
    """The value of the header, folded after each result."""
    return f"{authserv_id}; " + (";\n\t".join(map(str, results)) if results else "none")


def ours(fields: Fields, authserv_id: str) -> list[int]:
    """The numbers (from 1, among the headers of this name) of those that bear our name, last first: so they are removed."""
    values = [value for name, value in fields if name.strip().lower() == NAME.lower()]
    return [number for number in range(len(values), 0, -1) if _bears(values[number - 1], authserv_id)]


def _bears(value: str, authserv_id: str) -> bool:
    """Whether a reader could take this name for ours: with comments, quotation marks, a version, in capitals."""
    text = value[:4096]
    for _depth in range(20):
        text, count = _COMMENT.subn(" ", text)
        if not count:
            break
    words = text.partition(";")[0].replace('"', " ").split()
    return authserv_id.lower() in (word.lower() for word in words) or "(" in text.partition(";")[0]
