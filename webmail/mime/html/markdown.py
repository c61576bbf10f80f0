"""Markdown: renders the formatted text people type to HTML that mail clients display well.

CommonMark with tables, strike-through and bare links. What would surprise in a mail is off: HTML, remote images (attached ones
are shown, see `markdown_images.py`), headings by underlining, code by indenting, and link definitions, whose lines would vanish.
Line ends are kept. Styles are attributes, since many clients drop style sheets; nh3 then allows only what is generated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.linkify import SCHEME_RE, linkify
from markdown_it.token import Token

from webmail.mime.charsets import without_surrogates
from webmail.mime.html import markdown_images
from webmail.mime.html.link_claims import claimed_host

LONGEST = 20_000  # characters; a longer text is shown as typed: parsing it would take seconds
MOST_LINKS = 300  # link starts in a text that is parsed: each may be compared with all that follows it

_GREY = "#6a645b"
_CELL = "border:1px solid #d8d0c4;padding:4px 8px"
STYLES = {
    "blockquote": f"margin:8px 0;padding-left:12px;border-left:3px solid #d8d0c4;color:{_GREY}",
    "code": "font-family:monospace",
    "pre": "font-family:monospace;background:#f4f0ea;padding:8px 12px;white-space:pre-wrap",
    "table": "border-collapse:collapse",
    "th": _CELL,
    "td": _CELL,
    "hr": "border:0;border-top:1px solid #d8d0c4",
    "img": "max-width:100%;height:auto",
}
_BODY = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5"
_ALIGNED = tuple(f"text-align:{side}" for side in ("left", "center", "right"))
_ALLOWED = {*STYLES.values(), *(f"{_CELL};{aligned}" for aligned in _ALIGNED)}
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_FENCE = re.compile(r" {0,3}(?:>[ >]*)?(`{3,}|~{3,})")
_MARKS = re.compile(r"(?:> ?)*")
_DEEPEST = 15  # nested quotes; beyond its own limit the parser drops the text
_ABSOLUTE = re.compile(r"https?://[^\s/?#\\]|mailto:", re.I)  # relative URLs would mean something else to the recipient
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def _bare_link(state: StateInline, silent: bool) -> bool:
    """The library's rule, skipped during lookahead: there `pending` is not the preceding text, and the rule would raise."""
    scheme = SCHEME_RE.search(state.pending) if state.src.startswith("://", state.pos) else None
    return scheme is not None and state.src.endswith(scheme[1], 0, state.pos) and linkify(state, silent)


_READER = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": True, "maxNesting": 100})
_READER.enable(["table", "strikethrough", "linkify"])
_READER.disable(["code", "lheading", "reference", "html_block", "html_inline"])
_READER.inline.ruler.at("image", markdown_images.rule)
_READER.inline.ruler.at("linkify", _bare_link)
_READER.add_render_rule("fence", lambda _self, tokens, at, _options, _env: _block(tokens[at].content))


def to_html(text: str, visible: Mapping[str, str] | None = None, used: set[str] | None = None) -> str:
    """Render a text (LF line ends) to HTML that is safe to show and send. Never raises.

    `visible` maps `markdown_images.key` of the message's own images to their URLs ("cid:..."); the keys of those used in the
    text are added to `used`.
    """
    text = without_surrogates(text.replace("\0", ""))
    wanted: markdown_images.ImageReferences = {"pictures": visible or {}, "used": set() if used is None else used}
    if not is_read(text):
        return _block(text)
    tokens = _READER.parse("\n".join(_separated(text.split("\n"))), wanted)  # type: ignore[arg-type]
    for token in tokens:
        if token.children:
            token.children = list(_honest(token.children))
    _style(tokens)
    return nh3.clean(
        _READER.renderer.render(tokens, _READER.options, {}),
        tags=_TAGS,
        attributes={"*": {"style"}, "a": {"href"}, "ol": {"start"}, "img": {"src", "alt"}},
        attribute_filter=_allowed_attribute,
        url_schemes={"http", "https", "mailto", "cid"},
        link_rel=None,
    )


