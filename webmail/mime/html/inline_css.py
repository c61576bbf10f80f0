"""Inline CSS: sanitizes style attributes by allow-list; tinycss2 parses them, properties and every value token are checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import tinycss2
from tinycss2 import ast

STYLE_LIMIT = 4000  # characters of one attribute
REMEMBERED = 600  # characters of an attribute that is cached

_COLOURS = "color background-color border-color border-top-color border-right-color border-bottom-color border-left-color"
_SIDES = ("top", "right", "bottom", "left")
PROPERTIES = frozenset(
    f"""{_COLOURS} background background-image background-position background-repeat background-size border
    {" ".join(f"border-{s} border-{s}-style border-{s}-width" for s in _SIDES)}
    border-style border-width border-collapse border-spacing border-radius border-top-left-radius border-top-right-radius
    border-bottom-left-radius border-bottom-right-radius box-sizing box-shadow caption-side clear direction display
    empty-cells float font font-family font-size font-style font-variant font-weight font-stretch height letter-spacing
    line-height list-style list-style-type list-style-position margin {" ".join(f"margin-{s}" for s in _SIDES)} max-height
    max-width min-height min-width opacity overflow overflow-wrap padding {" ".join(f"padding-{s}" for s in _SIDES)}
    table-layout text-align text-decoration text-decoration-color text-decoration-line text-decoration-style text-indent
    text-overflow text-shadow text-transform vertical-align visibility white-space width word-break word-spacing word-wrap
    """.split()
)
_NEGATIVE = frozenset(("background-position", "letter-spacing", "word-spacing", "vertical-align", "box-shadow", "text-shadow"))
_SHADOWS = frozenset(("box-shadow", "text-shadow"))
_FARTHEST = 48  # pixels of shadow offset: in print nothing is clipped, and a text shadow could overlay other content
_UNITS = frozenset(("px", "em", "rem", "ex", "ch", "pt", "pc", "cm", "mm", "in", "q", "vw"))
_FUNCTIONS = frozenset(("rgb", "rgba", "hsl", "hsla"))
_DECLARATION = re.compile(r"""((?:[^;"'()\\{}\[\]@]|"[^"\\\n]*"|'[^'\\\n]*'|\([^()"'\\;{}]*\))+)""")
_WORD = re.compile(r"[a-zA-Z-]{1,40}\Z")
_HASH = re.compile(r"[0-9a-fA-F]{3,8}\Z")
_FAMILY = re.compile(r"[\w .,-]{1,80}\Z")
_NOT_WORDS = frozenset(("inherit-all", "fixed", "sticky", "absolute", "expression", "behavior"))
_LARGEST = 10_000
_PIXELS = {"px": 1, "pt": 4 / 3}
_SMALLEST = tinycss2.parse_one_component_value("11px")
_PICTURES = ("background", "background-image")
_PLACE = re.compile(r"\0(\d+)\0")  # placeholder of an image URL in a declaration; CSS text holds no NUL
_OURS = re.compile(r"/[\w/.~=?&%+@:,-]*")

Link = Callable[[str], "str | None"]
_Cleaned = tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]


def clean_style(style: str, link: Link | None = None) -> tuple[str, frozenset[str]]:
    """Sanitize a style attribute: returns what is kept, and the remote URLs it names. Never raises.

    `link` maps the URL of a background image to ours, or None; without it all images are removed.
    """
    style = style[:STYLE_LIMIT]
    cleaned = _remembered(style) if len(style) <= REMEMBERED else _read(style)
    if cleaned.text is not None:
        return cleaned.text, cleaned.remote
    kept = [_with_pictures(each, pictures, link) for declarations, pictures, _remote in cleaned.pieces for each in declarations]
    return ";".join(filter(None, kept)), cleaned.remote


@dataclass(frozen=True, slots=True)
class _Style:
    """`text` is None if image URLs have yet to be filled in; `remote` are all remote URLs that the style names."""

    pieces: tuple[_Cleaned, ...]
    text: str | None
    remote: frozenset[str]


def _read(style: str) -> _Style:
    # Newsletters repeat a few declarations in many combinations: cache the result of each. Security does not depend on this
    # split being right, since every piece is parsed on its own.
    pieces = _DECLARATION.split(style)
    whole = "/*" in style or any(piece.strip(";") for piece in pieces[::2])
    cleaned = (_clean(style),) if whole else tuple(map(_clean, pieces[1::2]))
    text = None
    if not any(pictures for _declarations, pictures, _remote in cleaned):
        text = ";".join(each for declarations, _pictures, _remote in cleaned for each in declarations)
    return _Style(cleaned, text, frozenset().union(*(remote for _declarations, _pictures, remote in cleaned)))


_remembered = lru_cache(maxsize=4096)(_read)


def _with_pictures(declaration: str, pictures: tuple[str, ...], link: Link | None) -> str:
    if "\0" not in declaration:
        return declaration

    def replaced(match: re.Match[str]) -> str:
        ours = (link(pictures[int(match[1])]) if link else None) or ""
        return f"url({ours})" if _OURS.fullmatch(ours) else ""

    name, _colon, value = _PLACE.sub(replaced, declaration).partition(":")
    return f"{name}:{value.strip()}" if value.removesuffix("!important").strip() else ""


@lru_cache(maxsize=2048)
def _clean(style: str) -> _Cleaned:
    """The declarations to keep, the image URLs of their placeholders, and all remote URLs."""
    kept: list[str] = []
    pictures: list[str] = []
    remote: set[str] = set()
    for item in tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True):
        if item.type != "declaration":
            continue
        for token in item.value:
            remote.update(_addresses(token))
        name = item.lower_name
        if name not in PROPERTIES:
            continue
        tokens = [t for t in item.value if t.type != "comment"]
        if name in _PICTURES:
            tokens = [t for t in tokens if not _is_image(t) or _picture(t)]
        if name == "font-size":
            tokens = [_legible(t) for t in tokens]
        if value := _value(name, tokens, pictures):
            kept.append(f"{name}:{value}{'!important' if item.important else ''}")
    return tuple(kept), tuple(pictures), frozenset(remote)


def _value(name: str, tokens: list[ast.Node], pictures: list[str]) -> str:
    """The value serialized from its tokens, or "" if one of them is not allowed."""
    out: list[str] = []
    for token in tokens:
        if name in _PICTURES and (address := _picture(token)):
            out.append(f"\0{len(pictures)}\0")
            pictures.append(address)
            continue
        text = None if name in _SHADOWS and _far(token) else _token(token, name in _NEGATIVE)
        if text is None:
            return ""
        out.append(text)
    return "".join(out).strip()


def _far(token: ast.Node) -> bool:
    """Whether a length moves a shadow too far away, including any unit whose size in pixels is unknown."""
    if token.type != "dimension":
        return False
    return token.lower_unit not in _PIXELS or abs(token.value) * _PIXELS[token.lower_unit] > _FARTHEST


def _legible(token: ast.Node) -> ast.Node:
    """Raise small print to a legible 11 px. Below 5 px the text is meant to be hidden, and stays so."""
    pixels = token.value * _PIXELS[token.lower_unit] if token.type == "dimension" and token.lower_unit in _PIXELS else 0
    return _SMALLEST if 5 <= pixels < 11 else token


def _token(token: ast.Node, negative: bool) -> str | None:
    """One token as text; None if it is not known to be harmless."""
    kind = token.type
    if kind == "whitespace":
        return " "
    if kind == "ident":
        return token.value if _WORD.match(token.value) and token.lower_value not in _NOT_WORDS else None
    if kind in ("number", "percentage", "dimension"):
        return _number(token, negative)
    if kind == "hash":
        return f"#{token.value}" if _HASH.match(token.value) else None
    if kind == "literal":
        return token.value if token.value in ",/" else None
    if kind == "string":
        return f"'{token.value}'" if _FAMILY.match(token.value) else None
    if kind == "function" and token.lower_name in _FUNCTIONS:
        return _colour(token)
    return None


def _number(token: ast.Node, negative: bool) -> str | None:
    if not -_LARGEST <= token.value <= _LARGEST or (token.value < 0 and not negative):
        return None
    unit = "%" if token.type == "percentage" else ""
    if token.type == "dimension":
        unit = token.lower_unit
        if unit not in _UNITS:
            return None
    return f"{token.int_value if token.int_value is not None else round(token.value, 4):g}{unit}"


def _colour(function: ast.Node) -> str | None:
    """rgb(), hsl() and their older forms: numbers only."""
    inside: list[str] = []
    for token in function.arguments[:20]:
        if token.type not in ("whitespace", "number", "percentage") and not (token.type == "literal" and token.value in ",/"):
            return None
        inside.append(_token(token, True) or "")
    return f"{function.lower_name}({''.join(inside)})"


def _is_image(token: ast.Node) -> bool:
    return token.type == "url" or (token.type == "function" and token.lower_name not in _FUNCTIONS)


def _picture(token: ast.Node) -> str:
    """The URL in url(a) or url("a") if it can be replaced by one of ours, else ""."""
    value = ""
    if token.type == "url":
        value = token.value
    elif token.type == "function" and token.lower_name == "url":
        value = "".join(t.value for t in token.arguments if t.type == "string")
    value = value.strip()
    return value if is_remote(value) or value[:4].lower() == "cid:" else ""


def _addresses(token: ast.Node) -> set[str]:
    """The remote URLs of a token: url(a), url("a"), image-set("a" 1x, url(b)) ..., one level of functions deep."""
    if token.type == "url":
        return {token.value} if is_remote(token.value) else set()
    if token.type != "function":
        return set()
    inside = [t for t in token.arguments if t.type in ("url", "string")]
    return {t.value for t in inside if is_remote(t.value)}


def is_remote(address: str) -> bool:
    """Whether a browser would fetch this URL from another host."""
    return address.strip().lower().startswith(("http:", "https:", "//", "ftp:"))
