"""Input limits: detects HTML that would take the parser minutes or gigabytes, and rewrites it before any library sees it.

html5ever (in nh3) walks the open elements for each new one, and repeats all open formatting elements in each paragraph, so
100 KB can cost minutes or gigabytes. Ordinary mail passes after two or three counts; the rest is rewritten by `flatten`, which
loses some of its layout.
"""

from __future__ import annotations

import html as entities
import re
from itertools import accumulate

INPUT_LIMIT = 1_000_000  # characters of HTML that are read
DATA_IMAGE_LIMIT = 200_000  # characters of one data: image
AMPERSAND_LIMIT = 100_000
TAG_LIMIT = 20_000  # number of "<" up to which nesting is cheap
OPEN_LIMIT = 8_000  # elements that nothing closes: a fifth of a second
REPEAT_LIMIT = 500_000  # formatting elements times tags
DEPTH_LIMIT = 256  # browsers stop at 512

_FORMATTING = re.compile(  # character classes for both cases: re.I takes three times as long
    "<(?=[bceifnstuBCEIFNSTU])(?:"
    + "|".join(
        "".join(f"[{letter}{letter.upper()}]" for letter in name)
        for name in ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
    )
    + r")([\s/>])"
)
_LARGE_DATA = re.compile(rf"data:image/[a-z.+-]{{1,20}};base64,[A-Za-z0-9+/=\s]{{{DATA_IMAGE_LIMIT},}}", re.I)
_LONG_TAG = re.compile(r"<[a-zA-Z](?:[^<>\s/]*[\s/]){5000}")
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)", re.S)
_RAW_TEXT = re.compile(
    r"<(script|style|title|textarea|xmp|iframe|noembed|noframes|plaintext|svg|math|template|select)\b"
    r".*?(?:</\1\b[^<>]*>?|\Z)",
    re.S | re.I,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})((?:[\s/][^<>]*)?)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z][a-zA-Z-]{0,30})\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'|([^\s\"'<>=`]+))")
_VOID = frozenset(("area", "br", "col", "hr", "img", "wbr"))
_STEP = re.compile(rf"<(/|(?:{'|'.join(sorted(_VOID))})\b|)")
_STEPS = {"/": -1, "": 1} | dict.fromkeys(_VOID, 0)
_NAMES = (
    "a abbr address area b big blockquote br caption center cite code col colgroup dd del div dl dt em figcaption figure font "
    "h1 h2 h3 h4 h5 h6 hr i img ins li main map ol p pre q s section small span strike strong sub sup table tbody td tfoot th "
    "thead tr tt u ul wbr"
)
_KEPT = frozenset(_NAMES.split())
# Written as <span>, because the parser repeats formatting elements.
_AS_STYLE = {
    "b": "font-weight:bold", "strong": "font-weight:bold", "i": "font-style:italic", "em": "font-style:italic",
    "u": "text-decoration:underline", "s": "text-decoration:line-through", "strike": "text-decoration:line-through",
    "big": "font-size:larger", "small": "font-size:smaller", "code": "font-family:monospace", "tt": "font-family:monospace",
    "font": "", "nobr": "white-space:nowrap",
}  # fmt: skip
_CLOSES_ITSELF = {"p": {"p"}, "li": {"li"}, "td": {"td", "th"}, "th": {"td", "th"}, "tr": {"tr", "td", "th"},
                  "dd": {"dd", "dt"}, "dt": {"dd", "dt"}}  # fmt: skip


def bounded(html: str) -> str:
    """The HTML itself if it is cheap to parse, else a flattened copy (no style sheets, at most 256 levels)."""
    if len(html) > DATA_IMAGE_LIMIT:
        html = _LARGE_DATA.sub("data:,", html)
    html = html[:INPUT_LIMIT]
    if html.count("&") > AMPERSAND_LIMIT:  # nh3 takes quadratic time for these in one run of text
        html = html.replace("&", "+")
    return flatten(html) if _costly(html) else html


def is_cut(html: str) -> bool:
    """Whether `bounded` truncates this HTML."""
    return len(html) > INPUT_LIMIT and len(_LARGE_DATA.sub("data:,", html)) > INPUT_LIMIT


def _costly(html: str) -> bool:
    if len(html) > 100_000 and max(map(len, html.split("<"))) > 5000 and _LONG_TAG.search(html):
        return True  # each attribute is compared with all before it
    tags = html.count("<")
    if tags <= 700:  # even the worst case is quick
        return False
    if tags > TAG_LIMIT:
        return True
    lines = html.count("<br") + html.count("<BR")
    if tags - 2 * html.count("</") - lines > OPEN_LIMIT:  # all of them may lie one in another
        return True
    # The parser repeats at most three identical ones, so those without attributes hardly count.
    ends = _FORMATTING.findall(html)
    bare = ends.count(">")
    distinct = len(ends) - bare + min(bare, 40)
    return distinct * tags > REPEAT_LIMIT


def too_deep(html: str) -> bool:
    """Whether serialized HTML (every element closed) nests more than DEPTH_LIMIT levels."""
    if html.count("<") <= DEPTH_LIMIT:
        return False
    return max(accumulate(map(_STEPS.__getitem__, _STEP.findall(html)))) > DEPTH_LIMIT


def flatten(html: str) -> str:
    """Rewrite the HTML with every element closed in order, at most DEPTH_LIMIT levels, formatting as <span>. Linear time.

    Not a parser: it may misread malformed HTML; its output is sanitized afterwards like any other.
    """
    html = _RAW_TEXT.sub("", _HIDDEN.sub("", html))
    out: list[str] = []
    stack: list[str] = []  # open elements as written; formatting elements as "span"
    names: list[str] = []  # the same as read
    end = 0
    for tag in _TAG.finditer(html):
        out.append(_text(html[end : tag.start()]))
        end = tag.end()
        name = tag[2].lower()
        if name not in _KEPT:
            continue
        if tag[1]:
            _close(name, names, stack, out)
            continue
        if names and names[-1] in _CLOSES_ITSELF.get(name, ()):
            _close(names[-1], names, stack, out)
        if name in _VOID:
            out.append(f"<{name}{_attributes(tag[3])}>")
        elif len(stack) < DEPTH_LIMIT - 6:  # the parser adds tbody, tr and the like itself
            written = "span" if name in _AS_STYLE else name
            out.append(f"<{written}{_attributes(tag[3], _AS_STYLE.get(name, ''))}>")
            names.append(name)
            stack.append(written)
    out.append(_text(html[end:]))
    out.extend(f"</{name}>" for name in reversed(stack))
    return "".join(out)


def _close(name: str, names: list[str], stack: list[str], out: list[str]) -> None:
    """Close the innermost `name` and all inside it; does nothing if it isn't among the innermost 64."""
    for place in range(len(names) - 1, max(len(names) - 65, -1), -1):
        if names[place] == name:
            out.extend(f"</{stack[inner]}>" for inner in range(len(stack) - 1, place - 1, -1))
            del names[place:], stack[place:]
            return


def _text(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _attributes(source: str, style: str = "") -> str:
    if not source and not style:
        return ""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(source[:4000]):
        found.setdefault(match[1].lower(), entities.unescape(match[2] or match[3] or match[4] or ""))
    if style:
        found["style"] = f"{style};{found.get('style', '')}"
    return "".join(f' {name}="{entities.escape(value)}"' for name, value in found.items())
