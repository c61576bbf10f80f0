"""Notices: the legal notice and the statement on accessibility, in the establishment's words or in those to begin with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from webmail.config.presentation import Texts

_ROOT = Path(__file__).resolve().parent
_FIELD = re.compile(r"\{(\w+)\}")
# images would have the reader's browser ask other servers; the page's policy forbids them too
_READER = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).disable("image")
NAMES = ("legal", "accessibility")


@cache
def beginning(name: str, language: str) -> str:
    """The text to begin with, as Markdown with {fields}."""
    return (_ROOT / language / f"{name}.md").read_text(encoding="utf-8")


def text(name: str, own: Texts, language: str, facts: Mapping[str, str]) -> str:
    """The establishment's own text in this language, or the one to begin with, without paragraphs whose fact is not known."""
    if written := own.in_language(language).strip():
        return written
    paragraphs = beginning(name, language).strip().split("\n\n")
    told = [_filled(one, facts) for one in paragraphs if all(facts.get(field) for field in _FIELD.findall(one))]
    return "\n\n".join(_without_empty_titles(told))


def to_html(markdown: str) -> str:
    """Markdown as HTML without scripts, pictures or tags of its own."""
    return str(_READER.render(markdown))


def _filled(paragraph: str, facts: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: _line_by_line(facts[field[1]]), paragraph)


def _line_by_line(fact: str) -> str:
    """A fact as it was typed, not as Markdown; its lines stay lines."""
    escaped = re.sub(r"([\\`*_\[\]<>#|&])", r"\\\1", fact)
    return "\\\n".join(line.strip() for line in escaped.splitlines() if line.strip())


def _without_empty_titles(paragraphs: list[str]) -> list[str]:
    pairs = zip(paragraphs, [*paragraphs[1:], "## "], strict=True)
    return [one for one, following in pairs if not (one.startswith("## ") and following.startswith("## "))]
