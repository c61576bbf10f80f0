"""Safe XML: the one place that parses XML from outside (devices, other servers, files), within the bounds that its reader gives.

A document type is refused as it begins: so there are no entities, which could swell or read files; nothing is fetched. Reading
stops where a bound is passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

_PIECE = 1 << 20  # bytes: after a refusal the parser goes on to the end of what it was given


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlBounds:
    """What a reader takes at most. `text`: characters without a tag between them, and of an attribute; 0: any number."""

    size: int  # bytes
    depth: int
    elements: int
    attributes: int = 50  # of an element
    text: int = 0


class XmlRefusedError(ValueError):
    """No XML, or none that is safe to read. `line` counts from 1; 0: not known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def parse(content: bytes, bounds: XmlBounds, *, utf8: bool = False, namespaces: bool = True) -> Element:
    """The root element. `utf8`: whatever it declares, that is its encoding. Names are "{namespace}name", or without `namespaces`
    "name" alone. Raises XmlRefusedError.
    """
    if len(content) > bounds.size:
        raise XmlRefusedError("too large")
    reader = _Reader(bounds, "utf-8" if utf8 else None, namespaces)
    try:
        if utf8:
            content.decode()  # the parser would take the marks of UTF-16 for what they say
        return reader.read(content)
    except XmlRefusedError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: encodings that there are not
        raise XmlRefusedError(f"no XML: {error}"[:200], getattr(error, "lineno", 0)) from error


class _Reader:
    """Builds elements from what expat finds, and counts them."""

    def __init__(self, bounds: XmlBounds, encoding: str | None, namespaces: bool) -> None:
        self.bounds, self.namespaces = bounds, namespaces
        self.builder = TreeBuilder()
        self.depth = self.elements = self.text = 0
        self.parser = parser = expat.ParserCreate(encoding, namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._begin, self._end, self._data
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = self._refuse

    def read(self, content: bytes) -> Element:
        for at in range(0, len(content), _PIECE):
            self.parser.Parse(content[at : at + _PIECE], False)
        self.parser.Parse(b"", True)
        return self.builder.close()

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        bounds = self.bounds
        self.depth, self.elements, self.text = self.depth + 1, self.elements + 1, 0
        if self.depth > bounds.depth or self.elements > bounds.elements or len(attributes) > bounds.attributes:
            raise XmlRefusedError("too much of it", self.parser.CurrentLineNumber)
        if bounds.text and any(len(value) > bounds.text for value in attributes.values()):
            raise XmlRefusedError("too long an attribute", self.parser.CurrentLineNumber)
        self.builder.start(self._name(name), {self._name(key): value for key, value in attributes.items()} if attributes else {})

    def _end(self, name: str) -> None:
        self.depth, self.text = self.depth - 1, 0
        self.builder.end(self._name(name))

    def _data(self, text: str) -> None:
        self.text += len(text)
        if self.bounds.text and self.text > self.bounds.text:
            raise XmlRefusedError("too long a text", self.parser.CurrentLineNumber)
        self.builder.data(text)

    def _refuse(self, *_declared: object) -> int:
        raise XmlRefusedError("a document type", self.parser.CurrentLineNumber)

    def _name(self, name: str) -> str:
        space, separator, local = name.rpartition("}")
        return "{" + space + separator + local if separator and self.namespaces else local
