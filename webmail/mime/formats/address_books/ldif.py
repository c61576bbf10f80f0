"""LDIF: reads the records of a file (RFC 2849), bounded and in linear time; nothing that it points to is fetched."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from webmail.mime.charsets import decode_bytes
from webmail.mime.formats.address_books.entry import Remark, RemarkKind, tell

_NAME = re.compile(r"([A-Za-z][\w.-]*)((?:;[\w-]+)*):([:<]?) *(.*)", re.DOTALL)
_MOST_ATTRIBUTES = 20_000  # of one record: the members of a group
_LOOKED_AT = 20_000  # characters


@dataclass(slots=True)
class LdifRecord:
    """`attributes`: (name in lower case without its options, value), `bytes` where they are no text."""

    line: int
    name: str
    attributes: list[tuple[str, str | bytes]] = field(default_factory=list)

    def all(self, *names: str) -> list[str]:
        return [value for name, value in self.attributes if name in names and isinstance(value, str) and value.strip()]

    def first(self, *names: str) -> str:
        """The first attribute of the first of these names."""
        return next((value.strip() for name in names for value in self.all(name)), "")

    @property
    def classes(self) -> set[str]:
        return {value.strip().lower() for value in self.all("objectclass")}


def is_ldif(text: str) -> bool:
    """Whether the first line that is neither empty nor a comment nor the version names a record."""
    for line in text[:_LOOKED_AT].splitlines():
        if line.strip() and not line.startswith(("#", " ")) and not line.lower().startswith("version:"):
            return line.lower().startswith("dn:")
    return False


def records(text: str, remarks: list[Remark]) -> Iterator[LdifRecord]:
    """The records that add somebody; what is left out is added to `remarks`."""
    record: LdifRecord | None = None
    for number, line in _lines(text):
        if not line:
            if record is not None:
                yield from _adding(record, remarks)
            record = None
            continue
        found = _NAME.fullmatch(line)
        if found is None or (found[3] == "<"):
            kind = RemarkKind.FETCHED if found else RemarkKind.LINE
            tell(remarks, Remark(number, kind, line[:80]))
            continue
        value = _value(found[3], found[4])
        if value is None:
            tell(remarks, Remark(number, RemarkKind.LINE, line[:80]))
        elif found[1].lower() == "dn":
            if record is not None:
                yield from _adding(record, remarks)
            record = LdifRecord(number, value if isinstance(value, str) else "")
        elif record is not None and len(record.attributes) < _MOST_ATTRIBUTES:
            record.attributes.append((found[1].lower(), value))
    if record is not None:
        yield from _adding(record, remarks)


def _adding(record: LdifRecord, remarks: list[Remark]) -> Iterator[LdifRecord]:
    change = record.first("changetype").lower()
    if change in ("", "add"):
        yield record
    else:
        tell(remarks, Remark(record.line, RemarkKind.CHANGE, f"{change} {record.name}"[:80]))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, unfolded line); comments are left out with their continuations, an empty line ends a record."""
    parts: list[str] = []
    began, comment = 0, False
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line[:1] == " " and (parts or comment):
            if not comment:
                parts.append(line[1:])
            continue
        if parts:
            yield began, "".join(parts)
        parts, began, comment = [], number, line.startswith("#")
        if not line.strip():
            yield number, ""
        elif not comment:
            parts = [line]
    if parts:
        yield began, "".join(parts)


def _value(mark: str, text: str) -> str | bytes | None:
    """None if it is not what it says."""
    if mark != ":":
        return text
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data if data[:2] in (b"\xff\xd8", b"\x89P", b"GI", b"BM") else decode_bytes(data)
