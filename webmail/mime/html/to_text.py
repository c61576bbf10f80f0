"""HTML to text: converts HTML mail to readable plain text, for replies and for users who prefer text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import unquote

import nh3

from webmail.mime.charsets import without_surrogates
from webmail.mime.html.input_limits import bounded, flatten, too_deep
from webmail.mime.html.linkify import web_address

TEXT_LIMIT = 500_000  # characters of output
DEPTH_LIMIT = 10  # levels of quoting

_BLOCK_NAMES = (
    "address blockquote caption center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre "
    "section table td th tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_PARAGRAPHS = _BLOCKS - frozenset(("address", "caption", "center", "dd", "div", "dt", "figcaption", "figure", "footer", "header",
                                   "hr", "li", "main", "section", "td", "th", "tr"))  # fmt: skip
_OTHERS = frozenset(("a", "br", "img"))
_DROPPED = "script style title head textarea select button object iframe noframes svg math template"
# nh3 first: it gives html.parser a small and well-formed document, whatever the input.
_SIMPLIFY = nh3.Cleaner(
    tags=_BLOCKS | _OTHERS,
    clean_content_tags=set(_DROPPED.split()),
    attributes={"a": {"href"}, "img": {"alt"}, "ol": {"start"}},
    link_rel=None,
    url_schemes={"http", "https", "mailto"},
)
_WITH_PICTURES = nh3.Cleaner(
    tags=_BLOCKS | _OTHERS,
    clean_content_tags=set(_DROPPED.split()),
    attributes={"a": {"href"}, "img": {"alt", "src"}, "ol": {"start"}},
    link_rel=None,
    url_schemes={"http", "https", "mailto", "cid"},
)
_SPACE = re.compile(r"[ \t\n\r\f]+")


def html_to_text(html: str, picture: Callable[[str, str], str] | None = None) -> str:
    """Readable text: paragraphs, "- " lists, "text <URL>" for links, "> " for quotes. Bounded; never raises.

    `picture` maps an embedded image's Content-ID and alt text to its replacement; "" treats it like any other image.
    """
    cleaner = _WITH_PICTURES if picture else _SIMPLIFY
    simple = cleaner.clean(bounded(without_surrogates(html)))
    if too_deep(simple):
        simple = cleaner.clean(flatten(simple))
    writer = _Writer(picture)
    writer.feed(simple)
    writer.close()
    return writer.text()


class _Writer(HTMLParser):
    """Collects lines; white space is collapsed as in a browser, except in <pre>."""

    def __init__(self, picture: Callable[[str, str], str] | None = None) -> None:
        super().__init__(convert_charrefs=True)
        self._picture = picture
        self._lines: list[str] = []
        self._line: list[str] = []
        self._size = 0
        self._gap = False  # an empty line is needed before the next text
        self._quotes = 0
        self._pre = 0
        self._lists: list[int] = []  # the next number of each open list, 0 for bullets
        self._links: list[tuple[str, int]] = []  # URL, and how many pieces the line had at its start
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "br":
            self._end_line(keep_empty=True)
        elif tag == "a":
            self._links.append((web_address(values.get("href", "")), len(self._line)))
        elif tag == "img":
            self._add(self._for_picture(values.get("src", "").strip(), values.get("alt", "").strip()))
        elif tag in ("td", "th"):
            self._cells += 1
            if self._line and self._cells > 1:
                self._add("  ")
        elif tag in _BLOCKS:
            self._start_block(tag, values)

    def _for_picture(self, address: str, text: str) -> str:
        carried = address[:4].lower() == "cid:" and self._picture and self._size <= TEXT_LIMIT
        made = self._picture(unquote(address[4:])[:1000], text) if carried and self._picture else ""
        return made or (f"[{text}]" if text else "")

    def _start_block(self, tag: str, values: dict[str, str]) -> None:
        self._end_line()
        self._gap = self._gap or (tag in _PARAGRAPHS and not self._lists)
        if tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._pre += 1
        elif tag == "tr":
            self._cells = 0
        elif tag in ("ul", "ol"):
            start = values.get("start", "1")
            self._lists.append((int(start) if start.isdigit() and len(start) < 6 else 1) if tag == "ol" else 0)
        elif tag == "li":
            self._start_item()
        elif tag == "hr":
            self._add("-" * 40)
            self._end_line()

    def _start_item(self) -> None:
        mark = "- "
        if self._lists and self._lists[-1]:
            mark = f"{self._lists[-1]}. "
            self._lists[-1] += 1
        self._add("  " * min(len(self._lists) - 1, DEPTH_LIMIT) + mark)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            address, start = self._links.pop()
            shown = "".join(self._line[start:]).strip()
            if address and address.rstrip("/") not in (shown.rstrip("/"), f"http://{shown}", f"https://{shown}"):
                self._add(f" <{address}>" if shown else f"<{address}>")
        elif tag in ("td", "th"):
            pass  # the cells of a row stay on its line
        elif tag in _BLOCKS:
            self._end_line()
            self._gap = self._gap or (tag in _PARAGRAPHS and len(self._lists) <= 1)
            if tag == "blockquote":
                self._quotes = max(self._quotes - 1, 0)
            elif tag == "pre":
                self._pre = max(self._pre - 1, 0)
            elif tag in ("ul", "ol") and self._lists:
                self._lists.pop()

    def handle_data(self, data: str) -> None:
        if self._size > TEXT_LIMIT:
            return
        if self._pre:
            first, *rest = data.split("\n")
            self._add(first)
            for line in rest:
                self._end_line(keep_empty=True)
                self._add(line)
            return
        text = _SPACE.sub(" ", data)
        if text.startswith(" ") and (not self._line or self._line[-1].endswith(" ")):
            text = text[1:]
        self._add(text)

    def _add(self, text: str) -> None:
        if text and self._size <= TEXT_LIMIT:
            self._line.append(text)
            self._size += len(text)

    def _end_line(self, *, keep_empty: bool = False) -> None:
        line = "".join(self._line).rstrip()
        self._line.clear()
        self._links = [(address, 0) for address, _start in self._links]
        if not line.strip() and not (keep_empty and self._lines and not self._gap):
            return
        prefix = ">" * min(self._quotes, DEPTH_LIMIT)
        if self._gap and self._lines:
            last = self._lines[-1]
            between = ">" * min(len(last) - len(last.lstrip(">")), len(prefix))  # the quote prefix common to both lines
            if last not in ("", between):
                self._lines.append(between)
        self._gap = False
        self._lines.append(f"{prefix} {line}".rstrip() if prefix else line)

    def text(self) -> str:
        """The whole text, ending with LF; "" if there is none."""
        self._end_line()
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines).replace("\xa0", " ")).strip("\n")
        return f"{text}\n" if text else ""
