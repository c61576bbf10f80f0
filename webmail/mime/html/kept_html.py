"""Kept HTML: the HTML of a message below a reply or in a forward: cleaned, without style sheets, with its line or table on top.

It stands between two comments in what is sent, so that a draft is taken apart again wherever it is opened. Nothing else in such a
document can hold a comment: nh3 removes them.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterable

from webmail.mime.charsets import without_surrogates
from webmail.mime.html.sanitizer import clean
from webmail.mime.html.to_text import html_to_text

TEXT_LIMIT = 200_000  # characters of the plain text of it that is sent too
_BEGIN, _END = "<!--original-->", "<!--/original-->"
_QUOTED = "margin:8px 0;padding-left:12px;border-left:3px solid #d8d0c4"
_IMAGE = re.compile(r"<img\b[^<>]{0,4000}>", re.I)
_REMOTE = re.compile(r"\bsrc\s{0,9}=\s{0,9}[\"']?\s{0,9}(?:https?:)?//", re.I)
_UNSEEN = re.compile(
    r"\b(?:width|height)\s{0,9}[=:]\s{0,9}[\"']?\s{0,9}[0-2](?:px)?(?![\d.%])|display\s{0,9}:\s{0,9}none|"
    r"visibility\s{0,9}:\s{0,9}hidden|opacity\s{0,9}:\s{0,9}0(?![\d.])",
    re.I,
)


def cleaned(html: str, picture: Callable[[str], str | None], *, remote: bool) -> str:
    """The HTML as it may be sent on. `picture` maps a Content-ID to the new one of the same picture, None to leave it out.

    With `remote`, pictures on the web keep their addresses, except those too small to be seen, which tell a sender who reads.
    Links whose text names another site lose their address. Never raises.
    """

    def link(content_id: str) -> str | None:
        kept = picture(content_id.strip("<> "))
        return f"cid:{kept}" if kept else None

    source = _IMAGE.sub(_seen, html) if remote else html
    image: Callable[[str], str] | None = (lambda address: address) if remote else None
    return clean(source, link, "q-", link_for_image=image, link_for_mail=_mail_link, style_sheets=False).html


def _seen(image: re.Match[str]) -> str:
    return "" if _REMOTE.search(image[0]) and _UNSEEN.search(image[0]) else image[0]


def _mail_link(address: str) -> str:
    return address if len(address) <= 2000 else ""


def answered(attribution: str, html: str) -> str:
    """Cleaned HTML as a quotation below its attribution line (plain text)."""
    return f'<p>{entities.escape(attribution)}</p>\n<blockquote style="{_QUOTED}">{html}</blockquote>'


def forwarded(title: str, header: Iterable[tuple[str, str]], html: str) -> str:
    """Cleaned HTML below its main headers, (label, value) as plain text."""
    rows = "".join(f'<tr><th align="left">{entities.escape(a)}</th><td>{entities.escape(b)}</td></tr>' for a, b in header)
    return f"<p>{entities.escape(title)}</p>\n<table>{rows}</table>\n<div>{html}</div>"


def marked(kept: str) -> str:
    """What is sent below the text of a message: it is found again by `found_in`. "" for ""."""
    return f"{_BEGIN}\n<div>{kept}</div>\n{_END}" if kept else ""


def found_in(document: str) -> str:
    """What `marked` was given, "" if it is not there. Not safe: anybody can send such comments."""
    _above, _begin, rest = document.replace("\r\n", "\n").partition(f"{_BEGIN}\n<div>")
    kept, end, _below = rest.rpartition(f"</div>\n{_END}")
    return kept if end else ""


def above(document: str) -> str:
    """The part of a document that the writer wrote."""
    return document.partition(_BEGIN)[0]


def as_text(kept: str, picture: Callable[[str, str], str] | None = None) -> str:
    """The kept HTML as plain text, quoted if it was an answer; "" for "". `picture` as in `html_to_text`."""
    text = html_to_text(without_surrogates(kept), picture).rstrip()
    return f"{text[:TEXT_LIMIT]}\n[…]" if len(text) > TEXT_LIMIT else text
