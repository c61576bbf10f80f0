"""Searching by WebDAV (RFC 5323, `DAV:basicsearch`): the question for names."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from webmail.drives.webdav import listing

LONGEST = 200  # characters


def name_query(scope: str, text: str, most: int, *, caseless: bool) -> bytes:
    """The body of SEARCH for what is called so, the latest first. `scope`: the address of a folder, of which all is searched.
    `caseless` is said to servers that know the attribute; a Nextcloud compares so by itself.
    """
    like = re.sub(r"([%_\\])", r"\\\1", text[:LONGEST])
    attribute = " caseless='yes'" if caseless else ""
    return (
        "<?xml version='1.0' encoding='utf-8'?><D:searchrequest xmlns:D='DAV:'><D:basicsearch>"
        f"<D:select><D:prop>{listing.PROPS}</D:prop></D:select>"
        f"<D:from><D:scope><D:href>{escape(scope)}</D:href><D:depth>infinity</D:depth></D:scope></D:from>"
        f"<D:where><D:like{attribute}><D:prop><D:displayname/></D:prop><D:literal>%{escape(like)}%</D:literal></D:like></D:where>"
        "<D:orderby><D:order><D:prop><D:getlastmodified/></D:prop><D:descending/></D:order></D:orderby>"
        f"<D:limit><D:nresults>{most}</D:nresults></D:limit>"
        "</D:basicsearch></D:searchrequest>"
    ).encode()
