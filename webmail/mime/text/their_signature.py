"""Their signature: takes the sender's signature out of a text or an HTML that is about to be quoted.

In text it follows a line of two hyphens (RFC 3676 section 4.3). In HTML, programs mark it with a class or an id. Lines such as
"Sent from my iPhone" go too. The HTML is cut before it is sanitized: what goes wrong here can only cost words of a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from webmail.mime.html.to_text import html_to_text

_LONGEST = 20  # lines below "-- "
_LONGEST_BARE = 8  # lines below "--", which is a dash to some
_LONGEST_HTML = 20_000  # characters of a marked element
_MOST = 50  # lines of hyphens looked at, and signatures cut from one HTML
_LOOKED_AT = 40  # lines below "-- " among which a quotation may begin
_ATTRIBUTION = 3  # lines: "On ..., Bob wrote:" may be broken

_DEVICE_NAMES = (
    r"sent (?:from|with|via) (?:my|mail|outlook|yahoo|gmail|samsung|proton|mobile|an? )|"
    r"envoy(?:é|&eacute;|&#233;|&#xe9;)e? (?:de|depuis|à partir de|avec) (?:mon|ma|l['’]|mail|outlook|yahoo|gmail|un )|"
    r"get outlook for |t(?:é|&eacute;|&#233;|&#xe9;)l(?:é|&eacute;|&#233;|&#xe9;)charge[rz] outlook |obtene[zr] outlook |"
    r"obtenir outlook |provenance\s?: courrier pour |von meinem [^<>\n]{1,40} gesendet|"
    r"gesendet von |inviato da[l ]|enviado desde "
)
_DEVICE_LINE = re.compile(rf"\s*(?:{_DEVICE_NAMES})[^\n]{{0,80}}\Z", re.I)
_QUOTE = re.compile(r">|-{2,20} ?(?:forwarded|original|message)|_{20,}", re.I)


def cut_text(text: str) -> str:
    """The text without the sender's signature; what the sender quotes below it stays. The text itself if nothing else is left."""
    lines = text.split("\n")
    dashes = islice((at for at, line in enumerate(lines) if line in ("-- ", "--")), _MOST)
    start = next((at for at in dashes if _is_signature(lines, at)), None)
    if start is not None:
        lines = _tidy(lines[:start], lines[_end(lines, start) :])
    following = [*lines[1:], ""]
    pairs = zip(lines, following, strict=True)
    kept = "\n".join(line for line, below in pairs if not (_ends(below) and _DEVICE_LINE.match(line))).rstrip()
    return kept if kept.strip() and kept != text.rstrip() else text


def _ends(below: str) -> bool:
    """Whether a line with this one below it is the last of a paragraph: otherwise its words are the sender's own."""
    return not below.strip() or bool(_QUOTE.match(below))


def _is_signature(lines: list[str], at: int) -> bool:
    size = _end(lines, at) - at - 1
    return 0 < size <= (_LONGEST if lines[at] == "-- " else _LONGEST_BARE)


def _end(lines: list[str], start: int) -> int:
    """The line after the signature: the end, or where the line above the sender's own quotation begins."""
    near = range(start + 1, min(len(lines), start + _LOOKED_AT))
    quote = next((at for at in near if _QUOTE.match(lines[at])), None)
    if quote is None:
        return len(lines)
    at = quote
    while at > start + 1 and not lines[at - 1].strip():
        at -= 1
    if not lines[at - 1].rstrip().endswith(":") or not lines[quote].startswith(">"):
        return quote
    for above in range(at - 1, max(start, at - 1 - _ATTRIBUTION), -1):
        if not lines[above].strip():
            return above + 1
    return at - 1 if at - 1 > start else quote


def _tidy(above: list[str], below: list[str]) -> list[str]:
    """Both parts with one empty line between them."""
    parts = ["\n".join(part).strip("\n") for part in (above, below)]
    return "\n\n".join(part for part in parts if part.strip()).split("\n")


# --- HTML ----------------------------------------------------------------------------------------------------------

_TAG = re.compile(r"<(/?)(div|span|p|pre|table|section|td)\b([^<>]{0,2000})>", re.I)
_NAMED = re.compile(r"(?:class|id)\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.I)
_MARKS = {
    "gmail_signature", "gmail_signature_prefix", "moz-signature", "applemailsignature", "ms-outlook-mobile-signature",
    "protonmail_signature_block", "ymail_signature", "yahoo_signature", "_rc_sig", "signature",
}  # fmt: skip
_DASHES = re.compile(r"\s{0,20}--(?:\s|&nbsp;|&#160;){0,5}<br", re.I)
_DEVICE = re.compile(rf"\s{{0,50}}(?:{_DEVICE_NAMES})[^<>]{{0,80}}(?:<a\b[^<>]{{0,500}}>[^<>]{{0,80}}</a>\s{{0,20}})?</", re.I)
_QUOTATION = re.compile(r"<blockquote\b|gmail_quote|divRplyFwdMsg", re.I)


def cut_html(html: str) -> str:
    """The HTML without the elements that programs mark as signatures. The HTML itself if no words are left. Linear time."""
    kept, at = [], 0
    for start, end in _signatures(html):
        kept.append(html[at:start])
        at = end
    if not kept:
        return html
    rest = "".join(kept) + html[at:]
    return rest if html_to_text(rest).strip() else html


def _signatures(html: str) -> Iterator[tuple[int, int]]:
    """The spans of marked elements, up to _MOST, each at most _LONGEST_HTML long and without a quotation in it."""
    name, start, depth, found = "", 0, 0, 0
    for tag in _TAG.finditer(html):
        closes, kind = bool(tag[1]), tag[2].lower()
        if name and tag.start() - start > _LONGEST_HTML:
            name = ""
        if not name:
            if not closes and found < _MOST and _begins(html, tag):
                name, start, depth = kind, tag.start(), 1
        elif kind == name:
            depth += -1 if closes else 1
            if not depth:
                name = ""
                if not _QUOTATION.search(html, start, tag.end()):
                    found += 1
                    yield start, tag.end()


def _begins(html: str, tag: re.Match[str]) -> bool:
    if "sig" in tag[3].lower() and any(_is_mark(name) for found in _NAMED.findall(tag[3]) for name in "".join(found).split()):
        return True
    return tag[2].lower() != "td" and bool(_DASHES.match(html, tag.end()) or _DEVICE.match(html, tag.end()))


def _is_mark(name: str) -> bool:
    """Whether a class or id is that of a signature; webmails put "x_" before those of what they quote."""
    return name.lower().removeprefix("x_") in _MARKS
