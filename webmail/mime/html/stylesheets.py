"""Style sheets: sanitizes the <style> of HTML mail by allow-list: simple selectors and width queries, scoped to `.mail`.

No source text is copied: selectors are rebuilt from names, media queries from numbers, and declarations come from
`inline_css.py`. So it does not matter whether a browser would have tokenized the sheet the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from webmail.mime.html.dark_colours import DarkColours
from webmail.mime.html.inline_css import Link, clean_style

READ_LIMIT = 150_000  # characters of all style sheets of a message together
RULE_LIMIT = 3_000
WORK_LIMIT = 200_000_000  # characters of the rules kept, times tags of the message: browsers match each with each
SELECTOR_LIMIT = 5  # elements in one selector
REMEMBERED = 40_000  # characters of a sheet that is cached after parsing
BODY = "-body-"  # the class of the element that replaces <body>

_SHEET = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<style\b([^<>]*)>(.*?)(?:</style|\Z)"
    r"|<(script|title|textarea|xmp|noembed|noframes|iframe|svg|math|template|select)\b.*?(?:</\3|\Z)",
    re.S | re.I,
)
_MEDIA_ATTRIBUTE = re.compile(r"\bmedia\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", re.I)
_QUERY = re.compile(r"(?:only\s+)?(?:(?:screen|all)\b(?:\s+and\b)?)?\s*((?:\([^()]{1,60}\)(?:\s*and\b)?\s*)*)", re.I)
_WIDTH = re.compile(r"\(\s*(min|max)-(?:device-)?width\s*:\s*(\d{1,5}(?:\.\d{1,3})?)\s*(px|em|rem)\s*\)", re.I)
_CLASS_VALUE = r"\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))"
# two patterns, since those with a literal prefix are searched quickly
_CLASSES = tuple(re.compile(f"{name}{_CLASS_VALUE}") for name in ("class", "CLASS"))
_ATTRIBUTE_SELECTOR = re.compile(r"\[\s*class\s*~?=\s*[\"']?([\w-]+)[\"']?\s*\]", re.I | re.A)
_COMPOUND = re.compile(
    r"(\*|[a-z][a-z0-9]*)?((?:[.#]-?[a-z_][\w-]{0,79}|:(?:first-child|last-child|link|root|nth-child\((?:odd|even|\d{1,3})\)))*)",
    re.I | re.A,
)
_PIECE = re.compile(r"[.#:][^.#:]+")
_BETWEEN = re.compile(r"\s*([>+])\s*|\s+")


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """`css` for a <style>, the `classes` it names (they get the prefix like ids), and the URLs of blocked `remote` images."""

    css: str = ""
    classes: frozenset[str] = frozenset()
    remote: frozenset[str] = frozenset()


def found_in(html: str) -> str:
    """The style sheets of unsanitized HTML, joined: "@media" is put around those with a `media` attribute."""
    last = max(html.rfind(f"<{name}") for name in ("style", "STYLE", "Style"))
    found: list[str] = []
    place = 0
    while place <= last and (match := _SHEET.search(html, place)):
        place = match.end()
        if match[2] is not None:
            named = _MEDIA_ATTRIBUTE.search(match[1])
            media = (named[1] or named[2] or named[3] or "") if named else ""
            found.append(f"@media {media}{{{match[2]}\n}}" if media and not re.search(r"[{};\"']", media) else match[2])
    return "\n".join(found)[:READ_LIMIT]


def cleaned(
    css: str, html: str, tags: frozenset[str], prefix: str, link: Link | None, colours: DarkColours | None = None
) -> Stylesheet:
    """Sanitize a style sheet for this HTML: keeps rules for `tags` and for classes and ids, which get `prefix`.

    `link` as in `clean_style`; only rules outside media queries may have images, since loading one would tell its sender the
    width of the screen. With `colours` each has its counterpart of the dark theme.
    """
    values = {"".join(found) for pattern in _CLASSES for found in pattern.findall(html)}
    used = frozenset(name for value in values for name in value.split())
    read = _remembered(css) if len(css) <= REMEMBERED else tuple(_rules(css))
    out: list[str] = []
    classes: set[str] = set()
    remote: set[str] = set()
    inside = ""  # the open media query
    for query, selectors, block in read[:RULE_LIMIT]:
        named: set[str] = set()
        kept = [s for s in (_selector(one, tags, used, prefix, named) for one in selectors) if s]
        if not kept:
            continue
        declarations, addresses = clean_style(block, None if query else link)
        if not query:
            remote |= addresses
        if declarations:
            declarations = colours.declarations(declarations) if colours else declarations
            classes |= named
            if query != inside:
                out.append(f"{'}' if inside else ''}{f'@media {query}{{' if query else ''}")
                inside = query
            out.append(f"{','.join(kept)}{{{declarations}}}")
    text = "".join(out) + ("}" if inside else "")
    if len(text) * html.count("<") > WORK_LIMIT:
        return Stylesheet()
    return Stylesheet(text, frozenset(classes), frozenset(remote))


_Rule = tuple[str, tuple[str, ...], str]


@lru_cache(maxsize=64)
def _remembered(css: str) -> tuple[_Rule, ...]:
    """Cached, since senders use one sheet for all their messages."""
    return tuple(_rules(css))


def _rules(css: str) -> Iterator[_Rule]:
    """Media query ("" for none), selectors and declarations of each rule, not yet sanitized. One level of @media."""
    css = css.replace("\\", "").replace("<!--", "").replace("-->", "").replace("<", "")
    with suppress(RecursionError):  # thousands of nested braces are no style sheet
        for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
            if rule.type == "qualified-rule":
                yield "", *_parts(rule)
            elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
                query = _query(tinycss2.serialize(rule.prelude))
                inside = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                yield from ((query, *_parts(one)) for one in inside if query is not None and one.type == "qualified-rule")


def _parts(rule: Any) -> tuple[tuple[str, ...], str]:
    """Its selectors and its declarations."""
    selectors = tinycss2.serialize(rule.prelude)[:4000].split(",")
    return tuple(one.strip() for one in selectors), tinycss2.serialize(rule.content)


def _query(text: str) -> str | None:
    """A media query list, rebuilt; "" if it always applies to screens, None if it never does."""
    kept: list[str] = []
    for one in text[:1000].split(","):
        match = _QUERY.fullmatch(one.strip())
        if not match or not one.strip():
            continue
        widths = [_WIDTH.fullmatch(condition) for condition in re.findall(r"\([^()]*\)", match[1])]
        if all(widths):
            kept.append(" and ".join(f"({w[1].lower()}-width:{w[2]}{w[3].lower()})" for w in widths if w))
    if not kept:
        return None if text.strip() else ""
    return "" if "" in kept else ",".join(kept)


def _selector(text: str, tags: frozenset[str], used: frozenset[str], prefix: str, classes: set[str]) -> str:
    """One selector, rebuilt and scoped to `.mail`, or "" if it is not supported or names an unused class.

    <body> and <html> become the element of the class BODY, by `:where()`, so that the class adds no specificity.
    """
    text = _ATTRIBUTE_SELECTOR.sub(r".\1", text) if "[" in text else text
    body = f":where(.{prefix}{BODY})"
    out = ""
    between = ""  # the combinator before the next element
    named: list[str] = []
    place = 0
    for _ in range(SELECTOR_LIMIT + 2):  # room for a leading "html" and "body"
        compound = _COMPOUND.match(text, place)
        if not compound or compound.end() == place:
            return ""
        place = compound.end()
        name, rest = (compound[1] or "").lower(), compound[2]
        if name in ("html", "body") or rest[:5].lower() == ":root":
            if out not in ("", body):
                return ""
            name, between, out = body, "", ""
            rest = rest.removeprefix(rest[:5]) if rest[:5].lower() == ":root" else rest
        elif name not in tags and name not in ("*", ""):
            return ""
        for piece in _PIECE.findall(rest):
            if piece[0] == ":":
                if piece[1:].lower() == "root":
                    return ""
                name += piece.lower()
                continue
            if piece[0] == ".":
                if piece[1:] not in used:
                    return ""
                named.append(piece[1:])
            name += f"{piece[0]}{prefix}{piece[1:]}"
        out += between + name
        if place == len(text):
            classes.update(named)
            return f".mail {out}"
        gap = _BETWEEN.match(text, place)
        if not gap:
            return ""
        place, between = gap.end(), gap[1] or " "
    return ""


def class_filter(sheet: Stylesheet, prefix: str) -> Callable[[str], str | None]:
    """A function that keeps, with the prefix, the names of a `class` attribute that the sheet uses; None if there are none."""
    names = {name: f"{prefix}{name}" for name in (*sheet.classes, BODY)}

    @lru_cache(maxsize=1024)
    def kept(value: str) -> str | None:
        return " ".join(names[name] for name in value.split() if name in names) or None

    return kept
