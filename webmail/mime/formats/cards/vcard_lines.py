"""vCard lines: one property of a card taken apart and put together (RFC 6350 section 3.3, RFC 2426), in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HEAD = re.compile(r'(?:([\w-]+)\.)?([\w-]+)((?:\s*;[^:;"]*(?:"[^"]*"[^:;"]*)*)*)\s*:')
_PARAMETER = re.compile(r';\s*([^=:;"]*)(?:=([^:;"]*(?:"[^"]*"[^:;"]*)*))?')
_WORD = re.compile(r'"([^"]*)"|([^",]+)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_LONGEST = 74  # octets of a folded line
LONGEST_SHOWN = 8_000  # characters of a structured value (N, ADR, ORG) that are read


@dataclass(frozen=True, slots=True)
class VcardLine:
    """One property. `value` is as written, still escaped; names of properties and parameters are in capitals."""

    name: str
    value: str
    params: tuple[tuple[str, str], ...] = ()
    group: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """The words of TYPE, lower case; those without a name, as vCard 2.1 has them, too."""
        words = (word.lower().split(",") for name, word in self.params if name in ("TYPE", ""))  # "work,voice" is one in 4.0
        return tuple(word.strip() for several in words for word in several)

    def param(self, name: str) -> str:
        return next((word for key, word in self.params if key == name), "")

    @property
    def text(self) -> str:
        """The value as one text."""
        return unescaped(self.value)

    @property
    def fields(self) -> list[str]:
        """The components of a structured value, those with several words joined by commas; what is beyond LONGEST_SHOWN is not
        read, and stays in the card."""
        parts = split(self.value[:LONGEST_SHOWN], ";")
        return [", ".join(filter(None, (unescaped(word) for word in split(one, ",")))) for one in parts]

    @property
    def listed(self) -> list[str]:
        """The words of a list."""
        return [word for one in split(self.value, ",") if (word := unescaped(one).strip())]


def unfolded(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")


def parsed(line: str) -> VcardLine | None:
    """One unfolded line; None if it is no property."""
    head = _HEAD.match(line)
    if head is None:
        return None
    params = []
    for name, words in _PARAMETER.findall(head[3]):
        for quoted, plain in _WORD.findall(words) if words else [("", name)]:
            params.append((name.strip().upper() if words else "", (quoted or plain).strip()))
    return VcardLine(head[2].upper().replace("_", "-"), line[head.end() :].strip(), tuple(params), head[1] or "")


def lines_in(card: str) -> list[VcardLine]:
    """All properties of a card but BEGIN and END; what is none is left out."""
    found = (parsed(line) for line in unfolded(card).split("\n"))
    return [line for line in found if line is not None and line.name not in ("BEGIN", "END")]


def split(value: str, mark: str) -> list[str]:
    """Cut at each `mark` (";" or ",") that is not escaped."""
    if "\\" not in value:
        return value.split(mark)
    parts, last, at = [], 0, 0
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == mark:
            parts.append(value[last:at])
            last = at + 1
        at += 1
    return [*parts, value[last:]]


def unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def escaped(text: str) -> str:
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return plain.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def made(name: str, value: str, types: Iterable[str] = (), params: Iterable[tuple[str, str]] = (), group: str = "") -> str:
    """A folded line without its end. `value` is escaped already; `types` are written one parameter each, as 3.0 programs read."""
    words = "".join(f";TYPE={word.upper()}" for word in types)
    words += "".join(f";{key}={_quoted(word)}" for key, word in params)
    return folded(f"{group + '.' if group else ''}{name}{words}:{value}")


def written(line: VcardLine) -> str:
    """A line as text again, folded."""
    return made(line.name, line.value, (), [(key or "TYPE", word) for key, word in line.params], line.group)


def _quoted(word: str) -> str:
    word = _CONTROLS.sub("", word).replace('"', "'").replace("\n", " ")
    return f'"{word}"' if any(mark in word for mark in ":;,") else word


def folded(line: str) -> str:
    """Folded before the 75th octet, never inside a character."""
    if line.isascii() and len(line) <= _LONGEST:
        return line
    if line.isascii():
        rest = [line[at : at + _LONGEST - 1] for at in range(_LONGEST, len(line), _LONGEST - 1)]
        return "\r\n ".join([line[:_LONGEST], *rest])
    parts, part, size = [], "", 0
    for letter in line:
        width = len(letter.encode("utf-8", "replace"))
        if size + width > _LONGEST:
            parts.append(part)
            part, size = "", 1
        part += letter
        size += width
    return "\r\n ".join([*parts, part])
