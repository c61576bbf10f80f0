"""Safe reading of XML: no document type, hence no entities; nothing fetched; its depth and number of elements bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from webmail.filters.imports.found import NotReadable

_DEEPEST = 40
_MOST = 100_000  # elements


@dataclass(slots=True)
class XmlNode:
    """An element: `name` without its namespace."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[XmlNode] = field(default_factory=list)
    text: str = ""

    def named(self, name: str) -> Iterator[XmlNode]:
        return (one for one in self.children if one.name == name)

    def all_named(self, name: str) -> Iterator[XmlNode]:
        """Anywhere below."""
        for one in self.children:
            if one.name == name:
                yield one
            yield from one.all_named(name)


def read_xml(text: str) -> XmlNode:
    """Raises NotReadable, with the line."""
    top = XmlNode("")
    open_ones, count = [top], 0
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_about: object) -> None:
        raise NotReadable("a document type", parser.CurrentLineNumber)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST or len(open_ones) > _DEEPEST:
            raise NotReadable("too deep or too long", parser.CurrentLineNumber)
        one = XmlNode(name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()})
        open_ones[-1].children.append(one)
        open_ones.append(one)

    def end(_name: str) -> None:
        open_ones.pop()

    def data(words: str) -> None:
        open_ones[-1].text += words

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, NotReadable):
            raise
        raise NotReadable("not XML", getattr(error, "lineno", 0)) from error
    return top
