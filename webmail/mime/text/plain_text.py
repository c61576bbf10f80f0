"""Plain text: decodes text bodies, renders them as safe HTML, quotes them, and encodes format=flowed (RFC 3676)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from webmail.mail import Part
from webmail.mime.charsets import decode_bytes, without_surrogates
from webmail.mime.formats.enriched_text import RICH_TYPES, enriched_to_text
from webmail.mime.html.linkify import linkify
from webmail.mime.html.to_text import html_to_text
from webmail.mime.transfer_encoding import TransferDecoder, decode_transfer

__all__ = [
    "TransferDecoder", "content", "decode_text", "decode_transfer", "flow", "html_to_text", "quote", "to_html", "unflow", "wrap",
]  # fmt: skip

SHOWN_LIMIT = 500_000  # characters of a body that a page shows
DEPTH_LIMIT = 20  # levels of quoting that are distinguished
LONG_QUOTE = 6  # lines; a longer quote at the end is collapsed
FLOW_WIDTH = 76
SIGNATURE = "-- "

# as browsers do (WHATWG HTML, section 13.2.3.2), but simplified
_CHARSET_IN_HTML = re.compile(rb"<meta\b[^>]{0,200}?\bcharset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.-]{1,40})", re.I)
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKS = re.compile(">(?: ?>)*")
_WORDS = re.compile(r"[^ ]+ *| +")


def decode_text(data: bytes, encoding: str, charset: str) -> str:
    """Decode a part's content to text: LF line ends, no NUL or other controls. Never raises."""
    text = decode_bytes(decode_transfer(data, encoding), charset)
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def content(data: bytes, part: Part) -> str:
    """Decode a part's content to text. HTML without a charset in its header may declare it in <meta>; text/enriched becomes
    plain text."""
    if part.type == "text/html" and part.charset.lower() in ("", "us-ascii"):  # servers report us-ascii if the header has none
        data = decode_transfer(data, part.encoding)
        told = _CHARSET_IN_HTML.search(data[:2048])
        return decode_text(data, "", told[1].decode("ascii") if told else "")
    found = decode_text(data, part.encoding, part.charset)
    return enriched_to_text(found, part.type) if part.type in RICH_TYPES else found


# --- parsing -------------------------------------------------------------------------------------------------------


def read(text: str, *, flowed: bool = False, delsp: bool = False) -> Iterator[tuple[int, str]]:
    """Parse lines as (quote depth, text); with `flowed`, paragraphs are rejoined (RFC 3676 sections 4.1-4.5)."""
    if not flowed:
        for line in text.split("\n"):
            yield _unquote(line)
        return
    depth = -1
    joined: list[str] = []  # the paragraph being collected
    for line in text.split("\n"):
        here, body = _unquote_flowed(line, depth if joined else -1)
        if joined and here != depth:  # a soft line break before another depth is an error: the paragraph ends (section 4.5)
            yield depth, "".join(joined)
            joined = []
        depth = here
        if body.endswith(" ") and body != SIGNATURE:
            joined.append(body[:-1] if delsp else body)
            continue
        if body == SIGNATURE and joined:
            yield depth, "".join(joined)
            joined = []
        yield depth, "".join([*joined, body])
        joined = []
    if joined:
        yield depth, "".join(joined)


def _unquote_flowed(line: str, collecting: int) -> tuple[int, str]:
    """Strip the quote marks of a flowed line and its stuffed space: (depth, text).

    "> > a" is a quote of a quote, as programs write that put "> " before lines that were quoted already; but not where it goes
    on a paragraph at depth `collecting` (-1: none).
    """
    strict = len(line) - len(line.lstrip(">"))
    if strict and strict != collecting and (marks := _MARKS.match(line)):
        return marks[0].count(">"), line[marks.end() :].removeprefix(" ")
    return strict, line[strict:].removeprefix(" ")


def _unquote(line: str) -> tuple[int, str]:
    """Strip the quote marks that mail clients write (">> a", "> > a"): returns (depth, text)."""
    depth = 0
    while line[:1] == ">":
        depth += 1
        line = line[1:]
        if line[:2] == " >" and depth < DEPTH_LIMIT:
            line = line[1:]
        elif depth >= DEPTH_LIMIT:
            break
    return depth, line.removeprefix(" ") if depth else line


def unflow(text: str, *, delsp: bool = False) -> str:
    """Decode format=flowed: each paragraph on one line, quotes as "> "."""
    return "\n".join(_quoted(depth, line) for depth, line in read(text, flowed=True, delsp=delsp))


def _quoted(depth: int, line: str) -> str:
    if not depth:
        return line
    return ">" * depth + (f" {line}" if line else "")


# --- writing -------------------------------------------------------------------------------------------------------


def quote(text: str) -> str:
    """Quote a text for a reply: ">" before lines that are quotes already, "> " before the rest (RFC 3676 section 4.5)."""
    return "\n".join(f">{line}" if line.startswith(">") or not line else f"> {line}" for line in text.rstrip("\n").split("\n"))


def flow(text: str) -> str:
    """Encode a text with long lines as format=flowed (RFC 3676 section 4.2), LF line ends.

    Lines that begin with ">" remain quotes; trailing spaces are removed, since they would mean a soft line break.
    """
    return "\n".join(piece for line in text.split("\n") for piece in _flow_line(line))


