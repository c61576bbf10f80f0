"""Critical CSS: style sheets within the page itself, for a browser that comes for the first time and has nothing in its cache.

A sheet of its own costs a round trip before anything is drawn: 0.4 seconds on a slow line. Only the rules that the page can use
come with it: most are for the mail.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import tinycss2
from flask import current_app, g, request
from jinja2 import Environment
from markupsafe import Markup

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_WORD = re.compile(r"[\w-]+")
_PART = re.compile(r"\{%-?\s*(?:extends|include|import|from)\s+[\"']([^\"']+)[\"']")
_SCRIPT = re.compile(r"static_url\('([^']+\.js)'\)")
_OF_ICONS = "i"  # the class that `icon()` writes


def inline_styles(template: str, *names: str) -> Markup:
    """The `<style>` with what a template can use of these static files; "" for a browser that brings a cookie: it was here.

    The page's Content-Security-Policy then allows just these styles (`allowed_style`).
    """
    if request.cookies:
        return Markup()
    folder = current_app.static_folder or "static"
    piece, g.allowed_style = _of_files(folder, names, _template_words(current_app.jinja_env, folder, template))
    return piece


def allowed_style() -> str:
    """The source expression (CSP level 3, section 2.3.1) of the styles within this page; "" if there are none."""
    return str(g.get("allowed_style", ""))


@lru_cache(maxsize=8)
def _of_files(folder: str, names: tuple[str, ...], texts: frozenset[str]) -> tuple[Markup, str]:
    text = "".join(_useful(Path(folder, name).read_text(encoding="utf-8"), texts) for name in names)
    if "</" in text or "url(" in text:
        raise ValueError(f"{', '.join(names)}: a sheet within a page may neither end it nor name other files")
    checksum = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(f"<style>{text}</style>"), f"'sha256-{checksum}'"  # noqa: S704 - our own files


@lru_cache(maxsize=8)
def _template_words(environment: Environment, folder: str, template: str) -> frozenset[str]:
    """All words of a template, of those that it includes, and of their scripts: any class or id that the page can have.

    A word that ends in "-" begins one ("notice-{{ kind }}").
    """
    found = {_OF_ICONS}
    waiting, seen = [template], {template}
    while waiting:
        source = environment.loader.get_source(environment, waiting.pop())[0]  # type: ignore[union-attr]
        for text in (source, *(Path(folder, name).read_text(encoding="utf-8") for name in _SCRIPT.findall(source))):
            found.update(_WORD.findall(_COMMENT.sub("", text)))
        more = set(_PART.findall(source)) - seen
        waiting += more
        seen |= more
    return frozenset(found)


def _useful(sheet: str, texts: frozenset[str]) -> str:
    """The rules of a sheet whose selectors name nothing but these words, without comments."""
    beginnings = tuple(word for word in texts if word.endswith("-"))

    def known(name: str) -> bool:
        return name in texts or name.startswith(beginnings)

    def rules(content: Any) -> Iterator[str]:
        for rule in tinycss2.parse_rule_list(content, skip_comments=True, skip_whitespace=True):
            if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
                if inside := "".join(rules(rule.content)):
                    yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}"
            elif rule.type != "qualified-rule":
                raise ValueError(f"line {rule.source_line} of a sheet within a page: neither a rule nor @media nor @supports")
            elif found := [one for one in _selectors(rule.prelude) if all(map(known, _names(one)))]:
                selector = ",".join(tinycss2.serialize(one).strip() for one in found)
                yield f"{selector}{{{' '.join(tinycss2.serialize(rule.content).split())}}}\n"

    return "".join(rules(sheet))


def _selectors(prelude: list[Any]) -> list[list[Any]]:
    """A list of selectors at its commas; those within brackets are the selector's own."""
    found: list[list[Any]] = [[]]
    for token in prelude:
        if token == ",":
            found.append([])
        elif token.type != "comment":
            found[-1].append(token)
    return found


def _names(selector: list[Any]) -> list[str]:
    """The classes and ids that an element must have; what stands within brackets (`:not(...)`) may be another's."""
    pairs = zip(selector, selector[1:], strict=False)
    dotted = [token.value for before, token in pairs if before == "." and token.type == "ident"]
    return dotted + [token.value for token in selector if token.type == "hash"]