def on_page(text: str, pictures: Mapping[str, str] | None = None) -> str:
    """As `to_html`, for a page of ours: without styles, which its policy refuses. `pictures`: addresses of ours by their key."""
    names = {name: f"cid:{number}" for number, name in enumerate(pictures or {})}
    html = nh3.clean(
        to_html(text, names), tags=_TAGS, attributes={"a": {"href"}, "ol": {"start"}, "img": {"src", "alt"}},
        url_schemes={"http", "https", "mailto", "cid"}, link_rel="noopener noreferrer",
    )  # fmt: skip
    addresses = list((pictures or {}).values())
    return re.sub(r'src="cid:(\d+)"', lambda found: f'src="{escapeHtml(addresses[int(found[1])])}"', html)


def is_read(text: str) -> bool:
    """Whether a text is short enough to be rendered; any other is shown as typed."""
    return len(text) <= LONGEST and text.count("://") + text.count("[") <= MOST_LINKS


def document(
    text: str, language: str = "", visible: Mapping[str, str] | None = None, used: set[str] | None = None, below: str = ""
) -> str:
    """A message's complete HTML document; `language` is an RFC 5646 tag, ignored if invalid. `below`: safe HTML that follows the
    text, as it is. The others as in `to_html`."""
    lang = f' lang="{language}"' if is_language(language) else ""
    return (
        f'<!DOCTYPE html>\n<html{lang}><head><meta charset="utf-8"></head>\n'
        f'<body><div style="{_BODY}">\n{to_html(text, visible, used)}</div>{below}</body></html>\n'
    )


def is_language(tag: str) -> bool:
    return len(tag) <= 35 and _LANGUAGE.fullmatch(tag) is not None


def _separated(lines: list[str]) -> Iterator[str]:
    """The lines, with an empty one inserted where a quote ends or becomes less deep.

    CommonMark would take a reply that directly follows a quoted line for its continuation ("lazy continuation"), and so
    attribute our words to somebody else.
    """
    before, fence = 0, ""
    for typed in lines:
        marks = "" if fence and before == 0 else _MARKS.match(typed)[0]  # type: ignore[index]
        depth = min(marks.count(">"), _DEEPEST)
        line = typed if depth < _DEEPEST else ">" * depth + f" {typed[len(marks) :]}"
        if depth < before and line.strip("> "):
            yield ">" * depth
        if depth < before:
            fence = ""  # a code block inside a quote ends with it
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        before = depth
        yield line


def _block(text: str) -> str:
    return f'<pre style="{STYLES["pre"]}">{escapeHtml(text)}</pre>\n'


def _honest(tokens: list[Token]) -> Iterator[Token]:
    """A line's tokens; a link whose text names another site becomes that text followed by its URL: it may come from a quoted
    message, and would be sent in the name of the one who quotes it."""
    opened: Token | None = None
    inside: list[Token] = []
    for token in tokens:
        if token.type == "link_open":
            opened, inside = token, []
        elif opened is None:
            yield token
        elif token.type != "link_close":
            inside.append(token)
        else:
            address = str(opened.attrs.get("href", ""))
            if claimed_host("".join(one.content for one in inside), address):
                yield from (*inside, _text_token(" <"), opened, _text_token(address), token, _text_token(">"))
            else:
                yield from (opened, *inside, token)
            opened = None


def _text_token(text: str) -> Token:
    return Token("text", "", 0, content=text)


def _style(tokens: list[Token]) -> None:
    for token in tokens:
        if token.children:
            _style(token.children)
        if token.nesting >= 0 and token.tag in STYLES:
            aligned = str(token.attrs.pop("style", ""))
            token.attrs["style"] = ";".join(filter(None, (STYLES[token.tag], aligned)))


def _allowed_attribute(_tag: str, name: str, value: str) -> str | None:
    if name in ("src", "href"):
        if name == "src":
            return value if value[:4].lower() == "cid:" else None  # a part of the message
        return value if _ABSOLUTE.match(value) else None
    if name == "style":
        return value if value in _ALLOWED else None
    if name == "start":
        return value if re.fullmatch(r"\d{1,9}", value) else None
    return value