def _flow_line(line: str) -> Iterator[str]:
    if line == SIGNATURE:
        yield line
        return
    depth = len(line) - len(line.lstrip(">"))
    body = line[depth:].removeprefix(" ") if depth else line
    prefix = ">" * depth
    for piece in _broken(body.rstrip(" "), FLOW_WIDTH - depth):
        # A line that would begin with a space, ">" or "From " is space-stuffed; quoted lines always are (section 4.4).
        stuffed = " " if (depth and piece) or piece.startswith((" ", ">", "From ")) else ""
        yield f"{prefix}{stuffed}{piece}"


def _broken(line: str, width: int) -> Iterator[str]:
    """Split a line after spaces, so that the pieces joined give the line again; longer words are not split."""
    if len(line) <= width:
        yield line
        return
    piece: list[str] = []
    size = 0
    for match in _WORDS.finditer(line):
        word = match[0]
        # "-- " alone on a line would start a signature
        if size and size + len(word.rstrip(" ")) > width and piece != [SIGNATURE]:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(word)
        size += len(word)
    yield "".join(piece)


def wrap(text: str, width: int = 72) -> str:
    """Wrap long lines at spaces for readers without format=flowed; quote marks are repeated, longer words are not split."""
    lines = []
    for line in text.split("\n"):
        depth, body = _unquote(line)
        if len(line) <= width:
            lines.append(line)
        else:
            lines += [_quoted(depth, piece.rstrip()) for piece in _broken(body, max(width - depth - 1, 20))]
    return "\n".join(lines)


# What Outlook writes above a quoted message, whose lines have no quote marks
_ORIGINAL = re.compile(
    r"-{2,20} ?(?:message d['’]origine|message original|original message|ursprüngliche nachricht|mensaje original|"
    r"messaggio originale) ?-{2,20}\s*\Z",
    re.I,
)
_RULE = re.compile(r"_{20,80}\s*\Z")
_WRITER = re.compile(r"(?:De|From|Von|Da) ?: ?\S")

# --- rendering -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    """Consecutive lines of one kind: "text", "quote", "signature", or "original" (a quoted message without quote marks)."""

    kind: str
    lines: list[tuple[int, str]] = field(default_factory=list)

    @property
    def blank(self) -> bool:
        return not any(line.strip(" _\t\r") for _depth, line in self.lines)


def to_html(
    text: str,
    *,
    flowed: bool = False,
    delsp: bool = False,
    quote_label: str = "…",
    cut_label: str = "[…]",
    fold: bool = True,
    limit: int = SHOWN_LIMIT,
) -> str:
    """Render plain text as safe HTML, for `white-space: pre-wrap`: everything is escaped, line ends are <br>.

    Quotes become nested <blockquote>; with `fold` a long one at the end is wrapped in <details class="quote"> with `quote_label`
    as its summary; the signature becomes <div class="signature">. What exceeds `limit` characters is replaced by
    <p class="cut">`cut_label`</p>.
    """
    cut = len(text) > limit
    blocks = _blocks(read(without_surrogates(text[:limit]), flowed=flowed, delsp=delsp))
    folded = _long_last_quote(blocks) if fold else -1
    out = []
    for place, block in enumerate(blocks):
        if block.kind in ("quote", "original"):
            inner = _blockquotes(block.lines)
            if place == folded:
                inner = f'<details class="quote"><summary>{html.escape(quote_label)}</summary>{inner}</details>'
            out.append(inner)
        elif block.kind == "signature":
            out.append(f'<div class="signature">{_joined(block.lines)}</div>')
        else:
            out.append(_joined(block.lines))
    if cut:
        out.append(f'<p class="cut">{html.escape(cut_label)}</p>')
    return "".join(out)


def _blocks(lines: Iterator[tuple[int, str]]) -> list[_Block]:
    blocks: list[_Block] = []
    ruled = False  # a rule with "From:" below it starts the quoted message too
    for depth, line in lines:
        first = line[:1]
        begins = not depth and ((first == "-" and _ORIGINAL.match(line)) or (ruled and _WRITER.match(line)))
        if (begins and any(not block.blank for block in blocks)) or (blocks and blocks[-1].kind == "original"):
            kind = "original"
        elif depth:
            kind = "quote"
        elif line == SIGNATURE or (blocks and blocks[-1].kind == "signature"):
            kind = "signature"
        else:
            kind = "text"
        ruled = bool(first == "_" and _RULE.match(line)) or (ruled and not line.strip())
        if not blocks or blocks[-1].kind != kind:
            blocks.append(_Block(kind))
        blocks[-1].lines.append((min(depth + (kind == "original"), DEPTH_LIMIT), line))
    return blocks


def _long_last_quote(blocks: list[_Block]) -> int:
    """Index of a long quote that ends the text, with something written before it; -1 if there is none."""
    for place in range(len(blocks) - 1, -1, -1):
        block = blocks[place]
        if block.kind in ("quote", "original"):
            written = any(not earlier.blank for earlier in blocks[:place])
            return place if written and len(block.lines) > LONG_QUOTE else -1
        if block.kind == "text" and not block.blank:
            return -1
    return -1


def _blockquotes(lines: list[tuple[int, str]]) -> str:
    out: list[str] = []
    level = 0
    run: list[tuple[int, str]] = []
    for depth, line in [*lines, (0, "")]:
        if depth != level:
            if run:
                out.append(_joined(run))
                run = []
            out.append("<blockquote>" * (depth - level) if depth > level else "</blockquote>" * (level - depth))
            level = depth
        run.append((depth, line))
    return "".join(out)


def _joined(lines: list[tuple[int, str]]) -> str:
    # <br>, not line ends: a browser without CSS would join the lines
    return linkify("\n".join(line for _depth, line in lines)).replace("\n", "<br>")
