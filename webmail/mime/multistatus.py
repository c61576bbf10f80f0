"""WebDAV as others speak it: multistatus (RFC 4918, 13) read within bounds, and how addresses are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from webmail.mime import safe_xml
from webmail.mime.safe_xml import XmlBounds, XmlRefusedError

D = "{DAV:}"
_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3})")


class NotMultistatusError(ValueError):
    """The answer is not what DAV servers say."""


@dataclass(slots=True)
class RemoteAnswer:
    """What is said of one address: `status` of the whole (0: it is about properties), and the properties that it has."""

    href: str
    status: int
    props: dict[str, Element] = field(default_factory=dict)

    def text(self, tag: str) -> str:
        found = self.props.get(tag)
        return (found.text or "").strip() if found is not None else ""


def read(content: bytes, bounds: XmlBounds) -> tuple[list[RemoteAnswer], str]:
    """All answers in a multistatus, and the sync-token after them. Raises NotMultistatusError."""
    root = parsed(content, bounds)
    if root.tag != f"{D}multistatus":
        raise NotMultistatusError(root.tag[:80])
    return [_answer(one) for one in root.iterfind(f"{D}response")], (root.findtext(f"{D}sync-token") or "").strip()


def parsed(content: bytes, bounds: XmlBounds) -> Element:
    """XML without a document type. Raises NotMultistatusError."""
    try:
        return safe_xml.parse(content, bounds)
    except XmlRefusedError as error:
        raise NotMultistatusError(str(error)) from error


def _answer(element: Element) -> RemoteAnswer:
    found = RemoteAnswer((element.findtext(f"{D}href") or "").strip(), _status(element))
    for part in element.iterfind(f"{D}propstat"):
        if _status(part) in (0, 200):
            found.props |= {prop.tag: prop for group in part.iterfind(f"{D}prop") for prop in group}
    return found


def _status(element: Element) -> int:
    match = _STATUS.match((element.findtext(f"{D}status") or "").strip())
    return int(match[1]) if match else 0


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def path_of(url: str) -> str:
    """The path of an address, each part of it encoded in one way: servers write "@" and "%40" for the same."""
    return "/".join(quote(unquote(part), safe="") for part in urlsplit(url).path.split("/"))
