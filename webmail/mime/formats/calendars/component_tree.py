"""Component tree of a calendar text: components and lines, each kept as it was written: what nobody touches survives byte for
byte.

RFC 5545, 3.1. For objects that `calendar_object.read` has checked: it bounds their lines and components.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile

from webmail.mime.formats.cards.vcard_lines import escaped, folded, unescaped

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_HEAD = re.compile(r"([A-Za-z0-9-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):", re.DOTALL)
_END = "\r\n"
_DEEPEST = 20  # components in one another


class BrokenTextError(ValueError):
    """Components that do not match, or that nobody has in one another: never of an object that was checked."""


@dataclass(slots=True)
class TextLine:
    """A content line. `raw` is all of it, folded and with its end; `name` is in capitals, "" for an empty line."""

    raw: str
    name: str = ""
    params: str = ""
    value: str = ""

    def param(self, name: str) -> str:
        """The value of a parameter, "" without it."""
        found = re.search(rf';{name}=(?:"([^"]*)"|([^;:"]*))', self.params, re.I)
        return (found[1] or found[2] or "").strip() if found else ""

    @property
    def text(self) -> str:
        return unescaped(self.value)

    def copy(self) -> TextLine:
        return replace(self)


@dataclass(slots=True)
class Component:
    """A component with what is in it, in its order."""

    name: str
    begin: str
    items: list[TextLine | Component] = field(default_factory=list)
    end: str = ""

    def lines(self, *names: str) -> list[TextLine]:
        """Its own lines, all or those of these names."""
        return [one for one in self.items if isinstance(one, TextLine) and one.name and (not names or one.name in names)]

    def first(self, name: str) -> TextLine | None:
        return next((one for one in self.items if isinstance(one, TextLine) and one.name == name), None)

    def text(self, name: str) -> str:
        line = self.first(name)
        return line.text if line else ""

    def value(self, name: str) -> str:
        line = self.first(name)
        return line.value.strip() if line else ""

    def head_value(self, name: str) -> str:
        """As `value`, of the lines before its components alone: a calendar may have thousands of those."""
        lines = takewhile(lambda one: isinstance(one, TextLine), self.items)
        return next((one.value.strip() for one in lines if isinstance(one, TextLine) and one.name == name), "")

    def parts(self, *names: str) -> list[Component]:
        """The components in it, all or those of these names."""
        return [one for one in self.items if isinstance(one, Component) and (not names or one.name in names)]

    def remove(self, *names: str) -> None:
        self.drop(lambda one: isinstance(one, TextLine) and one.name in names)

    def drop(self, leaves: Callable[[TextLine | Component], bool]) -> None:
        self.items = [one for one in self.items if not leaves(one)]

    def put(self, line: TextLine) -> None:
        """Set a line in place of the first of its name, whose others go; a new one stands behind the component's own lines."""
        at = next((at for at, one in enumerate(self.items) if isinstance(one, TextLine) and one.name == line.name), None)
        if at is None:
            self.add(line)
            return
        self.items[at] = line
        self.drop(lambda one: isinstance(one, TextLine) and one.name == line.name and one is not line)

    def add(self, item: TextLine | Component) -> None:
        """A line behind the component's own lines, or a component behind all."""
        if isinstance(item, Component):
            self.items.append(item)
            return
        last = max((at for at, one in enumerate(self.items) if isinstance(one, TextLine)), default=-1)
        self.items.insert(last + 1, item)

    def copy(self) -> Component:
        return Component(self.name, self.begin, [one.copy() for one in self.items], self.end)

    def __str__(self) -> str:
        return "".join([self.begin, *(one.raw if isinstance(one, TextLine) else str(one) for one in self.items), self.end])


def parsed(text: str) -> Component:
    """The calendar that a checked object is. Raises BrokenTextError."""
    stack: list[Component] = []
    lines = raw_lines(text)
    for raw in lines:
        line = line_of(raw)
        if line.name == "BEGIN":
            if len(stack) >= _DEEPEST:
                raise BrokenTextError("too deep")
            inner = Component(line.value.strip().upper(), raw)
            if stack:
                stack[-1].items.append(inner)
            stack.append(inner)
        elif not stack:
            if line.name:
                raise BrokenTextError("a line outside of it")
        elif line.name == "END":
            inner = stack.pop()
            inner.end = raw
            if not stack:
                inner.end += "".join(lines)  # empty ones
                return inner
        else:
            stack[-1].items.append(line)
    raise BrokenTextError("no end")


def lines_named(text: str, name: str) -> list[TextLine]:
    """The lines of this name (in capitals) in any component of a checked object; with less work than `parsed`."""
    found = (line_of(raw) for raw in raw_lines(text) if raw[:1].upper() == name[0])
    return [line for line in found if line.name == name]


def raw_lines(text: str) -> Iterator[str]:
    """Content lines with their folds."""
    held: list[str] = []
    for part in _LINE.findall(text):
        if held and part[0] not in " \t":
            yield "".join(held)
            held = []
        held.append(part)
    if held:
        yield "".join(held)


def line_of(raw: str) -> TextLine:
    whole = re.sub("\r?\n[ \t]", "", raw).rstrip("\r\n")
    head = _HEAD.match(whole)
    return TextLine(raw, head[1].upper(), head[2], whole[head.end() :]) if head else TextLine(raw)


def made(name: str, value: str, params: str = "") -> TextLine:
    """A new line; `value` is escaped already, `params` as in the text (";TZID=Europe/Paris")."""
    return TextLine(folded(f"{name}{params}:{value}") + _END, name, params, value)


def made_text(name: str, text: str, params: str = "") -> TextLine:
    """A new line with a text."""
    return made(name, escaped(text), params)


def component(name: str, *items: TextLine | Component) -> Component:
    return Component(name, f"BEGIN:{name}{_END}", list(items), f"END:{name}{_END}")
