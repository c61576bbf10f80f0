"""Answers to devices: a status, headers, and a body in pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import client
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.dav.visit import METHODS

Answer = tuple[int, Mapping[str, str], Sequence[bytes]]
XML = "text/xml; charset=utf-8"
_PLAIN = "text/plain; charset=utf-8"
FORBIDDEN: Answer = (client.FORBIDDEN, {"Content-Type": _PLAIN}, [b"You may not do this here.\n"])
NOT_FOUND: Answer = (client.NOT_FOUND, {"Content-Type": _PLAIN}, [b"There is nothing here.\n"])
NOT_HERE: Answer = (client.METHOD_NOT_ALLOWED, {"Content-Type": _PLAIN, "Allow": ", ".join(METHODS)}, [b"Not here.\n"])


def plain(status: int, text: str) -> Answer:
    return status, {"Content-Type": _PLAIN}, [f"{text}\n".encode()]


def failed(status: int, condition: str, text: str = "") -> Answer:
    """A precondition that does not hold (RFC 4918, 16), and why in words (`responsedescription`)."""
    error = xmlutils.webdav_error(condition)
    if text:
        ET.SubElement(error, xmlutils.make_clark("D:responsedescription")).text = text
    return status, {"Content-Type": XML}, [ET.tostring(error, encoding="utf-8", xml_declaration=True)]
