"""Quoted HTML: the HTML of a message below a reply or in a forward: cleaned, without style sheets, with its line or table on top.

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
_IMAGE = re.compile(r"<img\b[^<>]*>")  # as nh3 writes it
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_TINY = re.compile(r"[0-2](?:\.[0-9]*)?(?:px)?")
_HIDDEN = re.compile(
    r"(?:^|;)(?:(?:max-)?(?:width|height):[0-2](?:\.[0-9]*)?(?:px)?|display:none|visibility:hidden|opacity:0(?:\.0*)?)"
    r"(?:!important)?(?:;|$)"
)


def cleaned(html: str, picture: Callable[[str], str | None], *, remote: bool) -> str:
    """The HTML as it may be sent on. `picture` maps a Content-ID to the new one of the same picture, None to leave it out.

    With `remote`, pictures on the web keep their addresses, except those too small to be seen, which tell a sender who reads.
    Links whose text names another site lose their address. Never raises.
    """

    def link(content_id: str) -> str | None:
        kept = picture(content_id.strip("<> "))
        return f"cid:{kept}" if kept else None

    image: Callable[[str], str] | None = (lambda address: address) if remote else None
    kept = clean(html, link, "q-", link_for_image=image, link_for_mail=_mail_link, style_sheets=False).html
    return _IMAGE.sub(_seen, kept) if remote else kept


def _seen(image: re.Match[str]) -> str:
    """The image, "" if it is one on the web that nobody sees."""
    has = dict(_ATTRIBUTE.findall(image[0]))
    remote = any(has.get(name, "").startswith("http") for name in ("src", "srcset"))
    tiny = any(_TINY.fullmatch(has.get(name, "")) for name in ("width", "height"))
    return "" if remote and (tiny or _HIDDEN.search(has.get("style", "").replace(" ", ""))) else image[0]


def _mail_link(address: str) -> str:
    return address if len(address) <= 2000 else ""


def answered(attribution: str, html: str) -> str:
    """Cleaned HTML as a quotation below its attribution line (plain text)."""
    return f'<p>{entities.escape(attribution)}</p>\n<blockquote style="{_QUOTED}">{html}</blockquote>'


def forwarded(title: str, header: Iterable[tuple[str, str]], html: str) -> str:
    """Cleaned HTML below its main headers, (label, value) as plain text."""
    rows = "".join(f'<tr><th align="left">{entities.escape(a)}</th><td>{entities.escape(b)}</td></tr>' for a, b in header)
    return f"<p>{entities.escape(title)}</p>\n<table>{rows}</table>\n<div>{html}</div>"


def marked(stored: str) -> str:
    """What is sent below the text of a message: it is found again by `found_in`. "" for ""."""
    return f"{_BEGIN}\n<div>{stored}</div>\n{_END}" if stored else ""


def found_in(document: str) -> str:
    """What `marked` was given, "" if it is not there. Not safe: anybody can send such comments."""
    _above, _begin, rest = document.replace("\r\n", "\n").partition(f"{_BEGIN}\n<div>")
    kept, end, _below = rest.rpartition(f"</div>\n{_END}")
    return kept if end else ""


def above(document: str) -> str:
    """The part of a document that the writer wrote."""
    return document.partition(_BEGIN)[0]


def as_text(stored: str, picture: Callable[[str, str], str] | None = None) -> str:
    """The kept HTML as plain text, quoted if it was an answer; "" for "". `picture` as in `html_to_text`."""
    text = html_to_text(without_surrogates(stored), picture).rstrip()
    return f"{text[:TEXT_LIMIT]}\n[…]" if len(text) > TEXT_LIMIT else text
